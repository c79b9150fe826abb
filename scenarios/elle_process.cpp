#include "scenarios/elle_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "sim/assert.h"

namespace polarsim::scenarios {

namespace {

constexpr int poll_interval_ms = 100;
constexpr int most_failures = 3;
// An answer has a few hundred bytes; a process that says so much without ending a line says something else.
constexpr std::size_t longest_line = std::size_t{1} << 20;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int anonymous_file(const char* name, std::string_view content) {
  const int file = ::memfd_create(name, MFD_CLOEXEC);
  if (file < 0) fail("cannot make a file for Elle's process");
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno != EINTR) fail("cannot write a file for Elle's process");
    if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
  }
  return file;
}

void close_and_forget(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// The child's life up to the program's own.
[[noreturn]] void become(const std::vector<std::string>& arguments, pid_t parent, int input, int output, int errors,
                         int script) {
  // The terminal's interrupt goes to the parent, which decides; and a child must not outlive it.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  // Java takes the encoding of file names from here.
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  if (script >= 0) ::fcntl(script, F_SETFD, 0);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv.front(), std::strerror(errno));
  ::_exit(127);
}

// The line that says best why a JVM ended: not the stack trace after it.
std::string telling_line(const std::string& output) {
  std::string first_error, last;
  for (std::size_t start = 0; start < output.size();) {
    const std::size_t end = std::min(output.find('\n', start), output.size());
    const std::string line = output.substr(start, end - start);
    start = end + 1;
    if (line.find("OutOfMemoryError") != std::string::npos) return line;
    if (first_error.empty() && line.find("rror") != std::string::npos) first_error = line;
    if (!line.empty()) last = line;
  }
  return first_error.empty() ? last : first_error;
}

}  // namespace

ElleProcess::ElleProcess(ElleProcessOptions options) : options_(std::move(options)) {
  POLARSIM_ASSERT(!options_.command.empty() && options_.wall_seconds, "what to start, and a clock");
}

ElleProcess::~ElleProcess() { end(); }

void ElleProcess::end() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  process_ = -1;
  close_and_forget(input_);
  close_and_forget(output_);
  close_and_forget(errors_);
  ready_ = false;
  received_.clear();
}

void ElleProcess::launch() {
  end();
  std::array<int, 2> requests{}, answers{};
  // A socket and not a pipe: writing to a process that has died must not end this one by SIGPIPE.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, requests.data()) != 0) fail("cannot talk to Elle's process");
  input_ = requests[0];
  if (::pipe2(answers.data(), O_CLOEXEC) != 0) fail("cannot make a pipe for Elle's process");
  output_ = answers[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
  errors_ = anonymous_file("polarsim-elle-errors", "");
  ::fcntl(errors_, F_SETFL, O_APPEND);
  std::vector<std::string> arguments = options_.command;
  int script = -1;
  if (!options_.script.empty()) {
    script = anonymous_file("polarsim-elle-script", options_.script);
    arguments.push_back(fmt::format("/proc/self/fd/{}", script));
  }
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) become(arguments, parent, requests[1], answers[1], errors_, script);
  const int fork_error = errno;
  ::close(requests[1]);
  ::close(answers[1]);
  close_and_forget(script);
  errno = fork_error;
  if (process_ < 0) fail("cannot start a process for Elle");
  deadline_ = options_.wall_seconds() + options_.start_seconds;
}

std::string ElleProcess::last_words() const {
  constexpr off_t kept_bytes = 64 * 1024;
  const off_t size = ::lseek(errors_, 0, SEEK_END);
  const off_t start = size > kept_bytes ? size - kept_bytes : 0;
  std::string text(static_cast<std::size_t>(size - start), '\0');
  const ssize_t count = ::pread(errors_, text.data(), text.size(), start);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::string ElleProcess::cause_of_death() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  const std::string line = telling_line(last_words());
  if (line.find("OutOfMemoryError") != std::string::npos) return "its process ran out of memory: " + line;
  const char* signal = WIFSIGNALED(status) ? ::sigabbrev_np(WTERMSIG(status)) : nullptr;
  std::string text = WIFSIGNALED(status)
                         ? fmt::format("its process was ended by {}{}", signal == nullptr ? "signal " : "SIG",
                                       signal == nullptr ? std::to_string(WTERMSIG(status)) : std::string(signal))
                         : fmt::format("its process ended with status {}", WEXITSTATUS(status));
  if (!line.empty()) text += ": " + line;
  return text;
}

