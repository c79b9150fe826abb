// That a message in the steady state allocates nothing.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/allocation_counter.h"
#include "sim/sanitizer.h"
#include "sim/test_world.h"

#ifndef POLARSIM_ASAN

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;

constexpr std::uint16_t port = 7;
constexpr std::size_t message_bytes = 100;

class NetworkAllocation : public ::testing::Test {
 protected:
  NetworkAllocation() {
    LinkParameters parameters;
    parameters.loss = 0.01;
    parameters.corruption = 0.01;
    parameters.duplication = 0.01;
    parameters.reordering = 0.1;
    world.network().set_default_link(parameters);
  }
  // Runs for a while to let every buffer grow, and then counts over at least `messages` messages.
  void expect_no_allocation(std::uint64_t messages) {
    Scheduler& scheduler = world.simulation.scheduler();
    scheduler.break_at(scheduler.events() + 50'000);
    ASSERT_EQ(world.simulation.run(), RunOutcome::stopped);
    const std::uint64_t delivered = count();
    scheduler.break_at(scheduler.events() + 200'000);
    const std::uint64_t before = allocations_so_far();
    ASSERT_EQ(world.simulation.run(), RunOutcome::stopped);
    EXPECT_EQ(allocations_so_far() - before, 0u);
    EXPECT_GT(count() - delivered, messages);
    scheduler.shut_down();
  }
  std::uint64_t count() {
    const LinkStatistics total = world.network().total_statistics();
    return total.segments_delivered + total.datagrams_delivered;
  }
  static SimulationOptions options() {
    SimulationOptions options;
    options.ladder_interval = 0;  // a ladder would grow
    return options;
  }

  struct World {
    World() : simulation(options()) {
      for (const char* name : {"a", "b"}) {
        Host& host = simulation.add_host(name);
        host.set_program([](Host& self) { self.scheduler().park("idle"); });
        host.boot();
      }
    }
    Network& network() { return simulation.network(); }
    Host& host(const char* name) { return simulation.host(name); }
    Simulation simulation;
  } world;
};

TEST_F(NetworkAllocation, QuestionsAndAnswers) {
  world.host("b").spawn("serve", [this] {
    auto listener = world.host("b").listen(port);
    for (;;) {
      auto connection = std::make_shared<Connection>(std::move(*listener->accept()));
      world.host("b").spawn("answer", [connection] {
        std::string buffer;
        while (connection->receive(buffer) && connection->send(buffer)) buffer.clear();
      });
    }
  });
  for (int i = 0; i < 10; ++i) {
    world.host("a").spawn("ask", [this] {
      auto connection = world.host("a").connect({"b", port});
      ASSERT_TRUE(connection);
      const std::string message(message_bytes, 'x');
      std::string buffer;
      while (connection->send(message) && connection->receive(buffer)) buffer.clear();
    });
  }
  expect_no_allocation(90'000);
}

TEST_F(NetworkAllocation, AStreamThatIsNeverDrained) {
  world.host("b").spawn("read", [this] {
    auto listener = world.host("b").listen(port);
    auto connection = listener->accept();
    std::string buffer;
    while (connection->receive(buffer, message_bytes)) buffer.clear();
  });
  world.host("a").spawn("write", [this] {
    ConnectionOptions options;
    options.window_bytes = 40 * message_bytes;
    auto connection = world.host("a").connect({"b", port}, options);
    ASSERT_TRUE(connection);
    const std::string message(message_bytes, 'x');
    while (connection->send(message)) {
    }
  });
  expect_no_allocation(50'000);
}

TEST_F(NetworkAllocation, Datagrams) {
  auto here = *world.host("a").open_datagram();
  auto there = *world.host("b").open_datagram(port);
  world.host("b").spawn("read", [&] {
    Datagram datagram;
    while (there.receive(datagram)) {
    }
  });
  world.host("a").spawn("write", [&] {
    const std::string message(message_bytes, 'x');
    const Address to{"b", port};
    while (here.send_to(to, message)) world.simulation.scheduler().sleep_for(microseconds(20));
  });
  expect_no_allocation(40'000);
}

}  // namespace
}  // namespace polarsim::sim

#endif
