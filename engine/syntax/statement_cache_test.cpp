#include "engine/syntax/statement_cache.h"

#include <gtest/gtest.h>

#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

class StatementCacheTest : public ::testing::Test {
 protected:
  int runs = 0;
  StatementCache::RunDeep run_deep = [this](const std::function<void()>& work) {
    ++runs;
    work();
  };
};

TEST_F(StatementCacheTest, ATextIsParsedOnce) {
  StatementCache cache(run_deep, 10);
  const auto first = cache.parse("select 1");
  const auto second = cache.parse("select 1");
  EXPECT_EQ(first.at(0), second.at(0));
  EXPECT_EQ(cache.hits(), 1U);
  EXPECT_EQ(cache.misses(), 1U);
  EXPECT_EQ(runs, 1);
}

TEST_F(StatementCacheTest, TheTextUsedLongestAgoIsDropped) {
  StatementCache cache(run_deep, 2);
  cache.parse("select 1");
  cache.parse("select 2");
  cache.parse("select 1");
  cache.parse("select 3");
  EXPECT_EQ(cache.size(), 2U);
  cache.parse("select 1");
  EXPECT_EQ(cache.hits(), 2U);
  cache.parse("select 2");
  EXPECT_EQ(cache.misses(), 4U);
}

TEST_F(StatementCacheTest, ErrorsAreNotKept) {
  StatementCache cache(run_deep, 10);
  EXPECT_THROW(cache.parse("selec"), SqlError);
  EXPECT_THROW(cache.parse("selec"), SqlError);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.misses(), 2U);
}

}  // namespace
}  // namespace polarsim::engine::syntax
