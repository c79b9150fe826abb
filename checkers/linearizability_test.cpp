// Linearizability: the operations it knows, what it says, and what it refuses.
#include "checkers/linearizability.h"

#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/linearizability_oracle_test_support.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::history_of;
using Object = LinearizabilityOptions::Object;

Verdict judge(const std::vector<std::string>& lines, Object object = Object::cas_register) {
  return check_linearizability(history_of(lines), {.object = object});
}

Validity validity(const std::vector<std::string>& lines, Object object = Object::cas_register) {
  const Verdict verdict = judge(lines, object);
  EXPECT_EQ(verdict.reason, "");
  return verdict.validity;
}

std::string reason(const std::vector<std::string>& lines, Object object = Object::cas_register) {
  const Verdict verdict = judge(lines, object);
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_TRUE(verdict.anomalies.empty());
  return verdict.reason;
}

TEST(LinearizableRegister, AStaleReadIsExplained) {
  const Verdict verdict = judge({"invoke 0 write 1", "ok 0 write 1", "invoke 1 write 2", "ok 1 write 2",
                                 "invoke 0 read nil", "ok 0 read 1", "invoke 1 read nil", "ok 1 read 7"});
  EXPECT_EQ(verdict.checker, "linearizable-cas-register");
  EXPECT_EQ(verdict.validity, Validity::invalid);
  ASSERT_EQ(verdict.anomalies.size(), 1U);
  EXPECT_EQ(verdict.anomalies[0].name, "nonlinearizable");
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "Of the register, the history up to the completion of op 5 (process 0, read 1) has no linearization; up to "
            "the completion before it, it has. A linearization so far: op 1 (process 0, write 1), then op 3 (process "
            "1, write 2); the register holds 2. op 5 (process 0, read 1) cannot be next, because it read 1.");
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{5, 1, 3}));
  EXPECT_EQ(verdict.operations_checked, 4U);
}

TEST(LinearizableRegister, WhatIsConcurrentMayGoEitherWay) {
  EXPECT_EQ(validity({"invoke 0 write 1", "invoke 1 read nil", "ok 1 read nil", "ok 0 write 1"}), Validity::valid);
  EXPECT_EQ(validity({"invoke 0 write 1", "invoke 1 read nil", "ok 1 read 1", "ok 0 write 1"}), Validity::valid);
  // Once seen, it must stay.
  EXPECT_EQ(validity({"invoke 0 write 1", "invoke 1 read nil", "ok 1 read 1", "invoke 1 read nil", "ok 1 read nil",
                      "ok 0 write 1"}),
            Validity::invalid);
}

TEST(LinearizableRegister, UncertainWritesMayHappenAtAnyLaterTimeOrNever) {
  const std::vector<std::string> begin = {"invoke 0 write 1", "ok 0 write 1", "invoke 1 write 2", "info 1 write 2"};
  const auto then = [&](const std::vector<std::string>& rest) {
    std::vector<std::string> lines = begin;
    lines.insert(lines.end(), rest.begin(), rest.end());
    return validity(lines);
  };
  EXPECT_EQ(then({"invoke 0 read nil", "ok 0 read 1"}), Validity::valid);
  EXPECT_EQ(then({"invoke 0 read nil", "ok 0 read 1", "invoke 0 read nil", "ok 0 read 2"}), Validity::valid);
  EXPECT_EQ(then({"invoke 0 read nil", "ok 0 read 2", "invoke 0 read nil", "ok 0 read 1"}), Validity::invalid);
  // The same of one that never completes; what failed did not happen.
  EXPECT_EQ(validity({"invoke 1 write 2", "invoke 0 read nil", "ok 0 read 2"}), Validity::valid);
  EXPECT_EQ(validity({"invoke 1 write 2", "fail 1 write 2", "invoke 0 read nil", "ok 0 read 2"}), Validity::invalid);
}

