#include "engine/types/stack_depth.h"

#include <cstddef>

#include "engine/types/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define POLARSIM_LARGE_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POLARSIM_LARGE_FRAMES 1
#endif
#endif

namespace polarsim::engine {
namespace {

#ifdef POLARSIM_LARGE_FRAMES
constexpr std::ptrdiff_t size_factor = 4;
#else
constexpr std::ptrdiff_t size_factor = 1;
#endif

constexpr std::ptrdiff_t mebibyte = 1024 * 1024;
constexpr std::ptrdiff_t reserve_bytes = size_factor * mebibyte / 4;
// Of the operating system's stack, a part lies above the first place that asked.
constexpr std::ptrdiff_t system_stack_bytes = 7 * mebibyte;

FindStackEnd find_stack_end = nullptr;
// The highest place of the operating system's stack that asked.
thread_local const char* highest_asked = nullptr;

}  // namespace

void set_stack_end_finder(FindStackEnd finder) { find_stack_end = finder; }

void check_stack_depth() {
  // Not the address of a variable: AddressSanitizer may keep those elsewhere.
  const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
  if (const char* const end = find_stack_end == nullptr ? nullptr : find_stack_end(); end != nullptr) {
    if (here - end < reserve_bytes) throw_stack_too_deep();
    return;
  }
  if (highest_asked == nullptr || here > highest_asked) highest_asked = here;
  if (highest_asked - here > system_stack_bytes - reserve_bytes) throw_stack_too_deep();
}

void throw_stack_too_deep() {
  throw SqlError(sqlstate::statement_too_complex, "stack depth limit exceeded", "",
                 "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the "
                 "platform's stack depth limit is adequate.");
}

}  // namespace polarsim::engine
