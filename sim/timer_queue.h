// Pending timers, ordered by (time, order of setting). Private to sim.
//
// A four-way heap in which every timer knows its place, so that a cancelled timer is gone at once and leaves nothing
// behind. A timer either wakes a task (no allocation) or runs a callback. What the heap moves about is kept apart from
// the callbacks, so that the former stays in the processor's cache at ten thousand timers.
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
  // Of a pending timer; `never` if it has fired or was cancelled.
  Time time_of(TimerId timer) const;
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
    Task* task = nullptr;
    std::function<void()> callback;
  };
  static constexpr std::uint32_t not_in_heap = ~std::uint32_t{0};

  // The slot's number, or not_in_heap.
  std::uint32_t find(TimerId timer) const;
  std::uint32_t take_slot();
  TimerId insert(Time when, std::uint32_t slot);
  void place(std::uint32_t position, const Entry& entry) {
    heap_[position] = entry;
    positions_[entry.slot] = position;
  }
  void sift_up(std::uint32_t position, const Entry& entry);
  // Moves the least child up into each hole, down to a leaf, and lets `entry` rise from there: fewer comparisons than
  // comparing it on the way down, for an entry that comes from a leaf.
  void sink(std::uint32_t position, const Entry& entry);
  void remove_at(std::uint32_t position);

  std::vector<Entry> heap_;
  // By slot:
  std::vector<std::uint32_t> positions_;  // in the heap
  std::vector<std::uint32_t> generations_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace polarsim::sim
