#include "scenarios/cli/prompt/simulated_server.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <exception>
#include <stdexcept>

#include "engine/types/error.h"
#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/simulated_connection.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/workload.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr sim::Duration boot_limit{60'000'000'000};
// How often the world comes up for air, to look for an interrupt.
constexpr std::uint64_t events_between_looks = 2000;

sim::SimulationOptions options_of(const Scenario& scenario, std::uint64_t seed) {
  sim::SimulationOptions options;
  options.seed = seed;
  options.scheduler.policy = scenario.policy;
  return options;
}

}  // namespace

SimulatedServer::SimulatedServer(const Scenario& scenario, std::uint64_t seed, bool with_workload)
    : scenario_(scenario), seed_(seed), simulation_(options_of(scenario, seed)) {
  simulation_.network().set_default_link(scenario.network);
  cluster_ = std::make_unique<engine::Cluster>(simulation_, scenario.cluster);
  for (const std::string& node : cluster_->node_names()) simulation_.host(node).disk().set_parameters(scenario.disk);
  client_host_ = &simulation_.add_host("client1");
  // It does nothing by itself.
  client_host_->set_program([](sim::Host& self) {
    while (true) self.scheduler().park("client host");
  });
  boot();
  if (with_workload) make_tables();
}

SimulatedServer::~SimulatedServer() {
  for (const auto& host : simulation_.hosts()) host->crash();
}

void SimulatedServer::boot() {
  client_host_->boot();
  cluster_->boot_all();
  bool ready = false;
  run(
      "wait for the nodes",
      [&] { ready = cluster_->wait_until_ready(*client_host_, sim::deadline_after(simulation_.now(), boot_limit)); },
      nullptr);
  if (!ready) throw std::runtime_error("the nodes of the cluster did not come up");
}

void SimulatedServer::make_tables() {
  const WorkloadInfo* const info = find_workload(scenario_.workload.name);
  if (info == nullptr) return;
  HistoryRecorder recorder(simulation_);
  const auto workload =
      info->make(WorkloadContext{simulation_, *cluster_, scenario_.workload, recorder, {client_host_}});
  run(
      "make the workload's tables", [&] { workload->set_up(); }, nullptr);
}

void SimulatedServer::run(const char* name, const std::function<void()>& body,
                          const std::function<void()>& on_interrupt) {
  std::exception_ptr problem;
  const sim::TaskRef task = client_host_->spawn(name, [&] {
    try {
      body();
    } catch (const sim::TaskCancelled&) {
      throw;
    } catch (...) {
      // Not the scheduler's: it would end the run.
      problem = std::current_exception();
    }
  });
  sim::Scheduler& scheduler = simulation_.scheduler();
  // What is sent on an interrupt arrives before the next statement is sent, which it is not meant for.
  std::optional<sim::TaskRef> sending;
  while (!task.finished() || (sending && !sending->finished())) {
    scheduler.break_at(scheduler.events() + events_between_looks);
    const sim::GoalOutcome outcome = simulation_.run_until(task.finished() ? *sending : task);
    refuse_broken_world();
    if (outcome == sim::GoalOutcome::deadlock) {
      throw std::runtime_error("nothing can happen any more in the simulated world\n" + scheduler.stall_report(20));
    }
    if (on_interrupt == nullptr || task.finished() || (sending && !sending->finished())) continue;
    if (interrupts::take()) sending = client_host_->spawn("interrupt", on_interrupt);
  }
  scheduler.break_at(0);
  if (problem) std::rethrow_exception(problem);
}

void SimulatedServer::advance(std::uint64_t events) {
  sim::Scheduler& scheduler = simulation_.scheduler();
  scheduler.break_at(scheduler.events() + events);
  simulation_.run();
  scheduler.break_at(0);
  refuse_broken_world();
}

void SimulatedServer::refuse_broken_world() const {
  if (const auto& violation = simulation_.violation())
    throw std::runtime_error("an invariant of the cluster was broken: " + violation->name + ": " + violation->detail);
}

std::unique_ptr<Connection> SimulatedServer::connect(const ConnectionInfo& wanted) {
  return open_simulated_connection(*this, wanted);
}

std::optional<double> SimulatedServer::simulated_seconds() const {
  return sim::seconds(simulation_.now() - sim::time_zero);
}

std::string SimulatedServer::date() const {
  const auto now = static_cast<std::time_t>(client_host_->realtime_us() / 1'000'000);
  std::tm fields{};
  ::gmtime_r(&now, &fields);
  char text[64];
  std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &fields);
  return text;
}

void SimulatedServer::sleep(double seconds) {
  // Somebody who looks on wants to see each round; a script does not.
  const double until = wall_seconds() + seconds;
  while (standing_before_ && !interrupts::pending() && wall_seconds() < until) {
    timespec pause{0, 20'000'000};
    ::nanosleep(&pause, nullptr);
  }
  if (interrupts::pending()) return;
  const sim::Duration length(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
  run(
      "sleep", [&] { client_host_->scheduler().sleep_for(length); }, nullptr);
}

std::string SimulatedServer::description() const {
  return fmt::format("{} coordinator{}, {} data node{}, seed {}", scenario_.cluster.coordinators,
                     scenario_.cluster.coordinators == 1 ? "" : "s", scenario_.cluster.data_nodes,
                     scenario_.cluster.data_nodes == 1 ? "" : "s", seed_);
}

}  // namespace polarsim::scenarios::cli::prompt
