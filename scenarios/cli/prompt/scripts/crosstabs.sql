-- Without \pset null, NULL has a name in messages.
select v, h, c from (values (null,'h2','foo'),(null,'h2',null)) as t(v,h,c) \crosstabview
-- Rows and columns in the order of their first appearance; holes are empty.
select v, h, c from (values ('v1','h2','foo'),('v2','h1','bar'),('v1','h0','baz'),('v0','h4','qux'),('v2',null,null)) as t(v,h,c) \crosstabview
\pset null '<n>'
select v, h, c from (values ('v1','h2','foo'),('v2','h1','bar'),(null,'h0','baz'),('v2',null,null)) as t(v,h,c) order by 1, 2 desc \crosstabview v h c
\pset null ''
-- By numbers and by names, as they are written; numbers are shown at the right.
select v, h, n, s from (values ('v1','h2',3,3),('v2','h1',10,1),('v1','h0',-5,2),('v3','h9',1,null),('v3','h8',2,-4)) as t(v,h,n,s) \crosstabview 1 2 3 4
select v, h, n, s from (values ('v1','h2',3,3),('v2','h1',10,1),('v1','h0',-5,2),('v3','h9',1,null),('v3','h8',2,-4)) as t(v,h,n,s) \crosstabview v h s n
select 1 as "V", 2 as "1", 3 as v \crosstabview "V" "1" V
select h, v, c from (values ('h1','v1','a'),('h2','v1','b')) as t(h,v,c) \crosstabview 2 1 c
\x
select h, v, c from (values ('h1','v1','a'),('h2','v1','b')) as t(h,v,c) \crosstabview v h
\x
\C 'a title'
select h, v, c from (values ('h1','v1','a'),('h2','v1','b')) as t(h,v,c) \crosstabview v h
\C
select 1 as a, 2 as b, 3 as c where false \crosstabview
\a
select h, v, c from (values ('h1','v1','a'),('h2','v1','b')) as t(h,v,c) \crosstabview v h
\a
-- What cannot be turned.
select 1, 2 \crosstabview
select 1 as a, 2 as b, 3 as c, 4 as d \crosstabview
select 1 as a, 2 as b, 3 as c, 4 as d \crosstabview a b
select 1 as a, 2 as b, 3 as c \crosstabview 4
select 1 as a, 2 as b, 3 as c \crosstabview 0
select 1 as a, 2 as b, 3 as c \crosstabview x
select 1 as a, 2 as b, 3 as c \crosstabview a a
select 1 as a, 2 as a, 3 as c \crosstabview a c
select v, h, c from (values ('v1','h2','foo'),('v1','h2','bar')) as t(v,h,c) \crosstabview
select 1 as a, 2 as b, 3 as c \crosstabview a b c a extra
select nothing \crosstabview
create table t (a int) \crosstabview
select 1, 2, 3 \; select 4 as x, 5 as y, 6 as z \crosstabview
\echo :ERROR :ROW_COUNT
-- Views as statements.
create schema "S 1";
create view v as select 1 as a, 2 as b;
create view "S 1"."a view" as select a from v where a > 1;
create view barrier with (security_barrier) as select a from v;
\sv v
\sv+ v
\sv "S 1"."a view"
\sv "S 1"."a view";
\sv nothing
\sv t
\sv
\sv pg_catalog.pg_user
