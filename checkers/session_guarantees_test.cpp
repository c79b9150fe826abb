// The session guarantees: what each forbids and says, against trying every order of versions, and against stores that
// keep them or do not.
#include "checkers/session_guarantees.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::history_of;
using test::Store;

constexpr SessionGuarantee guarantees[] = {SessionGuarantee::monotonic_reads, SessionGuarantee::read_your_writes,
                                           SessionGuarantee::monotonic_writes, SessionGuarantee::writes_follow_reads};

// One transaction after another: {"0 [[:w 1 1]]", "1 [[:r 1 1]]"}: process, value; "info 0 [[:w 1 1]]" of unknown
// outcome, "fail ...".
History one_by_one(const std::vector<std::string>& transactions) {
  std::vector<std::string> lines;
  for (const std::string& transaction : transactions) {
    const bool plain = transaction[0] >= '0' && transaction[0] <= '9';
    const std::size_t space = transaction.find(' ');
    const std::string type = plain ? "ok" : transaction.substr(0, space);
    const std::string rest = plain ? transaction : transaction.substr(space + 1);
    const std::string process = rest.substr(0, rest.find(' '));
    lines.push_back("invoke " + process + " []");
    lines.push_back(type + " " + rest);
  }
  return history_of(lines);
}

// "1000": which of the four, in the order above, do not hold; '?' if one is unknown.
std::string broken(const std::vector<std::string>& transactions) {
  const History history = one_by_one(transactions);
  std::string text;
  for (const SessionGuarantee guarantee : guarantees) {
    const Validity validity = check_session_guarantee(history, guarantee).validity;
    text += validity == Validity::valid ? '0' : validity == Validity::invalid ? '1' : '?';
  }
  return text;
}

TEST(SessionGuarantees, EachForbidsItsOwnPhenomenon) {
  // Monotonic reads: 2 after 1, and then 1 again.
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "0 [[:append 1 2]]", "1 [[:r 1 [1 2]]]", "1 [[:r 1 [1]]]"}), "1000");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "1 [[:r 1 1]]", "1 [[:r 1 nil]]"}), "1000");
  // Read your writes.
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "0 [[:r 1 nil]]", "1 [[:r 1 [1]]]"}), "0100");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "0 [[:r 1 nil]]"}), "0100");
  // Monotonic writes: of one key, and of two, seen in the wrong order by another.
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "0 [[:append 1 2]]", "1 [[:r 1 [2 1]]]"}), "0010");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "0 [[:w 2 1]]", "1 [[:r 2 1] [:r 1 nil]]"}), "0010");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "0 [[:w 2 1]]", "1 [[:r 1 nil] [:r 2 1]]"}), "0000");
  // A cycle of writes of two sessions: neither pair of writes of one key is out of order.
  EXPECT_EQ(broken({"0 [[:append 1 1] [:append 2 1]]", "1 [[:append 2 2] [:append 1 2]]", "2 [[:r 1 [2 1]]]",
                    "2 [[:r 2 [1 2]]]"}),
            "0010");
  // Writes follow reads: two sessions, each of which wrote what comes before what the other had seen.
  EXPECT_EQ(broken({"0 [[:append 1 2]]", "1 [[:append 2 2]]", "2 [[:r 1 [1 2]] [:append 2 1]]",
                    "3 [[:r 2 [1 2]] [:append 1 1]]"}),
            "0001");
  // A session that reads what it writes only later.
  EXPECT_EQ(broken({"0 [[:r 1 [1]]]", "0 [[:append 1 1]]"}), "0001");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "1 [[:r 1 1]]", "1 [[:w 2 1]]", "2 [[:r 2 1] [:r 1 nil]]"}), "0001");
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "1 [[:w 2 1]]", "1 [[:r 1 1]]", "2 [[:r 2 1] [:r 1 nil]]"}), "0000");
  // A list shows more than its last element.
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "0 [[:append 2 1]]", "3 [[:append 2 2]]", "1 [[:r 2 [1 2]] [:r 1 nil]]"}),
            "0010");
  // Nothing is wrong.
  EXPECT_EQ(broken({"0 [[:w 1 1]]", "0 [[:r 1 1] [:w 1 2] [:r 1 2]]", "1 [[:r 1 1]]", "1 [[:r 1 2]]"}), "0000");
}

