// The recovery daemon: what it finishes, and what it must leave alone.
#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using Kind = sim::FaultAction::Kind;

sim::FaultAction fail() { return sim::FaultAction{Kind::fail, {}, {}}; }
sim::FaultAction delay(sim::Duration time) { return sim::FaultAction{Kind::delay, time, {}}; }

constexpr const char* move_money = "UPDATE account SET balance = balance + 1";

TEST(Recovery, LeavesATransactionAloneThatIsBeingCommitted) {
  // Many rounds pass while the transaction stands at each of these places.
  for (const char* point : {"2pc/after-prepare", "2pc/after-commit-record", "2pc/after-first-commit-prepared"}) {
    TestCluster world;
    ASSERT_TRUE(world.run([&] {
      auto client = world.connect();
      world.create_accounts(client, 4);
      world.sleep(in_seconds(1));
      const std::uint64_t rolled_back = world.probe("recovery/rolled-back");
      const std::uint64_t committed = world.probe("recovery/committed");
      world.simulation().fault_points().arm(point, "cn1", 1, delay(in_seconds(17)));
      const QueryResult result = TestCluster::ok(client, move_money);
      EXPECT_EQ(result.tag, "UPDATE 4");
      EXPECT_TRUE(result.notices.empty()) << point;
      EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "404");
      EXPECT_EQ(world.probe("recovery/rolled-back"), rolled_back) << point;
      EXPECT_EQ(world.probe("recovery/committed"), committed) << point;
      EXPECT_GE(world.probe("recovery/active-left-alone"), 1U) << point;
    }));
  }
}

TEST(Recovery, LeavesToTheNextRoundWhatWasPreparedBetweenItsLists) {
  ClusterConfig config = small_cluster();
  config.recover_2pc_interval = in_seconds(600);  // only the rounds that this test asks for
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    world.sleep(in_seconds(6));
    // A round stands still after its first list of dn1; meanwhile a transaction is decided, but its nodes do not hear
    // of it.
    world.simulation().fault_points().arm("recovery/after-first-list", "cn1", 1, delay(in_seconds(3)));
    world.simulation().fault_points().arm("2pc/after-commit-record", "cn1", 1, fail());
    auto operators = world.connect();
    bool done = false;
    world.client_host().spawn("operator", [&] {
      EXPECT_EQ(TestCluster::rows(operators, "SELECT recover_prepared_transactions()"), "1") << "dn2 was listed later";
      done = true;
    });
    world.sleep(in_seconds(1));
    EXPECT_EQ(TestCluster::ok(client, move_money).notices.size(), 2U);
    EXPECT_EQ(world.cluster().prepared_transactions().size(), 2U);
    world.sleep(in_seconds(3));
    EXPECT_TRUE(done);
    EXPECT_EQ(world.probe("recovery/prepared-between-lists"), 1U);
    ASSERT_EQ(world.cluster().prepared_transactions().size(), 1U);
    EXPECT_EQ(world.cluster().prepared_transactions()[0].node, "dn1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT recover_prepared_transactions()"), "1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "404");
    EXPECT_EQ(TestCluster::rows(client, "SELECT recover_prepared_transactions()"), "0");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_transaction"), "0");
  }));
}

// The active transactions are read before the records: who is decided after the records were read still counts as
// active.
TEST(Recovery, DoesNotRollBackWhatIsDecidedDuringARound) {
  ClusterConfig config = small_cluster();
  config.recover_2pc_interval = in_seconds(600);
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    auto operators = world.connect();
    sim::FaultPoints& points = world.simulation().fault_points();
    points.arm("2pc/after-prepare", "cn1", 1, delay(in_seconds(2)));
    points.arm("2pc/after-commit-record", "cn1", 1, fail());
    points.arm("recovery/after-records", "cn1", 1, delay(in_seconds(5)));
    bool done = false;
    world.client_host().spawn("writer", [&] {
      EXPECT_EQ(TestCluster::ok(client, move_money).notices.size(), 2U);
      done = true;
    });
    world.sleep(in_seconds(1));
    // dn1: listed and without a record while the writer stands prepared; the rest of the round comes after its
    // decision.
    TestCluster::ok(operators, "SELECT recover_prepared_transactions()");
    EXPECT_TRUE(done);
    EXPECT_GE(world.probe("recovery/active-left-alone"), 1U);
    TestCluster::ok(operators, "SELECT recover_prepared_transactions()");
    EXPECT_EQ(TestCluster::rows(operators, "SELECT sum(balance) FROM account"), "404");
    EXPECT_TRUE(world.cluster().prepared_transactions().empty());
  }));
}

// A prefix test would let group 2 decide the transactions of group 24.
TEST(Recovery, TouchesOnlyItsOwnGroupsTransactions) {
  TestCluster world(small_cluster(3, 1));
  ASSERT_TRUE(world.run([&] {
    auto data_node = world.connect("dn1");
    TestCluster::ok(data_node, "CREATE TABLE t (id integer)");
    for (const char* gid : {"polar_24_1_1_1", "polar_2_1_1_1", "polar_2x", "polar_20", "mine"}) {
      TestCluster::ok(data_node, "BEGIN");
      TestCluster::ok(data_node, "INSERT INTO t VALUES (1)");
      TestCluster::ok(data_node, std::string("PREPARE TRANSACTION '") + gid + "'");
    }
    auto third = world.connect("cn3");
    EXPECT_EQ(TestCluster::rows(third, "SELECT groupid FROM pg_dist_node WHERE nodename = 'cn3'"), "2");
    EXPECT_EQ(TestCluster::rows(third, "SELECT recover_prepared_transactions()"), "1");
    world.sleep(in_seconds(20));
    EXPECT_EQ(TestCluster::rows(data_node, "SELECT gid FROM pg_prepared_xacts ORDER BY gid"),
              "mine;polar_20;polar_24_1_1_1;polar_2x");
  }));
}

