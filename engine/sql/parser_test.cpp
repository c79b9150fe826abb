#include "engine/sql/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "engine/sql/equality.h"
#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

// The statements as deparse() writes them, joined by "; ", or "SQLSTATE: message @position".
std::string rewritten(std::string_view text) {
  try {
    std::string out;
    for (const StatementPtr& statement : parse(text)) {
      if (!out.empty()) out += "; ";
      out += deparse(*statement);
    }
    return out;
  } catch (const SqlError& error) {
    return std::string(error.what()) + " @" + std::to_string(error.fields().position);
  }
}

struct Rewriting {
  const char* text;
  const char* expected;
};

void expect_all(std::initializer_list<Rewriting> cases) {
  for (const Rewriting& c : cases) EXPECT_EQ(rewritten(c.text), c.expected) << c.text;
}

TEST(ParserTest, Queries) {
  expect_all({
      {"select * from t", "SELECT * FROM t"},
      {"select t.*, a as x, 1 + 2 * 3 from public.t as u", "SELECT t.*, a AS x, 1 + (2 * 3) FROM public.t u"},
      {"select distinct a from t where a = 1 and b < 2 or not c",
       "SELECT DISTINCT a FROM t WHERE ((a = 1) AND (b < 2)) OR (NOT c)"},
      {"select a, count(*) from t group by a having count(*) > 1 order by 2 desc, a nulls first limit 3 offset 1",
       "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1 ORDER BY 2 DESC, a NULLS FIRST LIMIT 3 OFFSET 1"},
      {"select count(distinct a) from t", "SELECT count(DISTINCT a) FROM t"},
      {"select a from t where id = $1 for update", "SELECT a FROM t WHERE id = $1 FOR UPDATE"},
      {"select a from t for no key update of t nowait", "SELECT a FROM t FOR NO KEY UPDATE NOWAIT"},
      {"select a from t for key share skip locked", "SELECT a FROM t FOR KEY SHARE SKIP LOCKED"},
      {"select from t", "SELECT FROM t"},
      {"select 1; select 2;", "SELECT 1; SELECT 2"},
      {"", ""},
      {"-- nothing\n;;", ""},
  });
}

TEST(ParserTest, Changes) {
  expect_all({
      {"insert into t values (1, 'x'), (2, default)", "INSERT INTO t VALUES (1, 'x'), (2, DEFAULT)"},
      {"insert into s.t as u (a, \"B c\") values ($1, $2) returning *",
       "INSERT INTO s.t AS u (a, \"B c\") VALUES ($1, $2) RETURNING *"},
      {"insert into t default values", "INSERT INTO t DEFAULT VALUES"},
      {"insert into t values (1) on conflict do nothing", "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"},
      {"insert into t values (1) on conflict on constraint \"K\" do update set a = 2",
       "INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT \"K\" DO UPDATE SET a = 2"},
      {"insert into t values (1, 2) on conflict (a) do update set b = t.b + excluded.b where t.b < 9 returning b",
       "INSERT INTO t VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = t.b + excluded.b WHERE t.b < 9 RETURNING b"},
      {"update t set a = a + 1, b = default where id in (1, 2)",
       "UPDATE t SET a = a + 1, b = DEFAULT WHERE id IN (1, 2)"},
      {"delete from t x where x.a is not null returning x.a", "DELETE FROM t x WHERE x.a IS NOT NULL RETURNING x.a"},
  });
}

