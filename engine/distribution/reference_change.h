// UPDATE and DELETE of reference tables: the same statement for every copy, which must see the same rows everywhere.
// Common tables of the query are computed first, whatever they are.
#pragma once

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_reference_change(const query::QueryPtr& query, const TableDistribution& table,
                                         const DistributionInputs& inputs);

}  // namespace polarsim::engine::distribution
