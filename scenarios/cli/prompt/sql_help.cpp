#include "scenarios/cli/prompt/sql_help.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr SqlHelp all[] = {
    {"ALTER SEQUENCE", "change the definition of a sequence generator",
     "ALTER SEQUENCE [ IF EXISTS ] name [ INCREMENT [ BY ] increment ] [ MINVALUE minvalue ] [ MAXVALUE maxvalue ]\n"
     "    [ START [ WITH ] start ] [ RESTART [ [ WITH ] restart ] ] [ CACHE cache ] [ [ NO ] CYCLE ]"},
    {"ALTER TABLE", "change the definition of a table",
     "ALTER TABLE [ IF EXISTS ] name action [, ... ]\n"
     "ALTER TABLE [ IF EXISTS ] name RENAME [ COLUMN ] column_name TO new_column_name\n"
     "ALTER TABLE [ IF EXISTS ] name RENAME TO new_name\n\n"
     "where action is one of:\n\n"
     "    ADD [ COLUMN ] [ IF NOT EXISTS ] column_name data_type [ column_constraint [ ... ] ]\n"
     "    DROP [ COLUMN ] [ IF EXISTS ] column_name [ RESTRICT | CASCADE ]\n"
     "    ALTER [ COLUMN ] column_name { TYPE data_type [ USING expression ] | SET DEFAULT expression | DROP DEFAULT\n"
     "        | { SET | DROP } NOT NULL }\n"
     "    ADD table_constraint\n"
     "    DROP CONSTRAINT [ IF EXISTS ] constraint_name [ RESTRICT | CASCADE ]"},
    {"BEGIN", "start a transaction block", "BEGIN [ WORK | TRANSACTION ] [ transaction_mode [, ...] ]"},
    {"COMMIT", "commit the current transaction", "COMMIT [ WORK | TRANSACTION ] [ AND [ NO ] CHAIN ]"},
    {"COMMIT PREPARED", "commit a transaction that was earlier prepared for two-phase commit",
     "COMMIT PREPARED transaction_id"},
    {"COPY", "copy data between a file and a table",
     "COPY table_name [ ( column_name [, ...] ) ] FROM STDIN [ [ WITH ] ( option [, ...] ) ]\n"
     "COPY { table_name [ ( column_name [, ...] ) ] | ( query ) } TO STDOUT [ [ WITH ] ( option [, ...] ) ]"},
    {"CREATE INDEX", "define a new index",
     "CREATE [ UNIQUE ] INDEX [ [ IF NOT EXISTS ] name ] ON table_name [ USING btree ]\n"
     "    ( { column_name | ( expression ) } [ ASC | DESC ] [ NULLS { FIRST | LAST } ] [, ...] )\n"
     "    [ WHERE predicate ]"},
    {"CREATE SCHEMA", "define a new schema", "CREATE SCHEMA [ IF NOT EXISTS ] schema_name"},
    {"CREATE SEQUENCE", "define a new sequence generator",
     "CREATE SEQUENCE [ IF NOT EXISTS ] name [ AS data_type ] [ INCREMENT [ BY ] increment ] [ MINVALUE minvalue ]\n"
     "    [ MAXVALUE maxvalue ] [ START [ WITH ] start ] [ CACHE cache ] [ [ NO ] CYCLE ]"},
    {"CREATE TABLE", "define a new table",
     "CREATE TABLE [ IF NOT EXISTS ] table_name ( [\n"
     "  { column_name data_type [ column_constraint [ ... ] ] | table_constraint } [, ... ]\n"
     "] )\n\n"
     "To spread its rows over the data nodes, or to keep a copy of it on each:\n\n"
     "SELECT create_distributed_table('table_name', 'column_name');\n"
     "SELECT create_reference_table('table_name');"},
    {"CREATE VIEW", "define a new view", "CREATE [ OR REPLACE ] VIEW name [ ( column_name [, ...] ) ] AS query"},
    {"DELETE", "delete rows of a table",
     "[ WITH with_query [, ...] ]\nDELETE FROM table_name [ [ AS ] alias ] [ USING from_item [, ...] ]\n"
     "    [ WHERE condition ] [ RETURNING * | output_expression [ [ AS ] output_name ] [, ...] ]"},
    {"DROP INDEX", "remove an index", "DROP INDEX [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]"},
    {"DROP TABLE", "remove a table", "DROP TABLE [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]"},
    {"DROP VIEW", "remove a view", "DROP VIEW [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]"},
    {"EXPLAIN", "show the execution plan of a statement", "EXPLAIN [ ( option [, ...] ) ] statement"},
    {"INSERT", "create new rows in a table",
     "[ WITH with_query [, ...] ]\nINSERT INTO table_name [ AS alias ] [ ( column_name [, ...] ) ]\n"
     "    { DEFAULT VALUES | VALUES ( { expression | DEFAULT } [, ...] ) [, ...] | query }\n"
     "    [ ON CONFLICT [ conflict_target ] { DO NOTHING | DO UPDATE SET ... [ WHERE condition ] } ]\n"
     "    [ RETURNING * | output_expression [ [ AS ] output_name ] [, ...] ]"},
    {"LOCK", "lock a table", "LOCK [ TABLE ] name [, ...] [ IN lockmode MODE ] [ NOWAIT ]"},
    {"PREPARE TRANSACTION", "prepare the current transaction for two-phase commit",
     "PREPARE TRANSACTION transaction_id"},
    {"RELEASE SAVEPOINT", "destroy a previously defined savepoint", "RELEASE [ SAVEPOINT ] savepoint_name"},
    {"ROLLBACK", "abort the current transaction", "ROLLBACK [ WORK | TRANSACTION ] [ AND [ NO ] CHAIN ]"},
    {"ROLLBACK PREPARED", "cancel a transaction that was earlier prepared for two-phase commit",
     "ROLLBACK PREPARED transaction_id"},
    {"ROLLBACK TO SAVEPOINT", "roll back to a savepoint",
     "ROLLBACK [ WORK | TRANSACTION ] TO [ SAVEPOINT ] savepoint_name"},
    {"SAVEPOINT", "define a new savepoint within the current transaction", "SAVEPOINT savepoint_name"},
    {"SELECT", "retrieve rows from a table or view",
     "[ WITH [ RECURSIVE ] with_query [, ...] ]\nSELECT [ ALL | DISTINCT [ ON ( expression [, ...] ) ] ]\n"
     "    [ * | expression [ [ AS ] output_name ] [, ...] ]\n    [ FROM from_item [, ...] ]\n"
     "    [ WHERE condition ]\n    [ GROUP BY grouping_element [, ...] ]\n    [ HAVING condition ]\n"
     "    [ WINDOW window_name AS ( window_definition ) [, ...] ]\n"
     "    [ { UNION | INTERSECT | EXCEPT } [ ALL | DISTINCT ] select ]\n"
     "    [ ORDER BY expression [ ASC | DESC ] [ NULLS { FIRST | LAST } ] [, ...] ]\n"
     "    [ LIMIT { count | ALL } ] [ OFFSET start ]\n"
     "    [ FOR { UPDATE | NO KEY UPDATE | SHARE | KEY SHARE } [ OF table_name [, ...] ] [ NOWAIT | SKIP LOCKED ] ]"},
    {"SET", "change a run-time parameter",
     "SET [ SESSION | LOCAL ] configuration_parameter { TO | = } { value | 'value' | DEFAULT }"},
    {"SHOW", "show the value of a run-time parameter", "SHOW { name | ALL }"},
    {"TRUNCATE", "empty a table or set of tables",
     "TRUNCATE [ TABLE ] name [, ... ] [ RESTART IDENTITY | CONTINUE IDENTITY ] [ CASCADE | RESTRICT ]"},
    {"UPDATE", "update rows of a table",
     "[ WITH with_query [, ...] ]\nUPDATE table_name [ [ AS ] alias ]\n"
     "    SET { column_name = { expression | DEFAULT } } [, ...]\n    [ FROM from_item [, ...] ]\n"
     "    [ WHERE condition ] [ RETURNING * | output_expression [ [ AS ] output_name ] [, ...] ]"},
    {"VACUUM", "garbage-collect a table", "VACUUM [ ( option [, ...] ) ] [ table_name [, ...] ]"},
};

}  // namespace

std::span<const SqlHelp> sql_help() { return all; }

}  // namespace polarsim::scenarios::cli::prompt
