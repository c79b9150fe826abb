// What reads at rest prove lost, at the weakest level and at one outside the isolation hierarchy.
#include "checkers/final_reads.h"

#include <gtest/gtest.h>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::count_of;
using test::history_of;
using test::names_of;
using Names = std::set<std::string>;

// Runs the transactions one after another, each by a process of its own, then the final reads likewise.
History with_final_reads(const std::vector<std::string>& ends, const std::vector<std::string>& finals) {
  std::vector<std::string> lines;
  std::size_t number = 0;
  for (const auto* part : {&ends, &finals}) {
    for (const std::string& end : *part) {
      const std::size_t space = end.find(' ');
      lines.push_back("invoke " + std::to_string(number) + " []");
      lines.push_back(end.substr(0, space) + " " + std::to_string(number++) + end.substr(space));
    }
  }
  History history = history_of(lines);
  for (std::size_t i = 2 * ends.size(); i < lines.size(); ++i) history.events[i].extra.emplace_back("final?", "true");
  return history;
}

Names lists(const std::vector<std::string>& ends, const std::vector<std::string>& finals,
            const char* level = "read-uncommitted") {
  return names_of(check_list_append(with_final_reads(ends, finals), {level}).anomalies);
}

Names registers(const std::vector<std::string>& ends, const std::vector<std::string>& finals,
                const char* level = "read-uncommitted") {
  return names_of(check_rw_register(with_final_reads(ends, finals), {level}).anomalies);
}

TEST(FinalLists, LostAppends) {
  const std::vector<std::string> ends = {"ok [[:append 1 1] [:append 1 2]]", "ok [[:append 1 3]]"};
  EXPECT_EQ(lists(ends, {"ok [[:r 1 [1 2 3]]]"}), Names{});
  for (const char* level : {"read-uncommitted", "read-committed", "PRAM"}) {
    EXPECT_EQ(lists(ends, {"ok [[:r 1 [1 2]]]"}, level), Names{"lost-append"}) << level;
  }
  const Verdict verdict = check_list_append(with_final_reads(ends, {"ok [[:r 1 [1 2]]]"}), {"read-uncommitted"});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(verdict.not_models, std::vector<std::string>{"read-uncommitted"});
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{3, 5}));
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 3 was acknowledged with its append of 3 to key 1, but op 5, a final read, shows [1 2] in key 1: the "
            "append is missing.");
}

TEST(FinalLists, AllIsLostWhereNothingIsShown) {
  const History history =
      with_final_reads({"ok [[:append 1 1] [:append 1 2]]", "ok [[:append 2 1]]"}, {"ok [[:r 1 nil] [:r 2 [1]]]"});
  const Verdict verdict = check_list_append(history, {"read-uncommitted"});
  EXPECT_EQ(names_of(verdict.anomalies), Names{"lost-append"});
  EXPECT_EQ(count_of(verdict, "lost-append"), 2U);
}

TEST(FinalLists, EveryFinalReadCounts) {
  EXPECT_EQ(lists({"ok [[:append 1 1]]"}, {"ok [[:r 1 nil]]", "ok [[:r 1 [1]]]"}), Names{"lost-append"});
  EXPECT_EQ(lists({"ok [[:append 1 1]]"}, {"ok [[:r 1 [1]]]", "ok [[:r 1 nil]]"}), Names{"lost-append"});
}

TEST(FinalLists, PartialCommits) {
  const std::vector<std::string> info = {"info [[:append 1 1] [:append 2 1]]"};
  EXPECT_EQ(lists(info, {"ok [[:r 1 [1]]]", "ok [[:r 2 [1]]]"}), Names{});
  EXPECT_EQ(lists(info, {"ok [[:r 1 nil]]", "ok [[:r 2 nil]]"}), Names{});
  const Verdict verdict =
      check_list_append(with_final_reads(info, {"ok [[:r 1 [1]]]", "ok [[:r 2 nil]]"}), {"read-uncommitted"});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(names_of(verdict.anomalies), Names{"partial-commit"});
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{1, 3, 5}));
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 1 appended 1 to key 1 and 1 to key 2. op 3, a final read, shows [1] in key 1, with the append; op 5, a "
            "final read, shows nil in key 2, without it: only a part of the transaction took effect.");
  EXPECT_EQ(lists({"ok [[:append 1 1] [:append 2 1]]"}, {"ok [[:r 1 [1]]]", "ok [[:r 2 nil]]"}),
            (Names{"lost-append", "partial-commit"}));
  // Also within one key, and only keys with a final read count.
  EXPECT_TRUE(lists({"info [[:append 1 1] [:append 1 2]]"}, {"ok [[:r 1 [2]]]"}).contains("partial-commit"));
  EXPECT_FALSE(lists(info, {"ok [[:r 1 [1]]]"}).contains("partial-commit"));
}

