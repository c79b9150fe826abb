#include "engine/storage/checkpoint.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/storage/recovery_test_support.h"
#include "sim/test_crash_point.h"

namespace polarsim::engine::storage::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<PageId> make_pages(RecoveryNode& node, int count) {
  node.create_relation(relation);
  std::vector<PageId> pages;
  for (int i = 0; i < count; ++i) pages.push_back(node.new_page("page " + std::to_string(i)));
  return pages;
}

double seconds_of(sim::Time time) { return static_cast<double>(sim::nanoseconds(time)) / 1e9; }

TEST(Checkpoint, CostsWhatIsDirty) {
  RecoveryHost host;
  host.config().shared_buffers = 64;
  host.run_node([](RecoveryNode& node) {
    const std::vector<PageId> pages = make_pages(node, 40);
    node.checkpointer->run();
    const std::uint64_t before = node.files.statistics().pages_written;
    node.add_items({pages[3]}, "x");
    node.add_items({pages[4]}, "x");
    node.add_items({pages[4]}, "y");
    node.checkpointer->run();
    EXPECT_EQ(node.files.statistics().pages_written - before, 2U);
    node.checkpointer->run();
    EXPECT_EQ(node.files.statistics().pages_written - before, 2U);
  });
}

TEST(Checkpoint, ComesInTimeAfterAChangeAndThenNoMore) {
  RecoveryHost host;
  host.config().checkpoint_timeout = seconds(20);
  host.run_node([&](RecoveryNode& node) {
    const std::vector<PageId> pages = make_pages(node, 5);
    const std::uint64_t before = node.checkpointer->completed();
    node.host.sleep_for(seconds(19));
    EXPECT_EQ(node.checkpointer->completed(), before);
    node.host.sleep_for(seconds(30));
    EXPECT_EQ(node.checkpointer->completed(), before + 1);
    const Lsn end = node.wal->end();
    node.host.sleep_for(seconds(1000));
    EXPECT_EQ(node.checkpointer->completed(), before + 1);
    EXPECT_EQ(node.wal->end(), end);
    EXPECT_EQ(node.host.pending_calls(), 0U);
    // The first change after a long rest does not make one at once.
    node.add_items({pages[0]}, "x");
    node.host.sleep_for(seconds(15));
    EXPECT_EQ(node.checkpointer->completed(), before + 1);
    node.host.sleep_for(seconds(10));
    EXPECT_EQ(node.checkpointer->completed(), before + 2);
  });
}

TEST(Checkpoint, ComesWhenTheLogHasGrown) {
  RecoveryHost host;
  host.config().max_wal_size_bytes = 100'000;
  host.config().checkpoint_completion_target = 0;
  host.run_node([&](RecoveryNode& node) {
    const std::vector<PageId> pages = make_pages(node, 5);
    const std::uint64_t before = node.checkpointer->completed();
    std::size_t files = 0;
    for (int i = 0; i < 600; ++i) {
      node.wal->flush(node.add_items({pages[static_cast<std::size_t>(i % 5)]}, std::string(1000, 'x')));
      files = std::max(files, host.disk().list("wal/").size());
    }
    node.host.sleep_for(seconds(1));
    EXPECT_GE(node.checkpointer->completed() - before, 5U);
    EXPECT_LE(node.checkpointer->completed() - before, 12U);
    // 32 KiB each: what is needed, and four that are kept.
    EXPECT_LE(files, 5U + 4U);
  });
}

