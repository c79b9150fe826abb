// Fiber-aware synchronisation: mutex, condition, event and semaphore here; channel, future and nursery in headers of
// their own, which this one includes. The rules that hold for all of them are in wait_queue.h.
//
// `label`, where a constructor takes one, is a literal that a stall report shows.
#pragma once

#include <cstdint>

#include "sim/wait_queue.h"

namespace polarsim::sim {

// Handed over in FIFO order: a task that waits cannot be overtaken. Not recursive (asserted). Fits std::lock_guard and
// std::unique_lock. While a task unwinds, lock() on a mutex that another task holds returns without it, and unlock() by
// a task that does not hold it has no effect.
class Mutex : private WaitQueue {
 public:
  explicit Mutex(Scheduler& task_scheduler, const char* label = "") : WaitQueue(task_scheduler, "mutex", label) {}
  void lock();
  bool try_lock();
  // False if the deadline came first, or if the task unwinds while another one holds the mutex.
  bool try_lock_until(Time deadline);
  bool try_lock_for(Duration wait) { return try_lock_until(deadline_after(scheduler().now(), wait)); }
  void unlock();
  bool held() const { return owner_ != 0; }
  // Id of the task that holds it; 0 if none does.
  std::uint64_t owner() const { return owner_; }

 private:
  void abandoned(std::uint64_t task_id) override;
  void describe(WaitDescription& description) const override;
  std::uint64_t owner_ = 0;  // task id
};

// Waits for a predicate. No mutex is needed on one thread: a task is only interrupted where it blocks.
class Condition {
 public:
  explicit Condition(Scheduler& scheduler, const char* label = "") : waiters_(scheduler, "condition", label) {}
  // For loops: `while (!ready) condition.wait("..")`. In a destructor, end the loop on WakeReason::cancelled.
  WakeReason wait(const char* reason, Time deadline = never) { return waiters_.wait(reason, deadline); }
  // Waits until `ready()` is true, which is asked at once and after each notification. False only if it was still false
  // when the deadline came or the task unwinds.
  template <typename Predicate>
  bool wait_until(const char* reason, Predicate&& ready, Time deadline = never) {
    while (!ready()) {
      if (waiters_.wait(reason, deadline) != WakeReason::woken) return ready();
    }
    return true;
  }
  // A task that finds its predicate still false has used the notification up: tasks that wait for different predicates
  // need notify_all().
  void notify_one() { waiters_.notify_one(); }
  void notify_all() { waiters_.notify_all(); }

 private:
  WaitQueue waiters_;
};

// A one-way switch that many may wait for.
class Event {
 public:
  explicit Event(Scheduler& scheduler, const char* label = "") : waiters_(scheduler, "event", label) {}
  bool is_set() const { return set_; }
  void set() {
    set_ = true;
    waiters_.notify_all();
  }
  // Whether it is set; false only if the deadline came first or the task unwinds.
  bool wait(const char* reason, Time deadline = never) {
    while (!set_) {
      if (waiters_.wait(reason, deadline) != WakeReason::woken) return set_;
    }
    return true;
  }

 private:
  WaitQueue waiters_;
  bool set_ = false;
};

// Counts permits. A released permit is handed to the first waiter, so that a task that waits cannot be overtaken; one
// that was meant for a task that is cancelled first goes on to the next.
class Semaphore : private WaitQueue {
 public:
  Semaphore(Scheduler& task_scheduler, std::uint64_t permits, const char* label = "")
      : Semaphore(task_scheduler, permits, "semaphore", label) {}
  // False if there is no permit at hand.
  bool try_acquire();
  // Blocks for a permit. False only if the deadline came first, the semaphore is closed and has none left, or the task
  // unwinds.
  bool acquire(const char* reason, Time deadline = never);
  void release(std::uint64_t count = 1);
  // Ends the wait of everyone who waits in vain; permits that are left, or released later, can still be acquired.
  void close();
  bool closed() const { return closed_; }
  std::uint64_t available() const { return permits_; }

 protected:
  Semaphore(Scheduler& task_scheduler, std::uint64_t permits, const char* kind, const char* label)
      : WaitQueue(task_scheduler, kind, label), permits_(permits) {}

 private:
  template <typename T>
  friend class Channel;
  void abandoned(std::uint64_t task_id) override;
  void end_vain_waits();
  std::uint64_t permits_;
  std::uint64_t in_flight_ = 0;  // handed to tasks that have not run since
  bool closed_ = false;
};

// Holds one permit for the length of a scope.
class SemaphoreGuard {
 public:
  SemaphoreGuard(Semaphore& semaphore, const char* reason, Time deadline = never)
      : semaphore_(semaphore), held_(semaphore.acquire(reason, deadline)) {}
  ~SemaphoreGuard() {
    if (held_) semaphore_.release();
  }
  SemaphoreGuard(const SemaphoreGuard&) = delete;
  SemaphoreGuard& operator=(const SemaphoreGuard&) = delete;
  // Whether there was a permit: see Semaphore::acquire.
  bool held() const { return held_; }

 private:
  Semaphore& semaphore_;
  bool held_;
};

}  // namespace polarsim::sim

#include "sim/channel.h"
#include "sim/future.h"
#include "sim/nursery.h"
