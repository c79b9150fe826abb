// For tests of disks: one that takes no time, so that no call blocks, and contents by the sector.
#pragma once

#include <cstddef>
#include <string>

#include "sim/disk.h"

namespace polarsim::sim {

inline DiskParameters instant_disk() {
  DiskParameters parameters;
  parameters.read_latency = parameters.write_latency = parameters.sync_latency =
      DurationDistribution::constant(Duration(0));
  parameters.bandwidth_bytes_per_s = 0;
  return parameters;
}

inline std::string sectors(char fill, std::size_t count = 1) { return std::string(count * sector_bytes, fill); }

}  // namespace polarsim::sim
