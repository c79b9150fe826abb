// The shapes of the crash matrix: one for every way in which a transaction touches the disk.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/node/crash_matrix_test_support.h"

namespace polarsim::engine::testing {

namespace {

const std::string small_table = "CREATE TABLE t (id int PRIMARY KEY, v int)";
const std::string small_rows = "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)";
const std::string all_of_t = "SELECT id, v FROM t ORDER BY id";
const std::string insert_later = "INSERT INTO t VALUES (900, 9)";
const std::string text_table = "CREATE TABLE t (id int PRIMARY KEY, v text)";

std::string text(std::size_t length, char c = 'x') { return std::string(length, c); }

// "1|...;2|...": the rows that insert_texts() and insert_long_keys() make, for an expectation.
std::string rows_of(int first, int last, const std::function<std::string(int)>& value) {
  std::string rows;
  for (int id = first; id <= last; ++id) rows += fmt::format("{}{}|{}", id == first ? "" : ";", id, value(id));
  return rows;
}

// "INSERT INTO t VALUES (1, '...'), ..."
std::string insert_texts(int first, int last, std::size_t length) {
  std::string sql = "INSERT INTO t VALUES ";
  for (int id = first; id <= last; ++id) sql += fmt::format("{}({}, '{}')", id == first ? "" : ", ", id, text(length));
  return sql;
}

// One session's statements.
std::vector<CrashStep> steps(const std::vector<std::string>& statements) {
  std::vector<CrashStep> result;
  for (const std::string& sql : statements) result.push_back({0, sql});
  return result;
}

// On three small rows.
CrashShape on_small_table(std::string name, const std::vector<std::string>& statements, std::string finally) {
  CrashShape shape;
  shape.name = std::move(name);
  shape.setup = {small_table, small_rows};
  shape.steps = steps(statements);
  shape.observed = {all_of_t};
  shape.finally = std::move(finally);
  shape.afterwards = {insert_later};
  return shape;
}

void add_single_statements(std::vector<CrashShape>& shapes) {
  shapes.push_back(on_small_table("SingleInsert", {"INSERT INTO t VALUES (4, 40)"}, "1|10;2|20;3|30;4|40"));
  shapes.push_back(on_small_table("MultiRowInsert", {"INSERT INTO t VALUES (4, 40), (5, 50), (6, 60), (7, 70)"},
                                  "1|10;2|20;3|30;4|40;5|50;6|60;7|70"));
  shapes.push_back(on_small_table("UpdateOnThePage",
                                  {"UPDATE t SET v = v + 1 WHERE id = 2", "UPDATE t SET v = v * 10 WHERE id = 2"},
                                  "1|10;2|210;3|30"));
  shapes.push_back(on_small_table("Delete", {"DELETE FROM t WHERE id = 2", "DELETE FROM t WHERE id = 1"}, "3|30"));
  shapes.push_back(on_small_table("DeleteAndInsertTheKeyAgain",
                                  {"DELETE FROM t WHERE id = 2", "INSERT INTO t VALUES (2, 21)"}, "1|10;2|21;3|30"));
  shapes.push_back(on_small_table("UpsertThatInserts",
                                  {"INSERT INTO t VALUES (4, 40) ON CONFLICT (id) DO UPDATE SET v = 0",
                                   "INSERT INTO t VALUES (5, 50) ON CONFLICT DO NOTHING"},
                                  "1|10;2|20;3|30;4|40;5|50"));
  shapes.push_back(on_small_table("UpsertThatUpdates",
                                  {"INSERT INTO t VALUES (2, 7) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v",
                                   "INSERT INTO t VALUES (2, 7) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v"},
                                  "1|10;2|34;3|30"));
  CrashShape violation =
      on_small_table("UniqueViolation", {"INSERT INTO t VALUES (4, 40), (2, 0)", "INSERT INTO t VALUES (5, 50)"},
                     "1|10;2|20;3|30;5|50");
  violation.steps[0].error = "23505";
  shapes.push_back(std::move(violation));

  CrashShape moves;
  moves.name = "UpdateThatMovesToAnotherPage";
  moves.setup = {text_table, insert_texts(1, 7, 1000)};
  moves.steps = steps({"UPDATE t SET v = '" + text(1500, 'y') + "' WHERE id = 1",
                       "UPDATE t SET v = '" + text(1400, 'z') + "' WHERE id = 2"});
  moves.observed = {all_of_t};
  moves.finally =
      "1|" + text(1500, 'y') + ";2|" + text(1400, 'z') + ";" + rows_of(3, 7, [](int) { return text(1000); });
  moves.afterwards = {"INSERT INTO t VALUES (900, 'a')"};
  shapes.push_back(std::move(moves));
}

void add_blocks(std::vector<CrashShape>& shapes) {
  shapes.push_back(on_small_table("SeveralStatementsInOneTransaction",
                                  {"BEGIN", "INSERT INTO t VALUES (4, 40)", "UPDATE t SET v = 0 WHERE id < 3",
                                   "DELETE FROM t WHERE id = 3", "COMMIT"},
                                  "1|0;2|0;4|40"));
  shapes.push_back(on_small_table(
      "Rollback",
      {"BEGIN", "INSERT INTO t VALUES (4, 40)", "UPDATE t SET v = 0", "ROLLBACK", "UPDATE t SET v = 1 WHERE id = 1"},
      "1|1;2|20;3|30"));
  shapes.push_back(
      on_small_table("SavepointRolledBack",
                     {"BEGIN", "UPDATE t SET v = 11 WHERE id = 1", "SAVEPOINT a", "UPDATE t SET v = 0 WHERE id = 2",
                      "ROLLBACK TO a", "UPDATE t SET v = 31 WHERE id = 3", "COMMIT"},
                     "1|11;2|20;3|31"));
  shapes.push_back(on_small_table("SavepointReleased",
                                  {"BEGIN", "UPDATE t SET v = 11 WHERE id = 1", "SAVEPOINT a",
                                   "UPDATE t SET v = 21 WHERE id = 2", "RELEASE a", "COMMIT"},
                                  "1|11;2|21;3|30"));
  shapes.push_back(
      on_small_table("NestedSavepoints",
                     {"BEGIN", "SAVEPOINT a", "INSERT INTO t VALUES (4, 40)", "SAVEPOINT b",
                      "INSERT INTO t VALUES (5, 50)", "RELEASE b", "SAVEPOINT c", "DELETE FROM t WHERE id IN (1, 4)",
                      "ROLLBACK TO c", "UPDATE t SET v = 41 WHERE id = 4", "COMMIT"},
                     "1|10;2|20;3|30;4|41;5|50"));
  shapes.push_back(on_small_table("CheckpointInTheMiddle",
                                  {"BEGIN", "INSERT INTO t VALUES (4, 40)", "CHECKPOINT", "UPDATE t SET v = v + 1",
                                   "CHECKPOINT", "DELETE FROM t WHERE id = 1", "COMMIT"},
                                  "2|21;3|31;4|41"));
  for (CrashStep& step : shapes.back().steps) step.session = step.sql == "CHECKPOINT" ? 1 : 0;
}

void add_wide_transactions(std::vector<CrashShape>& shapes) {
  CrashShape several = on_small_table(
      "SeveralTablesInOneTransaction",
      {"BEGIN", "INSERT INTO t VALUES (4, 40)", "INSERT INTO u VALUES (4)", "DELETE FROM w", "COMMIT", "BEGIN",
       "DELETE FROM u", "DELETE FROM t", "INSERT INTO w VALUES (9)", "ROLLBACK", "INSERT INTO w VALUES (3)"},
      "1|10;2|20;3|30;4|40 / 4 / 3");
  several.setup.insert(several.setup.end(), {"CREATE TABLE u (id int PRIMARY KEY)", "CREATE TABLE w (id int)",
                                             "INSERT INTO w VALUES (1), (2)"});
  several.observed.insert(several.observed.end(), {"SELECT id FROM u ORDER BY id", "SELECT id FROM w ORDER BY id"});
  shapes.push_back(std::move(several));

  shapes.push_back(on_small_table("UpdateOfTheKey",
                                  {"UPDATE t SET id = id + 100 WHERE id < 3", "UPDATE t SET id = 1 WHERE id = 102"},
                                  "1|20;3|30;101|10"));

  // Every third is undone.
  std::vector<std::string> statements{"BEGIN"};
  std::string finally = "1|10;2|20;3|30";
  for (int i = 0; i < 70; ++i) {
    statements.push_back(fmt::format("SAVEPOINT s{}", i));
    statements.push_back(fmt::format("INSERT INTO t VALUES ({}, 0)", 100 + i));
    if (i % 3 == 0) {
      statements.push_back(fmt::format("ROLLBACK TO s{}", i));
    } else {
      finally += fmt::format(";{}|0", 100 + i);
    }
  }
  statements.emplace_back("COMMIT");
  shapes.push_back(on_small_table("ManySubtransactions", statements, finally));
}

CrashShape prepared(std::string name, std::vector<std::string> statements, std::string finally) {
  statements.insert(statements.begin(), {"BEGIN", "UPDATE t SET v = 11 WHERE id = 1", "INSERT INTO t VALUES (4, 40)",
                                         "PREPARE TRANSACTION 'one'"});
  CrashShape shape = on_small_table(std::move(name), statements, std::move(finally));
  shape.prepared = {{"one", "UPDATE t SET v = 0 WHERE id = 1", all_of_t, "1|11;2|20;3|30;4|40"}};
  return shape;
}

void add_two_phases(std::vector<CrashShape>& shapes) {
  shapes.push_back(prepared("PrepareAndCommitPrepared", {"COMMIT PREPARED 'one'"}, "1|11;2|20;3|30;4|40"));
  shapes.push_back(prepared("PrepareAndRollbackPrepared", {"ROLLBACK PREPARED 'one'"}, "1|10;2|20;3|30"));
  shapes.push_back(
      prepared("PrepareCheckpointCommitPrepared", {"CHECKPOINT", "COMMIT PREPARED 'one'"}, "1|11;2|20;3|30;4|40"));
  shapes.push_back(prepared("PrepareAndTwoCheckpoints", {"CHECKPOINT", "CHECKPOINT"}, "1|10;2|20;3|30"));
  CrashShape levels = prepared("PrepareWithSavepoints", {"CHECKPOINT"}, "1|10;2|20;3|30");
  levels.steps.insert(levels.steps.begin() + 3, {{0, "SAVEPOINT a"},
                                                 {0, "DELETE FROM t WHERE id = 2"},
                                                 {0, "ROLLBACK TO a"},
                                                 {0, "SAVEPOINT b"},
                                                 {0, "UPDATE t SET v = 31 WHERE id = 3"}});
  levels.prepared = {{"one", "DELETE FROM t WHERE id = 3", all_of_t, "1|11;2|20;3|31;4|40"}};
  shapes.push_back(std::move(levels));

  CrashShape table = on_small_table("PrepareCreateTable",
                                    {"BEGIN", "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)",
                                     "PREPARE TRANSACTION 'one'", "CHECKPOINT", "COMMIT PREPARED 'one'"},
                                    "1|10;2|20;3|30");
  table.prepared = {{"one", "CREATE TABLE u (id int)", "SELECT id FROM u", "1"}};
  shapes.push_back(std::move(table));

  CrashShape drop = on_small_table(
      "PrepareDropTable", {"BEGIN", "DROP TABLE u", "PREPARE TRANSACTION 'one'", "CHECKPOINT"}, "1|10;2|20;3|30");
  drop.setup.insert(drop.setup.end(), {"CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)"});
  drop.prepared = {
      {"one", "INSERT INTO u VALUES (2)", "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'u'", "0"}};
  shapes.push_back(std::move(drop));

  // Nothing is written: what survives is what is held.
  const auto locking = [&](std::string name, std::string statement, std::string blocked) {
    CrashShape shape = on_small_table(
        std::move(name), {"BEGIN", std::move(statement), "PREPARE TRANSACTION 'one'", "CHECKPOINT"}, "1|10;2|20;3|30");
    shape.prepared = {{"one", std::move(blocked), all_of_t, "1|10;2|20;3|30"}};
    shapes.push_back(std::move(shape));
  };
  locking("PrepareRowLock", "SELECT v FROM t WHERE id = 2 FOR UPDATE", "UPDATE t SET v = 0 WHERE id = 2");
  locking("PrepareTableLock", "LOCK TABLE t IN SHARE MODE", "INSERT INTO t VALUES (4, 40)");
  locking("PrepareAdvisoryLock", "SELECT pg_advisory_xact_lock(7)", "SELECT pg_advisory_xact_lock(7)");
}

void add_definitions(std::vector<CrashShape>& shapes) {
  const std::string all_of_u = "SELECT id, v FROM u ORDER BY id";
  CrashShape create = on_small_table(
      "CreateTable", {"CREATE TABLE u (id int PRIMARY KEY, v text)", "INSERT INTO u VALUES (1, 'a'), (2, 'b')"},
      "1|10;2|20;3|30 / 1|a;2|b");
  create.observed.push_back(all_of_u);
  shapes.push_back(std::move(create));

  CrashShape drop;
  drop.name = "DropTable";
  drop.setup = {small_table, small_rows, "CREATE TABLE u (id int PRIMARY KEY, v text)",
                "INSERT INTO u VALUES (1, 'a')"};
  drop.steps = steps({"INSERT INTO u VALUES (2, 'b')", "DROP TABLE u", "CREATE TABLE u (id int, v int)"});
  drop.observed = {all_of_t, all_of_u};
  drop.finally = "1|10;2|20;3|30 / ";
  drop.afterwards = {insert_later};
  shapes.push_back(std::move(drop));

  shapes.push_back(on_small_table("CreateTableRolledBack",
                                  {"BEGIN", "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)",
                                   "ROLLBACK", "INSERT INTO t VALUES (4, 40)"},
                                  "1|10;2|20;3|30;4|40"));
  // Its second row is logged after the checkpoint's start, and its end may be lost although its file has gone.
  CrashShape aborted = on_small_table("CreateTableRolledBackAfterACheckpoint", {}, "1|10;2|20;3|30;4|40");
  aborted.steps = {{0, "BEGIN"},
                   {0, "CREATE TABLE u (id int PRIMARY KEY)"},
                   {0, "INSERT INTO u VALUES (1)"},
                   {1, "CHECKPOINT"},
                   {0, "INSERT INTO u VALUES (2)"},
                   {1, "INSERT INTO t VALUES (4, 40)"},
                   {0, "ROLLBACK"},
                   {1, "SELECT pg_sleep(1)"}};
  shapes.push_back(std::move(aborted));
  CrashShape undone = on_small_table("DefinitionsRolledBack",
                                     {"BEGIN", "TRUNCATE t", "INSERT INTO t VALUES (9, 90)", "DROP TABLE u",
                                      "CREATE INDEX by_v ON t (v)", "ROLLBACK", "INSERT INTO t VALUES (4, 40)"},
                                     "1|10;2|20;3|30;4|40 / 1");
  undone.setup.insert(undone.setup.end(), {"CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)"});
  undone.observed.emplace_back("SELECT id FROM u");
  shapes.push_back(std::move(undone));
  shapes.push_back(on_small_table("DefinitionsAfterASavepoint",
                                  {"BEGIN", "SAVEPOINT a", "TRUNCATE t", "INSERT INTO t VALUES (9, 90)",
                                   "ROLLBACK TO a", "CREATE INDEX by_v ON t (v)", "UPDATE t SET v = v + 1", "COMMIT"},
                                  "1|11;2|21;3|31"));
  shapes.push_back(
      on_small_table("Truncate", {"UPDATE t SET v = 0", "TRUNCATE t", "INSERT INTO t VALUES (1, 1)"}, "1|1"));
  shapes.push_back(on_small_table("CreateIndexOnExistingRows",
                                  {"UPDATE t SET v = 5 WHERE id = 1", "CREATE INDEX by_v ON t (v)",
                                   "UPDATE t SET v = 6 WHERE id = 2", "DROP INDEX by_v"},
                                  "1|5;2|6;3|30"));

  CrashShape sequence;
  sequence.name = "Sequence";
  sequence.setup = {"CREATE SEQUENCE s", "SELECT nextval('s')", small_table};
  sequence.steps = steps({"SELECT nextval('s')", "SELECT nextval('s')", "CHECKPOINT", "SELECT nextval('s')",
                          "INSERT INTO t VALUES (nextval('s'), 0)", "BEGIN", "SELECT nextval('s')", "ROLLBACK",
                          "SELECT nextval('s')"});
  sequence.observed = {"SELECT count(*) FROM t"};
  sequence.finally = "1";
  sequence.ascending = "SELECT nextval('s')";
  sequence.afterwards = {insert_later};
  shapes.push_back(std::move(sequence));
}

// Keys so long that a leaf has room for few.
std::string long_key(int id) { return fmt::format("k{:03}{}", id, text(900)); }

std::string insert_long_keys(int first, int last) {
  std::string sql = "INSERT INTO t VALUES ";
  for (int id = first; id <= last; ++id) sql += fmt::format("{}({}, '{}')", id == first ? "" : ", ", id, long_key(id));
  return sql;
}

void add_indexes_and_vacuum(std::vector<CrashShape>& shapes) {
  CrashShape splits;
  splits.name = "IndexLeafSplits";
  splits.setup = {text_table, "CREATE INDEX by_v ON t (v)", insert_long_keys(1, 6)};
  splits.steps = steps({insert_long_keys(7, 10), insert_long_keys(11, 16), insert_long_keys(17, 20)});
  splits.observed = {all_of_t, "SELECT id FROM t WHERE v = '" + long_key(9) + "'"};
  splits.finally = rows_of(1, 20, long_key) + " / 9";
  splits.afterwards = {insert_long_keys(900, 902)};
  shapes.push_back(std::move(splits));

  CrashShape emptied;
  emptied.name = "DeletesAndVacuumEmptyLeaves";
  emptied.setup = {text_table, "CREATE INDEX by_v ON t (v)", insert_long_keys(1, 24)};
  emptied.steps = steps({"DELETE FROM t WHERE id BETWEEN 5 AND 20", "VACUUM t", insert_long_keys(30, 33)});
  emptied.observed = {all_of_t};
  emptied.finally = rows_of(1, 4, long_key) + ";" + rows_of(21, 24, long_key) + ";" + rows_of(30, 33, long_key);
  emptied.afterwards = {insert_long_keys(900, 902)};
  shapes.push_back(std::move(emptied));

  // The pages that go have been written before, and come again with other rows.
  CrashShape cut;
  cut.name = "VacuumCutsTheTableShorter";
  cut.setup = {text_table, insert_texts(1, 30, 1500)};
  cut.steps = steps({"UPDATE t SET v = 'x' WHERE id = 30", "DELETE FROM t WHERE id > 8", "VACUUM t",
                     insert_texts(31, 40, 1500), "DELETE FROM t WHERE id < 9", "DELETE FROM t WHERE id > 32",
                     "VACUUM t", "INSERT INTO t VALUES (50, '" + text(6000, 'd') + "')"});
  cut.observed = {"SELECT count(*), min(id), max(id) FROM t"};
  cut.finally = "3|31|50";
  cut.afterwards = {insert_texts(900, 906, 1500)};
  shapes.push_back(std::move(cut));

  CrashShape freeze = on_small_table(
      "VacuumFreeze",
      {"UPDATE t SET v = v + 1", "DELETE FROM t WHERE id = 3", "VACUUM FREEZE", "UPDATE t SET v = v + 1"}, "1|12;2|22");
  freeze.configure = [](NodeConfig& config) { config.vacuum_freeze_min_age = 0; };
  shapes.push_back(std::move(freeze));

  CrashShape outside;
  outside.name = "LongValuesOutOfLine";
  outside.setup = {text_table, "INSERT INTO t VALUES (1, '" + text(9000, 'a') + "'), (2, 'short')"};
  outside.steps = steps({"INSERT INTO t VALUES (3, '" + text(12000, 'b') + "')",
                         "UPDATE t SET v = '" + text(7000, 'c') + "' WHERE id = 1", "DELETE FROM t WHERE id = 3",
                         "VACUUM t", "INSERT INTO t VALUES (4, '" + text(6000, 'd') + "')"});
  outside.observed = {"SELECT id, v FROM t ORDER BY id"};
  outside.finally = "1|" + text(7000, 'c') + ";2|short;4|" + text(6000, 'd');
  outside.afterwards = {"INSERT INTO t VALUES (900, '" + text(5000) + "')"};
  shapes.push_back(std::move(outside));

  CrashShape automatic = on_small_table(
      "Autovacuum",
      {"UPDATE t SET v = v + 1", "UPDATE t SET v = v + 1", "SELECT pg_sleep(3)", "UPDATE t SET v = v + 1"},
      "1|13;2|23;3|33");
  automatic.configure = [](NodeConfig& config) {
    config.autovacuum = true;
    config.autovacuum_naptime = sim::Duration(1'000'000'000);
    config.autovacuum_vacuum_threshold = 2;
  };
  shapes.push_back(std::move(automatic));
}

void add_several_sessions(std::vector<CrashShape>& shapes) {
  CrashShape shared = on_small_table("SharedRowLocksThenUpdate", {}, "1|11;2|20;3|30");
  shared.steps = {{0, "BEGIN"},  {0, "SELECT v FROM t WHERE id = 1 FOR SHARE"},
                  {1, "BEGIN"},  {1, "SELECT v FROM t WHERE id = 1 FOR SHARE"},
                  {0, "COMMIT"}, {1, "UPDATE t SET v = v + 1 WHERE id = 1"},
                  {1, "COMMIT"}};
  shapes.push_back(std::move(shared));

  CrashShape locked = on_small_table("KeyShareBesideUpdateAndCheckpoint", {}, "1|12;2|20;3|30");
  locked.steps = {{0, "BEGIN"},
                  {0, "SELECT v FROM t WHERE id = 1 FOR KEY SHARE"},
                  {1, "BEGIN"},
                  {1, "UPDATE t SET v = 11 WHERE id = 1"},
                  {1, "COMMIT"},
                  {1, "CHECKPOINT"},
                  {0, "UPDATE t SET v = v + 1 WHERE id = 1"},
                  {0, "COMMIT"}};
  shapes.push_back(std::move(locked));

  CrashShape together = on_small_table("TwoSessionsCommitTogether", {}, "1|12;2|20;3|32;4|40;5|50");
  together.concurrent = true;
  together.steps = {{0, "UPDATE t SET v = v + 1 WHERE id = 1"}, {1, "UPDATE t SET v = v + 1 WHERE id = 3"},
                    {0, "INSERT INTO t VALUES (4, 40)"},        {1, "INSERT INTO t VALUES (5, 50)"},
                    {0, "UPDATE t SET v = v + 1 WHERE id = 1"}, {1, "UPDATE t SET v = v + 1 WHERE id = 3"}};
  shapes.push_back(std::move(together));

  // They wait for each other on the row, and what is left is the same in either order.
  CrashShape same = on_small_table("TwoSessionsChangeOneRow", {}, "1|14;2|20;3|30");
  same.concurrent = true;
  for (int i = 0; i < 2; ++i) {
    for (const std::size_t session : {0U, 1U}) {
      same.steps.push_back({session, "UPDATE t SET v = v + 1 WHERE id = 1"});
    }
  }
  shapes.push_back(std::move(same));

  CrashShape beside = on_small_table("CheckpointsBesideCommits", {}, "1|13;2|20;3|30");
  beside.concurrent = true;
  beside.steps = {{0, "UPDATE t SET v = v + 1 WHERE id = 1"},
                  {0, "UPDATE t SET v = v + 1 WHERE id = 1"},
                  {0, "UPDATE t SET v = v + 1 WHERE id = 1"},
                  {1, "CHECKPOINT"},
                  {1, "CHECKPOINT"}};
  shapes.push_back(std::move(beside));

  // While a checkpoint runs the log goes on into further segments, but recovery begins in the one where it began.
  CrashShape during;
  during.name = "SegmentsFillDuringCheckpoints";
  during.concurrent = true;
  during.setup = {text_table};
  for (int i = 0; i < 3; ++i) during.steps.push_back({1, "CHECKPOINT"});
  for (int id = 1; id <= 9; ++id) during.steps.push_back({0, insert_texts(id, id, 3000)});
  during.observed = {all_of_t};
  during.finally = rows_of(1, 9, [](int) { return text(3000); });
  during.afterwards = {insert_texts(900, 903, 1500)};
  during.configure = [](NodeConfig& config) { config.wal_segment_bytes = 8 << 10; };
  shapes.push_back(std::move(during));
}

void add_limits(std::vector<CrashShape>& shapes) {
  CrashShape segments;
  segments.name = "WalSegmentsAndRecycling";
  segments.setup = {text_table};
  segments.steps = steps({insert_texts(1, 8, 1500), insert_texts(9, 16, 1500), "CHECKPOINT", insert_texts(17, 24, 1500),
                          "CHECKPOINT", insert_texts(25, 32, 1500), "UPDATE t SET v = 'short' WHERE id < 9"});
  segments.observed = {all_of_t};
  segments.finally = rows_of(1, 8, [](int) { return "short"; }) + ";" + rows_of(9, 32, [](int) { return text(1500); });
  segments.afterwards = {insert_texts(900, 903, 1500)};
  segments.configure = [](NodeConfig& config) { config.wal_segment_bytes = 16 << 10; };
  shapes.push_back(std::move(segments));

  CrashShape evictions;
  evictions.name = "PagesWrittenByEviction";
  evictions.setup = {text_table, insert_texts(1, 80, 1500)};
  evictions.steps =
      steps({"UPDATE t SET v = 'a' WHERE id = 1", "SELECT count(*) FROM t", "UPDATE t SET v = 'b' WHERE id = 1",
             "SELECT count(*) FROM t", "UPDATE t SET v = 'c' WHERE id = 1", "DELETE FROM t WHERE id = 2"});
  evictions.observed = {all_of_t};
  evictions.finally = "1|c;" + rows_of(3, 80, [](int) { return text(1500); });
  evictions.afterwards = {insert_texts(900, 903, 1500)};
  shapes.push_back(std::move(evictions));

  CrashShape wrap = on_small_table("IdentifiersWrap", {}, "1|16;2|20;3|30;4|40");
  for (int i = 0; i < 3; ++i) wrap.steps.push_back({0, "UPDATE t SET v = v + 1 WHERE id = 1"});
  wrap.steps.push_back({0, "INSERT INTO t VALUES (4, 40)"});
  wrap.steps.push_back({0, "CHECKPOINT"});
  for (int i = 0; i < 3; ++i) wrap.steps.push_back({0, "UPDATE t SET v = v + 1 WHERE id = 1"});
  wrap.configure = [](NodeConfig& config) { config.initial_xid = 0xFFFFFFFF - 6; };
  shapes.push_back(std::move(wrap));
}

// The same with a checkpoint after every step, inside of transactions too: pages and segments are written and recycled
// at every moment, and every page has its image in the log again and again.
CrashShape among_checkpoints(CrashShape shape) {
  shape.name += "AmongCheckpoints";
  std::size_t sessions = 0;
  for (const CrashStep& step : shape.steps) sessions = std::max(sessions, step.session + 1);
  std::vector<CrashStep> steps;
  for (CrashStep& step : shape.steps) {
    steps.push_back(std::move(step));
    steps.push_back({sessions, "CHECKPOINT"});
  }
  shape.steps = std::move(steps);
  return shape;
}

}  // namespace

const std::vector<CrashShape>& crash_shapes() {
  static const std::vector<CrashShape> shapes = [] {
    std::vector<CrashShape> result;
    add_single_statements(result);
    add_blocks(result);
    add_wide_transactions(result);
    add_two_phases(result);
    add_definitions(result);
    add_indexes_and_vacuum(result);
    add_several_sessions(result);
    add_limits(result);
    const std::size_t plain = result.size();
    for (std::size_t i = 0; i < plain; ++i) {
      if (!result[i].concurrent) result.push_back(among_checkpoints(result[i]));
      // So that what was changed is also written to its pages.
      result[i].steps.push_back({0, "CHECKPOINT"});
    }
    return result;
  }();
  return shapes;
}

}  // namespace polarsim::engine::testing
