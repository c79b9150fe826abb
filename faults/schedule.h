// Fault schedules as data: what to break, when, where and for how long.
//
// A schedule is made before the run starts, from (profile, seed, topology), or written by hand, or edited by a
// shrinker. Nothing else injects faults, so replaying a schedule replays the faults. It is stored as JSON
// (schedule.json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/time.h"

namespace polarsim::faults {

enum class FaultKind : std::uint8_t {
  partition,  // targets on one side, every other host of the topology (clients too) on the other; both directions
  partition_oneway,  // nothing sent by the targets arrives at the others
  clog,   // links between targets[0] and targets[1], both directions, deliver nothing for a while, then everything
  crash,  // power loss of each target; boots again after `duration`
  crash_at_point,  // targets[0] loses power at the `occurrence`-th visit of fault point `point` after `at`; boots again
                   // after `duration`
  slow_disk,       // every latency of the targets' disks times `factor`
  drop_connections,  // RST on all connections between targets[0] and targets[1]; instantaneous
  clock_drift,       // the targets' clocks run `factor` ppm fast (negative: slow)
};
const char* to_string(FaultKind kind);
tl::expected<FaultKind, std::string> fault_kind_from(std::string_view name);

struct Fault {
  sim::Duration at{0};  // true time after the workload starts
  FaultKind kind = FaultKind::partition;
  std::vector<std::string> targets;  // host names
  sim::Duration duration{0};         // how long it lasts; for crashes: how long the host stays down
  double factor = 0;                 // slow_disk, clock_drift
  std::string point;                 // crash_at_point
  std::uint64_t occurrence = 1;
  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Schedule {
  std::string profile;        // what generated it, or "explicit"
  std::vector<Fault> faults;  // sorted by `at`
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

// Names of what can be broken.
struct Topology {
  std::vector<std::string> coordinators;
  std::vector<std::string> data_nodes;
  std::vector<std::string> clients;
};

struct ProfileInfo {
  std::string name;
  std::string summary;
};
std::vector<ProfileInfo> list_profiles();  // none, gentle, standard, harsh
std::vector<ProfileInfo> list_fault_kinds();

// A pure function: draws from streams of its own derived from `seed`, never from the run's. Faults start within [0,
// window) and end within it too; each seed turns a random subset of the kinds on (swarm). Throws std::invalid_argument
// for an unknown profile.
Schedule generate(std::string_view profile, std::uint64_t seed, const Topology& topology, sim::Duration window);

// Sorts by `at`; faults of the same time keep their order.
void sort_by_time(Schedule& schedule);

std::string to_json(const Schedule& schedule);
// Errors are one line for a person: "schedule.json: faults[3].kind: expected one of ..., found ...".
// Fields that the kind has no use for are refused, so that nobody believes they do something.
tl::expected<Schedule, std::string> schedule_from_json(std::string_view text, std::string_view file_name);
// Checks targets and parameters against a topology; empty if all is well, else one line ("faults[3].targets: ...").
std::string validate(const Schedule& schedule, const Topology& topology);
// The same for one fault alone; the line starts with the field's name.
std::string validate(const Fault& fault, const Topology& topology);
// One line for a person: "12.5 s: crash dn2 for 3 s".
std::string describe(const Fault& fault);

}  // namespace polarsim::faults
