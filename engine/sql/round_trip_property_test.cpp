// For any statement: writing it out and reading it back changes nothing, and expressions mean the same afterwards.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "engine/sql/analyze.h"
#include "engine/sql/equality.h"
#include "engine/sql/error.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::sql {
namespace {

// At full size always: inRange would draw only small numbers in the first cases.
int pick(int count) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, count)); }

// Its arguments come in braces, which are evaluated in order: the draws then are the same whatever the compiler.
std::string text_of(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

std::string one_of(std::initializer_list<const char*> texts) {
  return texts.begin()[pick(static_cast<int>(texts.size()))];
}

std::string name() {
  return one_of(
      {"a", "b", "c", "\"select\"", "\"Mixed Case\"", "\"q\"\"q\"", "left_1", "\"left\"", "name", "\"\u017c\""});
}

std::string literal() {
  switch (pick(8)) {
    case 0:
      return one_of({"0", "1", "-1", "2147483647", "-2147483648", "2147483648", "-9223372036854775807"});
    case 1:
      return one_of({"'x'", "''", "'it''s'", "'a\\b'", "e'\\n\\'\\\\'", "'--'", "'/*'", "'\u0142'", "$$'$$"});
    case 2:
      return one_of({"true", "false", "NULL"});
    case 3:
      return text_of({"$", std::to_string(1 + pick(5)), one_of({"", "::int", "::text"})});
    default:
      return std::to_string(pick(100));
  }
}

std::string expression(int depth);

std::string list(int depth) {
  std::string out = expression(depth);
  for (int i = pick(3); i > 0; --i) out += ", " + expression(depth);
  return out;
}

std::string compound(int depth) {
  const std::string x = expression(depth - 1);
  const std::string y = expression(depth - 1);
  switch (pick(14)) {
    case 0:
      return text_of({"(", x, one_of({" + ", " - ", " * ", " / ", " % ", " || "}), y, ")"});
    case 1:
      return text_of({"(", x, one_of({" = ", " <> ", " != ", " < ", " <= ", " > ", " >= "}), y, ")"});
    case 2:
      return text_of({"(", x, one_of({" AND ", " OR "}), y, one_of({" AND ", " OR "}), expression(depth - 1), ")"});
    case 3:
      return text_of({"(NOT ", x, ")"});
    case 4:
      return text_of({"(", x, one_of({" IS NULL", " IS NOT NULL", " IS TRUE", " IS NOT FALSE", " IS UNKNOWN"}), ")"});
    case 5:
      return text_of({"(", x, one_of({" IN (", " NOT IN ("}), list(depth - 1), "))"});
    case 6:
      return text_of({"(", x, one_of({" BETWEEN ", " NOT BETWEEN "}), y, " AND ", expression(depth - 1), ")"});
    case 7:
      return text_of({"CASE WHEN ", x, " THEN ", y, one_of({"", " ELSE 1"}), " END"});
    case 8:
      return text_of({"CASE ", x, " WHEN ", y, " THEN 1 WHEN 2 THEN 3 END"});
    case 9:
      return text_of({"(", x, ")", one_of({"::int", "::bigint", "::text", "::boolean"})});
    case 10:
      return text_of(
          {one_of({"COALESCE(", "GREATEST(", "LEAST(", "lower(", "abs(", "\"Odd\"(", "count(DISTINCT "}), x, ")"});
    case 11:
      return text_of(
          {"(", x, one_of({" IS DISTINCT FROM ", " IS NOT DISTINCT FROM ", " LIKE ", " NOT LIKE "}), y, ")"});
    case 12:
      return text_of({"(", one_of({"- ", "+ "}), x, ")"});
    default:
      return text_of({one_of({"NULLIF(", "f(", "COALESCE("}), x, ", ", y, ")"});
  }
}

std::string expression(int depth) {
  if (depth > 0 && pick(3) > 0) return compound(depth);
  switch (pick(3)) {
    case 0:
      return name();
    case 1:
      return "t." + name();
    default:
      return literal();
  }
}

std::string items() {
  switch (pick(5)) {
    case 0:
      return "*";
    case 1:
      return "t.*";
    case 2:
      return "count(*), " + list(1);
    case 3:
      return text_of({expression(2), " AS ", name()});
    default:
      return list(2);
  }
}

std::string sometimes(int one_in, const char* keyword, int depth) {
  return pick(one_in) == 0 ? keyword + expression(depth) : "";
}

std::string where() { return sometimes(2, " WHERE ", 3); }

std::string returning() { return pick(2) == 0 ? "" : " RETURNING " + items(); }

std::string table() { return one_of({"t", "public.t", "s.\"T t\"", "\"table\""}); }

std::string select() {
  return text_of(
      {"SELECT ", one_of({"", "DISTINCT "}), items(), " FROM ", table(), one_of({"", " u", " AS \"U\""}), where(),
       sometimes(3, " GROUP BY ", 1), sometimes(3, " HAVING ", 2), sometimes(2, " ORDER BY a DESC NULLS LAST, ", 2),
       sometimes(3, " LIMIT ", 1), sometimes(3, " OFFSET ", 1),
       one_of({"", " FOR UPDATE", " FOR SHARE NOWAIT", " FOR NO KEY UPDATE SKIP LOCKED", " FOR KEY SHARE"})});
}

std::string assignments() {
  return text_of({name(), " = ", pick(3) == 0 ? std::string("DEFAULT") : expression(2), ", z = ", expression(2)});
}

std::string conflict() {
  switch (pick(4)) {
    case 0:
      return " ON CONFLICT DO NOTHING";
    case 2:
      return text_of({" ON CONFLICT ON CONSTRAINT ", name(), " DO NOTHING"});
    case 1:
      return text_of({" ON CONFLICT (a, \"B\") DO UPDATE SET ", assignments(), ", y = excluded.y", where()});
    default:
      return "";
  }
}

std::string insert() {
  const std::string target = text_of({"INSERT INTO ", table(), one_of({"", " AS x"})});
  if (pick(6) == 0) return text_of({target, " DEFAULT VALUES", conflict(), returning()});
  return text_of({target, one_of({"", " (a, \"B\")"}), " VALUES (", expression(2), ", DEFAULT), (", expression(2), ", ",
                  expression(2), ")", conflict(), returning()});
}

std::string create() {
  return text_of({"CREATE TABLE ", one_of({"", "IF NOT EXISTS "}), table(), " (k int",
                  one_of({"", " NOT NULL", " DEFAULT 5"}), ", \"V v\" ", one_of({"text", "bigint", "boolean"}),
                  " DEFAULT (", expression(1), ")",
                  one_of({"", ", PRIMARY KEY (k)", ", CONSTRAINT \"P\" PRIMARY KEY (\"V v\", k)"}),
                  one_of({")", ", UNIQUE (k))", ", UNIQUE (\"V v\"), CONSTRAINT \"U u\" UNIQUE (k, \"V v\"))"})});
}

std::string number() { return one_of({"0", "1", "-1", "2147483648", "-9223372036854775808", "9223372036854775807"}); }

std::string sequence() {
  return text_of({"CREATE SEQUENCE ", one_of({"", "IF NOT EXISTS "}), table(), one_of({"", " AS int", " AS bigint"}),
                  pick(2) == 0 ? "" : text_of({" START WITH ", number()}),
                  pick(2) == 0 ? "" : text_of({" INCREMENT BY ", number()}),
                  pick(2) == 0 ? " NO MINVALUE" : text_of({" MINVALUE ", number()}),
                  pick(2) == 0 ? "" : text_of({" MAXVALUE ", number()}), one_of({"", " CYCLE", " NO CYCLE"}),
                  one_of({"", " CACHE 3"})});
}

std::string modes() {
  return text_of({one_of({" ISOLATION LEVEL READ UNCOMMITTED", " ISOLATION LEVEL READ COMMITTED",
                          " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE"}),
                  one_of({"", " READ ONLY", ", READ WRITE", " DEFERRABLE"})});
}

std::string utility() {
  switch (pick(8)) {
    case 0:
      return text_of({"CREATE ", one_of({"", "UNIQUE "}), "INDEX ", one_of({"", "IF NOT EXISTS i ", "\"I i\" "}), "ON ",
                      table(), one_of({" (a)", " (a, \"B b\")"})});
    case 1:
      return sequence();
    case 2:
      return text_of({one_of({"DROP INDEX ", "DROP INDEX IF EXISTS ", "DROP SEQUENCE ", "DROP SEQUENCE IF EXISTS ",
                              "DROP TABLE ", "TRUNCATE ", "TRUNCATE ONLY "}),
                      table(), one_of({"", ", \"T\""})});
    case 3:
      return text_of({"LOCK ", table(), " IN ",
                      one_of({"ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
                              "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}),
                      " MODE", one_of({"", " NOWAIT"})});
    case 4:
      return text_of(
          {one_of({"VACUUM ", "VACUUM FREEZE ", "VACUUM (ANALYZE) ", "VACUUM (FREEZE, ANALYZE) ", "ANALYZE "}), table(),
           one_of({"", ", t"})});
    case 5:
      return text_of(
          {one_of({"BEGIN", "START TRANSACTION", "SET TRANSACTION", "SET SESSION CHARACTERISTICS AS TRANSACTION"}),
           modes()});
    case 6:
      return text_of({one_of({"SAVEPOINT ", "ROLLBACK TO ", "RELEASE "}), name()});
    default:
      return one_of(
          {"VACUUM", "ANALYZE", "CHECKPOINT", "DISCARD ALL", "DISCARD PLANS", "DISCARD SEQUENCES", "DISCARD TEMP"});
  }
}

std::string statement() {
  switch (pick(8)) {
    case 0:
      return insert();
    case 5:
      return utility();
    case 1:
      return text_of({"UPDATE ", table(), one_of({"", " u"}), " SET ", assignments(), where(), returning()});
    case 2:
      return text_of({"DELETE FROM ", table(), one_of({"", " u"}), where(), returning()});
    case 3:
      return create();
    case 4:
      return one_of({"BEGIN", "BEGIN ISOLATION LEVEL READ COMMITTED", "COMMIT", "ROLLBACK",
                     "PREPARE TRANSACTION 'a''b'", "COMMIT PREPARED 'x'", "SET a.\"B\" TO 'x, ''y'",
                     "SET LOCAL a TO DEFAULT", "RESET a", "SHOW \"Q\".b", "DROP TABLE IF EXISTS s.t, \"T\""});
    default:
      return select();
  }
}

RC_GTEST_PROP(RoundTripProperty, WrittenStatementsReadBackAsThemselves, ()) {
  const std::string text = statement();
  RC_LOG() << text << "\n";
  const StatementPtr first = parse(text).at(0);
  const std::string written = deparse(*first);
  RC_LOG() << written << "\n";
  const StatementPtr second = parse(written).at(0);
  RC_ASSERT(structurally_equal(*first, *second));
  RC_ASSERT(deparse(*second) == written);
}

// The type and value, or the error's SQLSTATE, of an expression over one row.
std::string meaning(const std::string& text, const TableShape& table, const Row& row, const Row& parameters) {
  try {
    AnalyzeOptions options;
    options.table = &table;
    EvaluationContext context;
    context.row = row;
    context.parameters = parameters;
    const StatementPtr statement = parse("SELECT " + text).at(0);
    const BoundExpression bound = analyze(std::get<Select>(statement->body).items.at(0).expression, options);
    const Value value = evaluate(bound, context);
    return std::string(type_name(bound.type())) + " " + (value.is_null() ? "NULL" : to_text(value));
  } catch (const SqlError& error) {
    return error.what();
  }
}

RC_GTEST_PROP(RoundTripProperty, WrittenExpressionsMeanTheSame, ()) {
  TableShape table;
  table.name = "t";
  table.columns = {
      {"a", TypeId::int4, false, nullptr}, {"b", TypeId::int8, false, nullptr}, {"c", TypeId::boolean, false, nullptr}};
  const Row row = {Value::integer(pick(5) - 2), Value::integer(pick(5) - 2),
                   pick(2) == 0 ? Value::null() : Value::boolean(true)};
  const Row parameters(5, Value::text(std::to_string(pick(3))));
  const std::string text = expression(4);
  RC_LOG() << text << "\n";
  const StatementPtr statement = parse("SELECT " + text).at(0);
  const std::string written = deparse(*std::get<Select>(statement->body).items.at(0).expression);
  RC_LOG() << written << "\n";
  RC_ASSERT(meaning(text, table, row, parameters) == meaning(written, table, row, parameters));
}

}  // namespace
}  // namespace polarsim::engine::sql
