#include "sim/fiber.h"

#include <cxxabi.h>

#include <utility>

#include "sim/running_stack.h"

namespace polarsim::sim {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

std::size_t least_stack_bytes = 0;

}  // namespace

const char* running_stack_end() { return Fiber::running_stack_end(); }
void want_stack_bytes(std::size_t bytes) { least_stack_bytes = bytes; }
std::size_t wanted_stack_bytes() { return least_stack_bytes; }

constinit thread_local const char* Fiber::running_stack_end_ = nullptr;

Fiber::~Fiber() {
  POLARSIM_ASSERT(context_ == nullptr, "a suspended fiber was destroyed: its destructors would never run");
}

void Fiber::start(Stack stack, void (*entry)(void*), void* argument) {
  POLARSIM_ASSERT(!started(), "a fiber was started twice");
  stack_ = stack;
  entry_ = entry;
  argument_ = argument;
  finished_ = false;
  thread_exceptions_ = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  context_ = make_fcontext(stack.first_frame(), stack.usable_bytes(), &Fiber::enter);
}

void Fiber::enter(transfer_t transfer) {
  Fiber& self = *static_cast<Fiber*>(transfer.data);
#ifdef POLARSIM_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self.caller_bottom_, &self.caller_bytes_);
#endif
  self.caller_ = transfer.fctx;
  self.entry_(self.argument_);
  self.finished_ = true;
#ifdef POLARSIM_ASAN
  // A null pointer tells AddressSanitizer that this fiber's fake stack is no longer needed.
  __sanitizer_start_switch_fiber(nullptr, self.caller_bottom_, self.caller_bytes_);
#endif
  jump_fcontext(self.caller_, nullptr);
  POLARSIM_ASSERT(false, "a finished fiber was resumed");
}

Stack Fiber::release_stack() {
  POLARSIM_ASSERT(finished_, "the stack of a running fiber was taken away");
  exceptions_ = ExceptionState{};
  finished_ = false;
  return std::exchange(stack_, Stack{});
}

}  // namespace polarsim::sim
