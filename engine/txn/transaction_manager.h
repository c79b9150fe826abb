// Transactions: identifiers, snapshots, savepoints, commit, two phases, and what became of whom.
//
// A transaction becomes visible, its locks go, and its client hears of it only when its commit record is durable. An
// abort needs no flush: what the commit log does not know as committed, and nobody runs, is aborted. Prepared
// transactions keep their locks and identifiers, also over crashes: their state is in the WAL, and a checkpoint copies
// it to "twophase/<xid>" before it lets go of that part of the log (PostgreSQL's
// src/backend/access/transam/twophase.c).
//
// Identifiers of transactions and relations are reserved in the log in batches before they are given out, so that none
// that may be on some page is ever given out again; a restart skips the rest of a batch.
//
// Savepoints: what was done since a savepoint has an identifier of its own (a subtransaction), which is committed with
// its parents or rolled back alone. When a savepoint is released, its subtransaction's lock goes, and who waits for it
// goes on waiting for the whole transaction (wait_for_end).
//
// Checkpoints. A commit's outcome is set when its record is durable, so a checkpoint first makes durable, and thereby
// sets, all outcomes whose records precede its redo point (where PostgreSQL delays checkpoints, "delayChkpt"); only
// then are the pages of the commit log written. A prepared transaction's file is written before the checkpoint counts,
// and removed after a checkpoint that finds it ended.
//
// Redo: register_redo() claims the kinds commit .. next_xid; end_recovery() gives prepared transactions their locks
// back. What is left undecided then is aborted, for nobody runs it.
//
// The log has to be destroyed before this is. Fault points: "checkpoint/commit-log-written",
// "checkpoint/multixacts-written", "checkpoint/prepared-written". Probes: "2pc/prepared", "recovery/prepared-restored",
// "recovery/stale-prepared-file".
#pragma once

#include <algorithm>
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
class TransactionObserver;

// A snapshot that keeps vacuum from removing what it may need, for as long as it lives.
class ActiveSnapshot {
 public:
  // Of a statement under read committed: new. Under repeatable read: the transaction's, taken by the first.
  ActiveSnapshot(TransactionManager& manager, Transaction& transaction);
  // A new one also under repeatable read (GetLatestSnapshot): for checks of constraints, which must not miss what
  // others have committed.
  enum class Latest : std::uint8_t { snapshot };
  ActiveSnapshot(TransactionManager& manager, Transaction& transaction, Latest latest);
  ~ActiveSnapshot();
  ActiveSnapshot(const ActiveSnapshot&) = delete;
  ActiveSnapshot& operator=(const ActiveSnapshot&) = delete;
  const Snapshot& operator*() const { return snapshot_; }
  const Snapshot* operator->() const { return &snapshot_; }

 private:
  TransactionManager& manager_;
  Snapshot snapshot_;
  std::size_t place_;
};

class TransactionManager {
 public:
  TransactionManager(sim::Host& host, const NodeConfig& config, LockManager& locks);
  ~TransactionManager();
  // The log exists from here on: after recovery has opened it.
  void attach(storage::WalLog& log);

  // --- recovery ---
  // Before redo; not on a new node. Throws SqlError XX001 if what the checkpoint wrote is damaged or missing, 58030 if
  // the disk fails. Blocks.
  void load(const storage::CheckpointData& checkpoint);
  void register_redo(storage::RedoTable& table);
  // After redo; never blocks. Throws SqlError XX001 if the state of a prepared transaction is missing.
  void end_recovery();
  storage::Checkpointer::Keeper keeper();

  // --- life of a transaction ---
  Transaction& begin(Backend& backend, IsolationLevel isolation = IsolationLevel::read_committed);
  // These two take the transaction over: however they are left, it is no longer the caller's. They block until the
  // outcome is durable and (commit) visible. What Transaction::commit_check throws rolls it back. If the caller is
  // cancelled while it waits, it goes on without it, and without the caller's backend. What has not been released of
  // savepoints commits too. A transaction that only locked rows waits for nothing.
  void commit(Transaction& transaction);
  // Rolled back with 42710, 22023, 0A000 (a lock of the session and one of the transaction on the same thing).
  void prepare(Transaction& transaction, const std::string& gid);
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
  void next_command(Transaction& transaction) {
    transaction.last_command = std::max(transaction.command, transaction.last_command) + 1;
    transaction.command = transaction.last_command;
  }

  // --- what became of whom ---
  // Of a subtransaction: committed only if all its parents are. Throws SqlError XX001 if it is so old that this has
  // been forgotten.
  XidStatus status(Xid xid) const;
  bool committed(Xid xid) const { return status(xid) == XidStatus::committed; }
  bool in_progress(Xid xid) const { return status(xid) == XidStatus::in_progress; }
  // Whether it is the transaction itself or one of its subtransactions that has not been rolled back.
  bool is_own(const Transaction& transaction, Xid xid) const;
  // The transaction that has to end before `xid` is decided; `xid` itself unless it is a subtransaction.
  Xid top_of(Xid xid) const;
  // Waits until `xid` is decided. A savepoint's transaction that runs on because it was released is waited for as a
  // whole. Throws as LockManager::acquire().
  void wait_for_end(Backend& backend, Xid xid);
  bool is_prepared(Xid xid) const;
  // Whether others have to respect what a transaction in progress did to rows: true, but for two planted bugs. If
  // false, nobody waits for it, and rows it changed or locked can be changed as if it had been rolled back.
  bool row_locks_count(Xid xid) const;

  // Committed, and visible to every snapshot there is or will be.
  bool settled_for_all(Xid xid) const;
  // No snapshot that exists or will exist distinguishes between transactions older than this one.
  Xid horizon() const;
  // No open transaction is a member of an older one. So none older is on the rows of tables that only their creators
  // see yet.
  MultiXactId multixact_horizon() const;
  FullXid next_xid() const;
  // Never blocks. Relations of the node's own catalog have numbers below the first, 16384.
  RelationId new_relation_id();

  LockManager& locks();
  MultiXacts& multixacts();
  const MultiXacts& multixacts() const;
  storage::WalLog& log();
  sim::Host& host() const;
  const NodeConfig& config() const;
  std::size_t open_transactions() const;

  // Called when a transaction has ended (before its locks go): catalogs follow it. Must not block.
  using EndListener = std::function<void(const Transaction&, bool committed)>;
  void add_end_listener(EndListener listener);
  // Called when the levels from `first_level` on have been rolled back (before their locks go). Must not block.
  using RollbackListener = std::function<void(const Transaction&, std::size_t first_level)>;
  void add_rollback_listener(RollbackListener listener);
  // The relations whose files are to be removed once an end, or the end of a part of a transaction, is durable; blocks
  // in commit(), abort() and rollback_to().
  using RemoveFiles = std::function<void(const std::vector<RelationId>&)>;
  void set_remove_files(RemoveFiles remove);

  // Null: nobody. It must outlive the manager.
  void set_observer(TransactionObserver* observer);

  // Vacuum has frozen everything older in all tables. Never beyond horizon() and multixact_horizon(), nor back. Never
  // blocks.
  void advance_oldest(Xid oldest_xid, MultiXactId oldest_multixact);
  Xid oldest_xid() const;

 private:
  friend class ActiveSnapshot;
  void check_before_end(Transaction& transaction);
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::txn
