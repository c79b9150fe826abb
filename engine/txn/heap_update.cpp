#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "engine/txn/heap_access.h"
#include "engine/txn/heap_visibility.h"
#include "engine/txn/row_locks.h"
#include "engine/txn/toast.h"
#include "engine/types/error.h"

namespace polarsim::engine::txn {

namespace infomask = storage::infomask;
using storage::BlockNumber;
using storage::ExternalColumns;
using storage::PageChange;
using storage::PageId;
using storage::PageRef;
using storage::TupleHeader;

Heap::RowQueue::~RowQueue() {
  if (mode_ != LockMode::none) locks_.release(*transaction_.backend, transaction_.level().locks, tag_, mode_);
}

void Heap::RowQueue::join(LockStrength strength) {
  if (mode_ != LockMode::none) return;
  const LockMode mode = tuple_lock_mode(strength);
  locks_.acquire(*transaction_.backend, transaction_.level().locks, tag_, mode);
  mode_ = mode;
}

bool Heap::RowQueue::try_join(LockStrength strength) {
  if (mode_ != LockMode::none) return true;
  const LockMode mode = tuple_lock_mode(strength);
  if (locks_.acquire(*transaction_.backend, transaction_.level().locks, tag_, mode, false) == LockResult::not_available)
    return false;
  mode_ = mode;
  return true;
}

void Heap::wait_for_holders(Transaction& transaction, std::span<const MultiXactMember> holders, LockStrength strength) {
  for (const MultiXactMember& holder : holders) {
    if (in_the_way(transactions_, transaction, holder, strength) && transactions_.in_progress(holder.xid))
      transactions_.wait_for_end(*transaction.backend, holder.xid);
  }
}

bool Heap::any_running(const Transaction& transaction, std::span<const MultiXactMember> holders,
                       LockStrength strength) const {
  return std::any_of(holders.begin(), holders.end(), [&](const MultiXactMember& holder) {
    return in_the_way(transactions_, transaction, holder, strength) && transactions_.in_progress(holder.xid);
  });
}

bool Heap::has_waited(const Transaction& transaction, std::span<const MultiXactMember> holders, LockStrength strength,
                      const RowQueue& queue) const {
  const bool queued = queue.joined() || holds_already(transaction, holders, LockStrength::key_share);
  return queued && !any_running(transaction, holders, strength);
}

void Heap::fail(const Version& version, RowFailure& failure) {
  failure.next = version.header.ctid;
  failure.xmax = updater_of(transactions_, version.header);
  failure.command = version.header.cmax;
}

std::optional<RowOutcome> Heap::judge(const Transaction& transaction, const Version& version, LockStrength strength,
                                      const RowQueue& queue, std::vector<MultiXactMember>& holders,
                                      RowFailure& failure) {
  if (!version) return RowOutcome::invisible;
  switch (satisfies_update(transactions_, version.header, version.tid, transaction)) {
    case UpdateState::ok:
      return RowOutcome::ok;
    case UpdateState::invisible:
      return RowOutcome::invisible;
    case UpdateState::self_modified:
      fail(version, failure);
      return RowOutcome::self_modified;
    case UpdateState::updated:
      fail(version, failure);
      return RowOutcome::updated;
    case UpdateState::deleted:
      fail(version, failure);
      return RowOutcome::deleted;
    case UpdateState::held:
      break;
  }
  holders = holders_of(transactions_, version.header);
  if (!any_in_the_way(transactions_, transaction, holders, strength)) return RowOutcome::ok;
  if (!has_waited(transaction, holders, strength, queue)) return std::nullopt;
  fail(version, failure);
  return version.header.ctid == version.tid ? RowOutcome::deleted : RowOutcome::updated;
}

void Heap::wait_for_row(Transaction& transaction, std::span<const MultiXactMember> holders, LockStrength strength,
                        RowQueue& queue) {
  if (!holds_already(transaction, holders, LockStrength::key_share)) queue.join(strength);
  wait_for_holders(transaction, holders, strength);
}

RowOutcome Heap::remove(Transaction& transaction, const HeapTable& table, Tid tid, RowFailure& failure) {
  const Xid xid = transactions_.assign_xid(transaction);
  RowQueue queue(transactions_.locks(), transaction, table.relation, tid);
  std::vector<MultiXactMember> holders;
  ExternalColumns external;
  for (;;) {
    Version version = look(table.relation, tid);
    const std::optional<RowOutcome> outcome =
        judge(transaction, version, LockStrength::update, queue, holders, failure);
    if (!outcome) {
      version = {};
      wait_for_row(transaction, holders, LockStrength::update, queue);
      continue;
    }
    if (*outcome != RowOutcome::ok) return *outcome;
    if (version.header.has(infomask::has_external)) storage::decode_tuple(version.tuple, external);
    TupleHeader header = version.header;
    add_holder(transactions_, header, xid, LockStrength::update, true);
    header.cmax = transaction.command;
    header.ctid = tid;
    transaction.wrote = true;
    change_header(transactions_.log(), heap_record::remove, version.ref, tid.item, header);
    ++transaction.level().rows_of(table.relation).deleted;
    break;
  }
  Toast(*this, table.toast).remove(transaction, external);
  return RowOutcome::ok;
}

RowOutcome Heap::update(Transaction& transaction, const HeapTable& table, Tid tid, const Row& row, bool key_changed,
                        Tid& new_tid, RowFailure& failure) {
  transactions_.assign_xid(transaction);
  const LockStrength strength = key_changed ? LockStrength::update : LockStrength::no_key_update;
  RowQueue queue(transactions_.locks(), transaction, table.relation, tid);
  Toast toast(*this, table.toast);
  std::vector<MultiXactMember> holders;
  ExternalColumns old_external, new_external;
  std::optional<TupleRecord> record;
  BlockNumber elsewhere = storage::invalid_block;  // where there was room when the old version's page had none
  for (;;) {
    Version version;
    PageRef other;
    if (elsewhere == storage::invalid_block) {
      version = look(table.relation, tid);
    } else {
      std::tie(version, other) = look_with(table.relation, tid, elsewhere);
    }
    const std::optional<RowOutcome> outcome = judge(transaction, version, strength, queue, holders, failure);
    const bool may_update = outcome == RowOutcome::ok;
    if (may_update && record) {
      const bool stays = has_room(version.ref.page(), record->tuple_bytes());
      if (stays || (other && has_room(other.page(), record->tuple_bytes()))) {
        new_tid = replace(transaction, version, stays ? version.ref : other, *record, strength);
        ++transaction.level().rows_of(table.relation).updated;
        break;
      }
    }
    // Everything else takes time: let go, and look again afterwards.
    if (may_update && !record && version.header.has(infomask::has_external))
      storage::decode_tuple(version.tuple, old_external);
    version = {};
    other.release();
    if (!outcome) {
      wait_for_row(transaction, holders, strength, queue);
    } else if (!may_update) {
      toast.remove(transaction, new_external, old_external);
      return *outcome;
    } else if (!record) {
      transaction.wrote = true;
      new_external = toast.store(transaction, row, old_external);
      record.emplace(true, row, new_external);
    } else {
      elsewhere = page_with_room(table.relation, record->tuple_bytes()).id().block;
      if (elsewhere == tid.block) elsewhere = storage::invalid_block;
    }
  }
  toast.remove(transaction, old_external, new_external);
  return RowOutcome::ok;
}

std::pair<Heap::Version, PageRef> Heap::look_with(RelationId relation, Tid tid, BlockNumber other) {
  const std::array<PageId, 2> ids{PageId{relation, storage::Fork::main, tid.block},
                                  PageId{relation, storage::Fork::main, other}};
  std::vector<PageRef> pages = pool_.pin_all(ids);
  return {look_on(std::move(pages[0]), tid), std::move(pages[1])};
}

Tid Heap::replace(Transaction& transaction, const Version& old, const PageRef& target, TupleRecord& record,
                  LockStrength strength) {
  const Xid xid = transaction.level().xid;
  TupleHeader fresh;
  fresh.xmin = xid;
  fresh.cmin = transaction.command;
  fresh.infomask = infomask::updated;
  carry_locks(transactions_, transaction, old.header, fresh);
  TupleHeader ended = old.header;
  add_holder(transactions_, ended, xid, strength, true);
  ended.cmax = transaction.command;
  ended.ctid = {target.id().block, next_item(target.page())};
  storage::write_tuple_header(old.ref.page().item(old.tid.item), ended);
  record.set_old_header(old.tid.item, ended);
  const bool initialize = target.page().is_new();
  const Tid tid = record.put(target.page(), target.id(), fresh);
  if (&target == &old.ref) {
    transactions_.log().append(heap_record::update, {PageChange{old.ref}}, record.bytes());
  } else {
    const auto kind = initialize ? PageChange::Kind::initialize : PageChange::Kind::change;
    transactions_.log().append(heap_record::update, {PageChange{old.ref}, PageChange{target, kind}}, record.bytes());
  }
  return tid;
}

}  // namespace polarsim::engine::txn
