#include <fmt/format.h>

#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"

// Sums and differences of dates, times, timestamps and intervals.
namespace polarsim::engine::families {
namespace {

// Months first; a day that the month does not have becomes its last.
void add_months(CivilTime& time, std::int32_t months) {
  const std::int64_t month = std::int64_t{time.year} * months_per_year + (time.month - 1) + months;
  const std::int64_t year = floor_divide(month, months_per_year);
  time.year = static_cast<std::int32_t>(year);
  time.month = static_cast<std::int32_t>(month - year * months_per_year) + 1;
  time.day = std::min(time.day, days_in_month(time.year, time.month));
}

void add_days(CivilTime& time, std::int32_t days) {
  const std::int64_t day = std::int64_t{julian_day(time)} + days;
  if (day < 0 || day > INT32_MAX) throw_timestamp_out_of_range();
  set_julian_day(time, day);
}

std::int64_t plus_microseconds(std::int64_t timestamp, std::int64_t microseconds) {
  if (__builtin_add_overflow(timestamp, microseconds, &timestamp) || !is_valid_timestamp(timestamp))
    throw_timestamp_out_of_range();
  return timestamp;
}

std::int64_t timestamp_or_throw(const std::optional<std::int64_t>& timestamp) {
  if (!timestamp) throw_timestamp_out_of_range();
  return *timestamp;
}

enum class Sign : std::int8_t { plus = 1, minus = -1 };
Interval signed_interval(const Value& value, Sign sign) {
  return sign == Sign::plus ? value.as_interval() : negated_for_sum(value.as_interval());
}

// In these, `number` and so on say which argument is which.
template <std::size_t date, Sign sign>
Value date_and_integer(const FunctionCall& call) {
  const std::int64_t days = call[date].as_integer();
  if (!is_finite_date(days)) return call[date];
  const std::int64_t result = days + call[1 - date].as_integer() * static_cast<int>(sign);
  if (!is_valid_date(result)) throw_date_out_of_range();
  return Value::integer(result);
}

Value date_minus_date(const FunctionCall& call) {
  const std::int64_t a = call[0].as_integer();
  const std::int64_t b = call[1].as_integer();
  if (!is_finite_date(a) || !is_finite_date(b)) throw SqlError("22008", "cannot subtract infinite dates");
  return Value::integer(a - b);
}

template <std::size_t date, Sign sign>
Value date_and_interval(const FunctionCall& call) {
  return Value::integer(
      timestamp_plus(timestamp_from_date(call[date].as_integer()), signed_interval(call[1 - date], sign)));
}

template <std::size_t date>
Value date_and_time(const FunctionCall& call) {
  const std::int64_t midnight = timestamp_from_date(call[date].as_integer());
  if (!is_finite_timestamp(midnight)) return Value::integer(midnight);
  return Value::integer(plus_microseconds(midnight, call[1 - date].as_integer()));
}

// timestamptz(date, time): of the session's zone.
Value zoned_date_and_time(const FunctionCall& call) {
  const std::int64_t midnight = timestamp_from_date(call[0].as_integer());
  if (!is_finite_timestamp(midnight)) return Value::integer(midnight);
  const std::int64_t local = plus_microseconds(midnight, call[1].as_integer());
  return Value::integer(timestamptz_from_timestamp(local, session_time_zone(call.context)));
}

template <std::size_t time, Sign sign>
Value time_and_interval(const FunctionCall& call) {
  return Value::integer(time_plus(call[time].as_integer(), signed_interval(call[1 - time], sign)));
}

Value time_minus_time(const FunctionCall& call) {
  return Value::interval({.months = 0, .days = 0, .microseconds = call[0].as_integer() - call[1].as_integer()});
}

Value timestamp_minus_timestamp(const FunctionCall& call) {
  const std::int64_t a = call[0].as_integer();
  const std::int64_t b = call[1].as_integer();
  if (!is_finite_timestamp(a) || !is_finite_timestamp(b))
    throw SqlError("22008", "cannot subtract infinite timestamps");
  Interval difference;  // wraps around, as PostgreSQL 15's does
  difference.microseconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  return Value::interval(difference.justified_hours());
}

template <std::size_t timestamp, Sign sign>
Value timestamp_and_interval(const FunctionCall& call) {
  return Value::integer(timestamp_plus(call[timestamp].as_integer(), signed_interval(call[1 - timestamp], sign)));
}
template <std::size_t timestamp, Sign sign>
Value timestamptz_and_interval(const FunctionCall& call) {
  return Value::integer(timestamptz_plus(call[timestamp].as_integer(), signed_interval(call[1 - timestamp], sign),
                                         session_time_zone(call.context)));
}

}  // namespace

Interval negated_for_sum(const Interval& interval) {
  return {static_cast<std::int32_t>(-std::int64_t{interval.months}),
          static_cast<std::int32_t>(-std::int64_t{interval.days}),
          static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(interval.microseconds))};
}

