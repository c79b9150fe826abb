#include "engine/storage/buffer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::storage {
namespace {

using testing::outcome;
using testing::StorageHost;

constexpr RelationId relation = 7;

PageId block(BlockNumber number) { return {relation, Fork::main, number}; }

// Initializes a new page, or adds to it, as a change that the WAL tells as of `lsn`.
void add_item(const PageRef& ref, std::string_view text, Lsn lsn) {
  Page page = ref.page();
  if (page.is_new()) page.initialize(ref.id(), PageKind::heap);
  ASSERT_TRUE(page.put_item(page.unused_item(), text));
  page.set_lsn(lsn);
  ref.mark_dirty();
}

std::string item_text(const PageRef& ref, std::uint16_t item = 1) {
  const auto bytes = ref.page().item(item);
  return {bytes.data(), bytes.size()};
}

// A pool over the host's disk.
struct Store {
  explicit Store(sim::Host& host, std::size_t buffers = buffers_min)
      : files(host), pool(host, files, buffers, [this](Lsn lsn) { flushed = std::max(flushed, lsn); }) {}
  // `count` pages of the relation, each with its number as text.
  void fill(BlockNumber count) {
    files.create(relation);
    for (BlockNumber i = 0; i < count; ++i) add_item(pool.extend(relation), std::to_string(i), 100 + i);
  }
  Lsn flushed = 0;
  DataFiles files;
  BufferPool pool;
};

TEST(BufferPool, PagesComeBackAfterEviction) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    store.fill(100);
    for (BlockNumber i = 0; i < 100; ++i) EXPECT_EQ(item_text(store.pool.pin(block(i))), std::to_string(i));
    EXPECT_EQ(store.files.block_count(relation), 100U);
    EXPECT_GE(store.pool.statistics().dirty_evictions, 84U);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, PagesAreDurableAfterFlushAndSync) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    store.fill(40);
    store.pool.flush_dirty();
    EXPECT_EQ(store.pool.dirty_count(), 0U);
    store.files.sync_all();
    self.crash();
  });
  EXPECT_FALSE(host.finished());
  host.run([](sim::Host& self) {
    Store store(self);
    EXPECT_EQ(store.files.block_count(relation), 40U);
    for (BlockNumber i = 0; i < 40; ++i) EXPECT_EQ(item_text(store.pool.pin(block(i))), std::to_string(i));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, TakesSeveralPagesAtOnce) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    store.fill(60);
    const std::array<PageId, 3> ids{block(50), block(3), block(20)};
    const auto refs = store.pool.pin_all(ids);
    ASSERT_EQ(refs.size(), 3U);
    EXPECT_EQ(item_text(refs[0]), "50");
    EXPECT_EQ(item_text(refs[1]), "3");
    EXPECT_EQ(item_text(refs[2]), "20");
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Writes 40 pages and forgets that they were in memory.
void leave_on_disk(Store& store) {
  store.fill(40);
  store.pool.flush_dirty();
  store.files.sync_all();
  store.pool.forget(relation);
}

template <typename Body>
std::vector<sim::TaskRef> spawn(sim::Host& host, int count, Body&& body) {
  std::vector<sim::TaskRef> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(host.spawn("task", [body, i] { body(i); }));
  return tasks;
}

void join(sim::Host& host, const std::vector<sim::TaskRef>& tasks) {
  for (const sim::TaskRef& task : tasks) host.scheduler().join(task);
}

TEST(BufferPool, OneReadsThePageForAllWhoWant) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    const auto before = store.files.statistics().pages_read;
    join(self, spawn(self, 30, [&](int) { EXPECT_EQ(item_text(store.pool.pin(block(5))), "5"); }));
    EXPECT_EQ(store.files.statistics().pages_read, before + 1);
    EXPECT_FALSE(store.pool.pin_if_resident(block(6)));
    EXPECT_TRUE(store.pool.pin_if_resident(block(5)));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, MoreReadersThanBuffersAreServed) {
  StorageHost host;
  int served = 0;
  host.run([&](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    join(self, spawn(self, 200, [&](int i) {
           const auto number = static_cast<BlockNumber>(i % 40);
           EXPECT_EQ(item_text(store.pool.pin(block(number))), std::to_string(number));
           ++served;
         }));
  });
  EXPECT_TRUE(host.finished()) << host.error();
  EXPECT_EQ(served, 200);
}

