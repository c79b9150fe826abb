#include <fmt/format.h>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_datetimes.h"

// The type interval.
namespace polarsim::engine::families {
namespace {

int compare(const Value& a, const Value& b) { return Interval::compare(a.as_interval(), b.as_interval()); }
std::uint64_t hash(const Value& value) { return value.as_interval().hash(); }

Value interval_in(std::string_view text, Type type, const CallContext&) {
  return Value::interval(fit_interval(read_interval(text, type.modifier), type.modifier));
}
void interval_out(std::string& to, const Value& value, const CallContext&) { append_interval(to, value.as_interval()); }
Value modify(const Value& value, Type type, bool) {
  return Value::interval(fit_interval(value.as_interval(), type.modifier));
}
// Not every number is a modifier: fields have to follow each other.
void check_modifier(std::int32_t modifier) {
  using namespace interval_fields;
  constexpr std::int32_t times[] = {second, minute | second, minute, hour | minute | second, hour | minute, hour};
  const std::int32_t fields = of_modifier(modifier);
  bool known = fields == all || fields == year || fields == month || fields == (year | month) || fields == day;
  for (const std::int32_t time : times)
    known = known || fields == time || ((time & hour) != 0 && fields == (day | time));
  if (!known) throw SqlError(sqlstate::internal_error, fmt::format("unrecognized interval typmod: {}", modifier));
  const std::int32_t digits = modifier & 0xffff;
  if (digits != 0xffff && digits > 6) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("interval({}) precision must be between 0 and 6", digits));
  }
}
Value scale(const FunctionCall& call) {
  const auto modifier = static_cast<std::int32_t>(call[1].as_integer());
  if (modifier >= 0) check_modifier(modifier);
  return Value::interval(fit_interval(call[0].as_interval(), modifier));
}

Value negate(const FunctionCall& call) { return Value::interval(-call[0].as_interval()); }
Value add(const FunctionCall& call) { return Value::interval(call[0].as_interval() + call[1].as_interval()); }
Value subtract(const FunctionCall& call) { return Value::interval(call[0].as_interval() - call[1].as_interval()); }
template <std::size_t interval>
Value multiply(const FunctionCall& call) {
  return Value::interval(call[interval].as_interval().multiplied(call[1 - interval].as_floating()));
}
Value divide(const FunctionCall& call) { return Value::interval(call[0].as_interval().divided(call[1].as_floating())); }

template <Interval (Interval::*justify)() const>
Value justified(const FunctionCall& call) {
  return Value::interval((call[0].as_interval().*justify)());
}

class IntervalSum : public AggregateState {
 public:
  explicit IntervalSum(bool is_average) : is_average_(is_average) {}
  void add(const FunctionCall& call) override {
    sum_ = sum_ + call[0].as_interval();
    ++count_;
  }
  Value result(const CallContext&) const override {
    if (count_ == 0) return Value::null();
    return Value::interval(is_average_ ? sum_.divided(static_cast<double>(count_)) : sum_);
  }

 private:
  bool is_average_;
  Interval sum_;
  std::int64_t count_ = 0;
};

template <bool is_average>
std::unique_ptr<AggregateState> interval_sum(std::span<const Type>, Type) {
  return std::make_unique<IntervalSum>(is_average);
}

}  // namespace

void add_intervals(Entries& to) {
  using T = TypeId;
  to.types.push_back({T::interval, interval_in, interval_out, compare, hash, modify});
  add_comparisons<compare>(to, T::interval, T::interval,
                           {"interval_lt", "interval_le", "interval_eq", "interval_ne", "interval_ge", "interval_gt"});
  const ArithmeticEntry operators[] = {
      {"-", T::none, T::interval, T::interval, "interval_um", negate, nullptr, Volatility::immutable},
      {"+", T::interval, T::interval, T::interval, "interval_pl", add, "+", Volatility::immutable},
      {"-", T::interval, T::interval, T::interval, "interval_mi", subtract, nullptr, Volatility::immutable},
      {"*", T::interval, T::float8, T::interval, "interval_mul", multiply<0>, "*", Volatility::immutable},
      {"*", T::float8, T::interval, T::interval, "mul_d_interval", multiply<1>, "*", Volatility::immutable},
      {"/", T::interval, T::float8, T::interval, "interval_div", divide, nullptr, Volatility::immutable},
  };
  for (const ArithmeticEntry& entry : operators) add_operator(to, entry);
  const FunctionEntry entries[] = {
      immutable("interval_cmp", {T::interval, T::interval}, T::int4, compared_as_integer<compare>),
      immutable("interval_larger", {T::interval, T::interval}, T::interval, larger<compare>),
      immutable("interval_smaller", {T::interval, T::interval}, T::interval, smaller<compare>),
      immutable("interval", {T::interval, T::int4}, T::interval, scale),
      immutable("justify_hours", {T::interval}, T::interval, justified<&Interval::justified_hours>),
      immutable("justify_days", {T::interval}, T::interval, justified<&Interval::justified_days>),
      immutable("justify_interval", {T::interval}, T::interval, justified<&Interval::justified>),
  };
  to.functions.insert(to.functions.end(), std::begin(entries), std::end(entries));
  for (const bool is_average : {false, true}) {
    to.functions.push_back({.name = is_average ? "avg" : "sum",
                            .arguments = {T::interval},
                            .result = T::interval,
                            .kind = FunctionKind::aggregate,
                            .aggregate = is_average ? interval_sum<true> : interval_sum<false>});
  }
}

}  // namespace polarsim::engine::families
