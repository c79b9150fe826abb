// Tables of pg_catalog (and information_schema) whose rows are computed from the node's catalog and state when somebody
// asks: pg_class, pg_attribute, pg_locks, ... with PostgreSQL's columns.
//
// A view is a table of columns and one function that gives its rows. Each system_views_<topic>.cpp offers some.
#pragma once

#include <string_view>
#include <vector>

#include "engine/node/database.h"
#include "engine/query/relation.h"
#include "engine/types/function.h"

namespace polarsim::engine::executor {

struct SystemViewInputs {
  Database& database;
  const txn::Transaction& transaction;  // whose view of the catalog it is
  const CallContext& call;
};

struct SystemView {
  // Of kind system_view; its number is pg_class.oid. What is a table in PostgreSQL has one more column than is told,
  // "tableoid", which is marked as dropped: the analysis finds it nevertheless, and the scan fills it in.
  query::RelationPtr relation;
  std::vector<Row> (*rows)(const SystemViewInputs& inputs) = nullptr;
};

// PostgreSQL has views of the catalog from here on, and tables below.
inline constexpr std::uint32_t first_view_of_catalog = 12000;

// In order of their numbers; the same objects in every call.
const std::vector<SystemView>& system_views();
// Null if there is none. An empty schema means pg_catalog, which is searched before all others.
const SystemView* find_system_view(std::string_view schema, std::string_view name);
const SystemView* find_system_view(std::uint32_t id);  // null if there is none
const SystemView& system_view(std::uint32_t id);       // must exist

inline constexpr const char* information_schema = "information_schema";
// PostgreSQL's is given out by initdb; this is ours.
inline constexpr std::uint32_t information_schema_oid = 13207;

}  // namespace polarsim::engine::executor
