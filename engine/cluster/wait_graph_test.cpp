#include "engine/cluster/wait_graph.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace polarsim::engine::cluster {
namespace {

using Processes = std::vector<Process>;

// Two coordinators (0, 1) and two data nodes (2, 3). Session n of coordinator 0 has backend n on each data node, and
// began at n.
WaitGraph with_sessions(std::uint32_t count) {
  WaitGraph graph;
  for (std::uint32_t n = 1; n <= count; ++n) {
    graph.add_worker({0, n}, n, {2, n});
    graph.add_worker({0, n}, n, {3, n});
  }
  return graph;
}

TEST(WaitGraph, AWaitIsNoDeadlock) {
  WaitGraph graph = with_sessions(3);
  graph.add_wait({2, 1}, {2, 2}, 5);
  graph.add_wait({2, 2}, {2, 3}, 5);
  graph.add_wait({3, 1}, {3, 3}, 5);
  EXPECT_EQ(graph.victims(0), Processes{});
}

TEST(WaitGraph, TheYoungestOfACycleGoes) {
  WaitGraph graph = with_sessions(3);
  graph.add_wait({2, 1}, {2, 3}, 5);
  graph.add_wait({3, 3}, {3, 2}, 6);
  graph.add_wait({2, 2}, {2, 1}, 7);
  EXPECT_EQ(graph.victims(0), (Processes{{0, 3}}));
  EXPECT_EQ(graph.victims(1), Processes{}) << "it has no transaction in it";
}

TEST(WaitGraph, EachCoordinatorTakesOneOfItsOwn) {
  WaitGraph graph = with_sessions(1);
  graph.add_worker({1, 1}, 9, {2, 51});
  graph.add_worker({1, 1}, 9, {3, 51});
  graph.add_wait({2, 1}, {2, 51}, 5);
  graph.add_wait({3, 51}, {3, 1}, 5);
  EXPECT_EQ(graph.victims(0), (Processes{{0, 1}}));
  EXPECT_EQ(graph.victims(1), (Processes{{1, 1}}));
}

TEST(WaitGraph, RunsThroughTheCoordinatorsOwnLocks) {
  WaitGraph graph = with_sessions(2);
  graph.add_wait({0, 1}, {0, 2}, 5);
  graph.add_wait({3, 2}, {3, 1}, 5);
  EXPECT_EQ(graph.victims(0), (Processes{{0, 2}}));
}

TEST(WaitGraph, RunsThroughProcessesOfNobody) {
  WaitGraph graph = with_sessions(2);
  graph.add_wait({2, 1}, {2, 77}, 5);
  graph.add_wait({2, 77}, {2, 2}, 5);
  graph.add_wait({3, 2}, {3, 1}, 5);
  EXPECT_EQ(graph.victims(0), (Processes{{0, 2}}));
}

TEST(WaitGraph, ProcessesOfNobodyAreNotOne) {
  // 77 of the one node and 78 of the other would close a cycle if they were the same.
  WaitGraph graph = with_sessions(1);
  graph.add_wait({2, 1}, {2, 77}, 5);
  graph.add_wait({3, 78}, {3, 1}, 5);
  graph.add_wait({3, 77}, {3, 1}, 5);
  EXPECT_EQ(graph.victims(0), Processes{});
}

TEST(WaitGraph, TwoCyclesTakeTwo) {
  WaitGraph graph = with_sessions(4);
  for (const std::uint32_t first : {1U, 3U}) {
    graph.add_wait({2, first}, {2, first + 1}, 5);
    graph.add_wait({3, first + 1}, {3, first}, 5);
  }
  EXPECT_EQ(graph.victims(0), (Processes{{0, 2}, {0, 4}}));
}

TEST(WaitGraph, OneVictimMayEndSeveralCycles) {
  WaitGraph graph = with_sessions(3);
  graph.add_wait({2, 1}, {2, 3}, 5);
  graph.add_wait({2, 2}, {2, 3}, 5);
  graph.add_wait({3, 3}, {3, 1}, 5);
  graph.add_wait({3, 3}, {3, 2}, 5);
  EXPECT_EQ(graph.victims(0), (Processes{{0, 3}}));
}

TEST(WaitGraph, OnlyWhatLastedCounts) {
  WaitGraph first = with_sessions(2);
  first.add_wait({2, 1}, {2, 2}, 5);
  first.add_wait({3, 2}, {3, 1}, 5);
  WaitGraph second = with_sessions(2);
  second.add_wait({2, 1}, {2, 2}, 5);
  second.add_wait({3, 2}, {3, 1}, 8);  // another wait
  EXPECT_EQ(second.victims(0).size(), 1U);
  second.keep_common(first);
  EXPECT_EQ(second.victims(0), Processes{});
}

// Without its victims nothing waits for itself, and without one of them something does.
RC_GTEST_PROP(WaitGraph, VictimsAreEnoughAndNeeded, ()) {
  const int count = *rc::gen::inRange(2, 7);
  const auto any = rc::gen::inRange(1, count + 1);
  const auto pairs = *rc::gen::container<std::vector<std::pair<int, int>>>(rc::gen::pair(any, any));
  const auto waits_without = [&](const Processes& gone, const Process* spared) {
    WaitGraph graph = with_sessions(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto is_gone = [&](int n) {
        const Process session{0, static_cast<std::uint32_t>(n)};
        if (spared != nullptr && session == *spared) return false;
        return std::find(gone.begin(), gone.end(), session) != gone.end();
      };
      if (is_gone(pairs[i].first) || is_gone(pairs[i].second)) continue;
      const int node = i % 2 == 0 ? 2 : 3;
      graph.add_wait({node, static_cast<std::uint32_t>(pairs[i].first)},
                     {node, static_cast<std::uint32_t>(pairs[i].second)}, 1);
    }
    return graph.victims(0);
  };
  const Processes victims = waits_without({}, nullptr);
  RC_ASSERT(waits_without(victims, nullptr).empty());
  if (!victims.empty()) RC_ASSERT(!waits_without(victims, &victims.back()).empty());
}

}  // namespace
}  // namespace polarsim::engine::cluster
