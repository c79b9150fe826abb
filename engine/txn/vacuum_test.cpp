#include "engine/txn/vacuum.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/txn/heap_test_support.h"
#include "engine/txn/row_locks.h"

namespace polarsim::engine::txn {
namespace {

namespace infomask = storage::infomask;
using syntax::LockStrength;
using syntax::LockWait;
using testing::contents;
using testing::given;
using testing::HeapNode;
using testing::Session;
using testing::test_table;
using testing::with_node;

std::size_t entries(HeapNode& node) {
  std::size_t count = 0;
  std::vector<storage::BTree::Entry> page;
  for (auto scan = node.index().scan({}); scan.next(page);) count += page.size();
  return count;
}

void use_xids(HeapNode& node, int count) {
  for (int i = 0; i < count; ++i) {
    Session session(node);
    node.manager().assign_xid(session.transaction());
    session.abort();
  }
}

TEST(Vacuum, TakesAwayWhatNobodySees) {
  with_node([](HeapNode& node) {
    const Tid updated = given(node, 1, "old");
    const Tid removed = given(node, 2, "gone");
    given(node, 3, "stays");
    Session session(node);
    session.update(updated, 1, "new");
    session.remove(removed);
    session.commit();
    session.begin();
    session.insert(4, "rolled back");
    session.abort();
    EXPECT_EQ(entries(node), 5U);
    const VacuumResult result = node.vacuum();
    EXPECT_EQ(result.removed, 3U);
    EXPECT_EQ(result.kept, 0U);
    EXPECT_EQ(result.pages, 1U);
    EXPECT_EQ(node.versions(), 2U);
    EXPECT_EQ(entries(node), 2U);
    EXPECT_EQ(contents(node), "3:stays 1:new");
    EXPECT_EQ(node.index().check(), std::nullopt);
    EXPECT_EQ(node.vacuum().removed, 0U);
  });
}

TEST(Vacuum, LeavesWhatASnapshotMayNeed) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session reader(node), writer(node);
    reader.commit();
    reader.begin(IsolationLevel::repeatable_read);
    EXPECT_EQ(reader.scan(), "1:old");
    writer.update(tid, 1, "new");
    writer.commit();
    EXPECT_EQ(node.vacuum().kept, 1U);
    EXPECT_EQ(reader.scan(), "1:old");
    reader.commit();
    EXPECT_EQ(node.vacuum().removed, 1U);
  });
}

TEST(Vacuum, APlantedBugTakesAwayWhatASnapshotNeeds) {
  NodeConfig config;
  config.planted.turn_on(PlantedBug::vacuum_removes_visible_row);
  with_node(
      [](HeapNode& node) {
        const Tid tid = given(node, 1, "old");
        Session reader(node), writer(node);
        reader.commit();
        reader.begin(IsolationLevel::repeatable_read);
        EXPECT_EQ(reader.scan(), "1:old");
        writer.update(tid, 1, "new");
        node.vacuum();
        EXPECT_EQ(reader.scan(), "1:old") << "who ends it still runs";
        writer.commit();
        node.vacuum();
        EXPECT_EQ(reader.scan(), "");
        reader.commit();
      },
      config);
}

TEST(Vacuum, LeavesWhatATransactionIsAbout) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session session(node);
    session.insert(2, "new");
    session.remove(tid);
    const VacuumResult result = node.vacuum();
    EXPECT_EQ(result.removed + result.kept, 0U);
    session.abort();
    EXPECT_EQ(contents(node), "1:old");
  });
}

TEST(Vacuum, ItsSpaceIsUsedAgain) {
  with_node([](HeapNode& node) {
    for (int round = 0; round < 5; ++round) {
      Session session(node);
      std::vector<Tid> tids;
      for (int i = 0; i < 200; ++i) tids.push_back(session.insert(i, std::string(300, 'x')));
      session.commit();
      session.begin();
      for (const Tid tid : tids) EXPECT_EQ(session.remove(tid), "ok");
      session.commit();
      node.vacuum();
    }
    EXPECT_LE(node.files().block_count(test_table.relation), 10U);
    EXPECT_EQ(node.versions(), 0U);
    EXPECT_EQ(entries(node), 0U);
  });
}

