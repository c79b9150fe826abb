#include "faults/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>

#include "faults/family.h"
#include "sim/assert.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

struct Profile {
  const char* name;
  const char* summary;
  Intensity intensity;
};

constexpr std::array<Profile, 4> profiles{{
    {"none", "no faults", {0, 1h, 1, 1}},
    {"gentle", "few and short faults, one at a time more often than not", {0.5, 20s, 0.5, 0.5}},
    {"standard", "every kind now and then; overlaps are common", {0.6, 9s, 1, 1}},
    {"harsh", "frequent, long and overlapping faults", {0.75, 4s, 1.5, 2}},
}};

const Profile& find_profile(std::string_view name) {
  for (const Profile& profile : profiles) {
    if (profile.name == name) return profile;
  }
  std::string message = "unknown fault profile '" + std::string(name) + "'; expected one of";
  for (const Profile& profile : profiles) message += std::string(" ") + profile.name;
  throw std::invalid_argument(message);
}

sim::Duration scaled(sim::Duration duration, double scale) {
  return sim::Duration(static_cast<std::int64_t>(static_cast<double>(duration.count()) * scale));
}

// Whole milliseconds read well in a schedule; nothing depends on a finer grain.
sim::Duration to_milliseconds(sim::Duration duration) { return duration - duration % sim::Duration(1ms); }

// The faults of one kind: a Poisson process over the window.
void generate_kind(const KindDescription& kind, const Intensity& intensity, sim::RandomStream& stream,
                   const Topology& topology, sim::Duration window, std::vector<Fault>& faults) {
  sim::Duration at{0};
  while (true) {
    const double wait = stream.exponential(static_cast<double>(intensity.mean_interval.count()));
    // Beyond the window every wait is the same; the bound keeps the sum from overflowing.
    at += sim::Duration(static_cast<std::int64_t>(std::min(wait, 1e15)));
    at = to_milliseconds(at);
    if (at >= window) return;
    Fault fault;
    fault.at = at;
    fault.kind = kind.kind;
    kind.draw(stream, topology, intensity, fault);
    if (kind.has_duration) {
      const sim::Duration drawn = stream.between(kind.duration_low, kind.duration_high);
      fault.duration = to_milliseconds(scaled(drawn, intensity.duration_scale));
      fault.duration = std::min(std::max(fault.duration, sim::Duration(1ms)), window - at);
    }
    faults.push_back(std::move(fault));
  }
}

std::string join(const std::vector<std::string>& items) {
  std::string joined;
  for (const std::string& item : items) {
    if (!joined.empty()) joined += ", ";
    joined += item;
  }
  return joined;
}

std::string validate_targets(const Fault& fault, const KindDescription& kind, const Topology& topology) {
  const bool nodes_only = kind.targets == TargetRule::nodes || kind.targets == TargetRule::one_node;
  const std::vector<std::string> permitted = nodes_only ? all_nodes(topology) : all_hosts(topology);
  std::set<std::string> seen;
  for (const std::string& target : fault.targets) {
    if (std::find(permitted.begin(), permitted.end(), target) == permitted.end()) {
      return fmt::format("targets: unknown {} '{}'; expected some of {}", nodes_only ? "node" : "host", target,
                         join(permitted));
    }
    if (!seen.insert(target).second) return fmt::format("targets: '{}' is named twice", target);
  }
  const std::size_t count = fault.targets.size();
  switch (kind.targets) {
    case TargetRule::side:
      if (count == 0) return fmt::format("targets: {} needs at least one", kind.name);
      if (count == permitted.size()) return fmt::format("targets: {} leaves nobody on the other side", kind.name);
      break;
    case TargetRule::pair:
      if (count != 2) return fmt::format("targets: {} needs exactly two, found {}", kind.name, count);
      break;
    case TargetRule::nodes:
      if (count == 0) return fmt::format("targets: {} needs at least one", kind.name);
      break;
    case TargetRule::one_node:
      if (count != 1) return fmt::format("targets: {} needs exactly one, found {}", kind.name, count);
      break;
  }
  return {};
}

}  // namespace

const char* to_string(FaultKind kind) { return description_of(kind).name; }

tl::expected<FaultKind, std::string> fault_kind_from(std::string_view name) {
  std::vector<std::string> names;
  for (const KindDescription* kind : all_kinds()) {
    if (kind->name == name) return kind->kind;
    names.emplace_back(kind->name);
  }
  return tl::unexpected(fmt::format("unknown kind of fault '{}'; expected one of {}", name, join(names)));
}

