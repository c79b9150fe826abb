// A real PostgreSQL as a stage: every session is a connection, and time is real.
//
// Which sessions wait is asked of the server, as PostgreSQL's own isolationtester does: a session waits if
// pg_blocking_pids() names somebody. A stage works in a schema of its own, which it makes and drops; prepared
// transactions that a case leaves are rolled back. Nothing else in the database is touched.
#pragma once

#include <memory>
#include <string>

#include "scenarios/isolation/stage.h"

namespace polarsim::scenarios::cli {

struct PostgresStageOptions {
  std::string connection;  // as libpq takes it: "host=/tmp/x dbname=postgres"
  // Sessions that wait for each other count as moving: one of them will be chosen as the deadlock's victim.
  bool await_deadlocks = false;
};

// Throws isolation::StageError if the server cannot be reached, or is no PostgreSQL 15 or later.
std::unique_ptr<isolation::Stage> make_postgres_stage(const PostgresStageOptions& options);

}  // namespace polarsim::scenarios::cli
