// A query of inner joins as a list of what is joined, and the conditions.
#pragma once

#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// FROM without joins: a list of leaves; WHERE has all conditions; columns of joins are those of what was joined. Outer
// joins must not be in FROM.
query::QueryPtr without_joins(const query::QueryPtr& query);
// What is left of FROM, in order.
std::vector<int> leaves_of(const query::Query& query);
query::ExpressionPtr conjunction_of(std::vector<query::ExpressionPtr> conditions);

}  // namespace polarsim::engine::distribution
