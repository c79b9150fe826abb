#include "sim/disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/test_disk.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A host whose disk takes no time: no call blocks, so the tests of what is kept need no task.
struct Machine {
  explicit Machine(std::uint64_t seed = 1) : world({"h"}, seed) { disk().set_parameters(instant_disk()); }

  Host& host() { return world.host("h"); }
  Disk& disk() { return host().disk(); }
  File open(const std::string& path, OpenMode mode = OpenMode::create) {
    auto file = disk().open(path, mode);
    EXPECT_TRUE(file) << to_string(file.error());
    return *file;
  }
  static std::string contents(const File& file) {
    std::string out;
    EXPECT_TRUE(file.read(0, file.size() + 10, out));
    return out;
  }
  std::string contents(const std::string& path) { return contents(open(path, OpenMode::existing)); }
  void power_cycle() {
    host().crash();
    host().boot();
  }
  void make_durable(File& file) {
    ASSERT_TRUE(file.sync());
    ASSERT_TRUE(disk().sync_directory());
  }

  TestWorld world;
};

class DiskTest : public ::testing::Test, public Machine {};

// What `outcome` shows after a crash that follows `prepare`, over many seeds.
std::set<std::string> outcomes(const std::function<void(Machine&)>& prepare,
                               const std::function<std::string(Machine&)>& outcome) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Machine machine(seed);
    prepare(machine);
    machine.power_cycle();
    seen.insert(outcome(machine));
  }
  return seen;
}

std::string first_of_each_sector(const std::string& bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += sector_bytes) out += bytes[i] == '\0' ? '0' : bytes[i];
  return out;
}

TEST_F(DiskTest, ReadsBackWhatWasWrittenAcrossBlocks) {
  File file = open("f");
  std::string expected;
  for (int i = 0; i < 5000; ++i) expected += std::to_string(i) + " ";
  ASSERT_TRUE(file.write(0, expected));
  ASSERT_TRUE(file.write(8190, "ABCD"));
  expected.replace(8190, 4, "ABCD");
  EXPECT_EQ(file.size(), expected.size());
  EXPECT_EQ(contents(file), expected);
  std::string out = "kept:";
  EXPECT_EQ(*file.read(8190, 4, out), 4u);
  EXPECT_EQ(out, "kept:ABCD");
  EXPECT_EQ(*file.read(expected.size() - 2, 100, out), 2u);
  EXPECT_EQ(*file.read(expected.size() + 5, 100, out), 0u);
}

TEST_F(DiskTest, GapsAndCutsReadAsZero) {
  File file = open("f");
  ASSERT_TRUE(file.write(10, "x"));
  EXPECT_EQ(contents(file), std::string(10, '\0') + "x");
  ASSERT_TRUE(file.write(0, "0123456789abc"));
  ASSERT_TRUE(file.truncate(4));
  EXPECT_EQ(contents(file), "0123");
  ASSERT_TRUE(file.truncate(6));
  EXPECT_EQ(contents(file), std::string("0123\0\0", 6));
  ASSERT_TRUE(file.write(1ULL << 33, "far"));
  std::string out;
  ASSERT_TRUE(file.read((1ULL << 33) - 2, 5, out));
  EXPECT_EQ(out, std::string("\0\0far", 5));
}

TEST_F(DiskTest, OpenModes) {
  EXPECT_EQ(disk().open("f", OpenMode::existing).error(), DiskError::not_found);
  File file = open("f", OpenMode::create_new);
  ASSERT_TRUE(file.write(0, "kept"));
  EXPECT_EQ(disk().open("f", OpenMode::create_new).error(), DiskError::exists);
  EXPECT_EQ(contents(open("f", OpenMode::create)), "kept");
  EXPECT_EQ(open("f", OpenMode::existing).path(), "f");
  EXPECT_EQ(File().sync().error(), DiskError::offline);
}

