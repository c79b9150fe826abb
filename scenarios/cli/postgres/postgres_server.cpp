#include "scenarios/cli/postgres/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace polarsim::scenarios::cli::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* programs = "/usr/lib/postgresql/15/bin/";
// Of a Unix socket's path, whose file is named .s.PGSQL.5432 here.
constexpr std::size_t longest_folder = 90;

struct User {
  uid_t user;
  gid_t group;
};

// Who runs the server.
User server_user() {
  if (::geteuid() != 0) return {::geteuid(), ::getegid()};
  const passwd* const entry = ::getpwnam("postgres");
  if (entry == nullptr) throw std::runtime_error("there is no user postgres: is the package postgresql-15 installed?");
  return {entry->pw_uid, entry->pw_gid};
}

// In a child process: become the server's user and the program. Does not return.
[[noreturn]] void become(const User& user, const std::vector<std::string>& command, const std::string& output) {
  const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  const bool ours = user.user == ::geteuid();
  if (!ours && (::setgroups(0, nullptr) != 0 || ::setgid(user.group) != 0 || ::setuid(user.user) != 0)) ::_exit(126);
  if (::chdir("/") != 0) ::_exit(126);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int run(const User& user, const std::vector<std::string>& command, const std::string& output) {
  const pid_t process = ::fork();
  if (process == 0) become(user, command, output);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Whether the server's user can get there.
bool reachable(const User& user, const std::string& folder) {
  return run(user, {"/usr/bin/test", "-x", folder}, "/dev/null") == 0;
}

}  // namespace

void PostgresServer::make_folder() {
  const User user = server_user();
  std::vector<std::string> places{POLARSIM_BUILD_DIR, fs::temp_directory_path().string()};
  for (const std::string& place : places) {
    std::string pattern = place + "/postgres-XXXXXX";
    if (pattern.size() > longest_folder || ::mkdtemp(pattern.data()) == nullptr) continue;
    if (::chown(pattern.c_str(), user.user, user.group) == 0 && reachable(user, pattern)) {
      folder_ = pattern;
      return;
    }
    fs::remove_all(pattern);
  }
  throw std::runtime_error("no folder for PostgreSQL: neither the build directory nor the temporary one can be used");
}

// The watchdog is nobody's child, so that ending a group of processes or a tree of them does not reach it.
void PostgresServer::start_watchdog() {
  int alive[2];
  int cleaned[2];
  if (::pipe2(alive, O_CLOEXEC) != 0 || ::pipe2(cleaned, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  const pid_t process = ::fork();
  if (process == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    ::signal(SIGINT, SIG_IGN);
    ::close(alive[1]);
    ::close(cleaned[0]);
    char byte = 0;
    while (::read(alive[0], &byte, 1) < 0 && errno == EINTR) {
    }
    const std::string data = folder_ + "/data";
    run(server_user(), {std::string(programs) + "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"}, "/dev/null");
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    ::_exit(0);
  }
  ::close(alive[0]);
  ::close(cleaned[1]);
  alive_ = alive[1];
  cleaned_ = cleaned[0];
  ::waitpid(process, nullptr, 0);
}

PostgresServer::PostgresServer() {
  if (!fs::exists(std::string(programs) + "postgres")) {
    throw std::runtime_error(std::string("PostgreSQL 15 is not at ") + programs +
                             ": install postgresql-15 (./test installs what .setup/packages.txt lists)");
  }
  make_folder();
  start_watchdog();
  const User user = server_user();
  const std::string data = folder_ + "/data";
  // Two files, since the first is made by the caller and the second by the server's user.
  const std::string log = folder_ + "/setup.log";
  const std::string server_log = folder_ + "/server.log";
  const std::string pg_ctl = std::string(programs) + "pg_ctl";
  const bool made = run(user,
                        {std::string(programs) + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                         "--locale=C", "--no-sync", "--no-instructions"},
                        log) == 0;
  // Statistics and background work would only move rows about, and autovacuum takes locks of its own.
  const std::string settings = "-k " + folder_ +
                               " -c listen_addresses= -c fsync=off -c autovacuum=off -c max_prepared_transactions=20"
                               " -c log_min_messages=fatal -c shared_buffers=32MB";
  if (made && run(user, {pg_ctl, "-D", data, "-l", server_log, "-w", "-t", "60", "-o", settings, "start"}, log) == 0)
    return;
  const std::string problem = content_of(log) + content_of(server_log);
  stop();
  throw std::runtime_error("PostgreSQL does not start: " + problem);
}

PostgresServer::~PostgresServer() { stop(); }

void PostgresServer::stop() {
  ::close(alive_);
  char byte = 0;
  while (::read(cleaned_, &byte, 1) < 0 && errno == EINTR) {
  }
  ::close(cleaned_);
}

}  // namespace polarsim::scenarios::cli::test
