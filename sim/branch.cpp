// Simulation::branch(): the futures of one moment, each in a child process.
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "sim/assert.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {

// The first byte that a child sends says what the rest is.
constexpr char returned = 'r';
constexpr char threw = 't';

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // the parent is gone, and with it all interest
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string outcome_text(Simulation& simulation, const std::function<std::string(Simulation&)>& continuation) {
  try {
    return returned + continuation(simulation);
  } catch (const std::exception& error) {
    return threw + std::string(error.what());
  } catch (...) {
    return threw + std::string("an exception that is not derived from std::exception");
  }
}

void limit_processor_time(unsigned seconds) {
  if (seconds == 0) return;
  const rlimit limit{seconds, seconds};
  ::setrlimit(RLIMIT_CPU, &limit);
}

std::string ending_text(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    if (number == SIGXCPU || number == SIGKILL) return "the process was ended: out of processor time or killed";
    return fmt::format("the process crashed: {}", strsignal(number));
  }
  return fmt::format("the process exited with status {} without a verdict", WEXITSTATUS(status));
}

// The children under way. Whatever ends the gathering, none of them stays behind.
class Children {
 public:
  Children() = default;
  ~Children() {
    for (const Child& child : running_) {
      ::kill(child.process, SIGKILL);
      ::close(child.pipe);
      int status = 0;
      wait_for(child.process, status);
    }
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  std::size_t running() const { return running_.size(); }

  void start(BranchResult& result, const std::function<void(int pipe)>& child_body) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error(fmt::format("branch: no pipe: {}", std::strerror(errno)));
    const pid_t process = ::fork();
    if (process < 0) {
      const int error = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      throw std::runtime_error(fmt::format("branch: no process: {}", std::strerror(error)));
    }
    if (process == 0) {
      ::close(ends[0]);
      for (const Child& sibling : running_) ::close(sibling.pipe);
      child_body(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    running_.push_back(Child{process, ends[0], &result, {}});
  }

  // Waits until at least one child has said all it has to say.
  void gather() {
    std::vector<pollfd> pipes;
    for (const Child& child : running_) pipes.push_back({child.pipe, POLLIN, 0});
    if (::poll(pipes.data(), pipes.size(), -1) < 0 && errno != EINTR) {
      throw std::runtime_error(fmt::format("branch: poll: {}", std::strerror(errno)));
    }
    for (std::size_t i = pipes.size(); i-- > 0;) {
      if (pipes[i].revents != 0) read_from(i);
    }
  }

 private:
  struct Child {
    pid_t process;
    int pipe;
    BranchResult* result;
    std::string said;
  };

  static void wait_for(pid_t process, int& status) {
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
  }

  void read_from(std::size_t place) {
    char buffer[4096];
    Child& child = running_[place];
    const ssize_t count = ::read(child.pipe, buffer, sizeof(buffer));
    if (count > 0) {
      child.said.append(buffer, static_cast<std::size_t>(count));
      return;
    }
    if (count < 0 && errno == EINTR) return;
    int status = 0;
    ::close(child.pipe);
    wait_for(child.process, status);
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !child.said.empty();
    child.result->completed = clean && child.said.front() == returned;
    child.result->verdict = clean ? child.said.substr(1) : ending_text(status);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  std::vector<Child> running_;
};

}  // namespace

std::vector<BranchResult> Simulation::branch(std::size_t count,
                                             const std::function<std::string(Simulation&)>& continuation,
                                             const BranchOptions& options) {
  POLARSIM_ASSERT(!scheduler_->in_task(), "branch() was called from within a task");
  POLARSIM_ASSERT(options.jobs > 0, "branch() needs a job to do its work");
  std::vector<BranchResult> results(count);
  Children children;
  for (std::size_t started = 0; started < count || children.running() > 0;) {
    if (started == count || children.running() == options.jobs) {
      children.gather();
      continue;
    }
    BranchResult& result = results[started];
    result.seed = options.first_seed + started;
    children.start(result, [&](int pipe) {
      limit_processor_time(options.processor_seconds);
      choices_->reseed(result.seed);
      write_all(pipe, outcome_text(*this, continuation));
    });
    ++started;
  }
  return results;
}

}  // namespace polarsim::sim
