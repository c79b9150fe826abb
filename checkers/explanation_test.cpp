// What explanations say, as whole texts, and that their data say the same.
#include "checkers/explanation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::concurrent;

// "0 cn1 1.5 [[...]]": when the transaction was asked for (ms), at which node, when it was acknowledged, what it did.
struct Call {
  double asked_ms;
  const char* node;
  double answered_ms;
  const char* did;
  int process = -1;  // its own
  const char* type = "ok";
};

History history_of_calls(const std::vector<Call>& calls) {
  std::map<std::pair<std::int64_t, std::size_t>, std::string> events;  // by time, then as given
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    const std::string process = std::to_string(call.process < 0 ? static_cast<int>(i) + 10 : call.process);
    const auto event = [&](double at_ms, const std::string& type, const std::string& value) {
      const auto time_ns = static_cast<std::int64_t>(at_ms * 1e6 + 0.5);
      events[{time_ns, events.size()}] = ":time " + std::to_string(5'000'000'000 + time_ns) + ", :type :" + type +
                                         ", :process " + process + ", :f :txn, :node \"" + call.node + "\", :value " +
                                         value + "}\n";
    };
    event(call.asked_ms, "invoke", "[]");
    if (call.answered_ms >= 0) event(call.answered_ms, call.type, call.did);
  }
  std::string text;
  std::size_t index = 0;
  for (const auto& [when, line] : events) text += "{:index " + std::to_string(index++) + ", " + line;
  auto history = read_history(text, "test");
  if (!history) throw std::invalid_argument(history.error().message);
  return std::move(*history);
}

Anomaly first_named(const Verdict& verdict, const std::string& name) {
  for (const auto* list : {&verdict.anomalies, &verdict.exposures}) {
    for (const Anomaly& anomaly : *list) {
      if (anomaly.name == name) return anomaly;
    }
  }
  throw std::invalid_argument("no " + name + " in\n" + test::text_of(verdict));
}

std::string lists(const std::vector<Call>& calls, const std::string& name, const char* level = "strong-serializable") {
  return first_named(check_list_append(history_of_calls(calls), {level}), name).explanation;
}
std::string registers(const std::vector<Call>& calls, const std::string& name,
                      const char* level = "strong-serializable", const RegisterOptions& options = {}) {
  return first_named(check_rw_register(history_of_calls(calls), {level}, options), name).explanation;
}

TEST(ExplanationWords, DirtyWrite) {
  EXPECT_EQ(lists({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"},
                   {0.5, "cn2", 2.25, "[[:append 1 2] [:append 2 2]]"},
                   {3, "cn1", 4, "[[:r 1 [1 2]] [:r 2 [2 1]]]"}},
                  "G0"),
            "op 3 on cn2 (500 us to 2.25 ms) appended 2 to key 1 directly after the 1 of op 2 on cn1 (0 ms to 2 ms), "
            "as op 5 on cn1 (3 ms to 4 ms) read it ([1 2]), so op 2 comes before op 3 (ww).\n"
            "op 2 appended 1 to key 2 directly after the 2 of op 3, as op 5 read it ([2 1]), so op 3 comes before op 2 "
            "(ww).\n"
            "So op 2 would come before itself. A circle of overwrites alone rules out PL-1.");
}

TEST(ExplanationWords, CircularReads) {
  EXPECT_EQ(
      lists({{0, "cn1", 2, "[[:append 1 1] [:r 2 [1]]]"}, {0.5, "cn2", 2.25, "[[:append 2 1] [:r 1 [1]]]"}}, "G1c"),
      "op 3 on cn2 (500 us to 2.25 ms) read key 1 as [1], whose last element op 2 on cn1 (0 ms to 2 ms) appended, so "
      "op 2 comes before op 3 (wr).\n"
      "op 2 read key 2 as [1], whose last element op 3 appended, so op 3 comes before op 2 (wr).\n"
      "So op 2 would come before itself. A circle of overwrites and reads alone rules out PL-2.");
}

