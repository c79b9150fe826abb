// One session at a time: statements, blocks, errors, settings.
#include <gtest/gtest.h>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

TEST(LocalSession, CreatesInsertsReads) {
  with_session([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.run("CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'none', n int NOT NULL DEFAULT 7)"),
              "CREATE TABLE");
    EXPECT_EQ(session.run("INSERT INTO t VALUES (2, 'b', 20), (1, 'a', 10)"), "INSERT 0 2");
    EXPECT_EQ(session.run("INSERT INTO t (id) VALUES (3) RETURNING *"), "3|none|7");
    EXPECT_EQ(session.run("SELECT * FROM t"), "2|b|20;1|a|10;3|none|7");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE id = 1"), "a");
    EXPECT_EQ(session.run("SELECT id FROM t ORDER BY id DESC LIMIT 2"), "3;2");
    EXPECT_EQ(session.run("SELECT count(*), sum(n), max(v) FROM t"), "3|37|none");
    EXPECT_EQ(session.run("SELECT 1 + 1"), "2");
    EXPECT_EQ(session.run("UPDATE t SET n = n + 1 WHERE id < 3"), "UPDATE 2");
    EXPECT_EQ(session.run("DELETE FROM t WHERE id = 3 RETURNING id, n"), "3|7");
    EXPECT_EQ(session.run("SELECT id, n FROM t ORDER BY id"), "1|11;2|21");
    EXPECT_EQ(session.run("UPDATE t SET v = $2 WHERE id = $1", {Value::text("1"), Value::text("x")}), "UPDATE 1");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE id = $1", {Value::text("1")}), "x");
    EXPECT_EQ(session.run("DROP TABLE t"), "DROP TABLE");
    EXPECT_EQ(session.outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
  });
}

TEST(LocalSession, GroupsAndOrders) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, kind text, n bigint)");
    session.run("INSERT INTO t VALUES (1,'x',5),(2,'y',1),(3,'x',7),(4,NULL,2)");
    EXPECT_EQ(session.run("SELECT kind, sum(n) AS total FROM t GROUP BY kind ORDER BY total DESC"), "x|12;null|2;y|1");
    EXPECT_EQ(session.run("SELECT kind, count(*) FROM t GROUP BY kind HAVING count(*) > 1"), "x|2");
    EXPECT_EQ(session.run("SELECT DISTINCT kind FROM t ORDER BY kind"), "x;y;null");
    EXPECT_EQ(session.run("SELECT id FROM t ORDER BY kind NULLS FIRST, n DESC OFFSET 1"), "3;1;2");
    EXPECT_EQ(session.run("SELECT count(*) FROM t WHERE n > 100"), "0");
    EXPECT_EQ(session.outcome("SELECT n FROM t GROUP BY kind").substr(0, 5), "42803");
  });
}

TEST(LocalSession, KnowsTheClustersSettings) {
  with_session([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.run("SHOW polar_cluster.shard_count"), "32");
    session.run("SET polar_cluster.shard_count = 8");
    session.run("BEGIN");
    session.run("SET LOCAL polar_cluster.shard_count TO '16'");
    EXPECT_EQ(session.run("SELECT current_setting('Polar_Cluster.Shard_Count')"), "16");
    session.run("COMMIT");
    EXPECT_EQ(session.run("SHOW polar_cluster.shard_count"), "8");
    session.run("RESET polar_cluster.shard_count");
    EXPECT_EQ(session.run("SHOW polar_cluster.shard_count"), "32");
    EXPECT_EQ(session.outcome("SET polar_cluster.shard_count = 0"),
              "22023 0 is outside the valid range for parameter \"polar_cluster.shard_count\" (1 .. 64000)");
    EXPECT_EQ(session.outcome("SET polar_cluster.shard_count = 'four'"),
              "22023 invalid value for parameter \"polar_cluster.shard_count\": \"four\"");
    EXPECT_EQ(session.outcome("SET polar_cluster.shard_count = '4kB'"),
              "22023 invalid value for parameter \"polar_cluster.shard_count\": \"4kB\"");
    EXPECT_EQ(session.outcome("SET polar_cluster.explain_all_tasks = 7"),
              "22023 parameter \"polar_cluster.explain_all_tasks\" requires a Boolean value");
    session.run("SET polar_cluster.multi_shard_modify_mode TO SEQUENTIAL");
    EXPECT_EQ(session.run("SHOW polar_cluster.multi_shard_modify_mode"), "sequential");
    EXPECT_EQ(session.outcome("SET polar_cluster.multi_shard_modify_mode = 'both'"),
              "22023 invalid value for parameter \"polar_cluster.multi_shard_modify_mode\": \"both\"");
    EXPECT_EQ(session.run("SHOW polar_cluster.recover_2pc_interval"), "1min");
    EXPECT_EQ(session.outcome("SET polar_cluster.recover_2pc_interval = '2min'"),
              "55P02 parameter \"polar_cluster.recover_2pc_interval\" cannot be changed now");
    EXPECT_EQ(session.outcome("SET polar_cluster.no_such = 1"),
              "42602 invalid configuration parameter name \"polar_cluster.no_such\" / \"polar_cluster\" is a reserved "
              "prefix.");
    EXPECT_EQ(session.outcome("SHOW polar_cluster.no_such"),
              "42704 unrecognized configuration parameter \"polar_cluster.no_such\"");
    // What changes nothing if it is as it is, and something this engine has not if it is not.
    EXPECT_EQ(session.run("SET polar_cluster.enable_ddl_propagation = true"), "SET");
    EXPECT_EQ(session.outcome("SET polar_cluster.enable_ddl_propagation = false"),
              "0A000 parameter \"polar_cluster.enable_ddl_propagation\" cannot be anything but \"on\"");
    EXPECT_EQ(session.run("SET my.own = 'x'"), "SET");
  });
}

