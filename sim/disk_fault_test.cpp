// Faults of the medium, the cache and the device: what reads show, what a power loss leaves, and what is reported.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "sim/crash_states.h"
#include "sim/test_disk.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

constexpr std::uint64_t sectors_in_page = page_bytes / sector_bytes;

std::string pages(char fill, std::size_t count = 1) { return std::string(count * page_bytes, fill); }

class DiskFaultTest : public ::testing::Test {
 protected:
  DiskFaultTest() { disk().set_parameters(instant_disk()); }

  Disk& disk() { return world_.host("h").disk(); }
  File open(const std::string& path, OpenFlags flags = {}) { return *disk().open(path, OpenMode::create, flags); }
  File direct(const std::string& path) { return open(path, {.direct = true}); }
  void set(double DiskParameters::*probability, double value) {
    DiskParameters parameters = disk().parameters();
    parameters.*probability = value;
    disk().set_parameters(parameters);
  }
  // A durable file.
  File synced(const std::string& path, const std::string& bytes) {
    File file = open(path);
    EXPECT_TRUE(file.write(0, bytes));
    EXPECT_TRUE(file.sync());
    EXPECT_TRUE(disk().sync_directory());
    return file;
  }
  // The first byte of each sector, or the error.
  static std::string show(const File& file) {
    std::string bytes;
    const auto found = file.read(0, (file.size() + sector_bytes - 1) / sector_bytes * sector_bytes, bytes);
    if (!found) {
      EXPECT_TRUE(bytes.empty()) << "an error leaves no bytes";
      return to_string(found.error());
    }
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += sector_bytes) out += bytes[at] == '\0' ? '0' : bytes[at];
    return out;
  }
  std::string show(const std::string& path) { return show(open(path)); }
  void power_cycle() {
    world_.host("h").crash();
    world_.host("h").boot();
  }
  std::vector<std::string> report() {
    std::vector<std::string> lines;
    for (const DamagedSector& damaged : disk().damage_report()) {
      lines.push_back(damaged.path + " " + std::to_string(damaged.sector) + " " + to_string(damaged.kind) +
                      (damaged.hidden ? " hidden" : ""));
    }
    return lines;
  }
  using Lines = std::vector<std::string>;

  TestWorld world_{std::initializer_list<const char*>{"h"}};
};

// --- the medium ---

TEST_F(DiskFaultTest, ALatentSectorErrorFailsReadsOfItsPageUntilItIsRewritten) {
  File file = synced("f", pages('a', 2));
  disk().make_unreadable("f", 3);
  EXPECT_EQ(show(file), "input/output error");
  std::string out;
  EXPECT_EQ(file.read(0, 1, out).error(), DiskError::io_error) << "another sector of the page";
  EXPECT_TRUE(file.read(page_bytes, 1, out)) << "another page";
  File raw = direct("f");
  EXPECT_TRUE(raw.read(0, 3 * sector_bytes, out)) << "direct reads ask for sectors";
  EXPECT_EQ(raw.read(3 * sector_bytes, sector_bytes, out).error(), DiskError::io_error);
  EXPECT_EQ(report(), (Lines{"f 3 latent sector error"}));
  power_cycle();
  EXPECT_EQ(show("f"), "input/output error") << "it stays bad";
  EXPECT_EQ(open("f").write(3 * sector_bytes, sectors('b')).error(), DiskError::io_error)
      << "a write of a part of the page reads it first";
  EXPECT_EQ(disk().clean_contents("f"), pages('a', 2)) << "nothing of the failed write";
  ASSERT_TRUE(open("f").write(0, pages('b')));
  EXPECT_EQ(show("f"), std::string(sectors_in_page, 'b') + std::string(sectors_in_page, 'a'));
  ASSERT_TRUE(open("f").sync());
  EXPECT_EQ(report(), Lines{});
}

