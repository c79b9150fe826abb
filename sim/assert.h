// Assertions that stay on in every build.
//
// A failed assertion means that polarsim itself, or a program that broke one of its rules, is wrong: the process
// aborts with the place and the message. What a simulated program may get wrong is reported by Simulation::violate
// instead.
#pragma once

namespace polarsim::sim::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* message, const char* file, int line);
}  // namespace polarsim::sim::detail

#define POLARSIM_ASSERT(condition, message)            \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::polarsim::sim::detail::assertion_failed(#condition, message, __FILE__, __LINE__))
