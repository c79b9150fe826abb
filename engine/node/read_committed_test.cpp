// What one node promises its clients, rule by rule: PostgreSQL's Read Committed, with several sessions.
#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

struct Sessions {
  TestNode& node;
  TestSession a;
  TestSession b;
  TestSession c;
};

// Runs `body` with three sessions on a node that has `t (id int PRIMARY KEY, v int)` with the rows (1, 10), (2, 20).
void with_sessions(const std::function<void(Sessions&)>& body, const NodeConfig& config = {}) {
  const auto run = [&](TestNode& node) {
    Sessions sessions{node, node.connect(), node.connect(), node.connect()};
    sessions.a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20)");
    body(sessions);
  };
  with_node(run, "", config);
}

// R1: a snapshot per statement.
TEST(ReadCommitted, EachStatementSeesWhatIsCommittedWhenItStarts) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN");
    EXPECT_EQ(s.a.run("SELECT v FROM t WHERE id = 1"), "10");
    s.b.run("BEGIN; UPDATE t SET v = 11 WHERE id = 1; INSERT INTO t VALUES (3, 30)");
    EXPECT_EQ(s.b.run("SELECT v FROM t WHERE id = 1"), "11");
    EXPECT_EQ(s.a.run("SELECT v FROM t ORDER BY id"), "10;20") << "no dirty read";
    s.b.run("COMMIT");
    EXPECT_EQ(s.a.run("SELECT v FROM t ORDER BY id"), "11;20;30") << "not repeatable, and a phantom";
  });
}

// R2: the holder aborts.
TEST(ReadCommitted, UpdateUsesTheOriginalIfTheHolderAborts) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 100 WHERE id = 1");
    auto update = s.b.start("UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v");
    EXPECT_FALSE(update.done());
    s.a.run("ROLLBACK");
    EXPECT_EQ(update.outcome(), "11");
    EXPECT_GE(s.node.reached("lock/waited-for-transaction"), 1U);
  });
}

// R2: the holder commits an update that leaves the row qualified.
TEST(ReadCommitted, UpdateGoesOnWithTheNewestVersion) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 100 WHERE id = 1");
    auto update = s.b.start("UPDATE t SET v = v + 1 WHERE v >= 10 AND id = 1 RETURNING v");
    EXPECT_FALSE(update.done());
    s.a.run("COMMIT");
    EXPECT_EQ(update.outcome(), "101");
    EXPECT_GE(s.node.reached("recheck/row-changed"), 1U);
  });
}

// R2: the holder commits an update after which WHERE is false.
TEST(ReadCommitted, RowThatNoLongerQualifiesIsSkipped) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 100 WHERE id = 1");
    auto update = s.b.start("UPDATE t SET v = v + 1 WHERE v = 10");
    auto removal = s.c.start("DELETE FROM t WHERE v = 10");
    s.a.run("COMMIT");
    EXPECT_EQ(update.outcome(), "UPDATE 0");
    EXPECT_EQ(removal.outcome(), "DELETE 0");
    EXPECT_EQ(s.a.run("SELECT v FROM t WHERE id = 1"), "100");
    EXPECT_GE(s.node.reached("recheck/no-longer-qualifies"), 2U);
  });
}

// R2: the holder commits a delete.
TEST(ReadCommitted, DeletedRowIsSkipped) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; DELETE FROM t WHERE id = 1");
    auto update = s.b.start("UPDATE t SET v = v + 1");
    auto locking = s.c.start("SELECT id FROM t ORDER BY id FOR UPDATE");
    EXPECT_FALSE(update.done());
    s.a.run("COMMIT");
    EXPECT_EQ(update.outcome(), "UPDATE 1");
    EXPECT_EQ(locking.outcome(), "2");
  });
}

// R2: a row deleted and inserted again is another row, which the statement's snapshot does not show.
TEST(ReadCommitted, RowInsertedAnewIsNotFollowed) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 99)");
    auto update = s.b.start("UPDATE t SET v = v + 1 WHERE id = 1");
    s.a.run("COMMIT");
    EXPECT_EQ(update.outcome(), "UPDATE 0");
    EXPECT_EQ(s.b.run("SELECT v FROM t WHERE id = 1"), "99");
  });
}

