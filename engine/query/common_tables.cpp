// WITH (PostgreSQL's src/backend/parser/parse_cte.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

QueryPtr analyse_body(const syntax::CommonTable& table, QueryScope& inner) {
  const syntax::CommonTableBody& body = table.body;
  if (body.select != nullptr) return analyse_select(*body.select, inner);
  if (inner.parent()->parent() != nullptr) {
    throw SqlError(sqlstate::feature_not_supported,
                   "WITH clause containing a data-modifying statement must be at the top level")
        .at(table.position);
  }
  if (body.insert != nullptr) return analyse_insert(*body.insert, inner);
  if (body.update != nullptr) return analyse_update(*body.update, inner);
  return analyse_delete(*body.removal, inner);
}

void analyse_common_table(const syntax::CommonTable& table, std::size_t number, QueryScope& scope) {
  QueryScope inner(scope.statement(), &scope);
  inner.defined_common_table = static_cast<int>(number);
  inner.defined_column_names = &table.columns;
  QueryPtr query = analyse_body(table, inner);
  CommonTable& result = scope.query.common_tables[number];
  std::vector<OutputName> columns = output_columns(*query);
  if (table.columns.size() > columns.size()) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("WITH query \"{}\" has {} columns available but {} columns specified", table.name,
                               columns.size(), table.columns.size()))
        .at(table.position);
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) columns[i].name = table.columns[i];
  if (query->command != Command::select) scope.query.has_changing_common_tables = true;
  if (result.recursive) {
    for (std::size_t i = 0; i < columns.size() && i < result.columns.size(); ++i) {
      if (columns[i].type == result.columns[i].type) continue;
      throw SqlError(
          ErrorFields{sqlstate::datatype_mismatch,
                      fmt::format("recursive query \"{}\" column {} has type {} in non-recursive term but "
                                  "type {} overall",
                                  table.name, i + 1, format_type(result.columns[i].type), format_type(columns[i].type)),
                      "", "Cast the output of the non-recursive term to the correct type.", "",
                      query->targets[i].expression->position});
    }
  }
  result.columns = std::move(columns);
  result.query = std::move(query);
}

}  // namespace

void analyse_with(const syntax::With& with, QueryScope& scope) {
  const std::size_t count = with.tables.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) {
      if (with.tables[i].name == with.tables[j].name) {
        throw SqlError("42712", fmt::format("WITH query name \"{}\" specified more than once", with.tables[j].name))
            .at(with.tables[j].position);
      }
    }
  }
  std::vector<bool> recursive(count, false);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  if (with.recursive) {
    order = order_common_tables(with, recursive);
    for (std::size_t i = 0; i < count; ++i) {
      if (recursive[i]) check_recursion(with.tables[i]);
    }
  }
  scope.query.common_tables.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const syntax::CommonTable& table = with.tables[order[i]];
    CommonTable& result = scope.query.common_tables[i];
    result.name = table.name;
    result.recursive = recursive[order[i]];
    if (table.materialized) {
      result.materialized = *table.materialized ? CommonTable::Materialized::always : CommonTable::Materialized::never;
    }
    if (!with.recursive) scope.later_common_tables.push_back(table.name);
  }
  if (with.recursive) scope.visible_common_tables = count;
  for (std::size_t i = 0; i < count; ++i) {
    analyse_common_table(with.tables[order[i]], i, scope);
    if (with.recursive) continue;
    scope.visible_common_tables = i + 1;
    scope.later_common_tables.erase(scope.later_common_tables.begin());
  }
}

CommonTable* QueryScope::find_common_table(std::string_view name, int* levels_up, std::size_t* number) {
  int levels = 0;
  for (QueryScope* scope = this; scope != nullptr; scope = scope->parent_, ++levels) {
    for (std::size_t i = 0; i < scope->visible_common_tables; ++i) {
      CommonTable& table = scope->query.common_tables[i];
      if (table.name != name) continue;
      if (levels_up != nullptr) *levels_up = levels;
      if (number != nullptr) *number = i;
      return &table;
    }
  }
  return nullptr;
}

int add_common_table_entry(const syntax::TableName& name, QueryScope& scope) {
  int levels_up = 0;
  std::size_t number = 0;
  CommonTable* table = scope.find_common_table(name.name, &levels_up, &number);
  if (table == nullptr) return -1;
  const bool recursive_reference = table->query == nullptr;
  if (!recursive_reference) ++table->uses;
  if (table->query != nullptr && table->query->command != Command::select && table->query->returning.empty()) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("WITH query \"{}\" does not have a RETURNING clause", table->name))
        .at(name.position);
  }
  RangeTableEntry entry;
  entry.alias = name.reference();
  entry.alias_written = !name.alias.empty();
  entry.columns = table->columns;
  rename_columns(entry.columns, name.column_aliases, entry.alias);
  entry.source = CommonTableSource{static_cast<int>(number), levels_up, recursive_reference};
  scope.query.entries.push_back(std::move(entry));
  return static_cast<int>(scope.query.entries.size()) - 1;
}

void set_recursive_columns(const Query& first_part, QueryScope& scope) {
  CommonTable& table = scope.parent()->query.common_tables[static_cast<std::size_t>(scope.defined_common_table)];
  table.columns = output_columns(first_part);
  const std::vector<std::string>* names = scope.defined_column_names;
  for (std::size_t i = 0; names != nullptr && i < names->size() && i < table.columns.size(); ++i) {
    table.columns[i].name = (*names)[i];
  }
  for (OutputName& column : table.columns) {
    if (column.type.id == TypeId::unknown) column.type = TypeId::text;
  }
}

}  // namespace polarsim::engine::query
