// Targets, DISTINCT, ORDER BY, row locks, LIMIT; set operations (PostgreSQL's grouping_planner() and
// optimizer/prep/prepunion.c).
#include <algorithm>

#include "engine/plan/conditions.h"
#include "engine/plan/estimate.h"
#include "engine/plan/level_planner.h"
#include "engine/plan/paths.h"
#include "engine/types/error.h"
#include "engine/types/order.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;
using query::SortClause;

bool is_late(const ExpressionPtr& expression) {
  return returns_set(expression) || query::contains_volatility(expression, Volatility::volatile_function);
}

// Calls of set-returning functions whose arguments have none.
void collect_set_calls(const ExpressionPtr& expression, const Stage& stage, std::vector<ExpressionPtr>& list) {
  if (position_of(stage, expression) != 0) return;
  bool below = false;
  query::for_each_child(*expression, [&](const ExpressionPtr& child) {
    below |= returns_set(child) && position_of(stage, child) == 0;
    collect_set_calls(child, stage, list);
  });
  const auto* call = expression->as<query::Call>();
  if (below || !call || call->function->kind != FunctionKind::set) return;
  const bool known = std::any_of(list.begin(), list.end(),
                                 [&](const ExpressionPtr& other) { return query::equal(other, expression); });
  if (!known) list.push_back(expression);
}

class OutputPlanner {
 public:
  OutputPlanner(Level& level, Stage stage, const std::vector<ExpressionPtr>& places)
      : level_(level), query_(level.query), stage_(std::move(stage)) {
    for (const auto& target : query_.targets) {
      if (!target.hidden) visible_.push_back(target.expression);
    }
    for (const auto& target : query_.targets) {
      if (!target.hidden) names_.push_back(target.name);
    }
    all_ = visible_;
    for (const auto& clause : query_.order_by) add_hidden(expression_of(clause));
    for (const auto& clause : query_.distinct_on) add_hidden(expression_of(clause));
    for (const ExpressionPtr& place : places) add_hidden(place);
  }

  Stage run(const std::vector<LockRows::Mark>& marks, const std::vector<ExpressionPtr>& places) {
    const bool sets = query_.has_set_functions;
    std::vector<ExpressionPtr> keys;
    for (const auto& clause : query_.order_by) keys.push_back(expression_of(clause));
    for (const auto& clause : query_.distinct_on) keys.push_back(expression_of(clause));
    const bool late = !query_.order_by.empty() && !query_.distinct && query_.distinct_on.empty() && marks.empty() &&
                      std::none_of(keys.begin(), keys.end(), [](const auto& key) { return is_late(key); }) &&
                      std::any_of(visible_.begin(), visible_.end(), [](const auto& each) { return is_late(each); });
    if (late) {
      // Volatile functions and sets are computed of the sorted rows.
      stage_ = extend(level_, std::move(stage_), keys);
    } else {
      if (sets) stage_ = expand_sets(level_, std::move(stage_), all_);
      stage_ = project(level_, std::move(stage_), all_, names_);
    }
    if (query_.distinct) distinct();
    if (!query_.distinct_on.empty()) {
      sort(longer_order());
      std::vector<SortKey> unique;
      for (const auto& clause : query_.distinct_on) unique.push_back(key_of(clause));
      stage_ = make_stage(Unique{std::move(unique)}, stage_);
    } else {
      sort(query_.order_by);
    }
    if (late) {
      if (sets) stage_ = expand_sets(level_, std::move(stage_), all_);
      stage_ = project(level_, std::move(stage_), all_, names_);
    }
    lock(marks, places);
    limit();
    return std::move(stage_);
  }

 private:
  ExpressionPtr expression_of(const SortClause& clause) const {
    return query_.targets[static_cast<std::size_t>(clause.target)].expression;
  }
  SortKey key_of(const SortClause& clause) const {
    return sort_key(stage_, expression_of(clause), clause.descending, clause.nulls_first);
  }
  void add_hidden(const ExpressionPtr& expression) {
    const bool known = std::any_of(all_.begin(), all_.end(),
                                   [&](const ExpressionPtr& other) { return query::equal(other, expression); });
    if (!known) all_.push_back(expression);
  }
  const std::vector<SortClause>& longer_order() const {
    return query_.order_by.size() > query_.distinct_on.size() ? query_.order_by : query_.distinct_on;
  }

