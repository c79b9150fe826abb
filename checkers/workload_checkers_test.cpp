// The checkers of the smaller workloads: what each finds and says, against their definitions by brute force, and
// against objects that keep the invariant.
#include "checkers/workload_checkers.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::count_of;
using test::history_of;
using test::names_of;
using Lines = std::vector<std::string>;
using Names = std::set<std::string>;

// The verdict's names, and its validity by the first letter: "v", "i lost", "u".
std::string summary(const Verdict& verdict) {
  std::string text(1, to_string(verdict.validity)[0]);
  for (const std::string& name : names_of(verdict.anomalies)) text += " " + name;
  for (const std::string& name : names_of(verdict.exposures)) text += " (" + name + ")";
  return text;
}

std::string explanation(const Verdict& verdict) {
  return verdict.anomalies.empty() ? verdict.reason : verdict.anomalies[0].explanation;
}

// Counter.

TEST(Counter, ReadsLieBetweenBounds) {
  const auto with_read = [](const std::string& value) {
    return summary(check_counter(
        history_of({"invoke 0 add 5", "ok 0 add 5", "invoke 1 add 3", "info 1 add 3", "invoke 2 add 7", "fail 2 add 7",
                    "invoke 3 read nil", "invoke 0 add -2", "ok 3 read " + value, "ok 0 add -2"})));
  };
  for (const char* value : {"3", "5", "8"}) EXPECT_EQ(with_read(value), "v") << value;
  for (const char* value : {"2", "9", "15"}) EXPECT_EQ(with_read(value), "i out-of-bounds") << value;
  const Verdict verdict =
      check_counter(history_of({"invoke 0 add [x 5]", "ok 0 add [x 5]", "invoke 0 read [x nil]", "ok 0 read [x 4]"}));
  EXPECT_EQ(explanation(verdict),
            "op 3 read 4 of key x, but the adds acknowledged before it began and those asked for before it ended allow "
            "only 5 to 5.");
  EXPECT_EQ(verdict.anomalies[0].operations, std::vector<std::int64_t>{3});
  EXPECT_EQ(summary(check_counter(history_of({"invoke 0 add 5", "ok 0 add 5"}))), "u");
}

TEST(Counter, WhatIsNoNumberIsNamed) {
  EXPECT_EQ(explanation(check_counter(history_of({"invoke 0 add x", "ok 0 add x"}))),
            "op 0 (:add): expected a 64-bit integer, found x");
  EXPECT_EQ(explanation(check_counter(history_of({"invoke 0 add 99999999999999", "ok 0 add nil"}))),
            "op 0 (:add): expected an amount of at most 2^36, found 99999999999999");
  EXPECT_EQ(explanation(check_counter(history_of({"invoke 0 write 1", "ok 0 write 1"}))),
            "op 1: expected :add or :read after :f, found :write");
  EXPECT_EQ(explanation(check_counter(history_of({"invoke 0 read nil", "ok 0 read nil"}))),
            "op 1 (:read): expected a 64-bit integer, found nil");
}

// Concurrent clients of a counter that is right, or forgets some adds.
Lines counter_clients(Choices& choices, bool forgets) {
  Lines lines;
  std::int64_t value = 0;
  std::map<int, std::pair<std::string, std::string>> open;  // what was asked, what to answer
  std::map<int, int> process;
  for (int i = 0; i < 4; ++i) process[i] = i;
  for (int step = 0; step < 300; ++step) {
    const int client = static_cast<int>(choices.below(4));
    const std::string name = std::to_string(process[client]) + " ";
    const auto found = open.find(client);
    if (found == open.end()) {
      const std::string asked =
          choices.once_in(2) ? "read nil" : "add " + std::to_string(static_cast<int>(choices.below(7)) - 2);
      open[client] = {asked, ""};
      lines.push_back("invoke " + name + asked);
      continue;
    }
    auto& [asked, answer] = found->second;
    if (answer.empty()) {
      const bool read = asked == "read nil";
      if (!read && choices.once_in(10)) {
        answer = "fail " + name + asked;
      } else {
        if (!read && !(forgets && choices.once_in(5))) value += std::stoll(asked.substr(4));
        answer = "ok " + name + (read ? "read " + std::to_string(value) : asked);
      }
    } else {
      const bool lost = choices.once_in(12) && answer.substr(0, 2) == "ok";
      lines.push_back(lost ? "info " + name + asked : answer);
      if (lost) process[client] += 4;
      open.erase(client);
    }
  }
  return lines;
}

