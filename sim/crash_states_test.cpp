// The enumeration against small windows worked out by hand, and against random crashes.
#include "sim/crash_states.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

DiskParameters instant_disk(bool unordered = false) {
  DiskParameters parameters;
  parameters.read_latency = parameters.write_latency = parameters.sync_latency =
      DurationDistribution::constant(Duration(0));
  parameters.bandwidth_bytes_per_s = 0;
  parameters.unordered_names = unordered;
  return parameters;
}

std::string sectors(char fill, std::size_t count = 1) { return std::string(count * sector_bytes, fill); }

struct Machine {
  explicit Machine(std::uint64_t seed = 1, bool unordered = false) : world({"h"}, seed) {
    disk().set_parameters(instant_disk(unordered));
  }
  Disk& disk() { return world.host("h").disk(); }
  File open(const std::string& path) { return *disk().open(path, OpenMode::create); }
  TestWorld world;
};

// One line a state: "path=first byte of each sector", 0 for zero, ! for unreadable.
std::string describe(const DiskImage& image) {
  std::string out;
  for (const auto& [path, entry] : image.entries) {
    out += (out.empty() ? "" : " ") + path + (entry.is_directory ? "/" : "=");
    for (std::size_t at = 0; at < entry.contents.size(); at += sector_bytes) {
      out += entry.contents[at] == '\0' ? '0' : entry.contents[at];
    }
    for (const std::uint64_t sector : entry.unreadable) out += "!" + std::to_string(sector);
  }
  return out;
}

// Every byte counts.
std::string in_full(const DiskImage& image) {
  std::string out = describe(image);
  for (const auto& [path, entry] : image.entries) out += " " + entry.contents;
  return out;
}

std::vector<std::string> states(Machine& machine, std::string (*text)(const DiskImage&) = describe) {
  std::vector<std::string> found;
  const auto count = visit_crash_states(machine.disk(), [&](const DiskImage& image) { found.push_back(text(image)); });
  EXPECT_TRUE(count) << count.error();
  EXPECT_EQ(count.value_or(0), found.size());
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), found.size()) << "each state once";
  return found;
}

std::set<std::string> as_set(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

// The states that random crashes of the same history leave.
std::set<std::string> crashed(const std::function<void(Machine&)>& history, bool unordered, std::uint64_t seeds) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Machine machine(seed, unordered);
    history(machine);
    machine.disk().crash();
    found.insert(in_full(durable_image(machine.disk())));
  }
  return found;
}

void synced_file(Machine& machine) {
  File file = machine.open("f");
  file.write(0, sectors('a', 3));
  file.sync();
  machine.disk().sync_directory();
}

TEST(CrashStates, OfADurableDiskThereIsOne) {
  Machine machine;
  synced_file(machine);
  EXPECT_EQ(states(machine), (std::vector<std::string>{"f=aaa"}));
}

TEST(CrashStates, OfOneWriteEachSectorIsThereOrNot) {
  Machine machine;
  synced_file(machine);
  machine.open("f").write(0, sectors('b', 2));
  EXPECT_EQ(states(machine), (std::vector<std::string>{"f=aaa", "f=baa", "f=aba", "f=bba"})) << "in this order";
}

TEST(CrashStates, OfAnAppendTheSizeIsAChoiceOfItsOwn) {
  Machine machine;
  synced_file(machine);
  machine.open("f").write(3 * sector_bytes, sectors('b'));
  EXPECT_EQ(as_set(states(machine)), (std::set<std::string>{"f=aaa", "f=aaa0", "f=aaab"}));
}

TEST(CrashStates, OfACutAndALaterWriteNothingComesBackThatTheCutTook) {
  Machine machine;
  synced_file(machine);
  File file = machine.open("f");
  file.truncate(sector_bytes);
  file.write(2 * sector_bytes, sectors('b'));
  EXPECT_EQ(as_set(states(machine)), (std::set<std::string>{"f=aaa", "f=aab", "f=a", "f=a00", "f=a0b"}));
}

TEST(CrashStates, NamesInOrder) {
  Machine machine;
  machine.disk().make_directory("d");
  machine.open("d/x");
  machine.open("y");
  EXPECT_EQ(states(machine), (std::vector<std::string>{"", "d/", "d/ d/x=", "d/ d/x= y="}));
}

