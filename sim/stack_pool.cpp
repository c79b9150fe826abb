#include "sim/stack_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "sim/assert.h"
#include "sim/sanitizer.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) static_cast<void>(id)
#endif

namespace polarsim::sim {
namespace {

// From Linux 6.13's <asm-generic/mman-common.h>, which Debian 12's headers predate.
constexpr int madvise_guard_install = 102;

// One page would do for small frames; a large local array could step over it into the next stack.
constexpr std::size_t least_guard_bytes = 64 * 1024;
constexpr unsigned char canary_pattern = 0xC5;
// Offsets of the first frame: so many steps of a cache line.
constexpr std::size_t colours = 16;
constexpr std::size_t cache_line_bytes = 64;

#ifdef POLARSIM_ASAN
constexpr std::size_t size_factor = 4;

// The lowest byte of a stack that its fibers may have reached. Shadow memory below it was never poisoned, and to write
// it would cost an eighth of the stack in pages each time: most of what a short fiber costs.
char* lowest_reached(const Stack& stack) {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident(stack.bytes / page_bytes);
  if (mincore(stack.bottom, stack.bytes, resident.data()) != 0) return stack.bottom;
  const auto first = std::find_if(resident.begin(), resident.end(), [](unsigned char page) { return page != 0; });
  return stack.bottom + static_cast<std::size_t>(first - resident.begin()) * page_bytes;
}
#else
constexpr std::size_t size_factor = 1;
#endif

bool painting = false;
constexpr std::size_t painted_bytes = 16 * 1024;
constexpr unsigned char paint_pattern = 0xA5;

// Builds a line without allocating, for a signal handler.
class Line {
 public:
  void text(const char* bytes, std::size_t count) {
    count = std::min(count, sizeof(buffer_) - used_);
    std::memcpy(buffer_ + used_, bytes, count);
    used_ += count;
  }
  void text(const char* literal) { text(literal, std::strlen(literal)); }
  void number(std::uint64_t value) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[sizeof(digits) - ++count] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text(digits + sizeof(digits) - count, count);
  }
  void write_out() const {
    std::size_t done = 0;
    while (done < used_) {
      const ssize_t count = ::write(STDERR_FILENO, buffer_ + done, used_ - done);
      if (count <= 0) return;
      done += static_cast<std::size_t>(count);
    }
  }

 private:
  char buffer_[512];
  std::size_t used_ = 0;
};

}  // namespace

void paint_stacks() { painting = true; }

thread_local StackPool* StackPool::first_pool_ = nullptr;

StackPool::StackPool(std::size_t stack_bytes, StackGuard guard) : next_pool_(first_pool_), guard_(guard) {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  POLARSIM_ASSERT(stack_bytes >= 16 * 1024, "a fiber needs at least 16 KiB of stack");
  stack_bytes_ = (stack_bytes * size_factor + page_bytes - 1) / page_bytes * page_bytes;
  guard_bytes_ = (least_guard_bytes + page_bytes - 1) / page_bytes * page_bytes;
  if ((stack_bytes_ + guard_bytes_) / page_bytes % 2 == 0) guard_bytes_ += page_bytes;
  if (guard_ == StackGuard::automatic) guard_ = StackGuard::madvise;
  first_pool_ = this;
}

StackPool::~StackPool() {
  POLARSIM_ASSERT(free_.size() == created_, "a stack is still in use");
  StackPool** link = &first_pool_;
  while (*link != nullptr && *link != this) link = &(*link)->next_pool_;
  POLARSIM_ASSERT(*link == this, "a stack pool ends on another thread than it began on");
  *link = next_pool_;
#ifdef POLARSIM_ASAN
  for (const Stack& stack : free_) __lsan_unregister_root_region(stack.bottom, stack.bytes);
#endif
  for (const Slab& slab : slabs_) {
    for (const unsigned id : slab.valgrind_ids) VALGRIND_STACK_DEREGISTER(id);
    munmap(slab.base, slab.bytes);
  }
}

