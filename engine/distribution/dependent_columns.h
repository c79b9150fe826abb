// Columns that a query does not group by, but knows by the primary key of their table.
#pragma once

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// Groups by the columns (from 1, of a table that is an entry of the query) as well, if the query groups by the table's
// primary key: they have one value in each group, and rows that come in the table's place have no primary key.
void group_by_dependent_columns(query::Query& query, int entry, const std::vector<int>& columns);

}  // namespace polarsim::engine::distribution
