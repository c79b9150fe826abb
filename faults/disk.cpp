// The disk family: slow devices.
//
// `factor` has no unit: every latency of the disk times it. Profiles draw 2 to 40 (times their scale), two in five
// times 40 to 300: an undisturbed sync takes 0.2 to 0.8 ms, so 40 makes an overloaded cloud disk and 300 one that
// hangs; that stretches the steps of a commit, so that another fault may strike between them. Of overlapping faults the
// slowest counts: a product would make single operations that outlast the run.
#include <algorithm>
#include <array>

#include "faults/family.h"
#include "sim/assert.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

void apply(InjectionState& state, const std::string& host) {
  sim::Disk& disk = state.simulation.host(host).disk();
  sim::DiskParameters parameters = disk.parameters();
  double slowest = 1;
  for (const double factor : state.disk_factors[host]) slowest = std::max(slowest, factor);
  parameters.slowdown = state.disk_baseline.at(host) * slowest;
  disk.set_parameters(parameters);
}

bool strike_slow_disk(InjectionState& state, const Fault& fault) {
  for (const std::string& target : fault.targets) {
    const double slowdown = state.simulation.host(target).disk().parameters().slowdown;
    state.disk_baseline.emplace(target, slowdown);
    state.disk_factors[target].push_back(fault.factor);
    apply(state, target);
  }
  return true;
}

void end_slow_disk(InjectionState& state, const Fault& fault) {
  for (const std::string& target : fault.targets) {
    std::vector<double>& factors = state.disk_factors[target];
    // Equal factors are interchangeable, so removing the first equal one is removing this fault's own.
    const auto own = std::find(factors.begin(), factors.end(), fault.factor);
    POLARSIM_ASSERT(own != factors.end(), "a slow disk ended that had not begun");
    factors.erase(own);
    apply(state, target);
  }
}

void heal_disks(InjectionState& state) {
  for (auto& [host, factors] : state.disk_factors) {
    factors.clear();
    apply(state, host);
  }
}

void draw_slow_disk(sim::RandomStream& stream, const Topology& topology, const Intensity& intensity, Fault& fault) {
  fault.targets = draw_nodes(stream, topology, 2);
  const bool hangs = stream.chance(0.4);
  const double position = stream.unit();
  const double drawn = hangs ? 40 + 260 * position : 2 + 38 * position;
  // Whole numbers read well in a schedule and lose nothing.
  fault.factor = static_cast<double>(static_cast<int>(drawn * intensity.factor_scale));
  fault.factor = std::max(fault.factor, 2.0);
}

constexpr std::array<KindDescription, 1> kinds{{
    {FaultKind::slow_disk, "slow_disk", "every latency of the targets' disks times the factor", TargetRule::nodes, true,
     true, false, 1, 10'000, 500ms, 8s, draw_slow_disk, strike_slow_disk, end_slow_disk, heal_disks},
}};

}  // namespace

std::span<const KindDescription> disk_kinds() { return kinds; }

}  // namespace polarsim::faults
