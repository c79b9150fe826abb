// Fibers, timers and scheduler: the simulated machine alone, each beside a baseline in the same process.
#include <boost/context/fiber.hpp>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "scenarios/cli/bench_process.h"
#include "scenarios/cli/benchmarks.h"
#include "sim/fiber.h"
#include "sim/simulation.h"
#include "sim/stack_pool.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;

// There and back is two switches.
double bare_switch_seconds() {
  namespace context = boost::context;
  bool stop = false;
  context::fiber partner([&stop](context::fiber&& caller) {
    while (!stop) caller = std::move(caller).resume();
    return std::move(caller);
  });
  const double each = seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) partner = std::move(partner).resume();
  });
  stop = true;
  partner = std::move(partner).resume();
  return each / 2;
}

struct FiberLoop {
  sim::Fiber fiber;
  bool stop = false;
};

double fiber_switch_seconds() {
  sim::StackPool pool(stack_bytes);
  FiberLoop loop;
  loop.fiber.start(
      pool.take(),
      [](void* argument) {
        auto* self = static_cast<FiberLoop*>(argument);
        while (!self->stop) self->fiber.suspend();
      },
      &loop);
  const double each = seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) loop.fiber.resume();
  });
  loop.stop = true;
  loop.fiber.resume();
  pool.give_back(loop.fiber.release_stack());
  return each / 2;
}

constexpr std::uint64_t pending_timers = 10'000;
// The next of the times at which timers are set: spread over a second, the same for both contestants.
std::int64_t spread(std::uint64_t number) { return static_cast<std::int64_t>(number * 2654435761 % 1'000'000'000); }

// Each timer that fires sets another, so that as many stay pending: one insertion and one firing a turn.
double timer_seconds() {
  struct World {
    sim::Simulation simulation{sim::SimulationOptions{}};
    std::uint64_t set = 0;
    std::uint64_t left = 0;
    void add() {
      const sim::Time when = sim::deadline_after(simulation.now(), sim::Duration(spread(++set)));
      simulation.scheduler().call_at(when, [this] {
        add();
        if (--left == 0) simulation.scheduler().stop();
      });
    }
  } world;
  for (std::uint64_t i = 0; i < pending_timers; ++i) world.add();
  return seconds_each([&world](std::uint64_t count) {
    world.left = count;
    world.simulation.run();
  });
}

double priority_queue_seconds() {
  using Entry = std::pair<std::int64_t, std::function<void()>>;
  const auto later = [](const Entry& a, const Entry& b) { return a.first > b.first; };
  std::priority_queue<Entry, std::vector<Entry>, decltype(later)> queue(later);
  std::int64_t now = 0;
  std::uint64_t set = 0;
  std::uint64_t fired = 0;
  const auto add = [&] { queue.push({now + spread(++set), [&fired] { ++fired; }}); };
  for (std::uint64_t i = 0; i < pending_timers; ++i) add();
  return seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      now = queue.top().first;
      const auto callback = queue.top().second;
      queue.pop();
      callback();
      add();
    }
  });
}

constexpr std::uint64_t tasks = 16;

// Tasks that do nothing but let others go first: choosing, switching, and the digest's record of both.
double yield_seconds(sim::SchedulingPolicy policy) {
  return seconds_each([&](std::uint64_t count) {
    sim::SimulationOptions options;
    options.scheduler.policy = policy;
    sim::Simulation simulation(options);
    for (std::uint64_t task = 0; task < tasks; ++task) {
      simulation.scheduler().spawn("yield", [&simulation, rounds = count / tasks + 1] {
        for (std::uint64_t i = 0; i < rounds; ++i) simulation.scheduler().yield();
      });
    }
    simulation.run();
  });
}

double sleep_seconds() {
  return seconds_each([&](std::uint64_t count) {
    sim::Simulation simulation(sim::SimulationOptions{});
    for (std::uint64_t task = 0; task < tasks; ++task) {
      simulation.scheduler().spawn("sleep", [&simulation, task, rounds = count / tasks + 1] {
        for (std::uint64_t i = 0; i < rounds; ++i) simulation.scheduler().sleep_for(sim::Duration(1000 + 7 * task));
      });
    }
    simulation.run();
  });
}

double bytes_of_parked_tasks(std::uint64_t count) {
  return in_own_process([count] {
    const double before = resident_bytes();
    auto* const simulation = new sim::Simulation(sim::SimulationOptions{});
    for (std::uint64_t i = 0; i < count; ++i) {
      simulation->scheduler().spawn("parked", [simulation] { simulation->scheduler().park("for ever"); });
    }
    simulation->run();
    return resident_bytes() - before;
  });
}

}  // namespace

std::vector<Measurement> bench_fiber() {
  const double bare = bare_switch_seconds();
  const double ours = fiber_switch_seconds();
  return {{"sim/fiber-switch", ours * 1e9, "ns", "one switch of a simulated task's fiber"},
          {"sim/fiber-bare", bare * 1e9, "ns", "one switch of Boost.Context alone, in the same process"},
          {"sim/fiber-ratio", ours / bare, "times", "the first over the second", "<= 1.5"}};
}

std::vector<Measurement> bench_timer() {
  const double ours = timer_seconds();
  const double baseline = priority_queue_seconds();
  return {{"sim/timer", ours * 1e9, "ns", "a timer set and fired while 10,000 are pending, digest included", "< 150"},
          {"sim/timer-baseline", baseline * 1e9, "ns", "the same in a std::priority_queue of std::function"},
          {"sim/timer-ratio", ours / baseline, "times", "the first over the second"}};
}

std::vector<Measurement> bench_scheduler() {
  const double fifo = yield_seconds(sim::SchedulingPolicy::fifo);
  const double bare = bare_switch_seconds();
  return {{"sim/scheduler-fifo", 1 / fifo, "events/s", "tasks resumed, 16 that yield, in order", ">= 3 M"},
          {"sim/scheduler-random", 1 / yield_seconds(sim::SchedulingPolicy::random), "events/s",
           "tasks resumed, 16 that yield, at random", ">= 3 M"},
          {"sim/scheduler-pct", 1 / yield_seconds(sim::SchedulingPolicy::pct), "events/s",
           "tasks resumed, 16 that yield, by priorities", ">= 3 M"},
          {"sim/scheduler-sleeps", 1 / sleep_seconds(), "sleeps/s", "16 tasks that sleep: a timer and a switch each"},
          {"sim/scheduler-ratio", fifo / (2 * bare), "times", "a fifo event over two bare switches"}};
}

std::vector<Measurement> bench_memory() {
  constexpr std::uint64_t count = 100'000;
  const double bytes = bytes_of_parked_tasks(count);
  return {{"sim/memory-fibers", bytes / (1 << 20), "MiB", "resident memory of 100,000 parked tasks", "< 2048"},
          {"sim/memory-fiber", bytes / count, "bytes", "of them each"}};
}

}  // namespace polarsim::scenarios::cli
