#include "scenarios/run_phases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "engine/pgwire/client.h"
#include "engine/pgwire/connection_options.h"
#include "engine/types/text_form.h"
#include "scenarios/judge.h"
#include "sim/assert.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;

constexpr sim::Duration boot_limit = 60s;
constexpr sim::Duration set_up_limit = 600s;
constexpr sim::Duration final_reads_limit = 600s;
constexpr sim::Duration residue_limit = 60s;
constexpr std::size_t tasks_reported = 50;
constexpr sim::Duration poll_interval = 100ms;
// How often run() comes up for air; a fixed step, so that asking for progress changes nothing.
constexpr sim::Duration slice = 1s;

sim::SimulationOptions simulation_options(const Scenario& scenario, const RunRequest& request) {
  sim::SimulationOptions options;
  options.seed = request.seed;
  options.scheduler.policy = scenario.policy;
  options.trace.enabled = request.trace != nullptr;
  // All goes to the sink; what stays in memory is for nobody.
  options.trace.capacity = sim::Trace::block_events;
  return options;
}

engine::ClusterConfig cluster_config(const Scenario& scenario, const RunRequest& request) {
  engine::ClusterConfig config = scenario.cluster;
  for (const engine::PlantedBug bug : request.planted) config.node.planted.turn_on(bug);
  return config;
}

// The first column of the answer; empty if the node does not give one in time.
std::optional<std::vector<std::string>> ask_node(engine::Cluster& cluster, sim::Host& from, const std::string& node,
                                                 const std::string& sql) {
  engine::pgwire::ClientOptions options;
  options.connection = engine::pgwire::connection_options(cluster.config().node);
  auto client = engine::pgwire::Client::connect(from, sim::Address{node, engine::default_port}, options);
  if (!client) return std::nullopt;
  const auto answer = client->query(sql, {}, sim::deadline_after(from.scheduler().now(), residue_limit));
  client->close();
  if (!answer) return std::nullopt;
  std::vector<std::string> column;
  for (const engine::Row& row : answer->rows) column.push_back(engine::plain_text(row.at(0)));
  return column;
}

}  // namespace

ResidueReport ask_for_residue(engine::Cluster& cluster, sim::Host& from) {
  ResidueReport report;
  report.asked = true;
  const auto ask = [&](const std::string& node, const std::string& sql) {
    const auto gids = ask_node(cluster, from, node, sql);
    if (!gids) {
      report.silent.push_back(node);
    } else {
      for (const std::string& gid : *gids) report.found.push_back({node, gid});
    }
  };
  for (const std::string& node : cluster.node_names()) ask(node, "SELECT gid FROM pg_catalog.pg_prepared_xacts");
  if (!report.silent.empty()) return report;
  for (const std::string& node : cluster.coordinator_names()) {
    if (ask_node(cluster, from, node, "SELECT recover_prepared_transactions()")) {
      ask(node, "SELECT gid FROM pg_catalog.pg_dist_transaction");
    } else {
      report.silent.push_back(node);
    }
  }
  return report;
}

checkers::Verdict judge_residue(const ResidueReport& report) {
  checkers::Verdict verdict = checkers::check_prepared_residue(report.found);
  if (verdict.validity != checkers::Validity::valid) return verdict;
  if (!report.asked) {
    verdict.validity = checkers::Validity::unknown;
    verdict.reason = "the run ended before the nodes could be asked";
  } else if (!report.silent.empty()) {
    verdict.validity = checkers::Validity::unknown;
    verdict.reason = fmt::format("no answer at the end of the run from {}", fmt::join(report.silent, ", "));
  }
  return verdict;
}

