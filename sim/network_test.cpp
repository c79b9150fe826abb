#include "sim/network.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 5432;

LinkParameters constant_link(Duration latency, std::uint64_t bandwidth = 0) {
  LinkParameters parameters;
  parameters.latency = DurationDistribution::constant(latency);
  parameters.bandwidth_bytes_per_s = bandwidth;
  return parameters;
}

// Two hosts, 1 ms apart, with an established connection between them whose ends the tests take.
class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() { world.network().set_default_link(constant_link(milliseconds(1))); }

  // Runs `server` on b and `client` on a, each with its end of one connection.
  void converse(std::function<void(Connection&)> client, std::function<void(Connection&)> server,
                ConnectionOptions options = {}) {
    bool ended = false;
    world.spawn("b", [this, server] {
      auto listener = world.host("b").listen(port);
      ASSERT_TRUE(listener);
      auto connection = listener->accept();
      if (!connection) return;
      server(*connection);
    });
    world.spawn("a", [this, client, options, &ended] {
      auto connection = world.host("a").connect({"b", port}, options);
      ASSERT_TRUE(connection) << to_string(connection.error());
      client(*connection);
      ended = true;
    });
    world.run();
    EXPECT_TRUE(ended) << "the client hangs";
  }

  // What one receive() says, as text: the bytes, "end", or the error.
  static std::string receive(Connection& connection, std::size_t limit = 64 * 1024, Time deadline = never) {
    std::string bytes;
    const auto result = connection.receive(bytes, limit, deadline);
    if (!result) return std::string("error: ") + to_string(result.error());
    return *result == 0 ? "end" : bytes;
  }
  static std::string receive_all(Connection& connection) {
    std::string bytes;
    for (;;) {
      const auto result = connection.receive(bytes);
      if (!result) return bytes + " error: " + to_string(result.error());
      if (*result == 0) return bytes;
    }
  }
  static std::string send(Connection& connection, std::string_view bytes) {
    const auto result = connection.send(bytes);
    return result ? "ok" : to_string(result.error());
  }
  void sleep_until(Duration since_start) { world.simulation.scheduler().sleep_until(time_zero + since_start); }
  Duration now() const { return world.now() - time_zero; }

  TestWorld world{"a", "b", "c"};
};

TEST_F(NetworkTest, HandshakeTakesARoundTripAndDataOneWay) {
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(now(), milliseconds(2));
        EXPECT_EQ(connection.remote(), (Address{"b", port}));
        EXPECT_EQ(connection.local().host, "a");
        EXPECT_TRUE(connection.open());
        EXPECT_EQ(send(connection, "hello"), "ok");
        EXPECT_EQ(receive(connection), "world");
        EXPECT_EQ(now(), milliseconds(4));
      },
      [&](Connection& connection) {
        EXPECT_EQ(now(), milliseconds(1));
        EXPECT_EQ(connection.local(), (Address{"b", port}));
        EXPECT_EQ(receive(connection), "hello");
        EXPECT_EQ(now(), milliseconds(3));
        send(connection, "world");
        EXPECT_EQ(receive(connection), "end");
      });
}

