#include "engine/txn/heap_access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/txn/heap_test_support.h"

namespace polarsim::engine::txn {
namespace {

using syntax::LockStrength;
using syntax::LockWait;
using testing::contents;
using testing::given;
using testing::HeapNode;
using testing::Pending;
using testing::row_of;
using testing::Session;
using testing::test_table;
using testing::with_node;

TEST(Heap, RowsAreSeenWhenTheirTransactionHasCommitted) {
  with_node([](HeapNode& node) {
    Session a(node), b(node);
    a.insert(1, "one");
    EXPECT_EQ(a.scan(), "1:one");
    EXPECT_EQ(b.scan(), "");
    a.commit();
    EXPECT_EQ(b.scan(), "1:one");
    b.commit();
  });
}

TEST(Heap, AnUpdateLeavesTheOldVersionToOlderSnapshots) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session reader(node), writer(node);
    reader.commit();
    reader.begin(IsolationLevel::repeatable_read);
    EXPECT_EQ(reader.scan(), "1:old");
    EXPECT_EQ(writer.update(tid, 1, "new"), "ok (0,2)");
    EXPECT_EQ(writer.scan(), "1:new");
    writer.commit();
    EXPECT_EQ(reader.scan(), "1:old");
    EXPECT_EQ(reader.update(tid, 1, "mine"), "updated (0,2)");
    reader.abort();
    EXPECT_EQ(contents(node), "1:new");
  });
}

TEST(Heap, AnUpdateThatDoesNotFitGoesToAnotherPageInOneRecord) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, std::string(1500, 'a'));
    for (int i = 2; i <= 5; ++i) given(node, i, std::string(1500, 'b'));
    Session session(node);
    EXPECT_EQ(session.update(tid, 1, std::string(1600, 'c')), "ok (1,1)");
    session.commit();
    EXPECT_EQ(contents(node), "2:bbb...(1500) 3:bbb...(1500) 4:bbb...(1500) 5:bbb...(1500) 1:ccc...(1600)");
  });
}

TEST(Heap, ARolledBackChangeLeavesTheRowAsItWas) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session session(node);
    session.update(tid, 1, "new");
    session.abort();
    EXPECT_EQ(contents(node), "1:old");
    session.begin();
    EXPECT_EQ(session.remove(tid), "ok");
    EXPECT_EQ(session.scan(), "");
    session.abort();
    EXPECT_EQ(contents(node), "1:old");
    session.begin();
    EXPECT_EQ(session.update(tid, 1, "newer"), "ok (0,3)");
    session.commit();
    EXPECT_EQ(contents(node), "1:newer");
  });
}

TEST(Heap, ALinkToARolledBackVersionLeadsNowhere) {
  with_node([](HeapNode& node) {
    const Tid locked = given(node, 1, "locked");
    const Tid removed = given(node, 2, "removed");
    Session session(node);
    session.update(locked, 1, "lost");
    session.update(removed, 2, "lost");
    session.abort();
    EXPECT_NE(node.header_of(removed).ctid, removed);
    session.begin();
    session.lock(locked, LockStrength::update);
    EXPECT_EQ(node.header_of(locked).ctid, locked);
    session.remove(removed);
    session.commit();
    session.begin();
    EXPECT_EQ(session.remove(removed), "deleted");
    EXPECT_EQ(session.update(removed, 2, "x"), "deleted");
    session.abort();
  });
}

TEST(Heap, APursuitThatEndsAtOnesOwnCommandSaysSo) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session other(node), session(node);
    other.update(tid, 1, "b");
    other.commit();
    session.statement([&](const Snapshot&) {
      RowFailure failure;
      VisibleRow locked;
      Tid next;
      Heap& heap = node.heap();
      EXPECT_EQ(heap.update(session.transaction(), test_table, {0, 2}, row_of(1, "c"), false, next, failure),
                RowOutcome::ok);
      EXPECT_EQ(heap.lock(session.transaction(), test_table, tid, LockStrength::update, LockWait::block, true, locked,
                          failure),
                RowOutcome::self_modified);
      EXPECT_EQ(failure.command, session.transaction().command);
      return std::string();
    });
    EXPECT_EQ(session.lock(tid, LockStrength::update), "ok 1:c (0,3)") << "a later command may";
    session.commit();
  });
}

