#include "engine/types/binary_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "engine/types/array.h"
#include "engine/types/cast.h"
#include "engine/types/datetime.h"
#include "engine/types/error.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"
#include "engine/types/utf8.h"

namespace polarsim::engine {
namespace {

constexpr const char* invalid_binary_representation = "22P03";
constexpr char jsonb_version = 1;
constexpr std::size_t uuid_bytes = 16;

// Signs of a numeric, and the scale that infinities happen to have (numeric.c).
constexpr std::uint16_t numeric_negative = 0x4000;
constexpr std::uint16_t numeric_nan = 0xC000;
constexpr std::uint16_t numeric_infinity = 0xD000;
constexpr std::uint16_t numeric_minus_infinity = 0xF000;
constexpr std::uint16_t numeric_infinity_scale = 32;
constexpr std::uint16_t numeric_scale_mask = 0x3FFF;

[[noreturn]] void refuse(std::string message) { throw SqlError(invalid_binary_representation, std::move(message)); }

template <typename Integer>
void put(std::string& to, Integer value) {
  const auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (std::size_t i = sizeof(Integer); i-- > 0;) to.push_back(static_cast<char>((bits >> (8 * i)) & 0xFFU));
}

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) throw SqlError(sqlstate::protocol_violation, "insufficient data left in message");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view take_all() { return take(rest_.size()); }
  template <typename Integer>
  Integer integer() {
    std::make_unsigned_t<Integer> value = 0;
    for (const char c : take(sizeof(Integer)))
      value = static_cast<decltype(value)>(std::uint64_t{value} << 8 | static_cast<unsigned char>(c));
    return static_cast<Integer>(value);
  }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

// --- numeric ---

void append_numeric(std::string& to, const Numeric& value) {
  const Numeric::Parts parts = value.parts();
  std::uint16_t sign = parts.negative ? numeric_negative : 0;
  auto scale = static_cast<std::uint16_t>(parts.scale);
  if (parts.form != Numeric::Form::finite) {
    const bool nan = parts.form == Numeric::Form::nan;
    sign = nan                                              ? numeric_nan
           : parts.form == Numeric::Form::positive_infinity ? numeric_infinity
                                                            : numeric_minus_infinity;
    scale = nan ? 0 : numeric_infinity_scale;
  }
  put(to, static_cast<std::uint16_t>(parts.digits.size()));
  put(to, static_cast<std::int16_t>(parts.digits.empty() ? 0 : parts.weight));
  put(to, sign);
  put(to, scale);
  for (const std::int16_t digit : parts.digits) put(to, digit);
}

Value read_numeric(Bytes& bytes) {
  const auto count = bytes.integer<std::uint16_t>();
  Numeric::Parts parts;
  parts.weight = bytes.integer<std::int16_t>();
  const auto sign = bytes.integer<std::uint16_t>();
  const auto scale = bytes.integer<std::uint16_t>();
  const bool finite = sign == 0 || sign == numeric_negative;
  if (!finite && sign != numeric_nan && sign != numeric_infinity && sign != numeric_minus_infinity)
    refuse("invalid sign in external \"numeric\" value");
  if ((scale & numeric_scale_mask) != scale) refuse("invalid scale in external \"numeric\" value");
  std::vector<std::int16_t> digits;
  digits.reserve(std::min<std::size_t>(count, bytes.left() / 2));
  for (std::size_t i = 0; i < count; ++i) {
    digits.push_back(bytes.integer<std::int16_t>());
    if (digits.back() < 0 || digits.back() >= 10000) refuse("invalid digit in external \"numeric\" value");
  }
  if (sign == numeric_nan) return Value::numeric(Numeric::not_a_number());
  if (!finite) return Value::numeric(Numeric::infinity(sign == numeric_minus_infinity));
  const auto first = std::find_if(digits.begin(), digits.end(), [](std::int16_t digit) { return digit != 0; });
  parts.weight -= static_cast<std::int32_t>(first - digits.begin());
  digits.erase(digits.begin(), first);
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  if (digits.empty()) parts.weight = 0;
  parts.negative = sign == numeric_negative && !digits.empty();
  parts.digits = digits;
  // What is behind the scale does not count; more places than there are digits are zeros.
  parts.scale = std::max<std::int32_t>(scale, 4 * (static_cast<std::int32_t>(digits.size()) - parts.weight - 1));
  return Value::numeric(Numeric(parts).truncate(scale));
}

// --- arrays ---

void append_array(std::string& to, const Array& array) {
  const std::vector<Value>& elements = array.elements();
  const bool has_null =
      std::any_of(elements.begin(), elements.end(), [](const Value& value) { return value.is_null(); });
  put(to, static_cast<std::int32_t>(array.dimensions().size()));
  put(to, std::int32_t{has_null});
  put(to, type_oid(array.element()));
  for (const Array::Dimension& dimension : array.dimensions()) {
    put(to, dimension.length);
    put(to, dimension.lower_bound);
  }
  for (const Value& element : elements) {
    const std::size_t length_at = to.size();
    put(to, std::int32_t{-1});
    if (element.is_null()) continue;
    append_binary(to, element, array.element());
    std::string length;
    put(length, static_cast<std::int32_t>(to.size() - length_at - 4));
    to.replace(length_at, length.size(), length);
  }
}

std::vector<Array::Dimension> read_dimensions(Bytes& bytes, std::int32_t count, std::size_t& elements) {
  std::vector<Array::Dimension> dimensions;
  elements = count == 0 ? 0 : 1;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto length = bytes.integer<std::int32_t>();
    const auto lower_bound = bytes.integer<std::int32_t>();
    if (length < 0 || std::int64_t{lower_bound} + length > std::numeric_limits<std::int32_t>::max())
      throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
    dimensions.push_back({length, lower_bound});
    elements *= static_cast<std::size_t>(length);
    // PostgreSQL's MaxArraySize: a quarter of a gigabyte divided by the size of a pointer.
    constexpr std::size_t elements_max = 0x3fffffff / 8;
    if (elements > elements_max)
      throw SqlError(sqlstate::program_limit_exceeded,
                     fmt::format("array size exceeds the maximum allowed ({})", elements_max));
  }
  return dimensions;
}

