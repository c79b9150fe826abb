#include "sim/datagram.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 53;

// Two hosts, 1 ms apart: b has a socket, a sends to it.
class DatagramTest : public ::testing::Test {
 protected:
  DatagramTest() {
    parameters.latency = DurationDistribution::constant(milliseconds(1));
    parameters.bandwidth_bytes_per_s = 0;
    network().set_default_link(parameters);
    // Every task below runs on hosts that live through its test, so that the sockets may live here.
    here = std::move(*world.host("a").open_datagram());
    there = std::move(*world.host("b").open_datagram(port));
  }

  Network& network() { return world.network(); }
  void use(const LinkParameters& link) { network().set_link("a", "b", link); }
  void at(Duration when, std::function<void()> action) {
    world.simulation.scheduler().call_at(time_zero + when, std::move(action));
  }
  void send(std::string_view bytes) { ASSERT_TRUE(here.send_to({"b", port}, bytes)); }
  // Everything that b's socket holds after the run so far.
  std::vector<std::string> arrived() {
    std::vector<std::string> result;
    world.spawn("b", [&] {
      Datagram datagram;
      while (there.receive(datagram, world.now())) result.push_back(datagram.bytes);
    });
    world.run();
    return result;
  }
  LinkStatistics statistics() { return network().statistics("a", "b"); }
  void expect_conserved() {
    const LinkStatistics s = statistics();
    EXPECT_EQ(s.datagrams_sent + s.datagrams_duplicated, s.datagrams_delivered + s.datagrams_lost + s.datagrams_cut +
                                                             s.datagrams_overflowed + s.datagrams_unreceived +
                                                             s.datagrams_in_flight);
  }

  TestWorld world{"a", "b"};
  LinkParameters parameters;
  DatagramSocket here, there;
};

TEST_F(DatagramTest, ArrivesWholeWithItsSender) {
  const std::uint16_t from = here.port();
  EXPECT_GE(from, 32768);
  world.spawn("b", [&] {
    Datagram datagram;
    ASSERT_TRUE(there.receive(datagram));
    EXPECT_EQ(world.now(), time_zero + milliseconds(1));
    EXPECT_EQ(datagram.bytes, "question");
    EXPECT_EQ(datagram.from, (Address{"a", from}));
    ASSERT_TRUE(there.send_to(datagram.from, ""));
    EXPECT_EQ(there.receive(datagram, time_zero + milliseconds(9)).error(), DatagramError::timed_out);
    EXPECT_EQ(world.now(), time_zero + milliseconds(9));
  });
  world.spawn("a", [&] {
    send("question");
    Datagram answer{{}, "old"};
    ASSERT_TRUE(here.receive(answer));
    EXPECT_EQ(world.now(), time_zero + milliseconds(2));
    EXPECT_EQ(answer.bytes, "");
    EXPECT_EQ(answer.from, (Address{"b", port}));
  });
  world.run();
  EXPECT_EQ(statistics().datagrams_delivered, 1u);
  EXPECT_EQ(statistics().bytes_delivered, 8u);
  EXPECT_EQ(here.statistics().sent, 1u);
  EXPECT_EQ(there.statistics().received, 1u);
}

TEST_F(DatagramTest, SizesAndNamesAreChecked) {
  EXPECT_TRUE(here.send_to({"b", port}, std::string(datagram_bytes_max, 'x')));
  EXPECT_EQ(here.send_to({"b", port}, std::string(datagram_bytes_max + 1, 'x')).error(), DatagramError::too_large);
  EXPECT_EQ(here.send_to({"nowhere", port}, "x").error(), DatagramError::unknown_host);
  EXPECT_EQ(world.host("b").open_datagram(port).error(), DatagramError::port_taken);
  there.close();
  EXPECT_FALSE(there.open());
  EXPECT_EQ(there.send_to({"a", 1}, "x").error(), DatagramError::closed);
  EXPECT_TRUE(world.host("b").open_datagram(port));
  EXPECT_EQ(DatagramSocket().send_to({"a", 1}, "x").error(), DatagramError::closed);
}

