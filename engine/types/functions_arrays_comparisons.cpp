// Order, hashes and containment of arrays (PostgreSQL's arrayfuncs.c and, for oidvector, oid.c and nbtcompare.c).
#include <fmt/format.h>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"
#include "engine/types/order.h"

namespace polarsim::engine::families {
namespace {

template <typename Number>
int compare_numbers(Number a, Number b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Arrays of other dimensions are different, whatever their elements.
bool are_equal_arrays(const Value& a, const Value& b) {
  const Array& left = a.as_array();
  const Array& right = b.as_array();
  if (left.dimensions() != right.dimensions()) return false;
  if (left.element() != right.element())
    throw SqlError(sqlstate::datatype_mismatch, "cannot compare arrays of different element types");
  const ElementEquality are_equal(left.element());
  for (std::size_t i = 0; i < left.elements().size(); ++i) {
    const Value& x = left.elements()[i];
    const Value& y = right.elements()[i];
    if (x.is_null() != y.is_null()) return false;
    if (!x.is_null() && !are_equal(x, y)) return false;
  }
  return true;
}

// NULLs are equal to nothing.
bool contains_element(const Array& array, const Value& element, const ElementEquality& are_equal) {
  for (const Value& each : array.elements()) {
    if (!each.is_null() && are_equal(each, element)) return true;
  }
  return false;
}

bool contains_all(const Array& array, const Array& wanted) {
  const ElementEquality are_equal(wanted.element());
  for (const Value& element : wanted.elements()) {
    if (element.is_null() || !contains_element(array, element, are_equal)) return false;
  }
  return true;
}

Value contains(const FunctionCall& call) {
  return Value::boolean(contains_all(call[0].as_array(), call[1].as_array()));
}
Value is_contained(const FunctionCall& call) {
  return Value::boolean(contains_all(call[1].as_array(), call[0].as_array()));
}
Value overlap(const FunctionCall& call) {
  const ElementEquality are_equal(call[0].as_array().element());
  for (const Value& element : call[0].as_array().elements()) {
    if (!element.is_null() && contains_element(call[1].as_array(), element, are_equal)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

void add_array_operator(Entries& to, const char* symbol, const char* function_name, const char* commutator,
                        ScalarFunction function) {
  using enum TypeId;
  to.functions.push_back(array_function(function_name, {any_array, any_array}, boolean, true, function));
  to.operators.push_back({.symbol = symbol,
                          .left = any_array,
                          .right = any_array,
                          .result = boolean,
                          .function = function,
                          .function_name = function_name,
                          .commutator = commutator});
}

}  // namespace

ElementEquality::ElementEquality(TypeId element) : compare_(behaviour_of(element).compare) {
  if (compare_ == nullptr && behaviour_of(element).hash == nullptr) {
    throw SqlError(sqlstate::undefined_function,
                   fmt::format("could not identify an equality operator for type {}", type_name(element)));
  }
}

int compare_arrays(const Value& a, const Value& b) {
  const Array& left = a.as_array();
  const Array& right = b.as_array();
  if (left.element() != right.element())
    throw SqlError(sqlstate::datatype_mismatch, "cannot compare arrays of different element types");
  const Comparison compare = comparison_of(left.element());
  const std::vector<Value>& x = left.elements();
  const std::vector<Value>& y = right.elements();
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (x[i].is_null() || y[i].is_null()) {
      if (x[i].is_null() != y[i].is_null()) return x[i].is_null() ? 1 : -1;
      continue;
    }
    if (const int order = compare(x[i], y[i]); order != 0) return order < 0 ? -1 : 1;
  }
  if (x.size() != y.size()) return compare_numbers(x.size(), y.size());
  if (left.dimensions().size() != right.dimensions().size())
    return compare_numbers(left.dimensions().size(), right.dimensions().size());
  for (std::size_t i = 0; i < left.dimensions().size(); ++i) {
    const int order = compare_numbers(left.dimensions()[i].length, right.dimensions()[i].length);
    if (order != 0) return order;
  }
  for (std::size_t i = 0; i < left.dimensions().size(); ++i) {
    const int order = compare_numbers(left.dimensions()[i].lower_bound, right.dimensions()[i].lower_bound);
    if (order != 0) return order;
  }
  return 0;
}

int compare_oidvectors(const Value& a, const Value& b) {
  const auto left = static_cast<int>(a.as_array().elements().size());
  const auto right = static_cast<int>(b.as_array().elements().size());
  return left != right ? left - right : compare_arrays(a, b);
}

std::uint64_t hash_array(const Value& value) {
  const Array& array = value.as_array();
  std::uint64_t hash = 1;
  for (const Value& element : array.elements())
    hash = hash * 31 + (element.is_null() ? 0 : hash_value(element, array.element()));
  return hash;
}

void add_array_comparisons(Entries& to) {
  using enum TypeId;
  add_comparisons<compare_arrays, are_equal_arrays>(
      to, any_array, any_array, {"array_lt", "array_le", "array_eq", "array_ne", "array_ge", "array_gt"});
  to.functions.push_back(
      array_function("btarraycmp", {any_array, any_array}, int4, true, compared_as_integer<compare_arrays>));
  to.functions.push_back(
      array_function("array_larger", {any_array, any_array}, any_array, true, larger<compare_arrays>));
  to.functions.push_back(
      array_function("array_smaller", {any_array, any_array}, any_array, true, smaller<compare_arrays>));
  add_array_operator(to, "@>", "arraycontains", "<@", contains);
  add_array_operator(to, "<@", "arraycontained", "@>", is_contained);
  add_array_operator(to, "&&", "arrayoverlap", "&&", overlap);
  add_comparisons<compare_oidvectors>(
      to, oidvector, oidvector,
      {"oidvectorlt", "oidvectorle", "oidvectoreq", "oidvectorne", "oidvectorge", "oidvectorgt"});
  to.functions.push_back(
      array_function("btoidvectorcmp", {oidvector, oidvector}, int4, true, compared_as_integer<compare_oidvectors>));
}

}  // namespace polarsim::engine::families
