// What reaches into a session: timeouts, cancellation, termination; and its functions: advisory locks, sequences,
// sleep.
#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

constexpr const char* cancelled = "57014 canceling statement due to user request";
constexpr const char* terminated = "57P01 terminating connection due to administrator command";

std::string pid(const TestSession& session) {
  return std::to_string(const_cast<TestSession&>(session).session().process_id());
}

TEST(Interrupts, ACancelledStatementFailsTheBlockOnly) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    EXPECT_EQ(a.run("SELECT pg_backend_pid()"), pid(a));
    a.run("BEGIN");
    auto sleeping = a.start("SELECT pg_sleep(1000)");
    EXPECT_FALSE(sleeping.done());
    EXPECT_EQ(b.run("SELECT pg_cancel_backend(" + pid(a) + ")"), "t");
    EXPECT_EQ(sleeping.outcome(), cancelled);
    EXPECT_LT(node.now_ms(), 1000);
    EXPECT_EQ(a.session().status(), TransactionStatus::failed);
    EXPECT_EQ(a.run("ROLLBACK; SELECT 1"), "1");
    EXPECT_EQ(b.run("SELECT pg_cancel_backend(" + pid(a) + ")"), "t");
    EXPECT_EQ(a.run("SELECT 1"), "1") << "an idle session has nothing to cancel";
    EXPECT_EQ(warning(b, "SELECT pg_cancel_backend(9999)"), "01000 PID 9999 is not a PostgreSQL backend process / f");
    EXPECT_EQ(a.outcome("SELECT pg_cancel_backend(pg_backend_pid())"), cancelled);
  });
}

TEST(Interrupts, WaitsForLocksCanBeCancelled) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)");
    a.run("BEGIN; UPDATE t SET v = 2");
    b.run("BEGIN; SAVEPOINT s");
    auto waiting = b.start("UPDATE t SET v = 3");
    EXPECT_FALSE(waiting.done());
    b.session().cancel();
    EXPECT_EQ(waiting.outcome(), cancelled);
    a.run("COMMIT");
    EXPECT_EQ(b.run("ROLLBACK TO s; UPDATE t SET v = v + 10; COMMIT; SELECT v FROM t"), "12");
  });
}

TEST(Interrupts, ATerminatedSessionRollsBackAndEnds) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY)");
    a.run("SELECT pg_advisory_lock(1)");
    a.run("BEGIN; INSERT INTO t VALUES (1)");
    auto sleeping = a.start("SELECT pg_sleep(1000)");
    EXPECT_EQ(b.run("SELECT pg_terminate_backend(" + pid(a) + ")"), "t");
    EXPECT_EQ(sleeping.outcome(), terminated);
    EXPECT_EQ(a.session().status(), TransactionStatus::idle);
    EXPECT_EQ(a.outcome("SELECT 1"), terminated);
    EXPECT_EQ(b.run("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(1)"), "t");
    EXPECT_EQ(warning(b, "SELECT pg_terminate_backend(" + pid(a) + ")"),
              "01000 PID " + pid(a) + " is not a PostgreSQL backend process / f");
  });
}

TEST(Interrupts, AnIdleSessionEndsWithItsNextStatement) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    int told = 0;
    a.session().set_interrupt_listener([&] { ++told; });
    a.run("BEGIN");
    a.session().terminate();
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(a.session().termination_requested());
    bool ended = false;
    try {
      a.run("COMMIT");
    } catch (const SessionTerminated& error) {
      ended = error.sqlstate() == sqlstate::admin_shutdown;
    }
    EXPECT_TRUE(ended);
    EXPECT_EQ(a.session().status(), TransactionStatus::idle);
  });
}

// To analyse a statement without a plan is no second try of what was to end.
TEST(Interrupts, OneCancelEndsAPrepare) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("CREATE TABLE t (a int)");
    a.run("BEGIN");
    a.run("LOCK TABLE t");
    auto preparing = b.start("PREPARE p AS SELECT * FROM t");
    EXPECT_FALSE(preparing.done());
    EXPECT_EQ(a.run("SELECT pg_cancel_backend(" + pid(b) + ")"), "t");
    EXPECT_EQ(preparing.outcome(), cancelled);
    a.run("ROLLBACK");
    b.run("PREPARE q AS SELECT 1 / 0");
    EXPECT_EQ(b.outcome("EXECUTE q"), "22012 division by zero");
  });
}

