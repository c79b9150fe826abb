#include "engine/types/type.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

TEST(Type, IsFoundByNumberAndByName) {
  for (const TypeInfo& info : all_types()) {
    EXPECT_EQ(find_type(info.id), &info);
    EXPECT_EQ(find_type(info.name), &info);
  }
  EXPECT_EQ(find_type(static_cast<TypeId>(12345)), nullptr);
  EXPECT_EQ(find_type("integer"), nullptr);
}

TEST(Type, AnArrayAndItsElementKnowEachOther) {
  for (const TypeInfo& info : all_types()) {
    if (info.array != TypeId::none) {
      EXPECT_EQ(type_info(info.array).element, info.id) << info.name;
    }
  }
}

std::string formatted(TypeId type, const std::vector<std::int64_t>& arguments) {
  return format_type(Type(type, type_modifier(type, arguments)));
}

TEST(Type, IsShownWithItsModifier) {
  EXPECT_EQ(formatted(TypeId::varchar, {5}), "character varying(5)");
  EXPECT_EQ(formatted(TypeId::varchar_array, {5}), "character varying(5)[]");
  EXPECT_EQ(formatted(TypeId::bpchar, {1}), "character(1)");
  EXPECT_EQ(formatted(TypeId::numeric, {10, 2}), "numeric(10,2)");
  EXPECT_EQ(formatted(TypeId::numeric, {10, -2}), "numeric(10,-2)");
  EXPECT_EQ(formatted(TypeId::numeric, {10}), "numeric(10,0)");
  EXPECT_EQ(formatted(TypeId::timestamptz, {3}), "timestamp(3) with time zone");
  EXPECT_EQ(formatted(TypeId::int4, {}), "integer");
}

TEST(Type, RefusesModifiersThatPostgresRefuses) {
  EXPECT_THROW(formatted(TypeId::varchar, {0}), SqlError);
  EXPECT_THROW(formatted(TypeId::numeric, {1001}), SqlError);
  EXPECT_THROW(formatted(TypeId::numeric, {5, 1001}), SqlError);
  EXPECT_THROW(formatted(TypeId::int4, {5}), SqlError);
}

}  // namespace
}  // namespace polarsim::engine