// R3: the documentation's example.
TEST(ReadCommitted, DeleteOfHitsTenDeletesNothing) {
  with_sessions([](Sessions& s) {
    s.a.run("CREATE TABLE website (id int PRIMARY KEY, hits int); INSERT INTO website VALUES (1, 9), (2, 10)");
    s.a.run("BEGIN; UPDATE website SET hits = hits + 1");
    auto removal = s.b.start("DELETE FROM website WHERE hits = 10");
    EXPECT_FALSE(removal.done());
    s.a.run("COMMIT");
    EXPECT_EQ(removal.outcome(), "DELETE 0");
    EXPECT_EQ(s.a.run("SELECT hits FROM website ORDER BY id"), "10;11");
  });
}

// R3: increments are never lost.
TEST(ReadCommitted, ConcurrentIncrementsAddUp) {
  with_sessions([](Sessions& s) {
    std::vector<sim::TaskRef> tasks;
    for (int client = 0; client < 8; ++client) {
      tasks.push_back(s.node.spawn([&s] {
        TestSession session = s.node.connect();
        for (int i = 0; i < 20; ++i) EXPECT_EQ(session.run("UPDATE t SET v = v + 1 WHERE id = 1"), "UPDATE 1");
      }));
    }
    s.node.join(tasks);
    EXPECT_EQ(s.a.run("SELECT v FROM t WHERE id = 1"), "170");
  });
}

// R4: which lock strengths exclude which.
TEST(ReadCommitted, LockStrengthsConflictAsDocumented) {
  const std::vector<std::string> clauses = {"FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"};
  const bool expected[4][4] = {
      {false, false, false, true}, {false, false, true, true}, {false, true, true, true}, {true, true, true, true}};
  with_sessions([&](Sessions& s) {
    for (std::size_t held = 0; held < 4; ++held) {
      for (std::size_t asked = 0; asked < 4; ++asked) {
        s.a.run("BEGIN");
        EXPECT_EQ(s.a.run("SELECT id FROM t WHERE id = 1 " + clauses[held]), "1");
        const std::string outcome = s.b.outcome("SELECT id FROM t WHERE id = 1 " + clauses[asked] + " NOWAIT");
        EXPECT_EQ(outcome, expected[held][asked] ? "55P03 could not obtain lock on row in relation \"t\"" : "1")
            << clauses[held] << " then " << clauses[asked];
        s.a.run("ROLLBACK");
      }
    }
  });
}

// R4: what statements take.
TEST(ReadCommitted, StatementsTakeTheirLocks) {
  with_sessions([](Sessions& s) {
    const auto blocks_key_share = [&](const std::string& statement) {
      s.a.run("BEGIN");
      s.a.run(statement);
      const std::string outcome = s.b.outcome("SELECT id FROM t WHERE id = 1 FOR KEY SHARE NOWAIT");
      s.a.run("ROLLBACK");
      return outcome.starts_with("55P03");
    };
    EXPECT_FALSE(blocks_key_share("UPDATE t SET v = 0 WHERE id = 1"));
    EXPECT_FALSE(blocks_key_share("UPDATE t SET id = 1 WHERE id = 1"));
    EXPECT_TRUE(blocks_key_share("UPDATE t SET id = 5 WHERE id = 1"));
    EXPECT_TRUE(blocks_key_share("DELETE FROM t WHERE id = 1"));
    s.a.run("BEGIN; UPDATE t SET v = 0");
    EXPECT_EQ(s.b.run("SELECT v FROM t ORDER BY id"), "10;20") << "a plain SELECT never waits";
    EXPECT_EQ(s.b.run("SELECT id FROM t WHERE id = 1 FOR SHARE SKIP LOCKED"), "");
    s.b.run("INSERT INTO t VALUES (3, 30)");
    EXPECT_EQ(s.b.run("SELECT id FROM t FOR UPDATE SKIP LOCKED"), "3");
  });
}

TEST(ReadCommitted, ForUpdateReturnsTheNewestVersion) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 5 WHERE id = 2");
    auto locking = s.b.start("SELECT id, v FROM t ORDER BY v LIMIT 2 FOR UPDATE");
    EXPECT_FALSE(locking.done());
    s.a.run("COMMIT");
    EXPECT_EQ(locking.outcome(), "1|10;2|5") << "sorted before the locks were taken";
  });
}

