#include "engine/storage/tuple.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "engine/types/error.h"

namespace polarsim::engine::storage {
namespace {

TupleHeader some_header() {
  TupleHeader header;
  header.xmin = 0x01020304;
  header.xmax = 0xFFFFFFFE;
  header.cmin = 7;
  header.cmax = 8;
  header.ctid = {0x0A0B0C0D, 0x0E0F};
  header.infomask = infomask::xmax_is_multi | infomask::updated;
  return header;
}

std::string sqlstate_of(const std::string& tuple) {
  try {
    ExternalColumns external;
    decode_tuple(tuple, external);
    return "none";
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
}

rc::Gen<Value> any_value() {
  return rc::gen::oneOf(
      rc::gen::just(Value::null()), rc::gen::map(rc::gen::arbitrary<bool>(), Value::boolean),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), Value::integer),
      rc::gen::map(rc::gen::arbitrary<std::string>(), [](const std::string& text) { return Value::text(text); }));
}

TEST(Tuple, HasTheDocumentedBytes) {
  const std::string tuple = encode_tuple(some_header(), Row{Value::integer(-2), Value::null(), Value::text("ab")});
  const std::string expected(
      "\x04\x03\x02\x01\xFE\xFF\xFF\xFF\x07\0\0\0\x08\0\0\0"  // xmin, xmax, cmin, cmax
      "\x0D\x0C\x0B\x0A\x0F\x0E\x02\x04\x03\0\x20\0"          // ctid, infomask, columns, header bytes
      "\x02\0\0\0"                                            // the second column is NULL
      "\x03\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x04\x02\0\0\0ab",
      48);
  EXPECT_EQ(tuple, expected);
}

TEST(Tuple, HeaderIsReadAndReplacedWithoutTheValues) {
  std::string tuple = encode_tuple({}, Row{Value::boolean(true)});
  write_tuple_header(tuple, some_header());
  EXPECT_EQ(read_tuple_header(tuple), some_header());
  ExternalColumns external;
  EXPECT_EQ(decode_tuple(tuple, external), (Row{Value::boolean(true)}));
}

TEST(Tuple, TextsOutOfLineTakeTheirPointersBack) {
  const ToastPointer pointer{{70000, 3}, 123456, 0xDEADBEEF};
  const Row row{Value::text("short"), Value::text(std::string(123456, 'x'))};
  const ExternalColumns out{std::nullopt, pointer};
  const std::string tuple = encode_tuple({}, row, out);
  EXPECT_LT(tuple.size(), 100U);
  EXPECT_TRUE(read_tuple_header(tuple).has(infomask::has_external));
  ExternalColumns external;
  EXPECT_EQ(decode_tuple(tuple, external), (Row{Value::text("short"), Value::null()}));
  EXPECT_EQ(external, out);
}

TEST(Tuple, DamageIsNoticed) {
  const std::string tuple = encode_tuple({}, Row{Value::integer(1), Value::text("abc")});
  for (std::size_t length = 0; length < tuple.size(); ++length)
    EXPECT_EQ(sqlstate_of(tuple.substr(0, length)), sqlstate::data_corrupted) << length;
  EXPECT_EQ(sqlstate_of(tuple + "x"), sqlstate::data_corrupted);
  std::string bad_tag = tuple;
  bad_tag[32] = 9;
  EXPECT_EQ(sqlstate_of(bad_tag), sqlstate::data_corrupted);
  std::string bad_length = tuple;
  bad_length[44] = '\x7F';  // within the length of the text
  EXPECT_EQ(sqlstate_of(bad_length), sqlstate::data_corrupted);
  EXPECT_EQ(sqlstate_of(tuple), "none");
}

TEST(Tuple, UnwantedTextsOutOfLineAreNotAskedFor) {
  const ToastPointer pointer{{1, 2}, 3, 4, false};
  const Row row{Value::null(), Value::integer(7), Value::null()};
  const std::string tuple = encode_tuple({}, row, ExternalColumns{pointer, {}, pointer});
  Row read;
  ExternalColumns external;
  const WantedColumns wanted{false, true};
  decode_tuple(tuple, read, external, &wanted);
  EXPECT_EQ(read, row);
  EXPECT_TRUE(external.empty());
}

// Also of tuples that are cut off: what is wanted is there, or the damage is told.
RC_GTEST_PROP(TupleProperty, UnwantedColumnsAreNull, ()) {
  const auto row = *rc::gen::container<std::vector<Value>>(any_value());
  const auto wanted = *rc::gen::arbitrary<std::vector<bool>>();
  const std::string tuple = encode_tuple({}, row);
  Row expected = row;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i >= wanted.size() || !wanted[i]) expected[i] = Value::null();
  }
  Row read;
  ExternalColumns external;
  decode_tuple(tuple, read, external, &wanted);
  RC_ASSERT(read == expected);
  const auto cut = *rc::gen::inRange<std::size_t>(0, tuple.size());
  try {
    decode_tuple(std::string_view(tuple).substr(0, cut), read, external, &wanted);
    RC_ASSERT(read == expected);
  } catch (const SqlError& error) {
    RC_ASSERT(error.sqlstate() == std::string(sqlstate::data_corrupted));
  }
}

RC_GTEST_PROP(TupleProperty, ReadsBackWhatWasWritten, ()) {
  const Row row = *rc::gen::container<Row>(any_value());
  const std::string tuple = encode_tuple(some_header(), row);
  RC_ASSERT(tuple.size() == tuple_bytes(row));
  ExternalColumns external{std::nullopt};
  RC_ASSERT(decode_tuple(tuple, external) == row);
  RC_ASSERT(external.empty());
  RC_ASSERT(read_tuple_header(tuple) == some_header());
}

}  // namespace
}  // namespace polarsim::engine::storage
