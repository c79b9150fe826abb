#include <fmt/format.h>

#include <string_view>

#include "engine/types/error.h"
#include "engine/types/families.h"

// Functions that the session computes: they block, have effects, or tell what only it knows.
namespace polarsim::engine::families {
namespace {

Value of_session(const FunctionCall& call) {
  if (call.function != nullptr && call.context.session != nullptr)
    return call.context.session->call(*call.function, call);
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("{} is not available without a session",
                             call.function != nullptr ? call.function->name : "a function of the session"));
}

std::unique_ptr<FunctionRows> rows_of_session(const FunctionCall& call) {
  if (call.function != nullptr && call.context.session != nullptr)
    return call.context.session->rows(*call.function, call);
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("{} is not available without a session",
                             call.function != nullptr ? call.function->name : "a function of the session"));
}

struct SessionEntry {
  const char* name;
  std::vector<TypeId> arguments;
  TypeId result;
  Volatility volatility = Volatility::stable;
  bool strict = true;
};

void add(Entries& to, const SessionEntry& entry) {
  to.functions.push_back({.name = entry.name,
                          .arguments = entry.arguments,
                          .result = entry.result,
                          .volatility = entry.volatility,
                          .strict = entry.strict,
                          .scalar = of_session});
}

constexpr Volatility changing = Volatility::volatile_function;

void add_sequences(Entries& to) {
  using enum TypeId;
  add(to, {"nextval", {regclass}, int8, changing});
  add(to, {"currval", {regclass}, int8, changing});
  add(to, {"setval", {regclass, int8}, int8, changing});
  add(to, {"setval", {regclass, int8, boolean}, int8, changing});
  add(to, {"lastval", {}, int8, changing});
  add(to, {"pg_sequence_last_value", {regclass}, int8, changing});
  add(to, {"pg_get_serial_sequence", {text, text}, text});
}

void add_advisory_locks(Entries& to) {
  using enum TypeId;
  struct Lock {
    const char* name;
    TypeId result;
  };
  constexpr Lock locks[] = {
      {"pg_advisory_lock", void_type},        {"pg_advisory_lock_shared", void_type},
      {"pg_advisory_xact_lock", void_type},   {"pg_advisory_xact_lock_shared", void_type},
      {"pg_try_advisory_lock", boolean},      {"pg_try_advisory_lock_shared", boolean},
      {"pg_try_advisory_xact_lock", boolean}, {"pg_try_advisory_xact_lock_shared", boolean},
      {"pg_advisory_unlock", boolean},        {"pg_advisory_unlock_shared", boolean},
  };
  for (const Lock& lock : locks) {
    add(to, {lock.name, {int8}, lock.result, changing});
    add(to, {lock.name, {int4, int4}, lock.result, changing});
  }
  add(to, {"pg_advisory_unlock_all", {}, void_type, changing});
}

void add_transactions(Entries& to) {
  using enum TypeId;
  add(to, {"txid_current", {}, int8});
  add(to, {"txid_current_if_assigned", {}, int8});
  add(to, {"txid_status", {int8}, text, changing});
  add(to, {"pg_current_xact_id", {}, xid8});
  add(to, {"pg_current_xact_id_if_assigned", {}, xid8});
  add(to, {"pg_xact_status", {xid8}, text, changing});
  add(to, {"pg_export_snapshot", {}, text, changing});
}

void add_server(Entries& to) {
  using enum TypeId;
  add(to, {"pg_sleep", {float8}, void_type, changing});
  add(to, {"pg_sleep_for", {interval}, void_type, changing});
  add(to, {"pg_sleep_until", {timestamptz}, void_type, changing});
  add(to, {"pg_backend_pid", {}, int4});
  add(to, {"pg_cancel_backend", {int4}, boolean, changing});
  to.functions.push_back({.name = "pg_terminate_backend",
                          .arguments = {int4, int8},
                          .result = boolean,
                          .volatility = changing,
                          .defaults = {"0"},
                          .argument_names = {"pid", "timeout"},
                          .scalar = of_session});
  add(to, {"pg_blocking_pids", {int4}, int4_array, changing});
  add(to, {"pg_is_in_recovery", {}, boolean, changing});
  add(to, {"pg_postmaster_start_time", {}, timestamptz});
  add(to, {"pg_conf_load_time", {}, timestamptz});
  add(to, {"pg_notify", {text, text}, void_type, changing, false});
}

void add_settings(Entries& to) {
  using enum TypeId;
  add(to, {"current_setting", {text}, text});
  add(to, {"current_setting", {text, boolean}, text});
  add(to, {"set_config", {text, text, boolean}, text, changing, false});
  add(to, {"version", {}, text});
  // CURRENT_CATALOG, CURRENT_SCHEMA, CURRENT_USER (also CURRENT_ROLE and USER) and SESSION_USER mean these.
  add(to, {"current_database", {}, name});
  add(to, {"current_query", {}, text, changing, false});
  add(to, {"getdatabaseencoding", {}, name});
  add(to, {"pg_client_encoding", {}, name});
  add(to, {"current_schema", {}, name});
  add(to, {"current_schemas", {boolean}, name_array});
  add(to, {"current_user", {}, name});
  add(to, {"session_user", {}, name});
}

