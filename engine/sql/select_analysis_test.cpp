#include "engine/sql/select_analysis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::sql {
namespace {

// Runs a SELECT over rows in the way select_analysis.h describes, as plainly as possible.
class SelectTest : public ::testing::Test {
 protected:
  SelectTest() {
    table.name = "t";
    table.columns = {
        {"k", TypeId::int4, true, nullptr}, {"g", TypeId::text, false, nullptr}, {"v", TypeId::int8, false, nullptr}};
    const auto add = [&](int k, Value g, Value v) { rows.push_back({Value::integer(k), std::move(g), std::move(v)}); };
    add(1, Value::text("x"), Value::integer(10));
    add(2, Value::text("y"), Value::integer(20));
    add(3, Value::text("x"), Value::null());
    add(4, Value::null(), Value::integer(5));
    add(5, Value::text("x"), Value::integer(10));
    add(6, Value::null(), Value::integer(-5));
  }

  // Rows as "a,b;c,d", NULL as "-", or the error.
  std::string run(const std::string& text) {
    try {
      return run_checked(text);
    } catch (const SqlError& error) {
      return error.what();
    }
  }

  std::string run_checked(const std::string& text) {
    const StatementPtr statement = parse(text).at(0);
    const AnalyzedSelect select = analyze_select(std::get<Select>(statement->body), &table);
    EvaluationContext context;
    std::vector<Row> produced;
    std::vector<Row> sort_values;
    const auto produce = [&](const EvaluationContext& source) {
      Row out;
      for (const OutputColumn& column : select.columns) out.push_back(evaluate(column.expression, source));
      Row sorting;
      for (const SortKey& key : select.order_by) {
        sorting.push_back(key.column >= 0 ? out[static_cast<std::size_t>(key.column)]
                                          : evaluate(key.expression, source));
      }
      produced.push_back(std::move(out));
      sort_values.push_back(std::move(sorting));
    };
    Grouping grouping(select);
    for (const Row& row : rows) {
      context.row = row;
      if (select.where && !evaluate_condition(select.where, context)) continue;
      select.grouped ? grouping.add(context) : produce(context);
    }
    if (select.grouped) {
      for (const Grouping::Group& group : grouping.finish(EvaluationContext())) {
        context.row = group.row;
        context.aggregates = group.aggregates;
        produce(context);
      }
    }
    return written(select, produced, sort_values);
  }

  static std::string written(const AnalyzedSelect& select, const std::vector<Row>& produced,
                             const std::vector<Row>& sort_values) {
    std::vector<std::size_t> order(produced.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      for (std::size_t i = 0; i < select.order_by.size(); ++i) {
        const int relation = compare_for_sort(sort_values[a][i], sort_values[b][i], select.order_by[i]);
        if (relation != 0) return relation < 0;
      }
      return a < b;
    });
    const RowWindow window = row_window(select, EvaluationContext());
    std::string out;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto position = static_cast<std::int64_t>(i);
      if (position < window.offset || (window.limit >= 0 && position >= window.offset + window.limit)) continue;
      if (!out.empty()) out += ';';
      for (std::size_t j = 0; j < produced[order[i]].size(); ++j) {
        const Value& value = produced[order[i]][j];
        out += (j > 0 ? "," : "") + (value.is_null() ? "-" : to_text(value));
      }
    }
    return out;
  }

  TableShape table;
  std::vector<Row> rows;
};

TEST_F(SelectTest, AggregatesOverTheWholeTable) {
  EXPECT_EQ(run("SELECT count(*), count(v), count(DISTINCT v), count(DISTINCT g), sum(v), sum(DISTINCT v), min(v), "
                "max(v) FROM t"),
            "6,5,4,2,40,30,-5,20");
  EXPECT_EQ(run("SELECT min(g), max(g), bool_and(k > 0), bool_or(k > 5), bool_and(v > 0), string_agg(g, '+') FROM t"),
            "x,y,t,t,f,x+y+x+x");
  EXPECT_EQ(run("SELECT sum(k) + count(*) * 2 FROM t WHERE k < 4"), "12");
}

TEST_F(SelectTest, AggregatesOverNothing) {
  EXPECT_EQ(run("SELECT count(*), count(v), sum(v), min(g), bool_or(k > 0), string_agg(g, ',') FROM t WHERE false"),
            "0,0,-,-,-,-");
  EXPECT_EQ(run("SELECT g, count(*) FROM t WHERE false GROUP BY g"), "");
  EXPECT_EQ(run("SELECT 1 FROM t HAVING count(*) > 100"), "");
  EXPECT_EQ(run("SELECT 1 FROM t HAVING count(*) = 6"), "1");
}

TEST_F(SelectTest, SumsNeedToFitOnlyInTheEnd) {
  rows = {{Value::integer(1), Value::null(), Value::integer(9223372036854775807)},
          {Value::integer(2), Value::null(), Value::integer(9223372036854775807)},
          {Value::integer(3), Value::null(), Value::integer(-9223372036854775807)}};
  EXPECT_EQ(run("SELECT sum(v) FROM t"), "9223372036854775807");
  EXPECT_EQ(run("SELECT sum(v) FROM t WHERE k < 3"), "22003: bigint out of range");
  EXPECT_EQ(run("SELECT sum(-v) FROM t WHERE k < 3"), "22003: bigint out of range");
}

