#include "engine/catalog/system_tables.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::catalog {

namespace {

Column column(std::string name, TypeId type) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  column.not_null = true;
  return column;
}

TablePtr make_table(RelationId id, RelationId toast, std::string name, std::vector<Column> columns) {
  auto description = std::make_shared<Definition>();
  description->schema = system_schema;
  description->name = std::move(name);
  description->columns = std::move(columns);
  auto table = std::make_shared<Table>();
  table->id = id;
  table->heap = {id, toast};
  table->description = std::move(description);
  return table;
}

RelationId relation_id(const Value& value) { return static_cast<RelationId>(value.as_integer()); }

}  // namespace

const std::vector<TablePtr>& system_tables() {
  static const std::vector<TablePtr> tables{
      make_table(polar_relation_id, polar_relation_toast_id, "polar_relation",
                 {column("oid", TypeId::int8), column("kind", TypeId::text), column("schema", TypeId::text),
                  column("name", TypeId::text), column("file", TypeId::int8), column("toast", TypeId::int8),
                  column("definition", TypeId::jsonb)})};
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

Row to_row(const Relation& relation) {
  const Definition& definition = *relation.description;
  return {Value::integer(relation.id),     Value::text(std::string(1, static_cast<char>(definition.kind))),
          Value::text(definition.schema),  Value::text(definition.name),
          Value::integer(relation.file),   Value::integer(relation.toast),
          Value::json(to_json(definition))};
}

Relation relation_row(const Row& row) {
  // Rows are read from pages whose checksums were right: another shape is a defect, not an accident.
  if (row.size() != 7) throw SqlError("XX001", fmt::format("row of polar_relation has {} columns", row.size()));
  Relation relation;
  relation.id = relation_id(row[0]);
  relation.file = relation_id(row[4]);
  relation.toast = relation_id(row[5]);
  const auto kind = static_cast<RelationKind>(row[1].as_text().at(0));
  relation.description = std::make_shared<const Definition>(
      from_json(kind, std::string(row[2].as_text()), std::string(row[3].as_text()), row[6].as_json()));
  return relation;
}

}  // namespace polarsim::engine::catalog