TEST_F(DiskFaultTest, ADirectWriteHealsTheSectorItRewritesAndNoOther) {
  synced("f", pages('a'));
  disk().make_unreadable("f", 3);
  disk().make_unreadable("f", 4);
  File raw = direct("f");
  ASSERT_TRUE(raw.write(3 * sector_bytes, sectors('b')));
  ASSERT_TRUE(raw.sync());
  EXPECT_EQ(report(), (Lines{"f 4 latent sector error"}));
}

TEST_F(DiskFaultTest, AnUnsyncedRewriteOfABadSectorMayBeLostWithThePower) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    TestWorld world({"h"}, seed);
    Disk& disk = world.host("h").disk();
    disk.set_parameters(instant_disk());
    File file = *disk.open("f", OpenMode::create);
    file.write(0, pages('a'));
    file.sync();
    disk.sync_directory();
    disk.make_unreadable("f", 0);
    file.write(0, pages('b'));
    disk.crash();
    seen.insert(disk.damage_report().empty() ? "healed" : "bad");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"healed", "bad"}));
}

TEST_F(DiskFaultTest, BitRotShowsAndTheCleanContentsAreKeptBeside) {
  File file = synced("f", "abc");
  disk().damage("f", 1, 0x01);
  std::string out;
  ASSERT_TRUE(file.read(0, 3, out));
  EXPECT_EQ(out, "acc");
  EXPECT_EQ(disk().clean_contents("f"), "abc");
  EXPECT_EQ(report(), (Lines{"f 0 bit rot"}));
  ASSERT_TRUE(file.write(0, "A"));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(report(), (Lines{"f 0 bit rot"})) << "the sector was read, changed, and written back with the flaw";
  EXPECT_EQ(disk().durable_contents("f"), "Acc");
  EXPECT_EQ(disk().clean_contents("f"), "Abc");
  ASSERT_TRUE(file.write(0, "xyz"));
  EXPECT_EQ(report(), (Lines{"f 0 bit rot hidden"})) << "not yet on the medium, but in the cache";
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(report(), Lines{});
}

TEST_F(DiskFaultTest, BitRotOfADirtySectorIsInEachOfItsVersions) {
  File file = synced("f", "abc");
  ASSERT_TRUE(file.write(0, "ABC"));
  disk().damage("f", 1, 0x01);
  std::string out;
  ASSERT_TRUE(file.read(0, 3, out));
  EXPECT_EQ(out, "ACC");
  EXPECT_EQ(disk().durable_contents("f"), "acc");
  EXPECT_EQ(disk().clean_contents("f"), "ABC");
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(disk().durable_contents("f"), "ACC");
}

TEST_F(DiskFaultTest, CachedContentsAreWhatReadsShow) {
  File file = synced("f", pages('a', 2));
  EXPECT_EQ(disk().cached_contents("none"), "");
  disk().damage("f", 3, 0x03);
  disk().make_unreadable("f", 9);
  ASSERT_TRUE(file.write(600, "xyz"));
  std::string read;
  ASSERT_TRUE(file.read(0, page_bytes, read));
  EXPECT_EQ(disk().cached_contents("f"), read + pages('a')) << "the sector that cannot be read as it should be";
  EXPECT_NE(disk().cached_contents("f"), disk().clean_contents("f"));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(disk().cached_contents("f").substr(600, 3), "xyz") << "hidden by the cache";
}

TEST_F(DiskFaultTest, ACutEndsTheDamageBehindIt) {
  File file = synced("f", sectors('a', 4));
  disk().damage("f", 3 * sector_bytes, 0x01);
  disk().damage("f", sector_bytes + 100, 0x01);
  ASSERT_TRUE(file.truncate(sector_bytes + 50));
  ASSERT_TRUE(file.truncate(4 * sector_bytes));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(show(file), "aa00");
  EXPECT_EQ(disk().durable_contents("f"), disk().clean_contents("f"));
}

