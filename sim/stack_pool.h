// Stacks for fibers: mmap'd, guarded, and reused. Private to sim.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace polarsim::sim {

struct Stack {
  char* bottom = nullptr;  // lowest usable byte; the guard lies below
  std::size_t bytes = 0;
  bool canary = false;  // guarded by a pattern in its lowest bytes instead of by the memory management unit
  char* top() const { return bottom + bytes; }
};

// How an overflow of a stack is noticed.
enum class StackGuard : std::uint8_t {
  automatic,  // the first of the following that works
  madvise,    // MADV_GUARD_INSTALL (Linux 6.13): faults at once, costs no mapping
  mprotect,   // pages without access: faults at once, but costs mappings, of which a process has about 65,000
  canary,     // a pattern, checked when the stack is returned: notices late
};

// From now on every stack is filled with a pattern near its top before it is handed out, so that a function which reads
// what it has not written does not find zeros, or what the last fiber left (see divergence.h). For the whole process.
void paint_stacks();

// Hands out stacks of one size. Memory goes back to the operating system when the pool is destroyed.
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

  Stack take();
  // Aborts if the stack's canary is damaged.
  void give_back(Stack stack);

  std::size_t stack_bytes() const { return stack_bytes_; }
  std::size_t created() const { return created_; }
  std::size_t in_use() const { return created_ - free_.size(); }
  // The guard that new stacks get.
  StackGuard guard() const { return guard_; }

 private:
  void add_slab();
  // Guards the region below a stack; false if the method at hand does not work.
  bool install_guard(char* region);

  struct Slab {
    char* base;
    std::size_t bytes;
  };
  std::size_t stack_bytes_;
  StackGuard guard_;
  std::size_t created_ = 0;
  std::vector<Stack> free_;
  std::vector<Slab> slabs_;
};

}  // namespace polarsim::sim
