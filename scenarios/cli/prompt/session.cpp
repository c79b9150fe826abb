#include "scenarios/cli/prompt/session.h"

#include <cerrno>
#include <cstring>

#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* default_prompt = "%n%R%x%# ";

std::string doubled(std::string_view text, char quote, char other) {
  std::string out;
  for (const char c : text) {
    if (c == quote || c == other) out += c;
    out += c;
  }
  return out;
}

}  // namespace

std::string quoted_literal(std::string_view text) {
  const bool escapes = text.find('\\') != std::string_view::npos;
  return (escapes ? " E'" : "'") + doubled(text, '\'', '\\') + "'";
}

std::string quoted_identifier(std::string_view text) { return "\"" + doubled(text, '"', '"') + "\""; }

std::string Output::open(const std::string& target) {
  close();
  if (target.empty()) return "";
  is_pipe_ = target[0] == '|';
  file_ = is_pipe_ ? ::popen(target.c_str() + 1, "w") : std::fopen(target.c_str(), "w");
  if (is_pipe_) tolerated_.emplace();
  return file_ == nullptr ? target + ": " + std::strerror(errno) : "";
}

bool Output::close() {
  bool good = true;
  if (file_ != nullptr) good = is_pipe_ ? ::pclose(file_) != -1 : std::fclose(file_) == 0;
  file_ = nullptr;
  tolerated_.reset();
  return good;
}

bool Output::write(std::string_view text) {
  if (discards_) return true;
  if (file_ != nullptr) return std::fwrite(text.data(), 1, text.size(), file_) == text.size();
  print(std::string(text));
  return true;
}

bool Output::flush() { return file_ == nullptr || std::fflush(file_) == 0; }

Session::Session(Server& on_server) : server(on_server) { define_variables(); }

void Session::say(std::string_view text) { print(std::string(text)); }

