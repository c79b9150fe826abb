// GROUP BY, aggregates, HAVING, windows (PostgreSQL's grouping_planner(), optimizer/plan/planner.c).
#include <algorithm>

#include "engine/plan/estimate.h"
#include "engine/plan/level_planner.h"
#include "engine/types/error.h"
#include "engine/types/order.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

void add_once(std::vector<ExpressionPtr>& list, const ExpressionPtr& expression) {
  const bool known = std::any_of(list.begin(), list.end(),
                                 [&](const ExpressionPtr& other) { return query::equal(other, expression); });
  if (!known) list.push_back(expression);
}

template <typename Node>
void collect(const ExpressionPtr& expression, std::vector<ExpressionPtr>& list) {
  if (!expression) return;
  if (expression->as<Node>()) {
    add_once(list, expression);
    return;
  }
  query::for_each_child(*expression, [&](const ExpressionPtr& child) { collect<Node>(child, list); });
}

// Columns outside of what the groups and aggregates compute.
void collect_carried(const ExpressionPtr& expression, const std::vector<ExpressionPtr>& groups,
                     std::vector<ExpressionPtr>& list) {
  if (!expression || expression->as<query::Aggregate>()) return;
  const bool grouped = std::any_of(groups.begin(), groups.end(),
                                   [&](const ExpressionPtr& group) { return query::equal(group, expression); });
  if (grouped) return;
  if (expression->as<Column>()) {
    add_once(list, expression);
    return;
  }
  query::for_each_child(*expression, [&](const ExpressionPtr& child) { collect_carried(child, groups, list); });
}

class Grouper {
 public:
  Grouper(Level& level, Stage input) : level_(level), input_(std::move(input)) {
    Query& query = level.query;
    for (const int target : query.group_by) {
      ExpressionPtr& group = query.targets[static_cast<std::size_t>(target)].expression;
      if (!query.grouping_sets.empty()) group = computed_below(group);
      groups_.push_back(group);
    }
    for (const auto& target : query.targets) look(target.expression);
    look(query.having);
  }

  Stage run() {
    const Query& query = level_.query;
    input_ = extend(level_, expand_sets(level_, std::move(input_), groups_), groups_);
    Aggregate node;
    std::vector<SortKey> order;
    for (const ExpressionPtr& group : groups_) {
      SortKey key = sort_key(input_, group);
      const bool repeated =
          std::any_of(order.begin(), order.end(), [&](const SortKey& other) { return other.column == key.column; });
      if (!repeated) order.push_back(key);
      node.groups.push_back(key);
    }
    node.sets = query.grouping_sets;
    choose_strategy(node);
    if (node.strategy == Aggregate::Strategy::sorted) {
      input_ = sort_stage(level_, input_, order, -1);
    }
    EvaluationCost transition;
    for (const ExpressionPtr& each : aggregates_) node.aggregates.push_back(make_call(each, transition));
    for (const ExpressionPtr& each : groupings_) node.grouping.push_back(each->as<query::GroupingCall>()->groups);
    for (const ExpressionPtr& each : carried_) node.carried.push_back(position_of(input_, each));

    Stage stage = make_stage(node, input_);
    stage.order.clear();
    stage.seen = groups_;
    stage.seen.insert(stage.seen.end(), aggregates_.begin(), aggregates_.end());
    stage.seen.insert(stage.seen.end(), groupings_.begin(), groupings_.end());
    stage.seen.insert(stage.seen.end(), carried_.begin(), carried_.end());
    std::vector<ExpressionPtr> having;
    add_conjuncts(query.having, having);
    for (const ExpressionPtr& condition : ordered_by_cost(level_, having)) {
      stage.plan->conditions.push_back(place(condition, {stage.seen, stage.seen_right}));
    }
    const double groups = groups_.empty() ? 1 : distinct_values(level_, groups_, std::max(1.0, input_.cost().rows));
    const bool hashed = node.strategy != Aggregate::Strategy::sorted;
    stage.plan->cost =
        aggregate_cost(level_, input_.cost(), hashed, groups_.size(), groups, transition, EvaluationCost{});
    // All of them, as columns of the row.
    const Cost cost = stage.plan->cost;
    const std::vector<ExpressionPtr> outputs = stage.seen;
    stage = project(level_, std::move(stage), outputs, {});
    const int width = stage.plan->cost.width;
    stage.plan->cost = cost;
    stage.plan->cost.width = width;
    return stage;
  }

 private:
  // A constant is never read from below, so that the sets without it could not make it NULL.
  static ExpressionPtr computed_below(const ExpressionPtr& group) {
    if (group->as<query::Constant>() == nullptr) return group;
    return make_expression(query::Coalesce{{group}}, group->type, group->position);
  }

  void look(const ExpressionPtr& expression) {
    collect<query::Aggregate>(expression, aggregates_);
    collect<query::GroupingCall>(expression, groupings_);
    collect_carried(expression, groups_, carried_);
  }

  void choose_strategy(Aggregate& node) const {
    if (groups_.empty() && node.sets.empty()) return;
    const bool hashable = std::all_of(groups_.begin(), groups_.end(),
                                      [](const ExpressionPtr& group) { return hasher_of(group->type.id) != nullptr; });
    // What sees its rows sorted or without duplicates needs its group in one piece.
    const bool in_order = std::any_of(aggregates_.begin(), aggregates_.end(), [](const ExpressionPtr& each) {
      const auto& call = *each->as<query::Aggregate>();
      return call.distinct || !call.order_by.empty();
    });
    if (groups_.empty() && node.sets.size() == 1) return;
    if (!node.sets.empty()) {
      const bool has_empty =
          std::any_of(node.sets.begin(), node.sets.end(), [](const auto& set) { return set.empty(); });
      node.strategy = has_empty ? Aggregate::Strategy::mixed : Aggregate::Strategy::hashed;
      return;
    }
    const bool wanted = level_.settings().enable_hashagg || !level_.settings().enable_sort;
    node.strategy = hashable && !in_order && wanted ? Aggregate::Strategy::hashed : Aggregate::Strategy::sorted;
  }