TEST_F(NetworkTest, BandwidthDelaysALargeSegment) {
  world.network().set_link("a", "b", constant_link(milliseconds(1), 1'000'000));
  converse([&](Connection& connection) { send(connection, std::string(10'000, 'x')); },
           [&](Connection& connection) {
             EXPECT_EQ(receive(connection).size(), 10'000u);
             EXPECT_EQ(now(), milliseconds(2 + 1 + 10));
           });
}

TEST_F(NetworkTest, AHostReachesItselfInFiftyMicroseconds) {
  world.spawn("a", [this] {
    auto listener = world.host("a").listen(port);
    world.spawn("a", [this] {
      auto client = world.host("a").connect({"a", port});
      ASSERT_TRUE(client);
      EXPECT_EQ(now(), microseconds(100));
      send(*client, "self");
    });
    auto server = listener->accept();
    ASSERT_TRUE(server);
    EXPECT_EQ(receive(*server), "self");
    EXPECT_EQ(now(), microseconds(150));
  });
  world.run();
  EXPECT_EQ(world.network().link("a", "a").latency.low, microseconds(50));
  EXPECT_EQ(world.network().link("b", "b").latency.low, microseconds(50));
  EXPECT_EQ(world.network().link("a", "b").latency.low, milliseconds(1));
}

TEST_F(NetworkTest, ASecondListenerOfAPortIsRefusedUntilTheFirstIsClosed) {
  world.spawn("a", [this] {
    auto first = world.host("a").listen(port);
    EXPECT_EQ(first->port(), port);
    EXPECT_EQ(world.host("a").listen(port).error(), NetError::refused);
    EXPECT_TRUE(world.host("a").listen(port + 1));
    first->close();
    EXPECT_TRUE(world.host("a").listen(port));
    EXPECT_EQ(first->accept().error(), NetError::closed);
  });
  world.run();
}

TEST_F(NetworkTest, ConnectWithoutAListenerIsRefusedAfterARoundTrip) {
  world.spawn("a", [this] {
    EXPECT_EQ(world.host("a").connect({"b", port}).error(), NetError::refused);
    EXPECT_EQ(now(), milliseconds(2));
    EXPECT_EQ(world.host("a").connect({"nowhere", port}).error(), NetError::refused);
    EXPECT_EQ(now(), milliseconds(2));
  });
  world.run();
}

TEST_F(NetworkTest, AConnectThatIsCancelledOnceEstablishedClosesTheConnection) {
  std::string seen;
  world.spawn("b", [&] {
    auto listener = world.host("b").listen(port);
    auto connection = listener->accept();
    ASSERT_TRUE(connection);
    seen = receive(*connection, 1, time_zero + milliseconds(10));
  });
  bool connected = false;
  const TaskRef client = world.host("a").spawn("client", [&] {
    const auto connection = world.host("a").connect({"b", port});
    connected = connection.has_value();
  });
  // The SYN-ACK arrives while the client's host is paused: the call could return, but does not before it is cancelled.
  Scheduler& scheduler = world.simulation.scheduler();
  scheduler.call_at(time_zero + microseconds(1500), [&] { world.host("a").pause(); });
  scheduler.call_at(time_zero + milliseconds(3), [&] { scheduler.cancel(client); });
  scheduler.call_at(time_zero + milliseconds(4), [&] { world.host("a").resume(); });
  world.run();
  EXPECT_FALSE(connected);
  EXPECT_EQ(seen, "end");
  EXPECT_EQ(world.network().live_endpoints(), 0u);
}

TEST_F(NetworkTest, ConnectToADownHostOrOverACutLinkIsSilent) {
  world.host("b").crash();
  world.network().cut("c", "a");
  world.spawn("a", [this] {
    ConnectionOptions options;
    options.connect_timeout = seconds(3);
    EXPECT_EQ(world.host("a").connect({"b", port}, options).error(), NetError::timed_out);
    EXPECT_EQ(now(), seconds(3));
    // The RST of c cannot come back.
    EXPECT_EQ(world.host("a").connect({"c", port}, options).error(), NetError::timed_out);
    EXPECT_EQ(now(), seconds(6));
  });
  world.run();
  EXPECT_EQ(now(), seconds(6)) << "an abandoned attempt must leave nothing behind";
}

TEST_F(NetworkTest, ConnectReachesAHostThatBootsInTime) {
  world.host("b").crash();
  world.host("b").set_program([](Host& self) {
    auto listener = self.listen(port);
    auto connection = listener->accept();
    self.scheduler().park("serve");
  });
  world.spawn("a", [this] {
    auto connection = world.host("a").connect({"b", port});
    EXPECT_TRUE(connection);
    EXPECT_GT(now(), seconds(1));
    EXPECT_LT(now(), seconds(3));
  });
  world.simulation.scheduler().call_at(time_zero + seconds(1), [this] { world.host("b").boot(); });
  world.run();
}

TEST_F(NetworkTest, AcceptAndReceiveKeepTheirDeadlines) {
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection, 100, time_zero + milliseconds(50)), "error: connection timed out");
        EXPECT_EQ(now(), milliseconds(50));
        EXPECT_TRUE(connection.open());
        EXPECT_EQ(receive(connection), "late");
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(60));
        send(connection, "late");
        auto other = world.host("b").listen(port + 1);
        EXPECT_EQ(other->accept(time_zero + milliseconds(70)).error(), NetError::timed_out);
        EXPECT_EQ(now(), milliseconds(70));
      });
}

