// The checkers that need nothing but a history, by name: linearizability, session guarantees and Jepsen's smaller
// workloads.
#pragma once

#include <string_view>
#include <vector>

#include "checkers/checkers.h"

namespace polarsim::checkers {

struct NamedChecker {
  CheckerInfo info;
  Verdict (*check)(const History& history) = nullptr;
};

// Sorted by name.
const std::vector<NamedChecker>& named_checkers();
// Null if none has that name.
const NamedChecker* find_named_checker(std::string_view name);

}  // namespace polarsim::checkers
