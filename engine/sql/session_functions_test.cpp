#include "engine/sql/session_functions.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/sql/analyze.h"
#include "engine/sql/error.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::sql {
namespace {

// Answers numbers that grow, and remembers what it was asked.
class Recorder final : public SessionFunctions {
 public:
  Value call(SessionFunction function, std::span<const Value* const> arguments) override {
    asked += std::to_string(static_cast<int>(function));
    for (const Value* argument : arguments) asked += ' ' + to_text(*argument);
    asked += ';';
    return Value::integer(++last);
  }
  std::string asked;
  std::int64_t last = 0;
};

std::string number(SessionFunction function) { return std::to_string(static_cast<int>(function)); }

std::string outcome(const std::string& text, SessionFunctions* session, Row parameters = {}) {
  try {
    const StatementPtr statement = parse("SELECT " + text).at(0);
    AnalyzeOptions options;
    EvaluationContext context;
    context.session = session;
    context.parameters = parameters;
    const BoundExpression bound = analyze(std::get<Select>(statement->body).items.at(0).expression, options);
    const Value value = evaluate(bound, context);
    return std::string(type_name(bound.type())) + " " + (value.is_null() ? "NULL" : to_text(value));
  } catch (const SqlError& error) {
    return error.what();
  }
}

TEST(SessionFunctionsTest, ReachTheSessionWithTypedArguments) {
  Recorder session;
  EXPECT_EQ(outcome("nextval('s') + nextval('s')", &session), "bigint 3");
  EXPECT_EQ(session.asked, number(SessionFunction::next_value) + " s;" + number(SessionFunction::next_value) + " s;");
  session.asked.clear();
  EXPECT_EQ(outcome("pg_backend_pid()", &session), "integer 3");
  EXPECT_EQ(outcome("pg_advisory_lock('77')", &session), "text 4");
  EXPECT_EQ(outcome("pg_try_advisory_xact_lock_shared($1, 2)", &session, {Value::text("1")}), "boolean 5");
  EXPECT_EQ(outcome("setval('s', 4, false)", &session), "bigint 6");
  EXPECT_EQ(session.asked, number(SessionFunction::backend_pid) + ";" + number(SessionFunction::advisory_lock) +
                               " 77;" + number(SessionFunction::try_advisory_xact_lock_shared) + " 1 2;" +
                               number(SessionFunction::set_value) + " s 4 f;");
}

TEST(SessionFunctionsTest, SleepTakesNumbersWithAFraction) {
  Recorder session;
  for (const char* seconds : {"0.25", "'0.25'", "2", "1e3", "30000000000"})
    EXPECT_EQ(outcome(std::string("pg_sleep(") + seconds + ")", &session).substr(0, 5), "text ") << seconds;
  const std::string sleep = number(SessionFunction::sleep);
  EXPECT_EQ(session.asked,
            sleep + " 0.25;" + sleep + " 0.25;" + sleep + " 2;" + sleep + " 1e3;" + sleep + " 30000000000;");
  EXPECT_EQ(outcome("abs(0.25)", &session).substr(0, 5), "0A000");
}

TEST(SessionFunctionsTest, AreStrictAndRefusedWithoutASession) {
  Recorder session;
  EXPECT_EQ(outcome("pg_sleep(NULL)", &session), "text NULL");
  EXPECT_EQ(outcome("setval('s', NULL)", &session), "bigint NULL");
  EXPECT_EQ(session.asked, "");
  EXPECT_EQ(outcome("lastval()", nullptr), "0A000: function lastval() is not supported in this place");
}

TEST(SessionFunctionsTest, WrongArgumentsAreRefusedAsByPostgresql) {
  Recorder session;
  EXPECT_EQ(outcome("pg_advisory_lock(1, 5000000000)", &session),
            "42883: function pg_advisory_lock(integer, bigint) does not exist");
  EXPECT_EQ(outcome("nextval(1)", &session), "42883: function nextval(integer) does not exist");
  EXPECT_EQ(outcome("pg_backend_pid(1)", &session), "42883: function pg_backend_pid(integer) does not exist");
}

TEST(SessionFunctionsTest, HaveNoValueForTheWholeStatement) {
  const auto condition = [](const std::string& text) {
    return std::get<Select>(parse("SELECT 1 FROM t WHERE " + text).at(0)->body).where;
  };
  EXPECT_FALSE(find_equality(condition("id = nextval('s')"), "t", "id"));
  EXPECT_FALSE(find_equality(condition("id = 1 + pg_backend_pid()"), "t", "id"));
  EXPECT_TRUE(find_equality(condition("id = abs(1)"), "t", "id"));
  EXPECT_TRUE(is_session_function("pg_sleep"));
  EXPECT_FALSE(is_session_function("abs"));
}

}  // namespace
}  // namespace polarsim::engine::sql
