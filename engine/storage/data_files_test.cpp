#include "engine/storage/data_files.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/storage/buffer_pool.h"
#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::storage {
namespace {

using testing::outcome;
using testing::StorageHost;

constexpr RelationId relation = 16384;
const std::string path = "base/16384";

PageId block(BlockNumber number) { return {relation, Fork::main, number}; }

// A page that says its LSN in every sector.
std::string some_page(PageId id, Lsn lsn) {
  std::string bytes(page_size, '\0');
  Page page(bytes.data());
  page.initialize(id, PageKind::heap);
  for (std::uint16_t i = 1; i <= 16; ++i)
    EXPECT_TRUE(page.put_item(i, std::string(490, static_cast<char>('a' + lsn % 26))));
  page.set_lsn(lsn);
  return bytes;
}

// Fails the test if the page cannot be read.
std::string read_page(DataFiles& files, PageId id) {
  std::string bytes(page_size, 'x');
  EXPECT_EQ(outcome([&] { files.read(id, std::span<char, page_size>(bytes.data(), page_size)); }), "");
  return bytes;
}

std::string read_outcome(DataFiles& files, PageId id) {
  std::string bytes(page_size, 'x');
  return outcome([&] { files.read(id, std::span<char, page_size>(bytes.data(), page_size)); });
}

// Blocks 0 to count - 1 with LSNs 100, 101, ..., durable.
void write_pages(DataFiles& files, BlockNumber count) {
  files.create(relation);
  for (BlockNumber i = 0; i < count; ++i) files.write(block(files.extend(relation)), some_page(block(i), 100 + i));
  files.sync_all();
}

TEST(DataFiles, RelationsComeAndGo) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    EXPECT_TRUE(files.list().empty());
    for (const RelationId id : {20000U, 16384U, 3U}) files.create(id);
    files.create(3);
    EXPECT_EQ(files.extend(3, Fork::free_space), 0U);
    EXPECT_EQ(files.list(), (std::vector<RelationId>{3, 16384, 20000}));
    EXPECT_TRUE(files.exists(3, Fork::free_space));
    EXPECT_FALSE(files.exists(16384, Fork::free_space));
    files.remove(3);
    files.remove(4);
    EXPECT_EQ(files.list(), (std::vector<RelationId>{16384, 20000}));
    EXPECT_FALSE(files.exists(3, Fork::free_space));
    EXPECT_EQ(files.block_count(3), 0U);
    files.sync_all();
    files.remove(20000);  // not durable
    self.crash();
  });
  host.run([&](sim::Host& self) {
    const DataFiles files(self);
    EXPECT_TRUE(files.exists(16384));
    EXPECT_FALSE(files.exists(3));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(DataFiles, CountsBlocksBeforeTheyAreWritten) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    EXPECT_EQ(outcome([&] { files.extend(relation); }),
              "58P01 could not open file \"base/16384\": No such file or directory");
    files.create(relation);
    EXPECT_EQ(files.block_count(relation), 0U);
    EXPECT_EQ(files.extend(relation), 0U);
    EXPECT_EQ(files.extend(relation), 1U);
    EXPECT_EQ(files.block_count(relation), 2U);
    EXPECT_EQ(read_page(files, block(1)), std::string(page_size, '\0'));
    files.write(block(1), some_page(block(1), 5));
    EXPECT_EQ(read_page(files, block(0)), std::string(page_size, '\0'));
    files.extend_to(relation, Fork::main, 7);
    files.extend_to(relation, Fork::main, 3);
    EXPECT_EQ(files.block_count(relation), 7U);
    EXPECT_EQ(read_outcome(files, {1, Fork::main, 0}),
              "58P01 could not open file \"base/1\": No such file or directory");
  });
  // What nobody has written is forgotten with the process.
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    EXPECT_EQ(files.block_count(relation), 2U);
    EXPECT_EQ(read_page(files, block(1)), some_page(block(1), 5));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Any bit of a page at rest: the error says where, and no byte of it passes for data.
TEST(DataFiles, EveryFlippedBitIsReported) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 3);
    const std::string page = read_page(files, block(1));
    for (std::size_t bit = 0; bit < page_size * 8; bit += 5) {
      const auto mask = static_cast<std::uint8_t>(1 << bit % 8);
      self.disk().damage(path, page_size + bit / 8, mask);
      const std::string found = read_outcome(files, block(1));
      ASSERT_TRUE(
          found.starts_with("XX001 invalid page in block 1 of relation base/16384 / checksum mismatch (stored "))
          << bit << ": " << found;
      ASSERT_TRUE(bit < 64 || found.ends_with("; the page's LSN reads 101.")) << found;
      ASSERT_EQ(read_outcome(files, block(0)), "");
      ASSERT_EQ(read_outcome(files, block(2)), "");
      self.disk().damage(path, page_size + bit / 8, mask);
    }
    EXPECT_EQ(read_page(files, block(1)), page);
  });
  EXPECT_TRUE(host.finished()) << host.error();
  EXPECT_GT(host.reached("page/damaged"), 10'000U);
}

