// INSERT of several rows: which of them go to which shard (plan.h, RowsByShard).
#pragma once

#include <string>
#include <vector>

#include "engine/distribution/plan.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {

struct RowsOfShard {
  std::size_t position = 0;  // of the shard
  std::string sql;           // an INSERT of its rows, all values written out
};
// In order of the shards; the rows of one in the order of VALUES. `values`: the parameters of the job's tasks. Throws
// 22004 for a row without a value of the distribution column.
std::vector<RowsOfShard> rows_by_shard(const Job& job, const TableDistribution& table, const StatementValues& values);

// 22004: "cannot perform an INSERT with NULL in the partition column".
SqlError null_in_distribution_column();

}  // namespace polarsim::engine::distribution
