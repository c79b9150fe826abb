#include "sim/disk_device.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

DiskParameters reads_of(Duration latency) {
  DiskParameters parameters;
  parameters.read_latency = DurationDistribution::constant(latency);
  parameters.write_latency = parameters.sync_latency = DurationDistribution::constant(Duration(0));
  parameters.bandwidth_bytes_per_s = 0;
  return parameters;
}

class DiskDeviceTest : public ::testing::Test {
 protected:
  DiskDeviceTest() : world_({"h", "g"}) {
    for (const char* host : {"h", "g"}) {
      disk(host).set_parameters(reads_of(milliseconds(1)));
      File file = *disk(host).open("f", OpenMode::create);
      EXPECT_TRUE(file.write(0, std::string(8000, 'x')));
    }
  }
  Disk& disk(const std::string& host = "h") { return world_.host(host).disk(); }
  BlockDevice& device() { return disk().device(); }
  // Reads in a task of its own and notes when it ended, in microseconds.
  void read(const std::string& host, const std::string& name, std::uint64_t bytes = 1) {
    world_.spawn(host, [this, host, name, bytes] {
      std::string out;
      const auto found = disk(host).open("f", OpenMode::existing)->read(0, bytes, out);
      const auto at = nanoseconds(world_.now()) / 1000;
      ended_.push_back(name + (found ? "" : "!") + std::to_string(at));
    });
  }
  using Ends = std::vector<std::string>;

  TestWorld world_;
  Ends ended_;
};

TEST_F(DiskDeviceTest, WithoutLimitsRequestsOverlap) {
  for (const char* name : {"a", "b", "c"}) read("h", name);
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a1000", "b1000", "c1000"}));
  EXPECT_EQ(device().statistics().requests, 3u);
  EXPECT_EQ(device().statistics().queue_wait, Duration(0));
  EXPECT_EQ(device().statistics().service, milliseconds(3));
  EXPECT_EQ(device().statistics().latency[10], 3u) << "less than 1024 microseconds";
}

TEST_F(DiskDeviceTest, TheQueueDepthBoundsThoseInService) {
  device().set_parameters({.queue_depth = 2});
  for (const char* name : {"a", "b", "c", "d", "e"}) read("h", name);
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a1000", "b1000", "c2000", "d2000", "e3000"}));
  EXPECT_EQ(device().statistics().queued_max, 3u);
  EXPECT_EQ(device().statistics().queue_wait, milliseconds(1 + 1 + 2));
  EXPECT_EQ(device().statistics().in_service, 0u);
  EXPECT_EQ(device().statistics().queued, 0u);
}

