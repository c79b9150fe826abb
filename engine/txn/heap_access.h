// Rows of tables: who sees which version, and how versions come, go and get locked (PostgreSQL's
// src/backend/access/heap/heapam.c and heapam_visibility.c).
//
// An update leaves the old version where it is, stamps it with xmax and a link to the new one. A row lock is an xmax
// that only locks; several lockers share the row through a multixact. Who has to wait for a row first takes the row's
// tuple lock, so that waiters are served in order, and then waits for the transactions on the row to end.
//
// All functions may block and throw SqlError (XX001 for damaged pages, what waiting throws). No pin is held when they
// return.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/storage/free_space_map.h"
#include "engine/storage/tuple.h"
#include "engine/txn/transaction_manager.h"

namespace polarsim::engine::txn {

// What the heap needs to know of a table.
struct HeapTable {
  RelationId relation = 0;
  RelationId toast = 0;  // long values lie there
};

struct VisibleRow {
  Tid tid;
  Row row;
};

enum class RowOutcome : std::uint8_t {
  ok,
  invisible,      // the caller's snapshot should not have found it
  self_modified,  // by this transaction: RowFailure::command tells when
  updated,        // by a transaction that has committed; RowFailure::next is the version that replaced it
  deleted,
  not_available,  // only if asked not to wait
};

struct RowFailure {
  Tid next;
  Xid xmax = 0;
  CommandId command = 0;
};

class Heap {
 public:
  Heap(TransactionManager& transactions, storage::BufferPool& pool, storage::DataFiles& files,
       storage::FreeSpaceMap& free_space);

  // --- reading ---
  // The rows a snapshot shows, a page at a time, in order of their Tids. Long values are fetched. It may be held across
  // anything that blocks, as long as the snapshot is active.
  class Scan {
   public:
    Scan(Heap& heap, const HeapTable& table, const Transaction& reader, const Snapshot& snapshot);
    bool next(std::vector<VisibleRow>& rows);

   private:
    Heap& heap_;
    HeapTable table_;
    const Transaction& reader_;
    const Snapshot& snapshot_;
    storage::BlockNumber block_ = 0;
    storage::BlockNumber blocks_ = 0;
  };
  // The version at `tid` if the snapshot shows it.
  std::optional<Row> fetch(const HeapTable& table, Tid tid, const Transaction& reader, const Snapshot& snapshot);
  // The version at `tid`, whoever may see it.
  std::optional<Row> fetch_any(const HeapTable& table, Tid tid);

  // --- writing; the caller holds the table's lock ---
  Tid insert(Transaction& transaction, const HeapTable& table, const Row& row);
  // INSERT ... ON CONFLICT: others who meet the row wait for the token, not for the transaction, until it is confirmed or
  // killed.
  Tid insert_speculative(Transaction& transaction, const HeapTable& table, const Row& row);
  void confirm(Transaction& transaction, const HeapTable& table, Tid tid);
  void kill(Transaction& transaction, const HeapTable& table, Tid tid);

  // Waits for whoever holds the row. On any outcome but ok nothing has changed.
  RowOutcome remove(Transaction& transaction, const HeapTable& table, Tid tid, RowFailure& failure);
  // `key_changed`: a column of some unique index that foreign keys may refer to changes (then it locks as for UPDATE).
  RowOutcome update(Transaction& transaction, const HeapTable& table, Tid tid, const Row& row, bool key_changed,
                    Tid& new_tid, RowFailure& failure);
  // SELECT ... FOR. With `follow`, a row that was updated meanwhile is pursued to its newest version, which is locked;
  // `locked` is then that version (ok), or the outcome is deleted. `locked.tid` differs from `tid` if it moved on.
  RowOutcome lock(Transaction& transaction, const HeapTable& table, Tid tid, sql::LockStrength strength,
                  sql::LockWait wait, bool follow, VisibleRow& locked, RowFailure& failure);

  // --- unique checks ---
  // What the row at one of `tids` means for a key that is to be inserted: the version counts if it is live or may come to
  // be, and if `has_key` says that it has the key.
  struct KeyOwner {
    enum class State : std::uint8_t { none, live, undecided } state = State::none;
    Tid tid;
    Xid wait_for = 0;              // undecided: the transaction whose end decides
    std::uint64_t speculation = 0;  // and if not 0, the token to wait for instead
  };
  KeyOwner find_key_owner(const Transaction& transaction, const HeapTable& table, const std::vector<Tid>& tids,
                          const std::function<bool(const Row&)>& has_key);
  void wait_for(Transaction& transaction, const KeyOwner& owner);

  static void register_redo(storage::RedoTable& table);

 private:
  friend class Vacuum;
  TransactionManager& transactions_;
  storage::BufferPool& pool_;
  storage::DataFiles& files_;
  storage::FreeSpaceMap& free_space_;
};

}  // namespace polarsim::engine::txn