TEST(ParserTest, Definitions) {
  expect_all({
      {"create table t (a int primary key, b int8 default 3 + 1 not null, c text, d bool)",
       "CREATE TABLE t (a integer NOT NULL, b bigint DEFAULT (3 + 1) NOT NULL, c text, d boolean, PRIMARY KEY (a))"},
      {"create table if not exists s.t (a integer, b bigint, constraint k primary key (b, a))",
       "CREATE TABLE IF NOT EXISTS s.t (a integer NOT NULL, b bigint NOT NULL, CONSTRAINT k PRIMARY KEY (b, a))"},
      {"create table t (a int constraint k primary key)",
       "CREATE TABLE t (a integer NOT NULL, CONSTRAINT k PRIMARY KEY (a))"},
      {"create table t (a int null default -5)", "CREATE TABLE t (a integer DEFAULT (-5))"},
      {"create table t (a int unique, b int constraint u unique, c int, unique (c, a), constraint v unique (c))",
       "CREATE TABLE t (a integer, b integer, c integer, UNIQUE (a), CONSTRAINT u UNIQUE (b), UNIQUE (c, a), "
       "CONSTRAINT v UNIQUE (c))"},
      // As in PostgreSQL, what says nothing new is left out, and its name goes to the other if that has none.
      {"create table t (a int primary key, b int unique, constraint k unique (b), constraint p unique (a))",
       "CREATE TABLE t (a integer NOT NULL, b integer, CONSTRAINT p PRIMARY KEY (a), CONSTRAINT k UNIQUE (b))"},
      {"drop table if exists a, s.b cascade", "DROP TABLE IF EXISTS a, s.b"},
      {"create index on t (a)", "CREATE INDEX ON t (a)"},
      {"create unique index if not exists i on s.t using btree (a asc nulls last, \"B\")",
       "CREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a, \"B\")"},
      {"drop index i, s.j; drop sequence if exists a", "DROP INDEX i, s.j; DROP SEQUENCE IF EXISTS a"},
      {"create sequence s; create sequence if not exists a.s no minvalue no maxvalue no cycle cache 7 owned by none",
       "CREATE SEQUENCE s; CREATE SEQUENCE IF NOT EXISTS a.s"},
      {"create sequence s as int start with 5 increment by -2 minvalue -9223372036854775808 maxvalue 0 cycle",
       "CREATE SEQUENCE s AS integer START 5 INCREMENT -2 MINVALUE -9223372036854775808 MAXVALUE 0 CYCLE"},
      {"create sequence s start -7 increment 0 minvalue /* 3 */ -10 maxvalue +4",
       "CREATE SEQUENCE s START -7 INCREMENT 0 MINVALUE -10 MAXVALUE 4"},
  });
}

TEST(ParserTest, Maintenance) {
  expect_all({
      {"truncate a, table_b restart identity cascade", "TRUNCATE TABLE a, table_b"},
      {"lock t", "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"},
      {"lock table a, s.b in access share mode nowait", "LOCK TABLE a, s.b IN ACCESS SHARE MODE NOWAIT"},
      {"lock a in row share mode; lock a in row exclusive mode",
       "LOCK TABLE a IN ROW SHARE MODE; LOCK TABLE a IN ROW EXCLUSIVE MODE"},
      {"lock a in share update exclusive mode; lock a in share mode",
       "LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE; LOCK TABLE a IN SHARE MODE"},
      {"lock a in share row exclusive mode; lock a in exclusive mode",
       "LOCK TABLE a IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE a IN EXCLUSIVE MODE"},
      {"vacuum; vacuum freeze t; vacuum (freeze, analyze, verbose) a, b; vacuum (freeze off, full false)",
       "VACUUM; VACUUM (FREEZE) t; VACUUM (FREEZE, ANALYZE) a, b; VACUUM"},
      {"analyze; analyze verbose t; vacuum analyze t", "ANALYZE; ANALYZE t; VACUUM (ANALYZE) t"},
      {"checkpoint", "CHECKPOINT"},
  });
}