TEST_F(DatagramTest, WithoutReorderingTheyKeepTheirOrder) {
  parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(50));
  use(parameters);
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) sent.push_back(std::to_string(i));
  for (const std::string& bytes : sent) send(bytes);
  world.run();
  EXPECT_EQ(arrived(), sent);
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, ReorderedOnesAreOvertaken) {
  parameters.reordering = 0.5;
  parameters.reordering_delay = milliseconds(50);
  use(parameters);
  for (int i = 0; i < 100; ++i) {
    at(milliseconds(i), [this, i] { send(std::to_string(i)); });
  }
  world.run();
  const std::vector<std::string> received = arrived();
  EXPECT_EQ(std::set<std::string>(received.begin(), received.end()).size(), 100u);
  int overtaken = 0;
  int latest = -1;
  for (const std::string& bytes : received) {
    const int number = std::stoi(bytes);
    if (number < latest) ++overtaken;
    latest = std::max(latest, number);
  }
  EXPECT_GT(overtaken, 10);
  EXPECT_EQ(statistics().datagrams_reordered, static_cast<std::uint64_t>(overtaken));
}

TEST_F(DatagramTest, LossAndDuplicationFollowTheirProbabilities) {
  parameters.loss = 0.25;
  parameters.duplication = 0.5;
  use(parameters);
  for (int i = 0; i < 400; ++i) send(std::to_string(i));
  world.run();
  const std::vector<std::string> received = arrived();
  std::multiset<std::string> counts(received.begin(), received.end());
  std::uint64_t doubled = 0;
  for (int i = 0; i < 400; ++i) {
    ASSERT_LE(counts.count(std::to_string(i)), 2u);
    if (counts.count(std::to_string(i)) == 2) ++doubled;
  }
  // Six standard deviations around the means.
  EXPECT_NEAR(static_cast<double>(statistics().datagrams_lost), 100, 52);
  EXPECT_NEAR(static_cast<double>(doubled), 150, 60);
  EXPECT_EQ(statistics().datagrams_duplicated, doubled);
  EXPECT_EQ(statistics().datagrams_overflowed, 0u);
  expect_conserved();
}

TEST_F(DatagramTest, DamageIsLossUnlessTheChecksumMissesIt) {
  parameters.corruption = 1;
  use(parameters);
  send("noticed");
  parameters.undetected_corruption = 1;
  use(parameters);
  const std::string sent = "not noticed";
  send(sent);
  send("");  // nothing but a header: damage to it is always noticed
  world.run();
  const std::vector<std::string> received = arrived();
  ASSERT_EQ(received.size(), 1u);
  ASSERT_EQ(received[0].size(), sent.size());
  int flipped = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    flipped += __builtin_popcount(static_cast<unsigned char>(received[0][i] ^ sent[i]));
  }
  EXPECT_EQ(flipped, 2);
  EXPECT_EQ(statistics().datagrams_corrupted, 3u);
  EXPECT_EQ(statistics().datagrams_lost, 2u);
  EXPECT_EQ(statistics().undetected_corruptions, 1u);
}

TEST_F(DatagramTest, ACutSwallowsAndAClogHolds) {
  at(milliseconds(10), [&] { network().cut("a", "b"); });
  at(milliseconds(11), [&] { send("swallowed"); });
  at(milliseconds(20), [&] { network().uncut("a", "b"); });
  at(milliseconds(20), [&] { network().clog("a", "b", time_zero + milliseconds(40)); });
  at(milliseconds(21), [&] { send("held 1"); });
  at(milliseconds(22), [&] { send("held 2"); });
  world.spawn("b", [&] {
    Datagram datagram;
    ASSERT_TRUE(there.receive(datagram));
    EXPECT_EQ(datagram.bytes, "held 1");
    EXPECT_EQ(world.now(), time_zero + milliseconds(41));
  });
  world.run();
  EXPECT_EQ(arrived(), (std::vector<std::string>{"held 2"}));
  EXPECT_EQ(statistics().datagrams_cut, 1u);
  EXPECT_EQ(statistics().datagrams_held, 2u);
  expect_conserved();
}

TEST_F(DatagramTest, AClogReleasesInOrder) {
  parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(50));
  use(parameters);
  network().clog("a", "b", time_zero + seconds(1));
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) sent.push_back(std::to_string(i));
  for (const std::string& bytes : sent) send(bytes);
  // One that is sent behind them does not overtake them either.
  at(seconds(1) + Duration(1), [&] { send("last"); });
  sent.push_back("last");
  world.run();
  EXPECT_EQ(arrived(), sent);
  EXPECT_EQ(statistics().datagrams_held, 50u);
}

TEST_F(DatagramTest, WhatIsOnItsWayWhenAClogEndsDoesNotOvertakeWhatWasHeld) {
  parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(50));
  use(parameters);
  network().clog("a", "b", time_zero + seconds(1));
  std::vector<std::string> sent;
  for (int i = 0; i < 500; ++i) sent.push_back(std::to_string(i));
  // Before, at and after the end of the clog.
  for (int i = 0; i < 500; ++i) {
    at(milliseconds(750 + i), [this, &sent, i] { send(sent[static_cast<std::size_t>(i)]); });
  }
  world.run();
  EXPECT_EQ(arrived(), sent);
  EXPECT_GT(statistics().datagrams_held, 100u);
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
  expect_conserved();
}

