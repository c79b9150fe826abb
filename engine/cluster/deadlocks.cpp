#include "engine/cluster/deadlocks.h"

#include <algorithm>
#include <string>

#include "engine/node/database.h"
#include "sim/sync.h"

namespace polarsim::engine::cluster {

namespace {

// A timestamptz counts from 2000, a host's clock from 1970.
constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;

std::uint32_t process_id(const Value& value) { return static_cast<std::uint32_t>(value.as_integer()); }

}  // namespace

DeadlockDetection::DeadlockDetection(Coordinator& coordinator)
    : coordinator_(coordinator), executor_(coordinator.host(), coordinator.config().node) {}

// A transaction that is in a deadlock waits, with a statement that has begun before.
bool DeadlockDetection::is_worth_looking() const {
  const sim::Time now = coordinator_.host().scheduler().now();
  const sim::Duration timeout = coordinator_.config().node.deadlock_timeout;
  const auto backends = coordinator_.instance().database().backends();
  return std::any_of(backends.begin(), backends.end(), [&](const txn::Backend* backend) {
    const txn::RemoteWork work = backend->remote_work();
    return !work.workers.empty() && work.statement_start != sim::never && now - work.statement_start >= timeout;
  });
}

void DeadlockDetection::ask_node(const NodeInfo& node, bool is_coordinator, WaitGraph& graph) {
  const int group = node.group_id;
  try {
    const QueryResult waits =
        executor_.run_on(node, "SELECT waiting_pid, blocking_pid, waitstart FROM pg_catalog.polar_cluster_local_waits");
    for (const Row& row : waits.rows) {
      graph.add_wait({group, process_id(row.at(0))}, {group, process_id(row.at(1))}, row.at(2).as_integer());
    }
    if (!is_coordinator) return;
    const QueryResult workers = executor_.run_on(
        node, "SELECT pid, xact_start, groupid, worker_pid FROM pg_catalog.polar_cluster_remote_workers");
    for (const Row& row : workers.rows) {
      graph.add_worker({group, process_id(row.at(0))}, row.at(1).as_integer() + epoch_2000_us,
                       {static_cast<int>(row.at(2).as_integer()), process_id(row.at(3))});
    }
  } catch (const SqlError& error) {
    coordinator_.host().log("deadlock detection on " + node.name + ": " + error.fields().message);
  }
}

WaitGraph DeadlockDetection::ask_all() {
  WaitGraph graph;
  const auto metadata = coordinator_.metadata();
  sim::Nursery nursery(coordinator_.host().scheduler(), "deadlock detection");
  for (const auto& [group, node] : metadata->nodes) {
    if (group == coordinator_.group_id()) continue;
    nursery.spawn("waits on " + node.name, [&, &to = node] { ask_node(to, !to.holds_shards, graph); });
  }
  nursery.wait();
  // The own node last, and without a pause until its answer counts.
  const Database& own = coordinator_.instance().database();
  const int group = coordinator_.group_id();
  for (const txn::LockManager::Wait& wait : own.locks().waits()) {
    graph.add_wait({group, wait.waiter}, {group, wait.blocker}, wait.since_us);
  }
  for (const txn::Backend* const backend : own.backends()) {
    const txn::RemoteWork work = backend->remote_work();
    for (const txn::RemoteWork::Worker& worker : work.workers) {
      graph.add_worker({group, backend->process_id()}, work.transaction_start_us, {worker.group_id, worker.process_id});
    }
  }
  return graph;
}

std::vector<std::uint32_t> DeadlockDetection::run() {
  std::vector<std::uint32_t> cancelled;
  if (!is_worth_looking()) return cancelled;
  const WaitGraph first = ask_all();
  if (first.victims(coordinator_.group_id()).empty()) return cancelled;
  WaitGraph second = ask_all();
  second.keep_common(first);
  for (const Process& victim : second.victims(coordinator_.group_id())) {
    txn::Backend* const backend = coordinator_.instance().database().find_backend(victim.process_id);
    if (backend == nullptr) continue;
    coordinator_.host().reached("deadlock/over-nodes");
    backend->request_cancel(txn::CancelReason::deadlock);
    cancelled.push_back(victim.process_id);
  }
  if (cancelled.empty()) coordinator_.host().reached("deadlock/over-nodes-gone");
  return cancelled;
}

void run_deadlock_daemon(Coordinator& coordinator) {
  const ClusterConfig& config = coordinator.config();
  if (config.distributed_deadlock_detection_factor <= 0) return;
  const auto pause = sim::Duration(static_cast<std::int64_t>(
      config.distributed_deadlock_detection_factor * static_cast<double>(config.node.deadlock_timeout.count())));
  DeadlockDetection detection(coordinator);
  while (true) {
    coordinator.host().sleep_for(pause);
    try {
      detection.run();
    } catch (const SqlError& error) {
      coordinator.host().log("deadlock detection: " + error.fields().message);
    }
  }
}

}  // namespace polarsim::engine::cluster