TEST(Heap, RedoNeedsNoImages) {
  NodeConfig config;
  config.full_page_writes = false;
  HeapNode node(1, config);
  node.run_node([](HeapNode& running) {
    const Tid tid = given(running, 1, std::string(1500, 'a'));
    for (int i = 2; i <= 5; ++i) given(running, i, std::string(1500, 'b'));
    Session session(running);
    session.update(tid, 1, std::string(1600, 'c'));
    session.update({0, 2}, 2, "here");
    session.lock({0, 3}, LockStrength::share);
    session.remove({0, 4});
    const Tid killed = running.heap().insert_speculative(session.transaction(), test_table, row_of(9, "killed"));
    const Tid confirmed = running.heap().insert_speculative(session.transaction(), test_table, row_of(8, "confirmed"));
    running.heap().kill(session.transaction(), test_table, killed);
    running.heap().confirm(session.transaction(), test_table, confirmed);
    session.commit();
    EXPECT_EQ(running.vacuum().removed, 4U);
    Session(running).insert(7, "not committed");
    running.wal().flush(running.wal().end());
    running.host().crash();
  });
  node.run_node([](HeapNode& running) {
    EXPECT_EQ(contents(running), "3:bbb...(1500) 5:bbb...(1500) 2:here 1:ccc...(1600) 8:confirmed");
    running.vacuum();
    EXPECT_EQ(running.versions(), 5U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(Heap, AStatementMeetsWhatItsOwnTransactionDid) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session session(node);
    session.statement([&](const Snapshot& snapshot) {
      RowFailure failure;
      Tid next;
      Heap& heap = node.heap();
      EXPECT_EQ(heap.update(session.transaction(), test_table, tid, row_of(1, "new"), false, next, failure),
                RowOutcome::ok);
      // The same command: what it made is not there for it, what it ended is.
      EXPECT_FALSE(heap.fetch(test_table, next, session.transaction(), snapshot));
      EXPECT_TRUE(heap.fetch(test_table, tid, session.transaction(), snapshot));
      EXPECT_EQ(heap.remove(session.transaction(), test_table, next, failure), RowOutcome::invisible);
      EXPECT_EQ(heap.remove(session.transaction(), test_table, tid, failure), RowOutcome::self_modified);
      EXPECT_EQ(failure.command, session.transaction().command);
      return std::string();
    });
    EXPECT_EQ(session.remove(tid), "invisible");
    EXPECT_EQ(session.scan(), "1:new");
    session.commit();
  });
}

TEST(Heap, AWriterWaitsForTheWriterBeforeIt) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session a(node), b(node), c(node);
    a.update(tid, 1, "a");
    Pending update = b.start([&](Session& session) { return session.update(tid, 1, "b"); });
    Pending remove = c.start([&](Session& session) { return session.remove(tid); });
    EXPECT_FALSE(update.done() || remove.done());
    a.commit();
    EXPECT_EQ(update.outcome(), "updated (0,2)");
    EXPECT_EQ(remove.outcome(), "updated (0,2)");
    EXPECT_EQ(b.update(b.failure.next, 1, "b"), "ok (0,3)");
    b.abort();
    EXPECT_EQ(c.remove(c.failure.next), "ok");
    c.commit();
    EXPECT_EQ(contents(node), "");
  });
}

TEST(Heap, WaitersAreServedInOrder) {
  const auto serve = [](HeapNode& node) {
    const Tid tid = given(node, 1, "old");
    Session holder(node);
    holder.update(tid, 1, "lost");
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<Pending> pending;
    std::string order;
    for (int i = 0; i < 4; ++i) {
      sessions.push_back(std::make_unique<Session>(node));
      pending.push_back(sessions.back()->start([&, i](Session& session) {
        const std::string outcome = session.lock(tid, LockStrength::update);
        order += std::to_string(i);
        session.abort();
        return outcome;
      }));
    }
    holder.abort();
    for (Pending& each : pending) EXPECT_EQ(each.outcome(), "ok 1:old (0,1)");
    EXPECT_EQ(order, "0123");
  };
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    HeapNode node(seed, {}, sim::SchedulingPolicy::random);
    node.run_node(serve);
    EXPECT_TRUE(node.finished()) << node.error();
  }
}

