// Linearizability (Herlihy and Wing, 1990) of registers, sets and queues: whether every operation can have taken effect
// at one moment between its invocation and its completion.
//
// Operations, in Jepsen's shapes; with independent keys every value is `[key value]`:
//
//     register      {:f :write :value 3}, {:f :read :value 3}
//     cas-register  the same and {:f :cas :value [1 2]}
//     set           {:f :add :value 3}, {:f :remove :value 3}, {:f :contains :value [3 true]}, {:f :read :value #{1 3}}
//     queue         {:f :enqueue :value 3}, {:f :dequeue :value 3}; nil from an empty queue
//
// Registers also as transactions of one step, [[:w key value]] and [[:r key value]]. Registers begin as nil, sets and
// queues empty. Values and elements are numbers, keywords, symbols or strings. Adding what is there and removing what
// is not does nothing.
//
// What ended as info, or never, may take effect at any time after its invocation, or never; what failed did not. An ok
// completion of an operation that returns nothing has the value of its invocation or nil.
//
// A history is linearizable iff it is for each key (Herlihy and Wing's locality), and a set of which nobody reads all
// elements at once iff it is for each element. The search is linearization_search.h's.
#pragma once

#include <cstdint>

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

struct LinearizabilityOptions {
  enum class Object : std::uint8_t { simple_register, cas_register, set, queue };
  Object object = Object::simple_register;
  // What the search may spend on each key (or element). Beyond it the verdict is unknown, and the reason names the key.
  // Once ten times as many steps are spent on a history, each further key gets a hundredth.
  std::uint64_t steps = 100'000'000;              // operations looked at
  std::uint64_t memory = std::uint64_t{1} << 28;  // bytes of configurations remembered
};

// "nonlinearizable", once a key: the shortest prefix of the key's history, by completions, that has no linearization,
// where operations still open at its end may have taken effect if they returned what they returned later; some
// linearizations of all that completed before; and why none of the operations then open can be next. Unknown, with the
// reason: an operation of another kind or shape, or a search that was too long.
Verdict check_linearizability(const History& history, const LinearizabilityOptions& options);

}  // namespace polarsim::checkers