TEST_F(DiskTest, NamesListRemoveAndRename) {
  ASSERT_TRUE(disk().make_directory("b"));
  for (const char* path : {"b/2", "a", "b/10", "c"}) open(path);
  EXPECT_EQ(disk().list(), (std::vector<std::string>{"a", "b/10", "b/2", "c"}));
  EXPECT_EQ(disk().list("b/"), (std::vector<std::string>{"b/10", "b/2"}));
  ASSERT_TRUE(open("a").write(0, "from a"));
  File displaced = open("c");
  ASSERT_TRUE(displaced.write(0, "from c"));
  ASSERT_TRUE(disk().rename("a", "c"));
  EXPECT_FALSE(disk().exists("a"));
  EXPECT_EQ(contents("c"), "from a");
  EXPECT_EQ(contents(displaced), "from c") << "an open file lives on without a name";
  ASSERT_TRUE(disk().remove("c"));
  EXPECT_FALSE(disk().exists("c"));
  EXPECT_EQ(disk().remove("c").error(), DiskError::not_found);
  EXPECT_EQ(disk().rename("c", "d").error(), DiskError::not_found);
  ASSERT_TRUE(disk().rename("b/2", "b/2"));
  EXPECT_TRUE(disk().exists("b/2"));
}

TEST_F(DiskTest, CapacityBoundsWritesAndCutsAndRemovalsGiveBack) {
  DiskParameters parameters = instant_disk();
  parameters.capacity_bytes = 1000;
  disk().set_parameters(parameters);
  File file = open("f");
  ASSERT_TRUE(file.write(0, std::string(600, 'x')));
  File other = open("g");
  EXPECT_EQ(other.write(0, std::string(401, 'y')).error(), DiskError::no_space);
  EXPECT_EQ(other.size(), 0u) << "nothing of a write that does not fit";
  ASSERT_TRUE(other.write(0, std::string(400, 'y')));
  ASSERT_TRUE(file.write(0, std::string(600, 'z'))) << "overwriting takes no space";
  EXPECT_EQ(file.truncate(601).error(), DiskError::no_space);
  EXPECT_EQ(file.write(~std::uint64_t{0} - 1, "x").error(), DiskError::no_space);
  ASSERT_TRUE(file.truncate(500));
  ASSERT_TRUE(other.write(400, std::string(100, 'y')));
  ASSERT_TRUE(disk().remove("f"));
  ASSERT_TRUE(other.write(0, std::string(1000, 'y')));
  make_durable(other);
  power_cycle();
  EXPECT_EQ(open("h").write(0, "x").error(), DiskError::no_space) << "the crash has kept the account";
}

TEST_F(DiskTest, SyncedContentsAndNamesSurvive) {
  for (int i = 0; i < 50; ++i) {
    File file = open("f");
    const std::string expected = std::to_string(i) + sectors('a' + i % 26, 3);
    ASSERT_TRUE(file.truncate(0));
    ASSERT_TRUE(file.write(0, expected));
    make_durable(file);
    power_cycle();
    EXPECT_EQ(contents("f"), expected);
    EXPECT_EQ(disk().durable_contents("f"), expected);
  }
}

TEST_F(DiskTest, UnsyncedWritesMayVanishSurviveOrTearBetweenSectors) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a', 3)));
        machine.make_durable(file);
        ASSERT_TRUE(file.write(0, sectors('b', 3)));
      },
      [](Machine& machine) { return first_of_each_sector(machine.contents("f")); });
  EXPECT_EQ(seen, (std::set<std::string>{"aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"}));
}

TEST_F(DiskTest, OfTwoUnsyncedWritesEitherMaySurviveAlone) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a', 2)));
        machine.make_durable(file);
        ASSERT_TRUE(file.write(0, sectors('b')));
        ASSERT_TRUE(file.write(sector_bytes, sectors('c')));
        ASSERT_TRUE(file.write(0, sectors('d')));
      },
      [](Machine& machine) { return first_of_each_sector(machine.contents("f")); });
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ac", "ba", "bc", "da", "dc"}));
}

TEST_F(DiskTest, ASectorNeverTearsInside) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a')));
        machine.make_durable(file);
        ASSERT_TRUE(file.write(100, "bbb"));
        ASSERT_TRUE(file.write(200, "ccc"));
      },
      [](Machine& machine) {
        const std::string bytes = machine.contents("f");
        return bytes.substr(99, 5) + bytes.substr(199, 5);
      });
  EXPECT_EQ(seen, (std::set<std::string>{"aaaaaaaaaa", "abbbaaaaaa", "abbbaaccca"}));
}

TEST_F(DiskTest, UnsyncedGrowthKeepsAnySizeAndReadsZeroWhereNothingWasKept) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a')));
        machine.make_durable(file);
        ASSERT_TRUE(file.write(sector_bytes, sectors('b')));
        ASSERT_TRUE(file.write(2 * sector_bytes, sectors('c')));
      },
      [](Machine& machine) { return first_of_each_sector(machine.contents("f")); });
  EXPECT_EQ(seen, (std::set<std::string>{"a", "ab", "a0", "abc", "a0c", "ab0", "a00"}));
}

