// Statements, and what a PostgreSQL 15 said of them: fixtures/analysis.tsv over the tables of
// fixtures/analysis_schema.sql. A line has the statement and answer_of()'s form of the server's answer; a third field
// is what this engine answers where it differs on purpose, after the reason in a comment.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/query/analysis_test_support.h"

namespace polarsim::engine::query {
namespace {

std::string file(const char* name) {
  std::ifstream stream(std::string("engine/query/fixtures/") + name);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Analysis, AnswersAsPostgreSQLDoes) {
  DescribedRelations relations(file("analysis_schema.sql"));
  std::istringstream lines(file("analysis.tsv"));
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    if (line.empty() || line.starts_with("#")) continue;
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, '\t');) fields.push_back(field);
    if (fields.size() < 2) fields.resize(2);
    EXPECT_EQ(answer_of(fields[0], relations), fields.back()) << fields[0];
    ++count;
  }
  EXPECT_GT(count, 300);
}

class AnalysisTrees : public testing::Test {
 protected:
  QueryPtr analysed(std::string_view text) { return analyse_text(text, relations_); }
  DescribedRelations relations_{file("analysis_schema.sql")};
};

TEST_F(AnalysisTrees, InsertHasATargetForEveryColumnWithAValue) {
  const QueryPtr query = analysed("INSERT INTO g (note, base) VALUES ('x', 3)");
  std::string columns;
  for (const Target& target : query->targets) columns += target.name + " ";
  // Identity, serial and defaults are written out; the generated column is the executor's.
  EXPECT_EQ(columns, "id n s base note ");
  EXPECT_TRUE(query->from.empty());
  EXPECT_EQ(analysed("INSERT INTO g (base) VALUES (1), (DEFAULT)")->from.size(), 1U);
  EXPECT_EQ(analysed("INSERT INTO t DEFAULT VALUES")->targets.size(), 0U);
}

TEST_F(AnalysisTrees, ConflictsAreJudgedByTheIndexesMeant) {
  const auto arbiters = [&](std::string_view text) { return analysed(text)->on_conflict->arbiters; };
  EXPECT_EQ(arbiters("INSERT INTO k VALUES (1, 'a') ON CONFLICT (id) DO NOTHING"), std::vector<std::size_t>{0});
  EXPECT_EQ(arbiters("INSERT INTO k VALUES (1, 'a') ON CONFLICT (ref, name) DO NOTHING"), std::vector<std::size_t>{1});
  EXPECT_EQ(arbiters("INSERT INTO k VALUES (1, 'a') ON CONFLICT DO NOTHING"), std::vector<std::size_t>{});
  EXPECT_EQ(arbiters("INSERT INTO u VALUES (1, 'a') ON CONFLICT (y) WHERE z DO NOTHING"), std::vector<std::size_t>{1});
}

TEST_F(AnalysisTrees, TablesAreLockedForWhatIsDoneWithThem) {
  analysed("SELECT * FROM t, u FOR UPDATE OF u");
  analysed("UPDATE t SET a = 1 FROM k");
  EXPECT_EQ(relations_.locks,
            (std::vector<std::string>{"t access_share", "u row_share", "t row_exclusive", "k access_share"}));
  const QueryPtr query = analysed("SELECT * FROM (SELECT a FROM t) s, u FOR SHARE");
  ASSERT_EQ(query->row_marks.size(), 2U);
  EXPECT_EQ(query->row_marks[0].entry, 0);
  EXPECT_EQ(query->row_marks[1].entry, 1);
  const auto& inner = std::get<SubquerySource>(query->entries[0].source);
  ASSERT_EQ(inner.query->row_marks.size(), 1U);
  EXPECT_EQ(inner.query->row_marks[0].strength, syntax::LockStrength::share);
}

TEST_F(AnalysisTrees, CommonTablesCountTheirUses) {
  const QueryPtr query = analysed("WITH x AS (SELECT 1 AS n), y AS (SELECT 2 AS n) SELECT (SELECT n FROM x) FROM x a");
  EXPECT_EQ(query->common_tables[0].uses, 2);
  EXPECT_EQ(query->common_tables[1].uses, 0);
  const QueryPtr recursive =
      analysed("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r");
  EXPECT_TRUE(recursive->common_tables[0].recursive);
  EXPECT_EQ(recursive->common_tables[0].uses, 1);
}

TEST_F(AnalysisTrees, GroupingSetsAreWrittenOut) {
  const QueryPtr query = analysed("SELECT GROUPING(b, a), sum(c) FROM t GROUP BY ROLLUP (a, b)");
  EXPECT_EQ(query->grouping_sets, (std::vector<std::vector<int>>{{}, {0}, {0, 1}}));
  EXPECT_EQ(query->targets[0].expression->as<GroupingCall>()->groups, (std::vector<int>{1, 0}));
  EXPECT_TRUE(analysed("SELECT a FROM t GROUP BY GROUPING SETS ((a))")->grouping_sets.empty());
}

TEST_F(AnalysisTrees, ValuesComeFromTheColumnsOfTables) {
  const QueryPtr query = analysed("SELECT s.b, s.n FROM (SELECT b, a + 1 AS n FROM t) s");
  EXPECT_NE(query->targets[0].table_id, 0U);
  EXPECT_EQ(query->targets[0].table_column, 2);
  EXPECT_EQ(query->targets[1].table_id, 0U);
}

TEST_F(AnalysisTrees, EqualWindowsAreOne) {
  const QueryPtr query =
      analysed("SELECT rank() OVER (ORDER BY a), sum(c) OVER (ORDER BY a), rank() OVER (ORDER BY b) FROM t");
  EXPECT_EQ(query->windows.size(), 2U);
}

}  // namespace
}  // namespace polarsim::engine::query
