#include "checkers/levels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "checkers/checkers.h"
#include "checkers/level_oracle_test_support.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::concurrent;
using test::history_of;

using Decisions = std::map<std::string, Validity>;

Decisions decisions_of(const Verdict& verdict) {
  Decisions decisions;
  for (const LevelDecision& decision : verdict.levels) decisions[decision.level] = decision.validity;
  return decisions;
}

Decisions list_levels(const History& history) {
  return decisions_of(check_list_append(history, {.model = "PL-1", .every_level = true}));
}

Decisions register_levels(const History& history) {
  return decisions_of(check_rw_register(history, {.model = "PL-1", .every_level = true}));
}

// The levels that hold, in the order of the names.
std::string holding(const Decisions& decisions) {
  std::string text;
  for (const std::string& name : exact_level_names()) {
    if (decisions.at(name) == Validity::valid) text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

// A history of lists with these reads and writes. Sessions run side by side; in the end one more reads everything, so
// that the order of versions is known.
History lists_of(const test::RandomExecution& made) {
  const Execution& execution = made.execution;
  const auto list_up_to = [&](std::uint32_t key, std::uint32_t writer) {
    std::string list = "[";
    for (const std::uint32_t version : made.writers[key]) {
      if (writer == Execution::initial) break;
      list += std::to_string(version) + " ";
      if (version == writer) break;
    }
    return list + "]";
  };
  std::vector<std::string> lines;
  std::map<std::uint32_t, std::vector<std::string>> of_session;
  for (std::uint32_t t = 0; t < execution.transaction_count(); ++t) {
    std::string value = "[";
    for (const Execution::Read& read : execution.reads_of(t)) {
      value += "[:r " + std::to_string(read.key) + " " + list_up_to(read.key, read.writer) + "]";
    }
    for (const std::uint32_t key : execution.writes_of(t)) {
      value += "[:append " + std::to_string(key) + " " + std::to_string(t) + "]";
    }
    of_session[execution.session_of(t)].push_back(value + "]");
  }
  std::string everything = "[";
  for (std::uint32_t key = 0; key < made.writers.size(); ++key) {
    everything += "[:r " + std::to_string(key) + " " +
                  list_up_to(key, made.writers[key].empty() ? Execution::initial : made.writers[key].back()) + "]";
  }
  of_session[1000] = {everything + "]"};
  for (std::size_t round = 0; round < execution.transaction_count(); ++round) {
    for (const char* type : {"invoke ", "ok "}) {
      for (const auto& [session, values] : of_session) {
        if (round < values.size()) lines.push_back(type + std::to_string(session) + " " + values[round]);
      }
    }
  }
  return history_of(lines);
}

void check_against_oracle(Choices& choices) {
  const test::RandomExecution made = test::make_execution(choices, true);
  const Decisions decisions = list_levels(lists_of(made));
  const auto agrees = [&](const char* name, bool holds) {
    if ((decisions.at(name) == Validity::valid) == holds) return;
    RC_FAIL(std::string(name) + (holds ? " holds\n" : " does not hold\n") + test::text_of(made.execution));
  };
  agrees("MAV", test::some_order_holds(made.execution, WeakLevel::mav));
  agrees("BE-RC", test::some_order_holds(made.execution, WeakLevel::be_rc));
  agrees("RA", test::some_order_holds(made.execution, WeakLevel::read_atomic));
  agrees("CC", test::some_order_holds(made.execution, WeakLevel::causal));
  using test::StrongLevel;
  agrees("SI", test::some_order_holds(made.execution, StrongLevel::snapshot_isolation, false));
  agrees("SER", test::some_order_holds(made.execution, StrongLevel::serializability, false));
  agrees("strong-session-SI", test::some_order_holds(made.execution, StrongLevel::snapshot_isolation, true));
  agrees("strong-session-SER", test::some_order_holds(made.execution, StrongLevel::serializability, true));
  for (const auto& [name, validity] : decisions) RC_ASSERT(validity != Validity::unknown);
}

RC_GTEST_PROP(Levels, OfListsAgreeWithTryingAllOrders, ()) {
  Choices choices(*rc::gen::container<std::vector<std::uint32_t>>(60, rc::gen::arbitrary<std::uint32_t>()));
  check_against_oracle(choices);
}

RC_GTEST_PROP(Levels, OfListsAgreeWithTryingAllOrdersOfManyExecutions, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 10; ++i) {
    Choices choices({seed, i, seed ^ i, i * 2654435761U});
    check_against_oracle(choices);
  }
}

// What is asked for by name is decided as in the table of all levels.
RC_GTEST_PROP(Levels, TheTableAgreesWithTheSingleVerdicts, (bool lists, bool serial)) {
  const History history =
      test::Store({.lists = lists, .serial = serial}, Choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>())).run();
  const auto check = [&](const std::string& level, bool every) {
    return lists ? check_list_append(history, {.model = level, .every_level = every})
                 : check_rw_register(history, {.model = level, .every_level = every});
  };
  if (check("PL-1", false).validity == Validity::unknown) return;  // Not a single dependency.
  for (const LevelDecision& decision : check("PL-1", true).levels) {
    const Validity single = check(decision.level, false).validity;
    if (single != decision.validity) {
      RC_FAIL(decision.level + ": " + to_string(single) + " alone, " + to_string(decision.validity) + " in the table");
    }
  }
}

