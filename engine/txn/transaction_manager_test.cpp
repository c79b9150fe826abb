#include "engine/txn/transaction_manager.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/txn/transaction_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::OpenTransactions;
using testing::outcome;
using testing::TransactionHost;

// Runs `body` on a new node.
void on_new_node(const std::function<void(OpenTransactions&)>& body, const NodeConfig& config = {}) {
  TransactionHost node;
  node.config = config;
  node.run_transactions(body);
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(Transactions, BecomeVisibleOnlyWhenTheirCommitIsDurable) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    Transaction& writer = open.writer(a);
    const Xid xid = writer.top_xid();
    const sim::TaskRef commit = open.spawn([&] { open.manager.commit(writer); });
    open.sleep_us(50);
    EXPECT_FALSE(commit.finished());
    EXPECT_EQ(open.status(xid), "in progress");
    Transaction& reader = open.manager.begin(b);
    {
      const ActiveSnapshot before(open.manager, reader);
      EXPECT_TRUE(before->in_progress_then(xid));
      EXPECT_FALSE(open.manager.settled_for_all(xid));
      open.locks.wait_for_end(b, xid);
      EXPECT_EQ(open.status(xid), "committed");
      EXPECT_FALSE(open.manager.settled_for_all(xid)) << "the snapshot does not show it";
      EXPECT_EQ(open.manager.horizon(), xid);
    }
    EXPECT_TRUE(open.manager.settled_for_all(xid));
    const ActiveSnapshot after(open.manager, reader);
    EXPECT_FALSE(after->in_progress_then(xid));
    open.join(commit);
    open.manager.abort(reader);
    EXPECT_EQ(open.manager.open_transactions(), 0U);
    EXPECT_EQ(open.locks.locked_things(), 0U);
  });
}

TEST(Transactions, ThatWroteNothingWaitForNothing) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    const sim::Time start = open.host.scheduler().now();
    const FullXid next = open.manager.next_xid();
    open.manager.commit(open.manager.begin(a));
    EXPECT_EQ(open.manager.next_xid(), next) << "and need no identifier";
    Transaction& locker = open.manager.begin(a);
    const Xid xid = open.manager.assign_xid(locker);
    open.manager.commit(locker);
    EXPECT_EQ(open.status(xid), "committed");
    open.manager.abort(open.writer(a));
    EXPECT_EQ(open.host.scheduler().now(), start);
    open.manager.commit(open.writer(a));
    EXPECT_GT(open.host.scheduler().now(), start);
  });
}

TEST(Transactions, GoOnWithoutACallerWhoIsCancelled) {
  on_new_node([](OpenTransactions& open) {
    auto a = std::make_unique<Backend>(open.host, 1);
    Backend b(open.host, 2);
    Transaction& writer = open.writer(*a);
    open.locks.acquire(*a, writer.level().locks, LockTag::of_relation(16384), LockMode::share);
    const Xid xid = writer.top_xid();
    const sim::TaskRef commit = open.spawn([&] { open.manager.commit(writer); });
    open.sleep_us(50);
    open.host.scheduler().cancel(commit);
    open.join(commit);
    a.reset();
    EXPECT_EQ(open.status(xid), "in progress");
    LockOwner owner;
    EXPECT_EQ(open.locks.acquire(b, owner, LockTag::of_relation(16384), LockMode::exclusive),
              LockResult::granted_after_wait);
    EXPECT_EQ(open.status(xid), "committed");
    open.locks.release_all(b, owner);
  });
}