TEST(ReadCommitted, LocksAreServedInOrderOfArrival) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 0 WHERE id = 1");
    auto first = s.b.start("UPDATE t SET v = v * 2 + 1 WHERE id = 1 RETURNING v");
    auto second = s.c.start("UPDATE t SET v = v * 2 + 5 WHERE id = 1 RETURNING v");
    s.a.run("COMMIT");
    EXPECT_EQ(first.outcome(), "1");
    EXPECT_EQ(second.outcome(), "7");
  });
}

TEST(ReadCommitted, StrongerLockOfAHolderGoesFirst) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; SELECT id FROM t WHERE id = 1 FOR SHARE");
    s.b.run("BEGIN; SELECT id FROM t WHERE id = 1 FOR SHARE");
    auto third = s.c.start("UPDATE t SET v = v + 5 WHERE id = 1 RETURNING v");
    auto upgrade = s.b.start("UPDATE t SET v = 1 WHERE id = 1 RETURNING v");
    s.a.run("COMMIT");
    EXPECT_EQ(upgrade.outcome(), "1");
    EXPECT_FALSE(third.done());
    s.b.run("COMMIT");
    EXPECT_EQ(third.outcome(), "6");
  });
}

TEST(ReadCommitted, TimeoutsEndWaits) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 0 WHERE id = 1");
    s.b.run("SET lock_timeout = 300");
    const std::int64_t start = s.node.now_ms();
    EXPECT_EQ(s.b.outcome("UPDATE t SET v = 1 WHERE id = 1"), "55P03 canceling statement due to lock timeout");
    EXPECT_EQ(s.node.now_ms() - start, 300);
    s.b.run("SET lock_timeout = 0; SET statement_timeout = '2s'");
    EXPECT_EQ(s.b.outcome("UPDATE t SET v = 1 WHERE id = 1"), "57014 canceling statement due to statement timeout");
    EXPECT_EQ(s.b.outcome("INSERT INTO t VALUES (1, 1)").substr(0, 5), "57014");
    s.a.run("COMMIT");
    EXPECT_EQ(s.b.run("UPDATE t SET v = 1 WHERE id = 1"), "UPDATE 1");
  });
}

// R5.
TEST(ReadCommitted, UniqueCheckWaitsForOpenInserts) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; INSERT INTO t VALUES (3, 30)");
    auto loser = s.b.start("INSERT INTO t VALUES (3, 31)");
    EXPECT_FALSE(loser.done());
    s.a.run("COMMIT");
    EXPECT_EQ(loser.outcome(),
              "23505 duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(3) already exists.");
    s.a.run("BEGIN; INSERT INTO t VALUES (4, 40)");
    auto winner = s.b.start("INSERT INTO t VALUES (4, 41)");
    s.a.run("ROLLBACK");
    EXPECT_EQ(winner.outcome(), "INSERT 0 1");
    EXPECT_EQ(s.c.run("SELECT v FROM t WHERE id = 4"), "41");
  });
}

TEST(ReadCommitted, UniqueCheckWaitsForOpenDeletes) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; DELETE FROM t WHERE id = 1");
    auto first = s.b.start("INSERT INTO t VALUES (1, 99)");
    EXPECT_FALSE(first.done());
    s.a.run("COMMIT");
    EXPECT_EQ(first.outcome(), "INSERT 0 1");
    s.a.run("BEGIN; DELETE FROM t WHERE id = 2");
    auto second = s.b.start("INSERT INTO t VALUES (2, 99)");
    s.a.run("ROLLBACK");
    EXPECT_EQ(second.outcome().substr(0, 5), "23505");
    s.a.run("BEGIN; UPDATE t SET id = 8 WHERE id = 2");
    auto third = s.b.start("INSERT INTO t VALUES (2, 98)");
    EXPECT_FALSE(third.done());
    s.a.run("COMMIT");
    EXPECT_EQ(third.outcome(), "INSERT 0 1");
    EXPECT_EQ(s.c.run("SELECT id, v FROM t ORDER BY id"), "1|99;2|98;8|20");
  });
}

// R6.
TEST(ReadCommitted, DoNothingSkipsARowItDoesNotSee) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; INSERT INTO t VALUES (3, 30)");
    auto insert = s.b.start("INSERT INTO t VALUES (3, 31), (4, 41) ON CONFLICT DO NOTHING RETURNING id");
    EXPECT_FALSE(insert.done());
    s.a.run("COMMIT");
    EXPECT_EQ(insert.outcome(), "4");
    EXPECT_EQ(s.c.run("SELECT v FROM t WHERE id = 3"), "30");
  });
}

