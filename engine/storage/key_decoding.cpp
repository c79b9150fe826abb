#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/storage/key_encoding.h"
#include "engine/storage/key_tags.h"
#include "engine/storage/value_codec.h"
#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/record.h"

namespace polarsim::engine::storage {

using namespace key_format;

namespace {

[[noreturn]] void no_key() { throw SqlError(sqlstate::internal_error, "index key contradicts its encoding"); }

class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  Value value() {
    switch (take()) {
      case boolean_tag: {
        const char byte = take();
        if (byte != 0 && byte != 1) no_key();
        return Value::boolean(byte == 1);
      }
      case integer_tag:
        return Value::integer(static_cast<std::int64_t>(number<std::uint64_t>() ^ sign_bit));
      case text_tag:
        return Value::text(text());
      case floating_tag: {
        const auto bits = number<std::uint64_t>();
        return Value::floating(std::bit_cast<double>((bits & sign_bit) != 0 ? bits ^ sign_bit : ~bits));
      }
      case numeric_tag:
        return Value::numeric(numeric());
      case interval_tag:
        return interval();
      case json_tag:
        return Value::json(json());
      case array_tag:
        return array();
      case record_tag:
        return record();
      case null_tag:
        return Value::null();
      default:
        no_key();
    }
  }

 private:
  char take() {
    if (rest_.empty()) no_key();
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }
  template <std::unsigned_integral T>
  T number() {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | static_cast<unsigned char>(take()));
    return value;
  }
  std::string text() {
    std::string text;
    for (;;) {
      const std::size_t zero = rest_.find('\0');
      if (zero == std::string_view::npos) no_key();
      text.append(rest_.substr(0, zero));
      rest_.remove_prefix(zero + 1);
      const char next = take();
      if (next == '\0') return text;
      if (next != zero_continues) no_key();
      text.push_back('\0');
    }
  }
  // With the fewest digits after the point.
  Numeric numeric() {
    const char form = take();
    Numeric::Parts parts;
    if (form == numeric_minus_infinity) parts.form = Numeric::Form::negative_infinity;
    if (form == numeric_infinity) parts.form = Numeric::Form::positive_infinity;
    if (form == numeric_nan) parts.form = Numeric::Form::nan;
    if (form < numeric_minus_infinity || form > numeric_nan) no_key();
    if (form != numeric_negative && form != numeric_positive) return Numeric(parts);
    parts.negative = form == numeric_negative;
    const std::uint16_t flip = parts.negative ? 0xFFFF : 0;
    parts.weight =
        static_cast<std::int32_t>(number<std::uint32_t>() ^ small_sign_bit ^ (parts.negative ? 0xFFFFFFFFU : 0));
    std::vector<std::int16_t> digits;
    while (const auto digit = static_cast<std::uint16_t>(number<std::uint16_t>() ^ flip)) {
      if (digit > 10000) no_key();
      digits.push_back(static_cast<std::int16_t>(digit - 1));
    }
    if (digits.empty()) no_key();
    parts.digits = digits;
    const int groups = static_cast<int>(digits.size()) - 1 - parts.weight;
    if (groups > 0) {
      parts.scale = 4 * groups;
      for (int last = digits.back(); last % 10 == 0 && last != 0; last /= 10) --parts.scale;
    }
    return Numeric(parts);
  }
  // As many months as possible, then days.
  Value interval() {
    const std::uint64_t high = number<std::uint64_t>() ^ sign_bit;
    auto rest = static_cast<Span>(static_cast<SpanBits>(high) << 64 | number<std::uint64_t>());
    const auto take_unit = [&rest](Span unit) {
      constexpr Span lowest = std::numeric_limits<std::int32_t>::min();
      constexpr Span highest = std::numeric_limits<std::int32_t>::max();
      const Span count = std::clamp(rest / unit, lowest, highest);
      rest -= count * unit;
      return static_cast<std::int32_t>(count);
    };
    Interval interval;
    interval.months = take_unit(Span{days_per_month} * microseconds_per_day);
    interval.days = take_unit(microseconds_per_day);
    interval.microseconds = static_cast<std::int64_t>(rest);
    return Value::interval(interval);
  }
  Json json() {
    switch (take()) {
      case json_empty_array:
        return Json(Json::Elements());
      case json_null:
        return Json();
      case json_string:
        return Json(text());
      case json_number:
        return Json(numeric());
      case json_boolean:
        return Json(take() != 0);
      case json_array: {
        Json::Elements elements;
        for (auto left = number<std::uint32_t>(); left > 0; --left) elements.push_back(json());
        return Json(std::move(elements));
      }
      case json_object: {
        Json::Members members;
        for (auto left = number<std::uint32_t>(); left > 0; --left) {
          std::string key = text();
          members.push_back({std::move(key), json()});
        }
        return Json(std::move(members));
      }
      default:
        no_key();
    }
  }
  // Whether an element follows or a NULL stands in its place; false at the end.
  bool next_element(bool& null) {
    const char mark = take();
    null = mark == element_null;
    if (mark != element_null && mark != element_follows && mark != elements_end) no_key();
    return mark != elements_end;
  }
  Value array() {
    const auto element = static_cast<TypeId>(number<std::uint32_t>());
    std::vector<Value> elements;
    for (bool null = false; next_element(null);) elements.push_back(null ? Value::null() : of_type(element));
    std::vector<Array::Dimension> dimensions(static_cast<unsigned char>(take()));
    if (dimensions.size() > array_dimensions_max) no_key();
    for (Array::Dimension& each : dimensions) each.length = static_cast<std::int32_t>(number<std::uint32_t>());
    for (Array::Dimension& each : dimensions)
      each.lower_bound = static_cast<std::int32_t>(number<std::uint32_t>() ^ small_sign_bit);
    return Value::array(Array(element, std::move(dimensions), std::move(elements)));
  }
  Value record() {
    std::vector<Record::Field> fields;
    for (bool null = false; next_element(null);) {
      Record::Field field;
      field.name = fmt::format("f{}", fields.size() + 1);
      field.type.id = null ? TypeId::unknown : static_cast<TypeId>(number<std::uint32_t>());
      if (!null) field.value = of_type(field.type.id);
      fields.push_back(std::move(field));
    }
    return Value::record(Record(std::move(fields)));
  }
  Value of_type(TypeId type) {
    Value read = value();
    if (type != TypeId::xid8 || !read.is_integer()) return read;
    return Value::integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(read.as_integer()) ^ sign_bit));
  }

  std::string_view rest_;
};

}  // namespace

Row decode_key(std::string_view key) {
  KeyReader reader(key);
  Row row;
  while (!reader.at_end()) row.push_back(reader.value());
  return row;
}

std::string describe_key(std::string_view key) {
  std::string text = "(";
  KeyReader reader(key);
  while (!reader.at_end()) {
    if (text.size() > 1) text += ", ";
    const std::string_view before = reader.rest();
    try {
      text += describe_value(reader.value());
    } catch (const SqlError&) {
      for (const char byte : before) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      break;
    }
  }
  return text + ")";
}

}  // namespace polarsim::engine::storage
