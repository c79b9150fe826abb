// A node as a whole: setting up, starting again, vacuum, identifiers that wrap.
#include "engine/node/database.h"

#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

TEST(Database, SetUpThatACrashCutOffBeginsAnew) {
  // The instants of every disk operation of the first boot.
  TestNode dry(1, {}, sim::SchedulingPolicy::fifo, true);
  dry.run([](TestNode&) {});
  std::set<std::int64_t> times;
  for (const sim::TraceEvent& event : dry.simulation().trace().events()) {
    if (event.kind == sim::TraceKind::io) times.insert(sim::nanoseconds(event.time));
  }
  ASSERT_GT(times.size(), 10U);
  for (const std::int64_t time : times) {
    TestNode node;
    node.simulation().scheduler().call_at(sim::time_zero + sim::Duration(time), [&node] { node.host().crash(); });
    node.run([](TestNode&) {});
    node.run([](TestNode& running) {
      EXPECT_EQ(running.connect().run("CREATE TABLE t (id int); INSERT INTO t VALUES (1); SELECT * FROM t"), "1");
    });
    EXPECT_TRUE(node.finished()) << "crash at " << time;
  }
}

TEST(Database, RecoveryBeginsAtTheLastCheckpoint) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
    for (int i = 0; i < 200; ++i) session.run("INSERT INTO t VALUES (" + std::to_string(i) + ", 0)");
    session.run("CHECKPOINT; UPDATE t SET v = 1 WHERE id < 10; BEGIN; UPDATE t SET v = 2");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    EXPECT_EQ(running.connect().run("SELECT v, count(*) FROM t GROUP BY v ORDER BY v"), "0|190;1|10");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Database, VacuumGivesSpaceBack) {
  TestNode node;
  node.config().autovacuum = false;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    Database& database = running.instance().database();
    const std::string filler(300, 'x');
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text, n int); CREATE INDEX by_n ON t (n)");
    for (int i = 0; i < 50; ++i) session.run("INSERT INTO t VALUES (" + std::to_string(i) + ", '" + filler + "', 0)");
    const storage::RelationId file = database.catalog().find_table(nullptr, "public", "t")->heap.relation;
    const auto update_all = [&] {
      for (int round = 0; round < 4; ++round) session.run("UPDATE t SET n = n + 1");
    };
    update_all();
    session.run("VACUUM t");
    const storage::BlockNumber blocks = database.files().block_count(file);
    for (int round = 0; round < 5; ++round) {
      update_all();
      session.run("VACUUM");
    }
    EXPECT_LE(database.files().block_count(file), blocks + 2);
    EXPECT_EQ(session.run("SELECT count(*), min(n), max(n) FROM t"), "50|24|24");
    EXPECT_EQ(session.run("SELECT count(*) FROM t WHERE n = 24"), "50");
    EXPECT_EQ(session.run("SELECT n FROM t WHERE id = 7"), "24");
    EXPECT_EQ(session.outcome("VACUUM nothing"), "42P01 relation \"nothing\" does not exist");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Database, AutovacuumRunsWhenThereIsSomethingToDoAndThenRests) {
  TestNode node;
  node.config().autovacuum_naptime = sim::Duration(5'000'000'000);
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    for (int i = 0; i < 40; ++i) session.run("UPDATE t SET n = n + 1");
    running.sleep_ms(20'000);
    EXPECT_EQ(running.reached("vacuum/automatic"), 0U);
    for (int i = 0; i < 40; ++i) session.run("UPDATE t SET n = n + 1");
    running.sleep_ms(20'000);
    EXPECT_EQ(running.reached("vacuum/automatic"), 1U);
    running.sleep_ms(60'000);
    EXPECT_EQ(running.reached("vacuum/automatic"), 1U);
    EXPECT_EQ(session.run("SELECT n FROM t WHERE id = 1"), "80");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Database, VacuumCutsTheTableShorterUnlessSomebodyUsesIt) {
  TestNode node;
  node.config().autovacuum = false;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    TestSession reader = running.connect();
    Database& database = running.instance().database();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text); BEGIN");
    for (int i = 0; i < 100; ++i)
      session.run("INSERT INTO t VALUES (" + std::to_string(i) + ", '" + std::string(1000, 'x') + "')");
    session.run("COMMIT; DELETE FROM t WHERE id > 5");
    const storage::RelationId file = database.catalog().find_table(nullptr, "public", "t")->heap.relation;
    const storage::BlockNumber blocks = database.files().block_count(file);
    reader.run("BEGIN; SELECT count(*) FROM t");
    session.run("VACUUM t");
    EXPECT_EQ(database.files().block_count(file), blocks);
    reader.run("COMMIT");
    session.run("VACUUM t");
    EXPECT_EQ(database.files().block_count(file), 1U);
    EXPECT_EQ(session.run("SELECT count(*), max(id) FROM t"), "6|5");
    session.run("DELETE FROM t; VACUUM t");
    EXPECT_EQ(database.files().block_count(file), 0U);
    session.run("INSERT INTO t VALUES (7, 'again')");
    EXPECT_EQ(session.run("SELECT id, v FROM t"), "7|again");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Database, AutovacuumCountsWhatWasRolledBack) {
  for (const std::string undone : {"BEGIN; FILL; ROLLBACK", "BEGIN; SAVEPOINT s; FILL; ROLLBACK TO s; COMMIT",
                                   "BEGIN; SAVEPOINT s; FILL; RELEASE s; ROLLBACK"}) {
    TestNode node;
    node.config().autovacuum_naptime = sim::Duration(1'000'000'000);
    node.run([&](TestNode& running) {
      TestSession session = running.connect();
      session.run("CREATE TABLE t (id int)");
      std::string fill = "INSERT INTO t VALUES (0)";
      for (int i = 1; i < 60; ++i) fill += ", (" + std::to_string(i) + ")";
      std::string statements = undone;
      session.run(statements.replace(statements.find("FILL"), 4, fill));
      running.sleep_ms(3'000);
      EXPECT_EQ(running.reached("vacuum/automatic"), 1U) << undone;
    });
    EXPECT_TRUE(node.finished());
  }
}

// Rows that stay are no reason to vacuum, and neither is what a released savepoint did and was committed.
TEST(Database, AutovacuumDoesNotCountWhatStays) {
  TestNode node;
  node.config().autovacuum_naptime = sim::Duration(1'000'000'000);
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int); BEGIN; SAVEPOINT s");
    for (int i = 0; i < 60; ++i) session.run("INSERT INTO t VALUES (1)");
    session.run("RELEASE s; SAVEPOINT s; ROLLBACK TO s; COMMIT");
    running.sleep_ms(3'000);
    EXPECT_EQ(running.reached("vacuum/automatic"), 0U);
  });
  EXPECT_TRUE(node.finished());
}

TEST(Database, AutovacuumGivesWayToWhoWaitsForTheTable) {
  TestNode node;
  node.config().autovacuum_naptime = sim::Duration(1'000'000'000);
  node.config().shared_buffers = storage::buffers_min;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int, v text); BEGIN");
    for (int i = 0; i < 100; ++i)
      session.run("INSERT INTO t VALUES (" + std::to_string(i) + ", '" + std::string(1500, 'x') + "')");
    session.run("COMMIT; UPDATE t SET id = id + 1000");
    sim::DiskParameters slow = running.host().disk().parameters();
    // A page takes long enough for the vacuum to be met in the middle.
    slow.slowdown = 10'000;
    running.host().disk().set_parameters(slow);
    running.sleep_ms(1'500);
    const sim::Time before = running.host().scheduler().now();
    session.run("SET deadlock_timeout = '1s'; BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    EXPECT_EQ(running.reached("lock/autovacuum-gave-way"), 1U);
    EXPECT_LT(running.host().scheduler().now() - before, sim::Duration(10'000'000'000));
    slow.slowdown = 1;
    running.host().disk().set_parameters(slow);
    session.run("COMMIT");
    running.sleep_ms(5'000);
    EXPECT_GE(running.reached("vacuum/automatic"), 2U) << "it comes back";
  });
  EXPECT_TRUE(node.finished());
}

// The rows of a table that is not committed yet may name multixacts, and vacuum does not see them: what they say must
// not be forgotten, or the replaced version comes back.
TEST(Database, VacuumKeepsTheMultixactsOfATableThatItDoesNotSee) {
  with_session([](TestNode& node, TestSession& session) {
    session.run("BEGIN; CREATE TABLE u (id int PRIMARY KEY, v int); INSERT INTO u VALUES (1, 10)");
    session.run("SELECT * FROM u FOR KEY SHARE; SAVEPOINT s; UPDATE u SET v = 11");
    node.connect().run("VACUUM; CHECKPOINT");
    EXPECT_EQ(session.run("SELECT * FROM u"), "1|11");
    session.run("COMMIT");
    EXPECT_EQ(session.run("SELECT * FROM u"), "1|11");
    node.connect().run("VACUUM; CHECKPOINT");
    EXPECT_EQ(session.run("SELECT * FROM u"), "1|11");
  });
}

std::size_t row_versions(Database& database, const char* table) {
  const storage::RelationId file = database.catalog().find_table(nullptr, "public", table)->heap.relation;
  const storage::PageRef ref = database.pool().pin({file, storage::Fork::main, 0});
  std::size_t used = 0;
  for (std::uint16_t item = 1; item <= ref.page().item_count(); ++item) used += ref.page().item_used(item) ? 1 : 0;
  return used;
}

TEST(Database, ADamagedTableKeepsNoOtherFromBeingVacuumed) {
  NodeConfig config;
  config.shared_buffers = storage::buffers_min;
  config.autovacuum_naptime = sim::Duration(5'000'000'000);
  with_node(
      [](TestNode& node) {
        TestSession session = node.connect();
        Database& database = node.instance().database();
        for (int i = 0; i < 80; ++i) session.run("UPDATE first SET n = n + 1; UPDATE second SET n = n + 1");
        session.run("CHECKPOINT");
        for (int i = 0; i < 100; ++i)
          session.run("INSERT INTO other VALUES (" + std::to_string(i) + ", '" + std::string(1500, 'x') + "')");
        session.run("SELECT count(*) FROM other");
        const storage::RelationId file = database.catalog().find_table(nullptr, "public", "first")->heap.relation;
        ASSERT_FALSE(database.pool().pin_if_resident({file, storage::Fork::main, 0}));
        node.host().disk().damage(storage::data_file_path(file, storage::Fork::main), 5000, 1);
        node.host().disk().drop_caches();
        EXPECT_EQ(session.outcome("SELECT * FROM first").substr(0, 5), "XX001");
        EXPECT_EQ(row_versions(database, "second"), 81U);
        node.sleep_ms(20'000);
        EXPECT_EQ(node.reached("vacuum/automatic"), 1U);
        EXPECT_EQ(row_versions(database, "second"), 1U);
      },
      "CREATE TABLE first (id int PRIMARY KEY, n int); INSERT INTO first VALUES (1, 0);"
      "CREATE TABLE second (id int PRIMARY KEY, n int); INSERT INTO second VALUES (1, 0);"
      "CREATE TABLE other (id int PRIMARY KEY, v text)",
      config);
}

// Nor those of one that is prepared, which after a restart nobody knows the members of.
TEST(Database, VacuumKeepsTheMultixactsOfAPreparedTable) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession creator = running.connect();
    TestSession other = running.connect();
    creator.run("BEGIN; CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); SAVEPOINT a");
    creator.run("SELECT * FROM t FOR UPDATE; SAVEPOINT b; UPDATE t SET v = 2");
    const std::uint32_t made = running.instance().database().transactions().multixacts().next();
    ASSERT_GT(made, 1U) << "the first version is locked by one subtransaction and was replaced by another";
    other.run("VACUUM FREEZE");
    EXPECT_EQ(creator.run("SELECT * FROM t"), "1|2");
    creator.run("PREPARE TRANSACTION 'g'");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("VACUUM FREEZE; COMMIT PREPARED 'g'");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|2");
    session.run("VACUUM FREEZE");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|2");
  });
  EXPECT_TRUE(node.finished());
}

// Identifiers wrap around after 2^32: rows of before stay what they were, also over a crash.
TEST(Database, TransactionIdentifiersWrap) {
  TestNode node;
  node.config().initial_xid = 0xFFFFFFFF - 60;
  node.config().vacuum_freeze_min_age = 10;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)");
    for (int i = 0; i < 30; ++i) session.run("UPDATE t SET v = v + 1");
    session.run("BEGIN; INSERT INTO t VALUES (2, 5); PREPARE TRANSACTION 'old'");
    for (int i = 0; i < 30; ++i) session.run("UPDATE t SET v = v + 1 WHERE id = 1");
    session.run("VACUUM; INSERT INTO t VALUES (3, 9)");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY id"), "1|60;3|9");
    session.run("COMMIT PREPARED 'old'");
    for (int i = 0; i < 30; ++i) session.run("UPDATE t SET v = v + 1");
    session.run("VACUUM; CREATE TABLE young (id int)");
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY id"), "1|90;2|35;3|39");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY id"), "1|90;2|35;3|39");
    EXPECT_EQ(session.run("SELECT id FROM young"), "");
    const storage::FullXid next = running.instance().database().transactions().next_xid();
    EXPECT_EQ(next >> 32, 1U);
  });
  EXPECT_TRUE(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
