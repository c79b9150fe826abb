// Who runs statements: one session's place in the node, as PostgreSQL's PGPROC. It can be asked to stop, it may wait
// for one lock at a time, and it owns locks through its transaction and, for session-level advisory locks, by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/txn/lock_tag.h"
#include "sim/host.h"

namespace polarsim::engine::txn {

struct LockWaiter;

// How long a statement is ready to wait; from the session's settings, set before each statement.
struct WaitLimits {
  sim::Duration lock_timeout{0};  // of each wait; 0: no limit
  sim::Duration deadlock_timeout{1'000'000'000};
  sim::Time statement_deadline = sim::never;
};

// Locks that are given up together: of a transaction, of one of its savepoints, of a session.
struct LockOwner {
  struct Held {
    LockTag tag;
    LockMode mode = LockMode::none;
    std::uint32_t times = 0;
  };
  std::vector<Held> locks;  // in order of acquisition; one entry a tag and mode
};

class Backend {
 public:
  // Process id 0 is that of prepared transactions, which have no process.
  Backend(sim::Host& host, std::uint32_t process_id) : host_(host), process_id_(process_id) {}
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  std::uint32_t process_id() const { return process_id_; }
  WaitLimits limits;
  LockOwner session_locks;
  // Autovacuum: who has waited for one of its locks for deadlock_timeout, and is no deadlock, asks it to stop.
  bool gives_way = false;

  // Asked by anybody; takes effect at the next check or ends the present wait. PostgreSQL's pg_cancel_backend() and
  // pg_terminate_backend().
  void request_cancel();
  void request_termination();
  // Called by either, after it has been noted, in whatever task asked: for those who wait for something else on behalf
  // of this session. It must not block. Null: nobody.
  void set_interrupt_listener(std::function<void()> listener) { interrupt_listener_ = std::move(listener); }
  // Between statements: an old request to cancel has nothing to cancel any more.
  void begin_statement() { cancel_requested_ = false; }
  // Throws SqlError: 57014 "canceling statement due to user request" or "... due to statement timeout", 57P01
  // "terminating connection due to administrator command". Never blocks. For loops over rows and before every wait.
  void check_interrupts();
  bool termination_requested() const { return termination_requested_; }
  // Blocks until `when`; throws as check_interrupts() as soon as there is a reason. For pg_sleep().
  void sleep_until(sim::Time when);

 private:
  friend class LockManager;
  friend class DeadlockDetector;
  // Parks the running task until `deadline`, until it is woken, or until it is asked to stop.
  void park(const char* reason, sim::Time deadline, const sim::WaitSubject* subject);
  void wake();
  void tell_listener() const;

  sim::Host& host_;
  std::uint32_t process_id_;
  bool cancel_requested_ = false;
  bool termination_requested_ = false;
  std::function<void()> interrupt_listener_;
  sim::TaskRef task_;             // that is in park()
  LockWaiter* wait_ = nullptr;    // the lock it waits for
  std::uint64_t visit_mark_ = 0;  // of the last search for a deadlock that came by
};

}  // namespace polarsim::engine::txn
