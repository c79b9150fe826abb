// The pct policy: its guarantee counted over many seeds, its determinism, and that nobody starves.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/scheduler.h"

namespace polarsim::sim {
namespace {

SchedulerOptions pct(std::uint32_t depth, std::uint64_t steps) {
  SchedulerOptions options;
  options.policy = SchedulingPolicy::pct;
  options.stack_bytes = 32 * 1024;
  options.pct_depth = depth;
  options.pct_steps = steps;
  return options;
}

// One run of tasks that each count their steps, with a scheduling point before every step.
struct World {
  World(const SchedulerOptions& options, std::uint64_t seed)
      : choices(seed, &digest), scheduler(options, digest, choices) {}

  // `step(i)` is called at the i-th step of the task.
  template <typename Step>
  void task(int steps, Step step) {
    scheduler.spawn("t", [this, steps, step] {
      for (int i = 1; i <= steps; ++i) {
        if (i > 1) scheduler.yield();
        step(i);
      }
    });
  }

  RunningDigest digest;
  ChoiceOracle choices;
  Scheduler scheduler;
};

constexpr int long_steps = 12;

// A bug of depth 2: the short task must run between two given steps of the long one.
bool finds_depth_two(const SchedulerOptions& options, std::uint64_t seed) {
  World run(options, seed);
  int reached = 0;
  bool found = false;
  run.task(long_steps, [&](int i) { reached = i; });
  run.task(1, [&](int) { found = reached == 7; });
  run.task(long_steps, [](int) {});
  run.task(long_steps, [](int) {});
  run.scheduler.run();
  return found;
}

// A bug of depth 3: as above, and the short task's second step must come after another given step of the long one.
bool finds_depth_three(const SchedulerOptions& options, std::uint64_t seed) {
  World run(options, seed);
  int reached = 0;
  bool between = false;
  bool found = false;
  run.task(long_steps, [&](int i) { reached = i; });
  run.task(2, [&](int i) {
    if (i == 1) between = reached == 7;
    if (i == 2) found = between && reached >= 10;
  });
  run.scheduler.run();
  return found;
}

// Three standard deviations below what the guaranteed probability gives on average.
double least_expected(int seeds, double probability) {
  const double average = seeds * probability;
  return average - 3 * std::sqrt(average);
}

TEST(PctPolicy, FindsBugsOfDepthTwoAsOftenAsGuaranteed) {
  constexpr int tasks = 4;
  constexpr int steps = 3 * long_steps + 1;
  constexpr int seeds = 3'000;
  int found = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) found += finds_depth_two(pct(2, steps), seed) ? 1 : 0;
  EXPECT_GE(found, least_expected(seeds, 1.0 / (tasks * steps)));
  // Without a change point, no task but one that ends lets another run.
  for (std::uint64_t seed = 0; seed < 300; ++seed) EXPECT_FALSE(finds_depth_two(pct(1, steps), seed));
  EXPECT_FALSE(finds_depth_two(SchedulerOptions{}, 1)) << "in order, the short task comes at the first step";
}

TEST(PctPolicy, FindsBugsOfDepthThreeAsOftenAsGuaranteed) {
  constexpr int tasks = 2;
  constexpr int steps = long_steps + 2;
  constexpr int seeds = 12'000;
  int found = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) found += finds_depth_three(pct(3, steps), seed) ? 1 : 0;
  EXPECT_GE(found, least_expected(seeds, 1.0 / (tasks * steps * steps)));
  for (std::uint64_t seed = 0; seed < 1000; ++seed) EXPECT_FALSE(finds_depth_three(pct(2, steps), seed));
  EXPECT_FALSE(finds_depth_three(SchedulerOptions{}, 1));
}

// Which task takes each step.
std::vector<int> order_of(std::uint64_t seed, std::uint64_t estimated_steps, Digest128* digest = nullptr) {
  World run(pct(3, estimated_steps), seed);
  std::vector<int> order;
  for (int task = 0; task < 6; ++task) run.task(10, [&order, task](int) { order.push_back(task); });
  run.scheduler.run();
  if (digest != nullptr) *digest = run.digest.value();
  return order;
}

