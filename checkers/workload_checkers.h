// The checkers of Jepsen's smaller workloads: an invariant each, decided in linear or nearly linear time. Operations
// have Jepsen's shapes; in histories with independent keys every value is `[key value]`, and each key is judged by
// itself. What ended as info, or never, may take effect at any later time or never; what failed did not. An operation
// of another kind or shape makes the verdict unknown, and so does a history from which nothing follows.
#pragma once

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

// A counter, first 0: {:f :add :value n}, n of either sign, and {:f :read :value n}. A read must lie between the sum of
// what was acknowledged before it began and what may have taken effect until it ended: "out-of-bounds".
Verdict check_counter(const History& history);

// A set, first empty: {:f :add :value x} and {:f :read :value #{...}}, also a vector. Only the last read counts, and
// must show every element whose add was acknowledged before it ("lost"), none that nobody can have added
// ("unexpected"), and each once ("duplicated").
Verdict check_set(const History& history);

struct SetFullOptions {
  // Whether an element that a read misses after it was known to be there is an anomaly though later reads show it
  // again.
  bool linearizable = false;
};
// The same by the whole timeline. An element is known once its add was acknowledged or a read showed it. "lost": a read
// that began after that misses it, and none that began later shows it. "stale": one misses it, a later one shows it.
// "never-read", an exposure: it is known, and no read began afterwards. Also "unexpected" and "duplicated", of any
// read. Unknown if nothing is wrong and no element was ever seen.
Verdict check_set_full(const History& history, const SetFullOptions& options);

// Long forks (parallel snapshot isolation permits them, snapshot isolation does not): transactions of one write, each
// key written once, [[:w k v]], and transactions of reads, [[:r k1 v] [:r k2 nil] ...]. "long-fork": one read sees a
// first key and misses a second, another one sees the second and misses the first. Also "unexpected": a value that
// nobody can have written.
Verdict check_long_fork(const History& history);

// Values that only grow: operations of any :f that return an integer, `[key integer]` or a map of them, {key integer}:
// reads, increments that return what they made. "nonmonotonic-process": less than the same process has seen before.
// "nonmonotonic-realtime": less than another has seen before this operation began. nil is less than any integer.
Verdict check_monotonic(const History& history);

// Insertions of a key that must happen once: {:f :upsert :value [key nil]}, ok with [key id] if it inserted, and
// {:f :read :value [key [id ...]]}. "duplicate-upsert": a second one was acknowledged. "duplicate-record": more than
// one id was seen for a key.
Verdict check_upsert(const History& history);

// {:f :generate :value id}: "duplicated" if an id was given out before.
Verdict check_unique_ids(const History& history);

}  // namespace polarsim::checkers
