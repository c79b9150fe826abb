-- Commands and files that do not take what is written to them.
CREATE TABLE t (a integer);
INSERT INTO t VALUES (1), (2);
SELECT i AS n FROM generate_series(1, 100000) i \g |head -1
SELECT 'after a command that read no more';
\o |head -1
SELECT i AS m FROM generate_series(1, 100000) i;
SELECT 'lost';
\o
COPY (SELECT i FROM generate_series(1, 100000) i) TO STDOUT \g |head -1
\copy (SELECT i FROM generate_series(1, 100000) i) to program 'head -1'
\copy t to program 'cat >/dev/null; exit 3'
\copy t to program 'cat; exit 4'
\copy t from program 'echo 77; exit 1'
\copy t from program 'kill -9 $$'
\copy t from program '/nonexistent'
\copy t from program '/'
SELECT count(*) FROM t;
\copy t to '/dev/full'
\copy (SELECT i FROM generate_series(1, 100000) i) to '/dev/full'
COPY t TO STDOUT \g /dev/full
SELECT 1 \g /dev/full
SELECT 2 \gx /dev/full
\o /dev/full
SELECT 3;
COPY t TO STDOUT;
INSERT INTO t VALUES (3);
\o
SELECT 4 \w /dev/full
\r
SELECT 5 \w |cat
\r
SELECT 6 \w |cat >/dev/null; exit 3
\r
SELECT \gdesc
DROP TABLE t;
SELECT FROM pg_class \gdesc
SELECT 7;
\set ON_ERROR_STOP on
\copy (SELECT 1) to '/dev/full'
SELECT 'not reached';
