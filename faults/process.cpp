// The process family: power losses, at a time or at a named fault point.
//
// A crash of a host that is already down does nothing: each time a host is down has exactly one cause, which boots it
// again.
#include <array>

#include "faults/family.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

// Where a crash is worth most, as the database names the places. `visits`: a profile lets that many pass at most, about
// what a node does in half a second, so that the crash comes soon after its time and yet not always at the same
// transaction.
struct PointGroup {
  double chance;
  bool coordinators_only;
  std::uint64_t visits;
  std::span<const char* const> points;
};

// The steps of a commit.
constexpr std::array<const char*, 7> commit_points{"2pc/before-prepare",
                                                   "2pc/after-prepare",
                                                   "2pc/before-commit-record",
                                                   "2pc/after-commit-record",
                                                   "2pc/after-first-commit-prepared",
                                                   "2pc/after-commit-prepared",
                                                   "1pc/before-commit"};
// The daemon that finishes distributed transactions.
constexpr std::array<const char*, 5> daemon_points{"recovery/after-first-list", "recovery/after-records",
                                                   "recovery/before-commit-prepared", "recovery/after-commit-prepared",
                                                   "recovery/before-rollback-prepared"};
constexpr std::array<const char*, 3> log_points{"wal/append", "wal/flush", "wal/sync"};
// A node that comes up after a crash: the second crash hits its recovery from the first.
constexpr std::array<const char*, 2> boot_points{"recovery/scanned", "recovery/truncated"};

constexpr std::array<PointGroup, 4> point_groups{{
    {0.6, true, 6, commit_points},
    {0.15, true, 2, daemon_points},
    {0.15, false, 40, log_points},
    {0.1, false, 1, boot_points},
}};

bool strike_crash(InjectionState& state, const Fault& fault) {
  bool struck = false;
  for (const std::string& target : fault.targets) {
    sim::Host& host = state.simulation.host(target);
    if (!host.up()) continue;
    host.crash_and_restart(fault.duration);
    struck = true;
  }
  return struck;
}

bool strike_crash_at_point(InjectionState& state, const Fault& fault) {
  const sim::FaultAction action{sim::FaultAction::Kind::crash, sim::Duration(0), fault.duration};
  state.simulation.fault_points().arm(fault.point, fault.targets[0], fault.occurrence, action);
  return false;
}

void heal_points(InjectionState& state) { state.simulation.fault_points().disarm_all(); }

void heal_crashes(InjectionState& state) {
  for (const std::string& node : all_nodes(state.topology)) state.simulation.host(node).boot();
}

void draw_crash(sim::RandomStream& stream, const Topology& topology, const Intensity&, Fault& fault) {
  // Mostly one node. When several fall together, as with a rack's power, a commit may lose its coordinator and a
  // participant at once.
  const bool several = stream.chance(0.35);
  fault.targets = draw_nodes(stream, topology, several ? 4 : 1);
}

void draw_crash_at_point(sim::RandomStream& stream, const Topology& topology, const Intensity&, Fault& fault) {
  double position = stream.unit();
  const PointGroup* group = &point_groups.front();
  for (const PointGroup& candidate : point_groups) {
    group = &candidate;
    if (position < candidate.chance) break;
    position -= candidate.chance;
  }
  const std::vector<std::string> nodes = group->coordinators_only ? topology.coordinators : all_nodes(topology);
  fault.targets = {stream.pick(nodes)};
  fault.point = stream.pick(group->points);
  fault.occurrence = 1 + stream.below(group->visits);
}

constexpr std::array<KindDescription, 2> kinds{{
    {FaultKind::crash, "crash", "power loss of each target, which boots again after the duration", TargetRule::nodes,
     true, false, false, 0, 0, 200ms, 4s, draw_crash, strike_crash, nullptr, heal_crashes},
    {FaultKind::crash_at_point, "crash_at_point", "power loss of one node at a visit of a named fault point",
     TargetRule::one_node, true, false, true, 0, 0, 200ms, 4s, draw_crash_at_point, strike_crash_at_point, nullptr,
     heal_points},
}};

}  // namespace

std::span<const KindDescription> process_kinds() { return kinds; }

}  // namespace polarsim::faults