TEST_F(DiskTest, ACutThatDoesNotSurviveBringsItsBytesBack) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a', 3)));
        machine.make_durable(file);
        ASSERT_TRUE(file.truncate(sector_bytes));
      },
      [](Machine& machine) { return first_of_each_sector(machine.contents("f")); });
  EXPECT_EQ(seen, (std::set<std::string>{"aaa", "a"}));
}

TEST_F(DiskTest, ACutThatSurvivesNeverShowsItsBytesAgain) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, sectors('a', 3)));
        machine.make_durable(file);
        ASSERT_TRUE(file.truncate(sector_bytes));
        ASSERT_TRUE(file.write(3 * sector_bytes, sectors('b')));
      },
      [](Machine& machine) { return first_of_each_sector(machine.contents("f")); });
  EXPECT_EQ(seen, (std::set<std::string>{"aaa", "a", "a00b", "a000"}));
}

TEST_F(DiskTest, NamesAreUndoneFromTheNewestBack) {
  const auto seen = outcomes(
      [](Machine& machine) {
        machine.open("a");
        machine.open("b");
        ASSERT_TRUE(machine.disk().sync_directory());
        machine.open("c");
        ASSERT_TRUE(machine.disk().remove("b"));
        ASSERT_TRUE(machine.disk().rename("a", "d"));
      },
      [](Machine& machine) {
        std::string names;
        for (const std::string& name : machine.disk().list()) names += name;
        return names;
      });
  EXPECT_EQ(seen, (std::set<std::string>{"ab", "abc", "ac", "cd"}));
}

TEST_F(DiskTest, ARenameOverAnotherFileIsAtomic) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File old_file = machine.open("f");
        ASSERT_TRUE(old_file.write(0, "old"));
        machine.make_durable(old_file);
        File new_file = machine.open("f.new");
        ASSERT_TRUE(new_file.write(0, "new"));
        ASSERT_TRUE(new_file.sync());
        ASSERT_TRUE(machine.disk().rename("f.new", "f"));
      },
      [](Machine& machine) { return machine.contents("f") + (machine.disk().exists("f.new") ? " both" : ""); });
  EXPECT_EQ(seen, (std::set<std::string>{"old", "old both", "new"}));
}

TEST_F(DiskTest, ASyncOfTheFileDoesNotKeepItsName) {
  const auto seen = outcomes(
      [](Machine& machine) {
        File file = machine.open("f");
        ASSERT_TRUE(file.write(0, "x"));
        ASSERT_TRUE(file.sync());
        EXPECT_EQ(machine.disk().durable_contents("f"), "");
      },
      [](Machine& machine) { return machine.disk().exists("f") ? "kept" : "lost"; });
  EXPECT_EQ(seen, (std::set<std::string>{"kept", "lost"}));
}

TEST_F(DiskTest, TheCleanOutcomesStayLikely) {
  int lost = 0, kept = 0, names_lost = 0, names_kept = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Machine machine(seed);
    File file = machine.open("f");
    ASSERT_TRUE(file.write(0, sectors('a', 50)));
    machine.make_durable(file);
    for (std::uint64_t i = 0; i < 50; ++i) {
      ASSERT_TRUE(file.write(i * sector_bytes, sectors('b')));
      machine.open("n" + std::to_string(i));
    }
    machine.power_cycle();
    lost += machine.contents("f") == sectors('a', 50) ? 1 : 0;
    kept += machine.contents("f") == sectors('b', 50) ? 1 : 0;
    names_lost += machine.disk().list("n").empty() ? 1 : 0;
    names_kept += machine.disk().list("n").size() == 50 ? 1 : 0;
  }
  // A quarter each and a little more; the bounds are beyond four standard deviations.
  for (const int count : {lost, kept, names_lost, names_kept}) {
    EXPECT_GT(count, 65);
    EXPECT_LT(count, 150);
  }
}

TEST_F(DiskTest, AFailedSyncKeepsNothingAndMayBeTriedAgain) {
  DiskParameters parameters = instant_disk();
  parameters.sync_failure = 1;
  disk().set_parameters(parameters);
  File file = open("f");
  ASSERT_TRUE(file.write(0, "x"));
  EXPECT_EQ(file.sync().error(), DiskError::io_error);
  EXPECT_EQ(disk().sync_directory().error(), DiskError::io_error);
  disk().set_parameters(instant_disk());
  ASSERT_TRUE(disk().sync_directory());
  EXPECT_EQ(disk().durable_contents("f"), "");
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(disk().durable_contents("f"), "x");
}

