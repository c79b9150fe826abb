// Looks into the nodes while a workload runs and writes into its history what no client can see: when branches of
// operations were prepared, committed and rolled back, and which snapshot each statement took. checkers/cluster_log.h
// says how. Only for scenarios with a checker that asks for it, because what is recorded is part of a run's digest;
// nothing else of a run depends on it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/cluster/observer.h"
#include "scenarios/workload.h"

namespace polarsim::scenarios {

class TransactionWatch final : public engine::ClusterObserver {
 public:
  TransactionWatch(sim::Simulation& simulation, const engine::Cluster& cluster, HistoryRecorder& recorder);

  // From when to when events go into the history.
  void begin() { recording_ = true; }
  void end() { recording_ = false; }

  // --- told by clients ---
  // A connection; the number stands for it from now on.
  std::size_t connected(const std::string& coordinator, std::uint32_t process_id);
  // What its session does belongs to the operation that was invoked last.
  void operation_begun(std::size_t connection);
  void statement_begun(std::size_t connection);
  // [node position time] of the snapshot that data nodes took for the statement, if it was exactly one; else nil.
  std::string snapshot(std::size_t connection) const;
  // Of all of them, in order: [[node position time] ...].
  std::string snapshots(std::size_t connection) const;

  // --- told by the cluster ---
  void snapshot_taken(const std::string& node, std::uint32_t process_id) override;
  void branch_begun(const std::string& node, engine::storage::Xid xid, std::uint32_t process_id) override;
  void branch_prepared(const std::string& node, engine::storage::Xid xid, const std::string& gid) override;
  void branch_ended(const std::string& node, engine::storage::Xid xid, bool committed) override;
  void task_begins(const engine::CoordinatorSessionName& session, const std::string& node,
                   std::uint32_t process_id) override;
  void node_opened(const std::string& node, const StatusOf& status_of) override;

 private:
  struct Snapshot {
    std::string node;
    std::uint64_t position = 0;
    std::int64_t time_ns = 0;
  };
  struct Connection {
    std::int64_t operation = -1;      // :index of its invocation
    std::vector<Snapshot> snapshots;  // of the statement at hand
  };
  // For whom a backend works. An operation may have ended without it, if its connection was lost.
  struct Work {
    std::size_t connection = 0;
    std::int64_t operation = -1;
  };
  struct Branch {
    std::int64_t operation = -1;
    std::string gid;
    bool committed = false, ended = false;
  };
  struct Node {
    bool holds_shards = false;
    std::uint64_t position = 0;
    std::map<std::uint32_t, Work> work;  // by process id of the node's backend, since its boot
    std::map<engine::storage::Xid, Branch> branches;
  };

  void record(const char* what, const std::string& name, Node& node, const Branch& branch);

  sim::Simulation& simulation_;
  HistoryRecorder& recorder_;
  bool recording_ = false;
  std::map<std::string, Node> nodes_;
  std::vector<Connection> connections_;
  std::map<engine::CoordinatorSessionName, std::size_t> latest_;  // by the session that serves it
};

}  // namespace polarsim::scenarios
