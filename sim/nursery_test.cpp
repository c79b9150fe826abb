#include "sim/nursery.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NurseryTest : public ::testing::Test {
 protected:
  // Notes when the calling task is unwound.
  struct AtEnd {
    NurseryTest& test;
    std::string name;
    ~AtEnd() { test.log.push_back(name + "@" + std::to_string(nanoseconds(test.scheduler.now()) / 1'000'000'000)); }
  };
  void sleeper(const std::string& name, int wait_seconds) {
    const AtEnd at_end{*this, name};
    scheduler.sleep_for(seconds(wait_seconds));
  }

  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{}, digest, choices};
  std::vector<std::string> log;
};

TEST_F(NurseryTest, ADeadlineCancelsWhatStillRuns) {
  scheduler.spawn("owner", [&] {
    Nursery nursery(scheduler, "n", {.deadline = Time(seconds(5))});
    nursery.spawn("short", [&] { sleeper("short", 2); });
    nursery.spawn("long", [&] { sleeper("long", 9); });
    EXPECT_FALSE(nursery.expired());
    EXPECT_TRUE(nursery.wait());
    EXPECT_TRUE(nursery.expired());
    EXPECT_TRUE(nursery.cancelled());
    nursery.spawn("late", [&] { log.push_back("late"); });
    EXPECT_TRUE(nursery.wait());
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"short@2", "long@5"}));
  EXPECT_EQ(scheduler.now(), Time(seconds(5)));
}

TEST_F(NurseryTest, ADeadlineThatIsNotNeededLeavesNoTimer) {
  scheduler.spawn("owner", [&] {
    Nursery nursery(scheduler, "n", {.deadline = Time(seconds(5))});
    nursery.spawn("short", [&] { sleeper("short", 2); });
    EXPECT_TRUE(nursery.wait());
    EXPECT_FALSE(nursery.expired());
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(scheduler.now(), Time(seconds(2)));
}

TEST_F(NurseryTest, TheFirstFailureCancelsTheSiblingsIfAsked) {
  for (const bool cancel : {true, false}) {
    const Time start = scheduler.now();
    log.clear();
    scheduler.spawn("owner", [&] {
      Nursery nursery(scheduler, "n", {.cancel_on_failure = cancel});
      nursery.spawn("sibling", [&] { sleeper("sibling", 1'000); });
      nursery.spawn("bad", [&] {
        scheduler.sleep_for(seconds(1));
        throw std::runtime_error("boom");
      });
      EXPECT_THROW(nursery.wait(), std::runtime_error);
      EXPECT_EQ(scheduler.now() - start, seconds(cancel ? 1 : 1'000));
    });
    EXPECT_EQ(scheduler.run(), RunOutcome::idle);
    EXPECT_EQ(log.size(), 1u);
  }
}

TEST_F(NurseryTest, WaitingHasADeadlineOfItsOwn) {
  scheduler.spawn("owner", [&] {
    Nursery nursery(scheduler, "n");
    nursery.spawn("child", [&] { sleeper("child", 3); });
    EXPECT_FALSE(nursery.wait(Time(seconds(1))));
    EXPECT_EQ(nursery.size(), 1u);
    EXPECT_TRUE(nursery.wait(Time(seconds(4))));
    EXPECT_EQ(scheduler.now(), Time(seconds(3)));
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"child@3"}));
}

TEST_F(NurseryTest, AChildMayCancelItsSiblingsAndGoOn) {
  scheduler.spawn("owner", [&] {
    Nursery nursery(scheduler, "n");
    nursery.spawn("sibling", [&] { sleeper("sibling", 9); });
    nursery.spawn("canceller", [&] {
      scheduler.sleep_for(seconds(1));
      nursery.cancel();
      scheduler.sleep_for(seconds(1));
      log.push_back("canceller");
    });
    EXPECT_TRUE(nursery.wait());
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"sibling@1", "canceller"}));
}

TEST_F(NurseryTest, JoiningHasADeadline) {
  const TaskRef child = scheduler.spawn("child", [&] { sleeper("child", 3); });
  TaskGroup group("g");
  scheduler.spawn(
      "member", [&] { sleeper("member", 4); }, &group);
  scheduler.spawn("joiner", [&] {
    EXPECT_FALSE(scheduler.join(child, Time(seconds(1))));
    EXPECT_TRUE(scheduler.join(child, Time(seconds(5))));
    EXPECT_EQ(scheduler.now(), Time(seconds(3)));
    EXPECT_FALSE(scheduler.join_group(group, Time(milliseconds(3500))));
    EXPECT_TRUE(scheduler.join_group(group, Time(seconds(9))));
    EXPECT_EQ(scheduler.now(), Time(seconds(4)));
  });
  EXPECT_EQ(scheduler.run(), RunOutcome::idle);
  EXPECT_EQ(log, (std::vector<std::string>{"child@3", "member@4"}));
}

}  // namespace
}  // namespace polarsim::sim
