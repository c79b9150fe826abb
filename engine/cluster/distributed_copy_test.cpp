// COPY of distributed tables: what the closest relative was recorded to do, and what only a cluster can do wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

class Rows final : public CopySource {
 public:
  explicit Rows(std::string rows) : rows_(std::move(rows)) {}
  bool read(std::string& chunk) override {
    chunk = std::exchange(rows_, {});
    return !chunk.empty();
  }

 private:
  std::string rows_;
};

class Lines final : public CopySink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

std::string copied(Client& client, std::string_view sql, std::string rows) {
  Rows source(std::move(rows));
  const auto result = client.copy_in(sql, source);
  if (result) return result->tag;
  const ErrorFields& error = result.error();
  std::string text = error.sqlstate + ": " + error.message;
  if (!error.detail.empty()) text += "\nDETAIL: " + error.detail;
  if (!error.context.empty()) text += "\nCONTEXT: " + error.context;
  return text;
}

std::string copied_out(Client& client, std::string_view sql) {
  Lines lines;
  const auto result = client.copy_out(sql, lines);
  return result ? lines.text : result.error().sqlstate + ": " + result.error().message;
}

void with_tables(const ClusterConfig& config, const std::function<void(TestCluster&, Client&)>& body) {
  TestCluster world(config);
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client, "CREATE TABLE a (id int, v int CHECK (v >= 0), s text, PRIMARY KEY(id))");
    TestCluster::ok(client, "SELECT create_distributed_table('a', 'id')");
    TestCluster::ok(client, "CREATE TABLE r (id int PRIMARY KEY, v int, s text)");
    TestCluster::ok(client, "SELECT create_reference_table('r')");
    body(world, client);
  }));
  EXPECT_FALSE(world.cluster().has_open_distributed_transactions());
}

TEST(DistributedCopy, RowsGoToTheirShardsAndNowhereElse) {
  with_tables(small_cluster(2, 2), [](TestCluster& world, Client& client) {
    EXPECT_EQ(copied(client, "COPY a FROM STDIN", "1\t2\tone\n2\t4\t\\N\n3\t6\tth\\tree\n4\t8\t\n"), "COPY 4");
    EXPECT_EQ(TestCluster::rows(client, "SELECT id, v, quote_nullable(s) FROM a ORDER BY id"),
              "1|2|'one';2|4|NULL;3|6|'th\tree';4|8|''");
    EXPECT_EQ(copied(client, "COPY a (s, id) FROM STDIN (FORMAT csv)", "five,5\n"), "COPY 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM a WHERE id = 5"), "5||five");
    EXPECT_EQ(copied(client, "COPY a FROM STDIN (FREEZE)", "6\t1\tx\n"), "COPY 1");
    EXPECT_EQ(copied(client, "COPY a FROM STDIN", ""), "COPY 0");
    // The coordinator's own table is left empty: what it would hide comes out when it is a table of its own again.
    TestCluster::ok(client, "SELECT undistribute_table('a')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM a"), "6");
    // Another coordinator may copy, too; reference tables get their rows everywhere.
    auto follower = world.connect("cn2");
    EXPECT_EQ(copied(follower, "COPY r FROM STDIN (FORMAT csv)", "1,1,x\n2,2,y\n"), "COPY 2");
    const std::string shard =
        TestCluster::rows(client, "SELECT 'r_' || shardid FROM pg_dist_shard WHERE logicalrelid = 'r'::regclass");
    for (const char* node : {"cn1", "cn2", "dn1", "dn2"}) {
      auto at = world.connect(node);
      EXPECT_EQ(TestCluster::rows(at, "SELECT * FROM " + shard + " ORDER BY id"), "1|1|x;2|2|y") << node;
    }
    EXPECT_GE(world.probe("2pc/committed"), 2U);
  });
}

