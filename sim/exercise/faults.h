// The faults of one run, by the part of the machine that they strike. Each kind is drawn whole from the stream given.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/exercise/world.h"
#include "sim/swizzle.h"

namespace polarsim::sim::exercise {

// A true time before World::faults_end at which a fault may end.
Time draw_end(World& world, RandomStream& random);

// Cuts, clogs, dropped connections, parameters of links. Keeps a model of the cuts, which the network must agree with.
class NetworkFaults {
 public:
  NetworkFaults(World& world, RandomStream& random) : world_(world), random_(random) {}
  void strike();
  void mend();
  // The network agrees with the model of the cuts, and nothing has crossed a link since it was cut.
  void check_cuts();

 private:
  // What was known of a link's bytes when its bandwidth was set.
  struct Metering {
    Time since = time_zero;
    std::uint64_t bandwidth = 0;  // 0: not bounded
    std::uint64_t delivered = 0;
    std::uint64_t underway = 0;
  };
  // A link's cuts, and what had been delivered over it when the first of them came.
  struct Cuts {
    std::uint32_t count = 0;
    std::uint64_t delivered = 0;
  };
  void cut();
  void partition();
  void clog();
  void swizzle();
  void change_link();
  void heal_all();
  void apply(const DirectedLink& link, bool cuts);
  std::uint64_t delivered(const DirectedLink& link) const;
  void check_bandwidth(const std::string& from, const std::string& to);
  void set_link(const std::string& from, const std::string& to, const LinkParameters& link);

  World& world_;
  RandomStream& random_;
  std::map<DirectedLink, Cuts> cuts_;
  std::vector<std::vector<DirectedLink>> partitions_;  // in force
  std::map<DirectedLink, Metering> metered_;
  std::vector<std::unique_ptr<Swizzle>> swizzles_;
};

// Slow, full, failing, lying, damaging disks, as the host's disk may be; and their loss.
class DiskFaults {
 public:
  DiskFaults(World& world, RandomStream& random) : world_(world), random_(random) {}
  void strike(Host& host);
  // A power loss that must leave one of the states that visit_crash_states() names. The host is left down.
  void crash_checked(Host& host);
  void lose(Host& host);
  void mend(Host& host);

 private:
  void trouble(Host& host);
  void limit_device(Host& host);
  void damage(Host& host);

  World& world_;
  RandomStream& random_;
};

// Drift, steps, slews, leap seconds, freezes and wrong battery clocks, with what each does to the readings.
class ClockFaults {
 public:
  ClockFaults(World& world, RandomStream& random) : world_(world), random_(random) {}
  void strike(Host& host);
  void mend(Host& host);

 private:
  void step(Host& host);
  void slew(Host& host);
  void leap(Host& host);
  void freeze(Host& host);
  // After `length`, realtime must have gained `expected` against true time, beside drift, if nothing else disturbed it.
  void expect_gain(Host& host, const char* what, Duration length, Duration expected);

  World& world_;
  RandomStream& random_;
};

}  // namespace polarsim::sim::exercise
