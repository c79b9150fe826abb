// Texts built to exhaust a stack: each must parse or end with 54001, and what parses is never deeper than promised.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "engine/syntax/equality.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

std::string repeat(std::string_view part, std::size_t count) {
  std::string out;
  out.reserve(part.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

// How to write a tree of a given depth in each of the ways the grammar offers.
struct Shape {
  const char* name;
  std::function<std::string(std::size_t)> write;
};

const Shape shapes[] = {
    {"sum", [](std::size_t n) { return "select 1" + repeat(" + 1", n); }},
    {"not", [](std::size_t n) { return "select " + repeat("not ", n) + "true"; }},
    {"minus", [](std::size_t n) { return "select " + repeat("- ", n) + "a"; }},
    {"cast", [](std::size_t n) { return "select 1" + repeat("::int", n); }},
    {"case", [](std::size_t n) { return "select " + repeat("case when true then ", n) + "1" + repeat(" end", n); }},
    {"function", [](std::size_t n) { return "select " + repeat("abs(", n) + "1" + repeat(")", n); }},
    {"array", [](std::size_t n) { return "select " + repeat("array[", n) + "1" + repeat("]", n); }},
    {"fields", [](std::size_t n) { return "select (a)" + repeat(".b", n); }},
    {"subscripted fields", [](std::size_t n) { return "select (a)" + repeat(".b[1]", n); }},
    {"in", [](std::size_t n) { return "select " + repeat("true in (false, ", n) + "true" + repeat(")", n); }},
    {"alternating", [](std::size_t n) { return "select " + repeat("(a and (b or ", n) + "c" + repeat("))", n); }},
    {"collate", [](std::size_t n) { return "select 'x'" + repeat(" collate \"C\"", n); }},
    {"subqueries", [](std::size_t n) { return "select " + repeat("(select ", n) + "1" + repeat(")", n); }},
    {"subqueries in FROM", [](std::size_t n) { return repeat("select * from (", n) + "select 1" + repeat(") x", n); }},
    {"union", [](std::size_t n) { return "select 1" + repeat(" union select 1", n); }},
    {"joins", [](std::size_t n) { return "select 1 from a" + repeat(" join b on c", n); }},
    {"nested joins", [](std::size_t n) { return "select 1 from a" + repeat(" join b", n) + repeat(" on true", n); }},
    {"with", [](std::size_t n) { return repeat("with a as (", n) + "select 1" + repeat(") select 1", n); }},
    {"grouping sets",
     [](std::size_t n) { return "select 1 group by " + repeat("grouping sets (", n) + "a" + repeat(")", n); }},
    {"explain", [](std::size_t n) { return "explain select " + repeat("abs(", n) + "1" + repeat(")", n); }},
};

// "" if it parsed, else the SQLSTATE.
std::string outcome(const std::string& text) {
  try {
    (void)parse(text);
    return "";
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
}

TEST(DepthTest, DeepTreesAreRefusedAndShallowOnesAreNot) {
  for (const Shape& shape : shapes) {
    EXPECT_EQ(outcome(shape.write(200)), "") << shape.name;
    // In between it is a matter of the stack.
    for (const std::size_t n : {1000, 2000, 5000}) {
      const std::string state = outcome(shape.write(n));
      EXPECT_TRUE(state.empty() || state == sqlstate::statement_too_complex) << shape.name << ' ' << n;
    }
    EXPECT_EQ(outcome(shape.write(100'000)), sqlstate::statement_too_complex) << shape.name;
  }
}

// What is deep can be written, and what is written can be read again.
TEST(DepthTest, DeepTreesComeBack) {
  constexpr std::size_t n = 200;
  for (const Shape& shape : shapes) {
    const StatementPtr statement = parse(shape.write(n)).at(0);
    EXPECT_TRUE(structurally_equal(*statement, *parse(deparse(*statement)).at(0))) << shape.name << ' ' << n;
  }
}

TEST(DepthTest, LongFlatListsAreFine) {
  const std::size_t n = 20'000;
  for (const std::string& text :
       {"select 1" + repeat(", 1", n), "select a in (1" + repeat(", 1", n) + ")", "select f(1" + repeat(", 1", n) + ")",
        "select a" + repeat(" and a", n), "select a = 1" + repeat(" or a = 1", n), "values (1)" + repeat(", (1)", n),
        "select 1 from a" + repeat(", a", n), "insert into t values (1)" + repeat(", (1)", n)}) {
    EXPECT_EQ(outcome(text), "") << text.substr(0, 30);
  }
}

}  // namespace
}  // namespace polarsim::engine::syntax