bool StackPool::install_guard(char* region) {
  if (guard_ == StackGuard::madvise) {
    if (madvise(region, guard_bytes_, madvise_guard_install) == 0) return true;
    guard_ = StackGuard::mprotect;  // an older kernel says EINVAL, once and for all
  }
  if (guard_ == StackGuard::mprotect) {
    if (created_ < mprotect_limit && mprotect(region, guard_bytes_, PROT_NONE) == 0) return true;
    guard_ = StackGuard::canary;  // ENOMEM means that the process has used up its mappings (vm.max_map_count)
  }
  return false;
}

void StackPool::add_slab() {
  const std::size_t stride = guard_bytes_ + stack_bytes_;
  const std::size_t bytes = stride * slab_stacks;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  POLARSIM_ASSERT(memory != MAP_FAILED, "out of memory for fiber stacks");
  // A transparent huge page would make every shallow stack cost two megabytes. Advice only: failure is harmless.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  char* base = static_cast<char*>(memory);
  Slab slab{base, bytes, {}, {}};
  for (std::size_t i = slab_stacks; i-- > 0;) {
    char* const guard_region = base + i * stride;
    Stack stack;
    stack.bottom = guard_region + guard_bytes_;
    stack.bytes = stack_bytes_;
    stack.index = static_cast<std::uint32_t>(created_ + i);
    stack.colour = static_cast<std::uint16_t>(stack.index % colours * cache_line_bytes);
    slab.valgrind_ids[i] = VALGRIND_STACK_REGISTER(stack.bottom, stack.top());
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
  slabs_.push_back(slab);
  created_ += slab_stacks;
}

Stack StackPool::take(const StackUser& user) {
  if (free_.empty()) add_slab();
  const Stack stack = free_.back();
  free_.pop_back();
  if (painting) {
    const std::size_t painted = std::min(painted_bytes, stack.usable_bytes());
    std::memset(stack.first_frame() - painted, paint_pattern, painted);
  }
  user_of(stack) = user;
  return stack;
}

void StackPool::give_back(Stack stack) {
#ifdef POLARSIM_ASAN
  // Frames that were left without returning keep their shadow poisoned.
  char* const lowest = lowest_reached(stack);
  ASAN_UNPOISON_MEMORY_REGION(lowest, static_cast<std::size_t>(stack.top() - lowest));
#endif
  StackUser& user = user_of(stack);
  if (stack.canary) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(stack.bottom);
    const bool intact =
        std::all_of(bytes, bytes + canary_bytes, [](unsigned char byte) { return byte == canary_pattern; });
    if (!intact) {
      report_overflow({user, stack_bytes_});
      std::abort();
    }
  }
  user = StackUser{};
  free_.push_back(stack);
}

bool StackPool::find_overflow(const void* address, Overflow& overflow) {
  const auto* const byte = static_cast<const char*>(address);
  for (const StackPool* pool = first_pool_; pool != nullptr; pool = pool->next_pool_) {
    const std::size_t stride = pool->guard_bytes_ + pool->stack_bytes_;
    for (const Slab& slab : pool->slabs_) {
      if (byte < slab.base || byte >= slab.base + slab.bytes) continue;
      const auto offset = static_cast<std::size_t>(byte - slab.base);
      if (offset % stride >= pool->guard_bytes_) return false;  // the stack itself
      overflow = {slab.users[offset / stride], pool->stack_bytes_};
      return true;
    }
  }
  return false;
}

void StackPool::report_overflow(const Overflow& overflow) {
  Line line;
  line.text("polarsim: ");
  if (overflow.user.id == 0) {
    line.text("a fiber");
  } else {
    line.text("task ");
    line.number(overflow.user.id);
    line.text(" \"");
    line.text(overflow.user.name, std::min<std::size_t>(overflow.user.name_bytes, 300));
    line.text("\"");
  }
  line.text(" overflowed its ");
  line.number(overflow.stack_bytes / 1024);
  line.text(" KiB stack\n");
  line.write_out();
}

}  // namespace polarsim::sim
