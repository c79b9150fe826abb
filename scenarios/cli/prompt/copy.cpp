#include "scenarios/cli/prompt/copy.h"

#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/prompts.h"
#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// Lines are sent together up to this size.
constexpr std::size_t piece_bytes = 8192;

// What \copy says, in parts: COPY `what` FROM|TO a file and `options`.
struct CopyRequest {
  std::string what;
  bool from = false;
  bool program = false;
  bool standard = false;  // stdin or stdout, of the input that is read or where answers go
  bool own = false;       // pstdin or pstdout: of the program
  std::string file;
  std::string options;
};

// The words of \copy: a quoted text, a symbol, or what is between.
class CopyWords {
 public:
  explicit CopyWords(std::string_view text) : rest_(text) {}

  // Empty at the end.
  std::string next() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) rest_.remove_prefix(1);
    if (rest_.empty()) return "";
    if (rest_[0] == '\'' || rest_[0] == '"') return quoted();
    std::size_t length = 1;
    if (!is_symbol(rest_[0])) {
      while (length < rest_.size() && !is_symbol(rest_[length]) && rest_[length] != '"' && rest_[length] != '\'' &&
             std::isspace(static_cast<unsigned char>(rest_[length])) == 0) {
        ++length;
      }
    }
    return cut(length);
  }
  // A word that a blank ends.
  std::string next_file() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) rest_.remove_prefix(1);
    if (!rest_.empty() && (rest_[0] == '\'' || rest_[0] == '"')) return quoted();
    std::size_t length = 0;
    while (length < rest_.size() && std::isspace(static_cast<unsigned char>(rest_[length])) == 0) ++length;
    return cut(length);
  }
  std::string rest() const { return std::string(rest_); }

 private:
  static bool is_symbol(char c) { return c == '.' || c == ',' || c == '(' || c == ')'; }
  std::string cut(std::size_t length) {
    std::string word(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return word;
  }
  std::string quoted() {
    const char quote = rest_[0];
    std::size_t end = 1;
    while (end < rest_.size()) {
      if (rest_[end] != quote) {
        ++end;
      } else if (end + 1 < rest_.size() && rest_[end + 1] == quote) {
        end += 2;
      } else {
        return cut(end + 1);
      }
    }
    return cut(rest_.size());
  }
  std::string_view rest_;
};

bool is_word(const std::string& text, const char* word) { return ::strcasecmp(text.c_str(), word) == 0; }

std::string unquoted(const std::string& text) {
  if (text.size() < 2 || text[0] != '\'' || text.back() != '\'') return text;
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\'' && i + 2 < text.size() && text[i + 1] == '\'') ++i;
    out += text[i];
  }
  return out;
}

// Nothing if it is malformed; `near` is then the word that was not expected, empty at the end.
std::optional<CopyRequest> parse(const std::string& arguments, std::string& near) {
  CopyWords words(arguments);
  CopyRequest request;
  int depth = 0;
  bool separated = true;
  while (true) {
    near = words.next();
    if (near.empty()) return std::nullopt;
    if (depth == 0 && !request.what.empty() && (is_word(near, "from") || is_word(near, "to"))) break;
    if (near == "(") ++depth;
    if (near == ")") --depth;
    // Names and their dots stay together.
    const bool symbol = near == "." || near == ",";
    if (!request.what.empty() && !separated && !symbol) request.what += ' ';
    request.what += near;
    separated = near == ".";
  }
  request.from = is_word(near, "from");
  near = words.next_file();
  if (near.empty()) return std::nullopt;
  if (is_word(near, "program")) {
    request.program = true;
    near = words.next_file();
    if (near.size() < 2 || near[0] != '\'') return std::nullopt;
    request.file = unquoted(near);
  } else if (is_word(near, "stdin") || is_word(near, "stdout")) {
    request.standard = true;
  } else if (is_word(near, "pstdin") || is_word(near, "pstdout")) {
    request.own = true;
  } else {
    request.file = unquoted(near);
  }
  request.options = words.rest();
  return request;
}

// How a command ended, in psql's words; empty if it succeeded.
std::string ending_of(int status) {
  if (status == -1) return std::strerror(errno);
  if (WIFSIGNALED(status)) {
    return "child process was terminated by signal " + std::to_string(WTERMSIG(status)) + ": " +
           ::strsignal(WTERMSIG(status));
  }
  switch (const int code = WEXITSTATUS(status)) {
    case 0:
      return "";
    case 126:
      return "command not executable";
    case 127:
      return "command not found";
    default:
      return "child process exited with exit code " + std::to_string(code);
  }
}

// A file or the output of a command, closed at the end.
class Stream {
 public:
  Stream(const CopyRequest& request, const char* mode) : pipe_(request.program) {
    file_ = pipe_ ? ::popen(request.file.c_str(), mode) : std::fopen(request.file.c_str(), mode);
    if (pipe_) tolerated_.emplace();
  }
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  std::FILE* get() const { return file_; }
  // What went wrong; empty if nothing.
  std::string close() {
    if (file_ == nullptr) return "";
    std::FILE* const file = std::exchange(file_, nullptr);
    if (pipe_) return ending_of(::pclose(file));
    return std::fclose(file) == 0 ? "" : std::strerror(errno);
  }
  bool is_folder() const {
    struct stat status {};
    return !pipe_ && ::fstat(::fileno(file_), &status) == 0 && S_ISDIR(status.st_mode);
  }

