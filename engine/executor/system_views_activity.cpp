// What a node is doing, and how it is set: pg_locks, pg_prepared_xacts, pg_prepared_statements,
// pg_stat_activity, pg_settings.
//
// pg_locks has what is locked on this node: what a coordinator's session waits for elsewhere is in that node's.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/node/known_settings.h"
#include "engine/node/session_services.h"

namespace polarsim::engine::executor {

namespace {

// A timestamptz counts from 2000, the host's clock from 1970.
constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;
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

// As pg_locks.locktype and pg_stat_activity.wait_event have it: what stands in place of a unique index on relation
// names is an object.
const char* kind_name(txn::LockTag::Kind kind) {
  static constexpr const char* kinds[] = {"relation", "tuple", "transactionid", "spectoken", "advisory", "object"};
  return kinds[static_cast<std::size_t>(kind)];
}

Row lock_row(const txn::LockManager::Entry& entry) {
  using Kind = txn::LockTag::Kind;
  const txn::LockTag& tag = entry.tag;
  const bool tuple = tag.kind == Kind::tuple;
  const bool advisory = tag.kind == Kind::advisory;
  const bool of_relation = tag.kind == Kind::relation || tuple;
  const bool of_transaction = tag.kind == Kind::transaction || tag.kind == Kind::speculative;
  return {Value::text(kind_name(tag.kind)),
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

Value time_or_null(std::int64_t unix_us) {
  return unix_us == 0 ? Value::null() : Value::integer(unix_us - epoch_2000_us);
}

// A lock of this node; the answers of others; the next statement of the client.
std::pair<const char*, const char*> wait_of(const txn::Backend& backend, const txn::Activity& activity,
                                            const txn::LockManager::Entry* waiting) {
  if (waiting != nullptr) return {"Lock", kind_name(waiting->tag.kind)};
  if (activity.state.starts_with("idle")) return {"Client", "ClientRead"};
  const txn::RemoteWork work = backend.remote_work();
  const bool for_others = !work.workers.empty() && work.statement_start != sim::never;
  return for_others ? std::pair("Extension", "Extension") : std::pair("", "");
}

Row activity_row(const txn::Backend& backend, const txn::LockManager::Entry* waiting, Value xid) {
  const bool is_worker = !backend.tells_activity();
  const txn::Activity activity = backend.activity();
  const auto [wait_type, wait_event] = wait_of(backend, activity, waiting);
  return {Value::integer(database_oid),
          Value::text(database_name),
          number(backend.process_id()),
          Value::null(),  // leader_pid
          is_worker ? Value::null() : Value::integer(role_oid),
          is_worker ? Value::null() : Value::text(role_name),
          is_worker ? Value::null() : Value::text(activity.application_name),
          Value::null(),  // client_addr
          Value::null(),  // client_hostname
          Value::null(),  // client_port
          time_or_null(activity.backend_start_us),
          time_or_null(activity.transaction_start_us),
          time_or_null(activity.query_start_us),
          time_or_null(activity.state_change_us),
          text_or_null(wait_type),
          text_or_null(wait_event),
          text_or_null(activity.state),
          std::move(xid),
          Value::null(),  // backend_xmin
          Value::null(),  // query_id
          is_worker ? Value::null() : Value::text(activity.query),
          Value::text(is_worker ? "autovacuum worker" : "client backend")};
}

std::vector<Row> activity_rows(const SystemViewInputs& inputs) {
  const std::vector<txn::LockManager::Entry> locks = inputs.database.locks().entries();
  std::vector<Row> rows;
  for (const txn::Backend* const backend : inputs.database.backends()) {
    const txn::LockManager::Entry* waiting = nullptr;
    // A transaction holds a lock on its own number; those of its savepoints are younger.
    Value xid = Value::null();
    for (const txn::LockManager::Entry& entry : locks) {
      if (entry.process_id != backend->process_id()) continue;
      if (!entry.granted) waiting = &entry;
      const bool own_number =
          entry.granted && entry.tag.kind == txn::LockTag::Kind::transaction && entry.mode == txn::LockMode::exclusive;
      if (own_number && xid.is_null()) xid = number(entry.tag.a);
    }
    rows.push_back(activity_row(*backend, waiting, std::move(xid)));
  }
  return rows;
}

std::vector<Row> prepared_statement_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  if (inputs.transaction.backend == nullptr) return rows;
  for (const txn::PreparedStatement& each : inputs.transaction.backend->prepared_statements()) {
    std::vector<Value> types;
    for (const TypeId type : each.types) types.push_back(number(static_cast<std::uint32_t>(type)));
    rows.push_back({Value::text(each.name), Value::text(each.text), time_or_null(each.prepared_us),
                    Value::array(Array(TypeId::regtype, std::move(types))), flag(true),
                    Value::integer(static_cast<std::int64_t>(each.executions)), Value::integer(0)});
  }
  return rows;
}

// --- settings ---

std::string at_start(const NodeConfig& config, const KnownSetting& setting) {
  const std::string& name = setting.name;
  const auto milliseconds = [](sim::Duration duration) { return std::to_string(duration.count() / 1'000'000); };
  if (name == "lock_timeout") return milliseconds(config.lock_timeout);
  if (name == "statement_timeout") return milliseconds(config.statement_timeout);
  if (name == "deadlock_timeout") return milliseconds(config.deadlock_timeout);
  if (name == "idle_in_transaction_session_timeout") return milliseconds(config.idle_in_transaction_session_timeout);
  if (name == "max_connections") return std::to_string(config.max_connections);
  if (name == "autovacuum") return config.autovacuum ? "on" : "off";
  if (name == "full_page_writes") return config.full_page_writes ? "on" : "off";
  return setting.built_in;
}

Value choices_of(const KnownSetting& setting) {
  std::vector<Value> choices;
  for (std::string_view rest = setting.words; !rest.empty();) {
    const std::string_view choice = rest.substr(0, rest.find(", "));
    choices.push_back(Value::text(choice));
    rest.remove_prefix(std::min(rest.size(), choice.size() + 2));
  }
  return choices.empty() ? Value::null() : Value::array(Array(TypeId::text, std::move(choices)));
}

Value bound(const KnownSetting& setting, double value) {
  if (setting.type != "integer" && setting.type != "real") return Value::null();
  return Value::text(setting.type == "real" ? fmt::format("{:g}", value) : fmt::format("{:.0f}", value));
}

Row setting_row(const SystemViewInputs& inputs, const KnownSetting& setting) {
  Value value = ask_session(inputs, "current_setting", {Value::text(setting.name)}, {TypeId::text});
  if (!value.is_null()) value = Value::text(in_unit(setting, value.as_text()));
  const std::string start = at_start(inputs.database.config(), setting);
  const bool changed = !value.is_null() && value.as_text() != start;
  return {Value::text(setting.display),
          std::move(value),
          text_or_null(setting.unit),
          Value::text(setting.category),
          Value::text(setting.description),
          text_or_null(setting.details),
          Value::text(setting.context),
          Value::text(setting.type),
          Value::text(changed                     ? "session"
                      : start == setting.built_in ? "default"
                                                  : "configuration file"),
          bound(setting, setting.least),
          bound(setting, setting.most),
          choices_of(setting),
          Value::text(setting.built_in),
          Value::text(start),
          Value::null(),
          Value::null(),
          flag(false)};
}

std::vector<Row> setting_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const KnownSetting* known : known_settings()) {
    if (!known->hidden) rows.push_back(setting_row(inputs, *known));
  }
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
  to.push_back(
      make_view(12095, catalog::system_schema, "pg_prepared_statements",
                "name text, statement text, prepare_time timestamptz, parameter_types _regtype, from_sql bool, "
                "generic_plans int8, custom_plans int8",
                prepared_statement_rows));
  to.push_back(make_view(
      12222, catalog::system_schema, "pg_stat_activity",
      "datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, application_name text, "
      "client_addr text, client_hostname text, client_port int4, backend_start timestamptz, xact_start timestamptz, "
      "query_start timestamptz, state_change timestamptz, wait_event_type text, wait_event text, state text, "
      "backend_xid xid, backend_xmin xid, query_id int8, query text, backend_type text",
      activity_rows));
  to.push_back(
      make_view(12104, catalog::system_schema, "pg_settings",
                "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text, "
                "vartype text, source text, min_val text, max_val text, enumvals _text, boot_val text, reset_val text, "
                "sourcefile text, sourceline int4, pending_restart bool",
                setting_rows));
}

}  // namespace polarsim::engine::executor
