#include "engine/types/interval.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <iterator>

#include "engine/types/calendar.h"
#include "engine/types/datetime.h"
#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

template <typename Integer>
Integer checked_sum(Integer a, Integer b) {
  Integer sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw_interval_out_of_range();
  return sum;
}
template <typename Integer>
Integer checked_difference(Integer a, Integer b) {
  Integer difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) throw_interval_out_of_range();
  return difference;
}

std::int32_t checked_int32(double value) {
  if (std::isnan(value) || value >= 2147483648.0 || value < INT32_MIN) throw_interval_out_of_range();
  return static_cast<std::int32_t>(value);
}

double rounded_to_microseconds(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

// What is left of months and days after scaling spills into days and microseconds.
Interval spill(double months, double days, double microseconds) {
  Interval result;
  result.months = checked_int32(months);
  result.days = checked_int32(days);
  const double spilled_days = rounded_to_microseconds((months - result.months) * days_per_month);
  double seconds = (days - result.days + spilled_days - static_cast<int>(spilled_days)) * seconds_per_day;
  seconds = rounded_to_microseconds(seconds);
  if (std::fabs(seconds) >= seconds_per_day) {
    const int whole = static_cast<int>(seconds / seconds_per_day);
    result.days = checked_sum(result.days, whole);
    seconds -= whole * seconds_per_day;
  }
  result.days = checked_sum(result.days, static_cast<std::int32_t>(spilled_days));
  const double time = std::rint(microseconds + seconds * 1e6);
  if (std::isnan(time) || time < -9223372036854775808.0 || time >= 9223372036854775808.0) throw_interval_out_of_range();
  result.microseconds = static_cast<std::int64_t>(time);
  return result;
}

}  // namespace

Interval::Span Interval::span() const {
  return (static_cast<Span>(months) * days_per_month + days) * microseconds_per_day + microseconds;
}

int Interval::compare(const Interval& a, const Interval& b) {
  const Span left = a.span();
  const Span right = b.span();
  return left < right ? -1 : left > right ? 1 : 0;
}

std::uint64_t Interval::hash() const {
  std::uint64_t bits = static_cast<std::uint64_t>(span()) * 0x9e3779b97f4a7c15;
  bits ^= bits >> 32;
  return bits * 0xd6e8feb86659fd93;
}

Interval Interval::operator-() const { return Interval{} - *this; }

Interval operator+(const Interval& a, const Interval& b) {
  return {checked_sum(a.months, b.months), checked_sum(a.days, b.days), checked_sum(a.microseconds, b.microseconds)};
}

Interval operator-(const Interval& a, const Interval& b) {
  return {checked_difference(a.months, b.months), checked_difference(a.days, b.days),
          checked_difference(a.microseconds, b.microseconds)};
}

Interval Interval::multiplied(double factor) const {
  return spill(months * factor, days * factor, static_cast<double>(microseconds) * factor);
}

Interval Interval::divided(double divisor) const {
  if (divisor == 0) throw SqlError(sqlstate::division_by_zero, "division by zero");
  return spill(months / divisor, days / divisor, static_cast<double>(microseconds) / divisor);
}

Interval Interval::justified_hours() const {
  Interval result = *this;
  const std::int64_t whole = microseconds / microseconds_per_day;
  result.microseconds -= whole * microseconds_per_day;
  result.days = checked_sum(days, static_cast<std::int32_t>(whole));
  if (result.days > 0 && result.microseconds < 0) {
    result.microseconds += microseconds_per_day;
    --result.days;
  } else if (result.days < 0 && result.microseconds > 0) {
    result.microseconds -= microseconds_per_day;
    ++result.days;
  }
  return result;
}

Interval Interval::justified_days() const {
  Interval result = *this;
  const std::int32_t whole = days / days_per_month;
  result.days -= whole * days_per_month;
  result.months = checked_sum(months, whole);
  if (result.months > 0 && result.days < 0) {
    result.days += days_per_month;
    --result.months;
  } else if (result.months < 0 && result.days > 0) {
    result.days -= days_per_month;
    ++result.months;
  }
  return result;
}

Interval Interval::justified() const {
  Interval result = *this;
  // Days that would overflow with the time's are turned into months before.
  if ((days > 0 && microseconds > 0) || (days < 0 && microseconds < 0)) {
    const std::int32_t early = days / days_per_month;
    result.days -= early * days_per_month;
    result.months = checked_sum(result.months, early);
  }
  const std::int64_t whole = result.microseconds / microseconds_per_day;
  result.microseconds -= whole * microseconds_per_day;
  result.days += static_cast<std::int32_t>(whole);
  const std::int32_t whole_months = result.days / days_per_month;
  result.days -= whole_months * days_per_month;
  result.months = checked_sum(result.months, whole_months);
  if (result.months > 0 && (result.days < 0 || (result.days == 0 && result.microseconds < 0))) {
    result.days += days_per_month;
    --result.months;
  } else if (result.months < 0 && (result.days > 0 || (result.days == 0 && result.microseconds > 0))) {
    result.days -= days_per_month;
    ++result.months;
  }
  if (result.days > 0 && result.microseconds < 0) {
    result.microseconds += microseconds_per_day;
    --result.days;
  } else if (result.days < 0 && result.microseconds > 0) {
    result.microseconds -= microseconds_per_day;
    ++result.days;
  }
  return result;
}

Interval fit_interval(Interval interval, std::int32_t modifier) {
  using namespace interval_fields;
  if (modifier < 0) return interval;
  const std::int32_t fields = of_modifier(modifier);
  const auto cut_time = [&](std::int64_t unit) { interval.microseconds = interval.microseconds / unit * unit; };
  if (fields != all) {
    if (fields == year) interval.months = interval.months / months_per_year * months_per_year;
    if ((fields & ~(year | month)) == 0) interval.days = 0;
    if ((fields & (hour | minute | second)) == 0) {
      interval.microseconds = 0;
    } else if ((fields & (minute | second)) == 0) {
      cut_time(microseconds_per_hour);
    } else if ((fields & second) == 0) {
      cut_time(microseconds_per_minute);
    }
  }
  const std::int32_t digits = modifier & 0xffff;
  if (digits != 0xffff) interval.microseconds = round_fraction(interval.microseconds, digits);
  return interval;
}

// A sign is written where the part before had another.
void append_interval(std::string& to, const Interval& interval) {
  const std::size_t begin = to.size();
  bool after_negative = false;
  const auto append_part = [&](std::int64_t value, const char* name) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(to), "{}{}{} {}{}", to.size() == begin ? "" : " ",
                   after_negative && value > 0 ? "+" : "", value, name, value == 1 ? "" : "s");
    after_negative = value < 0;
  };
  append_part(interval.months / months_per_year, "year");
  append_part(interval.months % months_per_year, "mon");
  append_part(interval.days, "day");
  if (to.size() != begin && interval.microseconds == 0) return;
  const bool negative = interval.microseconds < 0;
  const std::uint64_t time = negative ? 0 - static_cast<std::uint64_t>(interval.microseconds)
                                      : static_cast<std::uint64_t>(interval.microseconds);
  fmt::format_to(std::back_inserter(to), "{}{}{:02}:{:02}:{:02}", to.size() == begin ? "" : " ",
                 negative         ? "-"
                 : after_negative ? "+"
                                  : "",
                 time / 3600000000, time / 60000000 % 60, time / 1000000 % 60);
  if (time % 1000000 == 0) return;
  fmt::format_to(std::back_inserter(to), ".{:06}", time % 1000000);
  while (to.back() == '0') to.pop_back();
}

}  // namespace polarsim::engine
