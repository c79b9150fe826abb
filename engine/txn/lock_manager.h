// Heavyweight locks: a table of tags with holders and a queue of waiters each, PostgreSQL's lmgr
// (src/backend/storage/lmgr/README, lock.c and proc.c there).
//
// A request is granted if it conflicts with no other backend's lock and with no request that waits before it; else it
// queues behind them, but before those that wait for a lock its own backend already holds (a soft deadlock avoided on
// entry). Locks of one backend (its transaction, savepoints, session) never conflict with each other. Row locks are not
// here: they live on the rows (heap_access.h); a wait for a row is a wait for a transaction's tag, in the order of the
// row's tuple tag.
//
// Deadlocks. Two who hold a lock and both ask for more of it are a deadlock at once: the second to ask gives up. Else
// each waiter looks once, deadlock_timeout after it began to wait, whether it waits for itself: through holders, and
// through waiters before it in a queue (deadlock.h). If only the order of a queue closes the cycle, the queue is
// rearranged; else it gives up with 40P01 and a report in PostgreSQL's words. A transaction that is prepared can be
// waited for but never chosen. If there is no deadlock, but who is in the way gives way (Backend::gives_way), it is
// asked to stop.
//
// Probes: "lock/waited", "lock/waited-for-table", "lock/waited-for-transaction", "lock/timed-out",
// "lock/statement-timed-out", "deadlock/detected", "deadlock/at-once", "deadlock/queue-rearranged",
// "lock/autovacuum-gave-way".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/txn/backend.h"

namespace polarsim::engine::txn {

enum class LockResult : std::uint8_t { granted, granted_after_wait, already_held, not_available };

class LockManager {
 public:
  explicit LockManager(sim::Host& host);
  ~LockManager();

  // Blocks unless `wait` is false (then not_available). Throws SqlError 55P03 (lock_timeout), 57014, 57P01 or 40P01, or
  // TaskCancelled; nothing has then changed. `already_held`: the backend had it in this mode.
  LockResult acquire(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode, bool wait = true);
  // Once for each time it was acquired. False if the owner does not have it in this mode. Never blocks.
  bool release(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode);
  void release_all(Backend& backend, LockOwner& owner);
  // Savepoint released: what it held goes to its parent.
  static void merge(LockOwner& from, LockOwner& into);
  // PREPARE TRANSACTION: the locks of `owner` go on under another backend. Never blocks.
  void transfer(Backend& from, LockOwner& owner, Backend& to, LockOwner& new_owner);
  // Recovery of a prepared transaction: as acquire(), but nobody else can have a lock that conflicts.
  void restore(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode);

  // Waits until the transaction or subtransaction of `xid` has ended (that of a released savepoint ends with its
  // parent), without keeping the lock that shows it. It must not be the backend's own. Throws as acquire().
  void wait_for_end(Backend& backend, Xid xid);

  // Whether anybody waits for it.
  bool has_waiters(const LockTag& tag) const;
  // In this very mode, through any of the backend's owners.
  bool holds(const Backend& backend, const LockTag& tag, LockMode mode) const;

  // As pg_locks shows them.
  struct Entry {
    LockTag tag;
    LockMode mode = LockMode::none;
    bool granted = false;
    std::uint32_t process_id = 0;  // 0: prepared
    std::int64_t waiting_since_us = 0;
  };
  std::vector<Entry> entries() const;  // by tag, holders before waiters, each in order
  // Process ids that the backend waits for (pg_blocking_pids): holders first, then who is before it in the queue; 0 for
  // a prepared transaction.
  std::vector<std::uint32_t> blockers(const Backend& backend) const;
  // Who waits for whom, hard edges and soft ones (deadlock.h): by process id of the waiter, blockers as blockers()
  // has them; in order of both.
  struct Wait {
    std::uint32_t waiter = 0;
    std::uint32_t blocker = 0;  // 0: a prepared transaction
    std::int64_t since_us = 0;  // of the waiter's wait; since 1970
  };
  std::vector<Wait> waits() const;
  std::size_t locked_things() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::txn