// Also when the transaction that found the values is over.
TEST(LocalSession, ShowsObjectsByTheirNames) {
  with_session([](TestNode&, TestSession& session) {
    const auto shown = [&session](std::string_view sql) {
      const QueryResult result = session.execute(sql);
      std::string text;
      for (std::size_t i = 0; i < result.columns.size(); ++i) {
        text += i == 0 ? "" : "|";
        text += output_value(result.rows.at(0).at(i), result.columns[i].type.id, session.session().output_context());
      }
      return text;
    };
    session.run("CREATE SCHEMA s");
    session.run("CREATE TABLE t (id int)");
    session.run("CREATE TABLE s.\"T u\" (id int)");
    EXPECT_EQ(shown("SELECT 't'::regclass, 's.\"T u\"'::regclass, 'pg_class'::regclass, 0::regclass"),
              "t|s.\"T u\"|pg_class|-");
    EXPECT_EQ(shown("SELECT 's'::regnamespace, 'int4'::regtype, 'textcat'::regproc"), "s|integer|textcat");
    EXPECT_EQ(shown("SELECT ARRAY['s.\"T u\"'::regclass, 't'], 999999::regclass"), "{\"s.\\\"T u\\\"\",t}|999999");
    EXPECT_EQ(shown("SELECT tableoid::regclass FROM pg_class WHERE oid = 't'::regclass"), "pg_class");
    session.run("SET search_path = s");
    EXPECT_EQ(shown("SELECT 'public.t'::regclass, '\"T u\"'::regclass"), "public.t|\"T u\"");
    session.run("BEGIN");
    session.run("CREATE TABLE v (id int)");
    EXPECT_EQ(shown("SELECT 'v'::regclass"), "v");
    EXPECT_EQ(session.outcome("SELECT 1 / 0").substr(0, 5), "22012");
    session.run("ROLLBACK");
    EXPECT_EQ(session.outcome("SELECT 'v'::regclass"), "42P01 relation \"v\" does not exist");
  });
}

TEST(LocalSession, FindsRowsByCompositeKey) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (a int, b text, v int, PRIMARY KEY (a, b))");
    session.run("INSERT INTO t VALUES (1,'x',1),(1,'y',2),(2,'x',3)");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE a = 1 AND b = 'y'"), "2");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE a = 1 ORDER BY v"), "1;2");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE b = 'x' ORDER BY v"), "1;3");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE a = NULL"), "");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (1,'x',9)"),
              "23505 duplicate key value violates unique constraint \"t_pkey\" / Key (a, b)=(1, x) already exists.");
  });
}

