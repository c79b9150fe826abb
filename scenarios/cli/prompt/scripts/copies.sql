-- What follows a COPY in a script: data only if the server asks for them.
create table t (a int, b text);
copy t from stdin (delimiter 'ab');
select 'x';
insert into t values (1, 'one');
copy nosuch from stdin;
1	a
2	b
\.
;
select 'after data';
copy t from stdin;
4	d
x	e
\.
select 'after wrong data';
copy t from stdin; select 'same line';
7	h
\.
begin;
select 1/0;
copy t from stdin;
8	i
\.
;
rollback;
copy nosuch from stdin \g
9	j
\.
;
select * from t order by a;
select 1::numeric(5,2), 'a'::char(3), t.*, now()::timestamp(3) from t \gdesc
copy t to stdout (format csv, header);
copy t from stdin;
11	l
12	m
