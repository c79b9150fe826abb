// Values of every type on pages, in WAL payloads and in index keys.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/storage/bytes.h"
#include "engine/storage/key_encoding.h"
#include "engine/storage/tuple.h"
#include "engine/storage/value_codec.h"
#include "engine/types/array.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/order.h"
#include "engine/types/record.h"

namespace polarsim::engine::storage {
namespace {

using T = TypeId;

rc::Gen<std::int64_t> any_integer() {
  return rc::gen::oneOf(
      rc::gen::inRange<std::int64_t>(-3, 4), rc::gen::arbitrary<std::int64_t>(),
      rc::gen::element(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
}

rc::Gen<std::string> any_text() {
  return rc::gen::container<std::string>(rc::gen::element('\0', '\xFF', 'a', '\x01', ' ', '\t'));
}

rc::Gen<double> any_double() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return rc::gen::oneOf(
      rc::gen::element(0.0, -0.0, infinity, -infinity, std::nan(""), -std::nan(""), 5e-324, 1.0),
      rc::gen::arbitrary<double>(),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t bits) { return std::bit_cast<double>(bits); }));
}

// Digits to base 10000 without zeros at either end, as Numeric keeps them.
rc::Gen<Numeric> any_numeric() {
  return rc::gen::exec([] {
    Numeric::Parts parts;
    parts.form = *rc::gen::weightedElement<Numeric::Form>({{12, Numeric::Form::finite},
                                                           {1, Numeric::Form::nan},
                                                           {1, Numeric::Form::positive_infinity},
                                                           {1, Numeric::Form::negative_infinity}});
    if (parts.form != Numeric::Form::finite) return Numeric(parts);
    auto digits = *rc::gen::container<std::vector<std::int16_t>>(
        rc::gen::oneOf(rc::gen::inRange<std::int16_t>(0, 3), rc::gen::inRange<std::int16_t>(0, 10000)));
    while (!digits.empty() && digits.back() == 0) digits.pop_back();
    while (!digits.empty() && digits.front() == 0) digits.erase(digits.begin());
    if (!digits.empty()) {
      parts.negative = *rc::gen::arbitrary<bool>();
      parts.weight = *rc::gen::oneOf(rc::gen::inRange(-2, 3), rc::gen::inRange(-4000, 30000));
    }
    parts.scale = std::max(0, 4 * (static_cast<int>(digits.size()) - 1 - parts.weight));
    parts.scale += *rc::gen::inRange(0, 3);
    parts.digits = digits;
    return Numeric(parts);
  });
}

rc::Gen<Interval> any_interval() {
  return rc::gen::exec([] {
    const auto small_or_any = rc::gen::oneOf(
        rc::gen::inRange(-2, 3), rc::gen::arbitrary<std::int32_t>(),
        rc::gen::element(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), 30, -30));
    Interval interval;
    interval.months = *small_or_any;
    interval.days = *small_or_any;
    interval.microseconds = *rc::gen::oneOf(any_integer(), rc::gen::element<std::int64_t>(86'400'000'000));
    return interval;
  });
}

Json make_json(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return Json();
    case 1:
      return Json(*rc::gen::arbitrary<bool>());
    case 2:
      return Json(*any_numeric());
    case 3:
    case 4:
      return Json(*any_text());
    case 5: {
      Json::Elements elements;
      for (int left = *rc::gen::inRange(0, 3); left > 0; --left) elements.push_back(make_json(depth - 1));
      return Json(std::move(elements));
    }
    default: {
      Json::Members members;
      for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
        std::string key = *any_text();
        members.push_back({std::move(key), make_json(depth - 1)});
      }
      return Json(std::move(members));
    }
  }
}

Value make_value(TypeId type);

Value make_array(TypeId element) {
  std::vector<Value> elements;
  for (int left = *rc::gen::inRange(0, 5); left > 0; --left)
    elements.push_back(*rc::gen::inRange(0, 4) == 0 ? Value::null() : make_value(element));
  if (elements.empty()) return Value::array(Array(element));
  const auto count = static_cast<std::int32_t>(elements.size());
  std::vector<Array::Dimension> dimensions{{count, *rc::gen::inRange(-2, 3)}};
  if (count == 4 && *rc::gen::arbitrary<bool>()) dimensions = {{2, 1}, {2, *rc::gen::inRange(-1, 2)}};
  return Value::array(Array(element, std::move(dimensions), std::move(elements)));
}

Value make_record() {
  std::vector<Record::Field> fields;
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
    const TypeId type = fields.size() % 2 == 0 ? T::int4 : T::text;
    fields.push_back({"f" + std::to_string(fields.size() + 1), Type(type, *rc::gen::inRange(-1, 6)),
                      *rc::gen::inRange(0, 4) == 0 ? Value::null() : make_value(type)});
  }
  return Value::record(Record(std::move(fields)));
}

Value make_value(TypeId type) {
  switch (type) {
    case T::boolean:
      return Value::boolean(*rc::gen::arbitrary<bool>());
    case T::int4:
      return Value::integer(*rc::gen::inRange(-10, 10));
    case T::int8:
    case T::timestamptz:
    case T::xid8:
      return Value::integer(*any_integer());
    case T::float8:
      return Value::floating(*any_double());
    case T::numeric:
      return Value::numeric(*any_numeric());
    case T::interval:
      return Value::interval(*any_interval());
    case T::jsonb:
      return Value::json(make_json(3));
    case T::record:
      return make_record();
    case T::text:
    case T::bpchar:
    case T::bytea:
      return Value::text(*any_text());
    default:
      return make_array(type_info(type).element);
  }
}