RC_GTEST_PROP(Counter, AnHonestCounterIsValid, ()) {
  Choices choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>());
  const Verdict verdict = check_counter(history_of(counter_clients(choices, false)));
  if (verdict.validity == Validity::invalid) RC_FAIL(test::text_of(verdict));
}

TEST(Counter, AForgetfulCounterIsCaught) {
  std::size_t caught = 0;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Choices choices({seed, seed * 7919 + 1});
    if (check_counter(history_of(counter_clients(choices, true))).validity == Validity::invalid) ++caught;
  }
  EXPECT_GE(caught, 40U);
}

// Sets.

TEST(SetChecker, TheLastReadShowsWhatWasAdded) {
  const Lines begin = {"invoke 0 add 1", "ok 0 add 1",   "invoke 1 add 2", "info 1 add 2",
                       "invoke 2 add 3", "fail 2 add 3", "invoke 0 add 4", "ok 0 add 4"};
  const auto read = [&](const std::string& value) {
    Lines lines = begin;
    lines.insert(lines.end(), {"invoke 0 read nil", "ok 0 read " + value});
    return check_set(history_of(lines));
  };
  EXPECT_EQ(summary(read("#{1 4}")), "v");
  EXPECT_EQ(summary(read("[4 2 1]")), "v");
  EXPECT_EQ(summary(read("#{1 2}")), "i lost");
  EXPECT_EQ(summary(read("[1 4 1]")), "i duplicated");
  EXPECT_EQ(summary(read("#{1 4 9}")), "i unexpected");
  EXPECT_EQ(explanation(read("#{1 3 4}")), "op 9 shows element 3, but op 5, its add, failed.");
  EXPECT_EQ(explanation(read("#{1}")),
            "op 7, which added element 4, was acknowledged before op 9, the last read, began, which does not show it.");
  EXPECT_EQ(read("#{1}").anomalies[0].operations, (std::vector<std::int64_t>{7, 9}));
  EXPECT_EQ(explanation(check_set(history_of(begin))), "the set was never read");
  EXPECT_EQ(explanation(read("7")), "op 9 (:read): expected a set, vector or list of elements, found 7");
  EXPECT_EQ(summary(check_set(history_of(
                {"invoke 0 add [:k 1]", "ok 0 add [:k 1]", "invoke 0 read [:k nil]", "ok 0 read [:k #{}]"}))),
            "i lost");
}

TEST(SetFull, TheTimelineOfElements) {
  const auto check = [](const Lines& lines, bool linearizable = false) {
    return check_set_full(history_of(lines), {.linearizable = linearizable});
  };
  const Lines stale = {"invoke 0 add 1", "ok 0 add 1",        "invoke 0 read nil",
                       "ok 0 read #{}",  "invoke 0 read nil", "ok 0 read #{1}"};
  EXPECT_EQ(summary(check(stale)), "v (stale)");
  EXPECT_EQ(summary(check(stale, true)), "i stale");
  EXPECT_EQ(
      explanation(check(stale, true)),
      "Element 1 was known to be there when op 1, its add, was acknowledged, but op 3, which began later, does not "
      "show it; op 5 does.");
  const Verdict lost = check(
      {"invoke 0 add 1", "info 0 nil", "invoke 1 read nil", "ok 1 read #{1}", "invoke 1 read nil", "ok 1 read #{}"});
  EXPECT_EQ(summary(lost), "i lost");
  EXPECT_EQ(
      explanation(lost),
      "Element 1 was known to be there when op 3 showed it, but op 5, which began later, does not show it, and no "
      "read that began after that one does.");
  EXPECT_EQ(summary(check({"invoke 0 add 1", "ok 0 add 1"})), "u (never-read)");
  // A read that began before the element was known tells nothing.
  EXPECT_EQ(summary(check({"invoke 1 read nil", "invoke 0 add 1", "ok 0 add 1", "ok 1 read #{}"})), "u (never-read)");
  EXPECT_EQ(summary(check({"invoke 0 add 1", "ok 0 add 1", "invoke 1 read nil", "ok 1 read [1 1 2]"})),
            "i duplicated unexpected");
}

