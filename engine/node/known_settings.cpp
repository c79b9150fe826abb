#include "engine/node/known_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>

#include "engine/node/postgres_settings.h"
#include "engine/node/session_services.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"
#include "engine/types/time_zone.h"

namespace polarsim::engine {

namespace {

using sim::Duration;
using Kind = KnownSetting::Kind;

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
constexpr double integer_max = 2'147'483'647;
constexpr double shards_max = 64'000;
constexpr const char* cannot_change = "55P02";
constexpr const char* the_role = role_name;

// Those of the cluster: what extensions have in PostgreSQL.
struct ClusterSetting {
  const char* name;
  Kind kind;
  const char* initial;
  double least = 0;
  double most = 0;
  const char* words = "";
};

constexpr ClusterSetting integer(const char* name, const char* initial, double least, double most) {
  return {name, Kind::integer, initial, least, most};
}
constexpr ClusterSetting word(const char* name, const char* initial, const char* words) {
  return {name, Kind::words, initial, 0, 0, words};
}

constexpr ClusterSetting settings_of_the_cluster[] = {
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
constexpr std::int64_t kilobyte = 1024;
constexpr Unit memory_units[] = {
    {"TB", kilobyte << 30}, {"GB", kilobyte << 20}, {"MB", kilobyte << 10}, {"kB", kilobyte}, {"B", 1}};

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

// An integer in C's forms, or a number with a fraction; `end` is what follows.
double parse_number(std::string_view name, std::string_view value, std::string_view text, std::string_view& rest) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (text.starts_with('-') || text.starts_with('+')) digits.remove_prefix(1);
  double number = 0;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    std::uint64_t whole = 0;
    digits.remove_prefix(2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole, 16);
    if (error != std::errc()) refuse(name, value);
    number = static_cast<double>(whole);
    rest = {end, static_cast<std::size_t>(digits.data() + digits.size() - end)};
  } else {
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::general);
    if (error != std::errc() || !std::isfinite(number) || digits.starts_with('-')) refuse(name, value);
    rest = {end, static_cast<std::size_t>(digits.data() + digits.size() - end)};
  }
  return negative ? -number : number;
}

// A number, perhaps with a fraction and a unit, as a multiple of `base`: PostgreSQL's parse_int().
double parse_amount(std::string_view name, std::string_view value, std::span<const Unit> units, std::int64_t base,
                    const char* hint) {
  std::string_view rest;
  const double number = parse_number(name, value, trim(value), rest);
  const std::string_view suffix = trim(rest);
  if (suffix.empty()) return std::nearbyint(number);
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& known) { return known.name == suffix; });
  if (unit == units.end()) refuse(name, value, hint);
  return std::nearbyint(number * static_cast<double>(unit->size) / static_cast<double>(base));
}

void check_range(const KnownSetting& setting, double value) {
  if (value >= setting.least && value <= setting.most) return;
  throw SqlError(
      sqlstate::invalid_parameter_value,
      fmt::format("{:.0f}{}{} is outside the valid range for parameter \"{}\" ({:.0f} .. {:.0f})", value,
                  setting.unit.empty() ? "" : " ", setting.unit, setting.display, setting.least, setting.most));
}

void check_integer(const KnownSetting& setting, std::string_view value, double number) {
  if (std::abs(number) > integer_max) refuse(setting.display, value, "Value exceeds integer range.");
  check_range(setting, number);
}

double parse_milliseconds(const KnownSetting& setting, std::string_view value) {
  const double milliseconds =
      parse_amount(setting.display, value, time_units, nanoseconds_per_ms,
                   "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".");
  check_integer(setting, value, milliseconds);
  return milliseconds;
}

std::int64_t bytes_in_unit(const KnownSetting& setting) { return setting.unit == "8kB" ? 8 * kilobyte : kilobyte; }

// In the setting's unit.
double parse_memory(const KnownSetting& setting, std::string_view value) {
  const double amount = parse_amount(setting.display, value, memory_units, bytes_in_unit(setting),
                                     "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".");
  check_integer(setting, value, amount);
  return amount;
}

double parse_real(const KnownSetting& setting, std::string_view value) {
  const std::string_view text = trim(value);
  std::string_view rest;
  const double number = parse_number(setting.display, value, text, rest);
  if (!trim(rest).empty()) refuse(setting.display, value);
  if (number >= setting.least && number <= setting.most) return number;
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("{:g} is outside the valid range for parameter \"{}\" ({:g} .. {:g})", number,
                             setting.display, setting.least, setting.most));
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
  // from_chars() knows no plus.
  std::string_view digits = value;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), hours);
  const bool number = error == std::errc() && end == digits.data() + digits.size() && std::abs(hours) < hours_max;
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
  const double number = parse_amount(setting.display, value, {}, 1, "");
  check_integer(setting, value, number);
  return static_cast<std::int64_t>(number);
}

bool is_among(std::string_view words, std::string_view word) {
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(", ", at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 2;
  }
  return false;
}

