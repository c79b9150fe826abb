#include "engine/node/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include "engine/sql/error.h"

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

Duration parse_timeout(std::string_view name, std::string_view text) {
  const auto refuse = [&] {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("invalid value for parameter \"{}\": \"{}\"", name, text));
  };
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) refuse();
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (suffix.starts_with(' ')) suffix.remove_prefix(1);
  std::int64_t scale = nanoseconds_per_ms;
  if (!suffix.empty()) {
    const Unit* found = nullptr;
    for (const Unit& unit : units) {
      if (unit.name == suffix) found = &unit;
    }
    if (found == nullptr) {
      refuse();
    } else {
      scale = found->nanoseconds;
    }
  }
  const bool fits = number >= 0 && number <= timeout_ms_max * nanoseconds_per_ms / scale;
  if (!fits) {
    throw SqlError(
        sqlstate::invalid_parameter_value,
        fmt::format("{} is outside the valid range for parameter \"{}\" (0 ms .. {} ms)", text, name, timeout_ms_max));
  }
  return Duration(number * scale);
}

std::string show_timeout(Duration value) {
  if (value == Duration(0)) return "0";
  for (const Unit& unit : units) {
    if (value.count() % unit.nanoseconds == 0) return fmt::format("{}{}", value.count() / unit.nanoseconds, unit.name);
  }
  return fmt::format("{}ns", value.count());
}

bool is_isolation(std::string_view name) {
  return name == "transaction_isolation" || name == "default_transaction_isolation";
}

}  // namespace

Settings::Settings(const NodeConfig& config)
    : timeouts_{{"lock_timeout", config.lock_timeout},
                {"statement_timeout", config.statement_timeout},
                {"deadlock_timeout", config.deadlock_timeout}},
      texts_{{"application_name", ""},
             {"client_encoding", "UTF8"},
             {"client_min_messages", "notice"},
             {"datestyle", "ISO, MDY"},
             {"default_transaction_isolation", "read committed"},
             {"extra_float_digits", "1"},
             {"intervalstyle", "postgres"},
             {"search_path", "\"$user\", public"},
             {"server_encoding", "UTF8"},
             {"server_version", "15.0"},
             {"server_version_num", "150000"},
             {"standard_conforming_strings", "on"},
             {"timezone", "UTC"},
             {"transaction_isolation", "read committed"}},
      timeout_defaults_(timeouts_),
      text_defaults_(texts_) {}

void Settings::check_isolation(std::string_view level) {
  if (level.empty() || level == "read committed" || level == "read uncommitted") return;
  if (level == "repeatable read" || level == "serializable") {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("isolation level \"{}\" is not supported", level), "",
                   "Use READ COMMITTED.");
  }
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("invalid value for parameter \"transaction_isolation\": \"{}\"", level));
}

void Settings::set(std::string_view name, std::string_view value) {
  if (const auto found = timeouts_.find(name); found != timeouts_.end()) {
    found->second = parse_timeout(name, value);
    return;
  }
  if (is_isolation(name)) {
    check_isolation(value);
    return;
  }
  const bool custom = name.find('.') != std::string_view::npos;
  if (!custom && !texts_.contains(name)) {
    throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name));
  }
  texts_[std::string(name)] = value;
}

void Settings::reset(std::string_view name) {
  if (name == "all") {
    timeouts_ = timeout_defaults_;
    texts_ = text_defaults_;
    return;
  }
  if (const auto timeout = timeout_defaults_.find(name); timeout != timeout_defaults_.end()) {
    timeouts_[std::string(name)] = timeout->second;
    return;
  }
  const std::string shown = show(name);  // for the error if there is none
  const auto text = text_defaults_.find(name);
  texts_[std::string(name)] = text == text_defaults_.end() ? std::string() : text->second;
}

std::string Settings::show(std::string_view name) const {
  if (const auto timeout = timeouts_.find(name); timeout != timeouts_.end()) return show_timeout(timeout->second);
  if (const auto text = texts_.find(name); text != texts_.end()) return text->second;
  throw SqlError(sqlstate::undefined_object, fmt::format("unrecognized configuration parameter \"{}\"", name));
}

}  // namespace polarsim::engine
