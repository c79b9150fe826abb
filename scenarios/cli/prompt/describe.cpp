#include "scenarios/cli/prompt/backslash.h"
namespace polarsim::scenarios::cli::prompt {
CommandResult command_describe(CommandCall&) { return CommandResult::unknown; }
CommandResult command_list(CommandCall&) { return CommandResult::unknown; }
}