RunPhases::RunPhases(const Scenario& scenario, const RunRequest& request)
    : scenario_(scenario),
      request_(request),
      schedule_(request.schedule ? *request.schedule : schedule_for(scenario, request.seed)),
      simulation_(simulation_options(scenario, request)),
      recorder_(simulation_),
      progress_(simulation_.scheduler()) {
  liveness_.checker = "liveness";
  simulation_.trace().stream_to(request.trace);
  if (request.record_decisions) simulation_.choices().record(&decisions_);
  if (request.decisions != nullptr) simulation_.replay_decisions(*request.decisions, request.decision_options);
  simulation_.network().set_default_link(scenario.network);
  cluster_ = std::make_unique<engine::Cluster>(simulation_, cluster_config(scenario, request));
  if (is_watched(scenario)) {
    watch_ = std::make_unique<TransactionWatch>(simulation_, *cluster_, recorder_);
    cluster_->observe(watch_.get());
  }
  for (const std::string& node : cluster_->node_names()) simulation_.host(node).disk().set_parameters(scenario.disk);
  const faults::Topology topology = topology_of(scenario);
  for (const std::string& name : topology.clients) {
    sim::Host& host = simulation_.add_host(name);
    // A client machine does nothing by itself: the workload's tasks are spawned on it.
    host.set_program([](sim::Host& self) {
      while (true) self.scheduler().park("client host");
    });
    client_hosts_.push_back(&host);
  }
  injector_ = std::make_unique<faults::Injector>(simulation_, topology);
  const WorkloadInfo* const info = find_workload(scenario.workload.name);
  POLARSIM_ASSERT(info != nullptr, "a scenario with an unknown workload");
  workload_ =
      info->make(WorkloadContext{simulation_, *cluster_, scenario.workload, recorder_, client_hosts_, watch_.get()});
}

RunPhases::~RunPhases() {
  for (const auto& host : simulation_.hosts()) host->crash();
}

void RunPhases::record(const char* what, checkers::Value value) {
  if (watch_ != nullptr) recorder_.add(checkers::nemesis_process, checkers::EventType::info, what, std::move(value));
}

void RunPhases::run() {
  if (request_.on_world) request_.on_world(simulation_);
  simulation_.scheduler().spawn("control", [this] {
    control();
    finished_ = true;
    simulation_.scheduler().stop();
  });
  const sim::Time limit =
      sim::deadline_after(sim::time_zero, boot_limit + set_up_limit + scenario_.duration + scenario_.liveness_timeout +
                                              final_reads_limit + 10 * residue_limit);
  sim::Time next = sim::time_zero;
  while (!finished_ && !simulation_.violation()) {
    next = std::min({sim::deadline_after(next, slice), limit, request_.until});
    const sim::RunOutcome outcome = simulation_.run(next);
    if (request_.progress) request_.progress(simulation_.now());
    if (finished_ || simulation_.violation()) break;
    if (outcome == sim::RunOutcome::idle) {
      fail("stalled", "nothing can happen any more\n" + simulation_.scheduler().stall_report(tasks_reported));
      break;
    }
    if (outcome == sim::RunOutcome::deadline && next == request_.until) {
      cut_short_ = true;
      break;
    }
    if (outcome == sim::RunOutcome::deadline && next == limit) {
      fail("stalled", fmt::format("the run had not ended after {} s\n{}", sim::seconds(limit - sim::time_zero),
                                  simulation_.scheduler().stall_report(tasks_reported)));
      break;
    }
  }
  if (watch_ != nullptr) watch_->end();
  if (!finished_ && liveness_.validity == checkers::Validity::valid) {
    liveness_.validity = checkers::Validity::unknown;
    liveness_.reason = cut_short_ ? "the run was cut short" : "an invariant stopped the run";
  }
}

void RunPhases::control() {
  if (boot() && set_up() && workload() && converge()) final_reads();
  residue_ = ask_for_residue(*cluster_, *client_hosts_.front());
}

bool RunPhases::boot() {
  for (sim::Host* const host : client_hosts_) host->boot();
  cluster_->boot_all();
  const sim::Time deadline = sim::deadline_after(simulation_.now(), boot_limit);
  if (cluster_->wait_until_ready(*client_hosts_.front(), deadline)) return true;
  return fail("not-ready", "a node did not answer after the first boot, without any fault");
}

bool RunPhases::set_up() {
  return run_on_client("setup-failed", set_up_limit, [this] { workload_->set_up(); });
}

