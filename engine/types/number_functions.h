// How the families of numbers write their entries, and what they share. Private to them.
#pragma once

#include <limits>

#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/numeric.h"

namespace polarsim::engine::families {

inline FunctionEntry number_function(const char* name, std::vector<TypeId> arguments, TypeId result,
                                     ScalarFunction function) {
  return {.name = name, .arguments = std::move(arguments), .result = result, .scalar = function};
}

// An operator and the function behind it.
inline void add_operator(Entries& to, const char* symbol, TypeId left, TypeId right, TypeId result,
                         const char* function_name, ScalarFunction function, const char* commutator = nullptr) {
  std::vector<TypeId> arguments = {right};
  if (left != TypeId::none) arguments.insert(arguments.begin(), left);
  to.functions.push_back(number_function(function_name, std::move(arguments), result, function));
  to.operators.push_back({.symbol = symbol,
                          .left = left,
                          .right = right,
                          .result = result,
                          .function = function,
                          .function_name = function_name,
                          .commutator = commutator});
}

// A conversion and, if it has a name, the function of that name.
inline void add_cast(Entries& to, TypeId source, TypeId target, CastContext context, ScalarFunction function,
                     const char* function_name = nullptr) {
  to.casts.push_back({source, target, context, function});
  if (function_name != nullptr) to.functions.push_back(number_function(function_name, {source}, target, function));
}

[[noreturn]] inline void throw_out_of_range(const char* what) {
  throw SqlError(sqlstate::numeric_value_out_of_range, std::string(what) + " out of range");
}
[[noreturn]] inline void throw_division_by_zero() { throw SqlError(sqlstate::division_by_zero, "division by zero"); }

// Integers by their C++ types.
template <typename Integer>
constexpr TypeId integer_type = sizeof(Integer) == 2   ? TypeId::int2
                                : sizeof(Integer) == 4 ? TypeId::int4
                                                       : TypeId::int8;
template <typename Integer>
constexpr const char* integer_name = sizeof(Integer) == 2   ? "smallint"
                                     : sizeof(Integer) == 4 ? "integer"
                                                            : "bigint";

// The argument as the C++ type of its SQL type.
template <typename T>
T argument(const Value& value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(value.as_integer());
  } else {
    return static_cast<T>(value.as_floating());
  }
}
template <typename T>
Value value_of(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return Value::boolean(value);
  } else if constexpr (std::is_integral_v<T>) {
    return Value::integer(static_cast<std::int64_t>(value));
  } else {
    return Value::floating(static_cast<double>(value));
  }
}

// NaN is equal to itself and above everything else; -0 equals 0.
inline int compare_doubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return static_cast<int>(a != a) - static_cast<int>(b != b);
}

void add_float_mathematics(Entries& to);
void add_float_aggregates(Entries& to);

}  // namespace polarsim::engine::families
