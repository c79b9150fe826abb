#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"

// date_trunc() and date_bin().
namespace polarsim::engine::families {
namespace {

using Unit = DateTimeUnit;

// The first year of the century or the like, where there is no year zero.
std::int32_t first_of_group(std::int32_t year, std::int32_t size) {
  if (year > 0) return (year + size - 1) / size * size - (size - 1);
  return -((size - 1 - (year - 1)) / size) * size + 1;
}

void truncate_to_week(CivilTime& time) {
  const int week = iso_week(time);
  if (week >= 52 && time.month == 1) --time.year;
  if (week <= 1 && time.month == months_per_year) ++time.year;
  set_julian_day(time, julian_day_of_iso_week(time.year, week));
}

// Whether the result is a day or more, so that the zone's offset may be another.
bool truncate_civil(CivilTime& time, const NamedUnit& unit, TypeId type) {
  if (unit.word.kind != DateTimeWord::Kind::unit) throw_unit_unknown(unit, type);
  switch (unit.unit()) {
    case Unit::week:
      truncate_to_week(time);
      break;
    case Unit::millennium:
    case Unit::century:
      time.year = first_of_group(time.year, unit.unit() == Unit::century ? 100 : 1000);
      time.month = time.day = 1;
      break;
    case Unit::decade:
      time.year = time.year > 0 ? time.year / 10 * 10 : -((8 - (time.year - 1)) / 10) * 10;
      time.month = time.day = 1;
      break;
    case Unit::year:
      time.month = time.day = 1;
      break;
    case Unit::quarter:
      time.month = 3 * ((time.month - 1) / 3) + 1;
      time.day = 1;
      break;
    case Unit::month:
      time.day = 1;
      break;
    case Unit::day:
      break;
    case Unit::hour:
      time.set_time_of_day(time.microseconds_of_day() / microseconds_per_hour * microseconds_per_hour);
      return false;
    case Unit::minute:
      time.set_time_of_day(time.microseconds_of_day() / microseconds_per_minute * microseconds_per_minute);
      return false;
    case Unit::second:
      time.microsecond = 0;
      return false;
    case Unit::millisecond:
      time.microsecond = time.microsecond / 1000 * 1000;
      return false;
    case Unit::microsecond:
      return false;
    default:
      throw_unit_refused(unit, type);
  }
  time.set_time_of_day(0);
  return true;
}

Value truncate_timestamp(const FunctionCall& call) {
  if (!is_finite_timestamp(call[1].as_integer())) return call[1];
  CivilTime time = civil_from_timestamp(call[1].as_integer());
  truncate_civil(time, named_unit(call[0].as_text(), false), TypeId::timestamp);
  const auto result = timestamp_from_civil(time);
  if (!result) throw_timestamp_out_of_range();
  return Value::integer(*result);
}

Value truncate_zoned(const FunctionCall& call, const TimeZone& zone) {
  const NamedUnit unit = named_unit(call[0].as_text(), false);
  ZonedTime zoned = zoned_from_timestamptz(call[1].as_integer(), zone);
  const bool may_shift = truncate_civil(zoned.civil, unit, TypeId::timestamptz);
  const auto result =
      timestamp_from_civil(zoned.civil, may_shift ? zone.east_of_local_s(zoned.civil) : zoned.offset.east_s);
  if (!result) throw_timestamp_out_of_range();
  return Value::integer(*result);
}

Value truncate_timestamptz(const FunctionCall& call) {
  if (!is_finite_timestamp(call[1].as_integer())) return call[1];
  return truncate_zoned(call, session_time_zone(call.context));
}
Value truncate_timestamptz_in_zone(const FunctionCall& call) {
  if (!is_finite_timestamp(call[1].as_integer())) return call[1];
  const NamedZone zone = named_zone(call[2].as_text());
  if (zone.zone != nullptr) return truncate_zoned(call, *zone.zone);
  return truncate_zoned(call, TimeZone::fixed(zone.abbreviation->east_s, zone.name));
}

Value truncate_interval(const FunctionCall& call) {
  const NamedUnit unit = named_unit(call[0].as_text(), false);
  if (unit.word.kind != DateTimeWord::Kind::unit) throw_unit_unknown(unit, TypeId::interval);
  Interval interval = call[1].as_interval();
  const auto cut_months = [&](std::int32_t size) {
    interval.months = interval.months / size * size;
    interval.days = 0;
    interval.microseconds = 0;
  };
  const auto cut_time = [&](std::int64_t size) { interval.microseconds = interval.microseconds / size * size; };
  switch (unit.unit()) {
    case Unit::millennium:
      cut_months(1000 * months_per_year);
      break;
    case Unit::century:
      cut_months(100 * months_per_year);
      break;
    case Unit::decade:
      cut_months(10 * months_per_year);
      break;
    case Unit::year:
      cut_months(months_per_year);
      break;
    case Unit::quarter:
      cut_months(3);
      break;
    case Unit::month:
      cut_months(1);
      break;
    case Unit::day:
      interval.microseconds = 0;
      break;
    case Unit::hour:
      cut_time(microseconds_per_hour);
      break;
    case Unit::minute:
      cut_time(microseconds_per_minute);
      break;
    case Unit::second:
      cut_time(microseconds_per_second);
      break;
    case Unit::millisecond:
      cut_time(1000);
      break;
    case Unit::microsecond:
      break;
    case Unit::week:
      throw_unit_refused(unit, TypeId::interval, "Months usually have fractional weeks.");
    default:
      throw_unit_refused(unit, TypeId::interval);
  }
  return Value::interval(interval);
}

Value date_bin(const FunctionCall& call) {
  const Interval& stride = call[0].as_interval();
  const std::int64_t timestamp = call[1].as_integer();
  const std::int64_t origin = call[2].as_integer();
  if (!is_finite_timestamp(timestamp)) return call[1];
  if (!is_finite_timestamp(origin)) throw SqlError("22008", "origin out of range");
  if (stride.months != 0) {
    throw SqlError(sqlstate::feature_not_supported,
                   "timestamps cannot be binned into intervals containing months or years");
  }
  std::int64_t size = 0;
  std::int64_t distance = 0;
  if (__builtin_mul_overflow(std::int64_t{stride.days}, microseconds_per_day, &size) ||
      __builtin_add_overflow(size, stride.microseconds, &size))
    throw_interval_out_of_range();
  if (size <= 0) throw SqlError("22008", "stride must be greater than zero");
  if (__builtin_sub_overflow(timestamp, origin, &distance)) throw_interval_out_of_range();
  const std::int64_t rest = distance % size;
  std::int64_t result = origin + (distance - rest);
  if (rest < 0 && __builtin_sub_overflow(result, size, &result)) throw_timestamp_out_of_range();
  if (!is_valid_timestamp(result)) throw_timestamp_out_of_range();
  return Value::integer(result);
}

}  // namespace

void add_datetime_truncation(Entries& to) {
  using T = TypeId;
  const FunctionEntry entries[] = {
      immutable("date_trunc", {T::text, T::timestamp}, T::timestamp, truncate_timestamp),
      stable("date_trunc", {T::text, T::timestamptz}, T::timestamptz, truncate_timestamptz),
      stable("date_trunc", {T::text, T::timestamptz, T::text}, T::timestamptz, truncate_timestamptz_in_zone),
      immutable("date_trunc", {T::text, T::interval}, T::interval, truncate_interval),
      immutable("date_bin", {T::interval, T::timestamp, T::timestamp}, T::timestamp, date_bin),
      immutable("date_bin", {T::interval, T::timestamptz, T::timestamptz}, T::timestamptz, date_bin),
  };
  to.functions.insert(to.functions.end(), std::begin(entries), std::end(entries));
}

}  // namespace polarsim::engine::families
