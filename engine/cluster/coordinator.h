// What all sessions of one coordinator share, in memory: gone after a crash.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "engine/cluster/gid.h"
#include "engine/cluster/metadata.h"
#include "engine/config.h"
#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine {
class ClusterObserver;
}

namespace polarsim::engine::cluster {

class Coordinator {
 public:
  // Reads the node table to find its own group. Throws SqlError if the host is not in it.
  Coordinator(sim::Host& host, Instance& instance, const ClusterConfig& config, syntax::StatementCache& statements);

  sim::Host& host() const { return host_; }
  Instance& instance() const { return instance_; }
  const ClusterConfig& config() const { return config_; }
  syntax::StatementCache& statements() const { return statements_; }
  int group_id() const { return group_id_; }
  bool is_primary() const { return group_id_ == primary_coordinator_group; }
  std::shared_ptr<const Metadata> metadata() { return metadata_.current(); }
  // With what the session's open transaction has changed.
  std::shared_ptr<const Metadata> metadata_seen_by(LocalSession& session) { return metadata_.seen_by(session); }

  // Distributed transactions whose names may be on their way to a node: recovery must not touch them. A transaction is
  // active from before its first PREPARE TRANSACTION until every node has answered its decision or is known not to.
  const std::set<TransactionId>& active_transactions() const { return active_; }

  // Null: nobody.
  void set_observer(ClusterObserver* observer) { observer_ = observer; }
  ClusterObserver* observer() const { return observer_; }

  // Held by a recovery round.
  sim::Mutex& recovery_mutex() { return recovery_mutex_; }

 private:
  friend class ActiveTransaction;
  sim::Host& host_;
  Instance& instance_;
  const ClusterConfig& config_;
  syntax::StatementCache& statements_;
  MetadataCache metadata_;
  int group_id_ = -1;
  std::uint64_t last_number_ = 0;
  std::set<TransactionId> active_;
  sim::Mutex recovery_mutex_;
  ClusterObserver* observer_ = nullptr;
};

// Numbers a distributed transaction and keeps it active for as long as the object lives.
class ActiveTransaction {
 public:
  ActiveTransaction(Coordinator& coordinator, std::uint32_t process_id)
      : coordinator_(coordinator), id_{process_id, ++coordinator.last_number_} {
    coordinator_.active_.insert(id_);
  }
  ~ActiveTransaction() { coordinator_.active_.erase(id_); }
  ActiveTransaction(const ActiveTransaction&) = delete;
  ActiveTransaction& operator=(const ActiveTransaction&) = delete;
  const TransactionId& id() const { return id_; }

 private:
  Coordinator& coordinator_;
  TransactionId id_;
};

}  // namespace polarsim::engine::cluster
