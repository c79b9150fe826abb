// Nested loops and hash joins of two relations; merge joins are in merge_paths.cpp (PostgreSQL's
// optimizer/path/joinpath.c and costsize.c in simple form).
#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <utility>

#include "engine/plan/estimate.h"
#include "engine/plan/paths.h"

namespace polarsim::engine::plan {
namespace {

class JoinPathMaker {
 public:
  JoinPathMaker(Level& level, JoinRelation& joined, const JoinRelation& left, const JoinRelation& right, PlanJoin type,
                const std::vector<const Condition*>& conditions)
      : level_(level), joined_(joined), left_(left), right_(right), type_(type) {
    for (const Condition* condition : conditions) {
      const bool own = type == PlanJoin::inner || type == PlanJoin::semi ||
                       (!condition->pushed_down && is_subset(condition->required, joined.relids));
      (own ? own_ : filters_).push_back(condition);
    }
    for (std::size_t i = 0; i < level.bases.size(); ++i) {
      if (overlaps(joined.relids, relid(static_cast<int>(i)))) lateral_ |= level.bases[i].lateral;
    }
    lateral_ &= ~joined.relids;
  }

  void run() {
    add_merge_joins(level_, {joined_, left_, right_, type_, own_, filters_, lateral_, is_right_unique()});
    for (const PathPtr& left : left_.paths) {
      if (overlaps(left->required_outer, right_.relids)) continue;
      add_nested_loops(left);
      add_hash_joins(left);
    }
  }

 private:
  std::shared_ptr<Path> make_path(const PathPtr& left, const PathPtr& right) const {
    auto path = std::make_shared<Path>();
    path->relids = joined_.relids;
    path->type = type_;
    path->left = left;
    path->right = right;
    path->required_outer = (left->required_outer | right->required_outer) & ~joined_.relids;
    path->filters = filters_;
    path->cost.rows = joined_.rows;
    path->cost.width = joined_.width;
    return path;
  }
  // Values from outside are wanted only where a lateral reference asks for them.
  bool may_need(Relids outer) const { return is_subset(outer, lateral_); }

  void add_nested_loops(const PathPtr& left) {
    if (type_ == PlanJoin::full || type_ == PlanJoin::right) return;
    // Where many relations are joined, the cheapest of the scans that get their values from the left side has to do.
    const Path* cheapest_given = nullptr;
    for (const PathPtr& right : right_.paths) {
      if (!may_need((left->required_outer | right->required_outer) & ~joined_.relids)) continue;
      if (!is_large() || right->required_outer == 0) {
        add_nested_loop(left, right);
      } else if (cheapest_given == nullptr || right->cost.total < cheapest_given->cost.total) {
        cheapest_given = right.get();
      }
    }
    for (const PathPtr& right : right_.paths) {
      if (right.get() == cheapest_given) add_nested_loop(left, right);
    }
    const PathPtr& cheapest = right_.cheapest_total;
    if (!cheapest || !level_.settings().enable_material || cheapest->kind == Path::Kind::materialize) return;
    if (!may_need(left->required_outer & ~joined_.relids)) return;
    auto kept = std::make_shared<Path>();
    kept->kind = Path::Kind::materialize;
    kept->relids = cheapest->relids;
    kept->left = cheapest;
    kept->order = cheapest->order;
    kept->cost = materialize_cost(level_.settings(), cheapest->cost);
    add_nested_loop(left, kept);
  }
  bool is_large() const { return level_.bases.size() > exhaustive_search_max; }

  void add_nested_loop(const PathPtr& left, const PathPtr& right) {
    const PlannerSettings& settings = level_.settings();
    auto path = make_path(left, right);
    path->kind = Path::Kind::nested_loop;
    path->order = useful_order(level_, joined_.relids, left->order);
    for (const Condition* condition : own_) {
      if (!is_enforced(*condition, *right)) path->conditions.push_back(condition);
    }
    const EvaluationCost own = evaluation_cost(level_, path->conditions);
    const EvaluationCost filter = evaluation_cost(level_, path->filters);
    const double left_rows = std::max(1.0, left->cost.rows);
    double right_rows = right->cost.rows;
    double again = rescan_cost(settings, *right);
    if (type_ == PlanJoin::semi || type_ == PlanJoin::anti) {
      // Stops at the first match; half of the rows on average.
      again *= right->required_outer != 0 ? 1 : 0.5;
      right_rows = std::max(1.0, right_rows * 0.5);
    }
    path->cost.startup = left->cost.startup + right->cost.startup + own.startup + filter.startup;
    path->cost.total = path->cost.startup + (left->cost.total - left->cost.startup) +
                       (right->cost.total - right->cost.startup) + (left_rows - 1) * again;
    path->cost.total += (settings.cpu_tuple_cost + own.per_row) * left_rows * right_rows;
    path->cost.total += filter.per_row * joined_.rows;
    if (!settings.enable_nestloop) penalise(*path);
    add_path(joined_, path);
  }

