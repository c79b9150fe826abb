// The search for a linearization of the operations on one object: Wing and Gong's ("Testing and verifying concurrent
// objects", 1993) as Lowe improved it ("Testing for linearizability", 2017), which never looks twice at a set of
// linearized operations with the same state. Iterative.
//
// Three things make it shorter than theirs, each without losing a linearization:
// - an operation that only observes, and could be next, is next: moving it there changes nothing for the others;
// - of two operations with the same effect and result, the one that was invoked and completed earlier comes first: if
//   not, the two can change places;
// - operations of unknown outcome need not be in it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/sequential_objects.h"

namespace polarsim::checkers {

struct LinearizationLimits {
  std::uint64_t steps = 100'000'000;              // operations looked at
  std::uint64_t memory = std::uint64_t{1} << 28;  // bytes of what was remembered
};

struct LinearizationResult {
  enum class Outcome : std::uint8_t { linearizable, not_linearizable, out_of_steps, out_of_memory };
  Outcome outcome = Outcome::linearizable;
  std::uint64_t steps = 0;
  // If it is not: the history up to the completion of this operation has no linearization, and every shorter prefix has
  // one. Operations still open there are held to what they returned later.
  std::uint32_t stuck = 0;
  // If asked for, some linearizations of everything that completed before, those of the fewest operations first: none
  // of them can be continued to that operation.
  std::vector<std::vector<std::uint32_t>> partial;
};

// `operations` stand in order of invocation; `object` is in its initial state, and is so again afterwards. `partial`:
// if there is no linearization, searches once more, for partial ones.
LinearizationResult search_linearization(std::span<const ObjectOperation> operations, SequentialObject& object,
                                         const LinearizationLimits& limits, bool partial);

// The operations that a partial linearization leaves open when `stuck` completes, `stuck` first.
std::vector<std::uint32_t> open_after(std::span<const ObjectOperation> operations,
                                      const std::vector<std::uint32_t>& partial, std::uint32_t stuck);

}  // namespace polarsim::checkers
