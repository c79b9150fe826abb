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
// Whether it looks at where rows are and who has made them, which is another thing on each copy; in queries inside it,
// too.
bool uses_system_columns(const query::Query& query);
// Of a change of a reference table: 0A000 for that. RETURNING may; it tells of the first copy.
void refuse_system_columns(const query::Query& change);

}  // namespace polarsim::engine::distribution