Value read_array(Bytes& bytes, Type element, const CallContext& context) {
  const auto count = bytes.integer<std::int32_t>();
  if (count < 0) refuse(fmt::format("invalid number of dimensions: {}", count));
  if (count > static_cast<std::int32_t>(array_dimensions_max)) {
    throw SqlError(
        sqlstate::program_limit_exceeded,
        fmt::format("number of array dimensions ({}) exceeds the maximum allowed ({})", count, array_dimensions_max));
  }
  const auto flags = bytes.integer<std::int32_t>();
  if (flags != 0 && flags != 1) refuse("invalid array flags");
  const auto type = bytes.integer<std::uint32_t>();
  if (type != type_oid(element.id)) {
    const TypeInfo* found = find_type(static_cast<TypeId>(type));
    throw SqlError(
        sqlstate::datatype_mismatch,
        fmt::format("binary data has array element type {} ({}) instead of expected {} ({})", type,
                    found == nullptr ? "???" : found->display_name, type_oid(element.id), type_name(element.id)));
  }
  std::size_t elements = 0;
  std::vector<Array::Dimension> dimensions = read_dimensions(bytes, count, elements);
  if (elements == 0) return Value::array(Array(element.id));
  std::vector<Value> values;
  for (std::size_t i = 0; i < elements; ++i) {
    const auto length = bytes.integer<std::int32_t>();
    if (length < -1 || (length > 0 && static_cast<std::size_t>(length) > bytes.left()))
      refuse("insufficient data left in message");
    try {
      values.push_back(length == -1 ? Value::null()
                                    : read_binary(bytes.take(static_cast<std::size_t>(length)), element, context));
    } catch (const SqlError& error) {
      if (error.fields().message == "incorrect binary data format")
        refuse(fmt::format("improper binary format in array element {}", i + 1));
      throw;
    }
  }
  return Value::array(Array(element.id, std::move(dimensions), std::move(values)));
}

