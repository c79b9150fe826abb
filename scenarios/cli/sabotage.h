// Nondeterminism on purpose, for seeing that `run --twice` finds it and says where it comes from.
#pragma once

#include <functional>
#include <string>

#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

// A tampering that gives the simulated world one more task, which after one virtual second waits for times that do not
// depend on the seed alone. Names: "wall-clock" (it asks the operating system for the time), "address-order" (it walks
// a set of pointers) and "uninitialised-read" (it adds up memory that nobody has written). Throws UsageError for
// others.
std::function<void(sim::Simulation&)> sabotage(const std::string& name);

}  // namespace polarsim::scenarios::cli
