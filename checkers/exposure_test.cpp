#include "checkers/exposure.h"

#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::count_of;
using test::history_of;
using test::names_of;

// A transfer that commits on dn1 at 2000 ns and on dn2 at 4000 ns, and a sum whose snapshots are of the times given.
History meter(const std::string& sum, const std::string& snapshots, const std::string& group = "two-nodes") {
  History history =
      history_of({"invoke 0 transfer {:from 1 :to 2 :amount 1}", "invoke 1 sum nil",
                  R"(info :nemesis commit {:op 0 :node "dn1" :position 5})", "info :nemesis heal nil",
                  R"(info :nemesis commit {:op 0 :node "dn2" :position 5})", "ok 0 transfer {:from 1 :to 2 :amount 1}",
                  "ok 1 sum " + sum, "invoke 1 sum nil", "ok 1 sum 200", "invoke 1 sum nil", "ok 1 sum 200"});
  for (Event& event : history.events) {
    if (event.type == EventType::invoke) event.extra.emplace_back("case", "\"" + group + "\"");
  }
  if (!snapshots.empty()) history.events[6].extra.emplace_back("snapshots", snapshots);
  return history;
}

const MeterOptions two_hundred{.total = 200, .whole_cases = {"one-shard"}};

TEST(AnomalyMeter, ASumMayDifferWhileATransactionIsBeingCommitted) {
  const std::string between = R"([["dn1" 6 3000] ["dn2" 4 3000]])";
  EXPECT_EQ(check_anomaly_meter(meter("200", between), two_hundred).validity, Validity::valid);
  const Verdict verdict = check_anomaly_meter(meter("199", between), two_hundred);
  EXPECT_EQ(verdict.validity, Validity::valid);
  ASSERT_EQ(names_of(verdict.exposures), std::set<std::string>{"fractured-read"});
  EXPECT_EQ(verdict.exposures[0].explanation,
            "op 6 (two-nodes) saw a total of 199, and it is 200; its snapshots were taken from 0.000003 s to 0.000003 "
            "s, and op 0 committed from 0.000002 s to 0.000004 s.");
}

TEST(AnomalyMeter, AndNotOtherwise) {
  for (const char* apart : {R"([["dn1" 6 5000] ["dn2" 6 6000]])", R"([["dn1" 1 500] ["dn2" 1 1000]])"}) {
    const Verdict verdict = check_anomaly_meter(meter("199", apart), two_hundred);
    EXPECT_EQ(names_of(verdict.anomalies), std::set<std::string>{"unexcused-fractured-read"}) << apart;
  }
  const std::string between = R"([["dn1" 6 3000]])";
  EXPECT_EQ(check_anomaly_meter(meter("199", between, "one-shard"), two_hundred).validity, Validity::invalid);
  History final = meter("199", between);
  final.events[6].extra.emplace_back("final?", "true");
  EXPECT_EQ(check_anomaly_meter(final, two_hundred).validity, Validity::invalid);
}

// Where one case ends and the next begins.
TEST(AnomalyMeter, ASumMayMeetTheLastTransactionOfTheCaseBefore) {
  History history = meter("199", R"([["dn1" 6 3000]])", "one-shard");
  history.events[0].extra[0].second = "\"two-nodes\"";
  EXPECT_EQ(check_anomaly_meter(history, two_hundred).validity, Validity::valid);
  EXPECT_EQ(measure_exposure(history).groups.at(0).fractured, 0U);
}

TEST(AnomalyMeter, WithoutSnapshotsOrSumsItIsUndecided) {
  EXPECT_EQ(check_anomaly_meter(meter("199", ""), two_hundred).validity, Validity::unknown);
  EXPECT_EQ(check_anomaly_meter(history_of({"invoke 0 transfer {:from 1 :to 2 :amount 1}"}), two_hundred).validity,
            Validity::unknown);
  const Verdict malformed = check_anomaly_meter(meter("many", ""), two_hundred);
  EXPECT_EQ(malformed.validity, Validity::unknown);
  EXPECT_EQ(malformed.reason, "op 6: sum: expected an integer, found many");
}

