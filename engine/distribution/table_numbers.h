// tableoid of a distributed table's rows is the table's, as on one node: shards are other relations, whose numbers are
// each node's own and may be those of something else elsewhere.
#pragma once

#include "engine/distribution/table.h"
#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// The query with the number in place of the column, in queries inside it, too. Of tables that an outer join may find
// no row of, the column stays: the shard's number, or NULL.
query::QueryPtr with_table_numbers(const query::QueryPtr& query, DistributionSource& source);

}  // namespace polarsim::engine::distribution
