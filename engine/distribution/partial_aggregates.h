// Aggregates in two steps: what each shard computes of its rows, and how the coordinator makes one value of it.
//
// In two steps: count, sum, avg, min, max, bool_and, bool_or, every, bit_and, bit_or, bit_xor; and count, sum and avg
// of DISTINCT values, which shards group by. Others need all rows in one place.
//
// Source: the relative's multi_logical_optimizer.c, MasterAggregateExpression().
#pragma once

#include <functional>

#include "engine/distribution/worker_columns.h"
#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// Whether a value of the expression is in the rows of one shard only.
using IsKey = std::function<bool(const query::ExpressionPtr& expression)>;

bool has_two_steps(const query::Aggregate& aggregate);
// The expression of the coordinator; what the shards have to compute goes to `columns`.
query::ExpressionPtr in_two_steps(const query::ExpressionPtr& expression, const std::string& name, const IsKey& is_key,
                                  WorkerColumns& columns);

}  // namespace polarsim::engine::distribution
