// What the scheduler tells the trace. Private to sim. Every hook is called only while a trace is kept.
#pragma once

#include <functional>
#include <utility>

#include "sim/scheduler.h"
#include "sim/task.h"
#include "sim/trace.h"

namespace polarsim::sim {

inline TraceRecord trace_task_event(Time now, const Task& task, TraceVerb verb) {
  TraceRecord event;
  event.time = now;
  event.kind = TraceKind::task;
  event.verb = verb;
  event.task = task.id;
  event.host = task.trace_host;
  return event;
}

// Belongs to the spawner, not to the task that it makes.
[[gnu::cold]] inline void trace_spawn(Trace& trace, Time now, Task& task) {
  if (task.machine != nullptr) task.trace_host = trace.name(task.machine->name());
  TraceRecord event = trace_task_event(now, task, TraceVerb::spawn);
  event.task = trace.context().task;
  event.a = task.id;
  task.trace_cause = trace.record(event, task.name);
}

[[gnu::cold]] inline void trace_block(Trace& trace, Time now, Task& task, const char* reason) {
  TraceRecord event = trace_task_event(now, task, TraceVerb::block);
  event.name = trace.name(reason);
  task.trace_cause = trace.record(event);
}

[[gnu::cold]] inline void trace_finish(Trace& trace, Time now, const Task& task) {
  trace.record(trace_task_event(now, task, TraceVerb::finish));
}

// The task became runnable by what is going on now.
[[gnu::cold]] inline void trace_ready(const Trace& trace, Task& task) { task.trace_cause = trace.context().cause; }

// While it lives, what happens is done by the task.
class TraceRun {
 public:
  TraceRun(Trace* trace, Time now, const Task& task) : trace_(trace) {
    if (trace_ != nullptr) [[unlikely]]
      begin(now, task);
  }
  ~TraceRun() {
    if (trace_ != nullptr) [[unlikely]]
      trace_->set_context(before_);
  }
  TraceRun(const TraceRun&) = delete;
  TraceRun& operator=(const TraceRun&) = delete;

 private:
  [[gnu::cold]] void begin(Time now, const Task& task) {
    before_ = trace_->context();
    TraceRecord event = trace_task_event(now, task, TraceVerb::run);
    event.parent = task.trace_cause;
    trace_->set_context({0, task.id});
    trace_->set_cause(trace_->record(event));
  }

  Trace* trace_;
  Trace::Context before_;
};

// While it lives, what happens is an effect of a timer that was set by `cause`.
class TraceTimer {
 public:
  TraceTimer(Trace* trace, Time now, TraceId cause, TraceName host) : trace_(trace) {
    if (trace_ != nullptr) [[unlikely]]
      begin(now, cause, host);
  }
  ~TraceTimer() {
    if (trace_ != nullptr) [[unlikely]]
      trace_->set_context({});
  }
  TraceTimer(const TraceTimer&) = delete;
  TraceTimer& operator=(const TraceTimer&) = delete;

 private:
  [[gnu::cold]] void begin(Time now, TraceId cause, TraceName host) {
    trace_->set_context({});
    TraceRecord event;
    event.time = now;
    event.kind = TraceKind::timer;
    event.verb = TraceVerb::fire;
    event.parent = cause;
    event.host = host;
    trace_->set_cause(trace_->record(event));
  }

  Trace* trace_;
};

// The callback of a timer, with where it was set.
[[gnu::cold]] inline std::function<void()> traced_callback(Trace* trace, const Scheduler& scheduler,
                                                           std::function<void()> callback) {
  return [trace, &scheduler, cause = trace->context().cause, inner = std::move(callback)] {
    const TraceTimer timer(trace, scheduler.now(), cause, 0);
    inner();
  };
}

}  // namespace polarsim::sim