TEST_F(SelectTest, Groups) {
  EXPECT_EQ(run("SELECT g, count(*), sum(v) FROM t GROUP BY g ORDER BY g"), "x,3,20;y,1,20;-,2,0");
  EXPECT_EQ(run("SELECT g, count(*) FROM t GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC, 1"), "x,3;-,2");
  EXPECT_EQ(run("SELECT k % 2 AS odd, count(*) FROM t GROUP BY odd ORDER BY odd"), "0,3;1,3");
  EXPECT_EQ(run("SELECT (k % 2) + 1, count(*) FROM t GROUP BY k % 2 ORDER BY k % 2 DESC"), "2,3;1,3");
  EXPECT_EQ(run("SELECT t.g FROM t GROUP BY g ORDER BY count(*), t.g NULLS FIRST"), "y;-;x");
  EXPECT_EQ(run("SELECT count(*) FROM t GROUP BY g, v ORDER BY 1 DESC, g, v"), "2;1;1;1;1");
}

TEST_F(SelectTest, UngroupedColumnsAreRefused) {
  const std::string message =
      "42803: column \"t.v\" must appear in the GROUP BY clause or be used in an aggregate function";
  EXPECT_EQ(run("SELECT v, count(*) FROM t"), message);
  EXPECT_EQ(run("SELECT g, t.v FROM t GROUP BY g"), message);
  EXPECT_EQ(run("SELECT g FROM t GROUP BY g HAVING v > 1"), message);
  EXPECT_EQ(run("SELECT g FROM t GROUP BY g ORDER BY v"), message);
  EXPECT_EQ(run("SELECT v + 1 FROM t GROUP BY v + 2"), message);
  EXPECT_EQ(run("SELECT * FROM t GROUP BY k, g"), message);
  EXPECT_EQ(run("SELECT 1 FROM t GROUP BY count(*)"), "42803: aggregate functions are not allowed in GROUP BY");
  EXPECT_EQ(run("SELECT count(*) FROM t LIMIT count(*)"), "42803: aggregate functions are not allowed in LIMIT");
}

TEST_F(SelectTest, GroupingByThePrimaryKeyCoversAllColumns) {
  table.primary_key = {0};
  EXPECT_EQ(run("SELECT k, v, count(*) FROM t GROUP BY k ORDER BY k LIMIT 2"), "1,10,1;2,20,1");
}

TEST_F(SelectTest, OrderAndLimits) {
  EXPECT_EQ(run("SELECT k FROM t ORDER BY v, k"), "6;4;1;5;2;3");
  EXPECT_EQ(run("SELECT k FROM t ORDER BY v DESC, k DESC"), "3;2;5;1;4;6");
  EXPECT_EQ(run("SELECT k FROM t ORDER BY v DESC NULLS LAST, k LIMIT 2 OFFSET 1"), "1;5");
  EXPECT_EQ(run("SELECT -k AS k FROM t ORDER BY k LIMIT 2"), "-6;-5");
  EXPECT_EQ(run("SELECT -k AS x FROM t ORDER BY t.k LIMIT NULL OFFSET 4"), "-5;-6");
  EXPECT_EQ(run("SELECT k FROM t LIMIT '2'"), "1;2");
  EXPECT_EQ(run("SELECT k FROM t LIMIT -1"), "2201W: LIMIT must not be negative");
  EXPECT_EQ(run("SELECT k FROM t OFFSET -1"), "2201X: OFFSET must not be negative");
  EXPECT_EQ(run("SELECT k FROM t LIMIT true"), "42804: argument of LIMIT must be type bigint, not type boolean");
  EXPECT_EQ(run("SELECT k FROM t LIMIT k"), "42P10: argument of LIMIT must not contain variables");
  EXPECT_EQ(run("SELECT k FROM t ORDER BY 2"), "42P10: ORDER BY position 2 is not in select list");
  EXPECT_EQ(run("SELECT k FROM t GROUP BY 0"), "42P10: GROUP BY position 0 is not in select list");
  EXPECT_EQ(run("SELECT k FROM t ORDER BY 'x'"), "42601: non-integer constant in ORDER BY");
  EXPECT_EQ(run("SELECT k AS a, v AS a FROM t ORDER BY a"), "42702: ORDER BY \"a\" is ambiguous");
  EXPECT_EQ(run("SELECT DISTINCT k FROM t ORDER BY v"),
            "42P10: for SELECT DISTINCT, ORDER BY expressions must appear in select list");
  EXPECT_EQ(run("SELECT count(*) FROM t FOR UPDATE"), "0A000: FOR UPDATE is not allowed with aggregate functions");
}

TEST_F(SelectTest, AliasesQualifyColumns) {
  table.name = "u";
  EXPECT_EQ(run("SELECT u.k FROM t u LIMIT 1"), "1");
  EXPECT_EQ(run("SELECT t.k FROM t u"), "42P01: missing FROM-clause entry for table \"t\"");
}

TEST_F(SelectTest, CallsWrittenAlikeShareAState) {
  const StatementPtr statement = parse("SELECT sum(v), sum(t.v) + 1, sum(DISTINCT v) FROM t HAVING sum(v) > 0").at(0);
  const AnalyzedSelect select = analyze_select(std::get<Select>(statement->body), &table);
  EXPECT_EQ(select.aggregates.size(), 2u);
}

}  // namespace
}  // namespace polarsim::engine::sql
