// What judging costs: histories of Jepsen's usual shape, from a store that is strictly serializable, so that nothing
// ends early.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/compact_history.h"
#include "scenarios/cli/bench_process.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/input_file.h"
#include "sim/random.h"

namespace polarsim::scenarios::cli {

namespace {

using checkers::Event;
using checkers::EventType;
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

  void run(std::size_t transactions, std::ostream& out) {
    std::vector<checkers::Transaction> asked(processes);
    std::vector<bool> open(processes, false);
    std::size_t begun = 0;
    std::size_t running = 0;
    while (begun < transactions || running > 0) {
      const std::size_t p = below(processes);
      if (!open[p]) {
        if (begun == transactions) continue;
        asked[p] = ask();
        emit(out, p, EventType::invoke, asked[p]);
        ++begun;
        ++running;
      } else {
        emit(out, p, EventType::ok, take_effect(asked[p]));
        --running;
      }
      open[p] = !open[p];
    }
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

  void emit(std::ostream& out, std::size_t process, EventType type, checkers::Transaction transaction) {
    Event event;
    event.index = next_index_++;
    event.time_ns = 1000 * event.index;
    event.type = type;
    event.process = static_cast<std::int64_t>(process);
    event.f = "txn";
    event.value = std::move(transaction);
    out << checkers::event_to_edn(event) << '\n';
  }

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.next() % bound); }

  bool lists_;
  sim::Xoshiro256 random_;
  std::vector<Key> keys_;
  std::deque<Key> retired_;
  std::int64_t next_index_ = 0;
  std::int64_t next_key_ = 0;
  std::int64_t next_value_ = 0;
};

double peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// A history on disk, made by a process of its own, so that the memory measured later is that of judging alone.
class HistoryFile {
 public:
  HistoryFile(bool lists, std::size_t transactions)
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("polarsim-bench-{}-{}-{}.edn", ::getpid(), lists ? "lists" : "registers", transactions)) {
    const double written = in_own_process([&] {
      std::ofstream file(path_, std::ios::binary);
      Store(lists, 1).run(transactions, file);
      file.flush();
      return file ? 1.0 : 0.0;
    });
    if (written == 0.0) throw std::runtime_error("bench: cannot write " + path_.string());
  }
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;
  ~HistoryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  double megabytes() const { return static_cast<double>(std::filesystem::file_size(path_)) / 1e6; }
  checkers::Operations read() const {
    auto parts = InputParts::open(path_.string());
    if (!parts) throw std::runtime_error("bench: " + parts.error().message);
    auto operations =
        checkers::read_operations([&](char* into, std::size_t size) { return parts->read(into, size); }, "bench");
    if (!operations) throw std::logic_error("bench: its own history is refused");
    return std::move(*operations);
  }

 private:
  std::filesystem::path path_;
};

template <typename Body>
double seconds_of(const Body& body) {
  const double start = processor_seconds();
  body();
  return processor_seconds() - start;
}

void expect_valid(const checkers::Verdict& verdict) {
  if (verdict.validity == checkers::Validity::invalid) {
    throw std::logic_error("bench: a history of a strictly serializable store was called invalid");
  }
}

// What judging costs once the history is read.
template <typename Judge>
double cost_of(const HistoryFile& file, const Judge& judge) {
  const double seconds = in_own_process([&] {
    const checkers::Operations operations = file.read();
    return seconds_of([&] { expect_valid(judge(operations)); });
  });
  if (seconds == 0.0) throw std::logic_error("bench: a history was not judged");
  return seconds;
}

}  // namespace

std::vector<Measurement> bench_checkers_lists() {
  const HistoryFile million(true, 1'000'000);
  const HistoryFile tenth(true, 100'000);
  const double read = in_own_process([&] { return seconds_of([&] { million.read(); }); });
  const auto at = [](checkers::Level level) {
    return [level](const checkers::Operations& operations) { return checkers::check_list_append(operations, level); };
  };
  const checkers::Level strict{.model = "strict-serializable"};
  const checkers::Level every{.model = "strict-serializable", .every_level = true};
  const double strict_seconds = cost_of(million, at(strict));
  const double memory = in_own_process([&] {
    expect_valid(at(every)(million.read()));
    return peak_megabytes();
  });
  return {
      {"checkers/read", million.megabytes() / read, "MB/core-s", "EDN of lists, 1M transactions", ">= 150"},
      {"checkers/lists", strict_seconds, "s", "1M transactions of lists, strict serializability", "<= 1.2"},
      {"checkers/lists-levels", cost_of(million, at(every)), "s", "the same, every exact level", "<= 1.2"},
      {"checkers/lists-memory", memory, "MB", "the most that reading and judging at every level take", "<= 300"},
      {"checkers/lists-growth", strict_seconds / cost_of(tenth, at(strict)) / 10, "x linear",
       "1M transactions to 100,000", "<= 1.5"},
  };
}

std::vector<Measurement> bench_checkers_registers() {
  const HistoryFile million(false, 1'000'000);
  std::vector<Measurement> measurements;
  for (const auto& [level, target] :
       {std::pair("BE-RC", "<= 0.8"), std::pair("RA", "<= 1.3"), std::pair("CC", "<= 3")}) {
    const double seconds = cost_of(million, [&](const checkers::Operations& operations) {
      return checkers::check_rw_register(operations, {.model = level});
    });
    measurements.push_back({fmt::format("checkers/registers-{}", level), seconds, "s",
                            fmt::format("1M transactions of registers at {}", level), target});
  }
  return measurements;
}

}  // namespace polarsim::scenarios::cli