TEST(CrashStates, NamesOfDifferentDirectoriesWithoutOrder) {
  Machine machine(1, true);
  machine.disk().make_directory("d");
  machine.disk().make_directory("e");
  machine.disk().sync_directory();
  machine.open("d/x");
  machine.open("e/y");
  machine.disk().rename("d/x", "e/z");
  EXPECT_EQ(as_set(states(machine)),
            (std::set<std::string>{"d/ e/", "d/ d/x= e/", "d/ e/ e/y=", "d/ d/x= e/ e/y=", "d/ e/ e/y= e/z="}))
      << "the rename, of both directories, comes last and is whole";
}

TEST(CrashStates, AnAtomicReplaceHasThreeOutcomes) {
  Machine machine;
  synced_file(machine);
  File fresh = machine.open("g");
  fresh.write(0, sectors('b'));
  fresh.sync();
  machine.disk().rename("g", "f");
  EXPECT_EQ(states(machine), (std::vector<std::string>{"f=aaa", "f=aaa g=b", "f=b"}));
}

TEST(CrashStates, DamageIsPartOfTheState) {
  Machine machine;
  synced_file(machine);
  machine.disk().make_unreadable("f", 1);
  machine.open("f").write(0, sectors('b', 3));
  // The write of the whole file rewrites the bad sector, if it gets there.
  EXPECT_EQ(as_set(states(machine)),
            (std::set<std::string>{"f=aaa!1", "f=baa!1", "f=aab!1", "f=bab!1", "f=aba", "f=bba", "f=abb", "f=bbb"}));
}

TEST(CrashStates, AWriteBesideHiddenDamageMayHealIt) {
  Machine machine;
  synced_file(machine);
  File file = machine.open("f");
  file.write(sector_bytes, sectors('b'));
  DiskParameters parameters = instant_disk();
  parameters.lost_write = 1;
  machine.disk().set_parameters(parameters);
  file.sync();
  machine.disk().set_parameters(instant_disk());
  EXPECT_EQ(states(machine), (std::vector<std::string>{"f=aaa"}));
  file.write(0, sectors('c'));
  EXPECT_EQ(as_set(states(machine)), (std::set<std::string>{"f=aaa", "f=caa", "f=aba", "f=cba"}))
      << "the page is written sector by sector";
}

TEST(CrashStates, ACutThatSurvivesCutsTheDamageToo) {
  Machine machine;
  synced_file(machine);
  machine.disk().damage("f", 300, 1);
  File file = machine.open("f");
  file.truncate(100);
  file.truncate(sector_bytes);
  const auto count = visit_crash_states(machine.disk(), [](const DiskImage& image) {
    const std::string& bytes = image.entries.at("f").contents;
    EXPECT_EQ(bytes.substr(0, 100), std::string(100, 'a'));
    // Only without the cut there is something behind it.
    if (bytes.size() > sector_bytes) return;
    EXPECT_TRUE(bytes.size() == 100 || bytes.size() == sector_bytes) << bytes.size();
    EXPECT_EQ(bytes.find_first_not_of('\0', 100), std::string::npos);
  });
  EXPECT_EQ(*count, 3u);
}

TEST(CrashStates, AnImageCanBeLoadedAndRecoveredFrom) {
  Machine machine;
  synced_file(machine);
  machine.disk().make_directory("d");
  machine.open("d/x").write(0, "x");
  machine.disk().make_unreadable("f", 2);
  int visited = 0;
  const auto count = visit_crash_states(machine.disk(), [&](const DiskImage& image) {
    Machine other(2);
    File stale = other.open("stale");
    other.disk().load(image);
    EXPECT_EQ(durable_image(other.disk()), image);
    EXPECT_FALSE(other.disk().exists("stale"));
    EXPECT_EQ(stale.write(0, "x").error(), DiskError::offline);
    other.disk().crash();
    EXPECT_EQ(durable_image(other.disk()), image) << "what was loaded is durable";
    ++visited;
  });
  EXPECT_EQ(visited, 5) << "nothing, d, d/x with no, a zero, or its byte";
  EXPECT_EQ(*count, 5u);
}

