#include "engine/cluster/definition_change.h"

#include <gtest/gtest.h>

#include "engine/cluster/recording_cluster_test_support.h"
#include "engine/cluster/table_change.h"

namespace polarsim::engine::cluster {
namespace {

// a (id, v) and b (id, w) are hash-distributed by id, r (id) is a reference table, l (id) is local.
constexpr const char* setup = R"(
  CREATE TABLE a (id int PRIMARY KEY, v int);
  CREATE TABLE b (id int, w int);
  CREATE TABLE r (id int PRIMARY KEY);
  CREATE TABLE l (id int);
)";

class DefinitionChangeTest : public ::testing::Test {
 protected:
  static void run(const std::function<void(RecordingCluster&)>& body) {
    with_cluster(
        [&](RecordingCluster& cluster) {
          DistributionRequest by_id;
          by_id.column = "id";
          TableChange change(cluster);
          change.create_distributed_table(cluster.id("a"), by_id);
          change.create_distributed_table(cluster.id("b"), by_id);
          change.create_reference_table(cluster.id("r"));
          cluster.log();
          body(cluster);
        },
        setup);
  }
  // What the statement runs where, or its error.
  static std::string done(RecordingCluster& cluster, std::string_view text) {
    const syntax::StatementPtr statement = cluster.parse(text).at(0);
    const std::string error = refusal([&] {
      DefinitionChange change(cluster);
      if (change.concerns_cluster(*statement)) {
        change.run(statement, text);
      } else {
        cluster.run_statement_here(statement, text, true);
      }
    });
    return error.empty() ? cluster.log() : "!" + error;
  }
};

TEST_F(DefinitionChangeTest, Indexes) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE INDEX ON a (v)"), "");
    EXPECT_EQ(done(cluster, "CREATE INDEX IF NOT EXISTS a_v_idx ON a (v)"), "");
    EXPECT_EQ(done(cluster, "CREATE INDEX CONCURRENTLY i ON r (id)"), "");
    EXPECT_EQ(done(cluster, "CREATE INDEX k ON l (id)"), "here: CREATE INDEX k ON l (id)\n");
    EXPECT_EQ(done(cluster, "ALTER INDEX i RENAME TO j"), "");
    EXPECT_EQ(done(cluster, "DROP INDEX j, a_v_idx"), "");
    EXPECT_EQ(done(cluster, "CREATE UNIQUE INDEX ON a (v)"),
              "!0A000 creating unique indexes on non-partition columns is currently unsupported");
    EXPECT_EQ(done(cluster, "DROP INDEX nosuch"), "!42704 index \"nosuch\" does not exist");
    cluster.enter_block();
    EXPECT_EQ(done(cluster, "CREATE INDEX CONCURRENTLY i ON r (id)"),
              "!25001 CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
  });
}

TEST_F(DefinitionChangeTest, Columns) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(
        done(cluster, "ALTER TABLE a ADD COLUMN c int DEFAULT 5 + 1 CHECK (c > 0), ADD COLUMN IF NOT EXISTS v int"),
        "");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN d float8 DEFAULT random()"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN e int DEFAULT NULL"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ALTER COLUMN v SET DEFAULT 3"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE a RENAME COLUMN id TO key"), "");
    EXPECT_EQ(cluster.session().run("SELECT partkey FROM pg_dist_partition WHERE logicalrelid = 'a'::regclass"), "key");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN u int UNIQUE").substr(0, 44),
              "!0A000 cannot create constraint on \"a\" / Dist");
    EXPECT_EQ(done(cluster, "ALTER TABLE a DROP COLUMN key"),
              "!XX000 cannot execute ALTER TABLE command involving partition column");
  });
}

TEST_F(DefinitionChangeTest, DefaultsThatCount) {
  run([](RecordingCluster& cluster) {
    cluster.run_groups({2, 3});
    cluster.session().run("CREATE SEQUENCE counter");
    cluster.session().run("CREATE TABLE c (id int)");
    DistributionRequest by_id;
    by_id.column = "id";
    TableChange(cluster).create_distributed_table(cluster.id("c"), by_id);
    cluster.log();
    EXPECT_EQ(done(cluster, "ALTER TABLE c ADD COLUMN n int DEFAULT nextval('counter')"), "");
    cluster.session().run("INSERT INTO c_102013 VALUES (1)");
    EXPECT_EQ(done(cluster, "ALTER TABLE c ADD COLUMN m int DEFAULT nextval('counter')").substr(0, 67),
              "!0A000 cannot add a column involving DEFAULT nextval('..') because t");
  });
}

