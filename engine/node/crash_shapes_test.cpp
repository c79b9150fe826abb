// The shapes of transactions that the crash matrix runs.
#include "engine/node/crash_shapes.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace polarsim::engine::testing {

namespace {

using Statements = std::vector<std::string>;

const std::string keyed_table = "CREATE TABLE t (id int PRIMARY KEY, v text)";
const std::string three_rows = "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')";
const Statements all_of_t{"SELECT * FROM t ORDER BY id"};
const Statements touch_t{"UPDATE t SET v = v", "DELETE FROM t"};

std::string text(std::size_t length, char fill) { return "'" + std::string(length, fill) + "'"; }

// INSERT INTO t VALUES (first, '...'), ...
std::string insert_rows(int first, int count, std::size_t length) {
  std::string statement = "INSERT INTO t VALUES ";
  for (int i = 0; i < count; ++i) {
    const char fill = static_cast<char>('a' + (first + i) % 26);
    statement += (i == 0 ? "(" : ", (") + std::to_string(first + i) + ", " + text(length, fill) + ")";
  }
  return statement;
}

// On the table t with three rows.
CrashShape on_t(std::string name, std::vector<Statements> sessions, Statements more_setup = {}) {
  CrashShape shape;
  shape.name = std::move(name);
  shape.setup = {keyed_table, three_rows};
  shape.setup.insert(shape.setup.end(), more_setup.begin(), more_setup.end());
  shape.sessions = std::move(sessions);
  shape.observe = all_of_t;
  shape.afterwards = touch_t;
  return shape;
}

void add_rows(std::vector<CrashShape>& shapes) {
  shapes.push_back(on_t("InsertSingle", {{"INSERT INTO t VALUES (4, 'd')", "INSERT INTO t VALUES (5, 'e')"}}));
  shapes.push_back(on_t("InsertMultiRow", {{insert_rows(10, 6, 20), insert_rows(20, 4, 20)}}));
  shapes.push_back(on_t("InsertAcrossPages", {{insert_rows(10, 12, 2500), insert_rows(40, 5, 2500)}}));
  shapes.push_back(on_t("UpdateSamePage", {{"UPDATE t SET v = 'x' WHERE id = 1", "UPDATE t SET v = v || 'y'"}}));
  shapes.push_back(
      on_t("UpdateAcrossPages",
           {{"UPDATE t SET v = " + text(2400, 'x') + " WHERE id > 3", "UPDATE t SET v = " + text(2600, 'z')}},
           {insert_rows(10, 9, 2400)}));
  shapes.push_back(on_t("UpdateKey", {{"UPDATE t SET id = id + 100 WHERE id < 3", "UPDATE t SET id = id + 10"}}));
  shapes.push_back(
      on_t("Delete", {{"DELETE FROM t WHERE id = 2", "INSERT INTO t VALUES (2, 'again')", "DELETE FROM t"}}));
  shapes.push_back(on_t("UpsertInsert", {{"INSERT INTO t VALUES (9, 'n') ON CONFLICT (id) DO UPDATE SET v = 'u'",
                                          "INSERT INTO t VALUES (8, 'm') ON CONFLICT DO NOTHING"}}));
  shapes.push_back(
      on_t("UpsertUpdate",
           {{"INSERT INTO t VALUES (1, 'n'), (4, 'n') ON CONFLICT (id) DO UPDATE SET v = t.v || excluded.v",
             "INSERT INTO t VALUES (2, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE t.id = 2"}}));
  shapes.push_back(on_t("LongValues",
                        {{"INSERT INTO t VALUES (4, " + text(30'000, 'l') + ")",
                          "UPDATE t SET v = " + text(20'000, 'm') + " WHERE id = 4",
                          "UPDATE t SET v = 'short' WHERE id = 5", "DELETE FROM t WHERE id = 4"}},
                        {"INSERT INTO t VALUES (5, " + text(25'000, 'k') + ")"}));
  shapes.push_back(
      on_t("MorePagesThanBuffers", {{insert_rows(100, 40, 3500), "UPDATE t SET v = v || 'u' WHERE id >= 100"}}));
}

void add_blocks(std::vector<CrashShape>& shapes) {
  shapes.push_back(on_t("Block", {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'x' WHERE id = 1",
                                   "DELETE FROM t WHERE id = 2", "COMMIT", "UPDATE t SET v = 'y' WHERE id = 4"}}));
  shapes.push_back(on_t("Aborted", {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'x'", "ROLLBACK",
                                     "INSERT INTO t VALUES (4, 'e')"}}));
  shapes.push_back(
      on_t("FailedThenCommit", {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "INSERT INTO t VALUES (1, 'dup')", "COMMIT",
                                 "INSERT INTO t VALUES (4, 'e')"}}));
  shapes.push_back(on_t("SavepointRollback", {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "SAVEPOINT a",
                                               "INSERT INTO t VALUES (5, 'e')", "UPDATE t SET v = 'x' WHERE id = 1",
                                               "ROLLBACK TO SAVEPOINT a", "INSERT INTO t VALUES (6, 'f')", "COMMIT"}}));
  shapes.push_back(on_t("SavepointRelease", {{"BEGIN", "SAVEPOINT a", "INSERT INTO t VALUES (4, 'd')",
                                              "RELEASE SAVEPOINT a", "UPDATE t SET v = 'x' WHERE id = 1", "COMMIT"}}));
  shapes.push_back(on_t("NestedSavepoints", {{"BEGIN", "SAVEPOINT a", "INSERT INTO t VALUES (4, 'd')", "SAVEPOINT b",
                                              "UPDATE t SET v = 'x'", "SAVEPOINT c", "DELETE FROM t WHERE id = 4",
                                              "ROLLBACK TO SAVEPOINT c", "RELEASE SAVEPOINT b", "SAVEPOINT d",
                                              "DELETE FROM t", "ROLLBACK TO SAVEPOINT d", "COMMIT"}}));
  Statements many{"BEGIN"};
  for (int i = 0; i < 70; ++i) {
    many.push_back("SAVEPOINT s" + std::to_string(i));
    many.push_back("INSERT INTO t VALUES (" + std::to_string(100 + i) + ", 's')");
    if (i % 3 == 0) many.push_back("ROLLBACK TO SAVEPOINT s" + std::to_string(i));
  }
  many.emplace_back("COMMIT");
  shapes.push_back(on_t("ManySubtransactions", {many}));
  CrashShape several =
      on_t("SeveralTables",
           {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "INSERT INTO u VALUES (4)", "DELETE FROM w", "COMMIT", "BEGIN",
             "DELETE FROM u", "INSERT INTO w VALUES (9)", "COMMIT"}},
           {"CREATE TABLE u (id int PRIMARY KEY)", "CREATE TABLE w (id int)", "INSERT INTO w VALUES (1), (2)"});
  several.observe = {"SELECT * FROM t ORDER BY id", "SELECT * FROM u ORDER BY id", "SELECT * FROM w ORDER BY id"};
  shapes.push_back(std::move(several));
}

void add_prepared(std::vector<CrashShape>& shapes) {
  const Statements begin{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'x' WHERE id = 1",
                         "PREPARE TRANSACTION 'g'"};
  const auto then = [&](const Statements& more) {
    Statements all = begin;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  shapes.push_back(on_t("PrepareCommit", {then({"COMMIT PREPARED 'g'", "INSERT INTO t VALUES (5, 'e')"})}));
  shapes.push_back(on_t("PrepareRollback", {then({"ROLLBACK PREPARED 'g'", "INSERT INTO t VALUES (4, 'e')"})}));
  shapes.push_back(on_t("PrepareCheckpointCommit",
                        {then({"CHECKPOINT", "INSERT INTO t VALUES (5, 'e')", "COMMIT PREPARED 'g'", "CHECKPOINT"})}));
  shapes.push_back(on_t("PrepareCheckpointRollback", {then({"CHECKPOINT", "ROLLBACK PREPARED 'g'", "CHECKPOINT"})}));
  shapes.push_back(on_t("PreparedStays", {then({"CHECKPOINT", "INSERT INTO t VALUES (5, 'e')"})}));
  shapes.push_back(
      on_t("PrepareWithSavepoints",
           {{"BEGIN", "SAVEPOINT a", "INSERT INTO t VALUES (4, 'd')", "SAVEPOINT b", "DELETE FROM t WHERE id = 1",
             "ROLLBACK TO SAVEPOINT b", "PREPARE TRANSACTION 'g'", "COMMIT PREPARED 'g'"}}));
  CrashShape ddl =
      on_t("PrepareTable", {{"BEGIN", "CREATE TABLE made (id int PRIMARY KEY)", "INSERT INTO made VALUES (1)",
                             "PREPARE TRANSACTION 'g'", "CHECKPOINT", "COMMIT PREPARED 'g'"}});
  ddl.observe = {"SELECT * FROM made"};
  ddl.afterwards = {};
  shapes.push_back(std::move(ddl));
  shapes.push_back(
      on_t("TwoPrepared",
           {{"BEGIN", "INSERT INTO t VALUES (4, 'd')", "PREPARE TRANSACTION 'g1'", "COMMIT PREPARED 'g1'"},
            {"BEGIN", "INSERT INTO t VALUES (5, 'e')", "PREPARE TRANSACTION 'g2'", "ROLLBACK PREPARED 'g2'"}}));
}

void add_schema(std::vector<CrashShape>& shapes) {
  const auto schema = [&](std::string name, Statements session, Statements observe, Statements afterwards = {}) {
    CrashShape shape = on_t(std::move(name), {std::move(session)});
    shape.observe = std::move(observe);
    shape.observe.emplace_back("SELECT * FROM t ORDER BY id");
    shape.afterwards = std::move(afterwards);
    shapes.push_back(std::move(shape));
  };
  schema("CreateTable",
         {"CREATE TABLE made (id int PRIMARY KEY, v text DEFAULT 'd')", "INSERT INTO made VALUES (1), (2)"},
         {"SELECT * FROM made ORDER BY id"});
  schema("CreateTableInBlock",
         {"BEGIN", "CREATE TABLE made (id int)", "INSERT INTO made VALUES (1)", "COMMIT", "DELETE FROM made"},
         {"SELECT * FROM made"});
  schema("CreateTableRolledBack",
         {"BEGIN", "CREATE TABLE made (id int PRIMARY KEY)", "INSERT INTO made VALUES (1)", "ROLLBACK",
          "CREATE TABLE made (id text)", "INSERT INTO made VALUES ('x')"},
         {"SELECT * FROM made"});
  schema("DropTable",
         {"BEGIN", "DROP TABLE t", "CREATE TABLE t (id int)", "COMMIT", "INSERT INTO t VALUES (7)", "DROP TABLE t"},
         {});
  schema("DropAfterCheckpoint", {"UPDATE t SET v = 'x'", "CHECKPOINT", "UPDATE t SET v = 'y'", "DROP TABLE t"}, {});
  schema("Truncate",
         {"TRUNCATE t", "INSERT INTO t VALUES (7, 'g')", "BEGIN", "TRUNCATE t", "ROLLBACK",
          "INSERT INTO t VALUES (8, 'h')"},
         {}, touch_t);
  schema("CreateIndex",
         {"CREATE INDEX i ON t (v)", "INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'z' WHERE id = 1"},
         {"SELECT id FROM t WHERE v = 'd'", "SELECT id FROM t WHERE v = 'z'"},
         {"INSERT INTO t VALUES (99, 'q')", "DROP INDEX IF EXISTS i"});
  schema("CreateUniqueIndex",
         {"CREATE UNIQUE INDEX i ON t (v)", "INSERT INTO t VALUES (4, 'a')", "INSERT INTO t VALUES (5, 'e')",
          "DROP INDEX i", "INSERT INTO t VALUES (4, 'a')"},
         {});
  // The checkpoint comes from another session while the table is not committed.
  CrashShape beside = on_t("CreateTableBesideCheckpoint",
                           {{"BEGIN", "CREATE TABLE made (id int PRIMARY KEY)", "INSERT INTO made VALUES (1)",
                             "INSERT INTO made VALUES (2)", "ROLLBACK", "INSERT INTO t VALUES (4, 'd')"},
                            {"INSERT INTO t VALUES (5, 'e')", "CHECKPOINT"}});
  beside.observe.emplace_back("SELECT * FROM made");
  shapes.push_back(std::move(beside));
  schema("Sequences", {"CREATE SEQUENCE made START 5 INCREMENT 5", "DROP SEQUENCE made", "CREATE SEQUENCE made"}, {},
         {"DROP SEQUENCE IF EXISTS made"});
}

void add_sequences(std::vector<CrashShape>& shapes) {
  Statements draws;
  for (int i = 0; i < 40; ++i) draws.emplace_back("SELECT nextval('s')");
  draws.emplace_back("INSERT INTO t VALUES (nextval('s'), 'n')");
  draws.emplace_back("SELECT nextval('s')");
  CrashShape shape = on_t("Nextval", {draws}, {"CREATE SEQUENCE s START 10"});
  shape.check = [](TestNode& node, const Progress& progress) -> std::string {
    // What anybody has seen is never given out again; with the log's lead, at most 32 are lost, and one was under way.
    std::int64_t seen = 9;
    for (const std::string& outcome : progress[0].outcomes) {
      if (outcome.find_first_not_of("0123456789") == std::string::npos)
        seen = std::max<std::int64_t>(seen, std::stoll(outcome));
    }
    const std::int64_t inserted = std::stoll("0" + node.connect().run("SELECT id FROM t WHERE v = 'n'"));
    const std::int64_t next = std::stoll(node.connect().run("SELECT nextval('s')"));
    if (next <= std::max(seen, inserted))
      return "nextval gives " + std::to_string(next) + " after " + std::to_string(std::max(seen, inserted));
    return next > seen + 40 ? "nextval gives " + std::to_string(next) + " after " + std::to_string(seen) : "";
  };
  shapes.push_back(std::move(shape));
  CrashShape set =
      on_t("Setval", {{"SELECT setval('s', 500)", "INSERT INTO t VALUES (nextval('s'), 'n')"}}, {"CREATE SEQUENCE s"});
  set.check = [](TestNode& node, const Progress& progress) -> std::string {
    const std::int64_t next = std::stoll(node.connect().run("SELECT nextval('s')"));
    const std::int64_t least = progress[0].outcomes.size() == 2 ? 502 : 1;
    return next < least ? "nextval gives " + std::to_string(next) : "";
  };
  shapes.push_back(std::move(set));
}

void add_indexes_and_vacuum(std::vector<CrashShape>& shapes) {
  const auto keys = [](int first, int count) {
    std::string statement = "INSERT INTO k VALUES ";
    for (int i = 0; i < count; ++i) {
      statement += std::string(i == 0 ? "" : ", ") + "('" + std::to_string(first + i) + std::string(600, 'k') + "')";
    }
    return statement;
  };
  CrashShape split = on_t("IndexSplit", {{keys(100, 9), keys(200, 12), keys(150, 6)}},
                          {"CREATE TABLE k (id text PRIMARY KEY)", keys(500, 10)});
  split.observe = {"SELECT count(*) FROM k", "SELECT id FROM k ORDER BY id"};
  split.afterwards = {keys(700, 12), "DELETE FROM k"};
  shapes.push_back(std::move(split));
  CrashShape removal = on_t("IndexPagesRemovedByVacuum", {{"DELETE FROM k WHERE id < '4'", "VACUUM k", keys(100, 10)}},
                            {"CREATE TABLE k (id text PRIMARY KEY)", keys(100, 30), keys(300, 20), keys(500, 10)});
  removal.observe = {"SELECT count(*) FROM k", "SELECT id FROM k ORDER BY id"};
  removal.afterwards = {"VACUUM k", keys(700, 12), "DELETE FROM k"};
  shapes.push_back(std::move(removal));
  shapes.push_back(on_t("Vacuum",
                        {{"UPDATE t SET v = v || 'x'", "VACUUM", "INSERT INTO t VALUES (4, 'd')",
                          "DELETE FROM t WHERE id < 3", "VACUUM t"}},
                        {"UPDATE t SET v = v || 'w'", "DELETE FROM t WHERE id = 3", "INSERT INTO t VALUES (3, 'c')"}));
  shapes.push_back(on_t("VacuumFreeze", {{"UPDATE t SET v = 'x' WHERE id = 1", "VACUUM (FREEZE) t",
                                          "UPDATE t SET v = 'y' WHERE id = 2", "VACUUM (FREEZE)", "CHECKPOINT"}}));
  shapes.push_back(
      on_t("CheckpointInTheMiddle", {{"INSERT INTO t VALUES (4, 'd')", "CHECKPOINT", "UPDATE t SET v = 'x'",
                                      "CHECKPOINT", "DELETE FROM t WHERE id = 1"}}));
}

void add_concurrent(std::vector<CrashShape>& shapes) {
  shapes.push_back(on_t(
      "GroupCommit",
      {{"INSERT INTO t VALUES (10, 'x')", "INSERT INTO t VALUES (11, 'x')", "UPDATE t SET v = 'x' WHERE id = 1"},
       {"INSERT INTO t VALUES (20, 'y')", "INSERT INTO t VALUES (21, 'y')", "UPDATE t SET v = 'y' WHERE id = 2"}}));
  shapes.push_back(on_t("ThreeSessions",
                        {{"INSERT INTO t VALUES (10, 'x')", "DELETE FROM t WHERE id = 1"},
                         {"BEGIN", "INSERT INTO t VALUES (20, 'y')", "DELETE FROM t WHERE id = 2", "COMMIT"},
                         {"BEGIN", "INSERT INTO t VALUES (30, 'z')", "ROLLBACK", "INSERT INTO t VALUES (31, 'z')"}}));
  shapes.push_back(
      on_t("CheckpointBesideSessions",
           {{"INSERT INTO t VALUES (10, 'x')", "UPDATE t SET v = 'x' WHERE id = 1", "INSERT INTO t VALUES (11, 'x')"},
            {"CHECKPOINT", "CHECKPOINT"}}));
  shapes.push_back(on_t(
      "VacuumBesideSessions",
      {{"UPDATE t SET v = 'x'", "INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'z'"}, {"VACUUM t", "VACUUM t"}}));
  shapes.push_back(
      on_t("SharedRowLocks", {{"BEGIN", "SELECT id FROM t WHERE id = 1 FOR SHARE", "UPDATE t SET v = 'x' WHERE id = 2",
                               "COMMIT", "INSERT INTO t VALUES (4, 'd')"},
                              {"BEGIN", "SELECT id FROM t WHERE id = 1 FOR SHARE", "UPDATE t SET v = 'y' WHERE id = 3",
                               "COMMIT", "INSERT INTO t VALUES (5, 'e')"}}));
  shapes.push_back(
      on_t("SharedLocksAndPrepared",
           {{"BEGIN", "SELECT id FROM t WHERE id = 1 FOR KEY SHARE", "UPDATE t SET v = 'x' WHERE id = 2",
             "PREPARE TRANSACTION 'g'", "CHECKPOINT", "COMMIT PREPARED 'g'"},
            {"BEGIN", "SELECT id FROM t WHERE id = 1 FOR KEY SHARE", "COMMIT", "UPDATE t SET v = 'y' WHERE id = 3"}}));
  shapes.push_back(
      on_t("SameRow", {{"UPDATE t SET v = v || 'x' WHERE id = 1", "UPDATE t SET v = v || 'x' WHERE id = 2"},
                       {"UPDATE t SET v = v || 'y' WHERE id = 1", "UPDATE t SET v = v || 'y' WHERE id = 2"}}));
  shapes.push_back(on_t("UniqueConflict", {{"INSERT INTO t VALUES (4, 'x')", "INSERT INTO t VALUES (5, 'x')"},
                                           {"INSERT INTO t VALUES (4, 'y')", "INSERT INTO t VALUES (5, 'y')"}}));
  shapes.push_back(on_t(
      "ConcurrentUpserts",
      {{"INSERT INTO t VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET v = t.v || 'x'", "DELETE FROM t WHERE id = 1"},
       {"INSERT INTO t VALUES (4, 'y') ON CONFLICT (id) DO UPDATE SET v = t.v || 'y'", "DELETE FROM t WHERE id = 2"}}));
}

}  // namespace

const std::vector<CrashShape>& crash_shapes() {
  static const std::vector<CrashShape> shapes = [] {
    std::vector<CrashShape> all;
    add_rows(all);
    add_blocks(all);
    add_prepared(all);
    add_schema(all);
    add_sequences(all);
    add_indexes_and_vacuum(all);
    add_concurrent(all);
    return all;
  }();
  return shapes;
}

}  // namespace polarsim::engine::testing
