// How statements find their rows, and which state of the table they see.
#include <gtest/gtest.h>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

std::uint64_t pages_looked_at(TestNode& node, TestSession& session, const std::string& statement) {
  const auto& statistics = node.instance().database().pool().statistics();
  const std::uint64_t before = statistics.hits + statistics.misses;
  session.run(statement);
  return statistics.hits + statistics.misses - before;
}

void with_thousand_rows(const std::function<void(TestNode&, TestSession&)>& body) {
  TestNode node;
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (a int, b int, v text, PRIMARY KEY (a, b)); CREATE INDEX by_v ON t (v); BEGIN");
    const std::string filler(200, 'x');
    for (int i = 0; i < 1000; ++i) {
      const std::string n = std::to_string(i);
      session.run("INSERT INTO t VALUES (" + n + " / 10, " + n + " % 10, '" + filler + n + "')");
    }
    session.run("COMMIT");
    body(running, session);
  });
  EXPECT_TRUE(node.finished());
}

TEST(TableAccess, IndexesTellWhereTheRowsAre) {
  with_thousand_rows([](TestNode& node, TestSession& s) {
    EXPECT_GT(pages_looked_at(node, s, "SELECT * FROM t"), 30U);
    EXPECT_LT(pages_looked_at(node, s, "SELECT * FROM t WHERE a = 7 AND b = 3"), 8U);
    EXPECT_LT(pages_looked_at(node, s, "SELECT * FROM t WHERE v = '" + std::string(200, 'x') + "55'"), 8U);
    EXPECT_LT(pages_looked_at(node, s, "UPDATE t SET b = b + 100 WHERE a = 7 AND b = 3"), 20U);
    EXPECT_EQ(s.run("SELECT b FROM t WHERE a = 7"), "0;1;2;4;5;6;7;8;9;103") << "in order of the key";
    EXPECT_EQ(s.run("SELECT a, b FROM t WHERE v = '" + std::string(200, 'x') + "73'"), "7|103");
    EXPECT_EQ(s.run("SELECT count(*) FROM t WHERE a = 7 AND v = 'nothing'"), "0");
    EXPECT_EQ(s.run("SELECT count(*) FROM t WHERE a = NULL"), "0");
    EXPECT_EQ(s.run("DELETE FROM t WHERE a = 7"), "DELETE 10");
    EXPECT_EQ(s.run("SELECT count(*) FROM t WHERE a = 7"), "0");
  });
}

// Entries that lead to dead versions go when the next version comes, but none that an old snapshot may need.
TEST(TableAccess, RowThatIsChangedOftenIsFoundAtOnce) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    TestSession old = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    for (int i = 0; i < 200; ++i) session.run("UPDATE t SET n = n + 1 WHERE id = 1");
    EXPECT_LT(pages_looked_at(running, session, "SELECT n FROM t WHERE id = 1"), 20U);
    old.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(old.run("SELECT n FROM t WHERE id = 1"), "200");
    for (int i = 0; i < 200; ++i) session.run("UPDATE t SET n = n + 1 WHERE id = 1");
    EXPECT_EQ(old.run("SELECT n FROM t WHERE id = 1"), "200");
    EXPECT_EQ(session.run("SELECT n FROM t WHERE id = 1"), "400");
    old.run("COMMIT");
    session.run("UPDATE t SET n = n + 1 WHERE id = 1");
    EXPECT_LT(pages_looked_at(running, session, "SELECT n FROM t WHERE id = 1"), 20U);
    Database& database = running.instance().database();
    const catalog::TablePtr table = database.catalog().find_table(nullptr, "public", "t");
    EXPECT_EQ(database.tree(table->indexes.at(0)).check(), std::nullopt);
    running.host().crash();
  });
  node.run([](TestNode& running) {
    EXPECT_EQ(running.connect().run("SELECT n FROM t WHERE id = 1"), "401");
    running.connect().run("VACUUM");
    EXPECT_EQ(running.connect().run("SELECT n FROM t WHERE id = 1"), "401");
  });
  EXPECT_TRUE(node.finished());
}

TEST(TableAccess, LimitEndsTheScan) {
  with_thousand_rows([](TestNode& node, TestSession& s) {
    const std::uint64_t all = pages_looked_at(node, s, "SELECT * FROM t");
    EXPECT_LT(pages_looked_at(node, s, "SELECT * FROM t LIMIT 1"), all / 2);
    EXPECT_LT(pages_looked_at(node, s, "SELECT * FROM t LIMIT 1 FOR UPDATE"), all / 2);
  });
}

// Read committed: what a statement had to wait for, it sees. With the planted bug its snapshot is older than the wait.
std::string seen_after_waiting_for_the_table(std::optional<PlantedBug> bug, const std::string& begin) {
  NodeConfig config;
  if (bug) config.planted.turn_on(*bug);
  TestNode node(1, config);
  std::string seen;
  node.run([&](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int); BEGIN; LOCK TABLE t; INSERT INTO t VALUES (1)");
    b.run(begin);
    auto reader = b.start("SELECT count(*) FROM t");
    EXPECT_FALSE(reader.done());
    a.run("COMMIT");
    seen = reader.outcome();
  });
  return seen;
}

TEST(TableAccess, SnapshotIsTakenAfterTheTableLock) {
  EXPECT_EQ(seen_after_waiting_for_the_table(std::nullopt, "BEGIN"), "1");
  EXPECT_EQ(seen_after_waiting_for_the_table(std::nullopt, "BEGIN ISOLATION LEVEL REPEATABLE READ"), "0")
      << "as in PostgreSQL, the first statement takes the snapshot before it waits";
  EXPECT_EQ(seen_after_waiting_for_the_table(PlantedBug::snapshot_before_lock_wait, "BEGIN"), "0");
}

// An UPDATE waits for a row that then no longer satisfies its WHERE.
std::string updated_after_wait(std::optional<PlantedBug> bug) {
  NodeConfig config;
  if (bug) config.planted.turn_on(*bug);
  TestNode node(1, config);
  std::string result;
  node.run([&](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10); BEGIN; UPDATE t SET v = 20");
    auto update = b.start("UPDATE t SET v = v + 1 WHERE v = 10");
    a.run("COMMIT");
    result = update.outcome();
    result += ", " + a.run("SELECT v FROM t");
  });
  return result;
}

TEST(TableAccess, WhereIsAskedAgainAfterTheWait) {
  EXPECT_EQ(updated_after_wait(std::nullopt), "UPDATE 0, 20");
  EXPECT_EQ(updated_after_wait(PlantedBug::recheck_set_but_not_where), "UPDATE 1, 21");
  EXPECT_EQ(updated_after_wait(PlantedBug::recheck_skipped), "UPDATE 1, 11");
}

TEST(TableAccess, LocksShowInPgLocks) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY); BEGIN; INSERT INTO t VALUES (1)");
    b.run("BEGIN");
    auto waiting = b.start("LOCK TABLE t IN SHARE MODE");
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ(a.run("SELECT mode, granted FROM pg_locks WHERE locktype = 'relation' ORDER BY mode"),
              "RowExclusiveLock|t;ShareLock|f");
    EXPECT_EQ(a.run("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND granted"), "1");
    a.run("COMMIT");
    EXPECT_EQ(waiting.outcome(), "LOCK TABLE");
    b.run("COMMIT");
    EXPECT_EQ(a.run("SELECT count(*) FROM pg_locks WHERE locktype = 'relation'"), "0");
  });
  EXPECT_TRUE(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
