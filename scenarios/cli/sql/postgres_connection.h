// One session of a PostgreSQL, through libpq.
#pragma once

#include <memory>
#include <string>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::cli {

// `options`: for libpq. Settings are those of engine/types: ISO dates, UTC. Throws sql::ConnectionError.
std::unique_ptr<sql::Connection> make_postgres_connection(const std::string& options);

}  // namespace polarsim::scenarios::cli
