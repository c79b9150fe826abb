// A connection of the prompt to a node of the simulated cluster, over the simulated network.
#pragma once

#include <memory>

#include "scenarios/cli/prompt/connection.h"

namespace polarsim::scenarios::cli::prompt {

class SimulatedServer;

// Throws ConnectionLost.
std::unique_ptr<Connection> open_simulated_connection(SimulatedServer& server, const ConnectionInfo& wanted);

}  // namespace polarsim::scenarios::cli::prompt
