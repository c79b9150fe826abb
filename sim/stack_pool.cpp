#include "sim/stack_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sim/assert.h"
#include "sim/sanitizer.h"

namespace polarsim::sim {
namespace {

// From Linux 6.13's <asm-generic/mman-common.h>, which Debian 12's headers predate.
constexpr int madvise_guard_install = 102;

constexpr std::size_t slab_stacks = 16;
// One page would do for small frames; a large local array could step over it into the next stack.
constexpr std::size_t guard_bytes = 64 * 1024;
constexpr std::size_t canary_bytes = 256;
constexpr unsigned char canary_pattern = 0xC5;

#ifdef POLARSIM_ASAN
constexpr std::size_t size_factor = 4;
#else
constexpr std::size_t size_factor = 1;
#endif

bool painting = false;
constexpr std::size_t painted_bytes = 16 * 1024;
constexpr unsigned char paint_pattern = 0xA5;

}  // namespace

void paint_stacks() { painting = true; }

StackPool::StackPool(std::size_t stack_bytes, StackGuard guard) : guard_(guard) {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  POLARSIM_ASSERT(stack_bytes >= 16 * 1024, "a fiber needs at least 16 KiB of stack");
  stack_bytes_ = (stack_bytes * size_factor + page_bytes - 1) / page_bytes * page_bytes;
  if (guard_ == StackGuard::automatic) guard_ = StackGuard::madvise;
}

StackPool::~StackPool() {
  POLARSIM_ASSERT(free_.size() == created_, "a stack is still in use");
#ifdef POLARSIM_ASAN
  for (const Stack& stack : free_) __lsan_unregister_root_region(stack.bottom, stack.bytes);
#endif
  for (const Slab& slab : slabs_) munmap(slab.base, slab.bytes);
}

bool StackPool::install_guard(char* region) {
  if (guard_ == StackGuard::madvise) {
    if (madvise(region, guard_bytes, madvise_guard_install) == 0) return true;
    guard_ = StackGuard::mprotect;  // an older kernel says EINVAL, once and for all
  }
  if (guard_ == StackGuard::mprotect) {
    if (created_ < mprotect_limit && mprotect(region, guard_bytes, PROT_NONE) == 0) return true;
    guard_ = StackGuard::canary;  // ENOMEM means that the process has used up its mappings (vm.max_map_count)
  }
  return false;
}

void StackPool::add_slab() {
  const std::size_t stride = guard_bytes + stack_bytes_;
  const std::size_t bytes = stride * slab_stacks;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  POLARSIM_ASSERT(memory != MAP_FAILED, "out of memory for fiber stacks");
  // A transparent huge page would make every shallow stack cost two megabytes. Advice only: failure is harmless.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  char* base = static_cast<char*>(memory);
  slabs_.push_back(Slab{base, bytes});
  for (std::size_t i = slab_stacks; i-- > 0;) {
    char* const guard_region = base + i * stride;
    Stack stack{guard_region + guard_bytes, stack_bytes_, false};
#ifdef POLARSIM_ASAN
    // Stack by stack, because LeakSanitizer reads the whole of a region and must not touch a guard.
    __lsan_register_root_region(stack.bottom, stack.bytes);
#endif
    if (!install_guard(guard_region)) {
      stack.canary = true;
      std::memset(stack.bottom, canary_pattern, canary_bytes);
    }
    free_.push_back(stack);
  }
  created_ += slab_stacks;
}

Stack StackPool::take() {
  if (free_.empty()) add_slab();
  const Stack stack = free_.back();
  free_.pop_back();
  if (painting) std::memset(stack.top() - painted_bytes, paint_pattern, painted_bytes);
  return stack;
}

void StackPool::give_back(Stack stack) {
#ifdef POLARSIM_ASAN
  // Frames that were left without returning keep their shadow poisoned.
  ASAN_UNPOISON_MEMORY_REGION(stack.bottom, stack.bytes);
#endif
  if (stack.canary) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(stack.bottom);
    const bool intact =
        std::all_of(bytes, bytes + canary_bytes, [](unsigned char byte) { return byte == canary_pattern; });
    POLARSIM_ASSERT(intact, "a fiber has overflowed its stack");
  }
  free_.push_back(stack);
}

}  // namespace polarsim::sim
