#include "engine/catalog/system_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"
#include "sim/assert.h"

namespace polarsim::engine::catalog {

namespace {

// pg_namespace.oid
constexpr std::int64_t system_namespace = 11;
constexpr std::int64_t public_namespace = 2200;

sql::ColumnInfo column(std::string name, TypeId type, bool not_null = true) {
  sql::ColumnInfo info;
  info.name = std::move(name);
  info.type = type;
  info.not_null = not_null;
  return info;
}

TablePtr make_table(RelationId id, RelationId toast, std::string name, std::vector<sql::ColumnInfo> columns) {
  auto definition = std::make_shared<TableDefinition>();
  definition->schema = system_schema;
  definition->name = std::move(name);
  definition->columns = std::move(columns);
  auto table = std::make_shared<Table>();
  table->id = id;
  table->heap = {id, toast};
  table->definition = std::move(definition);
  return table;
}

std::vector<TablePtr> make_system_tables() {
  std::vector<TablePtr> tables;
  tables.push_back(make_table(pg_attribute_id, pg_attribute_toast_id, "pg_attribute",
                              {column("attrelid", TypeId::int8), column("attname", TypeId::text),
                               column("atttypid", TypeId::int8), column("attnum", TypeId::int4),
                               column("attnotnull", TypeId::boolean), column("attdefault", TypeId::text, false)}));
  tables.push_back(make_table(
      pg_class_id, 0, "pg_class",
      {column("oid", TypeId::int8), column("relname", TypeId::text), column("relnamespace", TypeId::int8),
       column("relkind", TypeId::text), column("relfilenode", TypeId::int8), column("reltoastrelid", TypeId::int8)}));
  tables.push_back(
      make_table(pg_sequence_id, 0, "pg_sequence",
                 {column("seqrelid", TypeId::int8), column("seqtypid", TypeId::int8), column("seqstart", TypeId::int8),
                  column("seqincrement", TypeId::int8), column("seqmax", TypeId::int8), column("seqmin", TypeId::int8),
                  column("seqcycle", TypeId::boolean)}));
  tables.push_back(make_table(
      pg_index_id, 0, "pg_index",
      {column("indexrelid", TypeId::int8), column("indrelid", TypeId::int8), column("indisunique", TypeId::boolean),
       column("indisprimary", TypeId::boolean), column("indkey", TypeId::text)}));
  return tables;
}

// Rows are read from pages whose checksums were right: another shape is a defect, not an accident.
void check_width(const Row& row, std::size_t columns, std::string_view table) {
  if (row.size() == columns) return;
  throw SqlError("XX001", fmt::format("row of {} has {} columns instead of {}", table, row.size(), columns));
}

RelationId relation_id(const Value& value) { return static_cast<RelationId>(value.as_integer()); }

}  // namespace

const std::vector<TablePtr>& system_tables() {
  static const std::vector<TablePtr> tables = make_system_tables();
  return tables;
}

const Table& system_table(RelationId id) {
  for (const TablePtr& table : system_tables()) {
    if (table->id == id) return *table;
  }
  POLARSIM_ASSERT(false, "no such system table");
  return *system_tables().front();
}

bool is_system_schema(std::string_view schema) { return schema == system_schema; }

Row to_row(const ClassRow& row) {
  return {Value::integer(row.id),
          Value::text(row.name),
          Value::integer(is_system_schema(row.schema) ? system_namespace : public_namespace),
          Value::text(std::string(1, static_cast<char>(row.kind))),
          Value::integer(row.file),
          Value::integer(row.toast)};
}

ClassRow class_row(const Row& row) {
  check_width(row, 6, "pg_class");
  ClassRow result;
  result.id = relation_id(row[0]);
  result.name = row[1].as_text();
  result.schema = row[2].as_integer() == system_namespace ? system_schema : public_schema;
  result.kind = static_cast<RelationKind>(row[3].as_text().at(0));
  result.file = relation_id(row[4]);
  result.toast = relation_id(row[5]);
  return result;
}

Row attribute_row(RelationId relation, int number, const sql::ColumnInfo& column) {
  return {Value::integer(relation),
          Value::text(column.name),
          Value::integer(type_oid(column.type)),
          Value::integer(number),
          Value::boolean(column.not_null),
          column.default_value ? Value::text(sql::deparse(*column.default_value)) : Value::null()};
}

AttributeRow attribute_row(const Row& row) {
  check_width(row, 6, "pg_attribute");
  AttributeRow result;
  result.relation = relation_id(row[0]);
  result.column.name = row[1].as_text();
  result.column.type = type_from_oid(static_cast<std::uint32_t>(row[2].as_integer()));
  result.number = static_cast<int>(row[3].as_integer());
  result.column.not_null = row[4].as_boolean();
  if (!row[5].is_null()) {
    const std::vector<sql::StatementPtr> parsed = sql::parse("SELECT " + std::string(row[5].as_text()));
    result.column.default_value = std::get<sql::Select>(parsed.at(0)->body).items.at(0).expression;
  }
  return result;
}

Row to_row(const IndexRow& row) {
  std::string columns;
  for (const int column : row.columns) columns += fmt::format("{}{}", columns.empty() ? "" : " ", column + 1);
  return {Value::integer(row.id), Value::integer(row.table), Value::boolean(row.unique), Value::boolean(row.primary),
          Value::text(std::move(columns))};
}

IndexRow index_row(const Row& row) {
  check_width(row, 5, "pg_index");
  IndexRow result;
  result.id = relation_id(row[0]);
  result.table = relation_id(row[1]);
  result.unique = row[2].as_boolean();
  result.primary = row[3].as_boolean();
  std::string_view columns = row[4].as_text();
  while (!columns.empty()) {
    const std::size_t end = std::min(columns.find(' '), columns.size());
    result.columns.push_back(static_cast<int>(from_text(columns.substr(0, end), TypeId::int4).as_integer()) - 1);
    columns.remove_prefix(std::min(end + 1, columns.size()));
  }
  return result;
}

Row to_row(RelationId id, const SequenceDefinition& definition) {
  return {Value::integer(id),
          Value::integer(type_oid(definition.type)),
          Value::integer(definition.parameters.start),
          Value::integer(definition.parameters.increment),
          Value::integer(definition.parameters.maximum),
          Value::integer(definition.parameters.minimum),
          Value::boolean(definition.parameters.cycle)};
}

std::pair<RelationId, SequenceDefinition> sequence_row(const Row& row) {
  check_width(row, 7, "pg_sequence");
  SequenceDefinition definition;
  definition.type = type_from_oid(static_cast<std::uint32_t>(row[1].as_integer()));
  definition.parameters.start = row[2].as_integer();
  definition.parameters.increment = row[3].as_integer();
  definition.parameters.maximum = row[4].as_integer();
  definition.parameters.minimum = row[5].as_integer();
  definition.parameters.cycle = row[6].as_boolean();
  return {relation_id(row[0]), std::move(definition)};
}

}  // namespace polarsim::engine::catalog
