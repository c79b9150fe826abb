#include "checkers/compact_history.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

// What the rows say a transaction did, spelled out again.
Transaction transaction_of(const Operations& operations, std::uint32_t v) {
  Transaction transaction;
  for (const Step& step : operations.steps_of(v)) {
    MicroOp op;
    op.kind = step.kind;
    op.key = operations.key(step.key);
    op.known = step.known;
    if (step.kind == MicroOp::Kind::read_list) {
      const auto list = operations.list_of(step);
      op.list.assign(list.begin(), list.end());
    } else {
      op.argument = step.argument;
    }
    transaction.push_back(std::move(op));
  }
  return transaction;
}

// The same from the history itself, event by event.
struct Expected {
  Transaction transaction;
  EventType outcome = EventType::info;
  std::int64_t index = 0, process = 0, invoked = 0, completed = -1, invoked_ns = 0, completed_ns = 0;
  std::string node;
};

std::vector<Expected> expected_of(const History& history) {
  std::vector<Expected> result;
  for (const History::Pair& pair : history.pairs()) {
    const Event& invocation = history.events[static_cast<std::size_t>(pair.invoke)];
    const Event& last = pair.completion < 0 ? invocation : history.events[static_cast<std::size_t>(pair.completion)];
    const auto* transaction = std::get_if<Transaction>(&last.value);
    if (transaction == nullptr) transaction = &std::get<Transaction>(invocation.value);
    result.push_back({*transaction, pair.completion < 0 ? EventType::info : last.type, last.index, last.process,
                      pair.invoke, pair.completion, invocation.time_ns, last.time_ns,
                      std::string(invocation.field("node").empty() ? last.field("node") : invocation.field("node"))});
  }
  return result;
}

void assert_same(const Operations& operations, const History& history) {
  const std::vector<Expected> expected = expected_of(history);
  RC_ASSERT(operations.list.size() == expected.size());
  RC_ASSERT(operations.event_count() == static_cast<std::int64_t>(history.events.size()));
  for (std::uint32_t v = 0; v < expected.size(); ++v) {
    const Operation& operation = operations.list[v];
    RC_ASSERT(transaction_of(operations, v) == expected[v].transaction);
    RC_ASSERT(operation.outcome == expected[v].outcome);
    RC_ASSERT(operation.index == expected[v].index);
    RC_ASSERT(operation.process == expected[v].process);
    RC_ASSERT(operation.invoked == expected[v].invoked);
    RC_ASSERT(operation.completed == expected[v].completed);
    RC_ASSERT(operation.invoked_ns == expected[v].invoked_ns);
    RC_ASSERT(operation.completed_ns == expected[v].completed_ns);
    RC_ASSERT(operations.node_name(operation.node) == expected[v].node);
    for (const Step& step : operations.steps_of(v)) {
      RC_ASSERT(operations.key_text(step.key) == history.key_text(operations.key(step.key)));
    }
  }
}

// Lists that contradict each other, named keys, nodes, clients without an answer.
History any_history() {
  History history;
  history.key_names = {":x", "\"y\""};
  const auto events = *rc::gen::inRange(0, 40);
  std::vector<bool> open(5, false);
  std::vector<Transaction> asked(5);
  for (int i = 0; i < events; ++i) {
    const auto process = *rc::gen::inRange<std::size_t>(0, 6);
    Event event;
    event.index = i;
    event.time_ns = 10 * i;
    event.f = "txn";
    if (process == 5) {
      event.process = nemesis_process;
      event.type = EventType::info;
      history.events.push_back(std::move(event));
      continue;
    }
    event.process = static_cast<std::int64_t>(process);
    if (*rc::gen::inRange(0, 3) == 0)
      event.extra.emplace_back("node", *rc::gen::element<std::string>("\"a\"", "\"b\""));
    if (!open[process]) {
      asked[process].clear();
      const auto steps = *rc::gen::inRange(0, 4);
      for (int s = 0; s < steps; ++s) {
        MicroOp op;
        op.key = *rc::gen::element<std::int64_t>(1, 2, first_named_key, first_named_key + 1);
        op.kind = *rc::gen::element(MicroOp::Kind::append, MicroOp::Kind::read_list);
        if (op.kind == MicroOp::Kind::append) op.argument = *rc::gen::inRange(0, 100);
        asked[process].push_back(std::move(op));
      }
      // So that nil reads are known to be reads of lists.
      asked[process].push_back({MicroOp::Kind::append, 1, 1000 + i, false, {}});
      event.value = asked[process];
    } else {
      event.type = *rc::gen::element(EventType::ok, EventType::fail, EventType::info);
      for (MicroOp& op : asked[process]) {
        if (op.kind != MicroOp::Kind::read_list || *rc::gen::inRange(0, 4) == 0) continue;
        op.known = true;
        const auto length = *rc::gen::inRange(0, 6);
        for (int e = 0; e < length; ++e) op.list.push_back(*rc::gen::inRange(0, 8) == 0 ? -1 : e);
      }
      if (event.type == EventType::ok || *rc::gen::arbitrary<bool>()) {
        event.value = std::move(asked[process]);
      } else {
        for (MicroOp& op : asked[process]) {
          op.list.clear();
          op.known = false;
        }
      }
    }
    open[process] = !open[process];
    history.events.push_back(std::move(event));
  }
  return history;
}

RC_GTEST_PROP(CompactHistory, HoldsWhatTheHistoryDoes, ()) {
  const History history = any_history();
  assert_same(collect_operations(history), history);
}

