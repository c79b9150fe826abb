// Transaction blocks of one session: savepoints, isolation levels, READ ONLY, settings. Texts and outcomes are those of
// PostgreSQL 15.20.
#include <gtest/gtest.h>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

constexpr const char* failed_block =
    "25P02 current transaction is aborted, commands ignored until end of transaction block";

void with_table(const std::function<void(TestNode&, TestSession&)>& body) {
  with_session(body, "CREATE TABLE t (a int PRIMARY KEY, b int)");
}

TEST(Savepoints, NeedABlock) {
  with_table([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.outcome("SAVEPOINT s"), "25P01 SAVEPOINT can only be used in transaction blocks");
    EXPECT_EQ(session.outcome("ROLLBACK TO s"), "25P01 ROLLBACK TO SAVEPOINT can only be used in transaction blocks");
    EXPECT_EQ(session.outcome("RELEASE s"), "25P01 RELEASE SAVEPOINT can only be used in transaction blocks");
    session.run("BEGIN");
    EXPECT_EQ(session.outcome("ROLLBACK TO s"), "3B001 savepoint \"s\" does not exist");
    EXPECT_EQ(session.outcome("SELECT 1"), failed_block);
    EXPECT_EQ(session.outcome("ROLLBACK TO s"), "3B001 savepoint \"s\" does not exist");
    EXPECT_EQ(session.run("COMMIT"), "ROLLBACK");
  });
}

TEST(Savepoints, BringBackWhatWas) {
  with_table([](TestNode& node, TestSession& session) {
    session.run("BEGIN; INSERT INTO t VALUES (1, 1)");
    EXPECT_EQ(session.run("SAVEPOINT s"), "SAVEPOINT");
    session.run("INSERT INTO t VALUES (2, 2); UPDATE t SET b = 10 WHERE a = 1; DELETE FROM t WHERE a = 2");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|10");
    EXPECT_EQ(session.run("ROLLBACK TO s"), "ROLLBACK");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|1");
    session.run("INSERT INTO t VALUES (2, 3)");
    EXPECT_EQ(session.run("ROLLBACK TO SAVEPOINT s"), "ROLLBACK") << "it can be gone back to again";
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|1");
    session.run("INSERT INTO t VALUES (2, 4)");
    EXPECT_EQ(session.run("RELEASE s"), "RELEASE");
    EXPECT_EQ(session.outcome("ROLLBACK TO s"), "3B001 savepoint \"s\" does not exist");
    EXPECT_EQ(session.run("ROLLBACK"), "ROLLBACK");
    EXPECT_EQ(session.run("SELECT * FROM t"), "");
    session.run("BEGIN; SAVEPOINT s; INSERT INTO t VALUES (5, 5); RELEASE s; COMMIT");
    EXPECT_EQ(node.connect().run("SELECT * FROM t"), "5|5");
  });
}

TEST(Savepoints, SurviveErrors) {
  with_table([](TestNode& node, TestSession& session) {
    session.run("BEGIN; INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2)");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (1, 9)").substr(0, 5), "23505");
    EXPECT_EQ(session.session().status(), TransactionStatus::failed);
    EXPECT_EQ(session.outcome("SELECT 1"), failed_block);
    EXPECT_EQ(session.outcome("SAVEPOINT u"), failed_block);
    EXPECT_EQ(session.outcome("RELEASE s"), failed_block);
    EXPECT_EQ(session.outcome("ROLLBACK TO nothing"), "3B001 savepoint \"nothing\" does not exist");
    EXPECT_EQ(session.run("ROLLBACK TO s"), "ROLLBACK");
    EXPECT_EQ(session.session().status(), TransactionStatus::in_transaction);
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|1");
    session.run("INSERT INTO t VALUES (3, 3)");
    EXPECT_EQ(session.run("COMMIT"), "COMMIT");
    EXPECT_EQ(node.connect().run("SELECT * FROM t ORDER BY a"), "1|1;3|3");

    session.run("BEGIN; SAVEPOINT s");
    EXPECT_EQ(session.outcome("SELECT 1 / 0").substr(0, 5), "22012");
    EXPECT_EQ(session.run("COMMIT"), "ROLLBACK") << "nobody went back to the savepoint";
  });
}

