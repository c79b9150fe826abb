// container[...] and its assignment (PostgreSQL's array_get_element, array_get_slice, array_set_element and
// array_set_slice in src/backend/utils/adt/arrayfuncs.c; jsonb_get_element and setPath in jsonfuncs.c).
#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/query/program_step.h"
#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/json.h"

namespace polarsim::engine::query::steps {
namespace {

using Dimensions = std::vector<Array::Dimension>;

// A range of subscripts in each dimension, ends included.
struct Range {
  std::int64_t lower = 0;
  std::int64_t upper = 0;
};
using Ranges = std::vector<Range>;

[[noreturn]] void throw_subscript_error(const char* message) {
  throw SqlError(sqlstate::array_subscript_error, message);
}

std::int64_t end_of(const Array::Dimension& dimension) {
  return std::int64_t{dimension.lower_bound} + dimension.length;
}

std::size_t count_of(const Ranges& ranges) {
  constexpr std::int64_t most = 0x7ffffff;  // MaxArraySize
  std::int64_t count = 1;
  for (const Range& range : ranges) {
    if (__builtin_mul_overflow(count, range.upper - range.lower + 1, &count) || count > most)
      throw SqlError(sqlstate::program_limit_exceeded,
                     "array size exceeds the maximum allowed (" + std::to_string(most) + ")");
  }
  return static_cast<std::size_t>(count);
}

Dimensions dimensions_of(const Ranges& ranges) {
  count_of(ranges);
  Dimensions dimensions;
  for (const Range& range : ranges) {
    dimensions.push_back(
        {static_cast<std::int32_t>(range.upper - range.lower + 1), static_cast<std::int32_t>(range.lower)});
  }
  return dimensions;
}

Ranges ranges_of(const Dimensions& dimensions) {
  Ranges ranges;
  for (const Array::Dimension& each : dimensions) ranges.push_back({each.lower_bound, end_of(each) - 1});
  return ranges;
}

// Calls the function with the position of every element inside the ranges, which lie inside the dimensions.
template <typename Function>
void for_each_position(const Dimensions& dimensions, const Ranges& ranges, Function function) {
  std::vector<std::int64_t> at;
  for (const Range& range : ranges) {
    if (range.lower > range.upper) return;
    at.push_back(range.lower);
  }
  while (true) {
    std::size_t position = 0;
    for (std::size_t i = 0; i < at.size(); ++i)
      position = position * static_cast<std::size_t>(dimensions[i].length) +
                 static_cast<std::size_t>(at[i] - dimensions[i].lower_bound);
    function(position);
    std::size_t i = at.size();
    while (i > 0 && at[i - 1] == ranges[i - 1].upper) {
      at[i - 1] = ranges[i - 1].lower;
      --i;
    }
    if (i == 0) return;
    ++at[i - 1];
  }
}

Value element_of(const SubscriptDetails& details, const Array& array, const Frame& frame) {
  const Dimensions& dimensions = array.dimensions();
  if (dimensions.size() != details.indexes.size()) return Value();
  std::size_t position = 0;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const std::int64_t index = frame[details.indexes[i].upper].as_integer();
    if (index < dimensions[i].lower_bound || index >= end_of(dimensions[i])) return Value();
    position = position * static_cast<std::size_t>(dimensions[i].length) +
               static_cast<std::size_t>(index - dimensions[i].lower_bound);
  }
  return array.elements()[position];
}

// What was written, where it was; the rest from the array.
Range written_range(const SubscriptDetails::Index& index, const Array::Dimension& dimension, const Frame& frame) {
  return {index.has_lower ? frame[index.lower].as_integer() : dimension.lower_bound,
          index.has_upper ? frame[index.upper].as_integer() : end_of(dimension) - 1};
}

Value slice_of(const SubscriptDetails& details, const Array& array, const Frame& frame) {
  const Dimensions& dimensions = array.dimensions();
  if (dimensions.size() < details.indexes.size() || dimensions.empty()) return Value::array(Array(details.element));
  Ranges ranges = ranges_of(dimensions);
  for (std::size_t i = 0; i < details.indexes.size(); ++i) {
    const Range written = written_range(details.indexes[i], dimensions[i], frame);
    ranges[i] = {std::max(ranges[i].lower, written.lower), std::min(ranges[i].upper, written.upper)};
    if (ranges[i].lower > ranges[i].upper) return Value::array(Array(details.element));
  }
  std::vector<Value> elements;
  elements.reserve(count_of(ranges));
  for_each_position(dimensions, ranges, [&](std::size_t position) { elements.push_back(array.elements()[position]); });
  Dimensions sliced = dimensions_of(ranges);
  for (Array::Dimension& each : sliced) each.lower_bound = 1;
  return Value::array(Array(details.element, std::move(sliced), std::move(elements)));
}

// A one-dimensional array may grow at both ends; what lies between becomes NULL.
Array grown(const Array& array, const Range& to_hold) {
  const Range old = ranges_of(array.dimensions())[0];
  const Range wanted{std::min(old.lower, to_hold.lower), std::max(old.upper, to_hold.upper)};
  Dimensions dimensions = dimensions_of({wanted});
  std::vector<Value> elements(static_cast<std::size_t>(dimensions[0].length));
  std::copy(array.elements().begin(), array.elements().end(), elements.begin() + (old.lower - wanted.lower));
  return Array(array.element(), std::move(dimensions), std::move(elements));
}

Value replace_parts(const Array& array, const Ranges& ranges, std::span<const Value> values) {
  if (values.size() < count_of(ranges)) throw_subscript_error("source array too small");
  const Array base = array.dimensions().size() == 1 ? grown(array, ranges[0]) : array;
  std::vector<Value> elements = base.elements();
  std::size_t next = 0;
  for_each_position(base.dimensions(), ranges, [&](std::size_t position) { elements[position] = values[next++]; });
  return Value::array(Array(base.element(), base.dimensions(), std::move(elements)));
}

Value filled_array(TypeId element, const Ranges& ranges, std::span<const Value> values) {
  const std::size_t count = count_of(ranges);
  if (values.size() < count) throw_subscript_error("source array too small");
  return Value::array(Array(element, dimensions_of(ranges),
                            std::vector<Value>(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count))));
}

