// What a node is doing, and how it is set: pg_locks, pg_prepared_xacts, pg_stat_activity, pg_settings.
//
// Of other sessions pg_stat_activity knows their process, their transaction's number and what they wait for, but not
// what they run or since when.
#include <algorithm>
#include <array>
#include <charconv>
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

Row activity_row(const SystemViewInputs& inputs, const txn::Backend& backend, const txn::LockManager::Entry* waiting,
                 Value xid) {
  const bool own = inputs.transaction.backend == &backend;
  const bool is_worker = backend.gives_way;
  const char* const state = own || waiting != nullptr ? "active" : "";
  return {
      Value::integer(database_oid),
      Value::text(database_name),
      number(backend.process_id()),
      Value::null(),  // leader_pid
      is_worker ? Value::null() : Value::integer(role_oid),
      is_worker ? Value::null() : Value::text(role_name),
      own ? ask_session(inputs, "current_setting", {Value::text("application_name")}, {TypeId::text}) : Value::null(),
      Value::null(),  // client_addr
      Value::null(),  // client_hostname
      Value::null(),  // client_port
      Value::null(),  // backend_start
      own ? time_or_null(inputs.call.transaction_start_us) : Value::null(),
      own ? time_or_null(inputs.call.statement_start_us) : Value::null(),
      own ? time_or_null(inputs.call.statement_start_us) : Value::null(),  // state_change
      waiting != nullptr ? Value::text("Lock") : Value::null(),
      waiting != nullptr ? Value::text(kind_name(waiting->tag.kind)) : Value::null(),
      text_or_null(state),
      std::move(xid),
      Value::null(),  // backend_xmin
      Value::null(),  // query_id
      own ? ask_session(inputs, "current_query", {}, {}) : Value::null(),
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
    rows.push_back(activity_row(inputs, *backend, waiting, std::move(xid)));
  }
  return rows;
}

// --- settings ---

struct ShownSetting {
  const char* name;
  const char* category;
  const char* description;
  const char* type;
  const char* built_in;      // boot_val
  const char* context;       // user, internal or superuser
  const char* choices = "";  // of an enum, separated by commas
  const char* least = "";
  const char* most = "";
  const char* unit = "";
};

constexpr const char* behavior = "Client Connection Defaults / Statement Behavior";
constexpr const char* formatting = "Client Connection Defaults / Locale and Formatting";
constexpr const char* preset = "Preset Options";
constexpr const char* isolation_levels = "serializable,repeatable read,read committed,read uncommitted";
constexpr const char* timeout_most = "2147483647";
constexpr const char* costs = "Query Tuning / Planner Cost Constants";
constexpr const char* methods = "Query Tuning / Planner Method Configuration";
constexpr const char* cost_most = "1.79769e+308";