TEST(SessionGuarantees, OutcomesCount) {
  EXPECT_EQ(broken({"fail 0 [[:w 1 1]]", "0 [[:r 1 nil]]"}), "0000");
  // What ends as info ends its session, but must not precede what the session wrote before.
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "info 0 [[:append 1 2]]", "1 [[:r 1 [2 1]]]"}), "0010");
  EXPECT_EQ(broken({"0 [[:append 1 1]]", "info 0 [[:append 1 2]]", "1 [[:r 1 [1 2]]]"}), "0000");
}

TEST(SessionGuarantees, SayWhy) {
  Verdict verdict = check_session_guarantee(
      one_by_one({"0 [[:append :x 1]]", "0 [[:append :x 2]]", "1 [[:r :x [1 2]]]", "1 [[:r :x [1]]]"}),
      SessionGuarantee::monotonic_reads);
  EXPECT_EQ(verdict.checker, "monotonic-reads");
  ASSERT_EQ(verdict.anomalies.size(), 1U);
  EXPECT_EQ(verdict.anomalies[0].name, "N-MR");
  EXPECT_EQ(
      verdict.anomalies[0].explanation,
      "Not monotonic-reads. 1 of key :x comes before 2 of key :x, as op 5 (process 1) shows or because nobody read "
      "the latter. op 5 (process 1) read 2 of key :x, and then op 7 (process 1) read 1 of key :x: 2 of key :x "
      "must come before 1 of key :x. No order of versions agrees with all of this.");
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{5, 7}));
  EXPECT_EQ(verdict.not_models, std::vector<std::string>{"monotonic-reads"});
  EXPECT_TRUE(std::find(verdict.also_not.begin(), verdict.also_not.end(), "PRAM") != verdict.also_not.end());
  verdict =
      check_session_guarantee(one_by_one({"0 [[:w 1 1]]", "1 [[:r 1 1]]", "1 [[:w 2 7]]", "2 [[:r 2 7] [:r 1 nil]]"}),
                              SessionGuarantee::writes_follow_reads);
  ASSERT_EQ(verdict.anomalies.size(), 1U);
  EXPECT_EQ(
      verdict.anomalies[0].explanation,
      "Not writes-follow-reads. nil of key 1 comes before 1 of key 1, because it is the initial value. op 3 "
      "(process 1) read 1 of key 1, then op 5 (process 1) of that process wrote 7 of key 2, and op 7 (process 2) "
      "saw that and then read nil of key 1: 1 of key 1 must come before nil of key 1. No order of versions agrees "
      "with all of this.");
  EXPECT_EQ(verdict.anomalies[0].operations, (std::vector<std::int64_t>{3, 5, 7}));
}

TEST(SessionGuarantees, WhatCannotBeJudged) {
  const auto reason = [](const std::vector<std::string>& transactions) {
    const Verdict verdict = check_session_guarantee(one_by_one(transactions), SessionGuarantee::monotonic_reads);
    EXPECT_EQ(verdict.validity, Validity::unknown);
    return verdict.reason;
  };
  EXPECT_EQ(reason({"0 [[:w 1 1]]", "0 [[:w 1 1]]"}),
            "op 3 writes 1 to key 1, which was written to it before; values must be unique per key");
  EXPECT_EQ(reason({"0 [[:append 1 1] [:w 1 2]]"}), "op 1 mixes lists and registers");
  EXPECT_EQ(reason({"0 [[:r 1 [1 2]]]", "1 [[:r 1 [2]]]"}),
            "op 3 and op 1 contradict each other on the order of the elements of key 1, so that it is not known (see "
            "list-append)");
  EXPECT_EQ(reason({"0 [[:r 1 1] [:w 1 2]]", "1 [[:r 1 2] [:w 1 1]]"}),
            "transactions that read 1 of key 1 and others that write it contradict each other on the order of versions "
            "(see rw-register)");
  EXPECT_EQ(reason({"0 {:from 1, :to 2, :amount 3}"}), "op 1 is not a transaction of reads and writes");
}

