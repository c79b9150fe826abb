#include "scenarios/cli/prompt/line_editor.h"

#include <editline/readline.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/text_width.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* word_ends = "\t\n@><=;|&{() ";

// libedit's callbacks are functions without an object.
Completer& completer() {
  static Completer one;
  return one;
}
std::vector<std::string>& candidates() {
  static std::vector<std::string> all;
  return all;
}

// SIGINT waits while this lives, except while ppoll() puts the mask from before in force.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t interrupt;
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGINT);
    ::sigprocmask(SIG_BLOCK, &interrupt, &before_);
  }
  ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  const sigset_t* before() const { return &before_; }

 private:
  sigset_t before_{};
};

// The next byte; -1 at the end, and when the user interrupts. An interrupt between the prompt and the wait for a key
// must end that wait, too: so it is looked for with the signal held, which only the wait itself lets through.
int read_byte() {
  {
    const SignalsHeld held;
    pollfd descriptor{STDIN_FILENO, POLLIN, 0};
    do {
      if (interrupts::pending()) return -1;
    } while (::ppoll(&descriptor, 1, nullptr, held.before()) < 0 && errno == EINTR);
  }
  unsigned char byte = 0;
  return ::read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

// libedit wants whole characters, as code points.
int read_character(std::FILE* /*stream*/) {
  const int lead = read_byte();
  if (lead < 0xc0) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  int point = lead & (0x3f >> more);
  for (int i = 0; i < more; ++i) {
    const int next = read_byte();
    if (next < 0) return -1;
    point = (point << 6) | (next & 0x3f);
  }
  return point;
}

char* next_candidate(const char* /*text*/, int state) {
  static std::size_t next = 0;
  if (state == 0) next = 0;
  return next < candidates().size() ? ::strdup(candidates()[next++].c_str()) : nullptr;
}

char** complete(const char* text, int start, int /*end*/) {
  rl_attempted_completion_over = 1;
  candidates() = completer()(rl_line_buffer, static_cast<std::size_t>(start));
  return candidates().empty() ? nullptr : rl_completion_matches(text, next_candidate);
}

}  // namespace

LineEditor::LineEditor(Session& session, std::string history_file, Completer on_completion)
    : session_(session), history_file_(std::move(history_file)) {
  // Lines are UTF-8, whatever the environment says.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
  completer() = std::move(on_completion);
  rl_readline_name = "polarsim";
  rl_catch_signals = 0;
  rl_getc_function = read_character;
  rl_attempted_completion_function = complete;
  rl_basic_word_break_characters = word_ends;
  using_history();
  if (!history_file_.empty()) ::read_history(history_file_.c_str());
}

LineEditor::~LineEditor() {
  if (session_.settings.history_size >= 0) ::stifle_history(session_.settings.history_size);
  if (!history_file_.empty()) ::write_history(history_file_.c_str());
  ::clear_history();
}

std::optional<std::string> LineEditor::next_line(const std::string& prompt) {
  std::fflush(stdout);
  std::fflush(stderr);
  if (interrupts::pending()) throw Interrupted{};
  // Only the last line of a prompt is the editor's.
  const std::size_t last = prompt.rfind('\n') + 1;
  session_.say(prompt.substr(0, last));
  char* const line = ::readline(prompt.c_str() + last);
  if (interrupts::pending()) {
    std::free(line);
    throw Interrupted{};
  }
  if (line == nullptr) return std::nullopt;
  std::string text(line);
  std::free(line);
  return text;
}

void LineEditor::remember(const std::string& statement) {
  const Settings& settings = session_.settings;
  if (statement.find_first_not_of(" \t\n") == std::string::npos) return;
  if (settings.ignore_space && statement[0] == ' ') return;
  if (settings.ignore_duplicates && statement == last_remembered_) return;
  ::add_history(statement.c_str());
  last_remembered_ = statement;
}

std::optional<std::string> LineEditor::history() const {
  std::string text;
  for (int i = 0; i < history_length; ++i) {
    const HIST_ENTRY* const entry = ::history_get(history_base + i);
    if (entry != nullptr) text += std::string(entry->line) + "\n";
  }
  return text;
}

}  // namespace polarsim::scenarios::cli::prompt
