// POSIX descriptions of time zones, as PostgreSQL reads them (src/timezone/localtime.c, tzparse): the offset must be
// there, and daylight saving time without rules follows those of the United States.
#include <optional>

#include "engine/types/time_zone.h"

namespace polarsim::engine {
namespace {

class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : rest_(text) {}

  std::optional<TimeZone::Rule> parse() {
    TimeZone::Rule rule;
    std::int32_t west_s = 0;
    read_name(rule.standard.abbreviation);  // may be missing: "-3"
    if (rest_.empty() || !read_offset(west_s)) return std::nullopt;
    rule.standard.east_s = -west_s;
    if (rest_.empty()) return rule;
    TimeZone::Offset daylight;
    daylight.is_daylight_saving = true;
    if (!read_name(daylight.abbreviation)) return std::nullopt;
    west_s -= seconds_per_hour;
    if (!rest_.empty() && rest_[0] != ',' && rest_[0] != ';' && !read_offset(west_s)) return std::nullopt;
    daylight.east_s = -west_s;
    rule.daylight = daylight;
    if (rest_.empty()) rest_ = ",M3.2.0,M11.1.0";
    if (rest_[0] != ',' && rest_[0] != ';') return std::nullopt;
    rest_.remove_prefix(1);
    if (!read_change(rule.start) || !take(',') || !read_change(rule.end) || !rest_.empty()) return std::nullopt;
    return rule;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool read_name(std::string& name) {
    std::size_t length = 0;
    if (take('<')) {
      length = rest_.find('>');
      if (length == std::string_view::npos) return false;
      name = rest_.substr(0, length);
      rest_.remove_prefix(length + 1);
      return !name.empty();
    }
    while (length < rest_.size() && !is_digit(rest_[length]) && rest_[length] != ',' && rest_[length] != '-' &&
           rest_[length] != '+')
      ++length;
    name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return length != 0;
  }

  bool read_number(int& number, int least, int most) {
    if (rest_.empty() || !is_digit(rest_[0])) return false;
    number = 0;
    while (!rest_.empty() && is_digit(rest_[0])) {
      number = number * 10 + (rest_[0] - '0');
      if (number > most) return false;
      rest_.remove_prefix(1);
    }
    return number >= least;
  }

  bool read_seconds(std::int32_t& seconds) {
    int part = 0;
    if (!read_number(part, 0, 24 * 7 - 1)) return false;
    seconds = part * seconds_per_hour;
    if (!take(':')) return true;
    if (!read_number(part, 0, 59)) return false;
    seconds += part * 60;
    if (!take(':')) return true;
    if (!read_number(part, 0, 60)) return false;
    seconds += part;
    return true;
  }

  bool read_offset(std::int32_t& seconds) {
    const bool negative = take('-');
    if (!negative) take('+');
    if (!read_seconds(seconds)) return false;
    if (negative) seconds = -seconds;
    return true;
  }

  bool read_change(TimeZone::Change& change) {
    using Kind = TimeZone::Change::Kind;
    if (take('J')) {
      change.kind = Kind::julian;
      if (!read_number(change.day, 1, 365)) return false;
    } else if (take('M')) {
      change.kind = Kind::month_week_day;
      if (!read_number(change.month, 1, 12) || !take('.') || !read_number(change.week, 1, 5) || !take('.') ||
          !read_number(change.day, 0, 6))
        return false;
    } else {
      change.kind = Kind::zero_based;
      if (!read_number(change.day, 0, 365)) return false;
    }
    change.time_s = 7200;
    return !take('/') || read_offset(change.time_s);
  }

  std::string_view rest_;
};

}  // namespace

std::optional<TimeZone::Rule> parse_time_zone_rule(std::string_view description) {
  return RuleParser(description).parse();
}

}  // namespace polarsim::engine
