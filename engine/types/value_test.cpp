#include "engine/types/value.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/types/array.h"
#include "engine/types/interval.h"
#include "engine/types/numeric.h"

namespace polarsim::engine {
namespace {

TEST(Value, HoldsTextsOfEveryLength) {
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string text(length, static_cast<char>('a' + length % 26));
    const Value value = Value::text(text);
    EXPECT_TRUE(value.is_text());
    EXPECT_EQ(value.as_text(), text);
    const Value copy = value;  // NOLINT(performance-unnecessary-copy-initialization): copies are what is tested
    EXPECT_EQ(copy.as_text(), text);
    EXPECT_EQ(copy, value);
  }
}

TEST(Value, KeepsZeroBytes) {
  const std::string_view bytes("a\0b", 3);
  EXPECT_EQ(Value::text(bytes).as_text(), bytes);
}

TEST(Value, SharesWhatIsLong) {
  Value first = Value::text(std::string(100, 'x'));
  Value second = first;
  EXPECT_EQ(first.as_text().data(), second.as_text().data());
  first = Value::integer(1);
  EXPECT_EQ(second.as_text(), std::string(100, 'x'));
  Value third = std::move(second);
  EXPECT_EQ(third.as_text().size(), 100U);
  const Value& same = third;
  third = same;
  EXPECT_EQ(third.as_text().size(), 100U);
}

TEST(Value, RefusesToBeReadAsWhatItIsNot) {
  EXPECT_THROW(Value::integer(1).as_text(), std::logic_error);
  EXPECT_THROW(Value::text("1").as_integer(), std::logic_error);
  EXPECT_THROW(Value().as_boolean(), std::logic_error);
}

TEST(Value, HoldsOtherRepresentations) {
  EXPECT_EQ(Value::floating(-0.5).as_floating(), -0.5);
  EXPECT_EQ(Value::interval({1, 2, 3}).as_interval().days, 2);
  const Value array = Value::array(Array(TypeId::int4, {Value::integer(1), Value::null()}));
  EXPECT_EQ(array.as_array().elements().size(), 2U);
  EXPECT_EQ(array, Value::array(Array(TypeId::int4, {Value::integer(1), Value::null()})));
  EXPECT_NE(array, Value::array(Array(TypeId::int4, {Value::integer(1), Value::integer(2)})));
}

}  // namespace
}  // namespace polarsim::engine