TEST(LinearizableRegister, CompareAndSet) {
  EXPECT_EQ(validity({"invoke 0 cas [nil 1]", "ok 0 cas [nil 1]", "invoke 0 cas [1 2]", "ok 0 cas [1 2]",
                      "invoke 0 read nil", "ok 0 read 2"}),
            Validity::valid);
  // Two that both found 1.
  EXPECT_EQ(validity({"invoke 0 write 1", "ok 0 write 1", "invoke 0 cas [1 2]", "invoke 1 cas [1 3]", "ok 0 cas [1 2]",
                      "ok 1 cas [1 3]"}),
            Validity::invalid);
  // Uncertain ones that only together lead to what was read.
  EXPECT_EQ(validity({"invoke 0 write 1", "ok 0 write 1", "invoke 1 cas [1 2]", "info 1 cas [1 2]",
                      "invoke 2 cas [2 3]", "info 2 cas [2 3]", "invoke 0 read nil", "ok 0 read 3"}),
            Validity::valid);
}

TEST(LinearizableRegister, KeysAreJudgedApart) {
  const Verdict verdict =
      judge({"invoke 0 write [1 10]", "ok 0 write [1 10]", "invoke 0 write [2 20]", "ok 0 write [2 20]",
             "invoke 0 read [1 nil]", "ok 0 read [1 10]", "invoke 0 cas [1 [10 11]]", "ok 0 cas [1 [10 11]]",
             "invoke 0 read [2 nil]", "ok 0 read [2 nil]"});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  ASSERT_EQ(verdict.anomalies.size(), 1U);
  EXPECT_TRUE(verdict.anomalies[0].explanation.starts_with("Of key 2, the history up to the completion of op 9"));
  // Compare-and-set alone: its pair is not a key and a value.
  EXPECT_EQ(validity({"invoke 0 cas [nil 1]", "ok 0 cas [nil 1]", "invoke 0 cas [1 2]", "ok 0 cas [1 2]"}),
            Validity::valid);
  EXPECT_EQ(validity({"invoke 0 cas [1 2]", "ok 0 cas [1 2]"}), Validity::invalid);
}

TEST(LinearizableRegister, TransactionsOfOneStep) {
  EXPECT_EQ(validity({"invoke 0 [[:w :x 1]]", "ok 0 [[:w :x 1]]", "invoke 1 [[:r :x nil]]", "ok 1 [[:r :x 1]]",
                      "invoke 1 [[:r :y nil]]", "ok 1 [[:r :y nil]]", "invoke 1 [[:r :y nil]]", "info 1 nil"},
                     Object::simple_register),
            Validity::valid);
  const Verdict stale =
      judge({"invoke 0 [[:w :x 1]]", "ok 0 [[:w :x 1]]", "invoke 1 [[:r :x nil]]", "ok 1 [[:r :x nil]]"});
  EXPECT_EQ(stale.validity, Validity::invalid);
  EXPECT_TRUE(stale.anomalies[0].explanation.starts_with("Of key :x, ")) << stale.anomalies[0].explanation;
  EXPECT_EQ(reason({"invoke 0 [[:w 1 1] [:w 2 1]]", "ok 0 [[:w 1 1] [:w 2 1]]"}),
            "op 1 is a transaction of 2 steps: only those of one step are operations on one register (list-append and "
            "rw-register judge others, at strong-SER)");
  EXPECT_EQ(reason({"invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]"}),
            "op 1 appends to or reads a list, which is no register");
}

