// Definitions that have to wait for a table to be distributed, or to be one node's again: what they are about is
// decided when the wait is over.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

class DefinitionsThatWait : public testing::Test {
 protected:
  // Runs the statement while another session is about to commit `change`, and shows how it ended.
  std::string after(const char* change, const std::string& statement) {
    std::string end;
    EXPECT_TRUE(world_.run([&] {
      Client distributing = world_.connect();
      Client waiting = world_.connect();
      prepare(distributing, change);
      TestCluster::ok(distributing, "BEGIN");
      TestCluster::ok(distributing, change);
      const auto commit = [&] {
        world_.sleep(in_seconds(1));
        if (slow_at != nullptr)
          world_.simulation().fault_points().arm(slow_at, "cn1", 1, {sim::FaultAction::Kind::delay, in_seconds(2), {}});
        return TestCluster::outcome(distributing, "COMMIT");
      };
      end = world_.all_of({commit, [&] { return TestCluster::outcome(waiting, statement); }}).at(1);
      look(waiting);
    }));
    return end;
  }
  std::string distributed(const std::string& statement) {
    return after("SELECT create_distributed_table('t', 'x')", statement);
  }

  std::function<void(Client&)> look = [](Client&) {};
  const char* slow_at = nullptr;  // the fault point at which the commit takes its time

 private:
  static void prepare(Client& client, const std::string& change) {
    TestCluster::ok(client, "CREATE TABLE t (x integer, y integer)");
    TestCluster::ok(client, "INSERT INTO t SELECT n, n FROM generate_series(1, 5) n");
    if (change.find("undistribute") != std::string::npos)
      TestCluster::ok(client, "SELECT create_distributed_table('t', 'x')");
  }
  TestCluster world_;
};

TEST_F(DefinitionsThatWait, AColumnIsAddedToTheShards) {
  look = [](Client& client) {
    EXPECT_EQ(TestCluster::rows(client, "SELECT x, z FROM t ORDER BY x LIMIT 1"), "1|7");
    TestCluster::ok(client, "INSERT INTO t VALUES (6, 6, 6)");
  };
  EXPECT_EQ(distributed("ALTER TABLE t ADD COLUMN z integer DEFAULT 7"), "ALTER TABLE");
}

TEST_F(DefinitionsThatWait, TheRowsOfTheShardsGo) {
  look = [](Client& client) { EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM t"), "0"); };
  EXPECT_EQ(distributed("TRUNCATE t"), "TRUNCATE TABLE");
}

TEST_F(DefinitionsThatWait, TheShardsGoWithTheTable) {
  look = [](Client& client) {
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_partition"), "0");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_shard"), "0");
  };
  EXPECT_EQ(distributed("DROP TABLE t"), "DROP TABLE");
}

TEST_F(DefinitionsThatWait, WhatShardsCannotCheckIsRefused) {
  EXPECT_EQ(distributed("CREATE UNIQUE INDEX ON t (y)"),
            "0A000 creating unique indexes on non-partition columns is currently unsupported");
}

TEST_F(DefinitionsThatWait, AColumnIsAddedToATableThatHasNoShardsAnyMore) {
  look = [](Client& client) { EXPECT_EQ(TestCluster::rows(client, "SELECT x, z FROM t ORDER BY x LIMIT 1"), "1|7"); };
  EXPECT_EQ(after("SELECT undistribute_table('t')", "ALTER TABLE t ADD COLUMN z integer DEFAULT 7"), "ALTER TABLE");
}

// What has been decided here is not yet done on the nodes.
TEST_F(DefinitionsThatWait, ShardsAreThereWhenTheWaitIsOver) {
  slow_at = "2pc/after-commit-record";
  EXPECT_EQ(distributed("UPDATE t SET y = 0"), "UPDATE 5");
}

}  // namespace
}  // namespace polarsim::engine
