// Swizzle clogging as data: the links of some hosts clog one host after another, and open again in another order.
//
// Described by Will Wilson, "Testing Distributed Systems w/ Deterministic Simulation" (Strange Loop 2014): a random
// subset of nodes has its network stopped one by one over some seconds, then started again one by one in a random
// order, until all are back. It finds mistakes that a partition with one beginning and one end does not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/partition.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

class Network;

struct SwizzleStep {
  enum class Kind : std::uint8_t { clog, unclog } kind = Kind::clog;
  Time at = time_zero;
  DirectedLink link;
  friend bool operator==(const SwizzleStep&, const SwizzleStep&) = default;
};

struct SwizzleOptions {
  Time start = time_zero;
  Duration clogging{3'000'000'000};    // the chosen hosts clog at instants drawn from this long a time,
  Duration pause{1'000'000'000};       // then nothing changes,
  Duration unclogging{3'000'000'000};  // then they open again, at instants drawn from this long a time
};

// Chooses a subset of the hosts, not empty, and draws when each clogs and opens. A host's links are all that lead from
// it and to it among `hosts`. A link between two chosen hosts is clogged from the first of their clogs to the last of
// their openings, so that every link has at most one clog and one unclog. Sorted by time, then by link.
std::vector<SwizzleStep> draw_swizzle(RandomStream& stream, std::vector<std::string> hosts,
                                      const SwizzleOptions& options = {});
// One line a step: "3.250000000 clog a>b".
std::string text(const std::vector<SwizzleStep>& steps);

// Carries steps out at their times, those in the past at once. They may be drawn or written by hand, in any order; a
// clog without an unclog of its link lasts until stop(). Must not outlive the simulation.
class Swizzle {
 public:
  Swizzle(Network& network, Scheduler& scheduler, std::vector<SwizzleStep> steps);
  // Stops.
  ~Swizzle();
  Swizzle(const Swizzle&) = delete;
  Swizzle& operator=(const Swizzle&) = delete;
  // Opens every link that this swizzle holds clogged, and takes no further step. Links that something else has clogged
  // for longer stay so.
  void stop();
  bool finished() const { return next_ == steps_.size(); }

 private:
  void take_due_steps();

  Network& network_;
  Scheduler& scheduler_;
  std::vector<SwizzleStep> steps_;  // by time
  std::vector<Time> ends_;          // by step: when its link is unclogged next
  std::size_t next_ = 0;
  TimerId timer_ = 0;
};

}  // namespace polarsim::sim
