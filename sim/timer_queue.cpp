#include "sim/timer_queue.h"

#include <algorithm>
#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {

TimerId TimerQueue::add(Time when, Task* task) { return insert(when, task, {}); }

TimerId TimerQueue::add(Time when, std::function<void()> callback) {
  return insert(when, nullptr, std::move(callback));
}

TimerId TimerQueue::insert(Time when, Task* task, std::function<void()>&& callback) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.used = true;
  slot.task = task;
  slot.callback = std::move(callback);
  const auto position = static_cast<std::uint32_t>(heap_.size());
  heap_.push_back(Entry{when, next_sequence_++, index});
  slot.position = position;
  sift_up(position);
  return (static_cast<TimerId>(slot.generation) << 32) | (index + 1ULL);
}

bool TimerQueue::cancel(TimerId timer) {
  const auto slot_number = static_cast<std::uint32_t>(timer);
  if (slot_number == 0 || slot_number > slots_.size()) return false;
  Slot& slot = slots_[slot_number - 1];
  if (!slot.used || slot.generation != timer >> 32) return false;
  // The callback's captures may do anything when they are destroyed, setting a timer included: the queue must be whole
  // by then.
  const std::function<void()> dropped = std::move(slot.callback);
  remove_at(slot.position);
  return true;
}

TimerQueue::Due TimerQueue::pop() {
  POLARSIM_ASSERT(!heap_.empty(), "no timer is pending");
  const Entry entry = heap_.front();
  Slot& slot = slots_[entry.slot];
  Due due{entry.time, entry.sequence, slot.task, std::move(slot.callback)};
  remove_at(0);
  return due;
}

void TimerQueue::place(std::uint32_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = position;
}

void TimerQueue::sift_up(std::uint32_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / 4;
    if (!(entry < heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerQueue::sift_down(std::uint32_t position) {
  const Entry entry = heap_[position];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const std::uint32_t first = 4 * position + 1;
    if (first >= size) break;
    const std::uint32_t end = std::min(first + 4, size);
    std::uint32_t least = first;
    for (std::uint32_t child = first + 1; child < end; ++child) {
      if (heap_[child] < heap_[least]) least = child;
    }
    if (!(heap_[least] < entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

void TimerQueue::remove_at(std::uint32_t position) {
  const std::uint32_t index = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    sift_up(position);
    sift_down(slots_[last.slot].position);
  }
  Slot& slot = slots_[index];
  slot.used = false;
  slot.task = nullptr;
  slot.callback = nullptr;
  ++slot.generation;
  free_slots_.push_back(index);
}

}  // namespace polarsim::sim
