// The rows of an INSERT: of VALUES, or of a query, brought into the form of the table's columns.
#pragma once

#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// Whether the rows come from a query.
bool has_source_query(const query::Query& insert);

// The rows of VALUES, each with a value for each of the targets.
std::vector<std::vector<query::ExpressionPtr>> rows_of_values(const query::Query& insert);

// SELECT of the rows to insert: of what the targets are, in their order, named and typed like the table's columns.
struct SourceQuery {
  query::QueryPtr query;
  // The source is still the query that was written: nothing was put around it, no common tables moved into it.
  bool as_written = true;
  // If defaults with volatile functions are among the targets, which only the coordinator computes, row by row: the
  // query's columns are those of the rows alone, and these are the targets, over its columns (entry 0).
  std::vector<query::Target> computed_later = {};
};
SourceQuery source_query(const query::Query& insert);
// SELECT of the source's own columns, the statement's common tables in it.
query::QueryPtr source_rows(const query::Query& insert);

// The INSERT with its rows from another query, whose visible columns are its targets, in their order.
query::QueryPtr with_source(const query::QueryPtr& insert, const query::QueryPtr& source);
// What INSERTs of several rows and of queries call the table, for the clauses that name it.
inline constexpr const char* table_alias = "polar_cluster_table_alias";
void give_alias(query::Query& insert);

}  // namespace polarsim::engine::distribution
