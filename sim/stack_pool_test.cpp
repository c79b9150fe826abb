#include "sim/stack_pool.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "sim/fiber.h"

namespace polarsim::sim {
namespace {

class StackPoolTest : public ::testing::TestWithParam<StackGuard> {};

INSTANTIATE_TEST_SUITE_P(Guards, StackPoolTest,
                         ::testing::Values(StackGuard::automatic, StackGuard::mprotect, StackGuard::canary));

TEST_P(StackPoolTest, StacksAreWritableDisjointAndReused) {
  StackPool pool(32 * 1024, GetParam());
  std::vector<Stack> stacks;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {
      stacks.push_back(pool.take());
      std::memset(stacks.back().bottom + 256, i, stacks.back().bytes - 256);
    }
    EXPECT_EQ(pool.in_use(), 40u);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(stacks[static_cast<std::size_t>(i)].bottom[256], i);
      EXPECT_EQ(stacks[static_cast<std::size_t>(i)].top()[-1], i);
    }
    for (const Stack& stack : stacks) pool.give_back(stack);
    stacks.clear();
  }
  EXPECT_EQ(pool.created(), 48u) << "three slabs of sixteen";
}

using StackPoolDeathTest = StackPoolTest;
INSTANTIATE_TEST_SUITE_P(Guards, StackPoolDeathTest,
                         ::testing::Values(StackGuard::automatic, StackGuard::mprotect, StackGuard::canary));

TEST_P(StackPoolDeathTest, OverflowIsNoticed) {
  EXPECT_DEATH(
      {
        StackPool pool(32 * 1024, GetParam());
        const Stack first = pool.take();
        volatile char* below = first.canary ? first.bottom : first.bottom - 1;
        *below = 1;
        pool.give_back(first);
      },
      "");
}

TEST(StackPool, CarriesACanaryOnlyWithoutAGuardPage) {
  StackPool guarded(16 * 1024);
  StackPool with_canary(16 * 1024, StackGuard::canary);
  const Stack a = guarded.take();
  const Stack b = with_canary.take();
  EXPECT_FALSE(a.canary);
  EXPECT_TRUE(b.canary);
  guarded.give_back(a);
  with_canary.give_back(b);
}

TEST(StackPool, GivesCanariesOnceEnoughMappingsAreUsed) {
  StackPool pool(16 * 1024, StackGuard::mprotect);
  std::vector<Stack> stacks;
  for (std::size_t i = 0; i < StackPool::mprotect_limit; ++i) stacks.push_back(pool.take());
  EXPECT_FALSE(stacks.back().canary);
  EXPECT_EQ(pool.guard(), StackGuard::mprotect);
  stacks.push_back(pool.take());
  EXPECT_TRUE(stacks.back().canary);
  EXPECT_EQ(pool.guard(), StackGuard::canary);
  for (const Stack& stack : stacks) pool.give_back(stack);
}

// In a process of its own, because painting is for a whole process.
TEST(StackPoolDeathTest, PaintStaysWithinTheSmallestStacks) {
  EXPECT_EXIT(
      {
        paint_stacks();
        for (const StackGuard guard : {StackGuard::automatic, StackGuard::canary}) {
          StackPool pool(16 * 1024, guard);
          std::vector<Stack> stacks;
          for (int i = 0; i < 16; ++i) stacks.push_back(pool.take());
          for (const Stack& stack : stacks) pool.give_back(stack);
        }
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "^$");
}

TEST(Fiber, RunsOnAStackWithACanary) {
  StackPool pool(32 * 1024, StackGuard::canary);
  Fiber fiber;
  int steps = 0;
  struct Argument {
    Fiber& fiber;
    int& steps;
  } argument{fiber, steps};
  fiber.start(
      pool.take(),
      [](void* raw) {
        auto& context = *static_cast<Argument*>(raw);
        ++context.steps;
        context.fiber.suspend();
        ++context.steps;
      },
      &argument);
  fiber.resume();
  EXPECT_EQ(steps, 1);
  EXPECT_FALSE(fiber.finished());
  fiber.resume();
  EXPECT_EQ(steps, 2);
  EXPECT_TRUE(fiber.finished());
  pool.give_back(fiber.release_stack());
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace polarsim::sim
