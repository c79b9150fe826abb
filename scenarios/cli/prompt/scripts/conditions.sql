\if true
\echo yes
\else
\echo no
\endif
\if false
\echo no
select 1/0;
\elif true
\echo elif
\elif true
\echo no2
\else
\echo no3
\endif
\if 0
\if 1
\echo inner
\else
\foo
\endif
\else
\echo outer else
\endif
\if maybe
\echo x
\else
\echo else of maybe
\endif
select
\if true
1
\else
2
\endif
as x;
select
\if false
1 (
\else
(2)
\endif
as x;
\else
\endif
\elif
\if true
\else
\else
\endif
\if :{?nope}
\echo defined
\else
\echo undefined
\endif
\set c on
\if :c
\echo c on
\endif
\if false
\set c off
\i nofile
\g nofile
\echo `echo executed >&2`
\endif
\echo :c
\if true \\ \echo same line \\ \endif
\if false
select 'skip;';
\p
\endif
\if
\echo none
\endif
\if true
