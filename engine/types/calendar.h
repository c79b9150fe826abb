// Calendar arithmetic: days, months and years of the proleptic Gregorian calendar, weeks of ISO 8601, and the parts of
// a clock's time. Years are astronomical: year 0 is 1 BC, -1 is 2 BC.
//
// Days are counted as Julian days, as PostgreSQL does (src/backend/utils/adt/datetime.c, date2j). The way back is that
// of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
#pragma once

#include <cstdint>

namespace polarsim::engine {

inline constexpr std::int64_t microseconds_per_second = 1'000'000;
inline constexpr std::int64_t microseconds_per_minute = 60 * microseconds_per_second;
inline constexpr std::int64_t microseconds_per_hour = 60 * microseconds_per_minute;
inline constexpr std::int64_t microseconds_per_day = 24 * microseconds_per_hour;
inline constexpr std::int32_t seconds_per_hour = 3600;
inline constexpr std::int32_t seconds_per_day = 86400;
inline constexpr std::int32_t months_per_year = 12;
inline constexpr std::int32_t days_per_month = 30;  // of an interval
inline constexpr std::int32_t days_per_week = 7;

inline constexpr std::int32_t julian_day_of_2000 = 2451545;  // 2000-01-01, where PostgreSQL's days start
inline constexpr std::int32_t julian_day_of_1970 = 2440588;

// A date and a time of day as people write them. Months and days count from 1.
struct CivilTime {
  std::int32_t year = 0;
  std::int32_t month = 0;
  std::int32_t day = 0;
  std::int32_t hour = 0;
  std::int32_t minute = 0;
  std::int32_t second = 0;
  std::int32_t microsecond = 0;

  // Seconds wrap around at 32 bits, as PostgreSQL's do, for hours that no day has.
  std::int64_t microseconds_of_day() const {
    const auto seconds = static_cast<std::int32_t>((hour * std::int64_t{60} + minute) * 60 + second);
    return seconds * microseconds_per_second + microsecond;
  }
  void set_time_of_day(std::int64_t microseconds);
  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

bool is_leap_year(std::int64_t year);
int days_in_month(std::int64_t year, int month);

std::int32_t julian_day(std::int32_t year, std::int32_t month, std::int32_t day);
inline std::int32_t julian_day(const CivilTime& time) { return julian_day(time.year, time.month, time.day); }
// Sets year, month and day.
void set_julian_day(CivilTime& time, std::int64_t day);
// Whether Julian days can express the date: from 4714-11-24 BC (not to the day) to 5874898-06-03.
bool has_julian_day(std::int32_t year, std::int32_t month, std::int32_t day);

// 0 is Sunday.
int day_of_week(std::int32_t julian_day);
// The week's number, 1 to 53, and the year it belongs to.
int iso_week(const CivilTime& date);
std::int32_t iso_year(const CivilTime& date);
// The Monday of an ISO week.
std::int32_t julian_day_of_iso_week(std::int32_t year, std::int32_t week);
// January 1 is 1.
int day_of_year(const CivilTime& date);

// The remainder with the sign of `b`.
constexpr std::int64_t floor_remainder(std::int64_t a, std::int64_t b) {
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// Division that rounds towards minus infinity.
constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

}  // namespace polarsim::engine
