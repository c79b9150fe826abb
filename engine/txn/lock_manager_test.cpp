#include "engine/txn/lock_manager.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <vector>

#include "engine/txn/lock_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::Actor;
using testing::advisory;
using testing::Pending;

using Locks = testing::LockTest;
using LockTimeouts = testing::LockTest;

constexpr LockMode share = LockMode::share;
constexpr LockMode exclusive = LockMode::exclusive;
const LockTag table = LockTag::of_relation(16384);

TEST(LockModes, ConflictAsDocumented) {
  // Table 13.2, a row for each requested mode, a column for each held one.
  constexpr std::array<const char*, 8> documented{".......x", "......xx", "....xxxx", "...xxxxx",
                                                  "..xx.xxx", "..xxxxxx", ".xxxxxxx", "xxxxxxxx"};
  for (std::size_t a = 0; a < 8; ++a) {
    for (std::size_t b = 0; b < 8; ++b) {
      EXPECT_EQ(conflicts(static_cast<LockMode>(a + 1), static_cast<LockMode>(b + 1)), documented[a][b] == 'x')
          << to_string(static_cast<LockMode>(a + 1)) << " and " << to_string(static_cast<LockMode>(b + 1));
    }
  }
}

TEST_F(Locks, GrantsWhatDoesNotConflict) {
  play([this] {
    for (std::size_t held = 1; held <= 8; ++held) {
      for (std::size_t wanted = 1; wanted <= 8; ++wanted) {
        const auto first = static_cast<LockMode>(held);
        const auto second = static_cast<LockMode>(wanted);
        EXPECT_EQ(a.lock(table, first), "granted");
        EXPECT_EQ(b.lock(table, second, false), conflicts(first, second) ? "busy" : "granted");
        EXPECT_TRUE(a.lock(table, second, false) == "granted" || !conflicts(first, second) || first == second);
        a.unlock_all();
        b.unlock_all();
      }
    }
    EXPECT_EQ(locks.locked_things(), 0U);
  });
}

TEST_F(Locks, CountsAcquisitions) {
  play([this] {
    EXPECT_EQ(a.lock(advisory(7), exclusive), "granted");
    EXPECT_EQ(a.lock(advisory(7), exclusive), "held");
    EXPECT_EQ(a.lock_for_session(advisory(7), exclusive), "held");
    a.unlock(advisory(7), exclusive);
    EXPECT_EQ(b.lock(advisory(7), exclusive, false), "busy");
    a.unlock(advisory(7), exclusive);
    EXPECT_FALSE(locks.release(a.backend, a.owner, advisory(7), exclusive)) << "only the session has it";
    EXPECT_EQ(b.lock(advisory(7), exclusive, false), "busy");
    EXPECT_TRUE(locks.release(a.backend, a.backend.session_locks, advisory(7), exclusive));
    EXPECT_EQ(b.lock(advisory(7), exclusive, false), "granted");
  });
}

TEST_F(Locks, ServesInOrderAndNobodyOvertakes) {
  play([this] {
    EXPECT_EQ(a.lock(table, LockMode::row_exclusive), "granted");
    Pending second = b.start(table, LockMode::access_exclusive);
    // Would not conflict with the holder, but with who waits.
    EXPECT_EQ(c.lock(table, LockMode::access_share, false), "busy");
    Pending third = c.start(table, LockMode::access_share);
    Pending fourth = d.start(table, LockMode::access_share);
    EXPECT_FALSE(second.done() || third.done() || fourth.done());
    EXPECT_EQ(locks.blockers(b.backend), std::vector<std::uint32_t>{1});
    EXPECT_EQ(locks.blockers(c.backend), std::vector<std::uint32_t>{2});
    a.unlock_all();
    EXPECT_EQ(second.outcome(), "waited");
    sleep_ms(1);
    EXPECT_FALSE(third.done() || fourth.done());
    b.unlock_all();
    EXPECT_EQ(third.outcome(), "waited");
    EXPECT_EQ(fourth.outcome(), "waited");
  });
}

