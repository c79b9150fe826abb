#include "engine/storage/free_space_map.h"

#include <gtest/gtest.h>

#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::storage {
namespace {

using testing::StorageHost;

constexpr RelationId relation = 16384;
const std::string path = "base/16384_fsm";

struct Table {
  explicit Table(sim::Host& host, BlockNumber blocks)
      : files(host), pool(host, files, buffers_min, [](Lsn) {}), map(pool, files) {
    files.create(relation);
    files.extend_to(relation, Fork::main, blocks);
  }
  // The map is on disk only.
  void forget_map() {
    pool.flush_dirty();
    files.sync_all();
    pool.forget(relation);
  }
  DataFiles files;
  BufferPool pool;
  FreeSpaceMap map;
};

TEST(FreeSpaceMap, SurvivesARestartAsFarAsItWasWritten) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Table table(self, 10);
    EXPECT_EQ(table.map.find(relation, 1, 0), invalid_block);
    EXPECT_FALSE(table.files.exists(relation, Fork::free_space));
    table.map.record(relation, 3, 0);
    EXPECT_FALSE(table.files.exists(relation, Fork::free_space)) << "there was nothing to remember";
    table.map.record(relation, 3, 1000);
    table.map.record(relation, 7, 8156);
    table.forget_map();
    self.crash();
  });
  host.run([](sim::Host& self) {
    Table table(self, 10);
    EXPECT_EQ(table.map.find(relation, 900, 0), 3U);
    EXPECT_EQ(table.map.find(relation, 900, 4), 7U);
    EXPECT_EQ(table.map.find(relation, 8156, 0), 7U);
    // What lies behind the end of the table is not found.
    table.map.record(relation, 20, 8156);
    table.map.record(relation, 7, 0);
    EXPECT_EQ(table.map.find(relation, 8000, 0), invalid_block);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(FreeSpaceMap, UnreadablePageIsBegunAnew) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Table table(self, 10);
    table.map.record(relation, 3, 1000);
    table.forget_map();
    self.disk().drop_caches();
    self.disk().make_unreadable(path, 4);
    EXPECT_EQ(table.map.find(relation, 900, 0), invalid_block);
    table.map.record(relation, 4, 1000);
    table.forget_map();
    self.disk().drop_caches();
    EXPECT_EQ(table.map.find(relation, 900, 0), 4U) << "writing it has healed the sector";
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(FreeSpaceMap, ForeignPageIsBegunAnew) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Table table(self, 10);
    table.files.extend_to(relation, Fork::free_space, 1);
    const PageId id{relation, Fork::free_space, 0};
    {
      const PageRef ref = table.pool.pin(id);
      ref.page().initialize(id, PageKind::heap);
      ref.mark_dirty();
    }
    EXPECT_EQ(table.map.find(relation, 1, 0), invalid_block);
    table.map.record(relation, 4, 100);
    EXPECT_EQ(table.map.find(relation, 64, 0), 4U);
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

TEST(FreeSpaceMap, KnowsNothingOfATableThatGoesAway) {
  StorageHost host;
  host.run([](sim::Host& self) {
    Table table(self, 10);
    table.map.record(relation, 3, 1000);
    table.forget_map();
    const sim::TaskRef reader = self.spawn("reader", [&] {
      EXPECT_EQ(table.map.find(relation, 900, 0), invalid_block);
      table.map.record(relation, 3, 500);
    });
    self.scheduler().yield();
    table.pool.forget(relation);
    table.files.remove(relation);
    self.scheduler().join(reader);
    EXPECT_FALSE(table.files.exists(relation, Fork::free_space));
    EXPECT_FALSE(table.files.exists(relation));
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

}  // namespace
}  // namespace polarsim::engine::storage
