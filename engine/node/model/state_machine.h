// Gives the same statements in the same order to the model and to something that should behave like it, and compares
// after each one who has answered what and who waits.
//
// A statement of a session that waits is held back until the session is free, and goes before the rest of the program
// then. When the program is over, every open transaction is committed and both tables are read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/node/model/node_model.h"

namespace polarsim::engine::model {

struct Action {
  int session = 0;
  Statement statement;
};
using Program = std::vector<Action>;
std::string to_string(const Program& program);

// A node with sessions, numbered from 0, on which setup_statements() have been run.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void issue(int session, const std::string& sql) = 0;
  // Until every session is idle or waits for a lock, and has looked whether it waits for itself.
  virtual void settle() = 0;
  // "UPDATE 1: 1|11" (rows after the tag, if the statement returns any), "COMMIT", "error 40001"; once; empty while the
  // statement runs.
  virtual std::optional<std::string> take(int session) = 0;
};

struct Report {
  std::string difference;               // empty: they agree
  std::string discarded;                // the program came upon what the model leaves out; up to there they agree
  std::vector<std::string> transcript;  // what the subject did
  Model::Events events;
  std::size_t most_states = 0;  // that the model thought possible at one moment
  std::string text() const;     // transcript and difference
};

Report compare(const Program& program, int sessions, Subject& subject, ModelOptions options = {});

}  // namespace polarsim::engine::model
