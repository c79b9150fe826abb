#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "checkers/checkers.h"
#include "checkers/cluster_log.h"
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

// Process 0 is told that its transaction is committed, and then reads key 1 without it.
History own_missed(const std::string& first, const std::string& then) {
  return history_of({"invoke 0 " + first, "ok 0 " + first, "invoke 0 [[:r 1 nil]]", "ok 0 [[:r 1 []]]", "invoke 1 []",
                     "ok 1 " + then});
}

TEST(ReadCommittedCluster, WhatCommitsOnOneNodeIsSeenOnceAcknowledged) {
  const Verdict verdict = check_read_committed_cluster(own_missed("[[:append 1 1]]", "[[:r 1 [1]]]"), two_nodes);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"read-your-writes"});
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 3 read [] from key 1 on dn1, without what op 1 appended, which the same session had been told is "
            "committed before it asked.");
}

TEST(ReadCommittedCluster, WhatCommitsInTwoPhasesMayBePendingOnANodeWhenItIsAcknowledged) {
  const History missed = own_missed("[[:append 1 1] [:append 2 1]]", "[[:r 1 [1]] [:r 2 [1]]]");
  const Verdict verdict = check_read_committed_cluster(missed, two_nodes);
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_NE(verdict.reason.find("acknowledged only while"), std::string::npos);
  ClusterOptions always = two_nodes;
  always.read_your_writes = ReadYourWrites::always;
  const Names found = names_of(check_read_committed_cluster(missed, always).anomalies);
  EXPECT_EQ(found, (Names{"read-your-writes", "node-read-committed"}));
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

// The fractured read of above, with what the nodes did: dn2 is told the line `between` after dn1 has committed.
History observed(const std::vector<std::string>& before_read, const std::vector<std::string>& after_read) {
  std::vector<std::string> lines = {"invoke 0 [[:append 1 1] [:append 2 1]]",
                                    R"(info :nemesis placement {1 "dn1" 2 "dn2"})",
                                    R"(info :nemesis prepare {:op 0 :node "dn1" :position 1})"};
  lines.insert(lines.end(), before_read.begin(), before_read.end());
  lines.emplace_back(R"(info :nemesis commit {:op 0 :node "dn1" :position 2})");
  const std::size_t read = lines.size();
  lines.emplace_back("invoke 1 [[:r 1 nil] [:r 2 nil]]");
  lines.emplace_back("ok 1 [[:r 1 [1]] [:r 2 []]]");
  lines.insert(lines.end(), after_read.begin(), after_read.end());
  lines.emplace_back("ok 0 [[:append 1 1] [:append 2 1]]");
  lines.emplace_back("invoke 1 [[:r 2 nil]]");
  lines.emplace_back("ok 1 [[:r 2 [1]]]");
  History history = history_of(lines);
  history.events[read + 1].extra.emplace_back("snapshots", R"([["dn1" 3 5500] ["dn2" 20 5600]])");
  return history;
}

const std::string prepared_first = R"(info :nemesis prepare {:op 0 :node "dn2" :position 10})";
const std::string committed_later = R"(info :nemesis commit {:op 0 :node "dn2" :position 30})";

TEST(ReadCommittedCluster, AFracturedReadIsExcusedWhileTheCommitIsPending) {
  const Verdict verdict = check_read_committed_cluster(observed({prepared_first}, {committed_later}));
  EXPECT_EQ(verdict.validity, Validity::valid) << test::text_of(verdict);
  ASSERT_EQ(names_of(verdict.exposures), Names{"fractured-read"});
  EXPECT_EQ(verdict.exposures[0].explanation,
            "op 6 saw what op 8 wrote to key 1 on dn1, and then read [] from key 2 on "
            "dn2 at 0.000005 s, without what the same transaction wrote there: its commit was pending on dn2 from "
            "0.000004 s to 0.000007 s.");
}

TEST(ReadCommittedCluster, AFracturedReadWithoutAPendingCommitIsAViolation) {
  Verdict verdict = check_read_committed_cluster(
      observed({}, {R"(info :nemesis prepare {:op 0 :node "dn2" :position 25})", committed_later}));
  EXPECT_EQ(verdict.validity, Validity::invalid);
  ASSERT_EQ(names_of(verdict.anomalies), Names{"unexcused-fractured-read"});
  EXPECT_NE(verdict.anomalies[0].explanation.find("had not even been prepared on dn2"), std::string::npos);

  verdict = check_read_committed_cluster(
      observed({prepared_first, R"(info :nemesis commit {:op 0 :node "dn2" :position 15})"}, {}));
  EXPECT_EQ(names_of(verdict.anomalies), (Names{"unexcused-fractured-read", "node-read-committed"}));

  verdict = check_read_committed_cluster(
      observed({prepared_first, R"(info :nemesis abort {:op 0 :node "dn2" :position 15})"}, {}));
  EXPECT_EQ(names_of(verdict.anomalies), (Names{"unexcused-fractured-read", "half-commit"}));
}

TEST(ReadCommittedCluster, ACommitOfNobodyKnowsWhomLeavesItUndecided) {
  const Verdict verdict =
      check_read_committed_cluster(observed({}, {R"(info :nemesis commit {:op nil :node "dn2" :position 30})"}));
  EXPECT_EQ(verdict.validity, Validity::unknown) << test::text_of(verdict);
}

TEST(ReadCommittedCluster, TransactionsEndAsTheyWereToldTo) {
  const auto names_with = [](std::vector<std::string> lines) {
    lines.insert(lines.begin(), R"(info :nemesis placement {1 "dn1" 2 "dn2"})");
    // A history without any dependency is not judged.
    for (const char* line : {"invoke 9 [[:append 7 1]]", "ok 9 [[:append 7 1]]", "invoke 9 []", "ok 9 [[:r 7 [1]]]"})
      lines.emplace_back(line);
    const History history = history_of(lines);
    return names_of(check_read_committed_cluster(history).anomalies);
  };
  const std::string commit = R"(info :nemesis commit {:op 1 :node "dn1" :position 1})";
  const std::string abort = R"(info :nemesis abort {:op 1 :node "dn1" :position 2})";
  const std::string invoke = "invoke 0 [[:append 1 1]]";
  EXPECT_EQ(names_with({invoke, commit, "fail 0 [[:append 1 1]]"}), Names{"resurrected-abort"});
  EXPECT_EQ(names_with({invoke, abort, "ok 0 [[:append 1 1]]"}), Names{"lost-commit"});
  EXPECT_EQ(names_with({invoke, commit, abort, "ok 0 [[:append 1 1]]"}), Names{"lost-commit"});
  EXPECT_EQ(names_with({invoke, commit, "ok 0 [[:append 1 1]]", "info :nemesis rest []"}), Names{});
  EXPECT_EQ(names_with({"invoke 0 [[:append 1 1] [:append 2 1]]", commit, "info 0 nil", "info :nemesis rest []"}),
            Names{"half-commit"});
  const std::string prepare = R"(info :nemesis prepare {:op 1 :node "dn2" :position 2 :gid "g"})";
  EXPECT_EQ(names_with({"invoke 0 [[:append 1 1] [:append 2 1]]", prepare, commit, "info 0 nil",
                        R"(info :nemesis rest [["dn2" "g"]])"}),
            Names{"stuck-prepared"});
  History final =
      history_of({"invoke 0 [[:append 1 1]]", "fail 0 [[:append 1 1]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 [1]]]",
                  "invoke 2 [[:append 7 1]]", "ok 2 [[:append 7 1]]", "invoke 2 []", "ok 2 [[:r 7 [1]]]"});
  final.events[3].extra.emplace_back("final?", "true");
  EXPECT_EQ(names_of(check_read_committed_cluster(final).anomalies), (Names{"G1a", "resurrected-abort"}));
}

TEST(ReadCommittedCluster, WhatIsToldOfNodesMustBeUnderstood) {
  const History history = history_of({"invoke 0 [[:append 1 1]]", "info :nemesis placement [1]"});
  const Verdict verdict = check_read_committed_cluster(history);
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_NE(verdict.reason.find("op 1: placement: expected"), std::string::npos);
}

// A cluster of two nodes, dn2 with the even keys. Statements lock what they append to and read what their node has
// committed; a transaction is prepared on its nodes, commits on one after the other and is then acknowledged.
class Cluster {
 public:
  enum class Defect {
    none,
    torn_commit,
    stale_snapshot,
    late_prepare,           // commits on one node before it is prepared on the other
    early_acknowledgement,  // when it is decided, but pending on a node
    lost_branch,            // what is prepared is now and then forgotten
  };

  // `observed`: the history tells what happens in the nodes.
  Cluster(Choices choices, Defect defect, bool observed = false)
      : choices_(std::move(choices)), defect_(defect), observed_(observed), sessions_(8) {
    for (std::size_t i = 0; i < sessions_.size(); ++i) sessions_[i].process = static_cast<std::int64_t>(i);
  }

  History run(std::size_t transactions) {
    while (true) {
      std::vector<Session*> movable;
      for (Session& session : sessions_) {
        if (session.open || started_ < transactions) movable.push_back(&session);
      }
      if (movable.empty()) return std::move(history_);  // nothing is pending
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
    std::set<std::int64_t> prepared;
    std::int64_t invoked = 0;
    std::string snapshots;
    bool acknowledged = false;
  };

  void step(Session& session) {
    if (!session.open) {
      ++started_;
      session.open = true;
      session.acknowledged = false;
      session.prepared.clear();
      session.snapshots.clear();
      session.done.clear();
      session.asked.clear();
      for (std::size_t n = 1 + choices_.below(6); n > 0; --n) {
        MicroOp op;
        op.key = 1 + static_cast<std::int64_t>(choices_.below(4));
        op.kind = choices_.once_in(3) ? MicroOp::Kind::append : MicroOp::Kind::read_list;
        if (op.kind == MicroOp::Kind::append) op.argument = ++next_value_;
        session.asked.push_back(op);
      }
      session.invoked = static_cast<std::int64_t>(history_.events.size());
      emit(session, EventType::invoke, session.asked);
    } else if (session.done.size() < session.asked.size()) {
      run_statement(session);
    } else if (!session.to_commit.empty()) {
      if (prepare(session)) return;
      commit_on_next_node(session);
      // Told to the client now, and pending on the other node; the session asks for nothing else before it is not.
      if (defect_ == Defect::early_acknowledgement && !session.acknowledged && !session.to_commit.empty()) {
        session.acknowledged = true;
        emit(session, EventType::ok, session.done);
      }
    } else if (session.acknowledged) {
      finish(session);
    } else {
      end(session, EventType::ok);
    }
  }

  // One node; false if there is nothing to prepare.
  bool prepare(Session& session) {
    std::set<std::int64_t> nodes;
    for (const MicroOp& op : session.to_commit) nodes.insert(op.key % 2);
    // A transaction on one node commits there in one step.
    if (nodes.size() < 2 && session.prepared.empty()) return false;
    for (const std::int64_t node : nodes) {
      const bool late = defect_ == Defect::late_prepare && node != session.to_commit.front().key % 2;
      if (late || !session.prepared.insert(node).second) continue;
      tell(session, "prepare", node);
      return true;
    }
    return false;
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
      if (observed_) {
        const std::int64_t node = op.key % 2;
        session.snapshots += (session.snapshots.empty() ? "[\"" : " [\"") + name_of(node) + "\" " +
                             std::to_string(++positions_[node]) + " " + std::to_string(now()) + "]";
      }
      const bool own = std::any_of(session.done.begin(), session.done.end(), [&](const MicroOp& other) {
        return other.key == op.key && other.kind == MicroOp::Kind::append;
      });
      if (defect_ == Defect::stale_snapshot && !own && !op.list.empty() && choices_.once_in(20)) op.list.pop_back();
      for (const MicroOp& done : session.done) {
        if (done.key == op.key && done.kind == MicroOp::Kind::append) op.list.push_back(done.argument);
      }
      op.known = true;
    }
    if (op.kind == MicroOp::Kind::append) session.snapshots += session.snapshots.empty() ? "nil" : " nil";
    session.done.push_back(std::move(op));
  }

  void commit_on_next_node(Session& session) {
    const std::int64_t node = session.to_commit.front().key % 2;
    const bool last = std::all_of(session.to_commit.begin(), session.to_commit.end(),
                                  [&](const MicroOp& op) { return op.key % 2 == node; });
    if (defect_ == Defect::lost_branch && last && session.prepared.size() == 2 && choices_.once_in(10)) {
      tell(session, "abort", node);
      session.to_commit.clear();
      return;
    }
    if (defect_ == Defect::late_prepare && session.prepared.size() == 1 && last) {
      session.prepared.insert(node);
      tell(session, "prepare", node);
      return;
    }
    tell(session, "commit", node);
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

  void finish(Session& session) {
    std::erase_if(locks_, [&](const auto& lock) { return lock.second == &session; });
    session.open = false;
  }

  static std::string name_of(std::int64_t node) { return node == 1 ? "dn1" : "dn2"; }
  std::int64_t now() const { return static_cast<std::int64_t>(history_.events.size()) * 1000; }

  void tell(const Session& session, const char* what, std::int64_t node) {
    const std::uint64_t position = ++positions_[node];
    if (!observed_) return;
    Event event;
    event.index = static_cast<std::int64_t>(history_.events.size());
    event.time_ns = now();
    event.type = EventType::info;
    event.process = nemesis_process;
    event.f = what;
    event.value = Opaque{"{:op " + std::to_string(session.invoked) + " :node \"" + name_of(node) + "\" :position " +
                         std::to_string(position) + "}"};
    history_.events.push_back(std::move(event));
  }

  void emit(const Session& session, EventType type, Transaction transaction) {
    Event event;
    event.index = static_cast<std::int64_t>(history_.events.size());
    event.time_ns = event.index * 1000;
    event.type = type;
    event.process = session.process;
    event.f = "txn";
    event.value = std::move(transaction);
    if (observed_ && type == EventType::ok) event.extra.emplace_back("snapshots", "[" + session.snapshots + "]");
    history_.events.push_back(std::move(event));
  }

  Choices choices_;
  Defect defect_;
  bool observed_;
  std::map<std::int64_t, std::uint64_t> positions_;
  std::vector<Session> sessions_;
  std::map<std::int64_t, std::vector<std::int64_t>> committed_;
  std::map<std::int64_t, Session*> locks_;
  std::size_t started_ = 0;
  std::int64_t next_value_ = 0;
  History history_;
};

// The same question as the checker's, asked without any search: whether each read of an acknowledged transaction shows
// what the history tells of commits before its snapshot. Own writes are left out as in the checker.
bool reads_follow_the_log(const History& history) {
  auto log = read_cluster_log(history);
  if (!log) return false;
  std::map<std::int64_t, const Transaction*> asked;  // by :index of the invocation
  for (const Event& event : history.events) {
    if (event.type == EventType::invoke) asked[event.index] = &std::get<Transaction>(event.value);
  }
  for (const Event& event : history.events) {
    if (event.process == nemesis_process || event.type != EventType::ok) continue;
    std::vector<SnapshotAt> snapshots;
    if (!read_snapshots(event, *log, snapshots)) return false;
    std::set<std::int64_t> own;
    const Transaction& transaction = std::get<Transaction>(event.value);
    for (std::size_t i = 0; i < transaction.size(); ++i) {
      const MicroOp& op = transaction[i];
      if (op.kind == MicroOp::Kind::append) own.insert(op.key);
      if (op.kind == MicroOp::Kind::append || own.contains(op.key)) continue;
      std::vector<std::int64_t> expected;
      for (const ClusterLog::BranchEvent& branch : log->branches) {
        if (branch.kind != ClusterLog::BranchEvent::Kind::commit || branch.node != snapshots[i].node ||
            branch.moment.position > snapshots[i].moment.position) {
          continue;
        }
        for (const MicroOp& written : *asked.at(branch.operation)) {
          if (written.kind == MicroOp::Kind::append && written.key == op.key) expected.push_back(written.argument);
        }
      }
      if (op.list != expected) return false;
    }
  }
  return true;
}

using Defect = Cluster::Defect;

Verdict judge_observed(std::uint32_t seed, Defect defect, ReadYourWrites reading = ReadYourWrites::unless_pending) {
  ClusterOptions options = two_nodes;
  options.read_your_writes = reading;
  return check_read_committed_cluster(Cluster(Choices({seed, seed * 7919 + 1, 3 * seed}), defect, true).run(400),
                                      options);
}

// With moments nothing is left undecided.
RC_GTEST_PROP(ReadCommittedClusterStores, AnObservedClusterThatKeepsThePromiseIsValid, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const History history = Cluster(Choices({seed, i, seed * 7919 + i}), Defect::none, true).run(80);
    RC_ASSERT(reads_follow_the_log(history));
    for (const ReadYourWrites reading : {ReadYourWrites::unless_pending, ReadYourWrites::always}) {
      ClusterOptions options = two_nodes;
      options.read_your_writes = reading;
      const Verdict verdict = check_read_committed_cluster(history, options);
      if (verdict.validity != Validity::valid) RC_FAIL(test::text_of(verdict));
    }
  }
}

RC_GTEST_PROP(ReadCommittedClusterStores, ReadsAgainstTheirSnapshotsAgreeWithReplayingTheCommits, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const History history = Cluster(Choices({seed, i, seed * 7919 + i}), Defect::stale_snapshot, true).run(20);
    const Verdict verdict = check_read_committed_cluster(history, two_nodes);
    if (reads_follow_the_log(history)) {
      RC_ASSERT(!names_of(verdict.anomalies).contains("node-read-committed"));
    } else {
      RC_ASSERT(verdict.validity == Validity::invalid);
    }
  }
}

