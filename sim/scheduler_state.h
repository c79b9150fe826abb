// What a scheduler owns. Private to sim.
#pragma once

#include <algorithm>
#include <exception>
#include <limits>

#include "sim/run_queue.h"
#include "sim/running_stack.h"
#include "sim/stack_pool.h"
#include "sim/task.h"
#include "sim/timer_queue.h"

namespace polarsim::sim {

struct Scheduler::Implementation {
  Implementation(const SchedulerOptions& options, RunningDigest& digest_sink, ChoiceOracle& choices)
      : digest(digest_sink),
        stacks(std::max(options.stack_bytes, wanted_stack_bytes()), options.stack_guard),
        runnable(options, choices) {}

  static constexpr std::size_t no_goals = std::numeric_limits<std::size_t>::max();

  RunningDigest& digest;
  StackPool stacks;
  RunQueue runnable;
  TimerQueue timers;
  Task* first_live = nullptr;
  Task* last_live = nullptr;
  std::size_t live = 0;
  std::uint64_t next_task_id = 1;
  std::size_t goals_left = no_goals;  // awaited tasks that live, within run_until()
  bool in_run = false;
  bool firing = false;  // timers of this instant, from which run() may come back before the last
  bool stop_requested = false;
  std::exception_ptr failure;  // of the first task that an exception ended since run() last looked
};

}  // namespace polarsim::sim
