#include "engine/types/format_datetime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "engine/types/datetime.h"
#include "engine/types/error.h"
#include "engine/types/format_names.h"
#include "engine/types/format_pattern.h"

namespace polarsim::engine {
namespace {

std::string in_case(std::string_view title, LetterCase wanted) {
  std::string result(title);
  for (std::size_t i = 0; i < result.size(); ++i) {
    char& c = result[i];
    if (wanted == LetterCase::upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (wanted == LetterCase::lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

class DateFormatter {
 public:
  explicit DateFormatter(const FormattedTime& time) : time_(time), civil_(time.civil) {}

  std::string format(std::string_view pattern) {
    for (const DateNode& node : parse_date_pattern(pattern)) {
      if (node.kind == DateNode::Kind::word) {
        append_word(node);
      } else {
        to_ += node.character;
      }
    }
    return std::move(to_);
  }

 private:
  // A number with at least so many digits, one more place for a minus; with its ending if the pattern has TH.
  void number(const DateNode& node, std::int64_t value, int digits) {
    std::string text = node.fill_mode || digits == 0 ? fmt::format("{}", value)
                                                     : fmt::format("{:0{}}", value, value >= 0 ? digits : digits + 1);
    if (node.ordinal()) text += ordinal_suffix(text, node.ordinal_upper);
    to_ += text;
  }
  // Without a place for the minus.
  void plain_number(const DateNode& node, std::int64_t value, int digits) {
    std::string text = node.fill_mode ? fmt::format("{}", value) : fmt::format("{:0{}}", value, digits);
    if (node.ordinal()) text += ordinal_suffix(text, node.ordinal_upper);
    to_ += text;
  }
  void fraction(const DateNode& node, int digits) {
    std::int32_t value = civil_.microsecond;
    for (int i = digits; i < 6; ++i) value /= 10;
    std::string text = fmt::format("{:0{}}", value, digits);
    if (node.ordinal()) text += ordinal_suffix(text, node.ordinal_upper);
    to_ += text;
  }
  void name(const DateNode& node, std::string_view title, int width) {
    const std::string text = in_case(title, node.word->letter_case());
    to_ += node.fill_mode || node.translated ? text : fmt::format("{:<{}}", text, width);
  }
  void not_of_intervals() const {
    if (!time_.is_interval) return;
    throw SqlError("22007", "invalid format specification for an interval value", "",
                   "Intervals are not tied to specific calendar dates.");
  }

  std::int64_t shown_year(std::int64_t year) const { return time_.is_interval || year > 0 ? year : 1 - year; }
  std::int64_t year() const { return shown_year(civil_.year); }
  std::int64_t year_of_iso_week() const { return shown_year(iso_year(civil_)); }

  void century(const DateNode& node) {
    const std::int64_t own = civil_.year;
    const std::int64_t value = time_.is_interval ? own / 100 : own > 0 ? (own - 1) / 100 + 1 : own / 100 - 1;
    number(node, value, value <= 99 && value >= -99 ? 2 : 0);
  }
  void year_with_comma(const DateNode& node) {
    const std::int64_t thousands = year() / 1000;
    std::string text = fmt::format("{},{:03}", thousands, year() - thousands * 1000);
    if (node.ordinal()) text += ordinal_suffix(text, node.ordinal_upper);
    to_ += text;
  }
  // The array of numerals goes from December to January.
  void roman_month(const DateNode& node) {
    if (civil_.month == 0 && civil_.year == 0) return;
    int place = months_per_year - civil_.month;
    if (civil_.month == 0) place = civil_.year >= 0 ? 0 : months_per_year - 1;
    if (civil_.month < 0) place = -(civil_.month + 1);
    const std::string text = in_case(format_names::roman_months[place], node.word->letter_case());
    to_ += node.fill_mode ? text : fmt::format("{:<4}", text);
  }

  void zone(const DateNode& node) {
    not_of_intervals();
    const std::int32_t east_s = time_.zone != nullptr ? time_.zone->east_s : 0;
    const std::int32_t seconds = std::abs(east_s);
    const char sign = east_s >= 0 ? '+' : '-';
    switch (node.word->key) {
      case DateKey::zone_name:
        if (time_.zone == nullptr) return;
        to_ += node.word->letter_case() == LetterCase::lower ? in_case(time_.zone->abbreviation, LetterCase::lower)
                                                             : time_.zone->abbreviation;
        return;
      case DateKey::zone_hours:
        fmt::format_to(std::back_inserter(to_), "{}{:02}", sign, seconds / seconds_per_hour);
        return;
      case DateKey::zone_minutes:
        fmt::format_to(std::back_inserter(to_), "{:02}", seconds % seconds_per_hour / 60);
        return;
      default:
        fmt::format_to(std::back_inserter(to_), "{}{:0{}}", sign, seconds / seconds_per_hour, node.fill_mode ? 1 : 2);
        if (seconds % seconds_per_hour != 0)
          fmt::format_to(std::back_inserter(to_), ":{:02}", seconds % seconds_per_hour / 60);
    }
  }

  bool append_clock_word(const DateNode& node) {
    const LetterCase letter_case = node.word->letter_case();
    switch (node.word->key) {
      case DateKey::am_dotted:
      case DateKey::am: {
        const bool is_pm = time_.hour % 24 >= 12;
        const bool dotted = node.word->key == DateKey::am_dotted;
        to_ += in_case(dotted ? (is_pm ? "P.M." : "A.M.") : (is_pm ? "PM" : "AM"), letter_case);
        return true;
      }
      case DateKey::hour_12: {
        const std::int64_t shown = time_.hour % 12 == 0 ? 12 : time_.hour % 12;
        plain_number(node, shown, time_.hour >= 0 ? 2 : 3);
        return true;
      }
      case DateKey::hour_24:
        number(node, time_.hour, 2);
        return true;
      case DateKey::minute:
        number(node, civil_.minute, 2);
        return true;
      case DateKey::second:
        number(node, civil_.second, 2);
        return true;
      case DateKey::fraction:
        fraction(node, node.word->word[2] - '0');
        return true;
      case DateKey::millisecond:
        fraction(node, 3);
        return true;
      case DateKey::microsecond:
        fraction(node, 6);
        return true;
      case DateKey::seconds_of_day:
        number(node, time_.hour * 3600 + civil_.minute * 60 + civil_.second, 0);
        return true;
      case DateKey::zone_name:
      case DateKey::zone_hours:
      case DateKey::zone_minutes:
      case DateKey::zone_offset:
        zone(node);
        return true;
      case DateKey::fixed:
        return true;
      default:
        return false;
    }
  }

  bool append_name(const DateNode& node) {
    const LetterCase letter_case = node.word->letter_case();
    switch (node.word->key) {
      case DateKey::era_dotted:
      case DateKey::era: {
        not_of_intervals();
        const bool is_before_christ = civil_.year <= 0;
        const bool dotted = node.word->key == DateKey::era_dotted;
        to_ += in_case(dotted ? (is_before_christ ? "B.C." : "A.D.") : (is_before_christ ? "BC" : "AD"), letter_case);
        return true;
      }
      case DateKey::month_name:
      case DateKey::short_month_name: {
        not_of_intervals();
        const std::string_view full = format_names::months[civil_.month - 1];
        const bool is_short = node.word->key == DateKey::short_month_name;
        name(node, is_short ? full.substr(0, 3) : full, is_short ? 3 : 9);
        return true;
      }
      case DateKey::day_name:
      case DateKey::short_day_name: {
        not_of_intervals();
        const std::string_view full = format_names::days[time_.day_of_week];
        const bool is_short = node.word->key == DateKey::short_day_name;
        name(node, is_short ? full.substr(0, 3) : full, is_short ? 3 : 9);
        return true;
      }
      case DateKey::roman_month:
        roman_month(node);
        return true;
      default:
        return false;
    }
  }

  void append_word(const DateNode& node) {
    if (append_clock_word(node) || append_name(node)) return;
    switch (node.word->key) {
      case DateKey::month:
        return number(node, civil_.month, 2);
      case DateKey::day_of_month:
        return plain_number(node, civil_.day, 2);
      case DateKey::day_of_year:
        return plain_number(node, time_.day_of_year, 3);
      case DateKey::iso_day_of_year:
        return plain_number(node, julian_day(civil_) - julian_day_of_iso_week(iso_year(civil_), 1) + 1, 3);
      case DateKey::day_of_week:
        not_of_intervals();
        return number(node, time_.day_of_week + 1, 0);
      case DateKey::iso_day_of_week:
        not_of_intervals();
        return number(node, (time_.day_of_week + 6) % 7 + 1, 0);
      case DateKey::week_of_year:
        return plain_number(node, static_cast<std::int32_t>(std::int64_t{time_.day_of_year} - 1) / 7 + 1, 2);
      case DateKey::iso_week:
        return plain_number(node, iso_week(civil_), 2);
      case DateKey::week_of_month:
        return number(node, static_cast<std::int32_t>(std::int64_t{civil_.day} - 1) / 7 + 1, 0);
      case DateKey::quarter:
        if (civil_.month != 0) number(node, (civil_.month - 1) / 3 + 1, 0);
        return;
      case DateKey::century:
        return century(node);
      case DateKey::year_with_comma:
        return year_with_comma(node);
      case DateKey::year_4:
        return year_digits(node, year(), year(), 4);
      case DateKey::iso_year_4:
        return year_digits(node, year_of_iso_week(), year(), 4);
      case DateKey::year_3:
        return year_digits(node, year() % 1000, year(), 3);
      case DateKey::iso_year_3:
        return year_digits(node, year_of_iso_week() % 1000, year(), 3);
      case DateKey::year_2:
        return year_digits(node, year() % 100, year(), 2);
      case DateKey::iso_year_2:
        return year_digits(node, year_of_iso_week() % 100, year(), 2);
      case DateKey::year_1:
        return number(node, year() % 10, 0);
      case DateKey::iso_year_1:
        return number(node, year_of_iso_week() % 10, 0);
      case DateKey::julian_day:
        return number(node, julian_day(civil_), 0);
      default:
        return;
    }
  }

  // The place for a minus is there if the whole year is negative.
  void year_digits(const DateNode& node, std::int64_t value, std::int64_t whole, int digits) {
    plain_number(node, value, whole >= 0 ? digits : digits + 1);
  }

  const FormattedTime& time_;
  const CivilTime& civil_;
  std::string to_;
};

}  // namespace

std::string format_datetime(std::string_view pattern, const FormattedTime& time) {
  return DateFormatter(time).format(pattern);
}

FormattedTime formatted_timestamp(const CivilTime& time) {
  FormattedTime result;
  result.civil = time;
  result.hour = time.hour;
  result.day_of_week = day_of_week(julian_day(time));
  result.day_of_year = day_of_year(time);
  return result;
}

FormattedTime formatted_interval(const Interval& interval) {
  FormattedTime result;
  result.is_interval = true;
  result.civil.year = interval.months / months_per_year;
  result.civil.month = interval.months % months_per_year;
  result.civil.day = interval.days;
  const std::int64_t time = interval.microseconds;
  result.hour = time / microseconds_per_hour;
  result.civil.minute = static_cast<std::int32_t>(time / microseconds_per_minute % 60);
  result.civil.second = static_cast<std::int32_t>(time / microseconds_per_second % 60);
  result.civil.microsecond = static_cast<std::int32_t>(time % microseconds_per_second);
  result.day_of_year = static_cast<std::int32_t>(std::int64_t{interval.months} * days_per_month + interval.days);
  return result;
}

}  // namespace polarsim::engine
