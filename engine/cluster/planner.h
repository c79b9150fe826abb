// From a statement on a distributed table to tasks on shards.
//
// Planning is a pure function of statement, parameters and metadata. What a statement cannot be is refused here with
// the texts of the vendor and its relatives: a missing or NULL distribution column (22004), a change of it (0A000),
// volatile functions in a change (0A000), FOR UPDATE over several shards (0A000). Everything in the VALUES of an
// INSERT, defaults included, is evaluated here, once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cluster/metadata.h"
#include "engine/cluster/pruning.h"
#include "engine/sql/ast.h"

namespace polarsim::engine::cluster {

// One statement for one node.
struct Task {
  int group_id = 0;
  std::string sql;
  std::vector<Value> parameters;
  bool modifies = false;
  bool locks = false;  // takes row locks without changing anything
};

// Tasks in the order of their shards. Every row of the answer comes from exactly one of them.
std::vector<Task> plan_insert(const DistributedTable& table, const sql::Insert& insert, const StatementInputs& inputs);
std::vector<Task> plan_update(const DistributedTable& table, const sql::Update& update, const StatementInputs& inputs);
std::vector<Task> plan_delete(const DistributedTable& table, const sql::Delete& removal, const StatementInputs& inputs);

// The rows of all tasks and the sum of their counts under one tag ("UPDATE 3").
QueryResult combine_modifications(std::vector<QueryResult> results);

}  // namespace polarsim::engine::cluster
