// That the steady state allocates nothing, and what many tasks cost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <new>
#include <vector>

#include "sim/allocation_counter.h"
#include "sim/sanitizer.h"
#include "sim/scheduler.h"
#include "sim/sync.h"

#ifndef POLARSIM_ASAN

namespace {
std::uint64_t allocations = 0;
}  // namespace

std::uint64_t polarsim::sim::allocations_so_far() { return allocations; }

// Not inlined, because g++ would then find malloc() paired with delete.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;

// Valgrind puts an operator new of its own in the place of ours.
bool allocations_are_counted() {
  const std::uint64_t before = allocations_so_far();
  ::operator delete(::operator new(1));
  return allocations_so_far() != before;
}

class SteadyState : public ::testing::TestWithParam<SchedulingPolicy> {
 protected:
  static SchedulerOptions options() {
    SchedulerOptions options;
    options.policy = GetParam();
    return options;
  }
  // Runs for a while to let every buffer grow, and then counts over at least a hundred thousand events.
  void expect_no_allocation() {
    if (!allocations_are_counted())
      GTEST_SKIP() << "a sanitizer or valgrind has put its own operator new in place of the counting one";
    scheduler.break_at(20'000);
    ASSERT_EQ(scheduler.run(), RunOutcome::stopped);
    scheduler.break_at(scheduler.events() + 100'000);
    const std::uint64_t before = allocations_so_far();
    ASSERT_EQ(scheduler.run(), RunOutcome::stopped);
    EXPECT_EQ(allocations_so_far() - before, 0u);
    scheduler.shut_down();
  }
  void spawn_forever(int tasks, const std::function<void(int)>& step) {
    for (int i = 0; i < tasks; ++i) {
      scheduler.spawn("t", [step, i] {
        for (;;) step(i);
      });
    }
  }

  RunningDigest digest{0};  // a ladder would grow
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{options(), digest, choices};
};

INSTANTIATE_TEST_SUITE_P(Policies, SteadyState,
                         ::testing::Values(SchedulingPolicy::fifo, SchedulingPolicy::random, SchedulingPolicy::pct));

TEST_P(SteadyState, Yields) {
  spawn_forever(20, [this](int) { scheduler.yield(); });
  expect_no_allocation();
}

TEST_P(SteadyState, Sleeps) {
  spawn_forever(20, [this](int i) { scheduler.sleep_for(microseconds(3 + i % 7)); });
  expect_no_allocation();
}

TEST_P(SteadyState, TimersWithCallbacks) {
  std::function<void()> again = [&] { scheduler.call_at(scheduler.now() + microseconds(1), [&again] { again(); }); };
  for (int i = 0; i < 20; ++i) again();
  const TimerId never_fires = scheduler.call_at(Time(std::chrono::hours(1)), [] {});
  spawn_forever(1, [this](int) {
    scheduler.cancel_timer(scheduler.call_at(Time(std::chrono::hours(1)), [] {}));
    scheduler.sleep_for(microseconds(1));
  });
  expect_no_allocation();
  scheduler.cancel_timer(never_fires);
}

TEST_P(SteadyState, Mutexes) {
  Mutex mutex(scheduler);
  spawn_forever(5, [&](int i) {
    const std::lock_guard lock(mutex);
    scheduler.sleep_for(microseconds(i));
  });
  spawn_forever(2, [&](int) {
    if (mutex.try_lock_for(microseconds(3))) mutex.unlock();
    scheduler.sleep_for(microseconds(1));
  });
  expect_no_allocation();
}

TEST_P(SteadyState, ConditionsAndSemaphores) {
  Condition condition(scheduler);
  Semaphore semaphore(scheduler, 2);
  int turn = 0;
  spawn_forever(4, [&](int i) {
    condition.wait_until("turn", [&] { return turn == i; });
    turn = (turn + 1) % 4;
    condition.notify_all();
    const SemaphoreGuard guard(semaphore, "permit");
    scheduler.sleep_for(microseconds(1));
  });
  expect_no_allocation();
}

TEST_P(SteadyState, Channels) {
  Channel<int> unbounded(scheduler);
  Channel<int> bounded(scheduler, 3);
  spawn_forever(3, [&](int) {
    unbounded.push(1);
    bounded.push(1, "room");
    scheduler.sleep_for(microseconds(2));
  });
  spawn_forever(2, [&](int) {
    ASSERT_TRUE(unbounded.pop("value"));
    ASSERT_TRUE(bounded.pop("value"));
  });
  expect_no_allocation();
}

TEST(Tasks, CostOneAllocationEachWhenNameAndBodyAreSmall) {
  if (!allocations_are_counted())
    GTEST_SKIP() << "a sanitizer or valgrind has put its own operator new in place of the counting one";
  RunningDigest digest{0};
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
  std::uint64_t counted = 0;
  scheduler.spawn("parent", [&] {
    for (int i = 0; i < 1'010; ++i) {
      if (i == 10) counted = allocations_so_far();
      const TaskRef child = scheduler.spawn("child", [&scheduler] { scheduler.yield(); });
      scheduler.join(child);
    }
    counted = allocations_so_far() - counted;
  });
  scheduler.run();
  EXPECT_EQ(counted, 1'000u);
}

// Bytes of memory that the process holds now.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

class ManyTasks : public ::testing::TestWithParam<StackGuard> {};

INSTANTIATE_TEST_SUITE_P(Guards, ManyTasks,
                         ::testing::Values(StackGuard::automatic, StackGuard::mprotect, StackGuard::canary));

TEST_P(ManyTasks, AHundredThousandParkAndAreUnwound) {
  constexpr int count = 100'000;
  RunningDigest digest;
  ChoiceOracle choices(7, &digest);
  SchedulerOptions options;
  options.stack_guard = GetParam();
  Scheduler scheduler(options, digest, choices);
  const std::uint64_t before = resident_bytes();
  int unwound = 0;
  for (int i = 0; i < count; ++i) {
    scheduler.spawn("worker", [&] {
      struct AtEnd {
        int& count;
        ~AtEnd() { ++count; }
      } at_end{unwound};
      scheduler.park("forever");
    });
  }
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.live_tasks(), static_cast<std::size_t>(count));
  // One page for the stack, one more for a canary, and the task itself.
  EXPECT_LT(resident_bytes() - before, std::uint64_t{1} << 30);
  scheduler.shut_down();
  EXPECT_EQ(unwound, count);
}

}  // namespace
}  // namespace polarsim::sim

#endif
