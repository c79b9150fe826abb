// EXPLAIN: a plan as PostgreSQL prints it (src/backend/commands/explain.c), in the text format.
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
  bool summary = false;
};

// What a run of a node measured, for ANALYZE.
struct NodeMeasurement {
  double startup_ms = 0;
  double total_ms = 0;
  double rows = 0;
  double loops = 0;
  double rows_removed_by_filter = 0;
  double rows_removed_by_join_filter = 0;
  std::vector<std::string> lines;  // more to say: "Sort Method: quicksort  Memory: 25kB"
};

struct ExplainContext {
  ExplainOptions options;
  std::function<const NodeMeasurement*(const Plan& plan)> measurement;  // null: no ANALYZE
  // The lines of a custom scan, already indented for depth 0.
  std::function<std::vector<std::string>(const CustomScan& scan, const ExplainOptions& options)> custom;
};

// One line each, without the lines about planning and execution time.
std::vector<std::string> explain(const PlannedStatement& statement, const ExplainContext& context);

}  // namespace polarsim::engine::plan
