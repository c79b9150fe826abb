// Every state that a power loss may leave a disk in, one after the other.
//
// A random crash (Disk::crash) shows one state of many; a recovery that fails in a rare one may pass a thousand runs.
// For a small window of changes that are not durable, all states can be visited instead, as ALICE does for system call
// traces (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014) and B3 for file systems (Mohan et al.,
// OSDI 2018). The states are those of the model in disk.h: a random crash leaves one of them, and can leave each.
//
// A typical use: run the program to the moment of interest, visit the states, and for each load the image into the disk
// of a simulation of its own, boot the host there, and check what its recovery makes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "sim/disk.h"
#include "sim/disk_image.h"

namespace polarsim::sim {

struct CrashStateLimits {
  // Writes, changes of size, and changes of names that are not durable, of all files together.
  std::size_t changes_max = 12;
  // Combinations to go through, equal ones included. Time and memory are proportional to it.
  std::uint64_t combinations_max = 1'000'000;
};

// Calls `visit` once for each different state, in an order that depends on the disk's history alone, beginning with the
// one in which nothing survives. Returns how many there are. If a limit does not suffice, nothing is visited, and the
// text says which limit and what was found. The disk is not changed; `visit` must not change it either. States are told
// apart by a 128-bit hash of their contents.
tl::expected<std::uint64_t, std::string> visit_crash_states(const Disk& disk,
                                                            const std::function<void(const DiskImage&)>& visit,
                                                            const CrashStateLimits& limits = {});

// The state in which nothing survives that is not durable. Of a disk that has just lost its power, what it holds.
DiskImage durable_image(const Disk& disk);

}  // namespace polarsim::sim
