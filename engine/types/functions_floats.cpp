// real and double precision: text forms, arithmetic, comparisons, casts (PostgreSQL's float.c).
#include <bit>
#include <cmath>

#include "engine/types/comparisons.h"
#include "engine/types/number_functions.h"
#include "engine/types/number_text.h"

namespace polarsim::engine::families {
namespace {

int compare_floats(const Value& a, const Value& b) { return compare_doubles(a.as_floating(), b.as_floating()); }

std::uint64_t hash_float(const Value& value) {
  double number = value.as_floating();
  if (number == 0) number = 0;  // -0, too
  if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
  auto hash = std::bit_cast<std::uint64_t>(number) + 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

Value double_input(std::string_view text, Type, const CallContext&) { return Value::floating(parse_double(text)); }
Value real_input(std::string_view text, Type, const CallContext&) {
  return Value::floating(static_cast<double>(parse_float(text)));
}
void double_output(std::string& to, const Value& value, const CallContext&) { append_double(to, value.as_floating()); }
void real_output(std::string& to, const Value& value, const CallContext&) {
  append_float(to, static_cast<float>(value.as_floating()));
}

[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
}
[[noreturn]] void throw_underflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value out of range: underflow");
}

struct Add {
  template <typename Float>
  static Float of(Float a, Float b) {
    const Float result = a + b;
    if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) [[unlikely]]
      throw_overflow();
    return result;
  }
};
struct Subtract {
  template <typename Float>
  static Float of(Float a, Float b) {
    const Float result = a - b;
    if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) [[unlikely]]
      throw_overflow();
    return result;
  }
};
struct Multiply {
  template <typename Float>
  static Float of(Float a, Float b) {
    const Float result = a * b;
    if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) [[unlikely]]
      throw_overflow();
    if (result == 0 && a != 0 && b != 0) [[unlikely]]
      throw_underflow();
    return result;
  }
};
struct Divide {
  template <typename Float>
  static Float of(Float a, Float b) {
    if (b == 0 && !std::isnan(a)) [[unlikely]]
      throw_division_by_zero();
    const Float result = a / b;
    if (std::isinf(result) && !std::isinf(a)) [[unlikely]]
      throw_overflow();
    if (result == 0 && a != 0 && !std::isinf(b)) [[unlikely]]
      throw_underflow();
    return result;
  }
};
template <typename Operation, typename Float>
Value arithmetic(const FunctionCall& call) {
  return value_of(Operation::of(argument<Float>(call[0]), argument<Float>(call[1])));
}

Value same(const FunctionCall& call) { return call[0]; }
Value negate(const FunctionCall& call) { return Value::floating(-call[0].as_floating()); }
Value absolute(const FunctionCall& call) { return Value::floating(std::abs(call[0].as_floating())); }

template <typename Float>
Value from_integer(const FunctionCall& call) {
  return value_of(static_cast<Float>(call[0].as_integer()));
}
Value to_real(const FunctionCall& call) {
  const double number = call[0].as_floating();
  const auto result = static_cast<float>(number);
  if (std::isinf(result) && !std::isinf(number)) throw_overflow();
  if (result == 0 && number != 0) throw_underflow();
  return value_of(result);
}
template <typename Integer>
Value to_integer(const FunctionCall& call) {
  const double number = std::rint(call[0].as_floating());
  // The lowest is a power of two and exact; the highest of bigint is not.
  constexpr auto lowest = static_cast<double>(std::numeric_limits<Integer>::min());
  if (!(number >= lowest && number < -lowest)) throw_out_of_range(integer_name<Integer>);
  return Value::integer(static_cast<std::int64_t>(number));
}
Value real_to_numeric(const FunctionCall& call) {
  return Value::numeric(Numeric::from_float(static_cast<float>(call[0].as_floating())));
}
Value double_to_numeric(const FunctionCall& call) {
  return Value::numeric(Numeric::from_double(call[0].as_floating()));
}
Value numeric_to_real(const FunctionCall& call) { return value_of(call[0].as_numeric().to_float()); }
Value numeric_to_double(const FunctionCall& call) { return value_of(call[0].as_numeric().to_double()); }

// Window frames: RANGE BETWEEN offset PRECEDING ...
Value in_range(const FunctionCall& call) {
  const double value = call[0].as_floating();
  const double start = call[1].as_floating();
  const double offset = call[2].as_floating();
  const bool subtract = call[3].as_boolean();
  const bool less = call[4].as_boolean();
  if (std::isnan(offset) || offset < 0) {
    throw SqlError(sqlstate::invalid_preceding_or_following_size,
                   "invalid preceding or following size in window function");
  }
  if (std::isnan(value)) return Value::boolean(std::isnan(start) || !less);
  if (std::isnan(start)) return Value::boolean(less);
  // All offsets from an infinity that lead to the other one are taken to cover everything.
  if (std::isinf(offset) && std::isinf(start) && (subtract ? start > 0 : start < 0)) return Value::boolean(true);
  const double bound = subtract ? start - offset : start + offset;
  return Value::boolean(less ? value <= bound : value >= bound);
}

