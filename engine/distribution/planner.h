// From a query to a distributed plan (docs/query.md, "Distribution"; the relative's planner directory, whose errors
// are used where it refuses a statement).
//
// A pure function of query, metadata, settings and the number of the plan. Throws SqlError for what cannot be done.
#pragma once

#include "engine/distribution/plan.h"
#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// polar_cluster.* settings of these names.
struct DistributionSettings {
  bool enable_repartition_joins = false;
  bool enable_single_hash_repartition_joins = false;
  int repartition_join_bucket_count_per_node = 4;
};

// Numbers for plans, from 1: names of intermediate results contain them. One for each session.
class PlanNumbers {
 public:
  std::uint64_t next() { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

struct DistributionInputs {
  DistributionSource& source;
  const CallContext& call;
  const DistributionSettings& settings;
  PlanNumbers& numbers;
  // Known values, for a plan that is used once; empty: the plan shall be right for all values, which it says itself
  // (DistributedPlan::generic): if it is not, plan once more for each execution, with values.
  std::span<const Value> parameters = {};
};

// Of any command. A statement without distributed tables gets a plan of tier local.
DistributedPlanPtr plan_distributed(const query::QueryPtr& query, const DistributionInputs& inputs);
// Whether a table of the query, wherever it stands, is distributed.
bool uses_distributed_tables(const query::Query& query, DistributionSource& source);

// For EXPLAIN and other callers that want a local plan for every distributed one: `merge`, or the job's rows as they
// are.
query::QueryPtr merge_query(const DistributedPlan& plan);

}  // namespace polarsim::engine::distribution
