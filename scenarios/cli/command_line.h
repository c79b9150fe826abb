// From argv to a command.
#pragma once

#include <string>
#include <variant>

#include "scenarios/cli/options.h"

namespace polarsim::scenarios::cli {

// The command line asked for text and nothing else: --help or --version.
struct PrintText {
  std::string text;
};

// Throws UsageError.
std::variant<PrintText, Command> parse_command_line(int argc, const char* const* argv);

}  // namespace polarsim::scenarios::cli
