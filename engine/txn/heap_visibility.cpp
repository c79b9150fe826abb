#include "engine/txn/heap_visibility.h"

#include <algorithm>

namespace polarsim::engine::txn {

namespace {

namespace infomask = storage::infomask;
using storage::invalid_xid;

// What became of the insertion, as everybody but its transaction sees it.
XidStatus insertion_status(const TransactionManager& manager, const TupleHeader& header) {
  if (header.xmin == invalid_xid) return XidStatus::aborted;
  if (header.has(infomask::xmin_frozen)) return XidStatus::committed;
  return manager.status(header.xmin);
}

bool inserted_by(const TransactionManager& manager, const TupleHeader& header, const Transaction& transaction) {
  return header.xmin != invalid_xid && !header.has(infomask::xmin_frozen) && is_own(manager, transaction, header.xmin);
}

// Of an xmax that is no multixact.
MemberStatus single_status(const TupleHeader& header) {
  if (!header.has(infomask::xmax_lock_only))
    return header.has(infomask::keys_updated) ? MemberStatus::update : MemberStatus::no_key_update;
  if (header.has(infomask::lock_update)) return MemberStatus::update_lock;
  if (header.has(infomask::lock_no_key_update)) return MemberStatus::no_key_update_lock;
  return header.has(infomask::lock_share) ? MemberStatus::share : MemberStatus::key_share;
}

bool runs(const TransactionManager& manager, Xid xid) {
  return manager.in_progress(xid) && manager.row_locks_count(xid);
}

bool held_by_running(const TransactionManager& manager, const TupleHeader& header) {
  if (!header.has(infomask::xmax_is_multi)) return runs(manager, header.xmax);
  const auto& members = manager.multixacts().members(header.xmax);
  return std::any_of(members.begin(), members.end(),
                     [&](const MultiXactMember& member) { return runs(manager, member.xid); });
}

}  // namespace

std::vector<MultiXactMember> holders_of(const TransactionManager& manager, const TupleHeader& header) {
  if (header.xmax == invalid_xid) return {};
  if (header.has(infomask::xmax_is_multi)) return manager.multixacts().members(header.xmax);
  return {{header.xmax, single_status(header)}};
}

Xid updater_of(const TransactionManager& manager, const TupleHeader& header) {
  if (header.xmax == invalid_xid || header.has(infomask::xmax_lock_only)) return invalid_xid;
  if (!header.has(infomask::xmax_is_multi)) return header.xmax;
  for (const MultiXactMember& member : manager.multixacts().members(header.xmax))
    if (is_update(member.status)) return member.xid;
  return invalid_xid;
}

bool SnapshotView::committed_then(Xid xid) {
  if (xid == last_committed_) return true;
  if (xid == last_other_) return false;
  const bool committed = !snapshot_.in_progress_then(xid) && manager_.committed(xid);
  (committed ? last_committed_ : last_other_) = xid;
  return committed;
}

bool SnapshotView::shows(const TupleHeader& header) {
  if (header.xmin == invalid_xid) return false;
  if (inserted_by(manager_, header, reader_)) {
    if (header.cmin >= snapshot_.command) return false;
  } else if (!header.has(infomask::xmin_frozen) && !committed_then(header.xmin)) {
    return false;
  }
  return !shows_end_of(header);
}

bool SnapshotView::shows_end_of(const TupleHeader& header) {
  const Xid updater = updater_of(manager_, header);
  if (updater == invalid_xid) return false;
  if (is_own(manager_, reader_, updater)) return header.cmax < snapshot_.command;
  return committed_then(updater);
}

UpdateState satisfies_update(const TransactionManager& manager, const TupleHeader& header, Tid tid,
                             const Transaction& transaction) {
  if (inserted_by(manager, header, transaction)) {
    if (header.cmin >= transaction.command) return UpdateState::invisible;
  } else if (insertion_status(manager, header) != XidStatus::committed) {
    return UpdateState::invisible;
  }
  if (header.xmax == invalid_xid) return UpdateState::ok;
  const Xid updater = updater_of(manager, header);
  if (updater != invalid_xid) {
    if (is_own(manager, transaction, updater))
      return header.cmax >= transaction.command ? UpdateState::self_modified : UpdateState::invisible;
    // As in PostgreSQL: a set of holders of whom one still runs counts as held, even if the updater among them has
    // committed. Who is not compatible with the update then queues for the version before it learns of that.
    const bool held = header.has(infomask::xmax_is_multi) && held_by_running(manager, header);
    if (!held && manager.committed(updater)) return header.ctid == tid ? UpdateState::deleted : UpdateState::updated;
  }
  return held_by_running(manager, header) ? UpdateState::held : UpdateState::ok;
}

DirtyState satisfies_dirty(const TransactionManager& manager, const TupleHeader& header,
                           const Transaction& transaction) {
  DirtyState state;
  if (!inserted_by(manager, header, transaction)) {
    const XidStatus insertion = insertion_status(manager, header);
    if (insertion == XidStatus::aborted) return state;
    if (insertion == XidStatus::in_progress) {
      state.visible = true;
      state.inserter = header.xmin;
      if (header.has(infomask::speculative)) state.speculation = header.cmax;
      return state;
    }
  }
  state.visible = true;
  const Xid updater = updater_of(manager, header);
  if (updater == invalid_xid) return state;
  if (is_own(manager, transaction, updater)) {
    state.visible = false;
  } else if (const XidStatus ending = manager.status(updater); ending == XidStatus::in_progress) {
    state.ender = updater;
  } else {
    state.visible = ending == XidStatus::aborted;
  }
  return state;
}

VacuumState satisfies_vacuum(const TransactionManager& manager, const TupleHeader& header, Xid horizon) {
  const XidStatus insertion = insertion_status(manager, header);
  if (insertion == XidStatus::aborted) return VacuumState::dead;
  if (insertion == XidStatus::in_progress) return VacuumState::in_progress;
  const Xid updater = updater_of(manager, header);
  if (updater == invalid_xid) return VacuumState::live;
  switch (manager.status(updater)) {
    case XidStatus::in_progress:
      return VacuumState::in_progress;
    case XidStatus::aborted:
      return VacuumState::live;
    case XidStatus::committed:
      break;
  }
  return storage::xid_precedes(updater, horizon) ? VacuumState::dead : VacuumState::recently_dead;
}

}  // namespace polarsim::engine::txn