TEST(LocalSession, ReportsConstraintViolations) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (1, NULL)"),
              "23502 null value in column \"v\" of relation \"t\" violates not-null constraint / Failing row contains "
              "(1, null).");
    EXPECT_EQ(session.outcome("INSERT INTO t (v) VALUES ('x')").substr(0, 34), "23502 null value in column \"id\" of");
    session.run("INSERT INTO t VALUES (1, 'a')");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (2, 'b'), (1, 'c')"),
              "23505 duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(1) already exists.");
    EXPECT_EQ(session.run("SELECT * FROM t"), "1|a") << "a statement that fails leaves nothing behind";
    session.run("INSERT INTO t VALUES (2, 'b')");
    EXPECT_EQ(session.outcome("UPDATE t SET id = 2 WHERE id = 1").substr(0, 5), "23505");
    EXPECT_EQ(session.run("UPDATE t SET id = 3 WHERE id = 1"), "UPDATE 1");
    EXPECT_EQ(session.run("INSERT INTO t VALUES (1, 'again')"), "INSERT 0 1");
    EXPECT_EQ(session.run("SELECT v FROM t WHERE id = 3"), "a");
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY id"), "1|again;2|b;3|a");
  });
}

TEST(LocalSession, AnalyzeTellsThePlanner) {
  with_session([](TestNode&, TestSession& session) {
    const auto rows = [&] { return session.run("SELECT reltuples FROM pg_class WHERE relname = 't'"); };
    const auto estimate = [&] {
      const std::string plan = session.run("EXPLAIN SELECT * FROM t WHERE b = 1");
      return plan.substr(0, plan.find('\n')).find("rows=500 ") != std::string::npos;
    };
    session.run("CREATE TABLE t (a int, b int); INSERT INTO t SELECT n, n % 2 FROM generate_series(1, 1000) n");
    EXPECT_EQ(rows(), "-1");
    EXPECT_FALSE(estimate());
    EXPECT_EQ(session.run("BEGIN; ANALYZE t"), "ANALYZE");
    EXPECT_EQ(rows(), "1000");
    session.run("ROLLBACK");
    EXPECT_EQ(rows(), "-1");
    EXPECT_EQ(session.run("ANALYZE t"), "ANALYZE");
    EXPECT_EQ(rows(), "1000");
    EXPECT_TRUE(estimate()) << "half of the rows have the value";
    EXPECT_EQ(session.run("SELECT attname, n_distinct FROM pg_stats WHERE tablename = 't' ORDER BY 1"), "a|-1;b|2");
    session.run("DELETE FROM t WHERE a > 10");
    EXPECT_EQ(session.run("VACUUM (ANALYZE) t"), "VACUUM");
    EXPECT_EQ(rows(), "10");
    EXPECT_EQ(session.outcome("ANALYZE nothing"), "42P01 relation \"nothing\" does not exist");
    EXPECT_EQ(session.outcome("ANALYZE t (c)"), "42703 column \"c\" of relation \"t\" does not exist");
    EXPECT_EQ(session.run("ANALYZE"), "ANALYZE");
  });
}

// An entry that vacuum leaves behind would lead to whatever row takes the place of the dead one.
TEST(LocalSession, VacuumTakesEntriesOfEveryKindOfIndex) {
  with_session([](TestNode& node, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, v text, c char(5), n numeric)");
    session.run("CREATE INDEX t_lower ON t (lower(v)); CREATE INDEX t_part ON t (v) WHERE id > 1");
    session.run("CREATE INDEX t_c ON t (c, n); CREATE INDEX t_inverse ON t ((10 / id)) WHERE id <> 0");
    session.run("INSERT INTO t VALUES (0, 'Zero', 'z', 0), (1, 'One', 'o', 1.0), (2, 'Two', 't', 2.50)");
    session.run("INSERT INTO t VALUES (3, repeat('y', 500), 'l', 3)");
    session.run("ALTER TABLE t ADD COLUMN later text DEFAULT 'x'");
    session.run("CREATE INDEX t_later ON t (later, upper(later))");
    session.run("DELETE FROM t");
    EXPECT_EQ(session.run("VACUUM t"), "VACUUM");
    Database& database = node.instance().database();
    const catalog::TablePtr table = database.catalog().find_table(nullptr, "public", "t");
    ASSERT_EQ(table->indexes.size(), 6U);
    for (const catalog::Index& index : table->indexes) {
      storage::BTree::Scan scan = database.tree(index).scan({});
      std::vector<storage::BTree::Entry> entries;
      std::size_t count = 0;
      while (scan.next(entries)) count += entries.size();
      EXPECT_EQ(count, 0U) << index.description->name;
    }
    EXPECT_EQ(session.outcome("VACUUM nothing"), "42P01 relation \"nothing\" does not exist");
    session.run("CREATE SCHEMA s; CREATE TABLE s.u (id int); SET search_path = s");
    EXPECT_EQ(session.run("VACUUM u"), "VACUUM");
  });
}

