// How tasks end before their time: cancel(), cancel_group(), nurseries, and what unwinding tasks may do.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/scheduler.h"
#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CancellationTest : public ::testing::TestWithParam<SchedulingPolicy> {
 public:
  // Notes that it was destroyed, and that its task was unwinding then.
  struct Guard {
    CancellationTest& test;
    std::string name;
    ~Guard() { test.log.push_back((std::uncaught_exceptions() > 0 ? "unwound " : "left ") + name); }
  };

  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{GetParam(), 64 * 1024}, digest, choices};
  std::vector<std::string> log;
};

INSTANTIATE_TEST_SUITE_P(Policies, CancellationTest,
                         ::testing::Values(SchedulingPolicy::fifo, SchedulingPolicy::random, SchedulingPolicy::pct),
                         [](const auto& param_info) {
                           switch (param_info.param) {
                             case SchedulingPolicy::fifo:
                               return "fifo";
                             case SchedulingPolicy::random:
                               return "random";
                             case SchedulingPolicy::pct:
                               break;
                           }
                           return "pct";
                         });

TEST_P(CancellationTest, ParkedTaskIsUnwound) {
  const TaskRef task = scheduler.spawn("t", [&] {
    const Guard guard{*this, "parked"};
    scheduler.park("forever");
    log.push_back("not reached");
  });
  scheduler.run();
  scheduler.cancel(task);
  scheduler.cancel(task);
  EXPECT_FALSE(task.finished()) << "cancel() only makes it runnable";
  scheduler.run();
  EXPECT_TRUE(task.finished());
  EXPECT_EQ(log, (std::vector<std::string>{"unwound parked"}));
  scheduler.cancel(task);  // No effect on a finished task.
}

TEST_P(CancellationTest, SleepingTaskIsUnwoundAtOnceAndLeavesNoTimer) {
  const TaskRef task = scheduler.spawn("t", [&] {
    const Guard guard{*this, "sleeper"};
    scheduler.sleep_for(seconds(100));
  });
  scheduler.call_at(Time(seconds(1)), [&] { scheduler.cancel(task); });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound sleeper"}));
  EXPECT_EQ(scheduler.now(), Time(seconds(1)));
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST_P(CancellationTest, ReadyTaskIsUnwoundAtTheCallThatItWasWokenFrom) {
  const TaskRef task = scheduler.spawn("t", [&] {
    const Guard guard{*this, "ready"};
    scheduler.park("test");
    log.push_back("not reached");
  });
  scheduler.run();
  scheduler.wake(task);
  scheduler.cancel(task);
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound ready"}));
}

TEST_P(CancellationTest, UnstartedTaskNeverRunsButDropsItsCaptures) {
  auto token = std::make_shared<int>(1);
  const TaskRef task = scheduler.spawn("t", [this, token] { log.push_back("not reached"); });
  scheduler.cancel(task);
  scheduler.run();
  EXPECT_TRUE(task.finished());
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(token.use_count(), 1);
}

TEST_P(CancellationTest, TaskThatCancelsItselfEndsAtItsNextBlockingCall) {
  scheduler.spawn("t", [&] {
    const Guard guard{*this, "self"};
    scheduler.cancel(scheduler.current());
    log.push_back("goes on");
    scheduler.yield();
    log.push_back("not reached");
  });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"goes on", "unwound self"}));
}

TEST_P(CancellationTest, BlockedInACatchBlock) {
  const TaskRef task = scheduler.spawn("t", [&] {
    const Guard guard{*this, "outer"};
    try {
      throw std::runtime_error("first");
    } catch (const std::runtime_error&) {
      scheduler.sleep_for(seconds(100));
      log.push_back("not reached");
    }
  });
  scheduler.call_at(Time(seconds(1)), [&] { scheduler.cancel(task); });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound outer"}));
}

TEST_P(CancellationTest, CatchAllThatBlocksIsCancelledAgain) {
  const TaskRef task = scheduler.spawn("t", [&] {
    try {
      scheduler.park("forever");
    } catch (...) {
      log.push_back("caught");
      scheduler.park("again");
      log.push_back("not reached");
    }
  });
  scheduler.run();
  scheduler.cancel(task);
  scheduler.run();
  EXPECT_TRUE(task.finished());
  EXPECT_EQ(log, (std::vector<std::string>{"caught"}));
}