  void distinct() {
    std::vector<SortKey> keys;
    bool may_hash = true;
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      keys.push_back({static_cast<int>(i) + 1, visible_[i]->type.id, false, false});
      may_hash = may_hash && hasher_of(visible_[i]->type.id) != nullptr;
    }
    // Hidden columns are functions of the visible ones, or there would be no such order.
    if (all_.size() != visible_.size()) {
      stage_ = project(level_, make_stage(Result{}, stage_), visible_, names_);
      all_ = visible_;
    }
    const double rows = std::max(1.0, stage_.cost().rows);
    // Groups are different already, for all that is known.
    const double different = query_.grouped ? rows : distinct_values(level_, visible_, rows);
    stage_ = make_distinct(level_, std::move(stage_), keys, may_hash, different);
  }

  bool is_sorted(const std::vector<SortClause>& clauses) const {
    Order wanted;
    for (const auto& clause : clauses) {
      const ExpressionPtr expression = expression_of(clause);
      if (expression->as<query::Constant>()) continue;
      const int id = find_class_of(level_, expression);
      if (id < 0) return false;
      if (is_constant_class(level_, id)) continue;
      const bool repeated =
          std::any_of(wanted.begin(), wanted.end(), [&](const OrderItem& item) { return item.equivalence == id; });
      if (!repeated) wanted.push_back({id, clause.descending, clause.nulls_first});
    }
    return is_ordered_by(stage_.order, wanted);
  }

  void sort(const std::vector<SortClause>& clauses) {
    if (clauses.empty() || is_sorted(clauses)) return;
    std::vector<SortKey> keys;
    for (const auto& clause : clauses) {
      const SortKey key = key_of(clause);
      const bool repeated =
          std::any_of(keys.begin(), keys.end(), [&](const SortKey& other) { return other.column == key.column; });
      if (!repeated) keys.push_back(key);
    }
    stage_ = sort_stage(level_, stage_, std::move(keys), level_.limit_tuples);
  }

  void lock(const std::vector<LockRows::Mark>& marks, const std::vector<ExpressionPtr>& places) {
    if (marks.empty()) return;
    LockRows node{marks};
    for (std::size_t i = 0; i < marks.size(); ++i) node.marks[i].tid_column = position_of(stage_, places[i]);
    stage_ = make_stage(std::move(node), stage_);
    stage_.plan->cost.total += stage_.plan->cost.rows * level_.settings().cpu_tuple_cost;
  }

  void limit() {
    if (!query_.limit && !query_.offset) return;
    const auto* all = node_of<query::Constant>(query_.limit);
    if (all && all->value.is_null() && !query_.offset) return;
    Limit node;
    node.limit = query_.limit;
    node.offset = query_.offset;
    if (query_.with_ties) {
      for (const auto& clause : query_.order_by) node.ties.push_back(key_of(clause));
    }
    stage_ = make_stage(std::move(node), stage_);
    Cost& cost = stage_.plan->cost;
    const double wanted = level_.limit_tuples;
    if (wanted >= 0 && wanted < cost.rows) {
      cost.total = cost.startup + (cost.total - cost.startup) * wanted / std::max(1.0, cost.rows);
      cost.rows = std::max(1.0, wanted);
    }
  }

  Level& level_;
  const Query& query_;
  Stage stage_;
  std::vector<ExpressionPtr> visible_;
  std::vector<std::string> names_;
  std::vector<ExpressionPtr> all_;
};

// --- set operations ---

class SetPlanner {
 public:
  explicit SetPlanner(Level& level) : level_(level) {}

