// numeric: its functions, operators and casts from and to integers (PostgreSQL's numeric.c). Casts from and to binary
// floating point are in functions_floats.cpp.
#include "engine/types/comparisons.h"
#include "engine/types/number_functions.h"

namespace polarsim::engine::families {
namespace {

int compare_numerics(const Value& a, const Value& b) { return Numeric::compare(a.as_numeric(), b.as_numeric()); }
std::uint64_t hash_numeric(const Value& value) { return value.as_numeric().hash(); }

Value keep_to_modifier(const Value& value, Type type, bool) {
  const std::int32_t modifier = type.modifier - 4;
  const int scale = ((modifier & 0x7ff) ^ 1024) - 1024;
  return Value::numeric(value.as_numeric().fit((modifier >> 16) & 0xffff, scale));
}
Value numeric_input(std::string_view text, Type type, const CallContext&) {
  Value value = Value::numeric(Numeric::parse(text));
  return type.modifier < 4 ? value : keep_to_modifier(value, type, false);
}
void numeric_output(std::string& to, const Value& value, const CallContext&) { to += value.as_numeric().to_string(); }

template <Numeric (*function)(const Numeric&, const Numeric&)>
Value binary(const FunctionCall& call) {
  return Value::numeric(function(call[0].as_numeric(), call[1].as_numeric()));
}
template <Numeric (*function)(const Numeric&)>
Value unary(const FunctionCall& call) {
  return Value::numeric(function(call[0].as_numeric()));
}
Numeric add(const Numeric& a, const Numeric& b) { return a + b; }
Numeric subtract(const Numeric& a, const Numeric& b) { return a - b; }
Numeric multiply(const Numeric& a, const Numeric& b) { return a * b; }
Numeric divide(const Numeric& a, const Numeric& b) { return a / b; }
Numeric modulo(const Numeric& a, const Numeric& b) { return a % b; }
Numeric negate(const Numeric& a) { return -a; }
Numeric absolute(const Numeric& a) { return a.absolute(); }
Numeric ceiling(const Numeric& a) { return a.ceiling(); }
Numeric floor(const Numeric& a) { return a.floor(); }
Numeric sign(const Numeric& a) { return a.sign(); }
Numeric round(const Numeric& a) { return a.round(0); }
Numeric truncate(const Numeric& a) { return a.truncate(0); }
Numeric trim_scale(const Numeric& a) { return a.trim_scale(); }
Numeric increment(const Numeric& a) { return a + Numeric(1); }
Numeric decimal_logarithm(const Numeric& a) { return Numeric::logarithm(Numeric(10), a); }

Value same(const FunctionCall& call) { return call[0]; }
Value round_to(const FunctionCall& call) {
  return Value::numeric(call[0].as_numeric().round(static_cast<int>(call[1].as_integer())));
}
Value truncate_to(const FunctionCall& call) {
  return Value::numeric(call[0].as_numeric().truncate(static_cast<int>(call[1].as_integer())));
}
// numeric(numeric, int4): the modifier as it is stored.
Value apply_modifier_of(const FunctionCall& call) {
  const Type type(TypeId::numeric, static_cast<std::int32_t>(call[1].as_integer()));
  return type.modifier < 4 ? call[0] : keep_to_modifier(call[0], type, true);
}
Value scale(const FunctionCall& call) {
  const Numeric& number = call[0].as_numeric();
  return number.is_finite() ? Value::integer(number.scale()) : Value::null();
}
Value minimal_scale(const FunctionCall& call) {
  const Numeric& number = call[0].as_numeric();
  return number.is_finite() ? Value::integer(number.minimal_scale()) : Value::null();
}
Value factorial(const FunctionCall& call) { return Value::numeric(Numeric::factorial(call[0].as_integer())); }

Value width_bucket(const FunctionCall& call) {
  const Numeric& operand = call[0].as_numeric();
  const Numeric& low = call[1].as_numeric();
  const Numeric& high = call[2].as_numeric();
  const std::int64_t count = call[3].as_integer();
  const auto fail = [](const char* message) {
    throw SqlError(sqlstate::invalid_argument_for_width_bucket_function, message);
  };
  if (count <= 0) fail("count must be greater than zero");
  if (operand.is_nan() || low.is_nan() || high.is_nan()) fail("operand, lower bound, and upper bound cannot be NaN");
  if (low.is_infinite() || high.is_infinite()) fail("lower and upper bounds must be finite");
  const int order = Numeric::compare(low, high);
  if (order == 0) fail("lower bound cannot equal upper bound");
  const int from_low = Numeric::compare(operand, low);
  const int from_high = Numeric::compare(operand, high);
  if (order < 0 ? from_low < 0 : from_low > 0) return Value::integer(0);
  if (order < 0 ? from_high >= 0 : from_high <= 0) {
    if (count == std::numeric_limits<std::int32_t>::max()) throw_out_of_range("integer");
    return Value::integer(count + 1);
  }
  const Numeric distance = order < 0 ? operand - low : low - operand;
  const Numeric width = order < 0 ? high - low : low - high;
  const Numeric scaled = distance * Numeric(count);
  const Numeric share = Numeric::divide(scaled, width, Numeric::division_scale(scaled, width));
  // As in PostgreSQL 15, a quotient that is rounded up to the count gives count + 1.
  return Value::integer((share.floor() + Numeric(1)).to_int4());
}

// Window frames: RANGE BETWEEN offset PRECEDING ...
Value in_range(const FunctionCall& call) {
  const Numeric& value = call[0].as_numeric();
  const Numeric& start = call[1].as_numeric();
  const Numeric& offset = call[2].as_numeric();
  const bool subtract = call[3].as_boolean();
  const bool less = call[4].as_boolean();
  if (offset.is_nan() || offset.is_negative()) {
    throw SqlError(sqlstate::invalid_preceding_or_following_size,
                   "invalid preceding or following size in window function");
  }
  if (value.is_nan()) return Value::boolean(start.is_nan() || !less);
  if (start.is_nan()) return Value::boolean(less);
  // All offsets from an infinity that lead to the other one are taken to cover everything.
  if (offset.is_infinite() && start.is_infinite() && start.is_negative() != subtract) return Value::boolean(true);
  const int order = Numeric::compare(value, subtract ? start - offset : start + offset);
  return Value::boolean(less ? order <= 0 : order >= 0);
}

Value from_integer(const FunctionCall& call) { return Value::numeric(Numeric(call[0].as_integer())); }
Value to_int2(const FunctionCall& call) { return Value::integer(call[0].as_numeric().to_int2()); }
Value to_int4(const FunctionCall& call) { return Value::integer(call[0].as_numeric().to_int4()); }
Value to_int8(const FunctionCall& call) { return Value::integer(call[0].as_numeric().to_int8()); }

void add_numeric_operators(Entries& to) {
  using enum TypeId;
  add_operator(to, "+", numeric, numeric, numeric, "numeric_add", binary<add>, "+");
  add_operator(to, "-", numeric, numeric, numeric, "numeric_sub", binary<subtract>);
  add_operator(to, "*", numeric, numeric, numeric, "numeric_mul", binary<multiply>, "*");
  add_operator(to, "/", numeric, numeric, numeric, "numeric_div", binary<divide>);
  add_operator(to, "%", numeric, numeric, numeric, "numeric_mod", binary<modulo>);
  add_operator(to, "^", numeric, numeric, numeric, "numeric_power", binary<Numeric::power>);
  add_operator(to, "+", none, numeric, numeric, "numeric_uplus", same);
  add_operator(to, "-", none, numeric, numeric, "numeric_uminus", unary<negate>);
  add_operator(to, "@", none, numeric, numeric, "numeric_abs", unary<absolute>);
  add_comparisons<compare_numerics>(
      to, numeric, numeric, {"numeric_lt", "numeric_le", "numeric_eq", "numeric_ne", "numeric_ge", "numeric_gt"});
}

}  // namespace

void add_numerics(Entries& to) {
  using enum TypeId;
  to.types.push_back({numeric, numeric_input, numeric_output, compare_numerics, hash_numeric, keep_to_modifier});
  add_numeric_operators(to);
  struct Unary {
    const char* name;
    ScalarFunction function;
  };
  constexpr auto square_root = [](const FunctionCall& call) {
    return Value::numeric(Numeric::square_root(call[0].as_numeric()));
  };
  const Unary functions[] = {
      {"abs", unary<absolute>},
      {"ceil", unary<ceiling>},
      {"ceiling", unary<ceiling>},
      {"floor", unary<floor>},
      {"sign", unary<sign>},
      {"round", unary<round>},
      {"trunc", unary<truncate>},
      {"trim_scale", unary<trim_scale>},
      {"sqrt", square_root},
      {"numeric_sqrt", square_root},
      {"exp", unary<Numeric::exponential>},
      {"numeric_exp", unary<Numeric::exponential>},
      {"ln", unary<Numeric::natural_logarithm>},
      {"numeric_ln", unary<Numeric::natural_logarithm>},
      {"log", unary<decimal_logarithm>},
      {"log10", unary<decimal_logarithm>},
      {"numeric_inc", unary<increment>},
  };
  for (const Unary& one : functions)
    to.functions.push_back(number_function(one.name, {numeric}, numeric, one.function));
  struct Binary {
    const char* name;
    ScalarFunction function;
  };
  const Binary binaries[] = {
      {"mod", binary<modulo>},
      {"div", binary<Numeric::divide_truncating>},
      {"numeric_div_trunc", binary<Numeric::divide_truncating>},
      {"log", binary<Numeric::logarithm>},
      {"numeric_log", binary<Numeric::logarithm>},
      {"power", binary<Numeric::power>},
      {"pow", binary<Numeric::power>},
      {"gcd", binary<Numeric::greatest_common_divisor>},
      {"lcm", binary<Numeric::least_common_multiple>},
      {"numeric_larger", larger<compare_numerics>},
      {"numeric_smaller", smaller<compare_numerics>},
  };
  for (const Binary& one : binaries)
    to.functions.push_back(number_function(one.name, {numeric, numeric}, numeric, one.function));
  const FunctionEntry others[] = {
      number_function("numeric_cmp", {numeric, numeric}, int4, compared_as_integer<compare_numerics>),
      number_function("round", {numeric, int4}, numeric, round_to),
      number_function("trunc", {numeric, int4}, numeric, truncate_to),
      number_function("numeric", {numeric, int4}, numeric, apply_modifier_of),
      number_function("scale", {numeric}, int4, scale),
      number_function("min_scale", {numeric}, int4, minimal_scale),
      number_function("factorial", {int8}, numeric, factorial),
      number_function("width_bucket", {numeric, numeric, numeric, int4}, int4, width_bucket),
      number_function("in_range", {numeric, numeric, numeric, boolean, boolean}, boolean, in_range),
  };
  to.functions.insert(to.functions.end(), std::begin(others), std::end(others));
  for (const TypeId integer : {int2, int4, int8})
    add_cast(to, integer, numeric, CastContext::implicit, from_integer, "numeric");
  add_cast(to, numeric, int2, CastContext::assignment, to_int2, "int2");
  add_cast(to, numeric, int4, CastContext::assignment, to_int4, "int4");
  add_cast(to, numeric, int8, CastContext::assignment, to_int8, "int8");
}

}  // namespace polarsim::engine::families