const std::vector<TypeId> stored_types{T::boolean,     T::int4,          T::int8,        T::xid8,       T::float8,
                                       T::numeric,     T::interval,      T::text,        T::bpchar,     T::bytea,
                                       T::jsonb,       T::record,        T::int4_array,  T::text_array, T::bpchar_array,
                                       T::jsonb_array, T::numeric_array, T::record_array};
const std::vector<TypeId> ordered_types{
    T::boolean,       T::int4,         T::int8,        T::xid8,   T::float8,      T::interval,   T::timestamptz,
    T::numeric,       T::text,         T::bpchar,      T::bytea,  T::jsonb,       T::int4_array, T::text_array,
    T::numeric_array, T::bpchar_array, T::jsonb_array, T::record, T::record_array};

RC_GTEST_PROP(StoredValuesProperty, RowVersionsAndPayloadsGiveBackWhatTheyGot, ()) {
  Row row;
  for (int left = *rc::gen::inRange(0, 5); left > 0; --left)
    row.push_back(*rc::gen::inRange(0, 6) == 0 ? Value::null() : make_value(*rc::gen::elementOf(stored_types)));
  const std::string tuple = encode_tuple({}, row);
  RC_ASSERT(tuple.size() == tuple_bytes(row));
  ExternalColumns external;
  RC_ASSERT(decode_tuple(tuple, external) == row);
  const std::string bytes = ByteWriter().row(row).bytes();
  ByteReader reader(bytes);
  RC_ASSERT(reader.row() == row);
  RC_ASSERT(reader.at_end());
}

RC_GTEST_PROP(StoredValuesProperty, CutShortTheyAreRefused, ()) {
  const Row row{make_value(*rc::gen::elementOf(stored_types))};
  const std::string tuple = encode_tuple({}, row);
  const std::size_t kept = *rc::gen::inRange<std::size_t>(0, tuple.size());
  ExternalColumns external;
  RC_ASSERT_THROWS_AS(decode_tuple({tuple.data(), kept}, external), SqlError);
}

// None for rows of different widths that are equal as far as both go: they cannot be compared.
std::optional<int> order_of(const Value& a, const Value& b, TypeId type) {
  try {
    return compare_values(a, b, type);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::datatype_mismatch) throw;
    return std::nullopt;
  }
}

int sign(int number) { return (number > 0) - (number < 0); }

RC_GTEST_PROP(StoredValuesProperty, OrderOfKeysIsOrderOfValues, ()) {
  const TypeId type = *rc::gen::elementOf(ordered_types);
  const Value a = make_value(type);
  const Value b = make_value(type);
  std::string key_of_a;
  std::string key_of_b;
  append_key(key_of_a, a, type);
  append_key(key_of_b, b, type);
  const std::optional<int> order = order_of(a, b, type);
  if (order) RC_ASSERT(sign(key_of_a.compare(key_of_b)) == sign(*order));
  // A column that follows must not matter unless they are equal.
  RC_ASSERT(key_of_a == key_of_b || !key_of_b.starts_with(key_of_a));
  if (type == T::xid8 || type == T::bpchar) return;
  // A key does not tell the types of a row's NULL fields, without which rows cannot be compared.
  if (type == T::record || type == T::record_array) return;
  const Row decoded = decode_key(key_of_a);
  RC_ASSERT(decoded.size() == 1U);
  RC_ASSERT(compare_values(decoded[0], a, type) == 0);
}

TEST(KeyEncoding, HasTheDocumentedBytes) {
  using namespace std::string_literals;
  const auto key = [](const Value& value, TypeId type) {
    std::string bytes;
    append_key(bytes, value, type);
    return bytes;
  };
  EXPECT_EQ(key(Value::floating(1), T::float8), "\x04\xBF\xF0\0\0\0\0\0\0"s);
  EXPECT_EQ(key(Value::floating(-0.0), T::float8), "\x04\x80\0\0\0\0\0\0\0"s);
  const std::vector<std::int16_t> digits{12, 3400};
  const Numeric number(Numeric::Parts{.scale = 2, .digits = digits});
  EXPECT_EQ(key(Value::numeric(number), T::numeric), "\x05\x04\x80\0\0\0\0\x0D\x0D\x49\0\0"s);
  EXPECT_EQ(key(Value::interval({1, 0, 1}), T::interval), key(Value::interval({0, 30, 1}), T::interval));
  EXPECT_EQ(key(Value::text("a "), T::bpchar), "\x03"s + "a\0\0"s);
  EXPECT_EQ(key(Value::array(Array(T::int2, {Value::null()})), T::int2_array),
            "\x08\0\0\0\x15\x02\0\x01\0\0\0\x01\x80\0\0\x01"s);
}

TEST(DescribedValues, AreReadable) {
  EXPECT_EQ(describe_value(Value::text("it's")), "'it''s'");
  EXPECT_EQ(describe_value(Value::integer(-1)), "-1");
  EXPECT_EQ(describe_value(Value::floating(0.5)), "'0.5'");
  EXPECT_EQ(describe_value(Value::null()), "NULL");
}

}  // namespace
}  // namespace polarsim::engine::storage