void Session::log(const char* level, const std::string& text) {
  output.flush();
  std::string line = text;
  if (names_program || !input_file.empty()) {
    std::string place = "polarsim:";
    if (!input_file.empty()) place += input_file + ":";
    if (!input_file.empty() && line_number > 0) place += std::to_string(line_number) + ":";
    line = place + " " + level + line;
  }
  if (!line.ends_with('\n')) line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Session::show_notices(const Answer& answer, const std::string& statement) {
  for (const ServerReport& notice : answer.notices) {
    info(shown_report(notice, statement, settings.verbosity, settings.show_context));
  }
}

void Session::show_error(const ServerReport& report, const std::string& statement) {
  info(shown_report(report, statement, settings.verbosity, settings.show_context));
  last_error = LastError{report, statement};
}

bool Session::has_connection() {
  if (connection != nullptr) return true;
  error("You are currently not connected to a database.");
  return false;
}

void Session::note_connection() {
  const auto put = [&](const char* name, const std::string& value) {
    if (connection == nullptr) {
      variables.unset(name);
    } else {
      variables.set(name, value);
    }
  };
  const ConnectionInfo info = connection == nullptr ? ConnectionInfo{} : connection->info();
  if (connection != nullptr) last_connection = info;
  put("DBNAME", info.database);
  put("USER", info.user);
  put("HOST", info.host);
  put("PORT", info.port);
  const std::string encoding = connection == nullptr ? "" : connection->parameter("client_encoding");
  put("ENCODING", encoding.empty() ? "UTF8" : encoding);
  const std::string version = connection == nullptr ? "" : connection->parameter("server_version");
  put("SERVER_VERSION_NAME", version);
  // "15.0 (...)" is 150000.
  const int major = std::atoi(version.c_str());
  const std::size_t dot = version.find('.');
  const int minor = dot == std::string::npos ? 0 : std::atoi(version.c_str() + dot + 1);
  put("SERVER_VERSION_NUM", std::to_string(major * 10'000 + minor));
}

void Session::on_connection_lost(const std::string& message) {
  connection.reset();
  info(message);
  if (!interactive) {
    error("connection to server was lost");
    note_connection();
    return;
  }
  std::fputs("The connection to the server was lost. Attempting reset: ", stderr);
  try {
    connection = server.connect(last_connection);
    std::fputs("Succeeded.\n", stderr);
  } catch (const ConnectionLost&) {
    std::fputs("Failed.\n", stderr);
  }
  note_connection();
}

std::optional<std::string> Session::variable(const std::string& name, QuotedAs quoted) {
  if (conditions != nullptr && !conditions->active()) return std::nullopt;
  const auto value = variables.get(name);
  if (!value || quoted == QuotedAs::plain) return value;
  if (connection == nullptr) {
    error("cannot escape without active connection");
    return std::nullopt;
  }
  return quoted == QuotedAs::literal ? quoted_literal(*value) : quoted_identifier(*value);
}

std::string Session::command_output(const std::string& command) {
  if (conditions != nullptr && !conditions->active()) return "";
  output.flush();
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    error(command + ": " + std::strerror(errno));
    return "";
  }
  std::string text;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, count);
  if (::pclose(pipe) == -1) error(command + ": " + std::strerror(errno));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void Session::define_switch(const std::string& name, bool& value, bool otherwise) {
  variables.define(name, [name, &value, otherwise](std::optional<std::string> text) -> std::optional<std::string> {
    // Set without a value is on.
    if (text && text->empty()) text = "on";
    value = text ? boolean_value(*text, name) : otherwise;
    return text ? *text : std::string(otherwise ? "on" : "off");
  });
}

void Session::define_variables() {
  define_switch("AUTOCOMMIT", settings.autocommit, true);
  define_switch("ON_ERROR_STOP", settings.on_error_stop, false);
  define_switch("QUIET", settings.quiet, false);
  define_switch("SINGLELINE", settings.singleline, false);
  define_switch("HIDE_TABLEAM", settings.hide_table_method, false);
  define_switch("HIDE_TOAST_COMPRESSION", settings.hide_compression, false);
  define_switch("SHOW_ALL_RESULTS", settings.show_all_results, true);
  const auto define_word = [&](const std::string& name, const std::string& otherwise, std::vector<std::string> words,
                               const std::function<void(std::size_t)>& take, bool boolean_too = false) {
    variables.define(name, [=](std::optional<std::string> text) -> std::optional<std::string> {
      const std::string word = text.value_or(otherwise);
      const auto truth = boolean_too ? boolean_of(word.empty() ? "on" : word) : std::nullopt;
      const std::string chosen = truth ? (*truth ? "on" : "off") : word;
      take(word_value(chosen, name, words));
      return word.empty() ? chosen : word;
    });
  };
  define_word("ECHO", "none", {"none", "errors", "queries", "all"},
              [this](std::size_t n) { settings.echo = static_cast<Echo>(n); });
  define_word(
      "ECHO_HIDDEN", "off", {"off", "on", "noexec"},
      [this](std::size_t n) { settings.echo_hidden = static_cast<EchoHidden>(n); }, true);
  define_word(
      "ON_ERROR_ROLLBACK", "off", {"off", "on", "interactive"},
      [this](std::size_t n) { settings.on_error_rollback = static_cast<OnError>(n); }, true);
  define_word("VERBOSITY", "default", {"default", "verbose", "terse", "sqlstate"},
              [this](std::size_t n) { settings.verbosity = static_cast<Verbosity>(n); });
  define_word("SHOW_CONTEXT", "errors", {"never", "errors", "always"},
              [this](std::size_t n) { settings.show_context = static_cast<ShowContext>(n); });
  define_word("HISTCONTROL", "none", {"none", "ignorespace", "ignoredups", "ignoreboth"}, [this](std::size_t n) {
    settings.ignore_space = n == 1 || n == 3;
    settings.ignore_duplicates = n >= 2;
  });
  const auto define_number = [&](const std::string& name, int& value, int otherwise) {
    variables.define(name, [name, &value, otherwise](std::optional<std::string> text) -> std::optional<std::string> {
      value = text ? integer_value(*text, name) : otherwise;
      return std::to_string(value);
    });
  };
  define_number("HISTSIZE", settings.history_size, 500);
  define_number("IGNOREEOF", settings.ignore_eof, 0);
  // Without one there is no prompt.
  const auto define_prompt = [&](const std::string& name, std::string& value, const std::string& at_first) {
    variables.define(name, [&value](std::optional<std::string> text) {
      value = text.value_or("");
      return text;
    });
    variables.set(name, at_first);
  };
  define_prompt("PROMPT1", settings.prompt1, default_prompt);
  define_prompt("PROMPT2", settings.prompt2, default_prompt);
  define_prompt("PROMPT3", settings.prompt3, ">> ");
  variables.set("LAST_ERROR_MESSAGE", "");
  variables.set("LAST_ERROR_SQLSTATE", "00000");
}

}  // namespace polarsim::scenarios::cli::prompt