TEST_F(DiskFaultTest, ReadsMayFindNewDamage) {
  File file = synced("f", pages('a'));
  set(&DiskParameters::bit_rot, 1);
  std::string out;
  ASSERT_TRUE(file.read(1024, 512, out));
  int flipped = 0;
  for (const char byte : out) flipped += byte == 'a' ? 0 : 1;
  EXPECT_EQ(flipped, 1);
  EXPECT_EQ(report(), (Lines{"f 2 bit rot"}));
  set(&DiskParameters::bit_rot, 0);
  set(&DiskParameters::latent_sector_error, 1);
  EXPECT_EQ(file.read(2048, 512, out).error(), DiskError::io_error);
  EXPECT_EQ(report(), (Lines{"f 2 bit rot", "f 4 latent sector error"}));
}

// --- writes that go wrong on the way ---

TEST_F(DiskFaultTest, ALostWriteIsHiddenByTheCacheUntilItIsDropped) {
  File file = synced("f", pages('a', 2));
  ASSERT_TRUE(file.write(0, sectors('b', 2)));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.sync()) << "acknowledged";
  set(&DiskParameters::lost_write, 0);
  EXPECT_EQ(show(file).substr(0, 3), "bba");
  EXPECT_EQ(show(direct("f")).substr(0, 3), "aaa") << "direct reads see the medium";
  EXPECT_EQ(report(), (Lines{"f 0 lost write hidden", "f 1 lost write hidden"}));
  ASSERT_TRUE(file.sync()) << "nothing is dirty";
  EXPECT_EQ(report().size(), 2u);
  disk().drop_caches();
  EXPECT_EQ(show(file).substr(0, 3), "aaa");
  EXPECT_EQ(report(), (Lines{"f 0 lost write", "f 1 lost write"}));
  EXPECT_EQ(disk().clean_contents("f").substr(0, 2 * sector_bytes), sectors('b', 2));
  power_cycle();
  EXPECT_EQ(show("f").substr(0, 3), "aaa");
}

TEST_F(DiskFaultTest, AWriteIntoACachedPageHealsItsHiddenDamage) {
  File file = synced("f", pages('a', 2));
  ASSERT_TRUE(file.write(0, pages('b', 2)));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.sync());
  set(&DiskParameters::lost_write, 0);
  EXPECT_EQ(report().size(), 16u);
  ASSERT_TRUE(file.write(7 * sector_bytes, "x")) << "the page is written as a whole";
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(report().size(), 8u);
  power_cycle();
  EXPECT_EQ(show("f"), "bbbbbbbxaaaaaaaa");
}

TEST_F(DiskFaultTest, HiddenDamageStaysWhereThePageIsLostAgain) {
  File file = synced("f", pages('a'));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.write(sector_bytes, sectors('b')));
  ASSERT_TRUE(file.sync());
  ASSERT_TRUE(file.write(0, sectors('c')));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(report(), (Lines{"f 0 lost write hidden", "f 1 lost write hidden"}));
}

TEST_F(DiskFaultTest, AnEvictionShowsTheMedium) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(0, sectors('b')));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.sync());
  set(&DiskParameters::eviction, 1);
  EXPECT_EQ(show(file), "a");
}

TEST_F(DiskFaultTest, ALostDirectWriteIsSeenAtOnce) {
  synced("f", pages('a'));
  File raw = direct("f");
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(raw.write(sector_bytes, sectors('b', 2)));
  set(&DiskParameters::lost_write, 0);
  EXPECT_EQ(show("f"), "aaaaaaaa");
  ASSERT_TRUE(raw.sync());
  EXPECT_EQ(report(), (Lines{"f 1 lost write", "f 2 lost write"}));
  ASSERT_TRUE(raw.write(sector_bytes, sectors('c')));
  EXPECT_EQ(show("f"), "acaaaaaa");
}

TEST_F(DiskFaultTest, ALostDirectWriteUncoversWhatTheCacheHid) {
  File file = synced("f", sectors('a'));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.write(0, sectors('b')));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(show(file), "b");
  ASSERT_TRUE(direct("f").write(0, sectors('c')));
  EXPECT_EQ(show(file), "a") << "a direct write takes its pages out of the cache";
}

