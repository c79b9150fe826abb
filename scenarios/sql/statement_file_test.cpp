#include "scenarios/sql/statement_file.h"

#include <gtest/gtest.h>

#include <deque>

#include "scenarios/sql/play.h"

namespace polarsim::scenarios::sql {
namespace {

std::string problem_of(const std::string& text) {
  try {
    parse_statement_file("x.slt", text);
    return "";
  } catch (const StatementFileError& error) {
    return error.what();
  }
}

TEST(StatementFile, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* problem;
  };
  const Case cases[] = {
      {"statement\nSELECT 1\n", "x.slt:1: expected statement ok, statement count N or statement error"},
      {"# x\n\nstatement ok\n\n", "x.slt:3: expected SQL after this line"},
      {"statement count x\nSELECT 1\n", "x.slt:1: expected a number after statement count"},
      {"statement error 123\nSELECT 1\n",
       "x.slt:1: expected a SQLSTATE of five characters, or nothing, after statement error"},
      {"statement ok\nSELECT 1\n----\n1\n",
       "x.slt:3: expected only notices after the ---- of a statement that succeeds"},
      {"query\nSELECT 1\n----\n", "x.slt:1: expected the types of the columns after query"},
      {"query Q\nSELECT 1\n----\n", "x.slt:1: expected types of IRBTDJAUX?, not Q"},
      {"query I sorted\nSELECT 1\n----\n", "x.slt:1: expected nosort, rowsort, valuesort or colnames, not \"sorted\""},
      {"query I\nSELECT 1\n\n", "x.slt:1: expected ---- and rows after the query"},
      {"query I nosort a b\nSELECT 1\n----\n", "x.slt:1: expected query TYPES OPTIONS LABEL and nothing more"},
      {"select 1\n",
       "x.slt:1: expected statement, query, skipif, onlyif, differs, waits, ends, require, coordinators, all, node, "
       "hash-threshold, "
       "include, loop, endloop or halt, not \"select\""},
      {"skipif\n", "x.slt:1: expected the name of a system after skipif"},
      {"onlyif cluster\n", "x.slt:1: expected a record after skipif, onlyif or differs"},
      {"node\n", "x.slt:1: expected the name of a node after node"},
      {"require\n", "x.slt:1: expected the name of a system after require"},
      {"hash-threshold\n", "x.slt:1: expected a number after hash-threshold"},
      {"include nothing.slt\n", "x.slt:1: cannot read the included file nothing.slt"},
      {"include\n", "x.slt:1: expected a path after include"},
      {"loop i 1\n", "x.slt:1: expected loop NAME FIRST LAST"},
      {"loop i 2 1\nendloop\n", "x.slt:1: expected FIRST not after LAST, and fewer rounds"},
      {"\nloop i 1 2\n", "x.slt:2: expected endloop before the end of the file"},
      {"endloop\n", "x.slt:1: endloop without loop"},
  };
  for (const Case& each : cases) EXPECT_EQ(problem_of(each.text), each.problem) << each.text;
}

TEST(StatementFile, SaysWhichNodeStatementsGoTo) {
  const StatementFile file =
      parse_statement_file("x.slt", "statement ok\na\n\nnode cn2\nstatement ok\nb\n\nstatement ok\nc\n");
  ASSERT_EQ(file.records.size(), 3U);
  EXPECT_EQ(file.records[0].node, "");
  EXPECT_EQ(file.records[1].node, "cn2");
  EXPECT_EQ(file.records[2].node, "cn2");
}

TEST(StatementFile, UnrollsLoopsAndEndsAtHalt) {
  const StatementFile file = parse_statement_file("x.slt", R"(
loop i 1 2
loop j 3 4
statement ok
SELECT ${i}, ${j}

endloop
endloop

halt
nonsense
)");
  std::string all;
  for (const Record& record : file.records) all += record.sql + ";";
  EXPECT_EQ(all, "SELECT 1, 3;SELECT 1, 4;SELECT 2, 3;SELECT 2, 4;");
}

// Answers from a list.
class Parrot final : public Connection {
 public:
  explicit Parrot(std::deque<Answer> answers) : answers_(std::move(answers)) {}
  Answer run(const std::string&) override {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  std::string name() const override { return "polarsim"; }

 private:
  std::deque<Answer> answers_;
};

Answer two_rows() {
  Answer answer;
  answer.has_rows = true;
  answer.columns = {{"a", 23}, {"b", 25}};
  answer.rows = {{"2", "x\ty"}, {std::nullopt, ""}};
  answer.tag = "SELECT 2";
  return answer;
}
Answer failure() {
  Answer answer;
  answer.error = AnswerError{"22012", "division by zero", "", "", 8};
  return answer;
}
Answer tag(const std::string& text) {
  Answer answer;
  answer.tag = text;
  return answer;
}

constexpr const char* played_text = R"(query IT
SELECT 1
----
2	x\ty
NULL	(empty)

query IT rowsort,colnames
SELECT 2
----
a	b
2	x\ty
NULL	(empty)

hash-threshold 3

query IT nosort
SELECT 3
----
4 values hashing to 5bb41e2e18d5cbd1d1ae8a2d2d3e23dd

statement error 22012
SELECT 4
----
division by zero
POSITION: 8

skipif polarsim
statement ok
never

onlyif polarsim
statement count 3
UPDATE
)";

TEST(StatementFile, IsPlayedAndRecorded) {
  const auto answers = [] {
    return std::deque<Answer>{two_rows(), two_rows(), two_rows(), failure(), tag("UPDATE 3")};
  };
  const StatementFile file = parse_statement_file("x.slt", played_text);
  Parrot recorder(answers());
  const std::string recorded = record(file, recorder);
  Parrot parrot(answers());
  const Played played = play(parse_statement_file("x.slt", recorded), parrot);
  EXPECT_EQ(played.records, 5U);
  EXPECT_EQ(played.skipped, 1U);
  EXPECT_TRUE(played.failures.empty()) << to_string(played.failures.front());
  // Everything but the hash was right before.
  const std::size_t hash = recorded.find("4 values hashing to ");
  ASSERT_NE(hash, std::string::npos);
  std::string expected = played_text;
  expected.replace(expected.find("4 values"), 52, recorded.substr(hash, 52));
  EXPECT_EQ(recorded, expected);
}

TEST(StatementFile, WhatIsWrongIsFound) {
  const auto failures = [](const std::string& text, Answer answer) {
    Parrot parrot({std::move(answer)});
    return play(parse_statement_file("x.slt", text), parrot).failures.size();
  };
  EXPECT_EQ(failures("query IT\nSELECT\n----\n2\tx\\ty\nNULL\tNULL\n", two_rows()), 1U);
  EXPECT_EQ(failures("query II\nSELECT\n----\n2\tx\\ty\nNULL\t(empty)\n", two_rows()), 1U);
  EXPECT_EQ(failures("query I?\nSELECT\n----\n2\tx\\ty\nNULL\t(empty)\n", two_rows()), 0U);
  EXPECT_EQ(failures("query IT\nSELECT\n----\n", failure()), 1U);
  EXPECT_EQ(failures("statement ok\nSELECT\n", failure()), 1U);
  EXPECT_EQ(failures("statement error\nSELECT\n", failure()), 0U);
  EXPECT_EQ(failures("statement error 22003\nSELECT\n", failure()), 1U);
  EXPECT_EQ(failures("statement error 22012\nSELECT\n----\ndivision\n", failure()), 1U);
  EXPECT_EQ(failures("statement error\nSELECT\n", two_rows()), 1U);
  EXPECT_EQ(failures("statement count 2\nUPDATE\n", tag("UPDATE 3")), 1U);
}

}  // namespace
}  // namespace polarsim::scenarios::sql