  // A scan that gets its values from the left side has seen to the condition already; to another equality of the same
  // class, too, if that is between the sides: one with a member that needs both is more than the scan knew of.
  bool is_enforced(const Condition& condition, const Path& right) const {
    if (right.required_outer == 0) return false;
    return std::any_of(right.enforced.begin(), right.enforced.end(), [&](const Condition* other) {
      return other == &condition ||
             (other->of_class >= 0 && other->of_class == condition.of_class && is_between_sides(condition));
    });
  }
  bool is_between_sides(const Condition& condition) const {
    return (is_subset(condition.left, left_.relids) && is_subset(condition.right, right_.relids)) ||
           (is_subset(condition.right, left_.relids) && is_subset(condition.left, right_.relids));
  }

  void add_hash_joins(const PathPtr& left) {
    // What nothing else may do is done where it is not wanted, too.
    if (!level_.settings().enable_hashjoin && type_ != PlanJoin::full) return;
    const PathPtr& right = right_.cheapest_total;
    if (!right || !may_need(left->required_outer & ~joined_.relids)) return;
    if (left != left_.cheapest_total && left != left_.cheapest_startup && left->required_outer == 0) return;
    auto path = make_path(left, right);
    path->kind = Path::Kind::hash_join;
    for (const Condition* condition : own_) {
      const bool fits = condition->equality && is_between_sides(*condition);
      (fits ? path->keys : path->conditions).push_back(condition);
    }
    if (path->keys.empty()) return;
    cost_hash_join(*path, *left, *right);
    add_path(joined_, path);
  }

  // final_cost_hashjoin().
  void cost_hash_join(Path& path, const Path& left, const Path& right) {
    const PlannerSettings& settings = level_.settings();
    const EvaluationCost own = evaluation_cost(level_, path.conditions);
    const EvaluationCost filter = evaluation_cost(level_, path.filters);
    const double keys = static_cast<double>(path.keys.size());
    const double left_rows = std::max(1.0, left.cost.rows);
    const double right_rows = std::max(1.0, right.cost.rows);
    const HashTableSize size = hash_table_size(settings, right_rows, right.cost.width);
    const double compare = settings.cpu_operator_cost * keys;
    path.cost.startup = left.cost.startup + right.cost.total + own.startup + filter.startup;
    path.cost.startup += (compare + settings.cpu_tuple_cost) * right_rows;
    double run = left.cost.total - left.cost.startup + compare * left_rows;
    if (size.batches > 1) {
      const double right_pages = pages_of(right_rows, right.cost.width);
      path.cost.startup += settings.seq_page_cost * right_pages;
      run += settings.seq_page_cost * (right_pages + 2 * pages_of(left_rows, left.cost.width));
    }
    const double buckets = size.buckets * size.batches;
    double part = 1;
    for (const Condition* key : path.keys) {
      const auto& call = *key->expression->as<query::OperatorCall>();
      const bool straight = is_subset(key->left, left_.relids);
      part = std::min(part, bucket_part(level_, call.arguments[straight ? 1 : 0], buckets));
    }
    double found = 0;  // rows that all keys are equal for
    if (type_ == PlanJoin::semi || type_ == PlanJoin::anti || is_right_unique()) {
      // A row of the left side looks no further once it has found one.
      const Matches matches = matches_of();
      const double matched = std::rint(left_rows * matches.part);
      run += compare * matched * whole_rows(right_rows * part * 2 / (matches.count + 1)) * 0.5;
      run += compare * (left_rows - matched) * whole_rows(right_rows / buckets) * 0.05;
      found = type_ == PlanJoin::anti ? left_rows - matched : matched;
    } else {
      run += compare * left_rows * whole_rows(right_rows * part) * 0.5;
      found = whole_rows(left_rows * right_rows * selectivity(level_, path.keys, nullptr));
    }
    run += (settings.cpu_tuple_cost + own.per_row + filter.per_row) * found;
    path.cost.total = path.cost.startup + run;
    if (!settings.enable_hashjoin) penalise(path);
  }

