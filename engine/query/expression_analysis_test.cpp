#include "engine/query/expression_analysis.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/query/expression_analysis_test_support.h"
#include "engine/sql/error.h"
#include "engine/syntax/parser.h"

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

TEST(ExpressionAnalysis, FindsTypesAsPostgresDoes) {
  const std::vector<Example> cases = {
    {"1", "integer: '1'"}, {"'x'", "text: 'x'"}, {"null", "text: null"}, {"-5", "integer: '-5'"},
    {"-2147483648", "integer: '-2147483648'"}, {"-9223372036854775808", "bigint: '-9223372036854775808'"},
    {"9223372036854775808", "numeric: '9223372036854775808'"}, {"1.5", "numeric: '1.5'"}, {"true", "boolean: 't'"},
    {"a", "integer: a"}, {"lower('A')", "text: (lower(text) 'A')"}, {"lower(variadic 'A')", "text: (lower(text) 'A')"},
    {"(t).a", "integer: (field 1 t.*)"}, {"(t).c", "numeric(10,2): (field 3 t.*)"},
    {"case a when '1' then 1 end", "integer: (case a when (int4=int4 operand '1') then '1' else null)"},
    {"case when d then 1 else 2.5 end", "numeric: (case when d then (implicit function '1'::numeric) else '2.5')"},
    {"case when d then 'x' end", "text: (case when d then 'x' else null)"},
    {"case 'x' when 'y' then 1 when b then 2 end",
     "integer: (case 'x' when (text=text operand 'y') then '1' when (text=text operand b) then '2' else null)"},
    {"1 operator(pg_catalog.+) 2", "integer: (int4+int4 '1' '2')"}, {"'a' collate \"C\"", "text: 'a'"},
    {"b collate \"POSIX\" || 'x'", "text: (text||text b 'x')"}, {"b collate pg_catalog.\"default\"", "text: b"},
    {"array[]::int[]", "integer[]: (array)"},
    {"array[1,'2',3.5]", "numeric[]: (array (implicit function '1'::numeric) '2' '3.5')"},
    {"array[a,n]", "bigint[]: (array (implicit function a::bigint) n)"},
    {"array[1,2]::text[]", "text[]: (array (explicit text '1'::text) (explicit text '2'::text))"},
    {"array[true]::int[]", "integer[]: (array (explicit function 't'::integer))"},
    {"array[[1,2],[3,4]]", "integer[]: (arrays (array '1' '2') (array '3' '4'))"},
    {"array[[1,2],['3','4']]::numeric(5,1)[]",
     "numeric(5,1)[]: (arrays (array (explicit function '1'::numeric(5,1)) (explicit function '2'::numeric(5,1))) "
     "(array (explicit relabel '3'::numeric(5,1)) (explicit relabel '4'::numeric(5,1))))"},
    {"array[array[1],array[2]]", "integer[]: (arrays (array '1') (array '2'))"},
    {"array[e,e]", "integer[]: (arrays e e)"}, {"array[e,array[1]]", "integer[]: (arrays e (array '1'))"},
    {"array[null]", "text[]: (array null)"}, {"array[null,1]", "integer[]: (array null '1')"},
    {"array[row(1,2)]", "record[]: (array (row '1' '2'))"}, {"(array[1])[1]", "integer: (subscript (array '1') ['1'])"},
    {"(array[1])['1']", "integer: (subscript (array '1') ['1'])"},
    {"(array[1])[a]", "integer: (subscript (array '1') [a])"},
    {"(array[1])[n]", "integer: (subscript (array '1') [(implicit function n::integer)])"},
    {"(array[1])[1.5]", "integer: (subscript (array '1') [(implicit function '1.5'::integer)])"},
    {"e[1]", "integer: (subscript e ['1'])"}, {"e[1][2]", "integer: (subscript e ['1'] ['2'])"},
    {"e[1:2]", "integer[]: (subscript e ['1':'2'])"}, {"e[:]", "integer[]: (subscript e [:])"},
    {"e[1:][2]", "integer[]: (subscript e ['1':] ['1':'2'])"},
    {"e[1][2:3]", "integer[]: (subscript e ['1':'1'] ['2':'3'])"},
    {"e[1][1][1][1][1][1][1]", "54000 number of array dimensions (7) exceeds the maximum allowed (6)"},
    {"j['a']", "jsonb: (subscript j ['a'])"}, {"j[1]", "jsonb: (subscript j ['1'])"},
    {"j['a']['b'][1]", "jsonb: (subscript j ['a'] ['b'] ['1'])"},
    {"(1,2) < (3,4)", "boolean: (rows '1' int4<int4 '3' '2' int4<int4 '4')"},
    {"(1,2) = (3,4)", "boolean: (and (int4=int4 '1' '3') (int4=int4 '2' '4'))"},
    {"(1,'a') <> (a,b)", "boolean: (or (int4<>int4 '1' a) (text<>text 'a' b))"},
    {"(1,2) >= (a,n)", "boolean: (rows '1' int4>=int4 a '2' int4>=int8 n)"},
    {"(1,2) < row(a,c)", "boolean: (rows '1' int4<int4 a (implicit function '2'::numeric) numeric<numeric c)"},
    {"row(1) = row(2)", "boolean: (int4=int4 '1' '2')"},
    {"row(a,b) is distinct from row(1,'x')", "boolean: (or (distinct int4=int4 a '1') (distinct text=text b 'x'))"},
    {"row(a,b) is not distinct from row(1,'x')",
     "boolean: (not (or (distinct int4=int4 a '1') (distinct text=text b 'x')))"},
    {"row() is distinct from row()", "boolean: 'f'"},
    {"row(a) is not distinct from row(1)", "boolean: (same int4=int4 a '1')"},
    {"a is distinct from null", "boolean: (notnull a)"}, {"null is not distinct from a", "boolean: (isnull a)"},
    {"(1,2) in (select 1,2)", "boolean: (any '1' int4=int4 '2' int4=int4 select '1' '2')"},
    {"(a,b) not in (select 1,'x')", "boolean: (not (any a int4=int4 b text=text select '1' 'x'))"},
    {"a in (select 1)", "boolean: (any a int4=int4 select '1')"},
    {"a in (select 1.5)", "boolean: (any (implicit function a::numeric) numeric=numeric select '1.5')"},
    {"c in (select 1)", "boolean: (any c numeric=numeric select (implicit function '1'::numeric))"},
    {"'5' in (select 1)", "boolean: (any '5' int4=int4 select '1')"},
    {"a = any (select n)", "boolean: (any a int4=int8 select n)"},
    {"a < all (select 1)", "boolean: (all a int4<int4 select '1')"},
    {"(a,b) < any (select 1,'x')", "boolean: (any a int4<int4 b text<text select '1' 'x')"},
    {"v in (select b)", "boolean: (any (implicit relabel v::text) text=text select b)"},
    {"b like any (select 'x')", "boolean: (any b text~~text select 'x')"},
    {"(select 1)", "integer: (scalar select '1')"}, {"(select 'x')", "text: (scalar select 'x')"},
    {"(select a)", "integer: (scalar select a)"}, {"exists (select 1)", "boolean: (exists select '1')"},
    {"array(select 1)", "integer[]: (array select '1')"}, {"array(select e)", "integer[]: (array select e)"},
    {"array(select 'x')", "text[]: (array select 'x')"}, {"array(select row(1))", "record[]: (array select (row '1'))"},
    {"row_number(*) over ()", "bigint: (window row_number() *)"}, {"coalesce(1,'5')", "integer: (coalesce '1' '5')"},
    {"coalesce(null,null)", "text: (coalesce null null)"},
    {"coalesce(a,n,c)", "numeric: (coalesce (implicit function a::numeric) (implicit function n::numeric) c)"},
    {"coalesce(c,c)", "numeric(10,2): (coalesce c c)"}, {"coalesce(v,v)", "character varying(10): (coalesce v v)"},
    {"coalesce(v,b)", "character varying: (coalesce v (implicit relabel b::character varying))"},
    {"coalesce('x',v)", "character varying: (coalesce 'x' v)"}, {"not null", "boolean: (not null)"},
    {"d and 'yes'", "boolean: (and d 't')"}, {"d is not unknown", "boolean: (test d)"},
    {"'true' is true", "boolean: (test 't')"}, {"a is null", "boolean: (isnull a)"},
    {"'x' is not null", "boolean: (notnull ?'x')"}, {"null is null", "boolean: (isnull null)"},
    {"- a", "integer: (-int4 a)"}, {"@ -5", "integer: (@int4 '-5')"}, {"~ 5", "integer: (~int4 '5')"},
    {"null + 1", "integer: (int4+int4 null '1')"}, {"1 + null", "integer: (int4+int4 '1' null)"},
    {"a + n", "bigint: (int4+int8 a n)"}, {"a + c", "numeric: (numeric+numeric (implicit function a::numeric) c)"},
    {"a + f", "double precision: (float8+float8 (implicit function a::double precision) f)"},
    {"c + f", "double precision: (float8+float8 (implicit function c::double precision) f)"},
    {"a + '5'", "integer: (int4+int4 a '5')"}, {"'5' + a", "integer: (int4+int4 '5' a)"},
    {"a || b", "text: (anynonarray||text a b)"}, {"a || 'x'", "text: (anynonarray||text a 'x')"},
    {"'x' || a", "text: (text||anynonarray 'x' a)"}, {"'x' || 'y'", "text: (text||text 'x' 'y')"},
    {"b || null", "text: (text||text b null)"}, {"null || null", "text: (text||text null null)"},
    {"dt + 1", "date: (date+int4 dt '1')"}, {"dt - dt", "integer: (date-date dt dt)"},
    {"dt - 1", "date: (date-int4 dt '1')"}, {"dt + i", "timestamp without time zone: (date+interval dt i)"},
    {"ts - ts", "interval: (timestamptz-timestamptz ts ts)"},
    {"ts - i", "timestamp with time zone: (timestamptz-interval ts i)"},
    {"'2020-01-01' - ts", "interval: (timestamptz-timestamptz '2020-01-01 00:00:00+00' ts)"},
    {"ts - '2020-01-01'", "interval: (timestamptz-timestamptz ts '2020-01-01 00:00:00+00')"},
    {"dt - '2020-01-01'", "integer: (date-date dt '2020-01-01')"},
    {"i * 2", "interval: (interval*float8 i (implicit function '2'::double precision))"},
    {"2 * i", "interval: (float8*interval (implicit function '2'::double precision) i)"},
    {"dt = ts", "boolean: (date=timestamptz dt ts)"}, {"a = '1'", "boolean: (int4=int4 a '1')"},
    {"a = 1.5", "boolean: (numeric=numeric (implicit function a::numeric) '1.5')"},
    {"b = v", "boolean: (text=text b (implicit relabel v::text))"},
    {"v = 'x'", "boolean: (text=text (implicit relabel v::text) 'x')"},
    {"v like 'x%'", "boolean: (text~~text (implicit relabel v::text) 'x%')"},
    {"v || 'x'", "text: (text||text (implicit relabel v::text) 'x')"}, {"b ~ 'x'", "boolean: (text~text b 'x')"},
    {"b similar to 'x'", "boolean: (text~text b (similar_to_escape(text) 'x'))"},
    {"b not ilike 'X'", "boolean: (text!~~*text b 'X')"},
    {"b like 'x' escape 'y'", "boolean: (text~~text b (like_escape(text,text) 'x' 'y'))"},
    {"d = 't'", "boolean: (bool=bool d 't')"}, {"concat(1,'x',true)", "text: (concat(any) '1' ?'x' 't')"},
    {"concat(variadic array[1])", "text: (concat(any) variadic (array '1'))"},
    {"concat_ws(',', a, b)", "text: (concat_ws(text,any) ',' a b)"}, {"format('x')", "text: (format(text) 'x')"},
    {
        "format('      {"(t).nosuch ", " 42703 column t.nosuch does not exist @2 "},
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
         "42883 function public.lower(unknown) does not exist @1 [No function matches the given name and argument "
         "types. You might need to add explicit type casts.]"},
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
        {"a[1]", "42804 cannot subscript type integer because it does not support subscripting @1"},
        {"b[1]", "42804 cannot subscript type text because it does not support subscripting @1"},
        {"j[true]",
         "42804 subscript type boolean is not supported @3 [jsonb subscript must be coercible to either integer or "
         "text.]"},
        {"j[1.5]",
         "42804 subscript type numeric is not supported @3 [jsonb subscript must be coercible to either integer or "
         "text.]"},
        {"j[1:2]", "42804 jsonb subscript does not support slices @5"},
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
         "42725 operator is not unique: - unknown @1 [Could not choose a best candidate operator. You might need to "
         "add explicit type casts.]"},
        {"-b",
         "42883 operator does not exist: - text @1 [No operator matches the given name and argument type. You might "
         "need to add an explicit type cast.]"},
        {"!! 5",
         "42883 operator does not exist: !! integer @1 [No operator matches the given name and argument type. You "
         "might need to add an explicit type cast.]"},
        {"true + 1",
         "42883 operator does not exist: boolean + integer @6 [No operator matches the given name and argument types. "
         "You might need to add explicit type casts.]"},
        {"'1' + '2'",
         "42725 operator is not unique: unknown + unknown @5 [Could not choose a best candidate operator. You might "
         "need to add explicit type casts.]"},
        {"a + 'x'", "22P02 invalid input syntax for type integer: \"x\" @5"},
        {"ts + 1",
         "42883 operator does not exist: timestamp with time zone + integer @4 [No operator matches the given name and "
         "argument types. You might need to add explicit type casts.]"},
        {"ts - '1 day'", "22007 invalid input syntax for type timestamp with time zone: \"1 day\" @6"},
        {"dt + '1 day'",
         "42725 operator is not unique: date + unknown @4 [Could not choose a best candidate operator. You might need "
         "to add explicit type casts.]"},
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
         "42883 operator does not exist: jsonb = integer @3 [No operator matches the given name and argument types. "
         "You might need to add explicit type casts.]"},
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
         "42883 operator does not exist: integer[] = integer @3 [No operator matches the given name and argument "
         "types. You might need to add explicit type casts.]"},
        {"e = any(array[e])",
         "42883 operator does not exist: integer[] = integer @3 [No operator matches the given name and argument "
         "types. You might need to add explicit type casts.]"},
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
         "42725 function date_trunc(unknown, unknown) is not unique @1 [Could not choose a best candidate function. "
         "You might need to add explicit type casts.]"},
        {"a at time zone 'UTC'",
         "42883 function pg_catalog.timezone(unknown, integer) does not exist @3 [No function matches the given name "
         "and argument types. You might need to add explicit type casts.]"},
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
         "42883 function make_interval(days => integer, foo => integer) does not exist @1 [No function matches the "
         "given name and argument types. You might need to add explicit type casts.]"},
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
         "42883 function string_agg(integer, unknown) does not exist @1 [No function matches the given name and "
         "argument types. You might need to add explicit type casts.]"},
        {"string_agg('x' order by 1)",
         "42883 function string_agg(unknown) does not exist @1 [No function matches the given name and argument types. "
         "You might need to add explicit type casts.]"},
        {"array_agg('x')",
         "42725 function array_agg(unknown) is not unique @1 [Could not choose a best candidate function. You might "
         "need to add explicit type casts.]"},
        {"bool_and(1)",
         "42883 function bool_and(integer) does not exist @1 [No function matches the given name and argument types. "
         "You might need to add explicit type casts.]"},
        {"mode()",
         "42883 function mode() does not exist @1 [No function matches the given name and argument types. You might "
         "need to add explicit type casts.]"},
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
         "42883 function rank(integer, integer, integer) does not exist @1 [To use the hypothetical-set aggregate "
         "rank, the number of hypothetical direct arguments (here 2) must match the number of ordering columns (here "
         "1).]"},
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
         "42883 function num_nulls() does not exist @1 [No function matches the given name and argument types. You "
         "might need to add explicit type casts.]"},
        {"row_to_json(1)",
         "42883 function row_to_json(integer) does not exist @1 [No function matches the given name and argument "
         "types. You might need to add explicit type casts.]"},
        {"md5(1)",
         "42883 function md5(integer) does not exist @1 [No function matches the given name and argument types. You "
         "might need to add explicit type casts.]"},
        {"repeat('x','y')", "22P02 invalid input syntax for type integer: \"y\" @12"},
        {"strpos(b,1)",
         "42883 function strpos(text, integer) does not exist @1 [No function matches the given name and argument "
         "types. You might need to add explicit type casts.]"},
        {"isfinite('x')",
         "42725 function isfinite(unknown) is not unique @1 [Could not choose a best candidate function. You might "
         "need to add explicit type casts.]"},
        {"(t).text", "42703 column t.text does not exist @2"},
        {"lower(b, variadic array['x'])",
         "42883 function lower(text, text[]) does not exist @1 [No function matches the given name and argument types. "
         "You might need to add explicit type casts.]"},
        ', a)", "text: (format(text,any) ' % s ' a)"}, {"format(' %
            s ', variadic array[1])", "text: (format(text,any) variadic ' %
            s ' (array ' 1'))"}, {"5 between 1 and '6'", "boolean: (and (int4>=int4 '5' '1') (int4<=int4 '5' '6'))"},
        {"a between symmetric 1 and n",
         "boolean: (or (and (int4>=int4 a '1') (int4<=int8 a n)) (and (int4>=int8 a n) (int4<=int4 a '1')))"},
        {"a not between 1.5 and 2",
         "boolean: (or (numeric<numeric (implicit function a::numeric) '1.5') (int4>int4 a '2'))"},
        {"a not between symmetric 1 and 2",
         "boolean: (and (or (int4<int4 a '1') (int4>int4 a '2')) (or (int4<int4 a '2') (int4>int4 a '1')))"},
        {"int4('5')", "integer: '5'"},
        {"int4(a)", "integer: a"},
        {"int4(n)", "integer: (int4(int8) n)"},
        {"int4(b)", "integer: (call text b::integer)"},
        {"text(1)", "text: (call text '1'::text)"},
        {"text(a)", "text: (call text a::text)"},
        {"text('x')", "text: 'x'"},
        {"date('2020-01-01')", "date: '2020-01-01'"},
        {"date(ts)", "date: (date(timestamptz) ts)"},
        {"float8(a)", "double precision: (float8(int4) a)"},
        {"bpchar('x')", "bpchar: 'x'"},
        {"name('x')", "name: 'x'"},
        {"name(a)", "name: (call text a::name)"},
        {"bool('t')", "boolean: 't'"},
        {"bool(a)", "boolean: (bool(int4) a)"},
        {"timestamptz(dt)", "timestamp with time zone: (timestamptz(date) dt)"},
        {"a::text", "text: (explicit text a::text)"},
        {"a::varchar", "character varying: (explicit text a::character varying)"},
        {"a::varchar(3)", "character varying(3): (explicit text a::character varying(3))"},
        {"v::varchar", "character varying: (explicit relabel v::character varying)"},
        {"v::varchar(10)", "character varying(10): v"},
        {"v::varchar(5)", "character varying(5): (explicit relabel v::character varying(5))"},
        {"v::text", "text: (explicit relabel v::text)"},
        {"'hello'::varchar(3)", "character varying(3): (explicit relabel 'hello'::character varying(3))"},
        {"'hello'::char(3)", "character(3): (explicit relabel 'hello'::character(3))"},
        {"'hello'::char", "character(1): (explicit relabel 'hello'::character(1))"},
        {"1.5::numeric(5,1)", "numeric(5,1): (explicit relabel '1.5'::numeric(5,1))"},
        {"c::numeric(5,1)", "numeric(5,1): (explicit relabel c::numeric(5,1))"},
        {"c::numeric", "numeric: (explicit relabel c::numeric)"},
        {"c::int", "integer: (explicit function c::integer)"},
        {"c::float4", "real: (explicit function c::real)"},
        {"a::bool", "boolean: (explicit function a::boolean)"},
        {"n::int2", "smallint: (explicit function n::smallint)"},
        {"ts::date", "date: (explicit function ts::date)"},
        {"dt::timestamp", "timestamp without time zone: (explicit function dt::timestamp without time zone)"},
        {"i::interval second", "interval second: (explicit relabel i::interval second)"},
        {"interval '1' day", "interval day: '1 day'"},
        {"interval '1 day' second(3)", "interval second(3): '1 day'"},
        {"'1 day'::interval day to second(2)", "interval day to second(2): '1 day'"},
        {"timestamp '2020-01-01'", "timestamp without time zone: '2020-01-01 00:00:00'"},
        {"timestamptz(3) '2020-01-01'",
         "timestamp(3) with time zone: (explicit relabel '2020-01-01 00:00:00+00'::timestamp(3) with time zone)"},
        {"time '12:00'", "time without time zone: '12:00:00'"},
        {"ts::timestamptz(3)", "timestamp(3) with time zone: (explicit relabel ts::timestamp(3) with time zone)"},
        {"ts::time(2)", "time(2) without time zone: (explicit function ts::time(2) without time zone)"},
        {"j::text", "text: (explicit text j::text)"},
        {"e::text[]", "text[]: (explicit array e::text[])"},
        {"e::text", "text: (explicit text e::text)"},
        {"e::int8[]", "bigint[]: (explicit array e::bigint[])"},
        {"b::int[]", "integer[]: (explicit text b::integer[])"},
        {"'x'::\"char\"", "\"char\": 'x'"},
        {"1::\"char\"", "\"char\": (explicit function '1'::\"char\")"},
        {"1::oid", "oid: (explicit function '1'::oid)"},
        {"a::oid", "oid: (explicit function a::oid)"},
        {"n::regclass", "regclass: (explicit function n::regclass)"},
        {"1::regtype", "regtype: (explicit function '1'::regtype)"},
        {"'int4'::regtype", "regtype: 'integer'"},
        {"a = any(e)", "boolean: (int4=int4 any a e)"},
        {"a = all(e)", "boolean: (int4=int4 all a e)"},
        {"c = any(e)", "boolean: (numeric=numeric any c (implicit array e::numeric[]))"},
        {"n = any(e)", "boolean: (int8=int4 any n e)"},
        {"'1' = any(e)", "boolean: (int4=int4 any '1' e)"},
        {"'x' = any(array['a','b'])", "boolean: (text=text any 'x' (array 'a' 'b'))"},
        {"b like any(array['a','b'])", "boolean: (text~~text any b (array 'a' 'b'))"},
        {"b ~ all(array['a',null])", "boolean: (text~text all b (array 'a' null))"},
        {"null = any(e)", "boolean: (int4=int4 any null e)"},
        {"a = any(null)", "boolean: (int4=int4 any a null)"},
        {"a in (1,2,3)", "boolean: (int4=int4 any a (array '1' '2' '3'))"},
        {"a in (1)", "boolean: (int4=int4 a '1')"},
        {"a in ('1','2')", "boolean: (int4=int4 any a (array '1' '2'))"},
        {"a in (1,2.5)",
         "boolean: (numeric=numeric any (implicit function a::numeric) (array (implicit function '1'::numeric) "
         "'2.5'))"},
        {"a in (1,2,n)", "boolean: (or (int4=int4 any a (array '1' '2')) (int4=int8 a n))"},
        {"a in (n,n)", "boolean: (or (int4=int8 a n) (int4=int8 a n))"},
        {"a in (n,1)", "boolean: (or (int4=int8 a n) (int4=int4 a '1'))"},
        {"b in ('a','b')", "boolean: (text=text any b (array 'a' 'b'))"},
        {"b in ('a',b)", "boolean: (or (text=text b 'a') (text=text b b))"},
        {"b not in ('a','b')", "boolean: (text<>text all b (array 'a' 'b'))"},
        {"'x' in ('a','b')", "boolean: (text=text any 'x' (array 'a' 'b'))"},
        {"v in ('a','b')",
         "boolean: (text=text any (implicit relabel v::text) (implicit array (array 'a' 'b')::text[]))"},
        {"d in (true,false)", "boolean: (bool=bool any d (array 't' 'f'))"},
        {"dt in ('2020-01-01','2020-01-02')", "boolean: (date=date any dt (array '2020-01-01' '2020-01-02'))"},
        {"(a,b) in ((1,'x'),(2,'y'))",
         "boolean: (or (and (int4=int4 a '1') (text=text b 'x')) (and (int4=int4 a '2') (text=text b 'y')))"},
        {"(a,b) not in ((1,'x'))", "boolean: (or (int4<>int4 a '1') (text<>text b 'x'))"},
        {"null in (1,2)", "boolean: (int4=int4 any null (array '1' '2'))"},
        {"a in (null,null)", "boolean: (int4=int4 any a (array null null))"},
        {"nullif(1,null)", "integer: (nullif int4=int4 '1' null)"},
        {"nullif(a,n)", "integer: (nullif int4=int8 a n)"},
        {"nullif('x','y')", "text: (nullif text=text 'x' 'y')"},
        {"nullif(null,1)", "integer: (nullif int4=int4 null '1')"},
        {"nullif(1,2.5)", "numeric: (nullif numeric=numeric (implicit function '1'::numeric) '2.5')"},
        {"nullif(v,'x')", "text: (nullif text=text (implicit relabel v::text) 'x')"},
        {"greatest(1,'2',3.0)", "numeric: (greatest (implicit function '1'::numeric) '2' '3.0')"},
        {"least(a,n)", "bigint: (least (implicit function a::bigint) n)"},
        {"least('a','b')", "text: (least 'a' 'b')"},
        {"round(1.5)", "numeric: (round(numeric) '1.5')"},
        {"round(a)", "double precision: (round(float8) (implicit function a::double precision))"},
        {"round(f)", "double precision: (round(float8) f)"},
        {"round(c,1)", "numeric: (round(numeric,int4) c '1')"},
        {"round('1.5')", "double precision: (round(float8) '1.5')"},
        {"abs(a)", "integer: (abs(int4) a)"},
        {"abs('5')", "double precision: (abs(float8) '5')"},
        {"abs(null)", "double precision: (abs(float8) null)"},
        {"sqrt(a)", "double precision: (sqrt(float8) (implicit function a::double precision))"},
        {"power(a,2)",
         "double precision: (power(float8,float8) (implicit function a::double precision) (implicit function "
         "'2'::double precision))"},
        {"power(c,2)", "numeric: (power(numeric,numeric) c (implicit function '2'::numeric))"},
        {"power('2',3)", "double precision: (power(float8,float8) '2' (implicit function '3'::double precision))"},
        {"mod(a,n)", "bigint: (mod(int8,int8) (implicit function a::bigint) n)"},
        {"mod(5,2.5)", "numeric: (mod(numeric,numeric) (implicit function '5'::numeric) '2.5')"},
        {"length('x')", "integer: (length(text) 'x')"},
        {"length(b)", "integer: (length(text) b)"},
        {"length(v)", "integer: (length(text) (implicit relabel v::text))"},
        {"substring(b from 2)", "text: (substring(text,int4) b '2')"},
        {"substring(b from 'x')", "text: (substring(text,text) b 'x')"},
        {"substring(b,'1')", "text: (substring(text,text) b '1')"},
        {"substring('abc','1')", "text: (substring(text,text) 'abc' '1')"},
        {"position('a' in b)", "integer: (position(text,text) b 'a')"},
        {"trim(b)", "text: (btrim(text) b)"},
        {"trim(both 'x' from b)", "text: (btrim(text,text) b 'x')"},
        {"overlay(b placing 'x' from 1)", "text: (overlay(text,text,int4) b 'x' '1')"},
        {"extract(year from dt)", "numeric: (extract(text,date) 'year' dt)"},
        {"date_part('year', ts)", "double precision: (date_part(text,timestamptz) 'year' ts)"},
        {"date_trunc('day', ts)", "timestamp with time zone: (date_trunc(text,timestamptz) 'day' ts)"},
        {"date_trunc('day', dt)",
         "timestamp with time zone: (date_trunc(text,timestamptz) 'day' (implicit function dt::timestamp with time "
         "zone))"},
        {"ts at time zone 'UTC'", "timestamp without time zone: (timezone(text,timestamptz) 'UTC' ts)"},
        {"'2020-01-01' at time zone 'UTC'",
         "timestamp without time zone: (timezone(text,timestamptz) 'UTC' '2020-01-01 00:00:00+00')"},
        {"to_char(ts,'x')", "text: (to_char(timestamptz,text) ts 'x')"},
        {"to_char(a,'x')", "text: (to_char(int4,text) a 'x')"},
        {"generate_series(dt,dt,i)",
         "timestamp with time zone: (generate_series(timestamptz,timestamptz,interval) (implicit function "
         "dt::timestamp with time zone) (implicit function dt::timestamp with time zone) i)"},
        {"generate_series(ts,ts,'1 day')",
         "timestamp with time zone: (generate_series(timestamptz,timestamptz,interval) ts ts '1 day')"},
        {"make_interval(days => 10, weeks => 5)",
         "interval: (make_interval(int4,int4,int4,int4,int4,int4,float8) '0' '0' '5' '10' '0' '0' '0')"},
        {"make_interval(1,2,days => 3)",
         "interval: (make_interval(int4,int4,int4,int4,int4,int4,float8) '1' '2' '0' '3' '0' '0' '0')"},
        {"make_interval(secs => 5)",
         "interval: (make_interval(int4,int4,int4,int4,int4,int4,float8) '0' '0' '0' '0' '0' '0' (implicit function "
         "'5'::double precision))"},
        {"make_interval()",
         "interval: (make_interval(int4,int4,int4,int4,int4,int4,float8) '0' '0' '0' '0' '0' '0' '0')"},
        {"current_date", "date: value"},
        {"current_timestamp", "timestamp with time zone: value"},
        {"current_timestamp(3)", "timestamp(3) with time zone: value"},
        {"localtime(3)", "time(3) without time zone: value"},
        {"localtimestamp(9)", "timestamp(6) without time zone: value"},
        {"current_user", "name: value"},
        {"session_user", "name: value"},
        {"current_catalog", "name: value"},
        {"current_schema", "name: value"},
        {"count(*)", "bigint: (aggregate count() *)"},
        {"count(a)", "bigint: (aggregate count(any) a)"},
        {"count(distinct a)", "bigint: (aggregate count(any) distinct a)"},
        {"count(distinct a order by a)", "bigint: (aggregate count(any) distinct a by a)"},
        {"count(a order by b desc)", "bigint: (aggregate count(any) a by b desc nulls first)"},
        {"count('x')", "bigint: (aggregate count(any) ?'x')"},
        {"sum(1)", "bigint: (aggregate sum(int4) '1')"},
        {"sum(n)", "numeric: (aggregate sum(int8) n)"},
        {"sum(1.5)", "numeric: (aggregate sum(numeric) '1.5')"},
        {"sum(1::int2)", "bigint: (aggregate sum(int2) (explicit function '1'::smallint))"},
        {"avg(1)", "numeric: (aggregate avg(int4) '1')"},
        {"max('x')", "text: (aggregate max(text) 'x')"},
        {"max(1)", "integer: (aggregate max(int4) '1')"},
        {"max(null)", "text: (aggregate max(text) null)"},
        {"max(1) filter (where true)", "integer: (aggregate max(int4) '1' filter 't')"},
        {"string_agg('x',',')", "text: (aggregate string_agg(text,text) 'x' ',')"},
        {"string_agg('x',',' order by 1)", "text: (aggregate string_agg(text,text) 'x' ',' by '1')"},
        {"array_agg(1)", "integer[]: (aggregate array_agg(anynonarray) '1')"},
        {"array_agg(array[1])", "integer[]: (aggregate array_agg(anyarray) (array '1'))"},
        {"array_agg(row(1))", "record[]: (aggregate array_agg(anynonarray) (row '1'))"},
        {"bool_and(true)", "boolean: (aggregate bool_and(bool) 't')"},
        {"every('t')", "boolean: (aggregate every(bool) 't')"},
        {"mode() within group (order by 1)", "integer: (aggregate mode(anyelement) by '1')"},
        {"percentile_cont(0.5) within group (order by 1)",
         "double precision: (aggregate percentile_cont(float8,float8) (implicit function '0.5'::double precision) by "
         "(implicit function '1'::double precision))"},
        {"percentile_cont(array[0.5]) within group (order by 1)",
         "double precision[]: (aggregate percentile_cont(_float8,float8) (implicit array (array '0.5')::double "
         "precision[]) by (implicit function '1'::double precision))"},
        {"rank(1) within group (order by 1)", "bigint: (aggregate rank(any) '1' by '1')"},
        {"rank(1) within group (order by 1.5)",
         "bigint: (aggregate rank(any) (implicit function '1'::numeric) by '1.5')"},
        {"rank() over ()", "bigint: (window rank())"},
        {"lag(a) over ()", "integer: (window lag(anyelement) a)"},
        {"lag(a,1) over ()", "integer: (window lag(anyelement,int4) a '1')"},
        {"lag(a,1,0) over ()", "integer: (window lag(anycompatible,int4,anycompatible) a '1' '0')"},
        {"lag(a,1,2.5) over ()",
         "numeric: (window lag(anycompatible,int4,anycompatible) (implicit function a::numeric) '1' '2.5')"},
        {"ntile(4) over ()", "integer: (window ntile(int4) '4')"},
        {"nth_value(b,1) over ()", "text: (window nth_value(anyelement,int4) b '1')"},
        {"first_value(b) over ()", "text: (window first_value(anyelement) b)"},
        {"sum(a) over ()", "bigint: (window sum(int4) a)"},
        {"count(*) over ()", "bigint: (window count() *)"},
        {"sum(a) filter (where true) over ()", "bigint: (window sum(int4) a)"},
        {"pg_typeof(1)", "regtype: (pg_typeof(any) '1')"},
        {"pg_typeof('x')", "regtype: (pg_typeof(any) ?'x')"},
        {"pg_typeof(null)", "regtype: (pg_typeof(any) null)"},
        {"num_nulls(1,null)", "integer: (num_nulls(any) '1' null)"},
        {"num_nulls(variadic e)", "integer: (num_nulls(any) variadic e)"},
        {"sha256('x')", "bytea: (sha256(bytea) '\\x78')"},
        {"get_byte('x',1)", "integer: (get_byte(bytea,int4) '\\x78' '1')"},
        {"age(ts)", "interval: (age(timestamptz) ts)"},
        {"age(ts,'2020-01-01')", "interval: (age(timestamptz,timestamptz) ts '2020-01-01 00:00:00+00')"},
        {"width_bucket(1,2,3,4)",
         "integer: (width_bucket(float8,float8,float8,int4) (implicit function '1'::double precision) (implicit "
         "function '2'::double precision) (implicit function '3'::double precision) '4')"},
        {"width_bucket(1,e)", "integer: (width_bucket(anycompatible,anycompatiblearray) '1' e)"},
        {"trunc(1.5)", "numeric: (trunc(numeric) '1.5')"},
        {"sign(-1)", "double precision: (sign(float8) (implicit function '-1'::double precision))"},
        {"greatest(null,null)", "text: (greatest null null)"},
        {"date '2020-01-01' + time '12:00'", "timestamp without time zone: (date+time '2020-01-01' '12:00:00')"},
        {"t is null", "boolean: (isnull t.*)"},
        {"t.a", "integer: a"},
        {"(row(t.*)).f1", "integer: (field 1 (row a b c d e v j ts n f dt i))"},
        {"row(t.*, 1)", "record: (row a b c d e v j ts n f dt i '1')"},
        {"(coalesce(t,t)).a", "integer: (field 1 (coalesce t.* t.*))"},
        {"(case when d then t end).b", "text: (field 2 (case when d then t.* else null))"},
        {"(select t).a", "integer: (field 1 (scalar select t.*))"},
        {"a(t)", "integer: (field 1 t.*)"},
        {"(a).text", "text: (call text a::text)"},
        {"(b).upper", "text: (upper(text) b)"},
        {"(b).length", "integer: (length(text) b)"},
    };
  expect_all(cases);
}

