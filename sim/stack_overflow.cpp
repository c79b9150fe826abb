#include "sim/stack_overflow.h"

#include <csignal>
#include <initializer_list>

#include "sim/assert.h"
#include "sim/sanitizer.h"
#include "sim/stack_pool.h"

namespace polarsim::sim {
namespace {

#ifndef POLARSIM_ASAN

// The handler cannot run on the stack that has overflowed.
constexpr std::size_t handler_stack_bytes = 64 * 1024;
alignas(16) char handler_stack[handler_stack_bytes];

struct sigaction previous_segv;
struct sigaction previous_bus;

// The faulting instruction is repeated after the return, and meets the handler that was there before.
extern "C" void report_bad_access(int signal, siginfo_t* info, void*) {
  StackPool::Overflow overflow;
  if (StackPool::find_overflow(info->si_addr, overflow)) StackPool::report_overflow(overflow);
  sigaction(signal, signal == SIGBUS ? &previous_bus : &previous_segv, nullptr);
  // Sent by a process, not by an instruction that would be repeated: it comes again after the return.
  if (info->si_code <= 0) raise(signal);
}

bool install() {
  stack_t alternate{};
  alternate.ss_sp = handler_stack;
  alternate.ss_size = handler_stack_bytes;
  POLARSIM_ASSERT(sigaltstack(&alternate, nullptr) == 0, "the kernel refused an alternate signal stack");
  struct sigaction action {};
  action.sa_sigaction = report_bad_access;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  POLARSIM_ASSERT(sigaction(SIGSEGV, &action, &previous_segv) == 0, "the kernel refused a signal handler");
  POLARSIM_ASSERT(sigaction(SIGBUS, &action, &previous_bus) == 0, "the kernel refused a signal handler");
  return true;
}

#endif

}  // namespace

bool install_stack_overflow_report() {
#ifdef POLARSIM_ASAN
  return false;
#else
  static const bool installed = install();
  return installed;
#endif
}

}  // namespace polarsim::sim
