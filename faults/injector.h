// Carries a schedule out on a running simulation.
#pragma once

#include <cstdint>
#include <memory>

#include "faults/schedule.h"
#include "sim/simulation.h"

namespace polarsim::faults {

class Injector {
 public:
  Injector(sim::Simulation& simulation, Topology topology);
  ~Injector();
  // Sets a timer for each fault, counted from now.
  void start(const Schedule& schedule);
  // The start of the liveness phase: ends every fault, disarms every point, heals the network, undoes disk and clock settings and boots what is down.
  // From a task or from outside.
  void heal();
  // Faults that have struck so far (a crash_at_point that was never reached does not count).
  std::uint64_t struck() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::faults