TEST(ExpressionAnalysis, ParametersGetTheTypeTheyAreUsedWith) {
  const auto parameters = [](const std::string& expression) {
    OneTableScope scope;
    const auto statements = syntax::parse("SELECT " + expression);
    const auto& select = std::get<syntax::Select>(statements.at(0)->body);
    analyse_expression(select.items.at(0).expression, scope);
    std::string types;
    for (const Type& type : scope.parameters) types += std::string(types.empty() ? "" : ",") + type_name(type.id);
    return types;
  };
  EXPECT_EQ(parameters("a = $1"), "integer");
  EXPECT_EQ(parameters("n + $1"), "bigint");
  EXPECT_EQ(parameters("$1 || b"), "text");
  EXPECT_EQ(parameters("b like $1"), "text");
  EXPECT_EQ(parameters("$1::int8"), "bigint");
  EXPECT_EQ(parameters("a in ($1, $2)"), "integer,integer");
  EXPECT_EQ(parameters("c between $1 and $2"), "numeric,numeric");
  EXPECT_EQ(parameters("a = any($1)"), "integer[]");
  EXPECT_EQ(parameters("case when $1 then $2 else n end"), "boolean,bigint");
  EXPECT_EQ(parameters("make_interval(days => $1)"), "integer");
  EXPECT_EQ(parameters("$1 is null"), "unknown");
}

