// UPDATE and DELETE of reference tables: the same statement for every copy, which must see the same rows everywhere.
// Common tables of the query are computed first, whatever they are.
#pragma once

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_reference_change(const query::QueryPtr& query, const TableDistribution& table,
                                         const DistributionInputs& inputs);

// Whether the query's rows depend on the order in which it finds those that it reads, queries inside it not looked at:
// copies of a table have the same rows, but not in the same order, because statements of several sessions reach them in
// any.
bool depends_on_order(const query::Query& query);

}  // namespace polarsim::engine::distribution
