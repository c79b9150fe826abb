// SELECT over distributed tables. Called by plan_distributed().
#pragma once

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_select(const query::QueryPtr& query, const DistributionInputs& inputs);
// SELECT of the targets over the columns (entry 0) of the plan's rows, in their order, by this node;
// `alias` is what they are called.
DistributedPlanPtr with_targets(const DistributedPlanPtr& plan, const std::vector<query::Target>& targets,
                                const char* alias);

// A plan of one task, where one node has everything that the query asks for: null if there is none. Also of changes
// whose target is one of the tables. `settled`: there is none yet, but there could be, once the parameters are known.
struct RoutedQuery {
  JobPtr job;
  bool generic = true;
  bool settled = true;
};
RoutedQuery route_query(const query::QueryPtr& query, const DistributionInputs& inputs);

}  // namespace polarsim::engine::distribution
