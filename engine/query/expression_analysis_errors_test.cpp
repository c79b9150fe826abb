#include <gtest/gtest.h>

#include <vector>

#include "engine/query/expression_analysis_test_support.h"

// The types and errors (messages, positions, details, hints) are what a real PostgreSQL 15 answered; the shapes are
// this engine's own.
namespace polarsim::engine::query {
namespace {

struct Example {
  const char* expression;
  const char* expected;
};

void expect_all(const std::vector<Example>& cases) {
  for (const Example& each : cases) EXPECT_EQ(analysed(each.expression), each.expected) << each.expression;
}

TEST(ExpressionAnalysis, RefusesWhatPostgresRefuses) {
  const std::vector<Example> cases = {
      {"(t).nosuch", "42703 column t.nosuch does not exist @2"},
      {"(row(1)).f3", "42703 could not identify column \"f3\" in record data type @2"},
      {"(1).x", "42809 column notation .x applied to type integer, which is not a composite type @2"},
      {"((a)).x", "42809 column notation .x applied to type integer, which is not a composite type @3"},
      {"case a when true then 1 end",
       "42883 operator does not exist: integer = boolean @8 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"case a when 'x' then 1 end", "22P02 invalid input syntax for type integer: \"x\" @13"},
      {"case when a then 1 end", "42804 argument of CASE/WHEN must be type boolean, not type integer @11"},
      {"case when d then 'x' else 1 end", "22P02 invalid input syntax for type integer: \"x\" @18"},
      {"case when d then true else 1 end", "42804 CASE types integer and boolean cannot be matched @18"},
      {"foo.lower('x')", "3F000 schema \"foo\" does not exist @1"},
      {"public.lower('x')",
       "42883 function public.lower(unknown) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"1 operator(foo.+) 2", "3F000 schema \"foo\" does not exist @3"},
      {"1 operator(pg_catalog.+) true",
       "42883 operator does not exist: integer pg_catalog.+ boolean @3 [No operator matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"1 operator(public.+) 2",
       "42883 operator does not exist: integer public.+ integer @3 [No operator matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"pg_catalog.lower(1)",
       "42883 function pg_catalog.lower(integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"'x'::foo", "42704 type \"foo\" does not exist @6"},
      {"'x'::foo[]", "42704 type \"foo[]\" does not exist @6"},
      {"'a' collate \"xx\"", "42704 collation \"xx\" for encoding \"UTF8\" does not exist @5"},
      {"1 collate \"C\"", "42804 collations are not supported by type integer @3"},
      {"array[]",
       "42P18 cannot determine type of empty array @1 [Explicitly cast to the desired type, for example "
       "ARRAY[]::integer[].]"},
      {"array[]::text",
       "42P18 cannot determine type of empty array @1 [Explicitly cast to the desired type, for example "
       "ARRAY[]::integer[].]"},
      {"array[1,'x']", "22P02 invalid input syntax for type integer: \"x\" @9"},
      {"array['a','b']::int[]", "22P02 invalid input syntax for type integer: \"a\" @7"},
      {"array[true]::date[]", "42846 cannot cast type boolean to date @7"},
      {"array[1,array[2]]", "42804 ARRAY types integer and integer[] cannot be matched @9"},
      {"array[1,true]", "42804 ARRAY types integer and boolean cannot be matched @9"},
      {"(array[1])['x']", "22P02 invalid input syntax for type integer: \"x\" @12"},
      {"(array[1])[true]", "42804 array subscript must have type integer @12"},
      {"e[1][1][1][1][1][1][1]", "54000 number of array dimensions (7) exceeds the maximum allowed (6)"},
      {"a[1]", "42804 cannot subscript type integer because it does not support subscripting @1"},
      {"b[1]", "42804 cannot subscript type text because it does not support subscripting @1"},
      {"j[true]",
       "42804 subscript type boolean is not supported @3 [jsonb subscript must be coercible to either integer or "
       "text.]"},
      {"j[1.5]",
       "42804 subscript type numeric is not supported @3 [jsonb subscript must be coercible to either integer or "
       "text.]"},
      {"j[1:2]", "42804 jsonb subscript does not support slices @5"},
      {"('{}'::jsonb)[n]",
       "42804 subscript type bigint is not supported @15 [jsonb subscript must be coercible to either integer or "
       "text.]"},
      {"(1,2) < (1,2,3)", "42601 unequal number of entries in row expressions @7"},
      {"(a,b) < (1,2)",
       "42883 operator does not exist: text < integer @7 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"(1,2) + (1,2)", "42804 row comparison operator must yield type boolean, not type integer @7"},
      {"row() = row()", "0A000 cannot compare rows of zero length @7"},
      {"(1,2) ~~ (3,4)",
       "42883 operator does not exist: integer ~~ integer @7 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"('1','2') ~~ ('3','4')",
       "0A000 could not determine interpretation of row comparison operator ~~ @11 [Row comparison operators must be "
       "associated with btree operator families.]"},
      {"row(a,b) is distinct from row(1)", "42601 unequal number of entries in row expressions @10"},
      {"a is distinct from 'x'", "22P02 invalid input syntax for type integer: \"x\" @20"},
      {"a is distinct from true",
       "42883 operator does not exist: integer = boolean @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"1 in (select 1,2)", "42601 subquery has too many columns @3"},
      {"(1,2) in (select 1)", "42601 subquery has too few columns @7"},
      {"b in (select 1)",
       "42883 operator does not exist: text = integer @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"a in (select b)",
       "42883 operator does not exist: integer = text @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"a not in (select 'x')",
       "42883 operator does not exist: integer = text @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"a + any (select 1)", "42804 row comparison operator must yield type boolean, not type integer @3"},
      {"(a,b) ~~ any (select 1,'x')",
       "42883 operator does not exist: integer ~~ integer @7 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"(select 1,2)", "42601 subquery must return only one column @1"},
      {"lower(distinct 'x')", "42809 DISTINCT specified, but lower is not an aggregate function @1"},
      {"row_number()", "42809 window function row_number requires an OVER clause @1"},
      {"coalesce(1,'x')", "22P02 invalid input syntax for type integer: \"x\" @12"},
      {"coalesce(1,true)", "42804 COALESCE types integer and boolean cannot be matched @12"},
      {"not 1", "42804 argument of NOT must be type boolean, not type integer @5"},
      {"not 'x'", "22P02 invalid input syntax for type boolean: \"x\" @5"},
      {"1 and true", "42804 argument of AND must be type boolean, not type integer @1"},
      {"d or 'maybe'", "22P02 invalid input syntax for type boolean: \"maybe\" @6"},
      {"1 is true", "42804 argument of IS TRUE must be type boolean, not type integer @1"},
      {"lower(1,2)",
       "42883 function lower(integer, integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"- true",
       "42883 operator does not exist: - boolean @1 [No operator matches the given name and argument type. You might "
       "need to add an explicit type cast.]"},
      {"- '5'",
       "42725 operator is not unique: - unknown @1 [Could not choose a best candidate operator. You might need to add "
       "explicit type casts.]"},
      {"-b",
       "42883 operator does not exist: - text @1 [No operator matches the given name and argument type. You might need "
       "to add an explicit type cast.]"},
      {"!! 5",
       "42883 operator does not exist: !! integer @1 [No operator matches the given name and argument type. You might "
       "need to add an explicit type cast.]"},
      {"true + 1",
       "42883 operator does not exist: boolean + integer @6 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"'1' + '2'",
       "42725 operator is not unique: unknown + unknown @5 [Could not choose a best candidate operator. You might need "
       "to add explicit type casts.]"},
      {"a + 'x'", "22P02 invalid input syntax for type integer: \"x\" @5"},
      {"ts + 1",
       "42883 operator does not exist: timestamp with time zone + integer @4 [No operator matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"ts - '1 day'", "22007 invalid input syntax for type timestamp with time zone: \"1 day\" @6"},
      {"dt + '1 day'",
       "42725 operator is not unique: date + unknown @4 [Could not choose a best candidate operator. You might need to "
       "add explicit type casts.]"},
      {"i / 'x'", "22P02 invalid input syntax for type double precision: \"x\" @5"},
      {"dt < '2020-13-01'",
       "22008 date/time field value out of range: \"2020-13-01\" @6 [Perhaps you need a different \"datestyle\" "
       "setting.]"},
      {"a = '1.5'", "22P02 invalid input syntax for type integer: \"1.5\" @5"},
      {"b = 1",
       "42883 operator does not exist: text = integer @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"a like 'x'",
       "42883 operator does not exist: integer ~~ unknown @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"d = 1",
       "42883 operator does not exist: boolean = integer @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"d > 'x'", "22P02 invalid input syntax for type boolean: \"x\" @5"},
      {"j = 1",
       "42883 operator does not exist: jsonb = integer @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"concat(variadic 1)", "42804 VARIADIC argument must be an array @17"},
      {"concat(variadic '{a}')", "42804 VARIADIC argument must be an array @17"},
      {"concat()",
       "42883 function concat() does not exist @1 [No function matches the given name and argument types. You might "
       "need to add explicit type casts.]"},
      {"format(1)",
       "42883 function format(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"5 between true and 6",
       "42883 operator does not exist: integer >= boolean @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"1::bool::date", "42846 cannot cast type boolean to date @8"},
      {"cast('x' as int)", "22P02 invalid input syntax for type integer: \"x\" @6"},
      {"int4 'x'", "22P02 invalid input syntax for type integer: \"x\" @6"},
      {"int4('x')", "22P02 invalid input syntax for type integer: \"x\" @6"},
      {"text(row(1))",
       "42883 function text(record) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"date(1)",
       "42883 function date(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"varchar('x')", "42601 syntax error at or near \"'x'\" @9"},
      {"interval('1 day')", "42601 syntax error at or near \"'1 day'\" @10"},
      {"a::date", "42846 cannot cast type integer to date @2"},
      {"a::jsonb", "42846 cannot cast type integer to jsonb @2"},
      {"e::date[]", "42846 cannot cast type integer[] to date[] @2"},
      {"'x'::varchar(0)", "22023 length for type varchar must be at least 1 @6"},
      {"'x'::numeric(1001)", "22023 NUMERIC precision 1001 must be between 1 and 1000 @6"},
      {"1 = any(2)", "42809 op ANY/ALL (array) requires array on right side @3"},
      {"1 + any('{1,2}')", "42809 op ANY/ALL (array) requires operator to yield boolean @3"},
      {"b = any(e)",
       "42883 operator does not exist: text = integer @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"'x' = any(e)", "22P02 invalid input syntax for type integer: \"x\" @1"},
      {"a = any(j)", "42809 op ANY/ALL (array) requires array on right side @3"},
      {"e = any(e)",
       "42883 operator does not exist: integer[] = integer @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"e = any(array[e])",
       "42883 operator does not exist: integer[] = integer @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"a in ('1','x')", "22P02 invalid input syntax for type integer: \"x\" @11"},
      {"a in (1,true)",
       "42883 operator does not exist: integer = boolean @3 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"a in (1,'x',true)", "22P02 invalid input syntax for type integer: \"x\" @9"},
      {"b in (1,2)",
       "42883 operator does not exist: text = integer @3 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"d in ('t','x')", "22P02 invalid input syntax for type boolean: \"x\" @11"},
      {"(a,b) in ((1,'x'),(2,3))",
       "42883 operator does not exist: text = integer @7 [No operator matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"(a,b) in (row(1,'x',2))", "42601 unequal number of entries in row expressions @7"},
      {"nullif(1,true)",
       "42883 operator does not exist: integer = boolean @1 [No operator matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"greatest(1, true)", "42804 GREATEST types integer and boolean cannot be matched @13"},
      {"x(1, y => 2)",
       "42883 function x(integer, y => integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"round(v => 1)",
       "42883 function round(v => integer) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"round(f,1)",
       "42883 function round(double precision, integer) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"round('x')", "22P02 invalid input syntax for type double precision: \"x\" @7"},
      {"length(a)",
       "42883 function length(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"position(1 in b)",
       "42883 function pg_catalog.position(text, integer) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"trim(a)",
       "42883 function pg_catalog.btrim(integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"extract(year from b)",
       "42883 function pg_catalog.extract(unknown, text) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"extract(year from '2020-01-01')",
       "42725 function pg_catalog.extract(unknown, unknown) is not unique @1 [Could not choose a best candidate "
       "function. You might need to add explicit type casts.]"},
      {"date_trunc('day', '2020-01-01')",
       "42725 function date_trunc(unknown, unknown) is not unique @1 [Could not choose a best candidate function. You "
       "might need to add explicit type casts.]"},
      {"a at time zone 'UTC'",
       "42883 function pg_catalog.timezone(unknown, integer) does not exist @3 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"now() at time zone 1",
       "42883 function pg_catalog.timezone(integer, timestamp with time zone) does not exist @7 [No function matches "
       "the given name and argument types. You might need to add explicit type casts.]"},
      {"to_char('x','x')",
       "42725 function to_char(unknown, unknown) is not unique @1 [Could not choose a best candidate function. You "
       "might need to add explicit type casts.]"},
      {"to_char(d,'x')",
       "42883 function to_char(boolean, unknown) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"lower(lower => 'A')",
       "42883 function lower(lower => unknown) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"make_interval(days => 10, 5)", "42601 positional argument cannot follow named argument @27"},
      {"make_interval(days => 10, days => 5)", "42601 argument name \"days\" used more than once @27"},
      {"make_interval(days => 10, foo => 5)",
       "42883 function make_interval(days => integer, foo => integer) does not exist @1 [No function matches the given "
       "name and argument types. You might need to add explicit type casts.]"},
      {"make_interval(1,2,years => 3)",
       "42883 function make_interval(integer, integer, years => integer) does not exist @1 [No function matches the "
       "given name and argument types. You might need to add explicit type casts.]"},
      {"make_interval(secs => 'x')", "22P02 invalid input syntax for type double precision: \"x\" @23"},
      {"percentile_cont(0.5)",
       "42883 function percentile_cont(numeric) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"lower('x') within group (order by 1)",
       "42883 function lower(unknown, integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"count()", "42809 count(*) must be used to call a parameterless aggregate function @1"},
      {"count(distinct a order by b)",
       "42P10 in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list @27"},
      {"count(1,2)",
       "42883 function count(integer, integer) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"sum('x')",
       "42725 function sum(unknown) is not unique @1 [Could not choose a best candidate function. You might need to "
       "add explicit type casts.]"},
      {"sum(true)",
       "42883 function sum(boolean) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"max(true)",
       "42883 function max(boolean) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"max(1) filter (where 2)", "42804 argument of FILTER must be type boolean, not type integer @22"},
      {"string_agg(1,',')",
       "42883 function string_agg(integer, unknown) does not exist @1 [No function matches the given name and argument "
       "types. You might need to add explicit type casts.]"},
      {"string_agg('x' order by 1)",
       "42883 function string_agg(unknown) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"array_agg('x')",
       "42725 function array_agg(unknown) is not unique @1 [Could not choose a best candidate function. You might need "
       "to add explicit type casts.]"},
      {"bool_and(1)",
       "42883 function bool_and(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"mode()",
       "42883 function mode() does not exist @1 [No function matches the given name and argument types. You might need "
       "to add explicit type casts.]"},
      {"mode() within group (order by 'x')",
       "42804 could not determine polymorphic type because input has type unknown"},
      {"mode(1)", "42809 WITHIN GROUP is required for ordered-set aggregate mode @1"},
      {"percentile_cont(0.5) within group (order by 'x')",
       "22P02 invalid input syntax for type double precision: \"x\" @45"},
      {"percentile_disc(0.5) within group (order by 'x')",
       "42804 could not determine polymorphic type because input has type unknown"},
      {"percentile_disc(0.5) within group (order by 1, 2)",
       "42883 function percentile_disc(numeric, integer, integer) does not exist @1 [No function matches the given "
       "name and argument types. You might need to add explicit type casts.]"},
      {"percentile_cont(0.5) within group (order by true)",
       "42883 function percentile_cont(numeric, boolean) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"rank('x') within group (order by 1)", "22P02 invalid input syntax for type integer: \"x\" @6"},
      {"rank(1,2) within group (order by 1)",
       "42883 function rank(integer, integer, integer) does not exist @1 [To use the hypothetical-set aggregate rank, "
       "the number of hypothetical direct arguments (here 2) must match the number of ordering columns (here 1).]"},
      {"rank(true) within group (order by 1)", "42804 WITHIN GROUP types integer and boolean cannot be matched @6"},
      {"rank(1)", "42809 WITHIN GROUP is required for ordered-set aggregate rank @1"},
      {"rank(1) over ()", "42809 WITHIN GROUP is required for ordered-set aggregate rank @1"},
      {"lag(a,1,'x') over ()", "22P02 invalid input syntax for type integer: \"x\" @9"},
      {"lag('x') over ()", "42804 could not determine polymorphic type because input has type unknown"},
      {"lag(a,'x') over ()", "22P02 invalid input syntax for type integer: \"x\" @7"},
      {"ntile('x') over ()", "22P02 invalid input syntax for type integer: \"x\" @7"},
      {"sum(distinct a) over ()", "0A000 DISTINCT is not implemented for window functions @1"},
      {"count() over ()", "42809 count(*) must be used to call a parameterless aggregate function @1"},
      {"sum(a order by a) over ()", "0A000 aggregate ORDER BY is not implemented for window functions @1"},
      {"rank() filter (where true) over ()", "0A000 FILTER is not implemented for non-aggregate window functions @1"},
      {"lower('x') over ()", "42809 OVER specified, but lower is not a window function nor an aggregate function @1"},
      {"mode() within group (order by 1) over ()", "0A000 OVER is not supported for ordered-set aggregate mode @1"},
      {"unnest(1)",
       "42883 function unnest(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"array_length(1,1)",
       "42883 function array_length(integer, integer) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"num_nulls(variadic 1)", "42804 VARIADIC argument must be an array @20"},
      {"num_nulls()",
       "42883 function num_nulls() does not exist @1 [No function matches the given name and argument types. You might "
       "need to add explicit type casts.]"},
      {"to_jsonb('x')", "42804 could not determine polymorphic type because input has type unknown"},
      {"row_to_json(1)",
       "42883 function row_to_json(integer) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"md5(1)",
       "42883 function md5(integer) does not exist @1 [No function matches the given name and argument types. You "
       "might need to add explicit type casts.]"},
      {"repeat('x','y')", "22P02 invalid input syntax for type integer: \"y\" @12"},
      {"strpos(b,1)",
       "42883 function strpos(text, integer) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
      {"isfinite('x')",
       "42725 function isfinite(unknown) is not unique @1 [Could not choose a best candidate function. You might need "
       "to add explicit type casts.]"},
      {"(t).text", "42703 column t.text does not exist @2"},
      {"lower(b, variadic array['x'])",
       "42883 function lower(text, text[]) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
  };
  expect_all(cases);
}

// PostgreSQL has them.
TEST(ExpressionAnalysis, RefusesFunctionsThatAreNotHereByName) {
  const std::vector<Example> cases = {
      {"pg_notify('a', 'b')", "0A000 function pg_notify is not supported @1"},
      {"length(pg_catalog.to_tsvector(b))", "0A000 function pg_catalog.to_tsvector is not supported @8"},
      {"public.pg_notify('a', 'b')",
       "42883 function public.pg_notify(unknown, unknown) does not exist @1 [No function matches the given name and "
       "argument types. You might need to add explicit type casts.]"},
      {"pg_notified('a')",
       "42883 function pg_notified(unknown) does not exist @1 [No function matches the given name and argument types. "
       "You might need to add explicit type casts.]"},
  };
  expect_all(cases);
}

}  // namespace
}  // namespace polarsim::engine::query