TEST(Savepoints, NestAndHideEachOther) {
  with_table([](TestNode&, TestSession& session) {
    session.run("BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2)");
    session.run("ROLLBACK TO s");
    EXPECT_EQ(session.run("SELECT a FROM t"), "1") << "the inner one of that name";
    session.run("RELEASE s; INSERT INTO t VALUES (3, 3); ROLLBACK TO s");
    EXPECT_EQ(session.run("SELECT a FROM t"), "") << "now the outer one";
    session.run("SAVEPOINT a; SAVEPOINT b; SAVEPOINT c; INSERT INTO t VALUES (4, 4); RELEASE b");
    EXPECT_EQ(session.outcome("ROLLBACK TO c"), "3B001 savepoint \"c\" does not exist") << "b took it along";
    EXPECT_EQ(session.run("ROLLBACK TO a"), "ROLLBACK");
    EXPECT_EQ(session.run("SELECT a FROM t"), "");
    EXPECT_EQ(session.run("COMMIT"), "COMMIT");
  });
}

TEST(Savepoints, AnErrorFreesTheLocksOfItsPart) {
  with_table([](TestNode& node, TestSession& session) {
    session.run("INSERT INTO t VALUES (1, 1), (2, 2)");
    session.run("BEGIN; UPDATE t SET b = 5 WHERE a = 1; SAVEPOINT s; UPDATE t SET b = 6 WHERE a = 2");
    TestSession other = node.connect();
    other.run("SET lock_timeout = 50");
    EXPECT_EQ(other.outcome("UPDATE t SET b = 0 WHERE a = 2").substr(0, 5), "55P03");
    EXPECT_EQ(session.outcome("SELECT 1 / 0").substr(0, 5), "22012");
    EXPECT_EQ(other.outcome("UPDATE t SET b = 7 WHERE a = 2"), "UPDATE 1");
    EXPECT_EQ(other.outcome("UPDATE t SET b = 7 WHERE a = 1").substr(0, 5), "55P03") << "that was before the savepoint";
    session.run("ROLLBACK TO s; COMMIT");
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY a"), "1|5;2|7");
  });
}

TEST(Savepoints, CanBePrepared) {
  with_table([](TestNode&, TestSession& session) {
    session.run("BEGIN; INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2); ROLLBACK TO s");
    session.run("SAVEPOINT u; INSERT INTO t VALUES (3, 3)");
    EXPECT_EQ(session.run("PREPARE TRANSACTION 'x'"), "PREPARE TRANSACTION");
    EXPECT_EQ(session.outcome("ROLLBACK TO s").substr(0, 5), "25P01");
    EXPECT_EQ(session.run("COMMIT PREPARED 'x'; SELECT a FROM t ORDER BY a"), "1;3");
  });
}

TEST(Isolation, LevelsAreShownAndChosenBeforeTheFirstQuery) {
  with_table([](TestNode&, TestSession& session) {
    session.run("BEGIN ISOLATION LEVEL READ UNCOMMITTED");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "read uncommitted");
    session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "repeatable read");
    session.run("SELECT 1; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(session.outcome("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
              "25001 SET TRANSACTION ISOLATION LEVEL must be called before any query");
    EXPECT_EQ(session.run("ROLLBACK; SHOW transaction_isolation"), "read committed");
    session.run("BEGIN; SAVEPOINT s");
    EXPECT_EQ(session.outcome("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
              "25001 SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
    session.run("ROLLBACK; BEGIN; LOCK TABLE t; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "repeatable read") << "a lock is no query";
    session.run("ROLLBACK; BEGIN");
    EXPECT_EQ(warning(session, "BEGIN ISOLATION LEVEL REPEATABLE READ"),
              "25001 there is already a transaction in progress");
    EXPECT_EQ(session.run("SHOW transaction_isolation; "), "repeatable read");
    session.run("ROLLBACK");
    EXPECT_EQ(warning(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
              "25P01 SET TRANSACTION can only be used in transaction blocks");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "read committed");
  });
}

TEST(Isolation, DefaultsHoldForTransactionsToCome) {
  with_table([](TestNode& node, TestSession& session) {
    session.run("SET default_transaction_isolation = 'repeatable read'");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "repeatable read");
    session.run("BEGIN; SET default_transaction_isolation = 'READ COMMITTED'");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "repeatable read");
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "0");
    node.connect().run("INSERT INTO t VALUES (1, 1)");
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "0") << "one snapshot";
    EXPECT_EQ(session.run("COMMIT; SHOW transaction_isolation"), "read committed");
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "1");
    session.run("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    EXPECT_EQ(session.run("SHOW default_transaction_isolation"), "repeatable read");
    EXPECT_EQ(session.run("SHOW default_transaction_read_only"), "on");
    EXPECT_EQ(session.run("SHOW transaction_read_only"), "on");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (5, 5)"), "25006 cannot execute INSERT in a read-only transaction");
    EXPECT_EQ(session.run("BEGIN READ WRITE; INSERT INTO t VALUES (5, 5)"), "INSERT 0 1");
    EXPECT_EQ(session.run("ROLLBACK; RESET ALL; SHOW transaction_read_only"), "off");
    EXPECT_EQ(session.outcome("SET default_transaction_isolation = 'chaos'"),
              "22023 invalid value for parameter \"default_transaction_isolation\": \"chaos\"");
    EXPECT_EQ(session.outcome("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").substr(0, 5), "0A000");
  });
}