TEST_F(DefinitionChangeTest, Constraints) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES r"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE b ADD PRIMARY KEY (id, w)"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE b DROP CONSTRAINT f"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE r ADD FOREIGN KEY (id) REFERENCES a").substr(0, 68),
              "!0A000 cannot create foreign key constraint since foreign keys from r");
  });
}

TEST_F(DefinitionChangeTest, Tables) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "ALTER TABLE b RENAME TO c"), "");
    EXPECT_EQ(done(cluster, "COMMENT ON TABLE c IS 'x'"), "");
    EXPECT_EQ(done(cluster, "TRUNCATE c, l, r"), "");
    EXPECT_EQ(done(cluster, "CREATE SCHEMA s"), "");
    EXPECT_EQ(done(cluster, "ALTER TABLE c SET SCHEMA s"), "");
    EXPECT_EQ(done(cluster, "DROP TABLE s.c, l"), "");
    EXPECT_EQ(done(cluster, "DROP TABLE r_102012"),
              "!XX000 cannot modify \"r_102012\" because it is a shard of a distributed table");
    EXPECT_EQ(done(cluster, "DROP TABLE r"), "");
  });
}

TEST_F(DefinitionChangeTest, TruncateEmptiesWhatRefersToTheTable) {
  run([](RecordingCluster& cluster) {
    done(cluster, "ALTER TABLE b ADD FOREIGN KEY (w) REFERENCES r");
    cluster.log();
    EXPECT_EQ(done(cluster, "TRUNCATE r").substr(0, 63),
              "!0A000 cannot truncate a table referenced in a foreign key const");
    EXPECT_EQ(done(cluster, "TRUNCATE r CASCADE"), "");
  });
}

TEST_F(DefinitionChangeTest, Views) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE VIEW va AS SELECT id FROM a"), "");
    EXPECT_EQ(done(cluster, "CREATE VIEW vl AS SELECT id FROM l"), "here: CREATE VIEW vl AS SELECT id FROM l\n");
    EXPECT_EQ(cluster.told(), "");
    EXPECT_EQ(done(cluster, "CREATE VIEW mixed AS SELECT a.id FROM a, l"),
              "here: CREATE VIEW mixed AS SELECT a.id FROM a, l\n");
    EXPECT_EQ(cluster.told(),
              "WARNING \"view mixed\" has dependency to \"table l\" that is not in PolarCluster's metadata / \"view "
              "mixed\" will be created only locally\n");
    EXPECT_EQ(done(cluster, "ALTER VIEW va RENAME TO vb"), "");
    EXPECT_EQ(done(cluster, "DROP VIEW vb, vl"), "");
  });
}

TEST_F(DefinitionChangeTest, Schemas) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE SCHEMA s"), "");
    cluster.run_groups({2, 3});
    TableChange(cluster).distribute_schema("s");
    cluster.log();
    EXPECT_EQ(done(cluster, "CREATE TABLE s.t (id int)"), "");
    EXPECT_EQ(done(cluster, "DROP SCHEMA s").substr(0, 8), "!2BP01 c");
    cluster.log();
    EXPECT_EQ(done(cluster, "DROP SCHEMA IF EXISTS nosuch"), "here: DROP SCHEMA IF EXISTS nosuch\n");
  });
}

TEST_F(DefinitionChangeTest, DropsSchemasWithWhatIsInThem) {
  run([](RecordingCluster& cluster) {
    cluster.session().run("CREATE SCHEMA s; ALTER TABLE b SET SCHEMA s");
    EXPECT_EQ(done(cluster, "DROP SCHEMA s CASCADE"), "");
  });
}

}  // namespace
}  // namespace polarsim::engine::cluster
