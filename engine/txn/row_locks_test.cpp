#include "engine/txn/row_locks.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/txn/heap_test_support.h"

namespace polarsim::engine::txn {
namespace {

using syntax::LockWait;
using testing::HeapNode;
using testing::Pending;
using testing::Session;
using testing::test_table;

// What a transaction may do to a row, from weak to strong: the four locks, then the changes that take the last two.
enum class Act { key_share, share, no_key_update, update, change, change_key, remove };
const std::vector<Act> locks{Act::key_share, Act::share, Act::no_key_update, Act::update};
const std::vector<Act> all_acts{Act::key_share, Act::share,      Act::no_key_update, Act::update,
                                Act::change,    Act::change_key, Act::remove};

LockStrength strength_of(Act act) {
  switch (act) {
    case Act::key_share:
      return LockStrength::key_share;
    case Act::share:
      return LockStrength::share;
    case Act::no_key_update:
    case Act::change:
      return LockStrength::no_key_update;
    default:
      return LockStrength::update;
  }
}
bool is_lock(Act act) { return act <= Act::update; }

// Table 13.3 of PostgreSQL's documentation.
constexpr std::array<std::array<bool, 4>, 4> conflict_table{{
    {false, false, false, true},
    {false, false, true, true},
    {false, true, true, true},
    {true, true, true, true},
}};
bool conflict(Act a, Act b) {
  const auto index = [](Act act) { return static_cast<std::size_t>(strength_of(act)) - 1; };
  return conflict_table[index(a)][index(b)];
}

std::string perform(Session& session, Tid tid, Act act, LockWait wait) {
  switch (act) {
    case Act::change:
      return session.update(tid, 1, "new", false);
    case Act::change_key:
      return session.update(tid, 2, "new", true);
    case Act::remove:
      return session.remove(tid);
    default:
      return session.lock(tid, strength_of(act), wait, false);
  }
}

// Whether the act goes through at once. One that waits is cut off, and the session's transaction rolled back.
bool goes_through(Session& session, Tid tid, Act act) {
  if (is_lock(act)) return perform(session, tid, act, LockWait::nowait).substr(0, 2) == "ok";
  Pending pending = session.start([=](Session& self) { return perform(self, tid, act, LockWait::block); });
  if (pending.done()) return pending.outcome().substr(0, 2) == "ok";
  session.backend().request_cancel();
  EXPECT_EQ(pending.outcome().substr(0, 5), "57014");
  session.backend().begin_statement();
  return false;
}

void on_rows(const std::function<void(HeapNode&, const std::function<Tid()>& new_row)>& body) {
  HeapNode node;
  node.run_node([&](HeapNode& running) {
    body(running, [&running] {
      Session session(running);
      const Tid tid = session.insert(1, "old");
      session.commit();
      return tid;
    });
  });
  EXPECT_EQ(node.error(), "");
  EXPECT_TRUE(node.finished());
}

std::string describe(Act act) { return std::to_string(static_cast<int>(act)); }

TEST(RowLocks, ConflictAsDocumented) {
  for (const Act a : locks)
    for (const Act b : locks) EXPECT_EQ(conflicts(strength_of(a), strength_of(b)), conflict(a, b));
}

TEST(RowLocks, QueueModesConflictAsTheStrengthsDo) {
  for (const Act a : locks)
    for (const Act b : locks)
      EXPECT_EQ(conflicts(tuple_lock_mode(strength_of(a)), tuple_lock_mode(strength_of(b))), conflict(a, b));
}

TEST(RowLocks, OfTwoTransactions) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    for (const Act first : all_acts) {
      for (const Act second : all_acts) {
        SCOPED_TRACE(describe(first) + " then " + describe(second));
        const Tid tid = new_row();
        Session a(node), b(node);
        ASSERT_TRUE(goes_through(a, tid, first));
        EXPECT_EQ(goes_through(b, tid, second), !conflict(first, second));
        a.abort();
        if (conflict(first, second)) {
          EXPECT_TRUE(goes_through(b, tid, second)) << "the first one is gone";
        }
        b.abort();
      }
    }
  });
}

TEST(RowLocks, OfThreeTransactions) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    for (const Act first : all_acts) {
      for (const Act second : all_acts) {
        if (conflict(first, second)) continue;
        for (const Act third : all_acts) {
          SCOPED_TRACE(describe(first) + ", " + describe(second) + ", then " + describe(third));
          const Tid tid = new_row();
          Session a(node), b(node), c(node);
          ASSERT_TRUE(goes_through(a, tid, first));
          ASSERT_TRUE(goes_through(b, tid, second));
          EXPECT_EQ(goes_through(c, tid, third), !conflict(first, third) && !conflict(second, third));
          c.abort();
          c.begin();
          a.abort();
          EXPECT_EQ(goes_through(c, tid, third), !conflict(second, third)) << "the first one is gone";
          b.abort();
          c.abort();
        }
      }
    }
  });
}

