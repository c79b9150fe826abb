#include "engine/types/calendar.h"

namespace polarsim::engine {

void CivilTime::set_time_of_day(std::int64_t microseconds) {
  hour = static_cast<std::int32_t>(microseconds / microseconds_per_hour);
  microseconds %= microseconds_per_hour;
  minute = static_cast<std::int32_t>(microseconds / microseconds_per_minute);
  microseconds %= microseconds_per_minute;
  second = static_cast<std::int32_t>(microseconds / microseconds_per_second);
  microsecond = static_cast<std::int32_t>(microseconds % microseconds_per_second);
}

bool is_leap_year(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in_month(std::int64_t year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

// PostgreSQL's formula (date2j), with its results also for what is no date: to_char() of an interval shows them. The
// year counts from March, so that the leap day is its last; sums wrap around at 32 bits.
std::int32_t julian_day(std::int32_t year, std::int32_t month, std::int32_t day) {
  const bool is_early = month <= 2;
  month += is_early ? 13 : 1;
  year = static_cast<std::int32_t>(std::int64_t{year} + (is_early ? 4799 : 4800));
  const std::int32_t century = year / 100;
  return static_cast<std::int32_t>(std::int64_t{year} * 365 - 32167 + year / 4 - century + century / 4 +
                                   7834 * std::int64_t{month} / 256 + day);
}

// Counts years from March, in eras of 400 years.
void set_julian_day(CivilTime& time, std::int64_t day) {
  const std::int64_t shifted = day - julian_day_of_1970 + 719468;
  const std::int64_t era = floor_divide(shifted, 146097);
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  time.day = static_cast<std::int32_t>(day_of_year - (153 * month + 2) / 5 + 1);
  time.month = static_cast<std::int32_t>(month < 10 ? month + 3 : month - 9);
  time.year = static_cast<std::int32_t>(year_of_era + era * 400 + (time.month <= 2 ? 1 : 0));
}

bool has_julian_day(std::int32_t year, std::int32_t month, std::int32_t) {
  return (year > -4713 || (year == -4713 && month >= 11)) && (year < 5874898 || (year == 5874898 && month < 6));
}

int day_of_week(std::int32_t julian_day) {
  const std::int64_t day = (std::int64_t{julian_day} + 1) % 7;
  return static_cast<int>(day < 0 ? day + 7 : day);
}

// Week 1 is the one with January 4 in it.
std::int32_t julian_day_of_iso_week(std::int32_t year, std::int32_t week) {
  const std::int32_t fourth = julian_day(year, 1, 4);
  const std::int32_t monday = fourth - (day_of_week(fourth) + 6) % 7;
  return static_cast<std::int32_t>(monday + (std::int64_t{week} - 1) * 7);
}

std::int32_t iso_year(const CivilTime& date) {
  const std::int32_t day = julian_day(date);
  if (day < julian_day_of_iso_week(date.year, 1)) return date.year - 1;
  return day >= julian_day_of_iso_week(date.year + 1, 1) ? date.year + 1 : date.year;
}

int iso_week(const CivilTime& date) { return (julian_day(date) - julian_day_of_iso_week(iso_year(date), 1)) / 7 + 1; }

int day_of_year(const CivilTime& date) { return julian_day(date) - julian_day(date.year, 1, 1) + 1; }

}  // namespace polarsim::engine
