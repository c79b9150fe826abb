// All rows of an execution as a statement's answer.
#pragma once

#include "engine/executor/executor.h"

namespace polarsim::engine::executor {

// Runs what is left of it, and finishes it. The columns are the statement's, the tag PostgreSQL's.
QueryResult run_to_the_end(Execution& execution, const plan::PlannedStatement& statement);

}  // namespace polarsim::engine::executor