// Hands out a text in pieces of any size.
class Pieces {
 public:
  explicit Pieces(std::string text) : text_(std::move(text)) {}
  ReadSome source() {
    return [this](char* into, std::size_t size) {
      const std::size_t left = text_.size() - at_;
      const std::size_t count =
          std::min({size, left, std::max<std::size_t>(1, *rc::gen::inRange<std::size_t>(1, 200))});
      std::memcpy(into, text_.data() + at_, count);
      at_ += count;
      return count;
    };
  }
  // No window may be smaller than what the scanner takes at once.
  ReadingParts parts() const {
    std::size_t longest = 0;
    std::size_t run = 0;
    for (const char c : text_) {
      run = std::strchr(" \n\t,()[]{}", c) != nullptr ? 0 : run + 1;
      longest = std::max(longest, run);
    }
    return {.bytes = *rc::gen::inRange<std::size_t>(1, 500), .low_water = longest + 2};
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

std::string edn_of(const History& history) {
  std::ostringstream text;
  write_edn(history, text);
  return std::move(text).str();
}

RC_GTEST_PROP(CompactHistory, IsReadInParts, ()) {
  const History history = any_history();
  std::string text = edn_of(history);
  if (*rc::gen::arbitrary<bool>()) text = "\xef\xbb\xbf; a comment\n[" + text + "#_ (dropped) ]";
  Pieces pieces(text);
  const auto operations = read_operations(pieces.source(), "h", {}, pieces.parts());
  if (!operations) RC_FAIL(operations.error().message);
  // Named keys may have got other numbers.
  const auto whole = read_history(text, "h");
  assert_same(*operations, *whole);
}

// A text with something wrong in it is refused with the same words and place, however it is cut.
RC_GTEST_PROP(CompactHistory, ErrorsAreThoseOfTheWholeText, ()) {
  std::string text = edn_of(any_history());
  if (*rc::gen::arbitrary<bool>()) text = "[" + text;
  const auto changes = *rc::gen::inRange(1, 3);
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text[at] = *rc::gen::element('}', ']', '"', ':', ' ', '\n', '-', 'x', ';', '#');
        break;
      default:
        text.insert(at, *rc::gen::element<std::string>("#_", "{", ":type", "\\", "1e", "; ", "\n"));
        break;
    }
  }
  Pieces pieces(text);
  const auto in_parts = read_operations(pieces.source(), "h", {}, pieces.parts());
  const auto whole = read_history(text, "h");
  RC_ASSERT(in_parts.has_value() == whole.has_value());
  if (!whole) {
    RC_ASSERT(in_parts.error().message == whole.error().message);
    RC_ASSERT(in_parts.error().line == whole.error().line);
    RC_ASSERT(in_parts.error().column == whole.error().column);
  }
}

TEST(CompactHistory, KeepsOneListOfEachKeyThatReadsAgreeOn) {
  const Operations operations = collect_operations(read_history("{:type :invoke :process 0 :value [[:r 1 nil]]}"
                                                                "{:type :ok :process 0 :value [[:r 1 [1 2 3]]]}"
                                                                "{:type :invoke :process 0 :value [[:r 1 nil]]}"
                                                                "{:type :ok :process 0 :value [[:r 1 [1 2]]]}"
                                                                "{:type :invoke :process 0 :value [[:r 1 nil]]}"
                                                                "{:type :ok :process 0 :value [[:r 1 [1 9]]]}",
                                                                "h")
                                                       .value());
  const Step& longest = operations.steps_of(0)[0];
  const Step& prefix = operations.steps_of(1)[0];
  const Step& other = operations.steps_of(2)[0];
  EXPECT_TRUE(Operations::on_one_list(longest, prefix));
  EXPECT_EQ(operations.list_of(longest).data(), operations.list_of(prefix).data());
  EXPECT_FALSE(Operations::on_one_list(longest, other));
  EXPECT_FALSE(operations.same_list(prefix, other));
  EXPECT_TRUE(operations.same_list(prefix, prefix));
}

TEST(CompactHistory, SaysWhichOperationIsNoTransaction) {
  const History history = read_history(
                              "{:index 3 :type :invoke :process 0 :f :read}"
                              "{:index 4 :type :invoke :process 1 :f :cas :value [1 2]}"
                              "{:index 5 :type :ok :process 1 :f :cas :value [1 2]}"
                              "{:index 6 :type :ok :process 0 :f :read :value 5}",
                              "h")
                              .value();
  const Operations operations = collect_operations(history);
  EXPECT_TRUE(operations.list.empty());
  EXPECT_EQ(operations.problem, "op 6 is not a transaction of reads and writes: 5");
}

TEST(CompactHistory, ProgressIsToldAsTheTextIsRead) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) {
    text += "{:type :invoke :process 0 :value [[:append 1 " + std::to_string(i) + "]]}\n{:type :info :process 0}\n";
  }
  std::size_t at = 0;
  const auto source = [&](char* into, std::size_t size) {
    const std::size_t count = std::min(size, text.size() - at);
    std::memcpy(into, text.data() + at, count);
    at += count;
    return count;
  };
  std::vector<std::size_t> told;
  ASSERT_TRUE(read_operations(source, "h", [&](std::size_t read) { told.push_back(read); }).has_value());
  ASSERT_GE(told.size(), 3U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_LE(told.back(), text.size());
}

}  // namespace
}  // namespace polarsim::checkers