TEST(ReadCommittedClusterStores, WhatIsMissedIsExcusedByAPendingCommitOnly) {
  std::map<Defect, std::map<std::string, std::uint64_t>> counts;
  std::map<Defect, int> invalid, strictly_invalid;
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    for (const Defect defect :
         {Defect::none, Defect::late_prepare, Defect::early_acknowledgement, Defect::lost_branch}) {
      const Verdict verdict = judge_observed(seed, defect);
      for (const auto& [name, number] : verdict.counts) counts[defect][name] += number;
      if (verdict.validity != Validity::valid) ++invalid[defect];
      if (judge_observed(seed, defect, ReadYourWrites::always).validity != Validity::valid) ++strictly_invalid[defect];
    }
  }
  EXPECT_EQ(invalid[Defect::none], 0);
  EXPECT_EQ(strictly_invalid[Defect::none], 0);
  EXPECT_GT(counts[Defect::none]["fractured-read"], 20U);
  EXPECT_EQ(counts[Defect::none]["unexcused-fractured-read"], 0U);
  EXPECT_GE(invalid[Defect::late_prepare], 10);
  EXPECT_GE(counts[Defect::late_prepare]["unexcused-fractured-read"], 10U);
  // Permitted under one reading of what an acknowledgement means, forbidden under the other.
  EXPECT_EQ(invalid[Defect::early_acknowledgement], 0);
  EXPECT_GE(strictly_invalid[Defect::early_acknowledgement], 20);
  EXPECT_GT(counts[Defect::early_acknowledgement]["pending-write"], 20U);
  EXPECT_GE(invalid[Defect::lost_branch], 10);
  EXPECT_GE(counts[Defect::lost_branch]["half-commit"], 10U);
}

