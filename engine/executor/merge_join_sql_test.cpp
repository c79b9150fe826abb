// Joins by merging, by hashing and by nested loops give the same rows, whatever the keys: NULLs, duplicates on both
// sides, several columns, sides without rows, orders that indexes give, joins that are run again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/executor/executor_sql_test_support.h"

namespace polarsim::engine::executor::testing {
namespace {

std::string any_of(std::initializer_list<const char*> texts) { return *rc::gen::elementOf(std::vector(texts)); }

std::string any_row() {
  const auto number = [](int most) {
    const int value = *rc::gen::inRange(-1, most);
    return value < 0 ? std::string("NULL") : std::to_string(value);
  };
  const std::string a = number(6);
  const std::string b = number(3);
  const std::string c = number(3);
  return fmt::format("({}, {}, {}::text)", a, b, c);
}

std::vector<std::string> any_tables() {
  std::vector<std::string> statements{
      "CREATE TABLE x (a int, b int, c text)", "CREATE TABLE y (a bigint, b int, c text)",
      "CREATE TABLE z (a int, b int, c varchar)", "CREATE TABLE w (a int, b int, c char(3))"};
  const char* indexes[] = {"CREATE INDEX ON x (a)", "CREATE INDEX ON x (b DESC, a)", "CREATE INDEX ON y (a DESC, b)",
                           "CREATE INDEX ON y (c, a)", "CREATE INDEX ON z (a)"};
  for (const char* index : indexes) {
    if (*rc::gen::arbitrary<bool>()) statements.emplace_back(index);
  }
  for (const char* table : {"x", "y", "z", "w"}) {
    std::string rows;
    for (int i = *rc::gen::inRange(0, 14); i > 0; --i) rows += (rows.empty() ? "" : ", ") + any_row();
    if (!rows.empty()) statements.push_back(fmt::format("INSERT INTO {} VALUES {}", table, rows));
    if (*rc::gen::arbitrary<bool>()) statements.push_back(fmt::format("ANALYZE {}", table));
  }
  return statements;
}

std::string any_condition(const char* left, const char* right) {
  std::string text;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    const std::string form = any_of({"{0}.a = {1}.a", "{0}.b = {1}.b", "{0}.c = {1}.c", "{1}.b = {0}.a",
                                     "{0}.a + 1 = {1}.a", "{0}.b = {1}.a", "{0}.b <= {1}.b"});
    // Something that may be merged by comes first.
    const std::string one = text.empty() ? any_of({"{0}.a = {1}.a", "{0}.b = {1}.a", "{0}.c = {1}.c"}) : form;
    text += (text.empty() ? "" : " AND ") + fmt::format(fmt::runtime(one), left, right);
  }
  return text;
}

std::string any_query() {
  const std::string xy = any_condition("x", "y");
  const std::string yz = any_condition("y", "z");
  const std::string xz = any_condition("x", "z");
  const std::string join = any_of({"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"});
  const std::string next = any_of({"JOIN", "LEFT JOIN", "RIGHT JOIN"});
  const std::string exists = any_of({"EXISTS", "NOT EXISTS"});
  // What char(n) compares without its blanks, and as a text.
  const std::string padded = any_of({"{0}.c = w.c", "{0}.c::char(3) = w.c", "{0}.c = w.c::text"});
  const std::string xw = fmt::format(fmt::runtime(padded + any_of({"", " AND {0}.b = w.b"})), "x");
  const std::string way = any_of({"", " DESC", " NULLS FIRST", " DESC NULLS LAST"});
  switch (*rc::gen::inRange(0, 11)) {
    case 0:
      return fmt::format("SELECT * FROM x {} y ON {} ORDER BY 1{}, 2, 3, 4, 5, 6", join,
                         join[0] == 'F' ? "x.a = y.a" : xy, way);
    case 1:
      return fmt::format("SELECT x.a FROM x {} y ON {} ORDER BY x.a{}", join, join[0] == 'F' ? "x.a = y.a" : xy, way);
    case 2:
      return fmt::format("SELECT y.a, y.b FROM x JOIN y ON {} ORDER BY y.a{}, y.b", xy, way);
    case 3:
      return fmt::format("SELECT * FROM x WHERE {} (SELECT 1 FROM y WHERE {}) ORDER BY 1, 2, 3", exists, xy);
    case 4:
      return fmt::format("SELECT * FROM x {} y ON {} {} z ON {} ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
                         join[0] == 'F' ? "JOIN" : join, xy, next, any_of({"", "x.a = z.a AND "}) + yz);
    case 5:
      return fmt::format("SELECT * FROM x WHERE a IN (SELECT y.a FROM y {} z ON {}) ORDER BY 1, 2, 3",
                         join[0] == 'F' ? "JOIN" : join, yz);
    case 6:
      return fmt::format(
          "SELECT * FROM z, LATERAL (SELECT x.a, y.b, y.c FROM x {} y ON {} AND x.b = z.b OFFSET {}) l "
          "WHERE z.a > 0 ORDER BY 1, 2, 3, 4, 5, 6",
          any_of({"JOIN", "LEFT JOIN"}), xy, 0);
    case 7:
      return fmt::format("SELECT z.a, (SELECT count(*) FROM x {} y ON {} WHERE x.b = z.b) FROM z ORDER BY 1, 2",
                         join[0] == 'F' ? "JOIN" : join, xy);
    case 8:
      return fmt::format("SELECT * FROM x {} w ON {} ORDER BY 1{}, 2, 3, 4, 5, 6", join, xw, way);
    case 9:
      return fmt::format("SELECT * FROM w {} w v ON w.c = v.c AND w.a = v.b ORDER BY w.c{}, 1, 2, 4, 5, 6", join, way);
    default:
      return fmt::format("SELECT * FROM z LEFT JOIN (x JOIN y ON {}) ON {} ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9", xy, xz);
  }
}

RC_GTEST_PROP(MergeJoins, GiveWhatOtherJoinsGive, ()) {
  const std::vector<std::string> tables = any_tables();
  std::vector<std::string> queries;
  for (int i = 0; i < 12; ++i) queries.push_back(any_query());
  const std::size_t memory = *rc::gen::element<std::size_t>(64, default_work_memory_bytes);
  const bool seqscan = *rc::gen::arbitrary<bool>();
  engine::testing::with_node([&](engine::testing::TestNode& node) {
    SqlRunner runner(node);
    for (const std::string& statement : tables) {
      const auto answer = runner.run(statement);
      ASSERT_FALSE(!answer.empty() && answer.front().starts_with("!")) << statement << ": " << answer.front();
    }
    runner.work_memory_bytes = memory;
    for (const std::string& query : queries) {
      runner.settings = {};
      runner.settings.enable_seqscan = seqscan;
      runner.settings.enable_hashjoin = runner.settings.enable_nestloop = false;
      const auto merged = runner.run(query);
      ASSERT_FALSE(!merged.empty() && merged.front().starts_with("!")) << query << ": " << merged.front();
      runner.settings = {};
      runner.settings.enable_mergejoin = runner.settings.enable_nestloop = false;
      EXPECT_EQ(merged, runner.run(query)) << query;
      runner.settings = {};
      runner.settings.enable_mergejoin = runner.settings.enable_hashjoin = runner.settings.enable_indexscan = false;
      EXPECT_EQ(merged, runner.run(query)) << query;
    }
  });
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