TEST_F(DatagramTest, ARebootedHostDoesNotOvertakeWhatItHadOnTheWire) {
  parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(50));
  use(parameters);
  std::vector<std::string> sent;
  for (int life = 0; life < 20; ++life) {
    for (int i = 0; i < 5; ++i) sent.push_back(std::to_string(5 * life + i));
    for (int i = 0; i < 5; ++i) send(sent[static_cast<std::size_t>(5 * life + i)]);
    world.run(milliseconds(1));
    world.host("a").crash();
    world.host("a").boot();
    here = std::move(*world.host("a").open_datagram());
  }
  world.run();
  EXPECT_EQ(arrived(), sent);
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, WhatArrivesBehindAClogDoesNotOvertakeWhatWasHeld) {
  network().clog("a", "b", time_zero + milliseconds(2));
  send("held");  // and let go at 2 ms, to arrive at 3 ms
  at(microseconds(1500), [&] { send("under way when the clog ends"); });
  world.run();
  EXPECT_EQ(arrived(), (std::vector<std::string>{"held", "under way when the clog ends"}));
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, WhatOneClogHasLetGoDoesNotOvertakeWhatTheNextHolds) {
  network().clog("a", "b", time_zero + seconds(1));
  send("first");
  parameters.latency = DurationDistribution::constant(milliseconds(1));
  use(parameters);
  at(milliseconds(500), [&] { send("second"); });
  // The first is let go with a short latency, the second with a long one; then only the first meets a clog again.
  at(seconds(1) - Duration(1), [&] {
    parameters.latency = DurationDistribution::uniform(Duration(0), milliseconds(20));
    use(parameters);
  });
  for (int i = 0; i < 10; ++i) {
    at(seconds(1) + milliseconds(2 * i), [&] {
      network().clog("a", "b", deadline_after(world.now(), milliseconds(1)));
      send("later");
    });
  }
  world.run();
  EXPECT_EQ(arrived().size(), 12u);
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, ANewLifeDoesNotOvertakeWhatTheLastPutOnTheWire) {
  parameters.latency = DurationDistribution::constant(milliseconds(100));
  use(parameters);
  send("last words");
  at(milliseconds(1), [&] {
    world.host("a").crash();
    world.host("a").boot();
    here = std::move(*world.host("a").open_datagram());
    parameters.latency = DurationDistribution::constant(milliseconds(1));
    use(parameters);
    send("first words");
  });
  world.run();
  EXPECT_EQ(arrived(), (std::vector<std::string>{"last words", "first words"}));
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, ASecondCopyIsNotAReordering) {
  parameters.duplication = 1;
  use(parameters);
  send("twice");
  world.run();
  EXPECT_EQ(arrived(), (std::vector<std::string>{"twice", "twice"}));
  EXPECT_EQ(world.now(), time_zero + milliseconds(2)) << "the copy arrives one latency later";
  EXPECT_EQ(statistics().datagrams_reordered, 0u);
}

TEST_F(DatagramTest, ACutBehindAClogSwallowsWhatWasHeld) {
  network().clog("a", "b", never);
  send("held");
  at(milliseconds(10), [&] {
    EXPECT_EQ(statistics().datagrams_in_flight, 1u);
    network().cut("a", "b");
    EXPECT_EQ(statistics().datagrams_in_flight, 0u);
  });
  at(milliseconds(20), [&] { network().heal_all(); });
  world.run();
  EXPECT_TRUE(arrived().empty());
  expect_conserved();
}

TEST_F(DatagramTest, AFullReceiveBufferDrops) {
  DatagramOptions options;
  options.receive_buffer_bytes = 3 * (100 + datagram_overhead_bytes);
  there = *world.host("b").open_datagram(port + 1, options);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(here.send_to({"b", port + 1}, std::string(100, 'x')));
  world.run();
  EXPECT_EQ(arrived().size(), 3u);
  EXPECT_EQ(there.statistics().dropped_at_full, 2u);
  EXPECT_EQ(statistics().datagrams_overflowed, 2u);
  // What was received has made room.
  ASSERT_TRUE(here.send_to({"b", port + 1}, "again"));
  world.run();
  EXPECT_EQ(arrived().size(), 1u);
  expect_conserved();
}

