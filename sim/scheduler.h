// The scheduler: tasks as stackful fibers on one OS thread, in virtual time.
//
// A task runs until it parks, yields, sleeps or ends. When no task is runnable, time jumps to the next timer. Which of
// several runnable tasks goes next is a choice of the run (SchedulingPolicy). Everything here is single-threaded; no
// function may be called from another OS thread.
//
// Cancellation: cancel() marks a task; its current or next blocking call throws TaskCancelled, which unwinds its stack.
// TaskCancelled does not derive from std::exception, and must not be swallowed: `catch (...)` has to rethrow. While a
// task unwinds, a blocking call made from a destructor returns at once without blocking (park() returns
// WakeReason::cancelled), because a second exception would end the process. "Unwinds" means that an exception is in
// flight: in a catch block the call throws again. A destructor that blocks on an ordinary way out of a scope must
// expect TaskCancelled there, and therefore be noexcept(false) or not block. A task cancelled before its first step
// never runs its body. A task that goes on blocking in a loop after its cancellation aborts the process after ten
// thousand such calls.
//
// Switching inside a catch block is safe: the C++ runtime's per-thread exception state is saved with each fiber.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/digest.h"
#include "sim/random.h"
#include "sim/time.h"

namespace polarsim::sim {

class Task;
class TaskGroup;
class Scheduler;
class Trace;
struct JoinWaiter;

// Thrown out of a blocking call of a cancelled task.
struct TaskCancelled {};

enum class WakeReason : std::uint8_t { woken, timed_out, cancelled };

// How the next of several runnable tasks is chosen.
//
// `pct` is the algorithm of Burckhardt, Kothari, Musuvathi and Nagarakatte, "A Randomized Scheduler with Probabilistic
// Guarantees of Finding Bugs" (ASPLOS 2010). Every task gets a random priority, and the runnable task of the highest
// one runs. At d - 1 steps drawn uniformly from the k steps that the run is estimated to take, the task that is about
// to run drops below all tasks that have their first priority (a step is one task resumed). A bug that needs d ordering
// constraints among the steps of n tasks is found by one run with a probability of at least 1 / (n * k^(d-1)), whatever
// the constraints are; uniform choice has no such bound. Depths 1 to 3 cover most known concurrency bugs.
//
// Two things are ours. A run longer than k steps goes on in rounds: after every k steps the change points are drawn
// anew, and each task draws a new priority when it next becomes runnable; the bound holds for the steps of each round.
// And a task must not starve the others by spinning: yield() keeps the task's priority, so that a yield is one more
// step at which a change can fall, but a task that is resumed more than pct_patience times at one instant of virtual
// time drops below every other task, and again after as many more. Two spinning tasks so take turns with all others.
// The bound holds for programs whose tasks take at most pct_patience steps at one instant.
enum class SchedulingPolicy : std::uint8_t {
  fifo,    // in order of becoming runnable
  random,  // uniformly among the runnable
  pct,     // by random priorities that change at a few random steps
};

// How an overflow of a task's stack is noticed.
enum class StackGuard : std::uint8_t {
  automatic,  // the first of the following that works
  madvise,    // MADV_GUARD_INSTALL (Linux 6.13): faults at once, costs no mapping
  mprotect,   // pages without access: faults at once, but costs mappings, of which a process has about 65,000
  canary,     // a pattern, checked when the task ends: notices late, and costs a page of memory for each task
};

// Names a pending timer; 0 is no timer.
using TimerId = std::uint64_t;

// A reference to a task that stays valid after the task has ended. Cheap to copy.
class TaskRef {
 public:
  TaskRef() = default;
  explicit TaskRef(std::shared_ptr<Task> task) : task_(std::move(task)) {}
  explicit operator bool() const { return task_ != nullptr; }
  bool finished() const;
  std::uint64_t id() const;
  const std::string& name() const;
  Task* get() const { return task_.get(); }
  friend bool operator==(const TaskRef&, const TaskRef&) = default;

 private:
  std::shared_ptr<Task> task_;
};

// A set of tasks that are cancelled together: all tasks of a host, all tasks of a nursery. A group never owns its
// tasks' results; it must outlive its tasks or be cancelled and drained first (asserted).
//
// A group may be a machine: its tasks, and those of every nursery that one of them makes, can be paused together, and
// bear its name in the trace. A machine must outlive the groups made in it.
class TaskGroup {
 public:
  // `machine` is the group that pauses this one; null for none.
  explicit TaskGroup(std::string name, TaskGroup* machine = nullptr) : name_(std::move(name)), machine_(machine) {}
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  const std::string& name() const { return name_; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // Makes the group a machine of its own; before its first task.
  void become_machine() { machine_ = this; }
  bool paused() const { return paused_; }

 private:
  friend class Scheduler;
  friend struct JoinWaiter;
  std::string name_;
  TaskGroup* machine_;
  bool paused_ = false;
  // Tasks whose turn came during the pause, in that order.
  Task* aside_first_ = nullptr;
  Task* aside_last_ = nullptr;
  // The members in order of spawning, as a list that runs through the tasks.
  Task* first_ = nullptr;
  Task* last_ = nullptr;
  std::size_t size_ = 0;
  // The tasks in join_group, as a list that runs through their stacks.
  JoinWaiter* first_waiter_ = nullptr;
  JoinWaiter* last_waiter_ = nullptr;
};

// What a parked task waits for, as far as it is known.
struct WaitDescription {
  std::string what;                  // "mutex \"catalog\" held by", "the end of"
  std::vector<std::uint64_t> tasks;  // ids of the tasks that must act before the wait can end, if these are known
};

// Something that tasks wait for and that can be asked about it when the simulation has stalled.
class WaitSubject {
 public:
  virtual void describe(WaitDescription& description) const = 0;