TEST(Transactions, HideBehindTheRepeatableReadersSnapshot) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    Transaction& reader = open.manager.begin(b, IsolationLevel::repeatable_read);
    Transaction& early = open.writer(a);
    const Xid early_xid = early.top_xid();
    open.manager.commit(early);
    Transaction& late = open.writer(a);
    const Xid late_xid = late.top_xid();
    {
      const ActiveSnapshot first(open.manager, reader);
      EXPECT_FALSE(first->in_progress_then(early_xid));
      EXPECT_TRUE(first->in_progress_then(late_xid));
    }
    open.manager.commit(late);
    open.manager.next_command(reader);
    EXPECT_EQ(open.manager.horizon(), late_xid) << "between its statements, too";
    EXPECT_FALSE(open.manager.settled_for_all(late_xid));
    {
      const ActiveSnapshot second(open.manager, reader);
      EXPECT_TRUE(second->in_progress_then(late_xid));
      EXPECT_EQ(second->command, 1U);
    }
    open.manager.commit(reader);
    EXPECT_TRUE(open.manager.settled_for_all(late_xid));
    EXPECT_EQ(open.manager.horizon(), storage::xid_of(open.manager.next_xid()));
  });
}

TEST(Transactions, RemoveFilesOfWhatIsGone) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    for (const bool commit : {true, false}) {
      const RelationId created = open.manager.new_relation_id();
      const RelationId dropped = open.manager.new_relation_id();
      open.files.create(created);
      open.files.create(dropped);
      Transaction& transaction = open.writer(a);
      transaction.level().created = {created};
      transaction.level().dropped = {dropped};
      commit ? open.manager.commit(transaction) : open.manager.abort(transaction);
      EXPECT_EQ(open.files.exists(created), commit);
      EXPECT_EQ(open.files.exists(dropped), !commit);
    }
  });
}

// Else a crash could take the record and not the removal: redo would miss the file and find nothing that explains it.
TEST(Transactions, RemoveNoFileBeforeTheRecordThatSaysSoIsDurable) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    const RelationId first = open.manager.new_relation_id();
    const RelationId second = open.manager.new_relation_id();
    Transaction& transaction = open.writer(a);
    open.manager.savepoint(transaction, "s");
    open.manager.assign_xid(transaction);
    const std::function<void()> roll_back = [&] { open.manager.rollback_to(transaction, "s"); };
    const std::function<void()> abort = [&] { open.manager.abort(transaction); };
    for (const auto& [file, end] : {std::pair{first, roll_back}, std::pair{second, abort}}) {
      open.files.create(file);
      transaction.level().created = {file};
      const sim::TaskRef ending = open.spawn(end);
      open.sleep_us(10);
      const storage::Lsn record_end = open.manager.log().wal().end();
      ASSERT_LT(open.manager.log().wal().durable(), record_end);
      EXPECT_TRUE(open.files.exists(file));
      open.join(ending);
      EXPECT_FALSE(open.files.exists(file));
      EXPECT_GE(open.manager.log().wal().durable(), record_end);
    }
  });
}

TEST(Transactions, TellTheirEndBeforeTheirLocksGo) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    std::string told;
    open.manager.add_end_listener([&](const Transaction& transaction, bool committed) {
      EXPECT_TRUE(open.locks.holds(a, LockTag::of_transaction(transaction.top_xid()), LockMode::exclusive));
      EXPECT_EQ(open.status(transaction.top_xid()), committed ? "committed" : "aborted");
      told += committed ? "commit " : "abort ";
    });
    open.manager.add_rollback_listener([&](const Transaction& transaction, std::size_t first) {
      EXPECT_TRUE(open.locks.holds(a, LockTag::of_transaction(transaction.levels[first].xid), LockMode::exclusive));
      told += "rollback to " + transaction.levels[first].savepoint + " ";
    });
    open.manager.abort(open.writer(a));
    Transaction& transaction = open.writer(a);
    open.manager.savepoint(transaction, "s");
    open.manager.assign_xid(transaction);
    open.manager.rollback_to(transaction, "s");
    open.manager.commit(transaction);
    EXPECT_EQ(told, "abort rollback to s commit ");
  });
}

// --- savepoints ---

