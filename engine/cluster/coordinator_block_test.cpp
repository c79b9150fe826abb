// Blocks on a coordinator: savepoints over several nodes, transaction modes, cancellation, and what is refused.
#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

// Accounts 1 to 4 lie on both data nodes.
void with_accounts(const std::function<void(TestCluster&, Client&, Client&)>& body) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client client = world.connect();
    Client other = world.connect();
    world.create_accounts(client, 4);
    body(world, client, other);
  }));
}

std::string balances(Client& client) {
  return TestCluster::rows(client, "SELECT id, balance FROM account ORDER BY id");
}

TEST(CoordinatorBlocks, SavepointsHoldOnAllNodes) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    EXPECT_EQ(TestCluster::ok(client, "SAVEPOINT a").tag, "SAVEPOINT");
    TestCluster::ok(client, "UPDATE account SET balance = balance + 1000");  // the other nodes join after the savepoint
    TestCluster::ok(client, "SAVEPOINT b");
    TestCluster::ok(client, "DELETE FROM account");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO b").tag, "ROLLBACK");
    EXPECT_EQ(balances(client), "1|1001;2|1100;3|1100;4|1100");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO a").tag, "ROLLBACK");
    EXPECT_EQ(balances(client), "1|1;2|100;3|100;4|100");
    EXPECT_EQ(TestCluster::fails(client, "ROLLBACK TO b").sqlstate, "3B001");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO a").tag, "ROLLBACK");
    TestCluster::ok(client, "UPDATE account SET balance = 7 WHERE id IN (2, 3, 4)");
    EXPECT_EQ(TestCluster::ok(client, "RELEASE a").tag, "RELEASE");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(balances(other), "1|1;2|7;3|7;4|7");
  });
}

TEST(CoordinatorBlocks, AnErrorEndsOnlyWhatCameAfterTheSavepoint) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id <> 1");
    EXPECT_EQ(TestCluster::fails(client, "INSERT INTO account VALUES (2, 0)").sqlstate, "23505");
    EXPECT_EQ(client.status(), TransactionStatus::failed);
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P02");
    EXPECT_EQ(TestCluster::fails(client, "SAVEPOINT c").sqlstate, "25P02");
    TestCluster::ok(other, "UPDATE account SET balance = 50 WHERE id = 2");  // the lock went with the error
    TestCluster::ok(client, "ROLLBACK TO a");
    EXPECT_EQ(client.status(), TransactionStatus::in_transaction);
    TestCluster::ok(client, "UPDATE account SET balance = balance + 1 WHERE id = 2");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(balances(other), "1|1;2|51;3|100;4|100");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    TestCluster::fails(client, "SELECT 1 / 0");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "ROLLBACK");
    EXPECT_EQ(balances(other), "1|1;2|51;3|100;4|100");
    EXPECT_EQ(TestCluster::fails(client, "SAVEPOINT a").sqlstate, "25P01");
  });
}

TEST(CoordinatorBlocks, ALostNodeTakesTheSavepointsWithIt) {
  with_accounts([](TestCluster& world, Client& client, Client&) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1");
    TestCluster::ok(client, "SAVEPOINT a");
    world.simulation().host("dn1").crash_and_restart(milliseconds(100));
    world.sleep(in_seconds(1));
    EXPECT_FALSE(client.query("UPDATE account SET balance = 2").has_value());
    EXPECT_EQ(TestCluster::fails(client, "ROLLBACK TO a").sqlstate, "3B001");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK").tag, "ROLLBACK");
    EXPECT_GE(world.probe("savepoint/lost"), 1U);
    EXPECT_EQ(balances(client), "1|100;2|100;3|100;4|100");
  });
}

TEST(CoordinatorBlocks, ModesReachTheNodes) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "100");
    TestCluster::ok(other, "UPDATE account SET balance = 5 WHERE id = 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "100");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "40001");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET TRANSACTION READ ONLY");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "25006");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT * FROM account");
    EXPECT_EQ(TestCluster::fails(client, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").sqlstate, "25001");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "SET default_transaction_read_only = on");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "25006");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "5");
    TestCluster::ok(client, "BEGIN READ WRITE");
    EXPECT_EQ(TestCluster::ok(client, "UPDATE account SET balance = 6 WHERE id = 1").tag, "UPDATE 1");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT balance FROM account WHERE id = 1"), "6");
  });
}

TEST(CoordinatorBlocks, ACancelReachesTheNodesThatWork) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(other, "BEGIN");
    TestCluster::ok(other, "UPDATE account SET balance = 0 WHERE id = 1");
    const sim::Time began = world.simulation().now();
    ASSERT_TRUE(client.send_query("UPDATE account SET balance = 9").has_value());
    world.sleep(milliseconds(200));
    ASSERT_TRUE(pgwire::request_cancel(world.client_host(), client.cancel_key()).has_value());
    const auto answer = client.receive_result();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().sqlstate, "57014");
    EXPECT_LT(world.simulation().now() - began, in_seconds(2));
    TestCluster::ok(other, "COMMIT");
    EXPECT_EQ(balances(client), "1|0;2|100;3|100;4|100");

    ASSERT_TRUE(client.send_query("SELECT pg_sleep(100)").has_value());
    world.sleep(milliseconds(50));
    const std::string pid = std::to_string(client.backend_process_id());
    EXPECT_EQ(TestCluster::rows(other, "SELECT pg_cancel_backend(" + pid + ")"), "t");
    EXPECT_EQ(client.receive_result().error().sqlstate, "57014");
    EXPECT_EQ(TestCluster::rows(client, "SELECT pg_backend_pid()"), pid);
  });
}

