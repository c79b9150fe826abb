#include "scenarios/transaction_watch.h"

#include <fmt/format.h>

#include "engine/types/error.h"

namespace polarsim::scenarios {

using engine::storage::Xid;

namespace {

std::string text_of(const std::string& node, std::uint64_t position, std::int64_t time_ns) {
  return fmt::format("[\"{}\" {} {}]", node, position, time_ns);
}

}  // namespace

TransactionWatch::TransactionWatch(sim::Simulation& simulation, const engine::Cluster& cluster,
                                   HistoryRecorder& recorder)
    : simulation_(simulation), recorder_(recorder) {
  for (const std::string& name : cluster.data_node_names()) nodes_[name].holds_shards = true;
}

std::size_t TransactionWatch::connected(const std::string& coordinator, std::uint32_t process_id) {
  const std::size_t connection = connections_.size();
  connections_.emplace_back();
  latest_[{coordinator, process_id}] = connection;
  return connection;
}

void TransactionWatch::operation_begun(std::size_t connection) {
  connections_[connection].operation = recorder_.last_index();
}

void TransactionWatch::statement_begun(std::size_t connection) { connections_[connection].snapshots.clear(); }

std::string TransactionWatch::snapshot(std::size_t connection) const {
  const std::vector<Snapshot>& taken = connections_[connection].snapshots;
  if (taken.size() != 1) return "nil";
  return text_of(taken.front().node, taken.front().position, taken.front().time_ns);
}

std::string TransactionWatch::snapshots(std::size_t connection) const {
  std::string text;
  for (const Snapshot& taken : connections_[connection].snapshots) {
    text += (text.empty() ? "" : " ") + text_of(taken.node, taken.position, taken.time_ns);
  }
  return "[" + text + "]";
}

void TransactionWatch::task_begins(const engine::CoordinatorSessionName& session, const std::string& node,
                                   std::uint32_t process_id) {
  const auto connection = latest_.find(session);
  if (connection == latest_.end()) return;
  nodes_[node].work.insert_or_assign(process_id, Work{connection->second, connections_[connection->second].operation});
}

void TransactionWatch::snapshot_taken(const std::string& name, std::uint32_t process_id) {
  Node& node = nodes_[name];
  if (!node.holds_shards) return;
  const std::uint64_t position = ++node.position;
  const auto work = node.work.find(process_id);
  if (work == node.work.end()) return;
  Connection& connection = connections_[work->second.connection];
  if (connection.operation != work->second.operation) return;
  connection.snapshots.push_back({name, position, sim::nanoseconds(simulation_.now())});
}

void TransactionWatch::branch_begun(const std::string& name, Xid xid, std::uint32_t process_id) {
  Node& node = nodes_[name];
  if (!node.holds_shards) return;
  const auto work = node.work.find(process_id);
  Branch branch;
  if (work != node.work.end()) branch.operation = work->second.operation;
  node.branches.insert_or_assign(xid, std::move(branch));
}

void TransactionWatch::branch_prepared(const std::string& name, Xid xid, const std::string& gid) {
  Node& node = nodes_[name];
  const auto found = node.branches.find(xid);
  if (found == node.branches.end()) return;
  found->second.gid = gid;
  record("prepare", name, node, found->second);
}

void TransactionWatch::branch_ended(const std::string& name, Xid xid, bool committed) {
  Node& node = nodes_[name];
  const auto found = node.branches.find(xid);
  if (found == node.branches.end()) return;
  found->second.ended = true;
  found->second.committed = committed;
  record(committed ? "commit" : "abort", name, node, found->second);
}

void TransactionWatch::node_opened(const std::string& name, const StatusOf& status_of) {
  Node& node = nodes_[name];
  node.work.clear();
  std::erase_if(latest_, [&](const auto& session) { return session.first.coordinator == name; });
  for (auto& [xid, branch] : node.branches) {
    if (branch.ended && !branch.committed) continue;
    engine::txn::XidStatus status{};
    try {
      status = status_of(xid);
    } catch (const engine::SqlError&) {
      continue;  // so old that it is settled for everybody
    }
    if (status == engine::txn::XidStatus::in_progress) continue;
    const bool committed = status == engine::txn::XidStatus::committed;
    if (branch.ended && committed) continue;
    branch.ended = true;
    branch.committed = committed;
    record(committed ? "commit" : "abort", name, node, branch);
  }
}

void TransactionWatch::record(const char* what, const std::string& name, Node& node, const Branch& branch) {
  const std::uint64_t position = ++node.position;
  if (!recording_) return;
  // Of what no client asked for only that it committed matters: it might have been an operation's after all.
  const bool known = branch.operation >= 0;
  if (!known && what != std::string_view("commit")) return;
  std::string value = fmt::format("{{:op {} :node \"{}\" :position {}",
                                  known ? std::to_string(branch.operation) : "nil", name, position);
  if (!branch.gid.empty()) value += fmt::format(" :gid \"{}\"", branch.gid);
  recorder_.add(checkers::nemesis_process, checkers::EventType::info, what, checkers::Opaque{value + "}"});
}

}  // namespace polarsim::scenarios
