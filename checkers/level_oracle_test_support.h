// What levels mean, word for word, decided by trying every order there is: for at most six transactions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/execution.h"
#include "checkers/test_histories.h"
#include "checkers/weak_levels.h"

namespace polarsim::checkers::test {

// Whether some order of all transactions keeps reads, sessions, known version orders and the level's axiom. For MAV:
// whether some order of the versions of each key, together with reads, is free of cycles and keeps the axiom.
bool some_order_holds(const Execution& execution, WeakLevel level);

// The same for snapshot isolation and serializability, by the axioms of Biswas and Enea (Prefix and Conflict;
// Serializability), with or without the order of sessions.
enum class StrongLevel { snapshot_isolation, serializability };
bool some_order_holds(const Execution& execution, StrongLevel level, bool with_sessions);

// At most six transactions over at most three keys in sessions of any number, and for each key its writers in version
// order.
struct RandomExecution {
  Execution execution;
  std::vector<std::vector<std::uint32_t>> writers;  // by key
};
RandomExecution make_execution(Choices& choices, bool with_order);
std::string text_of(const Execution& execution);

// Whether `constraint` is one that the level really imposes, by the words of its definition.
bool is_imposed(const Execution& execution, WeakLevel level, const CommitConstraint& constraint);

}  // namespace polarsim::checkers::test
