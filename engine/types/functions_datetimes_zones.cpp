#include <fmt/format.h>

#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"
#include "engine/types/utf8.h"

// AT TIME ZONE, which the grammar writes as timezone(zone, moment).
namespace polarsim::engine::families {
namespace {

std::int64_t shifted(std::int64_t timestamp, std::int64_t seconds) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(timestamp, seconds * microseconds_per_second, &result) || !is_valid_timestamp(result))
    throw_timestamp_out_of_range();
  return result;
}

Value local_to_utc(const FunctionCall& call) {
  const std::int64_t local = call[1].as_integer();
  if (!is_finite_timestamp(local)) return call[1];
  const NamedZone zone = named_zone(call[0].as_text());
  return Value::integer(shifted(local, -zone.east_of_local_s(civil_from_timestamp(local))));
}

Value utc_to_local(const FunctionCall& call) {
  const std::int64_t moment = call[1].as_integer();
  if (!is_finite_timestamp(moment)) return call[1];
  return Value::integer(shifted(moment, named_zone(call[0].as_text()).east_at_s(moment)));
}

// PostgreSQL cuts the seconds to 32 bits.
std::int32_t zone_interval_s(const Interval& zone) {
  if (zone.months != 0 || zone.days != 0) {
    std::string text;
    append_interval(text, zone);
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("interval time zone \"{}\" must not include months or days", text));
  }
  return static_cast<std::int32_t>(zone.microseconds / microseconds_per_second);
}

Value local_to_utc_by_interval(const FunctionCall& call) {
  if (!is_finite_timestamp(call[1].as_integer())) return call[1];
  return Value::integer(shifted(call[1].as_integer(), -std::int64_t{zone_interval_s(call[0].as_interval())}));
}
Value utc_to_local_by_interval(const FunctionCall& call) {
  if (!is_finite_timestamp(call[1].as_integer())) return call[1];
  return Value::integer(shifted(call[1].as_integer(), zone_interval_s(call[0].as_interval())));
}

std::int64_t unix_seconds(std::int64_t timestamptz) {
  return floor_divide(timestamptz, microseconds_per_second) - unix_epoch_us / microseconds_per_second;
}

}  // namespace

NamedZone named_zone(std::string_view name) {
  constexpr std::size_t zone_bytes_max = 255;
  name = utf8::prefix_of_bytes(name, zone_bytes_max);
  NamedZone result;
  result.name = name;
  std::string lower;
  for (const char c : utf8::prefix_of_bytes(name, name_bytes_max))
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  result.abbreviation = find_time_zone_abbreviation(std::string_view(lower).substr(0, 10));
  if (result.abbreviation == nullptr) {
    result.zone = find_time_zone(name);
  } else if (result.abbreviation->zone != nullptr) {
    result.zone = find_time_zone(result.abbreviation->zone);
  }
  if (result.zone == nullptr && (result.abbreviation == nullptr || result.abbreviation->zone != nullptr))
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("time zone \"{}\" not recognized", name));
  return result;
}

std::int32_t NamedZone::east_at_s(std::int64_t timestamptz) const {
  if (zone == nullptr) return abbreviation->east_s;
  const std::int64_t unix_s = unix_seconds(timestamptz);
  if (abbreviation != nullptr) {
    if (const TimeZone::Offset* offset = zone->abbreviated(name, unix_s)) return offset->east_s;
  }
  return zone->at(unix_s).east_s;
}

std::int32_t NamedZone::east_of_local_s(const CivilTime& local) const {
  if (zone == nullptr) return abbreviation->east_s;
  const std::int32_t east_s = zone->east_of_local_s(local);
  if (abbreviation == nullptr) return east_s;
  const std::int64_t unix_s = (std::int64_t{julian_day(local)} - julian_day_of_1970) * seconds_per_day +
                              local.microseconds_of_day() / microseconds_per_second - east_s;
  const TimeZone::Offset* offset = zone->abbreviated(name, unix_s);
  return offset != nullptr ? offset->east_s : east_s;
}

void add_datetime_zones(Entries& to) {
  using T = TypeId;
  const FunctionEntry entries[] = {
      immutable("timezone", {T::text, T::timestamp}, T::timestamptz, local_to_utc),
      immutable("timezone", {T::interval, T::timestamp}, T::timestamptz, local_to_utc_by_interval),
      immutable("timezone", {T::text, T::timestamptz}, T::timestamp, utc_to_local),
      immutable("timezone", {T::interval, T::timestamptz}, T::timestamp, utc_to_local_by_interval),
  };
  to.functions.insert(to.functions.end(), std::begin(entries), std::end(entries));
}

}  // namespace polarsim::engine::families
