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

TEST_F(SyncTest, AStrayWakeEndsNoWait) {
  Mutex mutex(scheduler);
  Semaphore semaphore(scheduler, 0);
  Condition condition(scheduler);
  std::vector<TaskRef> waiters;
  scheduler.spawn("holder", [&] { mutex.lock(); });
  waiters.push_back(scheduler.spawn("w", [&] { mutex.lock(); }));
  waiters.push_back(scheduler.spawn("w", [&] { semaphore.acquire("test"); }));
  waiters.push_back(scheduler.spawn("w", [&] { condition.wait("test"); }));
  scheduler.run();
  for (const TaskRef& waiter : waiters) EXPECT_TRUE(scheduler.wake(waiter));
  scheduler.run();
  for (const TaskRef& waiter : waiters) EXPECT_FALSE(waiter.finished());
  scheduler.shut_down();
}

TEST_F(SyncTest, MutexWaitsUntilADeadline) {
  Mutex mutex(scheduler);
  scheduler.spawn("holder", [&] {
    const std::lock_guard lock(mutex);
    scheduler.sleep_for(seconds(2));
  });
  scheduler.spawn("impatient", [&] {
    EXPECT_FALSE(mutex.try_lock_for(seconds(1)));
    EXPECT_EQ(scheduler.now(), Time(seconds(1)));
    order.push_back(1);
  });
  scheduler.spawn("patient", [&] {
    EXPECT_TRUE(mutex.try_lock_until(Time(seconds(5))));
    EXPECT_EQ(scheduler.now(), Time(seconds(2)));
    EXPECT_EQ(mutex.owner(), scheduler.current_id());
    mutex.unlock();
    order.push_back(2);
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(scheduler.now(), Time(seconds(2))) << "the deadline that was not needed is gone";
  EXPECT_FALSE(mutex.held());
}

TEST_F(SyncTest, ConditionWaitsForItsPredicate) {
  Condition condition(scheduler);
  int value = 0;
  scheduler.spawn("waiter", [&] {
    EXPECT_TRUE(condition.wait_until("three", [&] { return value == 3; }));
    EXPECT_EQ(scheduler.now(), Time(seconds(3)));
    EXPECT_FALSE(condition.wait_until(
        "nine", [&] { return value == 9; }, Time(seconds(5))));
    EXPECT_TRUE(condition.wait_until(
        "three", [&] { return value == 3; }, time_zero))
        << "true already";
    order.push_back(value);
  });
  scheduler.spawn("counter", [&] {
    for (int i = 0; i < 3; ++i) {
      scheduler.sleep_for(seconds(1));
      ++value;
      condition.notify_all();
    }
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{3}));
}

TEST_F(SyncTest, SemaphoreHandsItsPermitsOverInOrder) {
  Semaphore semaphore(scheduler, 2);
  for (int i = 0; i < 4; ++i) {
    scheduler.spawn("t", [&, i] {
      const SemaphoreGuard guard(semaphore, "test");
      EXPECT_TRUE(guard.held());
      order.push_back(i);
      scheduler.sleep_for(seconds(1));
    });
  }
  scheduler.spawn("impatient", [&] {
    EXPECT_FALSE(semaphore.acquire("test", Time(milliseconds(1))));
    EXPECT_FALSE(semaphore.try_acquire());
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(scheduler.now(), Time(seconds(2)));
  EXPECT_EQ(semaphore.available(), 2u);
  semaphore.release(3);
  EXPECT_EQ(semaphore.available(), 5u);
}

TEST_F(SyncTest, PermitHandedToACancelledTaskGoesToTheNext) {
  Semaphore semaphore(scheduler, 0);
  std::vector<TaskRef> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(scheduler.spawn("t", [&, i] {
      if (semaphore.acquire("test")) order.push_back(i);
    }));
  }
  scheduler.run();
  semaphore.release();
  scheduler.cancel(waiters[0]);
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1}));
  semaphore.close();
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_TRUE(waiters[2].finished());
  EXPECT_EQ(order, (std::vector<int>{1})) << "the end of a semaphore is no permit";
}

TEST_F(SyncTest, AFullChannelHoldsItsWritersBack) {
  Channel<int> channel(scheduler, 2);
  scheduler.spawn("writer", [&] {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(channel.push(i, "room"));
    order.push_back(-1);
    EXPECT_FALSE(channel.try_push(9));
    EXPECT_FALSE(channel.push(9, "room", Time(seconds(4))));
    EXPECT_EQ(scheduler.now(), Time(seconds(4)));
  });
  scheduler.spawn("reader", [&] {
    for (int i = 1; i <= 3; ++i) {
      scheduler.sleep_until(Time(seconds(i)));
      order.push_back(*channel.pop("value"));
    }
    scheduler.sleep_until(Time(seconds(5)));
    channel.close();
    while (const auto value = channel.pop("value")) order.push_back(*value);
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, -1, 3, 4}));
}

TEST_F(SyncTest, ClosingAChannelEndsEveryWaitAndDropsWhatComesLater) {
  Channel<int> channel(scheduler, 1);
  Channel<int> empty(scheduler);
  scheduler.spawn("writer", [&] {
    EXPECT_TRUE(channel.push(1, "room"));
    EXPECT_FALSE(channel.push(2, "room"));
  });
  scheduler.spawn("reader", [&] { EXPECT_FALSE(empty.pop("value").has_value()); });
  scheduler.run();
  EXPECT_EQ(scheduler.live_tasks(), 2u);
  channel.close();
  empty.close();
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.live_tasks(), 0u);
  EXPECT_FALSE(channel.try_push(3));
  EXPECT_FALSE(empty.push(3));
  EXPECT_EQ(channel.try_pop(), 1);
  EXPECT_EQ(channel.try_pop(), std::nullopt);
  EXPECT_EQ(empty.size(), 0u);
}

TEST_F(SyncTest, AValueInFlightWhenTheChannelClosesReachesTheNextReader) {
  Channel<int> channel(scheduler);
  std::vector<TaskRef> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(scheduler.spawn("reader", [&] { order.push_back(channel.pop("value").value_or(-1)); }));
  }
  scheduler.run();
  channel.push(1);
  channel.close();
  scheduler.cancel(readers[0]);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(order, (std::vector<int>{1, -1}));
}

TEST_F(SyncTest, ChannelReadersAreNotOvertaken) {
  Channel<int> channel(scheduler);
  scheduler.spawn("reader", [&] { order.push_back(*channel.pop("value")); });
  scheduler.run();
  channel.push(1);
  EXPECT_EQ(channel.try_pop(), std::nullopt) << "promised to the reader";
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1}));
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
