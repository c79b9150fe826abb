// What there is to know about an array: dimensions, bounds, numbers of elements (PostgreSQL's arrayfuncs.c).
#include "engine/types/functions_arrays.h"

#include <fmt/format.h>

namespace polarsim::engine::families {
namespace {

// Null if the array does not have the dimension, counted from 1.
const Array::Dimension* dimension_of(const FunctionCall& call) {
  const std::vector<Array::Dimension>& dimensions = call[0].as_array().dimensions();
  const std::int64_t wanted = call[1].as_integer();
  if (wanted < 1 || wanted > static_cast<std::int64_t>(dimensions.size())) return nullptr;
  return &dimensions[static_cast<std::size_t>(wanted) - 1];
}

Value lower(const FunctionCall& call) {
  const Array::Dimension* const dimension = dimension_of(call);
  return dimension != nullptr ? Value::integer(dimension->lower_bound) : Value::null();
}
Value upper(const FunctionCall& call) {
  const Array::Dimension* const dimension = dimension_of(call);
  if (dimension == nullptr) return Value::null();
  return Value::integer(std::int64_t{dimension->lower_bound} + dimension->length - 1);
}
Value length(const FunctionCall& call) {
  const Array::Dimension* const dimension = dimension_of(call);
  return dimension != nullptr ? Value::integer(dimension->length) : Value::null();
}
Value dimension_count(const FunctionCall& call) {
  const Array& array = call[0].as_array();
  return array.empty() ? Value::null() : Value::integer(static_cast<std::int64_t>(array.dimensions().size()));
}
Value dimensions_text(const FunctionCall& call) {
  const Array& array = call[0].as_array();
  if (array.empty()) return Value::null();
  std::string text;
  for (const Array::Dimension& each : array.dimensions())
    text += fmt::format("[{}:{}]", each.lower_bound, std::int64_t{each.lower_bound} + each.length - 1);
  return Value::text(text);
}
Value cardinality(const FunctionCall& call) {
  return Value::integer(static_cast<std::int64_t>(call[0].as_array().elements().size()));
}

}  // namespace

void add_arrays(Entries& to) {
  using enum TypeId;
  add_array_types(to);
  add_array_comparisons(to);
  const FunctionEntry functions[] = {
      array_function("array_ndims", {any_array}, int4, true, dimension_count),
      array_function("array_dims", {any_array}, text, true, dimensions_text),
      array_function("array_lower", {any_array, int4}, int4, true, lower),
      array_function("array_upper", {any_array, int4}, int4, true, upper),
      array_function("array_length", {any_array, int4}, int4, true, length),
      array_function("cardinality", {any_array}, int4, true, cardinality),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  add_array_making(to);
  add_array_searching(to);
  add_array_rows(to);
  add_series(to);
}

}  // namespace polarsim::engine::families
