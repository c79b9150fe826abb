#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::concurrent;
using test::count_of;
using test::history_of;
using test::names_of;
using Names = std::set<std::string>;
using Models = std::vector<std::string>;

Verdict strictly(const History& history) { return check_list_append(history, {"strict-serializable"}); }
Verdict at(const History& history, const char* model) { return check_list_append(history, {model}); }

// The anomalies of transactions that all ran at once.
Names anomalies_of(const std::vector<std::string>& ends) { return names_of(strictly(concurrent(ends)).anomalies); }

TEST(ListAppend, CleanHistoryIsValid) {
  const Verdict verdict = strictly(history_of({"invoke 0 [[:append 1 1] [:r 2 nil]]", "ok 0 [[:append 1 1] [:r 2 nil]]",
                                               "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 [1]]]"}));
  EXPECT_EQ(verdict.validity, Validity::valid);
  EXPECT_EQ(verdict.checker, "list-append");
  EXPECT_EQ(verdict.operations_checked, 2U);
  EXPECT_TRUE(verdict.anomalies.empty());
  EXPECT_TRUE(verdict.counts.empty());
}

TEST(ListAppend, WriteCycleIsG0) {
  const std::vector<std::string> ends = {"ok [[:append 1 1] [:append 2 1]]", "ok [[:append 1 2] [:append 2 2]]",
                                         "ok [[:r 1 [1 2]] [:r 2 [2 1]]]"};
  const Verdict verdict = strictly(concurrent(ends));
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G0"});
  EXPECT_EQ(verdict.not_models, Models{"read-uncommitted"});
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 4 (1 us to 4 us) appended 2 to key 1 directly after the 1 of op 3 (0 ms to 3 us), as op 5 (2 us to 5 "
            "us) read it ([1 2]), so op 3 comes before op 4 (ww).\n"
            "op 3 appended 1 to key 2 directly after the 2 of op 4, as op 5 read it ([2 1]), so op 4 comes before op 3 "
            "(ww).\n"
            "So op 3 would come before itself. A circle of overwrites alone rules out PL-1.");
}

TEST(ListAppend, ReadCycleIsG1c) {
  const Verdict verdict = strictly(concurrent({"ok [[:append 1 1] [:r 2 [1]]]", "ok [[:append 2 1] [:r 1 [1]]]"}));
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G1c"});
  EXPECT_NE(verdict.anomalies[0].explanation.find(
                "op 2 read key 2 as [1], whose last element op 3 appended, so op 3 comes before op 2 (wr)"),
            std::string::npos)
      << verdict.anomalies[0].explanation;
  EXPECT_EQ(verdict.not_models, Models{"read-committed"});
}

TEST(ListAppend, ReadSkewIsGSingle) {
  const Verdict verdict = strictly(concurrent({"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 [1]] [:r 2 nil]]"}));
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G-single-item"});
  EXPECT_NE(verdict.anomalies[0].explanation.find(
                "op 3 read key 1 as [1], whose last element op 2 appended, so op 2 comes before op 3 (wr)"),
            std::string::npos)
      << verdict.anomalies[0].explanation;
}

TEST(ListAppend, LongForkIsGNonadjacent) {
  EXPECT_EQ(anomalies_of({"ok [[:append 1 1]]", "ok [[:append 2 1]]", "ok [[:r 1 [1]] [:r 2 nil]]",
                          "ok [[:r 1 nil] [:r 2 [1]]]"}),
            Names{"G-nonadjacent-item"});
}

TEST(ListAppend, WriteSkewIsG2) {
  EXPECT_EQ(anomalies_of({"ok [[:append 1 1] [:r 2 nil]]", "ok [[:append 2 1] [:r 1 nil]]"}), Names{"G2-item"});
}

TEST(ListAppend, StaleReadIsARealTimeAnomaly) {
  const History history =
      history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 nil]]"});
  const Verdict verdict = strictly(history);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G-single-item-realtime"});
  EXPECT_NE(verdict.anomalies[0].explanation.find(
                "although op 1 (0 ms to 1 us), acknowledged 1 us before, had appended 1 to it."),
            std::string::npos);
  EXPECT_EQ(at(history, "serializable").validity, Validity::valid);
  EXPECT_EQ(at(history, "strong-session-serializable").validity, Validity::valid);
}

TEST(ListAppend, LostAppendInRealTimeIsG0Realtime) {
  const Verdict verdict =
      strictly(history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", "invoke 1 [[:append 1 2]]",
                           "ok 1 [[:append 1 2]]", "invoke 2 [[:r 1 nil]]", "ok 2 [[:r 1 [2 1]]]"}));
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G0-realtime"});
  EXPECT_EQ(verdict.not_models, Models{"strong-read-uncommitted"});
}