// By the definitions, element by element and read by read.
std::map<std::string, std::size_t> timeline_by_definition(const History& history, int elements) {
  std::map<std::string, std::size_t> counts;
  for (int element = 0; element < elements; ++element) {
    std::optional<std::int64_t> known;
    std::optional<std::int64_t> present;
    std::optional<std::int64_t> absent;
    for (const History::Pair& pair : history.pairs()) {
      if (pair.completion < 0) continue;
      const Event& event = history.events[static_cast<std::size_t>(pair.completion)];
      if (event.type != EventType::ok) continue;
      const std::string value = " " + std::get<Opaque>(event.value).edn + " ";
      const bool names = value.find(" " + std::to_string(element) + " ") != std::string::npos;
      if (event.f == "add" ? value == " " + std::to_string(element) + " " : names) {
        known = std::min(known.value_or(pair.completion), pair.completion);
      }
      if (event.f == "add") continue;
      std::optional<std::int64_t>& last = names ? present : absent;
      last = std::max(last.value_or(-1), pair.invoke);
    }
    if (!known) continue;
    const bool missed = absent && *known < *absent;
    if (present && (!absent || *absent < *present)) {
      if (missed) ++counts["stale"];
    } else {
      ++counts[missed ? "lost" : "never-read"];
    }
  }
  return counts;
}

TEST(SetFull, AgreesWithItsDefinition) {
  std::map<std::string, std::size_t> seen;
  for (std::uint32_t seed = 0; seed < 2'000; ++seed) {
    Choices choices({seed, seed * 7919 + 1, seed ^ 0x5bd1e995U});
    Lines lines;
    std::map<int, std::string> open;
    int next = 0;
    for (int step = 0; step < 30; ++step) {
      const int client = static_cast<int>(choices.below(3));
      const std::string name = std::to_string(client) + " ";
      const auto found = open.find(client);
      if (found == open.end()) {
        open[client] = choices.once_in(2) ? "add " + std::to_string(next++) : "read nil";
        lines.push_back("invoke " + name + open[client]);
      } else {
        std::string answer = found->second;
        if (answer == "read nil") {
          answer = "read [";
          for (int element = 0; element < next; ++element) {
            if (!choices.once_in(4)) answer += " " + std::to_string(element);
          }
          answer += " ]";
        }
        lines.push_back((answer[0] == 'a' && choices.once_in(5) ? "fail " : "ok ") + name + answer);
        open.erase(found);
      }
    }
    History history = history_of(lines);
    const Verdict verdict = check_set_full(history, {});
    // As the text is compared: with blanks at both ends.
    for (Event& event : history.events) {
      auto* opaque = std::get_if<Opaque>(&event.value);
      if (opaque != nullptr && opaque->edn[0] == '[') {
        opaque->edn = " " + opaque->edn.substr(1, opaque->edn.size() - 2) + " ";
      }
    }
    const std::map<std::string, std::size_t> expected = timeline_by_definition(history, next);
    for (const char* kind : {"lost", "stale", "never-read"}) {
      const auto found = expected.find(kind);
      const std::size_t number = found == expected.end() ? 0 : found->second;
      ASSERT_EQ(count_of(verdict, kind), number) << kind << " " << seed << "\n" << test::text_of(verdict);
      seen[kind] += number;
    }
  }
  for (const char* kind : {"lost", "stale", "never-read"}) EXPECT_GT(seen[kind], 1000U) << kind;
}

// Long fork.

TEST(LongFork, TwoReadsInContraryOrder) {
  const Lines begin = {"invoke 0 [[:w 0 1]]", "ok 0 [[:w 0 1]]", "invoke 1 [[:w 1 1]]", "ok 1 [[:w 1 1]]"};
  const auto reads = [&](const Lines& values) {
    Lines lines = begin;
    for (const std::string& value : values) lines.insert(lines.end(), {"invoke 2 " + value, "ok 2 " + value});
    return check_long_fork(history_of(lines));
  };
  EXPECT_EQ(summary(reads({"[[:r 0 1] [:r 1 nil]]", "[[:r 1 1] [:r 0 1]]"})), "v");
  const Verdict fork = reads({"[[:r 0 1] [:r 1 nil]]", "[[:r 1 1] [:r 0 nil]]"});
  EXPECT_EQ(summary(fork), "i long-fork");
  EXPECT_EQ(
      explanation(fork),
      "op 5 saw key 0 written and key 1 not yet; op 7 saw key 1 written and key 0 not yet. In no order of the two "
      "writes are there moments for both.");
  EXPECT_EQ(fork.anomalies[0].operations, (std::vector<std::int64_t>{5, 7, 3, 1}));
  EXPECT_EQ(summary(reads({"[[:r 0 2] [:r 1 nil]]"})), "i unexpected");
  EXPECT_EQ(explanation(reads({"[[:w 0 5]]"})), "op 5 writes key 0, which op 1 wrote; each key must be written once");
  EXPECT_EQ(explanation(reads({"[[:w 7 5] [:r 0 1]]"})),
            "op 5 is not a transaction of one write or of reads of registers");
  EXPECT_EQ(explanation(check_long_fork(history_of(begin))), "nobody read anything");
}

