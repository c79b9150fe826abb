// Workloads: what clients do, as fibers on client hosts, in SQL as a user would write it. One file each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/history.h"
#include "engine/cluster/cluster.h"
#include "engine/pgwire/client.h"
#include "scenarios/scenario.h"
#include "sim/simulation.h"

namespace polarsim::scenarios {

// Records what clients see, with indexes and times; every event goes into the run's digest.
class HistoryRecorder {
 public:
  explicit HistoryRecorder(sim::Simulation& simulation) : simulation_(simulation) {}
  // A number never used before: for each client at its start, and again after each `info`.
  std::int64_t new_process() { return next_process_++; }
  void add(std::int64_t process, checkers::EventType type, std::string f, checkers::Value value,
           std::vector<std::pair<std::string, std::string>> extra = {});
  // :index of the event added last; -1: none yet.
  std::int64_t last_index() const { return static_cast<std::int64_t>(history_.events.size()) - 1; }
  const checkers::History& history() const { return history_; }
  checkers::History take() { return std::move(history_); }

 private:
  sim::Simulation& simulation_;
  checkers::History history_;
  std::int64_t next_process_ = 0;
};

// Declared parameters: the scenario reader checks a [workload] table against these.
struct ParameterInfo {
  enum class Kind : std::uint8_t { integer, real, boolean, text } kind;
  std::string name;
  std::string summary;
  std::int64_t integer_default = 0, minimum = 0, maximum = 0;
  double real_default = 0;
  bool boolean_default = false;
  std::string text_default;
  std::vector<std::string> choices;  // text: the permitted values
};

class TransactionWatch;

struct WorkloadContext {
  sim::Simulation& simulation;
  engine::Cluster& cluster;
  const WorkloadParameters& parameters;
  HistoryRecorder& recorder;
  std::vector<sim::Host*> client_hosts;
  TransactionWatch* watch = nullptr;  // null: no checker of the scenario asks for what happens in the nodes
};

class Workload {
 public:
  virtual ~Workload() = default;
  // Runs as one task on the first client host, without faults. Throws SqlError if the schema cannot be made.
  virtual void set_up() = 0;
  // Runs as one task per client (parameter "clients") until `stop()` says so; ends between operations.
  virtual void client(int number, sim::Host& host, const std::function<bool()>& stop) = 0;
  // At quiescence: records final reads with `:final? true`. May throw SqlError: then liveness has failed.
  virtual void final_reads(sim::Host& host) = 0;
};

struct WorkloadInfo {
  std::string name;
  std::string summary;
  std::vector<ParameterInfo> parameters;
  std::unique_ptr<Workload> (*make)(const WorkloadContext& context);
};
// append, bank, meter, register.
const std::vector<WorkloadInfo>& list_workloads();
const WorkloadInfo* find_workload(std::string_view name);

// One per workload, each in its own file.
WorkloadInfo append_workload();
WorkloadInfo bank_workload();
WorkloadInfo meter_workload();
WorkloadInfo register_workload();

// Of the workload meter: the cases in which one snapshot shows both rows.
std::vector<std::string> whole_meter_cases();

}  // namespace polarsim::scenarios