TEST(Checkpoint, SpreadsItsWrites) {
  RecoveryHost host;
  host.config().shared_buffers = 64;
  host.config().checkpoint_timeout = seconds(100);
  host.config().checkpoint_completion_target = 0.5;
  host.run_node([&](RecoveryNode& node) {
    make_pages(node, 20);
    const std::uint64_t completed = node.checkpointer->completed();
    const std::uint64_t before = node.files.statistics().pages_written;
    node.host.sleep_for(seconds(101));
    for (const int part : {1, 2, 3, 4}) {
      const std::uint64_t written = node.files.statistics().pages_written - before;
      EXPECT_GE(written, static_cast<std::uint64_t>(5 * part - 5));
      EXPECT_LE(written, static_cast<std::uint64_t>(5 * part - 3));
      EXPECT_EQ(node.checkpointer->completed(), completed);
      node.host.sleep_for(milliseconds(12'500));
    }
    EXPECT_EQ(node.checkpointer->completed(), completed + 1);
  });
}

TEST(Checkpoint, ThatIsAskedForHurriesOnTheOneUnderWay) {
  RecoveryHost host;
  host.config().shared_buffers = 64;
  host.config().checkpoint_timeout = seconds(100);
  host.run_node([&](RecoveryNode& node) {
    make_pages(node, 20);
    const std::uint64_t completed = node.checkpointer->completed();
    node.host.sleep_for(seconds(110));
    EXPECT_EQ(node.checkpointer->completed(), completed);
    const double before = seconds_of(node.host.scheduler().now());
    node.checkpointer->run();
    EXPECT_LT(seconds_of(node.host.scheduler().now()) - before, 1.0);
    EXPECT_EQ(node.checkpointer->completed(), completed + 2);
  });
}

TEST(Checkpoint, LogThatGrowsFastSpeedsUpTheOneUnderWay) {
  RecoveryHost host;
  host.config().shared_buffers = 64;
  host.config().checkpoint_timeout = seconds(1000);
  host.config().max_wal_size_bytes = 200'000;
  host.run_node([&](RecoveryNode& node) {
    const std::vector<PageId> pages = make_pages(node, 20);
    const std::uint64_t completed = node.checkpointer->completed();
    for (int i = 0; i < 450; ++i) {
      node.wal->flush(node.add_items({pages[static_cast<std::size_t>(i % 20)]}, std::string(1000, 'x')));
    }
    node.host.sleep_for(seconds(1));
    EXPECT_GE(node.checkpointer->completed(), completed + 1);
    EXPECT_LT(seconds_of(node.host.scheduler().now()), 30.0);
  });
}

TEST(Checkpoint, AsksTheKeepersInOrder) {
  RecoveryHost host;
  host.run_node([](RecoveryNode& node) {
    std::vector<std::string> calls;
    Lsn redo = 0;
    node.checkpointer->add_keeper({[&](CheckpointData& data) {
                                     calls.emplace_back("note");
                                     redo = data.redo;
                                     data.next_xid = 77;
                                   },
                                   [&](const CheckpointData& data) {
                                     calls.emplace_back("flush");
                                     EXPECT_EQ(data.next_xid, 77U);
                                     EXPECT_NE(node.control.read()->checkpoint.redo, redo);
                                   },
                                   [&](const CheckpointData& data) {
                                     calls.emplace_back("finished");
                                     EXPECT_EQ(node.control.read()->checkpoint, data);
                                   }});
    node.checkpointer->add_keeper({});
    node.checkpointer->run();
    EXPECT_EQ(calls, (std::vector<std::string>{"note", "flush", "finished"}));
    EXPECT_EQ(redo, node.log->redo_lsn());
  });
}

// What a checkpoint that failed would have made unnecessary still is necessary: the next one comes as if it had never
// begun.
TEST(Checkpoint, ThatFailsIsTriedAgain) {
  RecoveryHost host;
  host.config().checkpoint_timeout = seconds(100);
  host.run_node([](RecoveryNode& node) {
    make_pages(node, 3);
    int failures = 0;
    bool fails = true;
    node.checkpointer->add_keeper({{},
                                   [&](const CheckpointData&) {
                                     if (!fails) return;
                                     ++failures;
                                     throw SqlError(sqlstate::io_error, "no");
                                   },
                                   {}});
    // One that was asked for: the background task has no less to do than before.
    const std::uint64_t completed = node.checkpointer->completed();
    EXPECT_EQ(outcome([&] { node.checkpointer->run(); }), "58030 no");
    node.host.sleep_for(seconds(99));
    EXPECT_EQ(failures, 1);
    // Its own tries come a second apart.
    node.host.sleep_for(seconds(6));
    EXPECT_GE(failures, 4);
    fails = false;
    node.host.sleep_for(seconds(2));
    EXPECT_EQ(node.checkpointer->completed(), completed + 1);
    node.host.sleep_for(seconds(300));
    EXPECT_EQ(node.checkpointer->completed(), completed + 1);
  });
  EXPECT_TRUE(host.finished());
}

// The power fails before each operation of checkpoints that run while pages go on changing: in every life, what was
// durable is there.
TEST(Checkpoint, CrashAtEachOfItsOperations) {
  struct Outcome {
    std::uint64_t operations = 0;
    std::vector<int> flushed, attempted;  // by page: items
  };
  constexpr BlockNumber page_count = 6;
  const auto work = [](RecoveryHost& host, sim::CrashPoint& crash, std::uint64_t at) {
    Outcome outcome;
    outcome.flushed = outcome.attempted = std::vector<int>(page_count, 1);
    host.run_node([&](RecoveryNode& node) {
      const std::vector<PageId> pages = make_pages(node, page_count);
      node.checkpointer->run();
      crash.arm(at);
      const auto change = [&](BlockNumber page) {
        const Lsn end = node.add_items({pages[page]}, std::string(700, 'x'));
        const int items = ++outcome.attempted[page];
        node.wal->flush(end);
        outcome.flushed[page] = items;
      };
      const sim::TaskRef writer = host.host().spawn("writer", [&] {
        for (BlockNumber i = 0; i < 8; ++i) change(i % page_count);
      });
      node.checkpointer->run();
      host.host().scheduler().join(writer);
      change(0);
      change(5);
      node.checkpointer->run();
      outcome.operations = crash.operations();
      crash.arm(0);
    });
    return outcome;
  };
  std::uint64_t operations = 0;
  {
    RecoveryHost host;
    sim::CrashPoint crash(host.host());
    operations = work(host, crash, 0).operations;
  }
  ASSERT_GT(operations, 30U);
  for (std::uint64_t at = 1; at <= operations; ++at) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      RecoveryHost host(seed);
      sim::CrashPoint crash(host.host());
      const Outcome outcome = work(host, crash, at);
      const std::string struck = crash.struck();
      crash.arm(0);
      host.run_node([&](RecoveryNode& node) {
        for (BlockNumber page = 0; page < page_count; ++page) {
          const int items = static_cast<int>(node.items({relation, Fork::main, page}).size());
          ASSERT_GE(items, outcome.flushed[page]) << "page " << page << ", seed " << seed << ", " << struck;
          ASSERT_LE(items, outcome.attempted[page]) << "page " << page << ", seed " << seed << ", " << struck;
        }
      });
      ASSERT_EQ(host.error(), "") << "seed " << seed << ", " << struck;
      ASSERT_TRUE(host.finished());
      ASSERT_FALSE(::testing::Test::HasFailure());
    }
  }
}

TEST(Checkpoint, CrashAtItsFaultPoints) {
  for (const char* point : {"checkpoint/start", "checkpoint/pages-written", "checkpoint/synced",
                            "checkpoint/record-written", "checkpoint/control-written"}) {
    RecoveryHost host;
    host.run_node([&](RecoveryNode& node) {
      const std::vector<PageId> pages = make_pages(node, 20);
      node.wal->flush(node.add_items({pages[7]}, "x"));
      host.simulation().fault_points().arm(point, "n", 1, {});
      node.checkpointer->run();
    });
    EXPECT_EQ(host.simulation().fault_points().taken(), 1U) << point;
    host.run_node([](RecoveryNode& node) {
      EXPECT_EQ(node.items({relation, Fork::main, 7}), (std::vector<std::string>{"page 7", "x"}));
    });
    EXPECT_EQ(host.error(), "") << point;
    EXPECT_TRUE(host.finished()) << point;
  }
}

}  // namespace
}  // namespace polarsim::engine::storage::testing