TEST(Exposure, OfSumsIsCountedByCaseAndByWindow) {
  const Exposure exposure = measure_exposure(meter("199", R"([["dn1" 6 3000] ["dn2" 4 3000]])"));
  ASSERT_EQ(exposure.groups.size(), 1U);
  EXPECT_EQ(exposure.groups[0].name, "two-nodes");
  EXPECT_EQ(exposure.groups[0].reads, 3U);
  EXPECT_EQ(exposure.groups[0].fractured, 1U);
  EXPECT_EQ(exposure.groups[0].commits, 1U);
  ASSERT_EQ(exposure.windows.size(), 1U);
  EXPECT_EQ(exposure.windows[0].fractured, 1U);
  EXPECT_EQ(exposure.max_ns, 2000);
}

TEST(Exposure, OfTransactionsOverListsIsThatOfTheirReadsOnSeveralNodes) {
  History history = history_of(
      {R"(info :nemesis placement {1 "dn1" 2 "dn2"})", "invoke 0 [[:append 1 1] [:append 2 1]]",
       R"(info :nemesis prepare {:op 1 :node "dn1" :position 1})",
       R"(info :nemesis prepare {:op 1 :node "dn2" :position 1})",
       R"(info :nemesis commit {:op 1 :node "dn1" :position 2})", "invoke 1 []", "ok 1 [[:r 1 [1]] [:r 2 []]]",
       "info :nemesis heal nil", R"(info :nemesis commit {:op 1 :node "dn2" :position 9})", "invoke 1 []",
       "ok 1 [[:r 2 [1]] [:r 1 [1]]]", "invoke 1 []", "ok 1 [[:r 1 [1]]]"});
  Exposure exposure = measure_exposure(history);
  ASSERT_EQ(exposure.groups.size(), 1U);
  EXPECT_EQ(exposure.groups[0].reads, 2U);
  EXPECT_EQ(exposure.groups[0].fractured, 1U);
  EXPECT_EQ(exposure.groups[0].per_million(), 500'000);
  EXPECT_EQ(exposure.p50_ns, 4000);
  EXPECT_EQ(exposure.windows.at(0).fractured, 1U);
  EXPECT_EQ(exposure.atomic_after_healing_ns, 1000);
  history.events.erase(history.events.begin() + 8);
  EXPECT_FALSE(measure_exposure(history).atomic_after_healing_ns) << "something remains pending";
}

TEST(Exposure, PercentilesAreWindowsThatOccurred) {
  std::vector<std::string> lines = {R"(info :nemesis placement {1 "dn1" 2 "dn2"})"};
  // Windows of 1000, 2000, ..., 10000 ns: each transaction commits on dn1 and then, so many events later, on dn2.
  for (int window = 1; window <= 10; ++window) {
    const std::string value = std::to_string(window);
    const std::string steps = "[[:append 1 " + value + "] [:append 2 " + value + "]]";
    const std::string op = std::to_string(lines.size());
    lines.push_back("invoke 0 " + steps);
    lines.push_back("info :nemesis commit {:op " + op + R"( :node "dn1" :position )" + value + "}");
    for (int i = 1; i < window; ++i) lines.emplace_back("info :nemesis nothing nil");
    lines.push_back("info :nemesis commit {:op " + op + R"( :node "dn2" :position )" + value + "}");
    lines.push_back("ok 0 " + steps);
  }
  const Exposure exposure = measure_exposure(history_of(lines));
  EXPECT_EQ(exposure.p50_ns, 5000);
  EXPECT_EQ(exposure.p90_ns, 9000);
  EXPECT_EQ(exposure.p99_ns, 10000);
  EXPECT_EQ(exposure.max_ns, 10000);
  EXPECT_EQ(exposure.windows.at(0).commits, 10U);
}

}  // namespace
}  // namespace polarsim::checkers
