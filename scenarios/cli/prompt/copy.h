// COPY between the server and this machine: stdin and stdout, and files of \copy.
#pragma once

#include <functional>
#include <string>

#include "scenarios/cli/prompt/connection.h"
#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// COPY ... FROM STDIN takes what follows in the input that is being read, up to a line "\."; COPY ... TO STDOUT writes
// to what `output` then gives, and tells by `on_failure` that it does not take it. A COPY that the server refuses takes
// nothing: what follows is read as statements, even if it was meant as data, as psql does.
CopyHandlers copy_of_session(Session& session, const std::function<Output&()>& output,
                             const std::function<void()>& on_failure);

// \copy: the argument is the rest of the line.
bool copy_command(Session& session, const std::string& arguments);

}  // namespace polarsim::scenarios::cli::prompt
