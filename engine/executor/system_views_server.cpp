// What a server has one of: its database, its role, tablespaces, access methods.
#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/node/session_services.h"

namespace polarsim::engine::executor {

namespace {

constexpr std::int64_t encoding_utf8 = 6;
constexpr std::int64_t unlimited = -1;

std::vector<Row> database_rows(const SystemViewInputs&) {
  return {{Value::integer(database_oid), Value::text(database_name), Value::integer(role_oid),
           Value::integer(encoding_utf8),
           character('c'),  // datlocprovider
           flag(false),     // datistemplate
           flag(true),      // datallowconn
           Value::integer(unlimited),
           number(3),  // datfrozenxid
           number(1),  // datminmxid
           Value::integer(tablespace_oid), Value::text("C"), Value::text("C"),
           Value::null(),    // daticulocale
           Value::null(),    // datcollversion
           Value::null()}};  // datacl
}

std::vector<Row> authorization_rows(const SystemViewInputs&) {
  const auto row = [](std::int64_t id, const char* name, bool all) -> Row {
    return {Value::integer(id), Value::text(name), flag(all), flag(true), flag(all),
            flag(all),          flag(all),         flag(all), flag(all),  Value::integer(unlimited),
            Value::null(),   // rolpassword
            Value::null()};  // rolvaliduntil
  };
  return {row(role_oid, role_name, true), row(database_owner_oid, database_owner, false)};
}

std::vector<Row> role_rows(const SystemViewInputs&) {
  return {{Value::text(role_name), flag(true), flag(true), flag(true), flag(true), flag(true), flag(true),
           Value::integer(unlimited), Value::text("********"), Value::null(), flag(true), Value::null(),
           Value::integer(role_oid)},
          {Value::text(database_owner), flag(false), flag(true), flag(false), flag(false), flag(false), flag(false),
           Value::integer(unlimited), Value::text("********"), Value::null(), flag(false), Value::null(),
           Value::integer(database_owner_oid)}};
}

std::vector<Row> user_rows(const SystemViewInputs&) {
  return {{Value::text(role_name), Value::integer(role_oid), flag(true), flag(true), flag(true), flag(true),
           Value::text("********"), Value::null(), Value::null()}};
}

std::vector<Row> tablespace_rows(const SystemViewInputs&) {
  return {{Value::integer(tablespace_oid), Value::text("pg_default"), Value::integer(role_oid), Value::null(),
           Value::null()},
          {Value::integer(1664), Value::text("pg_global"), Value::integer(role_oid), Value::null(), Value::null()}};
}

// Handlers have no numbers here.
std::vector<Row> method_rows(const SystemViewInputs&) {
  return {{Value::integer(heap_method_oid), Value::text("heap"), number(0), character('t')},
          {Value::integer(btree_method_oid), Value::text("btree"), number(0), character('i')}};
}

}  // namespace

void add_server_views(std::vector<SystemView>& to) {
  const std::string schema = catalog::system_schema;
  to.push_back(make_view(
      1262, schema, "pg_database",
      "oid oid, datname name, datdba oid, encoding int4, datlocprovider char, datistemplate bool, "
      "datallowconn bool, datconnlimit int4, datfrozenxid xid, datminmxid xid, dattablespace oid, datcollate text, "
      "datctype text, daticulocale text, datcollversion text, datacl _text",
      database_rows));
  to.push_back(make_view(
      1260, schema, "pg_authid",
      "oid oid, rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool, "
      "rolreplication bool, rolbypassrls bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz",
      authorization_rows));
  to.push_back(make_view(
      12000, schema, "pg_roles",
      "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool, "
      "rolreplication bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz, rolbypassrls bool, "
      "rolconfig _text, oid oid",
      role_rows));
  to.push_back(make_view(
      12014, schema, "pg_user",
      "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd text, "
      "valuntil timestamptz, useconfig _text",
      user_rows));
  to.push_back(make_view(1213, schema, "pg_tablespace",
                         "oid oid, spcname name, spcowner oid, spcacl _text, spcoptions _text", tablespace_rows));
  to.push_back(make_view(2601, schema, "pg_am", "oid oid, amname name, amhandler regproc, amtype char", method_rows));
}

}  // namespace polarsim::engine::executor
