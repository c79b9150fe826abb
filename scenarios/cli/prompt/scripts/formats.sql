create temp table t("id" int, "te,xt" text, "q""uote" text, num numeric);
insert into t values (1,'a',null,1.5),(22,E'line1\nline2','x|y','3'),(333,E'tab\there\r"q"','<b> & "x"',-2000000.25),(4,'  lead','',0),(5,'\.',E'a,b;c','7');
\pset format unaligned
select * from t;
\pset null 'NULL'
select * from t;
\x
select * from t;
\x
\t
select * from t;
\x
select * from t;
\x
\t
\pset fieldsep ', '
\pset recordsep '<>\n'
select * from t;
\x
select * from t;
\x
\pset fieldsep_zero
\pset recordsep_zero
select * from t;
\x
select * from t;
\x
\pset recordsep '\n'
\pset title tit
select * from t;
\x
select * from t;
\x
\t
select * from t;
\x
select * from t;
\x
\t
\pset title
select * from t where false;
\x
select * from t where false;
\x
select;
\pset format csv
select * from t;
\x
select * from t;
\x
\t
select * from t;
\x
select * from t;
\x
\t
\pset csv_fieldsep ';'
select * from t;
\pset csv_fieldsep '\t'
select * from t;
\pset title tit
select * from t;
\pset title
select * from t where false;
\x
select * from t where false;
\x
select;
\pset format html
select * from t;
\x
select * from t;
\x
\t
select * from t;
\x
select * from t;
\x
\t
\pset border 2
\T class=x
\C 'ti & tle'
select * from t;
\x
select * from t;
\x
\T
\C
insert into t values (1);
select * from t where false;
\x
select * from t where false;
\x
select;
\pset format asciidoc
select * from t;
\x
select * from t;
\x
\t
select * from t;
\x
select * from t;
\x
\t
\pset border 0
select * from t;
\pset border 1
\C title
select * from t;
\x
select * from t;
\x
\C
select * from t where false;
\x
select * from t where false;
select;