TEST(LocalSession, AKeyThatIsTooLongNamesItsIndex) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (v text); CREATE INDEX t_v ON t (v); ALTER INDEX t_v RENAME TO by_v");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (repeat('x', 5000))").substr(0, 85),
              "54000 index row size 5003 exceeds btree version 4 maximum 2600 for index \"by_v\"");
  });
}

TEST(LocalSession, BlocksAreAtomic) {
  with_session([](TestNode& node, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
    EXPECT_EQ(session.run("BEGIN"), "BEGIN");
    session.run("INSERT INTO t VALUES (1, 1)");
    session.run("UPDATE t SET v = 2 WHERE id = 1");
    session.run("UPDATE t SET v = v + 40");
    EXPECT_EQ(session.run("SELECT v FROM t"), "42");
    EXPECT_EQ(node.connect().run("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(session.run("ROLLBACK"), "ROLLBACK");
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "0");
    session.run("BEGIN; INSERT INTO t VALUES (1, 1); DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 5)");
    EXPECT_EQ(session.run("SELECT v FROM t"), "5");
    EXPECT_EQ(session.run("COMMIT"), "COMMIT");
    EXPECT_EQ(node.connect().run("SELECT v FROM t WHERE id = 1"), "5");
  });
}

TEST(LocalSession, StatementsDoNotSeeTheirOwnChanges) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
    session.run("INSERT INTO t VALUES (1, 1), (2, 2)");
    EXPECT_EQ(session.run("UPDATE t SET id = id + 10, v = v + 1"), "UPDATE 2");
    EXPECT_EQ(session.run("SELECT * FROM t ORDER BY id"), "11|2;12|3");
  });
}

// R8.
TEST(LocalSession, ErrorFailsTheBlock) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY)");
    session.run("BEGIN");
    session.run("INSERT INTO t VALUES (1)");
    EXPECT_EQ(session.outcome("SELECT 1 / 0").substr(0, 5), "22012");
    EXPECT_EQ(session.session().status(), TransactionStatus::failed);
    EXPECT_EQ(session.outcome("SELECT 1"),
              "25P02 current transaction is aborted, commands ignored until end of transaction block");
    EXPECT_EQ(session.run("COMMIT"), "ROLLBACK");
    EXPECT_EQ(session.session().status(), TransactionStatus::idle);
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "0");
  });
}

TEST(LocalSession, WarnsAboutMisplacedControl) {
  with_session([](TestNode&, TestSession& session) {
    QueryResult result = session.execute("COMMIT");
    ASSERT_EQ(result.notices.size(), 1U);
    EXPECT_EQ(result.notices[0].sqlstate, "25P01");
    session.run("BEGIN");
    result = session.execute("BEGIN");
    ASSERT_EQ(result.notices.size(), 1U);
    EXPECT_EQ(result.notices[0].sqlstate, "25001");
    session.run("ROLLBACK");
    EXPECT_EQ(session.run("PREPARE TRANSACTION 'x'"), "ROLLBACK");
    EXPECT_EQ(session.outcome("BEGIN ISOLATION LEVEL SERIALIZABLE").substr(0, 5), "0A000");
    EXPECT_EQ(session.run("BEGIN ISOLATION LEVEL READ COMMITTED"), "BEGIN");
  });
}

TEST(LocalSession, SettingsFollowTheTransaction) {
  with_session([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.run("SHOW lock_timeout"), "0");
    EXPECT_EQ(session.run("SET lock_timeout = '2s'"), "SET");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "2s");
    session.run("BEGIN; SET lock_timeout = 1500; SET LOCAL statement_timeout = 3");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "1500ms");
    session.run("ROLLBACK");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "2s");
    session.run("BEGIN; SET lock_timeout = 0; SET LOCAL statement_timeout = '1 min'");
    EXPECT_EQ(session.run("SHOW statement_timeout"), "1min");
    session.run("COMMIT");
    EXPECT_EQ(session.run("SHOW statement_timeout"), "0");
    EXPECT_EQ(session.run("SHOW lock_timeout"), "0");
    EXPECT_EQ(session.outcome("SET lock_timeout = 'soon'"),
              "22023 invalid value for parameter \"lock_timeout\": \"soon\"");
    EXPECT_EQ(session.outcome("SET lock_timeout = -1").substr(0, 5), "22023");
    EXPECT_EQ(session.outcome("SET no_such_thing = 1"), "42704 unrecognized configuration parameter \"no_such_thing\"");
    EXPECT_EQ(session.outcome("SHOW no_such_thing").substr(0, 5), "42704");
    EXPECT_EQ(session.run("SHOW transaction_isolation"), "read committed");
    EXPECT_EQ(session.outcome("SET default_transaction_isolation = 'serializable'").substr(0, 5), "0A000");
    session.run("SET my.shard_count = 4");
    EXPECT_EQ(session.run("SHOW my.shard_count"), "4");
    session.run("RESET my.shard_count");
    EXPECT_EQ(session.run("SHOW my.shard_count"), "");
  });
}

