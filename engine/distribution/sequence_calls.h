// nextval(), currval(), setval() and lastval() belong to the client's session: no node can compute them. Where they are
// called for each row of a SELECT, its rows are found first, and the coordinator calls them as it puts the rows out:
// after ORDER BY and LIMIT, as PostgreSQL does. Constants that are relations or schemas, which other nodes need not
// have, are put out with them.
#pragma once

#include <optional>
#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// Anywhere in the query.
bool calls_sequences(const query::Query& query);

// A SELECT without such calls and constants in its targets, and what the targets are over its visible columns (entry
// 0).
struct SequenceTargets {
  query::QueryPtr query;
  std::vector<query::Target> targets;
};
// None: no visible target has any, or they stand where they decide about rows: in aggregates, DISTINCT, ORDER BY.
std::optional<SequenceTargets> split_sequence_targets(const query::QueryPtr& query);

// A query in FROM whose targets call them and which sees nothing around it; null: there is none.
const query::Query* find_query_of_sequences(const query::Query& query);

// For what is left in tasks: 0A000.
void refuse_sequence_calls(const query::Query& task);

}  // namespace polarsim::engine::distribution
