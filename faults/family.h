// What a fault kind is: its parameters and their limits, how a profile draws one, and how it acts on the machine.
//
// Kinds are grouped in families, one file each (network.cpp, process.cpp, disk.cpp, clock.cpp). A new kind is an
// enumerator in schedule.h and an entry in its family's list; a new family is a file and a line in all_kinds().
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "faults/schedule.h"
#include "sim/random.h"
#include "sim/simulation.h"

namespace polarsim::faults {

// Which hosts a kind may name.
enum class TargetRule : std::uint8_t {
  side,      // one or more hosts of any role, but not all
  pair,      // exactly two different hosts of any role
  nodes,     // one or more coordinators or data nodes
  one_node,  // exactly one coordinator or data node
};

// What a profile says about how often and how hard.
struct Intensity {
  double kind_chance = 0;          // that a seed turns a kind on
  sim::Duration mean_interval{0};  // between two faults of one kind that is on
  double duration_scale = 1;       // times a kind's own range of durations
  double factor_scale = 1;         // times a kind's own range of factors
};

// What the active faults have changed so far, so that overlapping ones compose and each heals its own part only.
struct InjectionState {
  explicit InjectionState(sim::Simulation& owner, Topology hosts) : simulation(owner), topology(std::move(hosts)) {}
  sim::Simulation& simulation;
  Topology topology;
  // Factors in force by host, in the order in which they came.
  std::map<std::string, std::vector<double>> disk_factors;
  std::map<std::string, std::vector<double>> clock_drifts_ppm;
  // What was set before the first fault touched it.
  std::map<std::string, double> disk_baseline;
  std::map<std::string, double> clock_baseline_ppm;
};

struct KindDescription {
  FaultKind kind;
  const char* name;
  const char* summary;
  TargetRule targets;
  bool has_duration;
  bool has_factor;
  bool has_point;
  double factor_minimum, factor_maximum;      // what a schedule may ask for; units are the kind's
  sim::Duration duration_low, duration_high;  // what a profile draws, before its scale

  // Draws targets, factor and point; time and duration are drawn by generate().
  void (*draw)(sim::RandomStream& stream, const Topology& topology, const Intensity& intensity, Fault& fault);
  // True if it had an effect now. A kind that only prepares an effect (crash_at_point) says false.
  bool (*strike)(InjectionState& state, const Fault& fault);
  // Called `duration` after the strike, and never twice. Null: the effect ends by itself.
  void (*end)(InjectionState& state, const Fault& fault);
  // Undoes at once whatever is left of this kind. May be null; called at the end of the fault phase.
  void (*heal)(InjectionState& state);
};

std::span<const KindDescription> network_kinds();
std::span<const KindDescription> process_kinds();
std::span<const KindDescription> disk_kinds();
std::span<const KindDescription> clock_kinds();

// Every kind, in the order of the enumeration.
const std::vector<const KindDescription*>& all_kinds();
const KindDescription& description_of(FaultKind kind);

// --- helpers that families share ---
std::vector<std::string> all_nodes(const Topology& topology);  // coordinators, then data nodes
std::vector<std::string> all_hosts(const Topology& topology);  // and clients
// One to `most` different nodes, in the topology's order.
std::vector<std::string> draw_nodes(sim::RandomStream& stream, const Topology& topology, std::size_t most);

}  // namespace polarsim::faults
