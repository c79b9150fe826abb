#include "engine/sql/value.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine/sql/error.h"

namespace polarsim::engine {
namespace {

// "SQLSTATE message", or the value's text form.
std::string read(std::string_view text, TypeId type) {
  try {
    return to_text(from_text(text, type));
  } catch (const SqlError& error) {
    return error.what();
  }
}

TEST(ValueTest, IntegersAreReadAsPostgresqlReadsThem) {
  EXPECT_EQ(read("42", TypeId::int4), "42");
  EXPECT_EQ(read(" \t+42\n ", TypeId::int4), "42");
  EXPECT_EQ(read("-0", TypeId::int4), "0");
  EXPECT_EQ(read("0000000000000000000000000000012", TypeId::int4), "12");
  EXPECT_EQ(read("2147483647", TypeId::int4), "2147483647");
  EXPECT_EQ(read("-2147483648", TypeId::int4), "-2147483648");
  EXPECT_EQ(read("2147483648", TypeId::int4), "22003: value \"2147483648\" is out of range for type integer");
  EXPECT_EQ(read("-2147483649", TypeId::int4), "22003: value \"-2147483649\" is out of range for type integer");
  EXPECT_EQ(read("99999999999", TypeId::int4), "22003: value \"99999999999\" is out of range for type integer");
  EXPECT_EQ(read("99999999999x", TypeId::int4), "22003: value \"99999999999x\" is out of range for type integer");
  EXPECT_EQ(read("9223372036854775807", TypeId::int8), "9223372036854775807");
  EXPECT_EQ(read("-9223372036854775808", TypeId::int8), "-9223372036854775808");
  EXPECT_EQ(read("9223372036854775808", TypeId::int8),
            "22003: value \"9223372036854775808\" is out of range for type bigint");
  EXPECT_EQ(read("-9223372036854775809", TypeId::int8),
            "22003: value \"-9223372036854775809\" is out of range for type bigint");
  EXPECT_EQ(read("x", TypeId::int4), "22P02: invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(read("", TypeId::int4), "22P02: invalid input syntax for type integer: \"\"");
  EXPECT_EQ(read("-", TypeId::int8), "22P02: invalid input syntax for type bigint: \"-\"");
  EXPECT_EQ(read("- 1", TypeId::int4), "22P02: invalid input syntax for type integer: \"- 1\"");
  EXPECT_EQ(read("1 2", TypeId::int4), "22P02: invalid input syntax for type integer: \"1 2\"");
}

TEST(ValueTest, BooleansAreReadAsPostgresqlReadsThem) {
  for (const char* text : {"t", "T", "tr", "TRUE", " true ", "y", "Yes", "on", "ON", "1"})
    EXPECT_EQ(read(text, TypeId::boolean), "t") << text;
  for (const char* text : {"f", "F", "fal", "FALSE", "n", "No", "of", "off", "0"})
    EXPECT_EQ(read(text, TypeId::boolean), "f") << text;
  for (const char* text : {"", "o", "truee", "2", "10", "onn", "t f"}) {
    EXPECT_EQ(read(text, TypeId::boolean),
              "22P02: invalid input syntax for type boolean: \"" + std::string(text) + "\"");
  }
}

TEST(ValueTest, TextIsTakenAsItIs) {
  EXPECT_EQ(read(" a ", TypeId::text), " a ");
  EXPECT_EQ(read("", TypeId::text), "");
}

TEST(ValueTest, OrderIsNumericFalseBeforeTrueAndBytewise) {
  EXPECT_LT(compare(Value::integer(-2), Value::integer(1)), 0);
  EXPECT_GT(compare(Value::integer(std::numeric_limits<std::int64_t>::max()),
                    Value::integer(std::numeric_limits<std::int64_t>::min())),
            0);
  EXPECT_LT(compare(Value::boolean(false), Value::boolean(true)), 0);
  EXPECT_LT(compare(Value::text("Z"), Value::text("a")), 0);
  EXPECT_LT(compare(Value::text("a"), Value::text("ab")), 0);
  // Bytes above 127 come after ASCII, not before.
  EXPECT_GT(compare(Value::text("\u00e9"), Value::text("z")), 0);
  EXPECT_EQ(compare(Value::text("x"), Value::text("x")), 0);
}

TEST(ValueTest, LiteralsEscapeQuotes) {
  EXPECT_EQ(to_literal(Value::text("it's")), "'it''s'");
  EXPECT_EQ(to_literal(Value::text("a\\b")), "'a\\b'");
  EXPECT_EQ(to_literal(Value::integer(-5)), "-5");
  EXPECT_EQ(to_literal(Value::boolean(true)), "true");
  EXPECT_EQ(to_literal(Value::null()), "NULL");
}

TEST(ValueTest, TypesMapToTheirOidsAndBack) {
  for (const TypeId type : {TypeId::boolean, TypeId::int4, TypeId::int8, TypeId::text})
    EXPECT_EQ(type_from_oid(type_oid(type)), type);
  EXPECT_EQ(type_oid(TypeId::unknown), 705u);
  EXPECT_EQ(type_from_oid(12345), TypeId::unknown);
}

}  // namespace
}  // namespace polarsim::engine
