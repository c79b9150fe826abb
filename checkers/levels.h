// The levels of isolation by their exact names, from weak to strong:
//
//   PL-1, PL-2         Adya's: no dirty writes; no dirty, intermediate or circular reads either
//   MAV, BE-RC, RA, CC weak_levels.h
//   RR, SI, SER        Adya's PL-2.99, PL-SI and PL-3 over items
//   strong-session-X   X, with the transactions of each process in their order
//   strong-X           X, in real time
//
// Elle's names of consistency models (consistency_models.h) are levels, too. They differ in one thing: where a history
// of registers does not tell the order of versions, Elle's names are judged by what can be inferred and then called
// valid; RR, SI and SER and their variants are called unknown. PL-1 to CC need no order: that one exists is enough.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/consistency_models.h"
#include "checkers/dependency_graph.h"
#include "checkers/execution.h"
#include "checkers/verdict.h"
#include "checkers/weak_levels.h"

namespace polarsim::checkers {

// Weakest first: none is weaker than one before it.
std::vector<std::string> exact_level_names();

// What must be looked at to decide a level of any name.
struct LevelRules {
  std::string model;              // Elle's consistency model whose anomalies are forbidden
  std::optional<WeakLevel> weak;  // and the axiom that must hold
  bool needs_order = false;       // unknown unless the order of the versions of every key is known
};
// Precondition: is_known_level(name).
LevelRules rules_of_level(std::string_view name);

// The weakest of the exact levels that an anomaly rules out; none if no level forbids it.
std::vector<std::string> levels_ruled_out_by(std::string_view anomaly);

// Everything that the exact levels are decided from.
struct LevelEvidence {
  NameSet anomalies;                       // found, those that are no cycles
  const DependencyGraph* graph = nullptr;  // with both process and real-time edges
  bool acyclic = false;                    // that graph
  bool edges_tell_all = true;              // see Dependencies
  bool order_known = true;                 // of the versions of every key
  const Execution* execution = nullptr;    // if anything was found
  // Then an order of all transactions agrees with everything: the history is at every level. Such an order keeps that
  // of sessions and, where t3 reads x from t1 and observed t2, puts t2 before t3; were t2's version of x later than
  // t1's, t3 would precede t2 by a chain of rw and ww.
  bool nothing_found() const { return acyclic && edges_tell_all && order_known && anomalies.empty(); }
};
// For each of exact_level_names(), in that order.
std::vector<LevelDecision> decide_levels(const LevelEvidence& evidence);

}  // namespace polarsim::checkers
