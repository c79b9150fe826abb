#include "scenarios/cli/prompt/main_loop.h"

#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/prompts.h"
#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* byte_order_mark = "\xef\xbb\xbf";

StatementScanner make_scanner(Session& session) {
  ScannerServices services;
  services.variable = [&session](const std::string& name, QuotedAs quoted) { return session.variable(name, quoted); };
  services.command_output = [&session](const std::string& command) { return session.command_output(command); };
  services.warn = [&session](const std::string& message) { session.warn(message); };
  services.error = [&session](const std::string& message) { session.error(message); };
  return StatementScanner(std::move(services));
}

bool standard_strings(const Session& session) {
  return session.connection == nullptr || session.connection->parameter("standard_conforming_strings") != "off";
}

// What the session reads from; the outer input comes back at the end.
class Reading {
 public:
  Reading(Session& session, Input& input, Conditions& conditions)
      : session_(session),
        input_(std::exchange(session.input, &input)),
        conditions_(std::exchange(session.conditions, &conditions)),
        interactive_(std::exchange(session.interactive, input.interactive())),
        line_number_(std::exchange(session.line_number, 0)),
        statement_line_(std::exchange(session.statement_line, 1)) {}
  ~Reading() {
    session_.input = input_;
    session_.conditions = conditions_;
    session_.interactive = interactive_;
    session_.line_number = line_number_;
    session_.statement_line = statement_line_;
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Session& session_;
  Input* input_;
  Conditions* conditions_;
  bool interactive_;
  std::size_t line_number_;
  std::size_t statement_line_;
};

class MainLoop {
 public:
  MainLoop(Session& session, Input& input)
      : session_(session), input_(input), reading_(session, input, conditions_), scanner_(make_scanner(session)) {}

  int run() {
    while (status_ == prompt_status::success && !left_) {
      try {
        if (!step()) break;
      } catch (const Input::Interrupted&) {
        interrupt();
      }
    }
    if (!session_.interactive) finish();
    return status_;
  }

 private:
  // One line; false at the end of the input.
  bool step() {
    if (statement_.empty() && scanner_.open_part() == OpenPart::nothing) session_.statement_line = 1;
    if (std::exchange(shows_edited_, false) && session_.interactive && !statement_.empty()) {
      session_.say(shown_prompt(session_, OpenPart::nothing) + statement_ + "\n");
    }
    const std::string prompt = session_.interactive ? shown_prompt(session_, scanner_.open_part()) : "";
    auto line = input_.next_line(prompt);
    if (!line) return !at_end_of_typing();
    ends_seen_ = 0;
    ++session_.line_number;
    if (session_.line_number == 1 && line->starts_with(byte_order_mark)) line->erase(0, 3);
    if (session_.interactive && is_word_for_help(*line)) return true;
    if (left_) return true;
    // Empty lines are no part of a statement, but for those in quotes.
    if (line->empty() && !scanner_.in_quote()) return true;
    if (session_.settings.echo == Echo::all && !session_.interactive) session_.say(*line + "\n");
    added_line_end_ = !statement_.empty();
    if (added_line_end_) statement_ += '\n';
    line_start_ = statement_.size();
    scanner_.set_standard_strings(standard_strings(session_));
    // What this line says of it is for the next.
    stops_on_error_ = session_.settings.on_error_stop;
    stopped_ = false;
    history_ += (history_.empty() ? "" : "\n") + *line;
    scanner_.set_line(std::move(*line));
    scan_line();
    if (scanner_.open_part() == OpenPart::nothing) remember();
    ++session_.statement_line;
    return true;
  }

  void scan_line() {
    while (status_ == prompt_status::success && !left_ && !stopped_) {
      const ScanStop stop = scanner_.scan(statement_);
      if (stop == ScanStop::semicolon || (stop == ScanStop::end_of_line && session_.settings.singleline)) {
        end_statement();
        if (stop == ScanStop::end_of_line) return;
      } else if (stop == ScanStop::backslash) {
        run_command();
      } else {
        return;
      }
    }
  }

  void remember() {
    if (session_.interactive) input_.remember(history_);
    history_.clear();
  }

  void end_statement() {
    if (!conditions_.active()) {
      if (session_.interactive) {
        session_.error("query ignored; use \\endif or Ctrl-C to exit current \\if block");
      }
      return;
    }
    if (statement_.empty()) return;
    send();
  }

  void send() {
    const Delivery delivery = std::exchange(delivery_, Delivery{});
    const std::string sent = std::exchange(statement_, "");
    note(send_statement(session_, sent, delivery));
    if (!sent.empty()) previous_ = sent;
    session_.statement_line = 1;
  }

  void run_command() {
    // A line with nothing but a command leaves the statement as it was.
    if (added_line_end_ && statement_.size() == line_start_) statement_.pop_back();
    added_line_end_ = false;
    const CommandResult result =
        run_backslash_command(session_, scanner_, conditions_, statement_, previous_, delivery_);
    session_.statement_line = 1;
    switch (result) {
      case CommandResult::send:
        if (statement_.empty()) statement_ = previous_;
        send();
        scanner_.reset();
        break;
      case CommandResult::edited: {
        scanner_.drop_line();
        history_ = statement_;
        std::string text = std::exchange(statement_, "");
        scanner_.set_line(std::move(text));
        shows_edited_ = true;
        break;
      }
      case CommandResult::terminate:
        left_ = true;
        terminated_ = true;
        break;
      case CommandResult::failed:
        note(false);
        break;
      case CommandResult::done:
      case CommandResult::unknown:
        break;
    }
  }

