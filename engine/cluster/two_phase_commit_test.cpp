// Atomicity: whatever crashes, and whenever, a transaction over two nodes ends on both or on neither, and the client is
// never lied to.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "engine/cluster/distributed_transaction.h"
#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using Kind = sim::FaultAction::Kind;

enum class Outcome { committed, unknown, aborted };

sim::FaultAction crash_and_restart() { return sim::FaultAction{Kind::crash, {}, milliseconds(500)}; }
sim::FaultAction fail() { return sim::FaultAction{Kind::fail, {}, {}}; }
sim::FaultAction delay(sim::Duration time) { return sim::FaultAction{Kind::delay, time, {}}; }

// Account 1 lives on dn1, account 3 on dn2.
void transfer(pgwire::Client& client) {
  TestCluster::ok(client, "BEGIN");
  TestCluster::ok(client, "UPDATE account SET balance = balance - 10 WHERE id = 1");
  TestCluster::ok(client, "UPDATE account SET balance = balance + 10 WHERE id = 3");
}

Outcome commit(pgwire::Client& client) {
  const auto result = client.query("COMMIT");
  if (result) {
    EXPECT_EQ(result->tag, "COMMIT");
    return Outcome::committed;
  }
  return cluster::outcome_unknown(result.error().sqlstate) ? Outcome::unknown : Outcome::aborted;
}

constexpr const char* unchanged = "1|100;3|100";
constexpr const char* transferred = "1|90;3|110";
constexpr const char* both_accounts = "SELECT id, balance FROM account WHERE id IN (1, 3) ORDER BY id";

// Once everything has had time to restart and two recovery rounds have passed.
void expect_settled(TestCluster& world, Outcome outcome) {
  world.sleep(in_seconds(30));
  auto client = world.connect();
  const std::string balances = TestCluster::rows(client, both_accounts);
  if (outcome == Outcome::committed) {
    EXPECT_EQ(balances, transferred);
  } else if (outcome == Outcome::aborted) {
    EXPECT_EQ(balances, unchanged);
  }
  EXPECT_TRUE(balances == transferred || balances == unchanged) << balances;
  EXPECT_TRUE(world.cluster().prepared_transactions().empty());
  EXPECT_FALSE(world.cluster().has_open_distributed_transactions());
  // The records of DDL and of this transaction are gone, too.
  EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_transaction"), "0");
  // And the rows are free to be changed.
  EXPECT_EQ(TestCluster::ok(client, "UPDATE account SET balance = 0").tag, "UPDATE 4");
}

struct CrashPoint {
  const char* host;
  const char* point;
  int occurrence;
};

std::string crash_name(const testing::TestParamInfo<CrashPoint>& parameter) {
  const CrashPoint& where = parameter.param;
  std::string name = std::string(where.host) + "_" + where.point + "_" + std::to_string(where.occurrence);
  for (char& c : name) {
    if (c == '/' || c == '-') c = '_';
  }
  return name;
}

void PrintTo(const CrashPoint& where, std::ostream* out) {
  *out << where.host << " " << where.point << " " << where.occurrence;
}

class TwoPhaseCommitCrash : public testing::TestWithParam<CrashPoint> {};