TEST(Vacuum, FindsEntriesWhoseKeyIsOutOfLine) {
  with_node([](HeapNode& node) {
    // An index on the text, which is long enough to be moved and short enough for a key.
    Backend backend(node.host(), node.new_process_id());
    const std::string text(2100, 'k');
    const auto index_text = [&](const std::string& key, Tid tid) {
      const Value value = Value::text(key);
      node.index().insert(storage::encode_key({&value, 1}), tid);
    };
    Session session(node), running(node), remover(node);
    session.statement([&](const Snapshot&) {
      index_text(text, node.heap().insert(session.transaction(), test_table, testing::row_of(1, text)));
      return std::string();
    });
    session.commit();
    EXPECT_GT(node.versions(test_table.toast), 0U);
    // The version that an update replaced shares its chunks with the next one. That one ended before the horizon, the
    // update did not: the old version stays while its chunks go.
    node.manager().assign_xid(remover.transaction());
    node.manager().assign_xid(running.transaction());
    session.begin();
    Tid next;
    session.statement([&](const Snapshot&) {
      RowFailure failure;
      EXPECT_EQ(
          node.heap().update(session.transaction(), test_table, {0, 1}, testing::row_of(2, text), false, next, failure),
          RowOutcome::ok);
      index_text(text, next);
      return std::string();
    });
    session.commit();
    EXPECT_EQ(remover.remove(next), "ok");
    remover.commit();
    const std::vector<VacuumIndex> indexes{node.index_on(1)};
    EXPECT_EQ(Vacuum(node.heap()).run(backend, test_table, indexes).removed, 1U);
    EXPECT_EQ(node.versions(test_table.toast), 0U);
    EXPECT_EQ(entries(node), 1U);
    running.commit();
    EXPECT_EQ(Vacuum(node.heap()).run(backend, test_table, indexes).removed, 1U);
    EXPECT_EQ(entries(node), 0U);
  });
}

