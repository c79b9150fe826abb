// What goes wrong: every fault that the machine offers, drawn one after the other, and in the end all mended.
#include <algorithm>

#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

class Breaker {
 public:
  explicit Breaker(World& world) : world_(world), random_(world.simulation().random("exercise/faults")) {
    // Each run has faults of some kinds only: rare combinations need the absence of others.
    for (bool& wanted : wanted_) wanted = random_.chance(0.6);
  }

  void run() {
    arm_points();
    for (;;) {
      world_.scheduler().sleep_for(random_.between(1ms, 120ms));
      if (world_.faults_over()) return mend();
      const auto kind = static_cast<std::size_t>(random_.below(kinds));
      if (wanted_[kind]) strike(kind);
    }
  }

 private:
  static constexpr std::size_t kinds = 9;

  Host& pick_host() { return world_.simulation().host(random_.pick(world_.host_names())); }
  Time draw_end() { return std::min(deadline_after(world_.now(), random_.between(1ms, 1s)), World::faults_end); }

  void strike(std::size_t kind) {
    Host& host = pick_host();
    Host& other = pick_host();
    switch (kind) {
      case 0:
        return end_host(host);
      case 1:
        return cut(host, other);
      case 2:
        return clog(host, other);
      case 3:
        return count("connections dropped", world_.simulation().network().drop_connections(host.name(), other.name()));
      case 4:
        return change_link(host, other);
      case 5:
        return trouble_disk(host);
      case 6:
        return drift(host);
      case 7:
        return step(host);
      default:
        return world_.simulation().network().heal_all();
    }
  }

  void count(const char* what, std::size_t times = 1) {
    if (times > 0) world_.count(what);
  }

  void end_host(Host& host) {
    const Duration pause = random_.between(1ms, 500ms);
    if (random_.chance(0.7)) {
      count("crashed");
      return host.crash_and_restart(pause);
    }
    count("stopped");
    host.stop();
    world_.scheduler().call_at(deadline_after(world_.now(), pause), [&host] { host.boot(); });
  }

  void cut(Host& host, Host& other) {
    Network& network = world_.simulation().network();
    const bool both = random_.chance(0.5);
    const Time end = draw_end();
    count("cut");
    network.cut(host.name(), other.name());
    if (both) network.cut(other.name(), host.name());
    world_.scheduler().call_at(end, [&network, &host, &other, both] {
      network.uncut(host.name(), other.name());
      if (both) network.uncut(other.name(), host.name());
    });
  }

  void clog(Host& host, Host& other) {
    const Time end = draw_end();
    count("clogged");
    world_.simulation().network().clog(host.name(), other.name(), end);
  }

  void change_link(Host& host, Host& other) {
    LinkParameters link;
    const Duration typical = random_.between(Duration(1), 20ms);
    link.latency = draw_latency(random_, typical);
    link.loss = random_.unit() * 0.5;
    link.bandwidth_bytes_per_s = 20'000 + random_.below(1'000'000);
    world_.simulation().network().set_link(host.name(), other.name(), link);
  }

  void trouble_disk(Host& host) {
    DiskParameters disk = host.disk().parameters();
    disk.slowdown = static_cast<double>(random_.between(1, 50));
    disk.sync_failure = random_.chance(0.5) ? random_.unit() : 0;
    host.disk().set_parameters(disk);
    const Time end = draw_end();
    world_.scheduler().call_at(end, [&host] { mend_disk(host); });
  }

  void drift(Host& host) {
    ++world_.clock_changes(host.name());
    host.clock().set_drift_ppm(world_.now(), static_cast<double>(random_.between(-300'000, 300'000)));
  }

  void step(Host& host) {
    const Duration by = random_.between(-10s, 10s);
    host.clock().step(world_.now(), by);
  }

  void arm_points() {
    for (const char* point : {"exercise/serve", "exercise/log-written", "exercise/log-synced", "exercise/checkpoint"}) {
      if (!random_.chance(0.4)) continue;
      FaultAction action;
      const std::uint64_t kind = random_.below(3);
      action.kind = kind == 0   ? FaultAction::Kind::crash
                    : kind == 1 ? FaultAction::Kind::fail
                                : FaultAction::Kind::delay;
      action.delay = random_.between(Duration(0), 100ms);
      action.restart_after = random_.between(1ms, 300ms);
      const std::string host = random_.chance(0.5) ? "" : random_.pick(world_.host_names());
      const std::uint64_t occurrence = 1 + random_.below(8);
      world_.simulation().fault_points().arm(point, host, occurrence, action);
    }
  }

  static void mend_disk(Host& host) {
    DiskParameters disk = host.disk().parameters();
    disk.slowdown = 1;
    disk.sync_failure = 0;
    host.disk().set_parameters(disk);
  }

  void mend() {
    Network& network = world_.simulation().network();
    network.heal_all();
    world_.simulation().fault_points().disarm_all();
    for (const std::string& from : world_.host_names()) {
      for (const std::string& to : world_.host_names()) network.set_link(from, to, LinkParameters{});
      Host& host = world_.simulation().host(from);
      mend_disk(host);
      drift_back(host);
      host.boot();
    }
  }

  void drift_back(Host& host) {
    ++world_.clock_changes(host.name());
    host.clock().set_drift_ppm(world_.now(), 0);
  }

  World& world_;
  RandomStream& random_;
  bool wanted_[kinds] = {};
};

}  // namespace

void break_things(World& world) { Breaker(world).run(); }

}  // namespace polarsim::sim::exercise