TEST(Heap, WhoHoldsTheRowDoesNotQueueBehindThoseWhoWaitForIt) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session first(node), second(node), waiter(node);
    first.lock(tid, LockStrength::share);
    second.lock(tid, LockStrength::share);
    Pending waits = waiter.start([&](Session& session) { return session.remove(tid); });
    Pending stronger = first.start([&](Session& session) { return session.lock(tid, LockStrength::update); });
    EXPECT_FALSE(waits.done() || stronger.done());
    second.commit();
    EXPECT_EQ(stronger.outcome(), "ok 1:a (0,1)");
    EXPECT_FALSE(waits.done());
    first.commit();
    EXPECT_EQ(waits.outcome(), "ok");
    waiter.commit();
  });
}

TEST(Heap, RollingBackASavepointFreesTheRowsLockedSince) {
  with_node([](HeapNode& node) {
    const Tid first = given(node, 1, "one");
    const Tid second = given(node, 2, "two");
    Session a(node), b(node);
    a.lock(first, LockStrength::share);
    a.savepoint("s");
    a.lock(first, LockStrength::update);
    a.update(second, 2, "gone");
    Pending share = b.start([&](Session& session) { return session.lock(first, LockStrength::share); });
    EXPECT_FALSE(share.done());
    a.rollback_to("s");
    EXPECT_EQ(share.outcome(), "ok 1:one (0,1)");
    EXPECT_EQ(b.update(second, 2, "new"), "ok (0,4)");
    // What was locked before the savepoint still is.
    EXPECT_EQ(b.lock(first, LockStrength::update, LockWait::nowait), "not available");
    a.abort();
    EXPECT_EQ(b.lock(first, LockStrength::update, LockWait::nowait), "ok 1:one (0,1)");
    b.commit();
  });
}

TEST(Heap, LocksPursueARowToItsNewestVersion) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session writer(node), reader(node);
    writer.update(tid, 1, "b");
    Pending pending = reader.start([&](Session& session) { return session.lock(tid, LockStrength::update); });
    EXPECT_FALSE(pending.done());
    writer.update(writer.newest, 1, "c");
    writer.commit();
    EXPECT_EQ(pending.outcome(), "ok 1:c (0,3)");
    reader.abort();

    writer.begin();
    reader.begin();
    writer.update(Tid{0, 3}, 1, "d");
    writer.remove(writer.newest);
    writer.commit();
    EXPECT_EQ(reader.lock(tid, LockStrength::share), "deleted");
    EXPECT_EQ(reader.lock(tid, LockStrength::share, LockWait::block, false), "updated (0,2)");
    reader.abort();
  });
}

TEST(Heap, APursuitEndsWhereTheNextVersionHasBecomeAnotherRow) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session remover(node), running(node), updater(node);
    remover.insert(2, "x");
    running.insert(3, "y");
    EXPECT_EQ(updater.update(tid, 1, "b"), "ok (0,4)");
    updater.commit();
    EXPECT_EQ(remover.remove(Tid{0, 4}), "ok");
    remover.commit();
    // The newest version ended before the horizon, but the update that led to it is younger.
    EXPECT_EQ(node.vacuum().removed, 1U);
    updater.begin();
    EXPECT_EQ(testing::to_string(updater.insert(9, "z")), "(0,4)");
    EXPECT_EQ(updater.lock(tid, LockStrength::share, LockWait::block, false), "updated (0,4)");
    EXPECT_EQ(updater.lock(tid, LockStrength::share), "deleted");
    EXPECT_EQ(updater.lock(tid, LockStrength::key_share), "ok 1:a (0,1)") << "no later version is left to be locked";
    updater.commit();
    running.commit();
  });
}

