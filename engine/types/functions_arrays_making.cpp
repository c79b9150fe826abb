// Arrays made of others (PostgreSQL's array_userfuncs.c and arrayfuncs.c).
#include <fmt/format.h>

#include <limits>

#include "engine/types/array_access.h"
#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"
#include "engine/types/number_functions.h"

namespace polarsim::engine::families {
namespace {

using Dimension = Array::Dimension;

// NULL stands for an empty array.
Array array_or_empty(const Value& value, const FunctionCall& call) {
  return value.is_null() ? Array(type_info(call.result.id).element) : value.as_array();
}

void require_at_most_one_dimension(const Array& array) {
  if (array.dimensions().size() <= 1) return;
  throw SqlError(sqlstate::data_exception, "argument must be empty or one-dimensional array");
}

std::int32_t integer_of(std::int64_t subscript) {
  if (subscript < std::numeric_limits<std::int32_t>::min() || subscript > std::numeric_limits<std::int32_t>::max())
    throw_out_of_range("integer");
  return static_cast<std::int32_t>(subscript);
}

Value append(const FunctionCall& call) {
  const Array array = array_or_empty(call[0], call);
  require_at_most_one_dimension(array);
  std::int32_t subscript = 1;
  if (!array.empty()) {
    const Dimension& dimension = array.dimensions()[0];
    subscript = integer_of(std::int64_t{dimension.lower_bound} + dimension.length);
  }
  return Value::array(array_with_element(array, {&subscript, 1}, call[1]));
}

// The lower bound stays what it was.
Value prepend(const FunctionCall& call) {
  const Array array = array_or_empty(call[1], call);
  require_at_most_one_dimension(array);
  if (array.empty()) return Value::array(Array(array.element(), {call[0]}));
  const std::int32_t lower_bound = array.dimensions()[0].lower_bound;
  const std::int32_t subscript = integer_of(std::int64_t{lower_bound} - 1);
  const Array longer = array_with_element(array, {&subscript, 1}, call[0]);
  return Value::array(Array(longer.element(), {{longer.dimensions()[0].length, lower_bound}}, longer.elements()));
}

[[noreturn]] void throw_incompatible(std::string detail) {
  throw SqlError(sqlstate::array_subscript_error, "cannot concatenate incompatible arrays", std::move(detail));
}

// Whether the dimensions of `one`, without the first `skip_one`, are those of `other` without the first `skip_other`.
bool are_same(const Array& one, std::size_t skip_one, const Array& other, std::size_t skip_other) {
  for (std::size_t i = 0; i + skip_one < one.dimensions().size(); ++i) {
    if (one.dimensions()[i + skip_one] != other.dimensions()[i + skip_other]) return false;
  }
  return true;
}

// The dimensions of two arrays one after the other: equal in all but the first, or one a row of the other.
std::vector<Dimension> joined_dimensions(const Array& left, const Array& right) {
  const std::size_t left_count = left.dimensions().size();
  const std::size_t right_count = right.dimensions().size();
  std::vector<Dimension> dimensions = left_count >= right_count ? left.dimensions() : right.dimensions();
  std::int64_t length = dimensions[0].length;
  if (left_count == right_count) {
    if (!are_same(left, 1, right, 1))
      throw_incompatible("Arrays with differing element dimensions are not compatible for concatenation.");
    length += right.dimensions()[0].length;
  } else if (left_count + 1 == right_count || left_count == right_count + 1) {
    const bool left_is_row = left_count < right_count;
    if (!are_same(left, left_is_row ? 0 : 1, right, left_is_row ? 1 : 0))
      throw_incompatible("Arrays with differing dimensions are not compatible for concatenation.");
    length += 1;
  } else {
    throw_incompatible(
        fmt::format("Arrays of {} and {} dimensions are not compatible for concatenation.", left_count, right_count));
  }
  dimensions[0].length = static_cast<std::int32_t>(length);
  checked_element_count(dimensions);
  return dimensions;
}

Value concatenate(const FunctionCall& call) {
  if (call[0].is_null()) return call[1];
  if (call[1].is_null()) return call[0];
  const Array& left = call[0].as_array();
  const Array& right = call[1].as_array();
  if (left.empty() && !right.empty()) return call[1];
  if (right.empty()) return call[0];
  std::vector<Dimension> dimensions = joined_dimensions(left, right);
  std::vector<Value> elements;
  elements.reserve(left.elements().size() + right.elements().size());
  elements.insert(elements.end(), left.elements().begin(), left.elements().end());
  elements.insert(elements.end(), right.elements().begin(), right.elements().end());
  return Value::array(Array(left.element(), std::move(dimensions), std::move(elements)));
}

// The numbers in an argument of array_fill().
std::vector<std::int32_t> numbers_of(const Value& value) {
  const Array& array = value.as_array();
  if (array.dimensions().size() > 1) {
    throw SqlError(sqlstate::array_subscript_error, "wrong number of array subscripts",
                   "Dimension array must be one dimensional.");
  }
  std::vector<std::int32_t> numbers;
  for (const Value& element : array.elements()) {
    if (element.is_null()) throw SqlError(sqlstate::null_value_not_allowed, "dimension values cannot be null");
    numbers.push_back(static_cast<std::int32_t>(element.as_integer()));
  }
  return numbers;
}

// What PostgreSQL allows a value to have, as far as values here are of the same size.
void require_memory_for(std::int64_t elements) {
  constexpr std::int64_t bytes_max = 0x3fffffff;
  if (elements > bytes_max / static_cast<std::int64_t>(sizeof(Value))) {
    throw SqlError(sqlstate::program_limit_exceeded,
                   fmt::format("array size exceeds the maximum allowed ({})", bytes_max));
  }
}

Value fill(const FunctionCall& call) {
  const bool has_lower_bounds = call.size() > 2;
  if (call[1].is_null() || (has_lower_bounds && call[2].is_null()))
    throw SqlError(sqlstate::null_value_not_allowed, "dimension array or low bound array cannot be null");
  const std::vector<std::int32_t> lengths = numbers_of(call[1]);
  check_dimension_count(lengths.size());
  std::vector<std::int32_t> lower_bounds(lengths.size(), 1);
  if (has_lower_bounds) {
    lower_bounds = numbers_of(call[2]);
    if (lower_bounds.size() != lengths.size()) {
      throw SqlError(sqlstate::array_subscript_error, "wrong number of array subscripts",
                     "Low bound array has different size than dimensions array.");
    }
  }
  std::vector<Dimension> dimensions;
  for (std::size_t i = 0; i < lengths.size(); ++i) dimensions.push_back({lengths[i], lower_bounds[i]});
  const std::int64_t count = checked_element_count(dimensions);
  const TypeId element = type_info(call.result.id).element;
  if (count == 0) return Value::array(Array(element));
  require_memory_for(count);
  return Value::array(
      Array(element, std::move(dimensions), std::vector<Value>(static_cast<std::size_t>(count), call[0])));
}

// Without the last elements of the first dimension.
Value trim(const FunctionCall& call) {
  const Array& array = call[0].as_array();
  const std::int64_t trimmed = call[1].as_integer();
  const std::int32_t length = array.empty() ? 0 : array.dimensions()[0].length;
  if (trimmed < 0 || trimmed > length) {
    throw SqlError(sqlstate::array_subscript_error,
                   fmt::format("number of elements to trim must be between 0 and {}", length));
  }
  if (trimmed == length) return Value::array(Array(array.element()));
  ArraySlice kept;
  kept.upper = static_cast<std::int32_t>(std::int64_t{array.dimensions()[0].lower_bound} + length - trimmed - 1);
  return Value::array(array_slice(array, {&kept, 1}));
}

}  // namespace

void add_array_making(Entries& to) {
  using enum TypeId;
  constexpr TypeId array = any_compatible_array;
  const auto add = [&](const char* name, TypeId left, TypeId right, ScalarFunction function) {
    to.functions.push_back(array_function(name, {left, right}, array, false, function));
    to.operators.push_back({.symbol = "||",
                            .left = left,
                            .right = right,
                            .result = array,
                            .function = function,
                            .function_name = name,
                            .strict = false});
  };
  add("array_append", array, any_compatible, append);
  add("array_prepend", any_compatible, array, prepend);
  add("array_cat", array, array, concatenate);
  to.functions.push_back(array_function("array_fill", {any_element, int4_array}, any_array, false, fill));
  to.functions.push_back(array_function("array_fill", {any_element, int4_array, int4_array}, any_array, false, fill));
  to.functions.push_back(array_function("trim_array", {any_array, int4}, any_array, true, trim));
}

}  // namespace polarsim::engine::families
