// Runs the built program as a user would: its own process, arguments, folder, and what it wrote.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace polarsim::scenarios::cli::test {

struct Outcome {
  int status = -1;  // exit status; 128 + number if a signal ended it
  std::string out;
  std::string error;
  std::size_t error_lines() const { return static_cast<std::size_t>(std::count(error.begin(), error.end(), '\n')); }
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
}

// A folder of its own for one test, removed at its end; programs run in it.
class Workplace {
 public:
  Workplace() {
    std::string pattern = (std::filesystem::temp_directory_path() / "polarsim-cli-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  // Starts the program; its output goes to files of the workplace, its input, if one is named, comes from one.
  pid_t start(const std::vector<std::string>& arguments, const std::string& input = "") const {
    const std::string out = *this / ".stdout", error = *this / ".stderr";
    const pid_t process = ::fork();
    if (process != 0) return process;
    if (::chdir(path_.c_str()) != 0) ::_exit(126);
    if (!input.empty()) ::dup2(::open(input.c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
    ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
    std::vector<char*> argv{const_cast<char*>(POLARSIM_BINARY)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(POLARSIM_BINARY, argv.data());
    ::_exit(127);
  }
  Outcome wait_for(pid_t process) const {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    Outcome outcome;
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = content_of(*this / ".stdout");
    outcome.error = content_of(*this / ".stderr");
    return outcome;
  }
  Outcome run(const std::vector<std::string>& arguments) const { return wait_for(start(arguments)); }

 private:
  std::string path_;
};

}  // namespace polarsim::scenarios::cli::test
