// Commands about the statement that is being typed: send it, show it, change it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/pset.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// What would be sent: typed so far, or what was sent last.
const std::string& current(const CommandCall& call) { return call.statement.empty() ? call.previous : call.statement; }

// \g (format=csv border=2): false if something in the parentheses makes no sense, which has been said.
bool read_options(CommandCall& call, std::string first, DisplaySettings& display) {
  first.erase(0, 1);
  std::optional<std::string> word = first;
  while (word) {
    std::string option = *word;
    const bool last = option.ends_with(')');
    if (last) option.pop_back();
    if (!option.empty()) {
      const std::size_t equals = option.find('=');
      const std::string name = option.substr(0, equals);
      const auto value = equals == std::string::npos ? std::nullopt : std::optional(option.substr(equals + 1));
      const std::string problem = change_display(display, name, value);
      if (!problem.empty()) {
        call.session.error(problem);
        return false;
      }
    }
    if (last) return true;
    word = call.argument(ArgumentKind::normal, false);
  }
  call.session.error("\\" + call.name + ": missing right parenthesis");
  return false;
}

// Seconds between executions, and how many (0: no end).
struct WatchRequest {
  double seconds = 2;
  std::size_t count = 0;
};

std::optional<double> seconds_of(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0) || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool read_watch_arguments(CommandCall& call, WatchRequest& request) {
  while (const auto word = call.argument()) {
    if (word->starts_with("c=") || word->starts_with("count=")) {
      const int count = std::atoi(word->c_str() + word->find('=') + 1);
      if (count > 0) {
        request.count = static_cast<std::size_t>(count);
        continue;
      }
      call.session.error("\\watch: incorrect iteration count \"" + word->substr(word->find('=') + 1) + "\"");
      return false;
    }
    const bool named = word->starts_with("i=") || word->starts_with("interval=");
    const std::string number = named ? word->substr(word->find('=') + 1) : *word;
    const auto seconds = seconds_of(number);
    if (!seconds) {
      call.session.error("\\watch: incorrect interval value \"" + number + "\"");
      return false;
    }
    request.seconds = *seconds;
  }
  return true;
}

// Without editing, nothing is taken over.
bool edit_file(CommandCall& call, const std::string& path, std::size_t line) {
  const char* editor = nullptr;
  for (const char* name : {"PSQL_EDITOR", "EDITOR", "VISUAL"}) {
    if (editor == nullptr || *editor == '\0') editor = std::getenv(name);
  }
  if (editor == nullptr || *editor == '\0') {
    call.session.error("\\e: no editor is known; set EDITOR in the environment");
    return false;
  }
  std::string command = "exec " + std::string(editor) + " ";
  const char* const line_option = std::getenv("PSQL_EDITOR_LINENUMBER_ARG");
  if (line > 0 && line_option != nullptr) command += line_option + std::to_string(line) + " ";
  command += "'" + path + "'";
  const int status = std::system(command.c_str());
  if (status == 0) return true;
  call.session.error(status == -1 ? "could not start /bin/sh"
                                  : "could not start editor \"" + std::string(editor) + "\"");
  return false;
}

std::optional<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

CommandResult command_g(CommandCall& call) {
  auto argument = call.scanner.argument(ArgumentKind::file_or_pipe, false);
  DisplaySettings display = display_of(call.session);
  bool changed = false;
  if (argument && argument->starts_with('(')) {
    if (!read_options(call, *argument, display)) return CommandResult::failed;
    changed = true;
    argument = call.scanner.argument(ArgumentKind::file_or_pipe, false);
  }
  if (call.name == "gx") {
    display.style.expanded = Expanded::on;
    changed = true;
  }
  if (argument && !argument->empty()) call.delivery.target = argument;
  if (changed) {
    call.delivery.style = display.style;
    call.delivery.null_text = display.null_text;
    call.delivery.title = display.title;
  }
  return CommandResult::send;
}

CommandResult command_gdesc(CommandCall& call) {
  call.delivery.describe = true;
  return CommandResult::send;
}