TEST(DistributedCopy, ErrorsAreThoseOfTheRelativeAndLeaveNothing) {
  with_tables(small_cluster(), [](TestCluster& world, Client& client) {
    EXPECT_EQ(copied(client, "COPY a FROM STDIN (FORMAT csv)", "1,2,n1\n2,4,n2\n"), "COPY 2");
    const auto fails = [&](const char* sql, const char* rows, const char* error) {
      EXPECT_EQ(copied(client, sql, rows), error) << sql;
      EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM a"), "2") << sql;
    };
    const char* csv = "COPY a FROM STDIN (FORMAT csv)";
    fails(csv, "5,1,n\nxx,1,n\n",
          "22P02: invalid input syntax for type integer: \"xx\"\nCONTEXT: COPY a, line 2, column id: \"xx\"");
    fails(csv, "5,1,n\n250,1,n,extra\n",
          "22P04: extra data after last expected column\nCONTEXT: COPY a, line 2: \"250,1,n,extra\"");
    fails(csv, "250\n", "22P04: missing data for column \"v\"\nCONTEXT: COPY a, line 1: \"250\"");
    fails(csv, "5,1,n\n,1,n\n",
          "22004: the partition column of table public.a cannot be NULL\nCONTEXT: COPY a, line 2: \",1,n\"");
    fails("COPY a (v, s) FROM STDIN (FORMAT csv)", "1,x\n",
          "22004: the partition column of table public.a cannot be NULL\nCONTEXT: COPY a, line 1: \"1,x\"");
    fails(csv, "5,1,n\n1,1,dup\n",
          "XX000: duplicate key value violates unique constraint \"a_pkey_102008\"\nDETAIL: Key (id)=(1) already "
          "exists.");
    fails(
        csv, "1000,-1,neg\n",
        "XX000: new row for relation \"a_102009\" violates check constraint \"a_v_check_102009\"\nDETAIL: Failing row "
        "contains (1000, -1, neg).");
    fails("COPY a FROM STDIN WHERE id > 5", "9\t1\tx\n", "XX000: PolarCluster does not support COPY FROM with WHERE");
    fails("COPY a FROM 'nosuch.csv'", "",
          "58P01: could not open file \"nosuch.csv\" for reading: No such file or directory");
    fails("COPY a (id, none) FROM STDIN", "", "42703: column \"none\" of relation \"a\" does not exist");
    EXPECT_EQ(copied(client, "COPY r FROM STDIN (FORMAT csv)", "1,1,x\n1,2,y\n"),
              "XX000: duplicate key value violates unique constraint \"r_pkey_102012\"\nDETAIL: Key (id)=(1) already "
              "exists.");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM r"), "0");
    TestCluster::ok(client, "BEGIN READ ONLY");
    EXPECT_EQ(copied(client, csv, "9,1,x\n"), "25006: cannot execute COPY FROM in a read-only transaction");
    TestCluster::ok(client, "ROLLBACK");
    // A client that gives up.
    EXPECT_EQ(TestCluster::ok(client, "SELECT 1").rows.size(), 1U);
    auto started = client.start_copy_in(csv);
    ASSERT_TRUE(started.has_value());
    ASSERT_TRUE(client.send_copy("7,1,x\n").has_value());
    EXPECT_EQ(client.abandon_copy_in("no more").error().message, "COPY from stdin failed: no more");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM a"), "2");
    EXPECT_TRUE(world.cluster().prepared_transactions().empty());
  });
}

TEST(DistributedCopy, IsPartOfTheTransaction) {
  with_tables(small_cluster(), [](TestCluster& world, Client& client) {
    auto other = world.connect();
    const char* csv = "COPY a FROM STDIN (FORMAT csv)";
    const auto count = [](Client& of) { return TestCluster::rows(of, "SELECT count(*) FROM a"); };
    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(copied(client, csv, "1,1,x\n2,1,x\n3,1,x\n"), "COPY 3");
    EXPECT_EQ(count(client), "3");
    EXPECT_EQ(count(other), "0");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(count(client), "0");

    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(copied(client, csv, "1,1,x\n2,1,x\n"), "COPY 2");
    EXPECT_EQ(copied(client, csv, "3,1,x\nbad,1,x\n").substr(0, 5), "22P02");
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P02");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "ROLLBACK");
    EXPECT_EQ(count(client), "0");

    TestCluster::ok(client, "BEGIN");
    EXPECT_EQ(copied(client, csv, "1,1,x\n2,1,x\n"), "COPY 2");
    TestCluster::ok(client, "SAVEPOINT s1");
    EXPECT_EQ(copied(client, csv, "3,1,x\n2,1,x\n").substr(0, 5), "XX000");
    TestCluster::ok(client, "ROLLBACK TO s1");
    TestCluster::ok(client, "INSERT INTO a VALUES (1005, 5, 'after')");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT id FROM a ORDER BY id"), "1;2;1005");
  });
}

