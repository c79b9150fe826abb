// Copies of reference tables: changed by several coordinators at once, they neither deadlock nor differ.
#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

void with_reference(const std::function<void(TestCluster&, Client&, Client&)>& body) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    Client one = world.connect("cn1");
    Client two = world.connect("cn2");
    TestCluster::ok(one, "CREATE TABLE r (id integer PRIMARY KEY, v integer, w integer DEFAULT 0)");
    TestCluster::ok(one, "SELECT create_reference_table('r')");
    TestCluster::ok(one, "INSERT INTO r VALUES (1, 0), (2, 0)");
    for (Client* client : {&one, &two}) TestCluster::ok(*client, "SET lock_timeout = '3s'");
    body(world, one, two);
  }));
}

// What each node has, if it is the same everywhere.
std::string copies(TestCluster& world, const std::string& columns = "id, v, w") {
  Client finder = world.connect("cn1");
  const std::string shard =
      TestCluster::rows(finder, "SELECT shardid FROM pg_dist_shard WHERE logicalrelid = 'r'::regclass");
  std::string all;
  for (const char* node : {"cn1", "cn2", "dn1", "dn2"}) {
    Client client = world.connect(node);
    const auto exists = client.simple_query("SELECT " + columns + " FROM r_" + shard + " ORDER BY 1");
    if (!exists) continue;
    const std::string rows = TestCluster::text(*exists);
    if (!all.empty() && all != rows) return all + " but on " + node + " " + rows;
    all = rows;
  }
  return all;
}

// A statement that runs while the test goes on.
class Running {
 public:
  Running(TestCluster& world, Client& client, std::string sql) : world_(world) {
    world.client_host().spawn("statement", [this, &client, text = std::move(sql)] {
      const auto result = client.query(text);
      outcome_ = result ? result->tag : result.error().sqlstate;
    });
    world.sleep(milliseconds(50));
  }
  bool waits() const { return outcome_.empty(); }
  std::string outcome() {
    for (int i = 0; i < 1000 && outcome_.empty(); ++i) world_.sleep(milliseconds(10));
    return outcome_;
  }

 private:
  TestCluster& world_;
  std::string outcome_;
};

TEST(ReferenceCopies, TwoCoordinatorsChangeOneRowAtOnce) {
  with_reference([](TestCluster& world, Client& one, Client& two) {
    for (int i = 0; i < 5; ++i) {
      Running a(world, one, "UPDATE r SET v = v + 1 WHERE id = 1");
      Running b(world, two, "UPDATE r SET v = v + 1 WHERE id = 1");
      EXPECT_EQ(a.outcome(), "UPDATE 1");
      EXPECT_EQ(b.outcome(), "UPDATE 1");
    }
    EXPECT_EQ(copies(world), "1|10|0;2|0|0");
  });
}

TEST(ReferenceCopies, ADeadlockIsFoundOnTheFirstCopy) {
  with_reference([](TestCluster& world, Client& one, Client& two) {
    TestCluster::ok(one, "BEGIN");
    TestCluster::ok(one, "INSERT INTO r VALUES (10, 1)");
    TestCluster::ok(two, "BEGIN");
    TestCluster::ok(two, "INSERT INTO r VALUES (20, 1)");
    Running a(world, one, "INSERT INTO r VALUES (20, 2)");
    Running b(world, two, "INSERT INTO r VALUES (10, 2)");
    const std::string first = a.outcome();
    EXPECT_TRUE((first == "40P01") != (b.outcome() == "40P01")) << first << " and " << b.outcome();
    TestCluster::ok(one, "ROLLBACK");
    TestCluster::ok(two, "ROLLBACK");
  });
}

TEST(ReferenceCopies, WhatAChangeSeesIsTheSameOnAllCopies) {
  with_reference([](TestCluster& world, Client& one, Client& two) {
    TestCluster::ok(one, "BEGIN");
    TestCluster::ok(one, "UPDATE r SET v = 5 WHERE id = 1");
    Running other(world, two, "UPDATE r SET w = 1 WHERE v = 5");
    EXPECT_TRUE(other.waits());
    TestCluster::ok(one, "COMMIT");
    EXPECT_EQ(other.outcome(), "UPDATE 1");
    EXPECT_EQ(copies(world), "1|5|1;2|0|0");
    // Plain INSERTs do not wait for each other, and reads for nobody.
    TestCluster::ok(one, "BEGIN");
    TestCluster::ok(one, "INSERT INTO r VALUES (3, 3)");
    TestCluster::ok(two, "INSERT INTO r VALUES (4, 4)");
    EXPECT_EQ(TestCluster::rows(two, "SELECT count(*) FROM r"), "3");
    Running upsert(world, two, "INSERT INTO r VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET w = r.w + 1");
    EXPECT_TRUE(upsert.waits());
    TestCluster::ok(one, "COMMIT");
    EXPECT_EQ(upsert.outcome(), "INSERT 0 1");
    EXPECT_EQ(copies(world), "1|5|2;2|0|0;3|3|0;4|4|0");
  });
}

TEST(ReferenceCopies, RowLocksOfAJoinHoldForOtherNodes) {
  with_reference([](TestCluster& world, Client& one, Client& two) {
    TestCluster::ok(one, "CREATE TABLE t (id integer PRIMARY KEY, r integer)");
    TestCluster::ok(one, "SELECT create_distributed_table('t', 'id')");
    TestCluster::ok(one, "INSERT INTO t SELECT g, 1 FROM generate_series(1, 20) g");
    for (const int id : {1, 2, 3, 4, 5, 6}) {
      TestCluster::ok(one, "BEGIN");
      TestCluster::ok(one,
                      "SELECT r.v FROM r JOIN t ON t.r = r.id WHERE t.id = " + std::to_string(id) + " FOR UPDATE OF r");
      Running other(world, two, "SELECT v FROM r WHERE id = 1 FOR UPDATE");
      EXPECT_TRUE(other.waits()) << id;
      TestCluster::ok(one, "COMMIT");
      EXPECT_EQ(other.outcome(), "SELECT 1");
    }
  });
}

TEST(ReferenceCopies, TwoCopiesOfOneKeyAreRefusedOnce) {
  with_reference([](TestCluster& world, Client& one, Client& two) {
    Running a(world, one, "INSERT INTO r VALUES (7, 1)");
    Running b(world, two, "INSERT INTO r VALUES (7, 2)");
    EXPECT_EQ(a.outcome(), "INSERT 0 1");
    EXPECT_EQ(b.outcome(), "23505");
    EXPECT_EQ(copies(world), "1|0|0;2|0|0;7|1|0");
  });
}

}  // namespace
}  // namespace polarsim::engine
