// Where a cluster has put the rows of its tables, looked at on the nodes themselves: statements of coordinators tell
// nothing of copies of reference tables that differ, or of rows in shards that are not theirs.
#pragma once

#include <string>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::cli::test {

// What is wrong; empty: nothing. The connection's sessions of each node, "cn1/places" and the like, are used.
std::string misplaced_rows(sql::Connection& cluster);

}  // namespace polarsim::scenarios::cli::test
