// Texts built to exhaust a stack: each must parse or end with 54001, and what parses must be safe on a task's stack.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <variant>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"
#include "engine/sql/select_analysis.h"
#include "engine/sql/statement_cache.h"
#include "engine/syntax/text_guard.h"

namespace polarsim::engine::sql {
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
    {"brackets", [](std::size_t n) { return repeat("(", n) + "1" + repeat(")", n); }},
    {"open brackets", [](std::size_t n) { return repeat("(", n); }},
    {"subscripts", [](std::size_t n) { return repeat("array[", n) + "1" + repeat("]", n); }},
    {"sum", [](std::size_t n) { return "1" + repeat(" + 1", n); }},
    {"sum without spaces", [](std::size_t n) { return "1" + repeat("+1", n); }},
    {"concatenation", [](std::size_t n) { return "'x'" + repeat("||'x'", n); }},
    {"not", [](std::size_t n) { return repeat("not ", n) + "true"; }},
    {"minus", [](std::size_t n) { return repeat("- ", n) + "a"; }},
    {"minus of a constant", [](std::size_t n) { return repeat("- ", n) + "1"; }},
    {"bracketed minus", [](std::size_t n) { return repeat("-(", n) + "a" + repeat(")", n); }},
    {"cast", [](std::size_t n) { return "1" + repeat("::int", n); }},
    {"case", [](std::size_t n) { return repeat("case when true then ", n) + "1" + repeat(" end", n); }},
    {"case else", [](std::size_t n) { return repeat("case when true then 1 else ", n) + "1" + repeat(" end", n); }},
    {"case without end", [](std::size_t n) { return repeat("case when ", n); }},
    {"case in a condition",
     [](std::size_t n) { return repeat("case when a and ", n) + "b" + repeat(" then true end", n); }},
    {"function", [](std::size_t n) { return repeat("abs(", n) + "1" + repeat(")", n); }},
    {"coalesce", [](std::size_t n) { return repeat("coalesce(1, ", n) + "1" + repeat(")", n); }},
    {"in", [](std::size_t n) { return repeat("true in (false, ", n) + "true" + repeat(")", n); }},
    {"between and not", [](std::size_t n) { return repeat("1 between 1 and not ", n) + "true"; }},
    {"nested between", [](std::size_t n) { return repeat("(", n) + "1" + repeat(" between 1 and 2)::int", n); }},
    {"nested simple case",
     [](std::size_t n) { return repeat("case ", n) + "1" + repeat(" when 1 then 1 when 2 then 2 end", n); }},
    {"alternating brackets", [](std::size_t n) { return repeat("(a and (b or ", n) + "c" + repeat("))", n); }},
    {"right-nested and", [](std::size_t n) { return repeat("(a and ", n) + "b" + repeat(")", n); }},
    {"is null", [](std::size_t n) { return repeat("(", n) + "1" + repeat(" is null)", n); }},
    {"collate", [](std::size_t n) { return "'x'" + repeat(" collate \"C\"", n); }},
    {"at time zone", [](std::size_t n) { return "a" + repeat(" at time zone 'x'", n); }},
    {"operator()", [](std::size_t n) { return "1" + repeat(" operator(pg_catalog.+) 1", n); }},
    {"subqueries", [](std::size_t n) { return repeat("(select ", n) + "1" + repeat(")", n); }},
    {"union", [](std::size_t n) { return "1, 2" + repeat(" union select 1, 2", n); }},
    {"joins", [](std::size_t n) { return "1 from a" + repeat(" join b on c and d", n); }},
    {"nested joins", [](std::size_t n) { return "1 from a" + repeat(" join b", n) + repeat(" on true", n); }},
    {"dollar quotes", [](std::size_t n) { return repeat("$$((($$ || ", n) + "'x'"; }},
    {"comments", [](std::size_t n) { return repeat("/* ( */ - ", n) + "a"; }},
    {"nested comments", [](std::size_t n) { return repeat("/*", n) + repeat("*/", n) + "1"; }},
    {"quoted identifiers", [](std::size_t n) { return repeat("\"((\" + ", n) + "1"; }},
    {"escape strings", [](std::size_t n) { return repeat("e'\\'((' || ", n) + "'x'"; }},
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

TEST(DepthTest, DeepTextsEndWithAnError) {
  for (const Shape& shape : shapes) {
    for (const std::size_t count : {200, 2'000, 20'000}) {
      const std::string state = outcome("select " + shape.write(count));
      // What the engine refuses anyway may be refused for that; nothing deep may pass.
      const bool flat =
          std::string_view(shape.name) == "minus of a constant" || std::string_view(shape.name) == "nested comments" ||
          std::string_view(shape.name) == "right-nested and" || std::string_view(shape.name) == "brackets";
      EXPECT_TRUE(state == "54001" || state == "0A000" || state == "42601" || (flat && state.empty()))
          << shape.name << " " << count << ": " << state;
    }
  }
}

TEST(DepthTest, AMegabyteOfEachShapeEndsWithAnError) {
  for (const Shape& shape : shapes) {
    const std::size_t unit = shape.write(2).size() - shape.write(1).size();
    const std::string text = "select " + shape.write(1'000'000 / unit);
    const std::string state = outcome(text);
    EXPECT_EQ(state, "54001") << shape.name;
  }
}

TEST(DepthTest, LongFlatTextsAreFine) {
  EXPECT_EQ(outcome("select 1" + repeat(", -1", 50'000)), "");
  EXPECT_EQ(outcome("select a = 1" + repeat(" or a = 1", 20'000)), "");
  EXPECT_EQ(outcome("select a = 1" + repeat(" and (a = 1 or b = -2)", 20'000)), "");
  EXPECT_EQ(outcome("select a in (1" + repeat(", 2", 50'000) + ")"), "");
  EXPECT_EQ(outcome("insert into t values (1, 'x', -1)" + repeat(", (1 + 2, 'it''s', -1)", 20'000)), "");
  EXPECT_EQ(outcome("select concat(1" + repeat(", case when a then 1 end", 5'000) + ")"), "");
  EXPECT_EQ(outcome(repeat("select 1 + 1;", 5'000)), "");
  EXPECT_EQ(outcome("select '" + repeat("((((", 100'000) + "'"), "");
}

TEST(DepthTest, TheGuardCountsOnlyWhatIsCode) {
  EXPECT_NO_THROW(syntax::check_text_depth("select '" + repeat("(", 10'000) + "'"));
  EXPECT_NO_THROW(syntax::check_text_depth("select \"" + repeat("(", 10'000) + "\""));
  EXPECT_NO_THROW(syntax::check_text_depth("select $q$" + repeat("(", 10'000) + "$q$"));
  EXPECT_NO_THROW(syntax::check_text_depth("-- " + repeat("(", 10'000) + "\nselect 1"));
  EXPECT_NO_THROW(syntax::check_text_depth("/* /* */ " + repeat("(", 10'000) + "*/ select 1"));
  EXPECT_NO_THROW(syntax::check_text_depth("select e'\\'" + repeat("(", 10'000) + "'"));
  EXPECT_THROW(syntax::check_text_depth("select 'x' " + repeat("(", 10'000)), SqlError);
  EXPECT_THROW(syntax::check_text_depth("select e'\\' ' " + repeat("(", 10'000)), SqlError);
  EXPECT_THROW(syntax::check_text_depth("select $1 " + repeat("(", 10'000)), SqlError);
}

// The deepest tree that parses, in each shape, is analysed, evaluated, written out and destroyed on a stack of 256 KiB.
TEST(DepthTest, TheDeepestTreesAreSafeOnATasksStack) {
  sim::RunningDigest digest;
  sim::ChoiceOracle choices(1, &digest);
  sim::Scheduler scheduler(sim::SchedulerOptions{}, digest, choices);
  StatementCache cache(scheduler, 0);
  TableShape table;
  table.name = "t";
  table.columns = {{"a", TypeId::boolean, false, nullptr},
                   {"b", TypeId::boolean, false, nullptr},
                   {"c", TypeId::boolean, false, nullptr}};
  int parsed = 0;
  scheduler.spawn("deep", [&] {
    for (const Shape& shape : shapes) {
      for (std::size_t count = max_expression_depth; count >= 10; --count) {
        std::vector<StatementPtr> statements;
        try {
          statements = cache.parse("select " + shape.write(count) + " from t");
        } catch (const SqlError&) {
          continue;
        }
        ++parsed;
        const auto& select = std::get<Select>(statements[0]->body);
        EXPECT_FALSE(deparse(*statements[0]).empty());
        SCOPED_TRACE(shape.name);
        try {
          const AnalyzedSelect analyzed = analyze_select(select, &table);
          const Row row = {Value::boolean(true), Value::boolean(false), Value::null()};
          EvaluationContext context;
          context.row = row;
          for (const OutputColumn& column : analyzed.columns) evaluate(column.expression, context);
        } catch (const SqlError&) {
          // Some shapes have no types that fit; the walk to find that out is what matters.
        }
        break;
      }
    }
  });
  scheduler.run();
  EXPECT_GE(parsed, 20);
}

}  // namespace
}  // namespace polarsim::engine::sql
