// The network under faults: cuts, clogs, crashes, timeouts.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 5432;

class NetworkFaultTest : public ::testing::Test {
 protected:
  NetworkFaultTest() {
    LinkParameters parameters;
    parameters.latency = DurationDistribution::constant(milliseconds(1));
    parameters.bandwidth_bytes_per_s = 0;
    network().set_default_link(parameters);
  }

  Network& network() { return world.network(); }

  void converse(std::function<void(Connection&)> client, std::function<void(Connection&)> server,
                ConnectionOptions options = {}) {
    world.spawn("b", [this, server] {
      auto listener = world.host("b").listen(port);
      ASSERT_TRUE(listener);
      auto connection = listener->accept();
      if (connection) server(*connection);
    });
    world.spawn("a", [this, client, options] {
      auto connection = world.host("a").connect({"b", port}, options);
      ASSERT_TRUE(connection) << to_string(connection.error());
      client(*connection);
      ++clients_done;
    });
    world.run();
  }
  void at(Duration when, std::function<void()> action) {
    world.simulation.scheduler().call_at(time_zero + when, std::move(action));
  }
  static std::string receive(Connection& connection) {
    std::string bytes;
    const auto result = connection.receive(bytes);
    if (!result) return std::string("error: ") + to_string(result.error());
    return *result == 0 ? "end" : bytes;
  }
  static std::string send(Connection& connection, std::string_view bytes) {
    const auto result = connection.send(bytes);
    return result ? "ok" : to_string(result.error());
  }
  void sleep_until(Duration since_start) { world.simulation.scheduler().sleep_until(time_zero + since_start); }
  Duration now() const { return world.now() - time_zero; }

  TestWorld world{"a", "b"};
  int clients_done = 0;
};

TEST_F(NetworkFaultTest, ACutLinkHoldsSegmentsAndReleasesThemInOrder) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(seconds(3), [&] { network().uncut("a", "b"); });
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "1");
        world.sleep(milliseconds(10));
        send(connection, "2");
        EXPECT_TRUE(network().is_cut("a", "b"));
        EXPECT_FALSE(network().is_cut("b", "a"));
        EXPECT_EQ(receive(connection), "end");
      },
      [&](Connection& connection) {
        std::string bytes;
        EXPECT_EQ(*connection.receive(bytes), 2u);
        EXPECT_EQ(bytes, "12");
        EXPECT_EQ(now(), seconds(3) + milliseconds(1));
      });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, ASegmentUnderWayWhenTheLinkIsCutIsHeldToo) {
  at(milliseconds(2) + Duration(500'000), [&] { network().cut("a", "b"); });
  at(seconds(1), [&] { network().uncut("a", "b"); });
  converse([&](Connection& connection) { send(connection, "x"); },
           [&](Connection& connection) {
             EXPECT_EQ(receive(connection), "x");
             EXPECT_EQ(now(), seconds(1) + milliseconds(1));
           });
}

TEST_F(NetworkFaultTest, CutsAreCounted) {
  network().cut("a", "b");
  network().cut("a", "b");
  network().uncut("a", "b");
  EXPECT_TRUE(network().is_cut("a", "b"));
  network().uncut("a", "b");
  EXPECT_FALSE(network().is_cut("a", "b"));
  network().uncut("a", "b");
  network().cut("a", "b");
  EXPECT_TRUE(network().is_cut("a", "b")) << "an extra heal must not be saved up";
  network().heal_all();
  EXPECT_FALSE(network().is_cut("a", "b"));
}

TEST_F(NetworkFaultTest, ACloggedLinkDeliversWhenTheLongestClogEnds) {
  at(milliseconds(5), [&] { network().clog("a", "b", time_zero + seconds(2)); });
  at(milliseconds(6), [&] { network().clog("a", "b", time_zero + seconds(4)); });
  at(milliseconds(7), [&] { network().clog("a", "b", time_zero + seconds(1)); });
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "x");
      },
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "x");
        EXPECT_EQ(now(), seconds(4) + milliseconds(1));
      });
}

