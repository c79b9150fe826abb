#include "engine/sql/statement_cache.h"

#include <gtest/gtest.h>

#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

class StatementCacheTest : public ::testing::Test {
 protected:
  sim::RunningDigest digest;
  sim::ChoiceOracle choices{1, &digest};
  sim::Scheduler scheduler{sim::SchedulerOptions{}, digest, choices};
};

TEST_F(StatementCacheTest, ATextIsParsedOnce) {
  StatementCache cache(scheduler, 10);
  const auto first = cache.parse("select 1");
  const auto second = cache.parse("select 1");
  EXPECT_EQ(first.at(0), second.at(0));
  EXPECT_EQ(cache.hits(), 1u);
  EXPECT_EQ(cache.misses(), 1u);
}

TEST_F(StatementCacheTest, TheTextUsedLongestAgoIsDropped) {
  StatementCache cache(scheduler, 2);
  cache.parse("select 1");
  cache.parse("select 2");
  cache.parse("select 1");
  cache.parse("select 3");
  EXPECT_EQ(cache.size(), 2u);
  cache.parse("select 1");
  EXPECT_EQ(cache.hits(), 2u);
  cache.parse("select 2");
  EXPECT_EQ(cache.misses(), 4u);
}

TEST_F(StatementCacheTest, ErrorsAreNotKept) {
  StatementCache cache(scheduler, 10);
  EXPECT_THROW(cache.parse("selec"), SqlError);
  EXPECT_THROW(cache.parse("selec"), SqlError);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.misses(), 2u);
}

TEST_F(StatementCacheTest, ErrorsReachTheTaskThatAsked) {
  StatementCache cache(scheduler, 10);
  bool caught = false;
  std::size_t parsed = 0;
  scheduler.spawn("client", [&] {
    parsed = cache.parse("select 1; select 2").size();
    try {
      cache.parse("selec");
    } catch (const SqlError& error) {
      caught = error.sqlstate() == sqlstate::syntax_error;
    }
  });
  scheduler.run();
  EXPECT_EQ(parsed, 2u);
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace polarsim::engine::sql
