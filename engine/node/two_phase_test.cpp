// R10 and D8: prepared transactions.
#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

void with_two_rows(const std::function<void(TestNode&)>& body, const NodeConfig& config = {}) {
  with_node(body, "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20)", config);
}

TEST(TwoPhase, PreparedTransactionIsInvisibleAndKeepsItsLocks) {
  with_two_rows([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    TestSession c = node.connect();
    a.run("BEGIN; UPDATE t SET v = 11 WHERE id = 1; INSERT INTO t VALUES (3, 30)");
    EXPECT_EQ(a.run("PREPARE TRANSACTION 'one'"), "PREPARE TRANSACTION");
    EXPECT_EQ(a.session().status(), TransactionStatus::idle);
    EXPECT_EQ(node.instance().prepared_gids(), std::vector<std::string>{"one"});
    EXPECT_EQ(a.run("SELECT gid, owner, database FROM pg_prepared_xacts"), "one|polar|postgres");
    EXPECT_EQ(a.run("SELECT v FROM t ORDER BY id"), "10;20") << "readers see the old versions without waiting";
    auto writer = b.start("UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v");
    auto inserter = c.start("INSERT INTO t VALUES (3, 31)");
    node.sleep_ms(5000);
    EXPECT_FALSE(writer.done());
    EXPECT_FALSE(inserter.done());
    EXPECT_EQ(a.run("COMMIT PREPARED 'one'"), "COMMIT PREPARED");
    EXPECT_EQ(writer.outcome(), "12");
    EXPECT_EQ(inserter.outcome().substr(0, 5), "23505");
    EXPECT_TRUE(node.instance().prepared_gids().empty());
    EXPECT_EQ(a.outcome("COMMIT PREPARED 'one'"), "42704 prepared transaction with identifier \"one\" does not exist");
  });
}

TEST(TwoPhase, RollbackPreparedTakesEverythingBack) {
  with_two_rows([](TestNode& node) {
    TestSession a = node.connect();
    a.run(
        "BEGIN; DELETE FROM t WHERE id = 1; CREATE TABLE u (id int); INSERT INTO u VALUES (1); PREPARE TRANSACTION "
        "'x'");
    TestSession b = node.connect();
    auto waiting = b.start("INSERT INTO t VALUES (1, 99)");
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ(node.connect().run("ROLLBACK PREPARED 'x'"), "ROLLBACK PREPARED");
    EXPECT_EQ(waiting.outcome().substr(0, 5), "23505");
    EXPECT_EQ(a.run("SELECT v FROM t ORDER BY id"), "10;20");
    EXPECT_EQ(a.outcome("SELECT * FROM u").substr(0, 5), "42P01");
    EXPECT_EQ(a.outcome("ROLLBACK PREPARED 'x'").substr(0, 5), "42704");
  });
}

TEST(TwoPhase, IdentifiersAreUnique) {
  with_two_rows([](TestNode& node) {
    TestSession a = node.connect();
    a.run("BEGIN; UPDATE t SET v = 1 WHERE id = 1; PREPARE TRANSACTION 'same'");
    a.run("BEGIN; UPDATE t SET v = 1 WHERE id = 2");
    EXPECT_EQ(a.outcome("PREPARE TRANSACTION 'same'"), "42710 transaction identifier \"same\" is already in use");
    EXPECT_EQ(a.session().status(), TransactionStatus::idle);
    EXPECT_EQ(a.run("SELECT v FROM t WHERE id = 2"), "20") << "the second one was rolled back";
    EXPECT_EQ(a.outcome("COMMIT PREPARED 'other'").substr(0, 5), "42704");
    a.run("BEGIN");
    EXPECT_EQ(a.outcome("COMMIT PREPARED 'same'"), "25001 COMMIT PREPARED cannot run inside a transaction block");
    EXPECT_EQ(a.run("COMMIT"), "ROLLBACK");
    EXPECT_EQ(a.run("COMMIT PREPARED 'same'"), "COMMIT PREPARED");
    EXPECT_EQ(a.run("BEGIN; UPDATE t SET v = 2 WHERE id = 1; PREPARE TRANSACTION 'same'"), "PREPARE TRANSACTION")
        << "free again";
  });
}

