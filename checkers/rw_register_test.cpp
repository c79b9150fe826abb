#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::concurrent;
using test::history_of;
using test::names_of;
using Names = std::set<std::string>;

Verdict strictly(const History& history) { return check_rw_register(history, {"strict-serializable"}); }
Names anomalies_of(const std::vector<std::string>& ends) { return names_of(strictly(concurrent(ends)).anomalies); }

TEST(RwRegister, CleanHistoryIsValid) {
  const Verdict verdict =
      strictly(history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 1]]"}));
  EXPECT_EQ(verdict.validity, Validity::valid);
  EXPECT_EQ(verdict.checker, "rw-register");
}

TEST(RwRegister, CyclesOverTheInitialState) {
  EXPECT_EQ(anomalies_of({"ok [[:w 1 1] [:r 2 1]]", "ok [[:w 2 1] [:r 1 1]]"}), Names{"G1c"});
  EXPECT_EQ(anomalies_of({"ok [[:w 1 1] [:w 2 1]]", "ok [[:r 1 1] [:r 2 nil]]"}), Names{"G-single-item"});
  EXPECT_EQ(anomalies_of({"ok [[:w 1 1] [:r 2 nil]]", "ok [[:w 2 1] [:r 1 nil]]"}), Names{"G2-item"});
  EXPECT_EQ(anomalies_of({"ok [[:w 1 1]]", "ok [[:w 2 1]]", "ok [[:r 1 1] [:r 2 nil]]", "ok [[:r 1 nil] [:r 2 1]]"}),
            Names{"G-nonadjacent-item"});
}

TEST(RwRegister, ReadsBeforeWritesOrderVersions) {
  const Verdict verdict = strictly(
      concurrent({"ok [[:w 1 1] [:w 2 1]]", "ok [[:r 1 1] [:w 1 2] [:r 2 1] [:w 2 2]]", "ok [[:r 1 2] [:r 2 1]]"}));
  EXPECT_EQ(names_of(verdict.anomalies), Names{"G-single-item"});
  EXPECT_NE(
      verdict.anomalies[0].explanation.find("op 5 (1 us to 4 us) read key 2 as 1, the version that op 4 (0 ms to 3 us) "
                                            "had read when it wrote 2 over it, so op 5 comes before op 4 (rw)."),
      std::string::npos)
      << verdict.anomalies[0].explanation;
}

TEST(RwRegister, CyclicVersionsAreReportedAndNotUsed) {
  EXPECT_EQ(anomalies_of({"ok [[:r 1 1] [:w 1 2]]", "ok [[:r 1 2] [:w 1 1]]"}), (Names{"G1c", "cyclic-versions"}));
}

TEST(RwRegister, ReadsOfWhatShouldNotBeSeen) {
  EXPECT_TRUE(anomalies_of({"fail [[:w 1 1]]", "ok [[:r 1 1]]"}).contains("G1a"));
  EXPECT_TRUE(anomalies_of({"ok [[:w 1 1] [:w 1 2]]", "ok [[:r 1 1]]"}).contains("G1b"));
  EXPECT_TRUE(anomalies_of({"ok [[:w 1 1]]", "ok [[:r 1 7]]"}).contains("thin-air-read"));
  EXPECT_TRUE(anomalies_of({"ok [[:r 1 1] [:w 1 1]]"}).contains("future-read"));
  EXPECT_TRUE(anomalies_of({"info [[:w 1 1]]", "ok [[:r 1 1]]"}) == Names{"empty-transaction-graph"});
}

TEST(RwRegister, LostUpdate) {
  EXPECT_EQ(anomalies_of({"ok [[:r 1 nil] [:w 1 1]]", "ok [[:r 1 nil] [:w 1 2]]"}), (Names{"lost-update", "G2-item"}));
  EXPECT_EQ(check_rw_register(concurrent({"ok [[:r 1 nil] [:w 1 1]]", "ok [[:r 1 nil] [:w 1 2]]"}), {"read-committed"})
                .validity,
            Validity::valid);
}

TEST(RwRegister, InternalReads) {
  const History own = concurrent({"ok [[:w 1 1] [:r 1 nil]]", "ok [[:r 1 1]]"});
  EXPECT_TRUE(names_of(strictly(own).anomalies).contains("internal"));
  EXPECT_EQ(names_of(check_rw_register(own, {"read-committed"}).anomalies), Names{"internal-own-write"});
  const History repeated = concurrent({"ok [[:r 1 nil] [:r 1 1]]", "ok [[:w 1 1]]"});
  EXPECT_TRUE(names_of(strictly(repeated).anomalies).contains("internal"));
  EXPECT_EQ(check_rw_register(repeated, {"read-committed"}).validity, Validity::valid);
}