TEST_F(NetworkFaultTest, HealAllEndsCutsAndClogs) {
  at(milliseconds(5), [&] {
    network().clog("a", "b", never);
    network().cut("a", "b");
    network().cut("a", "b");
  });
  at(seconds(2), [&] { network().heal_all(); });
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "x");
      },
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "x");
        EXPECT_EQ(now(), seconds(2) + milliseconds(1));
      });
}

TEST_F(NetworkFaultTest, ReleasedSegmentsTakeAFreshLatency) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(seconds(1), [&] {
    LinkParameters slow = network().link("a", "b");
    slow.latency = DurationDistribution::constant(milliseconds(300));
    network().set_link("a", "b", slow);
    network().uncut("a", "b");
  });
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "x");
      },
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "x");
        EXPECT_EQ(now(), milliseconds(1300));
      });
}

TEST_F(NetworkFaultTest, UserTimeoutFailsTheSenderBehindAPartition) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        EXPECT_EQ(send(connection, "x"), "ok");
        EXPECT_EQ(receive(connection), "error: connection timed out");
        EXPECT_EQ(now(), seconds(11));
        EXPECT_EQ(send(connection, "x"), "connection timed out");
        EXPECT_FALSE(connection.open());
        network().uncut("a", "b");
      },
      [&](Connection& connection) {
        // Its keepalive probe finds a host that has forgotten the connection.
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_GT(now(), seconds(11));
      });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, WithoutAWayBackDeliveredIsNotAcknowledged) {
  at(milliseconds(5), [&] { network().cut("b", "a"); });
  std::string delivered;
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "x");
        EXPECT_EQ(receive(connection), "error: connection timed out");
        EXPECT_EQ(now(), seconds(11));
      },
      [&](Connection& connection) { delivered = receive(connection); });
  EXPECT_EQ(delivered, "x");
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, TheAcknowledgementArrivesWhenTheWayBackHealsInTime) {
  at(milliseconds(5), [&] { network().cut("b", "a"); });
  at(seconds(9), [&] { network().uncut("b", "a"); });
  ConnectionOptions options;
  options.keepalive_after = seconds(100);
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "x");
        sleep_until(seconds(30));
        EXPECT_TRUE(connection.open());
        EXPECT_EQ(send(connection, "y"), "ok");
        EXPECT_EQ(receive(connection), "end");
      },
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "x");
        EXPECT_EQ(receive(connection), "y");
      },
      options);
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, ALinkSlowerThanTheUserTimeoutFailsTheSender) {
  LinkParameters slow = network().link("a", "b");
  slow.latency = DurationDistribution::constant(seconds(20));
  at(milliseconds(5), [&] { network().set_link("a", "b", slow); });
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "x");
        EXPECT_EQ(receive(connection), "error: connection timed out");
        EXPECT_EQ(now(), seconds(11));
      },
      [&](Connection& connection) { receive(connection); });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, WhatArrivedBeforeATimeoutCanStillBeReceived) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "x");
        sleep_until(seconds(20));
        EXPECT_FALSE(connection.open());
        EXPECT_EQ(receive(connection), "answer");
        EXPECT_EQ(receive(connection), "error: connection timed out");
      },
      [&](Connection& connection) {
        sleep_until(seconds(2));
        send(connection, "answer");
        sleep_until(seconds(3));
      });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, AHealedPartitionLeavesNoTimerBehind) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(seconds(2), [&] { network().uncut("a", "b"); });
  ConnectionOptions options;
  options.keepalive_after = Duration::max();
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "x");
        receive(connection);
      },
      [&](Connection& connection) {
        received = receive(connection);
        receive(connection);
      },
      options);
  EXPECT_EQ(received, "x");
  EXPECT_EQ(now(), seconds(2) + milliseconds(1)) << "both ends wait, and nothing is left to happen";
}

TEST_F(NetworkFaultTest, AnAbortBehindAPartitionSendsNothingLater) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(seconds(2), [&] { network().uncut("a", "b"); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(1));
        send(connection, "dropped");
        world.simulation.scheduler().sleep_for(milliseconds(500));
        connection.abort();
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "error: connection reset by peer") << "in answer to its probe";
  EXPECT_GT(now(), seconds(5));
}

