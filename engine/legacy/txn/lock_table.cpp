#include "engine/legacy/txn/lock_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "sim/assert.h"

namespace polarsim::engine::legacy {

using sql::LockStrength;

bool conflicts(LockStrength a, LockStrength b) {
  if (a == LockStrength::none || b == LockStrength::none) return false;
  const LockStrength weaker = std::min(a, b);
  const LockStrength stronger = std::max(a, b);
  switch (stronger) {
    case LockStrength::update:
      return true;
    case LockStrength::no_key_update:
      return weaker != LockStrength::key_share;
    default:
      return false;
  }
}

// Marks a transaction as waiting for as long as it lives, so that no way out of a wait leaves the mark behind.
class LockTable::Waiting {
 public:
  Waiting(Transaction& transaction, LockTag tag, LockStrength strength, Xid xid) : transaction_(transaction) {
    transaction.waiting = true;
    transaction.waiting_tag = tag;
    transaction.waiting_strength = strength;
    transaction.waiting_xid = xid;
  }
  ~Waiting() { transaction_.waiting = false; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Transaction& transaction_;
};

LockTable::LockTable(sim::Host& host, FindTransaction find_transaction)
    : host_(host), find_transaction_(std::move(find_transaction)) {}

const LockTable::Holder* LockTable::find_holder(const Lock& lock, const Transaction& transaction) {
  for (const Holder& holder : lock.holders) {
    if (holder.transaction == &transaction) return &holder;
  }
  return nullptr;
}

bool LockTable::grantable(const Lock& lock, const Transaction& transaction, LockStrength strength) {
  return std::none_of(lock.holders.begin(), lock.holders.end(), [&](const Holder& holder) {
    return holder.transaction != &transaction && conflicts(holder.strength, strength);
  });
}

void LockTable::grant(Lock& lock, LockTag tag, Transaction& transaction, LockStrength strength) {
  if (const Holder* found = find_holder(lock, transaction)) {
    Holder& holder = lock.holders[static_cast<std::size_t>(found - lock.holders.data())];
    if (strength <= holder.strength) return;
    holder.strength = strength;
    const auto held = std::find_if(transaction.locks.begin(), transaction.locks.end(),
                                   [&](const HeldLock& candidate) { return candidate.tag == tag; });
    held->strength = strength;
    return;
  }
  lock.holders.push_back({&transaction, strength});
  transaction.locks.push_back({tag, strength});
}

LockOutcome LockTable::acquire(Transaction& transaction, LockTag tag, LockStrength strength, const WaitLimits& limits,
                               bool wait) {
  Lock& lock = locks_[tag];
  const Holder* held = find_holder(lock, transaction);
  if (held != nullptr && held->strength >= strength) return LockOutcome::granted;
  if (grantable(lock, transaction, strength)) {
    grant(lock, tag, transaction, strength);
    return LockOutcome::granted;
  }
  if (!wait) return LockOutcome::not_available;

  host_.reached(tag.row != 0 ? "lock/waited" : "lock/waited-for-table");
  Waiter waiter{&transaction, strength, host_.scheduler().current(), held != nullptr};
  const auto first_without_lock =
      std::find_if(lock.waiters.begin(), lock.waiters.end(), [](const Waiter* other) { return !other->upgrade; });
  lock.waiters.insert(waiter.upgrade ? first_without_lock : lock.waiters.end(), &waiter);
  // Leaves the queue on every way out, also when the task is cancelled.
  struct Leave {
    LockTable& table;
    LockTag tag;
    Waiter& waiter;
    ~Leave() {
      if (!waiter.granted) table.remove_waiter(tag, waiter);
    }
  } leave{*this, tag, waiter};
  const Waiting mark(transaction, tag, strength, 0);
  wait_until(transaction, limits, tag.row != 0 ? "lock/row" : "lock/table", [&] { return waiter.granted; });
  return LockOutcome::granted_after_wait;
}

void LockTable::restore(Transaction& transaction, const HeldLock& lock) {
  Lock& entry = locks_[lock.tag];
  POLARSIM_ASSERT(grantable(entry, transaction, lock.strength), "two prepared transactions hold conflicting locks");
  grant(entry, lock.tag, transaction, lock.strength);
}

void LockTable::release_all(Transaction& transaction) {
  const std::vector<HeldLock> held = std::exchange(transaction.locks, {});
  for (const HeldLock& lock : held) {
    const auto found = locks_.find(lock.tag);
    std::erase_if(found->second.holders, [&](const Holder& holder) { return holder.transaction == &transaction; });
    serve_waiters(lock.tag);
  }
}

void LockTable::serve_waiters(LockTag tag) {
  const auto found = locks_.find(tag);
  if (found == locks_.end()) return;
  Lock& lock = found->second;
  for (auto place = lock.waiters.begin(); place != lock.waiters.end();) {
    Waiter& waiter = **place;
    if (!grantable(lock, *waiter.transaction, waiter.strength)) {
      ++place;
      continue;
    }
    place = lock.waiters.erase(place);
    grant(lock, tag, *waiter.transaction, waiter.strength);
    waiter.granted = true;
    host_.scheduler().wake(waiter.task);
  }
  if (lock.holders.empty() && lock.waiters.empty()) locks_.erase(found);
}

void LockTable::remove_waiter(LockTag tag, Waiter& waiter) {
  const auto found = locks_.find(tag);
  if (found == locks_.end()) return;
  found->second.waiters.remove(&waiter);
  serve_waiters(tag);
}

template <typename Done>
void LockTable::wait_until(Transaction& transaction, const WaitLimits& limits, const char* reason, Done done) {
  sim::Scheduler& scheduler = host_.scheduler();
  const bool limited = limits.lock_timeout > sim::Duration(0);
  const sim::Time lock_deadline = limited ? host_.deadline_in(limits.lock_timeout) : sim::never;
  sim::Time deadlock_check = host_.deadline_in(limits.deadlock_timeout);
  while (!done()) {
    const sim::Time next = std::min({lock_deadline, limits.statement_deadline, deadlock_check});
    if (scheduler.park(reason, next) == sim::WakeReason::cancelled) throw sim::TaskCancelled{};
    if (done()) return;
    const sim::Time now = scheduler.now();
    if (now >= lock_deadline) {
      host_.reached("lock/timed-out");
      throw SqlError(sqlstate::lock_not_available, "canceling statement due to lock timeout");
    }
    if (now >= limits.statement_deadline) {
      host_.reached("lock/statement-timed-out");
      throw SqlError(sqlstate::query_canceled, "canceling statement due to statement timeout");
    }
    if (now >= deadlock_check) {
      check_deadlock(transaction);
      deadlock_check = sim::never;
    }
  }
}

void LockTable::wait_for_end(Transaction& waiter, Xid xid, const WaitLimits& limits) {
  Transaction* const other = find_transaction_(xid);
  if (other == nullptr) return;
  POLARSIM_ASSERT(other != &waiter, "a transaction waits for its own end");
  host_.reached("lock/waited-for-transaction");
  const sim::TaskRef self = host_.scheduler().current();
  other->end_waiters.push_back(self);
  struct Leave {
    LockTable& table;
    Xid xid;
    const sim::TaskRef& task;
    ~Leave() {
      if (Transaction* const still = table.find_transaction_(xid)) std::erase(still->end_waiters, task);
    }
  } leave{*this, xid, self};
  const Waiting mark(waiter, {}, LockStrength::none, xid);
  wait_until(waiter, limits, "lock/transaction", [&] { return find_transaction_(xid) == nullptr; });
}

void LockTable::wake_end_waiters(Transaction& transaction) {
  const std::vector<sim::TaskRef> waiters = std::exchange(transaction.end_waiters, {});
  for (const sim::TaskRef& task : waiters) host_.scheduler().wake(task);
}

std::vector<Transaction*> LockTable::blockers(const Transaction& transaction) const {
  std::vector<Transaction*> found;
  if (!transaction.waiting) return found;
  if (transaction.waiting_xid != 0) {
    if (Transaction* const other = find_transaction_(transaction.waiting_xid)) found.push_back(other);
    return found;
  }
  const auto lock = locks_.find(transaction.waiting_tag);
  if (lock == locks_.end()) return found;
  for (const Holder& holder : lock->second.holders) {
    if (holder.transaction != &transaction && conflicts(holder.strength, transaction.waiting_strength)) {
      found.push_back(holder.transaction);
    }
  }
  return found;
}

bool LockTable::holds(const Transaction& transaction, LockTag tag, LockStrength strength) const {
  const auto lock = locks_.find(tag);
  if (lock == locks_.end()) return false;
  const Holder* holder = find_holder(lock->second, transaction);
  return holder != nullptr && holder->strength >= strength;
}

namespace {

std::string describe_wait(const Transaction& waiter, const Transaction& blocker) {
  const bool for_table = waiter.waiting_xid == 0 && waiter.waiting_tag.row == 0;
  const std::string what = for_table ? fmt::format("AccessExclusiveLock on relation {}", waiter.waiting_tag.table)
                                     : fmt::format("ShareLock on transaction {}", blocker.xid);
  return fmt::format("Process {} waits for {}; blocked by process {}.", waiter.process_id, what, blocker.process_id);
}

}  // namespace

void LockTable::check_deadlock(const Transaction& transaction) {
  // Depth first over what waits for what; `path` is the way to the transaction under examination.
  std::vector<std::pair<const Transaction*, std::vector<Transaction*>>> path;
  std::vector<const Transaction*> seen{&transaction};
  path.emplace_back(&transaction, blockers(transaction));
  while (!path.empty()) {
    std::vector<Transaction*>& rest = path.back().second;
    if (rest.empty()) {
      path.pop_back();
      continue;
    }
    Transaction* const next = rest.back();
    rest.pop_back();
    if (next == &transaction) {
      std::string detail;
      for (std::size_t i = 0; i < path.size(); ++i) {
        const Transaction& blocker = i + 1 < path.size() ? *path[i + 1].first : transaction;
        if (i != 0) detail += '\n';
        detail += describe_wait(*path[i].first, blocker);
      }
      host_.reached("deadlock/detected");
      throw SqlError(sqlstate::deadlock_detected, "deadlock detected", detail, "See server log for query details.");
    }
    if (std::find(seen.begin(), seen.end(), next) != seen.end()) continue;
    seen.push_back(next);
    path.emplace_back(next, blockers(*next));
  }
}

}  // namespace polarsim::engine::legacy