TEST(Recovery, FinishesWhatEachCoordinatorBegan) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect("cn1");
    world.create_accounts(client, 4);
    for (const char* node : {"cn1", "cn2"}) {
      auto session = world.connect(node);
      world.simulation().fault_points().arm("2pc/after-commit-record", node, 1, fail());
      TestCluster::ok(session, node == std::string("cn1")
                                   ? "UPDATE account SET balance = balance + 1 WHERE id IN (1, 3)"
                                   : "UPDATE account SET balance = balance + 1 WHERE id IN (2, 5)");
    }
    world.sleep(in_seconds(12));
    EXPECT_TRUE(world.cluster().prepared_transactions().empty());
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "403");
  }));
}

// Who reads by a definition of another coordinator finds its shards.
TEST(Recovery, CommitsShardsBeforeWhatLeadsToThem) {
  ClusterConfig config = small_cluster(2, 2);
  config.recover_2pc_interval = in_seconds(600);
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect("cn1");
    auto operators = world.connect("cn1");
    auto reader = world.connect("cn2");
    TestCluster::ok(client, "CREATE TABLE t (id integer PRIMARY KEY)");
    world.sleep(in_seconds(6));
    world.simulation().fault_points().arm("2pc/after-commit-record", "cn1", 1, fail());
    EXPECT_EQ(TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')").notices.size(), 3U);
    // A round stands still after each COMMIT PREPARED.
    for (int i = 0; i < 3; ++i)
      world.simulation().fault_points().arm("recovery/after-commit-prepared", "cn1", 1, delay(in_seconds(2)));
    world.client_host().spawn("operator",
                              [&] { TestCluster::ok(operators, "SELECT recover_prepared_transactions()"); });
    for (int i = 0; i < 3; ++i) {
      world.sleep(in_seconds(i == 0 ? 1 : 2));
      std::string left;
      for (const auto& prepared : world.cluster().prepared_transactions()) left += prepared.node + " ";
      EXPECT_EQ(left, (std::vector<std::string>{"cn2 dn2 ", "cn2 ", ""})[static_cast<std::size_t>(i)]);
      const std::string found = TestCluster::outcome(reader, "SELECT count(*) FROM t");
      EXPECT_EQ(found, i < 2 ? "42P01 relation \"t\" does not exist" : "SELECT 1");
    }
    world.sleep(in_seconds(3));
  }));
}

TEST(Recovery, RollsBackWhatACrashedCoordinatorHadNotDecided) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    world.simulation().fault_points().arm("2pc/after-prepare", "cn1", 1,
                                          sim::FaultAction{Kind::crash, {}, in_seconds(20)});
    const auto lost = client.query(move_money);
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().sqlstate, "08006");
    EXPECT_EQ(world.cluster().prepared_transactions().size(), 2U);
    world.sleep(in_seconds(20));
    EXPECT_TRUE(world.cluster().prepared_transactions().empty());
    auto fresh = world.connect();
    EXPECT_EQ(TestCluster::rows(fresh, "SELECT sum(balance) FROM account"), "400");
    EXPECT_GE(world.probe("recovery/rolled-back"), 2U);
  }));
}

// Recovery rounds without pause beside transactions, some of which leave their nodes undecided: every COMMIT that was
// promised is kept.
TEST(Recovery, KeepsEveryPromiseUnderLoad) {
  constexpr int writers = 4;
  constexpr int rounds = 40;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ClusterConfig config = small_cluster();
    config.recover_2pc_interval = milliseconds(1);
    TestCluster world(config, seed, sim::SchedulingPolicy::random);
    ASSERT_TRUE(world.run([&] {
      auto client = world.connect();
      // One pair of rows for each writer: 1 and 5 live on dn1, 2, 3 and 4 on dn2; a table each keeps the writers apart.
      for (int writer = 0; writer < writers; ++writer) {
        const std::string table = "t" + std::to_string(writer);
        TestCluster::ok(client, "CREATE TABLE " + table + " (id integer PRIMARY KEY, n bigint)");
        TestCluster::ok(client, "SELECT create_distributed_table('" + table + "', 'id')");
        TestCluster::ok(client, "INSERT INTO " + table + " VALUES (1, 0), (3, 0)");
      }
      int finished = 0;
      for (int writer = 0; writer < writers; ++writer) {
        world.client_host().spawn("writer", [&world, &finished, writer] {
          auto session = world.connect();
          for (int round = 0; round < rounds; ++round) {
            if (round % 8 == writer) world.simulation().fault_points().arm("2pc/after-commit-record", "cn1", 1, fail());
            const std::string update = "UPDATE t" + std::to_string(writer) + " SET n = n + 1";
            EXPECT_EQ(TestCluster::ok(session, update).tag, "UPDATE 2");
          }
          ++finished;
        });
      }
      while (finished < writers) world.sleep(milliseconds(10));
      world.sleep(in_seconds(1));
      for (int writer = 0; writer < writers; ++writer) {
        EXPECT_EQ(TestCluster::rows(client, "SELECT id, n FROM t" + std::to_string(writer) + " ORDER BY id"),
                  "1|40;3|40");
      }
      EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_transaction"), "0");
      EXPECT_EQ(world.probe("recovery/rolled-back"), 0U);
      EXPECT_GE(world.probe("recovery/committed"), 2U);
      EXPECT_GE(world.probe("recovery/active-left-alone"), 1U);
    }));
  }
}

}  // namespace
}  // namespace polarsim::engine
