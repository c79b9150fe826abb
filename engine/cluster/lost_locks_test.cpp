// A row lock dies with its node, and a transaction that has lost one does not commit.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

// Accounts 1 and 3 live on dn1 and dn2, see create_accounts(). Runs the statements in a block, restarts dn1, and says
// how COMMIT ended.
struct Case {
  const char* name;
  std::vector<std::string> statements;
  const char* expected;  // SQLSTATE, or the tag
};

std::string outcome_after_restart(TestCluster& world, const std::vector<std::string>& statements) {
  auto client = world.connect();
  TestCluster::ok(client, "BEGIN");
  for (const std::string& statement : statements) TestCluster::ok(client, statement);
  sim::Host& node = world.simulation().host("dn1");
  node.crash();
  world.sleep(milliseconds(2));
  node.boot();
  world.sleep(in_seconds(1));
  const auto result = client.query("COMMIT");
  EXPECT_EQ(client.status(), TransactionStatus::idle);
  return result ? result->tag : result.error().sqlstate;
}

TEST(LostLocks, AreMetBeforeTheDecision) {
  const std::string lock_1 = "SELECT balance FROM account WHERE id = 1 FOR UPDATE";
  const std::string share_1 = "SELECT balance FROM account WHERE id = 1 FOR SHARE";
  const std::string lock_3 = "SELECT balance FROM account WHERE id = 3 FOR UPDATE";
  const std::string update_3 = "UPDATE account SET balance = 0 WHERE id = 3";
  const std::string update_local = "INSERT INTO here VALUES (1)";
  const std::vector<Case> cases{
      {"only locks", {lock_1, lock_3}, "40000"},
      {"weaker locks", {share_1, lock_3}, "40000"},
      {"one node decides", {lock_1, update_3}, "40000"},
      {"the coordinator decides", {lock_1, update_local}, "40000"},
      {"two-phase commit", {lock_1, update_3, update_local}, "40000"},
      {"a plain read has nothing to lose", {"SELECT balance FROM account WHERE id = 1", update_3}, "COMMIT"},
      {"the lock is elsewhere", {lock_3, "SELECT balance FROM account WHERE id = 1"}, "COMMIT"},
  };
  for (const Case& c : cases) {
    TestCluster world;
    ASSERT_TRUE(world.run([&] {
      auto client = world.connect();
      world.create_accounts(client, 4);
      TestCluster::ok(client, "CREATE TABLE here (id integer PRIMARY KEY)");
      EXPECT_EQ(outcome_after_restart(world, c.statements), c.expected) << c.name;
      world.sleep(in_seconds(15));
      client = world.connect();  // the coordinator's old connections to dn1 have died with it
      const bool aborted = std::string(c.expected) == "40000";
      if (aborted) {
        EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "400") << c.name;
        EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM here"), "0") << c.name;
        EXPECT_GE(world.probe("commit/locks-lost"), 1U) << c.name;
      }
      EXPECT_FALSE(world.cluster().has_open_distributed_transactions()) << c.name;
      EXPECT_EQ(TestCluster::ok(client, "UPDATE account SET balance = 1").tag, "UPDATE 4") << c.name;
    }));
  }
}

TEST(LostLocks, AreMetWhenTheNodeRestartsWhileOthersPrepare) {
  TestCluster world(small_cluster(1, 3));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE account (id integer PRIMARY KEY, balance bigint)");
    TestCluster::ok(client, "SELECT create_distributed_table('account', 'id')");
    for (int id = 1; id <= 20; ++id)
      TestCluster::ok(client, "INSERT INTO account VALUES (" + std::to_string(id) + ", 100)");
    TestCluster::ok(client, "CREATE TABLE here (id integer PRIMARY KEY)");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT balance FROM account WHERE id = 1 FOR UPDATE");
    TestCluster::ok(client, "INSERT INTO here VALUES (1)");
    TestCluster::ok(client, "UPDATE account SET balance = 0 WHERE id = 3");
    world.simulation().fault_points().arm("2pc/after-prepare", "cn1", 1,
                                          sim::FaultAction{sim::FaultAction::Kind::delay, milliseconds(500), {}});
    world.client_host().spawn("crash", [&] {
      world.sleep(milliseconds(200));
      world.simulation().host("dn1").crash();
      world.sleep(milliseconds(2));
      world.simulation().host("dn1").boot();
    });
    EXPECT_EQ(TestCluster::fails(client, "COMMIT").sqlstate, "40000");
    EXPECT_EQ(world.probe("2pc/aborted-after-prepare"), 1U);
    world.sleep(in_seconds(10));
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "2000");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM here"), "0");
  }));
}

TEST(LocalBlock, SettingsOutliveACommitThatAnotherNodeDecided) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET lock_timeout = '1s'");
    TestCluster::ok(client, "UPDATE account SET balance = 0 WHERE id = 1");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(client, "SHOW lock_timeout"), "1s");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET lock_timeout = '2s'");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(TestCluster::rows(client, "SHOW lock_timeout"), "1s");
  }));
}

}  // namespace
}  // namespace polarsim::engine