TEST(RwRegister, StaleReadIsARealTimeAnomaly) {
  EXPECT_EQ(names_of(strictly(history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 1 [[:r 1 nil]]",
                                          "ok 1 [[:r 1 nil]]"}))
                         .anomalies),
            Names{"G-single-item-realtime"});
}

// Write 1, write 2, read 1 again, one after the other and each by its own process: only an order of versions by real
// time says that something is wrong.
TEST(RwRegister, LinearizableKeysOrderBlindWritesByRealTime) {
  const History stale = history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 1 [[:w 1 2]]", "ok 1 [[:w 1 2]]",
                                    "invoke 2 [[:r 1 1]]", "ok 2 [[:r 1 1]]"});
  EXPECT_EQ(strictly(stale).validity, Validity::valid);
  const Verdict verdict = check_rw_register(stale, {"read-committed"}, {.linearizable_keys = true});
  EXPECT_EQ(names_of(verdict.anomalies), Names{"cyclic-versions"});
  EXPECT_NE(verdict.anomalies[0].explanation.find("acknowledged"), std::string::npos)
      << verdict.anomalies[0].explanation;
}

// Skew over blind writes: each reads what the other overwrites.
TEST(RwRegister, LinearizableKeysFindSkewOverBlindWrites) {
  const History skew =
      history_of({"invoke 9 [[:w 1 1] [:w 2 1]]", "ok 9 [[:w 1 1] [:w 2 1]]", "invoke 0 [[:r 1 nil] [:w 2 2]]",
                  "invoke 1 [[:r 2 nil] [:w 1 2]]", "ok 0 [[:r 1 1] [:w 2 2]]", "ok 1 [[:r 2 1] [:w 1 2]]"});
  EXPECT_EQ(check_rw_register(skew, {"serializable"}).validity, Validity::valid);
  EXPECT_EQ(names_of(check_rw_register(skew, {"serializable"}, {.linearizable_keys = true}).anomalies),
            Names{"G2-item"});
}

TEST(RwRegister, SequentialKeysOrderVersionsByProcess) {
  const History back = history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 0 [[:w 1 2]]", "ok 0 [[:w 1 2]]",
                                   "invoke 0 [[:r 1 nil]]", "ok 0 [[:r 1 1]]"});
  EXPECT_EQ(strictly(back).validity, Validity::valid);
  EXPECT_EQ(names_of(check_rw_register(back, {"read-committed"}, {.sequential_keys = true}).anomalies),
            Names{"cyclic-versions"});
  // Another process may see the old version as far as this source can tell.
  const History other = history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 0 [[:w 1 2]]", "ok 0 [[:w 1 2]]",
                                    "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 1]]"});
  EXPECT_EQ(check_rw_register(other, {"read-committed"}, {.sequential_keys = true}).validity, Validity::valid);
}

TEST(RwRegister, ASourceThatContradictsEarlierOnesIsLeftOut) {
  // Within one transaction 2 follows 1; in its process 1 follows 2.
  const History history = history_of({"invoke 0 [[:w 1 1]]", "ok 0 [[:w 1 1]]", "invoke 1 [[:r 1 nil] [:w 1 2]]",
                                      "ok 1 [[:r 1 1] [:w 1 2]]", "invoke 1 [[:r 1 nil]]", "ok 1 [[:r 1 1]]"});
  const Verdict verdict = check_rw_register(history, {"serializable"}, {.sequential_keys = true});
  EXPECT_EQ(names_of(verdict.anomalies), Names{"cyclic-versions"});
  EXPECT_NE(verdict.anomalies[0].explanation.find("processes"), std::string::npos) << verdict.anomalies[0].explanation;
}

TEST(RwRegister, SaysUnknownWhenItCannotTell) {
  EXPECT_EQ(strictly(concurrent({"ok [[:w 1 1]]", "ok [[:w 1 1]]"})).validity, Validity::unknown);
  EXPECT_EQ(strictly(concurrent({"ok [[:append 1 1]]"})).validity, Validity::unknown);
}

}  // namespace
}  // namespace polarsim::checkers
