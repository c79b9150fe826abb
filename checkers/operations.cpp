#include "checkers/operations.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "checkers/executions.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t examples_per_name = 4;

// Worst first: the order of the anomalies in a verdict. Cycles with process or real-time edges follow those without.
int severity(std::string_view name) {
  static constexpr std::string_view order[] = {"thin-air-read",
                                               "duplicate-elements",
                                               "cyclic-versions",
                                               "lost-append",
                                               "lost-write",
                                               "partial-commit",
                                               "G0",
                                               "G1a",
                                               "dirty-update",
                                               "incompatible-order",
                                               "G1b",
                                               "G1c",
                                               "future-read",
                                               "internal-own-write",
                                               "MAV-cycle",
                                               "BE-RC-cycle",
                                               "RA-cycle",
                                               "CC-cycle",
                                               "internal",
                                               "lost-update",
                                               "G-single-item",
                                               "G-nonadjacent-item",
                                               "G2-item"};
  int base = 0;
  std::string_view stem = name;
  if (stem.ends_with("-process")) {
    base = 100;
    stem.remove_suffix(8);
  } else if (stem.ends_with("-realtime")) {
    base = 200;
    stem.remove_suffix(9);
  }
  int place = 0;
  for (const std::string_view known : order) {
    if (known == stem) return base + place;
    ++place;
  }
  return 300;
}

}  // namespace

bool may_touch_key_twice(std::span<const Step> steps) {
  constexpr std::size_t short_enough = 16;
  if (steps.size() > short_enough) return true;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (steps[i].key == steps[j].key) return true;
    }
  }
  return false;
}

NameSet prohibited_anomalies(std::string_view model) {
  NameSet prohibited = anomalies_prohibited_by(model);
  // No level gives leave to forget what was acknowledged, not even those that do not imply read-uncommitted.
  prohibited.insert({"lost-append", "lost-write", "partial-commit"});
  const bool holds_read_committed = models_at_least("read-committed").contains(friendly_model_name(model));
  if (holds_read_committed && !prohibited.contains("internal")) prohibited.insert("internal-own-write");
  return prohibited;
}

OrderKind order_needed(const NameSet& prohibited) {
  const auto any = [&](std::string_view suffix) {
    return std::any_of(prohibited.begin(), prohibited.end(),
                       [&](const std::string& name) { return name.ends_with(suffix); });
  };
  if (any("-realtime")) return OrderKind::realtime;
  return any("-process") ? OrderKind::process : OrderKind::none;
}

bool add_order_edges(const Operations& operations, OrderKind kind, DependencyGraph::Builder& builder) {
  bool any = false;
  if (kind == OrderKind::none) return any;
  // What happens at each position of the history: a number of an operation, for its invocation or its completion.
  std::vector<std::uint32_t> at(static_cast<std::size_t>(operations.event_count()), no_vertex);
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    at[static_cast<std::size_t>(operations.list[v].invoked)] = v;
    if (operations.list[v].completed >= 0) at[static_cast<std::size_t>(operations.list[v].completed)] = v;
  }
  RealTimeFrontier frontier(operations);
  boost::unordered_flat_map<std::int64_t, std::uint32_t> last_of_process;
  for (std::size_t position = 0; position < at.size(); ++position) {
    const std::uint32_t v = at[position];
    if (v == no_vertex) continue;
    const Operation& operation = operations.list[v];
    if (operation.invoked == static_cast<std::int64_t>(position)) {
      if (kind != OrderKind::realtime) continue;
      for (const std::uint32_t before : frontier.before_invocation()) {
        any = true;
        if (operation.possible()) builder.add(before, v, realtime);
      }
    } else if (kind == OrderKind::realtime) {
      frontier.complete(v);
    } else if (operation.ok()) {
      const auto [last, added] = last_of_process.try_emplace(operation.process, v);
      if (!added) {
        any = true;
        builder.add(last->second, v, process);
        last->second = v;
      }
    }
  }
  return any;
}

bool Findings::count(const std::string& name) {
  ++counts_[name];
  return kept_[name].size() < examples_per_name;
}

void Findings::keep(const std::string& name, std::string explanation, const std::vector<std::uint32_t>& involved) {
  Explanation details = explain_plainly(operations_, name, explanation, involved);
  keep(name, {std::move(explanation), involved, std::move(details)});
}

