// INSERT, UPDATE and DELETE on distributed tables. Called by plan_distributed(); the query's constants are folded.
//
// Sources: the relative's multi_router_planner.c, insert_select_planner.c, recursive_planning.c.
#pragma once

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_change(const query::QueryPtr& query, const DistributionInputs& inputs);

// --- its parts ---

// INSERT of rows that the statement gives itself: into a distributed table.
DistributedPlanPtr plan_insert_values(const query::QueryPtr& query, const TableDistributionPtr& table,
                                      const DistributionInputs& inputs);
// INSERT ... SELECT into a distributed table.
DistributedPlanPtr plan_insert_select(const query::QueryPtr& query, const TableDistributionPtr& table,
                                      const DistributionInputs& inputs);
// UPDATE and DELETE of a distributed table.
DistributedPlanPtr plan_update_or_delete(const query::QueryPtr& query, const TableDistributionPtr& table,
                                         const DistributionInputs& inputs);
// Any change of a table that is this node's alone, by a statement that uses distributed tables.
DistributedPlanPtr plan_local_change(const query::QueryPtr& query, const DistributionInputs& inputs);

}  // namespace polarsim::engine::distribution