int switches(const std::vector<int>& order) {
  int count = 0;
  for (std::size_t i = 1; i < order.size(); ++i) count += order[i] != order[i - 1] ? 1 : 0;
  return count;
}

TEST(PctPolicy, SameSeedSameOrderOtherSeedOtherOrder) {
  Digest128 first, second, other;
  EXPECT_EQ(order_of(1, 60, &first), order_of(1, 60, &second));
  EXPECT_EQ(first, second);
  EXPECT_NE(order_of(1, 60), order_of(2, 60, &other));
  EXPECT_NE(first, other);
  // The same for every compiler and build.
  EXPECT_EQ(first.hex(), "1716979bb78796ffff73b3d549264298");
}

TEST(PctPolicy, SwitchesOnlyAtTheEndsOfTasksAndAtChangePoints) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    // Each of the two change points can interrupt one task, which then goes on later.
    EXPECT_LE(switches(order_of(seed, 60)), 5 + 2);
  }
}

TEST(PctPolicy, ARunLongerThanTheEstimateGoesOnInRounds) {
  int most = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) most = std::max(most, switches(order_of(seed, 10)));
  EXPECT_GT(most, 5 + 2) << "each ten steps have change points and priorities of their own";
}

TEST(PctPolicy, EveryTaskCanComeFirst) {
  std::vector<bool> first(6, false);
  for (std::uint64_t seed = 0; seed < 200; ++seed) first[static_cast<std::size_t>(order_of(seed, 60).front())] = true;
  EXPECT_EQ(first, std::vector<bool>(6, true));
}

TEST(PctPolicy, SpinningTasksDoNotStarveTheOneTheyWaitFor) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    World run(pct(2, 1'000'000), seed);
    bool ready = false;
    for (int i = 0; i < 3; ++i) {
      run.scheduler.spawn("spinner", [&] {
        while (!ready) run.scheduler.yield();
      });
    }
    run.scheduler.spawn("setter", [&] { ready = true; });
    run.scheduler.break_at(2'000);
    EXPECT_EQ(run.scheduler.run(), RunOutcome::idle) << "seed " << seed;
    EXPECT_LE(run.scheduler.events(), 3u * 102 + 10);
    run.scheduler.break_at(0);
    run.scheduler.shut_down();
  }
}

TEST(PctPolicy, TasksThatWakeEachOtherForeverDoNotStarveAThird) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    World run(pct(2, 1'000'000), seed);
    bool done = false;
    TaskRef first;
    TaskRef second;
    const auto play = [&](TaskRef& partner) {
      while (!done) {
        run.scheduler.wake(partner);
        run.scheduler.park("partner");
      }
      run.scheduler.wake(partner);
    };
    first = run.scheduler.spawn("a", [&] { play(second); });
    second = run.scheduler.spawn("b", [&] { play(first); });
    run.scheduler.spawn("c", [&] { done = true; });
    run.scheduler.break_at(2'000);
    EXPECT_EQ(run.scheduler.run(), RunOutcome::idle) << "seed " << seed;
    run.scheduler.break_at(0);
    run.scheduler.shut_down();
  }
}

TEST(PctPolicy, KilledAndCancelledTasksLeaveTheQueueInOrder) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    World run(pct(3, 100), seed);
    TaskGroup group("g");
    int begun = 0;
    int ended = 0;
    for (int i = 0; i < 20; ++i) {
      run.scheduler.spawn(
          "member",
          [&] {
            struct AtEnd {
              int& count;
              ~AtEnd() { ++count; }
            } at_end{ended};
            ++begun;
            for (;;) run.scheduler.yield();
          },
          &group);
    }
    run.task(10, [](int) {});
    run.scheduler.spawn("killer", [&] { run.scheduler.cancel_group(group); });
    EXPECT_EQ(run.scheduler.run(), RunOutcome::idle);
    EXPECT_TRUE(group.empty());
    EXPECT_EQ(ended, begun) << "each that began was unwound, once";
  }
}

}  // namespace
}  // namespace polarsim::sim
