#include "engine/node/known_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "engine/types/error.h"
#include "engine/types/text_form.h"
#include "engine/types/time_zone.h"

namespace polarsim::engine {

namespace {

using sim::Duration;
using Kind = KnownSetting::Kind;

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
constexpr std::int64_t timeout_ms_max = 2'147'483'647;
constexpr std::int64_t work_mem_kb_min = 64;
constexpr std::int64_t memory_kb_max = 2'147'483'647;

constexpr std::int64_t integer_max = 2'147'483'647;
constexpr std::int64_t shards_max = 64'000;

// By name.
constexpr KnownSetting postgres_settings[] = {
    {"allow_system_table_mods", Kind::boolean, "off"},
    {"application_name", Kind::text, ""},
    {"bytea_output", Kind::fixed, "hex"},
    {"client_encoding", Kind::fixed, "UTF8"},
    {"client_min_messages", Kind::words, "notice", nullptr, 0, 0,
     "debug5, debug4, debug3, debug2, debug1, log, notice, warning, error"},
    {"cpu_index_tuple_cost", Kind::cost, "0.005"},
    {"cpu_operator_cost", Kind::cost, "0.0025"},
    {"cpu_tuple_cost", Kind::cost, "0.01"},
    {"datestyle", Kind::date_style, "ISO, MDY", "DateStyle"},
    {"deadlock_timeout", Kind::timeout, "1s"},
    {"default_transaction_isolation", Kind::isolation, "read committed"},
    {"default_transaction_read_only", Kind::boolean, "off"},
    {"enable_hashagg", Kind::boolean, "on"},
    {"enable_hashjoin", Kind::boolean, "on"},
    {"enable_indexscan", Kind::boolean, "on"},
    {"enable_material", Kind::boolean, "on"},
    {"enable_nestloop", Kind::boolean, "on"},
    {"enable_seqscan", Kind::boolean, "on"},
    {"enable_sort", Kind::boolean, "on"},
    {"extra_float_digits", Kind::text, "1"},
    {"idle_in_transaction_session_timeout", Kind::timeout, "0"},
    {"intervalstyle", Kind::fixed, "postgres", "IntervalStyle"},
    {"lock_timeout", Kind::timeout, "0"},
    {"random_page_cost", Kind::cost, "4"},
    {"search_path", Kind::schemas, "\"$user\", public"},
    {"seq_page_cost", Kind::cost, "1"},
    {"server_encoding", Kind::fixed, "UTF8"},
    {"server_version", Kind::fixed, "15.0"},
    {"server_version_num", Kind::fixed, "150000"},
    {"standard_conforming_strings", Kind::fixed, "on"},
    {"statement_timeout", Kind::timeout, "0"},
    {"timezone", Kind::zone, "UTC", "TimeZone"},
    {"work_mem", Kind::memory, "4MB"},
};

constexpr KnownSetting integer(const char* name, const char* initial, std::int64_t least, std::int64_t most) {
  return {name, Kind::integer, initial, nullptr, least, most};
}
constexpr KnownSetting word(const char* name, const char* initial, const char* words) {
  return {name, Kind::words, initial, nullptr, 0, 0, words};
}

// By name.
constexpr KnownSetting settings_of_the_cluster[] = {
    {"polar_cluster.all_modifications_commutative", Kind::boolean, "off"},
    {"polar_cluster.distributed_deadlock_detection_factor", Kind::server, "2"},
    {"polar_cluster.enable_change_data_capture", Kind::fixed, "off"},
    {"polar_cluster.enable_ddl_propagation", Kind::fixed, "on"},
    {"polar_cluster.enable_local_execution", Kind::fixed, "on"},
    {"polar_cluster.enable_repartition_joins", Kind::boolean, "off"},
    {"polar_cluster.enable_single_hash_repartition_joins", Kind::boolean, "off"},
    {"polar_cluster.executor_slow_start_interval", Kind::timeout, "10ms"},
    {"polar_cluster.explain_all_tasks", Kind::boolean, "off"},
    {"polar_cluster.force_max_query_parallelization", Kind::boolean, "off"},
    {"polar_cluster.function_opens_transaction_block", Kind::fixed, "on"},
    integer("polar_cluster.limit_clause_row_fetch_count", "-1", -1, integer_max),
    {"polar_cluster.log_remote_commands", Kind::fixed, "off"},
    integer("polar_cluster.max_adaptive_executor_pool_size", "16", 1, integer_max),
    integer("polar_cluster.max_cached_conns_per_worker", "1", 0, integer_max),
    word("polar_cluster.multi_shard_modify_mode", "parallel", "parallel, sequential"),
    integer("polar_cluster.next_shard_id", "0", 0, integer_max),
    {"polar_cluster.propagate_set_commands", Kind::fixed, "none"},
    {"polar_cluster.recover_2pc_interval", Kind::server, "1min"},
    integer("polar_cluster.repartition_join_bucket_count_per_node", "4", 1, integer_max),
    {"polar_cluster.select_opens_transaction_block", Kind::fixed, "on"},
    integer("polar_cluster.shard_count", "32", 1, shards_max),
    {"polar_cluster.shard_replication_factor", Kind::fixed, "1"},
    word("polar_cluster.task_assignment_policy", "greedy", "greedy, first-replica, round-robin"),
    {"polar_cluster.task_executor_type", Kind::fixed, "adaptive"},
    {"polar_cluster.use_secondary_nodes", Kind::fixed, "never"},
};

const KnownSetting* find_among(std::span<const KnownSetting> settings, std::string_view name) {
  const auto found =
      std::lower_bound(settings.begin(), settings.end(), name,
                       [](const KnownSetting& known, std::string_view wanted) { return known.name < wanted; });
  return found != settings.end() && found->name == name ? &*found : nullptr;
}

struct Unit {
  std::string_view name;
  std::int64_t size;
};
// From large to small: SHOW uses the first that divides the value. In nanoseconds, and in kilobytes.
constexpr Unit time_units[] = {{"d", 86'400'000 * nanoseconds_per_ms},
                               {"h", 3'600'000 * nanoseconds_per_ms},
                               {"min", 60'000 * nanoseconds_per_ms},
                               {"s", 1'000 * nanoseconds_per_ms},
                               {"ms", nanoseconds_per_ms},
                               {"us", nanoseconds_per_ms / 1000}};
constexpr Unit memory_units[] = {{"TB", 1 << 30}, {"GB", 1 << 20}, {"MB", 1 << 10}, {"kB", 1}};

[[noreturn]] void refuse(std::string_view name, std::string_view value, std::string hint = "") {
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value), "", std::move(hint));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A number, perhaps with a fraction and a unit, as a multiple of `base`: PostgreSQL's parse_int().
double parse_amount(std::string_view name, std::string_view value, std::span<const Unit> units, std::int64_t base,
                    const char* hint) {
  const std::string_view text = trim(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::general);
  if (error != std::errc() || !std::isfinite(number)) refuse(name, value);
  const std::string_view suffix = trim({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  if (suffix.empty()) return std::nearbyint(number);
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& known) { return known.name == suffix; });
  if (unit == units.end()) refuse(name, value, hint);
  return std::nearbyint(number * static_cast<double>(unit->size) / static_cast<double>(base));
}

void check_range(std::string_view name, double value, std::int64_t least, std::int64_t most, const char* unit) {
  if (value >= static_cast<double>(least) && value <= static_cast<double>(most)) return;
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("{:.0f}{} is outside the valid range for parameter \"{}\" ({} .. {})", value, unit, name,
                             least, most));
}

Duration parse_timeout(std::string_view name, std::string_view value) {
  const double milliseconds =
      parse_amount(name, value, time_units, nanoseconds_per_ms,
                   "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".");
  check_range(name, milliseconds, name == "deadlock_timeout" ? 1 : 0, timeout_ms_max, " ms");
  return Duration(static_cast<std::int64_t>(milliseconds) * nanoseconds_per_ms);
}

std::int64_t parse_memory_kb(std::string_view name, std::string_view value) {
  const double kilobytes = parse_amount(
      name, value, memory_units, 1, "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".");
  check_range(name, kilobytes, work_mem_kb_min, memory_kb_max, " kB");
  return static_cast<std::int64_t>(kilobytes);
}

double parse_cost(std::string_view name, std::string_view value) {
  const std::string_view text = trim(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) refuse(name, value);
  if (!(number >= 0)) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("{} is outside the valid range for parameter \"{}\" (0 .. 1.79769e+308)", number, name));
  }
  return number;
}

std::string show_amount(std::int64_t value, std::span<const Unit> units) {
  if (value == 0) return "0";
  for (const Unit& unit : units) {
    if (value % unit.size == 0) return fmt::format("{}{}", value / unit.size, unit.name);
  }
  return fmt::format("{}ns", value);
}

// A number of hours is a zone of its own, as PostgreSQL shows it: -5.5 is <-05:30>+05:30.
std::string zone_of_hours(double hours) {
  const auto minutes = static_cast<int>(std::lround(hours * 60));
  const int amount = std::abs(minutes);
  const auto text = [&](char sign) {
    return amount % 60 == 0 ? fmt::format("{}{:02}", sign, amount / 60)
                            : fmt::format("{}{:02}:{:02}", sign, amount / 60, amount % 60);
  };
  return fmt::format("<{}>{}", text(minutes < 0 ? '-' : '+'), text(minutes < 0 ? '+' : '-'));
}

std::string check_zone(std::string_view value) {
  constexpr double hours_max = 168;
  double hours = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), hours);
  const bool number = error == std::errc() && end == value.data() + value.size() && std::abs(hours) < hours_max;
  const std::string name = number ? zone_of_hours(hours) : std::string(value);
  const TimeZone* const zone = find_time_zone(name);
  if (zone == nullptr) refuse("TimeZone", value);
  return number ? name : zone->name();
}