TEST_F(NetworkFaultTest, UserTimeoutCanBeSwitchedOff) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(seconds(1000), [&] { network().uncut("a", "b"); });
  ConnectionOptions options;
  options.user_timeout = Duration::max();
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "x");
        EXPECT_EQ(receive(connection), "end");
      },
      [&](Connection& connection) { EXPECT_EQ(receive(connection), "x"); }, options);
  EXPECT_EQ(clients_done, 1);
  EXPECT_GT(now(), seconds(1000));
}

TEST_F(NetworkFaultTest, AWaitingReceiverNoticesACrashedPeerByItsProbes) {
  at(seconds(1), [&] { world.host("b").crash(); });
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "error: connection timed out");
        // Last heard at 2 ms (SYN-ACK) or 3 ms; the probe goes out 5 s later and is given up 10 s after that.
        EXPECT_GE(now(), seconds(15));
        EXPECT_LE(now(), seconds(16));
      },
      [&](Connection&) { sleep_until(seconds(100)); });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, ASenderBeforeAFullWindowNoticesACrashedPeer) {
  at(seconds(1), [&] { world.host("b").crash(); });
  ConnectionOptions options;
  options.window_bytes = 10;
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(send(connection, std::string(20, 'x')), "connection timed out");
        EXPECT_LE(now(), seconds(16));
      },
      [&](Connection&) { sleep_until(seconds(100)); }, options);
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, ProbesKeepAnIdleConnectionAlive) {
  converse([&](Connection& connection) { EXPECT_EQ(receive(connection), "late"); },
           [&](Connection& connection) {
             sleep_until(seconds(200));
             send(connection, "late");
             receive(connection);
           });
  EXPECT_EQ(clients_done, 1);
  // About one probe in five seconds, and SYN and FIN.
  EXPECT_NEAR(static_cast<double>(network().statistics("a", "b").segments_sent), 41, 2);
}

TEST_F(NetworkFaultTest, TrafficInEitherDirectionNeedsNoProbes) {
  converse(
      [&](Connection& connection) {
        world.spawn("a", [&] { receive(connection); });
        for (int i = 0; i < 60; ++i) {
          world.sleep(seconds(1));
          send(connection, "x");
        }
        connection.close();
      },
      [&](Connection& connection) {
        while (receive(connection) == "x") {
        }
      });
  EXPECT_EQ(network().statistics("a", "b").segments_sent, 62u);  // SYN, data, FIN
  EXPECT_EQ(network().statistics("b", "a").segments_sent, 2u);   // SYN-ACK, FIN
}

TEST_F(NetworkFaultTest, ProbesDoNotPileUpBehindAPartition) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  ConnectionOptions options;
  options.keepalive_after = seconds(1);
  converse([&](Connection& connection) { EXPECT_EQ(receive(connection), "error: connection timed out"); },
           [&](Connection& connection) { receive(connection); }, options);
  EXPECT_EQ(clients_done, 1);
  EXPECT_EQ(network().statistics("a", "b").segments_sent, 2u);  // SYN, one probe
}

TEST_F(NetworkFaultTest, KeepaliveCanBeSwitchedOff) {
  at(seconds(1), [&] { world.host("b").crash(); });
  ConnectionOptions options;
  options.keepalive_after = Duration::max();
  converse([&](Connection& connection) { receive(connection); }, [&](Connection&) { sleep_until(seconds(100)); },
           options);
  EXPECT_EQ(clients_done, 0);
  EXPECT_EQ(now(), seconds(1)) << "nothing is left to happen after the crash";
}

