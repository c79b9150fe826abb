// Statements about distributed tables that are no plain queries: EXPLAIN ANALYZE, VACUUM, ANALYZE; keys that are
// checked at the end of a transaction.
#include <gtest/gtest.h>

#include <regex>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

// Without times, which are those of the simulated machine.
std::vector<std::string> explained(Client& client, const std::string& statement) {
  static const std::regex time(R"(Time: [0-9.]+ ms)");
  std::vector<std::string> lines;
  for (const Row& row : TestCluster::ok(client, statement).rows)
    lines.push_back(std::regex_replace(std::string(row.at(0).as_text()), time, "Time: # ms"));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(CoordinatorExplain, AnalyzeShowsWhatTasksAndMergeHaveMeasured) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 10);
    const std::string analyze = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ";
    EXPECT_EQ(explained(client, analyze + "SELECT count(*) FROM account"),
              (Lines{"Aggregate (actual rows=1 loops=1)",
                     "  ->  Custom Scan (PolarCluster Adaptive) (actual rows=4 loops=1)", "        Task Count: 4",
                     "        Tuple data received from nodes: 32 bytes", "        Tasks Shown: One of 4",
                     "        ->  Task", "              Tuple data received from node: 8 bytes",
                     "              Node: host=dn1 port=5432 dbname=postgres",
                     "              ->  Aggregate (actual rows=1 loops=1)",
                     "                    ->  Seq Scan on account_102008 account (actual rows=4 loops=1)",
                     "                  Planning Time: # ms", "                  Execution Time: # ms",
                     "Planning Time: # ms", "Execution Time: # ms"}));
    // A change is made, once.
    EXPECT_EQ(
        explained(client,
                  "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) UPDATE account SET balance = "
                  "balance + 1 RETURNING id"),
        (Lines{"Custom Scan (PolarCluster Adaptive) (actual rows=10 loops=1)", "  Task Count: 4",
               "  Tuple data received from nodes: 40 bytes", "  Tasks Shown: One of 4", "  ->  Task",
               "        Tuple data received from node: 16 bytes", "        Node: host=dn1 port=5432 dbname=postgres",
               "        ->  Update on account_102008 account (actual rows=4 loops=1)",
               "              ->  Seq Scan on account_102008 account (actual rows=4 loops=1)"}));
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "1010");
    EXPECT_EQ(explained(client,
                        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO account VALUES (11, "
                        "5)"),
              (Lines{"Custom Scan (PolarCluster Adaptive) (actual rows=0 loops=1)", "  Task Count: 1",
                     "  Tasks Shown: All", "  ->  Task", "        Node: host=dn2 port=5432 dbname=postgres",
                     "        ->  Insert on account_102011 (actual rows=0 loops=1)",
                     "              ->  Result (actual rows=1 loops=1)"}));
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "11");
    // Parts that are computed first.
    const Lines with_subplan =
        explained(client,
                  "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM account WHERE balance IN "
                  "(SELECT balance FROM account ORDER BY balance LIMIT 2)");
    const auto is_there = [&](const char* line) {
      EXPECT_NE(std::find(with_subplan.begin(), with_subplan.end(), line), with_subplan.end()) << line;
    };
    is_there("Aggregate (actual rows=1 loops=1)");
    is_there("              ->  Limit (actual rows=2 loops=1)");
    // What cannot be measured is not done either.
    EXPECT_EQ(TestCluster::fails(client, analyze + "INSERT INTO account SELECT id + 100, balance FROM account").message,
              "EXPLAIN ANALYZE is currently not supported for INSERT ... SELECT commands with repartitioning");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "11");
  }));
}

