// What judging costs: histories of Jepsen's usual shape, from a store that is strictly serializable, so that nothing
// ends early.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/history.h"
#include "scenarios/cli/bench_process.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "sim/random.h"

namespace polarsim::scenarios::cli {

namespace {

using checkers::Event;
using checkers::EventType;
using checkers::History;
using checkers::MicroOp;

constexpr std::size_t processes = 20;
constexpr std::size_t live_keys = 8;
constexpr std::size_t writes_of_key = 32;
constexpr std::size_t longest_transaction = 4;

// Clients take turns at random: each asks, then takes effect, then is answered. A key is given up for a new one after
// so many writes, as Jepsen's generators do.
class Store {
 public:
  Store(bool lists, std::uint64_t seed) : lists_(lists), random_(seed) {
    for (std::size_t i = 0; i < live_keys; ++i) keys_.push_back({next_key_++, {}});
  }

  History run(std::size_t transactions) {
    History history;
    history.events.reserve(2 * transactions);
    std::vector<checkers::Transaction> asked(processes);
    std::vector<bool> open(processes, false);
    std::size_t begun = 0;
    std::size_t running = 0;
    while (begun < transactions || running > 0) {
      const std::size_t p = below(processes);
      if (!open[p]) {
        if (begun == transactions) continue;
        asked[p] = ask();
        emit(history, p, EventType::invoke, asked[p]);
        ++begun;
        ++running;
      } else {
        emit(history, p, EventType::ok, take_effect(asked[p]));
        --running;
      }
      open[p] = !open[p];
    }
    return history;
  }

 private:
  struct Key {
    std::int64_t number = 0;
    std::vector<std::int64_t> values;
  };

  checkers::Transaction ask() {
    checkers::Transaction transaction(1 + below(longest_transaction));
    for (MicroOp& op : transaction) {
      op.key = keys_[below(keys_.size())].number;
      if (below(2) == 0) {
        op.kind = lists_ ? MicroOp::Kind::append : MicroOp::Kind::write;
        op.argument = ++next_value_;
      } else {
        op.kind = lists_ ? MicroOp::Kind::read_list : MicroOp::Kind::read;
      }
    }
    return transaction;
  }

  checkers::Transaction take_effect(checkers::Transaction transaction) {
    for (MicroOp& op : transaction) {
      Key& key = find(op.key);
      if (op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::write) {
        key.values.push_back(op.argument);
        continue;
      }
      op.known = lists_ || !key.values.empty();
      if (lists_) op.list = key.values;
      if (!lists_ && op.known) op.argument = key.values.back();
    }
    for (Key& key : keys_) {
      if (key.values.size() < writes_of_key) continue;
      retired_.push_back(std::move(key));
      if (retired_.size() > 8 * live_keys) retired_.pop_front();
      key = {next_key_++, {}};
    }
    return transaction;
  }

  // Transactions that were asked for while the key was live still find it.
  Key& find(std::int64_t number) {
    for (Key& key : keys_) {
      if (key.number == number) return key;
    }
    for (Key& key : retired_) {
      if (key.number == number) return key;
    }
    throw std::logic_error("bench: a key was given up too early");
  }

  void emit(History& history, std::size_t process, EventType type, checkers::Transaction transaction) {
    Event event;
    event.index = static_cast<std::int64_t>(history.events.size());
    event.time_ns = 1000 * event.index;
    event.type = type;
    event.process = static_cast<std::int64_t>(process);
    event.f = "txn";
    event.value = std::move(transaction);
    history.events.push_back(std::move(event));
  }

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.next() % bound); }

  bool lists_;
  sim::Xoshiro256 random_;
  std::vector<Key> keys_;
  std::deque<Key> retired_;
  std::int64_t next_key_ = 0;
  std::int64_t next_value_ = 0;
};

double peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// In a process of its own, so that the memory is that of this work alone: the history is made, written and forgotten
// before what is measured begins.
template <typename Measure>
double measured(const Measure& measure) {
  return in_own_process([&] { return static_cast<double>(measure()); });
}

double seconds_of(const std::function<void()>& body) {
  const double start = processor_seconds();
  body();
  return processor_seconds() - start;
}

void expect_valid(const checkers::Verdict& verdict) {
  if (verdict.validity == checkers::Validity::invalid) {
    throw std::logic_error("bench: a history of a strictly serializable store was called invalid");
  }
}

std::string edn_of(const History& history) {
  std::ostringstream text;
  checkers::write_edn(history, text);
  return std::move(text).str();
}

}  // namespace

std::vector<Measurement> bench_checkers_read() {
  constexpr std::size_t transactions = 250'000;
  const std::string text = edn_of(Store(true, 1).run(transactions));
  const double seconds = measured([&] {
    return seconds_of([&] {
      if (!checkers::read_history(text, "bench")) throw std::logic_error("bench: its own history is refused");
    });
  });
  return {{"checkers/read", static_cast<double>(text.size()) / 1e6 / seconds, "MB/core-s",
           "a history of lists in EDN, parsed", ">= 150"}};
}

std::vector<Measurement> bench_checkers_lists() {
  constexpr std::size_t transactions = 1'000'000;
  const auto cost = [](std::size_t size, const checkers::Level& level) {
    return measured([&] {
      const History history = Store(true, 1).run(size);
      return seconds_of([&] { expect_valid(checkers::check_list_append(history, level)); });
    });
  };
  const double strict = cost(transactions, {.model = "strict-serializable"});
  const double every = cost(transactions, {.model = "strict-serializable", .every_level = true});
  const double tenth = cost(transactions / 10, {.model = "strict-serializable"});
  const double memory = measured([&] {
    const History history = Store(true, 1).run(transactions);
    const double before = peak_megabytes();
    expect_valid(checkers::check_list_append(history, {.model = "strict-serializable"}));
    return peak_megabytes() - before;
  });
  return {
      {"checkers/lists", strict, "s", "1M transactions of lists, strict serializability", "<= 1.2"},
      {"checkers/lists-levels", every, "s", "the same, every exact level"},
      {"checkers/lists-memory", memory, "MB", "what the check needs beside the history", "<= 300"},
      {"checkers/lists-growth", strict / tenth / 10, "x linear", "1M transactions to 100,000", "<= 1.5"},
  };
}

std::vector<Measurement> bench_checkers_registers() {
  constexpr std::size_t transactions = 1'000'000;
  std::vector<Measurement> measurements;
  for (const auto& [level, target] :
       {std::pair("BE-RC", "<= 0.8"), std::pair("RA", "<= 1.3"), std::pair("CC", "<= 3")}) {
    const double seconds = measured([&] {
      const History history = Store(false, 1).run(transactions);
      return seconds_of([&] { expect_valid(checkers::check_rw_register(history, {.model = level})); });
    });
    measurements.push_back({fmt::format("checkers/registers-{}", level), seconds, "s",
                            fmt::format("1M transactions of registers at {}", level), target});
  }
  return measurements;
}

}  // namespace polarsim::scenarios::cli
