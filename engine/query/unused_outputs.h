// Columns of a subquery in FROM that nobody asks for.
#pragma once

#include "engine/query/expression_walk.h"

namespace polarsim::engine::query {

// The subquery, which computes no column that is not used (PostgreSQL's remove_unused_subquery_outputs(),
// optimizer/path/allpaths.c): NULL takes the place of what sorts, groups or divides nothing, gives no sets and is not
// volatile. Columns count from 1; hidden ones are not asked about.
QueryPtr without_unused_outputs(const QueryPtr& subquery, FunctionReference<bool(int column)> is_used);

}  // namespace polarsim::engine::query
