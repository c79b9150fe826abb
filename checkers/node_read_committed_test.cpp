#include "checkers/node_read_committed.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using Piece = NodeHistory::Piece;
using Version = NodeHistory::Version;

// Whether some order of all pieces keeps the order of each session and every snapshot shows what the commits before it
// left, by trying all orders.
bool some_order_holds(const NodeHistory& history) {
  std::vector<std::uint32_t> order(history.pieces.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto keeps_sessions = [&] {
    std::vector<std::size_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    for (const auto& session : history.sessions) {
      for (std::size_t i = 0; i < session.size(); ++i) {
        for (std::size_t j = i + 1; j < session.size(); ++j) {
          const bool free = !history.sessions_see_own_commits && history.pieces[session[i]].commit;
          if (!free && place[session[i]] > place[session[j]]) return false;
        }
      }
    }
    return true;
  };
  const auto shows_prefixes = [&] {
    std::map<std::uint32_t, std::uint32_t> state;
    for (const std::uint32_t piece : order) {
      for (const Version& version : history.pieces[piece].versions) {
        if (history.pieces[piece].commit) {
          if (version.number != state[version.key] + 1) return false;
          state[version.key] = version.number;
        } else if (state[version.key] != version.number) {
          return false;
        }
      }
    }
    return true;
  };
  do {
    if (keeps_sessions() && shows_prefixes()) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

// At most seven pieces over two keys; each version is written once.
NodeHistory make_history(Choices& choices) {
  NodeHistory history;
  const std::size_t count = 2 + choices.below(6);
  const std::size_t sessions = 1 + choices.below(3);
  history.sessions.resize(sessions);
  history.sessions_see_own_commits = choices.once_in(2);
  std::uint32_t written[2] = {0, 0};
  std::vector<std::size_t> snapshots;
  for (std::size_t i = 0; i < count; ++i) {
    Piece piece;
    piece.commit = choices.once_in(2);
    for (std::uint32_t key = 0; key < 2; ++key) {
      if (choices.once_in(3)) continue;
      if (piece.commit) piece.versions.push_back({key, ++written[key]});
      if (!piece.commit) piece.versions.push_back({key, 0});
    }
    history.pieces.push_back(std::move(piece));
  }
  // Numbers of versions do not follow the order of the pieces.
  for (Piece& piece : history.pieces) {
    if (!piece.commit) {
      for (Version& version : piece.versions)
        version.number = static_cast<std::uint32_t>(choices.below(written[version.key] + 1));
    }
  }
  for (std::size_t i = history.pieces.size(); i-- > 1;)
    std::swap(history.pieces[i], history.pieces[choices.below(i + 1)]);
  for (std::uint32_t i = 0; i < history.pieces.size(); ++i) history.sessions[choices.below(sessions)].push_back(i);
  return history;
}

void check_against_all_orders(Choices& choices) {
  const NodeHistory history = make_history(choices);
  const NodeVerdict verdict = decide(history);
  RC_ASSERT(verdict.holds == some_order_holds(history));
  RC_ASSERT(verdict.holds == verdict.contradictions.empty());
  for (const auto& cycle : verdict.contradictions) {
    RC_ASSERT(cycle.size() >= 2U);
    for (std::size_t i = 0; i < cycle.size(); ++i) RC_ASSERT(cycle[i].after == cycle[(i + 1) % cycle.size()].before);
  }
}

RC_GTEST_PROP(NodeReadCommitted, AgreesWithTryingAllOrders, ()) {
  Choices choices(*rc::gen::container<std::vector<std::uint32_t>>(60, rc::gen::arbitrary<std::uint32_t>()));
  check_against_all_orders(choices);
}

RC_GTEST_PROP(NodeReadCommitted, AgreesWithTryingAllOrdersOfManyHistories, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 20; ++i) {
    Choices choices({seed, i, seed ^ i, i * 2654435761U});
    check_against_all_orders(choices);
  }
}

// One statement sees a transaction's write to one row and misses it on another row of the same node.
TEST(NodeReadCommittedTest, AStatementSeesAllOfATransactionOrNothing) {
  NodeHistory history;
  history.pieces = {{true, {{0, 1}, {1, 1}}}, {false, {{0, 1}, {1, 0}}}};
  history.sessions = {{0}, {1}};
  const NodeVerdict verdict = decide(history);
  ASSERT_EQ(verdict.contradictions.size(), 1U);
  const auto& cycle = verdict.contradictions[0];
  ASSERT_EQ(cycle.size(), 2U);
  EXPECT_EQ(cycle[0].reason, NodeConstraint::Reason::wr);
  EXPECT_EQ(cycle[0].key, 0U);
  EXPECT_EQ(cycle[1].reason, NodeConstraint::Reason::rw);
  EXPECT_EQ(cycle[1].key, 1U);
  EXPECT_EQ(cycle[1].version, 0U);
}

TEST(NodeReadCommittedTest, StatementsOfATransactionMaySeeDifferentStates) {
  NodeHistory history;
  history.pieces = {{true, {{0, 1}, {1, 1}}}, {false, {{1, 0}}}, {false, {{0, 1}}}};
  history.sessions = {{0}, {1, 2}};
  EXPECT_TRUE(decide(history).holds);
  // But they do not go back.
  history.sessions = {{0}, {2, 1}};
  EXPECT_FALSE(decide(history).holds);
}

TEST(NodeReadCommittedTest, WhetherASessionSeesItsOwnCommitIsAsTold) {
  NodeHistory history;
  history.pieces = {{true, {{0, 1}}}, {false, {{0, 0}}}};
  history.sessions = {{0, 1}};
  EXPECT_FALSE(decide(history).holds);
  history.sessions_see_own_commits = false;
  EXPECT_TRUE(decide(history).holds);
}

}  // namespace
}  // namespace polarsim::checkers