  AggregateCall make_call(const ExpressionPtr& expression, EvaluationCost& transition) {
    const auto& aggregate = *expression->as<query::Aggregate>();
    AggregateCall call;
    const Placement placement{input_.outputs, {}};
    call.function = aggregate.function;
    call.filter = place(aggregate.filter, placement);
    call.distinct = aggregate.distinct;
    call.star = aggregate.star;
    call.type = expression->type;
    for (const auto& key : aggregate.order_by) {
      call.order_by.push_back({place(key.expression, placement), key.descending, key.nulls_first});
    }
    if (aggregate.function->aggregate_kind == AggregateKind::normal) {
      call.arguments = place(aggregate.arguments, placement);
    } else {
      // What is aggregated is what is sorted by; the direct arguments follow.
      for (const auto& key : call.order_by) call.arguments.push_back(key.expression);
      for (const auto& direct : aggregate.arguments) call.arguments.push_back(place(direct, placement));
      call.direct_arguments = aggregate.arguments.size();
    }
    transition.per_row += level_.settings().cpu_operator_cost;
    for (const auto& argument : aggregate.arguments) {
      transition.per_row += evaluation_cost(level_, argument).per_row;
    }
    return call;
  }

  Level& level_;
  Stage input_;
  std::vector<ExpressionPtr> groups_;
  std::vector<ExpressionPtr> aggregates_;
  std::vector<ExpressionPtr> groupings_;
  std::vector<ExpressionPtr> carried_;
};

bool is_sorted_alike(const query::Window& a, const query::Window& b) {
  return a.partition_by == b.partition_by && a.order_by.size() == b.order_by.size() &&
         std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), [](const auto& x, const auto& y) {
           return x.target == y.target && x.descending == y.descending && x.nulls_first == y.nulls_first;
         });
}

}  // namespace

SortKey sort_key(const Stage& stage, const ExpressionPtr& expression, bool descending, bool nulls_first) {
  const int column = position_of(stage, expression);
  if (column == 0) throw SqlError(sqlstate::internal_error, "a sort key is not among the columns below");
  return {column, expression->type.id, descending, nulls_first};
}

Stage plan_groups(Level& level, Stage stage) { return Grouper(level, std::move(stage)).run(); }

Stage plan_windows(Level& level, Stage stage) {
  const Query& query = level.query;
  std::vector<ExpressionPtr> calls;
  for (const auto& target : query.targets) collect<query::WindowCall>(target.expression, calls);
  if (calls.empty()) return stage;
  std::vector<char> done(query.windows.size(), 0);
  const query::Window* sorted_by = nullptr;
  for (std::size_t number = 0; number < query.windows.size(); ++number) {
    // Those that want the same order follow one another.
    std::size_t chosen = 0;
    while (done[chosen] != 0) ++chosen;
    for (std::size_t i = 0; i < query.windows.size(); ++i) {
      if (done[i] == 0 && sorted_by && is_sorted_alike(query.windows[i], *sorted_by)) {
        chosen = i;
        break;
      }
    }
    done[chosen] = 1;
    const query::Window& window = query.windows[chosen];
    std::vector<ExpressionPtr> own;
    for (const ExpressionPtr& call : calls) {
      if (call->as<query::WindowCall>()->window == static_cast<int>(chosen)) own.push_back(call);
    }
    if (own.empty()) continue;
    auto target = [&](int index) { return query.targets[static_cast<std::size_t>(index)].expression; };
    std::vector<ExpressionPtr> keys;
    for (const int index : window.partition_by) keys.push_back(target(index));
    for (const auto& clause : window.order_by) keys.push_back(target(clause.target));
    stage = extend(level, std::move(stage), keys);
    WindowAgg node;
    node.window = window;
    for (const int index : window.partition_by) node.partition_by.push_back(sort_key(stage, target(index)));
    for (const auto& clause : window.order_by) {
      node.order_by.push_back(sort_key(stage, target(clause.target), clause.descending, clause.nulls_first));
    }
    std::vector<SortKey> order = node.partition_by;
    order.insert(order.end(), node.order_by.begin(), node.order_by.end());
    if (!order.empty() && !(sorted_by && is_sorted_alike(window, *sorted_by))) {
      stage = sort_stage(level, stage, order, -1);
    }
    sorted_by = &window;
    for (const ExpressionPtr& each : own) {
      const auto& call = *each->as<query::WindowCall>();
      const Placement placement{stage.outputs, {}};
      node.calls.push_back(
          {call.function, place(call.arguments, placement), place(call.filter, placement), call.star, each->type});
    }
    Stage made = make_stage(node, stage);
    made.order.clear();
    made.plan->cost.total += stage.cost().rows * static_cast<double>(own.size()) * level.settings().cpu_operator_cost;
    made.plan->cost.total += stage.cost().rows * level.settings().cpu_tuple_cost;
    made.seen.insert(made.seen.end(), own.begin(), own.end());
    // What nobody may ask for, the column of a row without columns, goes no further.
    std::vector<ExpressionPtr> outputs = made.seen;
    std::erase(outputs, nullptr);
    stage = project(level, std::move(made), outputs, {});
  }
  return stage;
}

}  // namespace polarsim::engine::plan
