// EXPLAIN of distributed plans: the local plan that merges, and below its "Custom Scan (PolarCluster Adaptive)" what
// runs elsewhere, in the vendor's and the relative's shapes (multi_explain.c), as text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/distribution/planner.h"
#include "engine/plan/explain.h"
#include "engine/plan/planner.h"

namespace polarsim::engine::distribution {

// What a run has measured of a plan, for ANALYZE.
struct DistributedMeasurements {
  // The tasks that were run, the bytes of values that were received of each, and the plans of the first ones, as their
  // nodes have measured them, a line each.
  std::vector<Task> tasks;
  std::vector<std::uint64_t> bytes;
  std::vector<std::vector<std::string>> plans;
  std::function<const plan::NodeMeasurement*(const plan::Plan& plan)> nodes;
};

struct DistributedExplainContext {
  plan::ExplainOptions options;
  bool all_tasks = false;  // polar_cluster.explain_all_tasks
  const plan::PlannerInputs& planner;
  StatementValues values;
  // "host=dn1 port=5432 dbname=postgres"
  std::function<std::string(int group)> node;
  // The task's plan as its node explains it, a line each, with the same options; of tasks that were not measured.
  std::function<std::vector<std::string>(const Task& task)> task_plan;
  // Null: not measured. Of a subplan, and (null subplan) of the plan itself.
  std::function<const DistributedMeasurements*(const Subplan* subplan)> measured = nullptr;
  // The local plan that was run, where one is to be shown with measurements; null: it is planned here.
  std::function<plan::PlannedStatementPtr(const Subplan* subplan)> local_plan = nullptr;
};

std::vector<std::string> explain(const DistributedPlan& plan, const DistributedExplainContext& context);

}  // namespace polarsim::engine::distribution