TEST_F(DiskDeviceTest, TheOracleMayChooseWhoIsNext) {
  std::set<Ends> orders;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    TestWorld world({"h"}, seed);
    Disk& disk = world.host("h").disk();
    disk.set_parameters(reads_of(milliseconds(1)));
    disk.device().set_parameters({.queue_depth = 1, .order = QueueOrder::random});
    Ends order;
    for (const char* name : {"a", "b", "c", "d"}) {
      world.spawn("h", [&, name] {
        std::string out;
        static_cast<void>(disk.open("f", OpenMode::create)->read(0, 1, out));
        order.push_back(name);
      });
    }
    world.run();
    EXPECT_EQ(order.front(), "a") << "it found the device idle";
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST_F(DiskDeviceTest, TheOperationLimitSpacesRequests) {
  device().set_parameters({.operations_per_s = 200});
  for (const char* name : {"a", "b", "c"}) read("h", name);
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a1000", "b6000", "c11000"}));
}

TEST_F(DiskDeviceTest, TheBandwidthIsSharedByAllFiles) {
  device().set_parameters({.shared_bandwidth_bytes_per_s = 1'000'000});
  read("h", "a", 4000);
  read("h", "b", 4000);
  read("h", "c", 1000);
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a4000", "b8000", "c9000"}));
}

TEST_F(DiskDeviceTest, ASyncCarriesWhatBufferedWritesLeft) {
  device().set_parameters({.operations_per_s = 1000, .shared_bandwidth_bytes_per_s = 1'000'000});
  File file = *disk().open("f", OpenMode::existing);
  world_.spawn("h", [&] {
    file.sync();
    ended_.push_back("first" + std::to_string(nanoseconds(world_.now()) / 1000));
    file.write(0, std::string(500, 'y'));
    ended_.push_back("write" + std::to_string(nanoseconds(world_.now()) / 1000));
    file.sync();
    ended_.push_back("second" + std::to_string(nanoseconds(world_.now()) / 1000));
  });
  world_.run();
  EXPECT_EQ(ended_, (Ends{"first8000", "write8000", "second8500"})) << "a buffered write does not reach the device";
}

TEST_F(DiskDeviceTest, DisksMayShareADevice) {
  disk("g").set_device(std::make_shared<BlockDevice>(world_.simulation, "shared"));
  auto shared = std::make_shared<BlockDevice>(world_.simulation, "array");
  shared->set_parameters({.queue_depth = 1});
  disk("h").set_device(shared);
  disk("g").set_device(shared);
  read("h", "a");
  read("g", "b");
  read("h", "c");
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a1000", "b2000", "c3000"}));
  EXPECT_EQ(shared->statistics().requests, 3u);
}

TEST_F(DiskDeviceTest, AStallFreezesWhatIsUnderWayAndWhatComes) {
  read("h", "a");
  world_.simulation.scheduler().call_at(time_zero + microseconds(500),
                                        [&] { device().stall_until(time_zero + milliseconds(5)); });
  world_.simulation.scheduler().call_at(time_zero + milliseconds(2), [&] { read("h", "b"); });
  world_.simulation.scheduler().call_at(time_zero + milliseconds(2), [&] {
    world_.spawn("h", [&] {
      disk().open("f", OpenMode::existing)->write(0, "buffered");
      ended_.push_back("w" + std::to_string(nanoseconds(world_.now()) / 1000));
    });
  });
  world_.run();
  EXPECT_EQ(ended_, (Ends{"w2000", "a5000", "b5000"}));
}

TEST_F(DiskDeviceTest, RequestsMayStallTheDevice) {
  DeviceParameters parameters;
  parameters.stall = 1;
  parameters.stall_time = DurationDistribution::constant(milliseconds(3));
  device().set_parameters(parameters);
  read("h", "a");
  world_.simulation.scheduler().call_at(time_zero + milliseconds(2), [&] {
    device().set_parameters({});
    read("h", "b");
  });
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a3000", "b3000"}));
}

TEST_F(DiskDeviceTest, ACrashGivesTheSlotsBack) {
  auto shared = std::make_shared<BlockDevice>(world_.simulation, "array");
  shared->set_parameters({.queue_depth = 1});
  disk("h").set_device(shared);
  disk("g").set_device(shared);
  for (const char* name : {"a", "b", "c"}) read("h", name);
  read("g", "other");
  world_.simulation.scheduler().call_at(time_zero + microseconds(500), [&] { world_.host("h").crash(); });
  world_.run();
  EXPECT_EQ(ended_, (Ends{"other1500"})) << "one was in service, two were queued before it";
  EXPECT_EQ(shared->statistics().in_service, 0u);
  EXPECT_EQ(shared->statistics().queued, 0u);
}

TEST_F(DiskDeviceTest, AWiderQueueAdmitsThoseWhoWait) {
  device().set_parameters({.queue_depth = 1});
  for (const char* name : {"a", "b", "c"}) read("h", name);
  world_.simulation.scheduler().call_at(time_zero + microseconds(500), [&] { device().set_parameters({}); });
  world_.run();
  EXPECT_EQ(ended_, (Ends{"a1000", "b1500", "c1500"}));
}

}  // namespace
}  // namespace polarsim::sim
