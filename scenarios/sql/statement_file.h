// Files of statements and their answers: sqllogictest, as SQLite defined it (https://www.sqlite.org/sqllogictest) and
// CockroachDB, DuckDB and RisingLight extended it. docs/sqllogictest.md is the reference for those who write files.
//
// A file is a sequence of records, separated by blank lines; lines that begin with # are comments.
//
//   statement ok | count N | error [SQLSTATE]        a statement, which succeeds, changes N rows, or fails
//   SQL, one or more lines
//   [----                                             of an error: its message, then "DETAIL: ", "HINT: ", "POSITION: "
//    ...]
//
//   query TYPES [nosort|rowsort|valuesort|colnames,...] [LABEL]
//   SQL, one or more lines
//   ----
//   rows, values separated by tabs; NULL for NULL, (empty) for the empty text, \n and \t for what a line cannot hold;
//   or "N values hashing to MD5", if there are more than hash-threshold values
//
//   skipif NAME, onlyif NAME       for the next record: not on, or only on, that system ("postgresql", "polarsim",
//   "cluster") hash-threshold N               0: never halt                           the rest of the file is not read
//   include PATH                   the records of another file, relative to this one
//   loop NAME FIRST LAST ... endloop      ${NAME} in between is each number from FIRST to LAST, both included
//
// TYPES has a letter for each column: I integers and oid, R numeric and floats, B boolean, T texts, D dates, times and
// intervals, J json and jsonb, A arrays, U uuid, X bytea, ? anything.
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
  std::string sql;
  std::size_t count = 0;
  std::string sqlstate;  // empty: any
  std::string types;
  bool column_names = false;
  std::string label;
  std::size_t hash_threshold = 0;
  // What is after ----; absent: nothing was said.
  std::optional<std::vector<std::string>> expected;
  // For recording: the lines of the file that it owns, from 1. Those of an included file or of a loop's later rounds
  // have another owner.
  std::size_t sql_end = 0;       // the last line of SQL
  std::size_t expected_end = 0;  // the last line of the record
  bool is_recorded = true;
};

struct StatementFile {
  std::string path;
  std::vector<std::string> lines;  // as they are
  std::vector<Record> records;     // loops unrolled, includes read
};

// Throws StatementFileError, also if a file cannot be read.
StatementFile load_statement_file(const std::string& path);
// The same of a text that is no file; what it includes is relative to `path`.
StatementFile parse_statement_file(const std::string& path, const std::string& text);

}  // namespace polarsim::scenarios::sql
