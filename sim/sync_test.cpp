#include "sim/sync.h"

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SyncTest : public ::testing::Test {
 protected:
  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
  std::vector<int> order;
};

TEST_F(SyncTest, MutexExcludesAndIsHandedOverInOrder) {
  Mutex mutex(scheduler);
  int inside = 0;
  for (int i = 0; i < 5; ++i) {
    scheduler.spawn("t", [&, i] {
      for (int round = 0; round < 3; ++round) {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(++inside, 1);
        order.push_back(i);
        scheduler.sleep_for(milliseconds(1));
        --inside;
      }
    });
  }
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}));
  EXPECT_FALSE(mutex.held());
}

TEST_F(SyncTest, MutexHandedToACancelledTaskGoesToTheNext) {
  Mutex mutex(scheduler);
  scheduler.spawn("holder", [&] {
    mutex.lock();
    scheduler.sleep_for(seconds(1));
    mutex.unlock();
  });
  const TaskRef victim = scheduler.spawn("victim", [&] {
    mutex.lock();
    order.push_back(1);
  });
  scheduler.spawn("next", [&] {
    mutex.lock();
    order.push_back(2);
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
  });
  scheduler.run(Time(milliseconds(999)));
  // The holder's timer was set first, so that the mutex has been handed over when the cancellation falls on the victim.
  scheduler.spawn("killer", [&] {
    scheduler.sleep_until(Time(seconds(1)));
    scheduler.cancel(victim);
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_TRUE(victim.finished());
  EXPECT_EQ(order, (std::vector<int>{2}));
  EXPECT_FALSE(mutex.held());
}

TEST_F(SyncTest, NotificationOfACancelledWaiterReachesTheNext) {
  Condition condition(scheduler);
  std::vector<TaskRef> waiters;
  for (int i = 0; i < 2; ++i) {
    waiters.push_back(scheduler.spawn("waiter", [&, i] {
      condition.wait("test");
      order.push_back(i);
    }));
  }
  scheduler.run();
  condition.notify_one();
  scheduler.cancel(waiters[0]);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{1}));
}

TEST_F(SyncTest, NotificationIsNotLostOnAWaiterWhoseTimeIsUp) {
  Condition condition(scheduler);
  for (int i = 0; i < 2; ++i) {
    scheduler.spawn("waiter", [&, i] {
      const Time deadline = i == 0 ? Time(seconds(1)) : never;
      if (condition.wait("test", deadline) == WakeReason::woken) order.push_back(i);
    });
  }
  // Fires after the first waiter's deadline, at the same instant, before that waiter has run.
  scheduler.run(time_zero);
  scheduler.call_at(Time(seconds(1)), [&] { condition.notify_one(); });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{1}));
}

TEST_F(SyncTest, ConditionWakesInOrderAndTimesOut) {
  Condition condition(scheduler);
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn("waiter", [&, i] {
      if (condition.wait("test", Time(seconds(1))) == WakeReason::woken) order.push_back(i);
    });
  }
  scheduler.spawn("notifier", [&] {
    condition.notify_one();
    condition.notify_one();
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  EXPECT_EQ(scheduler.now(), Time(seconds(1)));
}

TEST_F(SyncTest, EventStaysSet) {
  Event event(scheduler);
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn("waiter", [&, i] {
      EXPECT_TRUE(event.wait("test"));
      order.push_back(i);
    });
  }
  scheduler.spawn("impatient", [&] { EXPECT_FALSE(event.wait("test", Time(milliseconds(5)))); });
  scheduler.call_at(Time(seconds(1)), [&] { event.set(); });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  scheduler.spawn("late", [&] { EXPECT_TRUE(event.wait("test")); });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST_F(SyncTest, ChannelDeliversInOrderAndDrainsAfterClose) {
  Channel<std::unique_ptr<int>> channel(scheduler);
  scheduler.spawn("reader", [&] {
    EXPECT_FALSE(channel.pop("test", Time(milliseconds(1))).has_value()) << "the deadline comes first";
    while (auto value = channel.pop("test")) order.push_back(**value);
    order.push_back(-1);
  });
  scheduler.spawn("writer", [&] {
    scheduler.sleep_for(seconds(1));
    for (int i = 0; i < 4; ++i) channel.push(std::make_unique<int>(i));
    channel.close();
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, -1}));
  EXPECT_TRUE(channel.closed());
}

TEST_F(SyncTest, ChannelSharesItsValuesAmongReaders) {
  Channel<int> channel(scheduler);
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    scheduler.spawn("reader", [&] {
      while (const auto value = channel.pop("test")) {
        sum += *value;
        scheduler.yield();
      }
    });
  }
  scheduler.run();
  for (int i = 1; i <= 100; ++i) channel.push(i);
  channel.close();
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(sum, 5050);
  EXPECT_EQ(scheduler.live_tasks(), 0u);
}

TEST_F(SyncTest, QueueMayGoBeforeItsCancelledWaiters) {
  auto event = std::make_unique<Event>(scheduler);
  auto mutex = std::make_unique<Mutex>(scheduler);
  scheduler.spawn("holder", [&] { mutex->lock(); });
  const TaskRef first = scheduler.spawn("waiter", [&] { event->wait("test"); });
  const TaskRef second = scheduler.spawn("waiter", [&] { mutex->lock(); });
  scheduler.run();
  event.reset();
  mutex.reset();
  scheduler.cancel(first);
  scheduler.cancel(second);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_TRUE(first.finished() && second.finished());
}

}  // namespace
}  // namespace polarsim::sim
