// Waiting for goals, and the report of who waits for whom.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "sim/scheduler.h"
#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StallTest : public ::testing::Test {
 protected:
  ~StallTest() override { scheduler.shut_down(); }
  bool reports(const std::string& text) const { return scheduler.stall_report().find(text) != std::string::npos; }

  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
};

TEST_F(StallTest, RunUntilComesBackWhenTheAwaitedTasksHaveEnded) {
  int ticks = 0;
  scheduler.spawn("ticker", [&] {
    for (;;) {
      scheduler.sleep_for(milliseconds(400));
      ++ticks;
    }
  });
  std::vector<TaskRef> goals;
  for (int i = 1; i <= 2; ++i) goals.push_back(scheduler.spawn("goal", [&, i] { scheduler.sleep_for(seconds(i)); }));
  goals.push_back(goals[0]);
  EXPECT_EQ(scheduler.run_until(goals, Time(milliseconds(1500))), GoalOutcome::deadline);
  EXPECT_EQ(scheduler.run_until(goals), GoalOutcome::finished);
  EXPECT_EQ(scheduler.now(), Time(seconds(2)));
  EXPECT_EQ(ticks, 4) << "the tick that is due at two seconds was set after the goal's timer";
  EXPECT_EQ(scheduler.run_until(goals), GoalOutcome::finished) << "at once";
  EXPECT_EQ(scheduler.run(Time(seconds(3))), RunOutcome::deadline) << "the others go on";
  EXPECT_EQ(ticks, 7);
}

TEST_F(StallTest, RunUntilTellsADeadlockFromAStopAndFromAFailure) {
  const TaskRef stuck = scheduler.spawn("stuck", [&] { scheduler.park("nothing"); });
  const TaskRef stopper = scheduler.spawn("stopper", [&] { scheduler.stop(); });
  EXPECT_EQ(scheduler.run_until(stuck), GoalOutcome::stopped);
  EXPECT_TRUE(stopper.finished());
  EXPECT_EQ(scheduler.run_until(stuck), GoalOutcome::deadlock);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  scheduler.spawn("bad", [] { throw std::runtime_error("boom"); });
  EXPECT_THROW(scheduler.run_until(stuck), std::runtime_error);
  scheduler.cancel(stuck);
  EXPECT_EQ(scheduler.run_until(stuck), GoalOutcome::finished) << "a cancelled task has ended, too";
  EXPECT_EQ(scheduler.run_until(std::vector<TaskRef>{}), GoalOutcome::finished);
}

TEST_F(StallTest, TwoMutexesTakenInOppositeOrderAreNamedAsACycle) {
  Mutex catalog(scheduler, "catalog");
  Mutex wal(scheduler, "wal");
  const TaskRef first = scheduler.spawn("a", [&] {
    catalog.lock();
    scheduler.sleep_for(seconds(1));
    wal.lock();
  });
  const TaskRef second = scheduler.spawn("b", [&] {
    wal.lock();
    scheduler.sleep_for(milliseconds(1500));
    catalog.lock();
  });
  EXPECT_EQ(scheduler.run_until(first), GoalOutcome::deadlock);
  EXPECT_EQ(
      scheduler.stall_report(),
      "at 1.500000000 s: 2 live tasks, 0 pending timers\n"
      "  task 1 \"a\": parked in \"mutex\" since 1.000000000 s; waits for mutex \"wal\" held by task 2 \"b\"\n"
      "  task 2 \"b\": parked in \"mutex\" since 1.500000000 s; waits for mutex \"catalog\" held by task 1 \"a\"\n"
      "  cycle: task 1 \"a\" waits for mutex \"wal\" held by task 2 \"b\";"
      " task 2 \"b\" waits for mutex \"catalog\" held by task 1 \"a\"\n");
  EXPECT_EQ(scheduler.stall_report(), scheduler.stall_report());
  scheduler.cancel(second);
  EXPECT_EQ(scheduler.run_until(first), GoalOutcome::deadlock);
  EXPECT_TRUE(reports("held by task 2, which has ended")) << scheduler.stall_report();
  EXPECT_FALSE(reports("cycle")) << scheduler.stall_report();
}

TEST_F(StallTest, ACycleThroughAMutexAJoinAndANurseryIsNamed) {
  Mutex mutex(scheduler);
  TaskRef holder;
  scheduler.spawn("parent", [&] {
    Nursery nursery(scheduler, "children");
    nursery.spawn("child", [&] {
      scheduler.yield();
      mutex.lock();
    });
    nursery.wait();
  });
  holder = scheduler.spawn("holder", [&] {
    mutex.lock();
    scheduler.spawn("joiner", [&] { scheduler.join(holder); });
    scheduler.yield();
    scheduler.yield();
    scheduler.park("waiting for the parent", never);
  });
  scheduler.run();
  EXPECT_FALSE(reports("cycle"));
  EXPECT_TRUE(reports("waits for the end of group \"children\" with task 3 \"child\"")) << scheduler.stall_report();
  EXPECT_TRUE(
      reports("task 4 \"joiner\": parked in \"join\" since 0.000000000 s; waits for the end of task 2 \"holder\""))
      << scheduler.stall_report();
}

