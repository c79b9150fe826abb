// INSERT, UPDATE and DELETE on distributed tables. Called by plan_distributed(); the query's constants are folded.
#pragma once

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_change(const query::QueryPtr& query, const DistributionInputs& inputs);

}  // namespace polarsim::engine::distribution