// What node/settings.h knows, with PostgreSQL's names and descriptions, by name.
constexpr ShownSetting shown_settings[] = {
    {"DateStyle", formatting, "Sets the display format for date and time values.", "string", "ISO, MDY", "user"},
    {"IntervalStyle", formatting, "Sets the display format for interval values.", "enum", "postgres", "user",
     "postgres,postgres_verbose,sql_standard,iso_8601"},
    {"TimeZone", formatting, "Sets the time zone for displaying and interpreting time stamps.", "string", "UTC",
     "user"},
    {"allow_system_table_mods", "Developer Options", "Allows modifications of the structure of system tables.", "bool",
     "off", "superuser"},
    {"application_name", "Reporting and Logging / What to Log",
     "Sets the application name to be reported in statistics and logs.", "string", "", "user"},
    {"bytea_output", behavior, "Sets the output format for bytea.", "enum", "hex", "user", "escape,hex"},
    {"client_encoding", formatting, "Sets the client's character set encoding.", "string", "UTF8", "user"},
    {"client_min_messages", behavior, "Sets the message levels that are sent to the client.", "enum", "notice", "user",
     "debug5,debug4,debug3,debug2,debug1,log,notice,warning,error"},
    {"cpu_index_tuple_cost", costs,
     "Sets the planner's estimate of the cost of processing each index entry during an index scan.", "real", "0.005",
     "user", "", "0", cost_most},
    {"cpu_operator_cost", costs,
     "Sets the planner's estimate of the cost of processing each operator or function call.", "real", "0.0025", "user",
     "", "0", cost_most},
    {"cpu_tuple_cost", costs, "Sets the planner's estimate of the cost of processing each tuple (row).", "real", "0.01",
     "user", "", "0", cost_most},
    {"deadlock_timeout", "Lock Management", "Sets the time to wait on a lock before checking for deadlock.", "integer",
     "1000", "superuser", "", "1", timeout_most, "ms"},
    {"default_transaction_isolation", behavior, "Sets the transaction isolation level of each new transaction.", "enum",
     "read committed", "user", isolation_levels},
    {"default_transaction_read_only", behavior, "Sets the default read-only status of new transactions.", "bool", "off",
     "user"},
    {"enable_hashagg", methods, "Enables the planner's use of hashed aggregation plans.", "bool", "on", "user"},
    {"enable_hashjoin", methods, "Enables the planner's use of hash join plans.", "bool", "on", "user"},
    {"enable_indexscan", methods, "Enables the planner's use of index-scan plans.", "bool", "on", "user"},
    {"enable_material", methods, "Enables the planner's use of materialization.", "bool", "on", "user"},
    {"enable_nestloop", methods, "Enables the planner's use of nested-loop join plans.", "bool", "on", "user"},
    {"enable_seqscan", methods, "Enables the planner's use of sequential-scan plans.", "bool", "on", "user"},
    {"enable_sort", methods, "Enables the planner's use of explicit sort steps.", "bool", "on", "user"},
    {"extra_float_digits", formatting, "Sets the number of digits displayed for floating-point values.", "integer", "1",
     "user", "", "-15", "3"},
    {"idle_in_transaction_session_timeout", behavior,
     "Sets the maximum allowed idle time between queries, when in a transaction.", "integer", "0", "user", "", "0",
     timeout_most, "ms"},
    {"lock_timeout", behavior, "Sets the maximum allowed duration of any wait for a lock.", "integer", "0", "user", "",
     "0", timeout_most, "ms"},
    {"random_page_cost", costs, "Sets the planner's estimate of the cost of a nonsequentially fetched disk page.",
     "real", "4", "user", "", "0", cost_most},
    {"search_path", behavior, "Sets the schema search order for names that are not schema-qualified.", "string",
     "\"$user\", public", "user"},
    {"seq_page_cost", costs, "Sets the planner's estimate of the cost of a sequentially fetched disk page.", "real",
     "1", "user", "", "0", cost_most},
    {"server_encoding", preset, "Shows the server (database) character set encoding.", "string", "UTF8", "internal"},
    {"server_version", preset, "Shows the server version.", "string", "15.0", "internal"},
    {"server_version_num", preset, "Shows the server version as an integer.", "integer", "150000", "internal", "",
     "150000", "150000"},
    {"standard_conforming_strings", "Version and Platform Compatibility / Previous PostgreSQL Versions",
     "Causes '...' strings to treat backslashes literally.", "bool", "on", "user"},
    {"statement_timeout", behavior, "Sets the maximum allowed duration of any statement.", "integer", "0", "user", "",
     "0", timeout_most, "ms"},
    {"work_mem", "Resource Usage / Memory", "Sets the maximum memory to be used for query workspaces.", "integer",
     "4096", "user", "", "64", timeout_most, "kB"},
};

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return made;
}

// A time limit as SHOW has it, "2min", in milliseconds; an amount of memory, "4MB", in kilobytes.
std::string in_base_unit(std::string_view shown) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(shown.data(), shown.data() + shown.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(shown.data() + shown.size() - end));
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> units{{{"s", 1000},
                                                                            {"min", 60'000},
                                                                            {"h", 3'600'000},
                                                                            {"d", 86'400'000},
                                                                            {"MB", 1 << 10},
                                                                            {"GB", 1 << 20},
                                                                            {"TB", 1 << 30}}};
  for (const auto& [name, factor] : units) {
    if (name == unit) count *= factor;
  }
  return std::to_string(count);
}

