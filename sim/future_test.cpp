#include "sim/future.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::seconds;

class FutureTest : public ::testing::Test {
 protected:
  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
  std::vector<std::string> log;
};

TEST_F(FutureTest, EveryWaiterGetsTheValue) {
  Promise<std::string> promise(scheduler);
  for (int i = 0; i < 2; ++i) {
    scheduler.spawn("waiter", [&, future = promise.future()] {
      EXPECT_FALSE(future.ready());
      EXPECT_EQ(future.get("test", Time(seconds(1))), nullptr) << "the deadline comes first";
      log.push_back(*future.get("test"));
      EXPECT_TRUE(future.ready());
      log.push_back(*future.get("test"));
    });
  }
  scheduler.call_at(Time(seconds(2)), [&] { promise.set_value("done"); });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>(4, "done")));
  EXPECT_TRUE(promise.kept());
}

TEST_F(FutureTest, AnExceptionReachesEveryWaiter) {
  Promise<int> promise(scheduler);
  for (int i = 0; i < 2; ++i) {
    scheduler.spawn("waiter", [&, future = promise.future()] {
      try {
        future.get("test");
      } catch (const std::runtime_error& error) {
        log.push_back(error.what());
      }
    });
  }
  scheduler.run();
  promise.set_exception(std::make_exception_ptr(std::runtime_error("boom")));
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>(2, "boom")));
}

TEST_F(FutureTest, APromiseThatEndsOrIsReplacedIsBroken) {
  auto promise = std::make_unique<Promise<void>>(scheduler);
  Promise<void> other(scheduler);
  for (const auto& future : {promise->future(), other.future()}) {
    scheduler.spawn("waiter", [future] { EXPECT_THROW(future.get("test"), BrokenPromise); });
  }
  scheduler.run();
  promise.reset();
  other = Promise<void>(scheduler);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.live_tasks(), 0u);
  const Future<void> kept = other.future();
  other.set_value();
  EXPECT_TRUE(kept.ready());
}

TEST_F(FutureTest, ACancelledOwnerBreaksItsPromise) {
  Future<int> future;
  const TaskRef owner = scheduler.spawn("owner", [&] {
    Promise<int> promise(scheduler);
    future = promise.future();
    scheduler.sleep_for(seconds(9));
    promise.set_value(1);
  });
  scheduler.spawn("waiter", [&] {
    EXPECT_THROW(future.get("test"), BrokenPromise);
    log.push_back("broken");
  });
  scheduler.run(time_zero);
  scheduler.cancel(owner);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(FutureTest, AValueCanBeTakenAndOutlivesItsPromise) {
  Future<std::unique_ptr<int>> future;
  {
    Promise<std::unique_ptr<int>> promise(scheduler);
    future = promise.future();
    promise.set_value(std::make_unique<int>(5));
  }
  scheduler.spawn("taker", [&] {
    const std::optional<std::unique_ptr<int>> value = future.take("test");
    log.push_back(std::to_string(**value));
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"5"}));
}

TEST_F(FutureTest, WaitingWhileUnwindingReturnsAtOnce) {
  Promise<int> promise(scheduler);
  const TaskRef waiter = scheduler.spawn("waiter", [&, future = promise.future()] {
    struct AtEnd {
      const Future<int>& promised;
      std::vector<std::string>& lines;
      ~AtEnd() { lines.push_back(promised.get("in a destructor") == nullptr ? "nothing" : "something"); }
    } at_end{future, log};
    future.get("test");
  });
  scheduler.run();
  scheduler.cancel(waiter);
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"nothing"}));
}

}  // namespace
}  // namespace polarsim::sim
