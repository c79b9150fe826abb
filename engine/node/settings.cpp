#include "engine/node/settings.h"

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

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
constexpr std::int64_t timeout_ms_max = 2'147'483'647;
constexpr std::int64_t work_mem_kb_min = 64;
constexpr std::int64_t memory_kb_max = 2'147'483'647;

enum class Kind : std::uint8_t {
  text,       // any
  fixed,      // only the default value
  boolean,    // on, off
  timeout,    // milliseconds
  cost,       // a number, not negative
  memory,     // kilobytes
  isolation,  // a level
  zone,       // a time zone
  date_style,
  schemas,
};

struct Known {
  const char* name;
  Kind kind;
  const char* initial;
  const char* display = nullptr;  // null: the name
};

// By name.
constexpr Known known_settings[] = {
    {"allow_system_table_mods", Kind::boolean, "off"},
    {"application_name", Kind::text, ""},
    {"bytea_output", Kind::fixed, "hex"},
    {"client_encoding", Kind::fixed, "UTF8"},
    {"client_min_messages", Kind::text, "notice"},
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

const Known* find_known(std::string_view name) {
  const auto found = std::lower_bound(std::begin(known_settings), std::end(known_settings), name,
                                      [](const Known& known, std::string_view wanted) { return known.name < wanted; });
  return found != std::end(known_settings) && found->name == name ? found : nullptr;
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

bool is_on(std::string_view text) { return text == "on"; }

}  // namespace

Settings::Settings(const NodeConfig& config) {
  for (const Known& known : known_settings) values_[known.name] = known.initial;
  const auto put = [this](const char* name, Duration value) { values_[name] = show_amount(value.count(), time_units); };
  put("lock_timeout", config.lock_timeout);
  put("statement_timeout", config.statement_timeout);
  put("deadlock_timeout", config.deadlock_timeout);
  put("idle_in_transaction_session_timeout", config.idle_in_transaction_session_timeout);
  defaults_ = values_;
  for (const Known& known : known_settings) apply(known.name);
}

std::string Settings::check_isolation(std::string_view parameter, std::string_view level) {
  const std::string name = lower(level);
  if (name == "read committed" || name == "read uncommitted" || name == "repeatable read") return name;
  if (name == "serializable") {
    throw SqlError(sqlstate::feature_not_supported, "isolation level \"serializable\" is not supported", "",
                   "Use REPEATABLE READ.");
  }
  refuse(parameter, level, "Available values: serializable, repeatable read, read committed, read uncommitted.");
}

bool Settings::check_boolean(std::string_view parameter, std::string_view value) {
  try {
    return input_value(value, TypeId::boolean, {}).as_boolean();
  } catch (const SqlError&) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("parameter \"{}\" requires a Boolean value", parameter));
  }
}

std::string Settings::canonical(std::string_view name, std::string_view value) const {
  const Known* const known = find_known(name);
  if (known == nullptr) return std::string(value);
  switch (known->kind) {
    case Kind::text:
      return std::string(value);
    case Kind::fixed:
      if (lower(value) == lower(known->initial)) return known->initial;
      throw SqlError(sqlstate::feature_not_supported,
                     fmt::format("parameter \"{}\" cannot be anything but \"{}\"", name, known->initial));
    case Kind::boolean:
      return check_boolean(name, value) ? "on" : "off";
    case Kind::timeout:
      return show_amount(parse_timeout(name, value).count(), time_units);
    case Kind::cost:
      return fmt::format("{}", parse_cost(name, value));
    case Kind::memory:
      return show_amount(parse_memory_kb(name, value), memory_units);
    case Kind::isolation:
      return check_isolation(name, value);
    case Kind::zone:
      return check_zone(value);
    case Kind::date_style:
      return check_date_style(value);
    case Kind::schemas: {
      std::vector<std::string> names;
      if (split_names(value, names)) return std::string(value);
      throw SqlError(sqlstate::invalid_parameter_value,
                     fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value), "List syntax is invalid.");
    }
  }
  return std::string(value);
}

void Settings::apply(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return;
  const std::string& value = found->second;
  const std::pair<const char*, Duration*> timeouts[] = {
      {"lock_timeout", &lock_timeout_},
      {"statement_timeout", &statement_timeout_},
      {"deadlock_timeout", &deadlock_timeout_},
      {"idle_in_transaction_session_timeout", &idle_in_transaction_session_timeout_}};
  for (const auto& [known, target] : timeouts) {
    if (name == known) *target = parse_timeout(name, value);
  }
  const std::pair<const char*, bool*> switches[] = {{"default_transaction_read_only", &default_transaction_read_only_},
                                                    {"allow_system_table_mods", &allow_system_table_mods_},
                                                    {"enable_hashagg", &planner_.enable_hashagg},
                                                    {"enable_hashjoin", &planner_.enable_hashjoin},
                                                    {"enable_indexscan", &planner_.enable_indexscan},
                                                    {"enable_material", &planner_.enable_material},
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
    if (name == known) *target = parse_cost(name, value);
  }
  if (name == "work_mem") planner_.work_mem_kb = static_cast<double>(parse_memory_kb(name, value));
  if (name == "default_transaction_isolation") default_transaction_isolation_ = value;
  if (name == "timezone") time_zone_ = value;
  if (name == "search_path") {
    search_path_.clear();
    split_names(value, search_path_);
  }
}

void Settings::set(std::string_view written, std::string_view value) {
  const std::string name = lower(written);
  const bool custom = name.find('.') != std::string::npos;
  if (!custom && find_known(name) == nullptr) {
    throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", written));
  }
  values_[name] = canonical(name, value);
  apply(name);
}

void Settings::reset(std::string_view written) {
  if (written == "all") {
    values_ = defaults_;
    for (const Known& known : known_settings) apply(known.name);
    return;
  }
  const std::string name = lower(written);
  const std::string shown = show(name);  // for the error if there is none
  const auto initial = defaults_.find(name);
  values_[name] = initial == defaults_.end() ? std::string() : initial->second;
  apply(name);
}

std::string Settings::show(std::string_view name) const {
  if (const auto found = values_.find(lower(name)); found != values_.end()) return found->second;
  throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name));
}

std::string_view Settings::display_name(std::string_view name) {
  const Known* const known = find_known(lower(name));
  return known != nullptr && known->display != nullptr ? known->display : name;
}

std::vector<std::pair<std::string, std::string>> Settings::all() const {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [name, value] : values_) settings.emplace_back(display_name(name), value);
  return settings;
}

}  // namespace polarsim::engine