std::string at_start(const NodeConfig& config, const ShownSetting& setting) {
  const std::string_view name = setting.name;
  const auto milliseconds = [](sim::Duration duration) { return std::to_string(duration.count() / 1'000'000); };
  if (name == "lock_timeout") return milliseconds(config.lock_timeout);
  if (name == "statement_timeout") return milliseconds(config.statement_timeout);
  if (name == "deadlock_timeout") return milliseconds(config.deadlock_timeout);
  if (name == "idle_in_transaction_session_timeout") return milliseconds(config.idle_in_transaction_session_timeout);
  return setting.built_in;
}

Value choices_of(const ShownSetting& setting) {
  std::vector<Value> choices;
  for (std::string_view rest = setting.choices; !rest.empty();) {
    const std::string_view choice = rest.substr(0, rest.find(','));
    choices.push_back(Value::text(choice));
    rest.remove_prefix(std::min(rest.size(), choice.size() + 1));
  }
  return choices.empty() ? Value::null() : Value::array(Array(TypeId::text, std::move(choices)));
}

// A setting of the cluster, as PostgreSQL shows those of extensions.
Row cluster_setting_row(const SystemViewInputs& inputs, const KnownSetting& known) {
  using Kind = KnownSetting::Kind;
  Value value = ask_session(inputs, "current_setting", {Value::text(known.name)}, {TypeId::text});
  const bool changed = !value.is_null() && value.as_text() != known.initial;
  const bool number = known.kind == Kind::integer;
  std::vector<Value> choices;
  for (std::string_view rest = known.words == nullptr ? "" : known.words; !rest.empty();) {
    const std::string_view choice = rest.substr(0, rest.find(", "));
    choices.push_back(Value::text(choice));
    rest.remove_prefix(std::min(rest.size(), choice.size() + 2));
  }
  const bool listed = !choices.empty();
  return {Value::text(known.name),
          std::move(value),
          Value::null(),
          Value::text("Customized Options"),
          Value::text(""),
          Value::null(),
          Value::text(known.kind == Kind::server ? "sighup" : "user"),
          Value::text(known.kind == Kind::boolean ? "bool"
                      : number                    ? "integer"
                      : listed                    ? "enum"
                                                  : "string"),
          Value::text(changed ? "session" : "default"),
          number ? Value::text(std::to_string(known.least)) : Value::null(),
          number ? Value::text(std::to_string(known.most)) : Value::null(),
          listed ? Value::array(Array(TypeId::text, std::move(choices))) : Value::null(),
          Value::text(known.initial),
          Value::text(known.initial),
          Value::null(),
          Value::null(),
          flag(false)};
}

std::vector<Row> setting_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownSetting& setting : shown_settings) {
    Value value = ask_session(inputs, "current_setting", {Value::text(lower(setting.name))}, {TypeId::text});
    const bool has_unit = *setting.unit != '\0';
    if (has_unit && !value.is_null()) value = Value::text(in_base_unit(value.as_text()));
    const std::string start = at_start(inputs.database.config(), setting);
    const bool changed = !value.is_null() && value.as_text() != start;
    rows.push_back({Value::text(setting.name), std::move(value), text_or_null(setting.unit),
                    Value::text(setting.category), Value::text(setting.description), Value::null(),
                    Value::text(setting.context), Value::text(setting.type),
                    Value::text(changed                     ? "session"
                                : start == setting.built_in ? "default"
                                                            : "configuration file"),
                    text_or_null(setting.least), text_or_null(setting.most), choices_of(setting),
                    Value::text(setting.built_in), Value::text(start), Value::null(), Value::null(), flag(false)});
  }
  for (const KnownSetting* known : known_settings()) {
    if (std::string_view(known->name).starts_with(cluster_prefix)) rows.push_back(cluster_setting_row(inputs, *known));
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