struct PairNames {
  const char *add, *subtract, *multiply, *divide, *compare;
  ComparisonNames comparisons;
};
template <typename Float>
void add_pair(Entries& to, TypeId left, TypeId right, const PairNames& names) {
  constexpr TypeId result = sizeof(Float) == 4 ? TypeId::float4 : TypeId::float8;
  add_operator(to, "+", left, right, result, names.add, arithmetic<Add, Float>, "+");
  add_operator(to, "-", left, right, result, names.subtract, arithmetic<Subtract, Float>);
  add_operator(to, "*", left, right, result, names.multiply, arithmetic<Multiply, Float>, "*");
  add_operator(to, "/", left, right, result, names.divide, arithmetic<Divide, Float>);
  add_comparisons<compare_floats>(to, left, right, names.comparisons);
  to.functions.push_back(
      number_function(names.compare, {left, right}, TypeId::int4, compared_as_integer<compare_floats>));
}

void add_float_casts(Entries& to) {
  using enum TypeId;
  using enum CastContext;
  for (const TypeId integer : {int2, int4, int8}) {
    add_cast(to, integer, float4, implicit, from_integer<float>, "float4");
    add_cast(to, integer, float8, implicit, from_integer<double>, "float8");
  }
  for (const TypeId floating : {float4, float8}) {
    add_cast(to, floating, int2, assignment, to_integer<std::int16_t>, "int2");
    add_cast(to, floating, int4, assignment, to_integer<std::int32_t>, "int4");
    add_cast(to, floating, int8, assignment, to_integer<std::int64_t>, "int8");
  }
  add_cast(to, float4, float8, implicit, same, "float8");
  add_cast(to, float8, float4, assignment, to_real, "float4");
  add_cast(to, float4, numeric, assignment, real_to_numeric, "numeric");
  add_cast(to, float8, numeric, assignment, double_to_numeric, "numeric");
  add_cast(to, numeric, float4, implicit, numeric_to_real, "float4");
  add_cast(to, numeric, float8, implicit, numeric_to_double, "float8");
}

}  // namespace

void add_floats(Entries& to) {
  using enum TypeId;
  to.types.push_back({float4, real_input, real_output, compare_floats, hash_float, nullptr});
  to.types.push_back({float8, double_input, double_output, compare_floats, hash_float, nullptr});
  add_pair<float>(to, float4, float4,
                  {"float4pl",
                   "float4mi",
                   "float4mul",
                   "float4div",
                   "btfloat4cmp",
                   {"float4lt", "float4le", "float4eq", "float4ne", "float4ge", "float4gt"}});
  add_pair<double>(to, float8, float8,
                   {"float8pl",
                    "float8mi",
                    "float8mul",
                    "float8div",
                    "btfloat8cmp",
                    {"float8lt", "float8le", "float8eq", "float8ne", "float8ge", "float8gt"}});
  add_pair<double>(to, float4, float8,
                   {"float48pl",
                    "float48mi",
                    "float48mul",
                    "float48div",
                    "btfloat48cmp",
                    {"float48lt", "float48le", "float48eq", "float48ne", "float48ge", "float48gt"}});
  add_pair<double>(to, float8, float4,
                   {"float84pl",
                    "float84mi",
                    "float84mul",
                    "float84div",
                    "btfloat84cmp",
                    {"float84lt", "float84le", "float84eq", "float84ne", "float84ge", "float84gt"}});
  add_operator(to, "+", none, float4, float4, "float4up", same);
  add_operator(to, "+", none, float8, float8, "float8up", same);
  add_operator(to, "-", none, float4, float4, "float4um", negate);
  add_operator(to, "-", none, float8, float8, "float8um", negate);
  add_operator(to, "@", none, float4, float4, "float4abs", absolute);
  add_operator(to, "@", none, float8, float8, "float8abs", absolute);
  const FunctionEntry functions[] = {
      number_function("abs", {float4}, float4, absolute),
      number_function("abs", {float8}, float8, absolute),
      number_function("float4larger", {float4, float4}, float4, larger<compare_floats>),
      number_function("float4smaller", {float4, float4}, float4, smaller<compare_floats>),
      number_function("float8larger", {float8, float8}, float8, larger<compare_floats>),
      number_function("float8smaller", {float8, float8}, float8, smaller<compare_floats>),
      number_function("in_range", {float4, float4, float8, boolean, boolean}, boolean, in_range),
      number_function("in_range", {float8, float8, float8, boolean, boolean}, boolean, in_range),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  add_float_casts(to);
  add_float_mathematics(to);
}

}  // namespace polarsim::engine::families