std::string check_word(const KnownSetting& setting, std::string_view value) {
  const std::string word = lower(value);
  if (is_among(setting.words, word)) return word;
  // What PostgreSQL takes without listing it.
  if (setting.name == "client_min_messages" && word == "debug") return "debug2";
  if (setting.name == "client_min_messages" && word == "info") return word;
  if (is_among(setting.words, "on") && is_among(setting.words, "off")) {
    if (word == "true" || word == "yes" || word == "1") return "on";
    if (word == "false" || word == "no" || word == "0") return "off";
  }
  refuse(setting.display, value, fmt::format("Available values: {}.", setting.words));
}

[[noreturn]] void refuse_with_detail(const KnownSetting& setting, std::string_view value, std::string detail) {
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.display, value), std::move(detail));
}

std::string check_encoding(const KnownSetting& setting, std::string_view value) {
  std::string plain;
  for (const char c : lower(value)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  if (plain == "utf8" || plain == "unicode") return "UTF8";
  static constexpr std::string_view others[] = {"sqlascii", "latin1",  "latin2",   "latin9",    "win1250",
                                                "win1251",  "win1252", "iso88591", "iso885915", "eucjp",
                                                "sjis",     "koi8r",   "gbk",      "big5"};
  if (std::find(std::begin(others), std::end(others), plain) == std::end(others)) refuse(setting.display, value);
  throw SqlError(sqlstate::feature_not_supported, "client encodings other than UTF8 are not supported");
}

std::string check_float_digits(const KnownSetting& setting, std::string_view value) {
  const std::int64_t digits = parse_integer(setting, value);
  if (digits >= 1) return fmt::format("{}", digits);
  // Numbers are always written in the fewest digits that say which they are.
  throw SqlError(sqlstate::feature_not_supported, "extra_float_digits below 1 is not supported");
}

std::string check_access_method(const KnownSetting& setting, std::string_view value) {
  if (value == "heap") return "heap";
  if (value.empty()) refuse_with_detail(setting, value, "default_table_access_method cannot be empty.");
  refuse_with_detail(setting, value, fmt::format("Table access method \"{}\" does not exist.", value));
}

std::string check_tablespaces(const KnownSetting& setting, std::string_view value) {
  std::vector<std::string> names;
  const bool one = setting.name == "default_tablespace";
  if (one && !value.empty()) names.emplace_back(value);
  if (!one && !split_names(value, names)) refuse_with_detail(setting, value, "List syntax is invalid.");
  for (const std::string& name : names) {
    if (name == "pg_default" || name.empty()) continue;
    if (name == "pg_global")
      throw SqlError(sqlstate::feature_not_supported, "tablespaces other than pg_default are not supported");
    refuse_with_detail(setting, value, fmt::format("Tablespace \"{}\" does not exist.", name));
  }
  return std::string(value);
}

std::string check_role(const KnownSetting& setting, std::string_view value) {
  if (value == "none" && setting.name == "role") return "none";
  if (value == the_role) return the_role;
  throw SqlError(sqlstate::invalid_parameter_value, fmt::format("role \"{}\" does not exist", value));
}

// As SHOW shows an amount of the unit.
std::string shown_amount(const KnownSetting& setting, double amount) {
  const auto whole = static_cast<std::int64_t>(amount);
  if (setting.kind == Kind::memory) return show_amount(whole * bytes_in_unit(setting), memory_units);
  return show_amount(whole * nanoseconds_per_ms, time_units);
}

KnownSetting known(const PostgresSetting& from) {
  KnownSetting setting;
  setting.display = from.name;
  setting.name = lower(from.name);
  setting.kind = from.kind;
  setting.built_in = setting.initial = from.initial;
  setting.least = from.least;
  setting.most = from.most;
  if (from.words != nullptr) setting.words = from.words;
  if (from.unit != nullptr) setting.unit = from.unit;
  setting.context = from.context;
  setting.type = from.type;
  setting.category = from.category;
  setting.description = from.description;
  if (from.details != nullptr) setting.details = from.details;
  if (!setting.unit.empty()) {
    double amount = 0;
    std::from_chars(setting.initial.data(), setting.initial.data() + setting.initial.size(), amount);
    if (setting.unit == "ms")
      setting.initial = show_amount(static_cast<std::int64_t>(amount) * nanoseconds_per_ms, time_units);
    if (setting.unit != "ms")
      setting.initial = show_amount(static_cast<std::int64_t>(amount) * bytes_in_unit(setting), memory_units);
  }
  return setting;
}

KnownSetting known(const ClusterSetting& from) {
  KnownSetting setting;
  setting.display = setting.name = from.name;
  setting.kind = from.kind;
  setting.built_in = setting.initial = from.initial;
  setting.least = from.least;
  setting.most = from.most;
  setting.words = from.words;
  if (from.kind == Kind::timeout) {
    setting.unit = "ms";
    setting.most = integer_max;
    setting.built_in = in_unit(setting, setting.initial);
  }
  setting.context = from.kind == Kind::server ? "sighup" : "user";
  setting.type = from.kind == Kind::boolean                                 ? "bool"
                 : from.kind == Kind::integer || from.kind == Kind::timeout ? "integer"
                 : from.kind == Kind::words                                 ? "enum"
                                                                            : "string";
  setting.category = "Customized Options";
  return setting;
}

KnownSetting hidden(const char* name, Kind kind, const char* initial) {
  KnownSetting setting;
  setting.display = setting.name = name;
  setting.kind = kind;
  setting.initial = initial;
  setting.hidden = true;
  return setting;
}

const std::vector<KnownSetting>& all_settings() {
  static const std::vector<KnownSetting> settings = [] {
    std::vector<KnownSetting> made;
    for (const PostgresSetting& setting : postgres_settings()) made.push_back(known(setting));
    for (const ClusterSetting& setting : settings_of_the_cluster) made.push_back(known(setting));
    made.push_back(hidden("is_superuser", Kind::internal, "on"));
    made.push_back(hidden("role", Kind::role, "none"));
    made.push_back(hidden("session_authorization", Kind::role, the_role));
    std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return made;
  }();
  return settings;
}

}  // namespace