TEST_P(TwoPhaseCommitCrash, EndsOnAllNodesOrOnNone) {
  const CrashPoint where = GetParam();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    TestCluster world(small_cluster(), seed, sim::SchedulingPolicy::random);
    ASSERT_TRUE(world.run([&] {
      auto client = world.connect();
      world.create_accounts(client, 4);
      world.sleep(in_seconds(1));
      transfer(client);
      const std::uint64_t taken = world.simulation().fault_points().taken();
      world.simulation().fault_points().arm(where.point, where.host, static_cast<std::uint64_t>(where.occurrence),
                                            crash_and_restart());
      const Outcome outcome = commit(client);
      world.sleep(in_seconds(1));
      EXPECT_EQ(world.simulation().fault_points().taken(), taken + 1) << "the crash did not happen";
      expect_settled(world, outcome);
    }));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, TwoPhaseCommitCrash,
    testing::Values(CrashPoint{"cn1", "2pc/before-prepare", 1}, CrashPoint{"cn1", "2pc/after-prepare", 1},
                    CrashPoint{"cn1", "2pc/before-commit-record", 1}, CrashPoint{"cn1", "wal/append", 1},
                    CrashPoint{"cn1", "wal/flush", 1}, CrashPoint{"cn1", "wal/sync", 1},
                    CrashPoint{"cn1", "2pc/after-commit-record", 1},
                    CrashPoint{"cn1", "2pc/after-first-commit-prepared", 1},
                    CrashPoint{"cn1", "2pc/after-commit-prepared", 1}, CrashPoint{"dn1", "wal/append", 1},
                    CrashPoint{"dn1", "wal/flush", 1}, CrashPoint{"dn1", "wal/sync", 1},
                    CrashPoint{"dn2", "wal/flush", 1}, CrashPoint{"dn2", "wal/sync", 1},
                    CrashPoint{"dn1", "wal/append", 2}, CrashPoint{"dn1", "wal/flush", 2},
                    CrashPoint{"dn2", "wal/flush", 2}, CrashPoint{"dn2", "wal/sync", 2}),
    crash_name);

TEST(TwoPhaseCommit, TellsTheClientWhatIsSure) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    // A failure before the decision is an abort, and said to be one.
    transfer(client);
    world.simulation().fault_points().arm("2pc/after-prepare", "cn1", 1, fail());
    EXPECT_EQ(commit(client), Outcome::aborted);
    EXPECT_EQ(TestCluster::rows(client, both_accounts), unchanged);
    EXPECT_TRUE(world.cluster().prepared_transactions().empty()) << "ROLLBACK PREPARED needs no recovery";
    // The loss of a node while it prepares is an abort, too.
    transfer(client);
    world.simulation().fault_points().arm("wal/flush", "dn2", 1, crash_and_restart());
    EXPECT_EQ(commit(client), Outcome::aborted);
    EXPECT_EQ(client.status(), TransactionStatus::idle);
    EXPECT_GE(world.probe("2pc/prepare-answer-lost"), 1U);
    world.sleep(in_seconds(10));
    EXPECT_EQ(TestCluster::rows(client, both_accounts), unchanged);
  }));
}

TEST(TwoPhaseCommit, WarnsOfADecisionThatDidNotArrive) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    transfer(client);
    world.simulation().fault_points().arm("wal/flush", "dn2", 2, crash_and_restart());
    const QueryResult result = TestCluster::ok(client, "COMMIT");
    ASSERT_EQ(result.notices.size(), 1U);
    EXPECT_EQ(result.notices[0].message, "failed to commit transaction on dn2:5432");
    EXPECT_EQ(result.tag, "COMMIT");
    // Until recovery the transaction is half visible: allowed, and known from real clusters.
    world.sleep(in_seconds(1));
    auto reader = world.connect();
    EXPECT_EQ(TestCluster::rows(reader, both_accounts), "1|90;3|100");
    EXPECT_TRUE(world.cluster().has_open_distributed_transactions());
    EXPECT_EQ(TestCluster::rows(reader, "SELECT recover_prepared_transactions()"), "1");
    EXPECT_EQ(TestCluster::rows(reader, both_accounts), transferred);
    EXPECT_FALSE(world.cluster().has_open_distributed_transactions());
  }));
}

TEST(TwoPhaseCommit, ACommitWhoseAnswerIsLostIsUnknown) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 2);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    world.simulation().fault_points().arm("wal/sync", "dn1", 1, crash_and_restart());
    const ErrorFields error = TestCluster::fails(client, "COMMIT");
    EXPECT_EQ(error.sqlstate, "08007");
    EXPECT_EQ(error.message, "the outcome of the transaction on dn1:5432 is unknown");
    EXPECT_EQ(client.status(), TransactionStatus::idle);
    // A bare statement that is its own COMMIT likewise.
    world.sleep(in_seconds(5));
    world.simulation().fault_points().arm("wal/sync", "dn1", 1, crash_and_restart());
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 2 WHERE id = 1").sqlstate, "08006");
  }));
}

