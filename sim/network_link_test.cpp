// What links do to connections: shared bandwidth, damage, statistics; and the queues that bytes lie in.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/byte_queue.h"
#include "sim/link.h"
#include "sim/ring_queue.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 5432;

class NetworkLinkTest : public ::testing::Test {
 protected:
  NetworkLinkTest() {
    parameters.latency = DurationDistribution::constant(milliseconds(1));
    parameters.bandwidth_bytes_per_s = 0;
    network().set_default_link(parameters);
  }
  Network& network() { return world.network(); }
  void use(const LinkParameters& link) { network().set_link("a", "b", link); }
  void at(Duration when, std::function<void()> action) {
    world.simulation.scheduler().call_at(time_zero + when, std::move(action));
  }
  // `count` connections from a to b: what each client sends, with the time at which all of it has been received.
  void transfer(std::size_t count, const std::string& bytes, Duration start = milliseconds(10)) {
    received.assign(count, {});
    finished.assign(count, time_zero);
    world.spawn("b", [this, count] {
      auto listener = world.host("b").listen(port);
      for (std::size_t i = 0; i < count; ++i) {
        auto connection = std::make_shared<Connection>(std::move(*listener->accept()));
        world.spawn("b", [this, connection, i] {
          while (connection->receive(received[i]).value_or(0) > 0) finished[i] = world.now();
        });
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      world.spawn("a", [this, bytes, start] {
        auto connection = world.host("a").connect({"b", port});
        ASSERT_TRUE(connection);
        world.simulation.scheduler().sleep_until(time_zero + start);
        ASSERT_TRUE(connection->send(bytes));
      });
    }
    world.run();
  }

  TestWorld world{"a", "b"};
  LinkParameters parameters;
  std::vector<std::string> received;
  std::vector<Time> finished;
};

TEST_F(NetworkLinkTest, ConnectionsShareTheBandwidthOfTheirLink) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  transfer(3, std::string(10'000, 'x'));
  EXPECT_EQ(finished[0], time_zero + milliseconds(10 + 10 + 1));
  EXPECT_EQ(finished[1], time_zero + milliseconds(10 + 20 + 1));
  EXPECT_EQ(finished[2], time_zero + milliseconds(10 + 30 + 1));
  // The FIN of the last waits for all of the bytes.
  EXPECT_EQ(network().statistics("a", "b").queue_delay_max, milliseconds(30));
}

TEST_F(NetworkLinkTest, DatagramsQueueBehindSegments) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  auto here = *world.host("a").open_datagram();
  auto there = *world.host("b").open_datagram(port);
  at(milliseconds(10) + Duration(1), [&] { ASSERT_TRUE(here.send_to({"b", port}, std::string(1000, 'd'))); });
  Time arrival;
  world.spawn("b", [&] {
    Datagram datagram;
    ASSERT_TRUE(there.receive(datagram));
    arrival = world.now();
  });
  transfer(1, std::string(10'000, 'x'));
  EXPECT_EQ(arrival, time_zero + milliseconds(10 + 10 + 1 + 1));
}

TEST_F(NetworkLinkTest, RepeatedTransmissionsTakeTheirShare) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  auto here = *world.host("a").open_datagram();
  LinkParameters lossy = parameters;
  lossy.loss = 1;  // thirty losses, then the one that gets through
  at(milliseconds(9), [&] { use(lossy); });
  at(milliseconds(10) + Duration(1), [&] {
    use(parameters);
    ASSERT_TRUE(here.send_to({"b", port}, "x"));
  });
  transfer(1, std::string(1000, 'x'));
  EXPECT_EQ(network().statistics("a", "b").segments_lost, 60u) << "of the data and of the FIN";
  EXPECT_EQ(network().statistics("a", "b").queue_delay_max, milliseconds(31));
}

TEST_F(NetworkLinkTest, DirectionsAndHostsDoNotShare) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  network().set_default_link(parameters);
  auto a = *world.host("a").open_datagram(port);
  auto b = *world.host("b").open_datagram(port);
  ASSERT_TRUE(a.send_to({"b", port}, std::string(50'000, 'x')));
  ASSERT_TRUE(b.send_to({"a", port}, std::string(1'000, 'x')));
  world.spawn("a", [&] {
    Datagram datagram;
    ASSERT_TRUE(a.receive(datagram));
    EXPECT_EQ(world.now(), time_zero + milliseconds(2));
  });
  world.run();
  EXPECT_EQ(network().statistics("b", "a").queue_delay_max, Duration(0));
}

TEST_F(NetworkLinkTest, ANewBandwidthHoldsForWhatIsHandedOverLater) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  at(milliseconds(12), [&] {
    parameters.bandwidth_bytes_per_s = 0;
    use(parameters);
  });
  transfer(1, std::string(10'000, 'x'));
  EXPECT_EQ(finished[0], time_zero + milliseconds(10 + 10 + 1));
  transfer(1, std::string(10'000, 'x'), seconds(1));
  EXPECT_EQ(finished[0], time_zero + seconds(1) + milliseconds(1));
}

TEST_F(NetworkLinkTest, ACrashEmptiesTheTransmitter) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  at(milliseconds(15), [&] { world.host("a").crash(); });
  at(milliseconds(16), [&] { world.host("a").boot(); });
  transfer(2, std::string(8'000, 'x'));
  EXPECT_TRUE(received[0].empty() && received[1].empty()) << "neither segment was on the wire at 15 ms";
  auto here = *world.host("a").open_datagram();
  auto there = *world.host("b").open_datagram(port);
  const Time before = world.now();
  world.spawn("b", [&] {
    Datagram datagram;
    ASSERT_TRUE(there.receive(datagram));
    EXPECT_EQ(world.now(), before + milliseconds(2));
  });
  ASSERT_TRUE(here.send_to({"b", port}, std::string(1000, 'x')));
  world.run();
}

TEST_F(NetworkLinkTest, AnAbortDeliversWhatWaitsForTheTransmitterAndThenResets) {
  parameters.bandwidth_bytes_per_s = 1'000'000;
  use(parameters);
  std::string end;
  world.spawn("b", [&] {
    auto listener = world.host("b").listen(port);
    auto connection = listener->accept();
    std::string bytes;
    const auto result = connection->receive(bytes);
    end = result ? "data" : to_string(result.error());
    EXPECT_EQ(world.now(), time_zero + milliseconds(3 + 10))
        << "the reset comes right behind, and takes the bytes away";
  });
  world.spawn("a", [&] {
    auto connection = world.host("a").connect({"b", port});
    ASSERT_TRUE(connection->send(std::string(10'000, 'x')));
    world.sleep(milliseconds(1));
    connection->abort();
  });
  world.run();
  EXPECT_EQ(end, "connection reset by peer");
  EXPECT_EQ(network().statistics("a", "b").bytes_delivered, 10'000u);
}

TEST_F(NetworkLinkTest, NoticedDamageDelaysAndUnnoticedDamageArrives) {
  parameters.corruption = 0.5;
  at(milliseconds(5), [&] { use(parameters); });
  at(milliseconds(20), [&] {
    parameters.corruption = 0;
    use(parameters);
  });
  transfer(1, "intact");
  EXPECT_EQ(received[0], "intact");
  EXPECT_EQ((finished[0] - time_zero - milliseconds(11)) % milliseconds(200), Duration(0));
  const LinkStatistics delayed = network().statistics("a", "b");
  EXPECT_EQ(delayed.segments_lost, delayed.segments_corrupted);
  EXPECT_EQ(delayed.undetected_corruptions, 0u);

  parameters.corruption = 1;
  parameters.undetected_corruption = 1;
  at(seconds(4), [&] { use(parameters); });
  at(seconds(6), [&] {
    parameters.corruption = 0;
    use(parameters);
  });
  const std::string sent(100, 'x');
  transfer(1, sent, seconds(5));
  ASSERT_EQ(received[0].size(), sent.size());
  int flipped = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    flipped += __builtin_popcount(static_cast<unsigned char>(received[0][i] ^ sent[i]));
  }
  EXPECT_EQ(flipped, 2);
  EXPECT_EQ(network().statistics("a", "b").undetected_corruptions, 1u);
}

TEST_F(NetworkLinkTest, UncloggingDeliversBeforeTheClogsOwnEnd) {
  at(milliseconds(5), [&] { network().clog("a", "b", time_zero + seconds(5)); });
  at(milliseconds(50), [&] {
    EXPECT_TRUE(network().is_clogged("a", "b"));
    EXPECT_EQ(network().clogged_until("a", "b"), time_zero + seconds(5));
    network().unclog("a", "b");
    EXPECT_FALSE(network().is_clogged("a", "b"));
  });
  transfer(1, "x");
  EXPECT_EQ(finished[0], time_zero + milliseconds(51));
  EXPECT_LT(world.now(), time_zero + seconds(5)) << "the clog's own timer is gone";
}

TEST_F(NetworkLinkTest, StatisticsAccountForEverySegment) {
  parameters.loss = 0.3;
  use(parameters);
  at(milliseconds(5), [&] { network().cut("a", "b"); });
  at(milliseconds(100), [&] {
    const LinkStatistics now = network().statistics("a", "b");
    EXPECT_GT(now.segments_in_flight, 0u);
    EXPECT_EQ(now.segments_sent, now.segments_delivered + now.segments_dropped + now.segments_in_flight);
    network().uncut("a", "b");
  });
  transfer(4, "some bytes");
  const LinkStatistics done = network().statistics("a", "b");
  EXPECT_EQ(done.segments_in_flight, 0u);
  EXPECT_EQ(done.segments_sent, done.segments_delivered + done.segments_dropped);
  EXPECT_GT(done.segments_lost, 0u);
  EXPECT_GT(done.segments_held, 0u);
  EXPECT_EQ(done.bytes_sent, 40u);
  EXPECT_EQ(done.bytes_delivered, 40u);

  const std::vector<LinkReport> all = network().all_statistics();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].from + ">" + all[0].to, "a>b");
  EXPECT_EQ(all[1].from + ">" + all[1].to, "b>a");
  const LinkStatistics total = network().total_statistics();
  EXPECT_EQ(total.segments_sent, all[0].statistics.segments_sent + all[1].statistics.segments_sent);
  EXPECT_EQ(total.queue_delay_max, std::max(all[0].statistics.queue_delay_max, all[1].statistics.queue_delay_max));
}

TEST(RingQueue, KeepsItsOrderThroughGrowthAndReuse) {
  RingQueue<int> queue;
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < round % 7; ++i) queue.push_back(next_in++);
    for (int i = 0; i < round % 5 && !queue.empty(); ++i) {
      ASSERT_EQ(queue.front(), next_out++);
      queue.pop_front();
    }
    for (std::size_t i = 0; i < queue.size(); ++i) ASSERT_EQ(queue[i], next_out + static_cast<int>(i));
  }
  queue.truncate(2);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue[1], next_out + 1);
  queue.clear();
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueue, IsAStringConsumedFromItsFront) {
  ByteQueue queue;
  std::string model;
  std::uint64_t state = 1;
  for (int round = 0; round < 3000; ++round) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::size_t amount = (state >> 33) % 700;
    if ((state >> 60) % 2 == 0) {
      const std::string bytes(amount, static_cast<char>('a' + round % 26));
      queue.append(bytes);
      model += bytes;
    } else if ((state >> 61) % 4 == 0) {
      const std::size_t count = std::min(amount / 8, model.size());
      queue.drop_back(count);
      model.resize(model.size() - count);
    } else {
      const std::size_t count = std::min(amount, model.size());
      queue.drop_front(count);
      model.erase(0, count);
    }
    ASSERT_EQ(queue.front(queue.size()), model);
  }
  queue.append(std::string(1'000'000, 'x'));
  queue.clear();
  EXPECT_TRUE(queue.empty());
  queue.append("after");
  EXPECT_EQ(queue.front(5), "after");
}

}  // namespace
}  // namespace polarsim::sim
