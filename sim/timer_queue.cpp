#include "sim/timer_queue.h"

#include <algorithm>
#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {

TimerId TimerQueue::add(Time when, Task* task) {
  const std::uint32_t slot = take_slot();
  slots_[slot].task = task;
  return insert(when, slot);
}

TimerId TimerQueue::add(Time when, std::function<void()> callback) {
  const std::uint32_t slot = take_slot();
  slots_[slot].callback = std::move(callback);
  return insert(when, slot);
}

std::uint32_t TimerQueue::take_slot() {
  if (free_slots_.empty()) {
    const auto slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    positions_.push_back(not_in_heap);
    generations_.push_back(1);
    // So that the list of free slots never grows while timers fire.
    free_slots_.reserve(slots_.capacity());
    return slot;
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

TimerId TimerQueue::insert(Time when, std::uint32_t slot) {
  const Entry entry{when, next_sequence_++, slot};
  heap_.push_back(entry);
  sift_up(static_cast<std::uint32_t>(heap_.size() - 1), entry);
  return (static_cast<TimerId>(generations_[slot]) << 32) | (slot + 1ULL);
}

std::uint32_t TimerQueue::find(TimerId timer) const {
  const auto slot_number = static_cast<std::uint32_t>(timer);
  if (slot_number == 0 || slot_number > slots_.size()) return not_in_heap;
  const std::uint32_t slot = slot_number - 1;
  return positions_[slot] != not_in_heap && generations_[slot] == timer >> 32 ? slot : not_in_heap;
}

bool TimerQueue::cancel(TimerId timer) {
  const std::uint32_t slot = find(timer);
  if (slot == not_in_heap) return false;
  // The callback's captures may do anything when they are destroyed, setting a timer included: the queue must be whole
  // by then.
  const std::function<void()> dropped = std::move(slots_[slot].callback);
  remove_at(positions_[slot]);
  return true;
}

Time TimerQueue::time_of(TimerId timer) const {
  const std::uint32_t slot = find(timer);
  return slot == not_in_heap ? never : heap_[positions_[slot]].time;
}

TimerQueue::Due TimerQueue::pop() {
  POLARSIM_ASSERT(!heap_.empty(), "no timer is pending");
  const Entry entry = heap_.front();
  Slot& slot = slots_[entry.slot];
  Due due{entry.time, entry.sequence, slot.task, std::move(slot.callback)};
  remove_at(0);
  return due;
}

void TimerQueue::sift_up(std::uint32_t position, const Entry& entry) {
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / 4;
    if (!(entry < heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerQueue::sink(std::uint32_t position, const Entry& entry) {
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const std::uint32_t first = 4 * position + 1;
    if (first >= size) break;
    const std::uint32_t end = std::min(first + 4, size);
    std::uint32_t least = first;
    for (std::uint32_t child = first + 1; child < end; ++child) {
      if (heap_[child] < heap_[least]) least = child;
    }
    place(position, heap_[least]);
    position = least;
  }
  sift_up(position, entry);
}

void TimerQueue::remove_at(std::uint32_t position) {
  const std::uint32_t slot = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    if (position > 0 && last < heap_[(position - 1) / 4]) {
      sift_up(position, last);
    } else {
      sink(position, last);
    }
  }
  positions_[slot] = not_in_heap;
  slots_[slot].task = nullptr;
  slots_[slot].callback = nullptr;
  ++generations_[slot];
  free_slots_.push_back(slot);
}

}  // namespace polarsim::sim
