// Why a verdict says what it says, as data: the operations that take part and the dependencies between them. Whoever
// wants to show an anomaly in its own way starts here; explanation_pictures.h draws it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

struct Explanation {
  struct Participant {
    std::int64_t index = 0;         // Event::index of the completion, or of the invocation if there is none
    std::int64_t invoke_index = 0;  // Event::index of the invocation
    std::int64_t process = 0;
    EventType outcome = EventType::info;  // info: unknown, also if it never completed
    bool completed = true;
    std::int64_t invoked_ns = 0;
    std::int64_t completed_ns = 0;  // 0 if it never completed
    std::string node;               // what the event's :node says, a string without its quotes; empty: nothing
    std::string transaction;        // EDN; steps and elements left out are shown as the symbol `...`
    friend bool operator==(const Participant&, const Participant&) = default;
  };

  // One operation comes before another, and why.
  struct Edge {
    // Stands for the initial state of every key, which comes before all operations.
    static constexpr std::size_t initial_state = static_cast<std::size_t>(-1);
    std::size_t from = 0, to = 0;  // places in `operations`, or `initial_state`
    // "ww", "wr", "rw", "process", "realtime", "observed", "initial": all that are known to hold; the first is the one
    // that the anomaly is named after.
    std::vector<std::string> relations;
    // Of the first relation; EDN, and empty where there is nothing to say. `before` is what `from` wrote to the key or
    // was shown of it, `after` what `to` wrote or was shown. Of "observed": what `from` wrote, and what the observer
    // was shown instead.
    std::string key, before, after;
    // Places in `operations` of those that show it beside the two: who read both versions of a ww, and who observed.
    std::vector<std::size_t> witnesses;
    bool in_cycle = true;  // false: it only supports an edge that is
    std::string why;       // one sentence
    friend bool operator==(const Edge&, const Edge&) = default;
  };

  // In the order of the anomaly's text: those of the cycle, then the witnesses.
  std::vector<Participant> operations;
  std::vector<Edge> edges;  // those of the cycle, in order, then the supporting ones
  std::size_t omitted = 0;  // operations of a very long cycle that are left out, with their edges
  bool shortest = false;    // of a cycle: proved that its component has no shorter one of its kind, and none worse
  std::vector<std::string> rules_out;  // the weakest exact levels (docs/checkers.md) that it rules out
  friend bool operator==(const Explanation&, const Explanation&) = default;
};

// The operations for a person, a line each, with times counted from the first invocation of all:
// "op 12: process 3 on cn1, 5.3 ms to 6 ms, ok, [[:r 3 [1 2]]]".
std::vector<std::string> operation_lines(const Explanation& explanation);

}  // namespace polarsim::checkers
