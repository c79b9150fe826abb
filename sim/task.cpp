#include "sim/task.h"

#include "sim/assert.h"

namespace polarsim::sim {

void RunQueue::push(Task& task) {
  ++size_;
  if (policy_ == SchedulingPolicy::fifo) {
    list_append<&Task::queue_previous, &Task::queue_next>(first_, last_, task);
  } else {
    task.queue_index = tasks_.size();
    tasks_.push_back(&task);
  }
}

Task& RunQueue::pop() {
  POLARSIM_ASSERT(size_ > 0, "no task is runnable");
  Task* chosen = first_;
  if (policy_ == SchedulingPolicy::random) chosen = tasks_[size_ > 1 ? picks_.below(size_) : 0];
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
  POLARSIM_ASSERT(tasks_[task.queue_index] == &task, "the run queue has lost a task");
  tasks_[task.queue_index] = tasks_.back();
  tasks_[task.queue_index]->queue_index = task.queue_index;
  tasks_.pop_back();
}

}  // namespace polarsim::sim
