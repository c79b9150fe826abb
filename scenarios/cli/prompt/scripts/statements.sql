select 1; select 2;
select 'a;b' as x; select $$x;y$$; select $a$x;$$;y$a$;
select /* comment; /* nested ; */ still */ 1;
-- leading comment
select 1 -- trailing ; comment
;
select "a;b" from (select 1 as "a;b") x;
select (1;
);
select 'multi
line; literal' as m;
select E'a\';b' as e;
select E'x' 'y';
select 'x'
'y';
select U&'\0441\043B' as u, U&"d\0061t\+000061" from (select 1 as "data") d;
select 1 as a\g
select 2 as b \gx
select 3
\g
\p
select 4
\p
\g
select 5 \; select 6;
select 7 \; insert into nope values (1) \; select 8;
\set v 42
\set s 'it''s'
\set i 'my col'
select :v, :'s', :'v' as :"i";
select ':v', ":v" from (select 1 as ":v") x;
select :nope;
select 1::int, '{1,2,3}'::int[], ('{1,2,3}'::int[])[1:2];
\set w 'select 9; select'
:w 10;
\set r ':r'
select :r;
\echo :v :'s' :"i" :nope :{?v} :{?nope}
\echo 'single ''quoted'' \n newline \t tab' "double :v" plain `echo back :v`
\echo -n no newline
\echo
\echo a;b ;
\echo a \\ select 11;
select 12 \echo inline
;
\unset v
\echo :v
\set empty
\echo >:empty<
\set x a b 'c d'
\echo :x
select :{?x} as x, :{?zz} as z;
create function f1() returns int language sql begin atomic select 1; select case when true then 2 else 3 end; end;
select f1();
create or replace function f2(a int) returns int language sql begin atomic; select a; end;
drop function f1();
select 1$a;
select $1;
select 1 where 'a' = :'s' or true;
select 'it''s', 'a''' || ';', ''';''';
select 1e5, 1.5e-3, .5, 5.;
select 1e';';
';
;
;;
select 13;;select 14;
\foo
\q extra
select 15;
select 1

+ 2;

select 'a

b';
select foo(

1,
;