TEST(DistributedCopy, DefaultsAreTheCoordinatorsGeneratedColumnsTheShards) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    TestCluster::ok(client,
                    "CREATE TABLE t (id bigserial, gone int, at timestamptz DEFAULT '2020-01-01 00:00:00+00', doubled "
                    "int GENERATED ALWAYS AS (v * 2) STORED, v int DEFAULT 7, js jsonb, list int[], n numeric(8,2), "
                    "\"odd name\" text)");
    TestCluster::ok(client, "ALTER TABLE t DROP COLUMN gone");
    TestCluster::ok(client, "SELECT create_distributed_table('t', 'id')");
    EXPECT_EQ(copied(client, "COPY t (js, list, n, \"odd name\") FROM STDIN",
                     "{\"a\": [1, null]}\t{1,NULL,3}\t12.345\tx\n\\N\t{}\tNaN\t\\N\n"),
              "COPY 2");
    EXPECT_EQ(copied(client, "COPY t (id, v, at) FROM STDIN", "100\t21\t2021-06-01 12:00:00.5+02\n"), "COPY 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM t ORDER BY id"),
              "1|2020-01-01 00:00:00+00|14|7|{\"a\": [1, null]}|{1,NULL,3}|12.35|x;"
              "2|2020-01-01 00:00:00+00|14|7||{}|NaN|;"
              "100|2021-06-01 10:00:00.5+00|42|21||||");
    EXPECT_EQ(copied(client, "COPY t (doubled) FROM STDIN", "1\n"),
              "42P10: column \"doubled\" is a generated column\nDETAIL: Generated columns cannot be used in COPY.");
    // A type whose bytes mean something on their node alone.
    TestCluster::ok(client, "CREATE TABLE names (id int, of regclass)");
    TestCluster::ok(client, "SELECT create_distributed_table('names', 'id')");
    EXPECT_EQ(copied(client, "COPY names FROM STDIN", "1\tpg_class\n2\t\\N\n"), "COPY 2");
    EXPECT_EQ(TestCluster::rows(client, "SELECT id, of::text FROM names ORDER BY id"), "1|pg_class;2|");
    // Out and in again, in all formats.
    const std::string text = copied_out(client, "COPY (SELECT id, v, at, n FROM t ORDER BY id) TO STDOUT");
    TestCluster::ok(client, "CREATE TABLE u (id bigint, v int, at timestamptz, n numeric)");
    TestCluster::ok(client, "SELECT create_distributed_table('u', NULL)");
    EXPECT_EQ(copied(client, "COPY u FROM STDIN", text), "COPY 3");
    const std::string binary = copied_out(client, "COPY u TO STDOUT (FORMAT binary)");
    EXPECT_EQ(copied(client, "COPY t (id, v, at, n) FROM STDIN (FORMAT binary)", binary), "COPY 3");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*), sum(id), sum(v), count(n) FROM t"), "6|206|70|4");
  }));
}

TEST(DistributedCopy, ManyRowsAreSentInParts) {
  with_tables(small_cluster(1, 3), [](TestCluster&, Client& client) {
    std::string rows;
    const std::string filler(1000, 'x');
    for (int id = 1; id <= 10'000; ++id)
      rows += std::to_string(id) + "\t" + std::to_string(id % 7) + "\t" + filler + "\n";
    EXPECT_EQ(copied(client, "COPY a FROM STDIN", rows), "COPY 10000");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*), sum(id), sum(v), min(length(s)) FROM a"),
              "10000|50005000|29998|1000");
    // The second part meets what the first has put there; both are undone.
    EXPECT_EQ(copied(client, "COPY r FROM STDIN", rows + "1\t1\tx\n").substr(0, 5), "XX000");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM r"), "0");
  });
}