TEST(DataFiles, MisdirectedPageIsNotTakenForAnother) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 3);
    files.create(5);
    sim::File raw = *self.disk().open(path, sim::OpenMode::existing);
    std::string second;
    ASSERT_TRUE(raw.read(page_size, page_size, second));
    ASSERT_TRUE(raw.write_all(2 * page_size, second));
    EXPECT_EQ(
        read_outcome(files, block(2)),
        "XX001 invalid page in block 2 of relation base/16384 / page belongs to relation 16384, block 1; the page's "
        "LSN reads 101.");
    sim::File other = *self.disk().open("base/5", sim::OpenMode::existing);
    ASSERT_TRUE(other.write_all(0, second));
    EXPECT_TRUE(read_outcome(files, {5, Fork::main, 0})
                    .starts_with("XX001 invalid page in block 0 of relation base/5 / "
                                 "page belongs to relation 16384, block 1"));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(DataFiles, PartOfAPageAtTheEndIsADamagedPage) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    {
      DataFiles files(self);
      write_pages(files, 3);
    }
    sim::File raw = *self.disk().open(path, sim::OpenMode::existing);
    ASSERT_TRUE(raw.truncate(2 * page_size + 4096));
    DataFiles files(self);
    EXPECT_EQ(files.block_count(relation), 3U);
    EXPECT_TRUE(read_outcome(files, block(2)).starts_with("XX001 invalid page in block 2 of relation base/16384"));
    EXPECT_EQ(files.extend(relation), 3U);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(DataFiles, UnreadableSectorIsAReadError) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 3);
    self.disk().drop_caches();
    self.disk().make_unreadable(path, 2 * page_size / sim::sector_bytes - 1);
    EXPECT_EQ(read_outcome(files, block(1)), "58030 could not read block 1 in file \"base/16384\": input/output error");
    EXPECT_EQ(read_outcome(files, block(0)), "");
    // Writing the page again heals it.
    files.write(block(1), some_page(block(1), 9));
    EXPECT_EQ(read_page(files, block(1)), some_page(block(1), 9));
    self.simulation().fault_points().arm("page/read", "n", 1, {sim::FaultAction::Kind::fail, {}, {}});
    EXPECT_EQ(read_outcome(files, block(0)), "58030 could not read block 0 in file \"base/16384\": input/output error");
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(DataFiles, FailedWriteOrSyncIsAPanic) {
  const std::map<std::string, std::function<void(sim::Host&)>> failures{
      {"fault point write",
       [](sim::Host& self) {
         self.simulation().fault_points().arm("page/write", "n", 1, {sim::FaultAction::Kind::fail, {}, {}});
       }},
      {"fault point sync",
       [](sim::Host& self) {
         self.simulation().fault_points().arm("page/sync", "n", 1, {sim::FaultAction::Kind::fail, {}, {}});
       }},
      {"sync", [](sim::Host& self) { self.disk().fail_next_syncs(1, sim::SyncFailure::keeps_dirty); }},
      {"fsyncgate", [](sim::Host& self) { self.disk().fail_next_syncs(1, sim::SyncFailure::forgets); }},
      {"full disk",
       [](sim::Host& self) {
         sim::DiskParameters parameters = self.disk().parameters();
         parameters.capacity_bytes = 1;
         self.disk().set_parameters(parameters);
       }},
  };
  for (const auto& [name, fail] : failures) {
    StorageHost host;
    host.run([&](sim::Host& self) {
      DataFiles files(self);
      write_pages(files, 2);
      fail(self);
      files.write(block(2), some_page(block(2), 1));
      files.sync_all();
      ADD_FAILURE() << name;
    });
    EXPECT_EQ(host.host().state(), sim::HostState::down);
    EXPECT_EQ(host.reached("storage/panic"), 1U) << name;
  }
}

TEST(DataFiles, PlantedBugLetsDamagePass) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    PlantedBugs planted;
    planted.turn_on(PlantedBug::torn_page_not_detected);
    DataFiles files(self, planted);
    write_pages(files, 1);
    std::string expected = some_page(block(0), 100);
    self.disk().damage(path, 5000, 0x01);
    expected[5000] = static_cast<char>(expected[5000] ^ 0x01);
    EXPECT_EQ(read_page(files, block(0)), expected);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Crashes at many instants of a run that rewrites pages and syncs: a page is what a sync made durable, or newer, or
