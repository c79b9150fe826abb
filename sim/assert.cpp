#include "sim/assert.h"

#include <cstdio>
#include <cstdlib>

namespace polarsim::sim::detail {

void assertion_failed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace polarsim::sim::detail