TEST(LocalSession, SchemaChangesAreTransactional) {
  with_session([](TestNode& node, TestSession& session) {
    TestSession other = node.connect();
    session.run("BEGIN; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    EXPECT_EQ(other.outcome("SELECT * FROM t").substr(0, 5), "42P01");
    EXPECT_EQ(node.instance().database().catalog().find_table(nullptr, "public", "t"), nullptr);
    session.run("ROLLBACK");
    EXPECT_EQ(session.outcome("SELECT * FROM t").substr(0, 5), "42P01");
    session.run("CREATE TABLE t (id int PRIMARY KEY)");
    EXPECT_EQ(session.outcome("CREATE TABLE t (id int)"), "42P07 relation \"t\" already exists");
    EXPECT_EQ(session.run("CREATE TABLE IF NOT EXISTS t (id int)"), "CREATE TABLE");
    session.run("BEGIN; DROP TABLE t; CREATE TABLE t (name text)");
    EXPECT_EQ(session.run("SELECT * FROM t"), "");
    session.run("ROLLBACK");
    EXPECT_EQ(session.run("INSERT INTO t (id) VALUES (5)"), "INSERT 0 1");
    EXPECT_EQ(session.outcome("DROP TABLE nothing"), "42P01 table \"nothing\" does not exist");
    EXPECT_EQ(session.run("DROP TABLE IF EXISTS nothing"), "DROP TABLE");
    session.run("SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_x (id int)");
    session.run("INSERT INTO pg_dist_x VALUES (1)");
    EXPECT_EQ(session.run("SELECT * FROM pg_catalog.pg_dist_x"), "1");
    ASSERT_NE(node.instance().database().catalog().find_table(nullptr, "pg_catalog", "pg_dist_x"), nullptr);
  });
}

// Sessions have their plans in common: none may show what another transaction has made and not committed.
TEST(LocalSession, PlansHideWhatIsNotCommitted) {
  TestNode node;
  node.run([](TestNode& n) {
    TestSession maker = n.connect();
    TestSession other = n.connect();
    maker.run("CREATE TABLE t (a int)");
    maker.run("INSERT INTO t VALUES (1)");
    const char* const number = "SELECT 'made'::regclass::text";
    const char* const star = "SELECT * FROM t";
    const std::string missing = "42P01 relation \"made\" does not exist";
    EXPECT_EQ(other.outcome(number), missing);
    EXPECT_EQ(other.run(star), "1");
    maker.run("BEGIN");
    maker.run("CREATE TABLE made (a int)");
    maker.run("CREATE SCHEMA mine");
    maker.run("CREATE TABLE mine.t (b int, c int)");
    EXPECT_EQ(maker.run(number), "made");
    EXPECT_EQ(other.outcome(number), missing);
    EXPECT_EQ(maker.run(star), "1");
    EXPECT_EQ(other.run(star), "1");
    maker.run("ROLLBACK");
    EXPECT_EQ(maker.outcome(number), missing);
    EXPECT_EQ(other.outcome(number), missing);
    maker.run("BEGIN");
    maker.run("CREATE TABLE made (a int)");
    EXPECT_EQ(maker.run(number), "made");
    maker.run("PREPARE TRANSACTION 'p'");
    EXPECT_EQ(maker.outcome(number), missing);
    EXPECT_EQ(other.outcome(number), missing);
    maker.run("COMMIT PREPARED 'p'");
    EXPECT_EQ(maker.run(number), "made");
    EXPECT_EQ(other.run(number), "made");
    maker.run("ALTER TABLE t ADD COLUMN b int DEFAULT 7");
    EXPECT_EQ(other.run(star), "1|7");
  });
}

TEST(LocalSession, PreparedTransactionsTakeTheirSchemasWithThem) {
  with_session([](TestNode&, TestSession& session) {
    session.run("SET search_path = made, public");
    session.run("BEGIN");
    session.run("CREATE SCHEMA made");
    EXPECT_EQ(session.run("SELECT current_schema()"), "made");
    session.run("PREPARE TRANSACTION 'p'");
    EXPECT_EQ(session.run("SELECT current_schema()"), "public");
    session.run("COMMIT PREPARED 'p'");
    EXPECT_EQ(session.run("SELECT current_schema()"), "made");
  });
}

// The same text means something else under other settings.
TEST(LocalSession, PlansAreOfTheirSettings) {
  TestNode node;
  node.run([](TestNode& n) {
    TestSession plain = n.connect();
    TestSession elsewhere = n.connect();
    plain.run("CREATE TABLE t (a int)");
    plain.run("INSERT INTO t VALUES (1)");
    plain.run("CREATE SCHEMA s");
    plain.run("CREATE TABLE s.t (a int)");
    plain.run("INSERT INTO s.t VALUES (2)");
    elsewhere.run("SET search_path = s, public");
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(plain.run("SELECT a FROM t"), "1");
      EXPECT_EQ(elsewhere.run("SELECT a FROM t"), "2");
    }
    elsewhere.run("BEGIN");
    elsewhere.run("SET LOCAL search_path = public");
    EXPECT_EQ(elsewhere.run("SELECT a FROM t"), "1");
    elsewhere.run("COMMIT");
    EXPECT_EQ(elsewhere.run("SELECT a FROM t"), "2");
    EXPECT_EQ(plain.run("SELECT a FROM t"), "1");
  });
}

