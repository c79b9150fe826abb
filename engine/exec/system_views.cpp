#include "engine/exec/system_views.h"

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

}  // namespace

const SystemView* find_system_view(std::string_view schema, std::string_view name) {
  static const SystemView prepared_xacts = make_prepared_xacts();
  if (!schema.empty() && schema != prepared_xacts.definition.schema) return nullptr;
  return name == prepared_xacts.definition.name ? &prepared_xacts : nullptr;
}

}  // namespace polarsim::engine::exec
