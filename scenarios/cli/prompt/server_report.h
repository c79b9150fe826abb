// Errors and notices of a server, and how psql shows them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::scenarios::cli::prompt {

// The fields of ErrorResponse and NoticeResponse; what was not sent is empty.
struct ServerReport {
  std::string severity;  // "ERROR", "NOTICE", ...
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  int position = 0;           // 1-based character of the statement; 0: none
  int internal_position = 0;  // the same of `internal_query`
  std::string internal_query;
  std::string schema, table, column, data_type, constraint;
  std::string file, line, routine;

  bool is_error() const { return severity == "ERROR" || severity == "FATAL" || severity == "PANIC"; }
};

enum class Verbosity : std::uint8_t { standard, verbose, terse, sqlstate };
enum class ShowContext : std::uint8_t { never, errors, always };

// As libpq puts it together (source: PostgreSQL 15, interfaces/libpq/fe-protocol3.c): several lines, ended by a line
// feed. `statement` is what was sent; "" if unknown.
std::string shown_report(const ServerReport& report, std::string_view statement, Verbosity verbosity,
                         ShowContext context);

// "LINE 1: SELECT nothing FROM t" and the line below it that points at the position.
std::string shown_position(std::string_view statement, int position);

}  // namespace polarsim::scenarios::cli::prompt
