// Stacks for fibers: mmap'd, guarded, and reused. Private to sim.
//
// A stack costs the memory that its fiber has touched: one page for a fiber that parks in a shallow call. The distance
// between two stacks is an odd number of pages, and first frames start at different offsets within their pages: stacks
// that lay a power of two apart would all meet in the same few sets of the processor's caches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/scheduler.h"

namespace polarsim::sim {

// The least bytes of a stack with a canary: they hold its pattern and are never given to the fiber.
inline constexpr std::size_t canary_bytes = 256;

struct Stack {
  char* bottom = nullptr;  // lowest usable byte; the guard lies below
  std::size_t bytes = 0;
  std::uint32_t index = 0;   // of the stack in its pool
  std::uint16_t colour = 0;  // bytes left out at the top
  bool canary = false;       // guarded by a pattern in its lowest bytes instead of by the memory management unit
  char* top() const { return bottom + bytes; }
  // Where the fiber's frames begin, and how much lies below.
  char* first_frame() const { return top() - colour; }
  std::size_t usable_bytes() const { return bytes - colour - (canary ? canary_bytes : 0); }
};

// Whose stack it is, for the report of an overflow. The name must stay where it is until the stack is returned.
struct StackUser {
  std::uint64_t id = 0;  // 0: nobody's
  const char* name = "";
  std::size_t name_bytes = 0;
};

// From now on every stack is filled with a pattern near its top before it is handed out, so that a function which reads
// what it has not written does not find zeros, or what the last fiber left (see divergence.h). For the whole process.
void paint_stacks();

// Hands out stacks of one size. Memory goes back to the operating system when the pool is destroyed. A pool belongs to
// the thread that made it.
class StackPool {
 public:
  // `stack_bytes` is rounded up to whole pages. AddressSanitizer builds use four times as much, because their frames
  // are larger.
  explicit StackPool(std::size_t stack_bytes, StackGuard guard = StackGuard::automatic);
  // Every stack must have been returned.
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // The most stacks that mprotect may guard: the process needs its mappings for other things too. The rest get
  // canaries.
  static constexpr std::size_t mprotect_limit = 16'000;

  Stack take(const StackUser& user = {});
  // Reports an overflow and aborts if the stack's canary is damaged.
  void give_back(Stack stack);

  std::size_t stack_bytes() const { return stack_bytes_; }
  std::size_t created() const { return created_; }
  std::size_t in_use() const { return created_ - free_.size(); }
  // The guard that new stacks get.
  StackGuard guard() const { return guard_; }

  // --- for the handler of a bad memory access: allocates nothing, locks nothing ---
  struct Overflow {
    StackUser user;
    std::size_t stack_bytes;
  };
  // Whether `address` lies in the guard of a stack of this thread's pools, and whose.
  static bool find_overflow(const void* address, Overflow& overflow);
  // Writes one line about it to standard error.
  static void report_overflow(const Overflow& overflow);

 private:
  static constexpr std::size_t slab_stacks = 16;
  struct Slab {
    char* base;
    std::size_t bytes;
    std::array<StackUser, slab_stacks> users;
    std::array<unsigned, slab_stacks> valgrind_ids;
  };
  void add_slab();
  // Guards the region below a stack; false if the method at hand does not work.
  bool install_guard(char* region);
  StackUser& user_of(const Stack& stack) { return slabs_[stack.index / slab_stacks].users[stack.index % slab_stacks]; }

  // All pools of this thread, as a list that runs through them.
  static thread_local StackPool* first_pool_;
  StackPool* next_pool_;
  std::size_t stack_bytes_;
  std::size_t guard_bytes_;
  StackGuard guard_;
  std::size_t created_ = 0;
  std::vector<Stack> free_;
  std::vector<Slab> slabs_;
};

}  // namespace polarsim::sim
