#include "checkers/cluster_log.h"

#include <gtest/gtest.h>

#include <sstream>

#include "checkers/branches.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::history_of;

std::string error_of(const std::vector<std::string>& lines) {
  const History history = history_of(lines);
  const auto log = read_cluster_log(history);
  return log ? "" : log.error();
}

TEST(ClusterLog, TellsOfKeysBranchesAndTheEnd) {
  const History history = history_of(
      {R"(info :nemesis placement {1 "dn1" 2 "dn2"})", "invoke 0 [[:append 1 1] [:append :x 1]]",
       R"(info :nemesis placement {:x "dn1"})", R"(info :nemesis prepare {:op 1, :node "dn2", :position 7, :gid "g"})",
       R"(info :nemesis commit {:op 1 :node "dn2" :position 9 :gid "g"})",
       R"(info :nemesis commit {:op nil :node "dn1" :position 1})",
       R"(info :nemesis abort {:op 1 :node "dn1" :position 2})", "info :nemesis heal nil",
       R"(info :nemesis rest [["dn1" "g2"]])", "info :nemesis start-partition nil"});
  const auto log = read_cluster_log(history);
  ASSERT_TRUE(log) << log.error();
  EXPECT_EQ(log->nodes, (std::vector<std::string>{"dn1", "dn2"}));
  EXPECT_EQ(log->node_of(1), 0U);
  EXPECT_EQ(log->node_of(2), 1U);
  EXPECT_EQ(log->node_of(first_named_key), 0U);
  EXPECT_EQ(log->node_of(3), ClusterLog::no_node);
  ASSERT_EQ(log->branches.size(), 3U);
  EXPECT_EQ(log->branches[0].operation, 1);
  EXPECT_EQ(log->branches[0].gid, "g");
  EXPECT_EQ(log->branches[1].moment.position, 9U);
  EXPECT_EQ(log->branches[1].moment.time_ns, 4000);
  EXPECT_EQ(log->unknown_commits, (std::vector<std::uint64_t>{1, 0}));
  EXPECT_EQ(log->healed_ns, 7000);
  ASSERT_TRUE(log->at_rest);
  EXPECT_EQ(log->at_rest->at(0).gid, "g2");
  EXPECT_TRUE(log->placed && log->observed);
}

TEST(ClusterLog, SurvivesBeingWrittenAndRead) {
  const History history = history_of({R"(info :nemesis placement {1 "dn1"})", R"(info :nemesis rest [])",
                                      R"(info :nemesis commit {:op 3 :node "dn1" :position 4})"});
  std::ostringstream out;
  write_edn(history, out);
  const auto again = read_history(out.str(), "again");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, history);
}

TEST(ClusterLog, OfAnOrdinaryHistoryIsEmpty) {
  const History history = history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]"});
  const auto log = read_cluster_log(history);
  ASSERT_TRUE(log);
  EXPECT_FALSE(log->placed || log->observed || log->at_rest || log->healed_ns);
}

TEST(ClusterLog, SaysWhatItDoesNotUnderstand) {
  EXPECT_EQ(error_of({"info :nemesis placement [1 2]"}),
            "op 0: placement: expected a map of keys to names of nodes, found [1 2]");
  EXPECT_EQ(error_of({"info :nemesis placement {1 dn1}"}),
            "op 0: placement: expected the name of the node that holds the key, in quotes, found dn1}");
  EXPECT_EQ(error_of({R"(info :nemesis placement {1 "dn1"})", R"(info :nemesis placement {1 "dn2"})"}),
            "op 1: placement: key 1 moves from dn1 to dn2; histories with keys that move are not judged");
  EXPECT_EQ(error_of({R"(info :nemesis commit {:op 1 :node "dn1"})"}),
            R"(op 0: commit: expected :node and a :position from 1 on, found {:op 1 :node "dn1"})");
  EXPECT_EQ(error_of({R"(info :nemesis commit {:op x :node "dn1" :position 1})"}),
            R"(op 0: commit: expected the :index of an invocation, or nil, found x :node "dn1" :position 1})");
  EXPECT_EQ(error_of({R"(info :nemesis prepare {:when 1})"}),
            "op 0: prepare: expected one of :op, :node, :position, :gid, or the end of the map, found  1}");
  EXPECT_EQ(error_of({R"(info :nemesis rest ["dn1"])"}), R"(op 0: rest: expected [node, transaction], found "dn1"])");
  EXPECT_EQ(error_of({"info :nemesis commit nil"}),
            "op 0: commit: expected a map with :op, :node and :position, found its end");
}

// An :index need not be a position.
TEST(ClusterLog, OperationsAreKnownByTheIndexOfTheirInvocation) {
  History history = history_of({"invoke 0 [[:append 1 1]]", R"(info :nemesis commit {:op 5 :node "dn1" :position 1})",
                                R"(info :nemesis commit {:op 1 :node "dn2" :position 1})", "ok 0 [[:append 1 1]]"});
  for (Event& event : history.events) event.index += 5;
  const auto log = read_cluster_log(history);
  ASSERT_TRUE(log) << log.error();
  const Operations operations = collect_operations(history);
  const Branches branches(*log, history, operations);
  ASSERT_EQ(branches.all().size(), 1U);
  EXPECT_EQ(branches.all()[0].operation, 0U);
  EXPECT_NE(branches.find(0, 0), nullptr);
  EXPECT_EQ(branches.find(0, 1), nullptr);
}

TEST(ClusterLog, SnapshotsOfStepsMayBeMissing) {
  History history = history_of({"invoke 0 [[:r 1 nil] [:r 2 nil]]", "ok 0 [[:r 1 []] [:r 2 []]]"});
  history.events[1].extra.emplace_back("snapshots", R"([nil ["dn2" 5 1234]])");
  ClusterLog log;
  std::vector<SnapshotAt> snapshots;
  ASSERT_TRUE(read_snapshots(history.events[1], log, snapshots));
  ASSERT_EQ(snapshots.size(), 2U);
  EXPECT_FALSE(snapshots[0].moment);
  EXPECT_EQ(log.nodes.at(snapshots[1].node), "dn2");
  EXPECT_EQ(snapshots[1].moment.position, 5U);
  EXPECT_EQ(snapshots[1].moment.time_ns, 1234);
  history.events[1].extra[0].second = R"([["dn2" 0 1]])";
  const auto refused = read_snapshots(history.events[1], log, snapshots);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "op 1: snapshots: expected a position from 1 on, found ]]");
}

}  // namespace
}  // namespace polarsim::checkers
