// What a node is doing: pg_locks, pg_prepared_xacts.
#include <string>

#include "engine/executor/system_views_families.h"
#include "engine/node/session_services.h"

namespace polarsim::engine::executor {

namespace {

// A timestamptz counts from 2000, the host's clock from 1970.
constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;
constexpr std::int64_t database_oid = 5;

Value integer_or_null(bool present, std::uint64_t value) {
  return present ? Value::integer(static_cast<std::int64_t>(value)) : Value::null();
}

std::vector<Row> prepared_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const txn::PreparedInfo& info : inputs.database.transactions().prepared()) {
    rows.push_back({Value::integer(info.xid), Value::text(info.gid), Value::integer(info.prepared_us - epoch_2000_us),
                    Value::text(role_name), Value::text(database_name)});
  }
  return rows;
}

Row lock_row(const txn::LockManager::Entry& entry) {
  using Kind = txn::LockTag::Kind;
  const txn::LockTag& tag = entry.tag;
  const bool tuple = tag.kind == Kind::tuple;
  const bool advisory = tag.kind == Kind::advisory;
  const bool of_relation = tag.kind == Kind::relation || tuple;
  const bool of_transaction = tag.kind == Kind::transaction || tag.kind == Kind::speculative;
  // As PostgreSQL shows what stands in place of a unique index on relation names.
  static constexpr const char* kinds[] = {"relation", "tuple", "transactionid", "spectoken", "advisory", "object"};
  return {Value::text(kinds[static_cast<std::size_t>(tag.kind)]),
          integer_or_null(of_relation || advisory, database_oid),
          integer_or_null(of_relation, tag.a),
          integer_or_null(tuple, tag.b >> 16),
          integer_or_null(tuple, tag.b & 0xFFFF),
          Value::null(),
          integer_or_null(of_transaction, tag.a),
          integer_or_null(advisory, tag.a >> 32),
          integer_or_null(advisory, tag.a & 0xFFFFFFFF),
          integer_or_null(advisory, tag.b),
          Value::null(),
          integer_or_null(entry.process_id != 0, entry.process_id),
          Value::text(to_string(entry.mode)),
          Value::boolean(entry.granted),
          Value::boolean(false),
          integer_or_null(!entry.granted, static_cast<std::uint64_t>(entry.waiting_since_us - epoch_2000_us))};
}

std::vector<Row> lock_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const txn::LockManager::Entry& entry : inputs.database.locks().entries()) rows.push_back(lock_row(entry));
  return rows;
}

}  // namespace

// The numbers of PostgreSQL's views are given out by initdb; these are ours.
void add_activity_views(std::vector<SystemView>& to) {
  using enum TypeId;
  to.push_back(make_view(12073, catalog::system_schema, "pg_locks",
                         {{"locktype", text},
                          {"database", oid},
                          {"relation", oid},
                          {"page", int4},
                          {"tuple", int2},
                          {"virtualxid", text},
                          {"transactionid", xid},
                          {"classid", oid},
                          {"objid", oid},
                          {"objsubid", int2},
                          {"virtualtransaction", text},
                          {"pid", int4},
                          {"mode", text},
                          {"granted", boolean},
                          {"fastpath", boolean},
                          {"waitstart", timestamptz}},
                         lock_rows));
  to.push_back(
      make_view(12091, catalog::system_schema, "pg_prepared_xacts",
                {{"transaction", xid}, {"gid", text}, {"prepared", timestamptz}, {"owner", name}, {"database", name}},
                prepared_rows));
}

}  // namespace polarsim::engine::executor
