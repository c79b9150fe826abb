// COPY and what a PostgreSQL 15 did with the same rows: fixtures/copy.txt, in which a statement is followed by what the
// client sent (after <), and by what came back, each line after a tab: rows, lines of COPY TO (after >), the tag or the
// error. Files are copied to and from the node's disk.
#include <gtest/gtest.h>

#include <fstream>

#include "engine/executor/executor_sql_test_support.h"

namespace polarsim::engine::executor::testing {
namespace {

using engine::testing::TestNode;

struct Recorded {
  std::string statement;
  std::string input;
  std::vector<std::string> answer;
};

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      bytes += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return bytes;
}
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '\n' || c == '\t') out += '\\';
    out += c == '\n' ? 'n' : c == '\t' ? 't' : c;
  }
  return out;
}

std::vector<Recorded> recorded_statements() {
  std::ifstream file("engine/executor/fixtures/copy.txt");
  std::vector<Recorded> statements;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('\t')) {
      statements.back().answer.push_back(line.substr(1));
    } else if (line.starts_with('<')) {
      statements.back().input = unescaped(std::string_view(line).substr(1));
    } else {
      statements.push_back({line, "", {}});
    }
  }
  return statements;
}

// A client that sends its bytes in pieces.
class TestStream final : public CopyStream, private CopySource, private CopySink {
 public:
  std::string input;
  std::size_t piece = 1000;
  std::vector<std::string> output;
  std::size_t columns = 0;
  bool is_binary = false;

  CopySource& start_in(std::size_t count, bool binary) override {
    is_binary = binary;
    columns = count;
    return *this;
  }
  CopySink& start_out(std::size_t count, bool binary) override {
    is_binary = binary;
    columns = count;
    return *this;
  }

 private:
  bool read(std::string& chunk) override {
    chunk = input.substr(0, piece);
    input.erase(0, piece);
    return !chunk.empty();
  }
  void write(std::string_view line) override { output.emplace_back(line); }
};

std::vector<std::string> answer_to(SqlRunner& runner, TestStream& stream, const Recorded& recorded) {
  stream.input = recorded.input;
  stream.output.clear();
  std::vector<std::string> lines;
  const std::vector<std::string> answer = runner.run(recorded.statement);
  if (!answer.empty() && answer[0].starts_with("!ERROR")) {
    const ErrorFields& error = runner.last_error;
    lines.push_back("!" + error.sqlstate + ": " + escaped(error.message));
    if (!error.detail.empty()) lines.push_back("DETAIL: " + escaped(error.detail));
    if (!error.hint.empty()) lines.push_back("HINT: " + escaped(error.hint));
    if (!error.context.empty()) lines.push_back("CONTEXT: " + escaped(error.context));
    if (error.position != 0) lines.push_back("POSITION: " + std::to_string(error.position));
    return lines;
  }
  for (const std::string& line : stream.output) lines.push_back(">" + escaped(line));
  for (const std::string& line : answer) lines.push_back(escaped(line));
  return lines;
}

TEST(ExecutorCopy, DoesWhatPostgresDoes) {
  const std::vector<Recorded> statements = recorded_statements();
  ASSERT_GT(statements.size(), 90U);
  for (const std::size_t piece : {1000, 1, 3}) {
    engine::testing::with_node([&](TestNode& node) {
      SqlRunner runner(node);
      TestStream stream;
      stream.piece = piece;
      runner.copy_stream = &stream;
      for (const Recorded& recorded : statements)
        EXPECT_EQ(answer_to(runner, stream, recorded), recorded.answer) << recorded.statement;
    });
  }
}

TEST(ExecutorCopy, WithoutAClientThereIsNoStdin) {
  engine::testing::with_node([&](TestNode& node) {
    SqlRunner runner(node);
    runner.run("CREATE TABLE t (a int)");
    using Lines = std::vector<std::string>;
    EXPECT_EQ(runner.run("COPY t FROM STDIN"), Lines{"!ERROR 0A000: COPY FROM STDIN is not supported here"});
    EXPECT_EQ(runner.run("COPY t TO STDOUT"), Lines{"!ERROR 0A000: COPY TO STDOUT is not supported here"});
    EXPECT_EQ(runner.run("COPY t FROM PROGRAM 'ls'"), Lines{"!ERROR 0A000: COPY FROM PROGRAM is not supported"});
    EXPECT_EQ(runner.run("COPY t TO PROGRAM 'ls'"), Lines{"!ERROR 0A000: COPY TO PROGRAM is not supported"});
  });
}

