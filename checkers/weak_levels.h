// The levels between PL-2 and snapshot isolation, decided exactly from who read from whom.
//
// Each is an axiom on the order in which transactions commit: whenever a transaction reads key x from t1, and has
// *observed* another t2 that also writes x, then t2 comes before t1. What counts as observed makes the level:
//
//   MAV     monotonic atomic view (Bailis et al., "Highly Available Transactions", VLDB 2014): an earlier read of the
//           same transaction was from t2
//   BE-RC   read committed of Biswas and Enea: the same, and sessions commit in their order
//   RA      read atomic: any read of the same transaction was from t2, or t2 comes earlier in its session
//   CC      causal consistency: t2 comes before by any number of reads and steps of sessions
//
// A history is at a level iff an order exists that agrees with all of this, with reads (writer first), with sessions
// (but for MAV) and with the order of versions as far as that is known: iff the graph of these constraints has no
// cycle. BE-RC and RA follow AWDIT (Møldrup, Chalupa, Pavlogiannis, "AWDIT: An Optimal Weak Database Isolation Tester",
// PLDI 2025), O(n^1.5) for n operations, with the two remembered writers of a key always distinct; CC takes O(n k log
// n) with k sessions that write the same key, by vector clocks. Nothing recurses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/execution.h"

namespace polarsim::checkers {

enum class WeakLevel : std::uint8_t { mav, be_rc, read_atomic, causal };
const char* to_string(WeakLevel level);  // "MAV", "BE-RC", "RA", "CC"

// Why one transaction must commit before another.
struct CommitConstraint {
  enum class Reason : std::uint8_t {
    initial,     // `before` stands for the initial versions
    session,     // the same session ran it earlier
    reads_from,  // `after` reads what `before` wrote
    overwrites,  // `after` wrote the version that follows the one of `before`
    observed     // `observer` had observed `before`, which writes `key`, and read `key` from `after`
  } reason = Reason::session;
  std::uint32_t before = 0, after = 0;  // transactions; Execution::initial
  std::uint32_t observer = no_vertex;
  std::uint32_t key = 0;  // for `observed`
};

struct WeakVerdict {
  bool holds = true;
  // For each component of constraints that contradict each other a shortest cycle, by the lowest transaction.
  struct Contradiction {
    std::vector<CommitConstraint> cycle;
    bool shortest = true;  // proved to be
  };
  std::vector<Contradiction> contradictions;
};

WeakVerdict decide(const Execution& execution, WeakLevel level);

}  // namespace polarsim::checkers