  // What a failure means for what follows.
  void note(bool good) {
    interrupts::take();
    // Nobody is there to say how to go on.
    const bool interrupted = interrupts::taken();
    if (session_.interactive) {
      if (good || !stops_on_error_) return;
      // Whoever sits there goes on, and not with the rest of the line.
      scanner_.drop_line();
      stopped_ = true;
      return;
    }
    if (interrupted) status_ = prompt_status::script_error;
    if (!good && stops_on_error_) {
      status_ = prompt_status::script_error;
    } else if (session_.connection == nullptr) {
      status_ = prompt_status::connection_lost;
    }
  }

  // Ctrl-D. True if that is the end.
  bool at_end_of_typing() {
    if (!session_.interactive) return true;
    if (++ends_seen_ < session_.settings.ignore_eof) {
      if (!session_.settings.quiet) session_.say("Use \"\\q\" to leave polarsim.\n");
      return false;
    }
    session_.say(session_.settings.quiet ? "\n" : "\\q\n");
    return true;
  }

  void interrupt() {
    interrupts::take();
    session_.say("\n");
    if (!conditions_.levels.empty()) {
      session_.info("\\if: escaped");
      conditions_.levels.pop_back();
    }
    statement_.clear();
    history_.clear();
    delivery_ = Delivery{};
    scanner_.drop_line();
  }

  // "help", "quit" and "exit" are words of the prompt where a statement could begin.
  bool is_word_for_help(const std::string& line) {
    std::string word = line.substr(0, line.find_last_not_of(" \t;") + 1);
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool open = !statement_.empty();
    const OpenPart part = scanner_.open_part();
    const bool in_quote = part != OpenPart::nothing && part != OpenPart::statement && part != OpenPart::parenthesis;
    if (word == "help") {
      if (open) {
        session_.say("Use \\? for help or press control-C to clear the input buffer.\n");
        return false;
      }
      session_.say(
          "You are using polarsim sql, a prompt for a simulated cluster.\n"
          "Type:  \\h for help with SQL commands\n"
          "       \\? for help with backslash commands\n"
          "       \\g or terminate with semicolon to execute query\n"
          "       \\q to quit\n");
      return true;
    }
    if (word == "exit" || word == "quit") {
      if (open) {
        session_.say(in_quote ? "Use control-D to quit.\n" : "Use \\q to quit.\n");
        return false;
      }
      left_ = true;
      terminated_ = true;
      return true;
    }
    if (word == "\\q" && open && in_quote) session_.say("Use control-D to quit.\n");
    return false;
  }

  // A last statement needs no semicolon in a file.
  void finish() {
    if (!terminated_ && status_ == prompt_status::success && !statement_.empty() && conditions_.active()) send();
    if (terminated_ || status_ == prompt_status::script_error || conditions_.levels.empty()) return;
    session_.error("reached EOF without finding closing \\endif(s)");
    if (session_.settings.on_error_stop) status_ = prompt_status::script_error;
  }

  Session& session_;
  Input& input_;
  Conditions conditions_;
  Reading reading_;
  StatementScanner scanner_;
  std::string statement_;
  std::string previous_;
  std::string history_;  // the lines of what is being typed
  Delivery delivery_;
  std::size_t line_start_ = 0;  // of the statement's part from this line
  bool added_line_end_ = false;
  bool shows_edited_ = false;    // what came from an editor and is not whole
  bool stops_on_error_ = false;  // in this line
  bool stopped_ = false;         // it has an error
  int ends_seen_ = 0;
  int status_ = prompt_status::success;
  bool left_ = false;
  bool terminated_ = false;  // by \q
};

}  // namespace

std::optional<std::string> FileInput::next_line(const std::string& /*prompt*/) {
  std::string line;
  int c = 0;
  while ((c = std::fgetc(file_)) != EOF) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
  }
  if (line.empty()) return std::nullopt;
  return line;
}

int main_loop(Session& session, Input& input) { return MainLoop(session, input).run(); }

int run_file(Session& session, const std::string& path) {
  const bool is_stdin = path == "-";
  std::FILE* const file = is_stdin ? nullptr : std::fopen(path.c_str(), "r");
  if (!is_stdin && file == nullptr) {
    session.error(path + ": " + std::strerror(errno));
    return prompt_status::failure;
  }
  const std::string outer = std::exchange(session.input_file, is_stdin ? "<stdin>" : path);
  int status = prompt_status::failure;
  struct stat information {};
  if (is_stdin) {
    status = main_loop(session, *session.standard_input);
  } else if (::fstat(::fileno(file), &information) == 0 && S_ISDIR(information.st_mode)) {
    const std::size_t line = std::exchange(session.line_number, 0);
    session.error(std::string("could not read from input file: ") + std::strerror(EISDIR));
    session.line_number = line;
  } else {
    FileInput input(file);
    status = main_loop(session, input);
  }
  if (file != nullptr) std::fclose(file);
  session.input_file = outer;
  session.names_program = false;
  return status;
}

int run_command_text(Session& session, const std::string& text) {
  if (session.settings.echo == Echo::all) session.say(text + "\n");
  session.input = session.standard_input;
  session.names_program = false;
  if (!text.starts_with('\\')) {
    return send_statement(session, text) ? prompt_status::success : prompt_status::failure;
  }
  Conditions conditions;
  session.conditions = &conditions;
  StatementScanner scanner = make_scanner(session);
  scanner.set_line(text.substr(1));
  std::string statement, previous;
  Delivery delivery;
  const CommandResult result = run_backslash_command(session, scanner, conditions, statement, previous, delivery);
  session.conditions = nullptr;
  return result == CommandResult::failed ? prompt_status::failure : prompt_status::success;
}

}  // namespace polarsim::scenarios::cli::prompt
