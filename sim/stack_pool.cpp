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
constexpr std::size_t canary_bytes = 256;
constexpr unsigned char canary_pattern = 0xC5;

#ifdef POLARSIM_ASAN
constexpr std::size_t size_factor = 4;
#else
constexpr std::size_t size_factor = 1;
#endif

}  // namespace

StackPool::StackPool(std::size_t stack_bytes, StackGuard guard)
    : page_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), guard_(guard) {
  POLARSIM_ASSERT(stack_bytes >= 16 * 1024, "a fiber needs at least 16 KiB of stack");
  stack_bytes_ = (stack_bytes * size_factor + page_bytes_ - 1) / page_bytes_ * page_bytes_;
  if (guard_ == StackGuard::automatic) guard_ = StackGuard::madvise;
}

StackPool::~StackPool() {
  POLARSIM_ASSERT(free_.size() == created_, "a stack is still in use");
  for (const Slab& slab : slabs_) {
#ifdef POLARSIM_ASAN
    __lsan_unregister_root_region(slab.base, slab.bytes);
    ASAN_UNPOISON_MEMORY_REGION(slab.base, slab.bytes);
#endif
    munmap(slab.base, slab.bytes);
  }
}

bool StackPool::install_guard(char* page) {
  if (guard_ == StackGuard::madvise) {
    if (madvise(page, page_bytes_, madvise_guard_install) == 0) return true;
    guard_ = StackGuard::mprotect;  // an older kernel says EINVAL, once and for all
  }
  if (guard_ == StackGuard::mprotect) {
    if (mprotect(page, page_bytes_, PROT_NONE) == 0) return true;
    guard_ = StackGuard::canary;  // ENOMEM: the process has used up its mappings (vm.max_map_count)
  }
  return false;
}

void StackPool::add_slab() {
  const std::size_t stride = page_bytes_ + stack_bytes_;
  const std::size_t bytes = stride * slab_stacks;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  POLARSIM_ASSERT(memory != MAP_FAILED, "out of memory for fiber stacks");
  // A transparent huge page would make every shallow stack cost two megabytes. Advice only: failure is harmless.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  char* base = static_cast<char*>(memory);
  slabs_.push_back(Slab{base, bytes});
#ifdef POLARSIM_ASAN
  __lsan_register_root_region(base, bytes);
#endif
  for (std::size_t i = slab_stacks; i-- > 0;) {
    char* guard_page = base + i * stride;
    Stack stack{guard_page + page_bytes_, stack_bytes_, false};
    if (!install_guard(guard_page)) {
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
  return stack;
}

void StackPool::give_back(Stack stack) {
#ifdef POLARSIM_ASAN
  // Frames that were left without returning keep their shadow poisoned.
  ASAN_UNPOISON_MEMORY_REGION(stack.bottom, stack.bytes);
#endif
  if (stack.canary) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(stack.bottom);
    const bool intact = std::all_of(bytes, bytes + canary_bytes, [](unsigned char byte) { return byte == canary_pattern; });
    POLARSIM_ASSERT(intact, "a fiber has overflowed its stack");
  }
  free_.push_back(stack);
}

}  // namespace polarsim::sim
