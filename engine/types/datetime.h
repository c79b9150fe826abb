// What dates, times and timestamps are as numbers, and how they become calendar parts
// (PostgreSQL's src/include/datatype/timestamp.h, utils/date.h).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "engine/types/calendar.h"
#include "engine/types/function.h"
#include "engine/types/interval.h"
#include "engine/types/time_zone.h"

namespace polarsim::engine {

// A date is the days since 2000-01-01, a timestamp the microseconds since then (of a timestamptz: since 2000-01-01
// 00:00 UTC), a time the microseconds since midnight, up to and with 24:00. The ends of the representation are
// infinity.
inline constexpr std::int64_t date_infinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t date_minus_infinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t date_min = -std::int64_t{julian_day_of_2000};
inline constexpr std::int64_t date_end = std::int64_t{2147483494} - julian_day_of_2000;
inline constexpr std::int64_t timestamp_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t timestamp_minus_infinity = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t timestamp_min = -211813488000000000;
inline constexpr std::int64_t timestamp_end = 9223371331200000000;  // 294277-01-01
inline constexpr std::int64_t unix_epoch_us =
    (julian_day_of_1970 - julian_day_of_2000) * microseconds_per_day;  // as a timestamp

constexpr bool is_finite_date(std::int64_t date) { return date != date_infinity && date != date_minus_infinity; }
constexpr bool is_finite_timestamp(std::int64_t at) {
  return at != timestamp_infinity && at != timestamp_minus_infinity;
}
constexpr bool is_valid_date(std::int64_t date) { return date >= date_min && date < date_end; }
constexpr bool is_valid_timestamp(std::int64_t at) { return at >= timestamp_min && at < timestamp_end; }

// SqlError 22008 "timestamp out of range" and the like.
[[noreturn]] void throw_timestamp_out_of_range();
[[noreturn]] void throw_date_out_of_range();
[[noreturn]] void throw_interval_out_of_range();

// The parts of a finite timestamp (of a timestamptz: in UTC).
CivilTime civil_from_timestamp(std::int64_t timestamp);
// None if it is out of range. `east_s`: the parts are of a clock so far ahead of UTC.
std::optional<std::int64_t> timestamp_from_civil(const CivilTime& time, std::int64_t east_s = 0);

// The parts that a clock of the zone shows.
struct ZonedTime {
  CivilTime civil;
  TimeZone::Offset offset;
};
ZonedTime zoned_from_timestamptz(std::int64_t timestamp, const TimeZone& zone);
// What a clock of the zone showed, or shows, as PostgreSQL decides where it showed it twice or never.
std::optional<std::int64_t> timestamptz_from_local(const CivilTime& time, const TimeZone& zone);

// Between the types, as their casts do. Those that do not fit throw 22008; infinity stays infinity.
std::int64_t timestamp_from_date(std::int64_t date);
std::int64_t date_from_timestamp(std::int64_t timestamp);
std::int64_t timestamptz_from_timestamp(std::int64_t timestamp, const TimeZone& zone);
std::int64_t timestamp_from_timestamptz(std::int64_t timestamp, const TimeZone& zone);
std::int64_t timestamptz_from_date(std::int64_t date, const TimeZone& zone);

// Rounds to so many digits of the second's fraction, half away from zero; -1 leaves as it is.
std::int64_t round_fraction(std::int64_t microseconds, std::int32_t digits);
std::int64_t round_timestamp(std::int64_t timestamp, std::int32_t digits);  // infinity stays; throws 22008

// The transaction's and the statement's start as timestamptz.
std::int64_t transaction_time(const CallContext& context);
std::int64_t statement_time(const CallContext& context);

// Text forms, in ISO style. See datetime_input.h for the way back.
void append_date(std::string& to, std::int64_t date);
void append_time(std::string& to, std::int64_t time);
void append_timestamp(std::string& to, std::int64_t timestamp);
void append_timestamptz(std::string& to, std::int64_t timestamp, const TimeZone& zone);

}  // namespace polarsim::engine