TEST(Isolation, RepeatableReadGivesUpOnNewerRows) {
  with_table([](TestNode& node, TestSession& session) {
    session.run("INSERT INTO t VALUES (1, 1)");
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");
    node.connect().run("UPDATE t SET b = 2");
    EXPECT_EQ(session.outcome("UPDATE t SET b = b + 10"), "40001 could not serialize access due to concurrent update");
    EXPECT_EQ(session.run("ROLLBACK; UPDATE t SET b = b + 10; SELECT b FROM t"), "12");
  });
}

TEST(ReadOnly, RefusesWhatWrites) {
  with_table([](TestNode&, TestSession& session) {
    session.run("CREATE SEQUENCE s");
    session.run("BEGIN READ ONLY; SAVEPOINT a");
    const std::pair<const char*, const char*> refused[] = {
        {"INSERT INTO t VALUES (1, 1)", "INSERT"},
        {"UPDATE t SET b = 1", "UPDATE"},
        {"DELETE FROM t", "DELETE"},
        {"CREATE TABLE u (a int)", "CREATE TABLE"},
        {"DROP TABLE t", "DROP TABLE"},
        {"TRUNCATE t", "TRUNCATE TABLE"},
        {"CREATE INDEX ON t (b)", "CREATE INDEX"},
        {"CREATE SEQUENCE u", "CREATE SEQUENCE"},
        {"DROP INDEX t_pkey", "DROP INDEX"},
        {"DROP SEQUENCE s", "DROP SEQUENCE"},
        {"SELECT * FROM t FOR UPDATE", "SELECT FOR UPDATE"},
        {"SELECT * FROM t FOR NO KEY UPDATE", "SELECT FOR NO KEY UPDATE"},
        {"SELECT * FROM t FOR SHARE", "SELECT FOR SHARE"},
        {"SELECT * FROM t FOR KEY SHARE", "SELECT FOR KEY SHARE"},
        {"SELECT nextval('s')", "nextval()"},
        {"SELECT setval('s', 1)", "setval()"},
    };
    for (const auto& [statement, name] : refused) {
      EXPECT_EQ(session.outcome(statement),
                std::string("25006 cannot execute ") + name + " in a read-only transaction");
      EXPECT_EQ(session.run("ROLLBACK TO a"), "ROLLBACK");
    }
    for (const char* allowed : {"SELECT * FROM t", "LOCK TABLE t", "ANALYZE t", "CHECKPOINT", "SET lock_timeout = 5"})
      EXPECT_EQ(session.outcome(allowed).find("25006"), std::string::npos) << allowed;
    EXPECT_EQ(session.run("COMMIT"), "COMMIT");
  });
}

TEST(ReadOnly, CanBeTurnedOnAtAnyTimeAndOffOnlyAtFirst) {
  with_table([](TestNode&, TestSession& session) {
    session.run("BEGIN; INSERT INTO t VALUES (1, 1); SET TRANSACTION READ ONLY");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (2, 2)").substr(0, 5), "25006");
    session.run("ROLLBACK; BEGIN READ ONLY; SET TRANSACTION READ WRITE; INSERT INTO t VALUES (1, 1); COMMIT");
    session.run("BEGIN READ ONLY; SELECT 1");
    EXPECT_EQ(session.outcome("SET TRANSACTION READ WRITE"),
              "25001 transaction read-write mode must be set before any query");
    session.run("ROLLBACK; BEGIN READ ONLY; SAVEPOINT s");
    EXPECT_EQ(session.outcome("SET transaction_read_only = off"),
              "25001 cannot set transaction read-write mode inside a read-only transaction");
    session.run("ROLLBACK; BEGIN; SAVEPOINT s; SET TRANSACTION READ ONLY");
    EXPECT_EQ(session.run("SHOW transaction_read_only"), "on");
    EXPECT_EQ(session.run("ROLLBACK TO s; SHOW transaction_read_only"), "off");
    EXPECT_EQ(session.run("SET TRANSACTION READ ONLY; RELEASE s; SHOW transaction_read_only"), "off");
    session.run("COMMIT");
    EXPECT_EQ(session.outcome("SET transaction_read_only = 'maybe'"),
              "22023 parameter \"transaction_read_only\" requires a Boolean value");
  });
}

