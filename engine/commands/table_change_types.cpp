// ALTER TABLE ... ALTER COLUMN ... TYPE.
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/indexes.h"
#include "engine/commands/table_change.h"
#include "engine/commands/table_rewrite.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/analysis.h"
#include "engine/types/quote.h"

namespace polarsim::engine::commands {

Type TableChange::type_of(const Action& action) {
  Type type;
  without_position([&] { type = query::resolve_type(*action.type); });
  return type;
}

void TableChange::set_type(const Action& action) {
  Definition changed = definition();
  if (action.expression != nullptr) {
    query::analyse_over_relation(action.expression, executor::shape_of(changed), TypeId::none, "transform expressions",
                                 context_.analysis_of_written());
  }
  const int number = require_column(changed, action.column);
  if (column_of(changed, number).identity != catalog::Column::Identity::none) {
    require_identity_type(type_of(action));
    set_type_of_identity(number, *action.type);
  }
  if (!column_of(changed, number).generated_text.empty() && action.expression != nullptr) {
    throw SqlError("42611", "cannot specify USING when altering type of generated column",
                   fmt::format("Column \"{}\" is a generated column.", action.column));
  }
  const Type type = type_of(action);
  std::vector<ErrorFields> warnings;
  query::resolve_type(*action.type, &warnings);
  for (ErrorFields& warning : warnings) warning.position = 0;
  tell_of_types(context_, std::move(warnings));
  check_collation(action.collation, type);
  catalog::Column retyped = column_of(changed, number);
  retyped.type = type;
  refuse_pseudo_type(retyped);
  std::vector<NewColumn> columns;
  columns.push_back({number, conversion(changed, number, type, action.expression)});
  catalog::Column& column = column_of(changed, number);
  column.type = type;
  column.missing.reset();
  forget_statistics(changed, number);
  if (!column.default_text.empty()) column.default_text = converted_default(changed, number);
  refuse_generated_of(changed, number);
  refuse_views_of(changed, number);
  const catalog::TablePtr before = table();
  // The rows are read with the old definition and written with the new one.
  for (const catalog::Index& index : before->indexes) {
    if (names_column(*index.description, number))
      context_.catalog().alter(context_.transaction, index.id, retyped_index(context_, changed, *index.description));
  }
  change(std::move(changed));
  const std::vector<catalog::ReferencingKey> keys = comparable_keys_of(number);
  try {
    // Whether there still is something to call for the new type is known before any row is looked at.
    renew_checks();
    rewrite(context_, *before, *table(), std::move(columns));
    for (const catalog::Check& check : definition().checks) {
      if (check.validated) check_rows(context_, *table(), check);
    }
  } catch (SqlError& error) {
    // What is wrong with an expression of the catalog is nowhere in the statement.
    throw error.at(0);
  }
  for (const auto& [referencing, description, key] : keys) {
    if (key->validated)
      check_references(context_, *context_.catalog().find_table(&context_.transaction, referencing), *key);
  }
}

// The foreign keys that lead to the column or from it; they can still be.
std::vector<catalog::ReferencingKey> TableChange::comparable_keys_of(int number) {
  std::vector<catalog::ReferencingKey> found;
  std::vector<catalog::ReferencingKey> keys = context_.catalog().referencing(&context_.transaction, id_);
  const catalog::DefinitionPtr own = table()->description;
  for (const catalog::ForeignKey& key : own->foreign_keys) keys.push_back({id_, own, &key});
  for (const auto& [referencing, description, key] : keys) {
    const auto names = [number](const std::vector<int>& columns) {
      return std::find(columns.begin(), columns.end(), number) != columns.end();
    };
    const bool from = referencing == id_ && names(key->columns);
    if (!from && !(key->referenced == id_ && names(key->referenced_columns))) continue;
    for (const RelationId other : {referencing, key->referenced}) {
      context_.database.locks().acquire(context_.backend(), context_.transaction.level().locks,
                                        txn::LockTag::of_relation(other), LockMode::share_row_exclusive);
    }
    const catalog::TablePtr referenced = context_.catalog().find_table(&context_.transaction, key->referenced);
    check_comparable(*description, *referenced->description, *key);
    found.push_back({referencing, description, key});
  }
  return found;
}

void TableChange::refuse_generated_of(const Definition& changed, int number) const {
  for (const int made : columns_made_of(changed, number)) {
    throw SqlError(sqlstate::feature_not_supported, "cannot alter type of a column used by a generated column",
                   fmt::format("Column \"{}\" is used by generated column \"{}\".",
                               changed.columns[static_cast<std::size_t>(number - 1)].name,
                               changed.columns[static_cast<std::size_t>(made - 1)].name));
  }
}

void TableChange::refuse_views_of(const Definition& changed, int number) const {
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    if (!other.description->view.uses_column(id_, number)) continue;
    throw SqlError(
        sqlstate::feature_not_supported, "cannot alter type of a column used by a view or rule",
        fmt::format("rule _RETURN on view {} depends on column \"{}\"", shown_name(context_, *other.description),
                    changed.columns[static_cast<std::size_t>(number - 1)].name));
  }
}

query::Program TableChange::conversion(const Definition& changed, int number, Type type,
                                       const syntax::ExpressionPtr& written) const {
  const query::Relation shape = executor::shape_of(changed);
  const catalog::Column& column = changed.columns[static_cast<std::size_t>(number - 1)];
  syntax::ExpressionPtr expression = written;
  if (expression == nullptr) {
    if (!find_conversion(column.type.id, type.id, CastContext::assignment).possible()) {
      throw SqlError(
          sqlstate::datatype_mismatch,
          fmt::format("column \"{}\" cannot be cast automatically to type {}", column.name, type_name(type.id)), "",
          column.generated_text.empty() ? fmt::format("You might need to specify \"USING {}::{}\".",
                                                      quote_identifier(column.name), format_type(type))
                                        : "");
    }
    syntax::Expression reference;
    reference.kind = syntax::Expression::Kind::column;
    reference.name = column.name;
    expression = std::make_shared<const syntax::Expression>(std::move(reference));
  }
  const query::ExpressionPtr transform =
      query::analyse_over_relation(expression, shape, type, "transform expressions", context_.analysis(), column.name);
  return query::Program::compile(query::with_rows_made(transform, shape));
}

std::string TableChange::converted_default(const Definition& changed, int number) const {
  const catalog::Column& column = changed.columns[static_cast<std::size_t>(number - 1)];
  const syntax::ExpressionPtr expression = parsed(column.default_text);
  try {
    return stored_default(context_, changed, column, expression);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::datatype_mismatch) throw;
    throw SqlError(sqlstate::datatype_mismatch,
                   fmt::format("default for column \"{}\" cannot be cast automatically to type {}", column.name,
                               type_name(column.type.id)));
  }
}

// Their conditions have other conversions now.
void TableChange::renew_checks() {
  Definition changed = definition();
  if (changed.checks.empty()) return;
  for (catalog::Check& check : changed.checks) {
    check.condition =
        stored_expression(context_, changed, parsed(check.condition), TypeId::boolean, "check constraints");
  }
  change(std::move(changed));
}

}  // namespace polarsim::engine::commands
