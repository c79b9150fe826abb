#include "engine/txn/deadlock.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "engine/txn/lock_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::Actor;
using testing::advisory;
using testing::Pending;

using Deadlock = testing::LockTest;

constexpr LockMode share = LockMode::share;
constexpr LockMode exclusive = LockMode::exclusive;
const LockTag first = LockTag::of_relation(1);
const LockTag second = LockTag::of_relation(2);
const LockTag third = LockTag::of_relation(3);

// Whoever looks first once the cycle is closed is the victim; these look later.
void be_patient(std::initializer_list<Actor*> actors) {
  for (Actor* const actor : actors) actor->backend.limits.deadlock_timeout = sim::Duration(10'000'000'000);
}

TEST_F(Deadlock, OfTwoIsFoundAfterTheTimeout) {
  play([this] {
    be_patient({&a});
    a.lock(LockTag::of_transaction(748), exclusive);
    b.lock(LockTag::of_transaction(749), exclusive);
    Pending survivor = a.start([&] {
      locks.wait_for_end(a.backend, 749);
      return LockResult::granted;
    });
    sleep_ms(300);
    const std::int64_t start = now_ms();
    const std::string outcome = testing::outcome_of([&] {
      locks.wait_for_end(b.backend, 748);
      return LockResult::granted;
    });
    EXPECT_EQ(outcome,
              "40P01 deadlock detected / "
              "Process 2 waits for ShareLock on transaction 748; blocked by process 1.\n"
              "Process 1 waits for ShareLock on transaction 749; blocked by process 2.");
    EXPECT_EQ(now_ms(), start + 1000);
    EXPECT_FALSE(survivor.done());
    b.unlock_all();
    EXPECT_EQ(survivor.outcome(), "granted");
  });
}

TEST_F(Deadlock, TakesTheFirstToLookForAVictim) {
  play([this] {
    a.lock(first, exclusive);
    b.lock(second, exclusive);
    Pending victim = a.start(second, exclusive);
    sleep_ms(500);
    Pending survivor = b.start(first, exclusive);
    EXPECT_EQ(victim.outcome().substr(0, 5), "40P01");
    EXPECT_EQ(now_ms(), 1000);
    a.unlock_all();
    EXPECT_EQ(survivor.outcome(), "waited");
    EXPECT_EQ(now_ms(), 1000);
  });
}

TEST_F(Deadlock, HintsAtTheLog) {
  play([this] {
    be_patient({&a});
    a.lock(first, exclusive);
    b.lock(second, exclusive);
    Pending waiting = a.start(second, exclusive);
    try {
      locks.acquire(b.backend, b.owner, first, exclusive);
      ADD_FAILURE() << "no deadlock";
    } catch (const SqlError& error) {
      EXPECT_EQ(error.fields().hint, "See server log for query details.");
    }
    b.unlock_all();
    waiting.outcome();
  });
}

TEST_F(Deadlock, OfThreeNamesThemInOrder) {
  play([this] {
    be_patient({&a, &b});
    a.lock(first, exclusive);
    b.lock(second, exclusive);
    c.lock(third, exclusive);
    Pending of_a = a.start(second, share);
    Pending of_b = b.start(third, LockMode::row_exclusive);
    EXPECT_EQ(c.lock(first, LockMode::access_exclusive),
              "40P01 deadlock detected / "
              "Process 3 waits for AccessExclusiveLock on relation 1 of database 5; blocked by process 1.\n"
              "Process 1 waits for ShareLock on relation 2 of database 5; blocked by process 2.\n"
              "Process 2 waits for RowExclusiveLock on relation 3 of database 5; blocked by process 3.");
    c.unlock_all();
    EXPECT_EQ(of_b.outcome(), "waited");
    b.unlock_all();
    EXPECT_EQ(of_a.outcome(), "waited");
  });
}

TEST_F(Deadlock, OfTwoWhoWantMoreIsFoundAtOnce) {
  play([this] {
    a.lock(first, share);
    b.lock(first, share);
    Pending waiting = a.start(first, exclusive);
    const std::int64_t start = now_ms();
    EXPECT_EQ(b.lock(first, exclusive),
              "40P01 deadlock detected / "
              "Process 2 waits for ExclusiveLock on relation 1 of database 5; blocked by process 1.\n"
              "Process 1 waits for ExclusiveLock on relation 1 of database 5; blocked by process 2.");
    EXPECT_EQ(now_ms(), start);
    b.unlock_all();
    EXPECT_EQ(waiting.outcome(), "waited");
  });
}

TEST_F(Deadlock, OfAdvisoryLocksOfSessionAndTransaction) {
  play([this] {
    be_patient({&a});
    a.lock_for_session(advisory(1), exclusive);
    b.lock(advisory(2), exclusive);
    Pending waiting = a.start(advisory(2), share);
    EXPECT_EQ(b.lock(advisory(1), exclusive),
              "40P01 deadlock detected / "
              "Process 2 waits for ExclusiveLock on advisory lock [5,0,1,1]; blocked by process 1.\n"
              "Process 1 waits for ShareLock on advisory lock [5,0,2,1]; blocked by process 2.");
    b.unlock_all();
    EXPECT_EQ(waiting.outcome(), "waited");
  });
}

// b holds `second` and waits for `first` behind c, whose request conflicts with that of b but who waits for a only; a
// waits for b. Letting b go before c ends it, because b does not conflict with what a holds.
TEST_F(Deadlock, ThatOnlyTheQueuesOrderClosesIsBrokenByAnother) {
  play([this] {
    a.lock(first, LockMode::access_share);
    b.lock(second, exclusive);
    Pending of_c = c.start(first, LockMode::access_exclusive);
    Pending of_b = b.start(first, LockMode::access_share);
    EXPECT_FALSE(of_b.done()) << "behind c";
    Pending of_a = a.start(second, share);
    EXPECT_EQ(of_b.outcome(), "waited");
    EXPECT_GE(now_ms(), 1000) << "it took somebody to look";
    EXPECT_FALSE(of_a.done() || of_c.done());
    b.unlock_all();
    EXPECT_EQ(of_a.outcome(), "waited");
    EXPECT_FALSE(of_c.done());
    a.unlock_all();
    EXPECT_EQ(of_c.outcome(), "waited");
  });
}

// As before, but b cannot go first either: a holds what b wants.
TEST_F(Deadlock, ThatNoOrderBreaksEndsWithAVictim) {
  play([this] {
    be_patient({&b, &c});
    a.lock(first, exclusive);
    b.lock(second, exclusive);
    Pending of_c = c.start(first, LockMode::access_exclusive);
    Pending of_b = b.start(first, share);
    EXPECT_EQ(a.lock(second, share),
              "40P01 deadlock detected / "
              "Process 1 waits for ShareLock on relation 2 of database 5; blocked by process 2.\n"
              "Process 2 waits for ShareLock on relation 1 of database 5; blocked by process 1.");
    a.unlock_all();
    EXPECT_EQ(of_c.outcome(), "waited");
    c.unlock_all();
    EXPECT_EQ(of_b.outcome(), "waited");
  });
}

// Only what has to change does.
TEST_F(Deadlock, QueuesOfNoCycleKeepTheirOrder) {
  play([this] {
    e.lock(first, LockMode::access_share);
    e.lock(second, LockMode::access_share);
    a.lock(third, LockMode::row_share);
    b.lock(LockTag::of_relation(4), exclusive);
    // c and d are in the way of a and b; they wait for e and hold what b and a wait for next.
    c.lock(advisory(1), exclusive);
    d.lock(advisory(2), exclusive);
    Pending of_c = c.start(first, LockMode::access_exclusive);
    Pending of_d = d.start(second, LockMode::access_exclusive);
    Pending of_a = a.start(first, LockMode::access_share);
    Pending of_b = b.start(second, LockMode::access_share);
    Pending of_e = e.start(third, LockMode::access_exclusive);
    EXPECT_FALSE(of_a.done() || of_b.done() || of_c.done() || of_d.done() || of_e.done());
    // a waits for c, c for e, e for a: only the queue of `first` closes that.
    EXPECT_EQ(of_a.outcome(), "waited");
    EXPECT_FALSE(of_b.done()) << "nobody waits for b, so d keeps its place";
    a.unlock_all();
    EXPECT_EQ(of_e.outcome(), "waited");
    e.unlock_all();
    EXPECT_EQ(of_c.outcome(), "waited");
    EXPECT_EQ(of_d.outcome(), "waited");
    d.unlock_all();
    EXPECT_EQ(of_b.outcome(), "waited");
  });
}

TEST_F(Deadlock, PreparedTransactionIsWaitedForInVain) {
  play([this] {
    Backend prepared(host, 0);
    LockOwner of_prepared;
    locks.restore(prepared, of_prepared, first, exclusive);
    a.backend.limits.lock_timeout = sim::Duration(5'000'000'000);
    EXPECT_EQ(a.lock(first, share), "55P03 canceling statement due to lock timeout");
    locks.release_all(prepared, of_prepared);
  });
}

}  // namespace
}  // namespace polarsim::engine::txn