std::string check_date_style(std::string_view value) {
  const std::string style = lower(value);
  if (style == "iso" || style == "iso, mdy" || style == "iso,mdy" || style == "mdy" || style == "us") return "ISO, MDY";
  throw SqlError(sqlstate::feature_not_supported, fmt::format("DateStyle \"{}\" is not supported", value), "",
                 "Use ISO, MDY.");
}

// Names separated by commas, in double quotes if need be; words outside them are in lower case. False if it is none.
bool split_names(std::string_view text, std::vector<std::string>& names) {
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && text[at] == ' ') ++at;
  };
  skip_blanks();
  while (at < text.size()) {
    std::string name;
    if (text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) return false;
        if (text[at] != '"') {
          name += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
          name += text[at++];
        } else {
          break;
        }
      }
      ++at;
    } else {
      while (at < text.size() && text[at] != ',' && text[at] != ' ') name += text[at++];
      if (name.empty()) return false;
      name = lower(name);
    }
    names.push_back(std::move(name));
    skip_blanks();
    if (at == text.size()) return true;
    if (text[at++] != ',') return false;
    skip_blanks();
    if (at == text.size()) return false;
  }
  return true;
}

std::int64_t parse_integer(const KnownSetting& setting, std::string_view value) {
  const double number = parse_amount(setting.name, value, {}, 1, "");
  if (std::abs(number) > static_cast<double>(integer_max)) refuse(setting.name, value, "Value exceeds integer range.");
  check_range(setting.name, number, setting.least, setting.most, "");
  return static_cast<std::int64_t>(number);
}

