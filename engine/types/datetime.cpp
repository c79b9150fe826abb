#include "engine/types/datetime.h"

#include <algorithm>

#include "engine/types/error.h"

namespace polarsim::engine {

void throw_timestamp_out_of_range() { throw SqlError("22008", "timestamp out of range"); }
void throw_date_out_of_range() { throw SqlError("22008", "date out of range"); }
void throw_interval_out_of_range() { throw SqlError("22008", "interval out of range"); }

namespace {

// What a clock `east_s` ahead shows, without a sum that could overflow.
CivilTime civil_ahead(std::int64_t timestamp, std::int64_t east_s) {
  const std::int64_t day = floor_divide(timestamp, microseconds_per_day);
  const std::int64_t time = floor_remainder(timestamp, microseconds_per_day) + east_s * microseconds_per_second;
  const std::int64_t more_days = floor_divide(time, microseconds_per_day);
  CivilTime civil;
  set_julian_day(civil, day + more_days + julian_day_of_2000);
  civil.set_time_of_day(time - more_days * microseconds_per_day);
  return civil;
}

}  // namespace

CivilTime civil_from_timestamp(std::int64_t timestamp) { return civil_ahead(timestamp, 0); }

std::optional<std::int64_t> timestamp_from_civil(const CivilTime& time, std::int64_t east_s) {
  if (!has_julian_day(time.year, time.month, time.day)) return std::nullopt;
  const std::int64_t day = julian_day(time) - std::int64_t{julian_day_of_2000};
  std::int64_t timestamp = 0;
  if (__builtin_mul_overflow(day, microseconds_per_day, &timestamp) ||
      __builtin_add_overflow(timestamp, time.microseconds_of_day(), &timestamp) || (timestamp < 0 && day > 0) ||
      (timestamp > 0 && day < -1) || __builtin_sub_overflow(timestamp, east_s * microseconds_per_second, &timestamp) ||
      !is_valid_timestamp(timestamp))
    return std::nullopt;
  return timestamp;
}

ZonedTime zoned_from_timestamptz(std::int64_t timestamp, const TimeZone& zone) {
  const TimeZone::Offset offset =
      zone.at(floor_divide(timestamp, microseconds_per_second) - unix_epoch_us / microseconds_per_second);
  return {civil_ahead(timestamp, offset.east_s), offset};
}

std::optional<std::int64_t> timestamptz_from_local(const CivilTime& time, const TimeZone& zone) {
  return timestamp_from_civil(time, zone.east_of_local_s(time));
}

std::int64_t timestamp_from_date(std::int64_t date) {
  if (date == date_infinity) return timestamp_infinity;
  if (date == date_minus_infinity) return timestamp_minus_infinity;
  if (date >= timestamp_end / microseconds_per_day) throw SqlError("22008", "date out of range for timestamp");
  return date * microseconds_per_day;
}

std::int64_t date_from_timestamp(std::int64_t timestamp) {
  if (timestamp == timestamp_infinity) return date_infinity;
  if (timestamp == timestamp_minus_infinity) return date_minus_infinity;
  return floor_divide(timestamp, microseconds_per_day);
}

std::int64_t timestamptz_from_timestamp(std::int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  const auto result = timestamptz_from_local(civil_from_timestamp(timestamp), zone);
  if (!result) throw_timestamp_out_of_range();
  return *result;
}

std::int64_t timestamp_from_timestamptz(std::int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  const auto result = timestamp_from_civil(zoned_from_timestamptz(timestamp, zone).civil);
  if (!result) throw_timestamp_out_of_range();
  return *result;
}

std::int64_t timestamptz_from_date(std::int64_t date, const TimeZone& zone) {
  if (!is_finite_date(date)) return timestamp_from_date(date);
  if (date >= timestamp_end / microseconds_per_day) throw SqlError("22008", "date out of range for timestamp");
  CivilTime midnight;
  set_julian_day(midnight, date + julian_day_of_2000);
  const std::int64_t result = date * microseconds_per_day - zone.east_of_local_s(midnight) * microseconds_per_second;
  if (!is_valid_timestamp(result)) throw SqlError("22008", "date out of range for timestamp");
  return result;
}

std::int64_t round_fraction(std::int64_t microseconds, std::int32_t digits) {
  if (digits < 0 || digits >= 6) return microseconds;
  std::int64_t scale = 1;
  for (int i = digits; i < 6; ++i) scale *= 10;
  // Wraps around, as PostgreSQL's does.
  const auto sum =
      static_cast<std::uint64_t>(microseconds) + static_cast<std::uint64_t>(microseconds >= 0 ? scale / 2 : -scale / 2);
  return static_cast<std::int64_t>(sum) / scale * scale;
}

std::int64_t round_timestamp(std::int64_t timestamp, std::int32_t digits) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  return round_fraction(timestamp, digits);
}

