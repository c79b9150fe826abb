// Expressions against results recorded from PostgreSQL 15: expressions.tsv.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"
#include "engine/sql/select_analysis.h"

namespace polarsim::engine::sql {
namespace {

TableShape recorded_table() {
  TableShape table;
  table.name = "t";
  table.columns = {{"a", TypeId::int4, false, nullptr},
                   {"b", TypeId::int8, false, nullptr},
                   {"c", TypeId::text, false, nullptr},
                   {"d", TypeId::boolean, false, nullptr},
                   {"n", TypeId::int4, false, nullptr}};
  return table;
}

Row recorded_row() {
  return {Value::integer(7), Value::integer(5'000'000'000), Value::text("seven"), Value::boolean(true), Value::null()};
}

// What the table has after the expression.
std::string outcome(const std::string& expression) {
  const TableShape table = recorded_table();
  Row row = recorded_row();
  try {
    const StatementPtr statement = parse("SELECT " + expression + " FROM t").at(0);
    const AnalyzedSelect select = analyze_select(std::get<Select>(statement->body), &table);
    EvaluationContext context;
    context.row = row;
    std::vector<Grouping::Group> groups;
    if (select.grouped) {
      Grouping grouping(select);
      grouping.add(context);
      groups = grouping.finish(context);
      context.row = groups.at(0).row;
      context.aggregates = groups.at(0).aggregates;
    }
    std::string out;
    for (const OutputColumn& column : select.columns) {
      const Value value = evaluate(column.expression, context);
      if (!out.empty()) out += '\t';
      out += column.name + ' ' + type_name(column.expression.type()) + ' ' + (value.is_null() ? "\\N" : to_text(value));
    }
    return out;
  } catch (const SqlError& error) {
    const ErrorFields& fields = error.fields();
    return "ERR " + fields.sqlstate + ' ' + fields.message + " @" + std::to_string(fields.position);
  }
}

TEST(ExpressionTest, ResultsAndErrorsAreThoseRecordedFromPostgresql) {
  std::ifstream table("engine/sql/expressions.tsv");
  ASSERT_TRUE(table) << "run from the project's root";
  int rows = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    ++rows;
    EXPECT_EQ(outcome(line.substr(0, tab)), line.substr(tab + 1)) << line.substr(0, tab);
  }
  EXPECT_GE(rows, 500);
}

class AnalysisTest : public ::testing::Test {
 protected:
  ExpressionPtr expression(const std::string& text) {
    statement_ = parse("SELECT " + text).at(0);
    return std::get<Select>(statement_->body).items.at(0).expression;
  }
  ExpressionPtr condition(const std::string& text) {
    return std::get<Select>(parse("SELECT 1 FROM t WHERE " + text).at(0)->body).where;
  }

  // As UPDATE or INSERT would assign it to a column v of the type.
  std::string assigned(const std::string& text, TypeId type) {
    const TableShape table = recorded_table();
    const Row row = recorded_row();
    AnalyzeOptions options;
    options.table = &table;
    EvaluationContext context;
    context.row = row;
    try {
      const BoundExpression bound = analyze_assignment(expression(text), options, type, "v");
      EXPECT_EQ(bound.type(), type);
      const Value value = evaluate(bound, context);
      return value.is_null() ? "NULL" : to_text(value);
    } catch (const SqlError& error) {
      return error.what();
    }
  }

  Value with_parameters(const std::string& text, Row parameters, std::vector<TypeId> types = {}) {
    AnalyzeOptions options;
    options.parameter_types = types;
    EvaluationContext context;
    context.parameters = parameters;
    return evaluate(analyze(expression(text), options), context);
  }

  StatementPtr statement_;
};

TEST_F(AnalysisTest, AssignmentCasts) {
  EXPECT_EQ(assigned("b", TypeId::int4), "22003: integer out of range");
  EXPECT_EQ(assigned("7::bigint", TypeId::int4), "7");
  EXPECT_EQ(assigned("a", TypeId::int8), "7");
  EXPECT_EQ(assigned("a", TypeId::text), "7");
  EXPECT_EQ(assigned("d", TypeId::text), "true");
  EXPECT_EQ(assigned("'12'", TypeId::int4), "12");
  EXPECT_EQ(assigned("'x'", TypeId::int4), "22P02: invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(assigned("NULL", TypeId::boolean), "NULL");
  EXPECT_EQ(assigned("c", TypeId::int4), "42804: column \"v\" is of type integer but expression is of type text");
  EXPECT_EQ(assigned("a", TypeId::boolean), "42804: column \"v\" is of type boolean but expression is of type integer");
  EXPECT_EQ(assigned("d", TypeId::int8), "42804: column \"v\" is of type bigint but expression is of type boolean");
}

TEST_F(AnalysisTest, ParametersTakeTheTypeOfTheirContext) {
  EXPECT_EQ(with_parameters("$1 + 1", {Value::text("41")}), Value::integer(42));
  EXPECT_EQ(with_parameters("$1 + 1", {Value::integer(41)}), Value::integer(42));
  EXPECT_EQ(with_parameters("$1", {Value::text("41")}), Value::text("41"));
  EXPECT_EQ(with_parameters("$1", {Value::text("41")}, {TypeId::int8}), Value::integer(41));
  EXPECT_EQ(with_parameters("$1::int", {Value::text("41")}), Value::integer(41));
  EXPECT_EQ(with_parameters("$1::int", {Value::text("41")}, {TypeId::int8}), Value::integer(41));
  EXPECT_EQ(with_parameters("$1 || 'x'", {Value::integer(5)}), Value::text("5x"));
  EXPECT_EQ(with_parameters("$1 AND true", {Value::text("t")}), Value::boolean(true));
  EXPECT_EQ(with_parameters("$2 IN (1, $1)", {Value::text("7"), Value::text("7")}), Value::boolean(true));
  EXPECT_EQ(with_parameters("COALESCE($1, 5)", {Value::null()}), Value::integer(5));
  EXPECT_THROW(with_parameters("$1 + 1", {Value::text("x")}), SqlError);
  EXPECT_THROW(with_parameters("$1 + 1", {Value::integer(5'000'000'000)}), SqlError);
  EXPECT_THROW(with_parameters("$2 + 1", {Value::text("1")}), SqlError);
}

TEST_F(AnalysisTest, ConditionsMustBeBoolean) {
  const TableShape table = recorded_table();
  const Row row = recorded_row();
  AnalyzeOptions options;
  options.table = &table;
  EvaluationContext context;
  context.row = row;
  EXPECT_TRUE(evaluate_condition(analyze_condition(condition("a = 7"), options, "WHERE"), context));
  EXPECT_FALSE(evaluate_condition(analyze_condition(condition("n = 7"), options, "WHERE"), context));
  EXPECT_FALSE(evaluate_condition(analyze_condition(condition("NOT n = 7"), options, "WHERE"), context));
  try {
    analyze_condition(condition("a"), options, "WHERE");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "42804: argument of WHERE must be type boolean, not type integer");
  }
  try {
    analyze_condition(condition("count(*) > 1"), options, "WHERE");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "42803: aggregate functions are not allowed in WHERE");
  }
}

TEST_F(AnalysisTest, ExcludedRowsAndAmbiguity) {
  const TableShape table = recorded_table();
  const Row row = recorded_row();
  Row proposed = row;
  proposed[0] = Value::integer(100);
  AnalyzeOptions options;
  options.table = &table;
  options.excluded_allowed = true;
  const auto statement =
      parse("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = t.a + excluded.a, b = b").at(0);
  const auto& assignments = std::get<Insert>(statement->body).on_conflict->assignments;
  EvaluationContext context;
  context.row = row;
  context.excluded = proposed;
  EXPECT_EQ(evaluate(analyze(assignments[0].value, options), context), Value::integer(107));
  try {
    analyze(assignments[1].value, options);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "42702: column reference \"b\" is ambiguous");
  }
}

TEST_F(AnalysisTest, EqualitiesAreFoundInConjunctions) {
  const auto found = [&](const std::string& where) {
    const ExpressionPtr value = find_equality(condition(where), "t", "id");
    return value ? deparse(*value) : "none";
  };
  EXPECT_EQ(found("id = 5"), "5");
  EXPECT_EQ(found("$1 = id"), "$1");
  EXPECT_EQ(found("t.id = 1 + $1"), "1 + $1");
  EXPECT_EQ(found("v > 3 AND (x = 2 AND id = lower('A'))"), "lower('A')");
  EXPECT_EQ(found("u.id = 5"), "none");
  EXPECT_EQ(found("id = v"), "none");
  EXPECT_EQ(found("id = random()"), "none");
  EXPECT_EQ(found("id = 5 OR v = 1"), "none");
  EXPECT_EQ(found("NOT id = 5"), "none");
  EXPECT_EQ(found("id > 5"), "none");
}

}  // namespace
}  // namespace polarsim::engine::sql
