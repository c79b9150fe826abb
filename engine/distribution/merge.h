// What each shard computes of a query, and what is left for the coordinator.
//
// A query goes through stages: FROM and WHERE, groups, windows, DISTINCT, ORDER BY, LIMIT. Shards run all stages that
// keep together what lies together, in full; of the first that does not, as much as helps: partial aggregates, the
// first rows of an order. Everything after it is the coordinator's: the same query over the shards' rows.
//
// Source: the relative's multi_logical_optimizer.c (worker and master extended operators).
#pragma once

#include "engine/distribution/locator.h"

namespace polarsim::engine::distribution {

struct SplitQuery {
  query::QueryPtr worker;
  // Null: the shards' rows are the answer. Else over one entry without a source, the shards' rows: see with_rows().
  query::QueryPtr merge;
};
// `location` is that of the query's rows, sharded and not failed.
SplitQuery split_query(const query::QueryPtr& query, const Location& location);

// The merge query, its entry standing for the rows of these tasks.
query::QueryPtr with_rows(const query::QueryPtr& merge, const JobPtr& job);

}  // namespace polarsim::engine::distribution
