// Every combination of who inserted a version and who ended or locks it, against PostgreSQL's rules told as two small
// tables: what each kind of transaction means as an inserter, and as one that ends.
#include "engine/txn/heap_visibility.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/txn/heap_test_support.h"
#include "engine/txn/row_locks.h"

namespace polarsim::engine::txn {
namespace {

namespace infomask = storage::infomask;
using testing::HeapNode;
using testing::Session;
using testing::test_table;

// Kinds of transactions, as the reader of this test sees them.
enum class Who { nobody, committed, committed_later, running, aborted, own_before, own_now, own_released, own_undone };
const std::vector<Who> everybody{Who::nobody,     Who::committed, Who::committed_later, Who::running,   Who::aborted,
                                 Who::own_before, Who::own_now,   Who::own_released,    Who::own_undone};
std::string name_of(Who who) {
  return std::vector<std::string>{"nobody",
                                  "committed",
                                  "committed after the snapshot",
                                  "running",
                                  "aborted",
                                  "own, before",
                                  "own, now",
                                  "own, released savepoint",
                                  "own, undone savepoint"}[static_cast<std::size_t>(who)];
}

// What a version made (or ended) by somebody is to the reader's snapshot, and to a change by the reader now.
struct Meaning {
  bool in_snapshot;  // has happened for the snapshot
  bool own;
  bool running;    // another transaction that may still decide either way
  bool committed;  // has happened for good
  bool now;        // by the reader's present command
};
const std::map<Who, Meaning> meanings{
    {Who::nobody, {false, false, false, false, false}},         {Who::committed, {true, false, false, true, false}},
    {Who::committed_later, {false, false, false, true, false}}, {Who::running, {false, false, true, false, false}},
    {Who::aborted, {false, false, false, false, false}},        {Who::own_before, {true, true, false, false, false}},
    {Who::own_now, {false, true, false, false, true}},          {Who::own_released, {true, true, false, false, false}},
    {Who::own_undone, {false, false, false, false, false}},
};

// The cast: a reader in its second command, and one transaction of each kind.
class Stage {
 public:
  explicit Stage(HeapNode& node) : node_(node), reader_(node), running_(node) {
    make_committed(Who::committed);
    const auto xid_here = [&] { return node.manager().assign_xid(reader_.transaction()); };
    xids_[Who::own_before] = xid_here();
    reader_.savepoint("released");
    xids_[Who::own_released] = xid_here();
    reader_.release("released");
    reader_.savepoint("undone");
    xids_[Who::own_undone] = xid_here();
    reader_.rollback_to("undone");
    xids_[Who::own_now] = xids_[Who::own_before];
    xids_[Who::running] = node.manager().assign_xid(running_.transaction());
    Session later(node), aborted(node);
    xids_[Who::committed_later] = node.manager().assign_xid(later.transaction());
    later.transaction().wrote = true;
    xids_[Who::aborted] = node.manager().assign_xid(aborted.transaction());
    node.manager().next_command(reader_.transaction());
    snapshot_ = std::make_unique<ActiveSnapshot>(node.manager(), reader_.transaction());
    later.commit();
    aborted.abort();
  }
  ~Stage() {
    snapshot_.reset();
    reader_.abort();
    running_.abort();
  }

  Xid xid(Who who) const { return who == Who::nobody ? storage::invalid_xid : xids_.at(who); }
  CommandId command(Who who) { return transaction().command - (who == Who::own_now ? 0 : 1); }
  Transaction& transaction() { return reader_.transaction(); }
  const Snapshot& snapshot() { return **snapshot_; }
  TransactionManager& manager() { return node_.manager(); }

