// Row locks of PostgreSQL's four strengths, and table locks of two (key_share: in use; update: being created or
// dropped).
//
//   requested \ held   KEY SHARE   SHARE   NO KEY UPDATE   UPDATE
//   KEY SHARE                                                x
//   SHARE                                       x            x
//   NO KEY UPDATE                    x          x            x
//   UPDATE                 x         x          x            x
//
// A request waits only for holders it conflicts with. When a lock is given up, waiters are served in order of arrival,
// each as soon as it conflicts with no holder; a transaction that strengthens a lock it holds goes before those that
// hold none (so that it does not wait for one that waits for it). A request that conflicts with no holder is granted
// although others wait, as with PostgreSQL's row locks. Locks are held to the end of the transaction.
//
// Deadlocks: each waiter looks once, deadlock_timeout after it began to wait, whether it waits for itself through
// others; if so it gives up with 40P01. The last transaction to close a cycle begins to wait last, so looking once is
// enough.
#pragma once

#include <list>
#include <map>
#include <vector>

#include "engine/legacy/txn/transaction.h"
#include "sim/host.h"

namespace polarsim::engine::legacy {

bool conflicts(sql::LockStrength a, sql::LockStrength b);

// How long a statement is ready to wait.
struct WaitLimits {
  sim::Duration lock_timeout{0};  // 0: no limit
  sim::Duration deadlock_timeout{1'000'000'000};
  sim::Time statement_deadline = sim::never;
};

enum class LockOutcome : std::uint8_t {
  granted,
  granted_after_wait,
  not_available,  // only if asked not to wait
};

class LockTable {
 public:
  // Finds the transaction that runs under an xid; null if it has ended.
  using FindTransaction = std::function<Transaction*(Xid)>;
  LockTable(sim::Host& host, FindTransaction find_transaction);

  // Blocks unless `wait` is false. Throws SqlError 55P03, 57014 or 40P01; the transaction then holds what it held
  // before.
  LockOutcome acquire(Transaction& transaction, LockTag tag, sql::LockStrength strength, const WaitLimits& limits,
                      bool wait);
  // Gives the lock without asking: for transactions that recovery restores.
  void restore(Transaction& transaction, const HeldLock& lock);
  void release_all(Transaction& transaction);

  // Blocks until the transaction of `xid` has ended. Throws as acquire().
  void wait_for_end(Transaction& waiter, Xid xid, const WaitLimits& limits);
  // The transaction has ended: wakes who waits for that.
  void wake_end_waiters(Transaction& transaction);

  // The transactions that `transaction` waits for now; empty if it does not wait.
  std::vector<Transaction*> blockers(const Transaction& transaction) const;
  bool holds(const Transaction& transaction, LockTag tag, sql::LockStrength strength) const;
  std::size_t locked_things() const { return locks_.size(); }

 private:
  struct Holder {
    Transaction* transaction;
    sql::LockStrength strength;
  };
  struct Waiter {
    Transaction* transaction;
    sql::LockStrength strength;
    sim::TaskRef task;
    bool upgrade;
    bool granted = false;
  };
  struct Lock {
    std::vector<Holder> holders;
    std::list<Waiter*> waiters;
  };
  class Waiting;

  static const Holder* find_holder(const Lock& lock, const Transaction& transaction);
  static bool grantable(const Lock& lock, const Transaction& transaction, sql::LockStrength strength);
  void grant(Lock& lock, LockTag tag, Transaction& transaction, sql::LockStrength strength);
  void serve_waiters(LockTag tag);
  void remove_waiter(LockTag tag, Waiter& waiter);
  // Parks until `done` is true; `transaction` must say what it waits for.
  template <typename Done>
  void wait_until(Transaction& transaction, const WaitLimits& limits, const char* reason, Done done);
  void check_deadlock(const Transaction& transaction);

  sim::Host& host_;
  FindTransaction find_transaction_;
  std::map<LockTag, Lock> locks_;
};

}  // namespace polarsim::engine::legacy