TEST_F(DiskFaultTest, ADirectWriteTooLargeToUndoIsDurableWhateverFaultStrikes) {
  // More than the 64 MiB of undo information that are kept for a file.
  constexpr std::size_t count = 70 * 256;
  File raw = direct("f");
  ASSERT_TRUE(raw.write(0, pages('a', count)));
  ASSERT_TRUE(raw.sync());
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(raw.write(0, pages('b', count)));
  EXPECT_TRUE(report().empty());
  ASSERT_TRUE(disk().sync_directory());
  power_cycle();
  EXPECT_EQ(disk().durable_contents("f").find_first_not_of('b'), std::string::npos);
}

TEST_F(DiskFaultTest, AfterALostWriteBytesPastTheEndStayZero) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.truncate(100));
  ASSERT_TRUE(file.write(0, "b"));
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.sync());
  set(&DiskParameters::lost_write, 0);
  disk().drop_caches();
  ASSERT_TRUE(file.truncate(sector_bytes));
  std::string out;
  ASSERT_TRUE(file.read(0, sector_bytes, out));
  EXPECT_EQ(out, std::string(100, 'a') + std::string(412, '\0'));
}

TEST_F(DiskFaultTest, ACutDuringASyncThatLosesItsWritesStillCuts) {
  DiskParameters parameters = instant_disk();
  parameters.sync_latency = DurationDistribution::constant(std::chrono::milliseconds(1));
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(0, sectors('b')));
  parameters.lost_write = 1;
  disk().set_parameters(parameters);
  world_.spawn("h", [&] { EXPECT_TRUE(file.sync()); });
  world_.simulation.scheduler().call_at(time_zero + std::chrono::microseconds(500),
                                        [&] { world_.spawn("h", [&] { EXPECT_TRUE(file.truncate(100)); }); });
  world_.run();
  disk().drop_caches();
  ASSERT_TRUE(file.truncate(sector_bytes));
  std::string out;
  ASSERT_TRUE(file.read(0, sector_bytes, out));
  EXPECT_EQ(out, std::string(100, 'a') + std::string(412, '\0'));
}

TEST_F(DiskFaultTest, AMisdirectedWriteSpoilsAnotherPlaceAndKeepsTheOldBytesInItsOwn) {
  File file = synced("f", sectors('a', 2));
  synced("victim", sectors('v', 20));
  ASSERT_TRUE(file.write(0, sectors('b', 2)));
  set(&DiskParameters::misdirected_write, 1);
  ASSERT_TRUE(file.sync());
  set(&DiskParameters::misdirected_write, 0);
  EXPECT_EQ(show("f"), "bb") << "the cache hides it";
  EXPECT_EQ(show("victim"), std::string(20, 'v'));
  power_cycle();
  EXPECT_EQ(show("f"), "aa");
  std::string victim = show("victim");
  const auto spoiled = std::count(victim.begin(), victim.end(), 'b');
  EXPECT_TRUE(spoiled == 2 || (spoiled == 1 && victim.back() == 'b')) << victim;
  EXPECT_EQ(disk().clean_contents("victim"), sectors('v', 20));
  EXPECT_EQ(disk().clean_contents("f"), sectors('b', 2));
  EXPECT_EQ(report().size(), 2u + static_cast<std::size_t>(spoiled));
  EXPECT_EQ(report().front(), "f 0 lost write");
  EXPECT_NE(report().back().find("misdirected write"), std::string::npos);
}

