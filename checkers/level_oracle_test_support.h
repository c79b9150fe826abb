// What levels mean, word for word, decided by trying every order there is: for at most six transactions.
#pragma once

#include "checkers/execution.h"
#include "checkers/weak_levels.h"

namespace polarsim::checkers::test {

// Whether some order of all transactions keeps reads, sessions, known version orders and the level's axiom. For MAV:
// whether some order of the versions of each key, together with reads, is free of cycles and keeps the axiom.
bool some_order_holds(const Execution& execution, WeakLevel level);

// Whether `constraint` is one that the level really imposes, by the words of its definition.
bool is_imposed(const Execution& execution, WeakLevel level, const CommitConstraint& constraint);

}  // namespace polarsim::checkers::test
