// A cluster from end to end, seen by its clients: routing, merging, the vendor's errors, DDL.
#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

TEST(Cluster, DistributesATableAndFindsEveryRowAgain) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE t (id integer PRIMARY KEY, data text)");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')");
    EXPECT_EQ(
        TestCluster::rows(client, "SELECT shardid, shardminvalue, shardmaxvalue FROM pg_dist_shard ORDER BY shardid"),
        "102008|-2147483648|-1073741825;102009|-1073741824|-1;102010|0|1073741823;102011|1073741824|2147483647");
    EXPECT_EQ(TestCluster::rows(client, "SELECT shardid, groupid FROM pg_dist_placement ORDER BY shardid"),
              "102008|1;102009|2;102010|1;102011|2");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, NULL)").tag,
              "INSERT 0 4");
    EXPECT_EQ(
        TestCluster::ok(client, "INSERT INTO t (data, id) VALUES ($1, $2)", {Value::text("e"), Value::integer(5)}).tag,
        "INSERT 0 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM t ORDER BY id"), "1|a;2|b;3|c;4|;5|e");
    EXPECT_EQ(TestCluster::rows(client, "SELECT data FROM t WHERE id = $1", {Value::integer(5)}), "e");
    // The hash of 1 falls into the first shard, as on a real cluster.
    EXPECT_EQ(TestCluster::rows(client, "SELECT get_shard_id_for_distribution_column('t', 1)"), "102008");
    auto data_node = world.connect("dn1");
    EXPECT_EQ(TestCluster::rows(data_node, "SELECT id FROM t_102008 ORDER BY id"), "1;5");
  }));
}

TEST(Cluster, ShowsAndSendsObjectsByTheirNames) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE account (id integer PRIMARY KEY, kind regclass)");
    TestCluster::ok(client, "SELECT create_distributed_table('account', 'id')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT logicalrelid FROM pg_dist_partition"), "account");
    EXPECT_EQ(TestCluster::rows(client, "SELECT DISTINCT logicalrelid FROM pg_dist_shard"), "account");
    EXPECT_EQ(
        TestCluster::rows(client, "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = 'account'::regclass"),
        "1");
    // What a statement answers is written before the next one of its message is run.
    const auto several = client.simple_query("CREATE TABLE gone (); DROP TABLE gone; SELECT 'account'::regclass");
    ASSERT_TRUE(several.has_value());
    EXPECT_EQ(TestCluster::text(*several), "account");
    // Nodes have numbers of their own.
    TestCluster::ok(client, "INSERT INTO account VALUES (1, 'pg_dist_shard'), (2, 'pg_dist_placement'), (3, NULL)");
    TestCluster::ok(client, "INSERT INTO account VALUES ($1, $2)", {Value::integer(4), Value::text("pg_dist_node")});
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM account ORDER BY id"),
              "1|pg_dist_shard;2|pg_dist_placement;3|;4|pg_dist_node");
    EXPECT_EQ(TestCluster::rows(client, "SELECT id FROM account WHERE kind = 'pg_dist_placement'::regclass"), "2");
    EXPECT_EQ(TestCluster::rows(client, "SELECT kind::text FROM account WHERE id = 1"), "pg_dist_shard");
  }));
}

TEST(Cluster, UsesItsSettings) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    EXPECT_EQ(TestCluster::rows(client, "SHOW polar_cluster.shard_count"), "4");
    TestCluster::ok(client, "SET polar_cluster.shard_count = 2");
    TestCluster::ok(client, "SET polar_cluster.next_shard_id = 500000");
    TestCluster::ok(client, "CREATE TABLE a (id int, v int)");
    TestCluster::ok(client, "CREATE TABLE b (id int, v int)");
    TestCluster::ok(client, "SELECT create_distributed_table('a', 'id')");
    TestCluster::ok(client, "SELECT create_distributed_table('b', 'id')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT logicalrelid, shardid FROM pg_dist_shard ORDER BY shardid"),
              "a|500000;a|500001;b|500002;b|500003");
    EXPECT_EQ(TestCluster::rows(client, "SHOW polar_cluster.next_shard_id"), "500004");
    TestCluster::ok(client, "RESET ALL");
    TestCluster::ok(client, "CREATE TABLE c (id int, v int)");
    TestCluster::ok(client, "SELECT create_distributed_table('c', 'id')");
    EXPECT_EQ(TestCluster::rows(client,
                                "SELECT min(shardid), count(*) FROM pg_dist_shard WHERE logicalrelid = "
                                "'c'::regclass"),
              "102008|4");
    const auto tasks = [&] {
      std::string text = TestCluster::rows(client, "EXPLAIN (COSTS OFF) SELECT * FROM a");
      return text.substr(text.find("Tasks Shown"), 20);
    };
    EXPECT_EQ(tasks(), "Tasks Shown: One of ");
    TestCluster::ok(client, "SET polar_cluster.explain_all_tasks = on");
    EXPECT_EQ(tasks(), "Tasks Shown: All;  -");
    const char* const joins = "SELECT count(*) FROM a JOIN b ON a.id = b.v";
    EXPECT_EQ(TestCluster::fails(client, joins).message, "the query contains a join that requires repartitioning");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET LOCAL polar_cluster.enable_repartition_joins = on");
    EXPECT_EQ(TestCluster::rows(client, joins), "0");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::fails(client, joins).hint,
              "Set polar_cluster.enable_repartition_joins to on to enable repartitioning");
  }));
}