TEST(ListAppend, NotReadingOnesOwnEarlierWriteIsAProcessAnomaly) {
  const History history =
      history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", "invoke 0 [[:r 1 nil]]", "ok 0 [[:r 1 nil]]"});
  const Verdict verdict = at(history, "strong-session-serializable");
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G-single-item-process"});
  EXPECT_NE(
      verdict.anomalies[0].explanation.find("although op 1 (0 ms to 1 us), before it in process 0, had appended 1"),
      std::string::npos);
  EXPECT_EQ(at(history, "serializable").validity, Validity::valid);
}

TEST(ListAppend, ReadOfAFailedAppendIsG1a) {
  const Verdict verdict = strictly(concurrent({"fail [[:append 1 1]]", "ok [[:r 1 [1]]]"}));
  EXPECT_TRUE(names_of(verdict.anomalies).contains("G1a"));
  EXPECT_EQ(verdict.anomalies[0].explanation, "op 3 read [1] from key 1, but op 2, which appended 1, failed.");
  EXPECT_EQ(at(concurrent({"fail [[:append 1 1]]", "ok [[:r 1 [1]]]"}), "read-committed").validity, Validity::invalid);
}

TEST(ListAppend, UnknownOutcomesExcuseReads) {
  EXPECT_TRUE(names_of(strictly(concurrent({"info [[:append 1 1]]", "ok [[:r 1 [1]]]"})).anomalies).empty());
  // One that never ends counts as unknown too.
  EXPECT_EQ(strictly(history_of({"invoke 0 [[:append 1 1]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 [1]]]"})).validity,
            Validity::valid);
  // What an unknown transaction asked for is taken from its invocation if its end does not say.
  EXPECT_EQ(
      strictly(history_of({"invoke 0 [[:append 1 1]]", "invoke 1 [[:r 1 nil]]", "info 0 nil", "ok 1 [[:r 1 [1]]]"}))
          .validity,
      Validity::valid);
}

TEST(ListAppend, ReadOfTheMiddleOfATransactionIsG1b) {
  EXPECT_EQ(anomalies_of({"ok [[:append 1 1] [:append 1 2]]", "ok [[:r 1 [1]]]", "ok [[:r 1 [1 2]]]"}),
            (Names{"G1b", "G-single-item"}));
}

TEST(ListAppend, CommitOnTopOfAnAbortIsADirtyUpdate) {
  EXPECT_EQ(anomalies_of({"fail [[:append 1 1]]", "ok [[:append 1 2]]", "ok [[:r 1 [1 2]]]"}),
            (Names{"G1a", "dirty-update"}));
  EXPECT_EQ(anomalies_of({"fail [[:append 1 1]]", "info [[:append 1 2]]", "ok [[:append 1 3]]", "ok [[:r 1 [1 2 3]]]"}),
            (Names{"G1a", "dirty-update"}));
  EXPECT_EQ(anomalies_of({"fail [[:append 1 1]]", "info [[:append 1 2]]", "ok [[:r 1 [1 2]]]"}), Names{"G1a"});
}

TEST(ListAppend, RepeatedElements) {
  EXPECT_EQ(anomalies_of({"ok [[:append 1 1]]", "ok [[:append 1 2]]", "ok [[:r 1 [1 2 1]]]"}),
            Names{"duplicate-elements"});
}

TEST(ListAppend, IncompatibleOrders) {
  const Verdict verdict =
      strictly(concurrent({"ok [[:append 1 1]]", "ok [[:append 1 2]]", "ok [[:r 1 [1]]]", "ok [[:r 1 [2]]]"}));
  EXPECT_TRUE(names_of(verdict.anomalies).contains("incompatible-order"));
  EXPECT_EQ(verdict.not_models, Models{"read-committed"});
}

TEST(ListAppend, ValuesOutOfNowhere) {
  const Verdict verdict = at(concurrent({"ok [[:append 1 1]]", "ok [[:r 1 [7 1]]]"}), "read-uncommitted");
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"thin-air-read"});
}

TEST(ListAppend, LostUpdate) {
  EXPECT_EQ(anomalies_of({"ok [[:r 1 nil] [:append 1 1]]", "ok [[:r 1 nil] [:append 1 2]]"}),
            (Names{"lost-update", "G2-item"}));
  EXPECT_FALSE(
      anomalies_of({"ok [[:r 1 nil] [:append 1 1]]", "info [[:r 1 nil] [:append 1 2]]"}).contains("lost-update"));
  EXPECT_FALSE(
      anomalies_of({"ok [[:r 1 nil] [:append 1 1]]", "ok [[:append 1 2] [:r 1 [1 2]]]"}).contains("lost-update"));
}

TEST(ListAppend, FutureRead) { EXPECT_TRUE(anomalies_of({"ok [[:r 1 [1]] [:append 1 1]]"}).contains("future-read")); }

