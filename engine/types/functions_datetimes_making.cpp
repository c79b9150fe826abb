#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "engine/types/datetime_input.h"
#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"

// Dates and times from their parts, from the clock of the simulation, and from seconds.
namespace polarsim::engine::families {
namespace {

std::string shown_double(const char* format, double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char text[64];
  const int length = std::snprintf(text, sizeof text, format, value);
  return std::string(text, static_cast<std::size_t>(length));
}

struct Parts {
  std::int32_t year = 0;
  std::int32_t month = 0;
  std::int32_t day = 0;
  // What errors of make_timestamp() show; those of make_date() show the year as it is counted, where 1 BC is 0.
  std::optional<std::int32_t> given_year = {};

  std::string text() const { return fmt::format("{}-{:02}-{:02}", given_year.value_or(year), month, day); }
  // Days since 2000; negative years are BC.
  std::int64_t date() {
    const bool is_before_christ = year < 0;
    if (is_before_christ) year = static_cast<std::int32_t>(0 - static_cast<std::uint32_t>(year));
    if (year <= 0) refuse();
    if (is_before_christ) year = 1 - year;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) refuse();
    if (!has_julian_day(year, month, day)) throw SqlError("22008", fmt::format("date out of range: {}", text()));
    return std::int64_t{julian_day(year, month, day)} - julian_day_of_2000;
  }

 private:
  [[noreturn]] void refuse() const {
    throw SqlError("22008", fmt::format("date field value out of range: {}", text()));
  }
};

Parts parts_of(const FunctionCall& call) {
  return {static_cast<std::int32_t>(call[0].as_integer()), static_cast<std::int32_t>(call[1].as_integer()),
          static_cast<std::int32_t>(call[2].as_integer())};
}

std::string clock_text(const FunctionCall& call, std::size_t first) {
  return fmt::format("{}:{:02}:{}", call[first].as_integer(), call[first + 1].as_integer(),
                     shown_double("%02g", call[first + 2].as_floating()));
}

// Of the hour, minute and seconds among the arguments.
std::int64_t time_of(const FunctionCall& call, std::size_t first) {
  const std::int64_t hour = call[first].as_integer();
  const std::int64_t minute = call[first + 1].as_integer();
  const double seconds = std::rint(call[first + 2].as_floating() * 1e6);
  const bool in_range = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && seconds >= 0 && seconds <= 60e6;
  const std::int64_t time =
      in_range ? (hour * 60 + minute) * microseconds_per_minute + static_cast<std::int64_t>(seconds) : -1;
  if (time < 0 || time > microseconds_per_day)
    throw SqlError("22008", fmt::format("time field value out of range: {}", clock_text(call, first)));
  return time;
}

Value make_date(const FunctionCall& call) {
  Parts parts = parts_of(call);
  const std::int64_t date = parts.date();
  if (!is_valid_date(date)) throw SqlError("22008", fmt::format("date out of range: {}", parts.text()));
  return Value::integer(date);
}

Value make_time(const FunctionCall& call) { return Value::integer(time_of(call, 0)); }

std::int64_t timestamp_of_parts(const FunctionCall& call) {
  Parts parts = parts_of(call);
  parts.given_year = parts.year;
  const std::int64_t date = parts.date();
  std::int64_t timestamp = 0;
  const std::int64_t time = time_of(call, 3);
  if (__builtin_mul_overflow(date, microseconds_per_day, &timestamp) ||
      __builtin_add_overflow(timestamp, time, &timestamp) || !is_valid_timestamp(timestamp))
    throw SqlError("22008", fmt::format("timestamp out of range: {} {}", parts.text(), clock_text(call, 3)));
  return timestamp;
}

Value make_timestamp(const FunctionCall& call) { return Value::integer(timestamp_of_parts(call)); }
Value make_timestamptz(const FunctionCall& call) {
  return Value::integer(timestamptz_from_timestamp(timestamp_of_parts(call), session_time_zone(call.context)));
}

// A zone's offset as make_timestamptz() reads it: a number with a sign, an abbreviation, or a name.
std::int32_t east_of_zone_s(std::string_view name, const CivilTime& local) {
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("invalid input syntax for type numeric time zone: \"{}\"", name), "",
                   "Numeric time zones must have \"-\" or \"+\" as first character.");
  }
  try {
    return read_zone_offset(name);
  } catch (const DateTimeFailure& failure) {
    if (failure.kind == DateTimeFailure::Kind::zone_overflow)
      throw SqlError(sqlstate::invalid_parameter_value, fmt::format("numeric time zone \"{}\" out of range", name));
  }
  return named_zone(name).east_of_local_s(local);
}

