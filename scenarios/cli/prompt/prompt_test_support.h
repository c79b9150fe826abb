// For tests that hold the prompt beside the real psql.
#pragma once

#include <string>
#include <vector>

namespace polarsim::scenarios::cli::prompt::test {

struct ProgramOutcome {
  int status = -1;
  std::string out;
  std::string error;
};

// Runs a program in a folder, its stdin from `input`.
ProgramOutcome run_program(const std::vector<std::string>& command, const std::string& input,
                           const std::string& folder = ".");

inline constexpr const char* psql_program = "/usr/lib/postgresql/15/bin/psql";

// psql, without ~/.psqlrc, on a server's socket in `socket_folder`.
std::vector<std::string> psql_command(const std::string& socket_folder, const std::string& database,
                                      const std::vector<std::string>& options = {});

}  // namespace polarsim::scenarios::cli::prompt::test