// Simulated time passes for what only computes, too, if it goes on for long.
TEST(Interrupts, ComputingStatementsEndWhenTheyAreToEnd) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    const char* const endless[] = {
        "SELECT count(*) FROM generate_series(1, 1000000000)",
        "SELECT count(*) FROM generate_series(1, 100000) x, generate_series(1, 100000) y",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r"};
    for (const char* const statement : endless) {
      auto computing = a.start(statement);
      b.run("SELECT pg_sleep(0.05)");
      EXPECT_FALSE(computing.done());
      EXPECT_EQ(b.run("SELECT pg_cancel_backend(" + pid(a) + ")"), "t");
      EXPECT_EQ(computing.outcome(), cancelled) << statement;
    }
    a.run("SET statement_timeout = '105ms'");
    for (const char* const statement : endless) {
      const std::int64_t began = node.now_ms();
      EXPECT_EQ(a.outcome(statement), "57014 canceling statement due to statement timeout") << statement;
      EXPECT_EQ(node.now_ms() - began, 105) << statement;
    }
    const std::int64_t began = node.now_ms();
    EXPECT_EQ(a.run("SELECT count(*) FROM generate_series(1, 60000)"), "60000");
    EXPECT_EQ(node.now_ms(), began) << "a short one takes no time";
  });
}

TEST(Interrupts, StatementAndLockTimeouts) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    b.run("SELECT pg_advisory_lock(7)");
    a.run("SET statement_timeout = '300ms'");
    std::int64_t began = node.now_ms();
    EXPECT_EQ(a.outcome("SELECT pg_sleep(5)"), "57014 canceling statement due to statement timeout");
    EXPECT_EQ(node.now_ms() - began, 300);
    began = node.now_ms();
    EXPECT_EQ(a.outcome("SELECT pg_advisory_lock(7)"), "57014 canceling statement due to statement timeout");
    EXPECT_EQ(node.now_ms() - began, 300);
    a.run("SET lock_timeout = '100ms'");
    EXPECT_EQ(a.outcome("SELECT pg_advisory_lock(7)"), "55P03 canceling statement due to lock timeout");
    EXPECT_EQ(a.run("SELECT pg_sleep(0.25)"), "") << "each statement has its own time";
    EXPECT_EQ(a.run("SELECT pg_sleep(0.25)"), "");
    a.run("BEGIN; SET LOCAL statement_timeout = 0; SAVEPOINT s");
    EXPECT_EQ(a.run("SELECT pg_sleep('0.5')"), "");
    a.run("COMMIT");
  });
}

TEST(SessionFunctions, Sleep) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    const std::int64_t began = node.now_ms();
    a.run("SELECT pg_sleep(2), pg_sleep(0.5)");
    EXPECT_EQ(node.now_ms() - began, 2500);
    EXPECT_EQ(a.run("SELECT pg_sleep(-1), pg_sleep(NULL)"), "|null");
    EXPECT_EQ(node.now_ms() - began, 2500);
    EXPECT_EQ(a.outcome("SELECT pg_sleep('x')"), "22P02 invalid input syntax for type double precision: \"x\"");
    EXPECT_EQ(a.outcome("SELECT pg_sleep(true)").substr(0, 5), "42883");
    auto forever = a.start("SELECT pg_sleep('infinity')");
    node.sleep_ms(1'000'000'000);
    EXPECT_FALSE(forever.done());
    a.session().cancel();
    EXPECT_EQ(forever.outcome(), cancelled);
  });
}

