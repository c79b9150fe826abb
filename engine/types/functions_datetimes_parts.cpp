#include <fmt/format.h>

#include <limits>

#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"
#include "engine/types/numeric.h"
#include "engine/types/utf8.h"

// extract(), whose result is numeric, and date_part(), whose result is a double.
namespace polarsim::engine::families {
namespace {

using Unit = DateTimeUnit;
// The seconds since 1970 of the last timestamps are beyond 64 bits of microseconds.
using Wide = Interval::Span;

// A part: `number` * 10^-digits, or a day with its fraction, or infinity, or NULL.
struct Part {
  Wide number = 0;
  int digits = 0;
  bool is_of_clock = false;            // seconds or milliseconds within a minute
  std::int64_t day_microseconds = -1;  // of a Julian day: the time that is the fraction
  int infinite = 0;
  bool is_null = false;
};

Numeric scaled(Wide number, int digits) {
  if (digits == 0) return Numeric(static_cast<std::int64_t>(number));
  std::uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  const auto magnitude = static_cast<std::uint64_t>(number < 0 ? -number : number);
  return Numeric::parse(
      fmt::format("{}{}.{:0{}}", number < 0 ? "-" : "", magnitude / scale, magnitude % scale, digits));
}

// PostgreSQL divides what is beyond 64 bits as a numeric, which loses digits.
Numeric scaled_seconds(Wide microseconds) {
  if (microseconds <= std::numeric_limits<std::int64_t>::max()) return scaled(microseconds, 6);
  const Numeric whole = Numeric::parse(fmt::format("{}", static_cast<std::uint64_t>(microseconds)));
  return (whole / Numeric(microseconds_per_second)).round(6);
}

Value as_numeric(const Part& part) {
  if (part.is_null) return Value::null();
  if (part.infinite != 0) return Value::numeric(Numeric::infinity(part.infinite < 0));
  if (part.day_microseconds >= 0) {
    return Value::numeric(scaled(part.number, 0) + Numeric(part.day_microseconds) / Numeric(microseconds_per_day));
  }
  return Value::numeric(part.digits == 6 ? scaled_seconds(part.number) : scaled(part.number, part.digits));
}

Value as_double(const Part& part) {
  if (part.is_null) return Value::null();
  if (part.infinite != 0) return Value::floating(part.infinite * std::numeric_limits<double>::infinity());
  if (part.day_microseconds >= 0) {
    const std::int64_t seconds = part.day_microseconds / microseconds_per_second;
    const std::int64_t microseconds = part.day_microseconds % microseconds_per_second;
    return Value::floating(static_cast<double>(part.number) +
                           (static_cast<double>(seconds) + static_cast<double>(microseconds) / 1e6) / seconds_per_day);
  }
  if (part.is_of_clock) {
    const auto number = static_cast<std::int64_t>(part.number);
    const double unit = part.digits == 3 ? 1000 : 1;
    return Value::floating(static_cast<double>(number / microseconds_per_second) * unit +
                           static_cast<double>(number % microseconds_per_second) / (1e6 / unit));
  }
  double divisor = 1;
  for (int i = 0; i < part.digits; ++i) divisor *= 10;
  return Value::floating(static_cast<double>(part.number) / divisor);
}

// Years without a zero, and the centuries and so on that they are in.
std::int64_t shown_year(std::int64_t year) { return year > 0 ? year : year - 1; }
std::int64_t decade(std::int64_t year) { return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10); }
std::int64_t group_of_years(std::int64_t year, std::int64_t size) {
  return year > 0 ? (year + size - 1) / size : -((size - 1 - (year - 1)) / size);
}

// What a date or timestamp beyond all has: the parts that grow are infinite, those that repeat are NULL.
Part infinite_part(const NamedUnit& unit, bool is_negative, TypeId type) {
  using K = DateTimeWord::Kind;
  if (unit.word.kind != K::unit && unit.word.kind != K::reserved) throw_unit_unknown(unit, type);
  switch (unit.unit()) {
    case Unit::microsecond:
    case Unit::millisecond:
    case Unit::second:
    case Unit::minute:
    case Unit::hour:
    case Unit::time_zone:
    case Unit::time_zone_hour:
    case Unit::time_zone_minute:
      if (type == TypeId::date) throw_unit_refused(unit, type);
      return {.is_null = true};
    case Unit::day:
    case Unit::month:
    case Unit::quarter:
    case Unit::week:
    case Unit::day_of_week:
    case Unit::iso_day_of_week:
    case Unit::day_of_year:
      return {.is_null = true};
    case Unit::year:
    case Unit::decade:
    case Unit::century:
    case Unit::millennium:
    case Unit::julian:
    case Unit::iso_year:
    case Unit::epoch:
      return {.infinite = is_negative ? -1 : 1};
    default:
      throw_unit_refused(unit, type);
  }
}

// The parts of a calendar date; false if the unit is none of them.
bool date_part_of(Unit unit, const CivilTime& date, Part& part) {
  switch (unit) {
    case Unit::day:
      part.number = date.day;
      return true;
    case Unit::month:
      part.number = date.month;
      return true;
    case Unit::quarter:
      part.number = (date.month - 1) / 3 + 1;
      return true;
    case Unit::week:
      part.number = iso_week(date);
      return true;
    case Unit::year:
      part.number = shown_year(date.year);
      return true;
    case Unit::decade:
      part.number = decade(date.year);
      return true;
    case Unit::century:
      part.number = group_of_years(date.year, 100);
      return true;
    case Unit::millennium:
      part.number = group_of_years(date.year, 1000);
      return true;
    case Unit::iso_year:
      part.number = shown_year(iso_year(date));
      return true;
    case Unit::day_of_week:
      part.number = day_of_week(julian_day(date));
      return true;
    case Unit::iso_day_of_week:
      part.number = (day_of_week(julian_day(date)) + 6) % 7 + 1;
      return true;
    case Unit::day_of_year:
      part.number = day_of_year(date);
      return true;
    default:
      return false;
  }
}

// Those of a clock.
bool clock_part_of(Unit unit, const CivilTime& time, Part& part) {
  const std::int64_t microseconds = time.second * microseconds_per_second + time.microsecond;
  switch (unit) {
    case Unit::microsecond:
      part.number = microseconds;
      return true;
    case Unit::millisecond:
      part.number = microseconds;
      part.is_of_clock = true;
      part.digits = 3;
      return true;
    case Unit::second:
      part.number = microseconds;
      part.is_of_clock = true;
      part.digits = 6;
      return true;
    case Unit::minute:
      part.number = time.minute;
      return true;
    case Unit::hour:
      part.number = time.hour;
      return true;
    default:
      return false;
  }
}

bool zone_part_of(Unit unit, std::int32_t east_s, Part& part) {
  switch (unit) {
    case Unit::time_zone:
      part.number = east_s;
      return true;
    case Unit::time_zone_hour:
      part.number = east_s / seconds_per_hour;
      return true;
    case Unit::time_zone_minute:
      part.number = east_s / 60 % 60;
      return true;
    default:
      return false;
  }
}

Part seconds_since_1970(std::int64_t timestamp) { return {.number = Wide{timestamp} - unix_epoch_us, .digits = 6}; }

Part any_timestamp_part(std::string_view name, std::int64_t timestamp, TypeId type, const CallContext& context) {
  const NamedUnit unit = named_unit(name, true);
  if (!is_finite_timestamp(timestamp)) return infinite_part(unit, timestamp < 0, type);
  if (unit.word.kind == DateTimeWord::Kind::reserved) {
    if (unit.unit() == Unit::epoch) return seconds_since_1970(timestamp);
    throw_unit_refused(unit, type);
  }
  if (unit.word.kind != DateTimeWord::Kind::unit) throw_unit_unknown(unit, type);
  ZonedTime zoned;
  if (type == TypeId::timestamptz) {
    zoned = zoned_from_timestamptz(timestamp, session_time_zone(context));
  } else {
    zoned.civil = civil_from_timestamp(timestamp);
  }
  Part part;
  const Unit wanted = unit.unit();
  if (date_part_of(wanted, zoned.civil, part) || clock_part_of(wanted, zoned.civil, part)) return part;
  if (wanted == Unit::julian) {
    part.number = julian_day(zoned.civil);
    part.day_microseconds = zoned.civil.microseconds_of_day();
    return part;
  }
  if (type == TypeId::timestamptz && zone_part_of(wanted, zoned.offset.east_s, part)) return part;
  throw_unit_refused(unit, type);
}

Part timestamp_part(const FunctionCall& call) {
  return any_timestamp_part(call[0].as_text(), call[1].as_integer(), TypeId::timestamp, call.context);
}
Part timestamptz_part(const FunctionCall& call) {
  return any_timestamp_part(call[0].as_text(), call[1].as_integer(), TypeId::timestamptz, call.context);
}
// date_part(text, date) goes by the timestamp.
Part date_as_timestamp_part(const FunctionCall& call) {
  return any_timestamp_part(call[0].as_text(), timestamp_from_date(call[1].as_integer()), TypeId::timestamp,
                            call.context);
}

Part date_part(const FunctionCall& call) {
  const NamedUnit unit = named_unit(call[0].as_text(), true);
  const std::int64_t date = call[1].as_integer();
  const bool is_unit = unit.word.kind == DateTimeWord::Kind::unit;
  if (!is_finite_date(date) && (is_unit || unit.word.kind == DateTimeWord::Kind::reserved))
    return infinite_part(unit, date < 0, TypeId::date);
  if (unit.unit() == Unit::epoch) return {.number = (date - unix_epoch_us / microseconds_per_day) * seconds_per_day};
  if (unit.word.kind == DateTimeWord::Kind::reserved) throw_unit_refused(unit, TypeId::date);
  if (!is_unit) throw_unit_unknown(unit, TypeId::date);
  CivilTime civil;
  set_julian_day(civil, date + julian_day_of_2000);
  Part part;
  if (date_part_of(unit.unit(), civil, part)) return part;
  if (unit.unit() == Unit::julian) return {.number = date + julian_day_of_2000};
  throw_unit_refused(unit, TypeId::date);
}

Part time_part(const FunctionCall& call) {
  const NamedUnit unit = named_unit(call[0].as_text(), true);
  if (unit.unit() == Unit::epoch) return {.number = call[1].as_integer(), .digits = 6};
  if (unit.word.kind != DateTimeWord::Kind::unit) throw_unit_unknown(unit, TypeId::time);
  CivilTime civil;
  civil.set_time_of_day(call[1].as_integer());
  Part part;
  if (clock_part_of(unit.unit(), civil, part)) return part;
  throw_unit_refused(unit, TypeId::time);
}

Part interval_part(const FunctionCall& call, const NamedUnit& unit) {
  const Interval& interval = call[1].as_interval();
  if (unit.word.kind != DateTimeWord::Kind::unit) throw_unit_unknown(unit, TypeId::interval);
  const std::int32_t years = interval.months / months_per_year;
  const std::int32_t months = interval.months % months_per_year;
  const std::int64_t time = interval.microseconds;
  switch (unit.unit()) {
    case Unit::microsecond:
      return {.number = time % microseconds_per_minute};
    case Unit::millisecond:
      return {.number = time % microseconds_per_minute, .digits = 3, .is_of_clock = true};
    case Unit::second:
      return {.number = time % microseconds_per_minute, .digits = 6, .is_of_clock = true};
    case Unit::minute:
      return {.number = time / microseconds_per_minute % 60};
    case Unit::hour:
      return {.number = time / microseconds_per_hour};
    case Unit::day:
      return {.number = interval.days};
    case Unit::month:
      return {.number = months};
    case Unit::quarter:
      return {.number = months / 3 + 1};
    case Unit::year:
      return {.number = years};
    case Unit::decade:
      return {.number = years / 10};
    case Unit::century:
      return {.number = years / 100};
    case Unit::millennium:
      return {.number = years / 1000};
    default:
      throw_unit_refused(unit, TypeId::interval);
  }
}

// A year counts 365.25 days here.
std::int64_t whole_days_in_seconds(const Interval& interval) {
  const std::int64_t quarter_days = std::int64_t{1461} * (interval.months / months_per_year) +
                                    std::int64_t{120} * (interval.months % months_per_year) +
                                    std::int64_t{4} * interval.days;
  return quarter_days * (seconds_per_day / 4);
}

Value extract_interval(const FunctionCall& call) {
  const NamedUnit unit = named_unit(call[0].as_text(), true);
  if (unit.unit() != Unit::epoch) return as_numeric(interval_part(call, unit));
  const Interval& interval = call[1].as_interval();
  const std::int64_t seconds = whole_days_in_seconds(interval);
  std::int64_t microseconds = 0;
  if (!__builtin_mul_overflow(seconds, microseconds_per_second, &microseconds) &&
      !__builtin_add_overflow(microseconds, interval.microseconds, &microseconds))
    return Value::numeric(scaled(microseconds, 6));
  return Value::numeric(scaled(interval.microseconds, 6) + Numeric(seconds));
}

Value interval_date_part(const FunctionCall& call) {
  const NamedUnit unit = named_unit(call[0].as_text(), true);
  if (unit.unit() != Unit::epoch) return as_double(interval_part(call, unit));
  const Interval& interval = call[1].as_interval();
  double seconds = static_cast<double>(interval.microseconds) / 1e6;
  seconds += 365.25 * seconds_per_day * (interval.months / months_per_year);
  seconds += static_cast<double>(days_per_month) * seconds_per_day * (interval.months % months_per_year);
  seconds += static_cast<double>(seconds_per_day) * interval.days;
  return Value::floating(seconds);
}

using PartFunction = Part (*)(const FunctionCall& call);
template <PartFunction part>
Value extract(const FunctionCall& call) {
  return as_numeric(part(call));
}
template <PartFunction part>
Value part_as_double(const FunctionCall& call) {
  return as_double(part(call));
}

}  // namespace