TEST_F(NetworkTest, ReceiveTakesAtMostItsLimit) {
  converse([&](Connection& connection) { send(connection, "abcdef"); },
           [&](Connection& connection) {
             EXPECT_EQ(receive(connection, 2), "ab");
             std::string out = "kept:";
             EXPECT_EQ(*connection.receive(out, 3), 3u);
             EXPECT_EQ(out, "kept:cde");
             EXPECT_EQ(receive(connection, 100), "f");
             EXPECT_EQ(receive(connection, 100), "end");
           });
}

TEST_F(NetworkTest, SegmentsNeverOvertake) {
  LinkParameters parameters;
  parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(50));
  world.network().set_default_link(parameters);
  std::string sent, received;
  converse(
      [&](Connection& connection) {
        for (int i = 0; i < 300; ++i) {
          const std::string piece = std::to_string(i) + ",";
          sent += piece;
          send(connection, piece);
          world.sleep(milliseconds(i % 3));
        }
      },
      [&](Connection& connection) { received = receive_all(connection); });
  EXPECT_EQ(received, sent);
}

TEST_F(NetworkTest, CloseDeliversWhatWasSentAndThenTheEnd) {
  converse(
      [&](Connection& connection) {
        send(connection, "last words");
        connection.close();
        EXPECT_FALSE(connection.open());
        EXPECT_EQ(send(connection, "x"), "connection closed");
        EXPECT_EQ(receive(connection), "error: connection closed");
      },
      [&](Connection& connection) {
        world.sleep(seconds(1));
        EXPECT_EQ(receive_all(connection), "last words");
        EXPECT_EQ(receive(connection), "end");
        EXPECT_TRUE(connection.open());
        // Nobody is there to read an answer.
        EXPECT_EQ(send(connection, "answer"), "ok");
        world.sleep(milliseconds(10));
        EXPECT_EQ(send(connection, "answer"), "connection reset by peer");
      });
}

TEST_F(NetworkTest, HalfCloseStillReceives) {
  converse(
      [&](Connection& connection) {
        send(connection, "question");
        connection.shutdown_send();
        EXPECT_EQ(send(connection, "x"), "connection closed");
        EXPECT_EQ(receive_all(connection), "answer");
      },
      [&](Connection& connection) {
        EXPECT_EQ(receive_all(connection), "question");
        EXPECT_EQ(send(connection, "answer"), "ok");
      });
}

TEST_F(NetworkTest, ClosingWithUnreadBytesResetsThePeer) {
  converse(
      [&](Connection& connection) {
        send(connection, "never read");
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_FALSE(connection.open());
        EXPECT_EQ(now(), milliseconds(11));
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        connection.close();
      });
}

TEST_F(NetworkTest, AbortTakesAwayWhatThePeerHasNotRead) {
  converse(
      [&](Connection& connection) {
        send(connection, "lost");
        world.sleep(milliseconds(5));
        connection.abort();
        EXPECT_EQ(send(connection, "x"), "connection closed");
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(20));
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_EQ(send(connection, "x"), "connection reset by peer");
      });
}

TEST_F(NetworkTest, DestroyingAConnectionClosesIt) {
  converse([&](Connection& connection) { Connection gone(std::move(connection)); },
           [&](Connection& connection) { EXPECT_EQ(receive(connection), "end"); });
  Connection meaningless;
  EXPECT_FALSE(meaningless.open());
  EXPECT_EQ(send(meaningless, "x"), "connection closed");
  EXPECT_EQ(meaningless.remote(), Address{});
}

TEST_F(NetworkTest, AssignmentClosesTheConnectionThatWasThere) {
  converse([&](Connection& connection) { connection = Connection(); },
           [&](Connection& connection) { EXPECT_EQ(receive(connection), "end"); });
}

TEST_F(NetworkTest, AFullWindowBlocksTheSenderUntilThePeerReads) {
  ConnectionOptions options;
  options.window_bytes = 1000;
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(send(connection, std::string(1000, 'x')), "ok");
        EXPECT_EQ(now(), milliseconds(2));
        EXPECT_EQ(send(connection, std::string(100, 'y')), "ok");
        EXPECT_EQ(now(), milliseconds(100));
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(100));
        EXPECT_EQ(receive_all(connection), std::string(1000, 'x') + std::string(100, 'y'));
      },
      options);
}

