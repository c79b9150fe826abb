#include "engine/exec/system_views.h"

#include <array>
#include <string>
#include <utility>

namespace polarsim::engine::exec {

namespace {

// The only role and database there are.
constexpr const char* role = "polar";
constexpr const char* database_name = "postgres";

sql::ColumnInfo column(std::string name, TypeId type) {
  sql::ColumnInfo info;
  info.name = std::move(name);
  info.type = type;
  return info;
}

SystemView make_prepared_xacts() {
  SystemView view;
  view.definition.schema = "pg_catalog";
  view.definition.name = "pg_prepared_xacts";
  // The time is in microseconds since the Unix epoch: there is no timestamp type.
  view.definition.columns = {column("transaction", TypeId::int8), column("gid", TypeId::text),
                             column("prepared", TypeId::int8), column("owner", TypeId::text),
                             column("database", TypeId::text)};
  view.rows = [](const Database& database, const txn::Transaction& /*reader*/) {
    std::vector<Row> rows;
    for (const txn::PreparedInfo& info : database.transactions().prepared()) {
      rows.push_back({Value::integer(static_cast<std::int64_t>(info.xid)), Value::text(info.gid),
                      Value::integer(info.prepared_us), Value::text(role), Value::text(database_name)});
    }
    return rows;
  };
  return view;
}

Value integer_or_null(bool present, std::uint64_t value) {
  return present ? Value::integer(static_cast<std::int64_t>(value)) : Value::null();
}

Row lock_row(const txn::LockManager::Entry& entry) {
  using Kind = txn::LockTag::Kind;
  const txn::LockTag& tag = entry.tag;
  const bool tuple = tag.kind == Kind::tuple;
  const bool advisory = tag.kind == Kind::advisory;
  const bool of_transaction = tag.kind == Kind::transaction || tag.kind == Kind::speculative;
  // As PostgreSQL shows what stands in place of a unique index on relation names.
  static constexpr const char* kinds[] = {"relation", "tuple", "transactionid", "spectoken", "advisory", "object"};
  return {Value::text(kinds[static_cast<std::size_t>(tag.kind)]),
          integer_or_null(tag.kind == Kind::relation || tuple, tag.a),
          integer_or_null(tuple, tag.b >> 16),
          integer_or_null(tuple, tag.b & 0xFFFF),
          integer_or_null(of_transaction, tag.a),
          integer_or_null(advisory, tag.a >> 32),
          integer_or_null(advisory, tag.a & 0xFFFFFFFF),
          integer_or_null(advisory, tag.b),
          integer_or_null(entry.process_id != 0, entry.process_id),
          Value::text(to_string(entry.mode)),
          Value::boolean(entry.granted),
          integer_or_null(!entry.granted, entry.waiting_since_us)};
}

SystemView make_locks() {
  SystemView view;
  view.definition.schema = "pg_catalog";
  view.definition.name = "pg_locks";
  view.definition.columns = {
      column("locktype", TypeId::text), column("relation", TypeId::int8),      column("page", TypeId::int8),
      column("tuple", TypeId::int4),    column("transactionid", TypeId::int8), column("classid", TypeId::int8),
      column("objid", TypeId::int8),    column("objsubid", TypeId::int4),      column("pid", TypeId::int4),
      column("mode", TypeId::text),     column("granted", TypeId::boolean),    column("waitstart", TypeId::int8)};
  view.rows = [](const Database& database, const txn::Transaction& /*reader*/) {
    std::vector<Row> rows;
    for (const txn::LockManager::Entry& entry : database.locks().entries()) rows.push_back(lock_row(entry));
    return rows;
  };
  return view;
}

SystemView make_view(std::string name, std::vector<sql::ColumnInfo> columns,
                     std::vector<Row> (*rows)(const Database&, const txn::Transaction&)) {
  SystemView view;
  view.definition.schema = catalog::system_schema;
  view.definition.name = std::move(name);
  view.definition.columns = std::move(columns);
  view.rows = rows;
  return view;
}

Value text_of(char letter) { return Value::text(std::string(1, letter)); }

// --- the catalog, with the columns of PostgreSQL's that this engine has a use for ---

std::vector<Row> class_rows(const Database& database, const txn::Transaction& reader) {
  std::vector<Row> rows;
  for (const catalog::Relation& relation : database.catalog().relations(&reader)) {
    const catalog::Definition& definition = *relation.description;
    if (definition.kind == catalog::RelationKind::schema) continue;
    rows.push_back({Value::integer(relation.id), Value::text(definition.name),
                    Value::integer(database.catalog().schema_id(&reader, definition.schema)),
                    text_of(static_cast<char>(definition.kind)), Value::integer(relation.file),
                    Value::integer(relation.toast)});
  }
  return rows;
}

std::vector<Row> attribute_rows(const Database& database, const txn::Transaction& reader) {
  std::vector<Row> rows;
  for (const catalog::Relation& relation : database.catalog().relations(&reader)) {
    int number = 0;
    for (const catalog::Column& column : relation.description->columns) {
      rows.push_back({Value::integer(relation.id), Value::text(column.name), Value::integer(type_oid(column.type.id)),
                      Value::integer(++number), Value::boolean(column.not_null),
                      column.default_text.empty() ? Value::null() : Value::text(column.default_text)});
    }
  }
  return rows;
}

std::vector<Row> index_rows(const Database& database, const txn::Transaction& reader) {
  std::vector<Row> rows;
  for (const catalog::Relation& relation : database.catalog().relations(&reader)) {
    if (relation.description->kind != catalog::RelationKind::index) continue;
    const catalog::IndexProperties& index = relation.description->index;
    std::string columns;
    for (const auto& key : index.keys) columns += (columns.empty() ? "" : " ") + std::to_string(key.column);
    rows.push_back({Value::integer(relation.id), Value::integer(index.table), Value::boolean(index.unique),
                    Value::boolean(index.primary), Value::text(columns)});
  }
  return rows;
}

std::vector<Row> sequence_rows(const Database& database, const txn::Transaction& reader) {
  std::vector<Row> rows;
  for (const catalog::Relation& relation : database.catalog().relations(&reader)) {
    if (relation.description->kind != catalog::RelationKind::sequence) continue;
    const catalog::SequenceProperties& sequence = relation.description->sequence;
    const sql::SequenceParameters& parameters = sequence.parameters;
    rows.push_back({Value::integer(relation.id), Value::integer(type_oid(sequence.type)),
                    Value::integer(parameters.start), Value::integer(parameters.increment),
                    Value::integer(parameters.maximum), Value::integer(parameters.minimum),
                    Value::boolean(parameters.cycle)});
  }
  return rows;
}

std::array<SystemView, 6> make_views() {
  return {
      make_prepared_xacts(),
      make_locks(),
      make_view(
          "pg_class",
          {column("oid", TypeId::int8), column("relname", TypeId::text), column("relnamespace", TypeId::int8),
           column("relkind", TypeId::text), column("relfilenode", TypeId::int8), column("reltoastrelid", TypeId::int8)},
          class_rows),
      make_view(
          "pg_attribute",
          {column("attrelid", TypeId::int8), column("attname", TypeId::text), column("atttypid", TypeId::int8),
           column("attnum", TypeId::int4), column("attnotnull", TypeId::boolean), column("attdefault", TypeId::text)},
          attribute_rows),
      make_view(
          "pg_index",
          {column("indexrelid", TypeId::int8), column("indrelid", TypeId::int8), column("indisunique", TypeId::boolean),
           column("indisprimary", TypeId::boolean), column("indkey", TypeId::text)},
          index_rows),
      make_view("pg_sequence",
                {column("seqrelid", TypeId::int8), column("seqtypid", TypeId::int8), column("seqstart", TypeId::int8),
                 column("seqincrement", TypeId::int8), column("seqmax", TypeId::int8), column("seqmin", TypeId::int8),
                 column("seqcycle", TypeId::boolean)},
                sequence_rows)};
}

}  // namespace

const SystemView* find_system_view(std::string_view schema, std::string_view name) {
  static const std::array<SystemView, 6> views = make_views();
  for (const SystemView& view : views) {
    if ((schema.empty() || schema == view.definition.schema) && name == view.definition.name) return &view;
  }
  return nullptr;
}

}  // namespace polarsim::engine::exec