TEST(ReadCommitted, DoUpdateInsertsOrUpdates) {
  with_sessions([](Sessions& s) {
    const std::string upsert =
        "INSERT INTO t VALUES (3, 1) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v RETURNING v";
    s.a.run("BEGIN");
    EXPECT_EQ(s.a.run(upsert), "1");
    auto second = s.b.start(upsert);
    auto third = s.c.start(upsert);
    EXPECT_FALSE(second.done());
    s.a.run("COMMIT");
    EXPECT_EQ(second.outcome(), "2") << "updates a row that its snapshot does not show";
    EXPECT_EQ(third.outcome(), "3");
    s.a.run("BEGIN; DELETE FROM t WHERE id = 3");
    auto fourth = s.b.start(upsert);
    s.a.run("COMMIT");
    EXPECT_EQ(fourth.outcome(), "1") << "inserts after the row has gone";
    EXPECT_EQ(s.a.run("INSERT INTO t VALUES (3, 5) ON CONFLICT (id) DO UPDATE SET v = 0 WHERE t.v > 100"),
              "INSERT 0 0");
    EXPECT_EQ(s.a.run("SELECT v FROM t WHERE id = 3"), "1");
  });
}

TEST(ReadCommitted, UpsertsFromManySessionsAddUp) {
  with_sessions([](Sessions& s) {
    std::vector<sim::TaskRef> tasks;
    for (int client = 0; client < 6; ++client) {
      tasks.push_back(s.node.spawn([&s] {
        TestSession session = s.node.connect();
        for (int i = 0; i < 10; ++i) {
          const std::string key = std::to_string(100 + i % 3);
          EXPECT_EQ(session.run("INSERT INTO t VALUES (" + key + ", 1) ON CONFLICT (id) DO UPDATE SET v = t.v + 1"),
                    "INSERT 0 1");
        }
      }));
    }
    s.node.join(tasks);
    EXPECT_EQ(s.a.run("SELECT sum(v), count(*) FROM t WHERE id >= 100"), "60|3");
  });
}

TEST(ReadCommitted, OneCommandDoesNotUpdateARowTwice) {
  with_sessions([](Sessions& s) {
    EXPECT_EQ(s.a.outcome("INSERT INTO t VALUES (7, 1), (7, 2) ON CONFLICT (id) DO UPDATE SET v = excluded.v"),
              "21000 ON CONFLICT DO UPDATE command cannot affect row a second time");
    EXPECT_EQ(
        s.a.outcome("INSERT INTO t VALUES (1, 1), (1, 2) ON CONFLICT (id) DO UPDATE SET v = excluded.v").substr(0, 5),
        "21000");
    EXPECT_EQ(s.a.run("INSERT INTO t VALUES (7, 1), (7, 2) ON CONFLICT (id) DO NOTHING"), "INSERT 0 1");
    s.a.run("BEGIN; INSERT INTO t VALUES (9, 1)");
    EXPECT_EQ(s.a.run("INSERT INTO t VALUES (9, 2) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v RETURNING v"),
              "3");
  });
}

// R7.
TEST(ReadCommitted, DeadlockEndsOneOfTheTwo) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 0 WHERE id = 1");
    s.b.run("BEGIN; UPDATE t SET v = 0 WHERE id = 2");
    const std::int64_t start = s.node.now_ms();
    auto first = s.a.start("UPDATE t SET v = 1 WHERE id = 2");
    auto second = s.b.start("UPDATE t SET v = 1 WHERE id = 1");
    const std::string outcome = first.outcome();
    EXPECT_EQ(outcome.substr(0, 26), "40P01 deadlock detected / ") << "the first to look after the cycle has closed";
    EXPECT_NE(outcome.find("Process 2 waits for ShareLock on transaction"), std::string::npos) << outcome;
    EXPECT_EQ(s.node.now_ms() - start, 1000) << "deadlock_timeout after it began to wait";
    EXPECT_EQ(second.outcome(), "UPDATE 1");
    EXPECT_EQ(s.a.session().status(), TransactionStatus::failed);
    EXPECT_GE(s.node.reached("deadlock/detected"), 1U);
  });
}