TEST_P(CancellationTest, BlockingCallsInDestructorsReturnAtOnceWhileUnwinding) {
  Mutex mutex(scheduler);
  Event event(scheduler);
  Channel<int> channel(scheduler);
  Condition condition(scheduler);
  TaskRef other;
  struct Blocker {
    CancellationTest& test;
    Mutex& mutex;
    Event& event;
    Channel<int>& channel;
    Condition& condition;
    TaskRef& other;
    ~Blocker() {
      EXPECT_TRUE(test.scheduler.unwinding());
      EXPECT_EQ(test.scheduler.park("x"), WakeReason::cancelled);
      test.scheduler.yield();
      test.scheduler.sleep_for(seconds(5));
      EXPECT_EQ(condition.wait("x"), WakeReason::cancelled);
      EXPECT_FALSE(event.wait("x"));
      EXPECT_FALSE(channel.pop("x").has_value());
      mutex.lock();
      mutex.unlock();
      test.scheduler.join(other);
      test.log.push_back("done");
    }
  };
  other = scheduler.spawn("other", [&] {
    mutex.lock();
    scheduler.park("holds the mutex");
    mutex.unlock();
  });
  const TaskRef task = scheduler.spawn("t", [&] {
    const Blocker blocker{*this, mutex, event, channel, condition, other};
    scheduler.park("forever");
  });
  scheduler.run();
  scheduler.cancel(task);
  scheduler.run();
  EXPECT_TRUE(task.finished());
  EXPECT_EQ(scheduler.now(), time_zero);
  EXPECT_EQ(log, (std::vector<std::string>{"done"}));
  EXPECT_TRUE(mutex.held()) << "the other task's hold is not touched";
  scheduler.shut_down();
}

TEST_P(CancellationTest, TaskCancelledWhileItBlocksInADestructorIsNotThrownAt) {
  // An ordinary exception is in flight; its destructor waits. The cancellation must not throw into it.
  const TaskRef task = scheduler.spawn("t", [&] {
    struct Waiter {
      CancellationTest& test;
      ~Waiter() {
        EXPECT_EQ(test.scheduler.park("in destructor"), WakeReason::cancelled);
        test.log.push_back("returned");
      }
    };
    try {
      const Waiter waiter{*this};
      throw std::runtime_error("ordinary");
    } catch (const std::runtime_error&) {
      log.push_back("caught");
    }
    scheduler.yield();
    log.push_back("not reached");
  });
  scheduler.run();
  scheduler.cancel(task);
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"returned", "caught"}));
}

TEST_P(CancellationTest, GroupIsCancelledLastSpawnedFirstBeforeAnyoneElseRuns) {
  TaskGroup group("g");
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn(
        "member",
        [this, i] {
          const Guard guard{*this, std::to_string(i)};
          scheduler.park("forever");
        },
        &group);
  }
  scheduler.spawn("killer", [&] {
    scheduler.spawn("bystander", [&] { log.push_back("bystander"); });
    scheduler.sleep_for(seconds(1));
    scheduler.spawn("late bystander", [&] { log.push_back("late bystander"); });
    scheduler.cancel_group(group);
    EXPECT_TRUE(group.empty());
    log.push_back("killed");
  });
  scheduler.run();
  EXPECT_EQ(log,
            (std::vector<std::string>{"bystander", "unwound 2", "unwound 1", "unwound 0", "killed", "late bystander"}));
}

TEST_P(CancellationTest, MemberCancelsItsOwnGroup) {
  TaskGroup group("g");
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn(
        "member",
        [this, i, &group] {
          const Guard guard{*this, std::to_string(i)};
          if (i == 1) {
            scheduler.sleep_for(seconds(1));
            scheduler.cancel_group(group);
            log.push_back("not reached");
          }
          scheduler.park("forever");
        },
        &group);
  }
  scheduler.run();
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(scheduler.live_tasks(), 0u);
  EXPECT_EQ(log, (std::vector<std::string>{"unwound 2", "unwound 1", "unwound 0"}));
}

TEST_P(CancellationTest, NurseryChildCancelsTheGroupOfItsParent) {
  // The child ends in the middle of its own call, because its parent's nursery drains it.
  TaskGroup group("host");
  scheduler.spawn(
      "parent",
      [&] {
        const Guard guard{*this, "parent"};
        Nursery nursery(scheduler, "nursery");
        nursery.spawn("child", [&] {
          const Guard child_guard{*this, "child"};
          scheduler.sleep_for(seconds(1));
          scheduler.cancel_group(group);
          log.push_back("not reached");
        });
        nursery.wait();
      },
      &group);
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound child", "unwound parent"}));
  EXPECT_EQ(scheduler.live_tasks(), 0u);
}

TEST_P(CancellationTest, NestedNurseriesUnwindFromTheInside) {
  TaskGroup group("host");
  scheduler.spawn(
      "a",
      [&] {
        const Guard guard_a{*this, "a"};
        Nursery outer(scheduler, "outer");
        outer.spawn("b", [&] {
          const Guard guard_b{*this, "b"};
          Nursery inner(scheduler, "inner");
          inner.spawn("c", [&] {
            const Guard guard_c{*this, "c"};
            scheduler.park("forever");
          });
          inner.wait();
        });
        outer.wait();
      },
      &group);
  scheduler.run();
  scheduler.cancel_group(group);
  EXPECT_EQ(log, (std::vector<std::string>{"unwound c", "unwound b", "unwound a"}));
}