TEST(CoordinatorBlocks, ATerminatedSessionEndsEverywhere) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    const std::string pid = std::to_string(client.backend_process_id());
    EXPECT_EQ(TestCluster::rows(other, "SELECT pg_terminate_backend(" + pid + ")"), "t");
    world.sleep(milliseconds(50));
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "57P01");
    EXPECT_EQ(TestCluster::ok(other, "UPDATE account SET balance = balance + 1").tag, "UPDATE 4");
  });
}

TEST(CoordinatorBlocks, IdleTransactionsEnd) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(client, "SET idle_in_transaction_session_timeout = '1s'");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    world.sleep(milliseconds(1500));
    EXPECT_EQ(TestCluster::ok(other, "UPDATE account SET balance = balance + 1").tag, "UPDATE 4");
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P03");
  });
}

TEST(CoordinatorBlocks, LockTableHoldsForEveryCoordinator) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    auto follower = world.connect("cn2");
    EXPECT_EQ(TestCluster::fails(client, "LOCK TABLE account").sqlstate, "25P01");
    for (Client* locking : {&client, &follower}) {
      Client& other = locking == &client ? follower : client;
      TestCluster::ok(*locking, "BEGIN");
      TestCluster::ok(*locking, "LOCK TABLE account");
      TestCluster::ok(other, "SET lock_timeout = '100ms'");
      EXPECT_EQ(TestCluster::fails(other, "SELECT * FROM account WHERE id = 1").sqlstate, "55P03");
      TestCluster::ok(*locking, "UPDATE account SET balance = balance + 1 WHERE id = 1");
      TestCluster::ok(*locking, "COMMIT");
      TestCluster::ok(other, "SELECT * FROM account WHERE id = 1");
    }
  }));
}

TEST(CoordinatorBlocks, WhatIsRolledBackIsForgotten) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "SELECT undistribute_table('account')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "4");
    TestCluster::ok(client, "ROLLBACK TO a");
    TestCluster::ok(client, "INSERT INTO account VALUES (77, 77)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 77"), "77");
    // A transaction that is refused at its end.
    TestCluster::ok(client, "CREATE TABLE n (a integer, b integer)");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT create_distributed_table('n', 'a')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM n"), "0");
    EXPECT_EQ(TestCluster::fails(client, "PREPARE TRANSACTION 'x'").sqlstate, "0A000");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO n VALUES (1)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM n"), "1|");
  });
}

TEST(CoordinatorBlocks, ALockedTableKeepsNobodyFromDistributingOthers) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "CREATE TABLE n (a integer, b integer)");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "LOCK TABLE account IN SHARE MODE");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "4");
    TestCluster::ok(other, "SELECT create_distributed_table('n', 'a')");
    TestCluster::ok(client, "INSERT INTO n VALUES (2)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT * FROM n"), "2|");
  });
}

TEST(CoordinatorBlocks, WhatCannotBeDistributedIsRefused) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    TestCluster::ok(client, "CREATE TABLE u (id integer PRIMARY KEY, v integer UNIQUE)");
    EXPECT_EQ(TestCluster::fails(client, "SELECT create_distributed_table('u', 'id')").sqlstate, "0A000");
    // As a table of the coordinator itself it works.
    TestCluster::ok(client, "CREATE INDEX u_v ON u (v, id)");
    TestCluster::ok(client, "INSERT INTO u VALUES (1, 1)");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO u VALUES (2, 1) ON CONFLICT (v) DO NOTHING").tag, "INSERT 0 0");
    TestCluster::ok(client, "TRUNCATE u");
    TestCluster::ok(client, "CREATE SEQUENCE s");
    EXPECT_EQ(TestCluster::rows(client, "SELECT nextval('s'), nextval('s')"), "1|2");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO account VALUES (100 + nextval('s'), 0)").tag, "INSERT 0 1");
    EXPECT_EQ(TestCluster::ok(client, "VACUUM").tag, "VACUUM");
    EXPECT_EQ(TestCluster::ok(client, "CHECKPOINT").tag, "CHECKPOINT");
  });
}

TEST(CoordinatorBlocks, TheKeysNameIsThatOfTheWholeTable) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    EXPECT_EQ(TestCluster::ok(client,
                              "INSERT INTO account VALUES (1, 5) ON CONFLICT ON CONSTRAINT account_pkey "
                              "DO UPDATE SET balance = account.balance + excluded.balance")
                  .tag,
              "INSERT 0 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "105");
    EXPECT_EQ(
        TestCluster::fails(client, "INSERT INTO account VALUES (1, 5) ON CONFLICT ON CONSTRAINT k DO NOTHING").sqlstate,
        "42704");
  });
}

}  // namespace
}  // namespace polarsim::engine