std::int64_t transaction_time(const CallContext& context) { return context.transaction_start_us + unix_epoch_us; }
std::int64_t statement_time(const CallContext& context) { return context.statement_start_us + unix_epoch_us; }

namespace {

void append_padded(std::string& to, std::int64_t number, int width) {
  char digits[24];
  char* end = digits + sizeof digits;
  char* begin = end;
  do {
    *--begin = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (end - begin < width) *--begin = '0';
  to.append(begin, end);
}

void append_year_month_day(std::string& to, const CivilTime& time) {
  append_padded(to, time.year > 0 ? time.year : 1 - std::int64_t{time.year}, 4);
  to += '-';
  append_padded(to, time.month, 2);
  to += '-';
  append_padded(to, time.day, 2);
}

void append_clock(std::string& to, const CivilTime& time) {
  append_padded(to, time.hour, 2);
  to += ':';
  append_padded(to, time.minute, 2);
  to += ':';
  append_padded(to, time.second, 2);
  if (time.microsecond == 0) return;
  to += '.';
  append_padded(to, time.microsecond, 6);
  while (to.back() == '0') to.pop_back();
}

void append_offset(std::string& to, std::int32_t east_s) {
  to += east_s < 0 ? '-' : '+';
  const std::int32_t seconds = std::abs(east_s);
  append_padded(to, seconds / 3600, 2);
  if (seconds % 3600 == 0) return;
  to += ':';
  append_padded(to, seconds / 60 % 60, 2);
  if (seconds % 60 == 0) return;
  to += ':';
  append_padded(to, seconds % 60, 2);
}

bool append_infinity(std::string& to, std::int64_t timestamp) {
  if (is_finite_timestamp(timestamp)) return false;
  to += timestamp > 0 ? "infinity" : "-infinity";
  return true;
}

}  // namespace

void append_date(std::string& to, std::int64_t date) {
  if (!is_finite_date(date)) {
    to += date > 0 ? "infinity" : "-infinity";
    return;
  }
  CivilTime time;
  set_julian_day(time, date + julian_day_of_2000);
  append_year_month_day(to, time);
  if (time.year <= 0) to += " BC";
}

void append_time(std::string& to, std::int64_t time) {
  CivilTime civil;
  civil.set_time_of_day(time);
  append_clock(to, civil);
}

void append_timestamp(std::string& to, std::int64_t timestamp) {
  if (append_infinity(to, timestamp)) return;
  const CivilTime time = civil_from_timestamp(timestamp);
  append_year_month_day(to, time);
  to += ' ';
  append_clock(to, time);
  if (time.year <= 0) to += " BC";
}

void append_timestamptz(std::string& to, std::int64_t timestamp, const TimeZone& zone) {
  if (append_infinity(to, timestamp)) return;
  const ZonedTime time = zoned_from_timestamptz(timestamp, zone);
  append_year_month_day(to, time.civil);
  to += ' ';
  append_clock(to, time.civil);
  append_offset(to, time.offset.east_s);
  if (time.civil.year <= 0) to += " BC";
}

}  // namespace polarsim::engine