// int2vector and oidvector have one dimension, counted from 0, even without elements.
void append_vector(std::string& to, const Array& vector) {
  if (!vector.empty()) return append_array(to, vector);
  append_array(to, Array(vector.element()));
  to.replace(to.size() - 12, 4, std::string_view("\0\0\0\1", 4));
  put(to, std::int64_t{0});
}

Value read_vector(Bytes& bytes, Type type, const CallContext& context) {
  const TypeId element = type_info(type.id).element;
  // Without elements read_array() forgets the dimension.
  Bytes ahead = bytes;
  const bool one_dimension = ahead.integer<std::int32_t>() == 1;
  ahead.take(12);
  const bool from_zero = one_dimension && ahead.integer<std::int32_t>() == 0;
  Value value = read_array(bytes, element, context);
  const std::vector<Value>& elements = value.as_array().elements();
  const bool has_null = std::any_of(elements.begin(), elements.end(), [](const Value& one) { return one.is_null(); });
  if (!from_zero || has_null) refuse(fmt::format("invalid {} data", type_name(type.id)));
  return value;
}

void append_record(std::string& to, const Record& record) {
  put(to, static_cast<std::int32_t>(record.fields().size()));
  for (const Record::Field& field : record.fields()) {
    put(to, type_oid(field.type.id));
    std::string bytes;
    if (!field.value.is_null()) append_binary(bytes, field.value, field.type.id);
    put(to, field.value.is_null() ? std::int32_t{-1} : static_cast<std::int32_t>(bytes.size()));
    to += bytes;
  }
}

// --- texts, dates and times ---

Value read_text(Bytes& bytes, Type type, const CallContext& context) {
  const std::string_view text = bytes.take_all();
  utf8::verify(text);
  if (type.id == TypeId::name && text.size() > name_bytes_max) {
    throw SqlError("42622", "identifier too long",
                   fmt::format("Identifier must be less than {} characters.", name_bytes_max + 1));
  }
  return input_value(text, type, context);
}

Value read_jsonb(Bytes& bytes, const CallContext& context) {
  const auto version = bytes.integer<std::uint8_t>();
  if (version != jsonb_version)
    throw SqlError(sqlstate::internal_error, fmt::format("unsupported jsonb version number {}", version));
  return read_text(bytes, TypeId::jsonb, context);
}

Value read_date(Bytes& bytes) {
  const std::int64_t date = bytes.integer<std::int32_t>();
  if (is_finite_date(date) && !is_valid_date(date)) throw_date_out_of_range();
  return Value::integer(date);
}
Value read_time(Bytes& bytes) {
  const auto time = bytes.integer<std::int64_t>();
  if (time < 0 || time > microseconds_per_day) throw SqlError("22008", "time out of range");
  return Value::integer(time);
}
Value read_timestamp(Bytes& bytes) {
  const auto timestamp = bytes.integer<std::int64_t>();
  if (is_finite_timestamp(timestamp) && !is_valid_timestamp(timestamp)) throw_timestamp_out_of_range();
  return Value::integer(timestamp);
}
Value read_interval_parts(Bytes& bytes) {
  Interval interval;
  interval.microseconds = bytes.integer<std::int64_t>();
  interval.days = bytes.integer<std::int32_t>();
  interval.months = bytes.integer<std::int32_t>();
  return Value::interval(interval);
}

