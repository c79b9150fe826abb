// Pending timers, ordered by (time, order of setting). Private to sim.
//
// A four-way heap in which every timer knows its place, so that a cancelled timer is gone at once and leaves nothing
// behind. A timer either wakes a task (no allocation) or runs a callback.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/scheduler.h"

namespace polarsim::sim {

class TimerQueue {
 public:
  // What a timer that was due does: exactly one of the two is set.
  struct Due {
    Time time;
    std::uint64_t sequence;
    Task* task;
    std::function<void()> callback;
  };

  TimerId add(Time when, Task* task);
  TimerId add(Time when, std::function<void()> callback);
  // False if the timer has fired or was cancelled already.
  bool cancel(TimerId timer);
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // Of the earliest timer; the queue must not be empty.
  Time next_time() const { return heap_.front().time; }
  // Removes and returns the earliest timer.
  Due pop();

 private:
  struct Entry {
    Time time;
    std::uint64_t sequence;
    std::uint32_t slot;
    friend bool operator<(const Entry& a, const Entry& b) {
      return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
    }
  };
  struct Slot {
    std::uint32_t generation = 1;
    std::uint32_t position = 0;  // in the heap; meaningless while free
    bool used = false;
    Task* task = nullptr;
    std::function<void()> callback;
  };

  TimerId insert(Time when, Task* task, std::function<void()>&& callback);
  void place(std::uint32_t position, const Entry& entry);
  void sift_up(std::uint32_t position);
  void sift_down(std::uint32_t position);
  void remove_at(std::uint32_t position);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace polarsim::sim