TEST_F(Locks, HolderWhoWantsMoreGoesBeforeThoseWhoWaitForIt) {
  play([this] {
    EXPECT_EQ(a.lock(table, share), "granted");
    EXPECT_EQ(c.lock(table, share), "granted");
    Pending waiting = b.start(table, LockMode::access_exclusive);
    // Nobody but b, who waits for a, stands in the way of more: at once.
    EXPECT_EQ(a.lock(table, LockMode::row_share), "granted");
    // c stands in the way too: a waits, but before b.
    Pending more = a.start(table, LockMode::row_exclusive);
    EXPECT_FALSE(more.done());
    c.unlock_all();
    EXPECT_EQ(more.outcome(), "waited");
    EXPECT_FALSE(waiting.done());
    a.unlock_all();
    EXPECT_EQ(waiting.outcome(), "waited");
  });
}

TEST_F(Locks, ShowsHoldersAndWaiters) {
  play([this] {
    a.lock(LockTag::of_transaction(748), exclusive);
    a.lock(table, LockMode::access_share);
    a.lock(table, LockMode::row_exclusive);
    Pending waiting = b.start(table, share);
    std::string text;
    for (const LockManager::Entry& entry : locks.entries()) {
      text += describe(entry.tag) + " " + to_string(entry.mode) + " " + std::to_string(entry.process_id) +
              (entry.granted ? " granted\n" : " waits\n");
    }
    EXPECT_EQ(text,
              "relation 16384 AccessShareLock 1 granted\n"
              "relation 16384 RowExclusiveLock 1 granted\n"
              "relation 16384 ShareLock 2 waits\n"
              "transaction 748 ExclusiveLock 1 granted\n");
    a.unlock_all();
    EXPECT_EQ(waiting.outcome(), "waited");
  });
}

TEST(LockTags, AreDescribedAsInReports) {
  EXPECT_EQ(describe(LockTag::of_relation(16384)), "relation 16384");
  EXPECT_EQ(describe(LockTag::of_tuple(16384, {7, 3})), "tuple (7,3) of relation 16384");
  EXPECT_EQ(describe(LockTag::of_transaction(748)), "transaction 748");
  EXPECT_EQ(describe({LockTag::Kind::speculative, 748, 2}), "speculative token 2 of transaction 748");
  EXPECT_EQ(describe({LockTag::Kind::advisory, (5ULL << 32) | 6, 2}), "advisory lock [5,5,6,2]");
  EXPECT_EQ(describe_in_report(LockTag::of_relation(16384)), "relation 16384 of database 5");
  EXPECT_EQ(describe_in_report(LockTag::of_tuple(16384, {7, 3})), "tuple (7,3) of relation 16384 of database 5");
  EXPECT_EQ(describe_in_report(LockTag::of_transaction(748)), "transaction 748");
}

TEST_F(Locks, SavepointsLocksMergeAndPreparedOnesMoveOn) {
  play([this] {
    LockOwner savepoint;
    a.lock(table, share);
    locks.acquire(a.backend, savepoint, table, share);
    locks.acquire(a.backend, savepoint, advisory(1), exclusive);
    LockManager::merge(savepoint, a.owner);
    EXPECT_TRUE(savepoint.locks.empty());
    EXPECT_EQ(b.lock(advisory(1), exclusive, false), "busy");
    a.unlock(table, share);
    EXPECT_EQ(b.lock(table, exclusive, false), "busy") << "acquired twice";

    Backend prepared(host, 0);
    LockOwner of_prepared;
    locks.transfer(a.backend, a.owner, prepared, of_prepared);
    EXPECT_TRUE(a.owner.locks.empty());
    EXPECT_EQ(a.lock(table, exclusive, false), "busy") << "its own former lock is somebody else's now";
    Pending waiting = b.start(table, exclusive);
    EXPECT_EQ(locks.blockers(b.backend), std::vector<std::uint32_t>{0});
    locks.release_all(prepared, of_prepared);
    EXPECT_EQ(waiting.outcome(), "waited");
    locks.restore(prepared, of_prepared, advisory(9), exclusive);
    EXPECT_EQ(a.lock(advisory(9), exclusive, false), "busy");
    locks.release_all(prepared, of_prepared);
  });
}

TEST_F(Locks, WaitsForTheEndOfATransaction) {
  play([this] {
    const auto wait_for_a = [&] {
      locks.wait_for_end(b.backend, 748);
      return LockResult::granted;
    };
    EXPECT_EQ(testing::outcome_of(wait_for_a), "granted") << "nobody runs it";
    a.lock(LockTag::of_transaction(748), exclusive);
    Pending waiting = b.start(wait_for_a);
    EXPECT_FALSE(waiting.done());
    a.unlock_all();
    EXPECT_EQ(waiting.outcome(), "granted");
    EXPECT_EQ(locks.locked_things(), 0U);
  });
}

