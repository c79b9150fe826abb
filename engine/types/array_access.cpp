#include "engine/types/array_access.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

using Dimension = Array::Dimension;
using Dimensions = std::vector<Dimension>;

[[noreturn]] void throw_subscript_error(const char* message, const char* detail = "") {
  throw SqlError(sqlstate::array_subscript_error, message, detail);
}

std::int64_t last_of(const Dimension& dimension) { return std::int64_t{dimension.lower_bound} + dimension.length - 1; }

std::int32_t checked_length(std::int64_t length) {
  if (length > std::numeric_limits<std::int32_t>::max()) throw_array_too_large();
  return static_cast<std::int32_t>(length);
}

// From first to last, both inside.
struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// The place of an element among all, counted from 0.
template <typename Subscripts>
std::size_t offset_of(const Dimensions& dimensions, const Subscripts& subscripts) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const auto within = static_cast<std::size_t>(std::int64_t{subscripts[i]} - dimensions[i].lower_bound);
    offset = offset * static_cast<std::size_t>(dimensions[i].length) + within;
  }
  return offset;
}

// Calls `visit` with the offset of each element of the box, row by row.
template <typename Visit>
void for_each_offset(const Dimensions& dimensions, const std::vector<Range>& box, Visit visit) {
  std::vector<std::int64_t> at;
  for (const Range& range : box) at.push_back(range.first);
  while (true) {
    visit(offset_of(dimensions, at));
    std::size_t i = at.size();
    while (i > 0 && at[i - 1] == box[i - 1].last) {
      at[i - 1] = box[i - 1].first;
      --i;
    }
    if (i == 0) return;
    ++at[i - 1];
  }
}

// The elements where a larger array has them.
std::vector<Value> elements_within(const Array& array, const Dimensions& dimensions, std::int64_t count) {
  if (dimensions == array.dimensions()) return array.elements();
  // Only arrays of one dimension grow.
  const std::int64_t before = std::int64_t{array.dimensions()[0].lower_bound} - dimensions[0].lower_bound;
  std::vector<Value> elements(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < array.elements().size(); ++i)
    elements[static_cast<std::size_t>(before) + i] = array.elements()[i];
  return elements;
}

// The dimension, made to include the range.
Dimension extended(const Dimension& dimension, const Range& range) {
  const std::int64_t first = std::min<std::int64_t>(dimension.lower_bound, range.first);
  const std::int64_t last = std::max(last_of(dimension), range.last);
  return {checked_length(last - first + 1), static_cast<std::int32_t>(first)};
}

Array slice_of_nothing(const Array& array, std::span<const ArraySlice> subscripts, const Array& source) {
  Dimensions dimensions;
  for (const ArraySlice& subscript : subscripts) {
    if (!subscript.lower || !subscript.upper) {
      throw_subscript_error(
          "array slice subscript must provide both boundaries",
          "When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
    }
    const std::int64_t length = std::int64_t{*subscript.upper} - *subscript.lower + 1;
    if (length < std::numeric_limits<std::int32_t>::min()) throw_array_too_large();
    dimensions.push_back({checked_length(length), *subscript.lower});
  }
  const std::int64_t wanted = checked_element_count(dimensions);
  const std::vector<Value>& given = source.elements();
  if (static_cast<std::int64_t>(given.size()) < wanted) throw_subscript_error("source array too small");
  if (wanted == 0) return Array(array.element());
  return Array(array.element(), std::move(dimensions), {given.begin(), given.begin() + wanted});
}

void check_subscript_count(std::size_t count) {
  if (count == 0 || count > array_dimensions_max) throw_subscript_error("wrong number of array subscripts");
}

}  // namespace

void throw_array_too_large() {
  throw SqlError(sqlstate::program_limit_exceeded,
                 fmt::format("array size exceeds the maximum allowed ({})", array_elements_max));
}

void check_dimension_count(std::size_t count) {
  if (count <= array_dimensions_max) return;
  throw SqlError(
      sqlstate::program_limit_exceeded,
      fmt::format("number of array dimensions ({}) exceeds the maximum allowed ({})", count, array_dimensions_max));
}

std::int64_t checked_element_count(std::span<const Dimension> dimensions) {
  if (dimensions.empty()) return 0;
  std::int64_t count = 1;
  for (const Dimension& dimension : dimensions) {
    if (dimension.length < 0) throw_array_too_large();
    count *= dimension.length;
    if (count > std::numeric_limits<std::int32_t>::max()) throw_array_too_large();
  }
  if (count > array_elements_max) throw_array_too_large();
  for (const Dimension& dimension : dimensions) {
    if (std::int64_t{dimension.lower_bound} + dimension.length > std::numeric_limits<std::int32_t>::max()) {
      throw SqlError(sqlstate::program_limit_exceeded,
                     fmt::format("array lower bound is too large: {}", dimension.lower_bound));
    }
  }
  return count;
}