TEST_F(NetworkFaultTest, ACrashedPeerIsSilentUntilItRebootsAndAnswersWithReset) {
  at(seconds(1), [&] { world.host("b").crash_and_restart(seconds(2)); });
  converse(
      [&](Connection& connection) {
        sleep_until(seconds(2));
        EXPECT_EQ(send(connection, "x"), "ok");
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_GT(now(), seconds(3));
        EXPECT_LT(now(), seconds(5));
      },
      [&](Connection&) { sleep_until(seconds(100)); });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, WhatACrashedHostHadOnTheWireStillArrives) {
  at(milliseconds(5), [&] { world.host("a").crash(); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(5) - Duration(500'000));
        send(connection, "on the wire");
        receive(connection);
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "on the wire");
  EXPECT_EQ(clients_done, 0);
}

TEST_F(NetworkFaultTest, RetriesWithoutATimeoutDoNotSpin) {
  LinkParameters instant = network().link("a", "b");
  instant.latency = DurationDistribution::constant(Duration(0));
  instant.retransmission_timeout = Duration(0);
  network().set_default_link(instant);
  world.host("b").crash();
  world.spawn("a", [&] { EXPECT_EQ(world.host("a").connect({"b", port}).error(), NetError::timed_out); });
  world.run();
  EXPECT_EQ(now(), seconds(5));
  EXPECT_LT(world.simulation.scheduler().events(), 200u);
}

TEST_F(NetworkFaultTest, APartitionSwallowsWhatACrashedHostHadOnTheWire) {
  at(milliseconds(5), [&] { world.host("a").crash(); });
  at(milliseconds(5) + Duration(1), [&] { network().cut("a", "b"); });
  at(milliseconds(10), [&] { network().uncut("a", "b"); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(5) - Duration(500'000));
        send(connection, "swallowed");
        receive(connection);
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "error: connection timed out");
}

TEST_F(NetworkFaultTest, ACutBehindAClogSwallowsWhatACrashedHostHadOnTheWire) {
  at(milliseconds(5), [&] { network().clog("a", "b", time_zero + milliseconds(50)); });
  at(milliseconds(20), [&] { world.host("a").crash(); });
  at(milliseconds(30), [&] { network().cut("a", "b"); });
  at(milliseconds(40), [&] { network().heal_all(); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "swallowed");
        receive(connection);
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "error: connection timed out");
}

TEST_F(NetworkFaultTest, AnAnswerOfNobodyLeavesAClogWithTheOthers) {
  network().clog("b", "a", never);
  at(milliseconds(1500), [&] { network().unclog("b", "a"); });
  bool refused = false;
  world.spawn("a", [&] {
    refused = world.host("a").connect({"b", 9}).error() == NetError::refused;
    EXPECT_LT(world.now(), time_zero + milliseconds(1510)) << "without a further SYN";
  });
  world.run();
  EXPECT_TRUE(refused);
  EXPECT_LT(world.now(), time_zero + seconds(5)) << "no answer waits for the clog's own end";
  const LinkStatistics back = network().statistics("b", "a");
  EXPECT_EQ(back.segments_sent, back.segments_delivered + back.segments_dropped);
}

TEST_F(NetworkFaultTest, WhatACrashedHostWouldHaveSentAgainDoesNot) {
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(milliseconds(50), [&] { world.host("a").crash(); });
  at(milliseconds(60), [&] { network().uncut("a", "b"); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "swallowed");
        receive(connection);
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "error: connection timed out");
}

TEST_F(NetworkFaultTest, ALostTransmissionOfACrashedHostIsNotRepeated) {
  LinkParameters lossy = network().link("a", "b");
  lossy.loss = 1;
  at(milliseconds(5), [&] { network().set_link("a", "b", lossy); });
  at(milliseconds(50), [&] { world.host("a").crash(); });
  std::string received;
  converse(
      [&](Connection& connection) {
        sleep_until(milliseconds(10));
        send(connection, "lost");
        receive(connection);
      },
      [&](Connection& connection) { received = receive(connection); });
  EXPECT_EQ(received, "error: connection timed out");
}

TEST_F(NetworkFaultTest, AStoppedHostSaysGoodbye) {
  at(seconds(1), [&] { world.host("b").stop(); });
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "result");
        EXPECT_EQ(receive(connection), "end");
        EXPECT_EQ(now(), seconds(1) + milliseconds(1));
      },
      [&](Connection& connection) {
        sleep_until(seconds(1) - Duration(1));
        send(connection, "result");
        sleep_until(seconds(100));
      });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, AStoppedHostResetsWhatItHasNotRead) {
  at(seconds(1), [&] { world.host("b").stop(); });
  converse(
      [&](Connection& connection) {
        send(connection, "unread");
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_EQ(now(), seconds(1) + milliseconds(1));
      },
      [&](Connection&) { sleep_until(seconds(100)); });
  EXPECT_EQ(clients_done, 1);
}

TEST_F(NetworkFaultTest, AnIncarnationNeverHearsItsPredecessorsPeers) {
  world.host("b").set_program([](Host& self) {
    auto listener = self.listen(port);
    ASSERT_TRUE(listener) << "the port is free after a crash";
    auto connection = listener->accept();
    ASSERT_TRUE(connection);
    EXPECT_EQ(self.incarnation() == 2 ? "first" : "second", receive(*connection));
    if (self.incarnation() == 3) self.scheduler().sleep_for(seconds(1));
    if (self.incarnation() == 2) self.scheduler().park("until the crash");
  });
  world.host("b").crash();
  world.host("b").boot();
  at(seconds(1), [&] { world.host("b").crash_and_restart(milliseconds(100)); });
  world.spawn("a", [&] {
    auto old = world.host("a").connect({"b", port});
    ASSERT_TRUE(old);
    send(*old, "first");
    sleep_until(seconds(2));
    auto fresh = world.host("a").connect({"b", port});
    ASSERT_TRUE(fresh);
    send(*old, "stray");
    EXPECT_EQ(receive(*old), "error: connection reset by peer");
    send(*fresh, "second");
    EXPECT_EQ(receive(*fresh), "end");
    ++clients_done;
  });
  world.run();
  EXPECT_EQ(clients_done, 1);
  EXPECT_EQ(world.host("b").incarnation(), 3u);
}

TEST_F(NetworkFaultTest, DropConnectionsResetsBothEnds) {
  std::string at_server;
  at(seconds(1), [&] {
    EXPECT_EQ(network().drop_connections("b", "a"), 1u);
    EXPECT_EQ(network().drop_connections("a", "b"), 0u);
  });
  converse(
      [&](Connection& connection) {
        EXPECT_EQ(receive(connection), "error: connection reset by peer");
        EXPECT_EQ(now(), seconds(1));
      },
      [&](Connection& connection) { at_server = receive(connection); });
  EXPECT_EQ(at_server, "error: connection reset by peer");
}

TEST_F(NetworkFaultTest, ClosingAListenerResetsWhoWasNotAcceptedYet) {
  std::string seen;
  world.spawn("b", [&] {
    auto listener = world.host("b").listen(port);
    world.sleep(seconds(1));
  });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port});
    ASSERT_TRUE(connection);
    seen = receive(*connection);
  });
  world.run();
  EXPECT_EQ(seen, "error: connection reset by peer");
}