TEST_F(DatagramTest, ALongQueueAtTheTransmitterDrops) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  parameters.datagram_queue_limit = milliseconds(2);
  use(parameters);
  for (int i = 0; i < 5; ++i) send(std::string(1000, 'x'));  // 1 ms each
  world.run();
  EXPECT_EQ(arrived().size(), 3u) << "the fourth would have waited for three";
  EXPECT_EQ(statistics().datagrams_overflowed, 2u);
  EXPECT_EQ(statistics().queue_delay_max, milliseconds(2));
  expect_conserved();
}

TEST_F(DatagramTest, ACrashedHostSendsOnlyWhatIsOnTheWire) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  send(std::string(1000, '1'));
  send(std::string(1000, '2'));
  send(std::string(1000, '3'));
  at(microseconds(1500), [&] { world.host("a").crash(); });
  world.run();
  const std::vector<std::string> received = arrived();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0][0], '1');
  EXPECT_EQ(statistics().datagrams_lost, 2u);
  EXPECT_FALSE(here.open());
  EXPECT_EQ(here.send_to({"b", port}, "x").error(), DatagramError::closed);
  // The transmitter of the rebooted host is idle.
  world.host("a").boot();
  here = std::move(*world.host("a").open_datagram());
  const Time before = world.now();
  send("fresh");
  world.spawn("b", [&] {
    Datagram datagram;
    ASSERT_TRUE(there.receive(datagram));
    EXPECT_EQ(world.now() - before, milliseconds(1) + microseconds(5));
  });
  world.run();
  expect_conserved();
}

TEST_F(DatagramTest, AStoppedHostSendsWhatItHasHandedOver) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  send(std::string(1000, '1'));
  send(std::string(1000, '2'));
  at(microseconds(500), [&] { world.host("a").stop(); });
  world.run();
  EXPECT_EQ(arrived().size(), 2u);
}

TEST_F(DatagramTest, NobodyThereIsNotTold) {
  EXPECT_TRUE(here.send_to({"b", port + 1}, "no socket"));
  at(milliseconds(2), [&] { world.host("b").crash(); });
  at(milliseconds(3), [&] { send("host is down"); });
  at(milliseconds(5), [&] { world.host("b").boot(); });
  at(milliseconds(6), [&] { send("rebooted without the socket"); });
  at(milliseconds(7), [&] { send("under way when the socket opens"); });
  at(milliseconds(7) + microseconds(500), [&] { there = std::move(*world.host("b").open_datagram(port)); });
  world.run();
  EXPECT_EQ(statistics().datagrams_unreceived, 3u);
  EXPECT_EQ(arrived(), (std::vector<std::string>{"under way when the socket opens"}));
  EXPECT_TRUE(here.open());
  expect_conserved();
}

TEST_F(DatagramTest, ClosingWakesTheReceiverAndDropsTheBuffer) {
  int closed = 0;
  world.spawn("b", [&] {
    Datagram datagram;
    EXPECT_EQ(there.receive(datagram).error(), DatagramError::closed);
    ++closed;
  });
  at(milliseconds(1), [&] { there.close(); });
  world.run();
  EXPECT_EQ(closed, 1);
  there = std::move(*world.host("b").open_datagram(port));
  send("dropped with its socket");
  world.run();
  there = std::move(*world.host("b").open_datagram(port + 1));
  there = std::move(*world.host("b").open_datagram(port));
  EXPECT_TRUE(arrived().empty());
}

TEST_F(DatagramTest, AHostReachesItselfAndManyReceiversTakeTurns) {
  std::vector<std::string> order;
  for (const char* name : {"first", "second"}) {
    world.spawn("b", [&, name] {
      Datagram datagram;
      ASSERT_TRUE(there.receive(datagram));
      order.push_back(std::string(name) + " " + datagram.bytes);
      EXPECT_EQ(world.now(), time_zero + microseconds(50));
    });
  }
  world.spawn("b", [&] {
    ASSERT_TRUE(there.send_to({"b", port}, "1"));
    ASSERT_TRUE(there.send_to({"b", port}, "2"));
  });
  world.run();
  EXPECT_EQ(order, (std::vector<std::string>{"first 1", "second 2"}));
}

TEST_F(DatagramTest, ASocketMayOutliveItsSimulation) {
  std::optional<DatagramSocket> kept;
  {
    TestWorld other{"a", "b"};
    kept = std::move(*other.host("a").open_datagram());
    ASSERT_TRUE(kept->send_to({"b", port}, "x"));
  }
  EXPECT_FALSE(kept->open());
  EXPECT_EQ(kept->send_to({"b", port}, "x").error(), DatagramError::closed);
}

}  // namespace
}  // namespace polarsim::sim
