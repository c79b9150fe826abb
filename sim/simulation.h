// The simulated world: one object that owns everything a run depends on.
//
// A run is a pure function of (program, options). Two simulations in one process do not touch each other, but only one
// may be running at a time on a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

struct BranchOptions {
  std::uint64_t first_seed = 1;  // the n-th continuation gets first_seed + n
  std::size_t jobs = 1;          // child processes at a time
  // Processor seconds after which the kernel ends a child; 0 is no limit. A child's verdict must not depend on it.
  unsigned processor_seconds = 0;
};

// What became of one continuation.
struct BranchResult {
  std::uint64_t seed = 0;
  bool completed = false;  // the continuation returned
  std::string verdict;     // what it returned; if it did not, why: an exception's text, or how its process ended
  friend bool operator==(const BranchResult&, const BranchResult&) = default;
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
  ChoiceOracle& choices() { return *choices_; }

  // Hosts live as long as the simulation. Names are unique and become part of stream names.
  Host& add_host(std::string name);
  // Asserts that it exists.
  Host& host(std::string_view name);
  Host* find_host(std::string_view name);
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }

  // As Scheduler::run; after a violation, `stopped` without doing anything.
  RunOutcome run(Time limit = never);
  // As Scheduler::run_until; after a violation, `stopped` without doing anything.
  GoalOutcome run_until(const TaskRef& task, Time limit = never);
  // Records the violation and stops the run; the caller's task is cancelled (does not return from within a task, unless
  // it unwinds). Violations after the first are ignored.
  void violate(std::string name, std::string detail);
  const std::optional<InvariantViolation>& violation() const { return violation_; }

  // Follows a decision log, see decision_log.h; best called before the first draw. A strict replay that meets a draw
  // which the log does not have in its place ends the run with the violation "decision-log"; the task that made it goes
  // on until it next blocks.
  void replay_decisions(DecisionLog log, const DecisionReplayOptions& options = {});

  // Explores `count` futures of this moment. Each is a child process, a copy of everything (so that memory is shared
  // until it is written), in which all streams are seeded anew before `continuation` goes on, usually by run(). What it
  // returns is gathered here, in order of seeds, whatever `jobs` is. This simulation stays at its moment.
  //
  // To be called from outside run() and outside tasks: stop at the moment with run(limit), stop() or break_at(). The
  // process must have no other threads. A child ends without running destructors or exit handlers, and must not use
  // what it shares with the others: files that were open before, above all. Throws std::runtime_error if the operating
  // system gives no process or pipe; children under way are then ended first.
  std::vector<BranchResult> branch(std::size_t count, const std::function<std::string(Simulation&)>& continuation,
                                   const BranchOptions& options = {});

  // A record of this run's digest in words, with the names of streams, tasks and hosts as far as they are known.
  std::string describe(const DigestRecord& record) const;

 private:
  // violate() without leaving the caller.
  void end_with_violation(std::string name, std::string detail);

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
