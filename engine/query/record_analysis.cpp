#include <algorithm>
#include <string>

#include "engine/query/expression_analyser.h"

// ROW(...), fields of records and what is known of them (PostgreSQL's ParseComplexProjection(), transformRowExpr()).
namespace polarsim::engine::query {
namespace {

constexpr std::size_t row_fields_max = 1664;

const Column* whole_row(const Expression& expression) {
  const auto* column = expression.as<Column>();
  return column != nullptr && column->column == Column::whole_row ? column : nullptr;
}

std::vector<OutputName> fields_of_row(const RowConstructor& row) {
  std::vector<OutputName> fields;
  for (std::size_t i = 0; i < row.fields.size(); ++i) fields.push_back({row.names[i], row.fields[i]->type});
  return fields;
}

std::vector<OutputName> fields_of_call(const FunctionEntry& function) {
  std::vector<OutputName> fields;
  for (const OutputParameter& output : function.outputs) fields.push_back({output.name, output.type});
  return fields;
}

// Of the only column of a scalar subquery. Whole rows in it are those of its own range table.
std::vector<OutputName> fields_of_subquery(const Query& query, ExpressionScope& scope) {
  for (const Target& target : query.targets) {
    if (target.hidden) continue;
    if (const Column* row = whole_row(*target.expression)) {
      if (row->levels_up > 0) return scope.row_fields({row->entry, Column::whole_row, row->levels_up - 1});
      return query.entries[static_cast<std::size_t>(row->entry)].columns;
    }
    const bool independent = target.expression->as<RowConstructor>() != nullptr || target.expression->as<Call>();
    return independent ? fields_of(*target.expression, scope) : std::vector<OutputName>{};
  }
  return {};
}

bool same_fields(const std::vector<OutputName>& a, const std::vector<OutputName>& b) {
  return std::ranges::equal(
      a, b, [](const OutputName& x, const OutputName& y) { return x.name == y.name && x.type == y.type; });
}

// What several alternatives have in common: the fields of all, if they are the same.
std::vector<OutputName> fields_of_all(const std::vector<ExpressionPtr>& alternatives, ExpressionScope& scope) {
  std::vector<OutputName> fields;
  bool first = true;
  for (const ExpressionPtr& each : alternatives) {
    if (const auto* constant = each->as<Constant>(); constant != nullptr && constant->value.is_null()) continue;
    std::vector<OutputName> own = fields_of(*each, scope);
    if (!first && !same_fields(own, fields)) return {};
    fields = std::move(own);
    first = false;
  }
  return fields;
}

[[noreturn]] void throw_unknown_field(const ExpressionPtr& record, std::string_view name, ExpressionScope& scope) {
  const std::string field(name);
  if (const Column* row = whole_row(*record)) {
    throw_error(sqlstate::undefined_column, "column " + scope.row_name(*row) + "." + field + " does not exist",
                record->position);
  }
  if (record->type.id == TypeId::record) {
    throw_error(sqlstate::undefined_column, "could not identify column \"" + field + "\" in record data type",
                record->position);
  }
  throw_error(sqlstate::wrong_object_type,
              "column notation ." + field + " applied to type " + type_name(record->type.id) +
                  ", which is not a composite type",
              record->position);
}

}  // namespace

std::vector<OutputName> fields_of(const Expression& record, ExpressionScope& scope) {
  if (record.type.id != TypeId::record) return {};
  if (const auto* column = record.as<Column>()) return scope.row_fields(*column);
  if (const auto* row = record.as<RowConstructor>()) return fields_of_row(*row);
  if (const auto* call = record.as<Call>()) return fields_of_call(*call->function);
  if (const auto* subquery = record.as<Subquery>()) {
    return subquery->kind == Subquery::Kind::scalar ? fields_of_subquery(*subquery->query, scope)
                                                    : std::vector<OutputName>{};
  }
  if (const auto* coalesce = record.as<Coalesce>()) return fields_of_all(coalesce->arguments, scope);
  if (const auto* null_if = record.as<NullIf>()) return fields_of(*null_if->left, scope);
  if (const auto* choice = record.as<Case>()) {
    std::vector<ExpressionPtr> results{choice->otherwise};
    for (const Case::Branch& branch : choice->branches) results.push_back(branch.result);
    return fields_of_all(results, scope);
  }
  return {};
}

// Of a table's row a field is the column itself; there may be some before it that are dropped, and no fields.
ExpressionPtr field_of(const ExpressionPtr& record, std::size_t field, Type type, ExpressionScope& scope) {
  const Column* row = whole_row(*record);
  const RelationPtr table = row == nullptr ? nullptr : scope.row_table(*row);
  if (table != nullptr) {
    std::size_t left = field;
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      if (table->columns[i].dropped || left-- > 0) continue;
      return make_expression(Column{row->entry, static_cast<int>(i) + 1, row->levels_up}, type, record->position);
    }
  }
  return make_expression(FieldSelection{record, static_cast<int>(field) + 1}, type, record->position);
}

