// Elements found, left out and replaced by value (PostgreSQL's array_userfuncs.c and arrayfuncs.c). NULL is looked for
// like any other value.
#include <fmt/format.h>

#include <algorithm>

#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"

namespace polarsim::engine::families {
namespace {

bool is_same(const Value& a, const Value& b, const ElementEquality& are_equal) {
  if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
  return are_equal(a, b);
}

void refuse_several_dimensions(const Array& array, const char* doing) {
  if (array.dimensions().size() <= 1) return;
  throw SqlError(sqlstate::feature_not_supported, fmt::format("{} multidimensional arrays is not supported", doing));
}

Value position(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const Array& array = call[0].as_array();
  refuse_several_dimensions(array, "searching for elements in");
  if (array.empty()) return Value::null();
  // Without a NULL to be found nothing else is looked at.
  if (call[1].is_null() && std::ranges::none_of(array.elements(), &Value::is_null)) return Value::null();
  std::int64_t at = array.dimensions()[0].lower_bound;
  std::int64_t first = at;
  if (call.size() > 2) {
    if (call[2].is_null()) throw SqlError(sqlstate::null_value_not_allowed, "initial position must not be null");
    first = call[2].as_integer();
  }
  const ElementEquality are_equal(array.element());
  for (const Value& element : array.elements()) {
    if (at >= first && is_same(element, call[1], are_equal)) return Value::integer(at);
    ++at;
  }
  return Value::null();
}

Value positions(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const Array& array = call[0].as_array();
  refuse_several_dimensions(array, "searching for elements in");
  std::vector<Value> found;
  if (array.empty()) return Value::array(Array(TypeId::int4));
  std::int64_t at = array.dimensions()[0].lower_bound;
  const ElementEquality are_equal(array.element());
  for (const Value& element : array.elements()) {
    if (is_same(element, call[1], are_equal)) found.push_back(Value::integer(at));
    ++at;
  }
  return Value::array(Array(TypeId::int4, std::move(found)));
}

Value remove(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const Array& array = call[0].as_array();
  refuse_several_dimensions(array, "removing elements from");
  if (array.empty()) return call[0];
  const ElementEquality are_equal(array.element());
  std::vector<Value> kept;
  for (const Value& element : array.elements()) {
    if (!is_same(element, call[1], are_equal)) kept.push_back(element);
  }
  if (kept.size() == array.elements().size()) return call[0];
  if (kept.empty()) return Value::array(Array(array.element()));
  const Array::Dimension dimension{static_cast<std::int32_t>(kept.size()), array.dimensions()[0].lower_bound};
  return Value::array(Array(array.element(), {dimension}, std::move(kept)));
}

Value replace(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const Array& array = call[0].as_array();
  if (array.empty()) return call[0];
  const ElementEquality are_equal(array.element());
  std::vector<Value> elements = array.elements();
  for (Value& element : elements) {
    if (is_same(element, call[1], are_equal)) element = call[2];
  }
  return Value::array(Array(array.element(), array.dimensions(), std::move(elements)));
}

}  // namespace

void add_array_searching(Entries& to) {
  using enum TypeId;
  constexpr TypeId array = any_compatible_array;
  const FunctionEntry functions[] = {
      array_function("array_position", {array, any_compatible}, int4, false, position),
      array_function("array_position", {array, any_compatible, int4}, int4, false, position),
      array_function("array_positions", {array, any_compatible}, int4_array, false, positions),
      array_function("array_remove", {array, any_compatible}, array, false, remove),
      array_function("array_replace", {array, any_compatible, any_compatible}, array, false, replace),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
