// A prompt on a server, as psql is: reads statements and backslash commands, sends them, prints the answers.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/cli/prompt/connection.h"

namespace polarsim::scenarios::cli::prompt {

struct PromptOptions {
  // -c and -f, in order; without any, stdin is read.
  struct Action {
    bool is_file = false;
    std::string text;
  };
  std::vector<Action> actions;
  std::vector<std::pair<std::string, std::optional<std::string>>> variables;  // -v; without value: unset
  std::vector<std::pair<std::string, std::optional<std::string>>> display;    // -P, -A, -t, ...
  bool quiet = false;
  ConnectionInfo connect_to;
  std::string greeting;  // for somebody at a terminal
  std::string version;   // of this program
};

// Connects and does it all. The exit status: 0; 1 for what fails in the prompt itself, such as a missing file, and for
// a failed -c; 2 when the connection went bad and nobody sits there; 3 for an error in a script with ON_ERROR_STOP.
// Throws UsageError for options that make no sense.
int run_prompt(Server& server, const PromptOptions& options);

// Whether somebody sits there: stdin and stdout are terminals.
bool on_terminal();

}  // namespace polarsim::scenarios::cli::prompt