TEST(SessionFunctions, MayBlockInTheMiddleOfAScan) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
    for (int id = 1; id <= 300; ++id) a.run("INSERT INTO t VALUES (" + std::to_string(id) + ", 0)");
    auto reading = a.start("SELECT count(*) FROM t WHERE v = 0 AND pg_sleep(0.01)::text = ''");
    EXPECT_EQ(b.run("UPDATE t SET v = 1"), "UPDATE 300");
    EXPECT_EQ(b.run("DELETE FROM t WHERE id > 100; VACUUM; CHECKPOINT"), "CHECKPOINT");
    EXPECT_FALSE(reading.done());
    EXPECT_EQ(reading.outcome(), "300");
    auto changing = a.start("UPDATE t SET v = v + 1 WHERE pg_sleep(0.01)::text = ''");
    EXPECT_EQ(b.run("UPDATE t SET v = 10 WHERE id = 100"), "UPDATE 1");
    EXPECT_EQ(changing.outcome(), "UPDATE 100");
    EXPECT_EQ(b.run("SELECT v, count(*) FROM t GROUP BY v ORDER BY v"), "2|99;11|1");
  });
}

TEST(SessionFunctions, AdvisoryLocksOfTheSession) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    EXPECT_EQ(a.run("SELECT pg_advisory_lock(1)"), "");
    EXPECT_EQ(a.run("SELECT pg_advisory_lock(1)"), "") << "once more";
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(2), pg_try_advisory_lock(0, 1)"), "f|t|t");
    EXPECT_EQ(a.run("BEGIN; SELECT pg_advisory_lock(3); ROLLBACK"), "ROLLBACK");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(3)"), "f") << "it is the session's, whatever became of the block";
    EXPECT_EQ(a.run("SELECT pg_advisory_unlock(1)"), "t");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(1)"), "f") << "a has it once more";
    auto waiting = b.start("SELECT pg_advisory_lock(1)");
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ(a.run("SELECT pg_advisory_unlock(1)"), "t");
    EXPECT_EQ(waiting.outcome(), "");
    EXPECT_EQ(warning(a, "SELECT pg_advisory_unlock(1)"), "01000 you don't own a lock of type ExclusiveLock / f");
    EXPECT_EQ(warning(b, "SELECT pg_advisory_unlock_shared(1)"), "01000 you don't own a lock of type ShareLock / f");
    b.run("SELECT pg_advisory_unlock_all()");
    EXPECT_EQ(a.run("SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(2)"), "t|t");
    a.session().close();
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(3)"), "t|t");
  });
}

TEST(SessionFunctions, AdvisoryLocksOfTheTransactionAndShared) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("BEGIN; SELECT pg_advisory_xact_lock(1, 2); SAVEPOINT s; SELECT pg_advisory_xact_lock(5)");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_xact_lock(1, 2), pg_try_advisory_xact_lock(5)"), "f|f");
    a.run("ROLLBACK TO s");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_xact_lock(1, 2), pg_try_advisory_xact_lock(5)"), "f|t");
    a.run("COMMIT");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_xact_lock(1, 2)"), "t") << "and lost it again at once";
    EXPECT_EQ(a.run("SELECT pg_advisory_lock_shared(9), pg_try_advisory_lock_shared(-1, 4)"), "|t");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock_shared(9), pg_try_advisory_lock(-1, 4), pg_try_advisory_lock(9)"),
              "t|f|f");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_xact_lock_shared(-1, 4)"), "t");
    a.run("BEGIN; SELECT pg_advisory_xact_lock(77); SELECT pg_advisory_lock(77)");
    EXPECT_EQ(a.outcome("PREPARE TRANSACTION 'x'"),
              "0A000 cannot PREPARE while holding both session-level and transaction-level locks on the same object");
    EXPECT_EQ(a.session().status(), TransactionStatus::idle);
    EXPECT_EQ(a.run("SELECT 1"), "1");
  });
}

