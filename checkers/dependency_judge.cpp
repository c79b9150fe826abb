#include "checkers/dependency_judge.h"

#include <utility>

#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

// The weakest axiom up to `level` that fails says most; those above it fail, too.
void check_axioms(const NumberedExecution& numbered, WeakLevel level, Findings& findings) {
  for (const WeakLevel axiom : {WeakLevel::mav, WeakLevel::be_rc, WeakLevel::read_atomic, WeakLevel::causal}) {
    const WeakVerdict verdict = decide(numbered.execution, axiom);
    if (!verdict.holds) {
      findings.add_contradictions(verdict, axiom, numbered);
      return;
    }
    if (axiom == level) return;
  }
}

std::string reason_of_unknown_order(const std::string& key) {
  return "nothing tells the order in which the versions of key " + key +
         " were written, so that only levels up to CC can be decided";
}

}  // namespace

Verdict judge_dependencies(std::string_view checker, const Level& level, const Operations& operations,
                           const Dependencies& dependencies, Findings findings) {
  const LevelRules rules = rules_of_level(level.model);
  NameSet prohibited = prohibited_anomalies(rules.model);
  LevelEvidence evidence;
  if (level.every_level) evidence.anomalies = findings.names();

  DependencyGraph::Builder builder(operations.list.size());
  bool any = false;
  dependencies.add(builder, any);
  DependencyGraph::Builder with_every_order = builder;
  if (add_order_edges(operations, order_needed(prohibited), builder)) any = true;
  const DependencyGraph graph = std::move(builder).build();
  findings.add_cycles(find_cycles(graph), graph, dependencies.explain);

  NumberedExecution numbered;
  if (rules.weak || level.every_level) numbered = dependencies.execution();
  if (rules.weak) {
    check_axioms(numbered, *rules.weak, findings);
    for (const WeakLevel axiom : {WeakLevel::mav, WeakLevel::be_rc, WeakLevel::read_atomic, WeakLevel::causal}) {
      prohibited.insert(std::string(to_string(axiom)) + "-cycle");
    }
  }

  Verdict verdict = std::move(findings).verdict(checker, prohibited, !any);
  const std::string unordered =
      rules.needs_order || level.every_level ? dependencies.key_without_order() : std::string();
  if (rules.needs_order && !unordered.empty() && verdict.validity == Validity::valid) {
    verdict.validity = Validity::unknown;
    verdict.reason = reason_of_unknown_order(unordered);
  }
  if (level.every_level) {
    add_order_edges(operations, OrderKind::process, with_every_order);
    add_order_edges(operations, OrderKind::realtime, with_every_order);
    const DependencyGraph full = std::move(with_every_order).build();
    evidence.graph = &full;
    evidence.execution = &numbered.execution;
    evidence.order_known = unordered.empty();
    verdict.levels = decide_levels(evidence);
  }
  return verdict;
}

}  // namespace polarsim::checkers
