// A session's settings: SET, SHOW, RESET (PostgreSQL's src/backend/utils/misc/guc.c).
//
// Names are found in any case. Known: timeouts (milliseconds, or with a unit: us, ms, s, min, h, d), defaults of
// transactions, search_path, timezone, the planner's costs and switches, work_mem, and those that clients like to set
// and this engine knows one value of, and polar_cluster.* (known_settings.h says which). Any other name with a dot is
// somebody's own and takes any text, as in PostgreSQL.
// transaction_isolation and transaction_read_only belong to the transaction: the session knows them.
//
// What statements ask for often is kept ready: a Settings is immutable once a session uses it, and is copied to change.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config.h"
#include "engine/plan/planner.h"
#include "sim/time.h"

namespace polarsim::engine {

// polar_cluster.* settings of these names that change something.
struct ClusterSettings {
  bool enable_repartition_joins = false;
  bool enable_single_hash_repartition_joins = false;
  bool explain_all_tasks = false;
  int next_shard_id = 0;  // 0: the next of the cluster's sequence
  int repartition_join_bucket_count_per_node = 4;
  int shard_count = 32;
};

class Settings {
 public:
  explicit Settings(const NodeConfig& config);

  // Throws SqlError: 42704 for an unknown name, 22023 for a bad value, 0A000 for a value there is but not here.
  void set(std::string_view name, std::string_view value);
  // What the server's configuration says, as it is shown.
  void set_default(std::string_view name, std::string_view value);
  // "all" resets everything.
  void reset(std::string_view name);
  std::string show(std::string_view name) const;
  // As PostgreSQL spells the name ("TimeZone"), which is the name itself for most.
  static std::string_view display_name(std::string_view name);
  // Names, in order, with their values.
  std::vector<std::pair<std::string, std::string>> all() const;

  sim::Duration lock_timeout() const { return lock_timeout_; }
  sim::Duration statement_timeout() const { return statement_timeout_; }
  sim::Duration deadlock_timeout() const { return deadlock_timeout_; }
  sim::Duration idle_in_transaction_session_timeout() const { return idle_in_transaction_session_timeout_; }
  const std::string& default_transaction_isolation() const { return default_transaction_isolation_; }
  bool default_transaction_read_only() const { return default_transaction_read_only_; }
  // The schemas as they were written, without quotes: "$user" and such as do not exist among them.
  const std::vector<std::string>& search_path() const { return search_path_; }
  // A zone's name; as long as the object.
  const std::string& time_zone() const { return time_zone_; }
  const plan::PlannerSettings& planner_settings() const { return planner_; }
  std::size_t work_memory_bytes() const { return static_cast<std::size_t>(planner_.work_mem_kb) * 1024; }
  // Whether the client wants to hear of a notice; an empty severity is WARNING.
  bool lets_through(std::string_view severity) const;
  bool allow_system_table_mods() const { return allow_system_table_mods_; }
  const ClusterSettings& cluster_settings() const { return cluster_; }

  // The level's name in lower case. Throws 22023 unless it is one, 0A000 for the one this engine does not have.
  static std::string check_isolation(std::string_view parameter, std::string_view level);
  // Throws 22023.
  static bool check_boolean(std::string_view parameter, std::string_view value);

 private:
  static void check_custom(std::string_view written, std::string_view name);
  // Brings what is kept ready up to date.
  void apply(std::string_view name);
  void apply_all();
  void apply_to_cluster(std::string_view name, std::string_view value);

  // By name in lower case, as SHOW shows them.
  using Values = std::map<std::string, std::string, std::less<>>;
  static const Values& built_in();
  const std::string* find_default(std::string_view name) const;
  const std::string* find(std::string_view name) const;

  Values values_;    // that differ from the defaults
  Values defaults_;  // that differ from built_in()

  sim::Duration lock_timeout_{};
  sim::Duration statement_timeout_{};
  sim::Duration deadlock_timeout_{};
  sim::Duration idle_in_transaction_session_timeout_{};
  std::string default_transaction_isolation_;
  bool default_transaction_read_only_ = false;
  std::vector<std::string> search_path_;
  std::string time_zone_;
  plan::PlannerSettings planner_;
  bool allow_system_table_mods_ = false;
  ClusterSettings cluster_;
  std::size_t least_message_ = 0;  // client_min_messages, by rank
};

}  // namespace polarsim::engine
