// Histories for tests: written by hand in shorthand, or produced by small stores whose guarantees are known by
// construction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/history.h"

namespace polarsim::checkers::test {

// "invoke 0 [[:append 1 1]]", "ok 0 [[:append 1 1]]", ...: type, process, value. An f other than "txn" may follow as a
// fourth word before the value: "invoke 0 transfer {...}".
inline History history_of(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t first = lines[i].find(' ');
    const std::size_t second = lines[i].find(' ', first + 1);
    std::string rest = lines[i].substr(second + 1);
    std::string f = "txn";
    if (rest[0] >= 'a' && rest[0] <= 'z' && rest.substr(0, 3) != "nil") {
      f = rest.substr(0, rest.find(' '));
      rest = rest.substr(f.size() + 1);
    }
    text += "{:index " + std::to_string(i) + ", :time " + std::to_string(1000 * i) +
            ", :type :" + lines[i].substr(0, first) + ", :process " + lines[i].substr(first + 1, second - first - 1) +
            ", :f :" + f + ", :value " + rest + "}\n";
  }
  auto history = read_history(text, "test");
  if (!history) throw std::invalid_argument(history.error().message);
  return std::move(*history);
}

// All transactions run at once, each by its own process, and end as told: {"ok [[:append 1 1]]", "fail [[...]]"}.
inline History concurrent(const std::vector<std::string>& ends) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < ends.size(); ++i) lines.push_back("invoke " + std::to_string(i) + " []");
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::size_t space = ends[i].find(' ');
    lines.push_back(ends[i].substr(0, space) + " " + std::to_string(i) + ends[i].substr(space));
  }
  return history_of(lines);
}

inline std::set<std::string> names_of(const std::vector<Anomaly>& anomalies) {
  std::set<std::string> names;
  for (const Anomaly& anomaly : anomalies) names.insert(anomaly.name);
  return names;
}

inline std::uint64_t count_of(const Verdict& verdict, const std::string& name) {
  for (const auto& [counted, number] : verdict.counts) {
    if (counted == name) return number;
  }
  return 0;
}

// Everything a verdict says, as text, to compare verdicts.
inline std::string text_of(const Verdict& verdict) {
  std::string text = verdict.checker + " " + to_string(verdict.validity) + " " + verdict.reason + "\n";
  for (const auto* list : {&verdict.anomalies, &verdict.exposures}) {
    for (const Anomaly& anomaly : *list) {
      text += anomaly.name + ": " + anomaly.explanation;
      for (const std::int64_t operation : anomaly.operations) text += " " + std::to_string(operation);
      text += "\n";
    }
    text += "--\n";
  }
  for (const auto* list : {&verdict.not_models, &verdict.also_not}) {
    for (const std::string& model : *list) text += model + " ";
    text += "\n";
  }
  for (const auto& [name, number] : verdict.counts) text += name + "=" + std::to_string(number) + " ";
  return text;
}

// A source of choices; RapidCheck shrinks the numbers it is made of. Repeats them when they run out.
class Choices {
 public:
  explicit Choices(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {
    if (numbers_.empty()) numbers_.push_back(0);
  }
  std::size_t below(std::size_t bound) {
    // The round is mixed in so that repetition does not repeat the history.
    const std::uint64_t mixed =
        (numbers_[next_ % numbers_.size()] + 0x9e3779b9ULL * (next_ / numbers_.size())) * 0xd6e8feb86659fd93ULL;
    ++next_;
    return static_cast<std::size_t>((mixed >> 33) % bound);
  }
  bool once_in(std::size_t n) { return below(n) == 0; }

 private:
  std::vector<std::uint32_t> numbers_;
  std::size_t next_ = 0;
};

struct StoreOptions {
  bool lists = true;   // else registers
  bool serial = true;  // a transaction takes effect at one moment; else each statement reads the latest committed state
  bool faults = true;  // some transactions fail, some end in info
  std::size_t processes = 4;
  std::size_t keys = 3;
  std::size_t transactions = 40;
  std::size_t longest = 4;  // micro-operations in a transaction
};

// A store that holds strict serializability (`serial`), or PL-2 with own writes visible: writers lock keys until they
// end, reads see what is committed. Clients run concurrently; the invocation of a transaction may long precede its
// effect, which may long precede the answer.
class Store {
 public:
  Store(StoreOptions options, Choices choices)
      : options_(options), choices_(std::move(choices)), clients_(options.processes) {
    for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].process = static_cast<std::int64_t>(i);
  }

  History run() {
    while (true) {
      std::vector<Client*> movable;
      for (Client& client : clients_) {
        if (client.phase != Phase::idle || started_ < options_.transactions) movable.push_back(&client);
      }
      if (movable.empty()) break;
      step(*movable[choices_.below(movable.size())]);
    }
    return std::move(history_);
  }

