// Expressions against results recorded from PostgreSQL 15: expressions.tsv.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "engine/node/node_test_support.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::testing {
namespace {

// What the table has after the expression.
std::string answer(TestSession& session, const std::string& expression) {
  try {
    const QueryResult result = session.execute("SELECT " + expression + " FROM t");
    std::string shown;
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
      const ResultColumn& column = result.columns[i];
      const Value& value = result.rows.at(0).at(i);
      shown += fmt::format("{}{} {} {}", shown.empty() ? "" : "\t", column.name, type_name(column.type.id),
                           value.is_null() ? "\\N" : output_value(value, column.type.id, {}));
    }
    return shown;
  } catch (const SqlError& error) {
    const ErrorFields& fields = error.fields();
    return fmt::format("ERR {} {} @{}", fields.sqlstate, fields.message, fields.position);
  }
}

TEST(Expressions, ResultsAndErrorsAreThoseRecordedFromPostgresql) {
  std::ifstream table("engine/node/expressions.tsv");
  ASSERT_TRUE(table) << "run from the project's root";
  with_session([&](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (a int, b bigint, c text, d boolean, n int)");
    session.run("INSERT INTO t VALUES (7, 5000000000, 'seven', true, NULL)");
    int rows = 0;
    for (std::string line; std::getline(table, line);) {
      if (line.empty() || line.front() == '#') continue;
      const std::size_t tab = line.find('\t');
      ASSERT_NE(tab, std::string::npos) << line;
      ++rows;
      EXPECT_EQ(answer(session, line.substr(0, tab)), line.substr(tab + 1)) << line.substr(0, tab);
    }
    EXPECT_GE(rows, 1000);
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
