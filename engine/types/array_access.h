// Parts of arrays by subscripts: what a[1], a[2:3] and assignments to them mean (PostgreSQL's arrayfuncs.c,
// array_get_element() to array_set_slice()). Subscripts that are NULL are the caller's business: reading gives NULL,
// assigning is error 22004 "array subscript in assignment must not be null".
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/types/array.h"

namespace polarsim::engine {

// PostgreSQL's MaxArraySize.
inline constexpr std::int64_t array_elements_max = 134'217'727;

// One subscript of a slice; a bound that is left out is that of the array. a[n] among slices is a[1:n].
struct ArraySlice {
  std::optional<std::int32_t> lower;
  std::optional<std::int32_t> upper;
};

// NULL if there is none, or the number of subscripts is not that of the dimensions.
Value array_element(const Array& array, std::span<const std::int32_t> subscripts);
// Empty if nothing lies in it, or there are more subscripts than dimensions; missing subscripts are whole dimensions.
// Counted from 1.
Array array_slice(const Array& array, std::span<const ArraySlice> subscripts);

// The array (empty for NULL) with one element replaced; an array of one dimension grows, with NULLs in a gap. Throws
// SqlError 2202E "array subscript out of range", "wrong number of array subscripts", 54000.
Array array_with_element(const Array& array, std::span<const std::int32_t> subscripts, const Value& element);
// With the elements of a slice replaced by those of `source`, whatever its shape; it may have more. The caller leaves
// the array as it is if the source is NULL. Throws SqlError 2202E "source array too small", "upper bound cannot be less
// than lower bound", "array slice subscript must provide both boundaries" and as above.
Array array_with_slice(const Array& array, std::span<const ArraySlice> subscripts, const Array& source);

// The number of elements that the dimensions mean. Throws SqlError 54000 "array size exceeds the maximum allowed
// (134217727)", "array lower bound is too large: 2147483647".
std::int64_t checked_element_count(std::span<const Array::Dimension> dimensions);
[[noreturn]] void throw_array_too_large();
// 54000: "number of array dimensions (7) exceeds the maximum allowed (6)"
void check_dimension_count(std::size_t count);

}  // namespace polarsim::engine
