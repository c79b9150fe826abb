// The simulated world: one object that owns everything a run depends on.
//
// A run is a pure function of (program, options). Two simulations in one process do not touch each other, but only one
// may be running at a time on a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/digest.h"
#include "sim/fault_point.h"
#include "sim/host.h"
#include "sim/network.h"
#include "sim/random.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace polarsim::sim {

struct SimulationOptions {
  std::uint64_t seed = 1;
  SchedulerOptions scheduler{};
  std::uint64_t ladder_interval = 4096;
  TraceOptions trace{};
};

// A promise of the program that was found broken while the run went on. The first one ends the run.
struct InvariantViolation {
  std::string name;
  std::string detail;
  Time time;
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  // Takes every host down and unwinds every task.
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  std::uint64_t seed() const { return options_.seed; }
  Time now() const { return scheduler_->now(); }
  Scheduler& scheduler() { return *scheduler_; }
  Network& network() { return *network_; }
  RunningDigest& digest() { return digest_; }
  Trace& trace() { return trace_; }
  FaultPoints& fault_points() { return fault_points_; }
  Probes& probes() { return probes_; }
  RandomStream& random(std::string_view name) { return choices_->stream(name); }

  // Hosts live as long as the simulation. Names are unique and become part of stream names.
  Host& add_host(std::string name);
  // Asserts that it exists.
  Host& host(std::string_view name);
  Host* find_host(std::string_view name);
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }

  // As Scheduler::run; after a violation, `stopped` without doing anything.
  RunOutcome run(Time limit = never);
  // Records the violation and stops the run; the caller's task is cancelled (does not return from within a task, unless
  // it unwinds). Violations after the first are ignored.
  void violate(std::string name, std::string detail);
  const std::optional<InvariantViolation>& violation() const { return violation_; }

 private:
  SimulationOptions options_;
  RunningDigest digest_;
  Trace trace_;
  FaultPoints fault_points_;
  Probes probes_;
  std::optional<InvariantViolation> violation_;
  std::unique_ptr<ChoiceOracle> choices_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace polarsim::sim
