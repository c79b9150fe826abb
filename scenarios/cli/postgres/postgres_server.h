// For tests: a PostgreSQL 15 of their own, from Debian's packages, in a folder that goes away with it.
//
// It listens on a Unix socket in that folder and nowhere else. If the caller is root, the server runs as the user
// postgres, since it refuses to be root. It is stopped and its folder removed by the destructor, and also when the
// process ends in any other way: a watchdog process sees the end of a pipe.
#pragma once

#include <string>

namespace polarsim::scenarios::cli::test {

class PostgresServer {
 public:
  // Throws std::runtime_error if PostgreSQL 15 is not installed or does not start.
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // For libpq.
  std::string connection() const { return "host=" + folder_ + " user=postgres dbname=postgres"; }
  const std::string& folder() const { return folder_; }

 private:
  void make_folder();
  void start_watchdog();
  void stop();

  std::string folder_;
  int alive_ = -1;    // its closing tells the watchdog to clean up
  int cleaned_ = -1;  // ends when it has
};

}  // namespace polarsim::scenarios::cli::test
