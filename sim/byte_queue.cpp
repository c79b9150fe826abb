#include "sim/byte_queue.h"

#include <algorithm>
#include <cstring>

namespace polarsim::sim {
namespace {
constexpr std::size_t capacity_min = 256;
// A queue that has run empty gives back more than this: thousands of idle connections must not keep what one bulk
// transfer on each had needed.
constexpr std::size_t capacity_kept_max = 64 * 1024;
}  // namespace

void ByteQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (capacity_ - end_ < bytes.size()) make_room(bytes.size());
  std::memcpy(memory_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

// Moving happens at most once per half capacity consumed, so that a byte is moved a bounded number of times on average.
void ByteQueue::make_room(std::size_t count) {
  const std::size_t kept = size();
  if (begin_ >= capacity_ / 2 && capacity_ - kept >= count) {
    std::memmove(memory_.get(), memory_.get() + begin_, kept);
  } else {
    const std::size_t larger = std::max({capacity_min, 2 * capacity_, kept + count});
    auto memory = std::make_unique_for_overwrite<char[]>(larger);
    if (kept > 0) std::memcpy(memory.get(), memory_.get() + begin_, kept);
    memory_ = std::move(memory);
    capacity_ = larger;
  }
  begin_ = 0;
  end_ = kept;
}

void ByteQueue::drop_front(std::size_t count) {
  begin_ += count;
  if (begin_ == end_) clear();
}

void ByteQueue::drop_back(std::size_t count) {
  end_ -= count;
  if (begin_ == end_) clear();
}

void ByteQueue::clear() {
  begin_ = end_ = 0;
  if (capacity_ <= capacity_kept_max) return;
  memory_.reset();
  capacity_ = 0;
}

}  // namespace polarsim::sim