// Ends what is left of the process. The answer, if one was waited for, is that there is none.
std::optional<checkers::ElleAnswer> ElleProcess::give_up(const std::string& reason) {
  end();
  ++failures_;
  last_reason_ = reason;
  if (!request_) return std::nullopt;
  checkers::ElleAnswer answer = checkers::no_answer(reason);
  answer.id = request_->id;
  request_.reset();
  return answer;
}

std::optional<std::string> ElleProcess::take_line() {
  const std::size_t end = received_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

void ElleProcess::send() {
  // The process is taken at its word one request at a time: what it said without having been asked is no answer.
  // Before it can answer: its last words may follow at once.
  if (::ftruncate(errors_, 0) != 0) fail("cannot empty the file of what Elle's process says");
  std::string line = checkers::to_line(*request_) + "\n";
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t sent = ::send(input_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;  // it has died, which pump() finds out
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  deadline_ = options_.wall_seconds() + options_.answer_seconds;
}

void ElleProcess::ask(checkers::ElleRequest request) {
  POLARSIM_ASSERT(!busy(), "one request at a time");
  request.id = ++last_id_;
  request_ = std::move(request);
  if (process_ > 0 && ready_ && ::waitpid(process_, nullptr, WNOHANG) == process_) {
    process_ = -1;  // it ended when it had nothing to do, which is no fault of this request
    launch();
  } else if (process_ > 0 && ready_) {
    send();
  } else if (process_ <= 0 && failures_ < most_failures) {
    launch();
  }
}

std::optional<checkers::ElleAnswer> ElleProcess::pump() {
  if (process_ <= 0) {
    if (!request_) return std::nullopt;
    checkers::ElleAnswer answer = checkers::no_answer(last_reason_ + "; not started again");
    answer.id = request_->id;
    request_.reset();
    return answer;
  }
  std::array<char, 16 * 1024> buffer;
  bool ended = false;
  for (;;) {
    const ssize_t count = ::read(output_, buffer.data(), buffer.size());
    if (count > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(count));
      if (received_.size() > longest_line) break;
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      ended = count == 0 || errno != EAGAIN;
      break;
    }
  }
  while (const auto line = take_line()) {
    if (!ready_) {
      const auto greeting = checkers::parse_elle_greeting(*line);
      if (!greeting) return give_up(greeting.error());
      version_ = *greeting;
      ready_ = true;
      if (request_) send();
      continue;
    }
    auto answer = checkers::parse_elle_answer(*line);
    if (!answer) return give_up(answer.error());
    if (!request_ || answer->id != request_->id) return give_up("its process answered what was not asked: " + *line);
    request_.reset();
    failures_ = 0;
    return *std::move(answer);
  }
  if (ended) return give_up(cause_of_death());
  if (received_.size() > longest_line) return give_up("its process said too much without ending a line");
  if ((!ready_ || request_) && options_.wall_seconds() > deadline_) {
    return give_up(ready_ ? fmt::format("Elle did not answer within {:.0f} s", options_.answer_seconds)
                          : fmt::format("Elle was not ready within {:.0f} s", options_.start_seconds));
  }
  return std::nullopt;
}

void ElleProcess::wait_a_little() const {
  pollfd descriptor{output_, POLLIN, 0};
  ::poll(&descriptor, 1, poll_interval_ms);
}

tl::expected<void, InputError> ElleProcess::start() {
  launch();
  while (process_ > 0 && !ready_) {
    if (options_.interrupted()) {
      end();
      return tl::unexpected(InputError{});
    }
    wait_a_little();
    pump();
  }
  if (!ready_) return tl::unexpected(InputError{last_reason_});
  return {};
}

checkers::ElleAnswer ElleProcess::answer_to(checkers::ElleRequest request) {
  ask(std::move(request));
  for (;;) {
    if (auto answer = pump()) return *std::move(answer);
    if (options_.interrupted()) {
      request_.reset();
      end();
      return checkers::no_answer("interrupted");
    }
    wait_a_little();
  }
}

}  // namespace polarsim::scenarios
