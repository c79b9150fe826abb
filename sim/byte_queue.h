// A FIFO of bytes that lie contiguously, in memory that is reused: no allocation per append. Private to sim.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace polarsim::sim {

class ByteQueue {
 public:
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  // The first `count` bytes, valid until the next change; count <= size().
  std::string_view front(std::size_t count) const { return {memory_.get() + begin_, count}; }
  // The same to change in place.
  char* front_data() { return memory_.get() + begin_; }
  // `bytes` must not lie in this queue.
  void append(std::string_view bytes);
  void drop_front(std::size_t count);
  void drop_back(std::size_t count);
  void clear();

 private:
  void make_room(std::size_t count);

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace polarsim::sim
