// Merge joins of two relations (PostgreSQL's optimizer/path/joinpath.c and pathkeys.c; costs as in costsize.c).
#include <algorithm>
#include <cmath>

#include "engine/plan/conditions.h"
#include "engine/plan/estimate.h"
#include "engine/plan/paths.h"
#include "engine/types/order.h"

namespace polarsim::engine::plan {
namespace {

constexpr double disable_cost = 1e10;

// What a merge join may compare: an equality between its sides, and what it stands for on each of them.
struct MergeKey {
  const Condition* condition = nullptr;
  int left_class = -1;
  int right_class = -1;
  ExpressionPtr left;
  ExpressionPtr right;
};
using MergeKeys = std::vector<const MergeKey*>;

bool contains_class(const Order& order, int equivalence) {
  return std::any_of(order.begin(), order.end(),
                     [&](const OrderItem& item) { return item.equivalence == equivalence; });
}

class MergePathMaker {
 public:
  MergePathMaker(Level& level, const JoinSides& sides)
      : level_(level), sides_(sides), needs_all_(sides.type == PlanJoin::right || sides.type == PlanJoin::full) {
    for (const Condition* condition : sides.own) find_key(*condition);
  }

  void run() {
    if (!allowed_ || (!level_.settings().enable_mergejoin && sides_.type != PlanJoin::full)) return;
    const PathPtr& right = sides_.right.cheapest_total;
    if (!right) return;
    sort_both(sides_.left.cheapest_total, right);
    for (const PathPtr& left : sides_.left.paths) {
      if (may_merge(*left)) keep_left_order(left, right);
    }
  }

 private:
  // select_mergejoin_clauses().
  void find_key(const Condition& condition) {
    MergeKey key;
    key.condition = &condition;
    if (condition.equality && describe(condition, key)) {
      keys_.push_back(std::move(key));
    } else if (needs_all_ && condition.expression->as<query::Constant>() == nullptr) {
      allowed_ = false;
    }
  }
  bool describe(const Condition& condition, MergeKey& key) const {
    const auto& sides = condition.expression->as<query::OperatorCall>()->arguments;
    const bool straight =
        is_subset(condition.left, sides_.left.relids) && is_subset(condition.right, sides_.right.relids);
    const bool turned =
        is_subset(condition.right, sides_.left.relids) && is_subset(condition.left, sides_.right.relids);
    if (!straight && !turned) return false;
    key.left_class = straight ? condition.left_class : condition.right_class;
    key.right_class = straight ? condition.right_class : condition.left_class;
    key.left = sides[straight ? 0 : 1];
    key.right = sides[straight ? 1 : 0];
    return key.left_class >= 0 && key.right_class >= 0 && !is_constant_class(level_, key.left_class) &&
           !is_constant_class(level_, key.right_class) && is_ordered(key.left->type.id) &&
           is_ordered(key.right->type.id);
  }

  bool may_merge(const Path& left) const {
    return !overlaps(left.required_outer, sides_.right.relids) &&
           is_subset(left.required_outer & ~sides_.joined.relids, sides_.lateral);
  }

  // sort_inner_and_outer(): each key may be the first one to sort by.
  void sort_both(const PathPtr& left, const PathPtr& right) {
    if (!left || keys_.empty() || !may_merge(*left)) return;
    const Order all = order_to_sort_by();
    for (std::size_t first = 0; first < all.size(); ++first) {
      Order left_order = all;
      std::rotate(left_order.begin(), left_order.begin() + static_cast<std::ptrdiff_t>(first),
                  left_order.begin() + static_cast<std::ptrdiff_t>(first) + 1);
      const MergeKeys keys = keys_of(left_order);
      const Order right_order = order_of_right(keys, left_order);
      add(sorted(left, left_order, keys, true), sorted(right, right_order, keys, false), keys, left_order);
    }
  }

  // Of a side's rows, as far as PostgreSQL makes use of it.
  Order order_of(const Path& path) const { return useful_order(level_, path.relids, path.order); }

