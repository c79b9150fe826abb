// Carries a schedule out on a running simulation.
//
// Faults may overlap: cut links are counted, of slow disks the slowest factor counts, clock drifts add up, and each
// fault ends its own part only. A crash of a host that is down already does nothing. Every fault that begins or ends
// goes into the digest and the trace.
#pragma once

#include <cstdint>
#include <memory>

#include "faults/schedule.h"
#include "sim/simulation.h"

namespace polarsim::faults {

class Injector {
 public:
  Injector(sim::Simulation& simulation, Topology topology);
  // Cancels what is still to come; heals nothing.
  ~Injector();
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;
  // Sets a timer for each fault, counted from now. The schedule must be valid for the topology. Once in an injector's
  // life.
  void start(const Schedule& schedule);
  // The start of the liveness phase: ends every fault, disarms every point, heals the network, undoes disk and clock
  // settings and boots what is down. From a task or from outside.
  void heal();
  // Faults that have struck so far. One that found nothing to break does not count: a crash of a host that is down, a
  // drop_connections without connections, a crash_at_point whose point was not visited (often enough).
  std::uint64_t struck() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::faults