TEST_F(StallTest, AJoinAgainstAMutexIsACycle) {
  Mutex mutex(scheduler, "m");
  TaskRef waiter;
  const TaskRef holder = scheduler.spawn("b", [&] {
    mutex.lock();
    scheduler.yield();
    scheduler.join(waiter);
  });
  waiter = scheduler.spawn("a", [&] { mutex.lock(); });
  EXPECT_EQ(scheduler.run_until(waiter), GoalOutcome::deadlock);
  EXPECT_TRUE(reports(
      "cycle: task 1 \"b\" waits for the end of task 2 \"a\"; task 2 \"a\" waits for mutex \"m\" held by task 1 \"b\""))
      << scheduler.stall_report();
}

TEST_F(StallTest, AWaitWithADeadlineIsNoPartOfACycle) {
  Mutex first(scheduler);
  Mutex second(scheduler);
  scheduler.spawn("a", [&] {
    first.lock();
    scheduler.yield();
    EXPECT_FALSE(second.try_lock_until(Time(seconds(9))));
    first.unlock();
  });
  scheduler.spawn("b", [&] {
    second.lock();
    scheduler.yield();
    first.lock();
  });
  scheduler.run(Time(seconds(2)));
  EXPECT_TRUE(reports("until 9.000000000 s")) << scheduler.stall_report();
  EXPECT_FALSE(reports("cycle")) << scheduler.stall_report();
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.live_tasks(), 0u);
}

TEST_F(StallTest, LabelsGroupsAndStatesAreShownAndTheListIsBounded) {
  TaskGroup group("dn1");
  Condition condition(scheduler, "replication");
  Channel<int> channel(scheduler, 1, "log");
  Semaphore semaphore(scheduler, 0, "slots");
  Event event(scheduler);
  Promise<int> promise(scheduler, "answer");
  scheduler.spawn(
      "c", [&] { condition.wait("standby"); }, &group);
  scheduler.spawn("r", [&] { channel.pop("reading"); });
  scheduler.spawn("s", [&] { semaphore.acquire("slot"); });
  scheduler.spawn("e", [&] { event.wait("started"); });
  scheduler.spawn("f", [&] { promise.future().get("reply"); });
  scheduler.run();
  scheduler.spawn("new", [] {});
  EXPECT_TRUE(
      reports("task 1 \"c\" of group \"dn1\": parked in \"standby\" since 0.000000000 s; waits for condition "
              "\"replication\"\n"));
  EXPECT_TRUE(reports("waits for channel \"log\"\n"));
  EXPECT_TRUE(reports("waits for semaphore \"slots\"\n"));
  EXPECT_TRUE(reports("waits for event\n"));
  EXPECT_TRUE(reports("waits for future \"answer\"\n"));
  EXPECT_TRUE(reports("task 6 \"new\": runnable\n"));
  const std::string bounded = scheduler.stall_report(2);
  EXPECT_NE(bounded.find("task 2"), std::string::npos);
  EXPECT_EQ(bounded.find("task 3"), std::string::npos);
  EXPECT_NE(bounded.find("and 4 more\n"), std::string::npos) << bounded;
  scheduler.shut_down();
}

TEST_F(StallTest, ManyCyclesAreCountedAndALongChainIsNoProblem) {
  std::vector<std::unique_ptr<Mutex>> mutexes;
  for (int i = 0; i < 40; ++i) mutexes.push_back(std::make_unique<Mutex>(scheduler));
  for (std::size_t i = 0; i < 40; ++i) {
    scheduler.spawn("t", [&, i] {
      mutexes[i]->lock();
      scheduler.yield();
      mutexes[i ^ 1]->lock();
    });
  }
  TaskRef previous = scheduler.spawn("chain", [&] { scheduler.park("end of the chain"); });
  for (int i = 0; i < 2'000; ++i) previous = scheduler.spawn("chain", [this, previous] { scheduler.join(previous); });
  EXPECT_EQ(scheduler.run_until(previous), GoalOutcome::deadlock);
  EXPECT_TRUE(reports("and 4 more cycles\n"));
  scheduler.shut_down();
}

}  // namespace
}  // namespace polarsim::sim