TEST(ExpressionAnalysis, AssignmentConvertsMoreThanComparison) {
  OneTableScope scope;
  const auto assigned = [&](const std::string& expression, Type target) {
    const auto statements = syntax::parse("SELECT " + expression);
    const auto& select = std::get<syntax::Select>(statements.at(0)->body);
    try {
      const ExpressionPtr value = analyse_expression(select.items.at(0).expression, scope);
      return shape_of(coerce_for_assignment(value, target, "x", scope));
    } catch (const SqlError& error) {
      return std::string(error.what()) + " @" + std::to_string(error.fields().position);
    }
  };
  EXPECT_EQ(assigned("n", TypeId::int4), "(implicit function n::integer)");
  EXPECT_EQ(assigned("a", TypeId::text), "(implicit text a::text)");
  EXPECT_EQ(assigned("b", Type(TypeId::varchar, 9)), "(implicit relabel b::character varying(5))");
  EXPECT_EQ(assigned("'x'", Type(TypeId::varchar, 9)), "(implicit relabel 'x'::character varying(5))");
  EXPECT_EQ(assigned("v", Type(TypeId::varchar, 14)), "v");
  EXPECT_EQ(assigned("1 + a", TypeId::boolean),
            "42804: column \"x\" is of type boolean but expression is of type integer @8");
}