TEST(LocalSession, TableVersionsGrowWithCommits) {
  with_session([](TestNode& node, TestSession& session) {
    const auto version = [&] { return node.instance().table_version("public", "t"); };
    EXPECT_EQ(version(), 0U);
    session.run("CREATE TABLE t (id int)");
    const std::uint64_t created = version();
    EXPECT_GT(created, 0U);
    session.run("BEGIN; INSERT INTO t VALUES (1)");
    EXPECT_EQ(version(), created);
    session.run("ROLLBACK; SELECT * FROM t");
    EXPECT_EQ(version(), created);
    session.run("INSERT INTO t VALUES (1)");
    const std::uint64_t inserted = version();
    EXPECT_GT(inserted, created);
    session.run("DROP TABLE t");
    EXPECT_GT(version(), inserted);
  });
}

TEST(LocalSession, SystemViewsCannotBeChanged) {
  with_session([](TestNode&, TestSession& session) {
    EXPECT_EQ(session.outcome("DELETE FROM pg_prepared_xacts").substr(0, 5), "55000");
    EXPECT_EQ(session.outcome("CREATE TABLE pg_catalog.pg_prepared_xacts (a int)").substr(0, 5), "42501");
    EXPECT_EQ(session.run("SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE gid LIKE 'x%'"), "0");
  });
}

TEST(LocalSession, ErrorsNameColumns) {
  with_session([](TestNode&, TestSession& session) {
    session.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
    EXPECT_EQ(session.outcome("UPDATE t SET w = 1"), "42703 column \"w\" of relation \"t\" does not exist");
    EXPECT_EQ(session.outcome("UPDATE t SET v = 1, v = 2"), "42601 multiple assignments to same column \"v\"");
    EXPECT_EQ(session.outcome("INSERT INTO t (id, id) VALUES (1, 2)"), "42701 column \"id\" specified more than once");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (1, 2, 3)"),
              "42601 INSERT has more expressions than target columns");
    EXPECT_EQ(session.outcome("INSERT INTO t (id, v) VALUES (1)"),
              "42601 INSERT has more target columns than expressions");
    EXPECT_EQ(session.outcome("INSERT INTO t VALUES (1, 2) ON CONFLICT (v) DO NOTHING").substr(0, 5), "42P10");
    EXPECT_EQ(session.outcome("SELECT count(*) FROM t FOR UPDATE"),
              "0A000 FOR UPDATE is not allowed with aggregate functions");
    EXPECT_EQ(session.outcome("CREATE TABLE u (a int, a int)").substr(0, 5), "42701");
    EXPECT_EQ(session.outcome("CREATE TABLE nowhere.u (a int)"), "3F000 schema \"nowhere\" does not exist");
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
