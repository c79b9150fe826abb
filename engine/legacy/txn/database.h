// Transactions over tables: what is visible to whom, what is locked, and what survives.
//
// PostgreSQL's Read Committed on one node. Changes go to the heap at once and to the WAL buffer before; a transaction
// becomes visible, its locks go and its client hears of it only when its commit record is durable. Versions of aborted
// transactions are removed at once. Functions block only where they say so. A pointer to a row chain must be looked up
// again after anything that blocks.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/legacy/storage/catalog.h"
#include "engine/storage/wal.h"
#include "engine/legacy/txn/lock_table.h"
#include "engine/legacy/txn/redo.h"
#include "engine/legacy/txn/transaction.h"
#include "sim/host.h"

namespace polarsim::engine::legacy {


class Database;

// A snapshot that keeps the versions it may need from being pruned for as long as it lives.
class ActiveSnapshot {
 public:
  ActiveSnapshot(Database& database, const Transaction& transaction);
  ~ActiveSnapshot();
  ActiveSnapshot(const ActiveSnapshot&) = delete;
  ActiveSnapshot& operator=(const ActiveSnapshot&) = delete;
  const Snapshot& operator*() const { return snapshot_; }

 private:
  Database& database_;
  Snapshot snapshot_;
  std::list<const Snapshot*>::iterator place_;
};

struct PreparedInfo {
  Xid xid = 0;
  std::string gid;
  std::int64_t prepared_us = 0;
};

// What stands in the way of a new row with a certain key.
struct KeyConflict {
  RowId row = 0;      // a row that has the key for good
  Xid undecided = 0;  // or: an open transaction on whose end it depends
  explicit operator bool() const { return row != 0 || undecided != 0; }
};

class Database {
 public:
  // Creates the storage if the disk is empty, else recovers. Blocks. Throws SqlError as Wal::open.
  Database(sim::Host& host, const NodeConfig& config, const storage::WalOptions& wal_options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // --- transactions ---
  Transaction& begin(std::uint32_t process_id);
  // These two take the transaction over: however they are left, it is no longer the caller's.
  // Blocks until the commit is durable and visible. If the caller is cancelled while it waits, the commit goes on
  // without it.
  void commit(Transaction& transaction);
  // Blocks until durable. Throws 42710 or 22023; the transaction is then rolled back.
  void prepare(Transaction& transaction, const std::string& gid);
  // Never blocks.
  void abort(Transaction& transaction);
  // Blocks until durable. Throws 42704 if there is no such transaction, 55000 if another session is at it.
  void finish_prepared(const std::string& gid, bool commit);
  std::vector<PreparedInfo> prepared() const;  // by gid

  // Gives the transaction an identifier if it has none.
  Xid assign_xid(Transaction& transaction);

  // --- visibility ---
  // The version a snapshot shows; null if none.
  const RowVersion* visible_version(const RowChain& chain, const Snapshot& snapshot, Xid own) const;
  // The newest version that is committed or the transaction's own; null if there is none or it is deleted.
  const RowVersion* current_version(const RowChain& chain, const Transaction& transaction) const;
  // Looks at uncommitted rows too, as PostgreSQL's unique index does. `except` is a row that may have the key.
  KeyConflict find_key_conflict(const Transaction& transaction, const TableEntry& table, const Row& key,
                                RowId except) const;

  // --- row changes; the caller holds the row's lock ---
  // May block ("wal/append"), may throw 58030: call before deciding what to change.
  void visit_append_point() { wal_->visit_append_point(); }
  RowId insert_row(Transaction& transaction, TableEntry& table, RowPointer row);
  void update_row(Transaction& transaction, TableEntry& table, RowChain& chain, RowPointer row);
  void delete_row(Transaction& transaction, TableEntry& table, RowChain& chain);

  // --- tables ---
  // The table of that name that the transaction may see; null if none. Without a transaction: the committed one.
  TableEntry* find_table(const Transaction* transaction, std::string_view schema, std::string_view name) const;
  // Looks in pg_catalog and public if the name has no schema, and locks the table: key_share to use it, update to drop
  // it. Blocks while another transaction creates or drops it. Null if there is none.
  TableEntry* open_table(Transaction& transaction, const sql::TableName& name, sql::LockStrength strength,
                         const WaitLimits& limits);
  // Blocks while another transaction creates or drops a table of that name. Null if there is one already.
  TableEntry* create_table(Transaction& transaction, TableDefinition definition, const WaitLimits& limits);
  // The caller holds the table's lock in strength update.
  void drop_table(Transaction& transaction, TableEntry& table);

  LockTable& locks() { return locks_; }
  const Catalog& catalog() const { return catalog_; }
  storage::Wal& wal() { return *wal_; }
  sim::Host& host() const { return host_; }
  const NodeConfig& config() const { return config_; }
  std::size_t open_transactions() const { return transactions_.size(); }

 private:
  friend class ActiveSnapshot;
  struct Garbage {
    Xid xid;
    TableId table;
    RowId row;
  };

  Transaction* find_by_xid(Xid xid) const;
  Snapshot make_snapshot(const Transaction& transaction) const;
  bool settled_for_all(Xid xid) const;
  void collect_garbage();
  bool sees_as_done(Xid xid, const Transaction* transaction) const;
  bool commits_without_flush(const Transaction& transaction) const;

  storage::Lsn append(RecordKind kind, const storage::ByteWriter& payload);
  // The last steps of a transaction, once the WAL allows them.
  void complete(std::uint64_t number, bool commit);
  void complete_prepare(std::uint64_t number);
  void undo(Transaction& transaction);
  void settle(const Transaction& transaction);
  void release_locks_at_prepare(Transaction& transaction);
  void forget(Transaction& transaction);

  // Redo.
  void replay(const storage::WalRecord& record);
  void replay_row(RecordKind kind, Xid xid, storage::ByteReader& reader);
  void replay_prepare(Transaction& transaction, storage::ByteReader& reader);
  void replay_end(Transaction& transaction, bool commit);
  void replay_opening();
  Transaction& replayed_transaction(Xid xid);
  void restore_prepared();

  sim::Host& host_;
  const NodeConfig& config_;
  Catalog catalog_;
  CommitLog commit_log_;
  LockTable locks_;
  std::map<std::uint64_t, std::unique_ptr<Transaction>> transactions_;  // by number; all that have not ended
  std::map<Xid, Transaction*> by_xid_;
  std::map<std::string, Transaction*, std::less<>> by_gid_;
  std::list<const Snapshot*> snapshots_;
  std::deque<Garbage> garbage_;  // in the order in which their transactions committed
  Xid next_xid_ = 1;
  std::uint64_t next_number_ = 1;
  // Last, so that the log's writer has ended before what its completions touch goes away.
  std::unique_ptr<storage::Wal> wal_;
};

}  // namespace polarsim::engine::legacy