Unit NamedUnit::unit() const {
  if (word.kind == DateTimeWord::Kind::unit) return word.unit();
  if (word.kind == DateTimeWord::Kind::reserved && word.value == DateTimeWord::epoch) return Unit::epoch;
  return Unit::none;
}

NamedUnit named_unit(std::string_view name, bool all) {
  NamedUnit unit;
  for (const char c : utf8::prefix_of_bytes(name, name_bytes_max))
    unit.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  unit.word = find_interval_word(unit.name);
  if (all && unit.word.kind == DateTimeWord::Kind::unknown) unit.word = find_datetime_word(unit.name);
  return unit;
}

void throw_unit_unknown(const NamedUnit& unit, TypeId type) {
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("unit \"{}\" not recognized for type {}", unit.name, type_name(type)));
}

void throw_unit_refused(const NamedUnit& unit, TypeId type, const char* detail) {
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("unit \"{}\" not supported for type {}", unit.name, type_name(type)), detail);
}

void add_datetime_parts(Entries& to) {
  using T = TypeId;
  const FunctionEntry entries[] = {
      immutable("extract", {T::text, T::date}, T::numeric, extract<date_part>),
      immutable("extract", {T::text, T::time}, T::numeric, extract<time_part>),
      immutable("extract", {T::text, T::timestamp}, T::numeric, extract<timestamp_part>),
      stable("extract", {T::text, T::timestamptz}, T::numeric, extract<timestamptz_part>),
      immutable("extract", {T::text, T::interval}, T::numeric, extract_interval),
      immutable("date_part", {T::text, T::date}, T::float8, part_as_double<date_as_timestamp_part>),
      immutable("date_part", {T::text, T::time}, T::float8, part_as_double<time_part>),
      immutable("date_part", {T::text, T::timestamp}, T::float8, part_as_double<timestamp_part>),
      stable("date_part", {T::text, T::timestamptz}, T::float8, part_as_double<timestamptz_part>),
      immutable("date_part", {T::text, T::interval}, T::float8, interval_date_part),
  };
  to.functions.insert(to.functions.end(), std::begin(entries), std::end(entries));
}

}  // namespace polarsim::engine::families
