#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

const std::string victim = "40P01 canceling the transaction since it was involved in a distributed deadlock";

std::string node_of(Client& client, int id) {
  const std::string shard =
      TestCluster::rows(client, "SELECT get_shard_id_for_distribution_column('account', " + std::to_string(id) + ")");
  return TestCluster::rows(client, "SELECT groupid FROM pg_dist_placement WHERE shardid = " + shard);
}

// A statement that adds one to an account: the first of them, and another one on another node.
struct Updates {
  std::string here;
  std::string there;
};
Updates updates_on_two_nodes(Client& client) {
  const auto update = [](int id) {
    return "UPDATE account SET balance = balance + 1 WHERE id = " + std::to_string(id);
  };
  int other = 2;
  while (node_of(client, other) == node_of(client, 1)) ++other;
  return {update(1), update(other)};
}

ClusterConfig without_timeouts(int coordinators) {
  ClusterConfig config = small_cluster(coordinators, 2);
  config.node.lock_timeout = sim::Duration(0);
  return config;
}

TEST(DeadlocksOverNodes, TheYoungerTransactionGoes) {
  TestCluster world(without_timeouts(1));
  ASSERT_TRUE(world.run([&] {
    Client older = world.connect();
    Client younger = world.connect();
    world.create_accounts(older, 8);
    const Updates updates = updates_on_two_nodes(older);
    TestCluster::ok(older, "BEGIN");
    TestCluster::ok(older, updates.here);
    TestCluster::ok(younger, "BEGIN");
    TestCluster::ok(younger, updates.there);
    const sim::Time began = world.simulation().now();
    EXPECT_EQ(world.all_of({[&] { return TestCluster::outcome(older, updates.there); },
                            [&] { return TestCluster::outcome(younger, updates.here); }}),
              (std::vector<std::string>{"UPDATE 1", victim}));
    EXPECT_LE(world.simulation().now() - began, in_seconds(4));
    EXPECT_EQ(TestCluster::outcome(younger, "SELECT 1"),
              "25P02 current transaction is aborted, commands ignored until end of transaction block");
    EXPECT_EQ(TestCluster::outcome(younger, "COMMIT"), "ROLLBACK");
    TestCluster::ok(older, "COMMIT");
    EXPECT_EQ(TestCluster::rows(older, "SELECT sum(balance) FROM account"), "802");
    EXPECT_EQ(TestCluster::outcome(younger, updates.here), "UPDATE 1") << "the session goes on";
  }));
  EXPECT_EQ(world.probe("deadlock/over-nodes"), 1U);
}

TEST(DeadlocksOverNodes, AreFoundBetweenCoordinators) {
  TestCluster world(without_timeouts(2));
  ASSERT_TRUE(world.run([&] {
    Client first = world.connect();
    Client second = world.connect("cn2");
    world.create_accounts(first, 8);
    const Updates updates = updates_on_two_nodes(first);
    TestCluster::ok(first, "BEGIN");
    TestCluster::ok(first, updates.here);
    TestCluster::ok(second, "BEGIN");
    TestCluster::ok(second, updates.there);
    const auto ends = world.all_of({[&] { return TestCluster::outcome(first, updates.there); },
                                    [&] { return TestCluster::outcome(second, updates.here); }});
    // Each coordinator may have taken its own, but never none.
    EXPECT_TRUE(ends[0] == victim || ends[1] == victim) << ends[0] << "; " << ends[1];
    for (const std::string& end : ends) EXPECT_TRUE(end == victim || end == "UPDATE 1") << end;
  }));
}

