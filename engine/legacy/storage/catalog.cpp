#include "engine/legacy/storage/catalog.h"

#include <algorithm>

#include "engine/sql/parser.h"
#include "sim/assert.h"

namespace polarsim::engine::legacy {

std::vector<TableEntry*> Catalog::find(std::string_view schema, std::string_view name) const {
  std::vector<TableEntry*> found;
  const auto ids = names_.find(Name(schema, name));
  if (ids == names_.end()) return found;
  for (const TableId id : ids->second) found.push_back(tables_.at(id).get());
  return found;
}

TableEntry* Catalog::find(TableId id) const {
  const auto found = tables_.find(id);
  return found == tables_.end() ? nullptr : found->second.get();
}

TableEntry& Catalog::create(TableId id, TableDefinition definition, Xid xid) {
  auto entry = std::make_unique<TableEntry>(id, std::move(definition));
  entry->created_by = xid;
  next_id_ = std::max(next_id_, id + 1);
  names_[Name(entry->definition.schema, entry->definition.name)].push_back(id);
  const auto [place, inserted] = tables_.emplace(id, std::move(entry));
  POLARSIM_ASSERT(inserted, "a table number was used twice");
  return *place->second;
}

void Catalog::erase(TableId id) {
  const auto found = tables_.find(id);
  if (found == tables_.end()) return;
  const auto name = names_.find(Name(found->second->definition.schema, found->second->definition.name));
  std::erase(name->second, id);
  if (name->second.empty()) names_.erase(name);
  tables_.erase(found);
}

std::uint64_t Catalog::version(std::string_view schema, std::string_view name) const {
  const auto found = versions_.find(Name(schema, name));
  return found == versions_.end() ? 0 : found->second;
}

void Catalog::touch(const TableDefinition& definition) {
  versions_[Name(definition.schema, definition.name)] = ++last_version_;
}

void encode(ByteWriter& writer, const TableDefinition& definition) {
  writer.text(definition.schema).text(definition.name).text(definition.primary_key_name);
  writer.number(static_cast<std::uint16_t>(definition.columns.size()));
  for (const sql::ColumnInfo& column : definition.columns) {
    writer.text(column.name).number(type_oid(column.type)).number(static_cast<std::uint8_t>(column.not_null));
    writer.text(column.default_value ? sql::deparse(*column.default_value) : "");
  }
  writer.number(static_cast<std::uint16_t>(definition.primary_key.size()));
  for (const int column : definition.primary_key) writer.number(static_cast<std::uint16_t>(column));
}

TableDefinition decode_table_definition(ByteReader& reader) {
  TableDefinition definition;
  definition.schema = reader.text();
  definition.name = reader.text();
  definition.primary_key_name = reader.text();
  const auto columns = reader.number<std::uint16_t>();
  for (std::uint16_t i = 0; i < columns; ++i) {
    sql::ColumnInfo column;
    column.name = reader.text();
    column.type = type_from_oid(reader.number<std::uint32_t>());
    column.not_null = reader.number<std::uint8_t>() != 0;
    if (const std::string text = reader.text(); !text.empty()) {
      const std::vector<sql::StatementPtr> parsed = sql::parse("SELECT " + text);
      column.default_value = std::get<sql::Select>(parsed.at(0)->body).items.at(0).expression;
    }
    definition.columns.push_back(std::move(column));
  }
  const auto keys = reader.number<std::uint16_t>();
  for (std::uint16_t i = 0; i < keys; ++i) definition.primary_key.push_back(reader.number<std::uint16_t>());
  return definition;
}

}  // namespace polarsim::engine::legacy