// --- ways out of a wait ---

TEST_F(LockTimeouts, EndTheWaitAndChangeNothing) {
  play([this] {
    a.lock(table, share);
    b.backend.limits.lock_timeout = sim::Duration(50'000'000);
    const std::int64_t start = now_ms();
    Pending behind;
    Pending waiting = b.start(table, exclusive);
    behind = c.start(table, share);
    EXPECT_FALSE(behind.done());
    EXPECT_EQ(waiting.outcome(), "55P03 canceling statement due to lock timeout");
    EXPECT_EQ(now_ms(), start + 50);
    EXPECT_EQ(behind.outcome(), "waited") << "nobody is in its way any more";
    EXPECT_TRUE(b.owner.locks.empty());
  });
}

TEST_F(LockTimeouts, OfTheStatementAndTheEarlierOfBoth) {
  play([this] {
    a.lock(table, share);
    b.backend.limits.statement_deadline = host.scheduler().now() + sim::Duration(30'000'000);
    EXPECT_EQ(b.lock(table, exclusive), "57014 canceling statement due to statement timeout");
    EXPECT_EQ(b.lock(table, exclusive), "57014 canceling statement due to statement timeout") << "still over";
    b.backend.limits.statement_deadline = host.scheduler().now() + sim::Duration(30'000'000);
    b.backend.limits.lock_timeout = sim::Duration(30'000'000);
    EXPECT_EQ(b.lock(table, exclusive), "55P03 canceling statement due to lock timeout");
    b.backend.limits.statement_deadline = host.scheduler().now() + sim::Duration(20'000'000);
    EXPECT_EQ(b.lock(table, exclusive), "57014 canceling statement due to statement timeout");
  });
}

// All at one instant: PostgreSQL looks for the order to stop first, then for the timeouts, then for a cancel.
TEST_F(LockTimeouts, GiveWayToTermination) {
  play([this] {
    a.lock(table, share);
    for (const bool terminate : {false, true}) {
      b.backend.begin_statement();
      b.backend.limits.lock_timeout = sim::Duration(10'000'000);
      host.scheduler().call_at(host.deadline_in(b.backend.limits.lock_timeout),
                               [&] { terminate ? b.backend.request_termination() : b.backend.request_cancel(); });
      Pending waiting = b.start(table, exclusive);
      EXPECT_EQ(waiting.outcome(), terminate ? "57P01 terminating connection due to administrator command"
                                             : "55P03 canceling statement due to lock timeout");
    }
  });
}

TEST_F(Locks, CancelAndTerminationEndTheWait) {
  play([this] {
    a.lock(table, share);
    Pending waiting = b.start(table, exclusive);
    b.backend.request_cancel();
    EXPECT_EQ(waiting.outcome(), "57014 canceling statement due to user request");
    b.backend.request_cancel();
    b.backend.begin_statement();
    b.backend.check_interrupts();
    Pending again = b.start(table, exclusive);
    EXPECT_FALSE(again.done()) << "the old request is forgotten";
    b.backend.request_termination();
    EXPECT_EQ(again.outcome(), "57P01 terminating connection due to administrator command");
    EXPECT_EQ(b.lock(table, exclusive), "57P01 terminating connection due to administrator command");
    const sim::Time wake = host.scheduler().now() + sim::Duration(5'000'000);
    EXPECT_THROW(b.backend.sleep_until(wake), SqlError);
    a.backend.sleep_until(wake);
    EXPECT_EQ(host.scheduler().now(), wake);
  });
}

TEST_F(Locks, CancelledTaskLeavesNothingBehind) {
  play([this] {
    a.lock(table, exclusive);
    Pending waiting = b.start(table, share);
    waiting.cancel();
    EXPECT_EQ(waiting.outcome(), "cut off");
    EXPECT_EQ(locks.entries().size(), 1U);
    // Granted and cancelled before it has run: it does not keep the lock.
    Pending late = b.start(table, share);
    a.unlock_all();
    late.cancel();
    EXPECT_EQ(late.outcome(), "cut off");
    EXPECT_EQ(c.lock(table, exclusive, false), "granted");
  });
}

}  // namespace
}  // namespace polarsim::engine::txn