Value make_timestamptz_at(const FunctionCall& call) {
  const std::int64_t local = timestamp_of_parts(call);
  const std::int64_t east_s = east_of_zone_s(call[6].as_text(), civil_from_timestamp(local));
  const std::int64_t result = local - east_s * microseconds_per_second;
  if (!is_valid_timestamp(result)) throw_timestamp_out_of_range();
  return Value::integer(result);
}

// The sums wrap around, as PostgreSQL 15's do.
Value make_interval(const FunctionCall& call) {
  const auto part = [&](std::size_t i) { return static_cast<std::uint64_t>(call[i].as_integer()); };
  double seconds = call[6].as_floating();
  if (!std::isfinite(seconds)) throw_interval_out_of_range();
  seconds = std::rint(seconds * 1e6);
  const bool fits = seconds >= -9223372036854775808.0 && seconds < 9223372036854775808.0;
  const std::int64_t microseconds = fits ? static_cast<std::int64_t>(seconds) : INT64_MIN;
  return Value::interval(
      {static_cast<std::int32_t>(part(0) * months_per_year + part(1)),
       static_cast<std::int32_t>(part(2) * days_per_week + part(3)),
       static_cast<std::int64_t>(part(4) * microseconds_per_hour + part(5) * microseconds_per_minute +
                                 static_cast<std::uint64_t>(microseconds))});
}

Value timestamptz_from_seconds(const FunctionCall& call) {
  const double seconds = call[0].as_floating();
  if (std::isnan(seconds)) throw SqlError("22008", "timestamp cannot be NaN");
  if (std::isinf(seconds)) return Value::integer(seconds > 0 ? timestamp_infinity : timestamp_minus_infinity);
  const auto refuse = [&] {
    throw SqlError("22008", fmt::format("timestamp out of range: \"{}\"", shown_double("%g", seconds)));
  };
  constexpr double first = -static_cast<double>(seconds_per_day) * julian_day_of_1970;
  constexpr double end = static_cast<double>(seconds_per_day) * (109203528.0 - julian_day_of_1970);
  if (seconds < first || seconds >= end) refuse();
  const double shifted = seconds - static_cast<double>(julian_day_of_2000 - julian_day_of_1970) * seconds_per_day;
  const auto result = static_cast<std::int64_t>(std::rint(shifted * 1e6));
  if (!is_valid_timestamp(result)) refuse();
  return Value::integer(result);
}

// The clock.
Value transaction_now(const FunctionCall& call) { return Value::integer(transaction_time(call.context)); }
Value statement_now(const FunctionCall& call) { return Value::integer(statement_time(call.context)); }
std::int64_t local_now(const FunctionCall& call) {
  return timestamp_from_timestamptz(transaction_time(call.context), session_time_zone(call.context));
}
// Only so many digits of the second's fraction, if the call asks for that.
Value with_digits(const FunctionCall& call, std::int64_t now, TypeId type) {
  if (call.size() == 0) return Value::integer(now);
  const std::int64_t digits = call[0].as_integer();
  const std::int64_t arguments[] = {digits};
  return Value::integer(round_fraction(now, type_modifier(type, arguments)));
}
Value current_timestamp(const FunctionCall& call) {
  return with_digits(call, transaction_time(call.context), TypeId::timestamptz);
}
Value local_timestamp(const FunctionCall& call) { return with_digits(call, local_now(call), TypeId::timestamp); }
Value local_time(const FunctionCall& call) {
  const std::int64_t now = local_now(call);
  return with_digits(call, floor_remainder(now, microseconds_per_day), TypeId::time);
}
Value current_date(const FunctionCall& call) { return Value::integer(date_from_timestamp(local_now(call))); }

