#include "sim/scheduler.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SchedulerTest : public ::testing::Test {
 protected:
  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
  std::vector<std::string> log;
};

TEST_F(SchedulerTest, FifoRunsTasksInOrderOfBecomingRunnable) {
  for (int i = 0; i < 4; ++i) {
    scheduler.spawn("t", [this, i] {
      log.push_back("a" + std::to_string(i));
      scheduler.yield();
      log.push_back("b" + std::to_string(i));
    });
  }
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"}));
  EXPECT_EQ(scheduler.live_tasks(), 0u);
}

TEST_F(SchedulerTest, SleepersWakeInOrderOfTimeThenOfSleeping) {
  for (const int wait : {30, 10, 20, 10}) {
    scheduler.spawn("t", [this, wait] {
      scheduler.sleep_for(milliseconds(wait));
      log.push_back(std::to_string(wait) + "@" + std::to_string(nanoseconds(scheduler.now()) / 1'000'000));
    });
  }
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"10@10", "10@10", "20@20", "30@30"}));
}

TEST_F(SchedulerTest, RunStopsAtTheLimitAndResumes) {
  int ticks = 0;
  scheduler.spawn("ticker", [&] {
    for (;;) {
      scheduler.sleep_for(milliseconds(400));
      ++ticks;
    }
  });
  EXPECT_EQ(scheduler.run(Time(seconds(1))), RunOutcome::deadline);
  EXPECT_EQ(ticks, 2);
  EXPECT_EQ(scheduler.now(), Time(seconds(1)));
  EXPECT_EQ(scheduler.run(Time(milliseconds(500))), RunOutcome::deadline);
  EXPECT_EQ(scheduler.now(), Time(seconds(1)));
  EXPECT_EQ(scheduler.run(Time(seconds(2))), RunOutcome::deadline);
  EXPECT_EQ(ticks, 5) << "what is due at the limit itself still happens";
}

// Runs three timers that are due at one instant, two of which make a task, with an interruption that `prepare` asks
// for.
std::string run_an_instant(SchedulingPolicy policy, const std::function<void(Scheduler&)>& prepare) {
  RunningDigest digest;
  ChoiceOracle choices(7, &digest);
  SchedulerOptions options;
  options.policy = policy;
  Scheduler scheduler(options, digest, choices);
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    scheduler.spawn("t", [&, name] {
      scheduler.sleep_for(seconds(1));
      order += name;
      scheduler.spawn("child", [&order, name] { order += static_cast<char>(name - 'a' + 'A'); });
    });
  }
  scheduler.call_at(Time(seconds(1)), [&] { order += '!'; });
  prepare(scheduler);
  for (int interruptions = 0; interruptions < 3; ++interruptions) {
    try {
      if (scheduler.run() == RunOutcome::idle) break;
    } catch (const std::runtime_error&) {
    }
  }
  return order + " " + digest.value().hex();
}

TEST(SchedulerInterruption, AnInterruptedRunGoesOnAsIfItHadNotBeen) {
  for (const SchedulingPolicy policy : {SchedulingPolicy::fifo, SchedulingPolicy::random, SchedulingPolicy::pct}) {
    const std::string whole = run_an_instant(policy, [](Scheduler&) {});
    for (std::uint64_t event = 1; event <= 14; ++event) {
      EXPECT_EQ(run_an_instant(policy, [event](Scheduler& scheduler) { scheduler.break_at(event); }), whole) << event;
    }
    const auto with_timer = [policy](const std::function<void(Scheduler&)>& action) {
      return run_an_instant(
          policy, [&action](Scheduler& scheduler) { scheduler.call_at(Time(seconds(1)), [&] { action(scheduler); }); });
    };
    const std::string quiet = with_timer([](Scheduler&) {});
    EXPECT_EQ(with_timer([](Scheduler& scheduler) { scheduler.stop(); }), quiet);
    EXPECT_EQ(with_timer([](Scheduler&) { throw std::runtime_error("a callback failed"); }), quiet);
  }
}

TEST_F(SchedulerTest, ATimerForNeverDoesNotFire) {
  const TimerId timer = scheduler.call_at(deadline_after(Time(seconds(1)), Duration::max()), [] { FAIL(); });
  scheduler.spawn("t", [this] { scheduler.sleep_for(seconds(1)); });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.now(), Time(seconds(1)));
  EXPECT_TRUE(scheduler.cancel_timer(timer));
}