// --- Against trying every order. A version is a key and a value; value 0 is the initial one.

using Version = std::pair<std::int64_t, std::int64_t>;

struct TinyStep {
  bool write;
  Version version;
  std::size_t session, transaction;
};

struct TinyHistory {
  bool lists = false;
  std::vector<Transaction> transactions;
  std::vector<std::size_t> session_of;
  std::vector<TinyStep> steps;  // in order of transactions
  std::vector<Version> versions;
  std::map<std::int64_t, std::vector<std::int64_t>> order;  // of lists: all appends, and how many of them were read:
  std::map<std::int64_t, std::size_t> shown;
};

TinyHistory tiny_history(Choices& choices, bool lists) {
  TinyHistory tiny;
  tiny.lists = lists;
  const std::size_t count = 2 + choices.below(4);
  std::map<std::int64_t, std::int64_t> written;
  std::size_t writes = 0;
  for (std::size_t t = 0; t < count; ++t) {
    tiny.session_of.push_back(choices.below(3));
    tiny.transactions.emplace_back();
    for (std::size_t i = 1 + choices.below(3); i > 0; --i) {
      MicroOp op;
      op.key = static_cast<std::int64_t>(choices.below(2));
      const bool write = writes < 4 && choices.once_in(2);
      op.kind = write ? (lists ? MicroOp::Kind::append : MicroOp::Kind::write)
                      : (lists ? MicroOp::Kind::read_list : MicroOp::Kind::read);
      if (write) {
        op.argument = ++written[op.key];
        ++writes;
      }
      tiny.transactions.back().push_back(op);
    }
  }
  for (std::int64_t key = 0; key < 2; ++key) {
    tiny.versions.push_back({key, 0});
    std::vector<std::int64_t>& order = tiny.order[key];
    for (std::int64_t value = 1; value <= written[key]; ++value) {
      tiny.versions.push_back({key, value});
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(choices.below(order.size() + 1)), value);
    }
  }
  for (std::size_t t = 0; t < count; ++t) {
    for (MicroOp& op : tiny.transactions[t]) {
      const bool write = op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::write;
      if (!write) {
        const std::vector<std::int64_t>& order = tiny.order[op.key];
        const std::size_t length = choices.below(order.size() + 1);
        op.known = length > 0;
        if (op.known) op.argument = order[length - 1];
        if (lists) op.list.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(length));
        tiny.shown[op.key] = std::max(tiny.shown[op.key], length);
      }
      tiny.steps.push_back({write, {op.key, write || op.known ? op.argument : 0}, tiny.session_of[t], t});
      if (lists && !write) op.argument = 0;
    }
  }
  return tiny;
}

History history_of(const TinyHistory& tiny) {
  History history;
  for (std::size_t t = 0; t < tiny.transactions.size(); ++t) {
    for (const EventType type : {EventType::invoke, EventType::ok}) {
      Event event;
      event.index = static_cast<std::int64_t>(history.events.size());
      event.type = type;
      event.process = static_cast<std::int64_t>(tiny.session_of[t]);
      event.f = "txn";
      event.value = tiny.transactions[t];
      history.events.push_back(std::move(event));
    }
  }
  return history;
}

class Orders {
 public:
  explicit Orders(const TinyHistory& tiny) : tiny_(tiny) {}

