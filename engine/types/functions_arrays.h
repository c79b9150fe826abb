// The parts of the family of arrays. Private to it.
#pragma once

#include "engine/types/array.h"
#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_array_types(Entries& to);        // text forms
void add_array_comparisons(Entries& to);  // = < @> && and the functions behind them
void add_array_making(Entries& to);       // array_append, array_cat, array_fill, ...
void add_array_searching(Entries& to);    // array_position, array_remove, array_replace, ...
void add_array_rows(Entries& to);         // unnest, generate_subscripts
void add_series(Entries& to);             // generate_series of numbers

// As array_cmp() does: element by element, NULLs last and equal to each other; then lengths and dimensions. Throws
// SqlError 42883 if the elements have no order.
int compare_arrays(const Value& a, const Value& b);
// Shorter ones come first. Negative, zero, positive, as btoidvectorcmp() tells.
int compare_oidvectors(const Value& a, const Value& b);
std::uint64_t hash_array(const Value& value);

// The element type's equality. Throws SqlError 42883 if it has none.
class ElementEquality {
 public:
  explicit ElementEquality(TypeId element);
  bool operator()(const Value& a, const Value& b) const { return compare_ != nullptr ? compare_(a, b) == 0 : a == b; }

 private:
  int (*compare_)(const Value& a, const Value& b);
};

inline FunctionEntry array_function(const char* name, std::vector<TypeId> arguments, TypeId result, bool strict,
                                    ScalarFunction function) {
  return {.name = name, .arguments = std::move(arguments), .result = result, .strict = strict, .scalar = function};
}

}  // namespace polarsim::engine::families
