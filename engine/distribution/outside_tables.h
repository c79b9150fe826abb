// Queries inside a statement that read what the place where the statement runs does not have.
#pragma once

#include <functional>

#include "engine/distribution/subplans.h"

namespace polarsim::engine::distribution {

using IsOutside = std::function<bool(const query::Query& query)>;

// Queries in FROM (if `in_from`) and in expressions that see nothing around them and for which the function holds
// become subplans, the outermost first.
query::QueryPtr replace_outside_queries(const query::QueryPtr& query, bool in_from, const IsOutside& is_outside,
                                        SubplanList& subplans);

}  // namespace polarsim::engine::distribution
