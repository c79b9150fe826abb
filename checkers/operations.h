// The orders that processes and real time put on transactions, and what the two dependency checkers (list-append,
// rw-register) do alike once they have their graph.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/compact_history.h"
#include "checkers/consistency_models.h"
#include "checkers/cycle_search.h"
#include "checkers/dependency_graph.h"
#include "checkers/explain.h"
#include "checkers/verdict.h"
#include "checkers/weak_levels.h"

namespace polarsim::checkers {

struct NumberedExecution;

// False if no two of its steps share a key, so that nothing within the transaction can contradict itself. Long ones are
// not looked into.
bool may_touch_key_twice(std::span<const Step> steps);

// A number for each key that one transaction touches, `no_vertex` at first. Most transactions touch a few keys, where
// walking through them is faster than hashing.
class LastOfKey {
 public:
  // Forgets everything; the transaction at hand has so many steps.
  void begin(std::size_t steps) {
    few_.clear();
    many_.clear();
    use_many_ = steps > walked_at_most;
  }
  std::uint32_t& operator[](std::uint32_t key) {
    if (use_many_) return many_.try_emplace(key, no_vertex).first->second;
    for (auto& [known, number] : few_) {
      if (known == key) return number;
    }
    return few_.emplace_back(key, no_vertex).second;
  }

 private:
  static constexpr std::size_t walked_at_most = 16;
  bool use_many_ = false;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> few_;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> many_;
};

// What must not occur at a level: Elle's set, and from read-committed upwards a transaction that misses its own write
// (where `internal` as a whole is forbidden, that name covers it). What final reads prove lost is forbidden everywhere.
NameSet prohibited_anomalies(std::string_view model);

// Which order beyond data a level needs: real time if it forbids a -realtime anomaly, else processes if it forbids a
// -process one.
enum class OrderKind { none, process, realtime };
OrderKind order_needed(const NameSet& prohibited);

// Real time among some operations, transitively reduced: told of their invocations and completions in the order of the
// history, it knows which operations a new one directly follows.
class RealTimeFrontier {
 public:
  explicit RealTimeFrontier(const Operations& operations) : operations_(operations) {}

  // Those that were acknowledged before this one was asked for, and before no other one that was.
  const std::deque<std::uint32_t>& before_invocation() const { return frontier_; }
  void complete(std::uint32_t operation) {
    const Operation& completed = operations_.list[operation];
    if (!completed.ok()) return;
    // Those that `operation` follows are a prefix, because they stand by completion.
    while (!frontier_.empty() && operations_.list[frontier_.front()].completed < completed.invoked) {
      frontier_.pop_front();
    }
    frontier_.push_back(operation);
  }

 private:
  const Operations& operations_;
  std::deque<std::uint32_t> frontier_;  // ok operations that no later ok one is known to follow
};

// Adds the edges of that order, if any. Real time goes from an ok to what is invoked later, transitively reduced;
// sessions from an ok to the next ok of the process. Returns whether there were any, failed operations at the far end
// included.
bool add_order_edges(const Operations& operations, OrderKind kind, DependencyGraph::Builder& builder);

// Gathers what was found, and turns it into a verdict in the end.
class Findings {
 public:
  // What data tell of the dependency of the second operation on the first, given the label of that edge.
  using ExplainEdge = checkers::ExplainEdge;

  explicit Findings(const Operations& operations) : operations_(operations) {}

  // Counts an anomaly; the explanation is asked for only while few of the name are kept.
  template <typename Explain>
  void add(const char* name, std::vector<std::uint32_t> involved, const Explain& explain) {
    if (!count(name)) return;
    keep(name, explain(), involved);
  }
  void add_cycles(const CycleReport& report, const DependencyGraph& graph, const ExplainEdge& explain);

  // What contradicts an axiom, as "<level>-cycle".
  void add_contradictions(const WeakVerdict& verdict, WeakLevel level, const NumberedExecution& numbered);
  // Of everything counted so far.
  NameSet names() const;

  // "op 12 (process 3, ok)".
  std::string describe(std::uint32_t operation) const;
  std::string key(std::uint32_t number) const { return operations_.key_text(number); }

  Verdict verdict(std::string_view checker, const NameSet& prohibited, bool graph_is_empty) &&;

 private:
  // Counts, and says whether one more example is worth keeping.
  bool count(const std::string& name);
  void keep(const std::string& name, std::string explanation, const std::vector<std::uint32_t>& involved);
  void keep(const std::string& name, Explained explained);
  void drop_redundant_existence();

  const Operations& operations_;
  std::map<std::string, std::uint64_t> counts_;
  std::map<std::string, std::vector<Anomaly>> kept_;
};

// A verdict that says why nothing could be judged.
Verdict unknown_verdict(std::string_view checker, std::string reason, std::uint64_t operations);

// "[1 2 3]" or "nil"; long lists are cut in the middle.
std::string list_text(const Operations& operations, const Step& read);

}  // namespace polarsim::checkers
