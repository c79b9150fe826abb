#include "checkers/history.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace polarsim::checkers {
namespace {

History read_ok(std::string_view text) {
  auto history = read_history(text, "h.edn");
  if (!history) {
    ADD_FAILURE() << history.error().message;
    return {};
  }
  return std::move(*history);
}

std::string message_of(std::string_view text) {
  auto history = read_history(text, "h.edn");
  return history ? "no error" : history.error().message;
}

std::string written(const History& history) {
  std::ostringstream out;
  write_edn(history, out);
  return out.str();
}

TEST(HistoryReader, ReadsOneEventALine) {
  const std::string text =
      "{:index 0, :time 5, :type :invoke, :process 3, :f :txn, :value [[:append 7 1] [:r 8 nil]]}\n"
      "{:index 1, :time 9, :type :ok, :process 3, :f :txn, :value [[:append 7 1] [:r 8 [4 5]]], :node \"cn1\"}\n";
  const History history = read_ok(text);
  ASSERT_EQ(history.events.size(), 2U);
  const Event& event = history.events[1];
  EXPECT_EQ(event.index, 1);
  EXPECT_EQ(event.time_ns, 9);
  EXPECT_EQ(event.type, EventType::ok);
  EXPECT_EQ(event.process, 3);
  EXPECT_EQ(event.f, "txn");
  const auto& transaction = std::get<Transaction>(event.value);
  ASSERT_EQ(transaction.size(), 2U);
  EXPECT_EQ(transaction[0].kind, MicroOp::Kind::append);
  EXPECT_EQ(transaction[1].kind, MicroOp::Kind::read_list);
  EXPECT_EQ(transaction[1].list, (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(event.field("node"), "\"cn1\"");
  EXPECT_EQ(event.field("error"), "");
  EXPECT_EQ(written(history), text);
}

TEST(HistoryReader, NilReadsAreOfWhatTheRestOfTheHistoryIsAbout) {
  const History lists =
      read_ok("{:type :invoke :process 0 :value [[:r 1 nil]]}{:type :invoke :process 1 :value [[:append 1 1]]}");
  EXPECT_EQ(std::get<Transaction>(lists.events[0].value)[0].kind, MicroOp::Kind::read_list);
  const History registers =
      read_ok("{:type :invoke :process 0 :value [[:r 1 nil]]}{:type :invoke :process 1 :value [[:w 1 1]]}");
  EXPECT_EQ(std::get<Transaction>(registers.events[0].value)[0].kind, MicroOp::Kind::read);
}

TEST(HistoryReader, AcceptsVectorsTagsCommentsAndDiscards) {
  const History history = read_ok(
      "\xef\xbb\xbf; a comment\n[ #jepsen.history.Op{:index 4, :type :invoke, #_ #_ :dropped {:x 1} :process 0, :f "
      ":read, :value nil}\n"
      ",, {:type :info ; here too\n :process 0 :f nil :value #{1 2} :clock-offsets {\"n1\" -0.25, :n2 1/3}}]  ; the "
      "end");
  ASSERT_EQ(history.events.size(), 2U);
  EXPECT_EQ(history.events[1].index, 5);
  EXPECT_EQ(std::get<Opaque>(history.events[1].value).edn, "#{1 2}");
  EXPECT_EQ(history.events[1].field("clock-offsets"), "{\"n1\" -0.25 :n2 1/3}");
  EXPECT_EQ(read_ok(written(history)), history);
}

TEST(HistoryReader, ReadsJsonLines) {
  const History history = read_ok(
      R"({"index":0,"time":1,"type":"invoke","process":0,"f":"txn","value":[["r",1,null],["append",2,3]],)"
      R"("error":{"code":"a\/b","at":null}})"
      "\n"
      R"({"index": 1, "time": 2, "type": "ok", "process": 0, "f": "txn", "value": [["r", 1, [5]], ["append", 2, 3]]})"
      "\n"
      R"({"index":2,"time":2,"type":"info","process":"nemesis","f":"kill","value":{"n1":["x"]}})"
      "\n"
      R"({"index":3,"time":2,"type":"invoke","process":1,"f":"read","value":{"1":10,"0":7}})");
  ASSERT_EQ(history.events.size(), 4U);
  EXPECT_EQ(std::get<Transaction>(history.events[1].value)[0].list, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(history.events[0].field("error"), "{\"code\" \"a/b\" \"at\" nil}");
  EXPECT_EQ(history.events[2].process, nemesis_process);
  EXPECT_EQ(std::get<Opaque>(history.events[2].value).edn, "{\"n1\" [\"x\"]}");
  EXPECT_EQ(std::get<Balances>(history.events[3].value), (Balances{{0, 7}, {1, 10}}));
  EXPECT_EQ(read_ok(written(history)), history);
}

TEST(HistoryReader, NamesBecomeNumbersAndBack) {
  const std::string text =
      "{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append :x 1] [:append \"x\" 2]"
      " [:append :x 3] "
      "[:r -9223372036854775808 nil]]}\n"
      "{:index 1, :time 0, :type :info, :process :nemesis, :f :start-partition, :value :majority}\n"
      "{:index 2, :time 0, :type :info, :process :monitor, :f :txn, :value nil}\n";
  const History history = read_ok(text);
  const auto& transaction = std::get<Transaction>(history.events[0].value);
  EXPECT_EQ(transaction[0].key, transaction[2].key);
  EXPECT_NE(transaction[0].key, transaction[1].key);
  EXPECT_EQ(history.key_text(transaction[1].key), "\"x\"");
  EXPECT_EQ(history.key_text(42), "42");
  EXPECT_EQ(history.events[2].process, nemesis_process - 1);
  EXPECT_EQ(written(history), text);
}

TEST(HistoryReader, ReadsBanks) {
  const History history = read_ok(
      "{:type :invoke :process 0 :f :transfer :value {:from 1, :to 2, :amount 5}}{:type :invoke :process 1 :f :read "
      ":value {2 20, -1 10}}"
      "{:type :invoke :process 2 :f :transfer :value {:from 1, :to 2}}{:type :invoke :process 3 :f :read :value {1 1, "
      "1 2}}"
      "{:type :invoke :process 4 :f :read :value {}}{:type :invoke :process 5 :f :x :value []}");
  EXPECT_EQ(std::get<Transfer>(history.events[0].value), (Transfer{1, 2, 5}));
  EXPECT_EQ(std::get<Balances>(history.events[1].value), (Balances{{-1, 10}, {2, 20}}));
  EXPECT_TRUE(std::holds_alternative<Opaque>(history.events[2].value));
  EXPECT_TRUE(std::holds_alternative<Opaque>(history.events[3].value));
  EXPECT_TRUE(std::holds_alternative<Balances>(history.events[4].value));
  EXPECT_EQ(std::get<Opaque>(history.events[5].value).edn, "[]");
}

TEST(HistoryReader, WhatNoCheckerKnowsStaysText) {
  for (const char* value :
       {"[[:cas 1 2]]", "[[:append 1]]", "[[:append 1 1.5]]", "[[:r 1 [a]]]", "[[:append 1 99999999999999999999]]", "3",
        "[[:append [1] 1]]", "\"text\"", "[1 2]", "#inst \"2020-01-01\"", "\\newline", "(f x)", "1e9M", "-7N"}) {
    const History history = read_ok("{:type :invoke :process 0 :f :txn :value " + std::string(value) + "}");
    ASSERT_EQ(history.events.size(), 1U) << value;
    EXPECT_EQ(std::get<Opaque>(history.events[0].value).edn, value);
  }
}

TEST(HistoryReader, PairsSkipTheNemesis) {
  const History history = read_ok(
      "{:type :invoke :process 0}{:type :info :process :nemesis}{:type :invoke :process 1}{:type :ok :process 1}{:type "
      ":invoke :process 1}"
      "{:type :info :process :nemesis}{:type :fail :process 0}");
  const std::vector<History::Pair> pairs = history.pairs();
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[0].invoke, 0);
  EXPECT_EQ(pairs[0].completion, 6);
  EXPECT_EQ(pairs[1].completion, 3);
  EXPECT_EQ(pairs[2].invoke, 4);
  EXPECT_EQ(pairs[2].completion, -1);
}

TEST(HistoryReader, ErrorsSayWhereAndWhat) {
  EXPECT_EQ(message_of("{:type :invoke\n :process }"), "h.edn:2:11: expected a map value after :process, found '}'");
  EXPECT_EQ(message_of("{:type :invoke :process 0}\n{:type :ook :process 0}"),
            "h.edn:2:8: expected :invoke, :ok, :fail or :info after :type, found :ook");
  EXPECT_EQ(message_of("{:type :invoke :process 0"), "h.edn:1:1: this event never ends: expected '}'");
  EXPECT_EQ(message_of("[{:type :invoke :process 0}"), "h.edn:1:1: this history never ends: expected ']'");
  EXPECT_EQ(message_of("[] x"), "h.edn:1:4: expected nothing after the history, found 'x'");
  EXPECT_EQ(message_of("{:process 0}"), "h.edn:1:1: this event has no :type");
  EXPECT_EQ(message_of("{:type :ok}"), "h.edn:1:1: this event has no :process");
  EXPECT_EQ(message_of("{:type :ok :type :ok}"), "h.edn:1:12: a second :type in one event");
  EXPECT_EQ(message_of("{:a 1 :a 2}"), "h.edn:1:7: a second :a in one event");
  EXPECT_EQ(message_of("{:a [1 2}"), "h.edn:1:9: expected ']', found '}'");
  EXPECT_EQ(message_of("{:a \"open}"), "h.edn:1:5: this string never ends");
  EXPECT_EQ(message_of("{:a \"\\q\"}"), "h.edn:1:6: unknown escape in a string");
  EXPECT_EQ(message_of("{:a 12x}"), "h.edn:1:5: malformed number 12x");
  EXPECT_EQ(message_of("{:a #tag}"), "h.edn:1:9: expected a value after a tag, found '}'");
  EXPECT_EQ(message_of("{:index 99999999999999999999}"),
            "h.edn:1:9: expected a 64-bit integer after :index, found '9'");
  EXPECT_EQ(message_of("\x01"), "h.edn:1:1: expected a map (one event of the history), found byte 0x01");
  EXPECT_EQ(message_of("#_"), "h.edn:1:3: expected a value, found end of input");
}

TEST(HistoryReader, RefusesWhatCannotHaveHappened) {
  EXPECT_EQ(message_of("{:type :ok :process 7}"), "h.edn:1:1: process 7 completes an operation that it did not invoke");
  EXPECT_EQ(message_of("{:index 5 :type :invoke :process 7}\n{:type :invoke :process 7}"),
            "h.edn:2:1: process 7 invokes a second operation while that of :index 5 is open");
  EXPECT_EQ(message_of("{:index 5 :type :invoke :process 7}{:index 5 :type :ok :process 7}"),
            "h.edn:1:36: :index 5 does not follow 5");
  EXPECT_EQ(message_of("{:time 5 :type :invoke :process 7}{:time 4 :type :ok :process 7}"),
            "h.edn:1:35: :time 4 is before 5");
  EXPECT_EQ(message_of("{:type :invoke :process -7}"), "h.edn:1:25: a process number must not be negative");
}

TEST(HistoryReader, DeepNestingIsOneClearError) {
  const std::string brackets(1 << 20, '[');
  EXPECT_EQ(message_of(brackets), "h.edn:1:2: expected a map (one event of the history), found '['");
  EXPECT_EQ(message_of("{:value " + brackets), "h.edn:1:265: forms nest deeper than 256");
  EXPECT_EQ(message_of("{:other " + brackets), "h.edn:1:265: forms nest deeper than 256");
  std::string discards;
  for (int i = 0; i < 1 << 19; ++i) discards += "#_";
  EXPECT_EQ(message_of(discards), "h.edn:1:1048577: expected a value, found end of input");
  EXPECT_EQ(message_of("{:value [" + discards), "h.edn:1:1048586: expected a value, found end of input");
}

TEST(HistoryReader, EmptyTextIsAnEmptyHistory) {
  EXPECT_TRUE(read_ok("").events.empty());
  EXPECT_TRUE(read_ok(" [ ] ").events.empty());
  EXPECT_TRUE(read_ok("; nothing").events.empty());
}

}  // namespace
}  // namespace polarsim::checkers
