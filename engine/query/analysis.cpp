#include "engine/query/analysis.h"

#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/fold.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

constexpr const char* invalid_definition = "42P17";

// Types of parameters that nothing tells.
void check_parameters(const StatementState& statement) {
  const AnalysisContext& context = statement.context;
  if (context.parameter_types == nullptr || !context.infer_parameters) return;
  for (std::size_t i = 0; i < context.parameter_types->size(); ++i) {
    const TypeId type = (*context.parameter_types)[i].id;
    if (type == TypeId::none || type == TypeId::unknown) {
      throw SqlError(sqlstate::indeterminate_datatype,
                     fmt::format("could not determine data type of parameter ${}", i + 1));
    }
  }
  // What one place tells of a parameter is not known at another: $1 IS NULL OR a = $1.
  for (const StatementState::Untyped& untyped : statement.untyped_parameters) {
    throw SqlError("42P08", fmt::format("could not determine data type of parameter ${}", untyped.index))
        .at(untyped.position);
  }
}

template <typename Part>
QueryPtr analyse_statement(const AnalysisContext& context, Part&& part) {
  StatementState statement{context};
  QueryScope scope(statement, nullptr);
  QueryPtr query = part(scope);
  check_parameters(statement);
  if (statement.late_error) throw *statement.late_error;
  return query;
}

// What makes the values of a generated column differ from one time to the other.
void require_immutable(const ExpressionPtr& expression, const AnalysisContext& context) {
  if (contains_volatility(fold(expression, {context.call, {}}), Volatility::stable))
    throw SqlError(invalid_definition, "generation expression is not immutable");
}

void check_generation(const ExpressionPtr& expression, const Relation& relation) {
  walk(expression, [&](const Expression& part, int) {
    const auto* column = part.as<Column>();
    if (column == nullptr || column->column < 0) return true;
    if (column->column == Column::whole_row) {
      throw SqlError(invalid_definition, "cannot use whole-row variable in column generation expression",
                     "This would cause the generated column to depend on its own value.")
          .at(part.position);
    }
    const RelationColumn& used = relation.columns[static_cast<std::size_t>(column->column) - 1];
    if (used.generated != nullptr) {
      throw SqlError(invalid_definition,
                     fmt::format("cannot use generated column \"{}\" in column generation expression", used.name),
                     "A generated column cannot reference another generated column.")
          .at(part.position);
    }
    return true;
  });
}

// By assignment; 42804 if there is no way.
ExpressionPtr convert_for(const ExpressionPtr& expression, Type wanted, std::string_view column, QueryScope& scope) {
  ExpressionPtr converted = coerce(expression, wanted, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted != nullptr) return converted;
  if (scope.clause == Clause::transform) {
    throw SqlError(sqlstate::datatype_mismatch,
                   fmt::format("result of USING clause for column \"{}\" cannot be cast automatically to type {}",
                               column, type_name(wanted.id)),
                   "", "You might need to add an explicit cast.");
  }
  throw SqlError(sqlstate::datatype_mismatch,
                 fmt::format("column \"{}\" is of type {} but default expression is of type {}", column,
                             type_name(wanted.id), type_name(expression->type.id)),
                 "", "You will need to rewrite or cast the expression.");
}

// Whether it is a truth that is wanted, and not the value of a column.
bool is_condition(Clause clause) {
  return clause != Clause::generated_column && clause != Clause::transform && clause != Clause::index_expression;
}

}  // namespace

QueryPtr analyse(const syntax::Select& select, const AnalysisContext& context) {
  return analyse_statement(context, [&](QueryScope& scope) { return analyse_select(select, scope); });
}
QueryPtr analyse(const syntax::Insert& insert, const AnalysisContext& context) {
  return analyse_statement(context, [&](QueryScope& scope) { return analyse_insert(insert, scope); });
}
QueryPtr analyse(const syntax::Update& update, const AnalysisContext& context) {
  return analyse_statement(context, [&](QueryScope& scope) { return analyse_update(update, scope); });
}
QueryPtr analyse(const syntax::Delete& removal, const AnalysisContext& context) {
  return analyse_statement(context, [&](QueryScope& scope) { return analyse_delete(removal, scope); });
}

