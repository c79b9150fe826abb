// Who runs statements: one session's place in the node, as PostgreSQL's PGPROC. It can be asked to stop, it may wait
// for one lock at a time, and it owns locks through its transaction and, for session-level advisory locks, by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/txn/lock_tag.h"
#include "engine/types/error.h"
#include "engine/types/type.h"
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

// Why a statement is cancelled.
enum class CancelReason : std::uint8_t {
  user,      // somebody asked for it
  deadlock,  // its transaction waits for itself over several nodes (cluster/deadlocks.h)
};
SqlError cancelled_because(CancelReason reason);

// What a session has other nodes do: which of their backends work for it. Only what is in a transaction there, or at
// work, is told.
struct RemoteWork {
  struct Worker {
    int group_id = 0;  // of the node
    std::uint32_t process_id = 0;
  };
  std::vector<Worker> workers;
  std::int64_t transaction_start_us = 0;   // as now() shows it; since 1970
  sim::Time statement_start = sim::never;  // never: between statements
};

// What a session tells of itself, to whoever looks at pg_stat_activity. Times are the host's, since 1970; 0: never.
struct Activity {
  std::string state;
  std::string query;  // the last one that a client sent
  std::string application_name;
  std::int64_t backend_start_us = 0;
  std::int64_t transaction_start_us = 0;
  std::int64_t query_start_us = 0;
  std::int64_t state_change_us = 0;
};
// Of PREPARE.
struct PreparedStatement {
  std::string name;
  std::string text;
  std::int64_t prepared_us = 0;
  std::vector<TypeId> types;
  std::uint64_t executions = 0;
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
  void request_cancel(CancelReason reason = CancelReason::user);
  void request_termination();
  // Called by either, after it has been noted, in whatever task asked: for those who wait for something else on behalf
  // of this session. It must not block. Null: nobody.
  void set_interrupt_listener(std::function<void()> listener) { interrupt_listener_ = std::move(listener); }
  // Of the last request.
  CancelReason cancel_reason() const { return cancel_reason_; }
  // Called by whoever looks for deadlocks over nodes. It must not block. Null: no other node works for this session.
  void set_remote_work(std::function<RemoteWork()> tell) { remote_work_ = std::move(tell); }
  RemoteWork remote_work() const { return remote_work_ ? remote_work_() : RemoteWork{}; }
  // Called by whoever looks at the sessions of the node. They must not block. Null: it is no client's.
  void set_activity(std::function<Activity()> tell) { activity_ = std::move(tell); }
  bool tells_activity() const { return activity_ != nullptr; }
  Activity activity() const { return activity_ ? activity_() : Activity{}; }
  void set_prepared_statements(std::function<std::vector<PreparedStatement>()> tell) { prepared_ = std::move(tell); }
  std::vector<PreparedStatement> prepared_statements() const {
    return prepared_ ? prepared_() : std::vector<PreparedStatement>{};
  }
  // Between statements: an old request to cancel has nothing to cancel any more.
  void begin_statement() { cancel_requested_ = false; }
  // Throws SqlError: 57014 "canceling statement due to user request" or "... due to statement timeout", 40P01 for a
  // deadlock over nodes, 57P01 "terminating connection due to administrator command". Never blocks. For loops over rows
  // and before every wait.
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
  CancelReason cancel_reason_ = CancelReason::user;
  bool termination_requested_ = false;
  std::function<void()> interrupt_listener_;
  std::function<RemoteWork()> remote_work_;
  std::function<Activity()> activity_;
  std::function<std::vector<PreparedStatement>()> prepared_;
  sim::TaskRef task_;             // that is in park()
  LockWaiter* wait_ = nullptr;    // the lock it waits for
  std::uint64_t visit_mark_ = 0;  // of the last search for a deadlock that came by
};

}  // namespace polarsim::engine::txn