TEST_F(DiskTest, ALyingSyncKeepsNothing) {
  File file = open("f");
  ASSERT_TRUE(file.write(0, "old"));
  make_durable(file);
  DiskParameters parameters = instant_disk();
  parameters.lying_syncs = true;
  disk().set_parameters(parameters);
  ASSERT_TRUE(file.write(0, "new"));
  ASSERT_TRUE(disk().rename("f", "g"));
  make_durable(file);
  EXPECT_EQ(disk().durable_contents("f"), "old");
  EXPECT_EQ(disk().durable_contents("g"), "");
}

TEST_F(DiskTest, DurableContentsAreThoseOfTheLastSync) {
  File file = open("f");
  ASSERT_TRUE(file.write(0, "synced"));
  make_durable(file);
  ASSERT_TRUE(file.write(0, "later contents"));
  ASSERT_TRUE(file.truncate(3));
  EXPECT_EQ(disk().durable_contents("f"), "synced");
  ASSERT_TRUE(disk().rename("f", "g"));
  EXPECT_EQ(disk().durable_contents("f"), "synced");
  EXPECT_EQ(disk().durable_contents("g"), "");
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(disk().durable_contents("f"), "lat");
}

TEST_F(DiskTest, AHandleIsOfflineOnceItsHostWentDown) {
  File file = open("f");
  make_durable(file);
  host().crash();
  std::string out;
  EXPECT_EQ(file.write(0, "x").error(), DiskError::offline);
  EXPECT_EQ(file.read(0, 1, out).error(), DiskError::offline);
  EXPECT_EQ(disk().open("f", OpenMode::create).error(), DiskError::offline);
  EXPECT_EQ(disk().remove("f").error(), DiskError::offline);
  EXPECT_EQ(disk().rename("f", "g").error(), DiskError::offline);
  EXPECT_EQ(disk().sync_directory().error(), DiskError::offline);
  host().boot();
  EXPECT_EQ(file.sync().error(), DiskError::offline) << "the handle belongs to the former life";
  EXPECT_EQ(file.truncate(0).error(), DiskError::offline);
  EXPECT_TRUE(open("f", OpenMode::existing).sync());
}

TEST_F(DiskTest, ACleanStopLosesNothing) {
  for (int i = 0; i < 20; ++i) {
    File file = open("f" + std::to_string(i));
    ASSERT_TRUE(file.write(0, sectors('x', 4)));
  }
  host().stop();
  host().boot();
  EXPECT_EQ(disk().list().size(), 20u);
  for (const std::string& path : disk().list()) EXPECT_EQ(contents(path), sectors('x', 4));
}

TEST_F(DiskTest, DamageFlipsBitsUntilOverwritten) {
  File file = open("f");
  ASSERT_TRUE(file.write(0, "abc"));
  make_durable(file);
  disk().damage("f", 1, 0x01);
  EXPECT_EQ(contents("f"), "acc");
  EXPECT_EQ(disk().durable_contents("f"), "acc");
  power_cycle();
  EXPECT_EQ(contents("f"), "acc");
  ASSERT_TRUE(open("f").write(1, "b"));
  EXPECT_EQ(contents("f"), "abc");
  disk().damage("f", 1, 0x80);
  EXPECT_EQ(disk().durable_contents("f"), std::string("a\xe3"
                                                      "c"))
      << "the version a crash may bring back";
  disk().damage("f", 100, 1);
  disk().damage("none", 0, 1);
}