// The anomaly that the vendor documents: between the two COMMIT PREPAREDs a reader sees one half.
TEST(TwoPhaseCommit, AReaderMaySeeHalfOfACommitInProgress) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto writer = world.connect("cn1");
    auto reader = world.connect("cn2");
    world.create_accounts(writer, 4);
    transfer(writer);
    sim::Network& network = world.simulation().network();
    world.simulation().fault_points().arm("2pc/after-commit-record", "cn1", 1, delay(milliseconds(100)));
    bool done = false;
    world.client_host().spawn("writer", [&] {
      TestCluster::ok(writer, "COMMIT");
      done = true;
    });
    world.sleep(milliseconds(50));
    network.clog("cn1", "dn2", world.simulation().now() + in_seconds(1));
    world.sleep(milliseconds(500));
    EXPECT_EQ(TestCluster::rows(reader, both_accounts), "1|90;3|100");
    EXPECT_EQ(TestCluster::rows(reader, "SELECT sum(balance) FROM account"), "390");
    EXPECT_FALSE(done);
    world.sleep(in_seconds(2));
    EXPECT_TRUE(done);
    EXPECT_EQ(TestCluster::rows(reader, both_accounts), transferred);
  }));
}

// The same faults with and without the planted bug: only the bug tears the transaction.
TEST(TwoPhaseCommit, ThePlantedBugBreaksAtomicity) {
  for (const bool planted : {false, true}) {
    ClusterConfig config = small_cluster();
    if (planted) config.node.planted.turn_on(PlantedBug::two_pc_commit_prepared_before_local_commit);
    TestCluster world(config);
    ASSERT_TRUE(world.run([&] {
      auto client = world.connect();
      world.create_accounts(client, 4);
      transfer(client);
      // dn2 loses COMMIT PREPARED; the coordinator dies when dn1 has it.
      world.simulation().fault_points().arm("wal/append", "dn2", 2, crash_and_restart());
      world.simulation().fault_points().arm("2pc/after-first-commit-prepared", "cn1", 1, crash_and_restart());
      EXPECT_EQ(commit(client), Outcome::unknown);
      world.sleep(in_seconds(30));
      auto reader = world.connect();
      EXPECT_EQ(TestCluster::rows(reader, both_accounts), planted ? "1|90;3|100" : transferred);
    }));
  }
}

// The session outlives the loss of a connection whose decision went out too early.
TEST(TwoPhaseCommit, ADecisionIsSentOnceToAParticipantThatIsGone) {
  ClusterConfig config = small_cluster();
  config.node.planted.turn_on(PlantedBug::two_pc_commit_prepared_before_local_commit);
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    transfer(client);
    world.simulation().fault_points().arm("wal/append", "dn2", 2, crash_and_restart());
    world.simulation().fault_points().arm("2pc/after-commit-record", "cn1", 1, fail());
    const QueryResult result = TestCluster::ok(client, "COMMIT");
    ASSERT_EQ(result.notices.size(), 1U);
    EXPECT_EQ(result.notices[0].message, "failed to commit transaction on dn2:5432");
    world.sleep(in_seconds(30));
    EXPECT_EQ(TestCluster::rows(client, both_accounts), transferred);
  }));
}

TEST(TwoPhaseCommit, IsAFunctionOfTheSeed) {
  const auto run = [](std::uint64_t seed) {
    TestCluster world(small_cluster(2, 3), seed, sim::SchedulingPolicy::random);
    EXPECT_TRUE(world.run([&] {
      auto client = world.connect();
      world.create_accounts(client, 4);
      transfer(client);
      world.simulation().fault_points().arm("2pc/after-first-commit-prepared", "cn1", 1, crash_and_restart());
      commit(client);
      world.sleep(in_seconds(20));
    }));
    return world.simulation().digest().value().hex();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

}  // namespace
}  // namespace polarsim::engine