bool RunPhases::workload() {
  sim::Scheduler& scheduler = simulation_.scheduler();
  const sim::Time end = sim::deadline_after(simulation_.now(), scenario_.duration);
  if (watch_ != nullptr) watch_->begin();
  injector_->start(schedule_);
  const auto clients = static_cast<int>(scenario_.workload.integers.at("clients"));
  for (int number = 1; number <= clients; ++number) {
    sim::Host& host = *client_hosts_[static_cast<std::size_t>(number - 1) % client_hosts_.size()];
    const std::string name = "client/" + std::to_string(number);
    clients_at_work_.push_back(name);
    host.spawn(name, [this, number, &host, name] {
      workload_->client(number, host, [this] { return stop_clients_; });
      std::erase(clients_at_work_, name);
      progress_.notify_all();
    });
  }
  scheduler.sleep_until(end);
  stop_clients_ = true;
  injector_->heal();
  record("heal", std::monostate{});
  liveness_deadline_ = sim::deadline_after(simulation_.now(), scenario_.liveness_timeout);
  while (!clients_at_work_.empty()) {
    if (progress_.wait("the clients' last operations", liveness_deadline_) == sim::WakeReason::timed_out) break;
  }
  if (clients_at_work_.empty()) return true;
  std::string names;
  for (const std::string& name : clients_at_work_) names += " " + name;
  return fail("stuck-client", fmt::format("{} s after the faults healed, operations of these clients had not ended:{}",
                                          sim::seconds(scenario_.liveness_timeout), names));
}

bool RunPhases::converge() {
  const bool at_rest = wait_for_rest();
  if (watch_ != nullptr) {
    std::string prepared;
    for (const auto& [node, gid] : cluster_->prepared_transactions())
      prepared += fmt::format("{}[\"{}\" \"{}\"]", prepared.empty() ? "" : " ", node, gid);
    record("rest", checkers::Opaque{"[" + prepared + "]"});
  }
  return at_rest;
}

bool RunPhases::wait_for_rest() {
  sim::Scheduler& scheduler = simulation_.scheduler();
  if (!cluster_->wait_until_ready(*client_hosts_.front(), liveness_deadline_)) {
    return fail("not-ready", "a node did not answer although all faults had healed");
  }
  while (true) {
    const std::vector<engine::PreparedTransactionInfo> prepared = cluster_->prepared_transactions();
    const bool open = cluster_->has_open_distributed_transactions();
    if (prepared.empty() && !open) return true;
    if (simulation_.now() >= liveness_deadline_) {
      const double timeout_s = sim::seconds(scenario_.liveness_timeout);
      if (prepared.empty()) {
        return fail("not-converged", fmt::format("{} s after the faults healed, a coordinator still had a distributed "
                                                 "transaction that had not ended everywhere",
                                                 timeout_s));
      }
      std::string list;
      for (const auto& [node, gid] : prepared) list += fmt::format(" {} on {}", gid, node);
      return fail("stuck-prepared",
                  fmt::format("{} s after the faults healed, transactions were still prepared:{}", timeout_s, list));
    }
    scheduler.sleep_for(poll_interval);
  }
}

bool RunPhases::final_reads() {
  return run_on_client("final-read-failed", final_reads_limit,
                       [this] { workload_->final_reads(*client_hosts_.front()); });
}

bool RunPhases::run_on_client(const char* name, sim::Duration limit, std::function<void()> body) {
  const sim::Time deadline = sim::deadline_after(simulation_.now(), limit);
  bool done = false;
  std::string error;
  sim::TaskRef task = client_hosts_.front()->spawn(name, [this, &done, &error, body = std::move(body)] {
    try {
      body();
    } catch (const engine::SqlError& thrown) {
      error = thrown.what();
    }
    done = true;
    progress_.notify_all();
  });
  while (!done) {
    if (progress_.wait(name, deadline) != sim::WakeReason::timed_out) continue;
    if (done) break;
    // The task refers to this frame.
    simulation_.scheduler().cancel(task);
    simulation_.scheduler().join(task);
    return fail(name, fmt::format("no end after {} s without faults", sim::seconds(limit)));
  }
  return error.empty() || fail(name, error);
}

bool RunPhases::fail(std::string name, std::string explanation) {
  liveness_.validity = checkers::Validity::invalid;
  liveness_.counts = {{name, 1}};
  liveness_.anomalies.push_back(checkers::Anomaly{std::move(name), std::move(explanation), {}});
  return false;
}

}  // namespace polarsim::scenarios
