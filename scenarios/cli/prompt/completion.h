// What a word that is being typed could become: backslash commands and their arguments, names of variables and nodes,
// words of SQL. Nothing is asked of the cluster, where a question would take simulated time.
#pragma once

#include <string>
#include <vector>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

std::vector<std::string> completions(const Session& session, const std::string& line, std::size_t start);

}  // namespace polarsim::scenarios::cli::prompt
