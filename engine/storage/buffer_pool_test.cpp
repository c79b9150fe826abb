#include "engine/storage/buffer_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

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

}  // namespace
}  // namespace polarsim::engine::storage