TEST(Cluster, ChecksTheForeignKeysOfItsOwnTables) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    const auto fails = [&](const char* sql) {
      const ErrorFields error = TestCluster::fails(client, sql);
      return error.sqlstate + " " + error.message;
    };
    TestCluster::ok(client, "CREATE TABLE r (id int PRIMARY KEY)");
    TestCluster::ok(client, "INSERT INTO r VALUES (1), (2)");
    TestCluster::ok(client, "CREATE TABLE early (id int REFERENCES r ON DELETE CASCADE)");
    TestCluster::ok(client, "INSERT INTO early VALUES (1)");
    TestCluster::ok(client, "SELECT create_reference_table('r')");
    TestCluster::ok(client, "INSERT INTO r VALUES (3), (4)");
    TestCluster::ok(client, "CREATE TABLE late (id int REFERENCES r)");
    // Rows of the reference table are found, and those that are gone are not.
    TestCluster::ok(client, "INSERT INTO early VALUES (3)");
    TestCluster::ok(client, "INSERT INTO late VALUES (2), (4), (NULL)");
    EXPECT_EQ(fails("INSERT INTO late VALUES (5)"),
              "23503 insert or update on table \"late\" violates foreign key constraint \"late_id_fkey\"");
    EXPECT_EQ(fails("DELETE FROM r WHERE id = 4").substr(0, 5), "23503");
    TestCluster::ok(client, "DELETE FROM r WHERE id IN (1, 3)");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM early"), "");
    EXPECT_EQ(fails("INSERT INTO early VALUES (1)").substr(0, 5), "23503");
    // Rows that are there when a key is made.
    TestCluster::ok(client, "CREATE TABLE filled (id int, CONSTRAINT positive CHECK (id > 0))");
    TestCluster::ok(client, "INSERT INTO filled VALUES (2), (3)");
    EXPECT_EQ(fails("ALTER TABLE filled ADD FOREIGN KEY (id) REFERENCES r"),
              "23503 insert or update on table \"filled\" violates foreign key constraint \"filled_id_fkey\"");
    TestCluster::ok(client, "DELETE FROM filled WHERE id = 3");
    TestCluster::ok(client, "ALTER TABLE filled ADD FOREIGN KEY (id) REFERENCES r");
    EXPECT_EQ(TestCluster::rows(client, "SELECT convalidated FROM pg_constraint WHERE conname = 'filled_id_fkey'"),
              "t");
    EXPECT_EQ(fails("TRUNCATE r"), "0A000 cannot truncate a table referenced in a foreign key constraint");
    TestCluster::ok(client, "TRUNCATE r CASCADE");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM late"), "0");
    // Of other distributed tables nobody here has the rows.
    TestCluster::ok(client, "CREATE TABLE p (id int PRIMARY KEY)");
    TestCluster::ok(client, "INSERT INTO p VALUES (1)");
    TestCluster::ok(client, "CREATE TABLE c (id int PRIMARY KEY REFERENCES p)");
    TestCluster::ok(client, "INSERT INTO c VALUES (1)");
    TestCluster::ok(client, "SELECT create_distributed_table('p', 'id')");
    TestCluster::ok(client, "INSERT INTO p VALUES (2)");
    EXPECT_EQ(fails("INSERT INTO c VALUES (2)"),
              "0A000 cannot check foreign key constraint \"c_id_fkey\" of table \"c\"");
    EXPECT_EQ(fails("UPDATE c SET id = 3"), "0A000 cannot check foreign key constraint \"c_id_fkey\" of table \"c\"");
    TestCluster::ok(client, "SELECT create_distributed_table('c', 'id')");
    TestCluster::ok(client, "INSERT INTO c VALUES (2)");
    EXPECT_EQ(fails("INSERT INTO c VALUES (3)").substr(0, 5), "23503");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM c ORDER BY id"), "1;2");
  }));
}

