\set QUIET on
create temp table t(a int);
\set QUIET off
insert into t values (1);
insert into t values (2) returning *;
update t set a = 3;
delete from t returning a;
\o out.txt
select 1 as in_file;
\qecho qecho
\echo stdout
\o
\! cat out.txt
select 2 as x \g out2.txt
\! cat out2.txt
insert into t values (5) returning * \g out2.txt
\! cat out2.txt
insert into t values (6) \g out2.txt
\! cat out2.txt
select 3 as x \g | cat
select 4 as x, null as y \g (format=csv null=NN)
select 4 as x, null as y \g (format=unaligned tuples_only=on) out2.txt
\! cat out2.txt
select 5 as x \g (nope=1)
select 5 as x \g (format=csv
select 6 as x \gx (border=2)
select 7 as x
\w out3.txt
\! cat out3.txt
\r
\p
\i nofile.sql
\i included.txt
\ir included.txt
\set AUTOCOMMIT off
select 1;
rollback;
\echo :AUTOCOMMIT
\set AUTOCOMMIT on
\set ON_ERROR_ROLLBACK on
begin;
select 1;
select nope;
select 2;
savepoint s;
select 3;
release s;
commit;
\set ON_ERROR_ROLLBACK off
begin;
select nope;
select 1;
commit;
\conninfo
\encoding
\encoding latin99
\a
select 1;
\a
\f x
\t
select 1;
\t
\getenv home HOME
\echo :home
\setenv FOO bar
\! echo $FOO
\setenv FOO
\! echo [$FOO]
\setenv A=B c
\getenv a
\getenv x FOO_NOT_SET
\echo :x
\cd /nowhere
\cd .

\echo :val
\copy
\copy t
\copy t from
\copy t from 'nofile.txt'
\COPY t from 'nofile.txt'
\copy t to 'copy.txt'
\! cat copy.txt
\copy t from copy.txt
select count(*) from t;
copy t from stdin;
10
11
\.
select count(*) from t;
\copy t from stdin
12
\.
copy t to stdout;
\copy t to stdout csv header
\copy (select 1 as a, 'x' as b) to stdout with (format csv, header)
\copy t to program 'cat' 
\copy t from program 'echo 77'
copy t from stdin;
bad
\.
select 1;
\copy t (a) from stdin
13
\.
copy t to stdout \g out2.txt
\! cat out2.txt
\errverbose
\timing
\timing off
\timing maybe
\warn to stderr
\echo "dq" '' "" x
\echo 'unterminated
\echo "unterm
\unset
\unset 'a b'
\set 'a b' c
\set AUTOCOMMIT
\echo :AUTOCOMMIT
\set VERBOSITY foo
\unset VERBOSITY
\echo :VERBOSITY
\set SHOW_ALL_RESULTS off
select 1\; select 2;
\set SHOW_ALL_RESULTS on
select 1\; select 2;
\set SINGLELINE on
select 1
select 2
\set SINGLELINE off
select 'last' as no_semicolon