TEST(Heap, KeyShareLocksAnOldVersionWhoseKeyIsStillTheSame) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session writer(node), child(node), other(node);
    writer.update(tid, 1, "b");
    // While the update runs, and the new version is locked with the old one.
    EXPECT_EQ(child.lock(tid, LockStrength::key_share, LockWait::nowait), "ok 1:a (0,1)");
    writer.commit();
    EXPECT_EQ(other.lock(tid, LockStrength::key_share, LockWait::nowait), "ok 1:a (0,1)");
    Session third(node);
    EXPECT_EQ(third.update(Tid{0, 2}, 1, "c", false), "ok (0,3)");
    Pending remove = third.start([](Session& session) { return session.remove(session.newest); });
    EXPECT_FALSE(remove.done()) << "the locks went on to the newest version";
    child.commit();
    node.sleep_ms(10);
    EXPECT_FALSE(remove.done());
    other.commit();
    EXPECT_EQ(remove.outcome(), "ok");
    third.commit();
    EXPECT_EQ(contents(node), "");
  });
}

TEST(Heap, KeyShareWaitsForAChangeOfTheKey) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session writer(node), child(node);
    writer.update(tid, 2, "a", true);
    Pending pending = child.start([&](Session& session) { return session.lock(tid, LockStrength::key_share); });
    EXPECT_FALSE(pending.done());
    writer.commit();
    EXPECT_EQ(pending.outcome(), "ok 2:a (0,2)");
    child.commit();
  });
}

TEST(Heap, NobodyWaitsWhoDoesNotWant) {
  with_node([](HeapNode& node) {
    const Tid tid = given(node, 1, "a");
    Session a(node), b(node);
    a.lock(tid, LockStrength::no_key_update);
    EXPECT_EQ(b.lock(tid, LockStrength::share, LockWait::nowait), "not available");
    EXPECT_EQ(b.lock(tid, LockStrength::share, LockWait::skip_locked), "not available");
    EXPECT_EQ(b.lock(tid, LockStrength::key_share, LockWait::skip_locked), "ok 1:a (0,1)");
    a.commit();
    b.commit();
  });
}

TEST(Heap, TwoWhoWantEachOthersRowsAreADeadlock) {
  with_node([](HeapNode& node) {
    const Tid first = given(node, 1, "a");
    const Tid second = given(node, 2, "b");
    Session a(node), b(node);
    a.update(first, 1, "x");
    b.update(second, 2, "x");
    // Who waited first looks first.
    Pending waits = a.start([&](Session& session) {
      const std::string outcome = session.update(second, 2, "y");
      session.abort();
      return outcome;
    });
    EXPECT_EQ(b.update(first, 1, "y"), "ok (0,5)");
    EXPECT_EQ(waits.outcome(), "40P01 deadlock detected");
    b.commit();
    EXPECT_EQ(contents(node), "2:x 1:y");
  });
}

TEST(Heap, UniqueChecksWaitForWhoeverDecides) {
  with_node([](HeapNode& node) {
    using State = Heap::KeyOwner::State;
    const auto is_one = [](const Row& row) { return row[0] == Value::integer(1); };
    Session a(node), b(node);
    const auto owner = [&](Session& session, std::vector<Tid> tids) {
      return node.heap().find_key_owner(session.transaction(), test_table, tids, is_one);
    };
    const Tid tid = a.insert(1, "a");
    const Tid other = a.insert(2, "b");
    EXPECT_EQ(owner(a, {other, tid}).state, State::live);
    EXPECT_EQ(owner(b, {other}).state, State::none) << "another key";
    EXPECT_EQ(owner(b, {Tid{0, 99}, Tid{99, 1}}).state, State::none);
    const Heap::KeyOwner undecided = owner(b, {tid});
    EXPECT_EQ(undecided.state, State::undecided);
    EXPECT_EQ(undecided.wait_for, a.transaction().top_xid());
    a.commit();
    EXPECT_EQ(owner(b, {tid}).state, State::live);
    a.begin();
    a.remove(tid);
    EXPECT_EQ(owner(a, {tid}).state, State::none);
    Pending wait = b.start([&](Session& session) {
      node.heap().wait_for(session.transaction(), owner(session, {tid}));
      return owner(session, {tid}).state == State::live ? std::string("live") : std::string("gone");
    });
    EXPECT_FALSE(wait.done());
    a.abort();
    EXPECT_EQ(wait.outcome(), "live");
    b.commit();
  });
}

