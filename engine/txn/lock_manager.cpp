#include "engine/txn/lock_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "engine/txn/deadlock.h"
#include "engine/txn/lock_table.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace {

// Locks that are not in use are kept for the next tag, up to this many.
constexpr std::size_t spare_locks_max = 64;

struct HashTag {
  std::size_t operator()(const LockTag& tag) const {
    std::uint64_t hash = static_cast<std::uint64_t>(tag.kind) + 0x9E3779B97F4A7C15ULL;
    for (const std::uint64_t part : {tag.a, tag.b}) {
      hash = (hash ^ part) * 0xFF51AFD7ED558CCDULL;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

const char* wait_probe(const LockTag& tag) {
  switch (tag.kind) {
    case LockTag::Kind::relation:
      return "lock/waited-for-table";
    case LockTag::Kind::transaction:
      return "lock/waited-for-transaction";
    default:
      return "lock/waited";
  }
}

// Why a task is parked, for stall reports.
const char* wait_reason(const LockTag& tag) {
  switch (tag.kind) {
    case LockTag::Kind::relation:
      return "lock/table";
    case LockTag::Kind::tuple:
      return "lock/row";
    case LockTag::Kind::transaction:
      return "lock/transaction";
    case LockTag::Kind::speculative:
      return "lock/speculative";
    case LockTag::Kind::advisory:
      return "lock/advisory";
    case LockTag::Kind::name:
      return "lock/name";
  }
  return "lock";
}

LockOwner::Held* find_held(LockOwner& owner, const LockTag& tag, LockMode mode) {
  const auto found = std::find_if(owner.locks.rbegin(), owner.locks.rend(),
                                  [&](const LockOwner::Held& held) { return held.mode == mode && held.tag == tag; });
  return found == owner.locks.rend() ? nullptr : &*found;
}

void remember(LockOwner& owner, const LockTag& tag, LockMode mode, std::uint32_t times) {
  if (LockOwner::Held* const held = find_held(owner, tag, mode)) {
    held->times += times;
  } else {
    owner.locks.push_back({tag, mode, times});
  }
}

void grant(Lock& lock, Backend& backend, LockOwner& owner, LockMode mode) {
  const bool perhaps_held = (lock.modes_of(backend) & mode_bit(mode)) != 0;
  lock.add(backend, mode, 1);
  if (perhaps_held) {
    remember(owner, lock.tag, mode, 1);
  } else {
    owner.locks.push_back({lock.tag, mode, 1});
  }
}

// Where in the queue a request belongs.
struct Place {
  std::size_t at = 0;
  bool grantable = false;
  LockWaiter* deadlock_with = nullptr;  // waits for the requester, who would wait for it
};

Place find_place(const Lock& lock, const Backend& backend, LockMode mode) {
  const ModeMask own = lock.modes_of(backend);
  const ModeMask against = conflict_mask(mode);
  Place place;
  ModeMask ahead = 0;
  for (; place.at < lock.waiters.size(); ++place.at) {
    LockWaiter* const other = lock.waiters[place.at];
    if ((conflict_mask(other->mode) & own) != 0) {
      if ((lock.modes_of(*other->backend) & against) != 0) {
        place.deadlock_with = other;
        return place;
      }
      break;
    }
    ahead = static_cast<ModeMask>(ahead | mode_bit(other->mode));
  }
  place.grantable = (ahead & against) == 0 && !lock.conflicts_with_holders(own, mode);
  return place;
}

[[noreturn]] void throw_deadlock(sim::Host& host, const std::string& report) {
  host.reached("deadlock/detected");
  throw SqlError(sqlstate::deadlock_detected, "deadlock detected", report, "See server log for query details.");
}

}  // namespace

void LockWaiter::describe(sim::WaitDescription& description) const {
  description.what = fmt::format("{} on {} held by", to_string(mode), txn::describe(lock->tag));
}

struct LockManager::Implementation {
  explicit Implementation(sim::Host& its_host) : host(its_host) {}

  Lock* find(const LockTag& tag) const {
    const auto found = locks.find(tag);
    return found == locks.end() ? nullptr : found->second.get();
  }
  Lock& find_or_make(const LockTag& tag);
  void drop_if_unused(Lock& lock);
  void serve(Lock& lock);
  // Parks until the lock is granted. Throws as acquire().
  void wait(LockWaiter& waiter);
  void check_deadlock(LockWaiter& waiter);
  void ask_to_give_way(const LockWaiter& waiter);

  sim::Host& host;
  boost::unordered_flat_map<LockTag, std::unique_ptr<Lock>, HashTag> locks;
  std::vector<std::unique_ptr<Lock>> spare;
  std::uint64_t searches = 0;
};

Lock& LockManager::Implementation::find_or_make(const LockTag& tag) {
  std::unique_ptr<Lock>& lock = locks[tag];
  if (lock == nullptr) {
    if (spare.empty()) {
      lock = std::make_unique<Lock>();
    } else {
      lock = std::move(spare.back());
      spare.pop_back();
    }
    lock->tag = tag;
  }
  return *lock;
}

void LockManager::Implementation::drop_if_unused(Lock& lock) {
  if (!lock.holders.empty() || !lock.waiters.empty()) return;
  const auto found = locks.find(lock.tag);
  if (spare.size() < spare_locks_max) spare.push_back(std::move(found->second));
  locks.erase(found);
}

// PostgreSQL's ProcLockWakeup.
void LockManager::Implementation::serve(Lock& lock) {
  ModeMask ahead = 0;
  for (std::size_t i = 0; i < lock.waiters.size();) {
    LockWaiter& waiter = *lock.waiters[i];
    if ((conflict_mask(waiter.mode) & ahead) != 0 ||
        lock.conflicts_with_holders(lock.modes_of(*waiter.backend), waiter.mode)) {
      ahead = static_cast<ModeMask>(ahead | mode_bit(waiter.mode));
      ++i;
      continue;
    }
    lock.waiters.erase(lock.waiters.begin() + static_cast<std::ptrdiff_t>(i));
    grant(lock, *waiter.backend, *waiter.owner, waiter.mode);
    waiter.granted = true;
    waiter.backend->wake();
  }
}

LockManager::LockManager(sim::Host& host) : impl_(std::make_unique<Implementation>(host)) {}
LockManager::~LockManager() = default;

LockResult LockManager::acquire(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode, bool wait) {
  Lock& lock = impl_->find_or_make(tag);
  if ((lock.modes_of(backend) & mode_bit(mode)) != 0) {
    grant(lock, backend, owner, mode);
    return LockResult::already_held;
  }
  const Place place = find_place(lock, backend, mode);
  if (place.grantable) {
    grant(lock, backend, owner, mode);
    return LockResult::granted;
  }
  if (!wait) return LockResult::not_available;  // it is in use, so it stays in the table
  if (place.deadlock_with != nullptr) {
    impl_->host.reached("deadlock/at-once");
    const LockWaiter& other = *place.deadlock_with;
    throw_deadlock(impl_->host, fmt::format("Process {0} waits for {1} on {2}; blocked by process {3}.\n"
                                            "Process {3} waits for {4} on {2}; blocked by process {0}.",
                                            backend.process_id(), to_string(mode), describe_in_report(tag),
                                            other.backend->process_id(), to_string(other.mode)));
  }
  backend.check_interrupts();

  LockWaiter waiter(lock, backend, owner, mode);
  waiter.since_us = impl_->host.realtime_us();
  lock.waiters.insert(lock.waiters.begin() + static_cast<std::ptrdiff_t>(place.at), &waiter);
  POLARSIM_ASSERT(backend.wait_ == nullptr, "a backend waits for two locks");
  backend.wait_ = &waiter;
  // Undoes the request on every way out but success, also when the task is cancelled.
  struct Leave {
    LockManager& manager;
    LockWaiter& waiter;
    bool succeeded = false;
    ~Leave() {
      waiter.backend->wait_ = nullptr;
      if (succeeded) return;
      if (waiter.granted) {
        manager.release(*waiter.backend, *waiter.owner, waiter.lock->tag, waiter.mode);
        return;
      }
      std::erase(waiter.lock->waiters, &waiter);
      manager.impl_->serve(*waiter.lock);
      manager.impl_->drop_if_unused(*waiter.lock);
    }
  } leave{*this, waiter};
  impl_->host.reached(wait_probe(tag));
  impl_->wait(waiter);
  leave.succeeded = true;
  return LockResult::granted_after_wait;
}

void LockManager::Implementation::wait(LockWaiter& waiter) {
  Backend& backend = *waiter.backend;
  const WaitLimits& limits = backend.limits;
  const bool limited = limits.lock_timeout > sim::Duration(0);
  const sim::Time lock_deadline = limited ? host.deadline_in(limits.lock_timeout) : sim::never;
  sim::Time deadlock_check = host.deadline_in(limits.deadlock_timeout);
  const char* const reason = wait_reason(waiter.lock->tag);
  while (!waiter.granted) {
    backend.park(reason, std::min({lock_deadline, limits.statement_deadline, deadlock_check}), &waiter);
    if (waiter.granted) return;
    const sim::Time now = host.scheduler().now();
    if (now >= lock_deadline && lock_deadline <= limits.statement_deadline && !backend.termination_requested()) {
      host.reached("lock/timed-out");
      throw SqlError(sqlstate::lock_not_available, "canceling statement due to lock timeout");
    }
    backend.check_interrupts();
    if (now >= deadlock_check) {
      check_deadlock(waiter);
      deadlock_check = sim::never;
    }
  }
}

void LockManager::Implementation::check_deadlock(LockWaiter& waiter) {
  DeadlockDetector detector(searches);
  DeadlockDetector::Verdict verdict = DeadlockDetector::Verdict::none;
  // The search recurses as deep as the longest chain of waiters.
  host.scheduler().on_scheduler_stack([&] { verdict = detector.check(*waiter.backend); });
  switch (verdict) {
    case DeadlockDetector::Verdict::none:
      ask_to_give_way(waiter);
      return;
    case DeadlockDetector::Verdict::rearranged:
      host.reached("deadlock/queue-rearranged");
      for (Lock* const lock : detector.rearranged()) serve(*lock);
      return;
    case DeadlockDetector::Verdict::deadlock:
      throw_deadlock(host, detector.report());
  }
}

void LockManager::Implementation::ask_to_give_way(const LockWaiter& waiter) {
  for (const LockHolder& holder : waiter.lock->holders) {
    Backend& other = *holder.backend;
    if (!other.gives_way || &other == waiter.backend || (holder.modes & conflict_mask(waiter.mode)) == 0) continue;
    host.reached("lock/autovacuum-gave-way");
    other.request_cancel();
  }
}

bool LockManager::release(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode) {
  LockOwner::Held* const held = find_held(owner, tag, mode);
  if (held == nullptr) return false;
  if (--held->times == 0) owner.locks.erase(owner.locks.begin() + (held - owner.locks.data()));
  Lock& lock = *impl_->find(tag);
  if (lock.take(backend, mode, 1)) {
    impl_->serve(lock);
    impl_->drop_if_unused(lock);
  }
  return true;
}

void LockManager::release_all(Backend& backend, LockOwner& owner) {
  const std::vector<LockOwner::Held> held = std::exchange(owner.locks, {});
  for (const LockOwner::Held& entry : held) {
    Lock& lock = *impl_->find(entry.tag);
    if (!lock.take(backend, entry.mode, entry.times)) continue;
    impl_->serve(lock);
    impl_->drop_if_unused(lock);
  }
}

void LockManager::merge(LockOwner& from, LockOwner& into) {
  if (into.locks.empty()) {
    into.locks.swap(from.locks);
    return;
  }
  for (const LockOwner::Held& entry : std::exchange(from.locks, {})) {
    // An xid's own lock is nowhere else.
    if (entry.tag.kind == LockTag::Kind::transaction) {
      into.locks.push_back(entry);
    } else {
      remember(into, entry.tag, entry.mode, entry.times);
    }
  }
}

void LockManager::transfer(Backend& from, LockOwner& owner, Backend& to, LockOwner& new_owner) {
  for (const LockOwner::Held& entry : owner.locks) {
    Lock& lock = *impl_->find(entry.tag);
    lock.add(to, entry.mode, entry.times);
    lock.take(from, entry.mode, entry.times);
  }
  merge(owner, new_owner);
}

void LockManager::restore(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode) {
  Lock& lock = impl_->find_or_make(tag);
  POLARSIM_ASSERT(!lock.conflicts_with_holders(lock.modes_of(backend), mode),
                  "two prepared transactions hold conflicting locks");
  grant(lock, backend, owner, mode);
}

void LockManager::wait_for_end(Backend& backend, Xid xid) {
  const LockTag tag = LockTag::of_transaction(xid);
  if (impl_->find(tag) == nullptr) return;
  POLARSIM_ASSERT(!holds(backend, tag, LockMode::exclusive), "a transaction waits for its own end");
  LockOwner here;
  acquire(backend, here, tag, LockMode::share);
  release_all(backend, here);
}

bool LockManager::has_waiters(const LockTag& tag) const {
  const Lock* const lock = impl_->find(tag);
  return lock != nullptr && !lock->waiters.empty();
}

bool LockManager::holds(const Backend& backend, const LockTag& tag, LockMode mode) const {
  const Lock* const lock = impl_->find(tag);
  return lock != nullptr && (lock->modes_of(backend) & mode_bit(mode)) != 0;
}

std::vector<LockManager::Entry> LockManager::entries() const {
  std::vector<const Lock*> locks;
  locks.reserve(impl_->locks.size());
  for (const auto& [tag, lock] : impl_->locks) locks.push_back(lock.get());
  std::sort(locks.begin(), locks.end(), [](const Lock* a, const Lock* b) { return a->tag < b->tag; });
  std::vector<Entry> result;
  for (const Lock* const lock : locks) {
    for (const LockHolder& holder : lock->holders) {
      for (std::size_t i = 1; i < lock_modes; ++i) {
        const auto mode = static_cast<LockMode>(i);
        if (holder.times[i] != 0) result.push_back({lock->tag, mode, true, holder.backend->process_id(), 0});
      }
    }
    for (const LockWaiter* const waiter : lock->waiters) {
      result.push_back({lock->tag, waiter->mode, false, waiter->backend->process_id(), waiter->since_us});
    }
  }
  return result;
}

std::vector<std::uint32_t> LockManager::blockers(const Backend& backend) const {
  std::vector<std::uint32_t> result;
  const LockWaiter* const waiter = backend.wait_;
  if (waiter == nullptr || waiter->granted) return result;
  const ModeMask against = conflict_mask(waiter->mode);
  for (const LockHolder& holder : waiter->lock->holders) {
    if (holder.backend != &backend && (holder.modes & against) != 0) result.push_back(holder.backend->process_id());
  }
  for (const LockWaiter* const other : waiter->lock->waiters) {
    if (other == waiter) break;
    if ((mode_bit(other->mode) & against) != 0) result.push_back(other->backend->process_id());
  }
  return result;
}

std::vector<LockManager::Wait> LockManager::waits() const {
  std::vector<Wait> result;
  for (const auto& [tag, lock] : impl_->locks) {
    for (const LockWaiter* const waiter : lock->waiters) {
      for (const std::uint32_t blocker : blockers(*waiter->backend)) {
        result.push_back({waiter->backend->process_id(), blocker, waiter->since_us});
      }
    }
  }
  // The table of locks has no order of its own.
  std::sort(result.begin(), result.end(), [](const Wait& a, const Wait& b) {
    return std::pair(a.waiter, a.blocker) < std::pair(b.waiter, b.blocker);
  });
  return result;
}

std::size_t LockManager::locked_things() const { return impl_->locks.size(); }

}  // namespace polarsim::engine::txn
