#include "engine/txn/two_phase.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/txn/transaction_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::OpenTransactions;
using testing::outcome;
using testing::TransactionHost;

const LockTag table = LockTag::of_relation(16384);

TEST(TwoPhaseState, IsReadAsItWasWritten) {
  PreparedState state;
  state.xid = 748;
  state.gid = "g";
  state.prepared_us = 12345;
  state.subtransactions = {749, 751};
  state.created = {16384};
  state.dropped = {16385, 16386};
  state.locks = {{table, LockMode::row_exclusive, 2}, {{LockTag::Kind::advisory, 7, 1}, LockMode::exclusive, 1}};
  const PreparedState read = decode_prepared(encode(state));
  EXPECT_EQ(encode(read), encode(state));
  EXPECT_EQ(read.subtransactions, state.subtransactions);
  EXPECT_EQ(read.locks.back().tag, state.locks.back().tag);
  EndRecord end{748, 5, {749}, {16384, 16385}, "g"};
  EXPECT_EQ(encode(decode_end(encode(end))), encode(end));
}

// Prepares, restarts in one of several ways, and looks at what is there; then ends it and restarts again.
struct Restart {
  bool checkpoint_before_end = false;
  bool crash = false;
};

TEST(PreparedTransactions, OutlivesRestarts) {
  for (const Restart how : {Restart{false, false}, Restart{true, false}, Restart{false, true}, Restart{true, true}}) {
    for (const bool commit : {true, false}) {
      TransactionHost node;
      Xid top = 0, sub = 0, undone = 0;
      RelationId created = 0, dropped = 0;
      const auto leave = [&](OpenTransactions& open) {
        if (how.checkpoint_before_end) open.checkpointer.run();
        if (how.crash) open.host.crash();
      };
      node.run_transactions([&](OpenTransactions& open) {
        Backend a(open.host, 1);
        Transaction& transaction = open.writer(a);
        top = transaction.top_xid();
        created = open.manager.new_relation_id();
        dropped = open.manager.new_relation_id();
        for (const RelationId relation : {created, dropped}) {
          storage::log_create_relation(open.manager.log(), relation);
          open.files.create(relation);
        }
        open.locks.acquire(a, transaction.level().locks, table, LockMode::row_exclusive);
        open.manager.savepoint(transaction, "s");
        sub = open.manager.assign_xid(transaction);
        transaction.level().created = {created};
        transaction.level().dropped = {dropped};
        open.manager.savepoint(transaction, "t");
        undone = open.manager.assign_xid(transaction);
        open.manager.rollback_to(transaction, "t");
        open.manager.prepare(transaction, "g");
        EXPECT_EQ(open.prepared(), "g/" + std::to_string(top));
        leave(open);
      });
      const auto expect_prepared = [&](OpenTransactions& open) {
        EXPECT_EQ(open.prepared(), "g/" + std::to_string(top));
        EXPECT_TRUE(open.manager.is_prepared(top));
        EXPECT_EQ(open.status(top), "in progress");
        EXPECT_EQ(open.status(sub), "in progress");
        EXPECT_EQ(open.status(undone), "aborted");
        EXPECT_EQ(open.manager.top_of(sub), top);
        EXPECT_EQ(open.manager.horizon(), top);
        Backend b(open.host, 2);
        LockOwner owner;
        EXPECT_EQ(open.locks.acquire(b, owner, table, LockMode::share, false), LockResult::not_available);
        b.limits.lock_timeout = sim::Duration(1'000'000);
        EXPECT_EQ(outcome([&] { open.locks.wait_for_end(b, sub); }), "55P03 canceling statement due to lock timeout");
      };
      node.run_transactions([&](OpenTransactions& open) {
        expect_prepared(open);
        leave(open);
      });
      node.run_transactions([&](OpenTransactions& open) {
        expect_prepared(open);
        open.manager.finish_prepared("g", commit);
        EXPECT_EQ(open.files.exists(created), commit);
        EXPECT_EQ(open.files.exists(dropped), !commit);
        EXPECT_EQ(open.locks.locked_things(), 0U);
        leave(open);
      });
      node.run_transactions([&](OpenTransactions& open) {
        EXPECT_EQ(open.prepared(), "");
        for (const Xid xid : {top, sub}) EXPECT_EQ(open.status(xid), commit ? "committed" : "aborted");
        EXPECT_EQ(open.status(undone), "aborted");
        EXPECT_EQ(open.files.exists(created), commit);
        EXPECT_EQ(open.files.exists(dropped), !commit);
        open.checkpointer.run();
        EXPECT_EQ(open.host.disk().list("twophase/"), std::vector<std::string>{});
      });
      EXPECT_TRUE(node.finished()) << node.error();
      EXPECT_GE(node.reached("recovery/prepared-restored"), 2U);
    }
  }
}

