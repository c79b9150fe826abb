#include "engine/distribution/change.h"

#include "engine/sql/error.h"

namespace polarsim::engine::distribution {

DistributedPlanPtr plan_change(const query::QueryPtr& /*query*/, const DistributionInputs& /*inputs*/) {
  throw SqlError(sqlstate::feature_not_supported, "changes of distributed tables are not supported here");
}

}  // namespace polarsim::engine::distribution