TEST_F(DiskTest, OperationsTakeTheDevicesTime) {
  DiskParameters parameters;
  parameters.read_latency = DurationDistribution::constant(microseconds(100));
  parameters.write_latency = DurationDistribution::constant(microseconds(20));
  parameters.sync_latency = DurationDistribution::constant(microseconds(500));
  parameters.bandwidth_bytes_per_s = 1'000'000;
  disk().set_parameters(parameters);
  world.spawn("h", [&] {
    auto took = [&, last = world.now()]() mutable {
      const Duration duration = world.now() - last;
      last = world.now();
      return duration;
    };
    File file = open("f");
    EXPECT_EQ(took(), Duration(0));
    file.write(0, std::string(1000, 'x'));
    EXPECT_EQ(took(), microseconds(20 + 1000));
    file.sync();
    EXPECT_EQ(took(), microseconds(500));
    std::string out;
    file.read(500, 5000, out);
    EXPECT_EQ(took(), microseconds(100 + 500));
    file.truncate(0);
    EXPECT_EQ(took(), microseconds(20));
    disk().sync_directory();
    EXPECT_EQ(took(), microseconds(500));
    parameters.slowdown = 10;
    disk().set_parameters(parameters);
    file.sync();
    EXPECT_EQ(took(), microseconds(5000));
  });
  world.run();
  EXPECT_EQ(disk().statistics().reads, 1u);
  EXPECT_EQ(disk().statistics().writes, 2u);
  EXPECT_EQ(disk().statistics().syncs, 3u);
  EXPECT_EQ(disk().statistics().bytes_read, 500u);
  EXPECT_EQ(disk().statistics().bytes_written, 1000u);
}

TEST_F(DiskTest, ADiskWithoutLatencyDoesNotYield) {
  std::string order;
  world.spawn("h", [&] {
    File file = open("f");
    file.write(0, "x");
    file.sync();
    disk().sync_directory();
    order += "1";
  });
  world.spawn("h", [&] { order += "2"; });
  world.run();
  EXPECT_EQ(order, "12");
}

TEST_F(DiskTest, WhatIsWrittenDuringASyncBelongsToTheNext) {
  DiskParameters parameters = instant_disk();
  parameters.sync_latency = DurationDistribution::constant(milliseconds(1));
  disk().set_parameters(parameters);
  File file = open("f");
  world.spawn("h", [&] {
    file.write(0, "before");
    file.sync();
    disk().sync_directory();
    EXPECT_EQ(disk().durable_contents("f"), "before");
    file.sync();
    EXPECT_EQ(disk().durable_contents("f"), "during");
  });
  world.spawn("h", [&] {
    world.sleep(microseconds(500));
    EXPECT_EQ(disk().durable_contents("f"), "") << "a sync takes effect when it returns";
    file.write(0, "during");
  });
  world.run();
  EXPECT_EQ(disk().durable_contents("f"), "during");
}

TEST_F(DiskTest, ACrashDuringAWriteMayKeepIt) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Machine machine(seed);
    File file = machine.open("f");
    file.write(0, sectors('a'));
    machine.make_durable(file);
    DiskParameters parameters = instant_disk();
    parameters.write_latency = DurationDistribution::constant(milliseconds(1));
    machine.disk().set_parameters(parameters);
    bool returned = false;
    machine.world.spawn("h", [&] {
      file.write(0, sectors('b'));
      returned = true;
    });
    machine.world.simulation.scheduler().call_at(time_zero + microseconds(500), [&] { machine.power_cycle(); });
    machine.world.run();
    EXPECT_FALSE(returned);
    seen.insert(first_of_each_sector(machine.disk().durable_contents("f")));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST_F(DiskTest, ACallerOfAnotherHostIsToldThatTheDiskWentOffline) {
  world.simulation.add_host("other").set_program([](Host& self) { self.scheduler().park("idle"); });
  world.host("other").boot();
  DiskParameters parameters = instant_disk();
  parameters.sync_latency = DurationDistribution::constant(milliseconds(1));
  disk().set_parameters(parameters);
  File file = open("f");
  std::string result;
  world.spawn("other", [&] {
    const auto synced = file.sync();
    result = synced ? "ok" : to_string(synced.error());
  });
  world.simulation.scheduler().call_at(time_zero + microseconds(500), [&] { power_cycle(); });
  world.run();
  EXPECT_EQ(result, "host is down");
}

TEST_F(DiskTest, TheCacheWritesTheOldestBackWhenItHoldsTooMuch) {
  File file = open("f");
  const std::string megabyte(1 << 20, 'x');
  ASSERT_TRUE(file.write(0, megabyte));
  ASSERT_TRUE(disk().sync_directory());
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(file.write(0, megabyte));
  EXPECT_EQ(disk().durable_contents("f"), megabyte) << "the first write has become durable by itself";
  for (int i = 0; i < 10'001; ++i) {
    open("t");
    ASSERT_TRUE(disk().remove("t"));
  }
  EXPECT_EQ(disk().durable_contents("f"), megabyte);
}

}  // namespace
}  // namespace polarsim::sim
