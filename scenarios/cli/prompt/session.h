// The state of a prompt, and how it speaks: what psql keeps in its one global structure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/cli/prompt/broken_pipes.h"
#include "scenarios/cli/prompt/connection.h"
#include "scenarios/cli/prompt/statement_scanner.h"
#include "scenarios/cli/prompt/table.h"
#include "scenarios/cli/prompt/variables.h"

namespace polarsim::scenarios::cli::prompt {

enum class Echo : std::uint8_t { none, errors, queries, all };
enum class OnError : std::uint8_t { off, on, interactive };
enum class EchoHidden : std::uint8_t { off, on, noexec };

// psql's statuses.
namespace prompt_status {
inline constexpr int success = 0;
inline constexpr int failure = 1;
inline constexpr int connection_lost = 2;
inline constexpr int script_error = 3;  // ON_ERROR_STOP
}  // namespace prompt_status

// What the variables with a meaning say.
struct Settings {
  bool autocommit = true;
  bool on_error_stop = false;
  OnError on_error_rollback = OnError::off;
  Echo echo = Echo::none;
  EchoHidden echo_hidden = EchoHidden::off;
  bool quiet = false;
  bool singleline = false;
  bool show_all_results = true;
  bool hide_table_method = false;
  bool hide_compression = false;
  Verbosity verbosity = Verbosity::standard;
  ShowContext show_context = ShowContext::errors;
  int ignore_eof = 0;
  int history_size = 500;
  bool ignore_space = false;
  bool ignore_duplicates = false;
  std::string prompt1, prompt2, prompt3;
};

// Where lines come from.
class Input {
 public:
  // Somebody pressed Ctrl-C instead of ending a line.
  struct Interrupted {};

  virtual ~Input() = default;
  // Without the line feed; none at the end. `prompt` is for somebody who types.
  virtual std::optional<std::string> next_line(const std::string& prompt) = 0;
  // A terminal.
  virtual bool interactive() const { return false; }
  virtual void remember(const std::string& /*statement*/) {}
  // All that was remembered, one line each; nothing if nothing ever is.
  virtual std::optional<std::string> history() const { return std::nullopt; }
};

// \if
class Conditions {
 public:
  enum class Branch : std::uint8_t {
    taken,      // this one is executed
    not_taken,  // none yet: an \elif or \else may be
    done,       // another one was executed
    ignored,    // the whole \if lies in a branch that is not executed
    else_taken,
    else_not_taken,
  };
  struct Level {
    Branch branch;
    std::size_t statement_length;  // what had been typed of a statement when the branch began
    int parentheses;
  };
  bool active() const {
    return levels.empty() || levels.back().branch == Branch::taken || levels.back().branch == Branch::else_taken;
  }
  std::vector<Level> levels;
};

// Where answers go.
class Output {
 public:
  Output() = default;
  ~Output() { close(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  // A file, or with '|' a command; empty for stdout again. An error text if that cannot be.
  std::string open(const std::string& target);
  // False, with errno, if not all has arrived in a file; how a command ended does not matter.
  bool close();
  // From now on what is written goes nowhere.
  void discard() { discards_ = true; }
  bool is_stdout() const { return file_ == nullptr && !discards_; }
  // Both: false, with errno, if a file or command does not take it. What stdout does not take ends the program later
  // on.
  bool write(std::string_view text);
  bool flush();

 private:
  std::FILE* file_ = nullptr;
  bool is_pipe_ = false;
  std::optional<BrokenPipesTolerated> tolerated_;  // of a command
  bool discards_ = false;
};

class Session {
 public:
  explicit Session(Server& on_server);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- what it says ---
  void out(std::string_view text) { output.write(text); }  // answers
  void say(std::string_view text);                         // to stdout, whatever \o says
  void error(const std::string& text) { log("error: ", text); }
  void warn(const std::string& text) { log("warning: ", text); }
  void hint(const std::string& text) { log("hint: ", text); }
  void info(const std::string& text) { log("", text); }  // what the server says
  // The server's errors and notices.
  void show_notices(const Answer& answer, const std::string& statement);
  void show_error(const ServerReport& report, const std::string& statement);

  // --- connections ---
  // False, and says so, without one.
  bool has_connection();
  // After a new connection or none: variables such as HOST.
  void note_connection();
  // The server has gone: says so, and, if somebody sits before it, tries again.
  void on_connection_lost(const std::string& message);

  // For the scanner.
  std::optional<std::string> variable(const std::string& name, QuotedAs quoted);
  // Runs a command of the shell; its output without the line feed at the end.
  std::string command_output(const std::string& command);

  Server& server;
  std::unique_ptr<Connection> connection;
  ConnectionInfo last_connection;
  Variables variables;
  Settings settings;
  TableStyle style;
  std::string null_text;
  std::optional<std::string> title;
  std::size_t pager = 0;
  std::size_t pager_min_lines = 0;
  bool timing = false;
  Output output;
  Conditions* conditions = nullptr;  // of the input that is being read
  Input* input = nullptr;            // the same, for COPY ... FROM STDIN
  Input* standard_input = nullptr;   // of the program

  bool on_terminal = false;     // stdin and stdout are
  bool interactive = false;     // what is being read is typed by somebody
  std::string input_file;       // that is being read; empty for stdin and -c
  std::size_t line_number = 0;  // 0: none has been read
  // Messages are from somewhere, and say so: what -f says, as long as no input has been read that is none.
  bool names_program = true;
  std::size_t statement_line = 1;

  // What \errverbose shows.
  struct LastError {
    ServerReport report;
    std::string statement;
  };
  std::optional<LastError> last_error;

 private:
  void log(const char* level, const std::string& text);
  void define_variables();
  void define_switch(const std::string& name, bool& value, bool otherwise);
};

// 'text', with E'...' if it has a backslash; "text".
std::string quoted_literal(std::string_view text);
std::string quoted_identifier(std::string_view text);

}  // namespace polarsim::scenarios::cli::prompt
