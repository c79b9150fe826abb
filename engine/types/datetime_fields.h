// The words of date, time and interval literals, and how a literal falls into fields: what datetime_input.cpp,
// interval_input.cpp and the functions that take names of units share. After PostgreSQL's
// src/backend/utils/adt/datetime.c (ParseDateTime, datetktbl, deltatktbl).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::engine {

// Why a literal was refused; thrown inside the readers, never out of them.
struct DateTimeFailure {
  enum class Kind : std::uint8_t {
    bad_format,
    field_overflow,
    month_day_overflow,
    interval_overflow,
    zone_overflow
  } kind;
};
[[noreturn]] inline void fail_bad_format() { throw DateTimeFailure{DateTimeFailure::Kind::bad_format}; }
[[noreturn]] inline void fail_overflow() { throw DateTimeFailure{DateTimeFailure::Kind::field_overflow}; }
// The SqlError for the client.
[[noreturn]] void throw_datetime_failure(DateTimeFailure failure, std::string_view text, std::string_view type);

struct DateTimeField {
  enum class Kind : std::uint8_t { number, word, date, time, zone, special } kind = Kind::number;
  std::string text;  // in lower case
};
// `room` is the size of PostgreSQL's buffer: fields with more characters (and one more each) are refused.
std::vector<DateTimeField> split_datetime_fields(std::string_view text, std::size_t room);

enum class DateTimeUnit : std::uint8_t {
  none,
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
  decade,
  century,
  millennium,
  julian,
  day_of_week,
  iso_day_of_week,
  day_of_year,
  iso_year,
  epoch,
  time_zone,
  time_zone_hour,
  time_zone_minute,
  iso_time,  // the T before a time
};

struct DateTimeWord {
  enum class Kind : std::uint8_t {
    unknown,
    reserved,
    month,
    day_of_week,
    unit,
    daylight_saving,
    am_pm,
    era,
    ignored,
    iso_time,
    ago,
  };
  enum Reserved : int { infinity, minus_infinity, epoch, now, today, tomorrow, yesterday, midnight };
  enum Half : int { am, pm, full };
  const char* word = "";
  Kind kind = Kind::unknown;
  int value = 0;
  DateTimeUnit unit() const { return static_cast<DateTimeUnit>(value); }
};
// Words count by their first ten characters. Kind unknown if there is none.
DateTimeWord find_datetime_word(std::string_view word);
// Of intervals, and the first choice for the units of extract() and the like.
DateTimeWord find_interval_word(std::string_view word);

// The part of strtol() that literals need: an optional sign and digits from `at`, which moves behind them.
std::int64_t read_int64(const std::string& text, std::size_t& at);
std::int32_t read_int32(const std::string& text, std::size_t& at,
                        DateTimeFailure::Kind on_overflow = DateTimeFailure::Kind::field_overflow);
// ".5", to the end of the text; "." is 0.
double read_fraction(const std::string& text, std::size_t at);

}  // namespace polarsim::engine