TEST_P(CancellationTest, NurseryLeftOrdinarilyDrainsItsChildren) {
  scheduler.spawn("parent", [&] {
    {
      Nursery nursery(scheduler, "nursery");
      for (int i = 0; i < 2; ++i) {
        nursery.spawn("child", [this, i] {
          const Guard guard{*this, std::to_string(i)};
          scheduler.park("forever");
        });
      }
      scheduler.sleep_for(milliseconds(1));
    }
    log.push_back("after");
    scheduler.yield();  // The parent itself was not cancelled.
    log.push_back("alive");
  });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound 1", "unwound 0", "after", "alive"}));
}

TEST_P(CancellationTest, TaskInTheMiddleOfADestructorIsOnlyMarked) {
  TaskGroup group("g");
  struct Canceller {
    CancellationTest& test;
    TaskGroup& group;
    ~Canceller() {
      test.scheduler.cancel_group(group);
      test.log.push_back("child " + std::to_string(group.size()));
    }
  };
  for (const bool by_exception : {false, true}) {
    log.clear();
    scheduler.spawn(
        "parent",
        [&, by_exception] {
          const Guard guard{*this, "parent"};
          try {
            Nursery nursery(scheduler, "nursery");
            nursery.spawn("child", [&] {
              const Canceller canceller{*this, group};
              scheduler.park("forever");
            });
            scheduler.sleep_for(milliseconds(1));
            if (by_exception) throw std::runtime_error("ordinary");
          } catch (const std::runtime_error&) {
          }
          log.push_back("drained");
          scheduler.yield();
          log.push_back("not reached");
        },
        &group);
    scheduler.run();
    EXPECT_EQ(log, (std::vector<std::string>{"child 1", "drained", "unwound parent"}));
    EXPECT_TRUE(group.empty());
  }
}

TEST_P(CancellationTest, NurseryWaitRethrowsTheFirstFailure) {
  scheduler.spawn("parent", [&] {
    Nursery nursery(scheduler, "nursery");
    nursery.spawn("bad", [&] {
      scheduler.sleep_for(seconds(1));
      throw std::runtime_error("first");
    });
    nursery.spawn("worse", [&] {
      scheduler.sleep_for(seconds(2));
      throw std::runtime_error("second");
    });
    try {
      nursery.wait();
    } catch (const std::runtime_error& error) {
      log.push_back(error.what());
      EXPECT_EQ(scheduler.now(), Time(seconds(2))) << "wait() blocks until every task has ended";
    }
    nursery.wait();
  });
  scheduler.run();
  EXPECT_EQ(log, (std::vector<std::string>{"first"}));
}

TEST_P(CancellationTest, TasksSpawnedByUnwindingMembersNeverStart) {
  TaskGroup group("g");
  struct Spawner {
    CancellationTest& test;
    TaskGroup& group;
    ~Spawner() {
      test.scheduler.spawn(
          "late", [this] { test.log.push_back("not reached"); }, &group);
    }
  };
  scheduler.spawn(
      "t",
      [&] {
        const Spawner spawner{*this, group};
        scheduler.park("forever");
      },
      &group);
  scheduler.run();
  scheduler.cancel_group(group);
  EXPECT_TRUE(group.empty());
  scheduler.run();
  EXPECT_TRUE(log.empty());
}

TEST_P(CancellationTest, ShutDownUnwindsEveryTaskAndForgetsTimers) {
  auto token = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn("t", [this, i] {
      const Guard guard{*this, std::to_string(i)};
      scheduler.sleep_for(seconds(i + 1));
    });
  }
  scheduler.call_at(Time(seconds(9)), [token] {});
  scheduler.run(Time(milliseconds(1)));
  scheduler.shut_down();
  EXPECT_EQ(log, (std::vector<std::string>{"unwound 2", "unwound 1", "unwound 0"}));
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST_P(CancellationTest, ExceptionsOfDyingTasksSurfaceInRun) {
  TaskGroup group("g");
  scheduler.spawn(
      "t",
      [&] {
        try {
          scheduler.park("forever");
        } catch (const TaskCancelled&) {
          throw std::runtime_error("while dying");
        }
      },
      &group);
  scheduler.run();
  scheduler.cancel_group(group);
  EXPECT_THROW(scheduler.run(), std::runtime_error);
}

using CancellationDeathTest = CancellationTest;
INSTANTIATE_TEST_SUITE_P(Fifo, CancellationDeathTest, ::testing::Values(SchedulingPolicy::fifo));

TEST_P(CancellationDeathTest, LoopThatIgnoresItsCancellationAborts) {
  EXPECT_DEATH(
      {
        const TaskRef task = scheduler.spawn("t", [&] {
          for (;;) {
            try {
              scheduler.park("forever");
            } catch (const TaskCancelled&) {
            }
          }
        });
        scheduler.run();
        scheduler.cancel(task);
        scheduler.run();
      },
      "goes on blocking");
}

TEST_P(CancellationDeathTest, BlockingOutsideATaskAborts) {
  EXPECT_DEATH(scheduler.sleep_for(seconds(1)), "outside any task");
}

}  // namespace
}  // namespace polarsim::sim