TEST(TwoPhase, FailedTransactionIsNotPrepared) {
  with_two_rows([](TestNode& node) {
    TestSession a = node.connect();
    a.run("BEGIN; UPDATE t SET v = 1 WHERE id = 1");
    EXPECT_EQ(a.outcome("SELECT 1/0").substr(0, 5), "22012");
    EXPECT_EQ(a.run("PREPARE TRANSACTION 'x'"), "ROLLBACK");
    EXPECT_TRUE(node.instance().prepared_gids().empty());
  });
}

// D8: the deadlock detector cannot see beyond a prepared transaction; only timeouts end such a wait.
TEST(TwoPhase, WaitForPreparedTransactionEndsByTimeoutOnly) {
  with_two_rows([](TestNode& node) {
    TestSession a = node.connect();
    a.run("BEGIN; UPDATE t SET v = 1 WHERE id = 1; PREPARE TRANSACTION 'x'");
    a.run("SET lock_timeout = '3s'");
    const std::int64_t start = node.now_ms();
    EXPECT_EQ(a.outcome("UPDATE t SET v = 2 WHERE id = 1").substr(0, 5), "55P03");
    EXPECT_EQ(node.now_ms() - start, 3000);
    EXPECT_EQ(node.reached("deadlock/detected"), 0U);
  });
}

TEST(TwoPhase, SurvivesCrashesWithLocksAndIdentity) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20)");
    a.run(
        "BEGIN; UPDATE t SET v = 11 WHERE id = 1; SELECT id FROM t WHERE id = 2 FOR SHARE; PREPARE TRANSACTION 'kept'");
    a.run(
        "BEGIN; CREATE TABLE made (id int PRIMARY KEY, v text DEFAULT 'it''s' || '!'); INSERT INTO made VALUES (1); "
        "PREPARE TRANSACTION 'ddl'");
    a.run("BEGIN; INSERT INTO t VALUES (77, 77)");
    running.host().crash();
  });
  for (int boot = 0; boot < 3; ++boot) {
    node.run([](TestNode& running) {
      EXPECT_EQ(running.instance().prepared_gids(), (std::vector<std::string>{"ddl", "kept"}));
      TestSession b = running.connect();
      b.run("SET lock_timeout = 100");
      EXPECT_EQ(b.run("SELECT v FROM t ORDER BY id"), "10;20");
      EXPECT_EQ(b.outcome("UPDATE t SET v = 0 WHERE id = 1").substr(0, 5), "55P03");
      EXPECT_EQ(b.outcome("UPDATE t SET v = 0 WHERE id = 2").substr(0, 5), "55P03");
      EXPECT_EQ(b.run("SELECT v FROM t WHERE id = 2 FOR SHARE"), "20");
      EXPECT_EQ(b.outcome("DROP TABLE t").substr(0, 5), "55P03");
      EXPECT_EQ(b.outcome("CREATE TABLE made (id int)").substr(0, 5), "55P03");
      running.host().crash();
    });
  }
  node.run([](TestNode& running) {
    TestSession b = running.connect();
    b.run("COMMIT PREPARED 'kept'; COMMIT PREPARED 'ddl'");
    EXPECT_EQ(b.run("SELECT v FROM t ORDER BY id"), "11;20");
    EXPECT_EQ(b.run("UPDATE t SET v = v + 1"), "UPDATE 2");
    EXPECT_EQ(b.run("SELECT * FROM made"), "1|it's!");
    EXPECT_EQ(b.run("INSERT INTO made VALUES (2) RETURNING v"), "it's!");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    EXPECT_EQ(running.connect().run("SELECT v FROM t ORDER BY id"), "12;21");
    EXPECT_TRUE(running.instance().prepared_gids().empty());
  });
  EXPECT_TRUE(node.finished());
  EXPECT_GE(node.reached("recovery/prepared-restored"), 2U);
}

}  // namespace
}  // namespace polarsim::engine::testing
