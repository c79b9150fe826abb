#include "engine/node/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "engine/node/known_settings.h"
#include "engine/types/error.h"

namespace polarsim::engine {

namespace {

using sim::Duration;

bool is_on(std::string_view text) { return text == "on"; }

// From what is least important. INFO is sent to the client in any case.
constexpr std::string_view severities[] = {"debug5", "debug4", "debug3", "debug2",  "debug1",
                                           "log",    "info",   "notice", "warning", "error"};

std::size_t severity_rank(std::string_view name) {
  return static_cast<std::size_t>(std::find(std::begin(severities), std::end(severities), name) -
                                  std::begin(severities));
}

int integer_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

const Settings::Values& Settings::built_in() {
  static const Values values = [] {
    Values made;
    for (const KnownSetting* known : known_settings()) made[known->name] = known->initial;
    return made;
  }();
  return values;
}

Settings::Settings(const NodeConfig& config) {
  const auto put = [this](const char* name, Duration value) { defaults_[name] = show_timeout(value); };
  put("lock_timeout", config.lock_timeout);
  put("statement_timeout", config.statement_timeout);
  put("deadlock_timeout", config.deadlock_timeout);
  put("idle_in_transaction_session_timeout", config.idle_in_transaction_session_timeout);
  defaults_["max_connections"] = std::to_string(config.max_connections);
  defaults_["autovacuum"] = config.autovacuum ? "on" : "off";
  defaults_["full_page_writes"] = config.full_page_writes ? "on" : "off";
  apply_all();
}

const std::string* Settings::find_default(std::string_view name) const {
  if (const auto own = defaults_.find(name); own != defaults_.end()) return &own->second;
  const auto found = built_in().find(name);
  return found == built_in().end() ? nullptr : &found->second;
}

const std::string* Settings::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? &found->second : find_default(name);
}

void Settings::set_default(std::string_view name, std::string_view value) {
  defaults_[std::string(name)] = value;
  values_.erase(std::string(name));
  apply(name);
}

std::string Settings::check_isolation(std::string_view parameter, std::string_view level) {
  return check_isolation_setting(parameter, level);
}

bool Settings::check_boolean(std::string_view parameter, std::string_view value) {
  return check_boolean_setting(parameter, value);
}

bool Settings::lets_through(std::string_view severity) const {
  return severity == "INFO" ||
         severity_rank(severity.empty() ? "warning" : setting_in_lower_case(severity)) >= least_message_;
}

// Those that something is kept ready of.
void Settings::apply_all() {
  static constexpr std::string_view names[] = {"client_min_messages",
                                               "lock_timeout",
                                               "statement_timeout",
                                               "deadlock_timeout",
                                               "idle_in_transaction_session_timeout",
                                               "default_transaction_read_only",
                                               "allow_system_table_mods",
                                               "enable_hashagg",
                                               "enable_hashjoin",
                                               "enable_indexscan",
                                               "enable_material",
                                               "enable_mergejoin",
                                               "enable_nestloop",
                                               "enable_seqscan",
                                               "enable_sort",
                                               "cpu_index_tuple_cost",
                                               "cpu_operator_cost",
                                               "cpu_tuple_cost",
                                               "random_page_cost",
                                               "seq_page_cost",
                                               "work_mem",
                                               "default_transaction_isolation",
                                               "timezone",
                                               "search_path"};
  for (const std::string_view name : names) apply(name);
  static constexpr std::string_view of_the_cluster[] = {"enable_repartition_joins",
                                                        "enable_single_hash_repartition_joins",
                                                        "explain_all_tasks",
                                                        "next_shard_id",
                                                        "repartition_join_bucket_count_per_node",
                                                        "shard_count"};
  for (const std::string_view own : of_the_cluster) apply(std::string(cluster_prefix) + "." + std::string(own));
}

void Settings::apply(std::string_view name) {
  const std::string* const found = find(name);
  if (found == nullptr) return;
  const std::string& value = *found;
  if (name == "client_min_messages") least_message_ = severity_rank(value);
  const std::pair<const char*, Duration*> timeouts[] = {
      {"lock_timeout", &lock_timeout_},
      {"statement_timeout", &statement_timeout_},
      {"deadlock_timeout", &deadlock_timeout_},
      {"idle_in_transaction_session_timeout", &idle_in_transaction_session_timeout_}};
  for (const auto& [known, target] : timeouts) {
    if (name == known) *target = timeout_of(name, value);
  }
  const std::pair<const char*, bool*> switches[] = {{"default_transaction_read_only", &default_transaction_read_only_},
                                                    {"allow_system_table_mods", &allow_system_table_mods_},
                                                    {"enable_hashagg", &planner_.enable_hashagg},
                                                    {"enable_hashjoin", &planner_.enable_hashjoin},
                                                    {"enable_indexscan", &planner_.enable_indexscan},
                                                    {"enable_material", &planner_.enable_material},
                                                    {"enable_mergejoin", &planner_.enable_mergejoin},
                                                    {"enable_nestloop", &planner_.enable_nestloop},
                                                    {"enable_seqscan", &planner_.enable_seqscan},
                                                    {"enable_sort", &planner_.enable_sort}};
  for (const auto& [known, target] : switches) {
    if (name == known) *target = is_on(value);
  }
  const std::pair<const char*, double*> costs[] = {{"cpu_index_tuple_cost", &planner_.cpu_index_tuple_cost},
                                                   {"cpu_operator_cost", &planner_.cpu_operator_cost},
                                                   {"cpu_tuple_cost", &planner_.cpu_tuple_cost},
                                                   {"random_page_cost", &planner_.random_page_cost},
                                                   {"seq_page_cost", &planner_.seq_page_cost}};
  for (const auto& [known, target] : costs) {
    if (name == known) *target = cost_of(name, value);
  }
  if (name == "work_mem") planner_.work_mem_kb = memory_kb_of(name, value);
  if (name == "default_transaction_isolation") default_transaction_isolation_ = value;
  if (name == "timezone") time_zone_ = value;
  if (name == "search_path") search_path_ = schemas_of(value);
  if (name.starts_with(cluster_prefix)) apply_to_cluster(name, value);
}

void Settings::apply_to_cluster(std::string_view name, std::string_view value) {
  const std::string_view own = name.substr(cluster_prefix.size() + 1);
  if (own == "enable_repartition_joins") cluster_.enable_repartition_joins = is_on(value);
  if (own == "enable_single_hash_repartition_joins") cluster_.enable_single_hash_repartition_joins = is_on(value);
  if (own == "explain_all_tasks") cluster_.explain_all_tasks = is_on(value);
  if (own == "next_shard_id") cluster_.next_shard_id = integer_of(value);
  if (own == "repartition_join_bucket_count_per_node")
    cluster_.repartition_join_bucket_count_per_node = integer_of(value);
  if (own == "shard_count") cluster_.shard_count = integer_of(value);
}

// A name with a dot is anybody's, unless its first part has an owner, who knows it.
void Settings::check_custom(std::string_view written, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos)
    throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", written));
  if (name.substr(0, dot) != cluster_prefix) return;
  throw SqlError("42602", fmt::format("invalid configuration parameter name \"{}\"", written),
                 fmt::format("\"{}\" is a reserved prefix.", cluster_prefix));
}