std::vector<ProfileInfo> list_profiles() {
  std::vector<ProfileInfo> list;
  for (const Profile& profile : profiles) list.push_back({profile.name, profile.summary});
  return list;
}

std::vector<ProfileInfo> list_fault_kinds() {
  std::vector<ProfileInfo> list;
  for (const KindDescription* kind : all_kinds()) list.push_back({kind->name, kind->summary});
  return list;
}

Schedule generate(std::string_view profile_name, std::uint64_t seed, const Topology& topology, sim::Duration window) {
  const Profile& profile = find_profile(profile_name);
  Schedule schedule;
  schedule.profile = profile.name;
  if (profile.intensity.kind_chance <= 0 || topology.coordinators.empty() || topology.data_nodes.empty())
    return schedule;
  sim::ChoiceOracle choices(seed, nullptr);
  for (const KindDescription* kind : all_kinds()) {
    // A stream for each kind: a change to one kind moves no fault of another.
    sim::RandomStream& stream = choices.stream(std::string("faults/") + kind->name);
    if (!stream.chance(profile.intensity.kind_chance)) continue;
    generate_kind(*kind, profile.intensity, stream, topology, window, schedule.faults);
  }
  sort_by_time(schedule);
  const std::string problem = validate(schedule, topology);
  POLARSIM_ASSERT(problem.empty(), problem.c_str());
  return schedule;
}

void sort_by_time(Schedule& schedule) {
  const auto earlier = [](const Fault& a, const Fault& b) { return a.at < b.at; };
  std::vector<Fault> sorted;
  for (Fault& fault : schedule.faults) {
    const auto place = std::upper_bound(sorted.begin(), sorted.end(), fault, earlier);
    sorted.insert(place, std::move(fault));
  }
  schedule.faults = std::move(sorted);
}

std::string validate(const Fault& fault, const Topology& topology) {
  const KindDescription& kind = description_of(fault.kind);
  if (fault.at < sim::Duration(0)) return "at: must not be negative";
  if (kind.has_duration && fault.duration <= sim::Duration(0)) return fmt::format("duration: {} needs one", kind.name);
  if (!kind.has_duration && fault.duration != sim::Duration(0)) return fmt::format("duration: {} has none", kind.name);
  // The negation also refuses a factor that is not a number.
  if (kind.has_factor && !(fault.factor >= kind.factor_minimum && fault.factor <= kind.factor_maximum)) {
    return fmt::format("factor: {} needs one from {} to {}, found {}", kind.name, kind.factor_minimum,
                       kind.factor_maximum, fault.factor);
  }
  if (!kind.has_factor && fault.factor != 0) return fmt::format("factor: {} has none", kind.name);
  if (kind.has_point && fault.point.empty()) return fmt::format("point: {} needs the name of a fault point", kind.name);
  if (!kind.has_point && !fault.point.empty()) return fmt::format("point: {} has none", kind.name);
  if (kind.has_point && fault.occurrence == 0) return "occurrence: visits count from 1";
  if (!kind.has_point && fault.occurrence != 1) return fmt::format("occurrence: {} has none", kind.name);
  return validate_targets(fault, kind, topology);
}

std::string validate(const Schedule& schedule, const Topology& topology) {
  for (std::size_t i = 0; i < schedule.faults.size(); ++i) {
    const std::string problem = validate(schedule.faults[i], topology);
    if (!problem.empty()) return fmt::format("faults[{}].{}", i, problem);
    if (i > 0 && schedule.faults[i].at < schedule.faults[i - 1].at) {
      return fmt::format("faults[{}].at: faults must be in order of time", i);
    }
  }
  return {};
}

std::string describe(const Fault& fault) {
  const KindDescription& kind = description_of(fault.kind);
  std::string line = fmt::format("{:g} s: {} ", sim::seconds(fault.at), kind.name);
  const bool pair = kind.targets == TargetRule::pair && fault.targets.size() == 2;
  line += pair ? fault.targets[0] + " - " + fault.targets[1] : join(fault.targets);
  if (kind.has_point) line += fmt::format(" at visit {} of {}", fault.occurrence, fault.point);
  if (kind.has_factor)
    line += fmt::format(" by {:g}{}", fault.factor, fault.kind == FaultKind::clock_drift ? " ppm" : "");
  if (kind.has_duration) line += fmt::format(" for {:g} s", sim::seconds(fault.duration));
  return line;
}

}  // namespace polarsim::faults