TEST(Heap, APlantedBugTakesUndecidedOwnersForNone) {
  NodeConfig config;
  config.planted.turn_on(PlantedBug::unique_check_without_wait);
  with_node(
      [](HeapNode& node) {
        Session a(node), b(node);
        const Tid tid = a.insert(1, "a");
        const auto owner =
            node.heap().find_key_owner(b.transaction(), test_table, {tid}, [](const Row&) { return true; });
        EXPECT_EQ(owner.state, Heap::KeyOwner::State::none);
        a.commit();
        b.commit();
      },
      config);
}

TEST(Heap, PlantedBugsMakeRowLocksNotCount) {
  NodeConfig config;
  config.planted.turn_on(PlantedBug::locks_released_at_prepare);
  with_node(
      [](HeapNode& node) {
        const Tid tid = given(node, 1, "old");
        Session a(node), b(node);
        a.update(tid, 1, "a");
        a.prepare("x");
        EXPECT_EQ(b.lock(tid, LockStrength::update, LockWait::nowait), "ok 1:old (0,1)");
        EXPECT_EQ(b.update(tid, 1, "b"), "ok (0,3)");
        b.commit();
        node.manager().finish_prepared("x", true);
        EXPECT_EQ(contents(node), "1:a 1:b");
      },
      config);
  config = {};
  config.planted.turn_on(PlantedBug::savepoint_rollback_releases_locks_early);
  with_node(
      [](HeapNode& node) {
        const Tid tid = given(node, 1, "old");
        Session a(node), b(node);
        a.lock(tid, LockStrength::update);
        a.savepoint("s");
        a.rollback_to("s");
        EXPECT_EQ(b.update(tid, 1, "b"), "ok (0,2)");
        b.commit();
        a.abort();
      },
      config);
}

TEST(Heap, ASpeculativeInsertionIsWaitedForByItsToken) {
  with_node([](HeapNode& node) {
    const auto any = [](const Row&) { return true; };
    const auto wait_for_owner = [&](Tid tid) {
      return [&node, any, tid](Session& session) {
        const auto owner = node.heap().find_key_owner(session.transaction(), test_table, {tid}, any);
        EXPECT_NE(owner.speculation, 0U);
        node.heap().wait_for(session.transaction(), owner);
        const auto after = node.heap().find_key_owner(session.transaction(), test_table, {tid}, any);
        return std::string(after.state == Heap::KeyOwner::State::none ? "none" : "undecided") +
               (after.speculation == 0 ? "" : " token");
      };
    };
    Session a(node), b(node), c(node);
    const Tid confirmed = node.heap().insert_speculative(a.transaction(), test_table, row_of(1, "a"));
    Pending first = b.start(wait_for_owner(confirmed));
    EXPECT_FALSE(first.done());
    node.heap().confirm(a.transaction(), test_table, confirmed);
    EXPECT_EQ(first.outcome(), "undecided");  // now it is the transaction that decides
    const Tid killed = node.heap().insert_speculative(a.transaction(), test_table, row_of(1, std::string(5000, 'b')));
    Pending second = c.start(wait_for_owner(killed));
    EXPECT_FALSE(second.done());
    node.heap().kill(a.transaction(), test_table, killed);
    EXPECT_EQ(second.outcome(), "none");
    node.manager().next_command(a.transaction());
    EXPECT_EQ(a.scan(), "1:a");
    a.commit();
    b.commit();
    c.commit();
    EXPECT_EQ(contents(node), "1:a");
    node.vacuum();
    EXPECT_EQ(node.versions(), 1U);
    EXPECT_EQ(node.versions(test_table.toast), 0U);
  });
}

}  // namespace
}  // namespace polarsim::engine::txn