  // select_outer_pathkeys_for_merge(): the query's order, if the keys can give it; what others may be joined by comes
  // early.
  Order order_to_sort_by() const {
    std::vector<std::pair<int, int>> classes;  // and how many may be joined by them yet; -1: it is in the order
    for (const MergeKey& key : keys_) {
      if (std::any_of(classes.begin(), classes.end(), [&](const auto& known) { return known.first == key.left_class; }))
        continue;
      const auto& members = level_.classes[static_cast<std::size_t>(key.left_class)].members;
      const auto partners = std::count_if(members.begin(), members.end(), [&](const auto& member) {
        return !member.constant && !overlaps(member.relids, sides_.joined.relids);
      });
      classes.emplace_back(key.left_class, static_cast<int>(partners));
    }
    Order order;
    const bool gives_wanted =
        std::all_of(level_.query_order.begin(), level_.query_order.end(), [&](const auto& wanted) {
          return std::any_of(classes.begin(), classes.end(),
                             [&](const auto& known) { return known.first == wanted.equivalence; });
        });
    if (gives_wanted) order = level_.query_order;
    for (auto& known : classes) {
      if (contains_class(order, known.first)) known.second = -1;
    }
    for (;;) {
      const auto best = std::max_element(classes.begin(), classes.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      if (best->second < 0) return order;
      best->second = -1;
      order.push_back({best->first, false, false});
    }
  }

  // find_mergeclauses_for_outer_pathkeys().
  MergeKeys keys_of(const Order& left_order) const {
    MergeKeys found;
    for (const OrderItem& item : left_order) {
      const std::size_t before = found.size();
      for (const MergeKey& key : keys_) {
        if (key.left_class == item.equivalence) found.push_back(&key);
      }
      if (found.size() == before) break;
    }
    return found;
  }
  static const OrderItem& item_of(const MergeKey& key, const Order& left_order) {
    return *std::find_if(left_order.begin(), left_order.end(),
                         [&](const OrderItem& item) { return item.equivalence == key.left_class; });
  }
  // make_inner_pathkeys_for_merge().
  static Order order_of_right(const MergeKeys& keys, const Order& left_order) {
    Order order;
    for (const MergeKey* key : keys) {
      const OrderItem& item = item_of(*key, left_order);
      if (!contains_class(order, key->right_class))
        order.push_back({key->right_class, item.descending, item.nulls_first});
    }
    return order;
  }

  // generate_mergejoin_paths().
  void keep_left_order(const PathPtr& left, const PathPtr& right) {
    const Order left_order = order_of(*left);
    const MergeKeys keys = keys_of(left_order);
    // Without any equality nothing but a merge join does a full join.
    if (keys.empty() && sides_.type != PlanJoin::full) return;
    if (needs_all_ && keys.size() != keys_.size()) return;
    const Order right_order = order_of_right(keys, left_order);
    add(left, sorted(right, right_order, keys, false), keys, left_order);
    // Sides that are in order already; with fewer keys, too, if that costs less.
    PathPtr cheapest = is_ordered_by(order_of(*right), right_order) ? right : nullptr;
    PathPtr quickest = cheapest;
    for (std::size_t count = right_order.size(); count > 0; --count) {
      const Order wanted(right_order.begin(), right_order.begin() + static_cast<std::ptrdiff_t>(count));
      const MergeKeys fitting = keys_in(keys, wanted);
      const PathPtr total = ordered_right(wanted, false);
      if (total && (!cheapest || costs_less(*total, *cheapest, false))) {
        add(left, total, fitting, left_order);
        cheapest = total;
      }
      const PathPtr startup = ordered_right(wanted, true);
      if (startup && (!quickest || costs_less(*startup, *quickest, true))) {
        if (startup != cheapest) add(left, startup, fitting, left_order);
        quickest = startup;
      }
      if (needs_all_) break;
    }
  }
  // trim_mergeclauses_for_inner_pathkeys(): up to the first one whose class the order does not have.
  static MergeKeys keys_in(const MergeKeys& keys, const Order& right_order) {
    const auto end = std::find_if(keys.begin(), keys.end(),
                                  [&](const MergeKey* key) { return !contains_class(right_order, key->right_class); });
    return {keys.begin(), end};
  }
  static bool costs_less(const Path& a, const Path& b, bool startup) {
    const auto of = [&](const Path& path) {
      return startup ? std::pair(path.cost.startup, path.cost.total) : std::pair(path.cost.total, path.cost.startup);
    };
    return of(a) < of(b);
  }
  PathPtr ordered_right(const Order& wanted, bool startup) const {
    PathPtr best;
    for (const PathPtr& path : sides_.right.paths) {
      if (path->required_outer != 0 || !is_ordered_by(order_of(*path), wanted)) continue;
      if (!best || costs_less(*path, *best, startup)) best = path;
    }
    return best;
  }

  PathPtr sorted(const PathPtr& input, const Order& order, const MergeKeys& keys, bool is_left) const {
    if (is_ordered_by(order_of(*input), order)) return input;
    const std::shared_ptr<Path> path = make_sort(level_, input, order, -1);
    for (const OrderItem& item : order) {
      const auto key = std::find_if(keys.begin(), keys.end(), [&](const MergeKey* each) {
        return (is_left ? each->left_class : each->right_class) == item.equivalence;
      });
      path->sort_keys.push_back(is_left ? (*key)->left : (*key)->right);
    }
    return path;
  }

  void add(const PathPtr& left, const PathPtr& right, const MergeKeys& keys, const Order& left_order) {
    auto path = std::make_shared<Path>();
    path->kind = Path::Kind::merge_join;
    path->relids = sides_.joined.relids;
    path->type = sides_.type;
    path->left = left;
    path->right = right;
    path->required_outer = (left->required_outer | right->required_outer) & ~sides_.joined.relids;
    path->filters = sides_.filters;
    path->cost.rows = sides_.joined.rows;
    path->cost.width = sides_.joined.width;
    // Rows that the right side alone has come where no order says.
    if (!needs_all_) path->order = useful_order(level_, sides_.joined.relids, left_order);
    for (const MergeKey* key : keys) {
      path->keys.push_back(key->condition);
      path->merge_order.push_back(item_of(*key, left_order));
    }
    for (const Condition* condition : sides_.own) {
      if (std::find(path->keys.begin(), path->keys.end(), condition) == path->keys.end())
        path->conditions.push_back(condition);
    }
    cost(*path, keys);
    add_path(sides_.joined, path);
  }

  // What of a side is read before the first partner may be found, and up to the last one.
  struct Reading {
    double skipped = 0;
    double rows = 1;
    double startup = 0;
    double run = 0;
  };
  static Reading reading_of(const Cost& cost, double start, double end) {
    const double all = std::max(1.0, cost.rows);
    Reading reading;
    reading.skipped = std::rint(all * start);
    reading.rows = whole_rows(all * end);
    const double run = cost.total - cost.startup;
    reading.startup = cost.startup + run * (reading.skipped / all);
    reading.run = run * (reading.rows / all - reading.skipped / all);
    return reading;
  }
  MergedParts parts_of(const Path& path, const MergeKeys& keys) const {
    MergedParts parts;
    if (keys.empty() || path.type == PlanJoin::full) return parts;
    const OrderItem& first = path.merge_order.front();
    parts = merged_parts(level_, keys.front()->left, keys.front()->right, first.descending, first.nulls_first);
    if (path.type == PlanJoin::left || path.type == PlanJoin::anti) {
      parts.left_start = 0;
      parts.left_end = 1;
    } else if (path.type == PlanJoin::right) {
      parts.right_start = 0;
      parts.right_end = 1;
    }
    return parts;
  }

  // initial_cost_mergejoin() and final_cost_mergejoin(). The latter decides whether the right side is kept, so that
  // going back in it is cheap.
  void cost(Path& path, const MergeKeys& keys) const {
    const PlannerSettings& settings = level_.settings();
    const MergedParts parts = parts_of(path, keys);
    const Reading left = reading_of(path.left->cost, parts.left_start, parts.left_end);
    const Reading right = reading_of(path.right->cost, parts.right_start, parts.right_end);
    const double right_rows = std::max(1.0, path.right->cost.rows);
    const bool one_partner = path.type == PlanJoin::semi || path.type == PlanJoin::anti || sides_.right_unique;
    const bool never_back = one_partner && path.conditions.empty() && path.filters.empty();
    const double found =
        whole_rows(path.left->cost.rows * path.right->cost.rows * selectivity(level_, path.keys, nullptr));
    const double again = never_back ? 0 : std::max(0.0, found - right_rows);
    const double ratio = 1 + again / right.rows;
    const double bare = right.run * ratio;
    const double kept = right.run + settings.cpu_operator_cost * right.rows * ratio;
    const bool keeps = !never_back && keeps_right(*path.right, kept < bare);

    const EvaluationCost compare = evaluation_cost(level_, path.keys);
    const EvaluationCost own = evaluation_cost(level_, path.conditions);
    const EvaluationCost filter = evaluation_cost(level_, path.filters);
    path.cost.startup = left.startup + right.startup + compare.startup + own.startup + filter.startup;
    path.cost.startup += compare.per_row * (left.skipped + right.skipped * ratio);
    double run = left.run + (keeps ? kept : bare);
    run += compare.per_row * (left.rows - left.skipped + (right.rows - right.skipped) * ratio);
    run += (settings.cpu_tuple_cost + own.per_row + filter.per_row) * found;
    if (!settings.enable_mergejoin) path.cost.startup += disable_cost;
    path.cost.total = path.cost.startup + run;
    if (keeps) path.right = materialized(path.right);
  }
  bool keeps_right(const Path& right, bool is_cheaper) const {
    const PlannerSettings& settings = level_.settings();
    if (settings.enable_material && is_cheaper) return true;
    const bool is_sort = right.kind == Path::Kind::sort;
    if (!is_sort && right.kind != Path::Kind::index_scan && right.kind != Path::Kind::materialize) return true;
    return settings.enable_material && is_sort &&
           pages_of(std::max(1.0, right.cost.rows), right.cost.width) * 8 > settings.work_mem_kb;
  }
  PathPtr materialized(const PathPtr& input) const {
    auto path = std::make_shared<Path>();
    path->kind = Path::Kind::materialize;
    path->relids = input->relids;
    path->required_outer = input->required_outer;
    path->left = input;
    path->order = input->order;
    path->cost = input->cost;
    path->cost.total += level_.settings().cpu_operator_cost * input->cost.rows;
    return path;
  }

  Level& level_;
  const JoinSides& sides_;
  std::vector<MergeKey> keys_;
  // A row that has no partner by some of the keys must not be taken for one that has none by all.
  const bool needs_all_;
  bool allowed_ = true;
};

}  // namespace

void add_merge_joins(Level& level, const JoinSides& sides) { MergePathMaker(level, sides).run(); }

}  // namespace polarsim::engine::plan
