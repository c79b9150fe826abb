// How long bytes take on a link or a device of a given bandwidth.
#pragma once

#include <cstdint>

#include "sim/time.h"

namespace polarsim::sim {

// Rounded down to a nanosecond; a bandwidth of 0 is unlimited.
constexpr Duration transfer_time(std::uint64_t bytes, std::uint64_t bandwidth_bytes_per_s) {
  if (bandwidth_bytes_per_s == 0) return Duration(0);
  const std::uint64_t whole_seconds = bytes / bandwidth_bytes_per_s;
  const auto rest = static_cast<double>(bytes % bandwidth_bytes_per_s);
  const double fraction = rest / static_cast<double>(bandwidth_bytes_per_s);
  return std::chrono::seconds(whole_seconds) + Duration(static_cast<std::int64_t>(fraction * 1e9));
}

}  // namespace polarsim::sim
