#include "sim/stack_overflow.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "sim/fiber.h"
#include "sim/sanitizer.h"
#include "sim/scheduler.h"
#include "sim/stack_pool.h"

namespace polarsim::sim {
namespace {

// Uses `kibibytes` of stack, and all of them.
int use_stack(int kibibytes);
// A compiler that saw the recursion would turn it into a loop.
int (*volatile use_more_stack)(int) = use_stack;

int use_stack(int kibibytes) {
  volatile char frame[1024];
  for (volatile char& byte : frame) byte = static_cast<char>(kibibytes);
  if (kibibytes <= 1) return frame[17];
  return use_more_stack(kibibytes - 1) + frame[42];
}

void run_a_deep_task(StackGuard guard, int kibibytes) {
  RunningDigest digest;
  ChoiceOracle choices(7, &digest);
  SchedulerOptions options;
  options.stack_bytes = 64 * 1024;
  options.stack_guard = guard;
  Scheduler scheduler(options, digest, choices);
  scheduler.spawn("shallow", [&] { scheduler.park("forever"); });
  scheduler.spawn("dn1/wal-writer", [kibibytes] { use_stack(kibibytes); });
  scheduler.run();
  scheduler.shut_down();
}

TEST(StackOverflow, ATaskMayUseItsStack) {
  install_stack_overflow_report();
  for (const StackGuard guard : {StackGuard::automatic, StackGuard::mprotect, StackGuard::canary}) {
    run_a_deep_task(guard, 48 / 2);
  }
}

#ifndef POLARSIM_ASAN

class GuardDeathTest : public ::testing::TestWithParam<StackGuard> {};
INSTANTIATE_TEST_SUITE_P(Guards, GuardDeathTest,
                         ::testing::Values(StackGuard::automatic, StackGuard::mprotect, StackGuard::canary));

TEST_P(GuardDeathTest, TheTaskIsNamed) {
  EXPECT_DEATH(
      {
        install_stack_overflow_report();
        run_a_deep_task(GetParam(), 70);
      },
      "polarsim: task 2 \"dn1/wal-writer\" overflowed its 64 KiB stack");
}

TEST(StackOverflowDeathTest, TheDefaultActionFollows) {
  EXPECT_EXIT(
      {
        install_stack_overflow_report();
        run_a_deep_task(StackGuard::automatic, 70);
      },
      ::testing::KilledBySignal(SIGSEGV), "overflowed its");
}

TEST(StackOverflowDeathTest, OtherBadAccessesAreLeftAlone) {
  EXPECT_EXIT(
      {
        install_stack_overflow_report();
        StackPool pool(32 * 1024);
        volatile char* volatile nowhere = nullptr;
        *nowhere = 1;
      },
      ::testing::KilledBySignal(SIGSEGV), "^$");
}

TEST(StackOverflowDeathTest, ASignalFromOutsideEndsTheProcessToo) {
  EXPECT_EXIT(
      {
        install_stack_overflow_report();
        kill(getpid(), SIGSEGV);
      },
      ::testing::KilledBySignal(SIGSEGV), "^$");
}

TEST(StackOverflow, FindsTheUserOfAGuardAndNothingElse) {
  StackPool pool(32 * 1024);
  StackPool other(32 * 1024);
  const Stack stack = pool.take({5, "five", 4});
  StackPool::Overflow overflow{};
  ASSERT_TRUE(StackPool::find_overflow(stack.bottom - 1, overflow));
  EXPECT_EQ(overflow.user.id, 5u);
  EXPECT_EQ(overflow.stack_bytes, pool.stack_bytes());
  EXPECT_FALSE(StackPool::find_overflow(stack.bottom, overflow));
  EXPECT_FALSE(StackPool::find_overflow(stack.top() - 1, overflow));
  int elsewhere = 0;
  EXPECT_FALSE(StackPool::find_overflow(&elsewhere, overflow));
  pool.give_back(stack);
  ASSERT_TRUE(StackPool::find_overflow(stack.bottom - 1, overflow));
  EXPECT_EQ(overflow.user.id, 0u) << "nobody's any more";
}

#endif

}  // namespace
}  // namespace polarsim::sim