// torn and reported; and what nobody has written since the sync is whole.
TEST(DataFiles, CrashLeavesWhatWasSyncedOrReportsATornPage) {
  constexpr BlockNumber count = 6;
  int torn = 0;
  for (std::int64_t instant_us = 500; instant_us < 20'000; instant_us += 90) {
    StorageHost host(static_cast<std::uint64_t>(instant_us));
    std::array<Lsn, count> synced{};
    std::array<Lsn, count> written{};
    host.simulation().scheduler().call_at(sim::time_zero + sim::Duration(instant_us * 1000),
                                          [&] { host.host().crash(); });
    host.run([&](sim::Host& self) {
      DataFiles files(self);
      files.create(relation);
      files.sync_all();
      for (Lsn lsn = 1; lsn < 1000; ++lsn) {
        const auto number = static_cast<BlockNumber>(self.random("test").below(count));
        files.extend_to(relation, Fork::main, number + 1);
        written[number] = lsn;
        files.write(block(number), some_page(block(number), lsn));
        if (lsn % 7 != 0) continue;
        files.sync_all();
        synced = written;
      }
    });
    host.run([&](sim::Host& self) {
      DataFiles files(self);
      for (BlockNumber number = 0; number < count; ++number) {
        std::string bytes(page_size, 'x');
        const std::string found =
            files.exists(relation)
                ? outcome([&] { files.read(block(number), std::span<char, page_size>(bytes.data(), page_size)); })
                : "";
        if (!found.empty()) {
          ASSERT_TRUE(found.starts_with("XX001")) << found;
          ASSERT_NE(synced[number], written[number]) << "nothing was being written";
          ++torn;
          continue;
        }
        if (!files.exists(relation)) bytes.assign(page_size, '\0');
        const Lsn lsn = Page(bytes.data()).lsn();
        ASSERT_GE(lsn, synced[number]) << instant_us;
        ASSERT_LE(lsn, written[number]) << instant_us;
        ASSERT_EQ(bytes, lsn == 0 ? std::string(page_size, '\0') : some_page(block(number), lsn));
      }
    });
    ASSERT_TRUE(host.finished()) << host.error();
  }
  EXPECT_GT(torn, 20) << "the crashes hit nothing interesting";
}

// Two who sync at once: neither comes back before the data is durable.
TEST(DataFiles, SecondSyncWaitsForTheFirst) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 1);
    files.write(block(0), some_page(block(0), 500));
    std::vector<sim::TaskRef> tasks;
    for (int i = 0; i < 3; ++i) {
      tasks.push_back(self.spawn("sync", [&] {
        files.sync_all();
        std::string durable = self.disk().durable_contents(path);
        EXPECT_EQ(Page(durable.data()).lsn(), 500U);
      }));
    }
    for (const sim::TaskRef& task : tasks) self.scheduler().join(task);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// A sync that is cancelled leaves its work to the next.
TEST(DataFiles, CancelledSyncIsMadeUpFor) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 1);
    files.write(block(0), some_page(block(0), 500));
    const sim::TaskRef task = self.spawn("sync", [&] { files.sync_all(); });
    self.scheduler().yield();
    self.scheduler().cancel(task);
    self.scheduler().join(task);
    files.sync_all();
    std::string durable = self.disk().durable_contents(path);
    EXPECT_EQ(Page(durable.data()).lsn(), 500U);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// What a clean stop left in the cache belongs to the next checkpoint.
TEST(DataFiles, SyncAfterACleanStopCoversWhatWasWrittenBefore) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 1);
    files.write(block(0), some_page(block(0), 500));
  });
  ASSERT_TRUE(host.finished());
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    files.sync_all();
    self.crash();
  });
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    EXPECT_EQ(read_page(files, block(0)), some_page(block(0), 500));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(DataFiles, RemovalDuringReadsAndWritesIsSafe) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    write_pages(files, 2);
    const sim::TaskRef writer = self.spawn("writer", [&] { files.write(block(0), some_page(block(0), 7)); });
    const sim::TaskRef reader = self.spawn("reader", [&] { read_outcome(files, block(1)); });
    self.scheduler().yield();
    files.remove(relation);
    self.scheduler().join(writer);
    self.scheduler().join(reader);
    EXPECT_FALSE(files.exists(relation));
    files.sync_all();
    EXPECT_TRUE(files.list().empty());
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

}  // namespace
}  // namespace polarsim::engine::storage
