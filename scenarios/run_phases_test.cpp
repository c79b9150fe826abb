#include "scenarios/run_phases.h"

#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"

namespace polarsim::scenarios {
namespace {

using checkers::Validity;
using engine::TestCluster;

TEST(Residue, IsWhatTheNodesSayAndASilentNodeIsNotTakenForAnEmptyOne) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    const auto ask = [&] { return judge_residue(ask_for_residue(world.cluster(), world.client_host())); };
    EXPECT_EQ(ask().validity, Validity::valid);

    world.simulation().host("dn2").crash();
    const checkers::Verdict silent = ask();
    EXPECT_EQ(silent.validity, Validity::unknown);
    EXPECT_NE(silent.reason.find("dn2"), std::string::npos) << silent.reason;

    auto node = world.connect("dn1");
    TestCluster::ok(node, "BEGIN");
    TestCluster::ok(node, "CREATE TABLE t (id integer PRIMARY KEY)");
    TestCluster::ok(node, "PREPARE TRANSACTION 'left'");
    const checkers::Verdict left = ask();
    EXPECT_EQ(left.validity, Validity::invalid);
    EXPECT_NE(left.anomalies.at(0).explanation.find("left"), std::string::npos);
  }));
}

TEST(Residue, CountsCommitRecordsThatRecoveryCannotEnd) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    // No node has group 77, so that no round of recovery ever comes to this record.
    TestCluster::ok(client, "SET allow_system_table_mods = on");
    TestCluster::ok(client, "INSERT INTO pg_catalog.pg_dist_transaction (groupid, gid) VALUES (77, 'citus_0_1_1_1')");
    const ResidueReport report = ask_for_residue(world.cluster(), world.client_host());
    ASSERT_EQ(report.found.size(), 1U);
    EXPECT_EQ(report.found[0].node, "cn1");
    EXPECT_EQ(judge_residue(report).validity, Validity::invalid);
  }));
}

TEST(Residue, IsUnknownIfNobodyWasAsked) { EXPECT_EQ(judge_residue(ResidueReport{}).validity, Validity::unknown); }

}  // namespace
}  // namespace polarsim::scenarios