TEST(ReadCommitted, DeadlockThroughUniqueKeysAndThreeSessions) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; INSERT INTO t VALUES (11, 0)");
    s.b.run("BEGIN; INSERT INTO t VALUES (12, 0)");
    s.c.run("BEGIN; SELECT id FROM t WHERE id = 1 FOR UPDATE");
    auto first = s.a.start("INSERT INTO t VALUES (12, 0)");
    auto second = s.b.start("UPDATE t SET v = 0 WHERE id = 1");
    auto third = s.c.start("INSERT INTO t VALUES (11, 0)");
    EXPECT_EQ(first.outcome().substr(0, 5), "40P01");
    EXPECT_EQ(third.outcome(), "INSERT 0 1") << "the victim's key is free again";
    EXPECT_FALSE(second.done());
    s.c.run("COMMIT");
    EXPECT_EQ(second.outcome(), "UPDATE 1");
    EXPECT_EQ(s.node.reached("deadlock/detected"), 1U) << "one victim";
  });
}

TEST(ReadCommitted, WaitingWithoutACycleIsNoDeadlock) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 0 WHERE id = 1");
    auto waiting = s.b.start("UPDATE t SET v = v + 1 WHERE id = 1");
    s.node.sleep_ms(60'000);
    EXPECT_FALSE(waiting.done());
    s.a.run("COMMIT");
    EXPECT_EQ(waiting.outcome(), "UPDATE 1");
  });
}

TEST(ReadCommitted, DropTableWaitsForItsUsers) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; SELECT count(*) FROM t");
    auto drop = s.b.start("DROP TABLE t");
    EXPECT_FALSE(drop.done());
    s.a.run("COMMIT");
    EXPECT_EQ(drop.outcome(), "DROP TABLE");
    s.a.run("BEGIN; CREATE TABLE u (id int)");
    auto create = s.b.start("CREATE TABLE u (id int)");
    EXPECT_FALSE(create.done());
    s.a.run("COMMIT");
    EXPECT_EQ(create.outcome(), "42P07 relation \"u\" already exists");
    s.a.run("BEGIN; DROP TABLE u");
    auto read = s.b.start("SELECT * FROM u");
    auto insert = s.c.start("INSERT INTO u VALUES (1)");
    s.a.run("COMMIT");
    EXPECT_EQ(read.outcome(), "42P01 relation \"u\" does not exist");
    EXPECT_EQ(insert.outcome(), "42P01 relation \"u\" does not exist");
  });
}

TEST(ReadCommitted, ClosedSessionGivesUpItsLocks) {
  with_sessions([](Sessions& s) {
    s.a.run("BEGIN; UPDATE t SET v = 0 WHERE id = 1");
    auto waiting = s.b.start("UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v");
    s.a.session().close();
    EXPECT_EQ(waiting.outcome(), "11");
  });
}

// R9: a backend that dies between the question and the answer of COMMIT.
TEST(ReadCommitted, CommitGoesOnWithoutItsSession) {
  with_sessions([](Sessions& s) {
    sim::Scheduler& scheduler = s.node.host().scheduler();
    int committed = 0;
    for (std::int64_t instant_us = 0; instant_us < 1500; instant_us += 50) {
      const std::string value = std::to_string(1000 + instant_us);
      const sim::TaskRef task = s.node.spawn([&] {
        TestSession session = s.node.connect();
        session.run("BEGIN; UPDATE t SET v = " + value + " WHERE id = 1");
        session.run("COMMIT");
      });
      scheduler.sleep_for(sim::Duration(instant_us * 1000));
      scheduler.cancel(task);
      scheduler.join(task);
      EXPECT_EQ(s.b.run("UPDATE t SET v = v + 1 WHERE id = 1"), "UPDATE 1") << "no lock is left";
      const bool effective = s.b.run("SELECT v FROM t WHERE id = 1") == std::to_string(1001 + instant_us);
      committed += effective ? 1 : 0;
      if (instant_us > 0) {
        EXPECT_TRUE(effective) << "the commit record was written before the session died, " << instant_us;
      }
    }
    EXPECT_GT(committed, 5);
  });
}

TEST(ReadCommitted, OldVersionsAreForgotten) {
  with_sessions([](Sessions& s) {
    // Grows quadratically, and takes minutes, if versions pile up.
    s.a.run("CREATE TABLE lists (id int PRIMARY KEY, elements text)");
    s.a.run("INSERT INTO lists VALUES (1, '')");
    for (int i = 0; i < 2000; ++i) s.a.run("UPDATE lists SET elements = elements || ',1' WHERE id = 1");
    EXPECT_EQ(s.a.run("SELECT length(elements) FROM lists"), "4000");
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
