#include "engine/distribution/change.h"

#include "engine/distribution/change_checks.h"
#include "engine/distribution/insert_source.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_change(const query::QueryPtr& query, const DistributionInputs& inputs) {
  const TableDistributionPtr table = changed_table(*query, inputs.source);
  if (!table) return plan_local_change(query, inputs);
  if (query->command != query::Command::insert) return plan_update_or_delete(query, table, inputs);
  return has_source_query(*query) ? plan_insert_select(query, table, inputs) : plan_insert_values(query, table, inputs);
}

}  // namespace polarsim::engine::distribution