CommandResult command_gexec(CommandCall& call) {
  call.delivery.execute_cells = true;
  return CommandResult::send;
}

CommandResult command_gset(CommandCall& call) {
  call.delivery.variables = call.argument(ArgumentKind::normal, false).value_or("");
  return CommandResult::send;
}

CommandResult command_crosstab(CommandCall& call) {
  CrosstabColumns columns;
  for (std::optional<std::string>& column : columns) column = call.argument();
  call.delivery.crosstab = std::move(columns);
  return CommandResult::send;
}

CommandResult command_watch(CommandCall& call) {
  WatchRequest request;
  if (!read_watch_arguments(call, request)) return CommandResult::failed;
  const std::string statement = current(call);
  if (statement.empty()) {
    call.session.error("\\watch cannot be used with an empty query");
    return CommandResult::failed;
  }
  Session& session = call.session;
  const std::string title = session.title ? *session.title + "\t" : "";
  bool good = true;
  for (std::size_t executed = 0; good && (request.count == 0 || executed < request.count); ++executed) {
    if (executed > 0) session.server.sleep(request.seconds);
    if (interrupts::pending()) break;
    Delivery delivery;
    delivery.style = session.style;
    delivery.null_text = session.null_text;
    delivery.title = fmt::format("{}{} (every {:g}s)\n", title, session.server.date(), request.seconds);
    good = send_statement(session, statement, delivery);
    if (interrupts::pending()) break;
  }
  if (interrupts::take()) session.say("\n");
  call.previous = statement;
  call.statement.clear();
  call.scanner.reset();
  return good ? CommandResult::done : CommandResult::failed;
}

CommandResult command_p(CommandCall& call) {
  const std::string& text = current(call);
  if (!text.empty()) {
    call.session.say(text + "\n");
  } else if (!call.session.settings.quiet) {
    call.session.say("Query buffer is empty.\n");
  }
  return CommandResult::done;
}

CommandResult command_r(CommandCall& call) {
  call.statement.clear();
  call.scanner.reset();
  if (!call.session.settings.quiet) call.session.say("Query buffer reset (cleared).\n");
  return CommandResult::done;
}

CommandResult command_w(CommandCall& call) {
  const auto target = call.scanner.argument(ArgumentKind::file_or_pipe, true);
  if (!target || target->empty()) {
    call.session.error("\\" + call.name + ": missing required argument");
    return CommandResult::failed;
  }
  Output file;
  const std::string problem = file.open(*target);
  if (!problem.empty()) {
    call.session.error(problem);
    return CommandResult::failed;
  }
  file.write(current(call) + "\n");
  if (file.close()) return CommandResult::done;
  call.session.error(*target + ": " + std::strerror(errno));
  return CommandResult::failed;
}

CommandResult command_edit(CommandCall& call) {
  const auto named = call.argument();
  const auto line = call.argument();
  std::string path = named.value_or("");
  const bool temporary = path.empty();
  if (temporary) {
    char pattern[] = "/tmp/polarsim-edit-XXXXXX.sql";
    const int descriptor = ::mkstemps(pattern, 4);
    if (descriptor < 0) {
      call.session.error(std::string("could not open temporary file: ") + std::strerror(errno));
      return CommandResult::failed;
    }
    ::close(descriptor);
    path = pattern;
    const std::string& text = current(call);
    std::ofstream(path, std::ios::binary) << text << (text.empty() || text.ends_with('\n') ? "" : "\n");
  }
  const bool edited = edit_file(call, path, line ? static_cast<std::size_t>(std::max(0, std::atoi(line->c_str()))) : 0);
  auto text = edited ? read_whole(path) : std::nullopt;
  if (temporary) ::unlink(path.c_str());
  if (!text) {
    if (edited) call.session.error(path + ": " + std::strerror(errno));
    return CommandResult::failed;
  }
  while (text->ends_with('\n')) text->pop_back();
  call.statement = *text;
  return CommandResult::edited;
}

}  // namespace polarsim::scenarios::cli::prompt