TEST_F(NetworkTest, ASendLargerThanTheWindowGoesInPieces) {
  ConnectionOptions options;
  options.window_bytes = 100;
  std::string sent;
  for (int i = 0; i < 3000; ++i) sent += static_cast<char>('a' + i % 26);
  converse([&](Connection& connection) { EXPECT_EQ(send(connection, sent), "ok"); },
           [&](Connection& connection) {
             world.sleep(milliseconds(10));
             EXPECT_EQ(receive(connection, 10'000).size(), 100u);
             EXPECT_EQ(receive_all(connection), sent.substr(100));
           },
           options);
}

TEST_F(NetworkTest, ASlowReaderDoesNotCutALongSendIntoCrumbs) {
  ConnectionOptions options;
  options.window_bytes = 100;
  converse([&](Connection& connection) { send(connection, std::string(3000, 'x')); },
           [&](Connection& connection) {
             while (receive(connection, 1) == "x") world.sleep(milliseconds(1));
           },
           options);
  EXPECT_EQ(world.network().statistics("a", "b").bytes_delivered, 3000u);
  EXPECT_LE(world.network().statistics("a", "b").segments_sent, 65u);
}

TEST_F(NetworkTest, ClosingWakesTheTasksThatUseTheConnection) {
  ConnectionOptions options;
  options.window_bytes = 10;
  int woken = 0;
  converse(
      [&](Connection& connection) {
        world.spawn("a", [&] {
          EXPECT_EQ(receive(connection), "error: connection closed");
          ++woken;
        });
        world.spawn("a", [&] {
          EXPECT_EQ(send(connection, std::string(100, 'x')), "connection closed");
          ++woken;
        });
        world.sleep(milliseconds(10));
        connection.close();
        world.sleep(milliseconds(10));
      },
      [&](Connection&) { world.sleep(seconds(1)); }, options);
  EXPECT_EQ(woken, 2);
}

TEST_F(NetworkTest, EachLossDelaysByOneRetransmissionTimeout) {
  LinkParameters lossy = constant_link(milliseconds(1));
  lossy.loss = 0.5;
  std::vector<std::int64_t> delays;
  converse(
      [&](Connection& connection) {
        world.network().set_link("a", "b", lossy);
        for (int i = 0; i < 200; ++i) {
          const Time before = world.now();
          send(connection, "x");
          receive(connection);
          const Duration delay = world.now() - before - milliseconds(2);
          EXPECT_EQ(delay % milliseconds(200), Duration(0));
          delays.push_back(delay / milliseconds(200));
        }
      },
      [&](Connection& connection) {
        while (receive(connection) == "x") send(connection, "y");
      });
  ASSERT_EQ(delays.size(), 200u);
  std::int64_t losses = 0;
  for (const std::int64_t delay : delays) losses += delay;
  // Geometric with mean 1; the bounds are beyond six standard deviations.
  EXPECT_GT(losses, 80);
  EXPECT_LT(losses, 330);
  EXPECT_GE(world.network().statistics("a", "b").segments_lost, static_cast<std::uint64_t>(losses));
}

TEST_F(NetworkTest, DataForAClosedEndIsAnsweredWithReset) {
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10) - microseconds(500));
        send(connection, "crosses the FIN");
        sleep_until(milliseconds(12));
        EXPECT_FALSE(connection.open());
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        connection.close();
      });
}

TEST_F(NetworkTest, AResetIsNeverAnsweredWithAReset) {
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        connection.abort();
      },
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        connection.abort();
      });
  EXPECT_EQ(world.network().statistics("a", "b").segments_sent, 2u);  // SYN, RST
  EXPECT_EQ(world.network().statistics("b", "a").segments_sent, 2u);  // SYN-ACK, RST
}

TEST_F(NetworkTest, StatisticsCountSegmentsAndBytes) {
  converse([&](Connection& connection) { send(connection, "12345"); },
           [&](Connection& connection) { receive_all(connection); });
  const LinkStatistics there = world.network().statistics("a", "b");
  EXPECT_EQ(there.segments_sent, 3u);  // SYN, data, FIN
  EXPECT_EQ(there.segments_delivered, 3u);
  EXPECT_EQ(there.bytes_delivered, 5u);
  EXPECT_EQ(there.segments_lost, 0u);
  EXPECT_EQ(world.network().statistics("b", "c").segments_sent, 0u);
}

}  // namespace
}  // namespace polarsim::sim