TEST(RowLocks, MadeStrongerAndNeverWeaker) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    for (const Act first : locks) {
      for (const Act second : locks) {
        for (const Act other : all_acts) {
          for (const bool in_savepoint : {false, true}) {
            SCOPED_TRACE(describe(first) + " and " + describe(second) + " against " + describe(other));
            const Tid tid = new_row();
            Session a(node), b(node);
            ASSERT_TRUE(goes_through(a, tid, first));
            if (in_savepoint) a.savepoint("s");
            ASSERT_TRUE(goes_through(a, tid, second));
            EXPECT_EQ(goes_through(b, tid, other), !conflict(first, other) && !conflict(second, other));
            b.abort();
            b.begin();
            if (in_savepoint) {
              a.rollback_to("s");
              EXPECT_EQ(goes_through(b, tid, other), !conflict(first, other)) << "the second is undone";
            }
            a.abort();
            b.abort();
          }
        }
      }
    }
  });
}

TEST(RowLocks, MadeStrongerBesideAnother) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    for (const Act own : locks) {
      for (const Act other : locks) {
        if (conflict(own, other)) continue;
        for (const Act stronger : all_acts) {
          SCOPED_TRACE(describe(own) + " beside " + describe(other) + " becomes " + describe(stronger));
          const Tid tid = new_row();
          Session a(node), b(node);
          ASSERT_TRUE(goes_through(a, tid, own));
          ASSERT_TRUE(goes_through(b, tid, other));
          EXPECT_EQ(goes_through(a, tid, stronger), !conflict(other, stronger));
          a.abort();
          b.abort();
        }
      }
    }
  });
}

TEST(RowLocks, AreOnTheVersionThatAnUpdateMakes) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    for (const int holders : {1, 2, 3}) {
      const Tid tid = new_row();
      std::vector<std::unique_ptr<Session>> sharers;
      for (int i = 0; i < holders; ++i) {
        sharers.push_back(std::make_unique<Session>(node));
        ASSERT_TRUE(goes_through(*sharers.back(), tid, Act::key_share));
      }
      Session writer(node);
      ASSERT_TRUE(goes_through(writer, tid, Act::change));
      const Tid next = writer.newest;
      writer.commit();
      writer.begin();
      for (auto& sharer : sharers) {
        EXPECT_FALSE(goes_through(writer, next, Act::remove)) << holders;
        EXPECT_TRUE(goes_through(writer, next, Act::no_key_update)) << holders;
        sharer->commit();
      }
      EXPECT_TRUE(goes_through(writer, next, Act::remove)) << holders;
      writer.commit();
    }
  });
}

TEST(RowLocks, OfFinishedTransactionsLeaveTheMultixact) {
  on_rows([](HeapNode& node, const std::function<Tid()>& new_row) {
    const Tid tid = new_row();
    Session a(node), b(node), c(node);
    a.lock(tid, LockStrength::key_share);
    b.lock(tid, LockStrength::key_share);
    EXPECT_EQ(holders_of(node.manager(), node.header_of(tid)).size(), 2U);
    const Xid multixact = node.header_of(tid).xmax;
    b.lock(tid, LockStrength::key_share);
    EXPECT_EQ(node.header_of(tid).xmax, multixact) << "nothing new, nothing written";
    a.commit();
    c.lock(tid, LockStrength::share);
    const auto holders = holders_of(node.manager(), node.header_of(tid));
    const std::vector<MultiXactMember> expected{{b.transaction().top_xid(), MemberStatus::key_share},
                                                {c.transaction().top_xid(), MemberStatus::share}};
    EXPECT_EQ(holders, expected);
    b.commit();
    c.lock(tid, LockStrength::update);
    const std::vector<MultiXactMember> both{{c.transaction().top_xid(), MemberStatus::share},
                                            {c.transaction().top_xid(), MemberStatus::update_lock}};
    EXPECT_EQ(holders_of(node.manager(), node.header_of(tid)), both) << "in a set each lock is by itself";
    c.commit();
  });
}

TEST(RowLocks, OfAPreparedTransactionOutliveACrash) {
  HeapNode node;
  Tid tid;
  node.run_node([&](HeapNode& running) {
    Session session(running);
    tid = session.insert(1, "a");
    session.commit();
    session.begin();
    session.lock(tid, LockStrength::share);
    Session other(running);
    other.lock(tid, LockStrength::key_share);
    session.prepare("x");
    running.host().crash();
  });
  node.run_node([&](HeapNode& running) {
    Session session(running);
    EXPECT_EQ(session.lock(tid, LockStrength::no_key_update, LockWait::nowait), "not available");
    running.manager().finish_prepared("x", true);
    EXPECT_EQ(session.lock(tid, LockStrength::update, LockWait::nowait), "ok 1:a (0,1)");
    session.commit();
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

}  // namespace
}  // namespace polarsim::engine::txn