// Rows that a coordinator has computed and lends to a node for the length of a transaction, under a name of its own.
void add_intermediate_results(Entries& to) {
  using enum TypeId;
  // A name, the number of columns, their values row by row, and whether rows came before.
  add(to, {"store_intermediate_result", {text, int4, text_array, boolean}, void_type, changing});
  to.functions.push_back({.name = "read_intermediate_result",
                          .arguments = {text, text},
                          .result = record,
                          .kind = FunctionKind::set,
                          .volatility = changing,
                          .set = rows_of_session});
}

// EXPLAIN ANALYZE of a coordinator: the next query of the session keeps what EXPLAIN (ANALYZE, VERBOSE, COSTS, TIMING,
// SUMMARY) would print of it.
void add_measurements(Entries& to) {
  using enum TypeId;
  add(to, {"measure_next_query", {boolean, boolean, boolean, boolean}, void_type, changing});
  add(to, {"last_measured_plan", {}, text, changing});
  // Whether the statements that follow are parts of one (node/local_session.h).
  add(to, {"run_in_parts", {boolean}, void_type, changing});
}

void add_catalog(Entries& to) {
  using enum TypeId;
  add(to, {"to_regclass", {text}, regclass});
  add(to, {"to_regproc", {text}, regproc});
  add(to, {"to_regnamespace", {text}, regnamespace});
  add(to, {"pg_relation_size", {regclass}, int8, changing});
  add(to, {"pg_relation_size", {regclass, text}, int8, changing});
  add(to, {"pg_table_size", {regclass}, int8, changing});
  add(to, {"pg_indexes_size", {regclass}, int8, changing});
  add(to, {"pg_total_relation_size", {regclass}, int8, changing});
  add(to, {"pg_database_size", {name}, int8, changing});
  add(to, {"pg_database_size", {oid}, int8, changing});
  add(to, {"pg_tablespace_size", {name}, int8, changing});
  add(to, {"pg_tablespace_size", {oid}, int8, changing});
  add(to, {"pg_relation_filenode", {regclass}, oid});
  add(to, {"pg_relation_is_publishable", {regclass}, boolean});
  add(to, {"pg_table_is_visible", {oid}, boolean});
  add(to, {"pg_get_userbyid", {oid}, name});
  add(to, {"pg_get_expr", {text, oid}, text});
  add(to, {"pg_get_expr", {text, oid, boolean}, text});
  add(to, {"pg_get_indexdef", {oid}, text});
  add(to, {"pg_get_indexdef", {oid, int4, boolean}, text});
  add(to, {"pg_get_constraintdef", {oid}, text});
  add(to, {"pg_get_constraintdef", {oid, boolean}, text});
  add(to, {"pg_get_viewdef", {text}, text});
  add(to, {"pg_get_viewdef", {oid}, text});
  add(to, {"pg_get_viewdef", {text, boolean}, text});
  add(to, {"pg_get_viewdef", {oid, boolean}, text});
  add(to, {"obj_description", {oid}, text});
  add(to, {"obj_description", {oid, name}, text});
  add(to, {"col_description", {oid, int4}, text});
  add(to, {"shobj_description", {oid, name}, text});
  for (const char* privilege : {"has_table_privilege", "has_sequence_privilege", "has_any_column_privilege",
                                "has_schema_privilege", "has_database_privilege", "has_tablespace_privilege",
                                "has_function_privilege", "has_type_privilege", "pg_has_role"}) {
    // Roles are named by name, other objects by text.
    const TypeId by_name = std::string_view(privilege) == "pg_has_role" ? name : text;
    for (const TypeId object : {by_name, oid}) {
      add(to, {privilege, {object, text}, boolean});
      add(to, {privilege, {name, object, text}, boolean});
      add(to, {privilege, {oid, object, text}, boolean});
    }
  }
  for (const TypeId object : {text, oid}) {
    for (const TypeId column : {text, int2}) add(to, {"has_column_privilege", {object, column, text}, boolean});
  }
}

}  // namespace

void add_session(Entries& to) {
  add_sequences(to);
  add_advisory_locks(to);
  add_transactions(to);
  add_server(to);
  add_settings(to);
  add_catalog(to);
  add_intermediate_results(to);
  add_measurements(to);
}

}  // namespace polarsim::engine::families

namespace polarsim::engine {

std::unique_ptr<FunctionRows> SessionServices::rows(const FunctionEntry& function, const FunctionCall&) {
  throw SqlError(sqlstate::feature_not_supported, fmt::format("{}() is not supported", function.name));
}

}  // namespace polarsim::engine