TEST(Cluster, KeepsItsTablesFromStatements) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    auto node = world.connect("dn1");
    TestCluster::ok(client, "CREATE TABLE t (id int PRIMARY KEY)");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')");
    for (const char* sql :
         {"DROP TABLE pg_dist_partition", "DROP TABLE pg_catalog.pg_dist_partition CASCADE",
          "TRUNCATE pg_dist_partition", "DELETE FROM pg_dist_partition", "UPDATE pg_dist_partition SET partkey = NULL",
          "ALTER TABLE pg_dist_partition ADD x int", "ALTER TABLE pg_dist_partition RENAME TO x",
          "CREATE INDEX ON pg_dist_partition (partkey)", "ALTER TABLE pg_dist_partition RENAME COLUMN partkey TO x",
          "WITH gone AS (DELETE FROM pg_dist_partition RETURNING 1) SELECT count(*) FROM gone",
          "INSERT INTO pg_dist_partition SELECT * FROM pg_dist_partition", "COPY pg_dist_partition FROM STDIN"}) {
      for (pgwire::Client* each : {&client, &node}) {
        const ErrorFields error = TestCluster::fails(*each, sql);
        EXPECT_EQ(error.sqlstate + " " + error.message,
                  "42501 permission denied: \"pg_dist_partition\" is a system catalog")
            << sql;
      }
    }
    EXPECT_EQ(TestCluster::fails(client, "DROP SEQUENCE pg_dist_shardid_seq").sqlstate, "42501");
    EXPECT_EQ(TestCluster::fails(client, "ALTER SEQUENCE pg_dist_shardid_seq RESTART").sqlstate, "42501");
    // The statement that records a commit is not the client's to send, whoever has sent it before.
    TestCluster::ok(client, "INSERT INTO t SELECT generate_series(1, 20)");
    const char* const record = "INSERT INTO pg_catalog.pg_dist_transaction (groupid, gid) VALUES ($1, $2), ($3, $4)";
    EXPECT_EQ(
        TestCluster::fails(client, record, {Value::text("1"), Value::text("x"), Value::text("2"), Value::text("y")})
            .sqlstate,
        "42501");
    // Whoever asks for it may.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET LOCAL allow_system_table_mods = on");
    EXPECT_EQ(TestCluster::ok(client, "UPDATE pg_dist_partition SET repmodel = 's'").tag, "UPDATE 1");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(TestCluster::fails(client, "DELETE FROM pg_dist_node").sqlstate, "42501");
    TestCluster::ok(client, "DROP TABLE t");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_partition"), "0");
  }));
}

