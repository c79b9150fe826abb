// Relations come and go with the transactions that make and drop them, over crashes and two phases.
#include "engine/catalog/catalog.h"

#include <gtest/gtest.h>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

std::size_t file_count(TestNode& node) { return node.instance().database().files().list().size(); }

TEST(Catalog, SystemTablesTellOfRelations) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'x' NOT NULL, code bigint UNIQUE)");
    EXPECT_EQ(session.run("SELECT relname, relkind FROM pg_class WHERE oid >= 16384 ORDER BY relname"),
              "t|r;t_code_key|i;t_pkey|i");
    EXPECT_EQ(
        session.run("SELECT attname, atttypid, attnum, attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT "
                    "JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 't'::regclass AND "
                    "attnum > 0 ORDER BY attnum"),
        "id|23|1|t|null;name|25|2|t|'x'::text;code|20|3|f|null");
    EXPECT_EQ(session.run("SELECT indisunique, indisprimary, indkey FROM pg_index ORDER BY indexrelid"), "t|t|1;t|f|3");
    EXPECT_EQ(session.run("SELECT relname, relkind FROM pg_class WHERE oid = 9000"), "polar_relation|r");
    EXPECT_EQ(session.outcome("DELETE FROM polar_relation"),
              "42501 permission denied: \"polar_relation\" is a system catalog");
    EXPECT_EQ(session.outcome("DROP TABLE polar_relation"),
              "42501 permission denied: \"polar_relation\" is a system catalog");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, RolledBackTableLeavesNothing) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    const std::size_t files = file_count(running);
    session.run("BEGIN; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')");
    EXPECT_EQ(file_count(running), files + 3) << "table, long values, index";
    EXPECT_EQ(running.connect().outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
    session.run("ROLLBACK");
    EXPECT_EQ(session.outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
    EXPECT_EQ(file_count(running), files);
    session.run("CREATE TABLE t (other text)");
    EXPECT_EQ(session.run("SELECT other FROM t"), "");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, SavepointTakesBackWhatWasCreatedAndDropped) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)");
    session.run("BEGIN; CREATE TABLE a (id int); SAVEPOINT s; CREATE TABLE b (id int); DROP TABLE kept");
    EXPECT_EQ(session.run("SELECT relname FROM pg_class WHERE oid >= 16384 ORDER BY relname"), "a;b");
    const std::size_t files = file_count(running);
    session.run("ROLLBACK TO s");
    EXPECT_EQ(file_count(running), files - 1) << "that of b";
    EXPECT_EQ(session.run("SELECT relname FROM pg_class WHERE oid >= 16384 ORDER BY relname"), "a;kept");
    EXPECT_EQ(session.run("SELECT * FROM kept"), "7");
    session.run("CREATE TABLE b (other text); DROP TABLE kept; COMMIT");
    EXPECT_EQ(session.run("SELECT other FROM b"), "");
    EXPECT_EQ(session.run("SELECT relname FROM pg_class WHERE oid >= 16384 ORDER BY relname"), "a;b");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, DroppedTableIsThereForOthersUntilTheCommit) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    const std::size_t files = file_count(running);
    a.run("BEGIN; DROP TABLE t");
    EXPECT_EQ(a.outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
    a.run("ROLLBACK; BEGIN; DROP TABLE t");
    auto reader = b.start("SELECT * FROM t");
    EXPECT_FALSE(reader.done());
    a.run("COMMIT");
    EXPECT_EQ(reader.outcome(), "42P01 relation \"t\" does not exist");
    EXPECT_EQ(file_count(running), files - 2);
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, NameIsLookedUpAgainAfterTheWait) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int); BEGIN; DROP TABLE t; CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 2)");
    auto reader = b.start("SELECT * FROM t");
    EXPECT_FALSE(reader.done());
    a.run("COMMIT");
    EXPECT_EQ(reader.outcome(), "1|2");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, OnlyOneOfTwoCreatesOfANameSucceeds) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("BEGIN; CREATE TABLE t (id int)");
    auto second = b.start("CREATE TABLE t (id int, v int)");
    EXPECT_FALSE(second.done());
    a.run("COMMIT");
    EXPECT_EQ(second.outcome(), "42P07 relation \"t\" already exists");
    // Who is told that a name is taken does not wait for its being dropped, in PostgreSQL either.
    a.run("BEGIN; DROP TABLE t");
    EXPECT_EQ(b.outcome("CREATE TABLE t (id int, v int)"), "42P07 relation \"t\" already exists");
    a.run("COMMIT");
    EXPECT_EQ(b.outcome("CREATE TABLE t (id int, v int)"), "CREATE TABLE");
    EXPECT_EQ(a.outcome("CREATE INDEX t ON t (id)"), "42P07 relation \"t\" already exists");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, CommittedDefinitionsSurviveACrashAndOthersDoNot) {
  TestNode node;
  std::size_t files = 0;
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT upper('x')); INSERT INTO t (id) VALUES (1)");
    session.run("CREATE INDEX by_v ON t (v); CREATE TABLE gone (id int); DROP TABLE gone");
    files = file_count(running);
    session.run("BEGIN; CREATE TABLE never (id int); INSERT INTO never VALUES (1); DROP TABLE t");
    running.instance().database().checkpoint();
    running.host().crash();
  });
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    EXPECT_EQ(session.run("SELECT relname FROM pg_class WHERE oid >= 16384 ORDER BY relname"), "by_v;t;t_pkey");
    EXPECT_EQ(session.run("INSERT INTO t (id) VALUES (2); SELECT * FROM t WHERE v = 'X' ORDER BY id"), "1|X;2|X");
    EXPECT_EQ(file_count(running), files) << "what the crash left has been removed";
    EXPECT_EQ(running.reached("recovery/orphan-file-removed"), 1U);
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, PreparedDefinitionsOutliveACrash) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE old (id int); INSERT INTO old VALUES (5)");
    session.run("BEGIN; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); DROP TABLE old");
    session.run("PREPARE TRANSACTION 'x'");
    running.host().crash();
  });
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    EXPECT_EQ(session.outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
    const std::uint64_t version = running.instance().table_version("public", "t");
    session.run("SET lock_timeout = 50");
    EXPECT_EQ(session.outcome("SELECT * FROM old"), "55P03 canceling statement due to lock timeout");
    EXPECT_EQ(session.outcome("CREATE TABLE t (id int)"), "55P03 canceling statement due to lock timeout");
    session.run("COMMIT PREPARED 'x'");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1");
    EXPECT_EQ(session.outcome("SELECT * FROM old"), "42P01 relation \"old\" does not exist");
    EXPECT_GT(running.instance().table_version("public", "t"), version);
    running.host().crash();
  });
  node.run([](TestNode& running) { EXPECT_EQ(running.connect().run("SELECT * FROM t"), "1"); });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, PreparedDefinitionsThatAreRolledBackAfterACrashLeaveNothing) {
  TestNode node;
  std::size_t files = 0;
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE old (id int PRIMARY KEY, v text); INSERT INTO old VALUES (5, 'a')");
    files = file_count(running);
    session.run("BEGIN; CREATE TABLE t (id int PRIMARY KEY); SAVEPOINT s; DROP TABLE old; RELEASE s; TRUNCATE t");
    session.run("PREPARE TRANSACTION 'x'; CHECKPOINT");
    running.host().crash();
  });
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run("ROLLBACK PREPARED 'x'");
    EXPECT_EQ(session.run("SELECT * FROM old WHERE id = 5"), "5|a");
    EXPECT_EQ(session.run("CREATE TABLE t (other text); DROP TABLE t"), "DROP TABLE");
    EXPECT_EQ(file_count(running), files);
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, TruncateIsTransactional) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    const std::size_t files = file_count(running);
    session.run("BEGIN; TRUNCATE t");
    EXPECT_EQ(session.run("SELECT * FROM t"), "");
    session.run("INSERT INTO t VALUES (1, 'new'); ROLLBACK");
    EXPECT_EQ(session.run("SELECT * FROM t WHERE id = 1"), "1|a");
    EXPECT_EQ(file_count(running), files);
    session.run("BEGIN; TRUNCATE t; TRUNCATE t; INSERT INTO t VALUES (1, 'new'); COMMIT");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|new");
    EXPECT_EQ(file_count(running), files);
    running.host().crash();
  });
  node.run([](TestNode& running) {
    EXPECT_EQ(running.connect().run("SELECT * FROM t"), "1|new");
    EXPECT_EQ(running.connect().outcome("INSERT INTO t VALUES (1, 'twice')"),
              "23505 duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(1) already exists.");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, IndexOnRowsThatAreThere) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20), (3, 20)");
    session.run("UPDATE t SET v = v + 0");
    EXPECT_EQ(session.outcome("CREATE UNIQUE INDEX u ON t (v)"),
              "23505 could not create unique index \"u\" / Key (v)=(20) is duplicated.");
    EXPECT_EQ(session.run("UPDATE t SET v = 30 WHERE id = 3; CREATE UNIQUE INDEX u ON t (v)"), "CREATE INDEX");
    EXPECT_EQ(session.run("SELECT id FROM t WHERE v = 20"), "2");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (4, 30)"),
              "23505 duplicate key value violates unique constraint \"u\" / Key (v)=(30) already exists.");
    EXPECT_EQ(session.outcome("DROP INDEX t_pkey"),
              "2BP01 cannot drop index t_pkey because constraint t_pkey on table t requires it");
    EXPECT_EQ(session.run("DROP INDEX u; INSERT INTO t VALUES (4, 30); SELECT id FROM t WHERE v = 30 ORDER BY id"),
              "3;4");
    EXPECT_EQ(session.outcome("DROP INDEX u"), "42704 index \"u\" does not exist");
  });
  EXPECT_TRUE(node.finished());
}

TEST(Catalog, CreatingAnIndexKeepsWritersAwayAndReadersNot) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10); BEGIN; CREATE INDEX by_v ON t (v)");
    EXPECT_EQ(b.run("SELECT * FROM t WHERE v = 10"), "1|10");
    auto writer = b.start("INSERT INTO t VALUES (2, 10)");
    EXPECT_FALSE(writer.done());
    a.run("COMMIT");
    EXPECT_EQ(writer.outcome(), "INSERT 0 1");
    EXPECT_EQ(a.run("SELECT id FROM t WHERE v = 10 ORDER BY id"), "1;2");
  });
  EXPECT_TRUE(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