TEST(LevelsTest, ASerialHistoryOfListsIsAtEveryLevel) {
  const Decisions decisions = list_levels(
      history_of({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", "invoke 0 [[:r 1 nil]]", "ok 0 [[:r 1 [1]]]"}));
  for (const auto& [name, validity] : decisions) EXPECT_EQ(validity, Validity::valid) << name;
  EXPECT_EQ(decisions.size(), exact_level_names().size());
}

TEST(LevelsTest, SkewIsSnapshotIsolation) {
  EXPECT_EQ(holding(list_levels(concurrent(
                {"ok [[:r 1 []] [:append 2 1]]", "ok [[:r 2 []] [:append 1 1]]", "ok [[:r 1 [1]] [:r 2 [1]]]"}))),
            "PL-1 PL-2 MAV BE-RC RA CC SI strong-session-PL-1 strong-session-PL-2 strong-session-SI strong-PL-1 "
            "strong-PL-2 strong-SI");
}

// One statement after the other sees more: permitted where each statement has a snapshot of its own.
TEST(LevelsTest, ALateViewOfATransactionIsMonotonicAtomicView) {
  EXPECT_EQ(holding(list_levels(concurrent({"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 []] [:r 2 [1]]]"}))),
            "PL-1 PL-2 MAV BE-RC strong-session-PL-1 strong-session-PL-2 strong-PL-1 strong-PL-2");
}

// The other way round a part of what was seen has vanished: the fractured read across nodes.
TEST(LevelsTest, AVanishedTransactionIsOnlyAdyasReadCommitted) {
  const History history = concurrent({"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 [1]] [:r 2 []]]"});
  EXPECT_EQ(holding(list_levels(history)), "PL-1 PL-2 strong-session-PL-1 strong-session-PL-2 strong-PL-1 strong-PL-2");
  const Verdict verdict = check_list_append(history, {"MAV"});
  EXPECT_EQ(test::names_of(verdict.anomalies), std::set<std::string>{"MAV-cycle"});
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 3 (1 us to 3 us) read key 1 as [1] from op 2 (0 ms to 2 us) and after that key 2 as [], the initial "
            "state, although op 2 had appended 1 to it, so op 2 would come before the initial state (observed).\nNo "
            "order of commits has all of this, which rules out MAV.");
}

// Whether blind writes of registers can be ordered is what the history does not tell.
TEST(LevelsTest, RegistersWithoutAnOrderAreUnknownAboveCausality) {
  const History blind = concurrent({"ok [[:w 1 1]]", "ok [[:w 1 2]]", "ok [[:r 1 1]]"});
  const Decisions decisions = register_levels(blind);
  EXPECT_EQ(decisions.at("CC"), Validity::valid);
  EXPECT_EQ(decisions.at("RR"), Validity::unknown);
  EXPECT_EQ(decisions.at("SER"), Validity::unknown);
  const Verdict verdict = check_rw_register(blind, {"SER"});
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_NE(verdict.reason.find("key 1"), std::string::npos) << verdict.reason;
  // Elle's name is judged as Elle judges it.
  EXPECT_EQ(check_rw_register(blind, {"serializable"}).validity, Validity::valid);
  // Read, then written: one order.
  const Decisions chain = register_levels(concurrent({"ok [[:w 1 1]]", "ok [[:r 1 1] [:w 1 2]]", "ok [[:r 1 2]]"}));
  EXPECT_EQ(chain.at("SER"), Validity::valid);
}

TEST(LevelsTest, WhatCausalityForbidsNoSessionOrderedLevelPermits) {
  const Decisions decisions =
      register_levels(concurrent({"ok [[:w 1 1]]", "ok [[:r 1 1] [:w 2 1]]", "ok [[:r 2 1] [:r 1 nil]]"}));
  EXPECT_EQ(decisions.at("RA"), Validity::valid);
  EXPECT_EQ(decisions.at("CC"), Validity::invalid);
  EXPECT_EQ(decisions.at("strong-session-SI"), Validity::invalid);
}

}  // namespace
}  // namespace polarsim::checkers