  Stage run(const query::SetOperation& node) {
    check_stack_depth();
    if (node.is_leaf()) return leaf(node);
    if (node.kind == query::SetOperator::union_of) return unite(node);
    Stage left = converted(run(*node.left), node.types);
    Stage right = converted(run(*node.right), node.types);
    Stage stage = make_stage(SetOperation{node.kind, node.all, keys(node.types)}, left);
    stage.plan->children.push_back(right.plan);
    stage.plan->cost.total = left.cost().total + right.cost().total +
                             (left.cost().rows + right.cost().rows) * level_.settings().cpu_operator_cost;
    stage.plan->cost.startup = stage.plan->cost.total;
    stage.order.clear();
    return stage;
  }

 private:
  Stage leaf(const query::SetOperation& node) {
    const auto& source =
        std::get<query::SubquerySource>(level_.query.entries[static_cast<std::size_t>(node.entry)].source);
    PlannedLevel planned = plan_level(level_.statement, &level_, source.query);
    if (!take_outer(level_, std::move(planned.outer)).empty()) {
      throw SqlError(sqlstate::internal_error, "a part of a set operation uses columns of its own level");
    }
    Stage stage = std::move(planned.stage);
    std::vector<ExpressionPtr> columns;
    for (std::size_t i = 0; i < planned.columns.size(); ++i) {
      columns.push_back(make_expression(Column{node.entry, static_cast<int>(i) + 1, 0}, planned.columns[i].type));
    }
    const bool hidden = stage.outputs.size() > columns.size() && !columns.empty();
    // Columns that are not shown must not get between the rows' own.
    Stage named = stage;
    named.outputs = columns;
    if (hidden) {
      std::vector<ExpressionPtr> seen = columns;
      seen.resize(stage.outputs.size());
      named.outputs = seen;
      named = project(level_, make_stage(Result{}, named), columns, {});
    }
    named.order.clear();
    if (columns.empty()) named.outputs.assign(1, nullptr);
    return named;
  }

  std::vector<SortKey> keys(const std::vector<Type>& types) const {
    std::vector<SortKey> result;
    for (std::size_t i = 0; i < types.size(); ++i)
      result.push_back({static_cast<int>(i) + 1, types[i].id, false, false});
    return result;
  }

  // With columns of these types.
  Stage converted(Stage stage, const std::vector<Type>& types) {
    std::vector<ExpressionPtr> wanted;
    bool any = false;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const ExpressionPtr& column = stage.outputs[i];
      if (column->type.id == types[i].id) {
        wanted.push_back(column);
        continue;
      }
      query::Convert convert;
      convert.conversion = find_conversion(column->type.id, types[i].id, CastContext::implicit);
      if (!convert.conversion.possible()) {
        throw SqlError(sqlstate::internal_error, "a part of a set operation cannot be converted");
      }
      convert.argument = column;
      wanted.push_back(make_expression(std::move(convert), Type(types[i].id)));
      any = true;
    }
    if (!any) return stage;
    stage = project(level_, make_stage(Result{}, stage), wanted, {});
    return stage;
  }

  void add_parts(const query::SetOperation& node, const query::SetOperation& top, std::vector<Stage>& parts) {
    for (const auto& side : {node.left, node.right}) {
      // UNION above removes what UNION (ALL) below would keep.
      const bool same = !side->is_leaf() && side->kind == query::SetOperator::union_of && (side->all || !top.all);
      if (same && side->types == top.types) {
        add_parts(*side, top, parts);
      } else {
        parts.push_back(converted(run(*side), top.types));
      }
    }
  }

  Stage unite(const query::SetOperation& node) {
    std::vector<Stage> parts;
    add_parts(node, node, parts);
    Stage stage = make_stage(Append{}, parts.front());
    stage.plan->children.clear();
    Cost cost;
    cost.rows = 0;
    for (const Stage& part : parts) {
      stage.plan->children.push_back(part.plan);
      cost.total += part.cost().total;
      cost.rows += part.cost().rows;
      cost.width = std::max(cost.width, part.cost().width);
    }
    cost.startup = parts.front().cost().startup;
    cost.total += cost.rows * level_.settings().cpu_tuple_cost * 0.5;
    stage.plan->cost = cost;
    stage.order.clear();
    if (node.all || node.types.empty()) {
      if (!node.all) throw SqlError("0A000", "UNION of rows without columns is not supported");
      return stage;
    }
    const bool may_hash =
        std::all_of(node.types.begin(), node.types.end(), [](Type type) { return hasher_of(type.id) != nullptr; });
    const double rows = stage.cost().rows;
    return make_distinct(level_, std::move(stage), keys(node.types), may_hash, rows * 0.1);
  }

  Level& level_;
};

}  // namespace