  // compute_semi_anti_join_factors().
  struct Matches {
    double part = 1;   // of the left rows find one
    double count = 1;  // and so many
  };
  Matches matches_of() const {
    SpecialJoin join;
    join.type = PlanJoin::semi;
    join.written_left = left_.relids;
    join.written_right = right_.relids;
    Matches matches;
    // Of other joins PostgreSQL takes the part of all pairs, here, too.
    if (type_ != PlanJoin::semi && type_ != PlanJoin::anti)
      return {selectivity(level_, own_, nullptr), std::max(1.0, right_.rows)};
    // What is kept of a condition is for the join that it belongs to.
    for (const Condition* condition : own_) {
      const double kept = std::exchange(condition->outer_selectivity, -1);
      matches.part *= selectivity(level_, std::vector{condition}, &join);
      condition->outer_selectivity = kept;
    }
    if (matches.part > 0)
      matches.count = std::max(1.0, selectivity(level_, own_, nullptr) * right_.rows / matches.part);
    return matches;
  }

  // Whether no row of the left side has two partners: the right one's only relation has a unique index, all of whose
  // columns are equal to something, or it is a subquery whose rows differ in such columns (innerrel_is_unique()).
  bool is_right_unique() const {
    if (!std::has_single_bit(right_.relids)) return false;
    const BaseRelation& base = level_.bases[static_cast<std::size_t>(std::countr_zero(right_.relids))];
    const auto is_given = [&](int column) {
      const auto gives = [&](const Condition* condition) { return is_equal_to_column(*condition, base.entry, column); };
      return std::any_of(own_.begin(), own_.end(), gives) ||
             std::any_of(base.conditions.begin(), base.conditions.end(), gives);
    };
    const auto& source = level_.query.entries[static_cast<std::size_t>(base.entry)].source;
    if (const auto* subquery = std::get_if<query::SubquerySource>(&source))
      return differs_in(*subquery->query, is_given);
    if (!base.relation || base.subquery) return false;
    return std::any_of(base.relation->indexes.begin(), base.relation->indexes.end(), [&](const auto& index) {
      return index.unique && !index.predicate &&
             std::all_of(index.keys.begin(), index.keys.end(),
                         [&](const auto& key) { return key.column > 0 && is_given(key.column); });
    });
  }
  // query_is_distinct_for().
  static bool differs_in(const Query& query, query::FunctionReference<bool(int column)> is_given) {
    std::vector<int> columns(query.targets.size(), 0);
    int last = 0;
    for (std::size_t i = 0; i < query.targets.size(); ++i) {
      if (!query.targets[i].hidden) columns[i] = ++last;
    }
    const auto is_known = [&](int target) {
      const int column = columns[static_cast<std::size_t>(target)];
      return column > 0 && is_given(column);
    };
    const auto all_known = [&] {
      return std::all_of(columns.begin(), columns.end(), [&](int column) { return column == 0 || is_given(column); });
    };
    if (query.has_set_functions) return false;
    if (query.distinct && all_known()) return true;
    if (!query.distinct_on.empty() && std::all_of(query.distinct_on.begin(), query.distinct_on.end(),
                                                  [&](const auto& clause) { return is_known(clause.target); })) {
      return true;
    }
    if (query.grouped) {
      const bool one_set = query.grouping_sets.empty() || (query.group_by.empty() && query.grouping_sets.size() == 1);
      return one_set && std::all_of(query.group_by.begin(), query.group_by.end(), is_known);
    }
    return query.set_operation != nullptr && !query.set_operation->all && all_known();
  }
  bool is_equal_to_column(const Condition& condition, int entry, int column) const {
    const auto* call = condition.expression->as<query::OperatorCall>();
    if (call == nullptr || call->arguments.size() != 2 || std::string_view(call->function->symbol) != "=") return false;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto* own = strip_relabel(call->arguments[side])->as<Column>();
      if (own == nullptr || own->levels_up != 0 || own->entry != entry || own->column != column) continue;
      if (!overlaps(level_.relids_of(call->arguments[1 - side]), right_.relids)) return true;
    }
    return false;
  }

  static void penalise(Path& path) {
    path.cost.startup += 1e10;
    path.cost.total += 1e10;
  }

  Level& level_;
  JoinRelation& joined_;
  const JoinRelation& left_;
  const JoinRelation& right_;
  PlanJoin type_;
  std::vector<const Condition*> own_;
  std::vector<const Condition*> filters_;
  Relids lateral_ = 0;
};

}  // namespace

void add_join_paths(Level& level, JoinRelation& joined, const JoinRelation& left, const JoinRelation& right,
                    PlanJoin type, const std::vector<const Condition*>& conditions) {
  JoinPathMaker(level, joined, left, right, type, conditions).run();
}

}  // namespace polarsim::engine::plan
