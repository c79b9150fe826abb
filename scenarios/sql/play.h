// Statement files (statement_file.h) played on a connection, and recorded from one.
#pragma once

#include <string>
#include <vector>

#include "scenarios/sql/connection.h"
#include "scenarios/sql/statement_file.h"

namespace polarsim::scenarios::sql {

struct Failure {
  std::string path;
  std::size_t line = 0;
  std::string sql;
  std::string expected;
  std::string got;
};
// "path:line: ...", the statement, what was expected and what came.
std::string to_string(const Failure& failure);

struct Played {
  std::size_t records = 0;  // that were played
  std::size_t skipped = 0;
  std::vector<Failure> failures;
};

// The connection's database should be empty. Goes on after a failure.
Played play(const StatementFile& file, Connection& connection);

// The file's text with what the connection answers in the places of what was expected; SQLSTATEs, counts and types of
// columns too. A statement that says "ok" and fails becomes one that says "error", and the other way round. What
// records skip on this connection stays.
std::string record(const StatementFile& file, Connection& connection);

}  // namespace polarsim::scenarios::sql
