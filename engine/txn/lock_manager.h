// Heavyweight locks: a table of tags with holders and a queue of waiters each, PostgreSQL's lmgr
// (src/backend/storage/lmgr/README).
//
// A request is granted if it conflicts with no other owner's lock and with no request that waits before it; else it
// queues behind them, but before those that wait for a lock its owner already holds (a soft deadlock avoided on entry).
// Locks of one transaction, its savepoints and its session never conflict with each other. Row locks are not here: they
// live on the rows (heap_access.h); a wait for a row is a wait for a transaction's tag, in the order of the row's tuple tag.
//
// Deadlocks: each waiter looks once, deadlock_timeout after it began to wait, whether it waits for itself: through
// holders, and through waiters before it in a queue. If only the order of a queue closes the cycle, the queue is
// rearranged; else it gives up with 40P01 and a report in PostgreSQL's words. A transaction that is prepared can be
// waited for but never chosen.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/txn/backend.h"

namespace polarsim::engine::txn {

enum class LockResult : std::uint8_t { granted, granted_after_wait, already_held, not_available };

class LockManager {
 public:
  explicit LockManager(sim::Host& host);
  ~LockManager();

  // Blocks unless `wait` is false (then not_available). Throws SqlError 55P03 (lock_timeout), 57014, 57P01 or 40P01;
  // nothing has then changed. Asserts that the buffer pool's rule is kept is the caller's business.
  LockResult acquire(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode, bool wait = true);
  void release(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode);
  void release_all(Backend& backend, LockOwner& owner);
  // Savepoint released: what it held goes to its parent.
  static void merge(LockOwner& from, LockOwner& into);
  // PREPARE TRANSACTION, and recovery of one: the locks go on under another backend. Never blocks.
  void transfer(Backend& from, LockOwner& owner, Backend& to, LockOwner& new_owner);
  void restore(Backend& backend, LockOwner& owner, const LockTag& tag, LockMode mode);

  // Waits until the transaction of `xid` has ended, without keeping the lock that shows it. Throws as acquire().
  void wait_for_end(Backend& backend, Xid xid);

  bool holds(const Backend& backend, const LockTag& tag, LockMode mode) const;

  // As pg_locks shows them.
  struct Entry {
    LockTag tag;
    LockMode mode = LockMode::none;
    bool granted = false;
    std::uint32_t process_id = 0;  // 0: prepared
    std::uint64_t waiting_since_us = 0;
  };
  std::vector<Entry> entries() const;  // by tag, holders before waiters, each in order
  // Process ids that the backend waits for (pg_blocking_pids); 0 for a prepared transaction.
  std::vector<std::uint32_t> blockers(const Backend& backend) const;
  std::size_t locked_things() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::txn