TEST(FinalLists, OpenOrUnflaggedOperationsAreNotJudged) {
  History history = with_final_reads({"ok [[:append 1 1]]"}, {"ok [[:r 1 nil]]"});
  for (Event& event : history.events) event.extra.clear();
  EXPECT_NE(check_list_append(history, {"read-uncommitted"}).validity, Validity::invalid);
  for (const char* end : {"ok", "info"}) {
    History open = history_of({"invoke 0 [[:append 1 1] [:append 2 1]]", "invoke 1 []",
                               std::string(end) + " 0 [[:append 1 1] [:append 2 1]]", "ok 1 [[:r 1 [1]] [:r 2 nil]]"});
    open.events.back().extra.emplace_back("final?", "true");
    EXPECT_NE(check_list_append(open, {"read-uncommitted"}).validity, Validity::invalid) << end;
  }
  EXPECT_EQ(count_of(check_list_append(
                         with_final_reads({"fail [[:append 1 1] [:append 2 1]]"}, {"ok [[:r 1 nil] [:r 2 nil]]"}),
                         {"read-uncommitted"}),
                     "lost-append"),
            0U);
}

TEST(FinalRegisters, LostWrites) {
  const std::vector<std::string> ends = {"ok [[:w 1 1]]", "ok [[:w 1 2]]"};
  EXPECT_EQ(registers(ends, {"ok [[:r 1 2]]"}), Names{});
  for (const char* level : {"read-uncommitted", "read-committed", "PRAM"}) {
    EXPECT_EQ(registers(ends, {"ok [[:r 1 1]]"}, level), Names{"lost-write"}) << level;
    EXPECT_EQ(registers(ends, {"ok [[:r 1 nil]]"}, level), Names{"lost-write"}) << level;
  }
  const Verdict verdict = check_rw_register(with_final_reads(ends, {"ok [[:r 1 1]]"}), {"read-uncommitted"});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(verdict.not_models, std::vector<std::string>{"read-uncommitted"});
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{3, 5, 1}));
  EXPECT_EQ(verdict.anomalies[0].explanation,
            "op 5, a final read, shows 1 in key 1, but op 3 was acknowledged before that read with a write of that "
            "key, and was invoked after op 1, which wrote 1, had been acknowledged: its write is lost.");
}

TEST(FinalRegisters, UncertainAndConcurrentWritesMayBeLast) {
  EXPECT_FALSE(registers({"info [[:w 1 1]]"}, {"ok [[:r 1 nil]]"}).contains("lost-write"));
  EXPECT_FALSE(registers({"info [[:w 1 1]]", "ok [[:w 1 2]]"}, {"ok [[:r 1 1]]"}).contains("lost-write"));
  EXPECT_FALSE(registers({"ok [[:w 1 1]]", "info [[:w 1 2]]"}, {"ok [[:r 1 1]]"}).contains("lost-write"));
  for (const char* value : {"1", "2"}) {
    History history = history_of({"invoke 0 [[:w 1 1]]", "invoke 1 [[:w 1 2]]", "ok 0 [[:w 1 1]]", "ok 1 [[:w 1 2]]",
                                  "invoke 2 []", std::string("ok 2 [[:r 1 ") + value + "]]"});
    history.events.back().extra.emplace_back("final?", "true");
    EXPECT_NE(check_rw_register(history, {"read-uncommitted"}).validity, Validity::invalid) << value;
  }
  History open = history_of({"invoke 0 [[:w 1 1]]", "invoke 1 []", "ok 0 [[:w 1 1]]", "ok 1 [[:r 1 nil]]"});
  open.events.back().extra.emplace_back("final?", "true");
  EXPECT_NE(check_rw_register(open, {"read-uncommitted"}).validity, Validity::invalid);
}

TEST(FinalRegisters, PartialCommits) {
  const std::vector<std::string> info = {"info [[:w 1 1] [:w 2 1]]"};
  EXPECT_FALSE(registers(info, {"ok [[:r 1 1]]", "ok [[:r 2 1]]"}).contains("partial-commit"));
  EXPECT_FALSE(registers(info, {"ok [[:r 1 nil]]", "ok [[:r 2 nil]]"}).contains("partial-commit"));
  EXPECT_FALSE(registers(info, {"ok [[:r 1 1]]"}).contains("partial-commit"));
  const Verdict verdict =
      check_rw_register(with_final_reads(info, {"ok [[:r 1 1]]", "ok [[:r 2 nil]]"}), {"read-uncommitted"});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(names_of(verdict.anomalies), (Names{"partial-commit", "empty-transaction-graph"}));
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{1, 3, 5}));
  // Another transaction may have overwritten the other key; one that failed cannot have.
  const std::vector<std::string> finals = {"ok [[:r 1 1]]", "ok [[:r 2 2]]"};
  EXPECT_FALSE(registers({info[0], "ok [[:w 2 2]]"}, finals).contains("partial-commit"));
  EXPECT_FALSE(registers({info[0], "info [[:w 2 2]]"}, finals).contains("partial-commit"));
  EXPECT_TRUE(registers({info[0], "fail [[:w 2 2]]"}, finals).contains("partial-commit"));
}

// Stores that lose nothing: whatever runs, a final read of what they hold finds nothing.
TEST(FinalReads, SoundStoresLoseNothing) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    for (const bool as_lists : {true, false}) {
      test::Store store({.lists = as_lists, .serial = seed % 2 == 0}, test::Choices({seed, seed * 7919 + 1}));
      const History history = store.run_and_read_at_rest();
      const Verdict verdict = as_lists ? check_list_append(history, {"read-uncommitted"})
                                       : check_rw_register(history, {"read-uncommitted"});
      for (const char* name : {"lost-append", "lost-write", "partial-commit"})
        EXPECT_EQ(count_of(verdict, name), 0U) << name << " with seed " << seed;
    }
  }
}

}  // namespace
}  // namespace polarsim::checkers
