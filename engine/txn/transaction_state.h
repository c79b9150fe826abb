// The inside of the transaction manager, shared by its source files: transaction_manager.cpp (life of a transaction),
// transaction_recovery.cpp (redo, checkpoints), transaction_xids.cpp (identifiers, savepoints, status).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/txn/commit_log.h"
#include "engine/txn/multixact_store.h"
#include "engine/txn/observer.h"
#include "engine/txn/running_xids.h"
#include "engine/txn/transaction_manager.h"
#include "engine/txn/two_phase.h"

namespace polarsim::engine::txn {

// As PostgreSQL's FirstNormalObjectId: below are the catalog's own.
inline constexpr RelationId first_relation = 16384;

struct OpenTransaction : Transaction {
  std::unique_ptr<Backend> own_backend;       // once it goes on without its session
  bool is_prepared = false;                   // durably
  std::optional<std::size_t> snapshot_place;  // of `snapshot`
  // It is a member of no older one (PostgreSQL's OldestMemberMXactId). Once it has an identifier.
  MultiXactId first_multixact = 0;
};

struct TransactionManager::Implementation {
  Implementation(sim::Host& its_host, const NodeConfig& its_config, LockManager& its_locks);

  // --- transaction_xids.cpp ---
  Xid next_xid() const { return storage::xid_of(next); }
  Xid new_xid();
  Snapshot take_snapshot() const;
  // The same, for a statement or for a whole transaction of this one's session: observers are told.
  Snapshot take_snapshot_for(const Transaction& transaction) const;
  XidStatus status(Xid xid) const;
  Xid horizon() const;
  MultiXactId multixact_horizon() const;

  // --- transaction_manager.cpp ---
  // The last steps of a transaction, once the log allows them. Never blocks. The task that removes files, if any does,
  // which it does not before its record, which ends at `lsn`, is durable.
  sim::TaskRef complete(OpenTransaction& transaction, bool commit, storage::Lsn lsn);
  void complete_prepare(OpenTransaction& transaction);
  void release_snapshot(OpenTransaction& transaction);
  sim::TaskRef remove_files_beside(const std::vector<RelationId>& relations, storage::Lsn lsn);
  void join(const sim::TaskRef& task);
  // Waits until the record that ends at `lsn` has decided transaction `number`. If the caller is cancelled, the
  // transaction goes on with a backend of its own.
  void await(std::uint64_t number, storage::Lsn lsn);
  void detach(OpenTransaction& transaction);
  OpenTransaction* find(std::uint64_t number) const;
  bool commits_without_flush(const Transaction& transaction) const;

  // --- transaction_recovery.cpp ---
  void redo_end(storage::RedoContext& context, const EndRecord& record, bool commit);
  void restore(const PreparedState& state);
  void flush();
  // The files of all that are prepared are there when it returns. Blocks.
  std::vector<Xid> save_prepared();
  void finished();

  sim::Host& host;
  const NodeConfig& config;
  LockManager& locks;
  storage::WalLog* log = nullptr;

  CommitLog commit_log;
  MultiXactStore multixacts;
  TwoPhaseFiles two_phase_files;
  FullXid next;      // to be given out
  FullXid reserved;  // those before it have been logged
  Xid oldest_xid;
  RelationId next_relation;
  RelationId reserved_relation;

  std::map<std::uint64_t, std::unique_ptr<OpenTransaction>> open;  // by number
  std::map<std::string, OpenTransaction*, std::less<>> by_gid;
  RunningXids running;
  SnapshotRegistry snapshots;
  std::uint64_t next_number = 1;
  std::set<Xid> without_row_locks;         // planted bugs only
  std::map<Xid, PreparedState> recovered;  // during redo: prepared, and not yet ended
  std::set<Xid> prepared_at_checkpoint;    // during redo, and not yet ended
  std::vector<EndListener> end_listeners;
  std::vector<RollbackListener> rollback_listeners;
  RemoveFiles remove_files;
  TransactionObserver* observer = nullptr;
};

// The identifiers of the levels from `first` on, subtransactions that were released included; a level's own first.
std::vector<Xid> xids_of(const Transaction& transaction, std::size_t first = 0);
// Puts the levels from `first` on into the one before: they commit and abort with it.
void fold_levels(Transaction& transaction, std::size_t first);
PreparedState prepared_state_of(const Transaction& transaction);

}  // namespace polarsim::engine::txn
