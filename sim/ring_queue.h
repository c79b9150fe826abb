// A FIFO in one block of memory that grows by doubling and is then reused: no allocation per element. Private to sim.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

namespace polarsim::sim {

template <typename T>
class RingQueue {
  static_assert(std::is_trivially_copyable_v<T>, "what is dropped is not destroyed until its place is used again");

 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& front() { return slots_[head_]; }
  const T& front() const { return slots_[head_]; }
  T& operator[](std::size_t index) { return slots_[place(index)]; }
  const T& operator[](std::size_t index) const { return slots_[place(index)]; }

  void push_back(const T& value) {
    if (size_ == slots_.size()) grow();
    slots_[place(size_)] = value;
    ++size_;
  }
  void pop_front() {
    head_ = place(1);
    --size_;
  }
  // Keeps the first `count` elements.
  void truncate(std::size_t count) {
    if (count < size_) size_ = count;
  }
  void clear() { head_ = size_ = 0; }

 private:
  std::size_t place(std::size_t index) const { return (head_ + index) & (slots_.size() - 1); }
  void grow() {
    std::vector<T> larger(slots_.empty() ? 4 : 2 * slots_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = slots_[place(i)];
    slots_.swap(larger);
    head_ = 0;
  }

  std::vector<T> slots_;  // a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace polarsim::sim
