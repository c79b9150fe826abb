// The backlog of listeners, and handshakes that meet a host at the wrong moment.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 5432;

class NetworkListenerTest : public ::testing::Test {
 protected:
  NetworkListenerTest() {
    LinkParameters parameters;
    parameters.latency = DurationDistribution::constant(milliseconds(1));
    parameters.bandwidth_bytes_per_s = 0;
    network().set_default_link(parameters);
  }
  Network& network() { return world.network(); }
  Duration now() const { return world.now() - time_zero; }
  void at(Duration when, std::function<void()> action) {
    world.simulation.scheduler().call_at(time_zero + when, std::move(action));
  }
  // `count` clients that connect at once and stay; outcomes in order of their coming.
  void connect_many(int count, ConnectionOptions options = {}) {
    for (int i = 0; i < count; ++i) {
      world.spawn("a", [this, options] {
        auto connection = world.host("a").connect({"b", port}, options);
        outcomes.push_back(connection ? "connected" : to_string(connection.error()));
        if (connection) kept.push_back(std::make_unique<Connection>(std::move(*connection)));
      });
    }
  }

  TestWorld world{"a", "b"};
  std::vector<std::string> outcomes;
  std::vector<std::unique_ptr<Connection>> kept;
};

TEST_F(NetworkListenerTest, AFullBacklogDropsTheHandshakeWhichIsTriedAgain) {
  ListenOptions options;
  options.backlog = 2;
  auto listener = *world.host("b").listen(port, options);
  connect_many(3);
  std::vector<Connection> accepted;
  at(milliseconds(50), [&] {
    EXPECT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(listener.statistics().waiting, 2u);
    EXPECT_EQ(listener.statistics().overflowed, 1u);
    world.spawn("b", [&] { accepted.push_back(std::move(*listener.accept())); });
  });
  world.run();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"connected", "connected", "connected"}));
  // The first repetition of the SYN comes one retransmission timeout after the first attempt.
  EXPECT_EQ(listener.statistics().arrived, 3u);
  EXPECT_EQ(listener.statistics().overflowed, 1u);
  EXPECT_EQ(listener.statistics().waiting, 2u);
  EXPECT_EQ(listener.statistics().waiting_max, 2u);
}

TEST_F(NetworkListenerTest, AFullBacklogTimesTheClientOut) {
  ListenOptions options;
  options.backlog = 1;
  auto listener = *world.host("b").listen(port, options);
  connect_many(2);
  Duration end{0};
  world.spawn("a", [&] {
    world.sleep(seconds(6));
    end = now();
  });
  world.run();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"connected", "connection timed out"}));
  EXPECT_GT(listener.statistics().overflowed, 2u);
}

TEST_F(NetworkListenerTest, AFullBacklogRefusesIfToldTo) {
  ListenOptions options;
  options.backlog = 1;
  options.reset_on_overflow = true;
  auto listener = *world.host("b").listen(port, options);
  connect_many(2);
  world.spawn("a", [&] {
    world.sleep(milliseconds(3));
    EXPECT_EQ(outcomes, (std::vector<std::string>{"connected", "connection refused"}));
  });
  world.run();
  EXPECT_EQ(listener.statistics().overflowed, 1u);
}

TEST_F(NetworkListenerTest, TheBacklogIsThatOfLinuxUnlessSaidOtherwise) {
  EXPECT_EQ(ListenOptions{}.backlog, 4096u);
  auto listener = *world.host("b").listen(port);
  connect_many(200);
  world.run();
  EXPECT_EQ(listener.statistics().arrived, 200u);
  EXPECT_EQ(listener.statistics().overflowed, 0u);
}

TEST_F(NetworkListenerTest, AServerThatCrashesBeforeTheHandshakeArrivesIsSilent) {
  auto listener = *world.host("b").listen(port);
  at(microseconds(500), [&] { world.host("b").crash(); });
  connect_many(1);
  world.run();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"connection timed out"}));
  EXPECT_EQ(now(), seconds(5));
}

TEST_F(NetworkListenerTest, AServerThatCrashesMidHandshakeLeavesTheClientHalfOpen) {
  auto listener = *world.host("b").listen(port);
  // The SYN-ACK is on the wire.
  at(microseconds(1500), [&] { world.host("b").crash(); });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port});
    ASSERT_TRUE(connection);
    EXPECT_EQ(now(), milliseconds(2));
    EXPECT_TRUE(connection->send("into the void"));
    std::string bytes;
    EXPECT_EQ(connection->receive(bytes).error(), NetError::timed_out);
    EXPECT_EQ(now(), milliseconds(2) + seconds(10));
  });
  world.run();
}

