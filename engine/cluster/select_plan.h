// SELECT on a distributed table.
//
// One shard: the whole statement goes there (router), row locks included. Several: each shard delivers the rows that
// satisfy WHERE, cut to the columns that are needed, and the coordinator does the rest with the executor's own
// projection. Two shortcuts save traffic and change nothing: a select list of plain aggregates over all rows travels as
// one row per shard, and LIMIT (with an ORDER BY on plain columns, or none) is applied by each shard, too.
#pragma once

#include <vector>

#include "engine/cluster/planner.h"
#include "engine/sql/select_analysis.h"

namespace polarsim::engine::cluster {

enum class SelectMethod : std::uint8_t { router, partial_aggregates, pulled_rows };

struct SelectPlan {
  SelectMethod method = SelectMethod::router;
  std::vector<Task> tasks;
  sql::AnalyzedSelect analyzed;             // not for router
  std::vector<std::string> aggregates;      // function names, for partial_aggregates
  std::vector<std::size_t> pulled_columns;  // positions in the table, for pulled_rows
};

// Throws SqlError as analysis does, and 0A000 for FOR UPDATE or SHARE over several shards.
SelectPlan plan_select(const DistributedTable& table, const sql::Select& select, const StatementInputs& inputs);

// The answer, from the tasks' answers in their order.
QueryResult merge_select(const DistributedTable& table, const SelectPlan& plan, const StatementInputs& inputs,
                         std::vector<QueryResult> results);

}  // namespace polarsim::engine::cluster