void Findings::keep(const std::string& name, Explained explained) {
  Anomaly anomaly;
  anomaly.name = name;
  anomaly.explanation = std::move(explained.text);
  for (const std::uint32_t v : explained.involved) anomaly.operations.push_back(operations_.list[v].index);
  anomaly.details = std::move(explained.details);
  kept_[name].push_back(std::move(anomaly));
}

std::string Findings::describe(std::uint32_t operation) const {
  return "op " + std::to_string(operations_.list[operation].index);
}

void Findings::add_cycles(const CycleReport& report, const DependencyGraph& graph, const ExplainEdge& explain) {
  for (const Cycle& cycle : report.cycles) {
    if (count(cycle.type)) keep(cycle.type, explain_cycle(operations_, graph, cycle, explain));
  }
  for (const std::string& name : report.existing) {
    if (!count(name)) continue;
    keep(
        name,
        "Some cycle of transactions rules out " + model_of_cycle_exists(name) + ", though none of a plainer kind does.",
        {});
  }
}

void Findings::add_contradictions(const WeakVerdict& found, WeakLevel level, const NumberedExecution& numbered) {
  const std::string anomaly = std::string(to_string(level)) + "-cycle";
  for (const WeakVerdict::Contradiction& contradiction : found.contradictions) {
    if (count(anomaly)) keep(anomaly, explain_contradiction(operations_, contradiction, level, numbered));
  }
}

NameSet Findings::names() const {
  NameSet names;
  for (const auto& [name, number] : counts_) names.insert(name);
  return names;
}

// "-cycle-exists" says something new only if no other anomaly rules its model out.
void Findings::drop_redundant_existence() {
  NameSet others;
  NameSet existence;
  for (const auto& [name, number] : counts_) (name.ends_with("-cycle-exists") ? existence : others).insert(name);
  const NameSet impossible = models_ruled_out_by(others);
  for (const std::string& name : existence) {
    if (!impossible.contains(model_of_cycle_exists(name))) continue;
    counts_.erase(name);
    kept_.erase(name);
  }
}

Verdict Findings::verdict(std::string_view checker, const NameSet& prohibited, bool graph_is_empty) && {
  drop_redundant_existence();
  Verdict verdict;
  verdict.checker = checker;
  verdict.operations_checked = operations_.list.size();
  verdict.counts.assign(counts_.begin(), counts_.end());
  std::vector<std::pair<int, std::string>> names;
  NameSet found;
  bool bad = false;
  for (const auto& [name, number] : counts_) {
    names.emplace_back(severity(name), name);
    found.insert(name);
    bad = bad || prohibited.contains(name);
  }
  std::sort(names.begin(), names.end());
  // Where `internal` is forbidden it stands for its own-write part too, which is then no exposure.
  if (prohibited.contains("internal")) kept_.erase("internal-own-write");
  for (const auto& [rank, name] : names) {
    std::vector<Anomaly>& to = prohibited.contains(name) ? verdict.anomalies : verdict.exposures;
    for (Anomaly& anomaly : kept_[name]) to.push_back(std::move(anomaly));
  }
  verdict.validity = bad ? Validity::invalid : graph_is_empty ? Validity::unknown : Validity::valid;
  if (graph_is_empty) {
    std::string reason = "no transaction is known to depend on another, so there was no order to check";
    if (!bad) verdict.reason = reason;
    verdict.anomalies.push_back({"empty-transaction-graph", std::move(reason) + ".", {}, {}});
  }
  if (bad || graph_is_empty) {
    // Not among the lattice's names.
    for (const char* own : {"internal-own-write", "MAV-cycle", "BE-RC-cycle", "RA-cycle", "CC-cycle"}) found.erase(own);
    Boundary boundary = boundary_of(found);
    verdict.not_models = std::move(boundary.not_models);
    verdict.also_not = std::move(boundary.also_not);
  }
  return verdict;
}

Verdict unknown_verdict(std::string_view checker, std::string reason, std::uint64_t operations) {
  Verdict verdict;
  verdict.checker = checker;
  verdict.validity = Validity::unknown;
  verdict.reason = std::move(reason);
  verdict.operations_checked = operations;
  return verdict;
}

std::string list_text(const Operations& operations, const Step& read) {
  if (!read.known) return "nil";
  constexpr std::size_t shown = 16;
  const std::span<const std::int64_t> list = operations.list_of(read);
  std::string text = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text += ' ';
    if (list.size() > 2 * shown && i == shown) {
      text += "... ";
      i = list.size() - shown;
    }
    text += std::to_string(list[i]);
  }
  return text + "]";
}

}  // namespace polarsim::checkers
