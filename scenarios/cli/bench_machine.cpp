// Fibers, scheduler and network: the simulated machine alone.
#include <fmt/format.h>

#include <boost/context/fiber.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/cli/benchmarks.h"
#include "sim/assert.h"
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

// Tasks that do nothing but let others go first: choosing, switching, and the digest's record of both.
double yield_seconds(sim::SchedulingPolicy policy) {
  constexpr std::uint64_t tasks = 16;
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

double timer_seconds() {
  constexpr std::uint64_t tasks = 16;
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

constexpr std::uint16_t port = 7;

void answer_until_closed(sim::Host& host) {
  auto listener = host.listen(port);
  POLARSIM_ASSERT(listener.has_value(), "nothing else listens on this host");
  auto connection = listener->accept();
  std::string buffer;
  while (connection) {
    buffer.clear();
    const auto count = connection->receive(buffer);
    if (!count || *count == 0 || !connection->send(buffer)) return;
  }
}

void ask(sim::Host& host, std::uint64_t questions) {
  auto connection = host.connect({"server", port});
  POLARSIM_ASSERT(connection.has_value(), "the server listens before the client boots");
  const std::string message(100, 'x');
  std::string buffer;
  for (std::uint64_t i = 0; i < questions; ++i) {
    buffer.clear();
    if (!connection->send(message) || !connection->receive(buffer)) return;
  }
  connection->close();
}

// Two hosts that send each other 100 bytes in turn; a message is one way.
double message_seconds() {
  return seconds_each([](std::uint64_t count) {
    sim::Simulation simulation(sim::SimulationOptions{});
    sim::Host& server = simulation.add_host("server");
    sim::Host& client = simulation.add_host("client");
    server.set_program(answer_until_closed);
    client.set_program([count](sim::Host& host) { ask(host, count / 2 + 1); });
    server.boot();
    simulation.run(sim::time_zero + sim::Duration(1));
    client.boot();
    simulation.run();
  });
}

}  // namespace

std::vector<Measurement> bench_fiber() {
  const double bare = bare_switch_seconds();
  const double ours = fiber_switch_seconds();
  return {{"fiber-switch", ours * 1e9, "ns", "one switch of a simulated task's fiber"},
          {"fiber-switch-bare", bare * 1e9, "ns", "one switch of Boost.Context alone, in the same process"},
          {"fiber-switch-ratio", ours / bare, "times", "the first over the second"}};
}

std::vector<Measurement> bench_scheduler() {
  return {{"scheduler-fifo", 1 / yield_seconds(sim::SchedulingPolicy::fifo), "events/s",
           "tasks resumed, 16 that yield, in order"},
          {"scheduler-random", 1 / yield_seconds(sim::SchedulingPolicy::random), "events/s",
           "tasks resumed, 16 that yield, at random"},
          {"scheduler-timers", 1 / timer_seconds(), "sleeps/s", "16 tasks that sleep: a timer and a switch each"}};
}

std::vector<Measurement> bench_network() {
  return {{"network", 1 / message_seconds(), "messages/s", "100 bytes one way between two hosts"}};
}

}  // namespace polarsim::scenarios::cli