TEST(DistributedCopy, TablesAndQueriesAreCopiedOut) {
  with_tables(small_cluster(), [](TestCluster&, Client& client) {
    EXPECT_EQ(copied(client, "COPY a FROM STDIN (FORMAT csv)", "1,2,n1\n2,4,\n3,6,\"q\"\"q\"\n"), "COPY 3");
    EXPECT_EQ(copied_out(client, "COPY (SELECT * FROM a WHERE id <= 2 ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"),
              "id,v,s\n1,2,n1\n2,4,\n");
    EXPECT_EQ(copied_out(client, "COPY (SELECT count(*) FROM a) TO STDOUT"), "3\n");
    EXPECT_EQ(copied_out(client, "COPY (INSERT INTO a VALUES (2000, 1, 'ret') RETURNING *) TO STDOUT"),
              "2000\t1\tret\n");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM a"), "4");
    EXPECT_EQ(TestCluster::ok(client, "COPY a TO '/out.csv' (FORMAT csv)").tag, "COPY 4");
    EXPECT_EQ(TestCluster::ok(client, "COPY r FROM '/out.csv' (FORMAT csv)").tag, "COPY 4");
    EXPECT_EQ(copied_out(client, "COPY r (id) TO STDOUT (FORMAT csv, HEADER)").size(),
              std::string("id\n1\n2\n3\n2000\n").size());
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(id), sum(v), string_agg(s, '' ORDER BY id) FROM r"),
              "2006|13|n1q\"qret");
    TestCluster::ok(client, "BEGIN READ ONLY");
    EXPECT_EQ(copied_out(client, "COPY (DELETE FROM a RETURNING id) TO STDOUT").substr(0, 5), "25006");
    TestCluster::ok(client, "ROLLBACK");
  });
}

// Each node's first task has sent its rows before another one's error.
TEST(DistributedCopy, RowsAreHandedOnTaskByTask) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client client = world.connect();
    world.create_accounts(client, 40);
    Lines lines;
    const auto all = client.copy_out("COPY account TO STDOUT", lines);
    ASSERT_TRUE(all.has_value());
    EXPECT_EQ(all->tag, "COPY 40");
    EXPECT_EQ(std::count(lines.text.begin(), lines.text.end(), '\n'), 40);
    // A row of the last task.
    const std::size_t begin = lines.text.rfind('\n', lines.text.size() - 2) + 1;
    const std::string last = lines.text.substr(begin, lines.text.find('\t', begin) - begin);
    Lines some;
    const auto failed = client.copy_out("COPY (SELECT id, 1 / (id - " + last + ") FROM account) TO STDOUT", some);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().sqlstate, "22012");
    EXPECT_NE(some.text, "");
    Lines merged;
    EXPECT_EQ(client.copy_out("COPY (SELECT id FROM account ORDER BY id LIMIT 3) TO STDOUT", merged)->tag, "COPY 3");
    EXPECT_EQ(merged.text, "1\n2\n3\n");
  }));
}

// What comes while rows are written, when no task is there that could be told.
TEST(DistributedCopy, ACancelBetweenTwoTasksIsNotLost) {
  class Canceller final : public CopySink {
   public:
    explicit Canceller(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
    void write(std::string_view line) override {
      rows += std::count(line.begin(), line.end(), '\n');
      if (cancel_) std::exchange(cancel_, nullptr)();
    }
    std::ptrdiff_t rows = 0;

   private:
    std::function<void()> cancel_;
  };
  with_tables(small_cluster(), [](TestCluster& world, Client& client) {
    TestCluster::ok(client, "INSERT INTO a SELECT id, 1, repeat('x', 1000) FROM generate_series(1, 8000) AS g(id)");
    Client other = world.connect();
    const std::string pid = TestCluster::rows(client, "SELECT pg_backend_pid()");
    // The server waits for the client to read on.
    Canceller sink([&] {
      world.sleep(milliseconds(500));
      EXPECT_EQ(TestCluster::rows(other, "SELECT pg_cancel_backend(" + pid + ")"), "t");
      world.sleep(milliseconds(500));
    });
    const auto copied = client.copy_out("COPY a TO STDOUT", sink);
    ASSERT_FALSE(copied.has_value());
    EXPECT_EQ(copied.error().sqlstate, "57014");
    EXPECT_LT(sink.rows, 8000);
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM a"), "8000");
  });
}

}  // namespace
}  // namespace polarsim::engine
