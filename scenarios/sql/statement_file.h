// Files of statements and their answers: sqllogictest, as SQLite defined it (https://www.sqlite.org/sqllogictest) and
// CockroachDB, DuckDB and RisingLight extended it. A file is a sequence of records separated by blank lines, and of
// directives; docs/sqllogictest.md has all of them.
//
// A record is a line "statement ok", "statement count N", "statement error [SQLSTATE]" or "query TYPES [OPTIONS
// [LABEL]]", then SQL, for COPY ... FROM STDIN "<<<<" and its lines, and for errors and queries "----" and what is
// expected. Directives are skipif, onlyif, differs, waits, ends,
// require, coordinators, all, node, hash-threshold, include, loop,
// endloop and halt. Unknown words, and words that lack something, are refused with
// one line that names file, line and what was expected; nothing is passed over in silence.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace polarsim::scenarios::sql {

// One line that names file, line and what was expected.
struct StatementFileError : std::runtime_error {
  StatementFileError(const std::string& path, std::size_t line, const std::string& problem)
      : std::runtime_error(path + ":" + std::to_string(line) + ": " + problem) {}
};

struct Condition {
  bool only = false;  // else: skip
  std::string system;
};

struct Record {
  enum class Kind { statement, query } kind = Kind::statement;
  enum class Outcome { ok, count, error } outcome = Outcome::ok;  // of a statement
  enum class Sort { none, rows, values } sort = Sort::none;

  std::string path;
  std::size_t line = 0;  // of its first word
  std::vector<Condition> conditions;
  std::string node;  // where it is sent; empty: where the connection begins
  std::string sql;
  std::optional<std::string> input;  // of COPY ... FROM STDIN, with line ends
  std::size_t count = 0;
  std::string sqlstate;  // empty: any
  std::string types;
  bool column_names = false;
  enum class Turn { whole, waits, ends } turn = Turn::whole;  // `waits`: it is only begun; `ends`: it was begun before
  bool all = false;                                           // notices and the contexts of errors count, too
  std::string label;
  std::size_t hash_threshold = 0;
  // What is after ----; absent: nothing was said.
  std::optional<std::vector<std::string>> expected;
  // `differs`: the answer is another system's, and ours is another one, for the reason of this name. After a second
  // ---- there is ours.
  std::string difference;
  std::vector<std::string> otherwise;
  // For recording: the lines of the file that it owns, from 1. Those of an included file or of a loop's later rounds
  // have another owner.
  std::size_t sql_end = 0;       // the last line of SQL
  std::size_t expected_end = 0;  // the last line of the record
  bool is_recorded = true;
};

struct StatementFile {
  std::string path;
  std::vector<std::string> lines;  // as they are
  std::string required;            // the only system that it is for; empty: any
  std::size_t coordinators = 2;    // of a cluster for it
  std::vector<Record> records;     // loops unrolled, includes read
};

// Whether a line of what is expected is told beside the result: "NOTICE: text", "WARNING: text".
bool is_notice(const std::string& line);

// Throws StatementFileError, also if a file cannot be read.
StatementFile load_statement_file(const std::string& path);
// The same of a text that is no file; what it includes is relative to `path`.
StatementFile parse_statement_file(const std::string& path, const std::string& text);

}  // namespace polarsim::scenarios::sql
