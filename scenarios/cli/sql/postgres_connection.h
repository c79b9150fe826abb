// One session of a PostgreSQL, through libpq.
#pragma once

#include <memory>
#include <string>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::cli {

class PostgresConnection : public sql::Connection {
 public:
  // run() in two halves, between which the caller may do something else: one statement at a time.
  virtual void send(const std::string& statement) = 0;
  virtual sql::Answer receive() = 0;
};

// `options`: for libpq. Settings are those of engine/types: ISO dates, UTC. Throws sql::ConnectionError.
std::unique_ptr<PostgresConnection> make_postgres_connection(const std::string& options);

}  // namespace polarsim::scenarios::cli
