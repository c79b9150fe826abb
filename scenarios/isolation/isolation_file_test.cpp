#include "scenarios/isolation/isolation_file.h"

#include <gtest/gtest.h>

#include "scenarios/isolation/isolation_files.h"

namespace polarsim::scenarios::isolation {
namespace {

const std::string head = "description = 'd'\nsource = 's'\nsessions = ['a', 'b']\n[[case]]\nname = 'c'\n";

std::string problem_of(const std::string& text) {
  const auto file = parse_isolation_file(text, "x.toml");
  return file ? "" : file.error().message;
}

TEST(IsolationFile, ReadsWhatItSays) {
  const auto file = parse_isolation_file(
      "description = 'd'\nsource = 's'\nsetup = 'CREATE TABLE t (id int)'\nsessions = ['a', 'b']\n"
      "[[case]]\nname = 'c'\nsetup = 'INSERT INTO t VALUES (1)'\n"
      "steps = [\n  {session = 'a', sql = 'BEGIN', tag = 'BEGIN'},\n  {session = 'b', sql = 'X', until = 3, error = "
      "'40001'},\n  {pause_ms = 50},\n  {session = 'a', disconnect = true},\n]\n"
      "final = [{sql = 'SELECT 1', rows = ['1']}]\n",
      "x.toml");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->cases.size(), 1U);
  const Case& read = file->cases[0];
  EXPECT_EQ(read.source, "s");
  EXPECT_EQ(read.setup, "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1)");
  ASSERT_EQ(read.steps.size(), 4U);
  EXPECT_EQ(read.steps[0].until, 1U) << "does not wait";
  EXPECT_EQ(read.steps[0].expectation.kind, Expectation::Kind::tag);
  EXPECT_EQ(read.steps[1].session, 1U);
  EXPECT_EQ(read.steps[1].until, 3U);
  EXPECT_EQ(read.steps[1].expectation.text, "40001");
  EXPECT_EQ(read.steps[1].line, 10U);
  EXPECT_EQ(read.steps[2].kind, Step::Kind::pause);
  EXPECT_EQ(read.steps[3].kind, Step::Kind::disconnect);
  EXPECT_TRUE(read.timed());
  ASSERT_EQ(read.final.size(), 1U);
}

TEST(IsolationFile, WritesForEachOut) {
  const auto file = parse_isolation_file(
      "description = 'd'\nsource = 's'\nsessions = ['a', 'b']\n[[case]]\nname = '$lock as $n'\n"
      "for_each = [{lock = 'FOR SHARE', until = 'no', n = 1, error = ''}, {lock = 'FOR UPDATE', until = '2', n = 2, "
      "error = '55P03'}]\n"
      "steps = [{session = 'a', sql = 'SELECT $lock $1', until = '$until', error = '$error'}, {session = 'b', sql = "
      "'COMMIT'}]\n",
      "x.toml");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->cases.size(), 2U);
  EXPECT_EQ(file->cases[0].name, "FOR SHARE as 1");
  EXPECT_EQ(file->cases[0].steps[0].sql, "SELECT FOR SHARE $1");
  EXPECT_EQ(file->cases[0].steps[0].until, 1U);
  EXPECT_EQ(file->cases[0].steps[0].expectation.kind, Expectation::Kind::success);
  EXPECT_EQ(file->cases[1].steps[0].until, 2U);
  EXPECT_EQ(file->cases[1].steps[0].expectation.text, "55P03");
}

TEST(IsolationFile, SaysWhereItIsWrong) {
  const std::string ok = "steps = [{session = 'a', sql = 'BEGIN'}]\n";
  EXPECT_EQ(problem_of(head + ok), "");
  EXPECT_EQ(problem_of(head + ok + "sesions = ['a']\n"),
            "x.toml:7:1: case[0].sesions: unknown key; expected one of name, description, source, setup, sessions, "
            "for_each, steps, final");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', sql = 'BEGIN', tagg = 'x'}]\n"),
            "x.toml:6:41: case[0].steps[0].tagg: unknown key; expected one of session, sql, tag, rows, error, until, "
            "pause_ms, disconnect");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'x', sql = 'BEGIN'}]\n"),
            "x.toml:6:21: case[0].steps[0].session: expected one of a, b, found 'x'");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a'}]\n"), "x.toml:6:10: case[0].steps[0].sql: missing");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', sql = 'X', until = 1}]\n"),
            "x.toml:6:45: case[0].steps[0].until: this is step 1 of 1: it can wait until a later one only, found 1");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', sql = 'X', error = 'oops'}]\n"),
            "x.toml:6:45: case[0].steps[0].error: 'oops' is no SQLSTATE");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', sql = 'X', until = 2}, {session = 'a', sql = 'Y'}]\n"),
            "x.toml:6:60: case[0].steps[1].session: a waits until step 2 has been issued");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', sql = '$x'}]\n"),
            "x.toml:6:32: case[0].steps[0].sql: nothing in for_each is called 'x'");
  EXPECT_EQ(problem_of(head + "steps = [{session = 'a', pause_ms = 5}]\n"),
            "x.toml:6:21: case[0].steps[0].session: a pause has no such key");
  EXPECT_EQ(problem_of(head + ok + "[[case]]\nname = 'c'\n" + ok),
            "x.toml:8:8: case[1].name: there is another 'c' in this file");
  EXPECT_EQ(problem_of("description = 'd'\n"), "x.toml:1:1: case: missing");
  EXPECT_NE(problem_of("description = \n"), "");
}

TEST(IsolationFile, AllThatComeAlongCanBeRead) {
  std::size_t cases = 0;
  for (const std::string& path : isolation_files()) {
    const auto file = load_isolation_file(path);
    ASSERT_TRUE(file) << file.error().message;
    cases += file->cases.size();
  }
  EXPECT_GT(cases, 500U);
}

}  // namespace
}  // namespace polarsim::scenarios::isolation
