// What goes wrong: every fault that the machine offers, drawn one after the other, and in the end all mended.
#include "sim/exercise/faults.h"

#include <algorithm>

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

Time draw_end(World& world, RandomStream& random) {
  return std::min(deadline_after(world.now(), random.between(1ms, 1s)), World::faults_end);
}

namespace {

class Breaker {
 public:
  explicit Breaker(World& world)
      : world_(world),
        random_(world.simulation().random("exercise/faults")),
        network_(world, random_),
        disks_(world, random_),
        clocks_(world, random_) {
    // Each run has faults of some kinds only: rare combinations need the absence of others.
    for (bool& wanted : wanted_) wanted = random_.chance(0.6);
  }

  void run() {
    arm_points();
    for (;;) {
      world_.scheduler().sleep_for(random_.between(1ms, 100ms));
      if (world_.faults_over()) return mend();
      check_accounts(world_);
      network_.check_cuts();
      const std::uint64_t kind = random_.below(kinds);
      if (wanted_[kind]) strike(kind);
    }
  }

 private:
  static constexpr std::size_t kinds = 9;

  void strike(std::uint64_t kind) {
    Host& host = world_.simulation().host(random_.pick(world_.host_names()));
    if (kind < 3) return network_.strike();
    if (kind < 5) return disks_.strike(host);
    if (kind == 5) return clocks_.strike(host);
    if (kind == 6) return pause(host);
    if (kind == 7) return upgrade(host);
    return end_host(host);
  }

  void boot_after(Host& host, Duration pause) {
    world_.scheduler().call_at(deadline_after(world_.now(), pause), [&host] { host.boot(); });
  }

  void end_host(Host& host) {
    const Duration pause = random_.between(1ms, 500ms);
    const std::uint64_t kind = random_.below(10);
    world_.disturb(host.name());
    if (kind == 0) {
      disks_.lose(host);
    } else if (kind <= 3) {
      world_.count("stopped");
      host.stop();
    } else {
      world_.count("crashed");
      disks_.crash_checked(host);
    }
    boot_after(host, pause);
  }

  void pause(Host& host) {
    const Duration length = random_.between(1ms, 400ms);
    const bool early = random_.chance(0.3);
    const Duration until_resume = random_.between(Duration(0), length);
    if (!host.up()) return;
    world_.disturb(host.name());
    world_.count("paused");
    host.pause_for(length);
    if (early) world_.scheduler().call_at(deadline_after(world_.now(), until_resume), [&host] { host.resume(); });
  }

  void upgrade(Host& host) {
    const Duration pause = random_.between(1ms, 200ms);
    const bool at_once = random_.chance(0.7);
    world_.disturb(host.name());
    world_.install(host, std::to_string(++versions_ + 1));
    if (!at_once) return;  // whenever it boots next
    world_.count("upgraded");
    host.stop_and_restart(pause);
  }

  void arm_points() {
    for (const char* point : {"exercise/serve", "exercise/log-written", "exercise/log-synced", "exercise/checkpoint",
                              "exercise/carried"}) {
      if (!random_.chance(0.4)) continue;
      FaultAction action;
      const std::uint64_t kind = random_.below(4);
      action.kind = kind == 0   ? FaultAction::Kind::crash
                    : kind == 1 ? FaultAction::Kind::fail
                    : kind == 2 ? FaultAction::Kind::pause
                                : FaultAction::Kind::delay;
      action.delay = random_.between(Duration(1), 100ms);
      action.restart_after = random_.between(1ms, 300ms);
      const std::string host = random_.chance(0.5) ? "" : random_.pick(world_.host_names());
      const std::uint64_t occurrence = 1 + random_.below(8);
      world_.simulation().fault_points().arm(point, host, occurrence, action);
    }
  }

  void mend() {
    world_.simulation().fault_points().disarm_all();
    network_.mend();
    for (const std::string& name : world_.host_names()) {
      Host& host = world_.simulation().host(name);
      disks_.mend(host);
      clocks_.mend(host);
      host.resume();
      host.boot();
    }
    // Timers may still refer to what this object holds.
    world_.scheduler().sleep_for(2s);
  }

  World& world_;
  RandomStream& random_;
  NetworkFaults network_;
  DiskFaults disks_;
  ClockFaults clocks_;
  std::uint64_t versions_ = 0;
  bool wanted_[kinds] = {};
};

}  // namespace

void break_things(World& world) { Breaker(world).run(); }

}  // namespace polarsim::sim::exercise
