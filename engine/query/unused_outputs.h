// Columns of a subquery in FROM that nobody asks for.
#pragma once

#include "engine/query/expression_walk.h"

namespace polarsim::engine::query {

// A UNION ALL, of parts with the same types and nothing else, whose parts PostgreSQL puts in its place where it stands
// in FROM (is_simple_union_all(), optimizer/prep/prepjointree.c).
bool is_flat_union(const Query& query);

// The subquery, which computes no column that is not used (PostgreSQL's remove_unused_subquery_outputs(),
// optimizer/path/allpaths.c): NULL takes the place of what sorts, groups or divides nothing, gives no sets and is not
// volatile. Of a flat union, in all of its parts. Columns count from 1; hidden ones are not asked about.
QueryPtr without_unused_outputs(const QueryPtr& subquery, FunctionReference<bool(int column)> is_used);

}  // namespace polarsim::engine::query