TEST(CrashStates, LimitsAreSaidAndNothingIsVisited) {
  Machine machine;
  synced_file(machine);
  File file = machine.open("f");
  for (int i = 0; i < 13; ++i) file.write(0, sectors('b'));
  const auto visit = [](const DiskImage&) { FAIL(); };
  EXPECT_EQ(visit_crash_states(machine.disk(), visit).error(),
            "at least 13 changes are not durable, and the limit is 12");
  file.sync();
  file.write(0, sectors('c', 64));
  EXPECT_EQ(visit_crash_states(machine.disk(), visit).error(),
            "at least 18446744073709551615 combinations of changes may survive, and the limit is 1000000");
}

TEST(CrashStates, TheRenameOfADirectoryNeedsEverythingBefore) {
  const auto history = [](Machine& machine) {
    machine.disk().make_directory("d");
    machine.disk().make_directory("e");
    machine.disk().sync_directory();
    machine.open("e/x");
    machine.disk().rename("d", "g");
  };
  Machine machine(1, true);
  history(machine);
  const std::set<std::string> allowed = as_set(states(machine, in_full));
  EXPECT_EQ(allowed.size(), 3u) << "no rename without the file";
  EXPECT_EQ(crashed(history, true, 300), allowed);
}

// Random histories: what random crashes leave is what the enumeration has visited, and nothing of it is out of reach.
void random_history(Machine& machine, std::uint64_t seed, int steps) {
  RandomStream random("history", seed, nullptr);
  Disk& disk = machine.disk();
  disk.make_directory("d");
  disk.make_directory("e");
  File start = machine.open("d/a");
  start.write(0, sectors('s', 2));
  start.sync();
  disk.sync_directory("d");
  disk.sync_directory();
  const auto name = [&random] {
    static constexpr const char* names[] = {"d/a", "d/b", "e/a", "e/b", "d/c", "e"};
    return std::string(names[random.below(6)]);
  };
  for (int i = 0; i < steps; ++i) {
    const std::uint64_t kind = random.below(10);
    const std::string first = name();
    const std::string second = name();
    const std::uint64_t offset = random.below(3) * 256;
    const std::uint64_t length = 1 + random.below(600);
    const auto bytes = std::string(length, static_cast<char>('A' + i));
    if (kind < 4) {
      if (auto file = disk.open(first, OpenMode::create)) file->write(offset, bytes);
    } else if (kind < 5) {
      if (auto file = disk.open(first, OpenMode::existing)) file->truncate(offset);
    } else if (kind < 7) {
      disk.rename(first, second);
    } else if (kind < 8) {
      disk.remove(first);
    } else if (kind < 9) {
      if (auto file = disk.open(first, OpenMode::existing)) file->sync();
    } else {
      disk.sync_directory("d");
    }
  }
}

void compare_with_random_crashes(bool unordered) {
  std::size_t compared = 0;
  std::size_t largest = 0;
  for (std::uint64_t history = 0; history < 60; ++history) {
    const auto steps = static_cast<int>(2 + history % 5);
    Machine machine(1, unordered);
    random_history(machine, history, steps);
    const std::set<std::string> allowed = as_set(states(machine, in_full));
    const std::uint64_t seeds = allowed.size() <= 12 ? 1500 : 200;
    const std::set<std::string> found =
        crashed([&](Machine& other) { random_history(other, history, steps); }, unordered, seeds);
    for (const std::string& state : found) EXPECT_TRUE(allowed.contains(state)) << "history " << history;
    largest = std::max(largest, allowed.size());
    if (allowed.size() > 12) continue;
    EXPECT_EQ(found, allowed) << "history " << history;
    ++compared;
  }
  EXPECT_GT(compared, 10u);
  EXPECT_GT(largest, 30u);
}

TEST(CrashStates, RandomCrashesLeaveExactlyTheStatesInOrder) { compare_with_random_crashes(false); }
TEST(CrashStates, RandomCrashesLeaveExactlyTheStatesWithoutOrder) { compare_with_random_crashes(true); }

}  // namespace
}  // namespace polarsim::sim