TEST(Cluster, SaysTheVendorsWordsAboutTheDistributionColumn) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE t (id integer PRIMARY KEY, data text)");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id', shard_count := 8)");
    TestCluster::ok(client, "INSERT INTO t (id, data) VALUES (1, 'TEST')");
    const auto expect = [&client](const char* sql, const char* state, const char* message) {
      const ErrorFields error = TestCluster::fails(client, sql);
      EXPECT_EQ(error.sqlstate, state) << sql;
      EXPECT_EQ(error.message, message) << sql;
    };
    expect("INSERT INTO t (data) VALUES ('TEST')", "22004",
           "cannot perform an INSERT without a partition column value");
    expect("INSERT INTO t DEFAULT VALUES", "22004", "cannot perform an INSERT without a partition column value");
    expect("INSERT INTO t VALUES (5, 'x'), (NULL, 'y')", "22004",
           "cannot perform an INSERT with NULL in the partition column");
    expect("UPDATE t SET id = 10 WHERE id = 1", "0A000", "modifying the partition value of rows is not allowed");
    expect("UPDATE t SET id = id + 0 WHERE id = 1", "0A000", "modifying the partition value of rows is not allowed");
    expect("INSERT INTO t VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET id = 99", "0A000",
           "modifying the partition value of rows is not allowed");
    expect("SELECT * FROM t FOR UPDATE", "0A000", "could not run distributed query with FOR UPDATE/SHARE commands");
    expect("UPDATE t SET data = random()", "0A000",
           "functions used in UPDATE queries on distributed tables must not be VOLATILE");
    // What changes nothing is allowed.
    EXPECT_EQ(TestCluster::ok(client, "UPDATE t SET id = id, data = 'a'").tag, "UPDATE 1");
    EXPECT_EQ(TestCluster::ok(client, "UPDATE t SET id = 1, data = 'b' WHERE id = 1").tag, "UPDATE 1");
    expect("INSERT INTO t VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id, data = EXCLUDED.data",
           "0A000", "modifying the partition value of rows is not allowed");
    TestCluster::ok(client, "INSERT INTO t VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM t WHERE id = 1 FOR UPDATE"), "1|c");
    // Errors of a data node keep their SQLSTATE and say where they come from; the statement is undone everywhere.
    const ErrorFields duplicate = TestCluster::fails(client, "INSERT INTO t VALUES (2, 'x'), (1, 'y'), (3, 'z')");
    EXPECT_EQ(duplicate.sqlstate, "23505");
    EXPECT_EQ(duplicate.message, "duplicate key value violates unique constraint \"t_pkey_102008\"");
    EXPECT_EQ(duplicate.context, "while executing command on dn1:5432");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM t"), "1");
  }));
}

TEST(Cluster, MergesWhatSeveralShardsDeliver) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE t (id integer PRIMARY KEY, grp integer, v bigint DEFAULT 7)");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')");
    for (int id = 1; id <= 20; ++id) {
      TestCluster::ok(client, "INSERT INTO t (id, grp) VALUES ($1, $2)", {Value::integer(id), Value::integer(id % 3)});
    }
    const auto rows = [&client](const char* sql) { return TestCluster::rows(client, sql); };
    EXPECT_EQ(rows("SELECT count(*), sum(v), min(id), max(id) FROM t"), "20|140|1|20");
    EXPECT_EQ(rows("SELECT count(*), sum(v), min(id) FROM t WHERE id > 100"), "0||");
    EXPECT_EQ(rows("SELECT sum(v) + 1 FROM t"), "141");
    EXPECT_EQ(rows("SELECT grp, count(*), sum(id) FROM t GROUP BY grp HAVING count(*) > 6 ORDER BY grp DESC"),
              "2|7|77;1|7|70");
    EXPECT_EQ(rows("SELECT id FROM t ORDER BY id DESC LIMIT 3 OFFSET 1"), "19;18;17");
    EXPECT_EQ(rows("SELECT id AS v FROM t ORDER BY v LIMIT 2"), "1;2");
    EXPECT_EQ(rows("SELECT DISTINCT grp FROM t ORDER BY 1"), "0;1;2");
    EXPECT_EQ(rows("SELECT count(DISTINCT grp) FROM t"), "3");
    EXPECT_EQ(rows("SELECT t.id FROM t WHERE t.id IN (3, 4, 99) ORDER BY id"), "3;4");
    EXPECT_EQ(rows("SELECT x.id * 2 FROM t x WHERE x.id = 4 OR x.id = 5 ORDER BY 1"), "8;10");
  }));
}

TEST(Cluster, ChangesManyShardsInOneStatement) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 10);
    EXPECT_EQ(
        TestCluster::ok(client, "UPDATE account SET balance = balance + 1 WHERE id <= $1", {Value::integer(4)}).tag,
        "UPDATE 4");
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "1004");
    const auto returned = TestCluster::ok(client, "DELETE FROM account WHERE id > 6 RETURNING id, balance");
    EXPECT_EQ(returned.tag, "DELETE 4");
    EXPECT_EQ(returned.rows.size(), 4U);
    EXPECT_EQ(TestCluster::rows(client, "UPDATE account SET balance = 0 WHERE id = 2 RETURNING account.id, balance"),
              "2|0");
    EXPECT_EQ(TestCluster::ok(client, "DELETE FROM account WHERE id = NULL").tag, "DELETE 0");
    const char* upsert =
        "INSERT INTO account VALUES ($1, 5), (9, 9) ON CONFLICT (id) DO UPDATE SET balance = account.balance + "
        "EXCLUDED.balance + $2";
    EXPECT_EQ(TestCluster::ok(client, upsert, {Value::integer(2), Value::integer(1000)}).tag, "INSERT 0 2");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM account WHERE id IN (2, 9) ORDER BY id"), "2|1005;9|9");
  }));
  EXPECT_TRUE(world.cluster().prepared_transactions().empty());
  EXPECT_GE(world.probe("2pc/committed"), 2U);
}

