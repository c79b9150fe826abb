// Which shards the rows that a WHERE clause accepts can be in.
//
// Recognised: the distribution column = a row-independent expression, IN a list of such, and AND and OR of these;
// anything else leaves all shards. An over-estimate is always right, because every shard applies the whole WHERE clause
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/cluster/metadata.h"

namespace polarsim::engine::cluster {

// What expressions without rows may depend on.
struct StatementInputs {
  std::span<const Value> parameters;
  std::int64_t transaction_start_us = 0;
};

std::size_t shard_of(const DistributedTable& table, const Value& value);

// The value that `expression` gives the distribution column, converted to the column's type; none if it depends on rows
// or does not convert.
std::optional<Value> distribution_value(const DistributedTable& table, const sql::ExpressionPtr& expression,
                                        const StatementInputs& inputs);

// Positions in table.shards, ascending, at least one. `reference`: how the statement qualifies the table's columns.
std::vector<std::size_t> prune_shards(const DistributedTable& table, std::string_view reference,
                                      const sql::ExpressionPtr& where, const StatementInputs& inputs);

}  // namespace polarsim::engine::cluster