TEST(Savepoints, GiveSubtransactionsYoungerThanTheirParents) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Transaction& transaction = open.manager.begin(a);
    open.manager.savepoint(transaction, "a");
    open.manager.savepoint(transaction, "b");
    const Xid inner = open.manager.assign_xid(transaction);
    EXPECT_EQ(transaction.levels[0].xid + 1, transaction.levels[1].xid);
    EXPECT_EQ(transaction.levels[1].xid + 1, inner);
    EXPECT_EQ(open.manager.assign_xid(transaction), inner) << "it has one";
    EXPECT_EQ(open.manager.top_of(inner), transaction.top_xid());
    EXPECT_TRUE(open.manager.is_own(transaction, inner));
    Backend b(open.host, 2);
    Transaction& other = open.manager.begin(b);
    EXPECT_FALSE(open.manager.is_own(other, inner));
    const ActiveSnapshot snapshot(open.manager, other);
    EXPECT_TRUE(snapshot->in_progress_then(inner));
    open.manager.abort(other);
    open.manager.abort(transaction);
    EXPECT_EQ(open.status(inner), "aborted");
    EXPECT_EQ(open.manager.top_of(inner), inner);
  });
}

TEST(Savepoints, RollBackAloneAndCommitTogether) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    Transaction& transaction = open.writer(a);
    const Xid top = transaction.top_xid();
    open.manager.savepoint(transaction, "s");
    const Xid undone = open.manager.assign_xid(transaction);
    open.locks.acquire(a, transaction.level().locks, LockTag::of_relation(1), LockMode::exclusive);
    open.manager.savepoint(transaction, "inner");
    const Xid undone_too = open.manager.assign_xid(transaction);
    const sim::TaskRef waiter = open.spawn([&] { open.manager.wait_for_end(b, undone_too); });
    open.sleep_us(10);
    open.manager.release(transaction, "inner");
    open.sleep_us(10);
    EXPECT_FALSE(waiter.finished()) << "nobody is told with which of the others a released one will end";
    open.manager.rollback_to(transaction, "s");
    open.sleep_us(10);
    EXPECT_FALSE(waiter.finished()) << "so it waits for all of them";
    EXPECT_EQ(open.status(undone), "aborted");
    EXPECT_EQ(open.status(undone_too), "aborted");
    EXPECT_FALSE(open.manager.is_own(transaction, undone));
    EXPECT_FALSE(open.locks.holds(a, LockTag::of_relation(1), LockMode::exclusive));
    EXPECT_EQ(open.status(top), "in progress");

    const Xid kept = open.manager.assign_xid(transaction);
    EXPECT_NE(kept, undone) << "the savepoint is there again, with a subtransaction of its own";
    open.manager.savepoint(transaction, "open");
    const Xid kept_too = open.manager.assign_xid(transaction);
    EXPECT_EQ(open.status(kept_too), "in progress");
    open.manager.commit(transaction);
    open.join(waiter);
    EXPECT_EQ(open.status(top), "committed");
    EXPECT_EQ(open.status(kept), "committed");
    EXPECT_EQ(open.status(kept_too), "committed");
    EXPECT_EQ(open.status(undone), "aborted");
    EXPECT_EQ(open.locks.locked_things(), 0U);
  });
}

TEST(Savepoints, OfOneNameHideEachOther) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Transaction& transaction = open.manager.begin(a);
    EXPECT_EQ(outcome([&] { open.manager.rollback_to(transaction, "s"); }), "3B001 savepoint \"s\" does not exist");
    open.manager.savepoint(transaction, "s");
    const Xid outer = open.manager.assign_xid(transaction);
    open.manager.savepoint(transaction, "s");
    const Xid inner = open.manager.assign_xid(transaction);
    open.manager.rollback_to(transaction, "s");
    EXPECT_EQ(open.status(inner), "aborted");
    EXPECT_EQ(open.status(outer), "in progress");
    open.manager.release(transaction, "s");
    open.manager.rollback_to(transaction, "s");
    EXPECT_EQ(open.status(outer), "aborted");
    open.manager.release(transaction, "s");
    EXPECT_EQ(outcome([&] { open.manager.release(transaction, "s"); }), "3B001 savepoint \"s\" does not exist");
    open.manager.abort(transaction);
  });
}

