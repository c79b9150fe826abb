// One session of a simulated node of its own, with an empty database.
#pragma once

#include <memory>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::sql {

std::unique_ptr<Connection> make_node_connection();

}  // namespace polarsim::scenarios::sql