 private:
  bool pipe_;
  std::FILE* file_ = nullptr;
  std::optional<BrokenPipesTolerated> tolerated_;
};

// Lines of an input up to "\.".
std::function<std::optional<std::string>()> lines_from(Session& session, Input& input) {
  const auto ended = std::make_shared<bool>(false);
  const auto greeted = std::make_shared<bool>(false);
  return [&session, &input, ended, greeted]() -> std::optional<std::string> {
    if (*ended) return std::nullopt;
    if (input.interactive() && !std::exchange(*greeted, true) && !session.settings.quiet) {
      session.say(
          "Enter data to be copied followed by a newline.\n"
          "End with a backslash and a period on a line by itself, or an EOF signal.\n");
    }
    std::string piece;
    while (piece.size() < piece_bytes) {
      try {
        const auto line = input.next_line(
            input.interactive() ? shown_prompt(session, session.settings.prompt3, OpenPart::nothing) : "");
        if (&input == session.input && line) ++session.line_number;
        *ended = !line || *line == "\\.";
        if (*ended) break;
        piece += *line + "\n";
      } catch (const Input::Interrupted&) {
        interrupts::take();
        throw CopyHandlers::Refusal{"canceled by user"};
      }
      if (input.interactive()) break;
    }
    if (piece.empty()) return std::nullopt;
    return piece;
  };
}

std::function<std::optional<std::string>()> bytes_from(std::FILE* file) {
  return [file]() -> std::optional<std::string> {
    if (interrupts::take()) throw CopyHandlers::Refusal{"canceled by user"};
    std::string piece(piece_bytes, '\0');
    piece.resize(std::fread(piece.data(), 1, piece.size(), file));
    if (!piece.empty()) return piece;
    if (std::ferror(file) != 0) throw CopyHandlers::Refusal{"aborted because of read failure"};
    return std::nullopt;
  };
}

// Writes what the server sends; a target that takes no more is told about once, and the rest is let go.
void take_pieces(CopyHandlers& handlers, Session& session, const std::function<bool(std::string_view)>& write,
                 const std::function<bool()>& flush, const std::function<void()>& on_failure) {
  const auto failed = std::make_shared<bool>(false);
  const auto check = [&session, failed, on_failure](bool good) {
    if (good) return;
    *failed = true;
    session.error(std::string("could not write COPY data: ") + std::strerror(errno));
    on_failure();
  };
  handlers.take_piece = [=](std::string_view piece) {
    if (!*failed) check(write(piece));
  };
  handlers.all_taken = [=] {
    if (!*failed) check(flush());
  };
}

bool copy_with_file(Session& session, const CopyRequest& request, const std::string& statement) {
  Stream stream(request, request.from ? "r" : "w");
  if (stream.get() == nullptr) {
    session.error((request.program ? "could not execute command \"" + request.file + "\"" : request.file) + ": " +
                  std::strerror(errno));
    return false;
  }
  if (stream.is_folder()) {
    session.error(request.file + ": cannot copy from/to a directory");
    return false;
  }
  CopyHandlers handlers;
  handlers.next_piece = bytes_from(stream.get());
  bool written = true;
  take_pieces(
      handlers, session,
      [&](std::string_view piece) { return std::fwrite(piece.data(), 1, piece.size(), stream.get()) == piece.size(); },
      [&] { return std::fflush(stream.get()) == 0; }, [&] { written = false; });
  Delivery delivery;
  delivery.copy = &handlers;
  const bool good = send_statement(session, statement, delivery);
  const std::string problem = stream.close();
  if (problem.empty()) return good && written;
  session.error(request.file + ": " + problem);
  return false;
}

}  // namespace

CopyHandlers copy_of_session(Session& session, const std::function<Output&()>& output,
                             const std::function<void()>& on_failure) {
  CopyHandlers handlers;
  if (session.input != nullptr) handlers.next_piece = lines_from(session, *session.input);
  take_pieces(
      handlers, session, [output](std::string_view piece) { return output().write(piece); },
      [output] { return output().flush(); }, on_failure);
  return handlers;
}

bool copy_command(Session& session, const std::string& arguments) {
  if (arguments.empty()) {
    session.error("\\copy: arguments required");
    return false;
  }
  std::string near;
  const auto request = parse(arguments, near);
  if (!request) {
    session.error(near.empty() ? "\\copy: parse error at end of line" : "\\copy: parse error at \"" + near + "\"");
    return false;
  }
  const std::string statement =
      "COPY " + request->what + (request->from ? " FROM STDIN " : " TO STDOUT ") + request->options;
  if (!request->standard && !request->own) return copy_with_file(session, *request, statement);
  if (request->standard) return send_statement(session, statement);
  CopyHandlers handlers;
  handlers.next_piece = lines_from(session, *session.standard_input);
  handlers.take_piece = [&session](std::string_view piece) { session.say(piece); };
  Delivery delivery;
  delivery.copy = &handlers;
  return send_statement(session, statement, delivery);
}

}  // namespace polarsim::scenarios::cli::prompt