TEST(Cluster, RunsTransactionBlocks) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    auto other = world.connect();
    world.create_accounts(client, 4);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = balance - 10 WHERE id = 1");
    TestCluster::ok(client, "UPDATE account SET balance = balance + 10 WHERE id = 3");
    EXPECT_EQ(client.status(), TransactionStatus::in_transaction);
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "90");
    EXPECT_EQ(TestCluster::rows(other, "SELECT balance FROM account WHERE id = 1"), "100");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT id, balance FROM account ORDER BY id"), "1|90;2|100;3|110;4|100");

    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    EXPECT_EQ(TestCluster::fails(client, "INSERT INTO account VALUES (2, 1)").sqlstate, "23505");
    EXPECT_EQ(client.status(), TransactionStatus::failed);
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P02");
    // The locks went with the error, before the client's ROLLBACK.
    EXPECT_EQ(TestCluster::ok(other, "UPDATE account SET balance = balance + 1 WHERE id = 2").tag, "UPDATE 1");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "ROLLBACK");
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM account"), "401");

    EXPECT_EQ(TestCluster::ok(client, "COMMIT").notices.size(), 1U);
    EXPECT_EQ(TestCluster::fails(client, "BEGIN ISOLATION LEVEL SERIALIZABLE").sqlstate, "0A000");
    EXPECT_EQ(client.status(), TransactionStatus::idle);
  }));
}

TEST(Cluster, LocksAndWaitsAcrossSessions) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    auto other = world.connect();
    world.create_accounts(client, 2);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT * FROM account WHERE id = 1 FOR UPDATE");
    const ErrorFields error = TestCluster::fails(other, "UPDATE account SET balance = 1 WHERE id = 1");
    EXPECT_EQ(error.sqlstate, "55P03");
    EXPECT_EQ(TestCluster::fails(other, "SELECT * FROM account WHERE id = 1 FOR UPDATE NOWAIT").sqlstate, "55P03");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(other, "UPDATE account SET balance = 1 WHERE id = 1");
  }));
}

TEST(Cluster, FollowersTakeDmlAndRefuseDdl) {
  TestCluster world(small_cluster(3, 2));
  ASSERT_TRUE(world.run([&] {
    auto primary = world.connect("cn1");
    auto follower = world.connect("cn2");
    world.create_accounts(primary, 4);
    EXPECT_EQ(TestCluster::ok(follower, "UPDATE account SET balance = balance + 5").tag, "UPDATE 4");
    TestCluster::ok(follower, "INSERT INTO account VALUES (5, 1)");
    auto third = world.connect("cn3");
    EXPECT_EQ(TestCluster::rows(third, "SELECT sum(balance) FROM account"), "421");
    for (const char* sql : {"SELECT create_distributed_table('account', 'id')", "DROP TABLE account",
                            "ALTER TABLE account ADD COLUMN note text", "CREATE SCHEMA s"}) {
      const ErrorFields error = TestCluster::fails(follower, sql);
      EXPECT_EQ(error.sqlstate, "XX000");
      EXPECT_EQ(error.message, "operation is not allowed on this node");
      EXPECT_EQ(error.hint, "Connect to the coordinator and run it again.");
    }
    // A table that is not distributed exists on its coordinator only.
    TestCluster::ok(primary, "CREATE TABLE local_table (id integer)");
    EXPECT_EQ(TestCluster::fails(follower, "SELECT * FROM local_table").sqlstate, "42P01");
    TestCluster::ok(follower, "CREATE TABLE other_table AS SELECT 7 AS id");
    TestCluster::ok(follower, "ALTER TABLE other_table ADD COLUMN v int");
    EXPECT_EQ(TestCluster::rows(follower, "SELECT * FROM other_table"), "7|");
    EXPECT_EQ(TestCluster::fails(follower, "SELECT create_distributed_table('other_table', 'id')").sqlstate, "XX000");
    EXPECT_EQ(TestCluster::fails(primary, "SELECT * FROM other_table").sqlstate, "42P01");
    TestCluster::ok(follower, "DROP TABLE other_table");
  }));
  EXPECT_FALSE(world.cluster().has_open_distributed_transactions());
}

