// A transaction of one node, its snapshot of what is committed, and the fate of all transactions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/legacy/storage/catalog.h"
#include "engine/legacy/storage/heap.h"
#include "sim/scheduler.h"

namespace polarsim::engine::legacy {


enum class XidStatus : std::uint8_t { in_progress, prepared, committed, aborted };

// The fate of every transaction since the WAL began, one byte each. Identifiers count from 1.
class CommitLog {
 public:
  XidStatus status(Xid xid) const { return xid < statuses_.size() ? statuses_[xid] : XidStatus::in_progress; }
  void set(Xid xid, XidStatus status) {
    if (xid >= statuses_.size()) statuses_.resize(xid + 1, XidStatus::in_progress);
    statuses_[xid] = status;
  }
  bool committed(Xid xid) const { return status(xid) == XidStatus::committed; }
  // In progress or prepared: its end is still to come.
  bool open(Xid xid) const { return status(xid) <= XidStatus::prepared; }

 private:
  std::vector<XidStatus> statuses_;
};

// Which transactions had ended when it was taken: those before xmin, and those before xmax that were not in progress.
struct Snapshot {
  Xid xmin = 1;                  // the oldest in progress, or xmax
  Xid xmax = 1;                  // the next identifier to be given out
  std::vector<Xid> in_progress;  // sorted
  Xid own = 0;
  CommandId command = 0;  // of the statement that took it: sees only what earlier statements of its transaction did

  bool had_ended(Xid xid) const {
    if (xid < xmin) return true;
    if (xid >= xmax) return false;
    return !std::binary_search(in_progress.begin(), in_progress.end(), xid);
  }
};

// Names a lockable thing: a row, or with row 0 the table.
struct LockTag {
  TableId table = 0;
  RowId row = 0;
  friend auto operator<=>(const LockTag&, const LockTag&) = default;
};

struct HeldLock {
  LockTag tag;
  sql::LockStrength strength = sql::LockStrength::none;
};

// What a transaction did, for taking it back and for what follows its commit.
struct Change {
  enum class Kind : std::uint8_t { row, create_table, drop_table } kind = Kind::row;
  TableId table = 0;
  RowId row = 0;
};

enum class TransactionState : std::uint8_t {
  active,
  deciding,  // its commit, prepare or rollback-prepared record is written but not yet durable
  prepared,
};

struct Transaction {
  std::uint64_t number = 0;      // unlike the xid, every transaction has one; never reused within a boot
  std::uint32_t process_id = 0;  // of the backend, for messages
  Xid xid = 0;                   // 0 until it first writes or locks a row
  CommandId command = 0;
  std::int64_t start_us = 0;
  TransactionState state = TransactionState::active;
  std::vector<Change> changes;  // in order
  std::vector<HeldLock> locks;  // in order of acquisition; one entry a tag

  // What it waits for, if it does: a lock, or the end of another transaction.
  bool waiting = false;
  LockTag waiting_tag;
  sql::LockStrength waiting_strength = sql::LockStrength::none;
  Xid waiting_xid = 0;

  std::string gid;  // of a prepared transaction
  std::int64_t prepared_us = 0;
  std::vector<sim::TaskRef> end_waiters;
};

}  // namespace polarsim::engine::legacy
