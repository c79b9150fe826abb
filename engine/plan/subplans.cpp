// Subqueries in expressions, values of outer queries, common tables (PostgreSQL's optimizer/plan/subselect.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/plan/build.h"
#include "engine/plan/estimate.h"
#include "engine/plan/level_planner.h"
#include "engine/plan/prepare.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;
using query::Subquery;

ExpressionPtr outer_parameter(Level& level, const ExpressionPtr& expression, int levels_up) {
  const int depth = level.depth - levels_up;
  const ExpressionPtr there = shift_levels(expression, -levels_up, levels_up);
  for (const Level::OuterParameter& known : level.outer_parameters) {
    if (known.depth == depth && query::equal(known.expression, there)) {
      return make_expression(query::Parameter{known.parameter, true}, expression->type, expression->position);
    }
  }
  const int parameter = level.statement.parameters++;
  level.outer_parameters.push_back({depth, there, parameter});
  return make_expression(query::Parameter{parameter, true}, expression->type, expression->position);
}

bool can_hash(const Subquery& subquery) {
  return subquery.kind == Subquery::Kind::any &&
         std::all_of(subquery.comparisons.begin(), subquery.comparisons.end(), [](const OperatorEntry* entry) {
           return entry && std::string_view(entry->symbol) == "=" && entry->hashable && entry->left == entry->right;
         });
}

// A row compared with that of an initial plan, whose columns have become parameters: as two rows are compared.
ExpressionPtr compare_with_parameters(const Subquery& subquery, std::vector<ExpressionPtr> parameters, int position) {
  const std::string_view symbol = subquery.comparisons[0]->symbol;
  std::vector<ExpressionPtr> parts;
  if (subquery.comparisons.size() > 1 && symbol != "=" && symbol != "<>") {
    return make_expression(query::RowComparison{subquery.comparisons, subquery.left, std::move(parameters)},
                           TypeId::boolean, position);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parts.push_back(make_expression(query::OperatorCall{subquery.comparisons[i], {subquery.left[i], parameters[i]}},
                                    TypeId::boolean, position));
  }
  if (parts.size() == 1) return parts[0];
  using enum query::Logical::Kind;
  return make_expression(query::Logical{symbol == "=" ? conjunction : disjunction, std::move(parts)}, TypeId::boolean,
                         position);
}

ExpressionPtr plan_subquery(Level& level, const ExpressionPtr& expression) {
  const Subquery& subquery = *expression->as<Subquery>();
  QueryPtr inner = subquery.query;
  if (subquery.kind == Subquery::Kind::exists) {
    Query simple = *inner;
    if (simplify_exists(simple)) inner = std::make_shared<const Query>(std::move(simple));
  }
  PlannedLevel planned = plan_level(level.statement, &level, inner);
  std::vector<query::Subplan::Argument> arguments;
  for (const auto& outer : take_outer(level, std::move(planned.outer))) {
    arguments.push_back({outer.parameter, replace_outer_and_subqueries(level, outer.expression)});
  }
  StatementState& statement = level.statement;
  SubplanDefinition definition;
  definition.plan = planned.stage.plan;
  definition.result = subquery.kind;
  const int number = static_cast<int>(statement.subplans.size()) + 1;
  const bool single = subquery.kind == Subquery::Kind::exists || subquery.kind == Subquery::Kind::scalar ||
                      subquery.kind == Subquery::Kind::array;
  const int index = static_cast<int>(statement.subplans.size());
  if (single && arguments.empty()) {
    std::vector<ExpressionPtr> parameters;
    std::string names;
    const auto add = [&](const Type& type) {
      const int parameter = statement.parameters++;
      definition.outputs.push_back(parameter);
      names += fmt::format("{}${}", names.empty() ? "" : ",", parameter);
      parameters.push_back(make_expression(query::Parameter{parameter, true}, type, expression->position));
    };
    if (subquery.left.empty()) {
      add(expression->type);
    } else {
      for (std::size_t i = 0; i < subquery.left.size(); ++i) add(planned.columns[i].type);
    }
    definition.kind = SubplanDefinition::Kind::initial;
    definition.name = fmt::format("InitPlan {} (returns {})", number, names);
    statement.subplans.push_back(std::move(definition));
    level.initial_plans.push_back(index);
    if (subquery.left.empty()) return parameters[0];
    return compare_with_parameters(subquery, std::move(parameters), expression->position);
  }
  definition.kind = SubplanDefinition::Kind::correlated;
  definition.name = fmt::format("SubPlan {}", number);
  query::Subplan subplan;
  subplan.kind = subquery.kind;
  subplan.subplan = index;
  subplan.left = subquery.left;
  subplan.comparisons = subquery.comparisons;
  subplan.hashed = arguments.empty() && can_hash(subquery);
  if (arguments.empty() && !subplan.hashed) {
    Stage kept = make_stage(Materialize{}, planned.stage);
    kept.plan->cost = materialize_cost(level.settings(), planned.stage.cost());
    definition.plan = kept.plan;
  }
  subplan.arguments = std::move(arguments);
  statement.subplans.push_back(std::move(definition));
  return make_expression(std::move(subplan), expression->type, expression->position);
}

