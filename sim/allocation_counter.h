// For tests: how often this program has called operator new.
//
// Not under AddressSanitizer, which has an operator new of its own that it should keep.
#pragma once

#include <cstdint>

namespace polarsim::sim {

std::uint64_t allocations_so_far();

}  // namespace polarsim::sim