TEST(Savepoints, RollBackRemovesFilesMadeSince) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Transaction& transaction = open.writer(a);
    const RelationId before = open.manager.new_relation_id();
    const RelationId since = open.manager.new_relation_id();
    open.files.create(before);
    open.files.create(since);
    transaction.level().created = {before};
    open.manager.savepoint(transaction, "s");
    open.manager.assign_xid(transaction);
    transaction.level().created = {since};
    open.manager.rollback_to(transaction, "s");
    EXPECT_TRUE(open.files.exists(before));
    EXPECT_FALSE(open.files.exists(since));
    open.manager.commit(transaction);
    EXPECT_TRUE(open.files.exists(before));
  });
}

// --- wraparound ---

TEST(Wraparound, OfIdentifiersGoesUnnoticed) {
  NodeConfig config;
  config.initial_xid = 0xFFFFFFFF - 9;
  TransactionHost node;
  node.config = config;
  std::vector<Xid> committed;
  Xid aborted = 0;
  node.run_transactions([&](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    Transaction& old = open.writer(b);
    const Xid old_xid = old.top_xid();
    EXPECT_EQ(old_xid, 0xFFFFFFFF - 9);
    for (int i = 0; i < 20; ++i) {
      Transaction& transaction = open.writer(a);
      committed.push_back(transaction.top_xid());
      open.manager.commit(transaction);
    }
    EXPECT_EQ(committed[8], 0xFFFFFFFF);
    EXPECT_EQ(committed[9], storage::first_normal_xid);
    Transaction& reader = open.manager.begin(a);
    {
      const ActiveSnapshot snapshot(open.manager, reader);
      EXPECT_EQ(snapshot->xmin, old_xid);
      EXPECT_TRUE(snapshot->in_progress_then(old_xid));
      for (const Xid xid : committed) EXPECT_FALSE(snapshot->in_progress_then(xid)) << xid;
      EXPECT_TRUE(snapshot->in_progress_then(committed.back() + 1));
    }
    EXPECT_EQ(open.manager.horizon(), old_xid);
    aborted = old_xid;
    open.manager.abort(old);
    EXPECT_EQ(open.manager.horizon(), committed.back() + 1);
    open.manager.abort(reader);
    open.host.crash();
  });
  node.run_transactions([&](OpenTransactions& open) {
    for (const Xid xid : committed) EXPECT_EQ(open.status(xid), "committed") << xid;
    EXPECT_EQ(open.status(aborted), "aborted");
    EXPECT_GT(open.manager.next_xid(), std::uint64_t{1} << 32) << "the first wraparound is behind us";
    EXPECT_TRUE(storage::xid_precedes(committed.back(), storage::xid_of(open.manager.next_xid())));
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(Wraparound, IsRefusedWhenOldTransactionsWouldLookNew) {
  TransactionHost node;
  node.run_transactions([](OpenTransactions& open) {
    open.checkpointer.run();
    // The same node after some more transactions.
    storage::CheckpointData checkpoint;
    checkpoint.oldest_xid = 100;
    checkpoint.next_xid = 100ULL + (1ULL << 31) - 3'000'000 - 2;
    LockManager locks(open.host);
    TransactionManager manager(open.host, open.manager.config(), locks);
    manager.load(checkpoint);
    manager.attach(open.manager.log());
    Backend a(open.host, 1);
    Transaction& one = manager.begin(a);
    manager.assign_xid(one);
    Transaction& two = manager.begin(a);
    manager.assign_xid(two);
    manager.abort(one);
    manager.abort(two);
    Transaction& refused = manager.begin(a);
    EXPECT_EQ(outcome([&] { manager.assign_xid(refused); }),
              "54000 database is not accepting commands to avoid wraparound data loss in database \"postgres\"");
    manager.abort(refused);
    manager.advance_oldest(1000, 1);
    Transaction& again = manager.begin(a);
    EXPECT_EQ(outcome([&] { manager.assign_xid(again); }), "");
    manager.abort(again);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(Wraparound, OldestNeverPassesWhatSomebodyMayNeedNorGoesBack) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    open.manager.commit(open.writer(a));
    Transaction& old = open.writer(b);
    const Xid old_xid = old.top_xid();
    Transaction& late = open.writer(a);
    const Xid late_xid = late.top_xid();
    open.manager.commit(late);
    open.manager.advance_oldest(late_xid + 1, 1);
    EXPECT_EQ(open.manager.oldest_xid(), old_xid);
    EXPECT_EQ(open.status(old_xid), "in progress");
    open.manager.abort(old);
    open.manager.advance_oldest(old_xid - 1, 1);
    EXPECT_EQ(open.manager.oldest_xid(), old_xid);
    // Cut off by a crash and long forgotten: whoever still asks has a damaged row.
    EXPECT_EQ(outcome([&] { open.manager.status(old_xid - 2'000'000); }),
              "XX001 could not access status of transaction " + std::to_string(old_xid - 2'000'000) +
                  " / The commit log goes back to transaction " + std::to_string(old_xid) + ".");
    EXPECT_EQ(open.status(storage::frozen_xid), "committed");
    EXPECT_EQ(open.status(storage::bootstrap_xid), "committed");
    EXPECT_EQ(open.status(storage::invalid_xid), "aborted");
  });
}

TEST(Wraparound, MultixactsOfOpenTransactionsAreKept) {
  on_new_node([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    MultiXacts& multixacts = open.manager.multixacts();
    const auto make = [&](Xid xid) {
      return multixacts.create({{xid, MemberStatus::update_lock}, {xid, MemberStatus::update}});
    };
    const MultiXactId old = make(3);
    open.manager.begin(b);  // has no identifier, so it is in no multixact
    Transaction& preparing = open.writer(a);
    const MultiXactId of_preparing = make(preparing.top_xid());
    open.manager.prepare(preparing, "g");
    Transaction& running = open.writer(a);
    const MultiXactId of_running = make(running.top_xid());
    make(3);
    EXPECT_EQ(open.manager.multixact_horizon(), of_preparing);
    open.manager.advance_oldest(3, multixacts.next());
    EXPECT_NE(outcome([&] { multixacts.members(old); }), "");
    for (const MultiXactId id : {of_preparing, of_running}) EXPECT_EQ(multixacts.members(id).size(), 2U);
    open.manager.finish_prepared("g", true);
    open.manager.advance_oldest(3, multixacts.next());
    EXPECT_NE(outcome([&] { multixacts.members(of_preparing); }), "");
    EXPECT_EQ(multixacts.members(of_running).size(), 2U);
    open.manager.abort(running);
    EXPECT_EQ(open.manager.multixact_horizon(), multixacts.next());
  });
}

TEST(Identifiers, AreNeverGivenOutTwice) {
  TransactionHost node;
  FullXid last = 0;
  RelationId last_relation = 0;
  for (int boot = 0; boot < 6; ++boot) {
    node.run_transactions([&](OpenTransactions& open) {
      Backend a(open.host, 1);
      EXPECT_GE(open.manager.next_xid(), last);
      for (int i = 0; i < 100 * boot; ++i) open.manager.abort(open.writer(a));
      const RelationId relation = open.manager.new_relation_id();
      EXPECT_GT(relation, last_relation);
      EXPECT_GE(relation, 16384U);
      last_relation = relation;
      last = open.manager.next_xid();
      // Something that may be on a page, and nothing after it.
      if (boot % 2 == 0) open.checkpointer.run();
      open.manager.log().wal().flush(open.manager.log().wal().end());
      open.host.crash();
    });
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