std::string check_word(const KnownSetting& setting, std::string_view value) {
  const std::string word = lower(value);
  const std::string_view words = setting.words;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(", ", at), words.size());
    if (words.substr(at, end - at) == word) return word;
    at = end + 2;
  }
  refuse(setting.name, value, fmt::format("Available values: {}.", words));
}

}  // namespace

std::vector<const KnownSetting*> known_settings() {
  std::vector<const KnownSetting*> settings;
  for (const KnownSetting& setting : postgres_settings) settings.push_back(&setting);
  for (const KnownSetting& setting : settings_of_the_cluster) settings.push_back(&setting);
  std::sort(settings.begin(), settings.end(),
            [](const auto* a, const auto* b) { return std::string_view(a->name) < b->name; });
  return settings;
}

const KnownSetting* find_known_setting(std::string_view name) {
  const KnownSetting* const found = find_among(postgres_settings, name);
  return found != nullptr ? found : find_among(settings_of_the_cluster, name);
}

bool check_boolean_setting(std::string_view name, std::string_view value) {
  try {
    return input_value(value, TypeId::boolean, {}).as_boolean();
  } catch (const SqlError&) {
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("parameter \"{}\" requires a Boolean value", name));
  }
}

std::string check_isolation_setting(std::string_view name, std::string_view level) {
  const std::string wanted = lower(level);
  if (wanted == "read committed" || wanted == "read uncommitted" || wanted == "repeatable read") return wanted;
  if (wanted == "serializable") {
    throw SqlError(sqlstate::feature_not_supported, "isolation level \"serializable\" is not supported", "",
                   "Use REPEATABLE READ.");
  }
  refuse(name, level, "Available values: serializable, repeatable read, read committed, read uncommitted.");
}