TEST_F(SchedulerTest, ParkIsWokenOnceAndKeepsNoTimer) {
  WakeReason reason{};
  const TaskRef sleeper = scheduler.spawn("sleeper", [&] { reason = scheduler.park("test", Time(seconds(5))); });
  scheduler.spawn("waker", [&] {
    EXPECT_TRUE(scheduler.wake(sleeper));
    EXPECT_FALSE(scheduler.wake(sleeper)) << "it is runnable now";
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(reason, WakeReason::woken);
  EXPECT_EQ(scheduler.now(), time_zero);
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST_F(SchedulerTest, ParkTimesOutAndPastDeadlinesLetOthersGoFirst) {
  WakeReason reason{};
  scheduler.spawn("sleeper", [&] {
    reason = scheduler.park("test", Time(seconds(5)));
    log.push_back("timed out");
    scheduler.spawn("other", [&] { log.push_back("other"); });
    EXPECT_EQ(scheduler.park("poll", time_zero), WakeReason::timed_out);
    log.push_back("polled");
  });
  scheduler.run();
  EXPECT_EQ(reason, WakeReason::timed_out);
  EXPECT_EQ(scheduler.now(), Time(seconds(5)));
  EXPECT_EQ(log, (std::vector<std::string>{"timed out", "other", "polled"}));
}

TEST_F(SchedulerTest, TimersAreCancelledOnce) {
  int fired = 0;
  const TimerId first = scheduler.call_at(Time(seconds(1)), [&] { ++fired; });
  const TimerId second = scheduler.call_at(Time(seconds(1)), [&] { ++fired; });
  EXPECT_TRUE(scheduler.cancel_timer(first));
  EXPECT_FALSE(scheduler.cancel_timer(first));
  EXPECT_FALSE(scheduler.cancel_timer(0));
  scheduler.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(scheduler.cancel_timer(second));
  // A reused slot must not answer to its old name.
  scheduler.call_at(Time(seconds(2)), [&] { ++fired; });
  EXPECT_FALSE(scheduler.cancel_timer(first));
  EXPECT_FALSE(scheduler.cancel_timer(second));
  scheduler.run();
  EXPECT_EQ(fired, 2);
}

TEST_F(SchedulerTest, StopEndsTheRunAfterTheCurrentTaskParks) {
  scheduler.spawn("a", [&] {
    scheduler.stop();
    scheduler.stop();
    log.push_back("a");
    scheduler.yield();
    log.push_back("a2");
  });
  scheduler.spawn("b", [&] { log.push_back("b"); });
  EXPECT_EQ(scheduler.run(), RunOutcome::stopped);
  EXPECT_EQ(log, (std::vector<std::string>{"a"}));
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "a2"}));
}

TEST_F(SchedulerTest, BreaksAtAnEventAndGoesOnAsIfItHadNot) {
  scheduler.spawn("t", [&] {
    for (int i = 0; i < 10; ++i) scheduler.sleep_for(milliseconds(1));
  });
  scheduler.break_at(7);
  EXPECT_EQ(scheduler.run(), RunOutcome::stopped);
  EXPECT_EQ(scheduler.events(), 7u);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.events(), 21u) << "ten timers and eleven resumptions";
}

TEST_F(SchedulerTest, JoinWaitsForTheEnd) {
  const TaskRef worker = scheduler.spawn("worker", [&] { scheduler.sleep_for(seconds(3)); });
  scheduler.spawn("joiner", [&] {
    scheduler.join(worker);
    EXPECT_TRUE(worker.finished());
    EXPECT_EQ(scheduler.now(), Time(seconds(3)));
    scheduler.join(worker);
    log.push_back("joined");
  });
  scheduler.run();
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(SchedulerTest, ParkedTasksAreListedForStallReports) {
  TaskGroup group("g");
  scheduler.spawn(
      "lonely", [&] { scheduler.park("waiting for godot"); }, &group);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  const auto parked = scheduler.parked_tasks();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].name, "lonely");
  EXPECT_EQ(parked[0].group, "g");
  EXPECT_EQ(parked[0].reason, "waiting for godot");
  scheduler.shut_down();
}

TEST_F(SchedulerTest, AnExceptionEndsTheRunAndTheRestGoesOn) {
  scheduler.spawn("bad", [&] { throw std::runtime_error("boom"); });
  scheduler.spawn("good", [&] {
    scheduler.sleep_for(seconds(1));
    log.push_back("good");
  });
  EXPECT_THROW(scheduler.run(), std::runtime_error);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(SchedulerTest, OnSchedulerStackPassesExceptionsToTheCaller) {
  scheduler.spawn("caller", [&] {
    int local = 0;
    scheduler.on_scheduler_stack([&] {
      EXPECT_FALSE(scheduler.in_task());
      local = 1;
    });
    EXPECT_EQ(local, 1);
    EXPECT_TRUE(scheduler.in_task());
    try {
      scheduler.on_scheduler_stack([] { throw std::runtime_error("from there"); });
    } catch (const std::runtime_error& error) {
      log.push_back(error.what());
    }
  });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"from there"}));
}

