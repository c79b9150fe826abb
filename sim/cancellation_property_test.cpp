// Random trees of tasks that block, wait, throw, cancel and crash each other at random: whatever happens, every stack
// must be unwound, every mutex released, and the same seed must give the same run.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/simulation.h"
#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;

struct World {
  explicit World(const SimulationOptions& options)
      : simulation(options), mutex(simulation.scheduler()), permits(simulation.scheduler(), 2) {}

  Simulation simulation;
  Mutex mutex;
  Semaphore permits;
  std::vector<TaskRef> tasks;  // of all hosts, to cancel at random
  int guards = 0;              // alive
  int depth_limit = 4;
};

// Counts itself, and does what destructors may do: notify, block, drain, ask for a crash.
class Guard {
 public:
  Guard(World& world, Host& host) : world_(world), host_(host) { ++world_.guards; }
  ~Guard() {
    --world_.guards;
    Scheduler& scheduler = world_.simulation.scheduler();
    if (!scheduler.unwinding()) return;
    world_.mutex.lock();
    world_.mutex.unlock();
    host_.spawn("from a destructor", [] {});
    Nursery nursery(scheduler, "in a destructor");
    nursery.spawn("child", [&scheduler] { scheduler.park("forever"); });
    RandomStream& stream = host_.random("destructor");
    if (stream.chance(0.05)) host_.crash_and_restart(milliseconds(3));
    host_.fault_point("destructor");
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  World& world_;
  Host& host_;
};

void live(World& world, Host& host, int depth);

// Children that are cancelled at a deadline, or because one of them fails, while they hold or wait for permits.
void scope(World& world, RandomStream& stream) {
  Scheduler& scheduler = world.simulation.scheduler();
  const Time deadline = deadline_after(scheduler.now(), milliseconds(1));
  const bool fails = stream.chance(0.3);
  Nursery nursery(scheduler, "scope", {.deadline = deadline, .cancel_on_failure = true});
  for (int i = 0; i < 3; ++i) {
    nursery.spawn("holder", [&world, &scheduler, i] {
      const SemaphoreGuard permit(world.permits, "permit");
      scheduler.sleep_for(milliseconds(i));
    });
  }
  if (fails) nursery.spawn("failing", [] { throw std::runtime_error("in a scope"); });
  try {
    nursery.wait();
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(fails);
  }
}

void step(World& world, Host& host, Nursery& nursery, int depth) {
  Scheduler& scheduler = world.simulation.scheduler();
  RandomStream& stream = host.random("step");
  switch (stream.below(13)) {
    case 0:
    case 1:
      if (depth >= world.depth_limit) break;
      world.tasks.push_back(nursery.spawn("child", [&world, &host, depth] { live(world, host, depth + 1); }));
      break;
    case 2:
      host.sleep_for(Duration(static_cast<std::int64_t>(stream.below(3'000'000))));
      break;
    case 3:
      scheduler.yield();
      break;
    case 4: {
      const std::lock_guard lock(world.mutex);
      host.sleep_for(milliseconds(1));
      break;
    }
    case 5:
      if (!world.tasks.empty() && stream.chance(0.5)) {
        const TaskRef victim = stream.pick(world.tasks);
        scheduler.cancel(victim);
      }
      break;
    case 6:
      try {
        const Guard guard(world, host);
        throw std::runtime_error("ordinary");
      } catch (const std::runtime_error&) {
        scheduler.sleep_for(milliseconds(1));
      }
      break;
    case 7:
      if (depth < world.depth_limit) {
        Nursery inner(scheduler, "inner");
        inner.spawn("inner child", [&world, &host, depth] { live(world, host, depth + 1); });
        if (stream.chance(0.5)) inner.wait();
      }
      break;
    case 8:
      scheduler.on_scheduler_stack([&world] { world.simulation.digest().absorb(DigestKind::user, 1, 2); });
      break;
    case 9:
      if (stream.chance(0.05)) host.crash_and_restart(milliseconds(2));
      break;
    case 10:
      if (stream.chance(0.03)) host.stop();
      break;
    case 11:
      scope(world, stream);
      break;
    default: {
      const std::size_t other = stream.below(world.simulation.hosts().size());
      if (stream.chance(0.03)) world.simulation.hosts()[other]->crash_and_restart(milliseconds(1));
      break;
    }
  }
}

void live(World& world, Host& host, int depth) {
  const Guard guard(world, host);
  Nursery nursery(world.simulation.scheduler(), "nursery");
  for (int i = 0; i < 8; ++i) step(world, host, nursery, depth);
  nursery.wait();
}

struct Result {
  Digest128 digest;
  std::uint64_t events;
};

Result run_world(std::uint64_t seed, SchedulingPolicy policy) {
  SimulationOptions options;
  options.seed = seed;
  options.scheduler = {policy, 64 * 1024};
  World world(options);
  for (const std::string name : {"a", "b", "c"}) {
    Host& host = world.simulation.add_host(name);
    host.set_program([&world](Host& self) { live(world, self, 0); });
    host.boot();
  }
  for (int i = 1; i <= 20; ++i) {
    world.simulation.run(Time(milliseconds(5 * i)));
    for (const auto& host : world.simulation.hosts()) host->boot();
  }
  for (const auto& host : world.simulation.hosts()) host->crash();
  EXPECT_EQ(world.simulation.scheduler().live_tasks(), 0u);
  EXPECT_EQ(world.guards, 0);
  EXPECT_FALSE(world.mutex.held());
  EXPECT_EQ(world.permits.available(), 2u);
  return {world.simulation.digest().value(), world.simulation.scheduler().events()};
}

RC_GTEST_PROP(CancellationProperty, EveryStackIsUnwoundWhateverDies, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto policy = *rc::gen::element(SchedulingPolicy::fifo, SchedulingPolicy::random, SchedulingPolicy::pct);
  const Result first = run_world(seed, policy);
  const Result second = run_world(seed, policy);
  RC_ASSERT(first.events > 30u);
  RC_ASSERT(first.digest == second.digest);
  RC_ASSERT(!::testing::Test::HasFailure());
}

}  // namespace
}  // namespace polarsim::sim