TEST(ExpressionAnalysis, NamesColumnsAsPostgresDoes) {
  const auto name = [](const std::string& expression) {
    const auto statements = syntax::parse("SELECT " + expression);
    return figure_column_name(*std::get<syntax::Select>(statements.at(0)->body).items.at(0).expression);
  };
  const std::vector<Example> cases = {
      {"a", "a"},
      {"t.a", "a"},
      {"1", "?column?"},
      {"true", "?column?"},
      {"1::int", "int4"},
      {"a::int[]", "a"},
      {"'x'::text[]", "text"},
      {"lower('x')::varchar", "lower"},
      {"count(*)", "count"},
      {"a + 1", "?column?"},
      {"case when d then 1 end", "case"},
      {"case when d then 1 else a end", "a"},
      {"coalesce(a, 1)", "coalesce"},
      {"greatest(a, 1)", "greatest"},
      {"nullif(a, 1)", "nullif"},
      {"array[1]", "array"},
      {"array(select 1)", "array"},
      {"row(1)", "row"},
      {"(t).a", "a"},
      {"e[1]", "e"},
      {"exists (select 1)", "exists"},
      {"(select a)", "a"},
      {"(select 1 as one)", "one"},
      {"a in (select 1)", "?column?"},
      {"current_date", "current_date"},
      {"extract(year from dt)", "extract"},
      {"b collate \"C\"", "b"},
  };
  for (const Example& each : cases) EXPECT_EQ(name(each.expression), each.expected) << each.expression;
}

}  // namespace
}  // namespace polarsim::engine::query
