// A FIFO of values between tasks, with or without a bound.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "sim/assert.h"
#include "sim/sync.h"

namespace polarsim::sim {

// A queue in an array that grows by doubling and never shrinks, so that a steady flow of values allocates nothing.
template <typename T>
class RingBuffer {
 public:
  std::size_t size() const { return size_; }
  void push_back(T&& value) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_) & (slots_.size() - 1)].emplace(std::move(value));
    ++size_;
  }
  T pop_front() {
    POLARSIM_ASSERT(size_ > 0, "an empty ring buffer has no first value");
    std::optional<T>& slot = slots_[first_];
    T value = std::move(*slot);
    slot.reset();
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    return value;
  }

 private:
  void grow() {
    std::vector<std::optional<T>> wider(slots_.empty() ? 8 : 2 * slots_.size());
    for (std::size_t i = 0; i < size_; ++i) wider[i] = std::move(slots_[(first_ + i) & (slots_.size() - 1)]);
    slots_ = std::move(wider);
    first_ = 0;
  }

  std::vector<std::optional<T>> slots_;  // a power of two of them
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// Readers take values in the order of their pop() calls, and blocked writers put theirs in the order of their push()
// calls; nobody overtakes. close() lets readers drain the channel and then see the end; whatever is pushed afterwards
// is dropped.
template <typename T>
class Channel {
 public:
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  // `capacity` is the most values that lie in the channel; at least 1.
  explicit Channel(Scheduler& scheduler, std::size_t capacity = unbounded, const char* label = "")
      : capacity_(capacity),
        readable_(scheduler, 0, "channel", label),
        writable_(scheduler, capacity, "full channel", label) {
    POLARSIM_ASSERT(capacity > 0, "a channel needs room for a value");
  }

  // For channels without a bound, and for anyone. False if the channel is closed.
  bool push(T value) {
    POLARSIM_ASSERT(capacity_ == unbounded, "a channel with a bound may block its writer, who must say why");
    if (closed()) return false;
    deliver(std::move(value));
    return true;
  }
  // Blocks while the channel is full. False, and the value is dropped, if the channel was or is closed, if the deadline
  // came first, or if the channel is full while the task unwinds.
  bool push(T value, const char* reason, Time deadline = never) {
    if (closed()) return false;
    if (capacity_ != unbounded && !writable_.acquire(reason, deadline)) return false;
    if (closed()) return false;  // while the place was on its way
    deliver(std::move(value));
    return true;
  }
  // For anyone. False, and the value is dropped, if the channel is full or closed.
  bool try_push(T value) {
    if (closed() || (capacity_ != unbounded && !writable_.try_acquire())) return false;
    deliver(std::move(value));
    return true;
  }

  // Empty only if the channel is closed and drained, if the deadline came first, or if there is nothing to take while
  // the task unwinds.
  std::optional<T> pop(const char* reason, Time deadline = never) {
    if (!readable_.acquire(reason, deadline)) return std::nullopt;
    return take();
  }
  // For anyone. Empty if there is no value that is not promised to a waiting reader.
  std::optional<T> try_pop() {
    if (!readable_.try_acquire()) return std::nullopt;
    return take();
  }

  void close() {
    readable_.close();
    writable_.close();
  }
  bool closed() const { return readable_.closed(); }
  // Values that lie in the channel, those promised to readers that have been woken included.
  std::size_t size() const { return items_.size(); }
  std::size_t capacity() const { return capacity_; }

 private:
  void deliver(T&& value) {
    items_.push_back(std::move(value));
    readable_.release();
  }
  std::optional<T> take() {
    std::optional<T> value(items_.pop_front());
    if (capacity_ != unbounded) writable_.release();
    return value;
  }

  std::size_t capacity_;
  Semaphore readable_;  // one permit for each value
  Semaphore writable_;  // one for each free place; not used without a bound
  RingBuffer<T> items_;
};

}  // namespace polarsim::sim