TEST(ListAppend, InternalReads) {
  EXPECT_TRUE(
      anomalies_of({"ok [[:r 1 [1]] [:r 1 [1 2]]]", "ok [[:append 1 1]]", "ok [[:append 1 2]]"}).contains("internal"));
  EXPECT_TRUE(anomalies_of({"ok [[:append 1 1] [:r 1 nil]]"}).contains("internal"));
  EXPECT_TRUE(anomalies_of({"ok [[:append 1 1] [:r 1 [1 2]]]", "ok [[:append 1 2]]"}).contains("internal"));
  EXPECT_FALSE(anomalies_of({"ok [[:append 1 3] [:r 1 [1 3]]]", "ok [[:append 1 1]]"}).contains("internal"));
  EXPECT_FALSE(anomalies_of({"ok [[:r 1 nil] [:append 1 1] [:append 1 2] [:r 1 [1 2]]]"}).contains("internal"));
}

TEST(ListAppend, ReadCommittedForbidsMissingOnesOwnWriteOnly) {
  const History own = concurrent({"ok [[:append 1 1] [:r 1 nil]]", "ok [[:r 1 [1]]]"});
  const Verdict verdict = at(own, "read-committed");
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"internal-own-write"});
  EXPECT_EQ(at(own, "read-uncommitted").validity, Validity::valid);
  // Where `internal` is forbidden it names both kinds.
  EXPECT_EQ(names_of(strictly(own).anomalies), Names{"internal"});
  EXPECT_EQ(count_of(strictly(own), "internal-own-write"), 1U);

  const History repeated = concurrent({"ok [[:r 1 [1]] [:r 1 [1 2]]]", "ok [[:append 1 1]]", "ok [[:append 1 2]]"});
  const Verdict allowed = at(repeated, "read-committed");
  EXPECT_EQ(allowed.validity, Validity::valid);
  EXPECT_TRUE(names_of(allowed.exposures).contains("internal"));
  EXPECT_EQ(count_of(allowed, "internal-own-write"), 0U);
  EXPECT_TRUE(allowed.not_models.empty());
}

TEST(ListAppend, ExposuresAreWhatTheLevelPermits) {
  const Verdict verdict =
      at(concurrent({"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 [1]] [:r 2 nil]]"}), "read-committed");
  EXPECT_EQ(verdict.validity, Validity::valid);
  EXPECT_EQ(names_of(verdict.exposures), Names{"G-single-item"});
  EXPECT_EQ(count_of(verdict, "G-single-item"), 1U);
}

TEST(ListAppend, SaysUnknownWhenItCannotTell) {
  EXPECT_EQ(at(concurrent({"ok [[:append 1 1]]"}), "no-such-model").validity, Validity::unknown);
  const Verdict empty = strictly(concurrent({"fail [[:append 1 1]]", "fail [[:append 1 2]]"}));
  EXPECT_EQ(empty.validity, Validity::unknown);
  EXPECT_EQ(names_of(empty.anomalies), Names{"empty-transaction-graph"});
  EXPECT_EQ(strictly(concurrent({"ok [[:append 1 1]]", "ok [[:append 1 1]]"})).reason,
            "op 3 appends 1 to a key that it was appended to before; elements must be unique per key");
  EXPECT_EQ(strictly(concurrent({"ok [[:w 1 1]]"})).reason,
            "op 1 writes or reads a register, which is no operation on lists");
  EXPECT_EQ(strictly(concurrent({"ok [[:cas 1 1]]"})).reason,
            "op 1 is not a transaction of reads and writes: [[:cas 1 1]]");
}

TEST(ListAppend, KeysMayBeNames) {
  const Verdict verdict =
      strictly(concurrent({"ok [[:append :x 1] [:append \"y\" 1]]", "ok [[:r :x [1]] [:r \"y\" nil]]"}));
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G-single-item"});
  EXPECT_NE(verdict.anomalies[0].explanation.find("key :x"), std::string::npos);
  EXPECT_NE(verdict.anomalies[0].explanation.find("key \"y\""), std::string::npos);
}

// A cycle through twenty thousand transactions: neither recursion nor quadratic time.
TEST(ListAppend, LongCycle) {
  std::vector<std::string> ends;
  const int n = 20000;
  for (int i = 0; i < n; ++i) {
    const int next = (i + 1) % n;
    ends.push_back("ok [[:append " + std::to_string(i) + " 1] [:r " + std::to_string(next) + " [1]]]");
  }
  const Verdict verdict = at(concurrent(ends), "read-committed");
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G1c"});
  EXPECT_EQ(verdict.anomalies[0].operations.size(), static_cast<std::size_t>(n));
}

}  // namespace
}  // namespace polarsim::checkers
