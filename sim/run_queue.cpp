#include "sim/run_queue.h"

#include <algorithm>

#include "sim/assert.h"

namespace polarsim::sim {

RunQueue::RunQueue(const SchedulerOptions& options, ChoiceOracle& choices)
    : policy_(options.policy),
      draws_(choices.stream(options.policy == SchedulingPolicy::pct ? "sched/pct" : "sched/pick")),
      depth_(options.pct_depth),
      steps_(options.pct_steps),
      patience_(options.pct_patience) {
  POLARSIM_ASSERT(depth_ > 0 && steps_ > 0 && patience_ > 0, "an option of the pct policy is zero");
  if (policy_ == SchedulingPolicy::pct) begin_round();
}

void RunQueue::push(Task& task) {
  ++size_;
  if (policy_ == SchedulingPolicy::fifo) {
    list_append<&Task::queue_previous, &Task::queue_next>(first_, last_, task);
    return;
  }
  task.queue_index = static_cast<std::uint32_t>(tasks_.size());
  tasks_.push_back(&task);
  if (policy_ == SchedulingPolicy::random) return;
  if (task.priority_round != round_) {
    task.priority_round = round_;
    // Above every priority that a change point or spinning can give.
    task.priority = static_cast<std::int64_t>(draws_.next() >> 2) | (std::int64_t{1} << 62);
  }
  sift_up(task.queue_index);
}

Task& RunQueue::pop(Time now) {
  POLARSIM_ASSERT(size_ > 0, "no task is runnable");
  if (policy_ == SchedulingPolicy::pct) return pop_highest(now);
  Task* chosen = first_;
  // Nothing is drawn when there is nothing to choose.
  if (policy_ == SchedulingPolicy::random) chosen = tasks_[size_ > 1 ? draws_.below(size_) : 0];
  remove(*chosen);
  return *chosen;
}

void RunQueue::remove(Task& task) {
  POLARSIM_ASSERT(size_ > 0, "the run queue is empty");
  --size_;
  if (policy_ == SchedulingPolicy::fifo) {
    list_remove<&Task::queue_previous, &Task::queue_next>(first_, last_, task);
    return;
  }
  const std::size_t position = task.queue_index;
  POLARSIM_ASSERT(tasks_[position] == &task, "the run queue has lost a task");
  Task& moved = *tasks_.back();
  tasks_.pop_back();
  if (position == tasks_.size()) return;
  place(position, moved);
  if (policy_ == SchedulingPolicy::random) return;
  sift_up(position);
  sift_down(moved.queue_index);
}

// --- pct ---

void RunQueue::begin_round() {
  ++round_;
  step_ = 0;
  next_change_ = 0;
  changes_.clear();
  for (std::uint32_t i = 1; i < depth_; ++i) {
    const std::uint64_t step = 1 + draws_.below(steps_);
    changes_.push_back({step, static_cast<std::int64_t>(i)});
  }
  std::sort(changes_.begin(), changes_.end(), [](const Change& a, const Change& b) {
    return a.step != b.step ? a.step < b.step : a.priority < b.priority;
  });
}

Task& RunQueue::pop_highest(Time now) {
  if (step_ == steps_) begin_round();
  ++step_;
  for (; next_change_ < changes_.size() && changes_[next_change_].step == step_; ++next_change_) {
    tasks_.front()->priority = changes_[next_change_].priority;
    sift_down(0);
  }
  Task& chosen = *tasks_.front();
  remove(chosen);
  if (chosen.last_resumed != now) {
    chosen.last_resumed = now;
    chosen.resumptions = 0;
  }
  if (++chosen.resumptions > patience_) {
    chosen.resumptions = 0;
    chosen.priority = --lowest_;
  }
  return chosen;
}

void RunQueue::place(std::size_t position, Task& task) {
  tasks_[position] = &task;
  task.queue_index = static_cast<std::uint32_t>(position);
}

void RunQueue::sift_up(std::size_t position) {
  Task& task = *tasks_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!goes_first(task, *tasks_[parent])) break;
    place(position, *tasks_[parent]);
    position = parent;
  }
  place(position, task);
}

void RunQueue::sift_down(std::size_t position) {
  Task& task = *tasks_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= tasks_.size()) break;
    if (child + 1 < tasks_.size() && goes_first(*tasks_[child + 1], *tasks_[child])) ++child;
    if (!goes_first(*tasks_[child], task)) break;
    place(position, *tasks_[child]);
    position = child;
  }
  place(position, task);
}

}  // namespace polarsim::sim
