create temp table t("id" int, "text" text, "multi
line header" text);
insert into t values (1,'short','x'),(2,repeat('long text ',12),'y'),(3,E'two\nlines',repeat('日本',20)),(4,repeat('x',100),null);
\pset format wrapped
\pset columns 40
select * from t;
\pset columns 60
select * from t;
\pset columns 10
select * from t;
\pset border 2
\pset columns 50
select * from t;
\pset border 0
select * from t;
\x
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset linestyle old-ascii
select * from t;
\pset border 1
select * from t;
\pset border 0
select * from t;
\x
select * from t;
\pset border 1
select * from t;
\pset border 2
select * from t;
\pset linestyle unicode
select * from t;
\x
select * from t;
\pset columns 20
select * from t;
\t
select * from t;
\t
\x
\pset linestyle ascii
\pset border 1
\pset columns 40
\x auto
select * from t;
select 1 as a, 2 as b;
\pset format aligned
select * from t;
select 1 as a, 2 as b;
select 'just one column that is really very long indeed' as c;
