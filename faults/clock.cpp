// The clock family: clocks that run fast or slow.
//
// `factor` is in parts per million; positive runs fast. Profiles draw up to 500 ppm either way (times their scale), the
// worst that quartz does, and once in ten up to 100,000 ppm, what a virtual machine's broken time source does.
// Overlapping faults add up.
#include <algorithm>
#include <array>

#include "faults/family.h"
#include "sim/assert.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

constexpr double largest_drift_ppm = 200'000;
// A clock must keep going forward however many faults add up.
constexpr double largest_sum_ppm = 900'000;

void apply(InjectionState& state, const std::string& host) {
  double drift_ppm = state.clock_baseline_ppm.at(host);
  for (const double added_ppm : state.clock_drifts_ppm[host]) drift_ppm += added_ppm;
  drift_ppm = std::clamp(drift_ppm, -largest_sum_ppm, largest_sum_ppm);
  state.simulation.host(host).clock().set_drift_ppm(state.simulation.now(), drift_ppm);
}

bool strike_clock_drift(InjectionState& state, const Fault& fault) {
  for (const std::string& target : fault.targets) {
    const double drift_ppm = state.simulation.host(target).clock().drift_ppm();
    state.clock_baseline_ppm.emplace(target, drift_ppm);
    state.clock_drifts_ppm[target].push_back(fault.factor);
    apply(state, target);
  }
  return true;
}

void end_clock_drift(InjectionState& state, const Fault& fault) {
  for (const std::string& target : fault.targets) {
    std::vector<double>& drifts = state.clock_drifts_ppm[target];
    const auto own = std::find(drifts.begin(), drifts.end(), fault.factor);
    POLARSIM_ASSERT(own != drifts.end(), "a clock drift ended that had not begun");
    drifts.erase(own);
    apply(state, target);
  }
}

void heal_clocks(InjectionState& state) {
  for (auto& [host, drifts] : state.clock_drifts_ppm) {
    drifts.clear();
    apply(state, host);
  }
}

void draw_clock_drift(sim::RandomStream& stream, const Topology& topology, const Intensity& intensity, Fault& fault) {
  fault.targets = draw_nodes(stream, topology, 3);
  const bool broken = stream.chance(0.1);
  const double largest_ppm = broken ? 100'000 : 500;
  const double position = stream.unit();
  const double drift_ppm = (2 * position - 1) * largest_ppm * intensity.factor_scale;
  fault.factor = std::clamp(static_cast<double>(static_cast<int>(drift_ppm)), -largest_drift_ppm, largest_drift_ppm);
}

constexpr std::array<KindDescription, 1> kinds{{
    {FaultKind::clock_drift, "clock_drift", "the targets' clocks run fast by the factor in ppm (negative: slow)",
     TargetRule::nodes, true, true, false, -largest_drift_ppm, largest_drift_ppm, 1s, 10s, draw_clock_drift,
     strike_clock_drift, end_clock_drift, heal_clocks},
}};

}  // namespace

std::span<const KindDescription> clock_kinds() { return kinds; }

}  // namespace polarsim::faults