ExpressionPtr select_field(const ExpressionPtr& record, std::string_view name, ExpressionScope& scope) {
  const std::vector<OutputName> fields = fields_of(*record, scope);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != name) continue;
    return field_of(record, i, fields[i].type, scope);
  }
  return nullptr;
}

std::vector<Target> expand_record(const ExpressionPtr& record, int position, ExpressionScope& scope) {
  if (record->type.id != TypeId::record) {
    throw_error(sqlstate::wrong_object_type, std::string("type ") + type_name(record->type.id) + " is not composite",
                0);
  }
  const std::vector<OutputName> fields = fields_of(*record, scope);
  if (fields.empty()) throw_error(sqlstate::wrong_object_type, "record type has not been registered", position);
  std::vector<Target> targets;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Target target;
    target.expression = field_of(record, i, fields[i].type, scope);
    target.name = fields[i].name;
    targets.push_back(std::move(target));
  }
  return targets;
}

ExpressionPtr ExpressionAnalyser::row(const Syntax& expression) {
  RowConstructor node{analyse_list(expression.arguments), {}};
  if (node.fields.size() > row_fields_max) {
    throw_error("54011", "ROW expressions can have at most " + std::to_string(row_fields_max) + " entries",
                expression.position);
  }
  for (std::size_t i = 0; i < node.fields.size(); ++i) node.names.push_back("f" + std::to_string(i + 1));
  return make_expression(std::move(node), TypeId::record, expression.position);
}

// NULL::t, ROW(...)::t and t::t. There are no types for rows of tables, so that what has no fields of its own cannot
// get them. Null: something else.
ExpressionPtr ExpressionAnalyser::row_of_relation(const Syntax& cast) {
  const syntax::TypeName& type = *cast.type_name;
  if ((type.schema.empty() || type.schema == "pg_catalog") && find_type(type.name) != nullptr) return nullptr;
  const RelationPtr relation = scope_.find_relation(type.schema, type.name);
  if (relation == nullptr) return nullptr;
  if (type.array_dimensions > 0) {
    throw_error(sqlstate::feature_not_supported, "arrays of rows of \"" + type.name + "\" are not supported",
                type.position);
  }
  const int position = cast.position != 0 ? cast.position : type.position;
  const ExpressionPtr written = analyse(*cast.arguments[0]);
  if (const auto* row = written->as<RowConstructor>()) return row_as(*row, relation, position);
  if (const auto* constant = written->as<Constant>(); constant != nullptr && constant->value.is_null()) {
    // A NULL that knows its fields.
    RowConstructor fields;
    for (const RelationColumn& column : relation->columns) {
      if (column.dropped) continue;
      fields.fields.push_back(make_expression(Constant{}, column.type));
      fields.names.push_back(column.name);
    }
    Case none;
    none.branches.push_back({make_expression(Constant{Value::boolean(false)}, TypeId::boolean),
                             make_expression(std::move(fields), TypeId::record)});
    none.otherwise = make_expression(Constant{}, TypeId::record);
    return make_expression(std::move(none), TypeId::record, written->position);
  }
  const Column* column = whole_row(*written);
  if (column != nullptr && scope_.row_table(*column) == relation) return written;
  throw_error(sqlstate::feature_not_supported,
              "cast from type " + std::string(type_name(written->type.id)) + " to the row type of \"" + relation->name +
                  "\" is not supported",
              position);
}

// As coerce_record_to_complex() does.
ExpressionPtr ExpressionAnalyser::row_as(const RowConstructor& row, const RelationPtr& relation, int position) {
  const auto fail = [&](const std::string& detail) {
    throw SqlError(
        ErrorFields{sqlstate::cannot_coerce, "cannot cast type record to " + relation->name, detail, "", "", position});
  };
  RowConstructor result;
  result.relation = relation;
  std::size_t used = 0;
  for (const RelationColumn& column : relation->columns) {
    if (column.dropped) continue;
    if (used == row.fields.size()) fail("Input has too few columns.");
    const ExpressionPtr& field = row.fields[used++];
    ExpressionPtr converted = coerce(field, column.type, CastContext::explicit_only, CallForm::explicit_cast, scope_);
    if (converted == nullptr) {
      fail(std::string("Cannot cast type ") + type_name(field->type.id) + " to " + type_name(column.type.id) +
           " in column " + std::to_string(used) + ".");
    }
    result.fields.push_back(std::move(converted));
    result.names.push_back(column.name);
  }
  if (used < row.fields.size()) fail("Input has too many columns.");
  return make_expression(std::move(result), TypeId::record, position);
}

ExpressionPtr ExpressionAnalyser::field(const Syntax& expression) {
  const ExpressionPtr record = analyse(expression.arguments[0]);
  // (x).* as a value is x itself.
  if (expression.name.empty()) return record;
  if (ExpressionPtr selected = select_field(record, expression.name, scope_)) return selected;
  if (ExpressionPtr called = call_on_one(expression.name, record, record->position)) return called;
  throw_unknown_field(record, expression.name, scope_);
}

}  // namespace polarsim::engine::query