TEST(ParserTest, TransactionsAndSettings) {
  expect_all({
      {"begin; start transaction isolation level repeatable read; commit; end; rollback; abort",
       "BEGIN; BEGIN ISOLATION LEVEL REPEATABLE READ; COMMIT; COMMIT; ROLLBACK; ROLLBACK"},
      {"prepare transaction 'a''b'; commit prepared 'c'; rollback prepared 'd'",
       "PREPARE TRANSACTION 'a''b'; COMMIT PREPARED 'c'; ROLLBACK PREPARED 'd'"},
      {"set x.y = 5; set local x to -3; set x = a, 'B'; set x to on",
       "SET x.y TO '5'; SET LOCAL x TO '-3'; SET x TO 'a, B'; SET x TO 'on'"},
      {"reset x; set x to default; reset all; show x.y; show all", "RESET x; RESET x; RESET ALL; SHOW x.y; SHOW ALL"},
      {"set transaction isolation level serializable, read write, not deferrable",
       "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ WRITE"},
      {"set session characteristics as transaction read only", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"},
      {"begin read only, isolation level repeatable read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
      {"savepoint a; rollback to a; rollback transaction to savepoint \"B\"; release a; release savepoint a",
       "SAVEPOINT a; ROLLBACK TO SAVEPOINT a; ROLLBACK TO SAVEPOINT \"B\"; RELEASE SAVEPOINT a; "
       "RELEASE SAVEPOINT a"},
      {"commit and no chain", "COMMIT"},
      {"discard all; discard plans; discard sequences; discard temp",
       "DISCARD ALL; DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP"},
  });
  const auto statements = parse("begin isolation level read committed");
  EXPECT_EQ(std::get<TransactionControl>(statements[0]->body).modes.isolation, "read committed");
}

TEST(ParserTest, Expressions) {
  expect_all({
      {"select a between 1 and 2, a not between 1 and 2", "SELECT (a >= 1) AND (a <= 2), (a < 1) OR (a > 2)"},
      {"select case a when 1 then 'x' else 'y' end", "SELECT CASE WHEN a = 1 THEN 'x' ELSE 'y' END"},
      {"select case when a then 1 end::bigint", "SELECT CASE WHEN a THEN 1 END::bigint"},
      {"select a is distinct from b, a is not true, a is unknown",
       "SELECT a IS DISTINCT FROM b, a IS NOT TRUE, a IS UNKNOWN"},
      {"select a like 'x%', a not like 'y_'", "SELECT a LIKE 'x%', a NOT LIKE 'y_'"},
      {"select coalesce(a, 1), greatest(a, 2), least(a), nullif(a, 3)",
       "SELECT COALESCE(a, 1), GREATEST(a, 2), LEAST(a), NULLIF(a, 3)"},
      {"select $1::int, '1'::int4, cast(a as text), bool 't'",
       "SELECT $1::integer, '1'::integer, a::text, 't'::boolean"},
      {"select a and (b and c), (a or b) or c", "SELECT a AND b AND c, a OR b OR c"},
      {"select e'a\\'b\\n', 'c''d', $$e'f$$, U&'\\0061'", "SELECT 'a''b\n', 'c''d', 'e''f', 'a'"},
      {"select pg_catalog.lower(a), substring(a from 2)", "SELECT lower(a), \"substring\"(a, 2)"},
      {"select \"Select\", \"a\"\"b\", \"user\", \u017c from \"T\"",
       "SELECT \"Select\", \"a\"\"b\", \"user\", \"\u017c\" FROM \"T\""},
  });
}

TEST(ParserTest, NegativeIntegersKeepTheirValue) {
  expect_all({
      {"select -1, - - 5, -(7), -(-(9)), - /* 3 /* 4 */ */ 8, -- 6\n -0", "SELECT -1, 5, -7, 9, -8, 0"},
      {"select -2147483648, -9223372036854775808, 2147483648", "SELECT -2147483648, -9223372036854775808, 2147483648"},
      {"select a - -1, -a, - '1'", "SELECT a - (-1), - a, - '1'"},
  });
  const auto statements = parse("select -2147483648, 2147483648");
  const auto& items = std::get<Select>(statements[0]->body).items;
  EXPECT_EQ(items[0].expression->type, TypeId::int4);
  EXPECT_EQ(items[1].expression->type, TypeId::int8);
}

TEST(ParserTest, NamedArguments) {
  const auto statements = parse("select create_distributed_table('t', 'id', shard_count := 4)");
  const Expression& call = *std::get<Select>(statements[0]->body).items[0].expression;
  ASSERT_EQ(call.arguments.size(), 3u);
  const Expression& named = *call.arguments[2];
  EXPECT_EQ(named.kind, Expression::Kind::function);
  EXPECT_EQ(named.name, named_argument);
  EXPECT_EQ(named.arguments[0]->value, Value::text("shard_count"));
  EXPECT_EQ(named.arguments[1]->value, Value::integer(4));
  EXPECT_EQ(deparse(call), "create_distributed_table('t', 'id', shard_count := 4)");
}

TEST(ParserTest, ParametersAreCounted) {
  EXPECT_EQ(parse("select $3 + $1")[0]->parameters, 3);
  EXPECT_EQ(parse("select 1")[0]->parameters, 0);
}

TEST(ParserTest, PositionsCountCharactersNotBytes) {
  const auto statements = parse("select '\u017c\u00f3\u0142w', abc");
  EXPECT_EQ(std::get<Select>(statements[0]->body).items[1].expression->position, 16);
  // Far enough to cross several blocks of the position index.
  std::string text = "select '";
  for (int i = 0; i < 300; ++i) text += "\u0142";
  text += "', abc";
  EXPECT_EQ(std::get<Select>(parse(text)[0]->body).items[1].expression->position, 312);
}

TEST(ParserTest, SyntaxErrorsArePostgresqls) {
  expect_all({
      {"select from where", "42601: syntax error at or near \"where\" @13"},
      {"select 1 +", "42601: syntax error at end of input @11"},
      {"select '\u017c\u00f3', abc def ghi", "42601: syntax error at or near \"ghi\" @22"},
      {"select 'abc", "42601: unterminated quoted string at or near \"'abc\" @8"},
      {"selec 1", "42601: syntax error at or near \"selec\" @1"},
      {"select ? from t", "42601: syntax error at or near \"from\" @10"},
      {"select $0", "42P02: there is no parameter $0 @8"},
      {"select $70000", "42P02: there is no parameter $70000 @8"},
      {"insert into t values (1), (2, 3)", "42601: VALUES lists must all be the same length @28"},
      {"insert into t values (1) on conflict do update set a = 1",
       "42601: ON CONFLICT DO UPDATE requires inference specification or constraint name @26"},
      {"create table t (a int, a int)", "42701: column \"a\" specified more than once @0"},
      {"create table t (a int, primary key (b))", "42703: column \"b\" named in key does not exist @0"},
      {"create table t (a int, unique (a, a))", "42701: column \"a\" appears twice in unique constraint @0"},
      {"create table t (a int, unique (b))", "42703: column \"b\" named in key does not exist @0"},
      {"create sequence s start 1 start 2", "42601: conflicting or redundant options @27"},
      {"create sequence s as text", "22023: sequence type must be smallint, integer, or bigint @0"},
      {"create sequence s maxvalue 9223372036854775808",
       "22003: value \"9223372036854775808\" is out of range for type bigint @0"},
      {"create sequence s cache 0", "22023: CACHE (0) must be greater than zero @0"},
      {"create table t (a int primary key, b int primary key)",
       "42P16: multiple primary keys for table \"t\" are not allowed @42"},
      {"select a from t for update of u", "42P01: relation \"u\" in FOR UPDATE clause not found in FROM clause @31"},
  });
}

TEST(ParserTest, BadEncodingIsRefused) {
  EXPECT_EQ(rewritten("select '\xff'").substr(0, 5), "22021");
  EXPECT_EQ(rewritten(std::string_view("select 1\0select 2", 17)).substr(0, 5), "22021");
  EXPECT_EQ(rewritten("select e'\\xff'").substr(0, 5), "22021");
}

TEST(ParserTest, WhatIsNotSupportedIsRefusedByName) {
  const char* const texts[] = {
      "select * from a, b",
      "select * from a join b on true",
      "select (select 1)",
      "select * from (select 1) x",
      "select * from f()",
      "with x as (select 1) select 1",
      "select 1 union select 2",
      "values (1)",
      "select count(*) over () from t",
      "select distinct on (a) b from t",
      "select a from t group by rollup (a)",
      "select 1 into t",
      "select 1.5",
      "select 1e3",
      "select a::numeric",
      "select 'x'::varchar(3)",
      "select a::int[]",
      "select array[1]",
      "select row(1, 2)",
      "select (1, 2) = (1, 2)",
      "select a[1] from t",
      "select a = any (b)",
      "select a ilike 'x'",
      "select a ^ 2",
      "select current_timestamp",
      "select a collate \"C\"",
      "select count(*) filter (where a)",
      "select string_agg(a, b order by c)",
      "select s.f(1)",
      "insert into t select 1",
      "update t set (a, b) = (1, 2)",
      "update t set a = 1 from u",
      "delete from t using u",
      "create table t (a serial)",
      "create table t (a int check (a > 0))",
      "create table t (a int references u)",
      "create temp table t (a int)",
      "create table t (a int) partition by hash (a)",
      "create table t as select 1",
      "alter table t add b int",
      "drop view v",
      "copy t from stdin",
      "explain select 1",
      "commit and chain",
      "declare c cursor for select 1",
      "prepare p as select 1",
      "set x from current",
      "set transaction snapshot 'a'",
      "vacuum full",
      "vacuum (parallel 2)",
      "analyze t (a)",
      "reindex table t",
      "create unique index on t (a) nulls not distinct",
      "create index on t (lower(a))",
      "create index on t (a desc)",
      "create index on t (a) where a > 1",
      "create index on t (a) include (b)",
      "create index concurrently on t (a)",
      "create index on t using hash (a)",
      "create table t (a int, unique (a) deferrable)",
      "create table t (a int unique nulls not distinct)",
      "create temp sequence s",
      "create sequence s owned by t.a",
      "alter sequence s restart",
      "drop schema s",
  };
  for (const char* text : texts) EXPECT_EQ(rewritten(text).substr(0, 6), "0A000:") << text << " -> " << rewritten(text);
  EXPECT_EQ(rewritten("select (select 1)"), "0A000: a subquery is not supported @8");
  EXPECT_EQ(rewritten("create table t(a numeric(10, 2))"), "0A000: type \"numeric\" is not supported @18");
}

TEST(ParserTest, TypedConstantsKeepTheirTypes) {
  Expression constant;
  constant.value = Value::integer(5);
  constant.type = TypeId::int8;
  EXPECT_EQ(deparse(constant), "5::bigint");
  constant.value = Value::integer(-5);
  EXPECT_EQ(deparse(constant), "(-5)::bigint");
  constant.value = Value::integer(5'000'000'000);
  EXPECT_EQ(deparse(constant), "5000000000");
  constant.value = Value::text("5");
  constant.type = TypeId::text;
  EXPECT_EQ(deparse(constant), "'5'::text");
  constant.value = Value::null();
  EXPECT_EQ(deparse(constant), "NULL::text");
}

TEST(ParserTest, IdentifiersAreQuotedWherePostgresqlQuotesThem) {
  EXPECT_EQ(quote_identifier("abc_1"), "abc_1");
  EXPECT_EQ(quote_identifier("Abc"), "\"Abc\"");
  EXPECT_EQ(quote_identifier("1a"), "\"1a\"");
  EXPECT_EQ(quote_identifier("a$b"), "\"a$b\"");
  EXPECT_EQ(quote_identifier(""), "\"\"");
  EXPECT_EQ(quote_identifier("select"), "\"select\"");
  EXPECT_EQ(quote_identifier("left"), "\"left\"");
  EXPECT_EQ(quote_identifier("coalesce"), "\"coalesce\"");
  EXPECT_EQ(quote_identifier("name"), "name");
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
}

TEST(ParserTest, EqualityIgnoresPositionsOnly) {
  const auto same = [](const char* a, const char* b) { return structurally_equal(*parse(a)[0], *parse(b)[0]); };
  EXPECT_TRUE(same("select  a from t where b = 1", "SELECT a FROM t  WHERE (b) = 1"));
  EXPECT_FALSE(same("select a from t where b = 1", "select a from t where b = 2"));
  EXPECT_FALSE(same("select a from t where b = 1", "select a from t"));
  EXPECT_FALSE(same("select a from t", "select a from t for update"));
  EXPECT_FALSE(same("select a from t", "select a x from t"));
  EXPECT_FALSE(same("select 1", "select '1'"));
}

}  // namespace
}  // namespace polarsim::engine::sql
