#include "engine/txn/backend.h"

#include <algorithm>

#include "engine/types/error.h"

namespace polarsim::engine::txn {

void Backend::request_cancel() {
  cancel_requested_ = true;
  wake();
  tell_listener();
}

void Backend::request_termination() {
  termination_requested_ = true;
  wake();
  tell_listener();
}

void Backend::wake() {
  if (task_) host_.scheduler().wake(task_);
}

void Backend::tell_listener() const {
  if (interrupt_listener_) interrupt_listener_();
}

void Backend::check_interrupts() {
  if (termination_requested_) {
    throw SqlError(sqlstate::admin_shutdown, "terminating connection due to administrator command");
  }
  if (host_.scheduler().now() >= limits.statement_deadline) {
    host_.reached("lock/statement-timed-out");
    throw SqlError(sqlstate::query_canceled, "canceling statement due to statement timeout");
  }
  if (cancel_requested_) {
    cancel_requested_ = false;
    throw SqlError(sqlstate::query_canceled,
                   gives_way ? "canceling autovacuum task" : "canceling statement due to user request");
  }
}

void Backend::park(const char* reason, sim::Time deadline, const sim::WaitSubject* subject) {
  struct Leave {
    sim::TaskRef& task;
    ~Leave() { task = {}; }
  } leave{task_};
  task_ = host_.scheduler().current();
  if (host_.scheduler().park(reason, deadline, subject) == sim::WakeReason::cancelled) throw sim::TaskCancelled{};
}

void Backend::sleep_until(sim::Time when) {
  for (;;) {
    check_interrupts();
    if (host_.scheduler().now() >= when) return;
    park("backend/sleep", std::min(when, limits.statement_deadline), nullptr);
  }
}

}  // namespace polarsim::engine::txn