TEST_F(DiskFaultTest, AMisdirectedWriteOfTheOnlyFileLandsOnAnotherPageOfIt) {
  for (std::uint64_t page = 0; page < 3; ++page) {
    File file = synced("f" + std::to_string(page), pages('a', 3));
    ASSERT_TRUE(file.write(page * page_bytes, pages('b')));
    set(&DiskParameters::misdirected_write, 1);
    ASSERT_TRUE(file.sync());
    set(&DiskParameters::misdirected_write, 0);
    disk().drop_caches();
    EXPECT_EQ(show(file).substr(page * 8, 8), "aaaaaaaa");
    int misdirected = 0;
    for (const DamagedSector& damaged : disk().damage_report()) {
      misdirected += damaged.kind == DamageKind::misdirected_write ? 1 : 0;
    }
    EXPECT_GT(misdirected, 0);
    ASSERT_TRUE(disk().remove("f" + std::to_string(page)));
  }
}

// --- syncs ---

TEST_F(DiskFaultTest, AFailedSyncThatKeepsMayBeTriedAgain) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(0, sectors('b')));
  disk().fail_next_syncs(1, SyncFailure::keeps_dirty);
  EXPECT_EQ(file.sync().error(), DiskError::io_error);
  EXPECT_EQ(disk().durable_contents("f"), sectors('a'));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(disk().durable_contents("f"), sectors('b'));
}

TEST_F(DiskFaultTest, AFailedSyncThatForgetsIsFollowedByOneThatLies) {
  File file = synced("f", pages('a', 2));
  ASSERT_TRUE(file.write(0, sectors('b')));
  disk().fail_next_syncs(1, SyncFailure::forgets);
  EXPECT_EQ(file.sync().error(), DiskError::io_error);
  EXPECT_EQ(show(file).substr(0, 2), "ba") << "the cache still shows it";
  ASSERT_TRUE(file.sync()) << "the pages are clean, says the kernel";
  EXPECT_EQ(report(), (Lines{"f 0 forgotten write hidden"}));
  EXPECT_EQ(disk().durable_contents("f"), pages('a', 2));
  power_cycle();
  EXPECT_EQ(show("f").substr(0, 2), "aa");
  EXPECT_EQ(disk().clean_contents("f").substr(0, 1), "b");
}

TEST_F(DiskFaultTest, ASyncThatForgetsTakesBackNoDamageThatReadsShow) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(0, sectors('b')));
  disk().fail_next_syncs(1, SyncFailure::forgets);
  EXPECT_FALSE(file.sync());
  power_cycle();
  file = open("f");
  ASSERT_TRUE(file.write(0, "c"));
  const auto shown = [&file] {
    std::string bytes;
    EXPECT_TRUE(file.read(0, sector_bytes, bytes).has_value());
    return bytes.substr(0, 3);
  };
  ASSERT_EQ(shown(), "caa") << "written into what the medium holds";
  disk().fail_next_syncs(1, SyncFailure::forgets);
  EXPECT_FALSE(file.sync());
  EXPECT_EQ(shown(), "caa") << "not the clean bytes, which no page holds";
  set(&DiskParameters::lost_write, 1);
  ASSERT_TRUE(file.write(1, "d"));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(shown(), "cda");
}

TEST_F(DiskFaultTest, OfSeveralPagesAForgetfulSyncLosesAtLeastOneAndNotAlwaysAll) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    TestWorld world({"h"}, seed);
    Disk& disk = world.host("h").disk();
    disk.set_parameters(instant_disk());
    File file = *disk.open("f", OpenMode::create);
    file.write(0, pages('a', 2));
    file.sync();
    disk.sync_directory();
    file.write(0, pages('b', 2));
    disk.fail_next_syncs(1, SyncFailure::forgets);
    EXPECT_FALSE(file.sync());
    disk.drop_caches();
    const std::string shown = show(file);
    seen.insert(shown.substr(0, 1) + shown.substr(8, 1));
    EXPECT_EQ(shown, std::string(8, shown[0]) + std::string(8, shown[8])) << "page by page";
  }
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ab", "ba"}));
}

TEST_F(DiskFaultTest, ForgottenGrowthKeepsTheSizeAndReadsZero) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(sector_bytes, sectors('b')));
  disk().fail_next_syncs(1, SyncFailure::forgets);
  EXPECT_FALSE(file.sync());
  power_cycle();
  EXPECT_EQ(show("f"), "a0");
}

