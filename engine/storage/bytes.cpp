#include "engine/storage/bytes.h"

namespace polarsim::engine::storage {

namespace {

// Part of the WAL format: append, never renumber.
enum class ValueTag : std::uint8_t { null = 0, boolean_false = 1, boolean_true = 2, integer = 3, text = 4 };

}  // namespace

ByteWriter& ByteWriter::value(const Value& value) {
  const auto tag = [this](ValueTag which) { number(static_cast<std::uint8_t>(which)); };
  if (value.is_null()) {
    tag(ValueTag::null);
  } else if (value.is_boolean()) {
    tag(value.as_boolean() ? ValueTag::boolean_true : ValueTag::boolean_false);
  } else if (value.is_integer()) {
    tag(ValueTag::integer);
    number(static_cast<std::uint64_t>(value.as_integer()));
  } else {
    tag(ValueTag::text);
    text(value.as_text());
  }
  return *this;
}

ByteWriter& ByteWriter::row(const Row& row) {
  number(static_cast<std::uint16_t>(row.size()));
  for (const Value& column : row) value(column);
  return *this;
}

Value ByteReader::value() {
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
  }
  throw SqlError(sqlstate::internal_error, "WAL record holds a value of an unknown kind");
}

Row ByteReader::row() {
  const auto size = number<std::uint16_t>();
  Row row;
  row.reserve(size);
  for (std::uint16_t i = 0; i < size; ++i) row.push_back(value());
  return row;
}

}  // namespace polarsim::engine::storage
