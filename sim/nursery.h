// Structured concurrency: tasks that do not outlive the scope that spawned them.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string>

#include "sim/scheduler.h"

namespace polarsim::sim {

struct NurseryOptions {
  // When the tasks are cancelled that have not ended by then, as cancel() does.
  Time deadline = never;
  // Whether the first exception that leaves a task cancels the others, as cancel() does.
  bool cancel_on_failure = false;
};

// Runs tasks beside each other and waits for all of them. Destroying a nursery cancels what still runs and runs it to
// its end before the destructor returns; that blocks nobody and takes no virtual time.
class Nursery {
 public:
  Nursery(Scheduler& scheduler, std::string name, NurseryOptions options = {});
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  // An exception that leaves `body` is kept and rethrown by wait() (the first one, the others are dropped; all are, if
  // nobody waits). A host that goes down reaches these tasks by unwinding the task that owns the nursery.
  TaskRef spawn(std::string name, std::function<void()> body);
  // Blocks until every task has ended, those cancelled included; false only if the deadline given here came first, in
  // which case the tasks go on, or the caller unwinds.
  bool wait(Time deadline = never);
  // Cancels every task except the caller; each ends in its own turn. Tasks spawned afterwards never start.
  void cancel();
  bool cancelled() const { return cancelled_; }
  // Whether the options' deadline came while tasks were alive.
  bool expired() const { return expired_; }
  std::size_t size() const { return group_.size(); }

 private:
  Scheduler& scheduler_;
  NurseryOptions options_;
  TimerId deadline_timer_ = 0;
  bool cancelled_ = false;
  bool expired_ = false;
  std::exception_ptr failure_;
  TaskGroup group_;
};

}  // namespace polarsim::sim
