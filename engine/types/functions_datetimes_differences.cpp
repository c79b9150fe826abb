#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"

// age(), OVERLAPS, generate_series() and the frames of window functions.
namespace polarsim::engine::families {
namespace {

// The parts of the later minus those of the earlier; what is negative borrows from the next part, and days from the
// length of the earlier one's month.
Interval age_between(const CivilTime& a, const CivilTime& b, bool is_negative) {
  const CivilTime& late = is_negative ? b : a;
  const CivilTime& early = is_negative ? a : b;
  std::int64_t microsecond = late.microsecond - early.microsecond;
  std::int64_t second = late.second - early.second;
  std::int64_t minute = late.minute - early.minute;
  std::int64_t hour = late.hour - early.hour;
  std::int64_t day = late.day - early.day;
  std::int64_t month = late.month - early.month;
  std::int64_t year = std::int64_t{late.year} - early.year;
  const auto borrow = [](std::int64_t& from, std::int64_t& part, std::int64_t size) {
    while (part < 0) {
      part += size;
      --from;
    }
  };
  borrow(second, microsecond, microseconds_per_second);
  borrow(minute, second, 60);
  borrow(hour, minute, 60);
  borrow(day, hour, 24);
  borrow(month, day, days_in_month(early.year, early.month));
  borrow(year, month, months_per_year);
  const std::int64_t months = year * months_per_year + month;
  const std::int64_t time = ((hour * 60 + minute) * 60 + second) * microseconds_per_second + microsecond;
  const int sign = is_negative ? -1 : 1;
  return {static_cast<std::int32_t>(sign * months), static_cast<std::int32_t>(sign * day), sign * time};
}

// PostgreSQL reads infinity as a date here, and minus infinity is one before all.
void check_age(std::int64_t a, std::int64_t b) {
  if (a == timestamp_minus_infinity || b == timestamp_minus_infinity) throw_timestamp_out_of_range();
}

Value timestamp_age(std::int64_t a, std::int64_t b) {
  check_age(a, b);
  return Value::interval(age_between(civil_from_timestamp(a), civil_from_timestamp(b), a < b));
}
Value timestamptz_age(std::int64_t a, std::int64_t b, const TimeZone& zone) {
  check_age(a, b);
  return Value::interval(
      age_between(zoned_from_timestamptz(a, zone).civil, zoned_from_timestamptz(b, zone).civil, a < b));
}

Value age_of_timestamps(const FunctionCall& call) { return timestamp_age(call[0].as_integer(), call[1].as_integer()); }
Value age_of_timestamptzs(const FunctionCall& call) {
  return timestamptz_age(call[0].as_integer(), call[1].as_integer(), session_time_zone(call.context));
}

std::int64_t today(const CallContext& context) {
  return date_from_timestamp(timestamp_from_timestamptz(transaction_time(context), session_time_zone(context)));
}
Value age_of_timestamp(const FunctionCall& call) {
  return timestamp_age(timestamp_from_date(today(call.context)), call[0].as_integer());
}
Value age_of_timestamptz(const FunctionCall& call) {
  const TimeZone& zone = session_time_zone(call.context);
  return timestamptz_age(timestamptz_from_date(today(call.context), zone), call[0].as_integer(), zone);
}

// SQL's (start, end) OVERLAPS (start, end); the ends of a pair may stand in either order, and one may be NULL.
struct Period {
  Value start;
  Value end;
  Period(Value from, Value until) : start(std::move(from)), end(std::move(until)) {
    if (start.is_null() || (!end.is_null() && start.as_integer() > end.as_integer())) std::swap(start, end);
  }
};

Value overlap(const Period& a, const Period& b) {
  if (a.start.is_null() || b.start.is_null()) return Value::null();
  const std::int64_t start_a = a.start.as_integer();
  const std::int64_t start_b = b.start.as_integer();
  if (start_a == start_b) return a.end.is_null() || b.end.is_null() ? Value::null() : Value::boolean(true);
  const Period& early = start_a < start_b ? a : b;
  const Period& late = start_a < start_b ? b : a;
  if (early.end.is_null()) return Value::null();
  if (late.start.as_integer() < early.end.as_integer()) return Value::boolean(true);
  return late.end.is_null() ? Value::null() : Value::boolean(false);
}

using Addition = Value (*)(const Value& start, const Value& interval, const CallContext& context);
Value time_sum(const Value& start, const Value& interval, const CallContext&) {
  return Value::integer(time_plus(start.as_integer(), interval.as_interval()));
}
Value timestamp_sum(const Value& start, const Value& interval, const CallContext&) {
  return Value::integer(timestamp_plus(start.as_integer(), interval.as_interval()));
}
Value timestamptz_sum(const Value& start, const Value& interval, const CallContext& context) {
  return Value::integer(timestamptz_plus(start.as_integer(), interval.as_interval(), session_time_zone(context)));
}

template <Addition add, bool first_by_interval, bool second_by_interval>
Value overlaps(const FunctionCall& call) {
  const auto end = [&](const Value& start, const Value& given, bool by_interval) {
    if (!by_interval || given.is_null()) return given;
    return start.is_null() ? Value::null() : add(start, given, call.context);
  };
  return overlap({call[0], end(call[0], call[1], first_by_interval)},
                 {call[2], end(call[2], call[3], second_by_interval)});
}

template <Addition add>
void add_overlaps(Entries& to, TypeId type, Volatility with_interval) {
  const auto entry = [&](TypeId first_end, TypeId second_end, ScalarFunction function) {
    FunctionEntry overlaps_entry =
        immutable("overlaps", {type, first_end, type, second_end}, TypeId::boolean, function);
    overlaps_entry.strict = false;
    if (first_end == TypeId::interval || second_end == TypeId::interval) overlaps_entry.volatility = with_interval;
    to.functions.push_back(std::move(overlaps_entry));
  };
  entry(type, type, overlaps<add, false, false>);
  entry(type, TypeId::interval, overlaps<add, false, true>);
  entry(TypeId::interval, type, overlaps<add, true, false>);
  entry(TypeId::interval, TypeId::interval, overlaps<add, true, true>);
}

class TimestampSeries : public FunctionRows {
 public:
  TimestampSeries(const FunctionCall& call, const TimeZone* zone)
      : next_(call[0].as_integer()), last_(call[1].as_integer()), step_(call[2].as_interval()), zone_(zone) {
    direction_ = Interval::compare(step_, Interval{});
    if (direction_ == 0) throw SqlError(sqlstate::invalid_parameter_value, "step size cannot equal zero");
  }
  bool next(Row& row) override {
    if (direction_ > 0 ? next_ > last_ : next_ < last_) return false;
    row.assign(1, Value::integer(next_));
    next_ = zone_ != nullptr ? timestamptz_plus(next_, step_, *zone_) : timestamp_plus(next_, step_);
    return true;
  }

