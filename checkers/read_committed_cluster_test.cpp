#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::concurrent;
using test::count_of;
using test::history_of;
using test::names_of;

using Names = std::set<std::string>;

const ClusterOptions two_nodes{.node_of_key = {{1, "dn1"}, {2, "dn2"}, {3, "dn1"}, {4, "dn2"}}};

// Sees key 1 after, and key 2 before the transaction that wrote both.
History fractured() {
  return concurrent({"ok [[:append 1 1] [:append 2 1] [:append 3 1]]", "ok [[:r 1 [1]] [:r 2 []]]", "ok [[:r 2 [1]]]"});
}

TEST(ReadCommittedCluster, AcrossNodesAFracturedReadIsAnExposure) {
  const Verdict verdict = check_read_committed_cluster(fractured(), two_nodes);
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_NE(verdict.reason.find("pending"), std::string::npos);
  EXPECT_TRUE(verdict.anomalies.empty());
  ASSERT_EQ(names_of(verdict.exposures), Names{"fractured-read"});
  EXPECT_EQ(verdict.exposures[0].explanation,
            "op 4 saw what op 3 wrote to key 1 on dn1, and then read [] from key 2 on dn2, without what the same "
            "transaction wrote there.");
}

TEST(ReadCommittedCluster, OnOneNodeItIsAViolation) {
  const Verdict verdict =
      check_read_committed_cluster(fractured(), {.node_of_key = {{1, "dn1"}, {2, "dn1"}, {3, "dn1"}}});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  ASSERT_EQ(names_of(verdict.anomalies), Names{"node-read-committed"});
  EXPECT_EQ(
      verdict.anomalies[0].explanation,
      "On dn1: The read of key 1 by op 4 showed what the commit of op 3 wrote (wr). The read of key 1 by op 4 came "
      "before the read of key 2 by op 4 in its session (program order). The read of key 2 by op 4 did not yet show "
      "what the commit of op 3 wrote to key 2 (rw). No order of the commits on this node lets each statement see "
      "what a prefix of it left.");
  EXPECT_TRUE(verdict.exposures.empty());
}

TEST(ReadCommittedCluster, StatementsMaySeeMoreAndMore) {
  const History later =
      concurrent({"ok [[:append 1 1] [:append 3 1]]", "ok [[:r 3 []] [:r 1 [1]]]", "ok [[:r 3 [1]]]"});
  EXPECT_EQ(check_read_committed_cluster(later, two_nodes).validity, Validity::valid);
}

TEST(ReadCommittedCluster, OwnWritesOfEarlierTransactionsAreSeenIfTheAcknowledgementWaits) {
  const History missed = history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", "invoke 0 [[:r 1 nil]]",
                                     "ok 0 [[:r 1 []]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 [1]]]"});
  EXPECT_EQ(names_of(check_read_committed_cluster(missed, two_nodes).anomalies), Names{"node-read-committed"});
  ClusterOptions early = two_nodes;
  early.acknowledged_after_second_phase = false;
  EXPECT_EQ(check_read_committed_cluster(missed, early).validity, Validity::valid);
}

TEST(ReadCommittedCluster, TheClusterIsAtAdyasReadCommitted) {
  EXPECT_EQ(names_of(check_read_committed_cluster(
                         concurrent({"ok [[:append 1 1] [:r 2 [1]]]", "ok [[:append 2 1] [:r 1 [1]]]"}), two_nodes)
                         .anomalies),
            Names{"G1c"});
}

TEST(ReadCommittedCluster, InTheEndTransactionsAreThereOrNot) {
  std::string lines;
  const auto at_rest = [](const std::string& first, const std::string& second) {
    History history = history_of({"invoke 0 [[:append 1 1] [:append 2 1]]", "info 0 [[:append 1 1] [:append 2 1]]",
                                  "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 " + first + "]]", "invoke 1 [[:r 2 nil]]",
                                  "ok 1 [[:r 2 " + second + "]]"});
    for (std::size_t i = 2; i < history.events.size(); ++i) history.events[i].extra.emplace_back("final?", "true");
    return history;
  };
  EXPECT_EQ(names_of(check_read_committed_cluster(at_rest("[1]", "[]"), two_nodes).anomalies), Names{"half-commit"});
  EXPECT_EQ(check_read_committed_cluster(at_rest("[1]", "[1]"), two_nodes).validity, Validity::valid);
}

// A cluster of two nodes. Statements lock what they append to and read what their node has committed; a transaction
// commits on one node after the other and is then acknowledged.
class Cluster {
 public:
  enum class Defect { none, torn_commit, stale_snapshot };

  Cluster(Choices choices, Defect defect) : choices_(std::move(choices)), defect_(defect), sessions_(8) {
    for (std::size_t i = 0; i < sessions_.size(); ++i) sessions_[i].process = static_cast<std::int64_t>(i);
  }

  History run(std::size_t transactions) {
    while (true) {
      std::vector<Session*> movable;
      for (Session& session : sessions_) {
        if (session.open || started_ < transactions) movable.push_back(&session);
      }
      if (movable.empty()) return std::move(history_);
      Session& next = *movable[choices_.below(movable.size())];
      // The second phase is slow, so that others look while it goes on.
      const bool committing = next.open && next.done.size() == next.asked.size() && !next.to_commit.empty();
      if (!committing || choices_.once_in(4)) step(next);
    }
  }

