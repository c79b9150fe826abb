select 1/0;
select foo;
select a.b.c.d.e.f from nope;
select * from nope where x = 'long long long long long long long long long long long long text' and y = 5;
select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, ccccccccccccccccccc from (select 1 as aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) x;
select 1,
	2,
  nope, 3
from (select 1) x;
select '日本語日本語' || nope, 'x';
\set VERBOSITY verbose
select 1/0;
select foo;
create temp table t (id int primary key, v text not null check (v <> 'x'));
insert into t values (1,'a'),(1,'b');
insert into t values (1,null);
insert into t values (1,'x');
\set VERBOSITY terse
select 1/0;
select foo;
insert into t values (1,'x');
\set VERBOSITY sqlstate
select 1/0;
select foo;
\set VERBOSITY default
do $$ begin raise notice 'hello'; raise warning 'warned' using hint = 'do this', detail = 'because'; perform 1/0; end $$;
\errverbose
\set SHOW_CONTEXT never
do $$ begin raise notice 'hello'; perform 1/0; end $$;
\set SHOW_CONTEXT always
do $$ begin raise notice 'hello'; perform 1/0; end $$;
\set SHOW_CONTEXT errors
drop table if exists nothere;
begin; begin; commit; commit;
do $$ begin execute 'select nope'; end $$;
create table "x" (a int, b nosuchtype);
select * from generate_series(1,3) \gexec
select 'select ' || i from generate_series(1,3) i \gexec
select 1 as one, 'two' as two, null as three \gset
\echo :one :two :three
select 1 as one, 'two' as two \gset pre_
\echo :pre_one :pre_two
select 1 where false \gset
select 1 union select 2 \gset
select 1 as "AUTOCOMMIT" \gset
select 1 as "bad name" \gset
select 1 as a, 'x'::varchar(10) as b, 1.5::numeric(10,2) as c \gdesc
create table never() \gdesc
select nope \gdesc
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
select 1;
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
\set ECHO errors
select bad;
\set ECHO queries
select 1;
\set ECHO all
select 1;
-- comment
\echo x
\set ECHO none
\set ON_ERROR_STOP foo
\set ON_ERROR_STOP
\echo :ON_ERROR_STOP
select stop;
select 'not reached';