 private:
  std::int64_t next_;
  std::int64_t last_;
  Interval step_;
  const TimeZone* zone_;  // null for timestamps without
  int direction_ = 0;
};

template <bool with_zone>
std::unique_ptr<FunctionRows> timestamp_series(const FunctionCall& call) {
  return std::make_unique<TimestampSeries>(call, with_zone ? &session_time_zone(call.context) : nullptr);
}

void add_series(Entries& to, TypeId type, Volatility volatility, SetFunction function) {
  to.functions.push_back({.name = "generate_series",
                          .arguments = {type, type, TypeId::interval},
                          .result = type,
                          .kind = FunctionKind::set,
                          .volatility = volatility,
                          .set = function});
}

// in_range(value, base, offset, sub, less): whether a row is within RANGE offset PRECEDING or FOLLOWING of another.
[[noreturn]] void throw_negative_offset() {
  throw SqlError("22013", "invalid preceding or following size in window function");
}
Value is_within(std::int64_t value, std::int64_t bound, bool less) {
  return Value::boolean(less ? value <= bound : value >= bound);
}
Interval frame_offset(const FunctionCall& call) {
  const Interval& offset = call[2].as_interval();
  if (Interval::compare(offset, Interval{}) < 0) throw_negative_offset();
  return call[3].as_boolean() ? negated_for_sum(offset) : offset;
}
Value date_in_range(const FunctionCall& call) {
  const std::int64_t value = timestamp_from_date(call[0].as_integer());
  const std::int64_t base = timestamp_from_date(call[1].as_integer());
  return is_within(value, timestamp_plus(base, frame_offset(call)), call[4].as_boolean());
}
Value timestamp_in_range(const FunctionCall& call) {
  return is_within(call[0].as_integer(), timestamp_plus(call[1].as_integer(), frame_offset(call)),
                   call[4].as_boolean());
}
Value timestamptz_in_range(const FunctionCall& call) {
  const TimeZone& zone = session_time_zone(call.context);
  return is_within(call[0].as_integer(), timestamptz_plus(call[1].as_integer(), frame_offset(call), zone),
                   call[4].as_boolean());
}
Value time_in_range(const FunctionCall& call) {
  const std::int64_t offset = call[2].as_interval().microseconds;
  if (offset < 0) throw_negative_offset();
  const auto base = static_cast<std::uint64_t>(call[1].as_integer());
  const auto distance = static_cast<std::uint64_t>(offset);  // the sum wraps around
  const auto bound = static_cast<std::int64_t>(call[3].as_boolean() ? base - distance : base + distance);
  return is_within(call[0].as_integer(), bound, call[4].as_boolean());
}
Value interval_in_range(const FunctionCall& call) {
  const Interval& offset = call[2].as_interval();
  if (Interval::compare(offset, Interval{}) < 0) throw_negative_offset();
  const Interval& base = call[1].as_interval();
  const Interval bound = call[3].as_boolean() ? base - offset : base + offset;
  const int order = Interval::compare(call[0].as_interval(), bound);
  return Value::boolean(call[4].as_boolean() ? order <= 0 : order >= 0);
}

}  // namespace

void add_datetime_differences(Entries& to) {
  using T = TypeId;
  to.functions.push_back(immutable("age", {T::timestamp, T::timestamp}, T::interval, age_of_timestamps));
  to.functions.push_back(immutable("age", {T::timestamptz, T::timestamptz}, T::interval, age_of_timestamptzs));
  to.functions.push_back(stable("age", {T::timestamp}, T::interval, age_of_timestamp));
  to.functions.push_back(stable("age", {T::timestamptz}, T::interval, age_of_timestamptz));
  add_overlaps<time_sum>(to, T::time, Volatility::immutable);
  add_overlaps<timestamp_sum>(to, T::timestamp, Volatility::immutable);
  add_overlaps<timestamptz_sum>(to, T::timestamptz, Volatility::stable);
  add_series(to, T::timestamp, Volatility::immutable, timestamp_series<false>);
  add_series(to, T::timestamptz, Volatility::stable, timestamp_series<true>);
  const auto in_range = [&](TypeId type, ScalarFunction function) {
    to.functions.push_back(
        immutable("in_range", {type, type, T::interval, T::boolean, T::boolean}, T::boolean, function));
  };
  in_range(T::date, date_in_range);
  in_range(T::time, time_in_range);
  in_range(T::timestamp, timestamp_in_range);
  in_range(T::timestamptz, timestamptz_in_range);
  to.functions.back().volatility = Volatility::stable;
  in_range(T::interval, interval_in_range);
}

}  // namespace polarsim::engine::families