RC_GTEST_PROP(ReadCommittedClusterStores, AClusterThatKeepsThePromiseIsNeverInvalid, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const History history = Cluster(Choices({seed, i, seed * 7919 + i}), Defect::none).run(60);
    const Verdict verdict = check_read_committed_cluster(history, two_nodes);
    if (verdict.validity == Validity::invalid) RC_FAIL(test::text_of(verdict));
  }
}

TEST(ReadCommittedClusterStores, DefectsOfANodeAreCaughtAndExposuresSeen) {
  std::map<Cluster::Defect, int> caught;
  std::uint64_t fractured_reads = 0;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    for (const Cluster::Defect defect : {Defect::none, Defect::torn_commit, Defect::stale_snapshot}) {
      const Verdict verdict =
          check_read_committed_cluster(Cluster(Choices({seed, seed * 7919 + 1, 3 * seed}), defect).run(600), two_nodes);
      if (defect == Defect::none) fractured_reads += count_of(verdict, "fractured-read");
      if (names_of(verdict.anomalies).contains("node-read-committed")) ++caught[defect];
    }
  }
  EXPECT_EQ(caught[Defect::none], 0);
  EXPECT_GE(caught[Defect::torn_commit], 15);
  EXPECT_GE(caught[Defect::stale_snapshot], 45);
  EXPECT_GT(fractured_reads, 20U);
}

}  // namespace
}  // namespace polarsim::checkers
