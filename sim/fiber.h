// One stackful coroutine, always resumed from the operating system's stack. Private to sim.
//
// Wraps Boost.Context and adds what it leaves out: the C++ runtime's exception state of each fiber, and the annotations
// that AddressSanitizer needs.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>

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
  // Exceptions in flight in the suspended fiber.
  unsigned uncaught_exceptions() const { return exceptions_.uncaught; }

 private:
  // The layout of __cxa_eh_globals in the Itanium C++ ABI.
  struct ExceptionState {
    void* caught = nullptr;
    unsigned uncaught = 0;
  };
  void run(boost::context::fiber&& caller);
  void swap_exception_state();

  boost::context::fiber handle_;  // of the fiber while it is suspended
  boost::context::fiber caller_;  // of whoever resumed it, while it runs
  ExceptionState exceptions_;
  Stack stack_;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = false;
  // For AddressSanitizer only: its shadow of the suspended fiber's stack, and where the caller's stack lies.
  [[maybe_unused]] void* fake_stack_ = nullptr;
  [[maybe_unused]] const void* caller_bottom_ = nullptr;
  [[maybe_unused]] std::size_t caller_bytes_ = 0;
};

}  // namespace polarsim::sim
