// For tests of the machine: a few hosts that idle until a test gives them tasks.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>

#include "sim/simulation.h"

namespace polarsim::sim {

struct TestWorld {
  explicit TestWorld(std::initializer_list<const char*> names, std::uint64_t seed = 1,
                     SchedulingPolicy policy = SchedulingPolicy::fifo)
      : simulation(options(seed, policy)) {
    for (const char* name : names) {
      Host& host = simulation.add_host(name);
      host.set_program([](Host& self) { self.scheduler().park("idle"); });
      host.boot();
    }
  }

  static SimulationOptions options(std::uint64_t seed, SchedulingPolicy policy) {
    SimulationOptions options;
    options.seed = seed;
    options.scheduler.policy = policy;
    return options;
  }

  Host& host(const std::string& name) { return simulation.host(name); }
  Network& network() { return simulation.network(); }
  Time now() const { return simulation.now(); }
  void spawn(const std::string& host_name, std::function<void()> body) {
    host(host_name).spawn(host_name + "/test", std::move(body));
  }
  void sleep(Duration wait) { simulation.scheduler().sleep_for(wait); }
  // Runs until nothing is left to do, or for `limit`.
  void run(Duration limit = std::chrono::hours(1)) { simulation.run(deadline_after(simulation.now(), limit)); }

  Simulation simulation;
};

}  // namespace polarsim::sim
