// A real PostgreSQL, by libpq: what tests hold the prompt beside psql with, and `polarsim sql --against`.
#pragma once

#include <memory>
#include <string>

#include "scenarios/cli/prompt/connection.h"

namespace polarsim::scenarios::cli::prompt {

// `connection`: as libpq takes it, "host=/tmp/x dbname=postgres". Connects when asked to.
std::unique_ptr<Server> make_libpq_server(const std::string& connection);

}  // namespace polarsim::scenarios::cli::prompt