Value array_element(const Array& array, std::span<const std::int32_t> subscripts) {
  const Dimensions& dimensions = array.dimensions();
  if (array.empty() || subscripts.size() != dimensions.size()) return Value::null();
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (subscripts[i] < dimensions[i].lower_bound || subscripts[i] > last_of(dimensions[i])) return Value::null();
  }
  return array.elements()[offset_of(dimensions, subscripts)];
}

Array array_slice(const Array& array, std::span<const ArraySlice> subscripts) {
  const Dimensions& dimensions = array.dimensions();
  if (array.empty() || subscripts.size() > dimensions.size()) return Array(array.element());
  std::vector<Range> box;
  Dimensions result;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    Range range{dimensions[i].lower_bound, last_of(dimensions[i])};
    if (i < subscripts.size()) {
      if (subscripts[i].lower) range.first = std::max<std::int64_t>(range.first, *subscripts[i].lower);
      if (subscripts[i].upper) range.last = std::min<std::int64_t>(range.last, *subscripts[i].upper);
    }
    if (range.first > range.last) return Array(array.element());
    box.push_back(range);
    result.push_back({static_cast<std::int32_t>(range.last - range.first + 1), 1});
  }
  std::vector<Value> elements;
  for_each_offset(dimensions, box, [&](std::size_t offset) { elements.push_back(array.elements()[offset]); });
  return Array(array.element(), std::move(result), std::move(elements));
}

Array array_with_element(const Array& array, std::span<const std::int32_t> subscripts, const Value& element) {
  check_subscript_count(subscripts.size());
  Dimensions dimensions = array.dimensions();
  if (array.empty()) {
    dimensions.clear();
    for (const std::int32_t subscript : subscripts) dimensions.push_back({1, subscript});
    checked_element_count(dimensions);
    return Array(array.element(), std::move(dimensions), {element});
  }
  if (subscripts.size() != dimensions.size()) throw_subscript_error("wrong number of array subscripts");
  if (dimensions.size() == 1) {
    dimensions[0] = extended(dimensions[0], {subscripts[0], subscripts[0]});
  } else {
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
      if (subscripts[i] < dimensions[i].lower_bound || subscripts[i] > last_of(dimensions[i]))
        throw_subscript_error("array subscript out of range");
    }
  }
  std::vector<Value> elements = elements_within(array, dimensions, checked_element_count(dimensions));
  elements[offset_of(dimensions, subscripts)] = element;
  return Array(array.element(), std::move(dimensions), std::move(elements));
}

Array array_with_slice(const Array& array, std::span<const ArraySlice> subscripts, const Array& source) {
  check_subscript_count(subscripts.size());
  if (array.empty()) return slice_of_nothing(array, subscripts, source);
  Dimensions dimensions = array.dimensions();
  if (dimensions.size() < subscripts.size()) throw_subscript_error("wrong number of array subscripts");
  std::vector<Range> box;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    Range range{dimensions[i].lower_bound, last_of(dimensions[i])};
    if (i < subscripts.size())
      range = {subscripts[i].lower.value_or(range.first), subscripts[i].upper.value_or(range.last)};
    if (range.first > range.last) throw_subscript_error("upper bound cannot be less than lower bound");
    const bool is_inside = range.first >= dimensions[i].lower_bound && range.last <= last_of(dimensions[i]);
    if (!is_inside) {
      if (dimensions.size() > 1) throw_subscript_error("array subscript out of range");
      dimensions[i] = extended(dimensions[i], range);
    }
    box.push_back(range);
  }
  const std::int64_t count = checked_element_count(dimensions);
  Dimensions span;
  for (const Range& range : box) span.push_back({checked_length(range.last - range.first + 1), 1});
  if (checked_element_count(span) > static_cast<std::int64_t>(source.elements().size()))
    throw_subscript_error("source array too small");
  std::vector<Value> elements = elements_within(array, dimensions, count);
  auto next = source.elements().begin();
  for_each_offset(dimensions, box, [&](std::size_t offset) { elements[offset] = *next++; });
  return Array(array.element(), std::move(dimensions), std::move(elements));
}

}  // namespace polarsim::engine
