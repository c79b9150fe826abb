// What the rows of a plan are computed from besides tables: parameters of the plan that come from outside it, and work
// tables (PostgreSQL's extParam and allParam, src/backend/optimizer/plan/subselect.c).
#pragma once

#include "engine/executor/executor_state.h"

namespace polarsim::engine::executor {

// Of the node's own expressions and of the subplans they call; what its children need is not among them.
Dependencies dependencies_of(const plan::Plan& plan, const plan::PlannedStatement& statement);
// Of a whole tree.
Dependencies tree_dependencies(const plan::Plan& plan, const plan::PlannedStatement& statement);

}  // namespace polarsim::engine::executor
