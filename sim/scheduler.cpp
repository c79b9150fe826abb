#include "sim/scheduler.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "sim/assert.h"
#include "sim/scheduler_state.h"
#include "sim/scheduler_trace.h"

namespace polarsim::sim {
namespace {

// A cancelled task may block a few times while it cleans up; a loop that ignores its cancellation would hang the
// process.
constexpr std::uint32_t refused_blocks_limit = 10'000;

void run_body(void* argument) {
  auto& task = *static_cast<Task*>(argument);
  try {
    // The captures die with the body, on the task's own stack.
    const std::function<void()> body = std::move(task.body);
    body();
  } catch (const TaskCancelled&) {
  } catch (...) {
    task.failure = std::current_exception();
  }
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options, RunningDigest& digest, ChoiceOracle& choices)
    : impl_(std::make_unique<Implementation>(options, digest, choices)) {}

Scheduler::~Scheduler() { shut_down(); }

TaskRef Scheduler::spawn(std::string name, std::function<void()> body, TaskGroup* group) {
  POLARSIM_ASSERT(body != nullptr, "a task needs a body");
  auto task = std::make_shared<Task>();
  task->id = impl_->next_task_id++;
  task->name = std::move(name);
  task->body = std::move(body);
  task->self = task;
  impl_->digest.absorb(DigestKind::task_spawned, task->id, stable_hash(task->name));
  list_append<&Task::live_previous, &Task::live_next>(impl_->first_live, impl_->last_live, *task);
  ++impl_->live;
  if (group != nullptr) {
    task->group = group;
    task->machine = group->machine_;
    list_append<&Task::group_previous, &Task::group_next>(group->first_, group->last_, *task);
    ++group->size_;
  }
  if (trace_ != nullptr) [[unlikely]]
    trace_spawn(*trace_, now_, *task);
  impl_->runnable.push(*task);
  return TaskRef(std::move(task));
}

// --- the loop ---

RunOutcome Scheduler::run(Time limit) { return run_loop(limit); }

GoalOutcome Scheduler::run_until(const TaskRef& task, Time limit) {
  return run_until(std::span<const TaskRef>(&task, 1), limit);
}

GoalOutcome Scheduler::run_until(std::span<const TaskRef> tasks, Time limit) {
  struct Goals {
    std::size_t& left;
    std::span<const TaskRef> tasks;
    ~Goals() {
      for (const TaskRef& task : tasks) task.get()->awaited = false;
      left = Implementation::no_goals;
    }
  };
  POLARSIM_ASSERT(impl_->goals_left == Implementation::no_goals, "run_until() was called from within itself");
  for (const TaskRef& task : tasks) POLARSIM_ASSERT(static_cast<bool>(task), "a null task");
  const Goals goals{impl_->goals_left, tasks};
  impl_->goals_left = 0;
  for (const TaskRef& task : tasks) {
    if (task.finished() || std::exchange(task.get()->awaited, true)) continue;
    ++impl_->goals_left;
  }
  const RunOutcome outcome = run_loop(limit);
  if (impl_->goals_left == 0) return GoalOutcome::finished;
  switch (outcome) {
    case RunOutcome::idle:
      return GoalOutcome::deadlock;
    case RunOutcome::deadline:
      return GoalOutcome::deadline;
    case RunOutcome::stopped:
      break;
  }
  return GoalOutcome::stopped;
}

RunOutcome Scheduler::run_loop(Time limit) {
  POLARSIM_ASSERT(!in_task() && !impl_->in_run, "run() was called from within itself");
  struct InRun {
    bool& flag;
    explicit InRun(bool& in_run) : flag(in_run) { flag = true; }
    ~InRun() { flag = false; }
  } in_run(impl_->in_run);
  if (limit < now_) return RunOutcome::deadline;
  for (;;) {
    if (impl_->failure) std::rethrow_exception(std::exchange(impl_->failure, nullptr));
    if (impl_->stop_requested || impl_->goals_left == 0) [[unlikely]] {
      impl_->stop_requested = false;
      return RunOutcome::stopped;
    }
    if (events_ >= break_at_) {
      break_at_ = no_break;
      return RunOutcome::stopped;
    }
    // An instant that stop(), a break or an exception cut short: its other timers come before any task, as they would.
    if (impl_->firing) [[unlikely]] {
      fire_due_timers();
      continue;
    }
    if (!impl_->runnable.empty()) {
      Task& next_task = impl_->runnable.pop(now_);
      if (next_task.machine != nullptr && next_task.machine->paused_) {
        set_aside(next_task);
      } else {
        resume(next_task);
      }
      continue;
    }
    // A timer for `never`, such as a restart after Duration::max(), does not end time.
    const Time next = impl_->timers.empty() ? never : impl_->timers.next_time();
    if (next == never) return RunOutcome::idle;
    if (next > limit) {
      now_ = limit;
      return RunOutcome::deadline;
    }
    POLARSIM_ASSERT(next >= now_, "a timer lies in the past");
    now_ = next;
    fire_due_timers();
  }
}

// Everything that is due at one instant becomes runnable together, so that the random policy can try every order.
void Scheduler::fire_due_timers() {
  impl_->firing = true;
  while (!impl_->timers.empty() && impl_->timers.next_time() <= now_) {
    if (impl_->stop_requested || events_ >= break_at_) return;
    TimerQueue::Due due = impl_->timers.pop();
    ++events_;
    impl_->digest.absorb(DigestKind::timer_fired, due.sequence, static_cast<std::uint64_t>(nanoseconds(now_)));
    if (due.task != nullptr) {
      due.task->timer = 0;
      const TraceTimer timer(trace_, now_, due.task->trace_cause, due.task->trace_host);
      make_ready(*due.task, WakeReason::timed_out);
    } else {
      due.callback();
    }
  }
  impl_->firing = false;
}

void Scheduler::stop() { impl_->stop_requested = true; }

void Scheduler::resume(Task& task) {
  POLARSIM_ASSERT(!in_task(), "a task was resumed from within another");
  if (!task.fiber.started()) {
    if (task.cancelled) {
      finish(task);
      return;
    }
    task.fiber.start(impl_->stacks.take({task.id, task.name.data(), task.name.size()}), run_body, &task);
  }
  ++events_;
  impl_->digest.absorb(DigestKind::task_resumed, task.id, static_cast<std::uint64_t>(nanoseconds(now_)));
  const TraceRun run(trace_, now_, task);
  for (;;) {
    task.state = TaskState::running;
    current_ = &task;
    task.fiber.resume();
    current_ = nullptr;
    if (task.fiber.finished()) {
      finish(task);
      return;
    }
    if (task.state != TaskState::calling) return;
    // The task may be killed and freed while its function runs, and with it the function itself: hold copies of both.
    const std::shared_ptr<Task> keep = task.self;
    const std::function<void()> function = *std::exchange(task.request, nullptr);
    const std::uint64_t call = ++task.calls;
    std::exception_ptr error;
    try {
      function();
    } catch (...) {
      error = std::current_exception();
    }
    if (task.state != TaskState::calling || task.calls != call) return;
    task.call_error = error;
    task.call_completed = true;
  }
}

void Scheduler::finish(Task& task) {
  const std::shared_ptr<Task> keep = std::move(task.self);
  POLARSIM_ASSERT(keep != nullptr, "a task ended twice");
  impl_->digest.absorb(DigestKind::task_finished, task.id, task.cancelled ? 1 : 0);
  if (trace_ != nullptr) [[unlikely]]
    trace_finish(*trace_, now_, task);
  task.state = TaskState::finished;
  if (task.fiber.started()) impl_->stacks.give_back(task.fiber.release_stack());
  if (task.failure && !impl_->failure) impl_->failure = task.failure;
  task.failure = nullptr;
  list_remove<&Task::live_previous, &Task::live_next>(impl_->first_live, impl_->last_live, task);
  --impl_->live;
  if (std::exchange(task.awaited, false)) --impl_->goals_left;
  for (const JoinWaiter* joiner = task.first_joiner; joiner != nullptr; joiner = joiner->next) wake(joiner->task);
  if (TaskGroup* group = std::exchange(task.group, nullptr)) {
    list_remove<&Task::group_previous, &Task::group_next>(group->first_, group->last_, task);
    --group->size_;
    if (group->size_ == 0) {
      for (const JoinWaiter* waiter = group->first_waiter_; waiter != nullptr; waiter = waiter->next)
        wake(waiter->task);
    }
  }
  // A body that never ran is dropped here, with its captures.
  task.body = nullptr;
}

// --- blocking ---

TaskRef Scheduler::current() const { return current_ == nullptr ? TaskRef() : TaskRef(current_->self); }

std::uint64_t Scheduler::current_id() const { return current_ == nullptr ? 0 : current_->id; }

bool Scheduler::unwinding() const { return in_task() && std::uncaught_exceptions() > 0; }

WakeReason Scheduler::deliver_cancellation(Task& task) {
  ++task.refused_blocks;
  POLARSIM_ASSERT(task.refused_blocks < refused_blocks_limit,
                  "a task goes on blocking in a loop after its cancellation");
  if (std::uncaught_exceptions() == 0) throw TaskCancelled{};
  return WakeReason::cancelled;
}

WakeReason Scheduler::park(const char* reason, Time deadline, const WaitSubject* subject) {
  POLARSIM_ASSERT(in_task(), "a blocking call outside any task");
  Task& task = *current_;
  if (task.cancelled) return deliver_cancellation(task);
  task.state = TaskState::parked;
  task.park_reason = reason;
  task.wait_subject = subject;
  task.parked_since = now_;
  if (deadline != never) {
    // Also set, not only fired: where two runs part by a time, this is the task that asked for it.
    impl_->digest.absorb(DigestKind::timer_set, static_cast<std::uint64_t>(nanoseconds(deadline)), task.id);
    task.timer = impl_->timers.add(std::max(deadline, now_), &task);
  }
  if (trace_ != nullptr) [[unlikely]]
    trace_block(*trace_, now_, task, reason);
  task.fiber.suspend();
  if (task.cancelled) return deliver_cancellation(task);
  return task.wake_reason;
}

void Scheduler::yield() {
  POLARSIM_ASSERT(in_task(), "a blocking call outside any task");
  Task& task = *current_;
  if (!task.cancelled) {
    task.state = TaskState::ready;
    if (trace_ != nullptr) [[unlikely]]
      trace_ready(*trace_, task);
    impl_->runnable.push(task);
    task.fiber.suspend();
  }
  if (task.cancelled) deliver_cancellation(task);
}

void Scheduler::sleep_until(Time when) {
  if (when <= now_) return yield();
  // A stray wake() does not end the sleep.
  while (now_ < when) {
    if (park("sleep", when) == WakeReason::cancelled) return;
  }
}

bool Scheduler::join(const TaskRef& task, Time deadline) {
  const TaskRef keep = task;
  POLARSIM_ASSERT(keep && keep.get() != current_, "a task cannot wait for itself");
  while (!keep.finished()) {
    const JoinWaiter waiter(keep.get()->first_joiner, keep.get()->last_joiner, current_, keep.get(), nullptr);
    if (park("join", deadline, &waiter) != WakeReason::woken) return keep.finished();
  }
  return true;
}

bool Scheduler::join_group(TaskGroup& group, Time deadline) {
  while (!group.empty()) {
    const JoinWaiter waiter(group.first_waiter_, group.last_waiter_, current_, nullptr, &group);
    if (park("join group", deadline, &waiter) != WakeReason::woken) return group.empty();
  }
  return true;
}

void Scheduler::make_ready(Task& task, WakeReason reason) {
  if (task.timer != 0) impl_->timers.cancel(std::exchange(task.timer, 0));
  task.wake_reason = reason;
  task.state = TaskState::ready;
  if (trace_ != nullptr) [[unlikely]]
    trace_ready(*trace_, task);
  impl_->runnable.push(task);
}

bool Scheduler::wake(Task* task) {
  if (task == nullptr || task->state != TaskState::parked) return false;
  make_ready(*task, WakeReason::woken);
  return true;
}

bool Scheduler::wake(const TaskRef& task) { return wake(task.get()); }

// --- cancellation ---

void Scheduler::cancel(const TaskRef& task) {
  Task* const target = task.get();
  if (target == nullptr || target->state == TaskState::finished) return;
  target->cancelled = true;
  if (target->state == TaskState::parked) make_ready(*target, WakeReason::cancelled);
}

void Scheduler::cancel_each(TaskGroup& group) {
  // Marking a task runs nothing, so that the list stays as it is.
  for (Task* task = group.first_; task != nullptr; task = task->group_next) {
    if (task != current_) cancel(TaskRef(task->self));
  }
}

bool Scheduler::can_be_killed(const Task& task) {
  if (task.state != TaskState::calling) return true;
  return !task.shielded && task.fiber.uncaught_exceptions() == 0;
}

void Scheduler::kill(Task& task) {
  POLARSIM_ASSERT(can_be_killed(task), "a task was to be unwound from the middle of a destructor");
  task.cancelled = true;
  switch (task.state) {
    case TaskState::ready:
      if (std::exchange(task.aside, false)) {
        list_remove<&Task::queue_previous, &Task::queue_next>(task.machine->aside_first_, task.machine->aside_last_,
                                                              task);
      } else {
        impl_->runnable.remove(task);
      }
      break;
    case TaskState::parked:
      if (task.timer != 0) impl_->timers.cancel(std::exchange(task.timer, 0));
      break;
    case TaskState::calling:
      break;
    case TaskState::running:
    case TaskState::finished:
      POLARSIM_ASSERT(false, "only a suspended task can be killed");
  }
  const std::shared_ptr<Task> keep = task.self;
  resume(task);
  POLARSIM_ASSERT(keep->state == TaskState::finished, "a killed task has not ended");
}

void Scheduler::kill_group(TaskGroup& group) {
  // An unwinding task may spawn into the group and end other members, so that the search starts anew after each.
  for (;;) {
    Task* target = group.last_;
    while (target != nullptr && !can_be_killed(*target)) {
      target->cancelled = true;
      target = target->group_previous;
    }
    if (target == nullptr) return;
    kill(*target);
  }
}

void Scheduler::cancel_group(TaskGroup& group) {
  if (group.empty()) return;
  call_out([this, &group] { kill_group(group); }, false);
}

void Scheduler::drain_group(TaskGroup& group) noexcept {
  if (!group.empty()) call_out([this, &group] { kill_group(group); }, true);
  POLARSIM_ASSERT(group.empty(), "a task of the group is waiting for its own end");
}

void Scheduler::shut_down() {
  POLARSIM_ASSERT(!in_task() && !impl_->in_run, "shut_down() was called from within run()");
  while (impl_->last_live != nullptr) kill(*impl_->last_live);
  while (!impl_->timers.empty()) impl_->timers.pop();
  impl_->failure = nullptr;
}

// --- machines ---

TaskGroup* Scheduler::current_machine() const { return current_ == nullptr ? nullptr : current_->machine; }

bool Scheduler::can_unwind_machine(const TaskGroup& machine) const {
  for (const Task* task = impl_->first_live; task != nullptr; task = task->live_next) {
    if (task->machine == &machine && !can_be_killed(*task)) return false;
  }
  return true;
}

void Scheduler::set_aside(Task& task) {
  task.aside = true;
  list_append<&Task::queue_previous, &Task::queue_next>(task.machine->aside_first_, task.machine->aside_last_, task);
}

void Scheduler::pause_machine(TaskGroup& machine) {
  POLARSIM_ASSERT(machine.machine_ == &machine, "only a machine can be paused");
  machine.paused_ = true;
  if (current_machine() == &machine && !unwinding()) yield();
}

void Scheduler::resume_machine(TaskGroup& machine) {
  machine.paused_ = false;
  while (machine.aside_first_ != nullptr) {
    Task& task = *machine.aside_first_;
    list_remove<&Task::queue_previous, &Task::queue_next>(machine.aside_first_, machine.aside_last_, task);
    task.aside = false;
    impl_->runnable.push(task);
  }
}

// --- the scheduler's stack ---

void Scheduler::call_out(const std::function<void()>& function, bool shielded) {
  if (!in_task()) {
    function();
    return;
  }
  Task& task = *current_;
  task.request = &function;
  task.shielded = shielded;
  task.call_completed = false;
  task.state = TaskState::calling;
  task.fiber.suspend();
  task.shielded = false;
  if (!task.call_completed) throw TaskCancelled{};
  if (task.call_error) std::rethrow_exception(std::exchange(task.call_error, nullptr));
}

void Scheduler::on_scheduler_stack(const std::function<void()>& function) { call_out(function, false); }

TimerId Scheduler::call_at(Time when, std::function<void()> callback) {
  POLARSIM_ASSERT(callback != nullptr, "a timer needs a callback");
  impl_->digest.absorb(DigestKind::timer_set, static_cast<std::uint64_t>(nanoseconds(when)), 0);
  if (trace_ != nullptr) [[unlikely]]
    callback = traced_callback(trace_, *this, std::move(callback));
  return impl_->timers.add(std::max(when, now_), std::move(callback));
}

bool Scheduler::cancel_timer(TimerId timer) { return impl_->timers.cancel(timer); }

// --- reports ---

std::vector<Scheduler::ParkedTask> Scheduler::parked_tasks() const {
  std::vector<ParkedTask> parked;
  for (const Task* task = impl_->first_live; task != nullptr; task = task->live_next) {
    if (task->state != TaskState::parked && !task->aside) continue;
    parked.push_back({task->id, task->name, task->group == nullptr ? "" : task->group->name(),
                      task->aside ? "paused" : task->park_reason});
  }
  return parked;
}

std::size_t Scheduler::live_tasks() const { return impl_->live; }

const std::string* Scheduler::task_name(std::uint64_t id) const {
  for (const Task* task = impl_->first_live; task != nullptr; task = task->live_next) {
    if (task->id == id) return &task->name;
  }
  return nullptr;
}

std::size_t Scheduler::pending_timers() const { return impl_->timers.size(); }

std::size_t Scheduler::stacks_created() const { return impl_->stacks.created(); }

}  // namespace polarsim::sim
