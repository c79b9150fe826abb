#include "engine/node/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/value.h"

namespace polarsim::engine {

namespace {

using sim::Duration;

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
constexpr std::int64_t timeout_ms_max = 2'147'483'647;

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// From large to small: SHOW uses the first that divides the value.
constexpr Unit units[] = {{"d", 86'400'000 * nanoseconds_per_ms},
                          {"h", 3'600'000 * nanoseconds_per_ms},
                          {"min", 60'000 * nanoseconds_per_ms},
                          {"s", 1'000 * nanoseconds_per_ms},
                          {"ms", nanoseconds_per_ms},
                          {"us", nanoseconds_per_ms / 1000}};

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

// A number, perhaps with a fraction and a unit, rounded to milliseconds as PostgreSQL's parse_int() does.
Duration parse_timeout(std::string_view name, std::string_view value) {
  const std::string_view text = trim(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::general);
  if (error != std::errc() || !std::isfinite(number)) refuse(name, value);
  const std::string_view suffix = trim({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  double scale = 1;
  if (!suffix.empty()) {
    const Unit* const unit =
        std::find_if(std::begin(units), std::end(units), [&](const Unit& known) { return known.name == suffix; });
    if (unit == std::end(units)) {
      refuse(name, value, "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".");
    }
    scale = static_cast<double>(unit->nanoseconds) / nanoseconds_per_ms;
  }
  const double milliseconds = std::nearbyint(number * scale);
  const std::int64_t least = name == "deadlock_timeout" ? 1 : 0;
  if (milliseconds < static_cast<double>(least) || milliseconds > static_cast<double>(timeout_ms_max)) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("{:.0f} ms is outside the valid range for parameter \"{}\" ({} .. {})", milliseconds,
                               name, least, timeout_ms_max));
  }
  return Duration(static_cast<std::int64_t>(milliseconds) * nanoseconds_per_ms);
}

std::string show_timeout(Duration value) {
  if (value == Duration(0)) return "0";
  for (const Unit& unit : units) {
    if (value.count() % unit.nanoseconds == 0) return fmt::format("{}{}", value.count() / unit.nanoseconds, unit.name);
  }
  return fmt::format("{}ns", value.count());
}

}  // namespace

Settings::Settings(const NodeConfig& config)
    : timeouts_{{"lock_timeout", config.lock_timeout},
                {"statement_timeout", config.statement_timeout},
                {"deadlock_timeout", config.deadlock_timeout},
                {"idle_in_transaction_session_timeout", config.idle_in_transaction_session_timeout}},
      texts_{{"application_name", ""},
             {"client_encoding", "UTF8"},
             {"client_min_messages", "notice"},
             {"datestyle", "ISO, MDY"},
             {"default_transaction_isolation", "read committed"},
             {"default_transaction_read_only", "off"},
             {"extra_float_digits", "1"},
             {"intervalstyle", "postgres"},
             {"search_path", "\"$user\", public"},
             {"server_encoding", "UTF8"},
             {"server_version", "15.0"},
             {"server_version_num", "150000"},
             {"standard_conforming_strings", "on"},
             {"timezone", "UTC"}},
      timeout_defaults_(timeouts_),
      text_defaults_(texts_) {}

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
    return from_text(value, TypeId::boolean).as_boolean();
  } catch (const SqlError&) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("parameter \"{}\" requires a Boolean value", parameter));
  }
}

void Settings::set(std::string_view written, std::string_view value) {
  const std::string name = lower(written);
  if (const auto found = timeouts_.find(name); found != timeouts_.end()) {
    found->second = parse_timeout(name, value);
    return;
  }
  const bool custom = name.find('.') != std::string::npos;
  if (!custom && !texts_.contains(name)) {
    throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", written));
  }
  std::string text(value);
  if (name == "default_transaction_isolation") text = check_isolation(name, value);
  if (name == "default_transaction_read_only") text = check_boolean(name, value) ? "on" : "off";
  texts_[name] = std::move(text);
}

void Settings::reset(std::string_view written) {
  const std::string name = lower(written);
  if (name == "all") {
    timeouts_ = timeout_defaults_;
    texts_ = text_defaults_;
    return;
  }
  if (const auto timeout = timeout_defaults_.find(name); timeout != timeout_defaults_.end()) {
    timeouts_[name] = timeout->second;
    return;
  }
  const std::string shown = show(written);  // for the error if there is none
  const auto text = text_defaults_.find(name);
  texts_[name] = text == text_defaults_.end() ? std::string() : text->second;
}

std::string Settings::show(std::string_view written) const {
  const std::string name = lower(written);
  if (const auto timeout = timeouts_.find(name); timeout != timeouts_.end()) return show_timeout(timeout->second);
  if (const auto text = texts_.find(name); text != texts_.end()) return text->second;
  throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", written));
}

}  // namespace polarsim::engine
