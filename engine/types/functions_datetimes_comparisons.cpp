#include "engine/types/comparisons.h"
#include "engine/types/functions_datetimes.h"

// Comparisons of dates, times and timestamps, also across types.
namespace polarsim::engine::families {
namespace {

int compare(std::int64_t a, std::int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }
int compare_same(const Value& a, const Value& b) { return compare(a.as_integer(), b.as_integer()); }

// A finite value beyond what a timestamp can be, against one that may be infinite.
int compare_beyond(bool above, std::int64_t timestamp) {
  if (above) return timestamp == timestamp_infinity ? -1 : 1;
  return timestamp == timestamp_minus_infinity ? 1 : -1;
}

int compare_local(std::int64_t local, std::int64_t timestamptz, const TimeZone& zone) {
  if (!is_finite_timestamp(local)) return compare(local, timestamptz);
  const std::int64_t east_us = zone.east_of_local_s(civil_from_timestamp(local)) * microseconds_per_second;
  std::int64_t utc = 0;
  if (__builtin_sub_overflow(local, east_us, &utc) || !is_valid_timestamp(utc))
    return compare_beyond(local > 0, timestamptz);
  return compare(utc, timestamptz);
}

int date_timestamp(const FunctionCall& call, std::size_t date, std::size_t timestamp) {
  const std::int64_t days = call[date].as_integer();
  if (is_finite_date(days) && days >= timestamp_end / microseconds_per_day)
    return compare_beyond(true, call[timestamp].as_integer());
  return compare(timestamp_from_date(days), call[timestamp].as_integer());
}
int date_timestamptz(const FunctionCall& call, std::size_t date, std::size_t timestamptz) {
  const std::int64_t days = call[date].as_integer();
  if (is_finite_date(days) && days >= timestamp_end / microseconds_per_day)
    return compare_beyond(true, call[timestamptz].as_integer());
  return compare_local(timestamp_from_date(days), call[timestamptz].as_integer(), session_time_zone(call.context));
}
int timestamp_timestamptz(const FunctionCall& call, std::size_t timestamp, std::size_t timestamptz) {
  return compare_local(call[timestamp].as_integer(), call[timestamptz].as_integer(), session_time_zone(call.context));
}

using CrossComparer = int (*)(const FunctionCall& call, std::size_t left, std::size_t right);

template <CrossComparer compare, bool exchanged>
int cross(const FunctionCall& call) {
  return exchanged ? -compare(call, 1, 0) : compare(call, 0, 1);
}
template <CrossComparer compare, bool exchanged, typename Holds>
Value cross_compared(const FunctionCall& call) {
  return Value::boolean(Holds{}(cross<compare, exchanged>(call), 0));
}
template <CrossComparer compare, bool exchanged>
Value cross_as_integer(const FunctionCall& call) {
  return Value::integer(cross<compare, exchanged>(call));
}

struct CrossNames {
  ComparisonNames operators;
  const char* compare;
};

template <CrossComparer compare, bool exchanged>
void add_cross(Entries& to, TypeId left, TypeId right, Volatility volatility, const CrossNames& names) {
  struct Comparison {
    const char* symbol;
    ScalarFunction function;
    const char* commutator;
    const char* negator;
  };
  const Comparison comparisons[] = {{"<", cross_compared<compare, exchanged, std::less<>>, ">", ">="},
                                    {"<=", cross_compared<compare, exchanged, std::less_equal<>>, ">=", ">"},
                                    {"=", cross_compared<compare, exchanged, std::equal_to<>>, "=", "<>"},
                                    {"<>", cross_compared<compare, exchanged, std::not_equal_to<>>, "<>", "="},
                                    {">=", cross_compared<compare, exchanged, std::greater_equal<>>, "<=", "<"},
                                    {">", cross_compared<compare, exchanged, std::greater<>>, "<", "<="}};
  for (std::size_t i = 0; i < names.operators.size(); ++i) {
    const Comparison& one = comparisons[i];
    add_operator(
        to, {one.symbol, left, right, TypeId::boolean, names.operators[i], one.function, one.commutator, volatility});
    to.operators.back().negator = one.negator;
  }
  FunctionEntry entry = immutable(names.compare, {left, right}, TypeId::int4, cross_as_integer<compare, exchanged>);
  entry.volatility = volatility;
  to.functions.push_back(std::move(entry));
}

void add_same(Entries& to, TypeId type, const ComparisonNames& names, const char* compare_name) {
  add_comparisons<compare_same>(to, type, type, names);
  to.functions.push_back(immutable(compare_name, {type, type}, TypeId::int4, compared_as_integer<compare_same>));
}

}  // namespace

void add_datetime_comparisons(Entries& to) {
  using T = TypeId;
  add_same(to, T::date, {"date_lt", "date_le", "date_eq", "date_ne", "date_ge", "date_gt"}, "date_cmp");
  add_same(to, T::time, {"time_lt", "time_le", "time_eq", "time_ne", "time_ge", "time_gt"}, "time_cmp");
  add_same(to, T::timestamp,
           {"timestamp_lt", "timestamp_le", "timestamp_eq", "timestamp_ne", "timestamp_ge", "timestamp_gt"},
           "timestamp_cmp");
  add_same(to, T::timestamptz,
           {"timestamptz_lt", "timestamptz_le", "timestamptz_eq", "timestamptz_ne", "timestamptz_ge", "timestamptz_gt"},
           "timestamptz_cmp");
  for (const TypeId type : {T::date, T::time, T::timestamp, T::timestamptz}) {
    const bool is_date = type == T::date;
    const bool is_time = type == T::time;
    const char* larger_name = is_date ? "date_larger" : is_time ? "time_larger" : "timestamp_larger";
    const char* smaller_name = is_date ? "date_smaller" : is_time ? "time_smaller" : "timestamp_smaller";
    if (type == T::timestamptz) {
      larger_name = "timestamptz_larger";
      smaller_name = "timestamptz_smaller";
    }
    to.functions.push_back(immutable(larger_name, {type, type}, type, larger<compare_same>));
    to.functions.push_back(immutable(smaller_name, {type, type}, type, smaller<compare_same>));
  }
  add_cross<date_timestamp, false>(to, T::date, T::timestamp, Volatility::immutable,
                                   {{"date_lt_timestamp", "date_le_timestamp", "date_eq_timestamp", "date_ne_timestamp",
                                     "date_ge_timestamp", "date_gt_timestamp"},
                                    "date_cmp_timestamp"});
  add_cross<date_timestamp, true>(to, T::timestamp, T::date, Volatility::immutable,
                                  {{"timestamp_lt_date", "timestamp_le_date", "timestamp_eq_date", "timestamp_ne_date",
                                    "timestamp_ge_date", "timestamp_gt_date"},
                                   "timestamp_cmp_date"});
  add_cross<date_timestamptz, false>(to, T::date, T::timestamptz, Volatility::stable,
                                     {{"date_lt_timestamptz", "date_le_timestamptz", "date_eq_timestamptz",
                                       "date_ne_timestamptz", "date_ge_timestamptz", "date_gt_timestamptz"},
                                      "date_cmp_timestamptz"});
  add_cross<date_timestamptz, true>(to, T::timestamptz, T::date, Volatility::stable,
                                    {{"timestamptz_lt_date", "timestamptz_le_date", "timestamptz_eq_date",
                                      "timestamptz_ne_date", "timestamptz_ge_date", "timestamptz_gt_date"},
                                     "timestamptz_cmp_date"});
  add_cross<timestamp_timestamptz, false>(
      to, T::timestamp, T::timestamptz, Volatility::stable,
      {{"timestamp_lt_timestamptz", "timestamp_le_timestamptz", "timestamp_eq_timestamptz", "timestamp_ne_timestamptz",
        "timestamp_ge_timestamptz", "timestamp_gt_timestamptz"},
       "timestamp_cmp_timestamptz"});
  add_cross<timestamp_timestamptz, true>(
      to, T::timestamptz, T::timestamp, Volatility::stable,
      {{"timestamptz_lt_timestamp", "timestamptz_le_timestamp", "timestamptz_eq_timestamp", "timestamptz_ne_timestamp",
        "timestamptz_ge_timestamp", "timestamptz_gt_timestamp"},
       "timestamptz_cmp_timestamp"});
}

}  // namespace polarsim::engine::families
