// ON CONFLICT: which unique indexes are meant, and what is done (PostgreSQL's transformOnConflictClause(),
// src/backend/parser/analyze.c, and infer_arbiter_indexes(), src/backend/optimizer/util/plancat.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/fold.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

// What ON CONFLICT (...) WHERE ... names.
struct Inference {
  std::vector<int> columns;
  std::vector<ExpressionPtr> expressions;
  std::vector<ExpressionPtr> conditions;
};

// As RelationGetIndexPredicate() gives it: constants computed, and what is true left out.
void add_conditions(const ExpressionPtr& condition, std::vector<ExpressionPtr>& conditions) {
  if (condition == nullptr) return;
  const auto* constant = condition->as<Constant>();
  if (constant != nullptr && constant->value.is_boolean() && constant->value.as_boolean()) return;
  const auto* logical = condition->as<Logical>();
  if (logical == nullptr || logical->kind != Logical::Kind::conjunction) {
    conditions.push_back(condition);
    return;
  }
  for (const ExpressionPtr& part : logical->arguments) add_conditions(part, conditions);
}

ExpressionPtr folded(const ExpressionPtr& expression, const QueryScope& scope) {
  return expression == nullptr
             ? nullptr
             : fold(expression, {.call = scope.call_context(), .parameters = {}, .failures_stay = true});
}

bool contains_expression(const std::vector<ExpressionPtr>& list, const ExpressionPtr& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const ExpressionPtr& item) { return equal(item, wanted); });
}

Inference analyse_target(const syntax::OnConflict& clause, QueryScope& scope) {
  Inference inference;
  for (const syntax::IndexElement& element : clause.target) {
    const int position = element.expression != nullptr ? element.expression->position : clause.target_position;
    if (element.descending || (element.order_written && !element.nulls_first)) {
      throw SqlError(sqlstate::invalid_column_reference, "ASC/DESC is not allowed in ON CONFLICT clause").at(position);
    }
    if (element.nulls_first) {
      throw SqlError(sqlstate::invalid_column_reference, "NULLS FIRST/LAST is not allowed in ON CONFLICT clause")
          .at(position);
    }
    if (!element.operator_class.empty() || !element.collation.empty()) {
      throw SqlError(sqlstate::feature_not_supported,
                     "operator classes and collations in ON CONFLICT are not supported");
    }
    ExpressionPtr expression;
    if (element.expression != nullptr) {
      expression = analyse_in(scope, Clause::index_expression, element.expression);
      expression = folded(expression, scope);
    } else {
      syntax::Expression reference;
      reference.kind = syntax::Expression::Kind::column;
      reference.name = element.column;
      reference.position = clause.target_position;
      const Restore<Clause> restore(scope.clause, Clause::index_expression);
      expression = scope.column(reference);
    }
    const auto* column = expression->as<Column>();
    if (column == nullptr) {
      inference.expressions.push_back(std::move(expression));
    } else if (column->column != Column::whole_row) {
      if (!contains_target(inference.columns, column->column)) inference.columns.push_back(column->column);
    } else {
      throw SqlError(sqlstate::feature_not_supported,
                     "whole row unique index inference specifications are not "
                     "supported");
    }
  }
  // PostgreSQL does not ask whether this is boolean at all.
  if (clause.target_where != nullptr) {
    const ExpressionPtr condition =
        settle_unknown(analyse_in(scope, Clause::index_predicate, clause.target_where), scope);
    add_conditions(folded(condition, scope), inference.conditions);
  }
  return inference;
}

