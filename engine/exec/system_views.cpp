#include "engine/exec/system_views.h"

#include <array>
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
  view.rows = [](const Database& database) {
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
  view.rows = [](const Database& database) {
    std::vector<Row> rows;
    for (const txn::LockManager::Entry& entry : database.locks().entries()) rows.push_back(lock_row(entry));
    return rows;
  };
  return view;
}

}  // namespace

const SystemView* find_system_view(std::string_view schema, std::string_view name) {
  static const std::array<SystemView, 2> views{make_prepared_xacts(), make_locks()};
  for (const SystemView& view : views) {
    if ((schema.empty() || schema == view.definition.schema) && name == view.definition.name) return &view;
  }
  return nullptr;
}

}  // namespace polarsim::engine::exec