// One waits for a lock of its own coordinator, the other for a row of a data node.
TEST(DeadlocksOverNodes, RunThroughCoordinators) {
  TestCluster world(without_timeouts(1));
  ASSERT_TRUE(world.run([&] {
    Client older = world.connect();
    Client younger = world.connect();
    world.create_accounts(older, 8);
    const std::string update = updates_on_two_nodes(older).here;
    TestCluster::ok(older, "BEGIN");
    TestCluster::ok(older, update);
    TestCluster::ok(younger, "BEGIN");
    TestCluster::ok(younger, "SELECT pg_advisory_xact_lock(7)");
    EXPECT_EQ(world.all_of({[&] { return TestCluster::outcome(older, "SELECT pg_advisory_xact_lock(7)"); },
                            [&] { return TestCluster::outcome(younger, update); }}),
              (std::vector<std::string>{"SELECT 1", victim}));
    TestCluster::ok(younger, "ROLLBACK");
    TestCluster::ok(older, "ROLLBACK");
    // The other way round: the one that is to go waits on the coordinator.
    TestCluster::ok(older, "BEGIN");
    TestCluster::ok(older, "SELECT pg_advisory_xact_lock(7)");
    TestCluster::ok(younger, "BEGIN");
    TestCluster::ok(younger, update);
    EXPECT_EQ(world.all_of({[&] { return TestCluster::outcome(older, update); },
                            [&] { return TestCluster::outcome(younger, "SELECT pg_advisory_xact_lock(7)"); }}),
              (std::vector<std::string>{"UPDATE 1", victim}));
  }));
}

TEST(DeadlocksOverNodes, WhoOnlyWaitsIsLeftAlone) {
  TestCluster world(without_timeouts(1));
  ASSERT_TRUE(world.run([&] {
    Client holder = world.connect();
    Client waiter = world.connect();
    world.create_accounts(holder, 8);
    const Updates updates = updates_on_two_nodes(holder);
    TestCluster::ok(holder, "BEGIN");
    TestCluster::ok(holder, updates.here);
    TestCluster::ok(waiter, "BEGIN");
    TestCluster::ok(waiter, updates.there);
    EXPECT_EQ(world.all_of({[&] {
                              world.sleep(in_seconds(20));
                              return TestCluster::outcome(holder, "COMMIT");
                            },
                            [&] { return TestCluster::outcome(waiter, updates.here); }}),
              (std::vector<std::string>{"COMMIT", "UPDATE 1"}));
  }));
  EXPECT_EQ(world.probe("deadlock/over-nodes"), 0U);
}

TEST(DeadlocksOverNodes, NobodyLooksIfTheFactorSaysSo) {
  ClusterConfig config = without_timeouts(1);
  config.distributed_deadlock_detection_factor = -1;
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    Client first = world.connect();
    Client second = world.connect();
    world.create_accounts(first, 8);
    EXPECT_EQ(TestCluster::rows(first, "SHOW polar_cluster.distributed_deadlock_detection_factor"), "-1");
    const Updates updates = updates_on_two_nodes(first);
    for (Client* const client : {&first, &second}) TestCluster::ok(*client, "SET statement_timeout = '30s'");
    TestCluster::ok(first, "BEGIN");
    TestCluster::ok(first, updates.here);
    TestCluster::ok(second, "BEGIN");
    TestCluster::ok(second, updates.there);
    const auto ends = world.all_of({[&] { return TestCluster::outcome(first, updates.there); },
                                    [&] { return TestCluster::outcome(second, updates.here); }});
    EXPECT_EQ(ends[0], "57014 canceling statement due to statement timeout");
  }));
}

TEST(DeadlocksOverNodes, NodesTellWhoWaits) {
  TestCluster world(without_timeouts(1));
  ASSERT_TRUE(world.run([&] {
    Client holder = world.connect();
    Client waiter = world.connect();
    world.create_accounts(holder, 8);
    const std::string update = updates_on_two_nodes(holder).here;
    TestCluster::ok(holder, "BEGIN");
    TestCluster::ok(holder, update);
    EXPECT_EQ(
        TestCluster::rows(holder, "SELECT count(*) FROM polar_cluster_remote_workers WHERE pid = pg_backend_pid()"),
        "1");
    Client node = world.connect(node_of(holder, 1) == "1" ? "dn1" : "dn2");
    EXPECT_EQ(TestCluster::rows(node, "SELECT count(*) FROM polar_cluster_local_waits"), "0");
    const auto told_and_done = [&] {
      world.sleep(in_seconds(1));
      const std::string told = TestCluster::rows(node,
                                                 "SELECT count(*), bool_and(waiting_pid <> blocking_pid), "
                                                 "bool_and(waitstart < now()) FROM polar_cluster_local_waits");
      return told + " " + TestCluster::outcome(holder, "COMMIT");
    };
    EXPECT_EQ(world.all_of({told_and_done, [&] { return TestCluster::outcome(waiter, update); }}),
              (std::vector<std::string>{"1|t|t COMMIT", "UPDATE 1"}));
  }));
}

}  // namespace
}  // namespace polarsim::engine