TEST(Settings, FollowSavepoints) {
  with_table([](TestNode&, TestSession& session) {
    session.run("BEGIN; SET lock_timeout = '1s'; SAVEPOINT a; SET lock_timeout = '2s'");
    session.run("SET LOCAL statement_timeout = '7s'; RELEASE a");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "2s");
    EXPECT_EQ(session.run("SHOW statement_timeout"), "7s");
    session.run("COMMIT");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "2s");
    EXPECT_EQ(session.run("SHOW statement_timeout"), "0");
    session.run("BEGIN; SET LOCAL lock_timeout = '5s'; SAVEPOINT a; SET lock_timeout = '6s'; ROLLBACK TO a");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "5s");
    EXPECT_EQ(session.run("COMMIT; SHOW lock_timeout"), "2s");
    session.run("BEGIN; SET lock_timeout = '9s'; SAVEPOINT a; SET lock_timeout = '8s'");
    EXPECT_EQ(session.outcome("SELECT 1 / 0").substr(0, 5), "22012");
    EXPECT_EQ(session.run("ROLLBACK TO a; SHOW lock_timeout"), "9s");
    EXPECT_EQ(session.run("ROLLBACK; SHOW lock_timeout"), "2s");
  });
}

TEST(Settings, ReadTimesAsPostgresqlDoes) {
  with_table([](TestNode&, TestSession& session) {
    const auto shown = [&](const std::string& value) {
      return session.run("SET lock_timeout = " + value + "; SHOW lock_timeout");
    };
    EXPECT_EQ(shown("'1.5s'"), "1500ms");
    EXPECT_EQ(shown("' 2 min '"), "2min");
    EXPECT_EQ(shown("'90 s'"), "90s");
    EXPECT_EQ(shown("'1500us'"), "2ms");
    EXPECT_EQ(shown("'1h'"), "1h");
    EXPECT_EQ(session.outcome("SET deadlock_timeout = 0"),
              "22023 0 ms is outside the valid range for parameter \"deadlock_timeout\" (1 .. 2147483647)");
    EXPECT_EQ(session.outcome("SET lock_timeout = -1"),
              "22023 -1 ms is outside the valid range for parameter \"lock_timeout\" (0 .. 2147483647)");
    EXPECT_EQ(session.outcome("SET lock_timeout = '5 parsecs'"),
              "22023 invalid value for parameter \"lock_timeout\": \"5 parsecs\"");
    EXPECT_EQ(session.run("SET idle_in_transaction_session_timeout = '2s'; SHOW idle_in_transaction_session_timeout"),
              "2s");
    EXPECT_EQ(warning(session, "SET LOCAL lock_timeout = 5"), "25P01 SET LOCAL can only be used in transaction blocks");
  });
}

TEST(Blocks, VacuumFreezesWhenAsked) {
  with_table([](TestNode& node, TestSession& session) {
    const auto& transactions = node.instance().database().transactions();
    session.run("INSERT INTO t VALUES (1, 1); VACUUM");
    const auto oldest = transactions.oldest_xid();
    session.run("INSERT INTO t VALUES (2, 2); VACUUM");
    EXPECT_EQ(transactions.oldest_xid(), oldest) << "too young to freeze";
    session.run("VACUUM FREEZE");
    EXPECT_GT(transactions.oldest_xid(), oldest);
    EXPECT_EQ(session.run("SELECT a FROM t"), "1;2");
  });
}

TEST(Blocks, SomeStatementsCannotRunInOneOrOutside) {
  with_table([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.outcome("LOCK TABLE t"), "25P01 LOCK TABLE can only be used in transaction blocks");
    EXPECT_EQ(session.run("VACUUM t"), "VACUUM");
    EXPECT_EQ(session.run("VACUUM (FREEZE)"), "VACUUM");
    EXPECT_EQ(session.run("ANALYZE"), "ANALYZE");
    EXPECT_EQ(session.outcome("ANALYZE nothing"), "42P01 relation \"nothing\" does not exist");
    EXPECT_EQ(session.outcome("VACUUM nothing"), "42P01 relation \"nothing\" does not exist");
    EXPECT_EQ(session.run("CHECKPOINT"), "CHECKPOINT");
    for (const char* statement : {"VACUUM", "DISCARD ALL", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'"}) {
      session.run("BEGIN");
      const std::string name = std::string(statement).substr(0, std::string(statement).find(" '"));
      EXPECT_EQ(session.outcome(statement), "25001 " + name + " cannot run inside a transaction block");
      EXPECT_EQ(session.outcome("SELECT 1"), failed_block);
      session.run("ROLLBACK");
    }
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
