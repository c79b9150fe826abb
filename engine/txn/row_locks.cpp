#include "engine/txn/row_locks.h"

#include <algorithm>
#include <utility>

#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace {

namespace infomask = storage::infomask;

constexpr std::uint16_t xmax_bits = infomask::xmax_is_multi | infomask::xmax_lock_only | infomask::lock_key_share |
                                    infomask::lock_share | infomask::lock_no_key_update | infomask::lock_update |
                                    infomask::keys_updated;

std::uint16_t bits_of(MemberStatus status) {
  switch (status) {
    case MemberStatus::key_share:
      return infomask::xmax_lock_only | infomask::lock_key_share;
    case MemberStatus::share:
      return infomask::xmax_lock_only | infomask::lock_share;
    case MemberStatus::no_key_update_lock:
      return infomask::xmax_lock_only | infomask::lock_no_key_update;
    case MemberStatus::update_lock:
      return infomask::xmax_lock_only | infomask::lock_update;
    case MemberStatus::no_key_update:
      return 0;
    case MemberStatus::update:
      break;
  }
  return infomask::keys_updated;
}

// What a transaction that is alone on a row and has both has.
MemberStatus stronger(MemberStatus a, MemberStatus b) {
  return status_for(std::max(strength_of(a), strength_of(b)), is_update(a) || is_update(b));
}

}  // namespace

bool still_counts(const TransactionManager& manager, const MultiXactMember& holder) {
  switch (manager.status(holder.xid)) {
    case XidStatus::in_progress:
      return manager.row_locks_count(holder.xid);
    case XidStatus::committed:
      return is_update(holder.status);
    case XidStatus::aborted:
      break;
  }
  return false;
}

bool conflicts(LockStrength a, LockStrength b) {
  if (a > b) std::swap(a, b);
  switch (a) {
    case LockStrength::none:
      return false;
    case LockStrength::key_share:
      return b == LockStrength::update;
    case LockStrength::share:
      return b >= LockStrength::no_key_update;
    case LockStrength::no_key_update:
    case LockStrength::update:
      break;
  }
  return true;
}

LockStrength strength_of(MemberStatus status) {
  switch (status) {
    case MemberStatus::key_share:
      return LockStrength::key_share;
    case MemberStatus::share:
      return LockStrength::share;
    case MemberStatus::no_key_update_lock:
    case MemberStatus::no_key_update:
      return LockStrength::no_key_update;
    case MemberStatus::update_lock:
    case MemberStatus::update:
      break;
  }
  return LockStrength::update;
}

MemberStatus status_for(LockStrength strength, bool updates) {
  switch (strength) {
    case LockStrength::key_share:
      return MemberStatus::key_share;
    case LockStrength::share:
      return MemberStatus::share;
    case LockStrength::no_key_update:
      return updates ? MemberStatus::no_key_update : MemberStatus::no_key_update_lock;
    case LockStrength::update:
      return updates ? MemberStatus::update : MemberStatus::update_lock;
    case LockStrength::none:
      break;
  }
  POLARSIM_ASSERT(false, "a row lock has a strength");
}

LockMode tuple_lock_mode(LockStrength strength) {
  switch (strength) {
    case LockStrength::key_share:
      return LockMode::access_share;
    case LockStrength::share:
      return LockMode::row_share;
    case LockStrength::no_key_update:
      return LockMode::exclusive;
    case LockStrength::update:
    case LockStrength::none:
      break;
  }
  return LockMode::access_exclusive;
}

bool in_the_way(const TransactionManager& manager, const Transaction& transaction, const MultiXactMember& holder,
                LockStrength strength) {
  return conflicts(strength_of(holder.status), strength) && !is_own(manager, transaction, holder.xid) &&
         still_counts(manager, holder);
}

bool any_in_the_way(const TransactionManager& manager, const Transaction& transaction,
                    std::span<const MultiXactMember> holders, LockStrength strength) {
  return std::any_of(holders.begin(), holders.end(),
                     [&](const MultiXactMember& holder) { return in_the_way(manager, transaction, holder, strength); });
}

void clear_xmax(TupleHeader& header) {
  header.xmax = storage::invalid_xid;
  header.infomask &= static_cast<std::uint16_t>(~xmax_bits);
}

void set_holders(TransactionManager& manager, TupleHeader& header, std::vector<MultiXactMember> holders) {
  // In PostgreSQL's order, which decides for whom of several a waiter waits first.
  std::sort(holders.begin(), holders.end(), [](const MultiXactMember& a, const MultiXactMember& b) {
    return a.xid != b.xid ? a.xid < b.xid : a.status < b.status;
  });
  // A set that is there already needs no new name.
  if (holders.size() > 1 && header.has(infomask::xmax_is_multi) && manager.multixacts().members(header.xmax) == holders)
    return;
  clear_xmax(header);
  if (holders.empty()) return;
  if (holders.size() == 1) {
    header.xmax = holders.front().xid;
    header.infomask |= bits_of(holders.front().status);
    return;
  }
  bool updated = false, key_updated = false;
  for (const MultiXactMember& holder : holders) {
    updated |= is_update(holder.status);
    key_updated |= holder.status == MemberStatus::update;
  }
  header.xmax = manager.multixacts().create(std::move(holders));
  header.infomask |= infomask::xmax_is_multi;
  if (!updated) header.infomask |= infomask::xmax_lock_only;
  if (key_updated) header.infomask |= infomask::keys_updated;
}

void add_holder(TransactionManager& manager, TupleHeader& header, Xid xid, LockStrength strength, bool updates) {
  const MemberStatus status = status_for(strength, updates);
  std::vector<MultiXactMember> holders = holders_of(manager, header);
  std::erase_if(holders, [&](const MultiXactMember& holder) { return !still_counts(manager, holder); });
  const bool alone = !header.has(infomask::xmax_is_multi) && holders.size() == 1 && holders.front().xid == xid;
  if (alone) {
    holders.front().status = stronger(holders.front().status, status);
  } else if (std::find(holders.begin(), holders.end(), MultiXactMember{xid, status}) == holders.end()) {
    holders.push_back({xid, status});
  }
  set_holders(manager, header, std::move(holders));
}

void carry_locks(TransactionManager& manager, const Transaction& transaction, const TupleHeader& from,
                 TupleHeader& to) {
  if (from.xmax == storage::invalid_xid) return;
  std::vector<MultiXactMember> holders = holders_of(manager, from);
  // A lock of its own that was alone goes on as one that shares the key.
  if (holders.size() == 1 && is_own(manager, transaction, holders.front().xid))
    holders.front().status = MemberStatus::key_share;
  std::erase_if(holders, [&](const MultiXactMember& holder) {
    return is_update(holder.status) || !manager.in_progress(holder.xid);
  });
  set_holders(manager, to, std::move(holders));
}

}  // namespace polarsim::engine::txn