TEST_F(DiskFaultTest, WritingForgottenBytesAgainSavesThem) {
  File file = synced("f", sectors('a'));
  ASSERT_TRUE(file.write(0, sectors('b')));
  disk().fail_next_syncs(1, SyncFailure::forgets);
  EXPECT_FALSE(file.sync());
  ASSERT_TRUE(file.write(0, sectors('b')));
  ASSERT_TRUE(file.sync());
  EXPECT_EQ(report(), Lines{});
  power_cycle();
  EXPECT_EQ(show("f"), "b");
}

TEST_F(DiskFaultTest, AFailedSyncOfADirectoryKeepsItsChanges) {
  synced("f", "x");
  open("g");
  disk().fail_next_syncs(2, SyncFailure::forgets);
  EXPECT_EQ(disk().sync_directory().error(), DiskError::io_error);
  EXPECT_EQ(disk().sync_directory().error(), DiskError::io_error);
  ASSERT_TRUE(disk().sync_directory());
  EXPECT_TRUE(durable_image(disk()).entries.contains("g"));
}

// --- space and short writes ---

TEST_F(DiskFaultTest, AShrunkQuotaStopsGrowthOnly) {
  File file = synced("f", std::string(1000, 'a'));
  DiskParameters parameters = instant_disk();
  parameters.capacity_bytes = 500;
  disk().set_parameters(parameters);
  EXPECT_EQ(file.write(1000, "x").error(), DiskError::no_space);
  EXPECT_TRUE(file.write(0, std::string(1000, 'b')));
  ASSERT_TRUE(file.truncate(400));
  EXPECT_TRUE(file.write(400, std::string(100, 'c')));
  EXPECT_EQ(file.write(500, "x").error(), DiskError::no_space);
}

TEST_F(DiskFaultTest, AFileWithoutANameMustHaveRoomOnTheMedium) {
  File file = synced("f", "abc");
  ASSERT_TRUE(disk().remove("f"));
  EXPECT_EQ(file.write(std::uint64_t{1} << 62, "x").error(), DiskError::no_space);
  EXPECT_EQ(file.truncate(~std::uint64_t{0}).error(), DiskError::no_space);
  EXPECT_TRUE(file.write(3, "def"));
  EXPECT_EQ(file.size(), 6u);
}

TEST_F(DiskFaultTest, SpaceMayRunOutWithoutReason) {
  File file = synced("f", "abc");
  set(&DiskParameters::no_space, 1);
  EXPECT_EQ(file.write(3, "d").error(), DiskError::no_space);
  EXPECT_EQ(file.truncate(10).error(), DiskError::no_space);
  EXPECT_TRUE(file.write(0, "xyz")) << "nothing grows";
  EXPECT_TRUE(file.truncate(1));
}

TEST_F(DiskFaultTest, ShortWritesWriteAPrefixAndWriteAllWritesAll) {
  File file = open("f");
  set(&DiskParameters::short_write, 1);
  const std::string bytes = "0123456789abcdefghij";
  const auto written = file.write(0, bytes);
  ASSERT_TRUE(written);
  EXPECT_GT(*written, 0u);
  EXPECT_LT(*written, bytes.size());
  EXPECT_EQ(disk().clean_contents("f"), bytes.substr(0, *written));
  ASSERT_TRUE(file.write_all(0, bytes));
  EXPECT_EQ(disk().clean_contents("f"), bytes);
  File raw = direct("g");
  const auto sector_write = raw.write(0, sectors('x', 4));
  ASSERT_TRUE(sector_write);
  EXPECT_EQ(*sector_write % sector_bytes, 0u);
  EXPECT_LT(*sector_write, 4 * sector_bytes);
}

// --- direct I/O ---

