// Fiber-aware synchronisation. All waits are in FIFO order and in virtual time; none may be used from outside a task
// except the notifying half (set, notify, push, close), which anyone may call, timers included.
//
// Every blocking call throws TaskCancelled when its task is cancelled. While a task unwinds, every blocking call
// returns at once as if its deadline had come. A notification that was meant for a task that is cancelled before it can
// use it goes to the next waiter.
//
// A primitive may be destroyed while tasks wait on it only if these tasks are then cancelled (a host that goes down
// does so).
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "sim/scheduler.h"

namespace polarsim::sim {

// The queue that every primitive below is made of.
class WaitQueue {
 public:
  explicit WaitQueue(Scheduler& scheduler) : scheduler_(scheduler) {}
  virtual ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  // Parks the running task at the end of the queue. Leaves the queue on every way out, exceptions included. A loop
  // around it must end on `cancelled`.
  WakeReason wait(const char* reason, Time deadline = never);
  // Wakes the first waiter; false if there is none.
  bool notify_one() { return notify_first() != 0; }
  // Wakes the first waiter and returns its task's id; 0 if there is none.
  std::uint64_t notify_first();
  // Wakes those who wait now.
  void notify_all();
  bool empty() const { return waiting_.first == nullptr; }
  Scheduler& scheduler() const { return scheduler_; }

 protected:
  // Called when a task that was notified is cancelled before it ran: hands the notification on.
  virtual void abandoned([[maybe_unused]] std::uint64_t task_id) { notify_first(); }

 private:
  // Lies on the waiting task's stack.
  struct Waiter {
    WaitQueue* queue;  // null once the queue is gone
    Task* task;
    std::uint64_t task_id;
    bool notified = false;
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
  WaiterList waiting_;
  WaiterList notified_;  // woken, but have not run since
};

// Handed over in FIFO order: a task that waits cannot be overtaken. Not recursive (asserted). Fits std::lock_guard.
// While a task unwinds, lock() on a mutex that another task holds returns without it, and unlock() by a task that does
// not hold it has no effect.
class Mutex : private WaitQueue {
 public:
  explicit Mutex(Scheduler& task_scheduler) : WaitQueue(task_scheduler) {}
  void lock();
  bool try_lock();
  void unlock();
  bool held() const { return owner_ != 0; }

 private:
  void abandoned(std::uint64_t task_id) override;
  std::uint64_t owner_ = 0;  // task id
};

// Waits for a predicate: `while (!ready) condition.wait("..")`. No mutex is needed on one thread: a task is only
// interrupted where it blocks. In a destructor, end the loop on WakeReason::cancelled.
class Condition {
 public:
  explicit Condition(Scheduler& scheduler) : waiters_(scheduler) {}
  WakeReason wait(const char* reason, Time deadline = never) { return waiters_.wait(reason, deadline); }
  void notify_one() { waiters_.notify_one(); }
  void notify_all() { waiters_.notify_all(); }

 private:
  WaitQueue waiters_;
};

// A one-way switch that many may wait for.
class Event {
 public:
  explicit Event(Scheduler& scheduler) : waiters_(scheduler) {}
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

// An unbounded FIFO of values between tasks; close() lets readers drain and then see the end.
template <typename T>
class Channel {
 public:
  explicit Channel(Scheduler& scheduler) : readers_(scheduler) {}
  void push(T value) {
    items_.push_back(std::move(value));
    readers_.notify_one();
  }
  void close() {
    closed_ = true;
    readers_.notify_all();
  }
  bool closed() const { return closed_; }
  std::size_t size() const { return items_.size(); }
  // Empty when closed and drained, when the deadline came first, or while the task unwinds and there is nothing to
  // take.
  std::optional<T> pop(const char* reason, Time deadline = never) {
    while (items_.empty()) {
      if (closed_) return std::nullopt;
      if (readers_.wait(reason, deadline) != WakeReason::woken && items_.empty()) return std::nullopt;
    }
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    return value;
  }

 private:
  WaitQueue readers_;
  std::deque<T> items_;
  bool closed_ = false;
};

// Runs tasks beside each other and waits for all of them. Destroying a nursery cancels what still runs and runs it to
// its end before the destructor returns; that blocks nobody and takes no virtual time.
class Nursery {
 public:
  Nursery(Scheduler& scheduler, std::string name)
      : scheduler_(scheduler), group_(std::move(name), scheduler.current_machine()) {}
  ~Nursery() { scheduler_.drain_group(group_); }
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  // An exception that leaves `body` is kept and rethrown by wait() (the first one, the others are dropped; all are, if
  // nobody waits). A host that goes down reaches these tasks by unwinding the task that owns the nursery.
  TaskRef spawn(std::string name, std::function<void()> body);
  // Blocks until every task has ended.
  void wait();
  std::size_t size() const { return group_.size(); }

 private:
  Scheduler& scheduler_;
  std::exception_ptr failure_;
  TaskGroup group_;
};

}  // namespace polarsim::sim
