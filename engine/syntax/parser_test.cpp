// What each text is read as, shown by what deparse() makes of it; and what is refused, how and where.
#include "engine/syntax/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "engine/syntax/equality.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
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

// What was written reads back as the same tree, too.
void expect_all_back(std::initializer_list<Rewriting> cases) {
  expect_all(cases);
  for (const Rewriting& c : cases) {
    EXPECT_TRUE(structurally_equal(*parse(c.text).at(0), *parse(c.expected).at(0))) << c.text;
  }
}

TEST(ParserTest, Expressions) {
  expect_all_back({
      {"select * from t", "SELECT * FROM t"},
      {"select t.*, a as x, 1 + 2 * 3 from public.t as u", "SELECT t.*, a AS x, 1 + (2 * 3) FROM public.t AS u"},
      {"select distinct a from t where a = 1 and b < 2 or not c",
       "SELECT DISTINCT a FROM t WHERE ((a = 1) AND (b < 2)) OR (NOT c)"},
      {"select distinct on (a, b) a from t order by a, b desc nulls last, c using <, d using operator(pg_catalog.>) "
       "nulls first",
       "SELECT DISTINCT ON (a, b) a FROM t ORDER BY a, b DESC NULLS LAST, c USING <, d USING OPERATOR(pg_catalog.>) "
       "NULLS FIRST"},
      {"select -5, - 5, -(5), -a, +a, - -5, -2147483648, 2147483647, 2147483648, -9223372036854775808, "
       "99999999999999999999, 1.5, -1.50, .5, 1e3, 5., 1e-3, 0, -0",
       "SELECT -5, -5, -5, - a, + a, 5, -2147483648, 2147483647, 2147483648, -9223372036854775808, "
       "99999999999999999999., 1.5, -1.50, 0.5, 1000., 5., 0.001, 0, 0"},
      {"select 'a', 'it''s', e'a\\\\b\\n', $$x$$, null, true, false, U&'\\0041'",
       "SELECT 'a', 'it''s', E'a\\\\b\n', 'x', NULL, TRUE, FALSE, 'A'"},
      {"select a::int, cast(b as varchar(5)), c::numeric(10,-2), d::timestamp(3) with time zone, e::interval day to "
       "second(2), f::interval(0), g::text[][], h::int[3], i::char, j::char(3), k::bit(4), l::s.\"T\"(1,2), m::time, "
       "n::double precision, o::bpchar, p::\"char\", q::float(3), r::dec",
       "SELECT a::integer, b::character varying(5), c::numeric(10, -2), d::timestamp(3) with time zone, "
       "e::pg_catalog.\"interval\"(7176, 2), f::pg_catalog.\"interval\"(32767, 0), g::text[][], h::integer[], "
       "i::pg_catalog.bpchar(1), j::pg_catalog.bpchar(3), k::pg_catalog.\"bit\"(4), l::s.\"T\"(1, 2), m::time without "
       "time zone, n::double precision, o::bpchar, p::\"char\", q::real, r::numeric"},
      {"select date '2020-01-01', interval '1' day, interval '1 day 2:03', timestamp with time zone 'x', bool 't', int "
       "'5', numeric(3,1) '2.5'",
       "SELECT '2020-01-01'::date, '1'::pg_catalog.\"interval\"(8), '1 day 2:03'::interval, 'x'::timestamp with time "
       "zone, 't'::bool, '5'::integer, '2.5'::numeric(3, 1)"},
      {"select $1, $2::int, $3 + 1", "SELECT $1, $2::integer, $3 + 1"},
      {"select a[1], a[1][2], a[1:2], a[:], a[1:][:2], (f(x))[1], (a.b).c, (a).*, (t.a[1]).b.c[2], $1[1], "
       "(array[1,2])[1], s.t.a.b",
       "SELECT a[1], a[1][2], a[1:2], a[:], a[1:][:2], (f(x))[1], (a.b).c, (a).*, (((t.a[1]).b).c)[2], $1[1], "
       "(ARRAY[1, 2])[1], s.t.a.b"},
      {"select array[1, 2], array[[1,2],[3,4]], array[array[1],array[2]], array[]::int[], array(select 1)",
       "SELECT ARRAY[1, 2], ARRAY[ARRAY[1, 2], ARRAY[3, 4]], ARRAY[ARRAY[1], ARRAY[2]], ARRAY[]::integer[], "
       "ARRAY(SELECT 1)"},
      {"select row(1), row(), (1, 2), row(1, 2), (a, b) = (1, 2), row(t.*), (a,b) in ((1,2),(3,4)), (a, b) in (select "
       "1, 2), (a,b) is null",
       "SELECT ROW(1), ROW(), (1, 2), ROW(1, 2), (a, b) = (1, 2), ROW(t.*), (a, b) IN ((1, 2), (3, 4)), (a, b) IN "
       "(SELECT 1, 2), (a, b) IS NULL"},
      {"select x between 1 and 2, x not between symmetric 1 and 2, x in (1), x not in (1, 2), x is null, x is not "
       "null, x isnull, x is true, x is not unknown, x is distinct from y, x is not distinct from null",
       "SELECT x BETWEEN 1 AND 2, x NOT BETWEEN SYMMETRIC 1 AND 2, x IN (1), x NOT IN (1, 2), x IS NULL, x IS NOT "
       "NULL, x IS NULL, x IS TRUE, x IS NOT UNKNOWN, x IS DISTINCT FROM y, x IS NOT DISTINCT FROM NULL"},
      {"select x like 'a', x not like 'a' escape '\\', x ilike y, x not ilike y escape z, x similar to 'a', x not "
       "similar to 'a' escape '#', x ~ 'a', x ~~ 'a', x ~* 'b', x !~ 'q'",
       "SELECT x LIKE 'a', x NOT LIKE 'a' ESCAPE E'\\\\', x ILIKE y, x NOT ILIKE y ESCAPE z, x SIMILAR TO 'a', x NOT "
       "SIMILAR TO 'a' ESCAPE '#', x ~ 'a', x ~~ 'a', x ~* 'b', x !~ 'q'"},
      {"select x = any (array[1]), x <> all ($1), x like any (a), x operator(s.=) any (b), x = any (select 1), x <> "
       "all (select 1), x in (select 1), x not in (select 1), x not like all (select 'a'), exists (select), not exists "
       "(select 1), (select 1) + 1",
       "SELECT x = ANY (ARRAY[1]), x <> ALL ($1), x ~~ ANY (a), x OPERATOR(s.=) ANY (b), x = ANY (SELECT 1), x <> ALL "
       "(SELECT 1), x IN (SELECT 1), NOT (x IN (SELECT 1)), x !~~ ALL (SELECT 'a'), EXISTS (SELECT), NOT EXISTS "
       "(SELECT 1), (SELECT 1) + 1"},
      {"select case when a then 1 when b then 2 else 3 end, case a when 1 then 'x' end, nullif(a, b), coalesce(a, b, "
       "1), greatest(1, 2), least(a)",
       "SELECT CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END, CASE a WHEN 1 THEN 'x' END, NULLIF(a, b), COALESCE(a, b, "
       "1), GREATEST(1, 2), LEAST(a)"},
      {"select f(), s.f(1), count(*), count(distinct a), sum(a order by b desc, c), string_agg(distinct a, ',' order "
       "by a), f(variadic array[1]), f(a => 1, b := 2), count(*) filter (where a > 1), percentile_cont(0.5) within "
       "group (order by a desc), f(t.*), f(all a)",
       "SELECT f(), s.f(1), count(*), count(DISTINCT a), sum(a ORDER BY b DESC, c), string_agg(DISTINCT a, ',' ORDER "
       "BY a), f(VARIADIC ARRAY[1]), f(a => 1, b => 2), count(*) FILTER (WHERE a > 1), percentile_cont(0.5) WITHIN "
       "GROUP (ORDER BY a DESC), f(t.*), f(a)"},
      {"select current_date, current_time, current_time(0), current_timestamp(3), localtime, localtimestamp(2), "
       "current_user, session_user, user, current_role, current_catalog, current_schema",
       "SELECT CURRENT_DATE, CURRENT_TIME, CURRENT_TIME(0), CURRENT_TIMESTAMP(3), LOCALTIME, LOCALTIMESTAMP(2), "
       "CURRENT_USER, SESSION_USER, USER, CURRENT_ROLE, CURRENT_CATALOG, CURRENT_SCHEMA"},
      {"select extract(year from x), x at time zone 'utc', position('a' in b), substring(a from 1 for 2), substring(a "
       "for 2), substring(a similar 'x' escape '#'), trim(both 'x' from y), trim(y), overlay(a placing b from 1), (a, "
       "b) overlaps (c, d), collation for (a), normalize(a), a is normalized",
       "SELECT pg_catalog.\"extract\"('year', x), pg_catalog.timezone('utc', x), pg_catalog.\"position\"(b, 'a'), "
       "pg_catalog.\"substring\"(a, 1, 2), pg_catalog.\"substring\"(a, 1, 2::integer), pg_catalog.\"substring\"(a, "
       "'x', '#'), pg_catalog.btrim(y, 'x'), pg_catalog.btrim(y), pg_catalog.\"overlay\"(a, b, 1), "
       "pg_catalog.\"overlaps\"(a, b, c, d), pg_catalog.pg_collation_for(a), pg_catalog.\"normalize\"(a), "
       "pg_catalog.is_normalized(a)"},
      {"select a collate \"C\", a collate pg_catalog.\"de_DE\" || b, (a || b) collate \"C\"",
       "SELECT a COLLATE \"C\", (a COLLATE pg_catalog.\"de_DE\") || b, (a || b) COLLATE \"C\""},
      {"select a operator(pg_catalog.+) b, a @> b, a ->> 'x', @ a, |/ b, a != b, a <= b, a % b, a ^ 2, not a, not (a "
       "and b), a and b and c or d and (e or f) and (g and h)",
       "SELECT a OPERATOR(pg_catalog.+) b, a @> b, a ->> 'x', @ a, |/ b, a <> b, a <= b, a % b, a ^ 2, NOT a, NOT (a "
       "AND b), (a AND b AND c) OR (d AND (e OR f) AND g AND h)"},
      {"select count(*) over (), count(*) over w, sum(a) over (partition by b order by c), rank() over (w order by d "
       "rows between 1 preceding and current row exclude ties), first_value(a) over (order by a range between "
       "unbounded preceding and interval '1 day' following exclude current row), max(a) over (order by a groups 2 "
       "preceding exclude group) from t window w as (partition by x), v as (w order by y rows unbounded preceding)",
       "SELECT count(*) OVER (), count(*) OVER w, sum(a) OVER (PARTITION BY b ORDER BY c), rank() OVER (w ORDER BY d "
       "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES), first_value(a) OVER (ORDER BY a RANGE BETWEEN "
       "UNBOUNDED PRECEDING AND '1 day'::interval FOLLOWING EXCLUDE CURRENT ROW), max(a) OVER (ORDER BY a GROUPS "
       "BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE GROUP) FROM t WINDOW w AS (PARTITION BY x), v AS (w ORDER BY y "
       "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
      {"select grouping(a, b), count(*) from t group by a, (b, c), rollup (a, (b, c)), cube (a), grouping sets ((a, "
       "b), (a), (), rollup (c)), ()",
       "SELECT GROUPING(a, b), count(*) FROM t GROUP BY a, (b, c), ROLLUP (a, (b, c)), CUBE (a), GROUPING SETS ((a, "
       "b), a, (), ROLLUP (c)), ()"},
      {"select a from t group by distinct a, b having count(*) > 1",
       "SELECT a FROM t GROUP BY DISTINCT a, b HAVING count(*) > 1"},
      {"select a from t group by \"rollup\"(a), \"cube\"(b)", "SELECT a FROM t GROUP BY \"rollup\"(a), \"cube\"(b)"},
  });
}

TEST(ParserTest, QueriesAndChanges) {
  expect_all_back({
      {"select * from a, b c, only d, lateral (select 1) e, (values (1, 'x'), (2, default)) v (x, y)",
       "SELECT * FROM a, b AS c, ONLY d, LATERAL (SELECT 1) AS e, (VALUES (1, 'x'), (2, DEFAULT)) AS v (x, y)"},
      {"select * from a join b on a.x = b.x left join c using (y) right join d using (z, w) as j natural full join e "
       "cross join f",
       "SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (y) RIGHT JOIN d USING (z, w) AS j NATURAL FULL JOIN e "
       "CROSS JOIN f"},
      {"select * from a join (b join c on true) on false, (a join b using (x)) as j (p, q), (a cross join b) x left "
       "outer join c on true",
       "SELECT * FROM a JOIN (b JOIN c ON TRUE) ON FALSE, (a JOIN b USING (x)) AS j (p, q), (a CROSS JOIN b) AS x LEFT "
       "JOIN c ON TRUE"},
      {"select * from f(1), f(1) with ordinality as g (a, b), lateral f(a) h, rows from (f(1), g(2) as (a int, b "
       "text)) with ordinality x, f() as (a int), f() as z (a int, b numeric(3, 1)), cast(1 as int) q, current_date, "
       "coalesce(1, 2) y, s.f(1)",
       "SELECT * FROM f(1), f(1) WITH ORDINALITY AS g (a, b), LATERAL f(a) AS h, ROWS FROM (f(1), g(2) AS (a integer, "
       "b text)) WITH ORDINALITY AS x, f() AS (a integer), f() AS z (a integer, b numeric(3, 1)), CAST(1 AS integer) "
       "AS q, CURRENT_DATE, COALESCE(1, 2) AS y, s.f(1)"},
      {"select 1 union select 2 union all select 3 intersect select 4 except all select 5",
       "((SELECT 1 UNION SELECT 2) UNION ALL (SELECT 3 INTERSECT SELECT 4)) EXCEPT ALL SELECT 5"},
      {"(select 1 order by 1 limit 1) union (select 2 offset 1) order by 1 desc limit 2",
       "(SELECT 1 ORDER BY 1 LIMIT 1) UNION (SELECT 2 OFFSET 1) ORDER BY 1 DESC LIMIT 2"},
      {"select 1 union (select 2 union select 3)", "SELECT 1 UNION (SELECT 2 UNION SELECT 3)"},
      {"values (1, 2), (3, 4) order by 1 limit 1", "VALUES (1, 2), (3, 4) ORDER BY 1 LIMIT 1"},
      {"with a as (select 1), b (x, y) as materialized (insert into t values (1) returning *), c as not materialized "
       "(update t set a = 1), d as (delete from t) select * from a, b",
       "WITH a AS (SELECT 1), b (x, y) AS MATERIALIZED (INSERT INTO t VALUES (1) RETURNING *), c AS NOT MATERIALIZED "
       "(UPDATE t SET a = 1), d AS (DELETE FROM t) SELECT * FROM a, b"},
      {"with recursive w (n) as (values (1) union all select n + 1 from w where n < 9) select * from w",
       "WITH RECURSIVE w (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM w WHERE n < 9) SELECT * FROM w"},
      {"with a as (with b as (select 1) select * from b) (with c as (select 2) select * from c) union select 3",
       "WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) (WITH c AS (SELECT 2) SELECT * FROM c) UNION SELECT 3"},
      {"select 1 limit all offset 2 rows", "SELECT 1 LIMIT NULL OFFSET 2"},
      {"select a from t limit 3 offset 1", "SELECT a FROM t LIMIT 3 OFFSET 1"},
      {"select a from t order by a fetch first 3 rows with ties",
       "SELECT a FROM t ORDER BY a FETCH FIRST (3) ROWS WITH TIES"},
      {"select a from t order by a fetch first row with ties",
       "SELECT a FROM t ORDER BY a FETCH FIRST (1) ROWS WITH TIES"},
      {"select a from t for update of t nowait for key share for share of t, u skip locked for no key update",
       "SELECT a FROM t FOR UPDATE OF t NOWAIT FOR KEY SHARE FOR SHARE OF t, u SKIP LOCKED FOR NO KEY UPDATE"},
      {"select from t", "SELECT FROM t"},
      {"table t", "SELECT * FROM t"},
      {"select", "SELECT"},
      {"select a.b.c.d, s.t.*, t is null, t.* is null", "SELECT a.b.c.d, s.t.*, t IS NULL, t.* IS NULL"},
      {"insert into t values (1, 'x'), (2, default)", "INSERT INTO t VALUES (1, 'x'), (2, DEFAULT)"},
      {"insert into s.t as u (a, \"B c\", d[1]) overriding system value values ($1, $2, 3) returning *, a + 1 as x",
       "INSERT INTO s.t AS u (a, \"B c\", d[1]) OVERRIDING SYSTEM VALUE VALUES ($1, $2, 3) RETURNING *, a + 1 AS x"},
      {"insert into t default values returning a", "INSERT INTO t DEFAULT VALUES RETURNING a"},
      {"insert into t select * from u on conflict do nothing", "INSERT INTO t SELECT * FROM u ON CONFLICT DO NOTHING"},
      {"insert into t (a) (select 1) union select 2", "INSERT INTO t (a) SELECT 1 UNION SELECT 2"},
      {"with w as (select 1) insert into t with v as (select 2) select * from v, w",
       "WITH w AS (SELECT 1) INSERT INTO t WITH v AS (SELECT 2) SELECT * FROM v, w"},
      {"insert into t values (1) on conflict on constraint \"K\" do update set a = excluded.a, (b, c) = (1, default), "
       "(d, e) = (select 1, 2) where t.b < 9",
       "INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT \"K\" DO UPDATE SET a = excluded.a, (b, c) = (1, DEFAULT), "
       "(d, e) = (SELECT 1, 2) WHERE t.b < 9"},
      {"insert into t values (1) on conflict (a, lower(b) collate \"C\" text_pattern_ops, (c + 1)) where d > 1 do "
       "update set b = t.b + excluded.b",
       "INSERT INTO t VALUES (1) ON CONFLICT (a, (lower(b)) COLLATE \"C\" text_pattern_ops, (c + 1)) WHERE d > 1 DO "
       "UPDATE SET b = t.b + excluded.b"},
      {"update only t as x set a = a + 1, b = default, c[2] = 3, (d, e) = row(1, 2), (f) = (select 1) from u, v join w "
       "on true where x.id in (1, 2) returning x.*",
       "UPDATE ONLY t AS x SET a = a + 1, b = DEFAULT, c[2] = 3, (d, e) = ROW(1, 2), (f) = (SELECT 1) FROM u, v JOIN w "
       "ON TRUE WHERE x.id IN (1, 2) RETURNING x.*"},
      {"delete from t x using u, v where x.a is not null returning x.a",
       "DELETE FROM t AS x USING u, v WHERE x.a IS NOT NULL RETURNING x.a"},
      {"with w as (select 1) delete from t using w", "WITH w AS (SELECT 1) DELETE FROM t USING w"},
      {"delete from t where current of c", "DELETE FROM t WHERE CURRENT OF c"},
  });
}

TEST(ParserTest, Definitions) {
  expect_all_back({
      {"create table t (a int primary key, b int8 default 3 + 1 not null, c text collate \"C\" null, d bool unique, e "
       "serial, f varchar(5) check (f <> '') no inherit)",
       "CREATE TABLE t (a integer PRIMARY KEY, b int8 DEFAULT (3 + 1) NOT NULL, c text COLLATE \"C\" NULL, d bool "
       "UNIQUE, e serial, f character varying(5) CHECK (f <> '') NO INHERIT)"},
      {"create table if not exists s.t (a integer constraint k primary key deferrable initially deferred, b int "
       "references u (x) match full on delete cascade on update set null not deferrable, like z including all, c int "
       "generated always as identity (start 5 increment by -2 no cycle), d int generated by default as identity, e int "
       "generated always as (a + 1) stored, constraint p primary key (a, b) include (c) with (fillfactor = 70), unique "
       "nulls not distinct (a), foreign key (a, b) references s.u on delete set null (a), check (a > 0) not valid, "
       "like y including defaults including indexes)",
       "CREATE TABLE IF NOT EXISTS s.t (a integer CONSTRAINT k PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, b integer "
       "REFERENCES u (x) MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL, LIKE z INCLUDING ALL, c integer GENERATED "
       "ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY -2 NO CYCLE), d integer GENERATED BY DEFAULT AS IDENTITY, e "
       "integer GENERATED ALWAYS AS (a + 1) STORED, LIKE y INCLUDING DEFAULTS INCLUDING INDEXES, CONSTRAINT p PRIMARY "
       "KEY (a, b) INCLUDE (c) WITH (fillfactor = 70), UNIQUE NULLS NOT DISTINCT (a), FOREIGN KEY (a, b) REFERENCES "
       "s.u ON DELETE SET NULL (a), CHECK (a > 0) NOT VALID)"},
      {"create temp table t (a int) on commit drop", "CREATE TEMPORARY TABLE t (a integer) ON COMMIT DROP"},
      {"create unlogged table t () with (fillfactor = 50, autovacuum_enabled, toast.x = 'a', b = off, c = -1, d = 0, e "
       "= 1.5)",
       "CREATE UNLOGGED TABLE t () WITH (fillfactor = 50, autovacuum_enabled, toast.x = 'a', b = 'off', c = -1, d = 0, "
       "e = 1.5)"},
      {"create table t (a int) using heap", "CREATE TABLE t (a integer) USING heap"},
      {"create table t as select 1", "CREATE TABLE t AS SELECT 1"},
      {"create temp table if not exists t (a, b) on commit delete rows as values (1, 2) with no data",
       "CREATE TEMPORARY TABLE IF NOT EXISTS t (a, b) ON COMMIT DELETE ROWS AS VALUES (1, 2) WITH NO DATA"},
      {"create materialized view v (a) as select 1 with no data",
       "CREATE MATERIALIZED VIEW v (a) AS SELECT 1 WITH NO DATA"},
      {"select a into temp t from u", "CREATE TEMPORARY TABLE t AS SELECT a FROM u"},
      {"select 1 into t union select 2", "CREATE TABLE t AS SELECT 1 UNION SELECT 2"},
      {"create index on t (a)", "CREATE INDEX ON t (a)"},
      {"create unique index concurrently if not exists i on s.t using btree (a asc nulls last, \"B\" desc, lower(c), "
       "(d + 1) collate \"C\" int4_ops) include (x, y) nulls not distinct with (fillfactor = 70) where a > 1",
       "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a ASC NULLS LAST, \"B\" DESC NULLS FIRST, (lower(c)), "
       "(d + 1) COLLATE \"C\" int4_ops) INCLUDE (x, y) NULLS NOT DISTINCT WITH (fillfactor = 70) WHERE a > 1"},
      {"create index i on t using hash (a)", "CREATE INDEX i ON t USING hash (a)"},
      {"create sequence s", "CREATE SEQUENCE s"},
      {"create temp sequence if not exists a.s as bigint start with 5 increment by -2 minvalue -9223372036854775808 "
       "maxvalue 0 cache 7 cycle owned by t.a",
       "CREATE TEMPORARY SEQUENCE IF NOT EXISTS a.s AS bigint START WITH 5 INCREMENT BY -2 MINVALUE "
       "-9223372036854775808 MAXVALUE 0 CACHE 7 CYCLE OWNED BY t.a"},
      {"create sequence s start -7 increment 0 minvalue /* 3 */ -10 maxvalue +4 no cycle owned by none",
       "CREATE SEQUENCE s START WITH -7 INCREMENT BY 0 MINVALUE -10 MAXVALUE 4 NO CYCLE OWNED BY NONE"},
      {"alter sequence if exists s restart with -5 no minvalue no maxvalue",
       "ALTER SEQUENCE IF EXISTS s NO MINVALUE NO MAXVALUE RESTART WITH -5"},
      {"alter sequence s restart", "ALTER SEQUENCE s RESTART"},
      {"create or replace view v (a, b) with (security_barrier = true) as select 1, 2 with local check option",
       "CREATE OR REPLACE VIEW v (a, b) WITH (security_barrier = 'true') AS SELECT 1, 2 WITH LOCAL CHECK OPTION"},
      {"create temp view v as select a from t with check option",
       "CREATE TEMPORARY VIEW v AS SELECT a FROM t WITH CHECK OPTION"},
      {"create recursive view r (n) as values (1) union all select n + 1 from r",
       "CREATE VIEW r (n) AS WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r) SELECT n FROM r"},
      {"create schema if not exists s authorization current_user",
       "CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION CURRENT_USER"},
      {"create schema authorization \"Joe\"", "CREATE SCHEMA AUTHORIZATION \"Joe\""},
      {"drop table if exists a, s.b cascade", "DROP TABLE IF EXISTS a, s.b CASCADE"},
      {"drop index concurrently i", "DROP INDEX CONCURRENTLY i"},
      {"drop schema s, t", "DROP SCHEMA s, t"},
      {"drop view v", "DROP VIEW v"},
      {"drop materialized view w", "DROP MATERIALIZED VIEW w"},
      {"drop sequence s restrict", "DROP SEQUENCE s"},
      {"drop type x.y, z", "DROP TYPE x.y, z"},
      {"drop extension e", "DROP EXTENSION e"},
      {"drop database if exists d", "DROP DATABASE IF EXISTS d"},
      {"drop role if exists a, b", "DROP ROLE IF EXISTS a, b"},
      {"alter table if exists only s.t add column if not exists a int not null default 1, drop column if exists b "
       "cascade, alter c set default 5, alter c drop default, alter c set not null, alter c drop not null, alter c "
       "type text using c::text, add constraint k unique (a), add primary key using index i, drop constraint k, "
       "validate constraint v, set (fillfactor = 10), reset (a, b), owner to joe",
       "ALTER TABLE IF EXISTS ONLY s.t ADD COLUMN IF NOT EXISTS a integer NOT NULL DEFAULT 1, DROP COLUMN IF EXISTS b "
       "CASCADE, ALTER COLUMN c SET DEFAULT 5, ALTER COLUMN c DROP DEFAULT, ALTER COLUMN c SET NOT NULL, ALTER COLUMN "
       "c DROP NOT NULL, ALTER COLUMN c TYPE text USING c::text, ADD CONSTRAINT k UNIQUE (a), ADD PRIMARY KEY USING "
       "INDEX i, DROP CONSTRAINT k, VALIDATE CONSTRAINT v, SET (fillfactor = 10), RESET (a, b), OWNER TO joe"},
      {"alter table t alter a add generated always as identity (start 3), alter b drop identity if exists, alter c "
       "drop expression, owner to session_user",
       "ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (START WITH 3), ALTER COLUMN b DROP IDENTITY IF "
       "EXISTS, ALTER COLUMN c DROP EXPRESSION, OWNER TO SESSION_USER"},
      {"alter index i set (fillfactor = 10)", "ALTER INDEX i SET (fillfactor = 10)"},
      {"alter table t rename to u", "ALTER TABLE t RENAME TO u"},
      {"alter table t rename a to b", "ALTER TABLE t RENAME COLUMN a TO b"},
      {"alter table t rename constraint c to d", "ALTER TABLE t RENAME CONSTRAINT c TO d"},
      {"alter index i rename to j", "ALTER INDEX i RENAME TO j"},
      {"alter view if exists v rename column a to b", "ALTER VIEW IF EXISTS v RENAME COLUMN a TO b"},
      {"alter schema s rename to r", "ALTER SCHEMA s RENAME TO r"},
      {"alter schema s owner to x", "ALTER SCHEMA s OWNER TO x"},
      {"create index i on t (a) with (fillfactor = 70) tablespace pg_default where a > 1",
       "CREATE INDEX i ON t (a) WITH (fillfactor = 70) TABLESPACE pg_default WHERE a > 1"},
      {"alter materialized view m rename to n", "ALTER MATERIALIZED VIEW m RENAME TO n"},
      {"alter sequence a.b rename to c", "ALTER SEQUENCE a.b RENAME TO c"},
      {"alter database d rename to e", "ALTER DATABASE d RENAME TO e"},
      {"alter table t set schema s", "ALTER TABLE t SET SCHEMA s"},
      {"alter view if exists a.v set schema s", "ALTER VIEW IF EXISTS a.v SET SCHEMA s"},
      {"alter sequence x set schema y", "ALTER SEQUENCE x SET SCHEMA y"},
      {"refresh materialized view concurrently v", "REFRESH MATERIALIZED VIEW CONCURRENTLY v"},
      {"refresh materialized view v with no data", "REFRESH MATERIALIZED VIEW v WITH NO DATA"},
  });
}

TEST(ParserTest, Utilities) {
  expect_all_back({
      {"truncate a, only b restart identity cascade", "TRUNCATE TABLE a, ONLY b RESTART IDENTITY CASCADE"},
      {"comment on table t is 'it''s'", "COMMENT ON TABLE t IS 'it''s'"},
      {"comment on column s.t.a is null", "COMMENT ON COLUMN s.t.a IS NULL"},
      {"comment on index i is 'x'", "COMMENT ON INDEX i IS 'x'"},
      {"comment on schema s is 'y'", "COMMENT ON SCHEMA s IS 'y'"},
      {"comment on database d is 'z'", "COMMENT ON DATABASE d IS 'z'"},
      {"copy t from stdin", "COPY t FROM STDIN"},
      {"copy s.t (a, b) from 'f' with (format csv, delimiter ',', header, null 'x', force_not_null (a, \"B\"), freeze "
       "false) where a > 1",
       "COPY s.t (a, b) FROM 'f' WITH (format 'csv', delimiter ',', header, null 'x', force_not_null (a, \"B\"), "
       "freeze 'false') WHERE a > 1"},
      {"copy t to stdout csv header quote '\"' force quote *",
       "COPY t TO STDOUT WITH (format 'csv', header 'true', quote '\"', force_quote *)"},
      {"copy (select 1) to '/x' (format binary)", "COPY (SELECT 1) TO '/x' WITH (format 'binary')"},
      {"copy binary t to program 'x'", "COPY t TO PROGRAM 'x' WITH (format 'binary')"},
      {"copy (delete from t returning *) to stdout", "COPY (DELETE FROM t RETURNING *) TO STDOUT"},
      {"explain select 1", "EXPLAIN SELECT 1"},
      {"explain (analyze, verbose off, format json, \"Costs\" 1) delete from t",
       "EXPLAIN (analyze, verbose 'off', format 'json', \"Costs\" 1) DELETE FROM t"},
      {"explain analyze verbose select 1", "EXPLAIN (analyze, verbose) SELECT 1"},
      {"explain create table t as select 1", "EXPLAIN CREATE TABLE t AS SELECT 1"},
      {"explain execute p (1)", "EXPLAIN EXECUTE p (1)"},
      {"prepare p (int, text[]) as select $1, $2", "PREPARE p (integer, text[]) AS SELECT $1, $2"},
      {"prepare q as insert into t values ($1)", "PREPARE q AS INSERT INTO t VALUES ($1)"},
      {"execute p (1, 'x' || $1)", "EXECUTE p (1, 'x' || $1)"},
      {"execute q", "EXECUTE q"},
      {"deallocate p", "DEALLOCATE p"},
      {"deallocate all", "DEALLOCATE ALL"},
      {"lock t", "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"},
      {"lock table a, s.b in access share mode nowait", "LOCK TABLE a, s.b IN ACCESS SHARE MODE NOWAIT"},
      {"lock only a in row exclusive mode", "LOCK TABLE ONLY a IN ROW EXCLUSIVE MODE"},
      {"vacuum", "VACUUM"},
      {"vacuum full freeze verbose analyze t (a, b)", "VACUUM (FULL, FREEZE, VERBOSE, ANALYZE) t (a, b)"},
      {"vacuum (freeze, analyze off, skip_locked) a, s.b", "VACUUM (FREEZE, SKIP_LOCKED) a, s.b"},
      {"analyze", "ANALYZE"},
      {"analyze verbose t (a)", "ANALYZE (VERBOSE) t (a)"},
      {"analyze (skip_locked true) t", "ANALYZE (SKIP_LOCKED) t"},
      {"checkpoint", "CHECKPOINT"},
      {"discard all", "DISCARD ALL"},
      {"discard plans", "DISCARD PLANS"},
      {"discard sequences", "DISCARD SEQUENCES"},
      {"discard temp", "DISCARD TEMPORARY"},
      {"begin", "BEGIN"},
      {"start transaction isolation level repeatable read, read only, not deferrable",
       "START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE"},
      {"commit", "COMMIT"},
      {"end", "COMMIT"},
      {"rollback", "ROLLBACK"},
      {"abort", "ROLLBACK"},
      {"prepare transaction 'a''b'", "PREPARE TRANSACTION 'a''b'"},
      {"commit prepared 'c'", "COMMIT PREPARED 'c'"},
      {"rollback prepared 'd'", "ROLLBACK PREPARED 'd'"},
      {"savepoint a", "SAVEPOINT a"},
      {"rollback to a", "ROLLBACK TO SAVEPOINT a"},
      {"rollback transaction to savepoint \"B\"", "ROLLBACK TO SAVEPOINT \"B\""},
      {"release a", "RELEASE SAVEPOINT a"},
      {"set x.y = 5", "SET x.y TO '5'"},
      {"set local x to -3", "SET LOCAL x TO '-3'"},
      {"set x = a, 'B'", "SET x TO 'a', 'B'"},
      {"set x to on", "SET x TO 'on'"},
      {"set session x to 1.5", "SET x TO '1.5'"},
      {"set local x to default", "SET LOCAL x TO DEFAULT"},
      {"set search_path to \"A\", b", "SET search_path TO 'A', 'b'"},
      {"set search_path = 'a, b'", "SET search_path TO 'a, b'"},
      {"set time zone 'UTC'", "SET timezone TO 'UTC'"},
      {"set time zone local", "SET timezone TO DEFAULT"},
      {"set names 'utf8'", "SET client_encoding TO 'utf8'"},
      {"set role none", "SET role TO 'none'"},
      {"set schema 's'", "SET search_path TO 's'"},
      {"reset x", "RESET x"},
      {"set x to default", "SET x TO DEFAULT"},
      {"reset all", "RESET ALL"},
      {"show x.y", "SHOW x.y"},
      {"show all", "SHOW ALL"},
      {"show time zone", "SHOW timezone"},
      {"show transaction isolation level", "SHOW transaction_isolation"},
      {"set transaction isolation level serializable, read write, deferrable",
       "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ WRITE DEFERRABLE"},
      {"set session characteristics as transaction read only", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"},
      {"commit and no chain", "COMMIT"},
  });
}

TEST(ParserTest, Refusals) {
  expect_all({
      {"listen x", "0A000: LISTEN is not supported @0"},
      {"do $$ begin end $$", "0A000: DO is not supported @0"},
      {"call f()", "0A000: CALL is not supported @0"},
      {"create function f() returns int language sql as 'select 1'", "0A000: CREATE FUNCTION is not supported @0"},
      {"create procedure f() language sql as 'select 1'", "0A000: CREATE PROCEDURE is not supported @0"},
      {"create extension citus", "0A000: CREATE EXTENSION is not supported @0"},
      {"grant select on t to u", "0A000: GRANT is not supported @0"},
      {"revoke select on t from u", "0A000: REVOKE is not supported @0"},
      {"grant a to b", "0A000: GRANT is not supported @0"},
      {"create role x", "0A000: CREATE ROLE is not supported @0"},
      {"create user x", "0A000: CREATE USER is not supported @0"},
      {"create database d", "0A000: CREATE DATABASE is not supported @0"},
      {"create type x as enum ('a')", "0A000: CREATE TYPE is not supported @0"},
      {"create type x as (a int)", "0A000: CREATE TYPE is not supported @0"},
      {"create domain d as int", "0A000: CREATE DOMAIN is not supported @0"},
      {"create trigger t before insert on t for each row execute function f()",
       "0A000: CREATE TRIGGER is not supported @0"},
      {"create aggregate a (int) (sfunc = f, stype = int)", "0A000: CREATE AGGREGATE is not supported @0"},
      {"create operator + (leftarg = int, function = f)", "0A000: CREATE OPERATOR is not supported @0"},
      {"create foreign table t (a int) server s", "0A000: CREATE FOREIGN TABLE is not supported @0"},
      {"declare c cursor for select 1", "0A000: DECLARE CURSOR is not supported @0"},
      {"fetch next from c", "0A000: FETCH is not supported @0"},
      {"move c", "0A000: MOVE is not supported @0"},
      {"close c", "0A000: CLOSE is not supported @0"},
      {"merge into t using u on true when matched then delete", "0A000: MERGE is not supported @0"},
      {"reindex table t", "0A000: REINDEX is not supported @0"},
      {"notify x", "0A000: NOTIFY is not supported @0"},
      {"cluster t", "0A000: CLUSTER is not supported @0"},
      {"set constraints all deferred", "0A000: SET CONSTRAINTS is not supported @0"},
      {"alter role x superuser", "0A000: ALTER ROLE is not supported @0"},
      {"alter type x add value 'y'", "0A000: ALTER TYPE is not supported @0"},
      {"alter type x add attribute a int", "0A000: ALTER TYPE is not supported @0"},
      {"alter type x rename attribute a to b", "0A000: ALTER TYPE is not supported @0"},
      {"alter table t attach partition p default", "0A000: ALTER TABLE ... ATTACH PARTITION is not supported @0"},
      {"alter table t enable row level security",
       "0A000: ALTER TABLE ... ENABLE ROW LEVEL SECURITY is not supported @0"},
      {"alter table t alter a set statistics 5",
       "0A000: ALTER TABLE ... ALTER COLUMN ... SET STATISTICS is not supported @0"},
      {"alter table t enable trigger all", "0A000: ALTER TABLE ... ENABLE TRIGGER ALL is not supported @0"},
      {"alter foreign table t add a int", "0A000: ALTER FOREIGN TABLE is not supported @0"},
      {"drop function f()", "0A000: DROP FUNCTION is not supported @0"},
      {"drop trigger t on u", "0A000: DROP TRIGGER is not supported @0"},
      {"drop foreign table t", "0A000: DROP FOREIGN TABLE is not supported @0"},
      {"comment on function f() is 'x'", "0A000: COMMENT ON FUNCTION is not supported @0"},
      {"create table t (a int) partition by hash (a)", "0A000: PARTITION BY is not supported @0"},
      {"create table t partition of u default", "0A000: PARTITION OF is not supported @0"},
      {"create table t () inherits (u)", "0A000: INHERITS is not supported @0"},
      {"create table t (a int) tablespace x", "42704: tablespace \"x\" does not exist @0"},
      {"create table t of x", "0A000: OF type is not supported @0"},
      {"create table t (a int, exclude using gist (a with =))", "0A000: EXCLUDE is not supported @24"},
      {"create table t (a int compression pglz)", "0A000: COMPRESSION is not supported @0"},
      {"create table t as execute p", "0A000: CREATE TABLE ... AS EXECUTE is not supported @0"},
      {"create table t (a int deferrable)", "42601: misplaced DEFERRABLE clause @23"},
      {"create table t (a int unique initially deferred not deferrable)",
       "42601: constraint declared INITIALLY DEFERRED must be DEFERRABLE @49"},
      {"create schema s create table t (a int)", "0A000: CREATE SCHEMA with definitions inside is not supported @0"},
      {"select * from t tablesample system (1)", "0A000: TABLESAMPLE is not supported @29"},
      {"select * from xmltable('x' passing y columns a int)", "0A000: XMLTABLE is not supported @15"},
      {"select xmlelement(name a)", "0A000: unsupported XML feature @0"},
      {"select b'101'", "0A000: a bit string is not supported @8"},
      {"select a from d.s.t", "0A000: cross-database references are not implemented: \"d.s.t\" @15"},
      {"select d.s.f(1)", "0A000: cross-database references are not implemented: d.s.f @8"},
      {"select 1::a.b.c", "0A000: cross-database references are not implemented: a.b.c @11"},
      {"select 1 into t union select 2 into u", "42601: SELECT ... INTO is not allowed here @37"},
      {"select * from (select 1 into t) x", "42601: SELECT ... INTO is not allowed here @30"},
      {"insert into t select 1 into u", "42601: SELECT ... INTO is not allowed here @29"},
      {"with recursive a as (select 1) search depth first by x set y select 1",
       "0A000: SEARCH in WITH RECURSIVE is not supported @0"},
      {"with recursive a as (select 1) cycle x set y using z select 1",
       "0A000: CYCLE in WITH RECURSIVE is not supported @0"},
      {"commit and chain", "0A000: AND CHAIN is not supported @0"},
      {"set transaction snapshot 'x'", "0A000: SET TRANSACTION SNAPSHOT is not supported @0"},
      {"set time zone interval '1' hour", "0A000: an interval as the value of a setting is not supported @0"},
      {"vacuum (parallel 2) t", "0A000: VACUUM with the option parallel is not supported @9"},
      {"vacuum (wrong) t", "42601: unrecognized VACUUM option \"wrong\" @9"},
      {"analyze (freeze) t", "42601: unrecognized ANALYZE option \"freeze\" @10"},
      {"vacuum (full 7) t", "42601: full requires a Boolean value @0"},
      {"select * from (select 1)", "42601: subquery in FROM must have an alias @15"},
      {"select * from (values (1))", "42601: VALUES in FROM must have an alias @15"},
      {"select * from t limit 1, 2", "42601: LIMIT #,# syntax is not supported @17"},
      {"insert into t values (1) on conflict do update set a = 1",
       "42601: ON CONFLICT DO UPDATE requires inference specification or constraint name @26"},
      {"update t set a.b = 1", "0A000: assignment to a field of a column is not supported @14"},
      {"select 1 order by", "42601: syntax error at end of input @18"},
      {"select 'abc", "42601: unterminated quoted string at or near \"'abc\" @8"},
      {"select \"", "42601: unterminated quoted identifier at or near \"\"\" @8"},
      {"select 1 where żółw żółw", "42601: syntax error at or near \"żółw\" @21"},
      {"select $0", "42P02: there is no parameter $0 @8"},
      {"select $65536", "42P02: there is no parameter $65536 @8"},
      {"select 1::varchar(x)", "42601: syntax error at or near \"x\" @19"},
      {"select 1::float(0)", "22023: precision for type float must be at least 1 bit @17"},
      {"select 1::float(54)", "22023: precision for type float must be less than 54 bits @17"},
      {"create table t (a int references u match partial)", "0A000: MATCH PARTIAL not yet implemented @36"},
      {"select count(*) over (rows between unbounded following and current row)",
       "42P20: frame start cannot be UNBOUNDED FOLLOWING @36"},
      {"copy (select 1 into t) to stdout", "0A000: COPY (SELECT INTO) is not supported @0"},
      {"prepare x as select 1 into t", "42P14: utility statements cannot be prepared @0"},
      {"create view v as select 1 into t", "0A000: views must not contain SELECT INTO @0"},
      {"select * from a, (b join c)", "42601: syntax error at or near \")\" @27"},
      {"alter database d set x = 1", "0A000: ALTER DATABASE is not supported @0"},
      {"create sequence s cache 1 cache 2", "42601: conflicting or redundant options @27"},
      {"comment on column a is 'x'", "42601: column name must be qualified @0"},
      {"create unlogged view v as select 1", "42601: views cannot be unlogged because they do not have storage @0"},
  });
}

TEST(ParserTest, SeveralStatements) {
  expect_all({
      {"select 1; select 2;", "SELECT 1; SELECT 2"},
      {"", ""},
      {"-- nothing\n;;", ""},
      {"select 1; selec 2", "42601: syntax error at or near \"selec\" @11"},
  });
  const auto statements = parse("select $2; select $1 + $7; prepare p as select $3");
  EXPECT_EQ(statements.at(0)->parameters, 2);
  EXPECT_EQ(statements.at(1)->parameters, 7);
  EXPECT_EQ(statements.at(2)->parameters, 0);
  EXPECT_EQ(std::get<Prepare>(statements.at(2)->body).statement->parameters, 3);
}

TEST(ParserTest, HintsOfTheGrammar) {
  const auto hint_of = [](std::string_view text) -> std::string {
    try {
      (void)parse(text);
      return "no error";
    } catch (const SqlError& error) {
      return error.fields().hint;
    }
  };
  EXPECT_EQ(hint_of("select * from (select 1)"), "For example, FROM (SELECT ...) [AS] foo.");
  EXPECT_EQ(hint_of("select * from (values (1))"), "For example, FROM (VALUES ...) [AS] foo.");
  EXPECT_EQ(hint_of("select * from t limit 1, 2"), "Use separate LIMIT and OFFSET clauses.");
  EXPECT_EQ(hint_of("select 1 +"), "");
}

TEST(ParserTest, Encoding) {
  EXPECT_EQ(rewritten("select '\xff'"), "22021: invalid byte sequence for encoding \"UTF8\": 0xff @0");
  EXPECT_EQ(rewritten(std::string_view("select 'a\0b'", 12)),
            "22021: invalid byte sequence for encoding \"UTF8\": 0x00 @0");
}

// Positions count characters, not bytes, from 1.
TEST(ParserTest, Positions) {
  const std::string text =
      "select 'żó', a.b + f(1), case x when 1 then 2 when 3 then 4 end, y::int, date '2020-01-01' from t as u "
      "order by q using < for update of u";
  const auto statements = parse(text);
  const auto& select = std::get<Select>(statements.at(0)->body);
  const auto item = [&](std::size_t i) -> const Expression& { return *select.items.at(i).expression; };
  EXPECT_EQ(select.items.at(1).position, 14);
  EXPECT_EQ(item(1).position, 18);  // of the operator
  EXPECT_EQ(item(1).arguments.at(0)->position, 14);
  EXPECT_EQ(item(1).arguments.at(1)->position, 20);
  EXPECT_EQ(item(2).position, 26);
  EXPECT_EQ(item(2).when_positions, (std::vector<int>{33, 47}));
  EXPECT_EQ(item(3).position, 67);  // of the ::
  EXPECT_EQ(item(3).type_name->position, 69);
  EXPECT_EQ(item(4).position, 74);  // of what has no place of its own, where its type stands
  EXPECT_EQ(std::get<TableName>(select.from.at(0)->source).position, 97);
  EXPECT_EQ(select.order_by.at(0).using_position, 121);
  EXPECT_EQ(select.locking.at(0).of.at(0).position, 137);

  const auto change = parse("insert into t (a, b[1]) values (1, 2) on conflict (c) do update set d = default");
  const auto& insert = std::get<Insert>(change.at(0)->body);
  EXPECT_EQ(insert.columns.at(1).position, 19);
  EXPECT_EQ(insert.source->values.at(0).at(1)->position, 36);
  EXPECT_EQ(insert.on_conflict->position, 39);
  EXPECT_EQ(insert.on_conflict->target_position, 51);
  EXPECT_EQ(insert.on_conflict->assignments.at(0).position, 69);
  EXPECT_EQ(insert.on_conflict->assignments.at(0).value->position, 73);
}

// An assignment of a list shares its source, and settings keep what was written.
TEST(ParserTest, WhatTheTextDoesNotShow) {
  const auto statements = parse("update t set (a, b) = (select 1, 2); set search_path = \"A b\", c; set x = 'A b', c");
  const auto& update = std::get<Update>(statements.at(0)->body);
  EXPECT_EQ(update.assignments.at(0).value, update.assignments.at(1).value);
  EXPECT_EQ(update.assignments.at(1).source_index, 1);
  EXPECT_EQ(update.assignments.at(1).source_count, 2);
  EXPECT_EQ(std::get<SetVariable>(statements.at(1)->body).value, "\"A b\", c");
  EXPECT_EQ(std::get<SetVariable>(statements.at(2)->body).value, "A b, c");
  const auto view = parse("create view v as select  1");
  EXPECT_EQ(std::get<CreateView>(view.at(0)->body).text, "SELECT 1");
}

// Texts in capitals about prepared transactions do not always reach the grammar; in small letters they do.
TEST(ParserTest, PreparedTransactionsAreReadAlike) {
  for (const std::string gid :
       {"polar_0_17_3_1", "A-9", "", "a b", "it''s", "x\\y", "a'; COMMIT; SELECT '", "gr\u00fcn", "'"}) {
    for (const auto& [capitals, small] :
         {std::pair("PREPARE TRANSACTION", "prepare transaction"), std::pair("COMMIT PREPARED", "commit prepared"),
          std::pair("ROLLBACK PREPARED", "rollback prepared")}) {
      for (const char* rest : {"", ";", " ", "; SELECT 1", " x"}) {
        const std::string tail = " '" + gid + "'" + rest;
        EXPECT_EQ(rewritten(capitals + tail), rewritten(small + tail)) << capitals << tail;
      }
    }
  }
  const auto parsed = parse("COMMIT PREPARED 'polar_0_17_3_1'");
  ASSERT_EQ(parsed.size(), 1U);
  EXPECT_EQ(std::get<TransactionControl>(parsed.at(0)->body).gid, "polar_0_17_3_1");
  EXPECT_EQ(parsed.at(0)->parameters, 0);
}

TEST(EqualityTest, TellsApart) {
  const auto equal = [](std::string_view a, std::string_view b) {
    return structurally_equal(*parse(a).at(0), *parse(b).at(0));
  };
  EXPECT_TRUE(equal("select a  + 1", "SELECT a+1"));
  EXPECT_FALSE(equal("select a + 1", "select a + 2"));
  EXPECT_FALSE(equal("select a + 1", "select a - 1"));
  EXPECT_FALSE(equal("select 1.0", "select 1.00"));
  EXPECT_FALSE(equal("select a from t", "select a from t u"));
  EXPECT_FALSE(equal("select a from t", "select a from t limit 1"));
  EXPECT_FALSE(equal("select a from t join u on x", "select a from t join u on y"));
  EXPECT_FALSE(equal("select (select 1)", "select (select 2)"));
  EXPECT_FALSE(equal("select a::int", "select a::int[]"));
  EXPECT_FALSE(equal("select count(*) over w", "select count(*) over v"));
  EXPECT_FALSE(equal("commit", "rollback"));
  EXPECT_FALSE(equal("select 1", "commit"));
}

}  // namespace
}  // namespace polarsim::engine::syntax
