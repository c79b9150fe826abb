// What the scheduler knows of one task. Private to sim.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "sim/fiber.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

enum class TaskState : std::uint8_t {
  ready,    // in the run queue
  running,  // on its fiber
  parked,   // waits for wake(), its timer, or cancellation
  calling,  // suspended while a function of its runs on the scheduler's stack
  finished,
};

class Task {
 public:
  std::uint64_t id = 0;
  std::string name;
  std::function<void()> body;
  TaskState state = TaskState::ready;
  bool cancelled = false;
  bool awaited = false;  // by run_until()
  WakeReason wake_reason = WakeReason::woken;
  const char* park_reason = "";
  const WaitSubject* wait_subject = nullptr;  // valid while parked
  Time parked_since = time_zero;
  TimerId timer = 0;  // of the park's deadline
  Fiber fiber;
  std::exception_ptr failure;
  // Blocking calls made after the cancellation: a bound on loops that ignore it.
  std::uint32_t refused_blocks = 0;

  // A call to the scheduler's stack.
  const std::function<void()>* request = nullptr;
  std::uint64_t calls = 0;      // tells a call from a later one of the same task
  bool call_completed = false;  // false on resumption: the task was killed during the call
  bool shielded = false;        // the task must not be unwound during the call
  std::exception_ptr call_error;

  JoinWaiter* first_joiner = nullptr;
  JoinWaiter* last_joiner = nullptr;
  // Places in the lists of all live tasks, of the group, and of the run queue.
  Task* live_previous = nullptr;
  Task* live_next = nullptr;
  TaskGroup* group = nullptr;
  TaskGroup* machine = nullptr;  // that a pause stops it with
  // For the trace: the event that the next run descends from, and the machine's name.
  std::uint64_t trace_cause = 0;
  std::uint32_t trace_host = 0;
  bool aside = false;            // ready, but out of the run queue while its machine is paused
  Task* group_previous = nullptr;
  Task* group_next = nullptr;
  Task* queue_previous = nullptr;
  Task* queue_next = nullptr;
  // For the run queue's policies.
  std::uint32_t queue_index = 0;
  std::uint32_t priority_round = 0;  // in which the priority was drawn; 0 is none
  std::int64_t priority = 0;
  Time last_resumed = time_zero;  // and how often at that instant
  std::uint32_t resumptions = 0;
  // Keeps the task alive until it has finished; other owners are TaskRefs.
  std::shared_ptr<Task> self;
};

// A doubly linked list through the tasks themselves.
template <Task* Task::*Previous, Task* Task::*Next>
void list_append(Task*& first, Task*& last, Task& task) {
  task.*Previous = last;
  task.*Next = nullptr;
  (last != nullptr ? last->*Next : first) = &task;
  last = &task;
}

template <Task* Task::*Previous, Task* Task::*Next>
void list_remove(Task*& first, Task*& last, Task& task) {
  Task* const previous = task.*Previous;
  Task* const next = task.*Next;
  (previous != nullptr ? previous->*Next : first) = next;
  (next != nullptr ? next->*Previous : last) = previous;
  task.*Previous = nullptr;
  task.*Next = nullptr;
}

// One task's wait for the end of another, or of a group; lies on the waiting task's stack and takes itself out of the
// list of waiters on every way out of the wait.
struct JoinWaiter final : WaitSubject {
  JoinWaiter(JoinWaiter*& first_waiter, JoinWaiter*& last_waiter, Task* waiting, const Task* awaited,
             const TaskGroup* awaited_group)
      : first(first_waiter), last(last_waiter), task(waiting), target(awaited), group(awaited_group), previous(last) {
    (last != nullptr ? last->next : first) = this;
    last = this;
  }
  ~JoinWaiter() {
    (previous != nullptr ? previous->next : first) = next;
    (next != nullptr ? next->previous : last) = previous;
  }
  JoinWaiter(const JoinWaiter&) = delete;
  JoinWaiter& operator=(const JoinWaiter&) = delete;
  void describe(WaitDescription& description) const override;

  JoinWaiter*& first;  // of the list
  JoinWaiter*& last;
  Task* task;
  const Task* target;  // exactly one of the two is set
  const TaskGroup* group;
  JoinWaiter* previous;
  JoinWaiter* next = nullptr;
};

}  // namespace polarsim::sim