TEST(ExecutorCopy, FilesAreThoseOfTheNodesDisk) {
  engine::testing::with_node([&](TestNode& node) {
    SqlRunner runner(node);
    using Lines = std::vector<std::string>;
    runner.run("CREATE TABLE t (a int, b text)");
    runner.run("INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 20000) AS i");
    EXPECT_EQ(runner.run("COPY t TO '/tmp/rows' (format csv, header)"), Lines{"COPY 20000"});
    EXPECT_GT(node.host().disk().status("/tmp/rows")->size, 200'000U);
    runner.run("CREATE TABLE u (a int PRIMARY KEY, b text)");
    EXPECT_EQ(runner.run("COPY u FROM '/tmp/rows' (format csv, header match)"), Lines{"COPY 20000"});
    EXPECT_EQ(runner.run("SELECT count(*), sum(a), min(b), max(b) FROM u"), Lines{"20000|200010000|row 1|row 9999"});
    // A file is replaced, and a relative name is looked for in the data directory.
    EXPECT_EQ(runner.run("COPY (SELECT 7, 'x') TO '/tmp/rows'"), Lines{"COPY 1"});
    EXPECT_EQ(runner.run("COPY t FROM 'tmp/rows'"), Lines{"COPY 1"});
    EXPECT_EQ(runner.run("COPY t TO '/tmp'"),
              Lines{"!ERROR 42809: could not open file \"/tmp\" for writing: Is a directory"});
    // Directories are made as a path needs them, but not to read from, and no file becomes one.
    EXPECT_EQ(runner.run("COPY (SELECT 7, 'x') TO '/path/to/rows'"), Lines{"COPY 1"});
    EXPECT_EQ(runner.run("COPY t FROM '/path/to/rows'"), Lines{"COPY 1"});
    EXPECT_EQ(runner.run("COPY t FROM '/path/from/rows'").at(0).substr(0, 12), "!ERROR 58P01");
    EXPECT_FALSE(node.host().disk().exists("/path/from"));
    EXPECT_EQ(runner.run("COPY t TO '/path/to/rows/more'").at(0),
              "!ERROR 42809: could not open file \"/path/to/rows/more\" for writing: Not a directory");
    EXPECT_EQ(runner.run("COPY t FROM '/tmp'"), Lines{"!ERROR 42809: \"/tmp\" is a directory"});
  });
}

TEST(ExecutorCopy, BinaryRowsComeBack) {
  engine::testing::with_node([&](TestNode& node) {
    SqlRunner runner(node);
    TestStream stream;
    runner.copy_stream = &stream;
    using Lines = std::vector<std::string>;
    const std::string columns = "(a int, b text, c numeric, d timestamp, e jsonb, f int[], g varchar(3))";
    runner.run("CREATE TABLE t " + columns);
    runner.run("CREATE TABLE u " + columns);
    runner.run("INSERT INTO t VALUES (1, 'x', 1.50, '2020-01-01', '{\"a\": 1}', '{1,NULL}', 'abc')");
    runner.run("INSERT INTO t VALUES (2)");
    EXPECT_EQ(runner.run("COPY t TO STDOUT (format binary)"), Lines{"COPY 2"});
    EXPECT_TRUE(stream.is_binary);
    ASSERT_EQ(stream.output.size(), 3U) << "the header comes with the first row, the trailer alone";
    std::string bytes;
    for (const std::string& message : stream.output) bytes += message;
    for (const std::size_t piece : {1000, 1}) {
      stream.input = bytes;
      stream.piece = piece;
      EXPECT_EQ(runner.run("COPY u FROM STDIN (format binary)"), Lines{"COPY 2"});
      EXPECT_EQ(runner.run("SELECT * FROM u ORDER BY a"), runner.run("SELECT * FROM t ORDER BY a"));
      runner.run("DELETE FROM u");
    }
    stream.input = bytes;
    runner.run("CREATE TABLE w (a bigint, b text, c numeric, d timestamp, e jsonb, f int[], g varchar(3))");
    EXPECT_EQ(runner.run("COPY w FROM STDIN (format binary)"),
              Lines{"!ERROR 08P01: insufficient data left in message"});
    EXPECT_EQ(runner.last_error.context, "COPY w, line 1, column a");
    EXPECT_EQ(runner.run("COPY (SELECT WHERE false) TO STDOUT (format binary)"), Lines{"COPY 0"});
    EXPECT_EQ(stream.output.back().size(), 21U);
  });
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
