// From a query to a plan: subqueries pulled up, outer joins reduced, conditions pushed down, join order and methods
// chosen by cost (PostgreSQL's src/backend/optimizer; Selinger et al., SIGMOD 1979).
//
// The choice is a function of query, relations' statistics and settings alone.
#pragma once

#include "engine/plan/plan.h"

namespace polarsim::engine::plan {

// PostgreSQL's settings of these names, and their defaults.
struct PlannerSettings {
  double seq_page_cost = 1.0;
  double random_page_cost = 4.0;
  double cpu_tuple_cost = 0.01;
  double cpu_index_tuple_cost = 0.005;
  double cpu_operator_cost = 0.0025;
  double work_mem_kb = 4096;
  bool enable_seqscan = true;
  bool enable_indexscan = true;
  bool enable_nestloop = true;
  bool enable_hashjoin = true;
  bool enable_mergejoin = true;
  bool enable_hashagg = true;
  bool enable_sort = true;
  bool enable_material = true;
};

struct PlannerInputs {
  const CallContext& call;
  const PlannerSettings& settings;
  std::span<const Value> parameters = {};  // known values: for a plan that is used once
};

PlannedStatementPtr plan_query(const query::QueryPtr& query, const PlannerInputs& inputs);

}  // namespace polarsim::engine::plan