void require_order(const Range& range) {
  if (range.lower > range.upper) throw_subscript_error("upper bound cannot be less than lower bound");
}

void require_inside(const Ranges& ranges, const Dimensions& dimensions) {
  if (dimensions.size() == 1) return;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].lower < dimensions[i].lower_bound || ranges[i].upper >= end_of(dimensions[i]))
      throw_subscript_error("array subscript out of range");
  }
}

Value assign_element(const SubscriptDetails& details, const Array& array, const Value& value, const Frame& frame) {
  Ranges ranges;
  for (const SubscriptDetails::Index& index : details.indexes) {
    const std::int64_t at = frame[index.upper].as_integer();
    ranges.push_back({at, at});
  }
  if (array.empty()) return filled_array(details.element, ranges, {&value, 1});
  if (array.dimensions().size() != ranges.size()) throw_subscript_error("wrong number of array subscripts");
  require_inside(ranges, array.dimensions());
  return replace_parts(array, ranges, {&value, 1});
}

Value assign_slice(const SubscriptDetails& details, const Array& array, const Array& source, const Frame& frame) {
  if (array.empty()) {
    Ranges ranges;
    for (const SubscriptDetails::Index& index : details.indexes) {
      if (!index.has_lower || !index.has_upper)
        throw SqlError(sqlstate::array_subscript_error, "array slice subscript must provide both boundaries",
                       "When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
      ranges.push_back(written_range(index, {}, frame));
      require_order(ranges.back());
    }
    return filled_array(details.element, ranges, source.elements());
  }
  const Dimensions& dimensions = array.dimensions();
  if (dimensions.size() < details.indexes.size()) throw_subscript_error("wrong number of array subscripts");
  Ranges ranges = ranges_of(dimensions);
  for (std::size_t i = 0; i < details.indexes.size(); ++i) {
    ranges[i] = written_range(details.indexes[i], dimensions[i], frame);
    require_order(ranges[i]);
  }
  require_inside(ranges, dimensions);
  return replace_parts(array, ranges, source.elements());
}

bool has_null_subscript(const SubscriptDetails& details, const Frame& frame) {
  return std::any_of(details.indexes.begin(), details.indexes.end(), [&](const SubscriptDetails::Index& each) {
    return (each.has_lower && frame[each.lower].is_null()) || (each.has_upper && frame[each.upper].is_null());
  });
}

// --- jsonb ---

// A subscript is text or integer; what it means depends on what it is applied to.
std::vector<std::string> json_path(const SubscriptDetails& details, const Frame& frame) {
  std::vector<std::string> path;
  for (std::size_t i = 0; i < details.indexes.size(); ++i) {
    const Value& value = frame[details.indexes[i].upper];
    path.push_back(details.types[i].id == TypeId::int4 ? std::to_string(value.as_integer())
                                                       : std::string(value.as_text()));
  }
  return path;
}

std::optional<std::int32_t> as_index(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')))
    text.remove_prefix(1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

Value json_element(const Json& root, const std::vector<std::string>& path) {
  const Json* at = &root;
  for (const std::string& each : path) {
    if (at->is_object()) {
      at = at->find(each);
    } else if (at->is_array()) {
      const auto count = static_cast<std::int64_t>(at->elements().size());
      const std::optional<std::int32_t> index = as_index(each);
      if (!index) return Value();
      const std::int64_t position = *index < 0 ? count + *index : *index;
      at = position >= 0 && position < count ? &at->elements()[static_cast<std::size_t>(position)] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return Value();
  }
  return Value::json(*at);
}

// What is missing on the way: arrays for integers, with nulls before the place, objects for everything else.
Json json_of_path(std::span<const std::string> path, const Json& value) {
  Json made = value;
  for (auto each = path.rbegin(); each != path.rend(); ++each) {
    if (const std::optional<std::int32_t> index = as_index(*each)) {
      Json::Elements elements(static_cast<std::size_t>(std::max(*index, 0)));
      elements.push_back(std::move(made));
      made = Json(std::move(elements));
    } else {
      made = Json(Json::Members{{*each, std::move(made)}});
    }
  }
  return made;
}

Json json_with(const Json& at, const std::vector<std::string>& path, std::size_t level, const Json& value);

Json json_object_with(const Json& at, const std::vector<std::string>& path, std::size_t level, const Json& value) {
  const std::span<const std::string> below = std::span(path).subspan(level + 1);
  Json::Members members = at.members();
  for (Json::Member& member : members) {
    if (member.key != path[level]) continue;
    member.value = below.empty() ? value : json_with(member.value, path, level + 1, value);
    return Json(std::move(members));
  }
  members.push_back({path[level], json_of_path(below, value)});
  return Json(std::move(members));
}

Json json_array_with(const Json& at, const std::vector<std::string>& path, std::size_t level, const Json& value) {
  const std::span<const std::string> below = std::span(path).subspan(level + 1);
  Json::Elements elements = at.elements();
  const auto count = static_cast<std::int64_t>(elements.size());
  const std::optional<std::int32_t> index = as_index(path[level]);
  const std::string place = "path element at position " + std::to_string(level + 1);
  if (!index)
    throw SqlError(sqlstate::invalid_text_representation, place + " is not an integer: \"" + path[level] + "\"");
  const std::int64_t position = *index < 0 ? count + *index : *index;
  if (position < 0)
    throw SqlError(sqlstate::invalid_parameter_value, place + " is out of range: " + std::to_string(*index));
  if (position < count) {
    Json& element = elements[static_cast<std::size_t>(position)];
    element = below.empty() ? value : json_with(element, path, level + 1, value);
  } else {
    elements.resize(static_cast<std::size_t>(position));
    elements.push_back(json_of_path(below, value));
  }
  return Json(std::move(elements));
}

Json json_with(const Json& at, const std::vector<std::string>& path, std::size_t level, const Json& value) {
  if (at.is_object()) return json_object_with(at, path, level, value);
  if (at.is_array()) return json_array_with(at, path, level, value);
  throw SqlError(sqlstate::invalid_parameter_value, "cannot replace existing key",
                 "The path assumes key is a composite object, but it is a scalar value.");
}

Value assign_json(const SubscriptDetails& details, const Value& container, const Value& value, const Frame& frame) {
  const Json replacement = value.is_null() ? Json() : value.as_json();
  const std::vector<std::string> path = json_path(details, frame);
  if (!container.is_null()) return Value::json(json_with(container.as_json(), path, 0, replacement));
  const Json empty = details.types[0].id == TypeId::int4 ? Json(Json::Elements()) : Json(Json::Members());
  return Value::json(json_with(empty, path, 0, replacement));
}

// A name is an array of 64 "char" from 0 on, zeros at its end.
Value byte_of_name(const SubscriptDetails& details, std::string_view name, const Frame& frame) {
  constexpr std::int64_t length = 64;
  const std::int64_t at = frame[details.indexes[0].upper].as_integer();
  if (details.indexes.size() != 1 || at < 0 || at >= length) return Value();
  return Value::text(at < static_cast<std::int64_t>(name.size()) ? name.substr(static_cast<std::size_t>(at), 1) : "");
}

}  // namespace

const Step* subscript(const Step& step, Frame& frame) {
  const auto& details = step.as<SubscriptDetails>();
  const Value& container = frame[step.left];
  Value found;
  if (!container.is_null() && !has_null_subscript(details, frame)) {
    if (details.json) {
      found = json_element(container.as_json(), json_path(details, frame));
    } else if (details.element == TypeId::none) {
      found = byte_of_name(details, container.as_text(), frame);
    } else {
      found = details.slice ? slice_of(details, container.as_array(), frame)
                            : element_of(details, container.as_array(), frame);
    }
  }
  frame.slots[step.target] = std::move(found);
  return step.next();
}

const Step* subscript_assign(const Step& step, Frame& frame) {
  const auto& details = step.as<SubscriptDetails>();
  const Value& container = frame[step.left];
  const Value& value = frame[step.right];
  if (has_null_subscript(details, frame))
    throw SqlError(sqlstate::null_value_not_allowed, details.json ? "jsonb subscript in assignment must not be null"
                                                                  : "array subscript in assignment must not be null");
  Value changed;
  if (details.json) {
    changed = assign_json(details, container, value, frame);
  } else {
    const Array none(details.element);
    const Array& array = container.is_null() ? none : container.as_array();
    if (!details.slice) {
      changed = assign_element(details, array, value, frame);
    } else if (value.is_null()) {
      changed = container.is_null() ? Value::array(none) : container;
    } else {
      changed = assign_slice(details, array, value.as_array(), frame);
    }
  }
  frame.slots[step.target] = std::move(changed);
  return step.next();
}

}  // namespace polarsim::engine::query::steps