TEST(LinearizableSet, ElementsAndReadsOfAll) {
  const auto set = [](const std::vector<std::string>& lines) { return validity(lines, Object::set); };
  EXPECT_EQ(set({"invoke 0 add 1", "ok 0 add 1", "invoke 0 add 2", "ok 0 add 2", "invoke 0 read nil",
                 "ok 0 read #{1 2}", "invoke 0 remove 1", "ok 0 remove 1", "invoke 0 read nil", "ok 0 read [2]"}),
            Validity::valid);
  EXPECT_EQ(set({"invoke 0 contains 1", "ok 0 contains [1 false]", "invoke 0 add 1", "ok 0 add nil",
                 "invoke 0 contains 1", "ok 0 contains true"}),
            Validity::valid);
  const Verdict lost =
      judge({"invoke 0 add 1", "ok 0 add 1", "invoke 0 add 2", "ok 0 add 2", "invoke 0 read nil", "ok 0 read #{2 3}"},
            Object::set);
  EXPECT_EQ(lost.validity, Validity::invalid);
  EXPECT_TRUE(lost.anomalies[0].explanation.ends_with(
      "the set holds [1 2]. op 5 (process 0, read [2 3]) cannot be next, because it showed [3] beside, and not [1]."))
      << lost.anomalies[0].explanation;
  const Verdict element = judge({"invoke 0 add 1", "ok 0 add 1", "invoke 0 add 5", "ok 0 add 5", "invoke 0 contains 5",
                                 "ok 0 contains [5 false]"},
                                Object::set);
  EXPECT_TRUE(element.anomalies[0].explanation.starts_with("Of element 5 of the set, "));
}

TEST(LinearizableQueue, FirstInFirstOut) {
  const std::vector<std::string> begin = {"invoke 0 enqueue 1", "ok 0 enqueue 1", "invoke 0 enqueue 2",
                                          "ok 0 enqueue 2"};
  const auto then = [&](const std::vector<std::string>& rest) {
    std::vector<std::string> lines = begin;
    lines.insert(lines.end(), rest.begin(), rest.end());
    return validity(lines, Object::queue);
  };
  EXPECT_EQ(then({"invoke 0 dequeue nil", "ok 0 dequeue 1", "invoke 0 dequeue nil", "ok 0 dequeue 2",
                  "invoke 0 dequeue nil", "ok 0 dequeue nil"}),
            Validity::valid);
  EXPECT_EQ(then({"invoke 0 dequeue nil", "ok 0 dequeue 2"}), Validity::invalid);
  EXPECT_EQ(then({"invoke 0 dequeue nil", "ok 0 dequeue nil"}), Validity::invalid);
  EXPECT_EQ(then({"invoke 1 dequeue nil", "info 1 dequeue nil", "invoke 0 dequeue nil", "ok 0 dequeue 2"}),
            Validity::valid);
  EXPECT_EQ(then({"invoke 0 dequeue nil", "ok 0 dequeue 1", "invoke 0 dequeue nil", "ok 0 dequeue 1"}),
            Validity::invalid);
}

TEST(Linearizability, WhatIsOfNoKnownShapeIsNamed) {
  EXPECT_EQ(reason({"invoke 0 drain nil", "ok 0 drain [1]"}, Object::queue),
            "op 1: expected :enqueue or :dequeue after :f, found :drain");
  EXPECT_EQ(reason({"invoke 0 cas [1 2]", "ok 0 cas [1 2]"}, Object::simple_register),
            "op 1: expected :write or :read after :f, found :cas");
  EXPECT_EQ(reason({"invoke 0 write nil", "ok 0 write nil"}),
            "op 0 (:write): expected a number, keyword, symbol or string, found nil");
  EXPECT_EQ(reason({"invoke 0 write 3", "ok 0 write 4"}),
            "op 1 (:write): expected what was asked for, 3, or nil, found 4");
  EXPECT_EQ(reason({"invoke 0 cas 3", "ok 0 cas 3"}), "op 0 (:cas): expected [old new], found 3");
  EXPECT_EQ(reason({"invoke 0 write [1 2]", "ok 0 write [1 2]", "invoke 0 read nil", "ok 0 read [1 2]"}),
            "op 0 (:write): expected a number, keyword, symbol or string, found [1 2]");
  EXPECT_EQ(reason({"invoke 0 read nil", "ok 0 read #{1 #{2}}"}, Object::set),
            "op 1 (:read): expected a number, keyword, symbol or string, found #{2}");
  EXPECT_EQ(reason({"invoke 0 contains 3", "ok 0 contains [4 true]"}, Object::set),
            "op 1 (:contains): expected [element true] or [element false], of the element asked for, found [4 true]");
  EXPECT_EQ(reason({"invoke 0 transfer {:from 1, :to 2, :amount 3}", "ok 0 transfer {:from 1, :to 2, :amount 3}"}),
            "op 1: expected :write, :read or :cas after :f, found :transfer");
  // Of failed operations the shape does not matter, and the nemesis is no client.
  EXPECT_EQ(validity({"invoke 0 drain nil", "fail 0 drain nil", "info :nemesis start nil"}), Validity::valid);
}

