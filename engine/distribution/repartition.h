// Joins of tables whose rows do not lie together: both sides, or one, are sent to where they are joined first.
//
// Source: the relative's multi_join_order.c and multi_physical_planner.c (single and dual hash repartition joins).
#pragma once

#include "engine/distribution/planner.h"
#include "engine/distribution/subplans.h"

namespace polarsim::engine::distribution {

// `query` joins tables alone, by inner joins. Fills in the plan: job, merge, tier. Throws the relative's errors where
// the settings do not allow it, or the conditions do not say by what to send the rows.
void repartition(const query::QueryPtr& query, const DistributionInputs& inputs, SubplanList& subplans,
                 DistributedPlan& plan);

}  // namespace polarsim::engine::distribution