Value read(Bytes& bytes, Type type, const CallContext& context) {
  switch (type.id) {
    case TypeId::boolean:
      return Value::boolean(bytes.integer<std::uint8_t>() != 0);
    case TypeId::int2:
      return Value::integer(bytes.integer<std::int16_t>());
    case TypeId::int4:
      return Value::integer(bytes.integer<std::int32_t>());
    case TypeId::int8:
    case TypeId::xid8:
      return Value::integer(bytes.integer<std::int64_t>());
    case TypeId::oid:
    case TypeId::xid:
    case TypeId::regclass:
    case TypeId::regtype:
    case TypeId::regproc:
    case TypeId::regnamespace:
      return Value::integer(bytes.integer<std::uint32_t>());
    case TypeId::float4:
      return Value::floating(std::bit_cast<float>(bytes.integer<std::uint32_t>()));
    case TypeId::float8:
      return Value::floating(std::bit_cast<double>(bytes.integer<std::uint64_t>()));
    case TypeId::numeric:
      return read_numeric(bytes);
    case TypeId::char_byte: {
      const std::string_view byte = bytes.take(1);
      return Value::text(byte.front() == '\0' ? std::string_view() : byte);
    }
    case TypeId::bytea:
      return Value::text(bytes.take_all());
    case TypeId::uuid:
      return Value::text(bytes.take(uuid_bytes));
    case TypeId::date:
      return read_date(bytes);
    case TypeId::time:
      return read_time(bytes);
    case TypeId::timestamp:
    case TypeId::timestamptz:
      return read_timestamp(bytes);
    case TypeId::interval:
      return read_interval_parts(bytes);
    case TypeId::jsonb:
      return read_jsonb(bytes, context);
    case TypeId::text:
    case TypeId::varchar:
    case TypeId::bpchar:
    case TypeId::name:
    case TypeId::json:
    case TypeId::unknown:
      return read_text(bytes, type, context);
    case TypeId::void_type:
      bytes.take_all();
      return Value::text("");
    case TypeId::record:
      throw SqlError(sqlstate::feature_not_supported, "input of anonymous composite types is not implemented");
    case TypeId::int2vector:
    case TypeId::oidvector:
      return read_vector(bytes, type, context);
    default:
      break;
  }
  const TypeId element = type_info(type.id).element;
  if (element == TypeId::none) {
    throw SqlError(sqlstate::undefined_function,
                   fmt::format("no binary input function available for type {}", type_name(type.id)));
  }
  return read_array(bytes, {element, type.modifier}, context);
}

}  // namespace

void append_binary(std::string& to, const Value& value, TypeId type) {
  switch (type) {
    case TypeId::boolean:
      to.push_back(value.as_boolean() ? '\1' : '\0');
      return;
    case TypeId::int2:
      return put(to, static_cast<std::int16_t>(value.as_integer()));
    case TypeId::int4:
    case TypeId::date:
      return put(to, static_cast<std::int32_t>(value.as_integer()));
    case TypeId::oid:
    case TypeId::xid:
    case TypeId::regclass:
    case TypeId::regtype:
    case TypeId::regproc:
    case TypeId::regnamespace:
      return put(to, static_cast<std::uint32_t>(value.as_integer()));
    case TypeId::int8:
    case TypeId::xid8:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamptz:
      return put(to, value.as_integer());
    case TypeId::float4:
      return put(to, std::bit_cast<std::uint32_t>(static_cast<float>(value.as_floating())));
    case TypeId::float8:
      return put(to, std::bit_cast<std::uint64_t>(value.as_floating()));
    case TypeId::numeric:
      return append_numeric(to, value.as_numeric());
    case TypeId::interval:
      put(to, value.as_interval().microseconds);
      put(to, value.as_interval().days);
      return put(to, value.as_interval().months);
    case TypeId::char_byte:
      to.push_back(value.as_text().empty() ? '\0' : value.as_text().front());
      return;
    case TypeId::jsonb:
      to.push_back(jsonb_version);
      return value.as_json().append_to(to);
    case TypeId::record:
      return append_record(to, value.as_record());
    case TypeId::void_type:
      return;
    case TypeId::int2vector:
    case TypeId::oidvector:
      return append_vector(to, value.as_array());
    default:
      break;
  }
  if (value.is_array()) {
    append_array(to, value.as_array());
  } else {
    to += value.as_text();
  }
}

Value read_binary(std::string_view bytes, Type type, const CallContext& context) {
  Bytes rest(bytes);
  Value value = read(rest, type, context);
  if (rest.left() > 0) refuse("incorrect binary data format");
  if (type.modifier == no_modifier || is_array(type.id)) return value;
  return apply_modifier(value, type, false);
}

}  // namespace polarsim::engine