 protected:
  ~WaitSubject() = default;
};

struct SchedulerOptions {
  SchedulingPolicy policy = SchedulingPolicy::fifo;
  std::size_t stack_bytes = 256 * 1024;  // of each task; four times as much under AddressSanitizer
  StackGuard stack_guard = StackGuard::automatic;
  // For `pct` only (see there): the number d of ordering constraints looked for, at least 1; the estimate k of a run's
  // steps, at least 1; and the resumptions at one instant that a task is granted before it counts as spinning.
  std::uint32_t pct_depth = 3;
  std::uint64_t pct_steps = 10'000;
  std::uint32_t pct_patience = 100;
};

// Why run() came back.
enum class RunOutcome : std::uint8_t {
  idle,      // nothing runnable and no timer pending; parked tasks may remain (see parked_tasks)
  deadline,  // virtual time reached the limit given
  stopped,   // stop() was called
};

// Why run_until() came back.
enum class GoalOutcome : std::uint8_t {
  finished,  // every awaited task has ended
  deadlock,  // nothing runnable and no timer pending: no awaited task that is left can ever end by itself
  deadline,  // virtual time reached the limit given
  stopped,   // stop() was called, or break_at() was hit
};

class Scheduler {
 public:
  Scheduler(SchedulerOptions options, RunningDigest& digest, ChoiceOracle& choices);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Time now() const { return now_; }
  // Tells `trace` what tasks and timers do and why; null, as at first, tells nobody. The trace must outlive this.
  void set_trace(Trace* trace) { trace_ = trace; }

  // Makes a task that is runnable at once. `group` may be null. An exception that leaves `body` other than
  // TaskCancelled ends the run: run() rethrows it.
  TaskRef spawn(std::string name, std::function<void()> body, TaskGroup* group = nullptr);

  // Runs until idle, `limit` or stop(). To be called from outside any task. Virtual time never passes `limit`; what is
  // due at `limit` itself still happens. A later call goes on where this one ended, after an exception too.
  RunOutcome run(Time limit = never);
  // As run(), but comes back as soon as the given tasks have ended; others may go on in a later call. A program that
  // waits in vain is told from one that is done: see stall_report(). Tasks that wait for each other while some timer
  // keeps going are no `deadlock` here, but the report names their cycle.
  GoalOutcome run_until(const TaskRef& task, Time limit = never);
  GoalOutcome run_until(std::span<const TaskRef> tasks, Time limit = never);
  // Ends run() after the current task parks; called outside run(), it ends the next one at once. Idempotent.
  void stop();
  // run() comes back with `stopped` once events() has reached `event` (for breaking into a replay); 0 takes the break
  // back. The break is gone once it was hit.
  void break_at(std::uint64_t event) { break_at_ = event == 0 ? no_break : event; }

  // --- for the running task ---
  bool in_task() const { return current_ != nullptr; }
  TaskRef current() const;
  // Id of the running task; 0 outside any task.
  std::uint64_t current_id() const;
  Task* current_task() const { return current_; }
  // Whether the running task has an exception in flight, so that a blocking call could not throw.
  bool unwinding() const;
  // Lets every other runnable task go first (under the random and pct policies: lets the policy pick again).
  void yield();
  void sleep_until(Time when);
  void sleep_for(Duration wait) { sleep_until(deadline_after(now_, wait)); }
  // Blocks until wake(), the deadline, or cancellation (which throws TaskCancelled unless already unwinding). `reason`
  // must be a literal or outlive the wait: it is what a stall report shows, together with what `subject` says, if
  // given. A deadline that is not in the future lets every runnable task go first, then times out.
  WakeReason park(const char* reason, Time deadline = never, const WaitSubject* subject = nullptr);
  // Blocks until the task has ended; false only if the deadline came first or the caller unwinds.
  bool join(const TaskRef& task, Time deadline = never);
  // Blocks until the group has no tasks; false only if the deadline came first or the caller unwinds.
  bool join_group(TaskGroup& group, Time deadline = never);

