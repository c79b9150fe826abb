// to_char() of timestamps and intervals, and to_timestamp() and to_date(): PostgreSQL's
// src/backend/utils/adt/formatting.c. Names of months and days are English, as with lc_time = C.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/types/calendar.h"
#include "engine/types/interval.h"
#include "engine/types/time_zone.h"

namespace polarsim::engine {

// What a pattern can show.
struct FormattedTime {
  bool is_interval = false;
  // Of an interval, years, months and days may be negative, and hours are 64 bits wide.
  CivilTime civil;
  std::int64_t hour = 0;
  int day_of_week = 0;
  std::int32_t day_of_year = 0;
  const TimeZone::Offset* zone = nullptr;  // null for a timestamp without
};
// Throws SqlError 22007 for what an interval does not have.
std::string format_datetime(std::string_view pattern, const FormattedTime& time);
FormattedTime formatted_timestamp(const CivilTime& time);
FormattedTime formatted_interval(const Interval& interval);

// What a text says by a pattern.
struct PatternTime {
  CivilTime civil;
  std::optional<std::int32_t> east_s;
  std::int32_t fraction_digits = 0;  // 0: not said
};
// Throws SqlError 22007, 22008, 22009, 0A000.
PatternTime read_by_pattern(std::string_view text, std::string_view pattern);

}  // namespace polarsim::engine