ExpressionPtr analyse_default(const syntax::ExpressionPtr& expression, const RelationColumn& column,
                              const AnalysisContext& context) {
  const AnalysisContext without_parameters{context.relations, context.call, nullptr, false};
  StatementState statement{without_parameters};
  QueryScope scope(statement, nullptr);
  return convert_for(analyse_in(scope, Clause::column_default, expression), column.type, column.name, scope);
}

ExpressionPtr analyse_over_relation(const syntax::ExpressionPtr& expression, const Relation& relation, Type wanted,
                                    std::string_view clause_name, const AnalysisContext& context,
                                    std::string_view column) {
  const AnalysisContext without_parameters{context.relations, context.call, nullptr, false};
  StatementState statement{without_parameters};
  QueryScope scope(statement, nullptr);
  syntax::TableName name;
  name.schema = relation.schema;
  name.name = relation.name;
  // The relation outlives the scope, and nothing of the scope outlives this call.
  const RelationPtr borrowed(std::shared_ptr<const void>(), &relation);
  scope.add_item(add_relation_entry(borrowed, name, syntax::TableLockMode::access_share, scope));
  const Clause clause = clause_named(clause_name);
  const Restore<Clause> restore(scope.clause, clause);
  if (wanted.id == TypeId::boolean && is_condition(clause))
    return analyse_condition(expression, scope, clause == Clause::check_constraint ? "CHECK" : "WHERE");
  const ExpressionPtr result = analyse_expression(expression, scope);
  if (clause == Clause::generated_column) {
    check_generation(result, relation);
    // Not of the conversion: PostgreSQL lets pass what only that makes depend on settings.
    require_immutable(result, context);
  }
  // A literal of an index has no type, and so no order.
  if (clause == Clause::index_expression) return result;
  return wanted.id == TypeId::none ? settle_unknown(result, scope) : convert_for(result, wanted, column, scope);
}

ExpressionPtr with_rows_made(const ExpressionPtr& expression, const Relation& relation, int entry) {
  if (expression == nullptr) return nullptr;
  return rewrite(expression, [&](const ExpressionPtr& part, int levels) -> ExpressionPtr {
    const auto* column = part->as<Column>();
    if (column == nullptr || column->column != Column::whole_row) return nullptr;
    if (column->levels_up != levels || column->entry != entry) return nullptr;
    RowConstructor row;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      if (relation.columns[i].dropped) continue;
      row.fields.push_back(
          make_expression(Column{entry, static_cast<int>(i) + 1, column->levels_up}, relation.columns[i].type));
      row.names.push_back(relation.columns[i].name);
    }
    return make_expression(std::move(row), part->type, part->position);
  });
}

ExpressionPtr analyse_argument(const syntax::ExpressionPtr& expression, Type wanted, const AnalysisContext& context,
                               int number) {
  StatementState statement{context};
  QueryScope scope(statement, nullptr);
  const ExpressionPtr argument = analyse_in(scope, Clause::execute_parameter, expression);
  ExpressionPtr converted = coerce(argument, wanted, CastContext::assignment, CallForm::implicit_cast, scope);
  if (converted != nullptr) return converted;
  throw SqlError(ErrorFields{sqlstate::datatype_mismatch,
                             fmt::format("parameter ${} of type {} cannot be coerced to the expected type {}", number,
                                         type_name(argument->type.id), type_name(wanted.id)),
                             "", "You will need to rewrite or cast the expression.", "", argument->position});
}

std::vector<OutputName> output_columns(const Query& query) {
  std::vector<OutputName> columns;
  for (const Target& target : query.command == Command::select ? query.targets : query.returning) {
    if (!target.hidden) columns.push_back({target.name, target.expression->type});
  }
  return columns;
}

}  // namespace polarsim::engine::query