TEST(ExplanationWords, ReadSkew) {
  EXPECT_EQ(lists({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"}, {0.5, "cn2", 2.25, "[[:r 1 [1]] [:r 2 nil]]"}},
                  "G-single-item"),
            "op 3 on cn2 (500 us to 2.25 ms) read key 2 as nil, without the 1 that op 2 on cn1 (0 ms to 2 ms) appended "
            "to it, so op 3 comes before op 2 (rw).\n"
            "op 3 read key 1 as [1], whose last element op 2 appended, so op 2 comes before op 3 (wr).\n"
            "So op 3 would come before itself. A circle with a single read that missed a write rules out RR and SI.");
}

TEST(ExplanationWords, LongFork) {
  EXPECT_EQ(lists({{0, "cn1", 9, "[[:append 1 1]]"},
                   {0, "cn2", 9, "[[:append 2 1]]"},
                   {1, "cn1", 9, "[[:r 1 [1]] [:r 2 nil]]"},
                   {1, "cn2", 9, "[[:r 1 nil] [:r 2 [1]]]"}},
                  "G-nonadjacent-item"),
            "op 6 on cn1 (1 ms to 9 ms) read key 2 as nil, without the 1 that op 5 on cn2 (0 ms to 9 ms) appended to "
            "it, so op 6 comes before op 5 (rw).\n"
            "op 7 on cn2 (1 ms to 9 ms) read key 2 as [1], whose last element op 5 appended, so op 5 comes before op 7 "
            "(wr).\n"
            "op 7 read key 1 as nil, without the 1 that op 4 on cn1 (0 ms to 9 ms) appended to it, so op 7 comes "
            "before op 4 (rw).\n"
            "op 6 read key 1 as [1], whose last element op 4 appended, so op 4 comes before op 6 (wr).\n"
            "So op 6 would come before itself. A circle with reads that missed writes, no two of them in a row, rules "
            "out RR and SI.");
}

TEST(ExplanationWords, WriteSkew) {
  EXPECT_EQ(
      lists({{0, "cn1", 2, "[[:r 2 nil] [:append 1 1]]"}, {0.5, "cn2", 2.25, "[[:r 1 nil] [:append 2 1]]"}}, "G2-item"),
      "op 2 on cn1 (0 ms to 2 ms) read key 2 as nil, without the 1 that op 3 on cn2 (500 us to 2.25 ms) appended to "
      "it, so op 2 comes before op 3 (rw).\n"
      "op 3 read key 1 as nil, without the 1 that op 2 appended to it, so op 3 comes before op 2 (rw).\n"
      "So op 2 would come before itself. A circle with reads that missed writes, two of them in a row, rules out RR.");
}

TEST(ExplanationWords, StaleRead) {
  EXPECT_EQ(lists({{0, "cn1", 1, "[[:append 3 1]]"},
                   {1.5, "cn1", 2, "[[:append 3 2]]"},
                   {2.5, "cn2", 4.1, "[[:append 3 4]]"},
                   {7.3, "cn1", 8, "[[:r 3 [1 2]]]"},
                   {7.3, "cn1", 9, "[[:r 3 [1 2 4]]]"}},
                  "G-single-item-realtime"),
            "op 8 on cn1 (4.8 ms to 5.5 ms) read key 3 as [1 2] although op 5 on cn2 (0 ms to 1.6 ms), acknowledged "
            "3.2 ms before, had appended 4 to it.\n"
            "What it missed puts op 8 before op 5 (rw).\n"
            "Real time puts op 8 after op 5 (realtime).\n"
            "So op 8 would come before itself. A circle in real time with a single read that missed a write rules out "
            "strong-SI.");
}

TEST(ExplanationWords, StaleReadOfARegister) {
  EXPECT_EQ(registers({{0, "cn1", 1, "[[:w 3 1]]"}, {1.5, "cn1", 2, "[[:r 3 nil]]"}}, "G-single-item-realtime"),
            "op 3 on cn1 (1.5 ms to 2 ms) read key 3 as nil although op 1 on cn1 (0 ms to 1 ms), acknowledged 500 us "
            "before, had written 1 to it.\n"
            "What it missed puts op 3 before op 1 (rw).\n"
            "Real time puts op 3 after op 1 (realtime).\n"
            "So op 3 would come before itself. A circle in real time with a single read that missed a write rules out "
            "strong-SI.");
}

TEST(ExplanationWords, OwnWriteForgotten) {
  EXPECT_EQ(lists({{0, "cn1", 1, "[[:append 3 1]]", 0}, {1.5, "cn2", 2, "[[:r 3 nil]]", 0}}, "G-single-item-process",
                  "strong-session-serializable"),
            "op 3 on cn2 (1.5 ms to 2 ms) read key 3 as nil although op 1 on cn1 (0 ms to 1 ms), before it in process "
            "0, had appended 1 to it.\n"
            "What it missed puts op 3 before op 1 (rw).\n"
            "The order of the process puts op 3 after op 1 (process).\n"
            "So op 3 would come before itself. A circle in the order of processes with a single read that missed a "
            "write rules out strong-session-SI.");
}

TEST(ExplanationWords, OverwriteOfTheLaterOne) {
  EXPECT_EQ(
      lists({{0, "cn1", 1, "[[:append 1 1]]"}, {1.5, "cn1", 2, "[[:append 1 2]]"}, {3, "cn1", 4, "[[:r 1 [2 1]]]"}},
            "G0-realtime"),
      "op 1 on cn1 (0 ms to 1 ms) appended 1 to key 1 directly after the 2 of op 3 on cn1 (1.5 ms to 2 ms), as op 5 on "
      "cn1 (3 ms to 4 ms) read it ([2 1]), so op 3 comes before op 1 (ww).\n"
      "op 1 was acknowledged 500 us before op 3 was asked for (realtime).\n"
      "So op 3 would come before itself. A circle of overwrites and real time alone rules out strong-PL-1.");
}

TEST(ExplanationWords, ReadOfWhatComesLater) {
  EXPECT_EQ(
      lists({{0, "cn1", 1, "[[:append 1 1] [:r 2 [1]]]"}, {1.5, "cn2", 2, "[[:append 2 1]]"}}, "G1c-realtime"),
      "op 1 on cn1 (0 ms to 1 ms) read key 2 as [1], whose last element op 3 on cn2 (1.5 ms to 2 ms) appended, so op 3 "
      "comes before op 1 (wr).\n"
      "op 1 was acknowledged 500 us before op 3 was asked for (realtime).\n"
      "So op 3 would come before itself. A circle of overwrites, reads and real time alone rules out strong-PL-2.");
}

TEST(ExplanationWords, AppendsThatNobodyRead) {
  EXPECT_EQ(lists({{0, "cn1", 9, "[[:append 1 1] [:append 2 2]]"},
                   {0, "cn2", 9, "[[:append 1 2] [:append 2 1]]"},
                   {0, "cn1", 9, "[[:r 1 [1]] [:r 2 [1]]]"}},
                  "G0"),
            "op 4 on cn2 (0 ms to 9 ms) appended 2 to key 1, which no read shows: it comes after all that were read, "
            "and the last of them is the 1 of op 3 on cn1 (0 ms to 9 ms), so op 3 comes before op 4 (ww).\n"
            "op 3 appended 2 to key 2, which no read shows: it comes after all that were read, and the last of them is "
            "the 1 of op 4, so op 4 comes before op 3 (ww).\n"
            "So op 3 would come before itself. A circle of overwrites alone rules out PL-1.");
}

TEST(ExplanationWords, OrderOfRegistersByReads) {
  EXPECT_EQ(registers({{0, "cn1", 9, "[[:w 1 1] [:r 2 2]]"}, {0, "cn2", 9, "[[:r 1 1] [:w 1 2] [:w 2 2]]"}}, "G1c"),
            "op 2 on cn1 (0 ms to 9 ms) read key 2 as 2, which op 3 on cn2 (0 ms to 9 ms) wrote, so op 3 comes before "
            "op 2 (wr).\n"
            "op 3 wrote 2 to key 1, having read the 1 of op 2, so op 2 comes before op 3 (ww).\n"
            "So op 3 would come before itself. A circle of overwrites and reads alone rules out PL-2.");
}

TEST(ExplanationWords, OrderOfRegistersByRealTime) {
  EXPECT_EQ(registers({{0, "cn1", 1, "[[:w 1 1] [:w 2 1]]"},
                       {2, "cn2", 3, "[[:w 1 2] [:w 3 1]]"},
                       {2, "cn1", 9, "[[:r 3 1] [:r 1 1]]"}},
                      "G-single-item", "serializable", {.linearizable_keys = true}),
            "op 5 on cn1 (0 ms to 7 ms) read key 1 as 1, and op 4 on cn2 (0 ms to 1 ms) wrote 2 to it, a later version "
            "by the order that was inferred, so op 5 comes before op 4 (rw).\n"
            "op 5 read key 3 as 1, which op 4 wrote, so op 4 comes before op 5 (wr).\n"
            "So op 5 would come before itself. A circle with a single read that missed a write rules out RR and SI.");
}

TEST(ExplanationWords, LostUpdate) {
  EXPECT_EQ(lists({{0, "cn1", 2, "[[:r 1 nil] [:append 1 1]]"}, {0.5, "cn2", 2.25, "[[:r 1 nil] [:append 1 2]]"}},
                  "lost-update"),
            "op 2 and op 3 both read nil from key 1 and then appended to it: one of them did not build on the other's "
            "update.");
}

TEST(ExplanationWords, VanishedTransaction) {
  EXPECT_EQ(
      lists({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"}, {0.5, "cn2", 2.25, "[[:r 1 [1]] [:r 2 []]]"}}, "MAV-cycle",
            "MAV"),
      "op 3 on cn2 (500 us to 2.25 ms) read key 1 as [1] from op 2 on cn1 (0 ms to 2 ms) and after that key 2 as [], "
      "the initial state, although op 2 had appended 1 to it, so op 2 would come before the initial state (observed).\n"
      "No order of commits has all of this, which rules out MAV.");
}

TEST(ExplanationWords, VanishedLaterVersion) {
  EXPECT_EQ(
      lists({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"},
             {0, "cn1", 9, "[[:append 1 2] [:append 2 2]]"},
             {5, "cn2", 9, "[[:r 1 [1 2]] [:r 2 [1]]]"},
             {5, "cn2", 9, "[[:r 2 [1 2]]]"}},
            "MAV-cycle", "MAV"),
      "op 6 on cn2 (5 ms to 9 ms) read key 1 as [1 2] from op 5 on cn1 (0 ms to 9 ms) and after that key 2 as [1] from "
      "op 2 on cn1 (0 ms to 2 ms), although op 5 had appended 2 to it, so op 5 comes before op 2 (observed).\n"
      "op 5 appended 2 to key 1 after the 1 of op 2, so op 2 comes before op 5 (ww).\n"
      "No order of commits has all of this, which rules out MAV.");
}

TEST(ExplanationWords, SessionsOfMonotonicReads) {
  EXPECT_EQ(registers({{0, "cn1", 2, "[[:w 1 1] [:w 2 1]]", 0},
                       {3, "cn1", 4, "[[:w 1 2] [:w 2 2]]", 0},
                       {5, "cn2", 9, "[[:r 1 2] [:r 2 1]]"}},
                      "BE-RC-cycle", "BE-RC"),
            "op 5 on cn2 (5 ms to 9 ms) read key 1 as 2 from op 3 on cn1 (3 ms to 4 ms) and after that key 2 as 1 from "
            "op 1 on cn1 (0 ms to 2 ms), although op 3 had written 2 to it, so op 3 comes before op 1 (observed).\n"
            "op 1 came before op 3 in process 0 (process).\n"
            "No order of commits has all of this, which rules out BE-RC.");
}

TEST(ExplanationWords, HalfSeenWhateverTheOrder) {
  EXPECT_EQ(registers({{0, "cn1", 2, "[[:w 1 1] [:w 2 1]]"}, {0, "cn2", 9, "[[:r 1 nil] [:r 2 1]]"}}, "RA-cycle", "RA"),
            "op 3 on cn2 (0 ms to 9 ms) read key 2 as 1 from op 2 on cn1 (0 ms to 2 ms) and key 1 as nil, the initial "
            "state, although op 2 had written 1 to it, so op 2 would come before the initial state (observed).\n"
            "No order of commits has all of this, which rules out RA.");
}

TEST(ExplanationWords, OwnSessionForgotten) {
  EXPECT_EQ(
      registers({{0, "cn1", 2, "[[:w 1 1]]", 0}, {3, "cn2", 9, "[[:r 1 nil]]", 0}}, "RA-cycle", "RA"),
      "op 3 on cn2 (3 ms to 9 ms) came after op 1 on cn1 (0 ms to 2 ms) in process 0; yet op 3 read key 1 as nil, the "
      "initial state, although op 1 had written 1 to it, so op 1 would come before the initial state (observed).\n"
      "No order of commits has all of this, which rules out RA.");
}

TEST(ExplanationWords, CauseForgotten) {
  EXPECT_EQ(
      registers({{0, "cn1", 2, "[[:w 1 1]]"},
                 {1, "cn2", 9, "[[:r 1 1] [:w 2 1]]", 7},
                 {10, "cn2", 11, "[[:w 4 1]]", 7},
                 {1, "cn3", 12, "[[:r 4 1] [:r 1 nil]]"}},
                "CC-cycle", "CC"),
      "op 4 on cn2 (1 ms to 9 ms) read key 1 as 1 from op 3 on cn1 (0 ms to 2 ms), op 6 on cn2 (10 ms to 11 ms) came "
      "after op 4 in process 7, op 7 on cn3 (1 ms to 12 ms) read key 4 as 1 from op 6; yet op 7 read key 1 as nil, the "
      "initial state, although op 3 had written 1 to it, so op 3 would come before the initial state (observed).\n"
      "No order of commits has all of this, which rules out CC.");
}

TEST(ExplanationWords, FracturedReadAcrossNodes) {
  const History history = history_of_calls({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"},
                                            {0.5, "cn2", 2.25, "[[:r 1 [1]] [:r 2 []]]"},
                                            {3, "cn1", 4, "[[:r 2 [1]]]"}});
  const Verdict verdict = check_read_committed_cluster(history, {.node_of_key = {{1, "dn1"}, {2, "dn2"}}});
  EXPECT_EQ(first_named(verdict, "fractured-read").explanation,
            "op 3 saw what op 2 wrote to key 1 on dn1, and then read [] from key 2 on dn2, without what the same "
            "transaction wrote there.");
}

// Of a long cycle the beginning is told, and the data say how much they leave out.
TEST(ExplanationWords, LongCycle) {
  std::vector<std::string> ends;
  const int n = 300;
  for (int i = 0; i < n; ++i) {
    ends.push_back("ok [[:append " + std::to_string(i) + " 1] [:r " + std::to_string((i + 1) % n) + " [1]]]");
  }
  const Anomaly anomaly = first_named(check_list_append(concurrent(ends), {"PL-2"}), "G1c");
  EXPECT_EQ(std::count(anomaly.explanation.begin(), anomaly.explanation.end(), '\n'), 17);
  EXPECT_NE(anomaly.explanation.find("\nAnd so on: 284 more dependencies lead back to op "), std::string::npos);
  EXPECT_EQ(anomaly.operations.size(), 300U);
  EXPECT_EQ(anomaly.details.operations.size(), 100U);
  EXPECT_EQ(anomaly.details.edges.size(), 99U);
  EXPECT_EQ(anomaly.details.omitted, 200U);
}

TEST(ExplanationData, SaysWhatTheTextSays) {
  const History history = history_of_calls({{0, "cn1", 2, "[[:append 1 1] [:append 2 1]]"},
                                            {0.5, "cn2", 2.25, "[[:append 1 2] [:append 2 2]]"},
                                            {3, "cn1", 4, "[[:r 1 [1 2]] [:r 2 [2 1]]]"}});
  const Anomaly anomaly = first_named(check_list_append(history, {"PL-1"}), "G0");
  Explanation expected;
  const auto participant = [](std::int64_t index, std::int64_t invoke_index, std::int64_t process, std::int64_t from_us,
                              std::int64_t to_us, const char* node, const char* transaction) {
    return Explanation::Participant{.index = index,
                                    .invoke_index = invoke_index,
                                    .process = process,
                                    .outcome = EventType::ok,
                                    .completed = true,
                                    .invoked_ns = 5'000'000'000 + from_us * 1000,
                                    .completed_ns = 5'000'000'000 + to_us * 1000,
                                    .node = node,
                                    .transaction = transaction};
  };
  expected.operations = {participant(2, 0, 10, 0, 2000, "cn1", "[[:append 1 1] [:append 2 1]]"),
                         participant(3, 1, 11, 500, 2250, "cn2", "[[:append 1 2] [:append 2 2]]"),
                         participant(5, 4, 12, 3000, 4000, "cn1", "[[:r 1 [1 2]] [:r 2 [2 1]]]")};
  expected.edges = {{.from = 0,
                     .to = 1,
                     .relations = {"ww"},
                     .key = "1",
                     .before = "1",
                     .after = "2",
                     .witnesses = {2},
                     .in_cycle = true,
                     .why = "op 3 appended 2 to key 1 directly after the 1 of op 2, as op 5 read it ([1 2]), so op 2 "
                            "comes before op 3 (ww)."},
                    {.from = 1,
                     .to = 0,
                     .relations = {"ww"},
                     .key = "2",
                     .before = "2",
                     .after = "1",
                     .witnesses = {2},
                     .in_cycle = true,
                     .why = "op 2 appended 1 to key 2 directly after the 2 of op 3, as op 5 read it ([2 1]), so op 3 "
                            "comes before op 2 (ww)."}};
  expected.shortest = true;
  expected.rules_out = {"PL-1"};
  EXPECT_EQ(anomaly.details, expected);
  EXPECT_EQ(anomaly.operations, (std::vector<std::int64_t>{2, 3}));
}

TEST(ExplanationData, OfWhatWasMerelyRead) {
  const Anomaly dirty =
      first_named(check_list_append(concurrent({"fail [[:append 1 1]]", "ok [[:r 1 [1]]]"}), {"PL-2"}), "G1a");
  ASSERT_EQ(dirty.details.operations.size(), 2U);
  EXPECT_EQ(dirty.details.operations[1].outcome, EventType::fail);
  ASSERT_EQ(dirty.details.edges.size(), 1U);
  EXPECT_EQ(dirty.details.edges[0].from, 1U);
  EXPECT_EQ(dirty.details.edges[0].to, 0U);
  EXPECT_EQ(dirty.details.edges[0].relations, std::vector<std::string>{"wr"});
  EXPECT_EQ(dirty.details.edges[0].why, dirty.explanation);
  EXPECT_EQ(dirty.details.rules_out, std::vector<std::string>{"PL-2"});
  const Anomaly lost = first_named(
      check_list_append(concurrent({"ok [[:r 1 nil] [:append 1 1]]", "ok [[:r 1 nil] [:append 1 2]]"}), {"SI"}),
      "lost-update");
  EXPECT_EQ(lost.details.operations.size(), 2U);
  EXPECT_TRUE(lost.details.edges.empty());
  EXPECT_EQ(lost.details.rules_out, (std::vector<std::string>{"RR", "SI"}));
}

// Of what is long, the parts that matter are kept: the steps on the keys of the edges, and the ends of lists.
TEST(ExplanationData, IsCutWhereItIsLong) {
  std::string many, list;
  for (int i = 100; i < 130; ++i) many += "[:r " + std::to_string(i) + " nil] ";
  for (int i = 1; i <= 30; ++i) list += std::to_string(i) + " ";
  std::string appends;
  for (int i = 1; i <= 30; ++i) appends += "[:append 1 " + std::to_string(i) + "] ";
  const Anomaly anomaly = first_named(
      check_list_append(
          concurrent({"ok [" + appends + "[:append 2 1]]", "ok [" + many + "[:r 1 [" + list + "]] [:r 2 nil]]"}),
          {"SI"}),
      "G-single-item");
  ASSERT_EQ(anomaly.details.operations.size(), 2U);
  EXPECT_EQ(anomaly.details.operations[0].transaction,
            "[[:r 100 nil] [:r 101 nil] [:r 102 nil] [:r 103 nil] [:r 104 nil] [:r 105 nil] ... "
            "[:r 1 [1 2 ... 25 26 27 28 29 30]] [:r 2 nil]]");
  EXPECT_EQ(anomaly.details.edges[1].after, "[1 2 ... 25 26 27 28 29 30]");
}

// Each edge of each cycle, held against the history itself.
class Witness {
 public:
  // `seen` gathers the relations of the edges that were checked.
  Witness(const History& history, std::set<std::string>& seen) : history_(history), seen_(seen) {}

  void check(const Anomaly& anomaly) const {
    const Explanation& all = anomaly.details;
    if (anomaly.name.ends_with("-cycle-exists") || anomaly.name == "empty-transaction-graph") return;
    RC_ASSERT(!all.operations.empty());
    RC_ASSERT(!anomaly.explanation.empty());
    for (const std::int64_t index : anomaly.operations) {
      RC_ASSERT(std::any_of(all.operations.begin(), all.operations.end(),
                            [&](const auto& one) { return one.index == index || all.omitted > 0; }));
    }
    std::vector<const Explanation::Edge*> cycle;
    for (const Explanation::Edge& edge : all.edges) {
      if (edge.in_cycle) cycle.push_back(&edge);
      check(all, edge);
    }
    for (std::size_t i = 0; i < cycle.size(); ++i) RC_ASSERT(cycle[i]->to == cycle[(i + 1) % cycle.size()]->from);
  }

 private:
  const Event& event(std::int64_t index) const {
    return *std::find_if(history_.events.begin(), history_.events.end(),
                         [&](const Event& one) { return one.index == index; });
  }
  // A completion without a value says nothing beyond what was asked for.
  const Transaction& steps(const Explanation::Participant& one) const {
    const auto* told = std::get_if<Transaction>(&event(one.index).value);
    return told != nullptr ? *told : std::get<Transaction>(event(one.invoke_index).value);
  }
  bool appended(const Explanation::Participant& one, const Explanation::Edge& edge, const std::string& value) const {
    return std::any_of(steps(one).begin(), steps(one).end(), [&](const MicroOp& step) {
      return step.kind == MicroOp::Kind::append && history_.key_text(step.key) == edge.key &&
             std::to_string(step.argument) == value;
    });
  }
  // Whether some read of the key satisfies a condition.
  template <typename Condition>
  bool read(const Explanation::Participant& one, const Explanation::Edge& edge, const Condition& condition) const {
    return std::any_of(steps(one).begin(), steps(one).end(), [&](const MicroOp& step) {
      return step.kind == MicroOp::Kind::read_list && history_.key_text(step.key) == edge.key && condition(step.list);
    });
  }

  void check(const Explanation& all, const Explanation::Edge& edge) const {
    RC_ASSERT(!edge.why.empty() && edge.why.back() == '.');
    RC_ASSERT(!edge.relations.empty());
    const std::string& relation = edge.relations.front();
    seen_.insert(relation);
    if (edge.from >= all.operations.size() || edge.to >= all.operations.size()) {
      RC_ASSERT(relation == "observed" || relation == "initial" || (relation == "wr" && !edge.in_cycle));
      return;
    }
    const Explanation::Participant& from = all.operations[edge.from];
    const Explanation::Participant& to = all.operations[edge.to];
    const auto has = [](const std::vector<std::int64_t>& list, const std::string& value) {
      return std::any_of(list.begin(), list.end(), [&](std::int64_t one) { return std::to_string(one) == value; });
    };
    if (relation == "wr" && edge.in_cycle && !edge.before.empty()) {
      RC_ASSERT(appended(from, edge, edge.before));
      RC_ASSERT(read(to, edge,
                     [&](const auto& list) { return !list.empty() && std::to_string(list.back()) == edge.before; }));
    } else if (relation == "rw") {
      RC_ASSERT(appended(to, edge, edge.after));
      RC_ASSERT(read(from, edge, [&](const auto& list) { return !has(list, edge.after); }));
    } else if (relation == "ww" && edge.in_cycle) {
      RC_ASSERT(appended(from, edge, edge.before));
      RC_ASSERT(appended(to, edge, edge.after));
      for (const std::size_t witness : edge.witnesses) {
        RC_ASSERT(read(all.operations[witness], edge, [&](const std::vector<std::int64_t>& list) {
          for (std::size_t i = 1; i < list.size(); ++i) {
            if (std::to_string(list[i]) == edge.after) return std::to_string(list[i - 1]) == edge.before;
          }
          return false;
        }));
      }
    } else if (relation == "realtime") {
      RC_ASSERT(from.completed && from.completed_ns < to.invoked_ns);
    } else if (relation == "process") {
      RC_ASSERT(from.process == to.process && from.completed_ns < to.invoked_ns);
    } else if (relation == "observed") {
      RC_ASSERT(appended(from, edge, edge.before));
      RC_ASSERT(edge.witnesses.size() == 1);
    }
  }

  const History& history_;
  std::set<std::string>& seen_;
};

void check_explanations(const std::vector<std::uint32_t>& choices, std::set<std::string>& seen) {
  const History history =
      test::Store({.serial = false, .processes = 8, .transactions = 120}, test::Choices(choices)).run();
  for (const char* level : {"strong-serializable", "CC", "strong-session-SER"}) {
    const Verdict verdict = check_list_append(history, {level});
    for (const auto* list : {&verdict.anomalies, &verdict.exposures}) {
      for (const Anomaly& anomaly : *list) Witness(history, seen).check(anomaly);
    }
  }
}

RC_GTEST_PROP(ExplanationData, IsBorneOutByTheHistory, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  std::set<std::string> seen;
  check_explanations({seed, seed * 2654435761U}, seen);
}

TEST(ExplanationDataTest, EdgesOfEveryKindAreBorneOut) {
  std::set<std::string> seen;
  for (std::uint32_t seed = 0; seed < 60; ++seed) check_explanations({seed, seed * 7919 + 1}, seen);
  for (const char* relation : {"ww", "wr", "rw", "process", "realtime", "observed"}) {
    EXPECT_TRUE(seen.contains(relation)) << relation;
  }
}

}  // namespace
}  // namespace polarsim::checkers
