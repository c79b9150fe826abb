// What list-append and rw-register do alike once they know the dependencies: cycles, axioms, levels, the verdict.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "checkers/checkers.h"
#include "checkers/executions.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

struct Dependencies {
  // Adds the edges between transactions that data show; `any` is set if there were any, those from a transaction to
  // itself included.
  std::function<void(DependencyGraph::Builder& builder, bool& any)> add;
  Findings::ExplainEdge explain;
  // Asked for only if a level needs it.
  std::function<NumberedExecution()> execution;
  // Whether what the edges show of two transactions is all that an execution knows of them, so that an order of all
  // transactions that agrees with the edges satisfies every axiom.
  bool edges_tell_all = true;
  // The key whose versions have no known order; empty if there is none.
  std::function<std::string()> key_without_order;
};

Verdict judge_dependencies(std::string_view checker, const Level& level, const Operations& operations,
                           const Dependencies& dependencies, Findings findings);

}  // namespace polarsim::checkers
