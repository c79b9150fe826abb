// Rows of tables: who sees which version, and how versions come, go and get locked (PostgreSQL's
// src/backend/access/heap/heapam.c and heapam_visibility.c).
//
// An update leaves the old version where it is, stamps it with xmax and a link to the new one. A row lock is an xmax
// that only locks; several lockers share the row through a multixact. Who has to wait for a row first takes the row's
// tuple lock, so that waiters are served in order, and then waits for the transactions on the row to end.
//
// Long texts lie out of line, in chunks of the table's toast relation (toast.h); they come back with the rows.
//
// All functions may block and throw SqlError (XX001 for damaged pages, 54000 for rows too long, what waiting throws).
// After an error the transaction, or the savepoint, has to be rolled back. No pin is held when they return. Whoever
// reads, changes or locks rows keeps a snapshot active meanwhile (ActiveSnapshot): it keeps vacuum from taking away
// what is being looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/storage/free_space_map.h"
#include "engine/storage/tuple.h"
#include "engine/syntax/ast.h"
#include "engine/txn/heap_redo.h"
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
  // The rows a snapshot shows, some pages at a time, in order of their Tids. Long values are fetched; columns that are
  // not wanted are NULL (storage::WantedColumns, which has to outlive this). It may be held
  // across anything that blocks, as long as the snapshot is active.
  class Scan {
   public:
    Scan(Heap& heap, const HeapTable& table, const Transaction& reader, const Snapshot& snapshot,
         const storage::WantedColumns* wanted = nullptr);
    // False at the end. The rows replace what `rows` held; there is at least one.
    bool next(std::vector<VisibleRow>& rows);
    // From here on the rows of this page, and then the end.
    void look_at(storage::BlockNumber page) {
      block_ = page;
      blocks_ = page + 1;
    }

   private:
    Heap& heap_;
    HeapTable table_;
    const Transaction& reader_;
    const Snapshot& snapshot_;
    const storage::WantedColumns* wanted_;
    storage::BlockNumber block_ = 0;
    storage::BlockNumber blocks_ = 0;  // when the scan began: later pages hold nothing that the snapshot shows
  };
  // The version at `tid` if the snapshot shows it.
  std::optional<Row> fetch(const HeapTable& table, Tid tid, const Transaction& reader, const Snapshot& snapshot,
                           const storage::WantedColumns* wanted = nullptr);
  // What the version at `tid` says of itself; nothing if there is none.
  std::optional<storage::TupleHeader> header(const HeapTable& table, Tid tid);
  // Every version that somebody sees, or may come to see, in order of their places: for reading the catalog at the
  // start and for building indexes. The dead are left out: vacuum may have taken away parts of them already. Nobody
  // else changes or vacuums the table meanwhile. `visit` may block.
  using VisitVersion = std::function<void(Tid, const storage::TupleHeader&, const Row&)>;
  void for_each_version(const HeapTable& table, const VisitVersion& visit);

  // --- writing; the caller holds the table's lock ---
  Tid insert(Transaction& transaction, const HeapTable& table, const Row& row);
  // INSERT ... ON CONFLICT: others who meet the row wait for the token, not for the transaction, until it is confirmed
  // or killed.
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
  // FOR KEY SHARE of a version that an UPDATE replaced without changing its key locks that version and all after it, as
  // in PostgreSQL. With `lock_later` (SELECT FOR), who has waited for an updater of the version locks the later ones,
  // too, and may wait there again, before it is told that the version was replaced
  // (TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS).
  RowOutcome lock(Transaction& transaction, const HeapTable& table, Tid tid, syntax::LockStrength strength,
                  syntax::LockWait wait, bool follow, VisibleRow& locked, RowFailure& failure, bool lock_later = false);

  // --- unique checks ---
  // What the row at one of `tids` means for a key that is to be inserted: the first version that is live or may come to
  // be, and has the key, as `has_key` says. Does not wait for transactions.
  struct KeyOwner {
    enum class State : std::uint8_t { none, live, undecided } state = State::none;
    Tid tid;
    bool own = false;               // live: made by this transaction
    Xid wait_for = 0;               // undecided: the transaction whose end decides
    std::uint64_t speculation = 0;  // and if not 0, the token to wait for instead
  };
  KeyOwner find_key_owner(const Transaction& transaction, const HeapTable& table, const std::vector<Tid>& tids,
                          const std::function<bool(const Row&)>& has_key);
  void wait_for(Transaction& transaction, const KeyOwner& owner);
  // Those of the places where nothing is that anybody sees or will see: index entries that lead there are of no use,
  // and whoever sees to it that no new ones come may take them out.
  std::vector<Tid> dead_places(const HeapTable& table, const std::vector<Tid>& tids);

  // The relation's file is gone.
  void forget(RelationId relation) { last_block_.erase(relation); }

  static void register_redo(storage::RedoTable& table) { register_heap_redo(table); }

 private:
  friend class Vacuum;
  friend class Toast;

  // A version on its pinned page. Void after anything that blocks, and after the page was changed.
  struct Version {
    storage::PageRef ref;
    Tid tid;
    std::span<const char> tuple;
    storage::TupleHeader header;
    explicit operator bool() const { return !tuple.empty(); }
  };
  // False if nothing is there. Blocks.
  Version look(RelationId relation, Tid tid);
  static Version look_on(storage::PageRef ref, Tid tid);
  // The version, and another page of the relation.
  std::pair<Version, storage::PageRef> look_with(RelationId relation, Tid tid, storage::BlockNumber other);

  // --- heap_insert.cpp ---
  // A page that has room for the tuple. Blocks before it is pinned.
  storage::PageRef page_with_room(RelationId relation, std::size_t tuple_bytes);
  Tid place(RelationId relation, TupleRecord& record, const storage::TupleHeader& header);
  Tid insert_version(Transaction& transaction, const HeapTable& table, const Row& row,
                     const storage::TupleHeader& header);

  // --- heap_update.cpp ---
  // A backend's place in the queue for a row; given up at the end of the scope.
  class RowQueue {
   public:
    RowQueue(LockManager& locks, Transaction& transaction, RelationId relation, Tid tid)
        : locks_(locks), transaction_(transaction), tag_(LockTag::of_tuple(relation, tid)) {}
    ~RowQueue();
    RowQueue(const RowQueue&) = delete;
    RowQueue& operator=(const RowQueue&) = delete;
    // Blocks. Only the first time counts.
    void join(syntax::LockStrength strength);
    // False if that would block.
    bool try_join(syntax::LockStrength strength);
    bool joined() const { return mode_ != LockMode::none; }

   private:
    LockManager& locks_;
    Transaction& transaction_;
    LockTag tag_;
    LockMode mode_ = LockMode::none;
  };
  // What a change of the version that needs this strength meets. Empty: `holders` are in the way, wait for them and
  // look again. Never blocks.
  std::optional<RowOutcome> judge(const Transaction& transaction, const Version& version, syntax::LockStrength strength,
                                  const RowQueue& queue, std::vector<MultiXactMember>& holders, RowFailure& failure);
  // Whether one of those in the way of this strength still runs.
  bool any_running(const Transaction& transaction, std::span<const MultiXactMember> holders,
                   syntax::LockStrength strength) const;
  // Whether there is nobody to wait for any more: those in the way have ended, so one of them has replaced the version.
  bool has_waited(const Transaction& transaction, std::span<const MultiXactMember> holders,
                  syntax::LockStrength strength, const RowQueue& queue) const;
  // Joins the queue for the row, unless the transaction is among the holders: they must not queue behind those who wait
  // for them. Then waits. No pin may be held.
  void wait_for_row(Transaction& transaction, std::span<const MultiXactMember> holders, syntax::LockStrength strength,
                    RowQueue& queue);
  // Waits for all others among the holders that run and conflict. No pin may be held.
  void wait_for_holders(Transaction& transaction, std::span<const MultiXactMember> holders,
                        syntax::LockStrength strength);
  void fail(const Version& version, RowFailure& failure);
  // Puts the new version on `target` (which may be the old one's page) and ends the old one, in one record.
  Tid replace(Transaction& transaction, const Version& old, const storage::PageRef& target, TupleRecord& record,
              syntax::LockStrength strength);

  // --- heap_lock.cpp ---
  RowOutcome lock_version(Transaction& transaction, const HeapTable& table, Tid tid, syntax::LockStrength strength,
                          syntax::LockWait wait, bool lock_later, VisibleRow& locked, RowFailure& failure);
  // Whether the transaction, or a part of it that still counts, holds the version as strongly.
  bool holds_already(const Transaction& transaction, std::span<const MultiXactMember> holders,
                     syntax::LockStrength strength) const;
  // Locks the versions that came after one which `updater` replaced (heap_lock_updated_tuple). Ok, or updated / deleted
  // if one of them was ended by somebody in the way.
  RowOutcome lock_later_versions(Transaction& transaction, RelationId relation, Tid tid, Xid updater,
                                 syntax::LockStrength strength);
  // Goes from a version that `xmax` replaced to the newest one. Ok: `tid` is it, to be locked.
  RowOutcome find_newest(Transaction& transaction, RelationId relation, Tid& tid, Xid xmax, syntax::LockWait wait,
                         RowFailure& failure);

  TransactionManager& transactions_;
  storage::BufferPool& pool_;
  storage::DataFiles& files_;
  storage::FreeSpaceMap& free_space_;
  std::map<RelationId, storage::BlockNumber> last_block_;  // where the last insertion into each relation went
  std::uint32_t speculations_ = 0;
};

}  // namespace polarsim::engine::txn
