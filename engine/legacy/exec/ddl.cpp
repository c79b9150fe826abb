// CREATE TABLE and DROP TABLE, and the choice of what executes a statement.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/legacy/exec/system_views.h"
#include "engine/legacy/exec/table_access.h"
#include "engine/sql/error.h"

namespace polarsim::engine::legacy::exec {

namespace {

constexpr const char* invalid_schema_name = "3F000";

TableDefinition define(ExecutionContext& context, const sql::CreateTable& create) {
  TableDefinition definition;
  definition.schema = create.table.schema.empty() ? "public" : create.table.schema;
  definition.name = create.table.name;
  if (definition.schema != "public" && definition.schema != "pg_catalog") {
    throw SqlError(invalid_schema_name, fmt::format("schema \"{}\" does not exist", definition.schema))
        .at(create.table.position);
  }
  const auto position_of = [&](const std::string& name) {
    const auto found = std::find_if(definition.columns.begin(), definition.columns.end(),
                                    [&](const sql::ColumnInfo& column) { return column.name == name; });
    return found == definition.columns.end() ? -1 : static_cast<int>(found - definition.columns.begin());
  };
  for (const sql::ColumnDefinition& column : create.columns) {
    if (position_of(column.name) >= 0) {
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", column.name));
    }
    sql::ColumnInfo info;
    info.name = column.name;
    info.type = column.type;
    info.not_null = column.not_null;
    info.default_value = column.default_value;
    // Analysed now only for its errors.
    if (info.default_value) {
      sql::analyze_assignment(info.default_value, context.analysis(nullptr, "DEFAULT expressions"), info.type,
                              info.name);
    }
    definition.columns.push_back(std::move(info));
  }
  for (const std::string& name : create.primary_key) {
    const int position = position_of(name);
    if (position < 0)
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" named in key does not exist", name));
    if (std::find(definition.primary_key.begin(), definition.primary_key.end(), position) !=
        definition.primary_key.end()) {
      throw SqlError(sqlstate::duplicate_column,
                     fmt::format("column \"{}\" appears twice in primary key constraint", name));
    }
    definition.primary_key.push_back(position);
    definition.columns[static_cast<std::size_t>(position)].not_null = true;
  }
  if (!definition.primary_key.empty()) {
    definition.primary_key_name = create.primary_key_name.empty() ? definition.name + "_pkey" : create.primary_key_name;
  }
  return definition;
}

}  // namespace

QueryResult execute_create_table(ExecutionContext& context, const sql::CreateTable& create) {
  QueryResult result;
  result.tag = "CREATE TABLE";
  TableDefinition definition = define(context, create);
  const bool is_view = find_system_view(definition.schema, definition.name) != nullptr;
  if (!is_view && context.database.create_table(context.transaction, std::move(definition), context.limits) != nullptr)
    return result;
  if (!create.if_not_exists) {
    throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", create.table.name));
  }
  return result;
}

QueryResult execute_drop_table(ExecutionContext& context, const sql::DropTable& drop) {
  for (const sql::TableName& name : drop.tables) {
    legacy::TableEntry* const entry =
        context.database.open_table(context.transaction, name, sql::LockStrength::update, context.limits);
    if (entry == nullptr) {
      if (drop.if_exists) continue;
      throw SqlError(sqlstate::undefined_table, fmt::format("table \"{}\" does not exist", written_name(name)));
    }
    const legacy::TableId id = entry->id;
    context.database.visit_append_point();
    context.database.drop_table(context.transaction, *context.database.catalog().find(id));
  }
  QueryResult result;
  result.tag = "DROP TABLE";
  return result;
}

QueryResult execute(ExecutionContext& context, const sql::Statement& statement) {
  if (const auto* select = std::get_if<sql::Select>(&statement.body)) return execute_select(context, *select);
  if (const auto* insert = std::get_if<sql::Insert>(&statement.body)) return execute_insert(context, *insert);
  if (const auto* update = std::get_if<sql::Update>(&statement.body)) return execute_update(context, *update);
  if (const auto* removal = std::get_if<sql::Delete>(&statement.body)) return execute_delete(context, *removal);
  if (const auto* create = std::get_if<sql::CreateTable>(&statement.body))
    return execute_create_table(context, *create);
  if (const auto* drop = std::get_if<sql::DropTable>(&statement.body)) return execute_drop_table(context, *drop);
  throw SqlError(sqlstate::feature_not_supported, "this statement cannot be executed on a table");
}

}  // namespace polarsim::engine::legacy::exec
