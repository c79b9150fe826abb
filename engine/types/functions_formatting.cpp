#include <fmt/format.h>

#include "engine/types/datetime.h"
#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/format_datetime.h"
#include "engine/types/format_number.h"
#include "engine/types/interval.h"

// to_char(), to_date(), to_timestamp() and to_number().
namespace polarsim::engine::families {
namespace {

Value timestamp_to_char(const FunctionCall& call) {
  const std::int64_t timestamp = call[0].as_integer();
  if (call[1].as_text().empty() || !is_finite_timestamp(timestamp)) return Value::null();
  return Value::text(format_datetime(call[1].as_text(), formatted_timestamp(civil_from_timestamp(timestamp))));
}

Value timestamptz_to_char(const FunctionCall& call) {
  const std::int64_t timestamp = call[0].as_integer();
  if (call[1].as_text().empty() || !is_finite_timestamp(timestamp)) return Value::null();
  const ZonedTime zoned = zoned_from_timestamptz(timestamp, session_time_zone(call.context));
  FormattedTime time = formatted_timestamp(zoned.civil);
  time.zone = &zoned.offset;
  return Value::text(format_datetime(call[1].as_text(), time));
}

Value interval_to_char(const FunctionCall& call) {
  if (call[1].as_text().empty()) return Value::null();
  return Value::text(format_datetime(call[1].as_text(), formatted_interval(call[0].as_interval())));
}

Value int4_to_char(const FunctionCall& call) {
  return Value::text(format_int4(call[1].as_text(), static_cast<std::int32_t>(call[0].as_integer())));
}
Value int8_to_char(const FunctionCall& call) {
  return Value::text(format_int8(call[1].as_text(), call[0].as_integer()));
}
Value numeric_to_char(const FunctionCall& call) {
  return Value::text(format_numeric(call[1].as_text(), call[0].as_numeric()));
}
Value float4_to_char(const FunctionCall& call) {
  return Value::text(format_float4(call[1].as_text(), static_cast<float>(call[0].as_floating())));
}
Value float8_to_char(const FunctionCall& call) {
  return Value::text(format_float8(call[1].as_text(), call[0].as_floating()));
}

Value to_date(const FunctionCall& call) {
  const CivilTime time = read_by_pattern(call[0].as_text(), call[1].as_text()).civil;
  const bool has_day = has_julian_day(time.year, time.month, time.day);
  const std::int64_t date = has_day ? std::int64_t{julian_day(time)} - julian_day_of_2000 : 0;
  if (!has_day || !is_valid_date(date))
    throw SqlError("22008", fmt::format("date out of range: \"{}\"", call[0].as_text()));
  return Value::integer(date);
}

Value to_timestamp(const FunctionCall& call) {
  const PatternTime time = read_by_pattern(call[0].as_text(), call[1].as_text());
  const auto timestamp = time.east_s ? timestamp_from_civil(time.civil, *time.east_s)
                                     : timestamptz_from_local(time.civil, session_time_zone(call.context));
  if (!timestamp) throw_timestamp_out_of_range();
  return Value::integer(time.fraction_digits != 0 ? round_timestamp(*timestamp, time.fraction_digits) : *timestamp);
}

Value to_number(const FunctionCall& call) {
  if (call[1].as_text().empty()) return Value::null();
  return Value::numeric(read_number_by_pattern(call[0].as_text(), call[1].as_text()));
}

}  // namespace

void add_formatting(Entries& to) {
  using T = TypeId;
  const auto add = [&](const char* name, TypeId argument, TypeId result, ScalarFunction function) {
    to.functions.push_back({.name = name,
                            .arguments = {argument, T::text},
                            .result = result,
                            .volatility = Volatility::stable,
                            .scalar = function});
  };
  add("to_char", T::timestamp, T::text, timestamp_to_char);
  add("to_char", T::timestamptz, T::text, timestamptz_to_char);
  add("to_char", T::interval, T::text, interval_to_char);
  add("to_char", T::int4, T::text, int4_to_char);
  add("to_char", T::int8, T::text, int8_to_char);
  add("to_char", T::numeric, T::text, numeric_to_char);
  add("to_char", T::float4, T::text, float4_to_char);
  add("to_char", T::float8, T::text, float8_to_char);
  add("to_date", T::text, T::date, to_date);
  add("to_timestamp", T::text, T::timestamptz, to_timestamp);
  add("to_number", T::text, T::numeric, to_number);
}

}  // namespace polarsim::engine::families
