// For tests of the log: a simulated host that opens one, and what is on its disk.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/storage/wal.h"
#include "engine/types/error.h"
#include "sim/simulation.h"

namespace polarsim::engine::storage {

inline constexpr std::uint8_t kind = 9;

// A host whose program opens a log and does something with it.
class LogHost {
 public:
  explicit LogHost(std::uint64_t seed = 1) : simulation_(options(seed)), host_(simulation_.add_host("n")) {
    options_.segment_bytes = 512;
  }

  // Opens the log, which replays into `replayed`, and runs `body`.
  void run(std::function<void(Wal&)> body = [](Wal&) {}) {
    replayed_.clear();
    error_.clear();
    host_.set_program([this, body = std::move(body)](sim::Host& host) {
      try {
        const auto wal = Wal::open(host, options_, start_, [this](const WalRecord& record) {
          if (record.kind == kind) replayed_.emplace_back(record.payload);
        });
        body(*wal);
      } catch (const SqlError& error) {
        error_ = error.what();
      }
    });
    host_.boot();
    simulation_.run();
  }
  // From the body: long enough for a lazy flush, and for the mark after it.
  void rest() { host_.sleep_for(std::chrono::seconds(1)); }
  const std::vector<std::string>& replayed() const { return replayed_; }
  const std::string& error() const { return error_; }
  sim::Disk& disk() { return host_.disk(); }
  sim::Host& host() { return host_; }
  sim::Simulation& simulation() { return simulation_; }
  WalOptions& options() { return options_; }
  WalStart& start() { return start_; }
  std::uint64_t reached(const std::string& probe) {
    const auto& counts = simulation_.probes().counts();
    const auto found = counts.find(probe);
    return found == counts.end() ? 0 : found->second;
  }

 private:
  static sim::SimulationOptions options(std::uint64_t seed) {
    sim::SimulationOptions result;
    result.seed = seed;
    return result;
  }
  WalOptions options_;
  WalStart start_;
  sim::Simulation simulation_;
  sim::Host& host_;
  std::vector<std::string> replayed_;
  std::string error_;
};

inline std::vector<std::string> numbered(int count) {
  std::vector<std::string> records;
  for (int i = 0; i < count; ++i) records.push_back("record " + std::to_string(i));
  return records;
}

// Appends the records, each flushed before the next.
inline void append_flushed(Wal& wal, const std::vector<std::string>& records) {
  for (const std::string& record : records) wal.flush(wal.append(kind, record));
}

// Where in which segment a payload starts, from outside the world.
inline std::pair<std::string, std::uint64_t> locate(sim::Disk& disk, const std::string& payload) {
  for (const std::string& path : disk.list("wal/")) {
    const std::string contents = disk.durable_contents(path);
    if (const auto place = contents.find(payload); place != std::string::npos) return {path, place};
  }
  ADD_FAILURE() << payload << " is nowhere";
  return {};
}

inline void damage(sim::Disk& disk, const std::string& payload, std::uint8_t mask = 0x40) {
  const auto [path, offset] = locate(disk, payload);
  disk.damage(path, offset, mask);
}
// As nobody can tell from a torn tail, if it is in the last batch.
inline void damage_heavily(sim::Disk& disk, const std::string& payload) { damage(disk, payload, 0x42); }

}  // namespace polarsim::engine::storage
