#include "engine/types/functions_datetimes.h"

#include <fmt/format.h>

#include "engine/types/datetime_input.h"
#include "engine/types/error.h"

// The types date, time, timestamp and timestamptz: text forms, order, modifiers and casts between them.
namespace polarsim::engine::families {
namespace {

std::uint64_t hash_integer(const Value& value) {
  std::uint64_t bits = static_cast<std::uint64_t>(value.as_integer()) * 0x9e3779b97f4a7c15;
  bits ^= bits >> 32;
  return bits * 0xd6e8feb86659fd93;
}

int compare_integers(const Value& a, const Value& b) {
  const std::int64_t left = a.as_integer();
  const std::int64_t right = b.as_integer();
  return left < right ? -1 : left > right ? 1 : 0;
}

Value date_in(std::string_view text, Type, const CallContext& context) {
  return Value::integer(read_date(text, context));
}
Value time_in(std::string_view text, Type type, const CallContext& context) {
  return Value::integer(round_fraction(read_time(text, context), type.modifier));
}
Value timestamp_in(std::string_view text, Type type, const CallContext& context) {
  return Value::integer(round_timestamp(read_timestamp(text, context), type.modifier));
}
Value timestamptz_in(std::string_view text, Type type, const CallContext& context) {
  return Value::integer(round_timestamp(read_timestamptz(text, context), type.modifier));
}

void date_out(std::string& to, const Value& value, const CallContext&) { append_date(to, value.as_integer()); }
void time_out(std::string& to, const Value& value, const CallContext&) { append_time(to, value.as_integer()); }
void timestamp_out(std::string& to, const Value& value, const CallContext&) {
  append_timestamp(to, value.as_integer());
}
void timestamptz_out(std::string& to, const Value& value, const CallContext& context) {
  append_timestamptz(to, value.as_integer(), session_time_zone(context));
}

Value modify_time(const Value& value, Type type, bool) {
  return Value::integer(round_fraction(value.as_integer(), type.modifier));
}
Value modify_timestamp(const Value& value, Type type, bool) {
  return Value::integer(round_timestamp(value.as_integer(), type.modifier));
}

// Casts.
Value date_to_timestamp(const FunctionCall& call) { return Value::integer(timestamp_from_date(call[0].as_integer())); }
Value date_to_timestamptz(const FunctionCall& call) {
  return Value::integer(timestamptz_from_date(call[0].as_integer(), session_time_zone(call.context)));
}
Value timestamp_to_date(const FunctionCall& call) { return Value::integer(date_from_timestamp(call[0].as_integer())); }
Value timestamp_to_timestamptz(const FunctionCall& call) {
  return Value::integer(timestamptz_from_timestamp(call[0].as_integer(), session_time_zone(call.context)));
}
Value timestamptz_to_timestamp(const FunctionCall& call) {
  return Value::integer(timestamp_from_timestamptz(call[0].as_integer(), session_time_zone(call.context)));
}
CivilTime local_civil(const FunctionCall& call) {
  return zoned_from_timestamptz(call[0].as_integer(), session_time_zone(call.context)).civil;
}
Value timestamptz_to_date(const FunctionCall& call) {
  if (!is_finite_timestamp(call[0].as_integer())) return timestamp_to_date(call);
  return Value::integer(std::int64_t{julian_day(local_civil(call))} - julian_day_of_2000);
}
Value time_of(std::int64_t timestamp) {
  if (!is_finite_timestamp(timestamp)) return Value::null();
  return Value::integer(floor_remainder(timestamp, microseconds_per_day));
}
Value timestamp_to_time(const FunctionCall& call) { return time_of(call[0].as_integer()); }
Value timestamptz_to_time(const FunctionCall& call) {
  if (!is_finite_timestamp(call[0].as_integer())) return Value::null();
  return Value::integer(local_civil(call).microseconds_of_day());
}
Value time_to_interval(const FunctionCall& call) {
  return Value::interval({.months = 0, .days = 0, .microseconds = call[0].as_integer()});
}
Value interval_to_time(const FunctionCall& call) {
  const std::int64_t time = call[0].as_interval().microseconds;
  return Value::integer(floor_remainder(time, microseconds_per_day));
}
// time(time, 3) and the like.
Value scale_time(const FunctionCall& call) {
  return Value::integer(round_fraction(call[0].as_integer(), static_cast<std::int32_t>(call[1].as_integer())));
}
Value scale_timestamp(const FunctionCall& call) {
  const std::int64_t digits = call[1].as_integer();
  if (is_finite_timestamp(call[0].as_integer()) && digits != no_modifier && (digits < 0 || digits > 6)) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("timestamp({}) precision must be between 0 and 6", digits));
  }
  return Value::integer(round_timestamp(call[0].as_integer(), static_cast<std::int32_t>(call[1].as_integer())));
}

