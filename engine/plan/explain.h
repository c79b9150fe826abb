// EXPLAIN: a plan as PostgreSQL 15 prints it (src/backend/commands/explain.c), in the text format.
//
// Nodes that PostgreSQL would not have made are not shown: a subquery scan without conditions that gives the subquery's
// rows as they are, a Result that only hands on rows. Others that it has and plans here have not are shown: "Hash"
// below a hash join, the "Append" of "*SELECT* 1" and "*SELECT* 2" below a set operation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan/plan.h"

namespace polarsim::engine::plan {

struct ExplainOptions {
  bool analyze = false;
  bool verbose = false;
  bool costs = true;
  bool timing = true;
  bool summary = false;  // of whoever prints what follows the plan
};

// What all runs of a node together measured, for ANALYZE; what is printed is the average of a run.
struct NodeMeasurement {
  double startup_ms = 0;  // until the first row
  double total_ms = 0;
  double rows = 0;
  double loops = 0;  // 0: never executed
  double rows_removed_by_filter = 0;
  double rows_removed_by_join_filter = 0;
  // More to say, shown after the node's conditions: "Sort Method: quicksort  Memory: 25kB". Those of a hash join are
  // shown at its Hash: "Buckets: 1024  Batches: 1  Memory Usage: 9kB".
  std::vector<std::string> lines;
};

struct ExplainContext {
  ExplainOptions options;
  // Of a node of the statement's plans; null: never executed. Asked with ExplainOptions::analyze only.
  std::function<const NodeMeasurement*(const Plan& plan)> measurement;
  // The lines below "Custom Scan (name)", indented as if they stood at the beginning of the line.
  std::function<std::vector<std::string>(const CustomScan& scan, const ExplainOptions& options)> custom;
};

// One line each, without the lines about planning and execution time.
std::vector<std::string> explain(const PlannedStatement& statement, const ExplainContext& context);

}  // namespace polarsim::engine::plan