TEST_F(NetworkListenerTest, AHalfOpenClientHearsOfTheRebootByReset) {
  auto listener = *world.host("b").listen(port);
  at(microseconds(1500), [&] { world.host("b").crash_and_restart(milliseconds(100)); });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port});
    ASSERT_TRUE(connection);
    std::string bytes;
    // It only waits: its keepalive probe is what the rebooted host answers.
    EXPECT_EQ(connection->receive(bytes).error(), NetError::reset);
    EXPECT_GT(now(), seconds(5));
    EXPECT_LT(now(), seconds(6));
  });
  world.run();
}

TEST_F(NetworkListenerTest, AClientThatCrashesMidHandshakeLeavesADeadConnectionInTheBacklog) {
  auto listener = *world.host("b").listen(port);
  at(microseconds(1500), [&] { world.host("a").crash_and_restart(milliseconds(100)); });
  connect_many(1);
  std::string outcome;
  world.spawn("b", [&] {
    world.sleep(seconds(1));
    auto connection = listener.accept(world.now() + seconds(1));
    ASSERT_TRUE(connection) << "its SYN had arrived";
    std::string bytes;
    const auto result = connection->receive(bytes);
    outcome = result ? "data" : to_string(result.error());
  });
  world.run();
  EXPECT_EQ(outcome, "connection reset by peer");
  EXPECT_TRUE(outcomes.empty());
}

TEST_F(NetworkListenerTest, BothEndsMayCloseAtOnce) {
  auto listener = *world.host("b").listen(port);
  ConnectionOptions options;
  options.keepalive_after = Duration::max();
  bool server_done = false;
  world.spawn("b", [&] {
    auto connection = listener.accept();
    world.simulation.scheduler().sleep_until(time_zero + milliseconds(10));
    connection->close();
    server_done = true;
  });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port}, options);
    world.simulation.scheduler().sleep_until(time_zero + milliseconds(10));
    connection->close();
  });
  world.run();
  EXPECT_TRUE(server_done);
  EXPECT_EQ(now(), milliseconds(11)) << "the FINs cross, and nothing is left to happen";
  EXPECT_EQ(network().statistics("a", "b").segments_sent, 2u);
  EXPECT_EQ(network().statistics("b", "a").segments_sent, 2u);
  EXPECT_EQ(network().total_statistics().segments_in_flight, 0u);
}

TEST_F(NetworkListenerTest, BothEndsMayShutDownAndReadOn) {
  auto listener = *world.host("b").listen(port);
  const auto talk = [&](Connection& connection, const std::string& own, const std::string& other) {
    EXPECT_TRUE(connection.send(own));
    connection.shutdown_send();
    connection.shutdown_send();
    EXPECT_EQ(connection.send("more").error(), NetError::closed);
    std::string bytes;
    while (connection.receive(bytes).value_or(0) > 0) {
    }
    EXPECT_EQ(bytes, other);
    EXPECT_TRUE(connection.open());
  };
  world.spawn("b", [&] {
    auto connection = listener.accept();
    talk(*connection, "server", "client");
  });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port});
    talk(*connection, "client", "server");
  });
  world.run();
  EXPECT_EQ(network().total_statistics().segments_in_flight, 0u);
}

TEST_F(NetworkListenerTest, AStoppedReaderHoldsTheSenderAtExactlyOneWindow) {
  auto listener = *world.host("b").listen(port);
  ConnectionOptions options;
  options.window_bytes = 4096;
  std::uint64_t sent = 0;
  world.spawn("b", [&] {
    auto connection = listener.accept();
    world.sleep(seconds(60));
    EXPECT_EQ(sent, 4096u) << "the peer lives and answers probes, but has not read";
    std::string bytes;
    while (connection->receive(bytes).value_or(0) > 0) {
    }
    EXPECT_EQ(bytes.size(), 3u * 4096);
  });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port}, options);
    for (int i = 0; i < 3 * 64; ++i) {
      ASSERT_TRUE(connection->send(std::string(64, 'x')));
      sent += 64;
    }
    EXPECT_GE(now(), seconds(60));
  });
  world.run();
  EXPECT_EQ(sent, 3u * 4096);
}

}  // namespace
}  // namespace polarsim::sim