std::vector<const KnownSetting*> known_settings() {
  std::vector<const KnownSetting*> settings;
  for (const KnownSetting& setting : all_settings()) settings.push_back(&setting);
  return settings;
}

const KnownSetting* find_known_setting(std::string_view name) {
  const std::vector<KnownSetting>& settings = all_settings();
  const auto found =
      std::lower_bound(settings.begin(), settings.end(), name,
                       [](const KnownSetting& setting, std::string_view wanted) { return setting.name < wanted; });
  return found != settings.end() && found->name == name ? &*found : nullptr;
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
  const std::string wanted = is_switch ? (check_boolean_setting(setting.display, value) ? "on" : "off") : lower(value);
  if (wanted == lower(only)) return setting.initial;
  if (!setting.words.empty()) check_word(setting, value);
  if (setting.kind == Kind::fixed && setting.type == "integer") {
    const double asked =
        setting.unit == "ms" ? parse_milliseconds(setting, value) : static_cast<double>(parse_integer(setting, value));
    if (in_unit(setting, setting.initial) == fmt::format("{:.0f}", asked)) return setting.initial;
  }
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("parameter \"{}\" cannot be anything but \"{}\"", setting.display, only));
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
  switch (setting.kind) {
    case Kind::text:
      break;
    case Kind::fixed:
      return check_fixed(setting, value);
    case Kind::internal:
      throw SqlError(cannot_change, fmt::format("parameter \"{}\" cannot be changed", setting.display));
    case Kind::postmaster:
      throw SqlError(cannot_change,
                     fmt::format("parameter \"{}\" cannot be changed without restarting the server", setting.display));
    case Kind::server:
      throw SqlError(cannot_change, fmt::format("parameter \"{}\" cannot be changed now", setting.display));
    case Kind::boolean:
      return check_boolean_setting(setting.display, value) ? "on" : "off";
    case Kind::timeout:
      return shown_amount(setting, parse_milliseconds(setting, value));
    case Kind::real:
      return fmt::format("{:g}", parse_real(setting, value));
    case Kind::memory:
      return shown_amount(setting, parse_memory(setting, value));
    case Kind::integer:
      return fmt::format("{}", parse_integer(setting, value));
    case Kind::words:
      return check_word(setting, value);
    case Kind::isolation:
      return check_isolation_setting(setting.display, value);
    case Kind::zone:
      return check_zone(value);
    case Kind::date_style:
      return check_date_style(value);
    case Kind::encoding:
      return check_encoding(setting, value);
    case Kind::float_digits:
      return check_float_digits(setting, value);
    case Kind::schemas:
      return check_schemas(setting, value);
    case Kind::access_method:
      return check_access_method(setting, value);
    case Kind::tablespaces:
      return check_tablespaces(setting, value);
    case Kind::role:
      return check_role(setting, value);
  }
  return std::string(value);
}

std::string in_unit(const KnownSetting& setting, std::string_view shown) {
  if (setting.unit.empty()) return std::string(shown);
  const bool time = setting.unit == "ms";
  return fmt::format("{:.0f}", time ? parse_amount(setting.display, shown, time_units, nanoseconds_per_ms, "")
                                    : parse_amount(setting.display, shown, memory_units, bytes_in_unit(setting), ""));
}

Duration timeout_of(std::string_view name, std::string_view value) {
  return Duration(static_cast<std::int64_t>(parse_milliseconds(*find_known_setting(name), value)) * nanoseconds_per_ms);
}
double memory_kb_of(std::string_view name, std::string_view value) {
  return parse_memory(*find_known_setting(name), value);
}
double cost_of(std::string_view name, std::string_view value) { return parse_real(*find_known_setting(name), value); }
std::vector<std::string> schemas_of(std::string_view value) {
  std::vector<std::string> names;
  split_names(value, names);
  return names;
}
std::string show_timeout(sim::Duration timeout) { return show_amount(timeout.count(), time_units); }
std::string setting_in_lower_case(std::string_view text) { return lower(text); }

}  // namespace polarsim::engine