void Settings::set(std::string_view written, std::string_view value) {
  const std::string name = setting_in_lower_case(written);
  const KnownSetting* const known = find_known_setting(name);
  if (known == nullptr) check_custom(written, name);
  values_[name] = known != nullptr ? canonical_value(*known, value) : std::string(value);
  apply(name);
}

void Settings::reset(std::string_view written) {
  if (written == "all") {
    values_.clear();
    return apply_all();
  }
  const std::string name = setting_in_lower_case(written);
  const KnownSetting* const known = find_known_setting(name);
  if (known == nullptr && find(name) == nullptr) check_custom(written, name);
  using Kind = KnownSetting::Kind;
  if (known != nullptr &&
      (known->kind == Kind::internal || known->kind == Kind::postmaster || known->kind == Kind::server))
    canonical_value(*known, show(name));
  values_.erase(name);
  if (find_default(name) == nullptr) values_[name] = std::string();
  apply(name);
}

std::string Settings::show(std::string_view name) const {
  if (const std::string* const found = find(setting_in_lower_case(name))) return *found;
  throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name));
}

std::string_view Settings::display_name(std::string_view name) {
  const KnownSetting* const known = find_known_setting(setting_in_lower_case(name));
  return known != nullptr ? std::string_view(known->display) : name;
}

std::vector<std::pair<std::string, std::string>> Settings::all() const {
  std::vector<std::pair<std::string, std::string>> settings;
  Values shown = values_;
  shown.insert(defaults_.begin(), defaults_.end());
  shown.insert(built_in().begin(), built_in().end());
  for (const auto& [name, value] : shown) {
    const KnownSetting* const known = find_known_setting(name);
    if (known == nullptr || !known->hidden) settings.emplace_back(display_name(name), value);
  }
  return settings;
}

}  // namespace polarsim::engine
