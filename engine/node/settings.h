// A session's settings: SET, SHOW, RESET.
//
// Known: lock_timeout, statement_timeout, deadlock_timeout, idle_in_transaction_session_timeout (milliseconds, or with
// a unit: us, ms, s, min, h, d), default_transaction_isolation, default_transaction_read_only, and those that clients
// like to set and this engine has no use for. A name with a dot is somebody's own and takes any text, as in PostgreSQL.
// transaction_isolation and transaction_read_only belong to the transaction: the session knows them.
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

  // Names may be written in capitals. Throws SqlError: 42704 for an unknown name, 22023 for a bad value, 0A000 for an
  // isolation level there is none of.
  void set(std::string_view name, std::string_view value);
  // "all" resets everything.
  void reset(std::string_view name);
  std::string show(std::string_view name) const;

  sim::Duration lock_timeout() const { return timeout("lock_timeout"); }
  sim::Duration statement_timeout() const { return timeout("statement_timeout"); }
  sim::Duration deadlock_timeout() const { return timeout("deadlock_timeout"); }
  sim::Duration idle_in_transaction_session_timeout() const { return timeout("idle_in_transaction_session_timeout"); }
  std::string default_transaction_isolation() const { return show("default_transaction_isolation"); }
  bool default_transaction_read_only() const { return show("default_transaction_read_only") == "on"; }

  // The level's name in lower case. Throws 22023 unless it is one, 0A000 for the one this engine does not have.
  static std::string check_isolation(std::string_view parameter, std::string_view level);
  // Throws 22023.
  static bool check_boolean(std::string_view parameter, std::string_view value);

 private:
  sim::Duration timeout(std::string_view name) const { return timeouts_.find(name)->second; }

  std::map<std::string, sim::Duration, std::less<>> timeouts_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::string, sim::Duration, std::less<>> timeout_defaults_;
  std::map<std::string, std::string, std::less<>> text_defaults_;
};

}  // namespace polarsim::engine