TEST(PreparedTransactions, RefusesWhatPostgresRefuses) {
  TransactionHost node;
  node.run_transactions([](OpenTransactions& open) {
    Backend a(open.host, 1);
    open.manager.prepare(open.writer(a), "g");
    EXPECT_EQ(outcome([&] { open.manager.prepare(open.writer(a), "g"); }),
              "42710 transaction identifier \"g\" is already in use");
    const std::string longest(199, 'x');
    EXPECT_EQ(outcome([&] { open.manager.prepare(open.writer(a), longest + "x"); }),
              "22023 transaction identifier \"" + longest + "x\" is too long");
    open.manager.prepare(open.writer(a), longest);
    Transaction& both = open.writer(a);
    const LockTag key{LockTag::Kind::advisory, 1, 1};
    open.locks.acquire(a, both.level().locks, key, LockMode::exclusive);
    open.locks.acquire(a, a.session_locks, key, LockMode::exclusive);
    EXPECT_EQ(outcome([&] { open.manager.prepare(both, "h"); }),
              "0A000 cannot PREPARE while holding both session-level and transaction-level locks on the same object");
    open.locks.release_all(a, a.session_locks);
    EXPECT_EQ(open.manager.open_transactions(), 2U) << "the refused ones were rolled back";
    EXPECT_EQ(outcome([&] { open.manager.finish_prepared("nobody", true); }),
              "42704 prepared transaction with identifier \"nobody\" does not exist");
    const sim::TaskRef first = open.spawn([&] { open.manager.finish_prepared("g", true); });
    open.sleep_us(5);
    EXPECT_EQ(outcome([&] { open.manager.finish_prepared("g", false); }),
              "55000 prepared transaction with identifier \"g\" is busy");
    open.join(first);
    EXPECT_EQ(open.manager.prepared().size(), 1U);
    // A transaction that has no identifier gets one.
    open.manager.prepare(open.manager.begin(a), "empty");
    EXPECT_EQ(open.manager.prepared().size(), 2U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(PreparedTransactions, IsNotSeenBeforeItIsDurableAndGoesOnWithoutItsCaller) {
  TransactionHost node;
  node.run_transactions([](OpenTransactions& open) {
    Backend b(open.host, 2);
    Xid xid = 0;
    const sim::TaskRef preparing = open.spawn([&] {
      Backend a(open.host, 1);
      Transaction& transaction = open.writer(a);
      xid = transaction.top_xid();
      open.locks.acquire(a, transaction.level().locks, table, LockMode::exclusive);
      open.manager.prepare(transaction, "g");
    });
    open.sleep_us(50);
    EXPECT_EQ(open.prepared(), "");
    EXPECT_EQ(outcome([&] { open.manager.finish_prepared("g", true); }),
              "42704 prepared transaction with identifier \"g\" does not exist");
    open.host.scheduler().cancel(preparing);
    open.join(preparing);
    open.sleep_us(10'000);
    EXPECT_EQ(open.prepared(), "g/" + std::to_string(xid));
    const sim::TaskRef finishing = open.spawn([&] { open.manager.finish_prepared("g", true); });
    open.sleep_us(50);
    open.host.scheduler().cancel(finishing);
    open.locks.wait_for_end(b, xid);
    EXPECT_EQ(open.status(xid), "committed");
    EXPECT_EQ(open.locks.locked_things(), 0U);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(PreparedTransactions, DamagedFileIsRefusedByName) {
  TransactionHost node;
  std::string path;
  node.run_transactions([&](OpenTransactions& open) {
    Backend a(open.host, 1);
    open.manager.prepare(open.writer(a), "g");
    open.checkpointer.run();
    const std::vector<std::string> files = open.host.disk().list("twophase/");
    ASSERT_EQ(files.size(), 1U);
    path = files.front();
    open.host.crash();
  });
  const std::size_t size = node.disk().clean_contents(path).size();
  for (std::size_t offset = 0; offset < size; ++offset) {
    node.disk().damage(path, offset, 0x10);
    node.run_transactions([](OpenTransactions&) {});
    EXPECT_EQ(node.error(), "XX001: file \"" + path + "\" is damaged") << offset;
    node.disk().damage(path, offset, 0x10);
  }
  node.run_transactions([](OpenTransactions& open) { EXPECT_EQ(open.manager.prepared().size(), 1U); });
  EXPECT_TRUE(node.finished()) << node.error();
}

void remove_files(TransactionHost& node, const std::vector<std::string>& paths) {
  node.run([&](sim::Host& host) {
    for (const std::string& path : paths) EXPECT_TRUE(host.disk().remove(path)) << path;
  });
}

// Nothing but the file knows what was prepared, once a checkpoint has let go of that part of the log.
TEST(PreparedTransactions, VanishedFileIsRefusedByName) {
  for (const bool all : {false, true}) {
    TransactionHost node;
    node.run_transactions([&](OpenTransactions& open) {
      Backend a(open.host, 1);
      open.manager.prepare(open.writer(a), "kept");
      open.manager.prepare(open.writer(a), "lost");
      open.manager.prepare(open.writer(a), "ended");
      open.checkpointer.run();
      open.manager.finish_prepared("ended", true);
      open.host.crash();
    });
    const std::vector<std::string> files = node.disk().list("twophase/");
    ASSERT_EQ(files.size(), 3U);
    // That of the transaction that has ended is not missed: the log knows better.
    remove_files(node, {files[2]});
    node.run_transactions([](OpenTransactions& open) { EXPECT_EQ(open.manager.prepared().size(), 2U); });
    EXPECT_TRUE(node.finished()) << node.error();
    remove_files(node, all ? std::vector{files[0], files[1]} : std::vector{files[1]});
    node.run_transactions([](OpenTransactions&) {});
    EXPECT_EQ(node.error(), "XX001: file \"" + files[all ? 0 : 1] + "\" is missing");
    EXPECT_FALSE(node.finished());
  }
}

TEST(PreparedTransactions, FileIsNotMissedWhileTheLogHasItsState) {
  TransactionHost node;
  node.run_transactions([&](OpenTransactions& open) {
    Backend a(open.host, 1);
    open.manager.prepare(open.writer(a), "g");
    node.simulation().fault_points().arm("checkpoint/synced", "n", 1, {sim::FaultAction::Kind::crash, {}, {}});
    open.checkpointer.run();
  });
  const std::vector<std::string> files = node.disk().list("twophase/");
  ASSERT_EQ(files.size(), 1U);
  remove_files(node, files);
  node.run_transactions([](OpenTransactions& open) { EXPECT_EQ(open.manager.prepared().size(), 1U); });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(PreparedTransactions, NeedNoSnapshot) {
  TransactionHost node;
  node.run_transactions([](OpenTransactions& open) {
    Backend a(open.host, 1);
    Backend b(open.host, 2);
    Transaction& old = open.writer(b);
    Transaction& transaction = open.manager.begin(a, IsolationLevel::repeatable_read);
    const Xid old_xid = old.top_xid();
    { const ActiveSnapshot first(open.manager, transaction); }
    const Xid xid = open.manager.assign_xid(transaction);
    open.manager.commit(old);
    EXPECT_EQ(open.manager.horizon(), old_xid);
    open.manager.prepare(transaction, "g");
    EXPECT_EQ(open.manager.horizon(), xid) << "as after a restart";
    open.manager.finish_prepared("g", true);
    EXPECT_EQ(open.manager.horizon(), storage::xid_of(open.manager.next_xid()));
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

// --- planted bugs ---

std::string prepared_after_crash(std::optional<PlantedBug> bug, bool checkpoint) {
  TransactionHost node;
  if (bug) node.config.planted.turn_on(*bug);
  std::string prepared;
  node.run_transactions([&](OpenTransactions& open) {
    Backend a(open.host, 1);
    open.manager.prepare(open.writer(a), "g");
    if (checkpoint) open.checkpointer.run();
    open.host.crash();
  });
  node.run_transactions([&](OpenTransactions& open) {
    for (const PreparedInfo& info : open.manager.prepared()) prepared += info.gid;
  });
  EXPECT_TRUE(node.finished()) << node.error();
  return prepared;
}

TEST(PlantedBugsOfTransactions, LosePreparedOnes) {
  EXPECT_EQ(prepared_after_crash(std::nullopt, false), "g");
  EXPECT_EQ(prepared_after_crash(std::nullopt, true), "g");
  EXPECT_EQ(prepared_after_crash(PlantedBug::prepared_lost_on_restart, false), "");
  EXPECT_EQ(prepared_after_crash(PlantedBug::checkpoint_drops_prepared, false), "g");
  EXPECT_EQ(prepared_after_crash(PlantedBug::checkpoint_drops_prepared, true), "");
}

TEST(PlantedBugsOfTransactions, TellTheClientTooEarly) {
  for (const bool planted : {false, true}) {
    for (const PlantedBug bug :
         {PlantedBug::wal_flush_skipped_at_commit, PlantedBug::two_pc_skip_commit_record_flush}) {
      TransactionHost node;
      if (planted) node.config.planted.turn_on(bug);
      std::vector<Xid> acknowledged;
      node.run_transactions([&](OpenTransactions& open) {
        Backend a(open.host, 1);
        for (const bool decides : {true, false}) {
          Transaction& transaction = open.writer(a);
          const Xid xid = transaction.top_xid();
          transaction.decides_distributed = decides;
          if (!decides && bug == PlantedBug::two_pc_skip_commit_record_flush) {
            open.manager.abort(transaction);
            continue;
          }
          open.manager.commit(transaction);
          acknowledged.push_back(xid);
        }
        open.host.crash();
      });
      node.run_transactions([&](OpenTransactions& open) {
        for (const Xid xid : acknowledged) EXPECT_EQ(open.status(xid), planted ? "aborted" : "committed");
      });
      EXPECT_TRUE(node.finished()) << node.error();
    }
  }
}

TEST(PlantedBugsOfTransactions, GiveRowLocksUp) {
  for (const bool planted : {false, true}) {
    TransactionHost node;
    if (planted) {
      node.config.planted.turn_on(PlantedBug::locks_released_at_prepare);
      node.config.planted.turn_on(PlantedBug::savepoint_rollback_releases_locks_early);
    }
    Xid prepared = 0;
    node.run_transactions([&](OpenTransactions& open) {
      Backend a(open.host, 1);
      Transaction& one = open.writer(a);
      prepared = one.top_xid();
      EXPECT_TRUE(open.manager.row_locks_count(prepared));
      open.manager.prepare(one, "g");
      EXPECT_EQ(open.manager.row_locks_count(prepared), !planted);
      Transaction& two = open.writer(a);
      open.manager.savepoint(two, "s");
      EXPECT_TRUE(open.manager.row_locks_count(two.top_xid()));
      open.manager.rollback_to(two, "s");
      EXPECT_EQ(open.manager.row_locks_count(two.top_xid()), !planted);
      EXPECT_TRUE(open.manager.row_locks_count(open.manager.assign_xid(two)));
      open.manager.commit(two);
      open.host.crash();
    });
    node.run_transactions([&](OpenTransactions& open) {
      EXPECT_EQ(open.manager.row_locks_count(prepared), !planted);
      open.manager.finish_prepared("g", true);
      EXPECT_TRUE(open.manager.row_locks_count(prepared));
    });
    EXPECT_TRUE(node.finished()) << node.error();
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
