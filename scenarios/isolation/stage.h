// What a case is played on: a fresh database with sessions whose statements are sent one by one, and looked at when
// nothing moves any more.
//
// Two kinds exist: a simulated node (node_stage.h) and a real PostgreSQL (cli/postgres/postgres_stage.h).
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/time.h"

namespace polarsim::scenarios::isolation {

struct Answer {
  std::string tag;                // "UPDATE 1"; empty if there was an error
  bool has_rows = false;          // whether the statement returns rows at all
  std::vector<std::string> rows;  // "1|10", NULL as "null"
  std::string sqlstate;           // empty: success
  std::string message;
  bool failed() const { return !sqlstate.empty(); }
};
// For people: the tag, the rows, or "error 40001 could not serialize ...".
std::string to_string(const Answer& answer);
std::string rows_text(const std::vector<std::string>& rows);

// The stage itself does not work: the server is gone, nothing comes to rest.
struct StageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Stage {
 public:
  virtual ~Stage() = default;
  // A database in which only `setup` (statements separated by ';', of which no literal holds any) has happened, and
  // `sessions` new sessions. Ends what was played before. Returns what was wrong with the setup; empty if nothing.
  virtual std::string begin(const std::string& setup, std::size_t sessions) = 0;
  // One statement of an idle session.
  virtual void issue(std::size_t session, const std::string& sql) = 0;
  // Lets time pass until every session is idle or waits for a lock.
  virtual void settle() = 0;
  // What the session's statement has ended with, once; empty while it runs.
  virtual std::optional<Answer> take(std::size_t session) = 0;
  virtual void pause(sim::Duration length) = 0;
  // The client of an idle session goes away.
  virtual void disconnect(std::size_t session) = 0;
  // One statement of one more session, which must not have to wait.
  virtual Answer query(const std::string& sql) = 0;
};

// The statements of a setup.
std::vector<std::string> split_statements(const std::string& text);

}  // namespace polarsim::scenarios::isolation