  // Empty if what is known is no order.
  std::optional<bool> some_order_keeps(SessionGuarantee guarantee) const {
    std::vector<std::size_t> order(tiny_.versions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    bool any = false;
    do {
      std::map<Version, std::size_t> place;
      for (std::size_t i = 0; i < order.size(); ++i) place[tiny_.versions[order[i]]] = i;
      if (!known_holds(place)) continue;
      any = true;
      if (keeps(guarantee, place)) return true;
    } while (std::next_permutation(order.begin(), order.end()));
    if (!any) return std::nullopt;
    return false;
  }

 private:
  using Places = std::map<Version, std::size_t>;

  bool known_holds(const Places& place) const {
    for (const auto& [version, at] : place) {
      if (version.second != 0 && at < place.at({version.first, 0})) return false;
    }
    if (!tiny_.lists) return reads_before_writes_hold(place);
    for (const auto& [key, order] : tiny_.order) {
      const auto found = tiny_.shown.find(key);
      const std::size_t shown = found == tiny_.shown.end() ? 0 : found->second;
      for (std::size_t i = 0; i < shown; ++i) {
        for (std::size_t j = i + 1; j < order.size(); ++j) {
          if (place.at({key, order[i]}) > place.at({key, order[j]})) return false;
        }
      }
    }
    return true;
  }

  bool reads_before_writes_hold(const Places& place) const {
    for (std::size_t i = 0; i < tiny_.steps.size(); ++i) {
      for (std::size_t j = i + 1; j < tiny_.steps.size(); ++j) {
        const TinyStep& first = tiny_.steps[i];
        const TinyStep& second = tiny_.steps[j];
        if (first.transaction != second.transaction || first.version.first != second.version.first) continue;
        if (!second.write || first.version == second.version) continue;
        bool touched = false;  // a read counts if it is the transaction's first step on the key
        for (std::size_t k = 0; k < i; ++k) {
          touched = touched || (tiny_.steps[k].transaction == first.transaction &&
                                tiny_.steps[k].version.first == first.version.first);
        }
        if ((first.write || !touched) && place.at(first.version) > place.at(second.version)) return false;
      }
    }
    return true;
  }

  bool keeps(SessionGuarantee guarantee, const Places& place) const {
    for (std::size_t i = 0; i < tiny_.steps.size(); ++i) {
      for (std::size_t j = i + 1; j < tiny_.steps.size(); ++j) {
        const TinyStep& first = tiny_.steps[i];
        const TinyStep& second = tiny_.steps[j];
        if (first.session != second.session || !ordered_by(guarantee, first, second)) continue;
        if (second.write && first.version == second.version) return false;  // read before it was written
        if (first.version != second.version && place.at(first.version) > place.at(second.version)) return false;
        if (second.write && !respected(first, second, place)) return false;
      }
    }
    return true;
  }

  // Whether the version of the first step must come before that of the second, later one of the session.
  static bool ordered_by(SessionGuarantee guarantee, const TinyStep& first, const TinyStep& second) {
    const bool same_key = first.version.first == second.version.first;
    switch (guarantee) {
      case SessionGuarantee::monotonic_reads:
        return !first.write && !second.write && same_key;
      case SessionGuarantee::read_your_writes:
        return first.write && !second.write && same_key;
      case SessionGuarantee::monotonic_writes:
        return first.write && second.write;
      case SessionGuarantee::writes_follow_reads:
        return !first.write && second.write;
    }
    return false;
  }

  // Whether one who read the one version has seen the other: of a list, any element up to the last.
  bool shows(const Version& read, const Version& version) const {
    if (!tiny_.lists || read == version) return read == version;
    if (read.first != version.first || read.second == 0 || version.second == 0) return false;
    const std::vector<std::int64_t>& order = tiny_.order.at(read.first);
    return std::find(order.begin(), order.end(), version.second) < std::find(order.begin(), order.end(), read.second);
  }

  // Whether nobody of another session sees the second's version and then misses the first's.
  bool respected(const TinyStep& first, const TinyStep& second, const Places& place) const {
    for (std::size_t i = 0; i < tiny_.steps.size(); ++i) {
      const TinyStep& saw = tiny_.steps[i];
      if (saw.write || !shows(saw.version, second.version) || saw.session == second.session) continue;
      for (std::size_t j = i + 1; j < tiny_.steps.size() && tiny_.steps[j].transaction == saw.transaction; ++j) {
        const TinyStep& then = tiny_.steps[j];
        if (then.write || then.version.first != first.version.first || then.version == first.version) continue;
        if (place.at(first.version) > place.at(then.version)) return false;
      }
    }
    return true;
  }

  const TinyHistory& tiny_;
};

TEST(SessionGuarantees, AgreeWithTryingEveryOrderOfVersions) {
  std::size_t invalid[4] = {};
  std::size_t judged = 0;
  for (std::uint32_t seed = 0; seed < 1'500; ++seed) {
    Choices choices({seed, seed * 7919 + 3, seed ^ 0x5bd1e995U});
    const TinyHistory tiny = tiny_history(choices, seed % 2 == 0);
    const History history = history_of(tiny);
    std::size_t which = 0;
    for (const SessionGuarantee guarantee : guarantees) {
      const std::optional<bool> expected = Orders(tiny).some_order_keeps(guarantee);
      const Verdict verdict = check_session_guarantee(history, guarantee);
      const Validity validity = !expected ? Validity::unknown : *expected ? Validity::valid : Validity::invalid;
      std::string text;
      for (const Event& event : history.events) text += event_to_edn(event) + "\n";
      ASSERT_EQ(verdict.validity, validity) << seed << " " << to_string(guarantee) << "\n"
                                            << test::text_of(verdict) << text;
      if (validity == Validity::invalid) ++invalid[which];
      ++which;
    }
    ++judged;
  }
  for (const std::size_t count : invalid) {
    EXPECT_GT(count, judged / 50);
    EXPECT_LT(count, judged);
  }
}

// --- Stores.

// A serial store keeps all four, and so does one in which each statement sees what is committed.
RC_GTEST_PROP(SessionGuarantees, HoldOfStoresThatKeepThem, (bool lists, bool serial)) {
  const History history = Store({.lists = lists, .serial = serial, .transactions = 80},
                                Choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>()))
                              .run();
  for (const SessionGuarantee guarantee : guarantees) {
    const Verdict verdict = check_session_guarantee(history, guarantee);
    if (verdict.validity != Validity::valid) RC_FAIL(test::text_of(verdict));
  }
}

