// Steps for what most conditions are made of: comparisons and arithmetic of integers, floats and texts. They do what
// the operators' functions do (engine/types), without the call; where the answer is an error (an overflow, a division
// by zero) they leave it to the function.
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>

#include "engine/query/program_step.h"

namespace polarsim::engine::query {
namespace {

const Step* answer_null(const Step& step, Frame& frame) {
  frame.slots[step.target] = Value();
  return step.next();
}

const Step* answer_by_function(const Step& step, Frame& frame) {
  const auto& details = step.as<CallDetails>();
  const std::array<Value, 2> arguments{frame[step.left], frame[step.right]};
  frame.slots[step.target] = details.function(
      {arguments, details.types, details.result, frame.context, details.entry, details.variadic_array});
  return step.next();
}

struct Integers {
  static std::int64_t get(const Value& value) { return value.as_integer(); }
};
struct Floats {
  static double get(const Value& value) { return value.as_floating(); }
};
struct Texts {
  static std::string_view get(const Value& value) { return value.as_text(); }
};

// NaN is equal to itself and above all other numbers.
bool is_less(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }
bool is_equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
template <typename T>
bool is_less(T a, T b) {
  return a < b;
}
template <typename T>
bool is_equal(T a, T b) {
  return a == b;
}

template <int comparison, typename T>
bool holds(T a, T b) {
  switch (comparison) {
    case 0:
      return is_less(a, b);
    case 1:
      return !is_less(b, a);
    case 2:
      return is_equal(a, b);
    case 3:
      return !is_equal(a, b);
    case 4:
      return !is_less(a, b);
    default:
      return is_less(b, a);
  }
}

template <typename Representation, int comparison>
const Step* compare(const Step& step, Frame& frame) {
  const Value& left = frame[step.left];
  const Value& right = frame[step.right];
  if (left.is_null() || right.is_null()) [[unlikely]]
    return answer_null(step, frame);
  frame.slots[step.target] = Value::boolean(holds<comparison>(Representation::get(left), Representation::get(right)));
  return step.next();
}

struct Add {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_add_overflow(a, b, result);
  }
  static double of(double a, double b) { return a + b; }
};
struct Subtract {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_sub_overflow(a, b, result);
  }
  static double of(double a, double b) { return a - b; }
};
struct Multiply {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_mul_overflow(a, b, result);
  }
  static double of(double a, double b) { return a * b; }
};
struct Divide {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    if (b == 0 || b == -1) return true;
    *result = static_cast<T>(a / b);
    return false;
  }
  static double of(double a, double b) { return a / b; }
};
struct Modulo {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    if (b == 0 || b == -1) return true;
    *result = static_cast<T>(a % b);
    return false;
  }
};

template <typename Operation, typename Integer>
const Step* compute_integer(const Step& step, Frame& frame) {
  const Value& left = frame[step.left];
  const Value& right = frame[step.right];
  if (left.is_null() || right.is_null()) [[unlikely]]
    return answer_null(step, frame);
  Integer result = 0;
  if (Operation::template overflows<Integer>(static_cast<Integer>(left.as_integer()),
                                             static_cast<Integer>(right.as_integer()), &result)) [[unlikely]]
    return answer_by_function(step, frame);
  frame.slots[step.target] = Value::integer(result);
  return step.next();
}

template <typename Operation>
const Step* compute_float(const Step& step, Frame& frame) {
  const Value& left = frame[step.left];
  const Value& right = frame[step.right];
  if (left.is_null() || right.is_null()) [[unlikely]]
    return answer_null(step, frame);
  const double result = Operation::of(left.as_floating(), right.as_floating());
  // Zero and what is not finite may be an underflow, an overflow, or a division by zero.
  if (!std::isfinite(result) || result == 0) [[unlikely]]
    return answer_by_function(step, frame);
  frame.slots[step.target] = Value::floating(result);
  return step.next();
}

template <typename Representation>
Step::Run comparison_step(std::string_view symbol) {
  if (symbol == "<") return compare<Representation, 0>;
  if (symbol == "<=") return compare<Representation, 1>;
  if (symbol == "=") return compare<Representation, 2>;
  if (symbol == "<>") return compare<Representation, 3>;
  if (symbol == ">=") return compare<Representation, 4>;
  if (symbol == ">") return compare<Representation, 5>;
  return nullptr;
}

template <typename Integer>
Step::Run integer_step(char symbol) {
  switch (symbol) {
    case '+':
      return compute_integer<Add, Integer>;
    case '-':
      return compute_integer<Subtract, Integer>;
    case '*':
      return compute_integer<Multiply, Integer>;
    case '/':
      return compute_integer<Divide, Integer>;
    case '%':
      return compute_integer<Modulo, Integer>;
    default:
      return nullptr;
  }
}

Step::Run float_step(char symbol) {
  switch (symbol) {
    case '+':
      return compute_float<Add>;
    case '-':
      return compute_float<Subtract>;
    case '*':
      return compute_float<Multiply>;
    case '/':
      return compute_float<Divide>;
    default:
      return nullptr;
  }
}

bool is_number(TypeId type) { return type == TypeId::int2 || type == TypeId::int4 || type == TypeId::int8; }

// Types whose order is that of the integers they are.
bool is_ordered_as_integer(TypeId type) {
  using enum TypeId;
  return type == oid || type == date || type == time || type == timestamp || type == timestamptz;
}

}  // namespace

Step::Run fast_binary_step(const char* symbol, TypeId left, TypeId right) {
  using enum TypeId;
  const std::string_view operation = symbol;
  if (is_number(left) && is_number(right)) {
    if (const Step::Run comparison = comparison_step<Integers>(operation)) return comparison;
    if (operation.size() != 1) return nullptr;
    if (left == int8 || right == int8) return integer_step<std::int64_t>(operation[0]);
    return left == int4 || right == int4 ? integer_step<std::int32_t>(operation[0]) : nullptr;
  }
  if (left != right) return nullptr;
  if (is_ordered_as_integer(left)) return comparison_step<Integers>(operation);
  if (left == text) return comparison_step<Texts>(operation);
  if (left != float8) return nullptr;
  const Step::Run comparison = comparison_step<Floats>(operation);
  return comparison != nullptr || operation.size() != 1 ? comparison : float_step(operation[0]);
}

}  // namespace polarsim::engine::query
