#include "engine/storage/redo.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/storage/recovery_test_support.h"
#include "sim/test_crash_point.h"

namespace polarsim::engine::storage::testing {
namespace {

using Items = std::vector<std::string>;

const PageId first{relation, Fork::main, 0};

// A page with one item that a checkpoint has written, and two changes after it that are durable in the log; then the
// power fails.
void prepare(
    RecoveryHost& host, const std::function<void(RecoveryNode&)>& before_crash = [](RecoveryNode&) {}) {
  host.run_node([&](RecoveryNode& node) {
    node.create_relation(relation);
    node.new_page("a");
    node.checkpointer->run();
    node.add_items({first}, "b");
    node.add_items({first}, "c");
    node.wal->flush(node.wal->end());
    before_crash(node);
    host.host().crash();
  });
}

// What the page holds after recovery.
Items recovered(RecoveryHost& host) {
  Items items;
  host.run_node([&](RecoveryNode& node) { items = node.items(first); });
  return items;
}

void write_page(RecoveryNode& node) {
  node.pool.flush_dirty();
  node.files.sync_all();
}

TEST(Redo, BringsBackWhatWasNotWritten) {
  RecoveryHost host;
  prepare(host);
  EXPECT_EQ(recovered(host), (Items{"a", "b", "c"}));
  EXPECT_EQ(recovered(host), (Items{"a", "b", "c"}));
}

TEST(Redo, DoesNothingTwice) {
  RecoveryHost host;
  prepare(host, write_page);
  EXPECT_EQ(recovered(host), (Items{"a", "b", "c"}));
}

// The page on disk is newer than its image in the log, so the image does not undo what is done again after it.
TEST(Redo, PlantedBugDoesChangesTwice) {
  RecoveryHost host;
  host.config().planted.turn_on(PlantedBug::redo_not_idempotent);
  prepare(host, write_page);
  EXPECT_EQ(recovered(host), (Items{"a", "b", "c", "c"}));
}

TEST(Redo, TornPageIsRestoredFromItsImage) {
  for (const std::uint64_t offset : {3U, 40U, 4000U, 8191U}) {
    RecoveryHost host;
    prepare(host, write_page);
    host.disk().damage(data_file_path(relation, Fork::main), offset, 0x01);
    EXPECT_EQ(recovered(host), (Items{"a", "b", "c"})) << offset;
    EXPECT_EQ(host.error(), "");
    EXPECT_EQ(host.reached("recovery/torn-page"), 1U);
  }
}

TEST(Redo, UnreadablePageIsRestoredFromItsImage) {
  RecoveryHost host;
  prepare(host, write_page);
  host.disk().make_unreadable(data_file_path(relation, Fork::main), 5);
  EXPECT_EQ(recovered(host), (Items{"a", "b", "c"}));
  EXPECT_EQ(host.error(), "");
}

TEST(Redo, DamagedPageWithoutImageIsRefused) {
  RecoveryHost host;
  host.config().full_page_writes = false;
  Lsn change = 0;
  host.run_node([&](RecoveryNode& node) {
    node.create_relation(relation);
    node.new_page("a");
    node.checkpointer->run();
    change = node.wal->end();
    node.add_items({first}, "b");
    node.wal->flush(node.wal->end());
    host.host().crash();
  });
  host.disk().damage(data_file_path(relation, Fork::main), 8000, 0x01);
  host.run_node();
  EXPECT_EQ(host.error(), "XX001: invalid page in block 0 of relation base/7: redo of the WAL record at LSN " +
                              std::to_string(change) + " (heap 16) needs it");
}

TEST(Redo, PageThatIsMadeAnewNeedsNotBeSound) {
  RecoveryHost host;
  host.run_node([&](RecoveryNode& node) {
    node.create_relation(relation);
    node.checkpointer->run();
    node.new_page("a");
    write_page(node);
    host.host().crash();
  });
  host.disk().damage(data_file_path(relation, Fork::main), 8000, 0x01);
  EXPECT_EQ(recovered(host), Items{"a"});
}

TEST(Redo, ChangesToRemovedFilesAreExplainedByTheRemoval) {
  RecoveryHost host;
  prepare(host, [](RecoveryNode& node) { node.remove_relation(relation); });
  host.run_node([](RecoveryNode& node) { EXPECT_FALSE(node.files.exists(relation)); });
  EXPECT_EQ(host.error(), "");
}

TEST(Redo, UnexplainedMissingFileIsRefused) {
  RecoveryHost host;
  prepare(host);
  host.run([](sim::Host& self) {
    ASSERT_TRUE(self.disk().remove(data_file_path(relation, Fork::main)));
    ASSERT_TRUE(self.disk().sync_directory(data_directory));
  });
  host.run_node();
  EXPECT_TRUE(
      host.error().starts_with("XX000: WAL contains references to invalid pages: relation 7, block 0, changed at LSN "))
      << host.error();
}

TEST(Redo, UnexplainedMissingPageIsRefused) {
  RecoveryHost host;
  host.config().full_page_writes = false;
  prepare(host);
  host.run([](sim::Host& self) {
    auto file = self.disk().open(data_file_path(relation, Fork::main), sim::OpenMode::existing);
    ASSERT_TRUE(file && file->truncate(0) && file->sync());
  });
  host.run_node();
  EXPECT_TRUE(host.error().starts_with("XX000: WAL contains references to invalid pages: relation 7, block 0"))
      << host.error();
}

TEST(Redo, UnknownKindIsRefused) {
  RecoveryHost host;
  host.run_node([&](RecoveryNode& node) {
    node.wal->flush(node.log->append(RecordKind{99}, "?"));
    host.host().crash();
  });
  host.run_node();
  EXPECT_TRUE(host.error().starts_with("XX000: nobody redoes the WAL record at LSN ")) << host.error();
  EXPECT_TRUE(host.error().ends_with("(kind 99)")) << host.error();
}

// Recovery that loses its power at each of its operations, and then again in the recovery of that.
TEST(Redo, MayBeCutOffAnywhere) {
  const auto many_pages = [](RecoveryHost& host) {
    host.run_node([&](RecoveryNode& node) {
      node.create_relation(relation);
      for (int i = 0; i < 24; ++i) node.new_page("page " + std::to_string(i));
      node.checkpointer->run();
      for (BlockNumber i = 0; i < 24; ++i) {
        node.add_items({{relation, Fork::main, i}, {relation, Fork::main, (i + 7) % 24}}, "item");
      }
      node.wal->flush(node.wal->end());
      host.host().crash();
    });
  };
  std::uint64_t operations = 0;
  {
    RecoveryHost host;
    many_pages(host);
    sim::CrashPoint crash(host.host());
    crash.arm(0);
    host.run_node([&](RecoveryNode&) { operations = crash.operations(); });
  }
  ASSERT_GT(operations, 30U);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    RecoveryHost host(n);
    many_pages(host);
    sim::CrashPoint crash(host.host());
    for (const std::uint64_t at : {n, n / 2 + 1}) {
      crash.arm(at);
      host.run_node();
      ASSERT_EQ(host.error(), "") << crash.struck();
      // The second recovery may have less to do.
      ASSERT_TRUE(at != n || !crash.struck().empty());
    }
    crash.arm(0);
    host.run_node([&](RecoveryNode& node) {
      for (BlockNumber i = 0; i < 24; ++i) {
        ASSERT_EQ(node.items({relation, Fork::main, i}), (Items{"page " + std::to_string(i), "item", "item"}))
            << "block " << i << ", crash " << n;
      }
    });
    ASSERT_EQ(host.error(), "");
    ASSERT_FALSE(::testing::Test::HasFailure()) << "crash " << n;
  }
}

}  // namespace
}  // namespace polarsim::engine::storage::testing
