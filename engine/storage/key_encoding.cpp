#include "engine/storage/key_encoding.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

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

template <std::unsigned_integral T>
void append_big_endian(std::string& key, T value) {
  char bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)) & 0xFF);
  key.append(bytes, sizeof bytes);
}

void append_integer(std::string& key, std::int64_t value) {
  key.push_back(integer_tag);
  append_big_endian(key, static_cast<std::uint64_t>(value) ^ sign_bit);
}

void append_text(std::string& key, std::string_view text) {
  for (;;) {
    const std::size_t zero = text.find('\0');
    key.append(text.substr(0, zero));
    if (zero == std::string_view::npos) break;
    key.push_back('\0');
    key.push_back(zero_continues);
    text.remove_prefix(zero + 1);
  }
  key.append(2, '\0');
}

void append_floating(std::string& key, double value) {
  if (value == 0) value = 0;  // of both signs
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<std::uint64_t>(value);
  append_big_endian(key, (bits & sign_bit) != 0 ? ~bits : bits | sign_bit);
}

void append_numeric(std::string& key, const Numeric& number) {
  const Numeric::Parts parts = number.parts();
  switch (parts.form) {
    case Numeric::Form::nan:
      return key.push_back(numeric_nan);
    case Numeric::Form::positive_infinity:
      return key.push_back(numeric_infinity);
    case Numeric::Form::negative_infinity:
      return key.push_back(numeric_minus_infinity);
    case Numeric::Form::finite:
      break;
  }
  if (parts.digits.empty()) return key.push_back(numeric_zero);
  key.push_back(parts.negative ? numeric_negative : numeric_positive);
  const std::size_t start = key.size();
  append_big_endian(key, static_cast<std::uint32_t>(parts.weight) ^ small_sign_bit);
  for (const std::int16_t digit : parts.digits) append_big_endian(key, static_cast<std::uint16_t>(digit + 1));
  append_big_endian(key, std::uint16_t{0});
  if (!parts.negative) return;
  for (std::size_t i = start; i < key.size(); ++i) key[i] = static_cast<char>(~key[i]);
}

void append_span(std::string& key, const Interval& interval) {
  const auto days = static_cast<Span>(interval.months) * days_per_month + interval.days;
  const auto span = days * microseconds_per_day + interval.microseconds;
  const auto bits = static_cast<SpanBits>(span);
  append_big_endian(key, static_cast<std::uint64_t>(bits >> 64) ^ sign_bit);
  append_big_endian(key, static_cast<std::uint64_t>(bits));
}

void append_json(std::string& key, const Json& json) {
  if (json.is_null()) {
    key.push_back(json_null);
  } else if (json.is_string()) {
    key.push_back(json_string);
    append_text(key, json.as_string());
  } else if (json.is_number()) {
    key.push_back(json_number);
    append_numeric(key, json.as_number());
  } else if (json.is_boolean()) {
    key.push_back(json_boolean);
    key.push_back(json.as_boolean() ? '\x01' : '\x00');
  } else if (json.is_array()) {
    key.push_back(json_array);
    append_big_endian(key, static_cast<std::uint32_t>(json.elements().size()));
    for (const Json& element : json.elements()) append_json(key, element);
  } else {
    key.push_back(json_object);
    append_big_endian(key, static_cast<std::uint32_t>(json.members().size()));
    for (const Json::Member& member : json.members()) {
      append_text(key, member.key);
      append_json(key, member.value);
    }
  }
}

void append_array(std::string& key, const Array& array) {
  append_big_endian(key, type_oid(array.element()));
  for (const Value& element : array.elements()) {
    key.push_back(element.is_null() ? element_null : element_follows);
    if (!element.is_null()) append_key(key, element, array.element());
  }
  key.push_back(elements_end);
  key.push_back(static_cast<char>(array.dimensions().size()));
  for (const Array::Dimension& each : array.dimensions())
    append_big_endian(key, static_cast<std::uint32_t>(each.length));
  for (const Array::Dimension& each : array.dimensions())
    append_big_endian(key, static_cast<std::uint32_t>(each.lower_bound) ^ small_sign_bit);
}

void append_record(std::string& key, const Record& record) {
  for (const Record::Field& field : record.fields()) {
    key.push_back(field.value.is_null() ? element_null : element_follows);
    if (field.value.is_null()) continue;
    append_big_endian(key, type_oid(field.type.id));
    append_key(key, field.value, field.type.id);
  }
  key.push_back(elements_end);
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

void append_key(std::string& key, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::null:
      return key.push_back(null_tag);
    case Value::Kind::boolean:
      key.push_back(boolean_tag);
      return key.push_back(value.as_boolean() ? '\x01' : '\x00');
    case Value::Kind::integer:
      return append_integer(key, value.as_integer());
    case Value::Kind::short_text:
    case Value::Kind::long_text:
      key.push_back(text_tag);
      return append_text(key, value.as_text());
    case Value::Kind::floating:
      key.push_back(floating_tag);
      return append_floating(key, value.as_floating());
    case Value::Kind::numeric:
      key.push_back(numeric_tag);
      return append_numeric(key, value.as_numeric());
    case Value::Kind::interval:
      key.push_back(interval_tag);
      return append_span(key, value.as_interval());
    case Value::Kind::json:
      key.push_back(json_tag);
      // An empty array is less than everything, but only as a whole document.
      if (value.as_json().is_array() && value.as_json().elements().empty()) return key.push_back(json_empty_array);
      return append_json(key, value.as_json());
    case Value::Kind::array:
      key.push_back(array_tag);
      return append_array(key, value.as_array());
    case Value::Kind::record:
      key.push_back(record_tag);
      return append_record(key, value.as_record());
  }
}

void append_key(std::string& key, const Value& value, TypeId type) {
  if (type == TypeId::bpchar && value.is_text()) {
    key.push_back(text_tag);
    append_text(key, without_blanks(value.as_text()));
  } else if (type == TypeId::xid8 && value.is_integer()) {
    append_integer(key, static_cast<std::int64_t>(static_cast<std::uint64_t>(value.as_integer()) ^ sign_bit));
  } else {
    append_key(key, value);
  }
}

std::string encode_key(std::span<const Value> values) {
  std::string key;
  for (const Value& value : values) append_key(key, value);
  return key;
}

std::string encode_key(std::span<const Value> values, std::span<const TypeId> types) {
  std::string key;
  for (std::size_t i = 0; i < values.size(); ++i) append_key(key, values[i], types[i]);
  return key;
}

std::string after_prefix(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.remove_suffix(1);
  std::string after(prefix);
  if (!after.empty()) after.back() = static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
  return after;
}

}  // namespace polarsim::engine::storage