std::int64_t time_plus(std::int64_t time, const Interval& interval) {
  const auto sum =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time) + static_cast<std::uint64_t>(interval.microseconds));
  return floor_remainder(sum, microseconds_per_day);
}

std::int64_t timestamp_plus(std::int64_t timestamp, const Interval& interval) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  if (interval.months != 0 || interval.days != 0) {
    CivilTime time = civil_from_timestamp(timestamp);
    if (interval.months != 0) {
      add_months(time, interval.months);
      timestamp_or_throw(timestamp_from_civil(time));
    }
    if (interval.days != 0) add_days(time, interval.days);
    timestamp = timestamp_or_throw(timestamp_from_civil(time));
  }
  return plus_microseconds(timestamp, interval.microseconds);
}

std::int64_t timestamptz_plus(std::int64_t timestamp, const Interval& interval, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  if (interval.months != 0) {
    CivilTime time = zoned_from_timestamptz(timestamp, zone).civil;
    add_months(time, interval.months);
    timestamp = timestamp_or_throw(timestamptz_from_local(time, zone));
  }
  if (interval.days != 0) {
    CivilTime time = zoned_from_timestamptz(timestamp, zone).civil;
    add_days(time, interval.days);
    timestamp = timestamp_or_throw(timestamptz_from_local(time, zone));
  }
  return plus_microseconds(timestamp, interval.microseconds);
}

void add_datetime_arithmetic(Entries& to) {
  using T = TypeId;
  constexpr Sign plus = Sign::plus;
  constexpr Sign minus = Sign::minus;
  constexpr Volatility immutable_ = Volatility::immutable;
  constexpr Volatility stable_ = Volatility::stable;
  const ArithmeticEntry entries[] = {
      {"+", T::date, T::int4, T::date, "date_pli", date_and_integer<0, plus>, "+", immutable_},
      {"+", T::int4, T::date, T::date, "integer_pl_date", date_and_integer<1, plus>, "+", immutable_},
      {"-", T::date, T::int4, T::date, "date_mii", date_and_integer<0, minus>, nullptr, immutable_},
      {"-", T::date, T::date, T::int4, "date_mi", date_minus_date, nullptr, immutable_},
      {"+", T::date, T::interval, T::timestamp, "date_pl_interval", date_and_interval<0, plus>, "+", immutable_},
      {"+", T::interval, T::date, T::timestamp, "interval_pl_date", date_and_interval<1, plus>, "+", immutable_},
      {"-", T::date, T::interval, T::timestamp, "date_mi_interval", date_and_interval<0, minus>, nullptr, immutable_},
      {"+", T::date, T::time, T::timestamp, "datetime_pl", date_and_time<0>, "+", immutable_},
      {"+", T::time, T::date, T::timestamp, "timedate_pl", date_and_time<1>, "+", immutable_},
      {"+", T::time, T::interval, T::time, "time_pl_interval", time_and_interval<0, plus>, "+", immutable_},
      {"+", T::interval, T::time, T::time, "interval_pl_time", time_and_interval<1, plus>, "+", immutable_},
      {"-", T::time, T::interval, T::time, "time_mi_interval", time_and_interval<0, minus>, nullptr, immutable_},
      {"-", T::time, T::time, T::interval, "time_mi_time", time_minus_time, nullptr, immutable_},
      {"-", T::timestamp, T::timestamp, T::interval, "timestamp_mi", timestamp_minus_timestamp, nullptr, immutable_},
      {"+", T::timestamp, T::interval, T::timestamp, "timestamp_pl_interval", timestamp_and_interval<0, plus>, "+",
       immutable_},
      {"+", T::interval, T::timestamp, T::timestamp, "interval_pl_timestamp", timestamp_and_interval<1, plus>, "+",
       immutable_},
      {"-", T::timestamp, T::interval, T::timestamp, "timestamp_mi_interval", timestamp_and_interval<0, minus>, nullptr,
       immutable_},
      {"-", T::timestamptz, T::timestamptz, T::interval, "timestamptz_mi", timestamp_minus_timestamp, nullptr,
       immutable_},
      {"+", T::timestamptz, T::interval, T::timestamptz, "timestamptz_pl_interval", timestamptz_and_interval<0, plus>,
       "+", stable_},
      {"+", T::interval, T::timestamptz, T::timestamptz, "interval_pl_timestamptz", timestamptz_and_interval<1, plus>,
       "+", stable_},
      {"-", T::timestamptz, T::interval, T::timestamptz, "timestamptz_mi_interval", timestamptz_and_interval<0, minus>,
       nullptr, stable_},
  };
  for (const ArithmeticEntry& entry : entries) add_operator(to, entry);
  to.functions.push_back(immutable("timestamp", {T::date, T::time}, T::timestamp, date_and_time<0>));
  to.functions.push_back(stable("timestamptz", {T::date, T::time}, T::timestamptz, zoned_date_and_time));
}

}  // namespace polarsim::engine::families