  // --- for anyone ---
  // Makes a parked task runnable; false if it was not parked (then nothing happens). The raw pointer must be to a live
  // task.
  bool wake(const TaskRef& task);
  bool wake(Task* task);
  void cancel(const TaskRef& task);
  // cancel() for every task of the group except the caller, in order of spawning: each ends in its own turn.
  void cancel_each(TaskGroup& group);
  // Cancels every task of the group, last spawned first, and runs each to its end before any other task runs again. A
  // task may cancel the group it belongs to: the work is done on the scheduler's stack while the caller is suspended,
  // and the caller is unwound in its turn. A member that is itself unwinding, and waits in a destructor for work that
  // led here, can only be marked: it ends as soon as that work is done. A task that unwinds must therefore not cancel a
  // group other than one that it owns.
  void cancel_group(TaskGroup& group);
  // cancel_group for the destructor of the group's owner: the caller itself cannot be unwound within, so it is safe in
  // a noexcept function. Asserts that the group is empty afterwards.
  void drain_group(TaskGroup& group) noexcept;
  // Whether each task of the machine could be unwound now: none waits, in a destructor or in drain_group(), for work
  // that led here.
  bool can_unwind_machine(const TaskGroup& machine) const;
  // No task of the machine runs until resume_machine(): a task whose turn comes is set aside, its timers included. A
  // task that is part of it stays in the call until then (unless it unwinds: then until it next blocks). Cancelling
  // works as ever, and unwinds a paused task at once where cancel_group() does.
  void pause_machine(TaskGroup& machine);
  // What was set aside becomes runnable, in order.
  void resume_machine(TaskGroup& machine);
  // The machine that the running task belongs to; null for none.
  TaskGroup* current_machine() const;
  // Runs `callback` on the scheduler's own stack at `when` (not before now); not at all at `never`. Callbacks must not
  // block.
  TimerId call_at(Time when, std::function<void()> callback);
  // False if it has fired or was cancelled already.
  bool cancel_timer(TimerId timer);

  // Runs `function` on the scheduler's own (operating system sized) stack while the caller is suspended: for
  // third-party code that recurses deeply or leaves by longjmp, and for work that may end the caller itself, such as
  // crashing its host. The function must not block. Its exceptions arrive at the caller. Called from outside a task, it
  // just runs. A function that may end the caller must not refer to the caller's stack: it runs from a copy, and goes
  // on after the caller is gone.
  void on_scheduler_stack(const std::function<void()>& function);

  // Ends every task as cancel_group does, last spawned first, and forgets every timer. From outside any task and run().
  // Exceptions that leave tasks are dropped. The destructor does the same, but may come too late for tasks that refer
  // to other objects.
  void shut_down();

  struct ParkedTask {
    std::uint64_t id;
    std::string name;
    std::string group;
    std::string reason;
  };
  // Every live task that waits, in order of spawning: what a stall report lists.
  std::vector<ParkedTask> parked_tasks() const;
  // For people: every live task with its id, name, group and state, what it waits for, since when and until when; then
  // cycles of waits without a deadline ("a waits for mutex "m" held by b; b waits for the end of a"): where there are
  // any, at least one of each knot of tasks that wait for each other. In order of spawning, the same in every run; at
  // most `task_limit` tasks and sixteen cycles are listed, the others counted.
  std::string stall_report(std::size_t task_limit = 200) const;
  std::size_t live_tasks() const;
  // Null if no live task has this id.
  const std::string* task_name(std::uint64_t id) const;
  std::size_t pending_timers() const;
  // Stacks made so far; they are reused, so this is at least the largest number of tasks that were alive at once.
  std::size_t stacks_created() const;
  // Tasks resumed plus timers fired since the start.
  std::uint64_t events() const { return events_; }

 private:
  struct Implementation;
  // Runs one task until it parks, yields, ends, or is done with its calls to the scheduler's stack.
  void resume(Task& task);
  // Whether a suspended task can be unwound now; if not, it can only be marked (see cancel_group).
  static bool can_be_killed(const Task& task);
  // Unwinds such a task to its end.
  void kill(Task& task);
  void kill_group(TaskGroup& group);
  void finish(Task& task);
  void make_ready(Task& task, WakeReason reason);
  void set_aside(Task& task);
  RunOutcome run_loop(Time limit);
  void fire_due_timers();
  void call_out(const std::function<void()>& function, bool shielded);
  // To be called by the running, cancelled task: throws, or returns `cancelled` while it unwinds.
  WakeReason deliver_cancellation(Task& task);
  std::unique_ptr<Implementation> impl_;
  Task* current_ = nullptr;
  Trace* trace_ = nullptr;
  Time now_ = time_zero;
  static constexpr std::uint64_t no_break = ~std::uint64_t{0};
  std::uint64_t events_ = 0;
  std::uint64_t break_at_ = no_break;
};

}  // namespace polarsim::sim
