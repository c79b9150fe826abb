// Statements and what a PostgreSQL 15 answered to them, one after the other: files in fixtures, in which a statement is
// followed by what psql -At showed, each line after a tab. catalog.txt has tables of all kinds and what clients ask the
// catalog about them.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "engine/executor/executor_sql_test_support.h"

namespace polarsim::engine::executor::testing {
namespace {

struct Recorded {
  std::string statement;
  std::vector<std::string> answer;
};

std::vector<Recorded> recorded_statements(const std::string& name) {
  std::ifstream file("engine/executor/fixtures/" + name);
  std::vector<Recorded> statements;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('\t')) {
      statements.back().answer.push_back(line.substr(1));
    } else {
      statements.push_back({line, {}});
    }
  }
  return statements;
}

// Whether the statement itself says in which order rows come.
bool is_ordered(const std::string& statement) {
  const std::size_t order = statement.rfind("ORDER BY");
  return order != std::string::npos && statement.find(')', order) == std::string::npos;
}

// Values of several lines are taken apart.
std::string text_of(const std::vector<std::string>& rows, bool ordered) {
  std::vector<std::string> lines;
  for (const std::string& row : rows) {
    std::istringstream text(row);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  if (!ordered) std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void compare_all(const std::string& name, const plan::PlannerSettings& settings, std::size_t work_memory_bytes) {
  const std::vector<Recorded> statements = recorded_statements(name);
  ASSERT_GT(statements.size(), 50U);
  engine::testing::with_node([&](engine::testing::TestNode& node) {
    SqlRunner runner(node);
    runner.settings = settings;
    runner.work_memory_bytes = work_memory_bytes;
    for (const Recorded& recorded : statements) {
      const bool ordered = is_ordered(recorded.statement);
      EXPECT_EQ(text_of(runner.run(recorded.statement), ordered), text_of(recorded.answer, ordered))
          << recorded.statement;
    }
  });
}

TEST(ExecutorSql, AnswersAsPostgresDoes) { compare_all("statements.txt", {}, default_work_memory_bytes); }

TEST(ExecutorSql, ForeignKeysAreEnforcedAsPostgresDoes) {
  compare_all("foreign_keys.txt", {}, default_work_memory_bytes);
}

// Small tables are sampled as a whole, so that the numbers are the same.
TEST(ExecutorSql, StatisticsAndEstimatesAreThoseOfPostgres) {
  compare_all("statistics.txt", {}, default_work_memory_bytes);
}

TEST(ExecutorSql, AnswersAreTheSameByOtherPlansWithLittleMemory) {
  plan::PlannerSettings settings;
  settings.enable_hashjoin = settings.enable_hashagg = settings.enable_seqscan = false;
  compare_all("statements.txt", settings, 64);
  settings = {};
  settings.enable_nestloop = settings.enable_indexscan = false;
  compare_all("statements.txt", settings, 64);
  settings = {};
  settings.enable_nestloop = settings.enable_hashjoin = false;
  compare_all("statements.txt", settings, 64);
}

TEST(ExecutorSql, TheCatalogAnswersAsPostgresDoes) {
  compare_all("catalog.txt", {}, default_work_memory_bytes);
  plan::PlannerSettings settings;
  settings.enable_hashjoin = settings.enable_hashagg = false;
  compare_all("catalog.txt", settings, 64);
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
