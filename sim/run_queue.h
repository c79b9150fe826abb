// The runnable tasks, and which of them is next. Private to sim.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/random.h"
#include "sim/task.h"

namespace polarsim::sim {

// Constant time for each operation under `fifo` and `random`; under `pct`, logarithmic in the number of runnable tasks.
class RunQueue {
 public:
  // Draws from the stream "sched/pick" under `random`, from "sched/pct" under `pct`.
  RunQueue(const SchedulerOptions& options, ChoiceOracle& choices);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void push(Task& task);
  // Takes out the task whose turn it is, as the policy says; the queue must not be empty.
  Task& pop(Time now);
  void remove(Task& task);

 private:
  // `pct`: at this step of the round, the task about to run gets this priority.
  struct Change {
    std::uint64_t step;
    std::int64_t priority;
  };
  Task& pop_highest(Time now);
  void begin_round();
  // A task of a smaller id goes first among equals, which two draws of 62 bits can be.
  static bool goes_first(const Task& a, const Task& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.id < b.id;
  }
  void place(std::size_t position, Task& task);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  SchedulingPolicy policy_;
  RandomStream& draws_;
  std::size_t size_ = 0;
  Task* first_ = nullptr;  // fifo
  Task* last_ = nullptr;
  std::vector<Task*> tasks_;  // random: in any order; pct: a binary heap, the highest priority in front

  std::uint32_t depth_;
  std::uint64_t steps_;
  std::uint32_t patience_;
  std::uint32_t round_ = 0;
  std::uint64_t step_ = 0;       // of the round
  std::vector<Change> changes_;  // by step
  std::size_t next_change_ = 0;
  std::int64_t lowest_ = 0;  // priority given to a task that spun
};

}  // namespace polarsim::sim