void add_cast(Entries& to, TypeId source, TypeId target, CastContext context, ScalarFunction function,
              Volatility volatility = Volatility::immutable) {
  to.casts.push_back({source, target, context, function, volatility});
  FunctionEntry entry = immutable(type_info(target).name, {source}, target, function);
  entry.volatility = volatility;
  to.functions.push_back(std::move(entry));
}

}  // namespace

void add_operator(Entries& to, const ArithmeticEntry& entry) {
  FunctionEntry function = immutable(entry.function_name, {entry.left, entry.right}, entry.result, entry.function);
  if (entry.left == TypeId::none) function.arguments = {entry.right};
  function.volatility = entry.volatility;
  to.functions.push_back(std::move(function));
  to.operators.push_back({.symbol = entry.symbol,
                          .left = entry.left,
                          .right = entry.right,
                          .result = entry.result,
                          .function = entry.function,
                          .function_name = entry.function_name,
                          .commutator = entry.commutator,
                          .volatility = entry.volatility});
}

void add_datetimes(Entries& to) {
  using T = TypeId;
  to.types.push_back({T::date, date_in, date_out, compare_integers, hash_integer, nullptr});
  to.types.push_back({T::time, time_in, time_out, compare_integers, hash_integer, modify_time});
  to.types.push_back({T::timestamp, timestamp_in, timestamp_out, compare_integers, hash_integer, modify_timestamp});
  to.types.push_back(
      {T::timestamptz, timestamptz_in, timestamptz_out, compare_integers, hash_integer, modify_timestamp});

  add_cast(to, T::date, T::timestamp, CastContext::implicit, date_to_timestamp);
  add_cast(to, T::date, T::timestamptz, CastContext::implicit, date_to_timestamptz, Volatility::stable);
  add_cast(to, T::timestamp, T::date, CastContext::assignment, timestamp_to_date);
  add_cast(to, T::timestamp, T::time, CastContext::assignment, timestamp_to_time);
  add_cast(to, T::timestamp, T::timestamptz, CastContext::implicit, timestamp_to_timestamptz, Volatility::stable);
  add_cast(to, T::timestamptz, T::date, CastContext::assignment, timestamptz_to_date, Volatility::stable);
  add_cast(to, T::timestamptz, T::time, CastContext::assignment, timestamptz_to_time, Volatility::stable);
  add_cast(to, T::timestamptz, T::timestamp, CastContext::assignment, timestamptz_to_timestamp, Volatility::stable);
  add_cast(to, T::time, T::interval, CastContext::implicit, time_to_interval);
  add_cast(to, T::interval, T::time, CastContext::assignment, interval_to_time);
  to.functions.push_back(immutable("time", {T::time, T::int4}, T::time, scale_time));
  to.functions.push_back(immutable("timestamp", {T::timestamp, T::int4}, T::timestamp, scale_timestamp));
  to.functions.push_back(immutable("timestamptz", {T::timestamptz, T::int4}, T::timestamptz, scale_timestamp));

  add_datetime_comparisons(to);
  add_datetime_arithmetic(to);
  add_datetime_differences(to);
  add_datetime_parts(to);
  add_datetime_truncation(to);
  add_datetime_making(to);
  add_datetime_zones(to);
}

}  // namespace polarsim::engine::families