// Reads go to a copy of the store that lags behind by some writes, another one each time.
History from_lagging_copies(std::uint32_t seed) {
  Choices choices({seed, seed * 7919 + 1});
  std::vector<std::string> transactions;
  std::map<std::int64_t, std::vector<std::int64_t>> lists;
  for (std::int64_t i = 1; i <= 60; ++i) {
    const auto key = static_cast<std::int64_t>(choices.below(2));
    const std::string process = std::to_string(choices.below(3));
    if (choices.once_in(2)) {
      lists[key].push_back(i);
      transactions.push_back(process + " [[:append " + std::to_string(key) + " " + std::to_string(i) + "]]");
      continue;
    }
    std::string shown;
    const std::size_t lag = choices.below(4);
    for (std::size_t place = 0; place + lag < lists[key].size(); ++place)
      shown += std::to_string(lists[key][place]) + " ";
    transactions.push_back(process + " [[:r " + std::to_string(key) + " [" + shown + "]]]");
  }
  return one_by_one(transactions);
}

TEST(SessionGuarantees, CopiesThatLagBehindAreCaught) {
  std::size_t reads = 0;
  std::size_t writes = 0;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const History history = from_lagging_copies(seed);
    const auto invalid = [&](SessionGuarantee guarantee) {
      return check_session_guarantee(history, guarantee).validity == Validity::invalid;
    };
    if (invalid(SessionGuarantee::monotonic_reads)) ++reads;
    if (invalid(SessionGuarantee::read_your_writes)) ++writes;
    // Writes go to one place.
    EXPECT_FALSE(invalid(SessionGuarantee::monotonic_writes));
    EXPECT_FALSE(invalid(SessionGuarantee::writes_follow_reads));
  }
  EXPECT_GE(reads, 45U);
  EXPECT_GE(writes, 45U);
}

}  // namespace
}  // namespace polarsim::checkers