TEST_F(NetworkFaultTest, ACrashEndsAllCallsOfTheHost) {
  int unwound = 0;
  struct Count {
    int& count;
    ~Count() { ++count; }
  };
  at(seconds(1), [&] { world.host("a").crash(); });
  world.spawn("a", [&] {
    const Count count{unwound};
    auto listener = world.host("a").listen(1);
    (void)listener->accept();
    ADD_FAILURE() << "a crash must not return to the program";
  });
  converse(
      [&](Connection& connection) {
        const Count count{unwound};
        receive(connection);
        ADD_FAILURE() << "a crash must not return to the program";
      },
      [&](Connection& connection) { receive(connection); });
  EXPECT_EQ(unwound, 2);
  EXPECT_EQ(world.simulation.network().listen(world.host("a"), 1).error(), NetError::closed);
}

TEST_F(NetworkFaultTest, AHandleMayOutliveItsSimulation) {
  std::optional<Connection> kept;
  std::optional<Listener> listening;
  {
    TestWorld other{"a", "b"};
    other.spawn("b", [&] {
      listening = std::move(*other.host("b").listen(port));
      auto connection = listening->accept();
      other.sleep(seconds(1));
    });
    other.spawn("a", [&] {
      kept = std::move(*other.host("a").connect({"b", port}));
      other.sleep(seconds(1));
    });
    other.run(milliseconds(100));
    EXPECT_TRUE(kept->open());
  }
  EXPECT_FALSE(kept->open());
  EXPECT_EQ(send(*kept, "x"), "connection closed");
  EXPECT_EQ(listening->accept().error(), NetError::closed);
}

}  // namespace
}  // namespace polarsim::sim