// Reads that are prefixes of one order of the writes, but one in `spoilt` of another; against comparing all pairs.
TEST(LongFork, AgreesWithComparingAllReads) {
  std::size_t forks = 0;
  for (std::uint32_t seed = 0; seed < 1'000; ++seed) {
    Choices choices({seed, seed * 7919 + 1});
    Lines lines;
    for (int key = 0; key < 6; ++key) {
      lines.push_back("invoke 0 [[:w " + std::to_string(key) + " 1]]");
      lines.push_back("ok 0 [[:w " + std::to_string(key) + " 1]]");
    }
    std::vector<std::map<int, bool>> reads;
    for (int i = 0; i < 5; ++i) {
      const int moment = static_cast<int>(choices.below(7));
      std::map<int, bool> read;
      for (int key = 0; key < 6; ++key) {
        if (choices.once_in(3)) continue;
        read[key] = key < moment;
        if (choices.once_in(20)) read[key] = !read[key];
      }
      if (read.empty()) continue;
      std::string value = "[";
      for (const auto& [key, there] : read) value += "[:r " + std::to_string(key) + (there ? " 1]" : " nil]");
      lines.insert(lines.end(), {"invoke 0 " + value + "]", "ok 0 " + value + "]"});
      reads.push_back(read);
    }
    bool fork = false;
    for (const auto& a : reads) {
      for (const auto& b : reads) {
        bool more = false;
        bool less = false;
        for (const auto& [key, there] : a) {
          const auto other = b.find(key);
          if (other == b.end()) continue;
          more = more || (there && !other->second);
          less = less || (!there && other->second);
        }
        fork = fork || (more && less);
      }
    }
    if (reads.empty()) continue;
    const Verdict verdict = check_long_fork(history_of(lines));
    ASSERT_EQ(verdict.validity == Validity::invalid, fork) << test::text_of(verdict);
    if (fork) ++forks;
  }
  EXPECT_GT(forks, 100U);
  EXPECT_LT(forks, 900U);
}

// Monotonic.

TEST(Monotonic, ValuesOnlyGrow) {
  EXPECT_EQ(summary(check_monotonic(history_of({"invoke 0 inc nil", "ok 0 inc 1", "invoke 1 read nil", "ok 1 read 1",
                                                "invoke 0 inc nil", "ok 0 inc 2"}))),
            "v");
  const Verdict process = check_monotonic(
      history_of({"invoke 0 read [:x nil]", "ok 0 read [:x 2]", "invoke 0 read [:x nil]", "ok 0 read [:x 1]"}));
  EXPECT_EQ(summary(process), "i nonmonotonic-process");
  EXPECT_EQ(explanation(process),
            "op 1 (process 0) showed 2 of key :x, and then op 3 (process 0) showed 1 of key :x, which began after that "
            "had ended: a value that only grows became less.");
  EXPECT_EQ(summary(check_monotonic(history_of(
                {"invoke 0 read nil", "ok 0 read {1 5, 2 3}", "invoke 1 read nil", "ok 1 read {1 4, 2 3}"}))),
            "i nonmonotonic-realtime");
  EXPECT_EQ(
      summary(check_monotonic(history_of({"invoke 0 read nil", "ok 0 read 1", "invoke 1 read nil", "ok 1 read nil"}))),
      "i nonmonotonic-realtime");
  // Concurrent ones may see either.
  EXPECT_EQ(
      summary(check_monotonic(history_of({"invoke 0 read nil", "invoke 1 read nil", "ok 1 read 2", "ok 0 read 1"}))),
      "v");
  EXPECT_EQ(explanation(check_monotonic(history_of({"invoke 0 read nil", "ok 0 read [1 2 3]"}))),
            "op 1 (:read): expected an integer, [key integer] or a map of them, found [1 2 3]");
}

