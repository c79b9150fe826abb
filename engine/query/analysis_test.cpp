// Statements, and what a PostgreSQL 15 said of them: fixtures/analysis.tsv over the tables of
// fixtures/analysis_schema.sql. A line has the statement and answer_of()'s form of the server's answer; a third field is
// what this engine answers where it differs on purpose, after the reason in a comment.
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

}  // namespace
}  // namespace polarsim::engine::query
