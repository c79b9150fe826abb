// ANALYZE of tables that are larger than the sample, and inside transactions. Small tables: executor/fixtures/
// statistics.txt.
#include "engine/commands/analyze.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/executor/executor_sql_test_support.h"

namespace polarsim::engine::commands {
namespace {

using engine::testing::TestNode;
using executor::testing::SqlRunner;

catalog::TableStatistics statistics_of(TestNode& node, const std::string& table) {
  const catalog::TablePtr found = node.instance().database().catalog().find_table(nullptr, "public", table);
  return found->description->statistics.value_or(catalog::TableStatistics{});
}

TEST(Analyze, ALargeTableIsKnownBySample) {
  engine::testing::with_node([](TestNode& node) {
    SqlRunner sql(node);
    sql.run("CREATE TABLE t (id int, few int, skewed int)");
    sql.run(
        "INSERT INTO t SELECT i, i % 1000, CASE WHEN i % 4 = 0 THEN -1 ELSE i * 7 % 20000 END "
        "FROM generate_series(1, 50000) i");
    EXPECT_EQ(sql.run("ANALYZE t"), std::vector<std::string>{"ANALYZE"});
    const catalog::TableStatistics found = statistics_of(node, "t");
    EXPECT_EQ(found.rows, 50000);
    ASSERT_EQ(found.columns.size(), 3U);
    EXPECT_EQ(found.columns[0].distinct, -1);
    EXPECT_EQ(found.columns[0].histogram.size(), 101U);
    EXPECT_NEAR(found.columns[0].correlation, 1, 0.0001);
    EXPECT_EQ(found.columns[1].distinct, 1000);
    // All are as common: none is worth a place in the list.
    EXPECT_LT(found.columns[1].most_common.size(), 20U);
    // 15000 different values beside the common one: the sample has most of them, many of them once.
    EXPECT_NEAR(std::abs(found.columns[2].distinct) * 50000, 15000, 1500);
    ASSERT_FALSE(found.columns[2].most_common.empty());
    EXPECT_EQ(found.columns[2].most_common[0], "-1");
    EXPECT_NEAR(found.columns[2].most_common_frequencies[0], 0.25, 0.02);

    sql.run("ANALYZE t");
    EXPECT_EQ(statistics_of(node, "t"), found) << "a sample is always the same";
    EXPECT_EQ(sql.run("EXPLAIN SELECT * FROM t WHERE few = 17"), std::vector<std::string>{"rows=50"});
  });
}

TEST(Analyze, GoesAwayWithItsTransactionAndWaitsForNobodyIfAskedNotTo) {
  engine::testing::with_node([](TestNode& node) {
    SqlRunner sql(node);
    SqlRunner other(node);
    sql.run("CREATE TABLE t (a int)");
    sql.run("INSERT INTO t VALUES (1), (1), (2)");
    sql.begin();
    sql.run("ANALYZE t");
    EXPECT_EQ(other.run("SELECT count(*) FROM pg_stats"), std::vector<std::string>{"0"});
    EXPECT_EQ(sql.run("SELECT n_distinct FROM pg_stats"), std::vector<std::string>{"-0.6666667"});
    other.run("ANALYZE (SKIP_LOCKED) t");
    EXPECT_EQ(other.run("SELECT count(*) FROM pg_stats"), std::vector<std::string>{"0"});
    EXPECT_EQ(other.run("INSERT INTO t VALUES (3)"), std::vector<std::string>{"INSERT 0 1"});
    sql.rollback();
    EXPECT_EQ(sql.run("SELECT count(*) FROM pg_stats"), std::vector<std::string>{"0"});
    other.run("ANALYZE");
    EXPECT_EQ(sql.run("SELECT tablename, n_distinct FROM pg_stats"), std::vector<std::string>{"t|-0.75"});
  });
}

TEST(Analyze, PagesAreChosenFairly) {
  RandomSequence random(1);
  EXPECT_EQ(choose_pages(0, 10, random).size(), 0U);
  EXPECT_EQ(choose_pages(3, 10, random), (std::vector<storage::BlockNumber>{0, 1, 2}));
  std::vector<int> times(20, 0);
  for (int i = 0; i < 4000; ++i) {
    const std::vector<storage::BlockNumber> chosen = choose_pages(20, 5, random);
    ASSERT_EQ(chosen.size(), 5U);
    for (std::size_t j = 0; j < chosen.size(); ++j) {
      ASSERT_TRUE(j == 0 || chosen[j - 1] < chosen[j]);
      ++times.at(chosen[j]);
    }
  }
  for (const int count : times) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace polarsim::engine::commands
