#include "engine/types/cast.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine {
namespace {

using Kind = Conversion::Kind;
using T = TypeId;
using C = CastContext;

const CallContext context;

Kind kind(T source, T target, C who) { return find_conversion(source, target, who).kind; }

TEST(Cast, FollowsTheTableAndItsContexts) {
  EXPECT_EQ(kind(T::text, T::text, C::implicit), Kind::relabel);
  EXPECT_EQ(kind(T::varchar, T::text, C::implicit), Kind::relabel);
  EXPECT_EQ(kind(T::bpchar, T::text, C::implicit), Kind::function);
  EXPECT_EQ(kind(T::boolean, T::int4, C::assignment), Kind::none);
  EXPECT_EQ(kind(T::boolean, T::int4, C::explicit_only), Kind::function);
  EXPECT_EQ(kind(T::boolean, T::text, C::implicit), Kind::none);
  EXPECT_EQ(kind(T::boolean, T::text, C::assignment), Kind::function);
  EXPECT_EQ(kind(T::boolean, T::date, C::explicit_only), Kind::none);
}

TEST(Cast, ReachesStringsByTheirText) {
  EXPECT_EQ(kind(T::boolean, T::name, C::implicit), Kind::none);
  EXPECT_EQ(kind(T::boolean, T::name, C::assignment), Kind::by_text);
  EXPECT_EQ(kind(T::text, T::boolean, C::assignment), Kind::none);
  EXPECT_EQ(kind(T::text, T::boolean, C::explicit_only), Kind::by_text);
  EXPECT_EQ(kind(T::unknown, T::boolean, C::implicit), Kind::by_text);
}

TEST(Cast, ConvertsArraysByTheirElements) {
  EXPECT_EQ(kind(T::varchar_array, T::text_array, C::implicit), Kind::array);
  EXPECT_EQ(kind(T::boolean_array, T::int4_array, C::assignment), Kind::none);
  EXPECT_EQ(kind(T::boolean_array, T::int4_array, C::explicit_only), Kind::array);
  EXPECT_EQ(kind(T::text_array, T::boolean_array, C::explicit_only), Kind::array);
  EXPECT_EQ(kind(T::boolean_array, T::int4, C::explicit_only), Kind::none);
  EXPECT_EQ(kind(T::int4_array, T::text, C::assignment), Kind::by_text);
  const Value array = Value::array(Array(T::boolean, {Value::boolean(true), Value::null()}));
  const Conversion conversion = find_conversion(T::boolean_array, T::int4_array, C::explicit_only);
  EXPECT_EQ(convert(conversion, array, T::boolean_array, T::int4_array, context),
            Value::array(Array(T::int4, {Value::integer(1), Value::null()})));
}

std::string converted(const Value& value, T source, T target) {
  try {
    const Conversion conversion = find_conversion(source, target, C::explicit_only);
    return output_value(convert(conversion, value, source, target, context), target, context);
  } catch (const SqlError& error) {
    return error.what();
  }
}

TEST(Cast, ComputesTheValue) {
  EXPECT_EQ(converted(Value::boolean(true), T::boolean, T::text), "true");
  EXPECT_EQ(converted(Value::boolean(true), T::boolean, T::name), "t");
  EXPECT_EQ(converted(Value::text(" yes "), T::text, T::boolean), "t");
  EXPECT_EQ(converted(Value::text("maybe"), T::text, T::boolean),
            "22P02: invalid input syntax for type boolean: \"maybe\"");
  EXPECT_EQ(converted(Value::text("a  "), T::bpchar, T::text), "a");
  const Conversion conversion = find_conversion(T::text, T::boolean, C::explicit_only);
  EXPECT_TRUE(convert(conversion, Value::null(), T::text, T::boolean, context).is_null());
}

TEST(Cast, ModifiersApplyToElements) {
  const Type type(T::varchar_array, 2 + 4);
  EXPECT_TRUE(has_modifier(type));
  EXPECT_FALSE(has_modifier(T::varchar_array));
  EXPECT_FALSE(has_modifier(Type(T::boolean, 5)));
  const Value array = Value::array(Array(T::varchar, {Value::text("abc"), Value::null()}));
  EXPECT_EQ(apply_modifier(array, type, true), Value::array(Array(T::varchar, {Value::text("ab"), Value::null()})));
  EXPECT_THROW(apply_modifier(array, type, false), SqlError);
  EXPECT_EQ(apply_modifier(Value::boolean(true), Type(T::boolean), false), Value::boolean(true));
}

}  // namespace
}  // namespace polarsim::engine
