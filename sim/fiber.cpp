#include "sim/fiber.h"

#include <cxxabi.h>

#include <cstring>
#include <memory>
#include <utility>

#include "sim/assert.h"
#include "sim/sanitizer.h"

namespace polarsim::sim {
namespace {

// Gives Boost.Context a stack that someone else owns.
struct BorrowedStack {
  Stack stack;
  boost::context::stack_context allocate() {
    boost::context::stack_context context;
    context.size = stack.bytes;
    context.sp = stack.top();
    return context;
  }
  void deallocate(boost::context::stack_context&) noexcept {}
};

// The part of a stack that serves as guard must not be given to the fiber.
constexpr std::size_t canary_reserve = 256;

}  // namespace

Fiber::~Fiber() { POLARSIM_ASSERT(!handle_, "a suspended fiber was destroyed: its destructors would never run"); }

void Fiber::start(Stack stack, void (*entry)(void*), void* argument) {
  POLARSIM_ASSERT(!started(), "a fiber was started twice");
  stack_ = stack;
  entry_ = entry;
  argument_ = argument;
  finished_ = false;
  BorrowedStack borrowed{stack};
  if (stack.canary) {
    borrowed.stack.bottom += canary_reserve;
    borrowed.stack.bytes -= canary_reserve;
  }
  handle_ = boost::context::fiber(std::allocator_arg, borrowed, [this](boost::context::fiber&& caller) {
    run(std::move(caller));
    return std::move(caller_);
  });
}

void Fiber::run([[maybe_unused]] boost::context::fiber&& caller) {
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &caller_bottom_, &caller_bytes_);
#endif
  caller_ = std::move(caller);
  entry_(argument_);
  finished_ = true;
#ifdef POLARSIM_ASAN
  // A null pointer tells AddressSanitizer that this fiber's fake stack is no longer needed.
  __sanitizer_start_switch_fiber(nullptr, caller_bottom_, caller_bytes_);
#endif
}

void Fiber::swap_exception_state() {
  auto* current = reinterpret_cast<char*>(abi::__cxa_get_globals());
  ExceptionState running;
  std::memcpy(&running.caught, current, sizeof(running.caught));
  std::memcpy(&running.uncaught, current + sizeof(void*), sizeof(running.uncaught));
  std::memcpy(current, &exceptions_.caught, sizeof(exceptions_.caught));
  std::memcpy(current + sizeof(void*), &exceptions_.uncaught, sizeof(exceptions_.uncaught));
  exceptions_ = running;
}

void Fiber::resume() {
  POLARSIM_ASSERT(static_cast<bool>(handle_), "a fiber that is not suspended was resumed");
  swap_exception_state();
#ifdef POLARSIM_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_.bottom, stack_.bytes);
#endif
  handle_ = std::move(handle_).resume();
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  swap_exception_state();
}

void Fiber::suspend() {
#ifdef POLARSIM_ASAN
  __sanitizer_start_switch_fiber(&fake_stack_, caller_bottom_, caller_bytes_);
#endif
  caller_ = std::move(caller_).resume();
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_bytes_);
#endif
}

Stack Fiber::release_stack() {
  POLARSIM_ASSERT(finished_ && !handle_, "the stack of a running fiber was taken away");
  exceptions_ = ExceptionState{};
  fake_stack_ = nullptr;
  finished_ = false;
  return std::exchange(stack_, Stack{});
}

}  // namespace polarsim::sim
