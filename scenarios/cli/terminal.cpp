#include "scenarios/cli/terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace polarsim::scenarios::cli {

namespace {

volatile sig_atomic_t interrupt_count = 0;
// Of the first write to stdout that failed.
int output_errno = 0;

bool is_separator(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

// `text` if it is not longer than `limit`, else its two ends, together about `kept` bytes. Never cuts a character of
// UTF-8 in two.
std::string without_middle(std::string_view text, std::size_t limit, std::size_t kept) {
  if (text.size() <= limit) return std::string(text);
  const auto inside_character = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  std::size_t head = kept / 2, tail = text.size() - kept / 2;
  while (head > 0 && inside_character(head)) --head;
  while (tail < text.size() && inside_character(tail)) ++tail;
  return std::string(text.substr(0, head)) + "..." + std::string(text.substr(tail));
}

void on_interrupt(int number) {
  interrupt_count = interrupt_count + 1;
  if (interrupt_count == 1) return;
  ::signal(number, SIG_DFL);
  ::raise(number);
}

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What fits in the terminal's last column but one, so that the line never wraps.
std::string cut_to(const std::string& text, std::size_t width) {
  return text.size() < width ? text : text.substr(0, width - 1);
}

std::size_t width_of(int descriptor, std::size_t otherwise) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

}  // namespace

double wall_seconds() { return seconds_of(CLOCK_MONOTONIC); }
double processor_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);  // without SA_RESTART, so that a wait ends
}

bool interrupted() { return interrupt_count > 0; }

namespace {
std::string& program_name_storage() {
  static std::string name = "polarsim";
  return name;
}
}  // namespace

void set_program_name(const char* argv0) {
  const char* launcher = std::getenv("POLARSIM_COMMAND");
  if (launcher != nullptr && *launcher != '\0') {
    program_name_storage() = launcher;
  } else if (argv0 != nullptr && *argv0 != '\0') {
    program_name_storage() = argv0;
  }
}

const std::string& program_name() { return program_name_storage(); }

bool color_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

std::size_t terminal_width() { return std::clamp<std::size_t>(width_of(STDOUT_FILENO, 100), 60, 140); }

std::size_t terminal_columns() { return width_of(STDOUT_FILENO, 0); }

void print(const std::string& text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if ((std::fflush(stdout) != 0 || !whole) && output_errno == 0) output_errno = errno;
}

std::string output_error() {
  if (std::fflush(stdout) != 0 && output_errno == 0) output_errno = errno;
  return output_errno == 0 ? "" : std::string("stdout: cannot write: ") + std::strerror(output_errno);
}

std::string shortened_line(std::string_view text) {
  constexpr std::size_t longest_word = 160, longest_line = 900;
  std::string line;
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_separator) - text.begin());
    line += without_middle(text.substr(0, end), longest_word, 80);
    if (end < text.size()) line += ' ';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return without_middle(line, longest_line, 300);
}

void print_error(const std::string& text) {
  const std::string line = "polarsim: " + shortened_line(text);
  std::fprintf(stderr, "%s\n", line.c_str());
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), started_at_(wall_seconds()) {}

void ProgressLine::update(const std::function<std::string()>& text) {
  if (!terminal_) return;
  const double now = wall_seconds();
  if (now - started_at_ < 1 || now - drawn_at_ < 0.1) return;
  drawn_at_ = now;
  drawn_ = true;
  std::fprintf(stderr, "\r\033[K%s", cut_to(text(), width_of(STDERR_FILENO, 80)).c_str());
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

std::string progress_bar(double share) {
  constexpr std::size_t cells = 24;
  const auto filled = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * cells));
  return "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "]";
}

}  // namespace polarsim::scenarios::cli
