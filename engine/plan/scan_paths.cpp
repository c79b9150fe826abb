#include <algorithm>

#include "engine/plan/estimate.h"
#include "engine/plan/paths.h"

namespace polarsim::engine::plan {
namespace {

constexpr double fuzz = 1.01;

// At least as good in every respect, small differences of cost aside.
bool is_as_good(const Path& a, const Path& b) {
  return a.cost.total <= b.cost.total * fuzz && a.cost.startup <= b.cost.startup * fuzz &&
         is_subset(a.required_outer, b.required_outer) && is_ordered_by(a.order, b.order) && a.cost.rows <= b.cost.rows;
}

// Of two directions one is enough to merge by: the one that the rows are wanted in, or upwards
// (right_merge_direction()).
bool is_merge_direction(const Level& level, const OrderItem& item) {
  for (const OrderItem& wanted : level.query_order) {
    if (wanted.equivalence == item.equivalence) return wanted.descending == item.descending;
  }
  return !item.descending;
}

// Whether these relations may be joined to others by this class (pathkeys_useful_for_merging()).
bool is_merged_by(const Level& level, Relids relids, int equivalence) {
  const EquivalenceClass& of = level.classes[static_cast<std::size_t>(equivalence)];
  if (!of.has_constant && of.members.size() > 1 &&
      std::any_of(of.members.begin(), of.members.end(),
                  [&](const auto& member) { return !overlaps(member.relids, relids); })) {
    return true;
  }
  return std::any_of(level.join_conditions.begin(), level.join_conditions.end(), [&](const Condition* condition) {
    return condition->equality && overlaps(condition->required, relids) && !is_subset(condition->required, relids) &&
           (condition->left_class == equivalence || condition->right_class == equivalence);
  });
}

}  // namespace

bool is_ordered_by(const Order& have, const Order& wanted) {
  return wanted.size() <= have.size() && std::equal(wanted.begin(), wanted.end(), have.begin());
}

void add_path(JoinRelation& relation, PathPtr path) {
  for (auto old = relation.paths.begin(); old != relation.paths.end();) {
    const bool old_is_as_good = is_as_good(**old, *path);
    const bool new_is_as_good = is_as_good(*path, **old);
    if (old_is_as_good && (!new_is_as_good || (*old)->cost.total <= path->cost.total * 1.0000000001)) return;
    old = new_is_as_good ? relation.paths.erase(old) : old + 1;
  }
  relation.paths.push_back(std::move(path));
}

void choose_cheapest(JoinRelation& relation) {
  relation.cheapest_parameterised.clear();
  relation.cheapest_startup = relation.cheapest_total = nullptr;
  for (const PathPtr& path : relation.paths) {
    if (path->required_outer != 0) {
      relation.cheapest_parameterised.push_back(path);
      continue;
    }
    if (!relation.cheapest_total || path->cost.total < relation.cheapest_total->cost.total) {
      relation.cheapest_total = path;
    }
    if (!relation.cheapest_startup || path->cost.startup < relation.cheapest_startup->cost.startup) {
      relation.cheapest_startup = path;
    }
  }
}

PathPtr cheapest_for(const JoinRelation& relation, const Order& order, double fraction) {
  PathPtr best;
  double best_cost = 0;
  for (const PathPtr& path : relation.paths) {
    if (path->required_outer != 0 || !is_ordered_by(path->order, order)) continue;
    const double part = fraction <= 0 || fraction >= path->cost.rows ? 1
                        : fraction < 1                               ? fraction
                                                                     : fraction / path->cost.rows;
    const double cost = path->cost.startup + part * (path->cost.total - path->cost.startup);
    if (!best || cost < best_cost) {
      best = path;
      best_cost = cost;
    }
  }
  return best;
}

std::shared_ptr<Path> make_sort(const Level& level, const PathPtr& input, const Order& order, double limit_rows) {
  auto path = std::make_shared<Path>();
  path->kind = Path::Kind::sort;
  path->relids = input->relids;
  path->required_outer = input->required_outer;
  path->left = input;
  path->order = order;
  path->cost = sort_cost(level.settings(), input->cost, limit_rows);
  return path;
}

PathPtr make_sort_path(const Level& level, const PathPtr& input, const Order& order, double limit_rows) {
  return is_ordered_by(input->order, order) ? input : make_sort(level, input, order, limit_rows);
}

Order useful_order(const Level& level, Relids relids, const Order& order) {
  std::size_t useful = 0;
  if (!level.query_order.empty() && is_ordered_by(order, level.query_order)) useful = level.query_order.size();
  std::size_t merging = 0;
  while (merging < order.size() && is_merge_direction(level, order[merging]) &&
         is_merged_by(level, relids, order[merging].equivalence)) {
    ++merging;
  }
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::max(useful, merging))};
}

void make_empty(JoinRelation& relation) {
  auto nothing = std::make_shared<Path>();
  nothing->kind = Path::Kind::nothing;
  nothing->relids = relation.relids;
  nothing->cost.rows = 0;
  nothing->cost.width = relation.width;
  relation.rows = 0;
  relation.never = true;
  relation.paths = {nothing};
  choose_cheapest(relation);
}

void make_scan_paths(Level& level, int id) {
  BaseRelation& base = level.bases[static_cast<std::size_t>(id)];
  const PlannerSettings& settings = level.settings();
  auto relation = std::make_shared<JoinRelation>();
  relation->relids = relid(id);
  for (const ExpressionPtr& column : base.columns_used) relation->width += width_of(level, column);
  if (base.never) {
    make_empty(*relation);
    base.rows_of = relation;
    return;
  }
  const double part = selectivity(level, base.conditions, nullptr);
  relation->rows = whole_rows(base.tuples * part);

  auto path = std::make_shared<Path>();
  path->kind = Path::Kind::scan;
  path->relids = relation->relids;
  path->required_outer = base.lateral;
  path->base = id;
  path->conditions = base.conditions;
  const EvaluationCost conditions = evaluation_cost(level, base.conditions);
  path->cost.startup = conditions.startup;
  path->cost.total = conditions.startup + (settings.cpu_tuple_cost + conditions.per_row) * base.tuples;
  path->cost.rows = relation->rows;
  path->cost.width = relation->width;
  if (base.subquery) {
    path->cost.startup += base.subquery->cost().startup;
    path->cost.total += base.subquery->cost().total;
  } else if (base.relation && base.relation->kind == query::Relation::Kind::table) {
    path->cost.total += settings.seq_page_cost * base.pages;
    if (!settings.enable_seqscan) {
      path->cost.startup += 1e10;
      path->cost.total += 1e10;
    }
  }
  if (base.subquery && base.subquery->plan->as<Custom>()) path->cost.startup = path->cost.total = 0;
  add_path(*relation, path);
  if (base.relation && base.relation->kind == query::Relation::Kind::table) make_index_paths(level, id, *relation);
  choose_cheapest(*relation);
  base.rows_of = relation;
}

}  // namespace polarsim::engine::plan