bool matches(const RelationIndex& index, const Inference& inference, QueryScope& scope) {
  std::size_t columns = 0;
  std::vector<ExpressionPtr> expressions;
  std::vector<int> seen;
  for (const RelationIndex::Key& key : index.keys) {
    if (key.column == 0) {
      expressions.push_back(folded(analyse_in(scope, Clause::index_expression, key.expression), scope));
      continue;
    }
    if (contains_target(seen, key.column)) continue;
    seen.push_back(key.column);
    if (!contains_target(inference.columns, key.column)) return false;
    ++columns;
  }
  if (columns != inference.columns.size()) return false;
  for (const ExpressionPtr& expression : inference.expressions) {
    if (!contains_expression(expressions, expression)) return false;
  }
  for (const ExpressionPtr& expression : expressions) {
    if (!contains_expression(inference.expressions, expression)) return false;
  }
  std::vector<ExpressionPtr> conditions;
  const ExpressionPtr predicate = analyse_condition_in(scope, Clause::index_predicate, index.predicate, "WHERE");
  add_conditions(folded(predicate, scope), conditions);
  return std::all_of(conditions.begin(), conditions.end(), [&](const ExpressionPtr& condition) {
    return contains_expression(inference.conditions, condition);
  });
}

void find_constraint(const syntax::OnConflict& clause, const Relation& relation, QueryScope& scope,
                     ConflictClause& result) {
  for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
    const RelationIndex& index = relation.indexes[i];
    if (index.constraint && index.name == clause.constraint) {
      result.arbiters.push_back(i);
      return;
    }
  }
  const bool is_check = std::any_of(relation.checks.begin(), relation.checks.end(),
                                    [&](const CheckConstraint& check) { return check.name == clause.constraint; });
  if (is_check) {
    scope.statement().fail_late(
        StatementState::Late::arbiters,
        SqlError(sqlstate::wrong_object_type, "constraint in ON CONFLICT clause has no associated index"));
    return;
  }
  throw SqlError(sqlstate::undefined_object,
                 fmt::format("constraint \"{}\" for table \"{}\" does not exist", clause.constraint, relation.name));
}

void infer_arbiters(const Relation& relation, const Inference& inference, QueryScope& scope, ConflictClause& result) {
  for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
    if (relation.indexes[i].unique && matches(relation.indexes[i], inference, scope)) result.arbiters.push_back(i);
  }
  if (!result.arbiters.empty()) return;
  scope.statement().fail_late(
      StatementState::Late::arbiters,
      SqlError(sqlstate::invalid_column_reference,
               "there is no unique or exclusion constraint matching the ON CONFLICT specification"));
}

}  // namespace

void analyse_on_conflict(const syntax::Insert& insert, const Relation& relation, QueryScope& scope) {
  const syntax::OnConflict& clause = *insert.on_conflict;
  Query& query = scope.query;
  ConflictClause result;
  result.update = clause.action == syntax::OnConflict::Action::update;
  const bool named = !clause.constraint.empty();
  if (result.update && clause.target.empty() && !named) {
    throw SqlError(sqlstate::syntax_error, "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                   "", "For example, ON CONFLICT (column_name).")
        .at(clause.position);
  }
  scope.names.clear();
  scope.add_item(query.result_entry);
  Inference inference;
  if (!clause.target.empty()) inference = analyse_target(clause, scope);
  if (named) find_constraint(clause, relation, scope, result);
  if (result.update) {
    RangeTableEntry excluded = query.entries[static_cast<std::size_t>(query.result_entry)];
    excluded.alias = "excluded";
    excluded.alias_written = true;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      if (!relation.columns[i].dropped) excluded.columns[i].name = relation.columns[i].name;
    }
    query.entries.push_back(std::move(excluded));
    result.excluded_entry = static_cast<int>(query.entries.size()) - 1;
    scope.excluded_entry = result.excluded_entry;
    scope.add_item(result.excluded_entry);
    result.assignments = analyse_assignments(clause.assignments, relation, scope);
    result.where = analyse_condition_in(scope, Clause::where, clause.where, "WHERE");
    scope.names.pop_back();
  }
  if (!clause.target.empty()) infer_arbiters(relation, inference, scope, result);
  query.on_conflict = std::move(result);
}

}  // namespace polarsim::engine::query