Value is_finite_day(const FunctionCall& call) { return Value::boolean(is_finite_date(call[0].as_integer())); }
Value is_finite_moment(const FunctionCall& call) { return Value::boolean(is_finite_timestamp(call[0].as_integer())); }
Value always_finite(const FunctionCall&) { return Value::boolean(true); }

}  // namespace

void add_datetime_making(Entries& to) {
  using T = TypeId;
  const FunctionEntry entries[] = {
      immutable("to_timestamp", {T::float8}, T::timestamptz, timestamptz_from_seconds),
      stable("now", {}, T::timestamptz, transaction_now),
      stable("transaction_timestamp", {}, T::timestamptz, transaction_now),
      stable("statement_timestamp", {}, T::timestamptz, statement_now),
      // The simulation's clock does not move within a statement.
      {.name = "clock_timestamp",
       .result = T::timestamptz,
       .volatility = Volatility::volatile_function,
       .scalar = statement_now},
      // What the grammar writes without parentheses. current_time needs a type that there is not: time with time zone.
      stable("current_date", {}, T::date, current_date),
      stable("current_timestamp", {}, T::timestamptz, current_timestamp),
      stable("current_timestamp", {T::int4}, T::timestamptz, current_timestamp),
      stable("localtimestamp", {}, T::timestamp, local_timestamp),
      stable("localtimestamp", {T::int4}, T::timestamp, local_timestamp),
      stable("localtime", {}, T::time, local_time),
      stable("localtime", {T::int4}, T::time, local_time),
      immutable("isfinite", {T::date}, T::boolean, is_finite_day),
      immutable("isfinite", {T::timestamp}, T::boolean, is_finite_moment),
      immutable("isfinite", {T::timestamptz}, T::boolean, is_finite_moment),
      immutable("isfinite", {T::interval}, T::boolean, always_finite),
  };
  to.functions.insert(to.functions.end(), std::begin(entries), std::end(entries));

  const auto add_named = [&](FunctionEntry entry, std::vector<const char*> names) {
    entry.argument_names = std::move(names);
    to.functions.push_back(std::move(entry));
  };
  const std::vector<TypeId> moment = {T::int4, T::int4, T::int4, T::int4, T::int4, T::float8};
  const std::vector<const char*> moment_names = {"year", "month", "mday", "hour", "min", "sec"};
  add_named(immutable("make_date", {T::int4, T::int4, T::int4}, T::date, make_date), {"year", "month", "day"});
  add_named(immutable("make_time", {T::int4, T::int4, T::float8}, T::time, make_time), {"hour", "min", "sec"});
  add_named(immutable("make_timestamp", moment, T::timestamp, make_timestamp), moment_names);
  add_named(stable("make_timestamptz", moment, T::timestamptz, make_timestamptz), moment_names);
  std::vector<TypeId> moment_and_zone = moment;
  moment_and_zone.push_back(T::text);
  std::vector<const char*> moment_and_zone_names = moment_names;
  moment_and_zone_names.push_back("timezone");
  add_named(stable("make_timestamptz", moment_and_zone, T::timestamptz, make_timestamptz_at), moment_and_zone_names);
  FunctionEntry interval = immutable("make_interval", {T::int4, T::int4, T::int4, T::int4, T::int4, T::int4, T::float8},
                                     T::interval, make_interval);
  interval.defaults = {"0", "0", "0", "0", "0", "0", "0.0"};
  add_named(std::move(interval), {"years", "months", "weeks", "days", "hours", "mins", "secs"});
}

}  // namespace polarsim::engine::families
