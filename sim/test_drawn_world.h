// For tests of choices: a world in which everything depends on draws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/simulation.h"

namespace polarsim::sim {

// A world of a few tasks whose order and waits are drawn; what happened is its transcript.
struct DrawnWorld {
  explicit DrawnWorld(std::uint64_t seed, bool extra_draw = false) : extra(extra_draw) {
    SimulationOptions options;
    options.seed = seed;
    options.scheduler.policy = SchedulingPolicy::random;
    simulation = std::make_unique<Simulation>(options);
  }
  // Runs to the end, or up to a time.
  const std::string& run(Time limit = never) {
    if (!started) {
      started = true;
      for (int task = 0; task < 4; ++task) {
        simulation->scheduler().spawn("t" + std::to_string(task), [this, task] { body(task); });
      }
    }
    simulation->run(limit);
    return transcript;
  }
  void body(int task) {
    RandomStream& waits = simulation->random("waits/" + std::to_string(task));
    for (int round = 0; round < 20; ++round) {
      if (extra && round == 10 && task == 2) simulation->random("extra").next();
      const std::uint64_t wait = waits.below(4);
      transcript += static_cast<char>('a' + task);
      transcript += std::to_string(wait);
      simulation->scheduler().sleep_for(Duration(static_cast<std::int64_t>(wait)));
    }
  }
  Digest128 digest() { return simulation->digest().value(); }

  std::unique_ptr<Simulation> simulation;
  std::string transcript;
  bool extra;
  bool started = false;
};

}  // namespace polarsim::sim
