// The world of one run and the phases it goes through.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "engine/cluster/cluster.h"
#include "faults/injector.h"
#include "scenarios/runner.h"
#include "scenarios/transaction_watch.h"
#include "scenarios/workload.h"
#include "sim/simulation.h"
#include "sim/sync.h"

namespace polarsim::scenarios {

// What the nodes themselves say at the very end of a run about two-phase commits that have not ended.
struct ResidueReport {
  std::vector<checkers::PreparedResidue> found;
  std::vector<std::string> silent;  // nodes that did not answer: nothing is known of them
  bool asked = false;               // false if the run ended before anybody was asked
};

// For the running task: asks every node over the network what it has prepared, then has every coordinator run a round
// of recovery and asks it for the commit records that it still keeps. At rest there are none of either. The records
// are left out if a node was silent: they may then be kept for its sake.
ResidueReport ask_for_residue(engine::Cluster& cluster, sim::Host& from);
// "prepared-residue": invalid if anything was found, otherwise unknown if anybody could not be asked.
checkers::Verdict judge_residue(const ResidueReport& report);

class RunPhases {
 public:
  RunPhases(const Scenario& scenario, const RunRequest& request);
  // Takes every host down before anything that their tasks refer to goes away.
  ~RunPhases();
  RunPhases(const RunPhases&) = delete;
  RunPhases& operator=(const RunPhases&) = delete;

  // Runs all phases, or up to request.until.
  void run();

  // --- afterwards ---
  // Whether run() ended at request.until.
  bool cut_short() const { return cut_short_; }
  // "liveness": unknown if an invariant stopped the run.
  const checkers::Verdict& liveness() const { return liveness_; }
  const ResidueReport& residue() const { return residue_; }
  sim::Simulation& simulation() { return simulation_; }
  const engine::Cluster& cluster() const { return *cluster_; }
  const faults::Schedule& schedule() const { return schedule_; }
  std::uint64_t faults_struck() const { return injector_->struck(); }
  HistoryRecorder& recorder() { return recorder_; }
  // Every draw, if the request asked for it.
  sim::DecisionLog& decisions() { return decisions_; }

 private:
  // The control task: the phases, and whatever became of them the question what remains.
  void control();
  // Each phase returns false if no other is to follow.
  bool boot();
  bool set_up();
  bool workload();
  bool converge();
  bool wait_for_rest();
  bool final_reads();

  // Runs `body` as a task on the first client host; what it throws as SqlError becomes the anomaly `name`. False if it
  // threw or did not end within `limit`.
  bool run_on_client(const char* name, sim::Duration limit, std::function<void()> body);
  bool fail(std::string name, std::string explanation);
  // An event of the nemesis, if somebody watches.
  void record(const char* what, checkers::Value value);

  const Scenario& scenario_;
  const RunRequest& request_;
  faults::Schedule schedule_;
  sim::DecisionLog decisions_;
  sim::Simulation simulation_;
  HistoryRecorder recorder_;
  std::unique_ptr<engine::Cluster> cluster_;
  std::unique_ptr<TransactionWatch> watch_;  // null: no checker asks for it
  std::vector<sim::Host*> client_hosts_;
  std::unique_ptr<faults::Injector> injector_;
  std::unique_ptr<Workload> workload_;
  sim::Condition progress_;
  bool stop_clients_ = false;
  std::vector<std::string> clients_at_work_;
  sim::Time liveness_deadline_ = sim::never;
  bool finished_ = false;
  bool cut_short_ = false;
  checkers::Verdict liveness_;
  ResidueReport residue_;
};

}  // namespace polarsim::scenarios