// A planned query without the columns that it only sorts by: both parts of a recursive query have the same.
Stage only_shown(Level& level, const PlannedLevel& planned) {
  const std::size_t count = planned.columns.size();
  Stage stage = planned.stage;
  if (count == 0 || stage.outputs.size() <= count) return stage;
  // Of no entry of this level.
  std::vector<ExpressionPtr> columns;
  for (std::size_t i = 0; i < count; ++i)
    columns.push_back(make_expression(Column{0, static_cast<int>(i) + 1, 1}, planned.columns[i].type));
  stage.outputs = columns;
  stage.outputs.resize(planned.stage.outputs.size());
  return project(level, make_stage(Result{}, stage), columns, {});
}

// --- recursive queries ---

void plan_recursion(Level& level, std::size_t table) {
  const query::CommonTable& common = level.query.common_tables[table];
  const Query& definition = *common.query;
  const query::SetOperationPtr& operation = definition.set_operation;
  if (!operation || operation->is_leaf() || operation->kind != query::SetOperator::union_of || !operation->left ||
      !operation->right->is_leaf() || !operation->left->is_leaf()) {
    throw SqlError("0A000", "a recursive query whose parts are set operations themselves is not supported");
  }
  if (!definition.order_by.empty() || definition.limit || definition.offset) {
    throw SqlError("0A000", "ORDER BY and LIMIT in a recursive query are not implemented");
  }
  // The query of the union itself has nothing of its own but its parts; they count levels from it.
  Level between(level.statement, &level);
  between.query = definition;
  between.tree = std::make_shared<JoinNode>();
  between.common_tables.resize(definition.common_tables.size());
  plan_common_tables(between);
  auto part = [&](int entry) {
    const auto& source = std::get<query::SubquerySource>(definition.entries[static_cast<std::size_t>(entry)].source);
    PlannedLevel planned = plan_level(level.statement, &between, source.query);
    planned.stage = only_shown(between, planned);
    return planned;
  };
  PlannedLevel first = part(operation->left->entry);
  const int work_table = level.statement.work_tables++;
  // PostgreSQL has a parameter for each working table and common table, too: EXPLAIN shows the numbers of others.
  ++level.statement.parameters;
  level.common_tables[table].work_table = work_table;
  level.common_tables[table].rows = std::max(1.0, first.stage.cost().rows) * 10;
  level.common_tables[table].width = first.stage.cost().width;
  PlannedLevel again = part(operation->right->entry);
  level.common_tables[table].work_table = -1;
  for (auto* planned : {&first, &again}) {
    for (auto& outer : planned->outer) between.outer_parameters.push_back(outer);
  }
  for (const auto& outer : take_outer(level, std::move(between.outer_parameters))) {
    (void)outer;
    throw SqlError("0A000", "a recursive query that uses columns of its own level is not supported");
  }
  auto plan = std::make_shared<Plan>();
  RecursiveUnion recursion;
  recursion.work_table = work_table;
  recursion.all = operation->all;
  for (std::size_t i = 0; i < operation->types.size(); ++i) {
    recursion.columns.push_back({static_cast<int>(i) + 1, operation->types[i].id, false, false});
  }
  plan->node = std::move(recursion);
  plan->children = {first.stage.plan, again.stage.plan};
  plan->cost = first.stage.cost();
  plan->cost.total += 10 * again.stage.cost().total;
  plan->cost.rows = first.stage.cost().rows + 10 * again.stage.cost().rows;
  ++level.statement.parameters;
  SubplanDefinition made;
  made.plan = plan;
  made.kind = SubplanDefinition::Kind::common_table;
  made.name = "CTE " + common.name;
  level.common_tables[table].rows = plan->cost.rows;
  level.common_tables[table].subplan = static_cast<int>(level.statement.subplans.size());
  level.statement.subplans.push_back(std::move(made));
  level.initial_plans.push_back(level.common_tables[table].subplan);
}

}  // namespace

