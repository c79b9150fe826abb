// How deeply a statement may be nested: as deep as in PostgreSQL for all that people and programs write, and where it
// is too deep for the stack, that is an error of the statement.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/node/node_test_support.h"
#include "engine/sanitizer_test_support.h"

namespace polarsim::engine::testing {
namespace {

std::string repeat(std::string_view part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

struct Shape {
  const char* name;
  int wanted;  // so deep it must go
  std::function<std::string(int)> write;
};

std::string joins(int n) {
  std::string text = "select 1 from e";
  for (int i = 0; i < n; ++i) text += " join e e" + std::to_string(i) + " on true";
  return text;
}

// Over t(a), which has two rows, e(a), which has none, and views v1 (over t), v2 (over v1), ...
const std::vector<Shape> shapes = {
    {"sum", 2000, [](int n) { return "select 1" + repeat(" + 1", n); }},
    {"sum of columns", 2000, [](int n) { return "select a" + repeat(" + a", n) + " from t"; }},
    {"sum in a condition", 2000, [](int n) { return "select a from t where a" + repeat(" + a", n) + " > 0"; }},
    {"concatenation", 2000, [](int n) { return "select a::text" + repeat(" || 'x'", n) + " from t"; }},
    {"and", 5000, [](int n) { return "select a from t where a > 0" + repeat(" and a > 0", n); }},
    {"or", 5000, [](int n) { return "select a from t where a < 0" + repeat(" or a > 0", n); }},
    {"brackets", 3000, [](int n) { return "select " + repeat("(", n) + "1" + repeat(")", n); }},
    {"not", 1000, [](int n) { return "select " + repeat("not ", n) + "a > 0 from t"; }},
    {"functions", 1000, [](int n) { return "select " + repeat("abs(", n) + "a" + repeat(")", n) + " from t"; }},
    {"case", 500,
     [](int n) { return "select " + repeat("case when a > 0 then ", n) + "1" + repeat(" end", n) + " from t"; }},
    {"subselects", 300, [](int n) { return "select " + repeat("(select ", n) + "1" + repeat(")", n); }},
    {"correlated subselects", 300,
     [](int n) { return "select " + repeat("(select t.a + ", n) + "1" + repeat(")", n) + " from t"; }},
    {"subselects in FROM", 300,
     [](int n) { return repeat("select * from (", n) + "select a from t" + repeat(") x", n); }},
    {"subselects in FROM that stay", 300,
     [](int n) { return repeat("select * from (", n) + "select a from t" + repeat(" offset 0) x", n); }},
    {"exists", 300,
     [](int n) {
       return "select a from t where " + repeat("exists (select from t where ", n) + "a > 0" + repeat(")", n);
     }},
    {"union all", 1000, [](int n) { return "select 1" + repeat(" union all select 1", n); }},
    {"union", 1000, [](int n) { return "select 1" + repeat(" union select 1", n); }},
    {"except", 500, [](int n) { return "select 1" + repeat(" except select 2", n); }},
    {"joins", 60, joins},
    {"with", 300, [](int n) { return repeat("with c as (", n) + "select a from t" + repeat(") select * from c", n); }},
    {"views", 100, [](int n) { return "select * from v" + std::to_string(n); }},
    {"explain", 300, [](int n) { return "explain verbose select " + repeat("(select ", n) + "1" + repeat(")", n); }},
};

constexpr int views = 300;

void make_views(TestSession& session) {
  session.run("create table t (a int)");
  session.run("create table e (a int)");
  session.run("insert into t values (1), (2)");
  session.run("create view v1 as select a from t");
  for (int i = 2; i <= views; ++i)
    session.run("create view v" + std::to_string(i) + " as select a from v" + std::to_string(i - 1));
}

std::string state_of(TestSession& session, const std::string& sql) {
  try {
    session.run(sql);
    return "";
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
}

TEST(StatementDepth, GoesAsDeepAsPeopleNest) {
  // Frames are several times larger there, which stacks of four times the size do not make good.
  const int part = under_sanitizer ? 10 : 1;
  with_session([&](TestNode&, TestSession& session) {
    make_views(session);
    for (const Shape& shape : shapes) EXPECT_EQ(state_of(session, shape.write(shape.wanted / part)), "") << shape.name;
  });
}

TEST(StatementDepth, BeyondThatIsAnErrorOfTheStatement) {
  with_session([](TestNode&, TestSession& session) {
    make_views(session);
    for (const Shape& shape : shapes) {
      for (const int n : {500, 1000, 2000, 4000, 8000, 100'000}) {
        if (std::string_view(shape.name) == "views" && n > views) continue;
        const std::string state = state_of(session, shape.write(n));
        // No more than 64 relations are joined, whatever the stack.
        const bool refused = state == "54001" || (std::string_view(shape.name) == "joins" && state == "0A000");
        EXPECT_TRUE(state.empty() || refused) << shape.name << ' ' << n << ": " << state;
      }
    }
    EXPECT_EQ(session.outcome("select " + repeat("(select ", 3000) + "1" + repeat(")", 3000)),
              "54001 stack depth limit exceeded");
    EXPECT_EQ(session.run("select count(*) from t"), "2");
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
