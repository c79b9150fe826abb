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

constexpr std::array<Part, 9> parts{{
    {"serve", serve_streams, 1},
    {"converse", use_streams, 4},
    {"log", write_log, 2},
    {"checkpoint", write_checkpoints, 1},
    {"scribble", scribble, 1},
    {"exclude", exclude_each_other, 1},
    {"channel", pass_values, 1},
    {"nursery", raise_children, 1},
    {"timer", keep_time, 1},
}};

SimulationOptions draw_options(std::uint64_t seed, std::uint64_t ladder_interval) {
  SimulationOptions options;
  options.seed = seed;
  options.ladder_interval = ladder_interval;
  RandomStream random("exercise/options", seed, nullptr);
  if (random.chance(0.7)) options.scheduler.policy = SchedulingPolicy::random;
  options.scheduler.stack_bytes = 64 * 1024;
  return options;
}

// What one host runs in each of its lives.
struct HostPlan {
  struct Task {
    std::string label;
    void (*program)(World&, Host&, const std::string&);
  };
  std::vector<Task> tasks;
  bool serves = false;
};

HostPlan draw_plan(RandomStream& random) {
  HostPlan plan;
  for (const Part& part : parts) {
    const bool wanted = random.chance(0.5);
    const std::int64_t copies = random.between(1, part.most_copies);
    if (!wanted) continue;
    if (part.program == serve_streams) plan.serves = true;
    for (std::int64_t i = 0; i < copies; ++i) {
      plan.tasks.push_back({std::string(part.name) + std::to_string(i), part.program});
    }
  }
  return plan;
}

void run_host(World& world, Host& host, const HostPlan& plan) {
  for (const HostPlan::Task& task : plan.tasks) {
    host.spawn(task.label, [&world, &host, &task] {
      if (task.program == serve_streams) return serve_streams(world, host, task.label);
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
    host_names_.push_back("h" + std::to_string(i));
    Host& host = simulation_.add_host(host_names_.back());
    HostPlan plan = draw_plan(random);
    if (plan.serves) servers_.push_back(host.name());
    host.set_program([this, plan = std::move(plan)](Host& self) { run_host(*this, self, plan); });
    DiskParameters disk;
    disk.read_latency = draw_latency(random, 100us);
    disk.write_latency = draw_latency(random, 50us);
    disk.sync_latency = draw_latency(random, 1ms);
    if (random.chance(0.2)) disk.capacity_bytes = random.below(200'000);
    host.disk().set_parameters(disk);
    host.clock().set_drift_ppm(now(), static_cast<double>(random.between(-200, 200)));
  }
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
      simulation_.network().set_link(from, to, link);
    }
  }
}

// When everything is mended and every timeout over, whoever serves must answer everybody.
void World::check_liveness() {
  for (const std::string& client : host_names_) {
    simulation_.host(client).spawn("probe", [this, client] {
      for (const std::string& server : servers_) {
        const bool came_back = converse_once(*this, simulation_.host(client), server);
        require(came_back, "liveness", [&] { return client + " got no whole answer from " + server; });
        ++answered_;
      }
    });
  }
}

void World::run() {
  for (const std::string& name : host_names_) simulation_.host(name).boot();
  scheduler().spawn("faults", [this] { break_things(*this); });
  scheduler().call_at(probe_at, [this] { check_liveness(); });
  simulation_.run(run_end);
  const std::size_t expected = host_names_.size() * servers_.size();
  require(answered_ == expected, "liveness",
          [&] { return std::to_string(answered_) + " of " + std::to_string(expected) + " probes had ended"; });
  // A task that waits for what never comes (a lost wake-up, a lock that nobody holds) is still there.
  require(unfinished_ == 0, "liveness", [&] {
    std::string waiting;
    for (const auto& task : scheduler().parked_tasks()) {
      waiting += "; " + task.group + " " + task.name + " waits for " + task.reason;
    }
    return std::to_string(unfinished_) + " programs have not ended" + waiting;
  });
}

}  // namespace polarsim::sim::exercise