namespace {

std::string check_fixed(const KnownSetting& setting, std::string_view value) {
  const std::string_view only = setting.initial;
  const bool is_switch = only == "on" || only == "off";
  const std::string wanted = is_switch ? (check_boolean_setting(setting.name, value) ? "on" : "off") : lower(value);
  if (wanted == lower(only)) return setting.initial;
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("parameter \"{}\" cannot be anything but \"{}\"", setting.name, only));
}

std::string check_schemas(const KnownSetting& setting, std::string_view value) {
  std::vector<std::string> names;
  if (split_names(value, names)) return std::string(value);
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.name, value),
                 "List syntax is invalid.");
}

}  // namespace

std::string canonical_value(const KnownSetting& setting, std::string_view value) {
  const char* const name = setting.name;
  switch (setting.kind) {
    case Kind::text:
      break;
    case Kind::fixed:
      return check_fixed(setting, value);
    case Kind::server:
      throw SqlError("55P02", fmt::format("parameter \"{}\" cannot be changed now", name));
    case Kind::boolean:
      return check_boolean_setting(name, value) ? "on" : "off";
    case Kind::timeout:
      return show_timeout(timeout_of(name, value));
    case Kind::cost:
      return fmt::format("{}", cost_of(name, value));
    case Kind::memory:
      return show_amount(parse_memory_kb(name, value), memory_units);
    case Kind::integer:
      return fmt::format("{}", parse_integer(setting, value));
    case Kind::words:
      return check_word(setting, value);
    case Kind::isolation:
      return check_isolation_setting(name, value);
    case Kind::zone:
      return check_zone(value);
    case Kind::date_style:
      return check_date_style(value);
    case Kind::schemas:
      return check_schemas(setting, value);
  }
  return std::string(value);
}

sim::Duration timeout_of(std::string_view name, std::string_view value) { return parse_timeout(name, value); }
double memory_kb_of(std::string_view name, std::string_view value) {
  return static_cast<double>(parse_memory_kb(name, value));
}
double cost_of(std::string_view name, std::string_view value) { return parse_cost(name, value); }
std::vector<std::string> schemas_of(std::string_view value) {
  std::vector<std::string> names;
  split_names(value, names);
  return names;
}
std::string show_timeout(sim::Duration timeout) { return show_amount(timeout.count(), time_units); }
std::string setting_in_lower_case(std::string_view text) { return lower(text); }

}  // namespace polarsim::engine
