// Mathematical functions of double precision (PostgreSQL's float.c). Trigonometric functions of degrees are exact where
// their values are (Dean Rasheed's method, as described there).
#include <cmath>
#include <numbers>

#include "engine/types/array.h"
#include "engine/types/number_functions.h"
#include "engine/types/order.h"

namespace polarsim::engine::families {
namespace {

constexpr double radians_per_degree = 0.0174532925199432957692;
constexpr double infinity = std::numeric_limits<double>::infinity();

[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
}
[[noreturn]] void throw_underflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value out of range: underflow");
}
[[noreturn]] void throw_input_range() { throw SqlError(sqlstate::numeric_value_out_of_range, "input is out of range"); }

double square_root(double x) {
  if (x < 0)
    throw SqlError(sqlstate::invalid_argument_for_power_function, "cannot take square root of a negative number");
  return std::sqrt(x);
}
double cube_root(double x) { return std::cbrt(x); }
double round_half_even(double x) { return std::rint(x); }
double ceiling(double x) { return std::ceil(x); }
double floor_of(double x) { return std::floor(x); }
double truncate(double x) { return x >= 0 ? std::floor(x) : -std::floor(-x); }
double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

double exponential(double x) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return x > 0 ? x : 0;
  const double result = std::exp(x);
  if (std::isinf(result)) throw_overflow();
  if (result == 0) throw_underflow();
  return result;
}
void require_logarithm(double x) {
  if (x == 0) throw SqlError(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of zero");
  if (x < 0) throw SqlError(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number");
}
double natural_logarithm(double x) {
  require_logarithm(x);
  return std::log(x);
}
double decimal_logarithm(double x) {
  require_logarithm(x);
  return std::log10(x);
}

bool is_odd(double x) { return std::floor(x) == x && std::floor(x / 2) * 2 != x; }

double power(double x, double y) {
  if (std::isnan(x)) return y == 0 ? 1 : x;
  if (std::isnan(y)) return x == 1 ? 1 : y;
  if (x == 0 && y < 0)
    throw SqlError(sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined");
  if (x < 0 && std::floor(y) != y) {
    throw SqlError(sqlstate::invalid_argument_for_power_function,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  if (std::isinf(y)) {
    const double magnitude = std::abs(x);
    if (magnitude == 1) return 1;
    return (magnitude > 1) == (y > 0) ? infinity : 0;
  }
  if (std::isinf(x)) {
    if (y == 0) return 1;
    if (x > 0) return y > 0 ? x : 0;
    if (y > 0) return is_odd(y) ? x : -x;
    return is_odd(y) ? -0.0 : 0.0;
  }
  const double result = std::pow(x, y);
  if (std::isinf(result)) throw_overflow();
  if (result == 0 && x != 0) throw_underflow();
  return result;
}

// NaN goes through; other arguments must lie between the bounds.
double arc_cosine(double x) {
  if (x < -1 || x > 1) throw_input_range();
  return std::acos(x);
}
double arc_sine(double x) {
  if (x < -1 || x > 1) throw_input_range();
  return std::asin(x);
}
double arc_tangent(double x) { return std::atan(x); }
double arc_tangent_of_quotient(double y, double x) {
  if (std::isnan(y) || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  return std::atan2(y, x);
}
double cosine(double x) {
  if (std::isinf(x)) throw_input_range();
  return std::cos(x);
}
double sine(double x) {
  if (std::isinf(x)) throw_input_range();
  return std::sin(x);
}
double tangent(double x) {
  if (std::isinf(x)) throw_input_range();
  return std::tan(x);
}
double cotangent(double x) {
  if (std::isinf(x)) throw_input_range();
  return 1 / std::tan(x);
}
double hyperbolic_sine(double x) { return std::sinh(x); }
double hyperbolic_cosine(double x) { return std::cosh(x); }
double hyperbolic_tangent(double x) { return std::tanh(x); }
double inverse_hyperbolic_sine(double x) { return std::asinh(x); }
double inverse_hyperbolic_cosine(double x) {
  if (x < 1) throw_input_range();
  return std::acosh(x);
}
double inverse_hyperbolic_tangent(double x) {
  if (x < -1 || x > 1) throw_input_range();
  return std::atanh(x);
}

// What the library gives for angles whose functions are known exactly; results are scaled so that they come out exact.
// Volatile, so that the compiler computes them as everything else, by the library.
volatile const double thirty = 30;
volatile const double forty_five = 45;
volatile const double sixty = 60;
volatile const double half = 0.5;
volatile const double one = 1;

double sine_to_30(double x) {
  static const double sine_30 = std::sin(thirty * radians_per_degree);
  const volatile double sine_x = std::sin(x * radians_per_degree);
  return (sine_x / sine_30) / 2;
}
double cosine_to_60(double x) {
  static const double rest_60 = 1 - std::cos(sixty * radians_per_degree);
  const volatile double rest = 1 - std::cos(x * radians_per_degree);
  return 1 - (rest / rest_60) / 2;
}
double sine_to_90(double x) { return x <= 30 ? sine_to_30(x) : cosine_to_60(90 - x); }
double cosine_to_90(double x) { return x <= 60 ? cosine_to_60(x) : sine_to_30(90 - x); }
double arc_sine_half() {
  static const double value = std::asin(half);
  return value;
}
double arc_cosine_half() {
  static const double value = std::acos(half);
  return value;
}
double arc_sine_to_90(double x) {
  if (x <= 0.5) {
    const volatile double arc = std::asin(x);
    return (arc / arc_sine_half()) * 30;
  }
  const volatile double arc = std::acos(x);
  return 90 - (arc / arc_cosine_half()) * 60;
}
double arc_cosine_to_90(double x) {
  if (x <= 0.5) {
    const volatile double arc = std::asin(x);
    return 90 - (arc / arc_sine_half()) * 30;
  }
  const volatile double arc = std::acos(x);
  return (arc / arc_cosine_half()) * 60;
}

double arc_cosine_degrees(double x) {
  if (std::isnan(x)) return x;
  if (x < -1 || x > 1) throw_input_range();
  return x >= 0 ? arc_cosine_to_90(x) : 90 + arc_sine_to_90(-x);
}
double arc_sine_degrees(double x) {
  if (std::isnan(x)) return x;
  if (x < -1 || x > 1) throw_input_range();
  return x >= 0 ? arc_sine_to_90(x) : -arc_sine_to_90(-x);
}
double arc_tangent_one() {
  static const double value = std::atan(one);
  return value;
}
double arc_tangent_degrees(double x) {
  const volatile double arc = std::atan(x);
  return (arc / arc_tangent_one()) * 45;
}
double arc_tangent_of_quotient_degrees(double y, double x) {
  if (std::isnan(y) || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  const volatile double arc = std::atan2(y, x);
  return (arc / arc_tangent_one()) * 45;
}

double cosine_degrees(double x) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) throw_input_range();
  int sign = 1;
  x = std::abs(std::fmod(x, 360.0));
  if (x > 180) x = 360 - x;
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return sign * cosine_to_90(x);
}
double sine_degrees(double x) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) throw_input_range();
  int sign = 1;
  x = std::fmod(x, 360.0);
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) x = 180 - x;
  return sign * sine_to_90(x);
}
// The angle in the first quadrant that has the tangent and cotangent of x but for the sign.
double to_first_quadrant(double x, int& sign) {
  if (std::isinf(x)) throw_input_range();
  sign = 1;
  x = std::fmod(x, 360.0);
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return x;
}
double tangent_degrees(double x) {
  if (std::isnan(x)) return x;
  int sign = 1;
  x = to_first_quadrant(x, sign);
  static const double tangent_45 = sine_to_90(forty_five) / cosine_to_90(forty_five);
  const volatile double quotient = sine_to_90(x) / cosine_to_90(x);
  const double result = sign * (quotient / tangent_45);
  return result == 0 ? 0 : result;
}
double cotangent_degrees(double x) {
  if (std::isnan(x)) return x;
  int sign = 1;
  x = to_first_quadrant(x, sign);
  static const double cotangent_45 = cosine_to_90(forty_five) / sine_to_90(forty_five);
  const volatile double quotient = cosine_to_90(x) / sine_to_90(x);
  const double result = sign * (quotient / cotangent_45);
  return result == 0 ? 0 : result;
}

double to_degrees(double x) {
  const double result = x / radians_per_degree;
  if (std::isinf(result) && !std::isinf(x)) throw_overflow();
  if (result == 0 && x != 0) throw_underflow();
  return result;
}
double to_radians(double x) {
  const double result = x * radians_per_degree;
  if (result == 0 && x != 0) throw_underflow();
  return result;
}

Value pi(const FunctionCall&) { return Value::floating(std::numbers::pi); }

Value width_bucket(const FunctionCall& call) {
  const double operand = call[0].as_floating();
  const double low = call[1].as_floating();
  const double high = call[2].as_floating();
  const std::int64_t count = call[3].as_integer();
  const auto fail = [](const char* message) {
    throw SqlError(sqlstate::invalid_argument_for_width_bucket_function, message);
  };
  if (count <= 0) fail("count must be greater than zero");
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high))
    fail("operand, lower bound, and upper bound cannot be NaN");
  if (std::isinf(low) || std::isinf(high)) fail("lower and upper bounds must be finite");
  if (low == high) fail("lower bound cannot equal upper bound");
  const bool rising = low < high;
  if (rising ? operand < low : operand > low) return Value::integer(0);
  if (rising ? operand >= high : operand <= high) {
    if (count == std::numeric_limits<std::int32_t>::max()) throw_out_of_range("integer");
    return Value::integer(count + 1);
  }
  // Where the width is infinite, PostgreSQL converts NaN to an integer, which gives the lowest on x86-64.
  const double width = rising ? high - low : low - high;
  const double distance = rising ? operand - low : low - operand;
  const double bucket = static_cast<double>(count) * distance / width + 1;
  if (!(bucket < 2147483648.0)) return Value::integer(std::numeric_limits<std::int32_t>::min());
  return Value::integer(static_cast<std::int64_t>(bucket));
}

