// A conversation with one server, as the prompt needs it: statements as text, answers as text with type OIDs.
//
// Two kinds exist: to a node of the simulated cluster (simulated_connection.h), and to a real PostgreSQL by libpq
// (libpq_connection.h), which the tests hold the prompt beside psql with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/cli/prompt/server_report.h"

namespace polarsim::scenarios::cli::prompt {

// The server does not answer any more, or was never reached; the message may have several lines.
struct ConnectionLost {
  std::string message;
};

struct AnswerColumn {
  std::string name;
  std::uint32_t type = 0;  // OID
  int modifier = -1;
};

using AnswerValue = std::optional<std::string>;

// The answer to one statement.
struct Answer {
  enum class Kind : std::uint8_t { rows, command, empty, error, copy_in, copy_out };
  Kind kind = Kind::empty;
  std::vector<AnswerColumn> columns;
  std::vector<AnswerValue> values;  // row by row
  std::size_t rows = 0;
  std::string tag;                    // of rows and commands: "SELECT 3"
  ServerReport error;                 // of an error
  std::vector<ServerReport> notices;  // that came before it
};

enum class BlockStatus : std::uint8_t { idle, in_block, failed, unknown };

// Data of COPY: of "copy in" what to send, piece by piece (nothing: the end), or why it has to fail; of "copy out" what
// to do with a piece.
struct CopyHandlers {
  struct Refusal {
    std::string message;
  };
  std::function<std::optional<std::string>()> next_piece;  // may throw Refusal
  std::function<void(std::string_view)> take_piece;
  std::function<void()> all_taken;  // after the last piece, before the answer
};

struct ConnectionInfo {
  std::string user;
  std::string database;
  std::string host;
  std::string port;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Sends statements by the simple protocol and gives every answer as it comes, in order; an answer to COPY when its
  // data have gone. Blocks until the server is ready again; throws ConnectionLost.
  virtual void query(const std::string& statements, const CopyHandlers& copy,
                     const std::function<void(Answer)>& on_answer) = 0;
  // Columns of a statement's rows without executing it; or an error.
  virtual Answer describe(const std::string& statement) = 0;
  virtual BlockStatus block_status() const = 0;
  virtual bool usable() const = 0;
  // What the server reports: "server_version", "client_encoding", ...; empty if it does not.
  virtual std::string parameter(const std::string& name) const = 0;
  virtual std::uint32_t process_id() const = 0;
  virtual ConnectionInfo info() const = 0;
};

// Where connections come from.
class Server {
 public:
  virtual ~Server() = default;
  // Fields of `wanted` that are empty are as before. Throws ConnectionLost.
  virtual std::unique_ptr<Connection> connect(const ConnectionInfo& wanted) = 0;
  // Seconds of simulated time; nothing if time is real.
  virtual std::optional<double> simulated_seconds() const = 0;
  // What a clock of the world shows: "Fri Nov 27 09:30:00 2026", UTC.
  virtual std::string date() const = 0;
  // Lets time pass: simulated or, with a real server, real. Ends early when the user interrupts.
  virtual void sleep(double seconds) = 0;
  // For the greeting: what one is connected to.
  virtual std::string description() const = 0;
  // Hosts that can be connected to; empty if unknown.
  virtual std::vector<std::string> nodes() const = 0;
};

}  // namespace polarsim::scenarios::cli::prompt
