// Transactions: identifiers, snapshots, savepoints, commit, two phases, and what became of whom.
//
// A transaction becomes visible, its locks go, and its client hears of it only when its commit record is durable. An
// abort needs no flush: what the commit log does not know as committed, and nobody runs, is aborted. Prepared
// transactions keep their locks and identifiers, also over crashes: their state is in the WAL, and a checkpoint copies
// it to "twophase/<xid>" before it lets go of that part of the log (PostgreSQL's src/backend/access/transam/twophase.c).
//
// Redo: register_redo() claims the kinds commit .. next_relation_id; end_recovery() turns what is left undecided into
// aborted, and gives prepared transactions their locks back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/storage/checkpoint.h"
#include "engine/storage/redo.h"
#include "engine/storage/wal_record.h"
#include "engine/txn/lock_manager.h"
#include "engine/txn/multixact.h"
#include "engine/txn/transaction.h"

namespace polarsim::engine::txn {

struct PreparedInfo {
  Xid xid = 0;
  std::string gid;
  std::int64_t prepared_us = 0;
};

enum class XidStatus : std::uint8_t { in_progress, committed, aborted };

class TransactionManager;

// A snapshot that keeps vacuum from removing what it may need, for as long as it lives.
class ActiveSnapshot {
 public:
  // Of a statement under read committed: new. Under repeatable read: the transaction's, taken by the first.
  ActiveSnapshot(TransactionManager& manager, Transaction& transaction);
  ~ActiveSnapshot();
  ActiveSnapshot(const ActiveSnapshot&) = delete;
  ActiveSnapshot& operator=(const ActiveSnapshot&) = delete;
  const Snapshot& operator*() const { return snapshot_; }
  const Snapshot* operator->() const { return &snapshot_; }

 private:
  TransactionManager& manager_;
  Snapshot snapshot_;
  std::uint64_t place_;
};

class TransactionManager {
 public:
  TransactionManager(sim::Host& host, const NodeConfig& config, LockManager& locks);
  ~TransactionManager();
  // The log exists from here on: after recovery has opened it.
  void attach(storage::WalLog& log);

  // --- recovery ---
  void load(const storage::CheckpointData& checkpoint);  // before redo. Blocks.
  void register_redo(storage::RedoTable& table);
  void end_recovery();  // after redo
  storage::Checkpointer::Keeper keeper();

  // --- life of a transaction ---
  Transaction& begin(Backend& backend, IsolationLevel isolation = IsolationLevel::read_committed);
  // These two take the transaction over: however they are left, it is no longer the caller's. They block until the
  // outcome is durable and (commit) visible. If the caller is cancelled while it waits, it goes on without it.
  void commit(Transaction& transaction);
  void prepare(Transaction& transaction, const std::string& gid);  // 42710, 22023: rolled back
  // Never blocks on the disk, but for files of tables it created.
  void abort(Transaction& transaction);
  // Blocks until durable. Throws 42704 if there is no such transaction, 55000 if another session is at it.
  void finish_prepared(const std::string& gid, bool commit);
  std::vector<PreparedInfo> prepared() const;  // by gid

  // --- savepoints ---
  void savepoint(Transaction& transaction, const std::string& name);
  // 3B001 "savepoint "x" does not exist". The savepoint stays and can be rolled back to again.
  void rollback_to(Transaction& transaction, const std::string& name);
  void release(Transaction& transaction, const std::string& name);

  // The identifier of the present level; its parents get theirs before (a child is younger than its parent). Throws
  // 54000 if identifiers run out because nothing is frozen.
  Xid assign_xid(Transaction& transaction);
  // The statement is over: what it did is visible to the next one.
  void next_command(Transaction& transaction) { ++transaction.command; }

  // --- what became of whom ---
  // Of a subtransaction: committed only if all its parents are.
  XidStatus status(Xid xid) const;
  bool committed(Xid xid) const { return status(xid) == XidStatus::committed; }
  bool in_progress(Xid xid) const { return status(xid) == XidStatus::in_progress; }
  // Whether it is the transaction itself or one of its subtransactions that has not been rolled back.
  bool is_own(const Transaction& transaction, Xid xid) const;
  // The transaction that has to end before `xid` is decided; `xid` itself unless it is a subtransaction.
  Xid top_of(Xid xid) const;
  bool is_prepared(Xid xid) const;

  // Committed, and visible to every snapshot there is or will be.
  bool settled_for_all(Xid xid) const;
  // No snapshot that exists or will exist distinguishes between transactions older than this one.
  Xid horizon() const;
  FullXid next_xid() const;
  RelationId new_relation_id();

  LockManager& locks();
  MultiXacts& multixacts();
  storage::WalLog& log();
  sim::Host& host() const;
  const NodeConfig& config() const;
  std::size_t open_transactions() const;

  // Called when a transaction has ended (before its locks go): catalogs follow it.
  using EndListener = std::function<void(const Transaction&, bool committed)>;
  void add_end_listener(EndListener listener);
  // The relations whose files are to be removed once an end is durable; blocks in commit() and abort().
  using RemoveFiles = std::function<void(const std::vector<RelationId>&)>;
  void set_remove_files(RemoveFiles remove);

  // Vacuum has frozen everything older in all tables.
  void advance_oldest(Xid oldest_xid, MultiXactId oldest_multixact);

 private:
  friend class ActiveSnapshot;
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::txn
