// Runs one scenario with one seed and judges it. A pure function of its arguments: it touches no file and no clock.
//
// Phases: boot the cluster; schema and initial rows; workload under faults for `duration`; heal; liveness phase (every
// client operation ends, every distributed transaction is decided everywhere); final reads at quiescence; checkers.
//
// Besides the scenario's checkers there are two verdicts in every record: "liveness" (not-ready, setup-failed,
// stuck-client, not-converged, stuck-prepared, final-read-failed, stalled) and "invariant" (an always-on check of the
// program stopped the run); and "never" if the scenario names anomalies that must not be seen. Exceptions of the engine
// or of the simulator that nothing caught leave run_scenario as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkers/history.h"
#include "checkers/verdict.h"
#include "engine/cluster/cluster.h"
#include "engine/planted_bugs.h"
#include "faults/schedule.h"
#include "scenarios/scenario.h"
#include "sim/decision_log.h"
#include "sim/digest.h"
#include "sim/simulation.h"
#include "sim/trace.h"

namespace polarsim::scenarios {

struct RunRequest {
  std::uint64_t seed = 1;
  std::vector<engine::PlantedBug> planted;
  std::optional<faults::Schedule>
      schedule;                     // replaces the scenario's (replay, shrinking); must be valid for its topology
  sim::TraceSink* trace = nullptr;  // gets every event of the trace; null: none is kept
  bool record_decisions = false;
  // Whose decisions the run takes instead of drawing for itself; read at the start, and must live until then.
  const sim::DecisionLog* decisions = nullptr;
  sim::DecisionReplayOptions decision_options;
  sim::Time until = sim::never;  // stop here without judging (replay --until)
  // Called when the world exists and nothing has happened in it yet: for watching a run, and for tampering with it.
  std::function<void(sim::Simulation&)> on_world;
  // Called when the run has stopped, at `until` or at its end, and before its world goes: for looking at it.
  std::function<void(const engine::Cluster&)> on_stop;
  // Called once per virtual second with the virtual time reached; for progress only.
  std::function<void(sim::Time)> progress;
};

struct RunRecord {
  std::string scenario;
  std::uint64_t seed = 0;
  std::vector<std::string> planted;
  checkers::Validity validity = checkers::Validity::unknown;  // the worst verdict; `never` anomalies make it invalid
  std::vector<checkers::Verdict> verdicts;    // liveness and invariants first, then in the scenario's order, then never
  std::vector<std::string> seen;              // every anomaly and exposure by name, sorted
  std::vector<std::string> expected_missing;  // of `expect`, what this seed did not show
  // For grouping failures: the checkers that are not valid and their anomalies, e.g. "bank:bank-total"; several are
  // joined by ";", an unknown verdict shows as "bank:unknown"; empty when valid.
  std::string signature;
  sim::Digest128 digest;
  std::vector<sim::Digest128> ladder;
  std::uint64_t ladder_interval = 0;
  std::uint64_t digest_records = 0;
  sim::Duration virtual_time{0};
  std::uint64_t transactions_ok = 0, transactions_failed = 0, transactions_info = 0;  // final reads excepted
  std::uint64_t faults_scheduled = 0, faults_struck = 0;
  std::uint64_t scheduler_events = 0;
  std::map<std::string, std::uint64_t> probes;        // reached() counts
  std::map<std::string, std::uint64_t> fault_points;  // visits
  faults::Schedule schedule;
  bool watched = false;  // the history tells what happened in the nodes
  checkers::History history;
  sim::DecisionLog decisions;  // if asked for
  sim::DecisionReplayStatus decisions_followed;
  std::vector<std::string> nodes;
};

// The schedule that a run with this seed carries out, unless a request replaces it.
faults::Schedule schedule_for(const Scenario& scenario, std::uint64_t seed);

RunRecord run_scenario(const Scenario& scenario, const RunRequest& request);

}  // namespace polarsim::scenarios
