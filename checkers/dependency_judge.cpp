#include "checkers/dependency_judge.h"

#include <initializer_list>
#include <utility>

#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

constexpr WeakLevel axioms[] = {WeakLevel::mav, WeakLevel::be_rc, WeakLevel::read_atomic, WeakLevel::causal};

// If the axiom of the level fails, the weakest one that fails says most.
void check_axioms(const NumberedExecution& numbered, WeakLevel level, Findings& findings) {
  const WeakVerdict asked = decide(numbered.execution, level);
  if (asked.holds) return;
  for (const WeakLevel axiom : axioms) {
    const WeakVerdict weaker = axiom == level ? asked : decide(numbered.execution, axiom);
    if (weaker.holds) continue;
    findings.add_contradictions(weaker, axiom, numbered);
    return;
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
  const OrderKind needed = order_needed(prohibited);
  LevelEvidence evidence;
  evidence.anomalies = findings.names();

  bool any = false;
  const auto graph_with = [&](std::initializer_list<OrderKind> orders) {
    return DependencyGraph::in_two_passes(operations.list.size(), [&](DependencyGraph::Builder& builder) {
      dependencies.add(builder, any);
      for (const OrderKind order : orders) {
        const bool ordered = add_order_edges(operations, order, builder);
        any = any || (ordered && order == needed);
      }
    });
  };
  DependencyGraph every;
  if (level.every_level) {
    every = graph_with({OrderKind::process, OrderKind::realtime});
    evidence.graph = &every;
    evidence.acyclic = find_components(every, every_relation).count == 0;
  }
  if (!evidence.acyclic) {
    const DependencyGraph graph = graph_with({needed});
    findings.add_cycles(find_cycles(graph), graph, dependencies.explain);
  }

  const std::string unordered =
      rules.needs_order || level.every_level ? dependencies.key_without_order() : std::string();
  evidence.order_known = unordered.empty();
  evidence.edges_tell_all = dependencies.edges_tell_all;
  NumberedExecution numbered;
  if (!evidence.nothing_found() && (rules.weak || level.every_level)) {
    numbered = dependencies.execution();
    evidence.execution = &numbered.execution;
  }
  if (rules.weak) {
    if (!evidence.nothing_found()) check_axioms(numbered, *rules.weak, findings);
    for (const WeakLevel axiom : axioms) prohibited.insert(std::string(to_string(axiom)) + "-cycle");
  }

  Verdict verdict = std::move(findings).verdict(checker, prohibited, !any);
  if (rules.needs_order && !unordered.empty() && verdict.validity == Validity::valid) {
    verdict.validity = Validity::unknown;
    verdict.reason = reason_of_unknown_order(unordered);
  }
  if (level.every_level) verdict.levels = decide_levels(evidence);
  return verdict;
}

}  // namespace polarsim::checkers
