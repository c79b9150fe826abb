// What a session refuses before it is run.
#pragma once

#include <vector>

#include "engine/node/session.h"
#include "engine/query/query.h"

namespace polarsim::engine {

// Tables of the catalog that are kept as other tables are: 42501 "permission denied: "t" is a system catalog", as
// PostgreSQL says it where allow_system_table_mods is off.
void refuse_catalog_change(const query::Relation& relation);
// Of every table that the query changes.
void refuse_catalog_changes(const query::Query& query);
// A prepared statement that would not give the columns that it gave when it was prepared: 0A000.
void refuse_other_columns(const std::vector<ResultColumn>& prepared, const std::vector<query::OutputName>& now);

}  // namespace polarsim::engine
