#include <gtest/gtest.h>

#include <functional>
#include <optional>
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

// Two clients, and accounts on two nodes.
class DeadlocksOverNodes : public ::testing::Test {
 protected:
  struct Clients {
    Client& first;
    Client& second;
    Updates updates;
    // Both at the same time: how each ends.
    std::function<std::vector<std::string>(const std::string& of_first, const std::string& of_second)> at_once;
  };

  // Runs `body`; the second client is one of that coordinator.
  void play(const std::function<void(const Clients&)>& body, const std::string& second_node = "cn1") {
    config_.node.lock_timeout = sim::Duration(0);
    world_.emplace(config_);
    ASSERT_TRUE(world_->run([&] {
      Client first = world_->connect();
      Client second = world_->connect(second_node);
      world_->create_accounts(first, 8);
      const auto at_once = [&](const std::string& of_first, const std::string& of_second) {
        return world_->all_of({[&] { return TestCluster::outcome(first, of_first); },
                               [&] { return TestCluster::outcome(second, of_second); }});
      };
      body({first, second, updates_on_two_nodes(first), at_once});
    }));
  }
  // Opens a block with the statement; the client whose block is opened first is the older one.
  static void begin(Client& client, const std::string& statement) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, statement);
  }
  TestCluster& world() { return *world_; }

  ClusterConfig config_ = small_cluster(1, 2);

 private:
  std::optional<TestCluster> world_;
};

const std::string take_lock = "SELECT pg_advisory_xact_lock(7)";

TEST_F(DeadlocksOverNodes, TheYoungerTransactionGoes) {
  play([&](const Clients& clients) {
    const auto& [older, younger, updates, at_once] = clients;
    begin(older, updates.here);
    begin(younger, updates.there);
    const sim::Time began = world().simulation().now();
    EXPECT_EQ(at_once(updates.there, updates.here), (std::vector<std::string>{"UPDATE 1", victim}));
    EXPECT_LE(world().simulation().now() - began, in_seconds(4));
    EXPECT_EQ(TestCluster::outcome(younger, "SELECT 1"),
              "25P02 current transaction is aborted, commands ignored until end of transaction block");
    EXPECT_EQ(TestCluster::outcome(younger, "COMMIT"), "ROLLBACK");
    TestCluster::ok(older, "COMMIT");
    EXPECT_EQ(TestCluster::rows(older, "SELECT sum(balance) FROM account"), "802");
    EXPECT_EQ(TestCluster::outcome(younger, updates.here), "UPDATE 1") << "the session goes on";
  });
  EXPECT_EQ(world().probe("deadlock/over-nodes"), 1U);
}

TEST_F(DeadlocksOverNodes, AreFoundBetweenCoordinators) {
  config_.coordinators = 2;
  const auto body = [&](const Clients& clients) {
    begin(clients.first, clients.updates.here);
    begin(clients.second, clients.updates.there);
    const auto ends = clients.at_once(clients.updates.there, clients.updates.here);
    // Each coordinator may have taken its own, but never none.
    EXPECT_TRUE(ends[0] == victim || ends[1] == victim) << ends[0] << "; " << ends[1];
    for (const std::string& end : ends) EXPECT_TRUE(end == victim || end == "UPDATE 1") << end;
  };
  play(body, "cn2");
}

// One waits for a lock of its own coordinator, the other for a row of a data node.
TEST_F(DeadlocksOverNodes, RunThroughCoordinators) {
  play([&](const Clients& clients) {
    const auto& [older, younger, updates, at_once] = clients;
    begin(older, updates.here);
    begin(younger, take_lock);
    EXPECT_EQ(at_once(take_lock, updates.here), (std::vector<std::string>{"SELECT 1", victim}));
    TestCluster::ok(younger, "ROLLBACK");
    TestCluster::ok(older, "ROLLBACK");
    // The other way round: the one that is to go waits on the coordinator.
    begin(older, take_lock);
    begin(younger, updates.here);
    EXPECT_EQ(at_once(updates.here, take_lock), (std::vector<std::string>{"UPDATE 1", victim}));
  });
}

TEST_F(DeadlocksOverNodes, WhoOnlyWaitsIsLeftAlone) {
  play([&](const Clients& clients) {
    begin(clients.first, clients.updates.here);
    begin(clients.second, clients.updates.there);
    const auto commit_later = [&] {
      world().sleep(in_seconds(20));
      return TestCluster::outcome(clients.first, "COMMIT");
    };
    const auto wait = [&] { return TestCluster::outcome(clients.second, clients.updates.here); };
    EXPECT_EQ(world().all_of({commit_later, wait}), (std::vector<std::string>{"COMMIT", "UPDATE 1"}));
  });
  EXPECT_EQ(world().probe("deadlock/over-nodes"), 0U);
}

TEST_F(DeadlocksOverNodes, NobodyLooksIfTheFactorSaysSo) {
  config_.distributed_deadlock_detection_factor = -1;
  play([&](const Clients& clients) {
    const auto& [first, second, updates, at_once] = clients;
    EXPECT_EQ(TestCluster::rows(first, "SHOW polar_cluster.distributed_deadlock_detection_factor"), "-1");
    for (Client* const client : {&first, &second}) TestCluster::ok(*client, "SET statement_timeout = '30s'");
    begin(first, updates.here);
    begin(second, updates.there);
    EXPECT_EQ(at_once(updates.there, updates.here)[0], "57014 canceling statement due to statement timeout");
  });
}

TEST_F(DeadlocksOverNodes, NodesTellWhoWaits) {
  play([&](const Clients& clients) {
    Client& holder = clients.first;
    Client& waiter = clients.second;
    const std::string& update = clients.updates.here;
    begin(holder, update);
    EXPECT_EQ(
        TestCluster::rows(holder, "SELECT count(*) FROM polar_cluster_remote_workers WHERE pid = pg_backend_pid()"),
        "1");
    Client node = world().connect(node_of(holder, 1) == "1" ? "dn1" : "dn2");
    EXPECT_EQ(TestCluster::rows(node, "SELECT count(*) FROM polar_cluster_local_waits"), "0");
    const auto told_and_done = [&] {
      world().sleep(in_seconds(1));
      const std::string told = TestCluster::rows(node,
                                                 "SELECT count(*), bool_and(waiting_pid <> blocking_pid), "
                                                 "bool_and(waitstart < now()) FROM polar_cluster_local_waits");
      return told + " " + TestCluster::outcome(holder, "COMMIT");
    };
    EXPECT_EQ(world().all_of({told_and_done, [&] { return TestCluster::outcome(waiter, update); }}),
              (std::vector<std::string>{"1|t|t COMMIT", "UPDATE 1"}));
  });
}

}  // namespace
}  // namespace polarsim::engine
