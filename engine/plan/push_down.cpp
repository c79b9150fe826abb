// Conditions over a subquery in FROM are looked at inside it, where that changes no row (PostgreSQL's
// subquery_is_pushdown_safe(), qual_is_pushdown_safe() and subquery_push_qual(), optimizer/path/allpaths.c): there they
// meet what the columns stand for, and may turn out to be false before anything is computed.
#include <algorithm>

#include "engine/plan/prepare.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::plan {
namespace {

using query::SetOperation;
using query::SubquerySource;

// What may not be asked inside.
struct Unsafe {
  std::vector<char> columns;  // by number, from 0
  bool volatile_conditions = false;
};

std::vector<const query::Target*> shown_targets(const Query& query) {
  std::vector<const query::Target*> targets;
  for (const query::Target& target : query.targets) {
    if (!target.hidden) targets.push_back(&target);
  }
  return targets;
}

const QueryPtr& part_of(const Query& query, const SetOperation& leaf) {
  return std::get<SubquerySource>(query.entries[static_cast<std::size_t>(leaf.entry)].source).query;
}

bool divides_all_windows(const Query& query, int target) {
  return std::all_of(query.windows.begin(), query.windows.end(), [&](const query::Window& window) {
    return std::find(window.partition_by.begin(), window.partition_by.end(), target) != window.partition_by.end();
  });
}

bool is_distinct_by(const Query& query, int target) {
  return std::any_of(query.distinct_on.begin(), query.distinct_on.end(),
                     [&](const query::SortClause& clause) { return clause.target == target; });
}

// check_output_expressions().
void check_outputs(const Query& query, Unsafe& unsafe) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    const query::Target& target = query.targets[i];
    if (target.hidden) continue;
    const bool safe = !returns_set(target.expression) &&
                      !query::contains_volatility(target.expression, Volatility::volatile_function) &&
                      (query.distinct_on.empty() || is_distinct_by(query, static_cast<int>(i))) &&
                      divides_all_windows(query, static_cast<int>(i));
    if (!safe) unsafe.columns[column] = 1;
    ++column;
  }
}

// Of a query that is no set operation itself.
bool is_safe(const Query& query, Unsafe& unsafe) {
  if (query.command != query::Command::select || query.limit || query.offset) return false;
  if (!query.group_by.empty() && !query.grouping_sets.empty()) return false;
  const bool several_rows_matter =
      query.distinct || !query.distinct_on.empty() || !query.windows.empty() || query.has_set_functions;
  unsafe.volatile_conditions |= several_rows_matter;
  if (query.set_operation == nullptr) check_outputs(query, unsafe);
  return true;
}

bool are_parts_safe(const Query& query, const SetOperation& node, Unsafe& unsafe) {
  check_stack_depth();
  if (!node.is_leaf()) {
    return node.kind != query::SetOperator::except && are_parts_safe(query, *node.left, unsafe) &&
           are_parts_safe(query, *node.right, unsafe);
  }
  const Query& part = *part_of(query, node);
  if (part.set_operation != nullptr || !is_safe(part, unsafe)) return false;
  const std::vector<const query::Target*> targets = shown_targets(part);
  const std::vector<Type>& types = query.set_operation->types;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i]->expression->type.id != types[i].id) unsafe.columns[i] = 1;
  }
  return true;
}

bool may_move(const Level& level, const Condition& condition, int entry, const Unsafe& unsafe) {
  const bool is_volatile = query::contains_volatility(condition.expression, Volatility::volatile_function);
  // What needs no row at all is asked once, outside.
  if (level.relids_of(condition.expression) == 0 && !is_volatile) return false;
  if (is_volatile && unsafe.volatile_conditions) return false;
  return !query::contains(condition.expression, [&](const Expression& node) {
    if (node.as<query::Subplan>() != nullptr || node.as<query::Subquery>() != nullptr) return true;
    const auto* column = node.as<Column>();
    if (column == nullptr) return false;
    return column->entry != entry || column->column <= 0 ||
           unsafe.columns[static_cast<std::size_t>(column->column - 1)] != 0;
  });
}

QueryPtr with_condition(const QueryPtr& query, const ExpressionPtr& condition);

void add_to_parts(Query& query, const SetOperation& node, const ExpressionPtr& condition) {
  check_stack_depth();
  if (!node.is_leaf()) {
    add_to_parts(query, *node.left, condition);
    add_to_parts(query, *node.right, condition);
    return;
  }
  auto& source = std::get<SubquerySource>(query.entries[static_cast<std::size_t>(node.entry)].source);
  source.query = with_condition(source.query, condition);
}

// subquery_push_qual(). The condition's columns are all those that the query shows.
QueryPtr with_condition(const QueryPtr& query, const ExpressionPtr& condition) {
  auto changed = std::make_shared<Query>(*query);
  if (query->set_operation != nullptr) {
    add_to_parts(*changed, *query->set_operation, condition);
    return changed;
  }
  const std::vector<const query::Target*> targets = shown_targets(*query);
  const ExpressionPtr inside = query::rewrite(condition, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
    const auto* column = part->as<Column>();
    return column == nullptr ? nullptr : targets[static_cast<std::size_t>(column->column - 1)]->expression;
  });
  ExpressionPtr& where = query->grouped ? changed->having : changed->where;
  std::vector<ExpressionPtr> all;
  add_conjuncts(where, all);
  add_conjuncts(inside, all);
  where = make_conjunction(std::move(all));
  return changed;
}

}  // namespace

void push_conditions(Level& level, BaseRelation& base) {
  auto& source = std::get<SubquerySource>(level.query.entries[static_cast<std::size_t>(base.entry)].source);
  if (base.conditions.empty()) return;
  const Query& query = *source.query;
  Unsafe unsafe;
  unsafe.columns.resize(level.query.entries[static_cast<std::size_t>(base.entry)].columns.size());
  if (!is_safe(query, unsafe)) return;
  if (query.set_operation != nullptr && !are_parts_safe(query, *query.set_operation, unsafe)) return;
  std::vector<const Condition*> kept;
  for (const Condition* condition : base.conditions) {
    condition->moved = may_move(level, *condition, base.entry, unsafe);
    if (condition->moved) {
      source.query = with_condition(source.query, condition->expression);
    } else {
      kept.push_back(condition);
    }
  }
  base.conditions = std::move(kept);
}

}  // namespace polarsim::engine::plan