TEST(CoordinatorMaintenance, ReachesEveryShard) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 10);
    TestCluster::ok(client, "CREATE TABLE r (id int)");
    TestCluster::ok(client, "SELECT create_reference_table('r')");
    TestCluster::ok(client, "INSERT INTO r SELECT generate_series(1, 20)");
    auto dn1 = world.connect("dn1");
    auto dn2 = world.connect("dn2");
    const auto counted = [](Client& node, const char* pattern) {
      return TestCluster::rows(node,
                               "SELECT sum(greatest(reltuples, 0)), min(reltuples) < 0 FROM pg_class WHERE relkind = "
                               "'r' AND relname LIKE '" +
                                   std::string(pattern) + "'");
    };
    EXPECT_EQ(counted(dn1, "account%"), "0|t");
    EXPECT_EQ(TestCluster::ok(client, "ANALYZE account").tag, "ANALYZE");
    EXPECT_EQ(counted(dn1, "account%"), "5|f");
    EXPECT_EQ(counted(dn2, "account%"), "5|f");
    EXPECT_EQ(counted(dn2, "r\\_%"), "0|t");
    // The coordinator's own copy is in no list of relations; its plans know how many rows were counted.
    const auto plan_of_own_copy = [&] { return TestCluster::rows(client, "EXPLAIN SELECT * FROM r"); };
    EXPECT_NE(plan_of_own_copy().find("Node: host=cn1 "), std::string::npos) << plan_of_own_copy();
    EXPECT_EQ(plan_of_own_copy().find("rows=20 "), std::string::npos) << plan_of_own_copy();
    EXPECT_EQ(TestCluster::ok(client, "VACUUM (ANALYZE) public.r").tag, "VACUUM");
    EXPECT_EQ(counted(dn2, "r\\_%"), "20|f");
    EXPECT_NE(plan_of_own_copy().find("rows=20 "), std::string::npos) << plan_of_own_copy();
    TestCluster::ok(client, "DELETE FROM account WHERE id > 2");
    // As part of a transaction.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "DELETE FROM account");
    TestCluster::ok(client, "ANALYZE account (balance)");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(counted(dn1, "account%"), "5|f");
    auto follower = world.connect("cn2");
    EXPECT_EQ(TestCluster::ok(follower, "ANALYZE").tag, "ANALYZE");
    const auto counted_rows = [&](Client& node) { return std::stoi(counted(node, "account%")); };
    EXPECT_EQ(counted_rows(dn1) + counted_rows(dn2), 2);
    EXPECT_EQ(TestCluster::fails(client, "VACUUM none").sqlstate, "42P01");
    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(TestCluster::fails(client, "VACUUM account").sqlstate, "25001");
    TestCluster::ok(client, "ROLLBACK");
  }));
}

TEST(CoordinatorChanges, RowsWithoutAShardAreRefused) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE source (id int, other int)");
    TestCluster::ok(client, "SELECT create_distributed_table('source', 'id')");
    TestCluster::ok(client, "CREATE TABLE target (id int, v int)");
    TestCluster::ok(client, "SELECT create_distributed_table('target', 'id')");
    TestCluster::ok(client, "INSERT INTO source VALUES (1, 1), (2, NULL), (3, 3)");
    const ErrorFields sent = TestCluster::fails(client, "INSERT INTO target SELECT other, id FROM source");
    EXPECT_EQ(sent.sqlstate, "22004");
    EXPECT_EQ(sent.message, "the partition column value cannot be NULL");
    const ErrorFields pulled =
        TestCluster::fails(client, "INSERT INTO target SELECT other, id FROM source ORDER BY 1 LIMIT 10");
    EXPECT_EQ(pulled.sqlstate, "22004");
    EXPECT_EQ(pulled.message, "the partition column of table public.target cannot be NULL");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM target"), "0");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO target SELECT other, id FROM source WHERE other > 0").tag,
              "INSERT 0 2");
    // What is computed for a change is computed once.
    TestCluster::ok(client, "CREATE SEQUENCE s");
    TestCluster::ok(client, "INSERT INTO target VALUES (nextval('s'), 0)");
    TestCluster::ok(client, "INSERT INTO target VALUES (nextval('s') + 100, 0), (nextval('s') + 100, 0)");
    EXPECT_EQ(TestCluster::rows(client, "SELECT nextval('s')"), "4");
  }));
}

