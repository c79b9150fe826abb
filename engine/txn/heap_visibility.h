// Who sees a row version, and what stands in the way of changing it (PostgreSQL's
// src/backend/access/heap/heapam_visibility.c). Nothing here blocks.
//
// The rules are PostgreSQL's, told without its hint bits: xmin_frozen counts as committed, xmin 0 as aborted, and the
// transactions on a row are looked at as one list, whether xmax is a transaction or a multixact. A transaction that is
// prepared, or whose commit is not yet durable, is in progress.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/storage/tuple.h"
#include "engine/txn/transaction_manager.h"

namespace polarsim::engine::txn {

using storage::TupleHeader;

// TransactionManager::is_own, with quick answers for the common cases: a child is younger than its parent.
inline bool is_own(const TransactionManager& manager, const Transaction& transaction, Xid xid) {
  const Xid top = transaction.top_xid();
  if (top == storage::invalid_xid || storage::xid_precedes(xid, top)) return false;
  return xid == top || manager.is_own(transaction, xid);
}

inline constexpr bool is_update(MemberStatus status) { return status >= MemberStatus::no_key_update; }

// What the version's xmax says: who holds, held, updated or deleted it; finished ones too.
std::vector<MultiXactMember> holders_of(const TransactionManager& manager, const TupleHeader& header);
// Who updated or deleted it, or tried to; invalid_xid if nobody.
Xid updater_of(const TransactionManager& manager, const TupleHeader& header);

// HeapTupleSatisfiesMVCC: what a snapshot shows to its reader. Remembers answers, so use one for many versions.
class SnapshotView {
 public:
  SnapshotView(const TransactionManager& manager, const Transaction& reader, const Snapshot& snapshot)
      : manager_(manager), reader_(reader), snapshot_(snapshot) {}
  bool shows(const TupleHeader& header);

 private:
  // Whether it had committed when the snapshot was taken. Not for the reader's own.
  bool committed_then(Xid xid);
  bool shows_end_of(const TupleHeader& header);

  const TransactionManager& manager_;
  const Transaction& reader_;
  const Snapshot& snapshot_;
  // Neither changes while the snapshot exists.
  Xid last_committed_ = storage::invalid_xid;
  Xid last_other_ = storage::invalid_xid;
};

// HeapTupleSatisfiesUpdate: what a change by the transaction's present command meets.
enum class UpdateState : std::uint8_t {
  ok,
  invisible,      // not there for this command
  self_modified,  // ended by this very command, or a later one
  held,           // transactions that run (perhaps this one) lock it or are changing it
  updated,        // by a transaction that has committed
  deleted,
};
UpdateState satisfies_update(const TransactionManager& manager, const TupleHeader& header, Tid tid,
                             const Transaction& transaction);

// HeapTupleSatisfiesDirty: whether the version is there for somebody who must not be surprised by others' commits.
struct DirtyState {
  bool visible = false;
  // Set if it is there only as long as that transaction, another one, has not aborted.
  Xid inserter = storage::invalid_xid;
  // Of an inserter that has not confirmed its insertion.
  std::uint32_t speculation = 0;
  // Set if it is there only until that transaction, another one, commits.
  Xid ender = storage::invalid_xid;
};
DirtyState satisfies_dirty(const TransactionManager& manager, const TupleHeader& header,
                           const Transaction& transaction);

// HeapTupleSatisfiesVacuum.
enum class VacuumState : std::uint8_t {
  live,
  dead,           // nobody sees it or will
  recently_dead,  // its end has committed, but some snapshot may not know yet
  in_progress,    // its inserter, or who ends it, still runs
};
VacuumState satisfies_vacuum(const TransactionManager& manager, const TupleHeader& header, Xid horizon);

}  // namespace polarsim::engine::txn
