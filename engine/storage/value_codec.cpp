#include "engine/storage/value_codec.h"

#include <bit>
#include <utility>
#include <vector>

#include "engine/storage/little_endian.h"
#include "engine/types/array.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/quote.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::storage {

namespace {

enum class JsonTag : std::uint8_t { null, boolean_false, boolean_true, number, string, array, object };

constexpr std::uint8_t negative_bit = 0x80;

// Where encoded bytes go: nowhere but into a count, or into memory.
class Counter {
 public:
  template <typename T>
  void number(T) {
    size_ += sizeof(T);
  }
  void bytes(std::string_view bytes) { size_ += bytes.size(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Putter {
 public:
  explicit Putter(char* to) : to_(to) {}
  template <typename T>
  void number(T value) {
    store(to_, value);
    to_ += sizeof(T);
  }
  void bytes(std::string_view bytes) {
    bytes.copy(to_, bytes.size());
    to_ += bytes.size();
  }
  char* end() const { return to_; }

 private:
  char* to_;
};

template <typename Sink>
void write_text(Sink& to, std::string_view text) {
  to.number(static_cast<std::uint32_t>(text.size()));
  to.bytes(text);
}

template <typename Sink>
void write_numeric(Sink& to, const Numeric& number) {
  const Numeric::Parts parts = number.parts();
  to.number(static_cast<std::uint8_t>(static_cast<std::uint8_t>(parts.form) | (parts.negative ? negative_bit : 0)));
  to.number(static_cast<std::uint32_t>(parts.weight));
  to.number(static_cast<std::uint16_t>(parts.scale));
  to.number(static_cast<std::uint16_t>(parts.digits.size()));
  for (const std::int16_t digit : parts.digits) to.number(static_cast<std::uint16_t>(digit));
}

template <typename Sink>
void write_json(Sink& to, const Json& json) {
  const auto tag = [&](JsonTag which) { to.number(static_cast<std::uint8_t>(which)); };
  if (json.is_null()) {
    tag(JsonTag::null);
  } else if (json.is_boolean()) {
    tag(json.as_boolean() ? JsonTag::boolean_true : JsonTag::boolean_false);
  } else if (json.is_number()) {
    tag(JsonTag::number);
    write_numeric(to, json.as_number());
  } else if (json.is_string()) {
    tag(JsonTag::string);
    write_text(to, json.as_string());
  } else if (json.is_array()) {
    tag(JsonTag::array);
    to.number(static_cast<std::uint32_t>(json.elements().size()));
    for (const Json& element : json.elements()) write_json(to, element);
  } else {
    tag(JsonTag::object);
    to.number(static_cast<std::uint32_t>(json.members().size()));
    for (const Json::Member& member : json.members()) {
      write_text(to, member.key);
      write_json(to, member.value);
    }
  }
}

template <typename Sink>
void write_value(Sink& to, const Value& value);

template <typename Sink>
void write_array(Sink& to, const Array& array) {
  to.number(type_oid(array.element()));
  to.number(static_cast<std::uint8_t>(array.dimensions().size()));
  for (const Array::Dimension& dimension : array.dimensions()) {
    to.number(static_cast<std::uint32_t>(dimension.length));
    to.number(static_cast<std::uint32_t>(dimension.lower_bound));
  }
  to.number(static_cast<std::uint32_t>(array.elements().size()));
  for (const Value& element : array.elements()) write_value(to, element);
}

template <typename Sink>
void write_record(Sink& to, const Record& record) {
  to.number(static_cast<std::uint16_t>(record.fields().size()));
  for (const Record::Field& field : record.fields()) {
    write_text(to, field.name);
    to.number(type_oid(field.type.id));
    to.number(static_cast<std::uint32_t>(field.type.modifier));
    write_value(to, field.value);
  }
}

template <typename Sink>
void write_value(Sink& to, const Value& value) {
  const auto tag = [&](ValueTag which) { to.number(static_cast<std::uint8_t>(which)); };
  switch (value.kind()) {
    case Value::Kind::null:
      return tag(ValueTag::null);
    case Value::Kind::boolean:
      return tag(value.as_boolean() ? ValueTag::boolean_true : ValueTag::boolean_false);
    case Value::Kind::integer:
      tag(ValueTag::integer);
      return to.number(static_cast<std::uint64_t>(value.as_integer()));
    case Value::Kind::floating:
      tag(ValueTag::floating);
      return to.number(std::bit_cast<std::uint64_t>(value.as_floating()));
    case Value::Kind::short_text:
    case Value::Kind::long_text:
      tag(ValueTag::text);
      return write_text(to, value.as_text());
    case Value::Kind::numeric:
      tag(ValueTag::numeric);
      return write_numeric(to, value.as_numeric());
    case Value::Kind::interval:
      tag(ValueTag::interval);
      to.number(static_cast<std::uint32_t>(value.as_interval().months));
      to.number(static_cast<std::uint32_t>(value.as_interval().days));
      return to.number(static_cast<std::uint64_t>(value.as_interval().microseconds));
    case Value::Kind::json:
      tag(ValueTag::json);
      return write_json(to, value.as_json());
    case Value::Kind::array:
      tag(ValueTag::array);
      return write_array(to, value.as_array());
    case Value::Kind::record:
      tag(ValueTag::record);
      return write_record(to, value.as_record());
  }
}

class Taker {
 public:
  Taker(std::span<const char> rest, DamageReport damaged) : rest_(rest), damaged_(damaged) {}

  Value value() {
    switch (static_cast<ValueTag>(number<std::uint8_t>())) {
      case ValueTag::null:
        return Value::null();
      case ValueTag::boolean_false:
        return Value::boolean(false);
      case ValueTag::boolean_true:
        return Value::boolean(true);
      case ValueTag::integer:
        return Value::integer(static_cast<std::int64_t>(number<std::uint64_t>()));
      case ValueTag::text:
        return Value::text(text());
      case ValueTag::floating:
        return Value::floating(std::bit_cast<double>(number<std::uint64_t>()));
      case ValueTag::numeric:
        return Value::numeric(numeric());
      case ValueTag::interval:
        return interval();
      case ValueTag::json:
        return Value::json(json());
      case ValueTag::array:
        return array();
      case ValueTag::record:
        return record();
      default:
        damaged_("has a value of unknown type");
        return Value::null();
    }
  }
  void skip() {
    const std::span<const char> whole = rest_;
    switch (static_cast<ValueTag>(number<std::uint8_t>())) {
      case ValueTag::integer:
      case ValueTag::floating:
        take(sizeof(std::uint64_t));
        return;
      case ValueTag::text:
        text();
        return;
      default:
        // What is small, or does not say how long it is.
        rest_ = whole;
        value();
    }
  }
  std::span<const char> rest() const { return rest_; }

 private:
  const char* take(std::size_t bytes) {
    if (bytes > rest_.size()) damaged_("ends within a value");
    const char* const taken = rest_.data();
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  template <typename T>
  T number() {
    return load<T>(take(sizeof(T)));
  }
  std::string_view text() {
    const std::size_t length = number<std::uint32_t>();
    return {take(length), length};
  }
  // How many things follow, each of at least one byte.
  template <typename T>
  std::size_t count() {
    const std::size_t count = number<T>();
    if (count > rest_.size()) damaged_("ends within a value");
    return count;
  }
  Numeric numeric() {
    Numeric::Parts parts;
    const auto form = number<std::uint8_t>();
    parts.negative = (form & negative_bit) != 0;
    if ((form & ~negative_bit) > static_cast<int>(Numeric::Form::negative_infinity))
      damaged_("has a number of unknown form");
    parts.form = static_cast<Numeric::Form>(form & ~negative_bit);
    parts.weight = static_cast<std::int32_t>(number<std::uint32_t>());
    parts.scale = number<std::uint16_t>();
    boost::container::small_vector<std::int16_t, 8> digits(count<std::uint16_t>());
    for (std::int16_t& digit : digits) digit = static_cast<std::int16_t>(number<std::uint16_t>());
    parts.digits = digits;
    return Numeric(parts);
  }
  Value interval() {
    Interval interval;
    interval.months = static_cast<std::int32_t>(number<std::uint32_t>());
    interval.days = static_cast<std::int32_t>(number<std::uint32_t>());
    interval.microseconds = static_cast<std::int64_t>(number<std::uint64_t>());
    return Value::interval(interval);
  }
  Json json() {
    switch (static_cast<JsonTag>(number<std::uint8_t>())) {
      case JsonTag::null:
        return Json();
      case JsonTag::boolean_false:
        return Json(false);
      case JsonTag::boolean_true:
        return Json(true);
      case JsonTag::number:
        return Json(numeric());
      case JsonTag::string:
        return Json(std::string(text()));
      case JsonTag::array: {
        Json::Elements elements;
        for (std::size_t left = count<std::uint32_t>(); left > 0; --left) elements.push_back(json());
        return Json(std::move(elements));
      }
      case JsonTag::object: {
        Json::Members members;
        for (std::size_t left = count<std::uint32_t>(); left > 0; --left) {
          std::string key(text());
          members.push_back({std::move(key), json()});
        }
        return Json(std::move(members));
      }
    }
    damaged_("has a document of unknown kind");
    return Json();
  }
  TypeId type() { return static_cast<TypeId>(number<std::uint32_t>()); }
  Value array() {
    const TypeId element = type();
    std::vector<Array::Dimension> dimensions(count<std::uint8_t>());
    for (Array::Dimension& dimension : dimensions) {
      dimension.length = static_cast<std::int32_t>(number<std::uint32_t>());
      dimension.lower_bound = static_cast<std::int32_t>(number<std::uint32_t>());
    }
    std::vector<Value> elements(count<std::uint32_t>());
    for (Value& each : elements) each = value();
    return Value::array(Array(element, std::move(dimensions), std::move(elements)));
  }
  Value record() {
    std::vector<Record::Field> fields(count<std::uint16_t>());
    for (Record::Field& field : fields) {
      field.name = text();
      field.type.id = type();
      field.type.modifier = static_cast<std::int32_t>(number<std::uint32_t>());
      field.value = value();
    }
    return Value::record(Record(std::move(fields)));
  }

  std::span<const char> rest_;
  DamageReport damaged_;
};

}  // namespace

std::size_t encoded_size(const Value& value) {
  Counter counter;
  write_value(counter, value);
  return counter.size();
}

char* put_encoded(char* to, const Value& value) {
  Putter putter(to);
  write_value(putter, value);
  return putter.end();
}

std::string encode_value(const Value& value) {
  std::string bytes(encoded_size(value), '\0');
  put_encoded(bytes.data(), value);
  return bytes;
}

Value take_encoded(std::span<const char>& bytes, DamageReport damaged) {
  Taker taker(bytes, damaged);
  Value value = taker.value();
  bytes = taker.rest();
  return value;
}

void skip_encoded(std::span<const char>& bytes, DamageReport damaged) {
  Taker taker(bytes, damaged);
  taker.skip();
  bytes = taker.rest();
}

std::string describe_value(const Value& value) {
  if (value.is_null()) return "NULL";
  if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
  return value.is_integer() ? plain_text(value) : quote_literal(plain_text(value));
}

}  // namespace polarsim::engine::storage