TEST(Monotonic, AgreesWithComparingAllReads) {
  std::map<std::string, std::size_t> seen;
  for (std::uint32_t seed = 0; seed < 2'000; ++seed) {
    Choices choices({seed, seed * 7919 + 1});
    Lines lines;
    std::map<int, bool> open;
    std::int64_t value = 0;
    for (int step = 0; step < 24; ++step) {
      const int client = static_cast<int>(choices.below(3));
      const std::string name = std::to_string(client);
      if (!open[client]) {
        lines.push_back("invoke " + name + " read nil");
      } else {
        value += static_cast<std::int64_t>(choices.below(2));
        const std::int64_t lag = choices.once_in(10) ? 1 : 0;
        lines.push_back("ok " + name + " read " + std::to_string(value - lag));
      }
      open[client] = !open[client];
    }
    const History history = history_of(lines);
    bool by_process = false;
    bool at_all = false;
    for (const History::Pair& a : history.pairs()) {
      for (const History::Pair& b : history.pairs()) {
        if (a.completion < 0 || b.completion < 0 || a.completion > b.invoke) continue;
        const Event& first = history.events[static_cast<std::size_t>(a.completion)];
        const Event& second = history.events[static_cast<std::size_t>(b.completion)];
        if (std::stoll(std::get<Opaque>(first.value).edn) <= std::stoll(std::get<Opaque>(second.value).edn)) continue;
        at_all = true;
        by_process = by_process || first.process == second.process;
      }
    }
    const Verdict verdict = check_monotonic(history);
    if (verdict.validity == Validity::unknown) continue;
    ASSERT_EQ(verdict.validity == Validity::invalid, at_all) << test::text_of(verdict);
    ASSERT_EQ(count_of(verdict, "nonmonotonic-process") > 0, by_process) << test::text_of(verdict);
    ++seen[by_process ? "process" : at_all ? "realtime" : "none"];
  }
  for (const char* kind : {"process", "realtime", "none"}) EXPECT_GT(seen[kind], 50U) << kind;
}

// Upsert and unique ids.

TEST(Upsert, AKeyIsInsertedOnce) {
  const auto check = [](const Lines& lines) { return check_upsert(history_of(lines)); };
  EXPECT_EQ(summary(check({"invoke 0 upsert [7 nil]", "ok 0 upsert [7 \"0x1\"]", "invoke 1 upsert [7 nil]",
                           "fail 1 upsert [7 nil]", "invoke 0 read [7 nil]", "ok 0 read [7 (\"0x1\")]",
                           "invoke 0 upsert [8 nil]", "ok 0 upsert [8 \"0x2\"]"})),
            "v");
  const Verdict twice =
      check({"invoke 0 upsert [7 nil]", "invoke 1 upsert [7 nil]", "ok 0 upsert [7 1]", "ok 1 upsert [7 2]"});
  EXPECT_EQ(summary(twice), "i duplicate-record duplicate-upsert");
  EXPECT_EQ(explanation(twice), "op 2 and op 3 were both told that they had inserted key 7.");
  const Verdict read =
      check({"invoke 0 upsert [7 nil]", "info 0 upsert [7 nil]", "invoke 1 read [7 nil]", "ok 1 read [7 [1 2]]"});
  EXPECT_EQ(summary(read), "i duplicate-record");
  EXPECT_EQ(explanation(read), "op 3 showed record 1 of key 7, and op 3 record 2: it was inserted more than once.");
  EXPECT_EQ(summary(check({"invoke 0 upsert nil", "fail 0 upsert nil"})), "u");
}

TEST(UniqueIds, AreGivenOutOnce) {
  const auto check = [](const Lines& lines) { return check_unique_ids(history_of(lines)); };
  EXPECT_EQ(summary(check({"invoke 0 generate nil", "ok 0 generate 1", "invoke 0 generate nil", "ok 0 generate \"1\"",
                           "invoke 0 generate nil", "info 0 generate 1"})),
            "v");
  const Verdict twice =
      check({"invoke 0 generate nil", "ok 0 generate 1", "invoke 0 generate nil", "ok 0 generate 1N"});
  EXPECT_EQ(summary(twice), "i duplicated");
  EXPECT_EQ(explanation(twice), "op 1 and op 3 were both given 1N.");
  EXPECT_EQ(explanation(check({"invoke 0 generate nil", "ok 0 generate nil"})),
            "op 1 (:generate): expected an id, found nil");
}

}  // namespace
}  // namespace polarsim::checkers