TEST(Cluster, RefusesToDistributeWhatItCannot) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE pk (id integer, k integer PRIMARY KEY)");
    const auto expect = [&client](const char* sql, const char* state, const char* message) {
      const ErrorFields error = TestCluster::fails(client, sql);
      EXPECT_EQ(error.sqlstate, state) << sql;
      EXPECT_EQ(error.message, message) << sql;
    };
    expect("SELECT create_distributed_table('none', 'id')", "42P01", "relation \"none\" does not exist");
    expect("SELECT create_distributed_table('pk', 'nope')", "42703",
           "column \"nope\" of relation \"pk\" does not exist");
    expect("SELECT create_distributed_table('pk', 'id')", "0A000", "cannot create constraint on \"pk\"");
    expect("SELECT create_distributed_table('pk', 'k', shard_count := 0)", "XX000",
           "0 is outside the valid range for parameter \"shard_count\" (1 .. 64000)");
    TestCluster::ok(client, "SELECT create_distributed_table('pk', 'k')");
    expect("SELECT create_distributed_table('pk', 'k')", "42P16", "table \"pk\" is already distributed");
    // Nothing of the refused ones is left but a gap in the numbers.
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM pg_dist_shard"), "4");
    EXPECT_EQ(TestCluster::rows(client, "SELECT logicalrelid::regclass::text, colocationid FROM pg_dist_partition"),
              "pk|2");
  }));
}

TEST(Cluster, MovesTheRowsOfATableThatIsDistributedLate) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE t (id integer, data text)");
    TestCluster::ok(client, "INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'it''s')");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM t ORDER BY id"), "1|a;2|;3|it's");
    auto data_node = world.connect("dn2");
    EXPECT_EQ(TestCluster::rows(data_node, "SELECT count(*) FROM t_102011"), "1");
  }));
}

TEST(Cluster, ShowsNoShardsAmongItsTables) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE r (code text PRIMARY KEY)");
    TestCluster::ok(client, "SELECT create_reference_table('r')");
    const std::string like_r = "SELECT count(*) FROM pg_class WHERE relname LIKE 'r%' AND relkind = 'r'";
    EXPECT_EQ(TestCluster::rows(client, like_r), "1") << "the copy that lies on the coordinator is not shown";
    auto data_node = world.connect("dn1");
    EXPECT_EQ(TestCluster::rows(data_node, like_r + " AND pg_table_is_visible(oid)"), "1");
  }));
}

TEST(Cluster, DropsATableEverywhere) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    TestCluster::ok(client, "CREATE TABLE other (id bigint)");
    TestCluster::ok(client, "SELECT create_distributed_table('other', 'id')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT colocationid FROM pg_dist_partition ORDER BY logicalrelid"), "1;2");
    TestCluster::ok(client, "DROP TABLE account");
    EXPECT_EQ(TestCluster::fails(client, "SELECT * FROM account").sqlstate, "42P01");
    auto follower = world.connect("cn2");
    EXPECT_EQ(TestCluster::fails(follower, "SELECT * FROM account").sqlstate, "42P01");
    EXPECT_EQ(TestCluster::rows(follower, "SELECT count(*) FROM pg_dist_placement"), "4");
    auto data_node = world.connect("dn1");
    EXPECT_EQ(TestCluster::fails(data_node, "SELECT * FROM account_102008").sqlstate, "42P01");
    // Shard numbers are not used twice.
    world.create_accounts(client, 1);
    EXPECT_EQ(
        TestCluster::rows(client, "SELECT min(shardid) FROM pg_dist_shard WHERE logicalrelid = 'account'::regclass"),
        "102016");
  }));
}

TEST(Cluster, SendsNoBeginForASingleShardStatement) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    const std::uint64_t before = world.probe("2pc/prepared") + world.probe("1pc/committed");
    TestCluster::ok(client, "UPDATE account SET balance = 5 WHERE id = 2");
    TestCluster::ok(client, "SELECT * FROM account");
    EXPECT_EQ(world.probe("2pc/prepared") + world.probe("1pc/committed"), before);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 6 WHERE id = 2");
    TestCluster::ok(client, "SELECT * FROM account");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(world.probe("1pc/committed"), 1U) << "one node wrote, the other was read: its COMMIT decides";
  }));
}

