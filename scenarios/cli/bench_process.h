// Measurements of memory: in a process of its own, so that what was freed before does not count.
#pragma once

#include <functional>

namespace polarsim::scenarios::cli {

// Resident memory of this process in bytes; 0 if the system does not say.
double resident_bytes();

// What `measure` returns in a child process; 0 if that fails.
double in_own_process(const std::function<double()>& measure);

}  // namespace polarsim::scenarios::cli
