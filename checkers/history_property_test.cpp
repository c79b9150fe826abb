#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>
#include <string>

#include "checkers/checkers.h"
#include "checkers/history.h"

namespace polarsim::checkers {
namespace {

rc::Gen<MicroOp> any_micro_op() {
  return rc::gen::exec([] {
    MicroOp op;
    op.kind = *rc::gen::element(MicroOp::Kind::append, MicroOp::Kind::read_list);
    op.key = *rc::gen::inRange<std::int64_t>(-5, 100);
    if (op.kind == MicroOp::Kind::append) {
      op.argument = *rc::gen::arbitrary<std::int64_t>();
    } else {
      op.known = *rc::gen::arbitrary<bool>();
      if (op.known) op.list = *rc::gen::arbitrary<std::vector<std::int64_t>>();
    }
    return op;
  });
}

rc::Gen<Value> any_value() {
  return rc::gen::exec([]() -> Value {
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        return std::monostate{};
      case 1: {
        // One append at least, so that nil reads are known to be reads of lists.
        Transaction transaction = *rc::gen::container<Transaction>(any_micro_op());
        transaction.push_back({MicroOp::Kind::append, 1, 1, false, {}});
        return transaction;
      }
      case 2:
        return Transfer{*rc::gen::arbitrary<std::int64_t>(), *rc::gen::arbitrary<std::int64_t>(),
                        *rc::gen::arbitrary<std::int64_t>()};
      case 3: {
        const auto balances = *rc::gen::arbitrary<std::map<std::int64_t, std::int64_t>>();
        return Balances(balances.begin(), balances.end());
      }
      default:
        return Opaque{*rc::gen::element<std::string>(":x", "#{1 2}", "\"a\\\"b\\u00e9\"", "[[:cas 1 2]]",
                                                     "{:a {:b nil}}", "#tag [1.5e-3 \\a]")};
    }
  });
}

RC_GTEST_PROP(HistoryRoundTrip, WhatIsWrittenIsReadBack, ()) {
  History history;
  const int events = *rc::gen::inRange(0, 30);
  std::vector<bool> open(6, false);
  for (int i = 0; i < events; ++i) {
    Event event;
    event.index = i == 0 ? 0 : history.events.back().index + *rc::gen::inRange<std::int64_t>(1, 4);
    event.time_ns = i == 0 ? *rc::gen::inRange<std::int64_t>(-9, 9)
                           : history.events.back().time_ns + *rc::gen::inRange<std::int64_t>(0, 1000);
    event.process = *rc::gen::inRange<std::int64_t>(-1, 6);
    if (event.process < 0) {
      event.type = EventType::info;
    } else {
      auto is_open = open[static_cast<std::size_t>(event.process)];
      event.type = is_open ? *rc::gen::element(EventType::ok, EventType::fail, EventType::info) : EventType::invoke;
      open[static_cast<std::size_t>(event.process)] = !is_open;
    }
    event.f = *rc::gen::element<std::string>("", "txn", "read", "start-partition!", "two words", "quote\"\\\n");
    event.value = *any_value();
    if (*rc::gen::arbitrary<bool>()) event.extra.emplace_back("node", "\"dn1\"");
    if (*rc::gen::arbitrary<bool>()) event.extra.emplace_back("error", "[:timeout {:ms 5}]");
    history.events.push_back(std::move(event));
  }
  std::ostringstream out;
  write_edn(history, out);
  const auto back = read_history(out.str(), "round-trip");
  if (!back) RC_FAIL(back.error().message);
  RC_ASSERT(back->events == history.events);
}

// Whatever the bytes, reading ends in a history or in one message with a place inside the text.
RC_GTEST_PROP(HistoryRubbish, AnyTextEndsInAHistoryOrAMessage, ()) {
  static const std::vector<std::string> pieces = {"{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  "(",
                                                  ")",
                                                  "\"",
                                                  "\\",
                                                  "#",
                                                  "#_",
                                                  "#{",
                                                  ":type",
                                                  ":process",
                                                  ":value",
                                                  ":index",
                                                  " ",
                                                  "\n",
                                                  ",",
                                                  ";",
                                                  ":invoke",
                                                  ":ok",
                                                  "0",
                                                  "1",
                                                  "-",
                                                  "nil",
                                                  "[[:r 1 nil]]",
                                                  "[[:append 1 2]]",
                                                  ":",
                                                  "{:type :invoke :process 1",
                                                  "é",
                                                  std::string(1, '\0'),
                                                  "\\u12",
                                                  "1.",
                                                  "1e",
                                                  ":f"};
  const auto chosen = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces));
  std::string text;
  for (const std::string& piece : chosen) text += piece;
  const auto history = read_history(text, "rubbish");
  if (!history) {
    RC_ASSERT(history.error().line >= 1);
    RC_ASSERT(history.error().column >= 1);
    RC_ASSERT(history.error().message.starts_with("rubbish:"));
  } else {
    for (const char* model : {"strict-serializable", "read-committed"}) {
      check_list_append(*history, {model});
      check_rw_register(*history, {model});
    }
    check_bank(*history, {});
    std::ostringstream out;
    write_edn(*history, out);
    const auto back = read_history(out.str(), "again");
    if (!back) RC_FAIL(back.error().message);
    RC_ASSERT(back->events.size() == history->events.size());
  }
}

}  // namespace
}  // namespace polarsim::checkers