 private:
  void make_committed(Who who) {
    Session session(node_);
    xids_[who] = node_.manager().assign_xid(session.transaction());
    session.transaction().wrote = true;
    session.commit();
  }
  HeapNode& node_;
  Session reader_, running_;
  std::map<Who, Xid> xids_;
  std::unique_ptr<ActiveSnapshot> snapshot_;
};

constexpr Tid here{3, 1}, elsewhere{3, 2};

TupleHeader version(Stage& stage, Who inserter) {
  TupleHeader header;
  header.xmin = stage.xid(inserter);
  header.cmin = stage.command(inserter);
  header.ctid = here;
  return header;
}

std::string to_text(UpdateState state) {
  return std::vector<std::string>{
      "ok", "invisible", "self modified", "held", "updated", "deleted"}[static_cast<std::size_t>(state)];
}

// Told by the rules of HeapTupleSatisfiesUpdate; `moved`: there is a next version. `locker_runs`: somebody who runs,
// the reader included, locks it besides.
std::string expected_update(Who inserter, Who ender, bool moved, bool locker_runs) {
  const Meaning made = meanings.at(inserter), ended = meanings.at(ender);
  if (made.own ? made.now : !made.committed) return "invisible";
  if (ended.own) return ended.now ? "self modified" : "invisible";
  // Only for one who is alone: a set of which somebody still runs counts as held.
  if (ended.committed && !locker_runs) return moved ? "updated" : "deleted";
  return ended.running || locker_runs ? "held" : "ok";
}

bool expected_in_snapshot(Who inserter, Who ender) {
  return meanings.at(inserter).in_snapshot && !meanings.at(ender).in_snapshot;
}

void on_stage(const std::function<void(Stage&)>& body) {
  HeapNode node;
  node.run_node([&](HeapNode& running) {
    Stage stage(running);
    body(stage);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

void check_version(Stage& stage, const TupleHeader& header, Who inserter, Who ender, bool locker_runs) {
  SCOPED_TRACE("inserted by " + name_of(inserter) + ", ended by " + name_of(ender));
  TransactionManager& manager = stage.manager();
  EXPECT_EQ(SnapshotView(manager, stage.transaction(), stage.snapshot()).shows(header),
            expected_in_snapshot(inserter, ender));
  EXPECT_EQ(to_text(satisfies_update(manager, header, here, stage.transaction())),
            expected_update(inserter, ender, header.ctid != here, locker_runs));

  const Meaning made = meanings.at(inserter), ended = meanings.at(ender);
  const DirtyState dirty = satisfies_dirty(manager, header, stage.transaction());
  EXPECT_EQ(dirty.visible, made.running || ((made.own || made.committed) && !ended.own && !ended.committed));
  EXPECT_EQ(dirty.inserter, made.running ? header.xmin : storage::invalid_xid);
  EXPECT_EQ(dirty.ender != storage::invalid_xid, dirty.visible && !made.running && ended.running);

  const auto vacuum_state = [&](Xid horizon) { return satisfies_vacuum(manager, header, horizon); };
  const Xid now = storage::xid_of(manager.next_xid());
  VacuumState expected = VacuumState::dead;
  if (made.own || made.running) {
    expected = VacuumState::in_progress;
  } else if (made.committed) {
    expected = ended.own || ended.running ? VacuumState::in_progress
               : ended.committed          ? VacuumState::dead
                                          : VacuumState::live;
  }
  EXPECT_EQ(vacuum_state(now), expected);
  if (made.committed && ended.committed) {
    EXPECT_EQ(vacuum_state(stage.xid(ender)), VacuumState::recently_dead);
  }
}

TEST(Visibility, OfEveryCombinationOfInserterAndEnder) {
  on_stage([](Stage& stage) {
    for (const Who inserter : everybody) {
      for (const Who ender : everybody) {
        for (const bool moved : {false, true}) {
          TupleHeader header = version(stage, inserter);
          header.xmax = stage.xid(ender);
          header.cmax = stage.command(ender);
          if (moved) header.ctid = elsewhere;
          check_version(stage, header, inserter, ender, false);
          header.infomask |= infomask::keys_updated;
          check_version(stage, header, inserter, ender, false);
        }
      }
    }
  });
}

TEST(Visibility, OfVersionsThatAreLocked) {
  on_stage([](Stage& stage) {
    for (const Who inserter : everybody) {
      for (const Who locker : everybody) {
        TupleHeader header = version(stage, inserter);
        header.xmax = stage.xid(locker);
        header.infomask |= infomask::xmax_lock_only | infomask::lock_share;
        const bool runs = meanings.at(locker).own || meanings.at(locker).running;
        check_version(stage, header, inserter, Who::nobody, runs);
      }
    }
  });
}

TEST(Visibility, OfVersionsInTheHandsOfSeveral) {
  on_stage([](Stage& stage) {
    for (const Who inserter : everybody) {
      for (const Who locker : everybody) {
        for (const Who ender : everybody) {
          if (locker == Who::nobody || stage.xid(locker) == stage.xid(ender)) continue;
          std::vector<MultiXactMember> members{{stage.xid(locker), MemberStatus::key_share}};
          if (ender != Who::nobody) members.push_back({stage.xid(ender), MemberStatus::no_key_update});
          if (members.size() == 1) members.push_back({stage.xid(Who::aborted), MemberStatus::share});
          TupleHeader header = version(stage, inserter);
          set_holders(stage.manager(), header, members);
          ASSERT_TRUE(header.has(infomask::xmax_is_multi));
          ASSERT_EQ(header.has(infomask::xmax_lock_only), ender == Who::nobody);
          header.cmax = stage.command(ender);
          if (ender != Who::nobody) header.ctid = elsewhere;
          const bool runs = meanings.at(locker).own || meanings.at(locker).running;
          check_version(stage, header, inserter, ender, runs);
        }
      }
    }
  });
}

TEST(Visibility, FrozenIsOlderThanEverybodyAndKilledNeverWas) {
  on_stage([](Stage& stage) {
    TupleHeader frozen = version(stage, Who::aborted);  // who that was is forgotten
    frozen.infomask |= infomask::xmin_frozen;
    check_version(stage, frozen, Who::committed, Who::nobody, false);
    TupleHeader killed = version(stage, Who::nobody);
    check_version(stage, killed, Who::nobody, Who::nobody, false);
  });
}

TEST(Visibility, APreparedTransactionRuns) {
  HeapNode node;
  node.run_node([](HeapNode& running) {
    const Tid tid = [&] {
      Session session(running);
      const Tid inserted = session.insert(1, "a");
      session.commit();
      return inserted;
    }();
    Session session(running), other(running);
    session.update(tid, 1, "b");
    session.prepare("x");
    EXPECT_EQ(other.scan(), "1:a");
    EXPECT_EQ(other.lock(tid, syntax::LockStrength::share, syntax::LockWait::nowait), "not available");
    running.manager().finish_prepared("x", true);
    EXPECT_EQ(other.scan(), "1:b");
    other.commit();
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

}  // namespace
}  // namespace polarsim::engine::txn
