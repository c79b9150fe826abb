#include <gtest/gtest.h>

#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/regex.h"
#include "engine/types/text_form.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine {
namespace {

const CallContext context;

Type varchar(std::int32_t length) { return {TypeId::varchar, length + 4}; }
Type bpchar(std::int32_t length) { return {TypeId::bpchar, length + 4}; }

std::string kept(std::string_view text, Type type, bool by_cast) {
  try {
    return std::string(families::behaviour_of(type.id).modify(Value::text(text), type, by_cast).as_text());
  } catch (const SqlError& error) {
    return error.what();
  }
}

TEST(TextModifiers, CastsCutAndAssignmentsCutOnlyBlanks) {
  EXPECT_EQ(kept("abc", varchar(2), true), "ab");
  EXPECT_EQ(kept("abc", varchar(2), false), "22001: value too long for type character varying(2)");
  EXPECT_EQ(kept("ab  ", varchar(3), false), "ab ");
  EXPECT_EQ(kept("ab", varchar(3), false), "ab");
  EXPECT_EQ(kept("éé€", varchar(2), true), "éé");
  EXPECT_EQ(kept("éé", varchar(2), false), "éé");
  EXPECT_EQ(kept("abc", bpchar(2), true), "ab");
  EXPECT_EQ(kept("abc", bpchar(2), false), "22001: value too long for type character(2)");
  EXPECT_EQ(kept("a   ", bpchar(2), false), "a ");
}

TEST(TextModifiers, FixedLengthsArePaddedByCharacters) {
  EXPECT_EQ(kept("a", bpchar(3), false), "a  ");
  EXPECT_EQ(kept("é", bpchar(3), false), "é  ");
  EXPECT_EQ(kept("", bpchar(1), true), " ");
}

TEST(TextModifiers, InputIsNoExplicitCast) {
  EXPECT_EQ(input_value("a", bpchar(2), context).as_text(), "a ");
  EXPECT_EQ(input_value("a ", TypeId::bpchar, context).as_text(), "a ");
  EXPECT_THROW(input_value("abc", varchar(2), context), SqlError);
}

TEST(TextModifiers, NamesAreCutAtWholeCharacters) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "é";
  EXPECT_EQ(input_value(text, TypeId::name, context).as_text(), text.substr(0, 62));
}

TEST(TextModifiers, PaddedTextsAreEqualAndHashAlike) {
  const families::TypeBehaviour& behaviour = families::behaviour_of(TypeId::bpchar);
  EXPECT_EQ(behaviour.compare(Value::text("a  "), Value::text("a")), 0);
  EXPECT_EQ(behaviour.hash(Value::text("a  ")), behaviour.hash(Value::text("a")));
  EXPECT_LT(behaviour.compare(Value::text("a"), Value::text("a\t")), 0);
}

// These would take exponential time in an engine that tries one way after the other, or too much space.
TEST(RegexWork, IsLinearOrRefused) {
  const std::u32string many(3000, U'a');
  EXPECT_FALSE(Regex(U"(a*)*b", {}).search(many, 0, {}));
  EXPECT_FALSE(Regex(U"(a|aa)*b", {}).search(many, 0, {}));
  EXPECT_THROW(Regex(U"((a{1,50}){1,50}){1,50}", {}), SqlError);
  EXPECT_THROW(Regex(std::u32string(101, U'(') + std::u32string(101, U')'), {}), SqlError);
  std::u32string lookaheads;
  for (int i = 0; i < 5000; ++i) lookaheads += U"ab";
  EXPECT_THROW(Regex(U"(?=.*z)b", {}).search(lookaheads, 0, {}), SqlError);
}

}  // namespace
}  // namespace polarsim::engine
