#include "sim/exercise/world.h"

#include <array>

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

struct Part {
  const char* name;
  void (*program)(World&, Host&, const std::string&);
  std::int64_t most_copies;  // on one host
};

constexpr std::array<Part, 14> parts{{
    {"serve", serve_streams, 1},
    {"converse", use_streams, 4},
    {"letterbox", receive_letters, 1},
    {"post", send_letters, 2},
    {"log", write_log, 2},
    {"checkpoint", write_checkpoints, 1},
    {"carry", carry_file, 1},
    {"scribble", scribble, 1},
    {"exclude", exclude_each_other, 1},
    {"permits", share_permits, 1},
    {"promises", keep_promises, 1},
    {"channel", pass_values, 1},
    {"nursery", raise_children, 1},
    {"timer", keep_time, 1},
}};

SimulationOptions draw_options(std::uint64_t seed, std::uint64_t ladder_interval) {
  SimulationOptions options;
  options.seed = seed;
  options.ladder_interval = ladder_interval;
  RandomStream random("exercise/options", seed, nullptr);
  options.scheduler.policy = static_cast<SchedulingPolicy>(random.below(3));
  options.scheduler.pct_depth = static_cast<std::uint32_t>(random.between(1, 5));
  options.scheduler.pct_steps = static_cast<std::uint64_t>(random.between(100, 20'000));
  options.scheduler.stack_bytes = 64 * 1024;
  return options;
}

bool ends_by_itself(const HostPlan::Task& task) {
  return task.program != serve_streams && task.program != receive_letters;
}

HostPlan draw_plan(RandomStream& random) {
  HostPlan plan;
  for (const Part& part : parts) {
    const bool wanted = random.chance(0.4);
    const std::int64_t copies = random.between(1, part.most_copies);
    if (!wanted) continue;
    for (std::int64_t i = 0; i < copies; ++i) {
      plan.tasks.push_back({std::string(part.name) + std::to_string(i), part.program});
    }
  }
  return plan;
}

void check_boot(World& world, Host& host, const std::string& version) {
  const HostRecord& record = world.record(host.name());
  world.require(host.version() == version && record.version == version, "version", [&] {
    return host.name() + " runs " + version + ", says " + host.version() + ", was given " + record.version;
  });
  // Time may have passed if the host was paused as soon as it booted.
  const HostClock& clock = host.clock();
  if (!record.boot_offset || record.clock_struck_at == world.now() || clock.frozen() || clock.monotonic(world.now()) > Duration(0)) return;
  world.count("booted with a wrong clock");
  world.require(clock.realtime_error(world.now()) == *record.boot_offset, "boot-offset", [&] {
    return host.name() + " is " + std::to_string(clock.realtime_error(world.now()).count()) + " ns off, and should be " +
           std::to_string(record.boot_offset->count());
  });
}

void run_host(World& world, Host& host, const HostPlan& plan, const std::string& version) {
  check_boot(world, host, version);
  for (const HostPlan::Task& task : plan.tasks) {
    host.spawn(task.label, [&world, &host, &task] {
      if (!ends_by_itself(task)) return task.program(world, host, task.label);
      const Presence presence(world.unfinished());
      task.program(world, host, task.label);
    });
  }
  RandomStream& random = host.random("life");
  if (world.faults_over() || !random.chance(0.2)) {
    host.scheduler().park("the host's life");
    return;
  }
  // Some lives end by themselves: a clean stop, and somebody starts the program again.
  host.sleep_for(random.between(10ms, 1500ms));
  const Time again = deadline_after(world.now(), random.between(1ms, 500ms));
  host.scheduler().call_at(again, [&host] { host.boot(); });
  world.count("program ended");
}

DiskNature draw_nature(RandomStream& random) {
  const std::uint64_t drawn = random.below(10);
  return drawn < 5 ? DiskNature::honest : drawn < 7 ? DiskNature::liar : DiskNature::damaging;
}

}  // namespace

DurationDistribution draw_latency(RandomStream& random, Duration typical) {
  const Duration low = random.between(Duration(1), typical);
  const Duration high = low + random.between(Duration(1), typical);
  const Duration tail = high + random.between(Duration(1), 20 * typical);
  switch (random.below(6)) {
    case 0:
      return DurationDistribution::constant(low);
    case 1:
      return DurationDistribution::uniform(low, high);
    case 2:
      return DurationDistribution::exponential(low, high);
    case 3:
      return DurationDistribution::long_tail(low, high, tail, 10);
    case 4:
      return DurationDistribution::log_normal(low, high, tail);
    default:
      return DurationDistribution::constant(Duration(0));
  }
}

World::World(std::uint64_t seed, std::uint64_t ladder_interval) : simulation_(draw_options(seed, ladder_interval)) {
  add_hosts();
  draw_links();
}

void World::add_hosts() {
  RandomStream& random = simulation_.random("exercise/plan");
  const std::int64_t count = random.between(1, 6);
  for (std::int64_t i = 0; i < count; ++i) {
    std::string name = "h";
    name += std::to_string(i);
    host_names_.push_back(name);
    Host& host = simulation_.add_host(name);
    plans_[name] = std::make_unique<HostPlan>(draw_plan(random));
    for (const HostPlan::Task& task : plans_[name]->tasks) {
      if (task.program == serve_streams) servers_.push_back(name);
      if (task.program == receive_letters) letterboxes_.push_back(name);
    }
    install(host, "1");
    DiskParameters disk;
    disk.read_latency = draw_latency(random, 100us);
    disk.write_latency = draw_latency(random, 50us);
    disk.sync_latency = draw_latency(random, 1ms);
    if (random.chance(0.2)) disk.capacity_bytes = random.below(200'000);
    disk.unordered_names = random.chance(0.4);
    host.disk().set_parameters(disk);
    record(name).disk = draw_nature(random);
    host.clock().set_drift_ppm(now(), static_cast<double>(random.between(-200, 200)));
  }
}

void World::install(Host& host, const std::string& version) {
  record(host.name()).version = version;
  const HostPlan* const plan = plans_.at(host.name()).get();
  host.set_program([this, plan, version](Host& self) { run_host(*this, self, *plan, version); }, version);
}

void World::forget_disk(const std::string& host) {
  for (auto& [place, durable] : durable_) {
    if (place.first == host) durable = {};
  }
}

std::uint64_t World::disturbances(const std::string& host) {
  return record(host).disturbances + simulation_.fault_points().taken();
}

void World::check_running(Host& host) {
  require(host.up() && !host.paused(), "pause", [&] { return "a task of " + host.name() + " runs"; });
  HostRecord& known = record(host.name());
  const Duration monotonic = host.clock().monotonic(now());
  require(known.incarnation != host.incarnation() || monotonic >= known.monotonic, "monotonic",
          [&] { return host.name() + " went back to " + std::to_string(monotonic.count()) + " ns"; });
  known.incarnation = host.incarnation();
  known.monotonic = monotonic;
}

void World::draw_links() {
  RandomStream& random = simulation_.random("exercise/links");
  for (const std::string& from : host_names_) {
    for (const std::string& to : host_names_) {
      if (!random.chance(0.5)) continue;
      LinkParameters link;
      link.latency = draw_latency(random, 1ms);
      link.bandwidth_bytes_per_s = random.chance(0.3) ? 0 : 200'000 + random.below(10'000'000);
      if (random.chance(0.3)) link.loss = random.unit() * 0.3;
      link.retransmission_timeout = random.between(1ms, 300ms);
      if (random.chance(0.3)) link.datagram_queue_limit = random.between(Duration(0), 20ms);
      if (random.chance(0.3)) link.duplication = random.unit() * 0.3;
      if (random.chance(0.3)) {
        link.reordering = random.unit() * 0.5;
        link.reordering_delay = random.between(Duration(0), 50ms);
      }
      set_link(from, to, link);
    }
  }
}

void World::set_link(const std::string& from, const std::string& to, const LinkParameters& link) {
  LinkFaults& faults = link_faults_[{from, to}];
  faults.loses |= link.loss > 0;
  faults.damages |= link.corruption > 0;
  faults.damages_unseen |= link.corruption > 0 && link.undetected_corruption > 0;
  faults.doubles |= link.duplication > 0;
  faults.reorders |= link.reordering > 0;
  simulation_.network().set_link(from, to, link);
}

// When everything is mended and every timeout over, whoever serves must answer everybody.
void World::probe(const std::string& client) {
  Host& host = simulation_.host(client);
  for (const std::string& server : servers_) {
    bool came_back = false;
    // A full backlog may refuse some of those who all come at once.
    for (int attempt = 0; attempt < 100 && !came_back; ++attempt) {
      if (attempt > 0) host.sleep_for(50ms);
      came_back = converse_once(*this, host, server);
    }
    require(came_back, "liveness", [&] { return client + " got no whole answer from " + server; });
  }
  for (const std::string& server : letterboxes_) post_once(*this, host, server);
}

bool World::run_until(std::span<const TaskRef> tasks, Time limit, const char* goal) {
  const GoalOutcome outcome = scheduler().run_until(tasks, limit);
  if (simulation_.violation()) return false;
  require(outcome == GoalOutcome::finished, "liveness", [&] {
    const char* const how = outcome == GoalOutcome::deadlock ? " would never come\n" : " did not come in time\n";
    return goal + std::string(how) + scheduler().stall_report(20);
  });
  return outcome == GoalOutcome::finished;
}

void World::run() {
  for (const std::string& name : host_names_) simulation_.host(name).boot();
  const TaskRef faults = scheduler().spawn("faults", [this] { break_things(*this); });
  if (!run_until({&faults, 1}, faults_end + 10s, "the end of the faults")) return;
  scheduler().call_at(probe_at, [] {});  // time goes on to then, even if nothing else happens
  simulation_.run(probe_at);
  if (simulation_.violation()) return;
  std::vector<TaskRef> probes;
  for (const std::string& name : host_names_) {
    probes.push_back(simulation_.host(name).spawn("probe", [this, name] { probe(name); }));
  }
  if (!run_until(probes, run_end, "the end of all probes")) return;
  // A task that waits for what never comes (a lost wake-up, a lock that nobody holds) is still there.
  require(unfinished_ == 0, "liveness",
          [&] { return std::to_string(unfinished_) + " programs have not ended\n" + scheduler().stall_report(20); });
  if (!simulation_.violation()) shut_down();
}

// When every host has stopped, nothing goes on for ever: no task, no timer, no connection, nothing on the wire.
void World::shut_down() {
  for (const std::string& name : host_names_) simulation_.host(name).stop();
  const RunOutcome outcome = simulation_.run(run_end + 100s);
  check_accounts(*this);
  const LinkStatistics total = simulation_.network().total_statistics();
  const bool quiet = outcome == RunOutcome::idle && scheduler().live_tasks() == 0 && scheduler().pending_timers() == 0 &&
                     simulation_.network().live_endpoints() == 0 && total.segments_in_flight == 0 &&
                     total.datagrams_in_flight == 0;
  require(quiet, "leftovers", [&] {
    return std::to_string(scheduler().live_tasks()) + " tasks, " + std::to_string(scheduler().pending_timers()) +
           " timers, " + std::to_string(simulation_.network().live_endpoints()) + " endpoints, " +
           std::to_string(total.segments_in_flight) + " segments, " + std::to_string(total.datagrams_in_flight) +
           " datagrams are left";
  });
  if (!simulation_.violation()) check_deadlock(*this);
}

}  // namespace polarsim::sim::exercise