TEST(SessionFunctions, AdvisoryLocksMeetDeadlocks) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("BEGIN; SELECT pg_advisory_xact_lock(1)");
    b.run("BEGIN; SELECT pg_advisory_lock(2)");
    auto waiting = a.start("SELECT pg_advisory_xact_lock(2)");
    EXPECT_EQ(b.run("SELECT pg_advisory_xact_lock(1)"), "") << "a looked first, and gave up what it had";
    EXPECT_EQ(waiting.outcome().substr(0, 23), "40P01 deadlock detected");
    b.run("ROLLBACK");
    EXPECT_EQ(a.run("ROLLBACK; SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(2)"), "t|f")
        << "the session's lock stays";
  });
}

TEST(SessionFunctions, SequencesBelongToTheSession) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("CREATE SEQUENCE s; CREATE SEQUENCE \"T t\" START 10 INCREMENT -5 MINVALUE 0 MAXVALUE 10");
    EXPECT_EQ(a.run("SELECT nextval('s'), nextval('public.S'), nextval('\"T t\"')"), "1|2|10");
    EXPECT_EQ(a.run("SELECT currval('s'), lastval()"), "2|10");
    EXPECT_EQ(b.outcome("SELECT currval('s')"), "55000 currval of sequence \"s\" is not yet defined in this session");
    EXPECT_EQ(b.outcome("SELECT lastval()"), "55000 lastval is not yet defined in this session");
    EXPECT_EQ(b.run("SELECT nextval('s')"), "3");
    a.run("BEGIN; SELECT nextval('s'); ROLLBACK");
    EXPECT_EQ(b.run("SELECT nextval('s')"), "5") << "numbers are not given back";
    EXPECT_EQ(a.run("SELECT setval('s', 100), setval('\"T t\"', 5, false), nextval('\"T t\"'), nextval('s')"),
              "100|5|5|101");
    EXPECT_EQ(a.outcome("SELECT setval('\"T t\"', 11)"),
              "22003 setval: value 11 is out of bounds for sequence \"T t\" (0..10)");
    a.run("SELECT nextval('\"T t\"')");
    EXPECT_EQ(a.outcome("SELECT nextval('\"T t\"')"), "2200H nextval: reached minimum value of sequence \"T t\" (0)");
    a.run("DISCARD SEQUENCES");
    EXPECT_EQ(a.outcome("SELECT currval('s')").substr(0, 5), "55000");
    EXPECT_EQ(a.outcome("SELECT nextval('nothing')").substr(0, 5), "42P01");
    a.run("CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'), v text)");
    EXPECT_EQ(a.run("INSERT INTO t (v) VALUES ('a'), ('b') RETURNING id"), "102;103");
  });
}

TEST(SessionFunctions, Transactions) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY)");
    EXPECT_EQ(a.run("SELECT txid_current_if_assigned()"), "null");
    a.run("BEGIN");
    EXPECT_EQ(a.run("SELECT pg_current_xact_id_if_assigned()"), "null");
    const std::string id = a.run("SELECT txid_current()");
    EXPECT_EQ(a.run("SAVEPOINT s; SELECT pg_current_xact_id()"), id);
    EXPECT_EQ(a.run("SELECT txid_current_if_assigned()"), id);
    a.run("COMMIT");
    EXPECT_GT(std::stoll(a.run("SELECT txid_current()")), std::stoll(id));
  });
}

TEST(SessionFunctions, SettingsAndDiscard) {
  with_node([](TestNode& node) {
    TestSession a = node.connect();
    TestSession b = node.connect();
    a.run("SET lock_timeout = '3s'; SET my.own = 'x'; SELECT pg_advisory_lock(1)");
    EXPECT_EQ(a.run("SELECT current_setting('lock_timeout'), current_setting('my.own'), "
                    "current_setting('transaction_isolation')"),
              "3s|x|read committed");
    EXPECT_EQ(a.run("SELECT current_setting('no.such', true)"), "null");
    EXPECT_EQ(a.outcome("SELECT current_setting('no.such')"), "42704 unrecognized configuration parameter \"no.such\"");
    EXPECT_EQ(a.run("DISCARD ALL"), "DISCARD ALL");
    EXPECT_EQ(a.run("SELECT current_setting('lock_timeout')"), "0");
    EXPECT_EQ(b.run("SELECT pg_try_advisory_lock(1)"), "t");
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
