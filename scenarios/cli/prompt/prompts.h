// What stands before the line that is typed.
#pragma once

#include <string>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// PROMPT1, PROMPT2 or PROMPT3 with its escapes (documentation of psql, "Prompting") filled in; those for PROMPT1 if
// nothing is open. `%[` and `%]` give nothing.
std::string shown_prompt(Session& session, const std::string& pattern, OpenPart open);
std::string shown_prompt(Session& session, OpenPart open);

}  // namespace polarsim::scenarios::cli::prompt