TEST(Cluster, ANodeThatIsDownFailsOnlyWhatNeedsIt) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    world.simulation().host("dn2").crash();
    auto fresh = world.connect();
    EXPECT_EQ(TestCluster::rows(fresh, "SELECT balance FROM account WHERE id = 1"), "100");
    const ErrorFields error = TestCluster::fails(fresh, "SELECT count(*) FROM account");
    EXPECT_EQ(error.sqlstate, "08001");
    EXPECT_EQ(error.message,
              "connection to the remote node dn2:5432 failed with the following error: Connection timed out");
    world.simulation().host("dn2").boot();
    world.sleep(in_seconds(1));
    EXPECT_EQ(TestCluster::rows(fresh, "SELECT count(*) FROM account"), "4");
    // The session's old connection is dead. Its loss is met once, then it is replaced.
    const auto first = client.query("SELECT count(*) FROM account");
    if (!first) {
      EXPECT_EQ(first.error().sqlstate, "08006");
    }
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "4");
  }));
}

// A simple query has no parameters. As in PostgreSQL it is the analysis that says so: at the first that it meets, and
// after what else it finds before that.
TEST(Cluster, SimpleQueriesAreToldWhichParameterTheyDoNotHave) {
  TestCluster world(small_cluster(1, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect("cn1");
    world.create_accounts(client, 1);
    const auto error_of = [&](std::string_view sql) {
      const auto result = client.simple_query(sql);
      return result ? result->tag
                    : result.error().sqlstate + " " + result.error().message + " at " +
                          std::to_string(result.error().position);
    };
    EXPECT_EQ(error_of("SELECT $2, $1"), "42P02 there is no parameter $2 at 8");
    EXPECT_EQ(error_of("SELECT 1; SELECT $1"), "42P02 there is no parameter $1 at 18");
    EXPECT_EQ(error_of("SELECT balance FROM account WHERE id = $1"), "42P02 there is no parameter $1 at 40");
    EXPECT_EQ(error_of("UPDATE account SET balance = $1"), "42P02 there is no parameter $1 at 30");
    EXPECT_EQ(error_of("EXPLAIN SELECT $1"), "42P02 there is no parameter $1 at 16");
    EXPECT_EQ(error_of("CREATE TABLE made AS SELECT $1 AS a"), "42P02 there is no parameter $1 at 29");
    EXPECT_EQ(error_of("CREATE VIEW made AS SELECT $1 AS a"), "42P02 there is no parameter $1 at 28");
    EXPECT_EQ(error_of("COPY (SELECT $1) TO STDOUT"), "42P02 there is no parameter $1 at 14");
    EXPECT_EQ(error_of("SELECT create_distributed_table($1, 'id')"), "42P02 there is no parameter $1 at 33");
    EXPECT_EQ(error_of("SELECT nothing, $1 FROM account"), "42703 column \"nothing\" does not exist at 8");
    EXPECT_EQ(error_of("SELECT $1 FROM nothing"), "42P01 relation \"nothing\" does not exist at 16");
    // Also where the plan is known from clients that do have them.
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = $1", {Value::integer(1)}), "100");
    EXPECT_EQ(error_of("SELECT balance FROM account WHERE id = $1"), "42P02 there is no parameter $1 at 40");
    EXPECT_EQ(error_of("PREPARE p AS SELECT $1"), "PREPARE");
    EXPECT_EQ(error_of("EXECUTE p($1)"), "42P02 there is no parameter $1 at 11");
    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(error_of("SELECT $1"), "42P02 there is no parameter $1 at 8");
    EXPECT_EQ(error_of("SELECT $1").substr(0, 5), "25P02");
  }));
}

TEST(Cluster, ADataNodeRollsBackWhatALostCoordinatorHadOpen) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect("cn1");
    world.create_accounts(client, 2);
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0 WHERE id = 1");
    world.simulation().host("cn1").crash();
    auto other = world.connect("cn2");
    // The node finds out by keepalive and user timeout, five seconds here, and gives up the row lock.
    TestCluster::ok(other, "UPDATE account SET balance = balance + 1 WHERE id = 1");
    EXPECT_EQ(TestCluster::rows(other, "SELECT balance FROM account WHERE id = 1"), "101");
  }));
}

}  // namespace
}  // namespace polarsim::engine
