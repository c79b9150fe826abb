// SELECT and VALUES (PostgreSQL's transformSelectStmt() and transformValuesClause(), src/backend/parser/analyze.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/locking.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;

ExpressionPtr analyse_row_count(const syntax::ExpressionPtr& count, Clause clause, QueryScope& scope) {
  if (count == nullptr) return nullptr;
  const char* construct = rules_of(clause).name;
  ExpressionPtr expression = coerce_to_specific(analyse_in(scope, clause, count), TypeId::int8, construct, scope);
  check_no_columns(expression, construct);
  return expression;
}

std::vector<ExpressionPtr> analyse_values_row(const std::vector<syntax::ExpressionPtr>& row, QueryScope& scope) {
  std::vector<ExpressionPtr> values;
  values.reserve(row.size());
  for (const syntax::ExpressionPtr& item : row) {
    if (item->kind == Kind::star) {
      for (ExpressionPtr& column : scope.star(*item)) values.push_back(std::move(column));
    } else {
      values.push_back(analyse_in(scope, Clause::values, item));
    }
  }
  return values;
}

// The rows with the values of each column brought to one type; gives the types.
std::vector<Type> unify_columns(std::vector<std::vector<ExpressionPtr>>& rows, QueryScope& scope) {
  std::vector<Type> types;
  std::vector<ExpressionPtr> column;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    column.clear();
    for (const std::vector<ExpressionPtr>& row : rows) column.push_back(row[i]);
    Type type = common_type(column, "VALUES");
    bool same_modifier = true;
    for (const ExpressionPtr& value : column) same_modifier = same_modifier && value->type == column[0]->type;
    type.modifier = same_modifier && column[0]->type.id == type.id ? column[0]->type.modifier : no_modifier;
    for (std::vector<ExpressionPtr>& row : rows) {
      if (row[i]->type != type) row[i] = coerce_to_common(row[i], Type(type.id), "VALUES", scope);
    }
    types.push_back(type);
  }
  return types;
}

}  // namespace

ExpressionPtr coerce_to_specific(const ExpressionPtr& expression, TypeId type, std::string_view construct,
                                 QueryScope& scope) {
  if (expression->type.id == type) return expression;
  ExpressionPtr converted = coerce(expression, type, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted == nullptr) {
    throw SqlError(sqlstate::datatype_mismatch, fmt::format("argument of {} must be type {}, not type {}", construct,
                                                            type_name(type), type_name(expression->type.id)))
        .at(expression->position);
  }
  return converted;
}

void check_no_columns(const ExpressionPtr& expression, std::string_view construct) {
  walk(expression, [&](const Expression& part, int depth) {
    const auto* column = part.as<Column>();
    if (column != nullptr && column->levels_up == depth) {
      throw SqlError(sqlstate::invalid_column_reference,
                     fmt::format("argument of {} must not contain variables", construct))
          .at(part.position);
    }
    return true;
  });
}

void analyse_limit(const syntax::Select& select, QueryScope& scope) {
  Query& query = scope.query;
  query.offset = analyse_row_count(select.offset, Clause::offset, scope);
  query.limit = analyse_row_count(select.limit, Clause::limit, scope);
  query.with_ties = select.with_ties;
  if (!query.with_ties || query.limit == nullptr) return;
  const auto* constant = query.limit->as<Constant>();
  if (constant != nullptr && constant->value.is_null()) {
    throw SqlError("2201W", "row count cannot be null in FETCH FIRST ... WITH TIES clause");
  }
}

MutableQueryPtr analyse_values(const syntax::Select& select, QueryScope& scope) {
  if (select.with != nullptr) analyse_with(*select.with, scope);
  std::vector<std::vector<ExpressionPtr>> rows;
  rows.reserve(select.values.size());
  for (const std::vector<syntax::ExpressionPtr>& row : select.values) {
    rows.push_back(analyse_values_row(row, scope));
    if (rows.back().size() != rows[0].size()) {
      const int position = rows.back().empty() ? 0 : rows.back()[0]->position;
      throw SqlError(sqlstate::syntax_error, "VALUES lists must all be the same length").at(position);
    }
  }
  const std::vector<Type> types = unify_columns(rows, scope);
  const int entry = add_values_entry(std::move(rows), types, scope);
  Query& query = scope.query;
  query.from.push_back(make_leaf(entry));
  scope.expand_item(scope.add_item(entry), 0, 0, query.targets);
  query.order_by = analyse_order_by(select.order_by, Clause::order_by, true, scope);
  analyse_limit(select, scope);
  if (!select.locking.empty()) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("{} cannot be applied to VALUES", lock_name(select.locking[0].strength)));
  }
  return std::make_shared<Query>(std::move(query));
}

MutableQueryPtr analyse_select(const syntax::Select& select, QueryScope& scope) {
  check_stack_depth();
  if (select.set_operator != syntax::SetOperator::none) return analyse_set_operation(select, scope);
  if (!select.values.empty()) return analyse_values(select, scope);
  Query& query = scope.query;
  if (select.with != nullptr) analyse_with(*select.with, scope);
  if (!select.locking.empty()) scope.locking = &select.locking;
  for (const syntax::WindowSpecification& window : select.windows) scope.window_specifications.push_back(&window);
  analyse_from(select.from, scope);
  query.targets = analyse_targets(select.items, Clause::select_target, scope);
  mark_origins(query.targets, scope);
  query.where = analyse_condition_in(scope, Clause::where, select.where, "WHERE");
  query.having = analyse_condition_in(scope, Clause::having, select.having, "HAVING");
  query.order_by = analyse_order_by(select.order_by, Clause::order_by, true, scope);
  analyse_group_by(select, scope);
  analyse_distinct(select, scope);
  analyse_limit(select, scope);
  analyse_windows(scope);
  if (scope.settle_unknowns) settle_targets(query.targets, scope);
  query.has_set_functions = scope.has_target_set_functions;
  analyse_locking(select, scope);
  check_grouping(select, scope);
  return std::make_shared<Query>(std::move(query));
}

}  // namespace polarsim::engine::query
