// For tests of what lies above the disk and below a node: one simulated host that runs a body.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "engine/types/error.h"
#include "sim/simulation.h"

namespace polarsim::engine::storage::testing {

class StorageHost {
 public:
  explicit StorageHost(std::uint64_t seed = 1, sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo,
                       bool trace = false)
      : simulation_(options(seed, policy, trace)), host_(simulation_.add_host("n")) {}

  // Boots the host and runs `body` as its program; returns when nothing happens any more. An SqlError that leaves the
  // body is kept, see error().
  void run(std::function<void(sim::Host&)> body) {
    finished_ = false;
    error_.clear();
    host_.set_program([this, body = std::move(body)](sim::Host& host) {
      try {
        body(host);
        finished_ = true;
      } catch (const SqlError& error) {
        error_ = error.what();
      }
    });
    host_.boot();
    simulation_.run();
  }
  // True if the last body reached its end.
  bool finished() const { return finished_; }
  // "58030: could not read ..."; empty if there was none.
  const std::string& error() const { return error_; }
  std::uint64_t reached(const std::string& probe) const {
    const auto& counts = const_cast<sim::Simulation&>(simulation_).probes().counts();
    const auto found = counts.find(probe);
    return found == counts.end() ? 0 : found->second;
  }

  sim::Simulation& simulation() { return simulation_; }
  sim::Host& host() { return host_; }
  sim::Disk& disk() { return host_.disk(); }

 private:
  static sim::SimulationOptions options(std::uint64_t seed, sim::SchedulingPolicy policy, bool trace) {
    sim::SimulationOptions result;
    result.seed = seed;
    result.scheduler.policy = policy;
    result.trace.enabled = trace;
    return result;
  }
  sim::Simulation simulation_;
  sim::Host& host_;
  std::string error_;
  bool finished_ = false;
};

// The outcome of `call`: "" or the error as "XX001 message / detail".
inline std::string outcome(const std::function<void()>& call) {
  try {
    call();
    return {};
  } catch (const SqlError& error) {
    const std::string& detail = error.fields().detail;
    return error.sqlstate() + " " + error.fields().message + (detail.empty() ? "" : " / " + detail);
  }
}

}  // namespace polarsim::engine::storage::testing
