// One stackful coroutine, always resumed from the operating system's stack. Private to sim.
//
// Jumps with Boost.Context's assembly (fcontext) and adds what that leaves out: the C++ runtime's exception state of
// each fiber, and the annotations that AddressSanitizer needs. A fiber ends by a last jump out of its entry; nothing
// ever unwinds it from outside, so that the entry must not let an exception out.
//
// The exception state is exchanged only when one of the two sides has one: an ordinary switch pays for two loads and a
// branch. The state's address is that of the thread which started the fiber, and so all switches must be on one thread.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#include "sim/assert.h"
#include "sim/sanitizer.h"
#include "sim/stack_pool.h"

namespace polarsim::sim {

class Fiber {
 public:
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Prepares `entry(argument)` to run on `stack` at the first resume(). The entry must not let an exception out.
  void start(Stack stack, void (*entry)(void*), void* argument);
  bool started() const { return stack_.bottom != nullptr; }
  // Runs the fiber until it suspends or its entry returns. Not to be called from another fiber.
  void resume();
  // Returns to the caller of resume(). To be called from within the fiber.
  void suspend();
  // True once the entry has returned.
  bool finished() const { return finished_; }
  // The stack of a finished fiber, for reuse; the fiber becomes as new.
  Stack release_stack();
  // Of the running fiber's stack, the lowest byte that it may use; null outside any fiber.
  static const char* running_stack_end() { return running_stack_end_; }
  // Exceptions in flight in the suspended fiber.
  unsigned uncaught_exceptions() const { return exceptions_.uncaught; }

 private:
  // The layout of __cxa_eh_globals in the Itanium C++ ABI, which belongs to the C++ runtime: hence the attribute.
  struct __attribute__((may_alias)) ExceptionState {
    void* caught = nullptr;
    unsigned uncaught = 0;
    bool none() const { return caught == nullptr && uncaught == 0; }
  };
  static void enter(boost::context::detail::transfer_t transfer);
  // Exchanges the thread's state for this fiber's, or back.
  void exchange_exception_state() {
    if (thread_exceptions_->none() && exceptions_.none()) [[likely]]
      return;
    const ExceptionState running = *thread_exceptions_;
    *thread_exceptions_ = exceptions_;
    exceptions_ = running;
  }

  static constinit thread_local const char* running_stack_end_;
  void* context_ = nullptr;  // of the fiber while it is suspended
  void* caller_ = nullptr;   // of whoever resumed it, while it runs
  ExceptionState exceptions_;
  ExceptionState* thread_exceptions_ = nullptr;
  Stack stack_;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = false;
#ifdef POLARSIM_ASAN
  // Its shadow of the suspended fiber's stack, and where the caller's stack lies.
  void* fake_stack_ = nullptr;
  const void* caller_bottom_ = nullptr;
  std::size_t caller_bytes_ = 0;
#endif
};

inline void Fiber::resume() {
  POLARSIM_ASSERT(context_ != nullptr, "a fiber that is not suspended was resumed");
  exchange_exception_state();
#ifdef POLARSIM_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_.bottom, stack_.bytes);
#endif
  void* const context = context_;
  context_ = nullptr;
  // A fiber of another simulation may be the one that resumes.
  const char* const end_of_caller = running_stack_end_;
  running_stack_end_ = stack_.first_frame() - stack_.usable_bytes();
  const boost::context::detail::transfer_t back = boost::context::detail::jump_fcontext(context, this);
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  running_stack_end_ = end_of_caller;
  if (!finished_) context_ = back.fctx;
  exchange_exception_state();
}

inline void Fiber::suspend() {
#ifdef POLARSIM_ASAN
  __sanitizer_start_switch_fiber(&fake_stack_, caller_bottom_, caller_bytes_);
#endif
  caller_ = boost::context::detail::jump_fcontext(caller_, nullptr).fctx;
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_bytes_);
#endif
}

}  // namespace polarsim::sim