TEST_F(DiskFaultTest, DirectIoAsksForSectors) {
  synced("f", pages('a'));
  File raw = direct("f");
  std::string out;
  EXPECT_EQ(raw.write(100, sectors('b')).error(), DiskError::invalid);
  EXPECT_EQ(raw.write(0, "b").error(), DiskError::invalid);
  EXPECT_EQ(raw.read(1, 512, out).error(), DiskError::invalid);
  EXPECT_EQ(raw.read(0, 511, out).error(), DiskError::invalid);
  EXPECT_EQ(disk().clean_contents("f"), pages('a'));
}

TEST_F(DiskFaultTest, DirectWritesAreCoherentAndNeedAFlush) {
  File cached = synced("f", pages('a'));
  File raw = direct("f");
  ASSERT_TRUE(raw.write(0, sectors('b')));
  EXPECT_EQ(show(cached), "baaaaaaa");
  ASSERT_TRUE(cached.write(sector_bytes, sectors('c')));
  EXPECT_EQ(show(raw), "bcaaaaaa");
  EXPECT_EQ(disk().durable_contents("f"), pages('a')) << "it lies in the device's volatile cache";
  ASSERT_TRUE(cached.sync());
  EXPECT_EQ(disk().durable_contents("f"), sectors('b') + sectors('c') + sectors('a', 6));
}

// --- the whole disk ---

TEST_F(DiskFaultTest, ADiskThatIsReplacedIsBlankAndItsHandlesAreOffline) {
  File file = synced("f", "x");
  ASSERT_TRUE(disk().make_directory("d"));
  disk().make_unreadable("f", 0);
  disk().replace_with_blank();
  std::string out;
  EXPECT_EQ(file.read(0, 1, out).error(), DiskError::offline);
  EXPECT_EQ(file.sync().error(), DiskError::offline);
  EXPECT_TRUE(disk().list().empty());
  EXPECT_FALSE(disk().exists("d"));
  EXPECT_EQ(report(), Lines{});
  File fresh = synced("f", "y");
  power_cycle();
  EXPECT_EQ(disk().durable_contents("f"), "y");
  EXPECT_EQ(fresh.write(0, "z").error(), DiskError::offline);
}

TEST_F(DiskFaultTest, ACallUnderWayOnAReplacedDiskIsOffline) {
  DiskParameters parameters = instant_disk();
  parameters.sync_latency = DurationDistribution::constant(std::chrono::milliseconds(1));
  disk().set_parameters(parameters);
  File file = open("f");
  std::string result;
  world_.spawn("h", [&] {
    const auto synced = file.sync();
    result = synced ? "ok" : to_string(synced.error());
  });
  world_.simulation.scheduler().call_at(time_zero + std::chrono::microseconds(500),
                                        [&] { disk().replace_with_blank(); });
  world_.run();
  EXPECT_EQ(result, "host is down");
}

TEST_F(DiskFaultTest, FaultsAreTheSameForTheSameSeed) {
  const auto digest = [](std::uint64_t seed) {
    TestWorld world({"h"}, seed);
    Disk& disk = world.host("h").disk();
    DiskParameters parameters = instant_disk();
    parameters.lost_write = parameters.misdirected_write = parameters.bit_rot = 0.3;
    parameters.sync_failure = parameters.short_write = parameters.eviction = 0.3;
    parameters.sync_failure_kind = SyncFailure::forgets;
    disk.set_parameters(parameters);
    for (int i = 0; i < 50; ++i) {
      File file = *disk.open("f" + std::to_string(i % 3), OpenMode::create);
      file.write(static_cast<std::uint64_t>(i) * 100, std::string(3000, 'x'));
      file.sync();
      std::string out;
      file.read(0, 5000, out);
    }
    disk.crash();
    EXPECT_FALSE(disk.damage_report().empty());
    return world.simulation.digest().value().hex();
  };
  EXPECT_EQ(digest(7), digest(7));
  EXPECT_NE(digest(7), digest(8));
}

}  // namespace
}  // namespace polarsim::sim
