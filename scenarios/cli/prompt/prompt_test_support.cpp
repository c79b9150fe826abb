#include "scenarios/cli/prompt/prompt_test_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::prompt::test {

ProgramOutcome run_program(const std::vector<std::string>& command, const std::string& input,
                           const std::string& folder) {
  const cli::test::Workplace place;
  cli::test::write_text(place / "in", input);
  const std::string in = place / "in", out = place / "out", error = place / "error";
  const pid_t process = ::fork();
  if (process == 0) {
    if (::chdir(folder.c_str()) != 0) ::_exit(126);
    ::dup2(::open(in.c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
    ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
    // What the machine's settings say must not matter.
    for (const char* variable : {"COLUMNS", "PAGER", "PSQL_PAGER", "PGHOST", "PGUSER", "PGDATABASE", "PGOPTIONS"}) {
      ::unsetenv(variable);
    }
    ::setenv("LC_ALL", "C", 1);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), cli::test::content_of(out),
          cli::test::content_of(error)};
}

std::vector<std::string> psql_command(const std::string& socket_folder, const std::string& database,
                                      const std::vector<std::string>& options) {
  std::vector<std::string> command{psql_program, "-X", "-h", socket_folder, "-U", "postgres", "-d", database};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

}  // namespace polarsim::scenarios::cli::prompt::test