TEST_F(SchedulerTest, ExceptionStateBelongsToEachFiber) {
  // Every task blocks inside its catch block and inside a destructor that runs during unwinding, so that the handlers
  // of many fibers are interleaved; each must still rethrow its own exception.
  int right = 0;
  for (int i = 0; i < 8; ++i) {
    scheduler.spawn("t", [this, i, &right] {
      struct Sleeper {
        Scheduler& scheduler;
        int wait;
        ~Sleeper() {
          EXPECT_EQ(std::uncaught_exceptions(), 1);
          scheduler.sleep_for(milliseconds(wait));
          EXPECT_EQ(std::uncaught_exceptions(), 1);
        }
      };
      try {
        try {
          const Sleeper sleeper{scheduler, (i * 5) % 7 + 1};
          throw i;
        } catch (int caught) {
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          scheduler.sleep_for(milliseconds((i * 3) % 8 + 1));
          EXPECT_EQ(caught, i);
          throw;
        }
      } catch (int rethrown) {
        scheduler.yield();
        if (rethrown == i) ++right;
      }
    });
  }
  scheduler.run();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST_F(SchedulerTest, ExceptionsInFlightOutsideStayOutside) {
  int right = 0;
  scheduler.spawn("t", [&] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(std::current_exception(), nullptr);
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      try {
        throw i;
      } catch (int caught) {
        scheduler.sleep_for(milliseconds(1));
        if (caught == i) ++right;
      }
      scheduler.sleep_for(milliseconds(1));
    }
  });
  struct RunsWhileUnwinding {
    Scheduler& scheduler;
    ~RunsWhileUnwinding() {
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      scheduler.run(Time(milliseconds(3)));
      EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
  };
  try {
    const RunsWhileUnwinding runs{scheduler};
    throw std::runtime_error("outside");
  } catch (const std::runtime_error& error) {
    scheduler.run();
    EXPECT_EQ(std::string(error.what()), "outside");
    EXPECT_NE(std::current_exception(), nullptr);
  }
  EXPECT_EQ(right, 3);
  EXPECT_EQ(std::current_exception(), nullptr);
}

std::vector<int> random_order(std::uint64_t seed, Digest128* result = nullptr) {
  RunningDigest digest;
  ChoiceOracle choices(seed, &digest);
  Scheduler scheduler(SchedulerOptions{SchedulingPolicy::random, 64 * 1024}, digest, choices);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    scheduler.spawn("t", [&scheduler, &order, i] {
      scheduler.yield();
      order.push_back(i);
    });
  }
  scheduler.run();
  if (result != nullptr) *result = digest.value();
  return order;
}

TEST(RandomPolicy, SameSeedSameOrderOtherSeedOtherOrder) {
  Digest128 first, second, other;
  EXPECT_EQ(random_order(1, &first), random_order(1, &second));
  EXPECT_EQ(first, second);
  EXPECT_NE(random_order(1), random_order(2, &other));
  EXPECT_NE(first, other);
}

TEST(RandomPolicy, EveryTaskCanComeFirst) {
  std::vector<bool> first(10, false);
  for (std::uint64_t seed = 0; seed < 200; ++seed) first[static_cast<std::size_t>(random_order(seed).front())] = true;
  EXPECT_EQ(first, std::vector<bool>(10, true));
}

TEST(RandomPolicy, DrawsNothingForASingleTask) {
  RunningDigest digest;
  ChoiceOracle choices(1, &digest);
  Scheduler scheduler(SchedulerOptions{SchedulingPolicy::random, 64 * 1024}, digest, choices);
  scheduler.spawn("only", [&] {
    for (int i = 0; i < 10; ++i) scheduler.yield();
  });
  scheduler.run();
  RandomStream fresh("sched/pick", stable_hash("sched/pick", 1), nullptr);
  EXPECT_EQ(choices.stream("sched/pick").next(), fresh.next());
}

TEST_F(SchedulerTest, StacksAreReused) {
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i) scheduler.spawn("t", [&] { scheduler.sleep_for(milliseconds(1)); });
    scheduler.run();
  }
  EXPECT_LE(scheduler.stacks_created(), 32u);
}

}  // namespace
}  // namespace polarsim::sim
