// A session's settings: SET, SHOW, RESET.
//
// Known: lock_timeout, statement_timeout, deadlock_timeout (milliseconds, or with a unit: us, ms, s, min, h, d), the
// isolation level (only READ COMMITTED, and READ UNCOMMITTED, which is the same), and those that clients like to set
// and this engine has no use for. A name with a dot is somebody's own and takes any text, as in PostgreSQL.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/config.h"
#include "sim/time.h"

namespace polarsim::engine {

class Settings {
 public:
  explicit Settings(const NodeConfig& config);

  // Throws SqlError: 42704 for an unknown name, 22023 for a bad value, 0A000 for an isolation level there is none of.
  void set(std::string_view name, std::string_view value);
  // "all" resets everything.
  void reset(std::string_view name);
  std::string show(std::string_view name) const;

  sim::Duration lock_timeout() const { return timeout("lock_timeout"); }
  sim::Duration statement_timeout() const { return timeout("statement_timeout"); }
  sim::Duration deadlock_timeout() const { return timeout("deadlock_timeout"); }

  // Throws 0A000 unless the level is what this engine gives.
  static void check_isolation(std::string_view level);

 private:
  sim::Duration timeout(std::string_view name) const { return timeouts_.find(name)->second; }

  std::map<std::string, sim::Duration, std::less<>> timeouts_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::string, sim::Duration, std::less<>> timeout_defaults_;
  std::map<std::string, std::string, std::less<>> text_defaults_;
};

}  // namespace polarsim::engine
