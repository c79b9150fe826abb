// The queue of waiting tasks that every primitive of sync.h is made of; usable on its own for new ones.
//
// The rules for all of them: waits are in FIFO order and in virtual time. Every blocking call throws TaskCancelled when
// its task is cancelled; while a task unwinds, it returns at once as if its deadline had come. A notification that was
// meant for a task that is cancelled before it can use it goes to the next waiter. A wake() by someone else does not
// end a wait. Blocking calls are for tasks only; the notifying half (set, notify, push, release, close) is for anyone,
// timers included.
//
// A primitive may be destroyed while tasks wait on it only if these tasks are then cancelled (a host that goes down
// does so).
#pragma once

#include <cstdint>

#include "sim/scheduler.h"

namespace polarsim::sim {

class WaitQueue {
 public:
  // `kind` and `label` are literals for the stall report: `condition "replication"`.
  explicit WaitQueue(Scheduler& scheduler, const char* kind = "queue", const char* label = "")
      : scheduler_(scheduler), kind_(kind), label_(label) {}
  virtual ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  // Parks the running task at the end of the queue until it is notified. Leaves the queue on every way out, exceptions
  // included. A loop around it must end on `cancelled`.
  WakeReason wait(const char* reason, Time deadline = never) { return wait_for_notice(reason, deadline).woken_by; }
  // Wakes the first waiter; false if there is none.
  bool notify_one() { return notify_first(Notice::granted) != 0; }
  // Wakes those who wait now.
  void notify_all();
  // Whether nobody waits who has not been notified.
  bool empty() const { return waiting_.first == nullptr; }
  Scheduler& scheduler() const { return scheduler_; }

 protected:
  // A granted notice gives the waiter something that must not be lost, such as a permit; `told` gives it nothing.
  enum class Notice : std::uint8_t { none, granted, told };
  struct WaitResult {
    WakeReason woken_by;
    Notice notice;  // not `none` exactly when woken
  };
  WaitResult wait_for_notice(const char* reason, Time deadline);
  // Wakes the first waiter and returns its task's id; 0 if there is none.
  std::uint64_t notify_first(Notice notice);
  // Called when a task that was granted something is cancelled before it ran: hands the grant on.
  virtual void abandoned([[maybe_unused]] std::uint64_t task_id) { notify_first(Notice::granted); }
  // For the stall report.
  virtual void describe(WaitDescription& description) const;

 private:
  // Lies on the waiting task's stack.
  struct Waiter final : WaitSubject {
    Waiter(WaitQueue* its_queue, Task* its_task) : queue(its_queue), task(its_task) {}
    void describe(WaitDescription& description) const override;
    WaitQueue* queue;  // null once the queue is gone
    Task* task;
    Notice notice = Notice::none;
    Waiter* previous = nullptr;
    Waiter* next = nullptr;
  };
  struct WaiterList {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    void append(Waiter& waiter);
    void remove(Waiter& waiter);
  };
  class Membership;

  Scheduler& scheduler_;
  const char* kind_;
  const char* label_;
  WaiterList waiting_;
  WaiterList notified_;  // woken, but have not run since
};

}  // namespace polarsim::sim
