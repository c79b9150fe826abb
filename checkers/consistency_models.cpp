#include "checkers/consistency_models.h"

#include <map>

namespace polarsim::checkers {

namespace {

using Graph = std::map<std::string, std::vector<std::string>, std::less<>>;

// Synonyms, and the one name that verdicts use.
const std::map<std::string, std::string, std::less<>>& synonyms() {
  static const std::map<std::string, std::string, std::less<>> table = {
      {"PL-1", "read-uncommitted"},
      {"PL-2", "read-committed"},
      {"PL-2+", "consistent-view"},
      {"PL-2L", "monotonic-view"},
      {"PL-2.99", "repeatable-read"},
      {"PL-3", "serializable"},
      {"PL-3U", "update-serializable"},
      {"PL-CS", "cursor-stability"},
      {"PL-FCV", "forward-consistent-view"},
      {"PL-MSR", "monotonic-snapshot-read"},
      {"PL-SI", "snapshot-isolation"},
      {"PL-SS", "strong-serializable"},
      {"conflict-serializable", "serializable"},
      {"strict-serializable", "strong-serializable"},
      {"strong-PL-1", "strong-read-uncommitted"},
      {"strong-PL-2", "strong-read-committed"},
      {"strong-session-PL-1", "strong-session-read-uncommitted"},
      {"strong-session-PL-2", "strong-session-read-committed"},
  };
  return table;
}

// A model -> the models it directly implies.
const Graph& weaker_models() {
  static const Graph graph = {
      {"PRAM", {"monotonic-reads", "monotonic-writes", "read-your-writes"}},
      {"causal", {"PRAM", "writes-follow-reads"}},
      {"causal-cerone", {"read-atomic"}},
      {"consistent-view", {"cursor-stability", "monotonic-view"}},
      {"cursor-stability", {"read-committed"}},
      {"forward-consistent-view", {"consistent-view"}},
      {"linearizable", {"sequential"}},
      {"monotonic-atomic-view", {"read-committed"}},
      {"monotonic-snapshot-read", {"read-committed"}},
      {"monotonic-view", {"read-committed"}},
      {"parallel-snapshot-isolation", {"causal-cerone", "update-atomic"}},
      {"prefix", {"causal-cerone"}},
      {"read-atomic", {"monotonic-atomic-view"}},
      {"read-committed", {"read-uncommitted"}},
      {"repeatable-read", {"cursor-stability", "monotonic-atomic-view"}},
      {"sequential", {"causal"}},
      {"serializable", {"repeatable-read", "snapshot-isolation", "update-serializable", "view-serializable"}},
      {"session-serializable", {"1SR"}},
      {"snapshot-isolation",
       {"forward-consistent-view", "monotonic-atomic-view", "monotonic-snapshot-read", "parallel-snapshot-isolation",
        "prefix"}},
      {"strong-read-committed", {"strong-read-uncommitted", "strong-session-read-committed"}},
      {"strong-read-uncommitted", {"strong-session-read-uncommitted"}},
      {"strong-serializable",
       {"linearizable", "serializable", "session-serializable", "snapshot-isolation", "strong-session-serializable",
        "strong-snapshot-isolation"}},
      {"strong-session-read-committed", {"read-committed", "strong-session-read-uncommitted"}},
      {"strong-session-read-uncommitted", {"read-uncommitted"}},
      {"strong-session-serializable", {"serializable", "strong-session-snapshot-isolation"}},
      {"strong-session-snapshot-isolation", {"snapshot-isolation", "strong-session-read-committed"}},
      {"strong-snapshot-isolation", {"strong-read-committed", "strong-session-snapshot-isolation"}},
      {"update-atomic", {"read-atomic"}},
      {"update-serializable", {"forward-consistent-view"}},
  };
  return graph;
}

// The cycle phenomena come in three variants: on data alone, with session (process) edges, with real-time edges. Each
// is a special case of the next, because a session runs one transaction at a time.
void add_variants(Graph& graph, const std::string& name, const std::vector<std::string>& generalisations) {
  static const std::vector<std::string> suffixes = {"", "-process", "-realtime"};
  for (std::size_t i = 0; i < suffixes.size(); ++i) {
    std::vector<std::string>& implied = graph[name + suffixes[i]];
    for (const std::string& general : generalisations) implied.push_back(general + suffixes[i]);
    if (i + 1 < suffixes.size()) implied.push_back(name + suffixes[i + 1]);
  }
}

// An anomaly -> the anomalies it is directly a special case of.
const Graph& general_anomalies() {
  static const Graph graph = [] {
    Graph g = {
        {"G1a", {"G1"}},
        {"G1b", {"G1"}},
        {"dirty-update", {"G1a"}},
        {"future-read", {"G1c"}},
        {"incompatible-order", {"G1a"}},
        {"lost-update", {"G2-item"}},
    };
    add_variants(g, "G0", {"G1c"});
    add_variants(g, "G1c", {"G1"});
    add_variants(g, "G1", {});
    add_variants(g, "G-single-item", {"G-single", "G-nonadjacent-item"});
    add_variants(g, "G-single", {"G-nonadjacent"});
    add_variants(g, "G-nonadjacent-item", {"G-nonadjacent", "G2-item"});
    add_variants(g, "G-nonadjacent", {"G2"});
    add_variants(g, "G2-item", {"G2"});
    add_variants(g, "G2", {});
    return g;
  }();
  return graph;
}

// A model -> the anomalies it forbids beyond those its weaker models forbid. A value that nobody wrote
// ("thin-air-read") and a store that does not keep list elements ("duplicate-elements") or version orders apart have no
// place in any history of Adya's, nor have committed writes that are gone at rest or of which only a part is there.
const Graph& forbidden_anomalies() {
  static const Graph graph = {
      {"causal-cerone", {"internal", "G1a"}},
      {"consistent-view", {"G1", "G-single"}},
      {"cursor-stability", {"G1", "lost-update"}},
      {"forward-consistent-view", {"G1"}},
      {"monotonic-snapshot-read", {"G1"}},
      {"monotonic-view", {"G1"}},
      {"parallel-snapshot-isolation", {"internal", "G1a"}},
      {"prefix", {"internal", "G1a"}},
      {"read-atomic", {"internal", "G1a", "future-read"}},
      {"read-committed", {"G1", "PL-2-cycle-exists"}},
      {"read-uncommitted",
       {"G0", "duplicate-elements", "cyclic-versions", "thin-air-read", "PL-1-cycle-exists", "lost-append",
        "lost-write", "partial-commit"}},
      {"repeatable-read", {"G1", "G2-item", "lost-update", "PL-2.99-cycle-exists"}},
      {"serializable", {"G1", "G2", "internal", "PL-3-cycle-exists"}},
      {"snapshot-isolation", {"internal", "G1", "G-nonadjacent", "PL-SI-cycle-exists"}},
      {"strong-read-committed", {"G1c-realtime", "strong-PL-2-cycle-exists"}},
      {"strong-read-uncommitted", {"G0-realtime", "strong-PL-1-cycle-exists"}},
      {"strong-serializable", {"G1", "G1c-realtime", "G2-realtime", "PL-SS-cycle-exists"}},
      {"strong-session-read-committed", {"G1c-process", "strong-session-PL-2-cycle-exists"}},
      {"strong-session-read-uncommitted", {"G0-process", "strong-session-PL-1-cycle-exists"}},
      {"strong-session-serializable", {"G1-process", "G2-process", "strong-session-serializable-cycle-exists"}},
      {"strong-session-snapshot-isolation",
       {"internal", "G1-process", "G-nonadjacent-process", "strong-session-snapshot-isolation-cycle-exists"}},
      {"strong-snapshot-isolation",
       {"internal", "G1-realtime", "G-nonadjacent-realtime", "strong-snapshot-isolation-cycle-exists"}},
      {"update-atomic", {"lost-update"}},
      {"update-serializable", {"G1"}},
  };
  return graph;
}

Graph reversed(const Graph& graph) {
  Graph result;
  for (const auto& [from, to] : graph) {
    for (const std::string& name : to) result[name].push_back(from);
  }
  return result;
}

NameSet reachable(const Graph& graph, const NameSet& from) {
  NameSet seen = from;
  std::vector<std::string> work(from.begin(), from.end());
  while (!work.empty()) {
    const std::string name = std::move(work.back());
    work.pop_back();
    const auto found = graph.find(name);
    if (found == graph.end()) continue;
    for (const std::string& next : found->second) {
      if (seen.insert(next).second) work.push_back(next);
    }
  }
  return seen;
}

}  // namespace

std::vector<std::string> all_model_names() {
  NameSet names;
  for (const auto& [from, to] : weaker_models()) {
    names.insert(from);
    names.insert(to.begin(), to.end());
  }
  for (const auto& [name, canonical] : synonyms()) names.insert(name);
  return {names.begin(), names.end()};
}

bool is_model_name(std::string_view model) {
  static const NameSet names = [] {
    const std::vector<std::string> all = all_model_names();
    return NameSet(all.begin(), all.end());
  }();
  return names.contains(model);
}

std::string friendly_model_name(std::string_view model) {
  const auto found = synonyms().find(model);
  return found == synonyms().end() ? std::string(model) : found->second;
}

NameSet anomalies_prohibited_by(std::string_view model) {
  static const Graph special_anomalies = reversed(general_anomalies());
  NameSet anomalies;
  for (const std::string& implied : reachable(weaker_models(), {friendly_model_name(model)})) {
    const auto found = forbidden_anomalies().find(implied);
    if (found != forbidden_anomalies().end()) anomalies.insert(found->second.begin(), found->second.end());
  }
  return reachable(special_anomalies, anomalies);
}

NameSet anomalies_implied_by(std::string_view anomaly) {
  return reachable(general_anomalies(), {std::string(anomaly)});
}

NameSet models_at_least(std::string_view model) {
  static const Graph stronger_models = reversed(weaker_models());
  return reachable(stronger_models, {friendly_model_name(model)});
}

NameSet models_ruled_out_by(const NameSet& anomalies) {
  static const Graph stronger_models = reversed(weaker_models());
  static const Graph forbidding_models = reversed(forbidden_anomalies());
  NameSet models;
  for (const std::string& anomaly : reachable(general_anomalies(), anomalies)) {
    const auto found = forbidding_models.find(anomaly);
    if (found != forbidding_models.end()) models.insert(found->second.begin(), found->second.end());
  }
  return reachable(stronger_models, models);
}

Boundary boundary_of(const NameSet& anomalies) {
  const NameSet impossible = models_ruled_out_by(anomalies);
  Boundary boundary;
  for (const std::string& model : impossible) {
    bool weakest = true;
    for (const std::string& weaker : reachable(weaker_models(), {model})) {
      if (weaker != model && impossible.contains(weaker)) weakest = false;
    }
    (weakest ? boundary.not_models : boundary.also_not).push_back(model);
  }
  return boundary;
}

}  // namespace polarsim::checkers