TEST(BufferPool, SeveralWhoTakeMostOfThePoolWaitForEachOther) {
  StorageHost host;
  int served = 0;
  host.run([&](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    join(self, spawn(self, 20, [&](int i) {
           std::vector<PageId> ids;
           for (std::size_t page = 0; page < pin_all_max; ++page)
             ids.push_back(block(static_cast<BlockNumber>((static_cast<std::size_t>(i) * 7 + page * 3) % 40)));
           const auto refs = store.pool.pin_all(ids);
           for (std::size_t page = 0; page < pin_all_max; ++page)
             EXPECT_EQ(item_text(refs[page]), std::to_string(ids[page].block));
           ++served;
         }));
  });
  EXPECT_TRUE(host.finished()) << host.error();
  EXPECT_EQ(served, 20);
}

// Damage is what every reader hears of, whoever read first, and it stays with the page.
TEST(BufferPool, DamagedPageIsReportedToAllAndLeavesThePoolSound) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    const std::string path = data_file_path(relation, Fork::main);
    self.disk().damage(path, 5 * page_size + 8190, 0x20);
    int reported = 0;
    join(self, spawn(self, 10, [&](int) {
           const std::string error = outcome([&] { store.pool.pin(block(5)); });
           EXPECT_TRUE(error.starts_with("XX001 invalid page in block 5 of relation base/7 / checksum mismatch"));
           EXPECT_TRUE(error.ends_with("; the page's LSN reads 105.")) << error;
           ++reported;
         }));
    EXPECT_EQ(reported, 10);
    const std::array<PageId, 3> ids{block(4), block(5), block(6)};
    EXPECT_TRUE(outcome([&] { store.pool.pin_all(ids); }).starts_with("XX001 invalid page in block 5"));
    store.pool.assert_no_pins();
    EXPECT_EQ(item_text(store.pool.pin(block(6))), "6");
    // Redo writes the page whole.
    const PageRef ref = store.pool.pin_without_reading(block(5));
    EXPECT_TRUE(ref.page().is_new());
    add_item(ref, "again", 300);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, UnreadableAndMisdirectedPagesAreReported) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    const std::string path = data_file_path(relation, Fork::main);
    sim::File raw = *self.disk().open(path, sim::OpenMode::existing);
    std::string other;
    ASSERT_TRUE(raw.read(9 * page_size, page_size, other));
    ASSERT_TRUE(raw.write_all(8 * page_size, other));
    self.disk().drop_caches();
    self.disk().make_unreadable(path, 3 * page_size / sim::sector_bytes);
    EXPECT_EQ(outcome([&] { store.pool.pin(block(3)); }),
              "58030 could not read block 3 in file \"base/7\": input/output error");
    EXPECT_EQ(outcome([&] { store.pool.pin(block(8)); }),
              "XX001 invalid page in block 8 of relation base/7 / page belongs to relation 7, block 9; the page's LSN "
              "reads 109.");
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Bits at random, on pages at random: whoever asks for a page gets that page or an error that names it.
TEST(BufferPool, NoFlippedBitIsHandedOut) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    const std::string path = data_file_path(relation, Fork::main);
    sim::RandomStream& random = self.random("test");
    for (int round = 0; round < 2000; ++round) {
      const auto number = static_cast<BlockNumber>(random.below(40));
      const auto at = number * page_size + random.below(page_size);
      const auto mask = static_cast<std::uint8_t>(1 << random.below(8));
      self.disk().damage(path, at, mask);
      const std::string error = outcome([&] { store.pool.pin(block(number)); });
      ASSERT_TRUE(error.starts_with("XX001 invalid page in block " + std::to_string(number) + " of relation base/7 / "))
          << error;
      ASSERT_NE(error.find("the page's LSN reads "), std::string::npos);
      self.disk().damage(path, at, mask);
      const auto sound = (number + 1) % 40;
      ASSERT_EQ(item_text(store.pool.pin(block(sound))), std::to_string(sound));
      store.pool.forget(relation);
    }
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Who reads for others may be cancelled: another reads then.
TEST(BufferPool, CancelledReaderLeavesTheReadToTheNext) {
  StorageHost host;
  int served = 0;
  host.run([&](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    const auto tasks = spawn(self, 5, [&](int) {
      EXPECT_EQ(item_text(store.pool.pin(block(5))), "5");
      ++served;
    });
    self.scheduler().yield();
    self.scheduler().cancel(tasks[0]);
    self.scheduler().cancel(tasks[2]);
    join(self, tasks);
  });
  EXPECT_TRUE(host.finished()) << host.error();
  EXPECT_EQ(served, 3);
}