 private:
  struct Session {
    std::int64_t process = 0;
    bool open = false;
    Transaction asked, done;
    std::vector<MicroOp> to_commit;  // in the order of the second phase
  };

  void step(Session& session) {
    if (!session.open) {
      ++started_;
      session.open = true;
      session.done.clear();
      session.asked.clear();
      for (std::size_t n = 1 + choices_.below(6); n > 0; --n) {
        MicroOp op;
        op.key = 1 + static_cast<std::int64_t>(choices_.below(4));
        op.kind = choices_.once_in(3) ? MicroOp::Kind::append : MicroOp::Kind::read_list;
        if (op.kind == MicroOp::Kind::append) op.argument = ++next_value_;
        session.asked.push_back(op);
      }
      emit(session, EventType::invoke, session.asked);
    } else if (session.done.size() < session.asked.size()) {
      run_statement(session);
    } else if (!session.to_commit.empty()) {
      commit_on_next_node(session);
    } else {
      end(session, EventType::ok);
    }
  }

  void run_statement(Session& session) {
    MicroOp op = session.asked[session.done.size()];
    if (op.kind == MicroOp::Kind::append) {
      const auto [lock, taken] = locks_.try_emplace(op.key, &session);
      if (!taken && lock->second != &session) {
        session.to_commit.clear();
        end(session, EventType::fail);
        return;
      }
      // By node: the second phase goes to one after the other.
      const auto place = std::upper_bound(session.to_commit.begin(), session.to_commit.end(), op,
                                          [](const MicroOp& a, const MicroOp& b) { return a.key % 2 < b.key % 2; });
      session.to_commit.insert(place, op);
    } else {
      op.list = committed_[op.key];
      if (defect_ == Defect::stale_snapshot && !op.list.empty() && choices_.once_in(20)) op.list.pop_back();
      for (const MicroOp& own : session.done) {
        if (own.key == op.key && own.kind == MicroOp::Kind::append) op.list.push_back(own.argument);
      }
      op.known = true;
    }
    session.done.push_back(std::move(op));
  }

  void commit_on_next_node(Session& session) {
    const std::int64_t node = session.to_commit.front().key % 2;
    do {
      const MicroOp op = session.to_commit.front();
      session.to_commit.erase(session.to_commit.begin());
      committed_[op.key].push_back(op.argument);
      const bool again = std::any_of(session.to_commit.begin(), session.to_commit.end(),
                                     [&](const MicroOp& other) { return other.key == op.key; });
      if (!again) locks_.erase(op.key);
      if (defect_ == Defect::torn_commit && !again) return;
    } while (!session.to_commit.empty() && session.to_commit.front().key % 2 == node);
  }

  void end(Session& session, EventType type) {
    std::erase_if(locks_, [&](const auto& lock) { return lock.second == &session; });
    emit(session, type, type == EventType::ok ? session.done : session.asked);
    session.open = false;
  }

  void emit(const Session& session, EventType type, Transaction transaction) {
    Event event;
    event.index = static_cast<std::int64_t>(history_.events.size());
    event.time_ns = event.index * 1000;
    event.type = type;
    event.process = session.process;
    event.f = "txn";
    event.value = std::move(transaction);
    history_.events.push_back(std::move(event));
  }

  Choices choices_;
  Defect defect_;
  std::vector<Session> sessions_;
  std::map<std::int64_t, std::vector<std::int64_t>> committed_;
  std::map<std::int64_t, Session*> locks_;
  std::size_t started_ = 0;
  std::int64_t next_value_ = 0;
  History history_;
};

RC_GTEST_PROP(ReadCommittedClusterStores, AClusterThatKeepsThePromiseIsNeverInvalid, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const History history = Cluster(Choices({seed, i, seed * 7919 + i}), Cluster::Defect::none).run(60);
    const Verdict verdict = check_read_committed_cluster(history, two_nodes);
    if (verdict.validity == Validity::invalid) RC_FAIL(test::text_of(verdict));
  }
}

TEST(ReadCommittedClusterStores, DefectsOfANodeAreCaughtAndExposuresSeen) {
  std::map<Cluster::Defect, int> caught;
  std::uint64_t fractured_reads = 0;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    for (const Cluster::Defect defect :
         {Cluster::Defect::none, Cluster::Defect::torn_commit, Cluster::Defect::stale_snapshot}) {
      const Verdict verdict =
          check_read_committed_cluster(Cluster(Choices({seed, seed * 7919 + 1, 3 * seed}), defect).run(600), two_nodes);
      if (defect == Cluster::Defect::none) fractured_reads += count_of(verdict, "fractured-read");
      if (names_of(verdict.anomalies).contains("node-read-committed")) ++caught[defect];
    }
  }
  EXPECT_EQ(caught[Cluster::Defect::none], 0);
  EXPECT_GE(caught[Cluster::Defect::torn_commit], 15);
  EXPECT_GE(caught[Cluster::Defect::stale_snapshot], 45);
  EXPECT_GT(fractured_reads, 20U);
}

}  // namespace
}  // namespace polarsim::checkers