  // The same, and then one final read of each key.
  History run_and_read_at_rest() {
    History history = run();
    history_.events.clear();
    Client reader;
    reader.process = 1'000'000;
    for (const auto& [key, values] : committed_) {
      MicroOp read;
      read.kind = options_.lists ? MicroOp::Kind::read_list : MicroOp::Kind::read;
      read.key = key;
      emit(reader, EventType::invoke, {read});
      read.known = !values.empty();
      if (options_.lists) read.list = values;
      if (!options_.lists && read.known) read.argument = values.back();
      emit(reader, EventType::ok, {read});
    }
    for (Event& event : history_.events) {
      event.index = static_cast<std::int64_t>(history.events.size());
      event.extra.emplace_back("final?", "true");
      history.events.push_back(event);
    }
    return history;
  }

 private:
  enum class Phase { idle, running, answered };
  struct Client {
    std::int64_t process = 0;
    Phase phase = Phase::idle;
    Transaction asked, done;
    EventType outcome = EventType::ok;
  };

  void emit(Client& client, EventType type, Transaction transaction) {
    Event event;
    event.index = static_cast<std::int64_t>(history_.events.size());
    event.time_ns = event.index * 1000;
    event.type = type;
    event.process = client.process;
    event.f = "txn";
    event.value = std::move(transaction);
    history_.events.push_back(std::move(event));
  }

  Transaction make_transaction() {
    Transaction transaction;
    const std::size_t length = 1 + choices_.below(options_.longest);
    for (std::size_t i = 0; i < length; ++i) {
      MicroOp op;
      op.key = static_cast<std::int64_t>(choices_.below(options_.keys));
      if (choices_.once_in(2)) {
        op.kind = options_.lists ? MicroOp::Kind::append : MicroOp::Kind::write;
        op.argument = ++next_value_[op.key];
      } else {
        op.kind = options_.lists ? MicroOp::Kind::read_list : MicroOp::Kind::read;
      }
      transaction.push_back(std::move(op));
    }
    return transaction;
  }

  void step(Client& client) {
    if (client.phase == Phase::idle) {
      ++started_;
      client.asked = make_transaction();
      client.done.clear();
      client.phase = Phase::running;
      emit(client, EventType::invoke, client.asked);
    } else if (client.phase == Phase::running) {
      do {
        run_statement(client);
      } while (client.phase == Phase::running && (options_.serial || choices_.once_in(3)));
    } else {
      client.phase = Phase::idle;
      emit(client, client.outcome, client.outcome == EventType::ok ? client.done : client.asked);
      if (client.outcome == EventType::info) client.process += static_cast<std::int64_t>(options_.processes);
    }
  }

  // Runs the next statement, or ends the transaction after the last.
  void run_statement(Client& client) {
    const bool finished = client.done.size() == client.asked.size();
    if (finished || (options_.faults && choices_.once_in(30))) {
      const bool commit = finished && !(options_.faults && choices_.once_in(12));
      end(client, commit);
      return;
    }
    MicroOp op = client.asked[client.done.size()];
    const bool writes = op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::write;
    if (writes) {
      const auto [lock, taken] = locks_.try_emplace(op.key, &client);
      if (!taken && lock->second != &client) {
        end(client, false);
        return;
      }
    } else {
      std::vector<std::int64_t> seen = committed_[op.key];
      for (const MicroOp& own : client.done) {
        if (own.key != op.key || own.kind == MicroOp::Kind::read || own.kind == MicroOp::Kind::read_list) continue;
        seen.push_back(own.argument);
      }
      op.known = !seen.empty();
      if (options_.lists) {
        op.list = seen;
      } else if (op.known) {
        op.argument = seen.back();
      }
    }
    client.done.push_back(std::move(op));
  }

  void end(Client& client, bool commit) {
    if (commit) {
      for (const MicroOp& op : client.done) {
        if (op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::write)
          committed_[op.key].push_back(op.argument);
      }
    }
    std::erase_if(locks_, [&](const auto& lock) { return lock.second == &client; });
    client.outcome = commit ? EventType::ok : EventType::fail;
    if (options_.faults && choices_.once_in(10)) client.outcome = EventType::info;
    client.phase = Phase::answered;
  }

  StoreOptions options_;
  Choices choices_;
  std::vector<Client> clients_;
  std::map<std::int64_t, std::vector<std::int64_t>> committed_;  // by key: all values in order of commit
  std::map<std::int64_t, std::int64_t> next_value_;
  std::map<std::int64_t, Client*> locks_;
  std::size_t started_ = 0;
  History history_;
};

}  // namespace polarsim::checkers::test