std::vector<Level::OuterParameter> take_outer(Level& level, std::vector<Level::OuterParameter> outer) {
  std::vector<Level::OuterParameter> own;
  for (auto& value : outer) (value.depth == level.depth ? own : level.outer_parameters).push_back(std::move(value));
  return own;
}

ExpressionPtr replace_outer_and_subqueries(Level& level, const ExpressionPtr& expression) {
  if (expression == nullptr) return nullptr;
  if (const auto* column = expression->as<Column>()) {
    return column->levels_up > 0 ? outer_parameter(level, expression, column->levels_up) : expression;
  }
  if (const auto* aggregate = expression->as<query::Aggregate>(); aggregate && aggregate->levels_up > 0) {
    return outer_parameter(level, expression, aggregate->levels_up);
  }
  const ExpressionPtr changed = query::map_children(
      expression, [&](const ExpressionPtr& child) { return replace_outer_and_subqueries(level, child); });
  return changed->as<Subquery>() ? plan_subquery(level, changed) : changed;
}

void replace_outer_and_subqueries(Level& level) {
  auto map = [&](const ExpressionPtr& expression) { return replace_outer_and_subqueries(level, expression); };
  auto before = std::make_shared<const Query>(level.query);
  level.query = *query::map_query(before, map, [](const QueryPtr& inner) { return inner; });
  auto visit = [&](auto& self, JoinNode& node) -> void {
    for (ExpressionPtr& condition : node.conditions) condition = map(condition);
    for (JoinNodePtr& item : node.items) self(self, *item);
  };
  visit(visit, *level.tree);
}

void plan_common_tables(Level& level) {
  for (std::size_t i = 0; i < level.query.common_tables.size(); ++i) {
    const query::CommonTable& table = level.query.common_tables[i];
    if (!table.query) continue;
    const bool changes = table.query->command != query::Command::select;
    if (table.uses == 0 && !changes) continue;
    if (table.recursive) {
      plan_recursion(level, i);
      continue;
    }
    PlannedLevel planned = plan_level(level.statement, &level, table.query);
    if (!take_outer(level, std::move(planned.outer)).empty()) {
      throw SqlError(sqlstate::internal_error, "a common table uses columns of its own level");
    }
    // As in plan_recursion().
    ++level.statement.parameters;
    SubplanDefinition definition;
    definition.plan = planned.stage.plan;
    definition.kind = SubplanDefinition::Kind::common_table;
    definition.name = "CTE " + table.name;
    definition.changes_data = changes;
    auto& state = level.common_tables[i];
    state.rows = planned.stage.cost().rows;
    state.width = planned.stage.cost().width;
    state.columns = planned.stage.outputs.size();
    state.subplan = static_cast<int>(level.statement.subplans.size());
    level.initial_plans.push_back(state.subplan);
    level.statement.subplans.push_back(std::move(definition));
  }
}

}  // namespace polarsim::engine::plan