Stage expand_sets(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted) {
  for (;;) {
    std::vector<ExpressionPtr> calls;
    for (const ExpressionPtr& expression : wanted) collect_set_calls(expression, stage, calls);
    if (calls.empty()) return stage;
    Stage made = make_stage(ProjectSet{}, stage);
    made.outputs.clear();
    for (std::size_t i = 0; i < stage.outputs.size(); ++i) {
      if (!stage.outputs[i]) continue;
      made.plan->targets.push_back(
          {make_expression(Column{0, static_cast<int>(i) + 1, 0}, stage.outputs[i]->type), ""});
      made.outputs.push_back(stage.outputs[i]);
    }
    for (const ExpressionPtr& call : calls) {
      made.plan->targets.push_back({place(call, {stage.outputs, {}}), ""});
      made.outputs.push_back(call);
      made.plan->cost.rows *= 10;
    }
    made.order.clear();
    made.plan->cost.total += made.plan->cost.rows * level.settings().cpu_tuple_cost;
    stage = std::move(made);
  }
}

Stage make_distinct(Level& level, Stage stage, const std::vector<SortKey>& keys, bool may_hash, double different) {
  if (keys.empty()) {
    Limit one;
    one.limit = make_expression(query::Constant{Value::integer(1)}, TypeId::int8);
    return make_stage(std::move(one), stage);
  }
  const double groups = std::max(1.0, whole_rows(different));
  if (may_hash && level.settings().enable_hashagg) {
    Aggregate node;
    node.strategy = Aggregate::Strategy::hashed;
    node.groups = keys;
    Stage made = make_stage(std::move(node), stage);
    made.outputs.resize(keys.size());
    made.seen.resize(keys.size());
    made.plan->cost = aggregate_cost(level, stage.cost(), true, keys.size(), groups, {}, {});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      made.plan->targets.push_back(
          {make_expression(Column{0, static_cast<int>(i) + 1, 0}, stage.outputs[i]->type), ""});
    }
    made.order.clear();
    return made;
  }
  Stage sorted = sort_stage(level, stage, keys, -1);
  Stage unique = make_stage(Unique{keys}, sorted);
  unique.plan->cost.rows = groups;
  unique.order.clear();
  return unique;
}

Stage plan_set_operation(Level& level) {
  Stage stage = SetPlanner(level).run(*level.query.set_operation);
  // The columns of the result are called by the first part's entry.
  const query::SetOperation* first = level.query.set_operation.get();
  while (!first->is_leaf()) first = first->left.get();
  const auto& types = level.query.set_operation->types;
  for (std::size_t i = 0; i < types.size(); ++i) {
    stage.outputs[i] = make_expression(Column{first->entry, static_cast<int>(i) + 1, 0}, types[i]);
  }
  stage.seen = stage.outputs;
  // A leaf alone, or what removes duplicates, is looked at through a node of its own.
  return stage.plan->as<Append>() || stage.plan->as<SetOperation>() || stage.plan->as<Unique>()
             ? stage
             : make_stage(Result{}, stage);
}

Stage plan_output(Level& level, Stage stage, const std::vector<LockRows::Mark>& marks,
                  const std::vector<ExpressionPtr>& places) {
  return OutputPlanner(level, std::move(stage), places).run(marks, places);
}

}  // namespace polarsim::engine::plan
