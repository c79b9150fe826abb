\set q 'select * from (values (1, ''a'', null::text, 1.5), (22, E''line1\nline2'', ''x'', null), (333, E''tab\there\r\x07'', ''日本語'', -2000000.25), (4, E''combi e\u0301\n\nend'', '''', 0)) v("number","text with\nnewline?",c3,"num")'
select 1 as a, E'x\ny' as "multi
line", 'right' as "c" \g
create temp table t("id" int, "te
xt" text, "日本" text, num numeric);
insert into t values (1,'a',null,1.5),(22,E'line1\nline2','x',null),(333,E'tab\there\r\x07','日本語',-2000000.25),(4,E'combi e\u0301\n\nend','',0);
\pset null '(null)'
\pset border 0
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset border 3
select * from t;
\x
\pset border 0
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset linestyle old-ascii
\pset border 0
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\x
\pset border 0
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset linestyle unicode
\pset border 0
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset unicode_border_linestyle double
select * from t;
\pset unicode_column_linestyle double
select * from t;
\pset unicode_header_linestyle double
select * from t;
\pset unicode_border_linestyle single
select * from t;
\x
select * from t;
\x
\pset linestyle ascii
\pset border 1
\pset title 'A Title'
select * from t;
\pset title 'A very long title that is much longer than the table is wide, yes it is much longer'
select 1 as a;
\x
select 1 as a;
\x
\pset title
\t
select * from t;
\x
select * from t;
\pset border 2
select * from t;
\x
select * from t;
\pset border 1
\t
\pset footer off
select * from t;
\pset footer on
select * from t where false;
\x
select * from t where false;
\pset expanded off
select;
select from t;
\pset numericlocale on
select 1234567.89::numeric, 12::int, -1234::int8, 'x1234567'::text, 1e20::float8, 'NaN'::float8;
\pset numericlocale off
select 1::int2, 2::oid, 3::float4, '5'::money, true, '2020-01-01'::date, '1'::xid, '{1,2}'::int[], '1 day'::interval, 'n'::name, 'c'::char, '1'::xid8, 'a'::bytea;
