// One client of a simulated cluster of its own: two data nodes, four shards a table, through the wire protocol. It
// begins on the first coordinator, cn1. Its database is empty.
#pragma once

#include <cstddef>
#include <memory>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::sql {

std::unique_ptr<Connection> make_cluster_connection(std::size_t coordinators = 2);

}  // namespace polarsim::scenarios::sql
