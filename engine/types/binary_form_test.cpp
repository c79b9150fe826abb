// Binary forms against those of a PostgreSQL 15: fixtures/binary_forms.txt has type|text|bytes in hexadecimal.
#include "engine/types/binary_form.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

const CallContext call;

std::string hexadecimal(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}
std::string bytes_of(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}
std::string binary_of(const Value& value, TypeId type) {
  std::string bytes;
  append_binary(bytes, value, type);
  return bytes;
}

TEST(BinaryForm, IsThatOfPostgres) {
  std::ifstream file("engine/types/fixtures/binary_forms.txt");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const std::size_t text_at = line.find('|') + 1;
    const std::size_t bytes_at = line.rfind('|') + 1;
    const TypeInfo* type = find_type(line.substr(0, text_at - 1));
    ASSERT_NE(type, nullptr) << line;
    const std::string text = line.substr(text_at, bytes_at - 1 - text_at);
    const std::string bytes = line.substr(bytes_at);
    const Value value = input_value(text, type->id, call);
    EXPECT_EQ(hexadecimal(binary_of(value, type->id)), bytes) << line;
    const Value read = read_binary(bytes_of(bytes), type->id, call);
    EXPECT_TRUE(read == value) << line << ": " << output_value(read, type->id, call);
  }
  EXPECT_GT(lines, 60);
}

std::string refused(TypeId type, std::string_view bytes, std::int32_t modifier = no_modifier) {
  try {
    return "no error: " + output_value(read_binary(bytes_of(bytes), {type, modifier}, call), type, call);
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message;
  }
}

TEST(BinaryForm, RefusesWhatItCannotBe) {
  EXPECT_EQ(refused(TypeId::int4, "000000"), "08P01 insufficient data left in message");
  EXPECT_EQ(refused(TypeId::int4, "0000000001"), "22P03 incorrect binary data format");
  EXPECT_EQ(refused(TypeId::text, "61ff"), "22021 invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(refused(TypeId::numeric,
                    "00000000100000"
                    "00"),
            "22P03 invalid sign in external \"numeric\" value");
  EXPECT_EQ(refused(TypeId::numeric, "0000000000004000"), "22P03 invalid scale in external \"numeric\" value");
  EXPECT_EQ(refused(TypeId::numeric, "00010000000000002710"), "22P03 invalid digit in external \"numeric\" value");
  EXPECT_EQ(refused(TypeId::numeric, "ffff0000000000000001"), "08P01 insufficient data left in message");
  EXPECT_EQ(refused(TypeId::time, "000000141dd76001"), "22008 time out of range");
  EXPECT_EQ(refused(TypeId::date, "80000001"), "22008 date out of range");
  EXPECT_EQ(refused(TypeId::timestamp, "8000000000000001"), "22008 timestamp out of range");
  EXPECT_EQ(refused(TypeId::jsonb, "027b7d"), "XX000 unsupported jsonb version number 2");
  EXPECT_EQ(refused(TypeId::json, "7b"), "22P02 invalid input syntax for type json");
  EXPECT_EQ(refused(TypeId::uuid, "00"), "08P01 insufficient data left in message");
  EXPECT_EQ(refused(TypeId::record, "00000000"), "0A000 input of anonymous composite types is not implemented");
  EXPECT_EQ(refused(TypeId::varchar, "61626364", 7), "22001 value too long for type character varying(3)");
  const std::string one = "0000000100000000000000170000000100000001";
  EXPECT_EQ(refused(TypeId::int4_array, one + "0000000200000000"), "08P01 insufficient data left in message");
  EXPECT_EQ(refused(TypeId::int4_array, one + "000000050000000000"), "22P03 improper binary format in array element 1");
  EXPECT_EQ(refused(TypeId::int4_array, one + "7fffffff00000000"), "22P03 insufficient data left in message");
  EXPECT_EQ(refused(TypeId::int8_array, one + "0000000400000000"),
            "42804 binary data has array element type 23 (integer) instead of expected 20 (bigint)");
  EXPECT_EQ(refused(TypeId::int4_array, "ffffffff"), "22P03 invalid number of dimensions: -1");
  EXPECT_EQ(refused(TypeId::int4_array, "000000010000000000000017ffffffff00000001"), "22003 integer out of range");
  EXPECT_EQ(refused(TypeId::int2vector,
                    "000000010000000000000015000000000000"
                    "0001"),
            "22P03 invalid int2vector data");
}

// Numbers with zeros that need not be there, and places beyond the scale.
TEST(BinaryForm, NumericIsMadeRegular) {
  const auto read = [](std::string_view bytes) {
    const Value value = read_binary(bytes_of(bytes), TypeId::numeric, call);
    EXPECT_TRUE(value == input_value(output_value(value, TypeId::numeric, call), TypeId::numeric, call)) << bytes;
    return output_value(value, TypeId::numeric, call);
  };
  EXPECT_EQ(read("0003000200000001000000010000"), "10000.0");
  EXPECT_EQ(read("000200000000000100011a85"), "1.6");
  EXPECT_EQ(read("0001ffff400000010001"), "0.0");
  EXPECT_EQ(read("0001000a400000000000"), "0");
}

// Whatever the bytes are, there is a value or an SqlError.
RC_GTEST_PROP(BinaryForm, RubbishIsRefused, (std::string bytes)) {
  for (const TypeInfo& type : all_types()) {
    if (is_pseudo_type(type.id)) continue;
    try {
      const Value value = read_binary(bytes, type.id, call);
      if (type.id != TypeId::unknown && !value.is_null()) binary_of(value, type.id);
    } catch (const SqlError& error) {
      RC_ASSERT(!error.sqlstate().empty());
    }
  }
}

}  // namespace
}  // namespace polarsim::engine
