// The operations of a history on each object by itself: read out of their values, sorted by key, and without those that
// can be left out.
#pragma once

#include <string>
#include <vector>

#include "checkers/linearizability.h"
#include "checkers/operation_values.h"
#include "checkers/sequential_objects.h"

namespace polarsim::checkers {

struct ObjectHistory {
  std::string label;                        // "key 3", "element 7", "the register"
  SequentialObject::Names names;            // of values, by number; 0 is nil
  std::vector<ObjectOperation> operations;  // in order of invocation
};

// One for each object, in order of first use. Left out is what failed, what only observes and has no known result, and,
// of what ended as info, whatever nobody saw: if there is a linearization with it, there is one without.
Read<std::vector<ObjectHistory>> object_histories(const History& history, const std::vector<Call>& calls,
                                                  LinearizabilityOptions::Object object);

}  // namespace polarsim::checkers