TEST(Linearizability, ASearchThatIsTooLongSaysOfWhat) {
  const History history =
      history_of({"invoke 0 write [7 1]", "ok 0 write [7 1]", "invoke 0 read [7 nil]", "ok 0 read [7 1]",
                  "invoke 0 write [8 1]", "ok 0 write [8 1]", "invoke 0 read [8 nil]", "ok 0 read [8 2]"});
  Verdict verdict = check_linearizability(history, {.object = Object::simple_register, .steps = 1});
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_EQ(verdict.reason, "the search for a linearization of key 7 ended at its bound of 1 steps, with 2 operations");
  verdict = check_linearizability(history, {.object = Object::simple_register, .memory = 0});
  EXPECT_EQ(verdict.reason,
            "the search for a linearization of key 7 ended at its bound of 0 bytes of memory, with 2 operations");
}

TEST(Linearizability, ManyHardKeysLeaveTheEasyOnesDecided) {
  std::vector<std::string> lines;
  // Twelve keys whose search meets the bound, and one that needs little.
  const auto use_key = [&](int key, int reads) {
    const std::string name = std::to_string(key);
    lines.insert(lines.end(), {"invoke 0 write [" + name + " 1]", "ok 0 write [" + name + " 1]"});
    for (int i = 0; i < reads; ++i) {
      lines.insert(lines.end(), {"invoke 0 read [" + name + " nil]", "ok 0 read [" + name + " 1]"});
    }
  };
  for (int key = 0; key < 12; ++key) use_key(key, 3000);
  use_key(100, 3);
  const Verdict verdict = check_linearizability(history_of(lines), {.object = Object::simple_register, .steps = 2000});
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_EQ(verdict.reason,
            "the search for a linearization of key 0 ended at its bound of 2000 steps, with 3001 operations");
  // An anomaly in the easy key is still found.
  lines.insert(lines.end(), {"invoke 0 read [100 nil]", "ok 0 read [100 2]"});
  EXPECT_EQ(check_linearizability(history_of(lines), {.object = Object::simple_register, .steps = 2000}).validity,
            Validity::invalid);
}

// Each of them may have happened at any time, and half of them are needed: without looking at every set of them.
TEST(Linearizability, ManyUncertainOperationsAreNoTrouble) {
  std::vector<std::string> lines;
  for (int i = 0; i < 400; ++i) {
    const std::string process = std::to_string(100 + i);
    const std::string value = std::to_string(i % 3);
    lines.push_back("invoke " + process + " write " + value);
    lines.push_back("info " + process + " write " + value);
  }
  for (int i = 0; i < 200; ++i) {
    lines.push_back("invoke 0 read nil");
    lines.push_back("ok 0 read " + std::to_string(i % 3));
  }
  EXPECT_EQ(validity(lines), Validity::valid);
  lines.push_back("invoke 0 read nil");
  lines.push_back("ok 0 read 5");
  EXPECT_EQ(validity(lines), Validity::invalid);
}

TEST(Linearizability, ALongHistoryOfOneKeyTakesAboutLinearTime) {
  test::Choices choices({12345, 678});
  test::ObjectRun run;
  run.processes = 20;
  run.operations = 50'000;
  run.values = 5;
  run.info_once_in = 2000;
  const auto history = read_history(edn_of(run_clients(run, choices)), "test");
  ASSERT_TRUE(history.has_value());
  EXPECT_EQ(check_linearizability(*history, {.object = Object::cas_register, .steps = 20'000'000}).validity,
            Validity::valid);
}

}  // namespace
}  // namespace polarsim::checkers