TEST(Vacuum, ACrashBetweenEntriesAndLinePointersIsMadeGood) {
  HeapNode node;
  node.run_node([](HeapNode& running) {
    const Tid tid = given(running, 1, "gone");
    given(running, 2, "stays");
    Session session(running);
    session.remove(tid);
    session.commit();
    running.simulation().fault_points().arm("vacuum/index-entries-removed", "", 1, {});
    running.vacuum();
  });
  node.run_node([](HeapNode& running) {
    EXPECT_EQ(running.vacuum().removed, 1U);
    EXPECT_EQ(running.versions(), 1U);
    EXPECT_EQ(entries(running), 1U);
    EXPECT_EQ(contents(running), "2:stays");
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

// Rows of 300 bytes on several pages; those from `first_removed` on are dead, and vacuumed.
std::vector<Tid> emptied_at_the_end(HeapNode& node, std::size_t first_removed) {
  Session session(node);
  std::vector<Tid> tids;
  for (int i = 0; i < 200; ++i) tids.push_back(session.insert(i, std::string(300, 'x')));
  session.commit();
  session.begin();
  for (std::size_t i = first_removed; i < tids.size(); ++i) EXPECT_EQ(session.remove(tids[i]), "ok");
  session.commit();
  EXPECT_EQ(node.vacuum().to_truncate, std::vector<RelationId>{test_table.relation});
  return tids;
}

TEST(Vacuum, GivesEmptyPagesAtTheEndBack) {
  HeapNode node;
  std::vector<Tid> tids;
  const auto blocks = [](HeapNode& running) { return running.files().block_count(test_table.relation); };
  node.run_node([&](HeapNode& running) {
    tids = emptied_at_the_end(running, 60);
    const storage::BlockNumber before = blocks(running);
    EXPECT_EQ(running.truncate(test_table.relation, [] { return false; }), 0U) << "somebody waits for the table";
    EXPECT_EQ(running.truncate(), before - tids[59].block - 1);
    EXPECT_EQ(blocks(running), tids[59].block + 1);
    EXPECT_EQ(running.truncate(), 0U);
    EXPECT_EQ(running.vacuum().to_truncate, std::vector<RelationId>{});
    EXPECT_EQ(running.versions(), 60U);
    // The pages come again, and hold what is put there.
    for (int i = 0; i < 50; ++i) given(running, 1000 + i, std::string(300, 'y'));
    EXPECT_GT(blocks(running), tids[59].block + 1);
    running.host().crash();
  });
  node.run_node([&](HeapNode& running) {
    EXPECT_EQ(running.versions(), 110U);
    EXPECT_EQ(entries(running), 110U);
    EXPECT_EQ(running.vacuum().removed, 0U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(Vacuum, ACrashBeforeTheCutIsMadeGood) {
  HeapNode node;
  std::vector<Tid> tids;
  node.run_node([&](HeapNode& running) {
    tids = emptied_at_the_end(running, 60);
    running.checkpointer().run();
    running.simulation().fault_points().arm("vacuum/truncation-logged", "", 1, {});
    running.truncate();
  });
  EXPECT_FALSE(node.finished());
  node.run_node([&](HeapNode& running) {
    EXPECT_EQ(running.files().block_count(test_table.relation), tids[59].block + 1);
    EXPECT_EQ(running.versions(), 60U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

// Without images in the log, redo meets changes of pages that the cut, which is durable already, has taken away.
TEST(Vacuum, TheCutExplainsMissingPages) {
  NodeConfig config;
  config.full_page_writes = false;
  HeapNode node(1, config);
  std::vector<Tid> tids;
  node.run_node([&](HeapNode& running) {
    Session session(running);
    for (int i = 0; i < 200; ++i) tids.push_back(session.insert(i, std::string(300, 'x')));
    session.commit();
    running.checkpointer().run();
    session.begin();
    for (std::size_t i = 60; i < tids.size(); ++i) EXPECT_EQ(session.remove(tids[i]), "ok");
    session.commit();
    running.vacuum();
    EXPECT_GT(running.truncate(), 0U);
    running.files().sync_all();
    running.host().crash();
  });
  node.run_node([&](HeapNode& running) {
    EXPECT_EQ(running.files().block_count(test_table.relation), tids[59].block + 1);
    EXPECT_EQ(running.versions(), 60U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

// Vacuum looks at the long values after the rows: a row that dies in between is still there when its chunks have gone.
TEST(Vacuum, NobodyTakesADeadRowWithoutItsChunksForDamage) {
  with_node([](HeapNode& node) {
    given(node, 1, "short");
    Session session(node);
    session.insert(2, std::string(5000, 'x'));
    session.abort();
    Backend backend(node.host(), node.new_process_id());
    EXPECT_GT(Vacuum(node.heap()).run(backend, {test_table.toast, 0}, {}).removed, 0U);
    EXPECT_EQ(node.versions(), 2U);
    std::string seen;
    node.heap().for_each_version(
        test_table, [&](Tid, const storage::TupleHeader&, const Row& row) { seen += testing::to_string(row); });
    EXPECT_EQ(seen, "1:short");
  });
}

TEST(Vacuum, StopsWhenItIsAskedTo) {
  with_node([](HeapNode& node) {
    given(node, 1, "a");
    Backend backend(node.host(), node.new_process_id());
    backend.request_cancel();
    EXPECT_THROW(Vacuum(node.heap()).run(backend, test_table, {}), SqlError);
  });
}

NodeConfig freezing(std::uint32_t age) {
  NodeConfig config;
  config.vacuum_freeze_min_age = age;
  return config;
}

TEST(Vacuum, FreezesWhatIsOldEnough) {
  with_node(
      [](HeapNode& node) {
        const Tid old = given(node, 1, "old");
        const Xid old_xid = node.header_of(old).xmin;
        use_xids(node, 20);
        const Tid young = given(node, 2, "young");
        const VacuumResult result = node.vacuum();
        EXPECT_EQ(result.frozen, 1U);
        EXPECT_TRUE(node.header_of(old).has(infomask::xmin_frozen));
        EXPECT_EQ(node.header_of(old).xmin, old_xid) << "kept for people";
        EXPECT_FALSE(node.header_of(young).has(infomask::xmin_frozen));
        EXPECT_EQ(result.oldest_xid, node.header_of(young).xmin);
        EXPECT_EQ(contents(node), "1:old 2:young");
      },
      freezing(10));
}

TEST(Vacuum, TakesOffLocksAndEndsThatCameToNothing) {
  with_node(
      [](HeapNode& node) {
        const Tid locked = given(node, 1, "locked");
        const Tid kept = given(node, 2, "kept");
        const Tid held = given(node, 3, "held");
        Session session(node), holder(node);
        session.lock(locked, LockStrength::update);
        session.commit();
        session.begin();
        session.remove(kept);
        session.abort();
        holder.lock(held, LockStrength::share);
        use_xids(node, 5);
        const VacuumResult result = node.vacuum();
        EXPECT_EQ(node.header_of(locked).xmax, 0U);
        EXPECT_EQ(node.header_of(kept).xmax, 0U);
        EXPECT_EQ(node.header_of(held).xmax, holder.transaction().top_xid());
        EXPECT_EQ(result.oldest_xid, holder.transaction().top_xid());
        session.begin();
        EXPECT_EQ(session.lock(held, LockStrength::no_key_update, LockWait::nowait), "not available");
        session.abort();
        holder.commit();
        EXPECT_EQ(contents(node), "1:locked 2:kept 3:held");
      },
      freezing(0));
}

TEST(Vacuum, ReplacesMultixacts) {
  with_node(
      [](HeapNode& node) {
        const Tid over = given(node, 1, "over");
        const Tid held = given(node, 2, "held");
        const Tid ended = given(node, 3, "ended");
        Session a(node), b(node), reader(node), writer(node);
        a.lock(over, LockStrength::share);
        b.lock(over, LockStrength::share);
        a.lock(held, LockStrength::share);
        b.lock(held, LockStrength::share);
        a.lock(ended, LockStrength::key_share);
        reader.commit();
        reader.begin(IsolationLevel::repeatable_read);
        reader.scan();
        writer.update(ended, 3, "new");
        writer.commit();
        EXPECT_EQ(holders_of(node.manager(), node.header_of(ended)).size(), 2U);
        a.commit();
        // Its snapshot keeps the old version of the third row.
        b.savepoint("s");
        b.lock(over, LockStrength::update);
        b.rollback_to("s");
        use_xids(node, 5);
        VacuumResult result = node.vacuum();
        EXPECT_EQ(node.header_of(over).has(infomask::xmax_is_multi), false);
        EXPECT_EQ(node.header_of(over).xmax, b.transaction().top_xid());
        EXPECT_EQ(node.header_of(held).xmax, b.transaction().top_xid());
        EXPECT_FALSE(node.header_of(ended).has(infomask::xmax_is_multi)) << "one updater is left";
        EXPECT_EQ(result.oldest_multixact, node.manager().multixacts().next());
        EXPECT_EQ(reader.scan(), "1:over 2:held 3:ended");
        b.commit();
        reader.commit();
        EXPECT_EQ(contents(node), "1:over 2:held 3:new");
      },
      freezing(0));
}

TEST(Vacuum, GivesASetThatIsStillNeededANewName) {
  with_node(
      [](HeapNode& node) {
        const Tid tid = given(node, 1, "held");
        Session a(node), b(node);
        a.lock(tid, LockStrength::share);
        b.lock(tid, LockStrength::share);
        const Xid before = node.header_of(tid).xmax;
        const VacuumResult result = node.vacuum();
        EXPECT_EQ(result.oldest_multixact, before + 1);
        EXPECT_EQ(node.header_of(tid).xmax, before + 1);
        EXPECT_EQ(holders_of(node.manager(), node.header_of(tid)).size(), 2U);
        a.abort();
        b.abort();
      },
      freezing(0));
}

TEST(Vacuum, CountsTheMembersOfWhatItLeaves) {
  with_node(
      [](HeapNode& node) {
        const Tid tid = given(node, 1, "held");
        use_xids(node, 30);
        Session a(node), b(node);
        a.lock(tid, LockStrength::share);
        b.lock(tid, LockStrength::share);
        const Xid first = a.transaction().top_xid();
        a.commit();
        const VacuumResult result = node.vacuum();
        EXPECT_TRUE(node.header_of(tid).has(infomask::xmax_is_multi));
        EXPECT_EQ(result.oldest_multixact, node.header_of(tid).xmax);
        EXPECT_EQ(result.oldest_xid, first);
        b.abort();
      },
      freezing(20));
}

TEST(Vacuum, IdentifiersMayWrapAround) {
  NodeConfig config = freezing(50);
  config.initial_xid = 0xFFFFFFFF - 300;
  HeapNode node(1, config);
  const auto change = [](HeapNode& running, Tid& tid, int rounds) {
    Session session(running);
    session.commit();
    for (int i = 0; i < rounds; ++i) {
      session.begin();
      EXPECT_EQ(session.update(tid, 1, "version " + std::to_string(i)).substr(0, 2), "ok");
      tid = session.newest;
      session.commit();
      if (i % 40 == 0) {
        const VacuumResult result = running.vacuum();
        running.manager().advance_oldest(result.oldest_xid, result.oldest_multixact);
        EXPECT_LE(running.versions(), 42U);
      }
    }
  };
  Tid tid;
  node.run_node([&](HeapNode& running) {
    const Tid frozen = given(running, 7, "from before");
    tid = given(running, 1, "first");
    Session reader(running);
    reader.commit();
    reader.begin(IsolationLevel::repeatable_read);
    EXPECT_EQ(reader.scan(), "7:from before 1:first");
    change(running, tid, 30);
    EXPECT_EQ(reader.scan(), "7:from before 1:first");
    reader.commit();
    change(running, tid, 700);
    EXPECT_LT(storage::xid_of(running.manager().next_xid()), 1000U) << "it has wrapped";
    EXPECT_TRUE(running.header_of(frozen).has(infomask::xmin_frozen));
    EXPECT_TRUE(storage::xid_precedes(0xFFFFFFFF, running.manager().oldest_xid()));
    EXPECT_EQ(contents(running), "7:from before 1:version 699");
  });
  ASSERT_TRUE(node.finished()) << node.error();
  node.run_node([&](HeapNode& running) {
    EXPECT_EQ(contents(running), "7:from before 1:version 699");
    change(running, tid, 10);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

}  // namespace
}  // namespace polarsim::engine::txn