TEST(CoordinatorChanges, DeferredKeysFailTheWholeTransaction) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    auto other = world.connect();
    TestCluster::ok(client, "CREATE TABLE parent (id int PRIMARY KEY)");
    TestCluster::ok(client, "SELECT create_distributed_table('parent', 'id')");
    TestCluster::ok(client, "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, v int)");
    TestCluster::ok(client, "SELECT create_distributed_table('child', 'id')");
    const auto count = [&] {
      return TestCluster::rows(other, "SELECT (SELECT count(*) FROM child), (SELECT count(*) FROM parent)");
    };
    // On several nodes: PREPARE TRANSACTION finds out.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO child SELECT i, i FROM generate_series(1, 8) i");
    TestCluster::ok(client, "INSERT INTO parent SELECT i FROM generate_series(1, 7) i");
    const ErrorFields error = TestCluster::fails(client, "COMMIT");
    EXPECT_EQ(error.sqlstate, "23503");
    EXPECT_EQ(error.detail, "Key (id)=(8) is not present in table \"parent_102008\".");
    EXPECT_EQ(client.status(), TransactionStatus::idle);
    EXPECT_EQ(count(), "0|0");
    EXPECT_TRUE(world.cluster().prepared_transactions().empty());
    // The connections are of use again, and what is in order commits.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO child SELECT i, i FROM generate_series(1, 8) i");
    TestCluster::ok(client, "INSERT INTO parent SELECT i FROM generate_series(1, 8) i");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(count(), "8|8");
    // On one node: its COMMIT finds out, and nothing is left in doubt. Outside a block the same.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO child VALUES (100, 1)");
    EXPECT_EQ(TestCluster::fails(client, "COMMIT").sqlstate, "23503");
    EXPECT_EQ(client.status(), TransactionStatus::idle);
    EXPECT_EQ(TestCluster::fails(client, "INSERT INTO child VALUES (100, 1)").sqlstate, "23503");
    EXPECT_EQ(TestCluster::fails(client, "INSERT INTO child VALUES (100, 1), (101, 1), (102, 1)").sqlstate, "23503");
    EXPECT_EQ(count(), "8|8");
    TestCluster::ok(client, "INSERT INTO child VALUES (1, 1)");
  }));
  EXPECT_TRUE(world.cluster().prepared_transactions().empty());
  EXPECT_FALSE(world.cluster().has_open_distributed_transactions());
}

TEST(CoordinatorStatements, IntermediateResultsEndWithTheirStatement) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client client = world.connect();
    world.create_accounts(client, 8);
    TestCluster::ok(client, "BEGIN");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(TestCluster::rows(client,
                                  "SELECT count(*) FROM account WHERE balance IN "
                                  "(SELECT balance FROM account ORDER BY balance LIMIT 1)"),
                "8");
    }
    TestCluster::ok(client, "SAVEPOINT a");
    for (int plan = 1; plan <= 60; ++plan) {
      for (int id = 1; id <= 8; ++id) {
        const ErrorFields error =
            TestCluster::fails(client, "SELECT x.b FROM account, read_intermediate_result('" + std::to_string(plan) +
                                           "_1', 'binary') AS x(b bigint) WHERE id = " + std::to_string(id));
        EXPECT_EQ(error.sqlstate, "58P01") << error.message;
        TestCluster::ok(client, "ROLLBACK TO a");
        if (plan > 1) break;
      }
    }
    TestCluster::ok(client, "COMMIT");
  }));
}

TEST(CoordinatorStatements, NodesEvaluateInTheTimeZoneOfTheSession) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client client = world.connect();
    TestCluster::ok(client, "CREATE TABLE e (id integer PRIMARY KEY, at timestamptz)");
    TestCluster::ok(client, "SELECT create_distributed_table('e', 'id')");
    TestCluster::ok(client, "INSERT INTO e VALUES (1, '2020-01-01 00:00+00')");
    const auto seen = [&] { return TestCluster::rows(client, "SELECT at::text FROM e WHERE id = 1"); };
    TestCluster::ok(client, "SET timezone = 'Asia/Shanghai'");
    EXPECT_EQ(seen(), "2020-01-01 08:00:00+08");
    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(seen(), "2020-01-01 08:00:00+08");
    TestCluster::ok(client, "SET LOCAL timezone = 'America/New_York'");
    EXPECT_EQ(seen(), "2019-12-31 19:00:00-05");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "SET LOCAL timezone = 'UTC'");
    EXPECT_EQ(seen(), "2020-01-01 00:00:00+00");
    TestCluster::ok(client, "ROLLBACK TO a");
    EXPECT_EQ(seen(), "2019-12-31 19:00:00-05");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(seen(), "2020-01-01 08:00:00+08");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET LOCAL timezone = 'America/New_York'");
    EXPECT_EQ(seen(), "2019-12-31 19:00:00-05");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(seen(), "2020-01-01 08:00:00+08");
    TestCluster::ok(client, "RESET timezone");
    EXPECT_EQ(seen(), "2020-01-01 00:00:00+00");
  }));
}

}  // namespace
}  // namespace polarsim::engine