// How many of the sorted thresholds are not above the operand.
Value width_bucket_of_thresholds(const FunctionCall& call) {
  const Array& thresholds = call[1].as_array();
  if (thresholds.dimensions().size() > 1)
    throw SqlError(sqlstate::array_subscript_error, "thresholds must be one-dimensional array");
  for (const Value& threshold : thresholds.elements()) {
    if (threshold.is_null())
      throw SqlError(sqlstate::null_value_not_allowed, "thresholds array must not contain NULLs");
  }
  const Comparison compare = comparison_of(thresholds.element());
  std::size_t low = 0;
  std::size_t high = thresholds.elements().size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare(call[0], thresholds.elements()[middle]) < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Value::integer(static_cast<std::int64_t>(low));
}

template <double (*function)(double)>
Value unary(const FunctionCall& call) {
  return Value::floating(function(call[0].as_floating()));
}
template <double (*function)(double, double)>
Value binary(const FunctionCall& call) {
  return Value::floating(function(call[0].as_floating(), call[1].as_floating()));
}

}  // namespace

void add_float_mathematics(Entries& to) {
  using enum TypeId;
  struct Unary {
    const char* name;
    ScalarFunction function;
  };
  const Unary functions[] = {
      {"sqrt", unary<square_root>},
      {"cbrt", unary<cube_root>},
      {"exp", unary<exponential>},
      {"ln", unary<natural_logarithm>},
      {"log", unary<decimal_logarithm>},
      {"log10", unary<decimal_logarithm>},
      {"round", unary<round_half_even>},
      {"ceil", unary<ceiling>},
      {"ceiling", unary<ceiling>},
      {"floor", unary<floor_of>},
      {"trunc", unary<truncate>},
      {"sign", unary<sign_of>},
      {"degrees", unary<to_degrees>},
      {"radians", unary<to_radians>},
      {"sin", unary<sine>},
      {"cos", unary<cosine>},
      {"tan", unary<tangent>},
      {"cot", unary<cotangent>},
      {"asin", unary<arc_sine>},
      {"acos", unary<arc_cosine>},
      {"atan", unary<arc_tangent>},
      {"sind", unary<sine_degrees>},
      {"cosd", unary<cosine_degrees>},
      {"tand", unary<tangent_degrees>},
      {"cotd", unary<cotangent_degrees>},
      {"asind", unary<arc_sine_degrees>},
      {"acosd", unary<arc_cosine_degrees>},
      {"atand", unary<arc_tangent_degrees>},
      {"sinh", unary<hyperbolic_sine>},
      {"cosh", unary<hyperbolic_cosine>},
      {"tanh", unary<hyperbolic_tangent>},
      {"asinh", unary<inverse_hyperbolic_sine>},
      {"acosh", unary<inverse_hyperbolic_cosine>},
      {"atanh", unary<inverse_hyperbolic_tangent>},
      // The names of some of them as they were once.
      {"dsqrt", unary<square_root>},
      {"dcbrt", unary<cube_root>},
      {"dexp", unary<exponential>},
      {"dlog1", unary<natural_logarithm>},
      {"dlog10", unary<decimal_logarithm>},
      {"dround", unary<round_half_even>},
      {"dtrunc", unary<truncate>},
  };
  for (const Unary& one_function : functions)
    to.functions.push_back(number_function(one_function.name, {float8}, float8, one_function.function));
  const FunctionEntry others[] = {
      number_function("power", {float8, float8}, float8, binary<power>),
      number_function("pow", {float8, float8}, float8, binary<power>),
      number_function("dpow", {float8, float8}, float8, binary<power>),
      number_function("atan2", {float8, float8}, float8, binary<arc_tangent_of_quotient>),
      number_function("atan2d", {float8, float8}, float8, binary<arc_tangent_of_quotient_degrees>),
      number_function("pi", {}, float8, pi),
      number_function("width_bucket", {float8, float8, float8, int4}, int4, width_bucket),
      number_function("width_bucket", {any_compatible, any_compatible_array}, int4, width_bucket_of_thresholds),
  };
  to.functions.insert(to.functions.end(), std::begin(others), std::end(others));
  to.operators.push_back({"|/", none, float8, float8, unary<square_root>, "dsqrt"});
  to.operators.push_back({"||/", none, float8, float8, unary<cube_root>, "dcbrt"});
  to.operators.push_back({"^", float8, float8, float8, binary<power>, "dpow"});
}

}  // namespace polarsim::engine::families
