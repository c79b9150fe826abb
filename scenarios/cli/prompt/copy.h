// COPY between the server and this machine: stdin and stdout, and files of \copy.
#pragma once

#include <functional>
#include <string>

#include "scenarios/cli/prompt/connection.h"
#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// COPY ... FROM STDIN takes what follows in the input that is being read, up to a line "\."; COPY ... TO STDOUT writes
// to what `output` then gives.
CopyHandlers copy_of_session(Session& session, const std::function<Output&()>& output);

// After a statement that failed without having asked for data: if it was COPY ... FROM STDIN, they stand in the input
// all the same, and are no statements. From a terminal none have been typed.
void pass_over_data(Session& session, const std::string& statement);

// \copy: the argument is the rest of the line.
bool copy_command(Session& session, const std::string& arguments);

}  // namespace polarsim::scenarios::cli::prompt