// Whatever is written is newer than nothing the log does not have: the flush comes first, with the LSN of what goes
// out.
TEST(BufferPool, LogIsFlushedBeforeThePageIsWritten) {
  StorageHost host;
  host.run([](sim::Host& self) {
    DataFiles files(self);
    files.create(relation);
    Lsn durable = 0;
    BufferPool* pool_of_page = nullptr;
    BufferPool pool(self, files, buffers_min, [&](Lsn lsn) {
      // Meanwhile the page goes on.
      if (lsn == 10) {
        PageRef ref = pool_of_page->pin(block(0));
        add_item(ref, "later", 20);
      }
      self.sleep_for(sim::Duration(100'000));
      durable = std::max(durable, lsn);
    });
    pool_of_page = &pool;
    add_item(pool.extend(relation), "first", 10);
    pool.flush_dirty();
    EXPECT_EQ(durable, 10U);
    std::string written = self.disk().clean_contents(data_file_path(relation, Fork::main));
    EXPECT_EQ(Page(written.data()).lsn(), 10U);
    EXPECT_EQ(Page(written.data()).item_count(), 1);
    EXPECT_TRUE(pool.dirty(block(0))) << "it was changed while it was written";
    pool.flush_dirty();
    EXPECT_FALSE(pool.dirty(block(0)));
    EXPECT_EQ(durable, 20U);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, FlushWritesInTheOrderOfChangesWhatWasDirtyAtItsStart) {
  StorageHost host;
  host.run([](sim::Host& self) {
    DataFiles files(self);
    files.create(relation);
    std::vector<Lsn> order;
    BufferPool pool(self, files, buffers_min, [&](Lsn lsn) { order.push_back(lsn); });
    for (BlockNumber i = 0; i < 8; ++i) add_item(pool.extend(relation), "x", 100 + i);
    pool.flush_dirty();
    order.clear();
    // A page that is changed again keeps its place.
    for (const BlockNumber number : {6U, 2U, 7U, 6U}) add_item(pool.pin(block(number)), "y", 200 + number);
    std::vector<std::size_t> progress;
    pool.flush_dirty([&](std::size_t done, std::size_t total) {
      EXPECT_EQ(total, 3U);
      progress.push_back(done);
      // Changed after the start: a new page, one that waits for its turn, and one that has been written.
      if (done == 1) {
        for (const BlockNumber number : {0U, 7U, 6U}) add_item(pool.pin(block(number)), "z", 300 + number);
      }
    });
    EXPECT_EQ(progress, (std::vector<std::size_t>{1, 2, 3}));
    EXPECT_EQ(order, (std::vector<Lsn>{206, 202, 307}));
    EXPECT_EQ(pool.dirty_count(), 2U);
    EXPECT_TRUE(pool.dirty(block(0)));
    EXPECT_TRUE(pool.dirty(block(6)));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// A change made while somebody writes the page is of after the start of a later flush only if it is.
TEST(BufferPool, FlushDoesNotWaitForChangesOfPagesThatOthersWrite) {
  StorageHost host;
  host.run([](sim::Host& self) {
    DataFiles files(self);
    files.create(relation);
    int writes = 0;
    BufferPool pool(self, files, buffers_min, [&](Lsn) {
      ++writes;
      self.sleep_for(sim::Duration(1'000'000));
    });
    add_item(pool.extend(relation), "x", 100);
    const sim::TaskRef first = self.spawn("first", [&] { pool.flush_dirty(); });
    self.sleep_for(sim::Duration(100'000));
    const sim::TaskRef second = self.spawn("second", [&] { pool.flush_dirty(); });
    self.sleep_for(sim::Duration(100'000));
    add_item(pool.pin(block(0)), "y", 200);
    self.scheduler().join(first);
    self.scheduler().join(second);
    EXPECT_EQ(writes, 1);
    EXPECT_TRUE(pool.dirty(block(0)));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, FlushWaitsForThoseWhoWriteAlready) {
  StorageHost host;
  host.run([](sim::Host& self) {
    DataFiles files(self);
    files.create(relation);
    BufferPool pool(self, files, buffers_min, [&](Lsn) { self.sleep_for(sim::Duration(1'000'000)); });
    add_item(pool.extend(relation), "x", 100);
    const sim::TaskRef first = self.spawn("first", [&] { pool.flush_dirty(); });
    self.sleep_for(sim::Duration(100'000));
    EXPECT_TRUE(pool.dirty(block(0)));
    pool.flush_dirty();
    EXPECT_FALSE(pool.dirty(block(0)));
    EXPECT_EQ(files.statistics().pages_written, 1U);
    self.scheduler().join(first);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPool, RelationMayBeDroppedWhileItsPageIsWrittenReadAndPinned) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    add_item(store.pool.pin(block(0)), "dirty", 500);
    const sim::TaskRef writer = self.spawn("writer", [&] { store.pool.flush_dirty(); });
    const sim::TaskRef reader = self.spawn("reader", [&] {
      EXPECT_EQ(outcome([&] { store.pool.pin(block(3)); }),
                "58P01 could not open file \"base/7\": No such file or directory");
    });
    self.scheduler().yield();
    {
      PageRef pinned = store.pool.pin_if_resident(block(0));
      ASSERT_TRUE(pinned);
      store.pool.forget(relation);
      EXPECT_FALSE(store.pool.pin_if_resident(block(0)));
      EXPECT_EQ(item_text(pinned, 2), "dirty");
      pinned.mark_dirty();
    }
    store.files.remove(relation);
    self.scheduler().join(writer);
    self.scheduler().join(reader);
    EXPECT_EQ(store.pool.dirty_count(), 0U);
    EXPECT_FALSE(store.files.exists(relation));
    // All buffers are there for others.
    store.files.create(8);
    for (BlockNumber i = 0; i < 40; ++i) add_item(store.pool.extend(8), std::to_string(i), 600 + i);
    for (BlockNumber i = 0; i < 40; ++i) EXPECT_EQ(item_text(store.pool.pin({8, Fork::main, i})), std::to_string(i));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

// Pages in use survive a scan of many that are used once.
TEST(BufferPool, OftenUsedPagesStay) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Store store(self);
    leave_on_disk(store);
    for (BlockNumber number = 10; number < 40; ++number) {
      for (const BlockNumber often : {0U, 1U, 2U}) store.pool.pin(block(often));
      store.pool.pin(block(number));
    }
    for (const BlockNumber often : {0U, 1U, 2U}) EXPECT_TRUE(store.pool.pin_if_resident(block(often))) << often;
    const auto statistics = store.pool.statistics();
    EXPECT_EQ(statistics.misses, 33U);
    // Out of use, they go in time.
    for (int round = 0; round < 6; ++round) {
      for (BlockNumber number = 10; number < 40; ++number) store.pool.pin(block(number));
    }
    EXPECT_FALSE(store.pool.pin_if_resident(block(0)));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(BufferPoolDeathTest, TaskThatBlocksWithAPinIsCaught) {
  const auto hold_and = [](const std::function<void(Store&)>& call) {
    StorageHost host;
    host.run([&](sim::Host& self) {
      Store store(self);
      leave_on_disk(store);
      const PageRef held = store.pool.pin(block(1));
      call(store);
    });
  };
  const char* const rule = "holds a pin \\(buffer_pool.h, rule 1\\)";
  EXPECT_DEATH(hold_and([](Store& store) { store.pool.pin(block(2)); }), rule);
  EXPECT_DEATH(hold_and([](Store& store) { store.pool.extend(relation); }), rule);
  EXPECT_DEATH(hold_and([](Store& store) { store.pool.pin_all(std::array{block(1)}); }), rule);
  EXPECT_DEATH(hold_and([](Store& store) { store.pool.flush_dirty(); }), rule);
  EXPECT_DEATH(hold_and([](Store& store) { store.pool.assert_no_pins(); }), rule);
}

}  // namespace
}  // namespace polarsim::engine::storage
