#include <algorithm>
#include <utility>

#include "engine/txn/heap_access.h"
#include "engine/txn/heap_visibility.h"
#include "engine/txn/row_locks.h"
#include "engine/txn/toast.h"
#include "engine/types/error.h"

namespace polarsim::engine::txn {

namespace infomask = storage::infomask;
using storage::TupleHeader;
using syntax::LockWait;

bool Heap::holds_already(const Transaction& transaction, std::span<const MultiXactMember> holders,
                         LockStrength strength) const {
  return std::any_of(holders.begin(), holders.end(), [&](const MultiXactMember& holder) {
    return strength_of(holder.status) >= strength && is_own(transactions_, transaction, holder.xid);
  });
}

namespace {

// PostgreSQL goes by what all holders once were, also those that have ended, to tell whether a lock may be taken
// without queueing for the version.
bool queues_by_looks(std::span<const MultiXactMember> holders, LockStrength strength) {
  switch (strength) {
    case LockStrength::key_share:
      return std::any_of(holders.begin(), holders.end(), [](const MultiXactMember& holder) {
        return strength_of(holder.status) == LockStrength::update;
      });
    case LockStrength::share:
      return std::any_of(holders.begin(), holders.end(), [](const MultiXactMember& holder) {
        return is_update(holder.status) || strength_of(holder.status) > LockStrength::share;
      });
    default:
      return false;
  }
}

}  // namespace

RowOutcome Heap::lock(Transaction& transaction, const HeapTable& table, Tid tid, LockStrength strength, LockWait wait,
                      bool follow, VisibleRow& locked, RowFailure& failure, bool lock_later) {
  for (;;) {
    const RowOutcome outcome = lock_version(transaction, table, tid, strength, wait, lock_later, locked, failure);
    if (outcome != RowOutcome::updated || !follow) return outcome;
    tid = failure.next;
    const RowOutcome found = find_newest(transaction, table.relation, tid, failure.xmax, wait, failure);
    if (found != RowOutcome::ok) return found;
  }
}

RowOutcome Heap::lock_version(Transaction& transaction, const HeapTable& table, Tid tid, LockStrength strength,
                              LockWait wait, bool lock_later, VisibleRow& locked, RowFailure& failure) {
  RowQueue queue(transactions_.locks(), transaction, table.relation, tid);
  Xid followed = storage::invalid_xid;  // the updater after whom the chain has been locked
  storage::ExternalColumns external;
  for (;;) {
    Version version = look(table.relation, tid);
    if (!version) return RowOutcome::invisible;
    const UpdateState state = satisfies_update(transactions_, version.header, tid, transaction);
    if (state == UpdateState::invisible) return RowOutcome::invisible;
    if (state == UpdateState::self_modified) {
      fail(version, failure);
      return RowOutcome::self_modified;
    }
    const std::vector<MultiXactMember> holders = holders_of(transactions_, version.header);
    const bool held_by_us = holds_already(transaction, holders, strength);
    if (!held_by_us && state == UpdateState::held && queues_by_looks(holders, strength) && !queue.joined() &&
        !holds_already(transaction, holders, LockStrength::key_share) &&
        !any_in_the_way(transactions_, transaction, holders, strength)) {
      version = {};
      if (wait == LockWait::block) {
        queue.join(strength);
      } else if (!queue.try_join(strength)) {
        return RowOutcome::not_available;
      }
      continue;
    }
    if (!held_by_us && any_in_the_way(transactions_, transaction, holders, strength)) {
      const bool replaced = version.header.ctid != tid;
      if (state != UpdateState::held || has_waited(transaction, holders, strength, queue)) {
        fail(version, failure);
        return replaced ? RowOutcome::updated : RowOutcome::deleted;
      }
      const Xid updater = lock_later && replaced ? updater_of(transactions_, version.header) : storage::invalid_xid;
      const Tid next = version.header.ctid;
      version = {};
      if (wait == LockWait::block) {
        wait_for_row(transaction, holders, strength, queue);
      } else if (any_running(transaction, holders, strength) || !queue.try_join(strength)) {
        return RowOutcome::not_available;
      }
      // What this comes upon is seen again at the version itself.
      if (updater != storage::invalid_xid && transactions_.status(updater) != XidStatus::aborted)
        lock_later_versions(transaction, table.relation, next, updater, strength);
      continue;
    }
    if (!held_by_us && transaction.level().xid == storage::invalid_xid) {
      // Not before it gets the lock: who waits is not older for that.
      version = {};
      transactions_.assign_xid(transaction);
      continue;
    }
    if (!held_by_us) {
      // Only KEY SHARE comes here with an updater that counts: the row's later versions have to be locked as well.
      const Xid updater = updater_of(transactions_, version.header);
      // But a version that was locked FOR UPDATE before it was replaced passes for one whose key has changed, even if
      // that was another part of the updater's transaction: PostgreSQL goes by what all holders once were.
      const bool passes_for_key_change = queues_by_looks(holders, LockStrength::key_share);
      if (updater != storage::invalid_xid && passes_for_key_change && transactions_.committed(updater)) {
        fail(version, failure);
        return version.header.ctid == tid ? RowOutcome::deleted : RowOutcome::updated;
      }
      if (updater != followed && updater != storage::invalid_xid && version.header.ctid != tid &&
          transactions_.status(updater) != XidStatus::aborted) {
        const Tid next = version.header.ctid;
        fail(version, failure);
        version = {};
        const RowOutcome later = lock_later_versions(transaction, table.relation, next, updater, strength);
        if (later != RowOutcome::ok) return later;
        followed = updater;
        continue;
      }
      TupleHeader header = version.header;
      add_holder(transactions_, header, transaction.level().xid, strength, false);
      if (header.has(infomask::xmax_lock_only)) header.ctid = tid;
      change_header(transactions_.log(), heap_record::lock, version.ref, tid.item, header);
    }
    locked.tid = tid;
    locked.row = storage::decode_tuple(version.tuple, external);
    break;
  }
  if (!external.empty()) Toast(*this, table.toast).fetch(locked.row, external);
  return RowOutcome::ok;
}

RowOutcome Heap::lock_later_versions(Transaction& transaction, RelationId relation, Tid tid, Xid updater,
                                     LockStrength strength) {
  const Xid xid = transactions_.assign_xid(transaction);
  for (;;) {
    transaction.backend->check_interrupts();
    Version version = look(relation, tid);
    // Vacuum took it away, or it was replaced: the updater rolled back, or the row is gone. Or the updater did roll
    // back: then the last version that counts is locked.
    if (!version || version.header.xmin != updater || transactions_.status(updater) == XidStatus::aborted)
      return RowOutcome::ok;
    const std::vector<MultiXactMember> holders = holders_of(transactions_, version.header);
    const bool own = std::any_of(holders.begin(), holders.end(), [&](const MultiXactMember& holder) {
      return is_own(transactions_, transaction, holder.xid);
    });
    if (!own) {
      bool must_wait = false;
      for (const MultiXactMember& holder : holders) {
        if (!in_the_way(transactions_, transaction, holder, strength)) continue;
        if (!transactions_.in_progress(holder.xid))
          return version.header.ctid == tid ? RowOutcome::deleted : RowOutcome::updated;
        must_wait = true;
      }
      if (must_wait) {
        version = {};
        wait_for_holders(transaction, holders, strength);
        continue;
      }
      TupleHeader header = version.header;
      add_holder(transactions_, header, xid, strength, false);
      if (header.has(infomask::xmax_lock_only)) header.ctid = tid;
      change_header(transactions_.log(), heap_record::lock, version.ref, tid.item, header);
    }
    const Xid next_updater = updater_of(transactions_, version.header);
    if (next_updater == storage::invalid_xid || version.header.ctid == tid ||
        transactions_.status(next_updater) == XidStatus::aborted)
      return RowOutcome::ok;
    updater = next_updater;
    tid = version.header.ctid;
  }
}

RowOutcome Heap::find_newest(Transaction& transaction, RelationId relation, Tid& tid, Xid xmax, LockWait wait,
                             RowFailure& failure) {
  for (;;) {
    transaction.backend->check_interrupts();
    Version version = look(relation, tid);
    // Gone, or its place was given to another row: the newest version was deleted.
    if (!version || version.header.xmin != xmax) return RowOutcome::deleted;
    const DirtyState state = satisfies_dirty(transactions_, version.header, transaction);
    if (!state.visible) {
      // Ended by a transaction that committed, or by this one.
      const Xid updater = updater_of(transactions_, version.header);
      if (updater == storage::invalid_xid || version.header.ctid == tid) return RowOutcome::deleted;
      xmax = updater;
      tid = version.header.ctid;
      continue;
    }
    if (state.inserter != storage::invalid_xid)
      throw SqlError(sqlstate::data_corrupted, "a committed row version leads to one that is not",
                     "Transaction " + std::to_string(state.inserter) + " runs.");
    if (state.ender != storage::invalid_xid && transactions_.row_locks_count(state.ender)) {
      version = {};
      if (wait != LockWait::block) return RowOutcome::not_available;
      transactions_.wait_for_end(*transaction.backend, state.ender);
      continue;
    }
    if (is_own(transactions_, transaction, xmax) && version.header.cmin >= transaction.command) {
      failure.xmax = xmax;
      failure.command = version.header.cmin;
      return RowOutcome::self_modified;
    }
    return RowOutcome::ok;
  }
}

}  // namespace polarsim::engine::txn
