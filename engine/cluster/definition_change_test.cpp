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
    const std::string log = cluster.log();
    return error.empty() ? log : "!" + error;
  }
};

TEST_F(DefinitionChangeTest, Indexes) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE INDEX ON a (v)"),
              "here: CREATE INDEX ON a (v)\n"
              "1: CREATE INDEX a_v_idx ON public.a (v)\n"
              "2: CREATE INDEX a_v_idx_102008 ON public.a_102008 (v)\n"
              "3: CREATE INDEX a_v_idx_102009 ON public.a_102009 (v)\n");
    EXPECT_EQ(done(cluster, "CREATE INDEX IF NOT EXISTS a_v_idx ON a (v)"),
              "here: CREATE INDEX IF NOT EXISTS a_v_idx ON a (v)\n");
    EXPECT_EQ(done(cluster, "CREATE INDEX CONCURRENTLY i ON r (id)"),
              "here: CREATE INDEX i ON r (id)\n"
              "1: CREATE INDEX i ON public.r (id)\n"
              "here: CREATE INDEX i_102012 ON public.r_102012 (id)\n"
              "1: CREATE INDEX i_102012 ON public.r_102012 (id)\n"
              "2: CREATE INDEX i_102012 ON public.r_102012 (id)\n"
              "3: CREATE INDEX i_102012 ON public.r_102012 (id)\n");
    EXPECT_EQ(done(cluster, "CREATE INDEX k ON l (id)"), "here: CREATE INDEX k ON l (id)\n");
    EXPECT_EQ(done(cluster, "ALTER INDEX i RENAME TO j"),
              "here: ALTER INDEX i RENAME TO j\n"
              "1: ALTER INDEX public.i RENAME TO j\n"
              "here: ALTER INDEX public.i_102012 RENAME TO j_102012\n"
              "1: ALTER INDEX public.i_102012 RENAME TO j_102012\n"
              "2: ALTER INDEX public.i_102012 RENAME TO j_102012\n"
              "3: ALTER INDEX public.i_102012 RENAME TO j_102012\n");
    EXPECT_EQ(done(cluster, "DROP INDEX j, a_v_idx"),
              "here: DROP INDEX j, a_v_idx\n"
              "1: DROP INDEX IF EXISTS public.j\n"
              "here: DROP INDEX IF EXISTS public.j_102012 CASCADE\n"
              "1: DROP INDEX IF EXISTS public.j_102012 CASCADE\n"
              "2: DROP INDEX IF EXISTS public.j_102012 CASCADE\n"
              "3: DROP INDEX IF EXISTS public.j_102012 CASCADE\n"
              "1: DROP INDEX IF EXISTS public.a_v_idx\n"
              "2: DROP INDEX IF EXISTS public.a_v_idx_102008 CASCADE\n"
              "3: DROP INDEX IF EXISTS public.a_v_idx_102009 CASCADE\n");
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
        "here: ALTER TABLE a ADD COLUMN c integer DEFAULT (5 + 1) CHECK (c > 0), ADD COLUMN IF NOT EXISTS v integer\n"
        "1: ALTER TABLE public.a ADD COLUMN c integer DEFAULT (5 + 1) CONSTRAINT a_c_check CHECK (c > 0)\n"
        "2: ALTER TABLE public.a_102008 ADD COLUMN c integer DEFAULT '6' CONSTRAINT a_c_check_102008 CHECK (c > 0)\n"
        "2: ALTER TABLE public.a_102008 ALTER COLUMN c DROP DEFAULT\n"
        "3: ALTER TABLE public.a_102009 ADD COLUMN c integer DEFAULT '6' CONSTRAINT a_c_check_102009 CHECK (c > 0)\n"
        "3: ALTER TABLE public.a_102009 ALTER COLUMN c DROP DEFAULT\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN d float8 DEFAULT random()"),
              "here: ALTER TABLE a ADD COLUMN d float8 DEFAULT random()\n"
              "1: ALTER TABLE public.a ADD COLUMN d float8 DEFAULT random()\n"
              "2: ALTER TABLE public.a_102008 ADD COLUMN d float8 DEFAULT random()\n"
              "2: ALTER TABLE public.a_102008 ALTER COLUMN d DROP DEFAULT\n"
              "3: ALTER TABLE public.a_102009 ADD COLUMN d float8 DEFAULT random()\n"
              "3: ALTER TABLE public.a_102009 ALTER COLUMN d DROP DEFAULT\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN e int DEFAULT NULL"),
              "here: ALTER TABLE a ADD COLUMN e integer DEFAULT NULL\n"
              "1: ALTER TABLE public.a ADD COLUMN e integer DEFAULT NULL\n"
              "2: ALTER TABLE public.a_102008 ADD COLUMN e integer\n"
              "3: ALTER TABLE public.a_102009 ADD COLUMN e integer\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ALTER COLUMN v SET DEFAULT 3"),
              "here: ALTER TABLE a ALTER COLUMN v SET DEFAULT 3\n"
              "1: ALTER TABLE public.a ALTER COLUMN v SET DEFAULT 3\n");
    cluster.session().run("ALTER TABLE a DROP CONSTRAINT a_c_check");
    EXPECT_EQ(
        done(cluster, "ALTER TABLE a RENAME COLUMN id TO key"),
        "here: ALTER TABLE a RENAME COLUMN id TO key\n"
        "here: UPDATE pg_catalog.pg_dist_partition SET partkey = 'key' WHERE logicalrelid = 'public.a'::regclass\n"
        "1: ALTER TABLE public.a RENAME COLUMN id TO key\n"
        "1: UPDATE pg_catalog.pg_dist_partition SET partkey = 'key' WHERE logicalrelid = 'public.a'::regclass\n"
        "2: ALTER TABLE public.a_102008 RENAME COLUMN id TO key\n"
        "3: ALTER TABLE public.a_102009 RENAME COLUMN id TO key\n");
    EXPECT_EQ(cluster.session().run("SELECT partkey FROM pg_dist_partition WHERE logicalrelid = 'a'::regclass"), "key");
    EXPECT_EQ(done(cluster, "ALTER TABLE a ADD COLUMN u int UNIQUE").substr(0, 44),
              "!0A000 cannot create constraint on \"a\" / Dis");
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
    EXPECT_EQ(done(cluster, "ALTER TABLE c ADD COLUMN n int DEFAULT nextval('counter')"),
              "2: SELECT 1 FROM public.c_102013 LIMIT 1\n"
              "3: SELECT 1 FROM public.c_102014 LIMIT 1\n"
              "here: ALTER TABLE c ADD COLUMN n integer DEFAULT nextval('counter')\n"
              "1: ALTER TABLE public.c ADD COLUMN n integer\n"
              "1: SELECT sequencename FROM pg_catalog.pg_sequences WHERE schemaname = 'public' AND sequencename = "
              "'counter' AND min_value IN (4097, 268435457, 281474976710657)\n"
              "1: CREATE SEQUENCE public.counter AS bigint START WITH 281474976710657 INCREMENT BY 1 "
              "MINVALUE 281474976710657 MAXVALUE 562949953421312\n"
              "1: ALTER TABLE public.c ALTER COLUMN n SET DEFAULT nextval('public.counter'::regclass)\n"
              "2: ALTER TABLE public.c_102013 ADD COLUMN n integer\n"
              "3: ALTER TABLE public.c_102014 ADD COLUMN n integer\n");
    cluster.session().run("INSERT INTO c_102013 VALUES (1)");
    EXPECT_EQ(done(cluster, "ALTER TABLE c ADD COLUMN m int DEFAULT nextval('counter')").substr(0, 67),
              "!0A000 cannot add a column involving DEFAULT nextval('..') because ");
  });
}

TEST_F(DefinitionChangeTest, Constraints) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(
        done(cluster, "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a"),
        "here: ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a\n"
        "1: ALTER TABLE public.b ADD CONSTRAINT b_id_fkey FOREIGN KEY (id) REFERENCES public.a\n"
        "2: ALTER TABLE public.b_102010 ADD CONSTRAINT b_id_fkey_102010 FOREIGN KEY (id) REFERENCES public.a_102008\n"
        "3: ALTER TABLE public.b_102011 ADD CONSTRAINT b_id_fkey_102011 FOREIGN KEY (id) REFERENCES public.a_102009\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES r"),
              "here: ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES r\n"
              "1: ALTER TABLE public.b ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES public.r\n"
              "2: ALTER TABLE public.b_102010 ADD CONSTRAINT f_102010 FOREIGN KEY (w) REFERENCES public.r_102012\n"
              "3: ALTER TABLE public.b_102011 ADD CONSTRAINT f_102011 FOREIGN KEY (w) REFERENCES public.r_102012\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE b ADD PRIMARY KEY (id, w)"),
              "here: ALTER TABLE b ADD PRIMARY KEY (id, w)\n"
              "1: ALTER TABLE public.b ADD CONSTRAINT b_pkey PRIMARY KEY (id, w)\n"
              "2: ALTER TABLE public.b_102010 ADD CONSTRAINT b_pkey_102010 PRIMARY KEY (id, w)\n"
              "3: ALTER TABLE public.b_102011 ADD CONSTRAINT b_pkey_102011 PRIMARY KEY (id, w)\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE b DROP CONSTRAINT f"),
              "here: ALTER TABLE b DROP CONSTRAINT f\n"
              "1: ALTER TABLE public.b DROP CONSTRAINT f\n"
              "2: ALTER TABLE public.b_102010 DROP CONSTRAINT f_102010\n"
              "3: ALTER TABLE public.b_102011 DROP CONSTRAINT f_102011\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE r ADD FOREIGN KEY (id) REFERENCES a").substr(0, 68),
              "!0A000 cannot create foreign key constraint since foreign keys from ");
  });
}

TEST_F(DefinitionChangeTest, Tables) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "ALTER TABLE b RENAME TO c"),
              "here: ALTER TABLE b RENAME TO c\n"
              "1: ALTER TABLE public.b RENAME TO c\n"
              "2: ALTER TABLE public.b_102010 RENAME TO c_102010\n"
              "3: ALTER TABLE public.b_102011 RENAME TO c_102011\n");
    EXPECT_EQ(done(cluster, "COMMENT ON TABLE c IS 'x'"),
              "here: COMMENT ON TABLE c IS 'x'\n"
              "1: COMMENT ON TABLE public.c IS 'x'\n");
    EXPECT_EQ(done(cluster, "TRUNCATE c, l, r"),
              "here: TRUNCATE TABLE c, l, r\n"
              "1: TRUNCATE TABLE public.c, public.r\n"
              "2: TRUNCATE TABLE public.c_102010 CASCADE\n"
              "3: TRUNCATE TABLE public.c_102011 CASCADE\n"
              "here: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "1: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "2: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "3: TRUNCATE TABLE public.r_102012 CASCADE\n");
    EXPECT_EQ(done(cluster, "CREATE SCHEMA s"),
              "here: CREATE SCHEMA s\n"
              "1: CREATE SCHEMA IF NOT EXISTS s\n"
              "2: CREATE SCHEMA IF NOT EXISTS s\n"
              "3: CREATE SCHEMA IF NOT EXISTS s\n");
    EXPECT_EQ(done(cluster, "ALTER TABLE c SET SCHEMA s"),
              "here: ALTER TABLE c SET SCHEMA s\n"
              "1: ALTER TABLE public.c SET SCHEMA s\n"
              "2: ALTER TABLE public.c_102010 SET SCHEMA s\n"
              "3: ALTER TABLE public.c_102011 SET SCHEMA s\n");
    EXPECT_EQ(done(cluster, "DROP TABLE s.c, l"),
              "here: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102010, 102011)\n"
              "here: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 's.c'::regclass\n"
              "here: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 's.c'::regclass\n"
              "here: DROP TABLE s.c, l\n"
              "2: DROP TABLE IF EXISTS s.c_102010 CASCADE\n"
              "3: DROP TABLE IF EXISTS s.c_102011 CASCADE\n"
              "1: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102010, 102011)\n"
              "1: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 's.c'::regclass\n"
              "1: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 's.c'::regclass\n"
              "1: DROP TABLE IF EXISTS s.c\n");
    EXPECT_EQ(done(cluster, "DROP TABLE r_102012"),
              "!XX000 cannot modify \"r_102012\" because it is a shard of a distributed table");
    EXPECT_EQ(done(cluster, "DROP TABLE r"),
              "here: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102012)\n"
              "here: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 'public.r'::regclass\n"
              "here: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'public.r'::regclass\n"
              "here: DROP TABLE IF EXISTS public.r_102012 CASCADE\n"
              "here: SELECT 1 FROM pg_catalog.pg_dist_schema WHERE colocationid = 2 LIMIT 1\n"
              "here: DELETE FROM pg_catalog.pg_dist_colocation WHERE colocationid = 2\n"
              "1: DELETE FROM pg_catalog.pg_dist_colocation WHERE colocationid = 2\n"
              "here: DROP TABLE r\n"
              "1: DROP TABLE IF EXISTS public.r_102012 CASCADE\n"
              "2: DROP TABLE IF EXISTS public.r_102012 CASCADE\n"
              "3: DROP TABLE IF EXISTS public.r_102012 CASCADE\n"
              "1: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102012)\n"
              "1: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 'public.r'::regclass\n"
              "1: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'public.r'::regclass\n"
              "1: DROP TABLE IF EXISTS public.r\n");
  });
}

TEST_F(DefinitionChangeTest, TruncateEmptiesWhatRefersToTheTable) {
  run([](RecordingCluster& cluster) {
    done(cluster, "ALTER TABLE b ADD FOREIGN KEY (w) REFERENCES r");
    cluster.log();
    EXPECT_EQ(done(cluster, "TRUNCATE r").substr(0, 63),
              "!0A000 cannot truncate a table referenced in a foreign key cons");
    EXPECT_EQ(done(cluster, "TRUNCATE r CASCADE"),
              "here: TRUNCATE TABLE r CASCADE\n"
              "1: SET LOCAL search_path TO public\n"
              "1: TRUNCATE TABLE public.b, public.r CASCADE\n"
              "1: SET LOCAL search_path TO DEFAULT\n"
              "2: TRUNCATE TABLE public.b_102010 CASCADE\n"
              "3: TRUNCATE TABLE public.b_102011 CASCADE\n"
              "here: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "1: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "2: TRUNCATE TABLE public.r_102012 CASCADE\n"
              "3: TRUNCATE TABLE public.r_102012 CASCADE\n");
  });
}

TEST_F(DefinitionChangeTest, Views) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE VIEW va AS SELECT id FROM a"),
              "here: CREATE VIEW va AS SELECT id FROM a\n"
              "1: CREATE OR REPLACE VIEW public.va (id) AS  SELECT a.id\n"
              "   FROM public.a\n");
    EXPECT_EQ(done(cluster, "CREATE VIEW vl AS SELECT id FROM l"), "here: CREATE VIEW vl AS SELECT id FROM l\n");
    EXPECT_EQ(cluster.told(), "");
    EXPECT_NE(done(cluster, "CREATE VIEW vs AS SELECT shardid FROM pg_dist_shard").find("1: CREATE OR REPLACE VIEW"),
              std::string::npos);
    EXPECT_EQ(done(cluster, "CREATE VIEW mixed AS SELECT a.id FROM a, l"),
              "here: CREATE VIEW mixed AS SELECT a.id FROM a, l\n");
    EXPECT_EQ(cluster.told(),
              "WARNING \"view mixed\" has dependency to \"table l\" that is not in PolarCluster's metadata / \"view "
              "mixed\" will be created only locally\n");
    EXPECT_EQ(done(cluster, "ALTER VIEW va RENAME TO vb"),
              "here: ALTER VIEW va RENAME TO vb\n"
              "1: ALTER VIEW public.va RENAME TO vb\n");
    EXPECT_EQ(done(cluster, "DROP VIEW vb, vl"),
              "here: DROP VIEW vb, vl\n"
              "1: DROP VIEW IF EXISTS public.vb\n");
  });
}

TEST_F(DefinitionChangeTest, Schemas) {
  run([](RecordingCluster& cluster) {
    EXPECT_EQ(done(cluster, "CREATE SCHEMA s"),
              "here: CREATE SCHEMA s\n"
              "1: CREATE SCHEMA IF NOT EXISTS s\n"
              "2: CREATE SCHEMA IF NOT EXISTS s\n"
              "3: CREATE SCHEMA IF NOT EXISTS s\n");
    cluster.run_groups({2, 3});
    TableChange(cluster).distribute_schema("s");
    cluster.log();
    EXPECT_EQ(done(cluster, "CREATE TABLE s.t (id int)"),
              "here: CREATE TABLE s.t (id integer)\n"
              "here: SELECT pg_catalog.nextval('pg_catalog.pg_dist_shardid_seq'::regclass) FROM "
              "pg_catalog.generate_series(1, 1)\n"
              "3: CREATE SCHEMA IF NOT EXISTS s\n"
              "3: CREATE TABLE s.t_102013 (id integer)\n"
              "1: CREATE SCHEMA IF NOT EXISTS s\n"
              "1: CREATE TABLE s.t (id integer)\n"
              "here: INSERT INTO pg_catalog.pg_dist_partition VALUES ('s.t'::regclass, 'n', NULL, 3, 's')\n"
              "here: INSERT INTO pg_catalog.pg_dist_shard VALUES ('s.t'::regclass, 102013, 't', NULL, NULL)\n"
              "here: INSERT INTO pg_catalog.pg_dist_placement VALUES (50004, 102013, 1, 0, 3)\n"
              "1: INSERT INTO pg_catalog.pg_dist_partition VALUES ('s.t'::regclass, 'n', NULL, 3, 's')\n"
              "1: INSERT INTO pg_catalog.pg_dist_shard VALUES ('s.t'::regclass, 102013, 't', NULL, NULL)\n"
              "1: INSERT INTO pg_catalog.pg_dist_placement VALUES (50004, 102013, 1, 0, 3)\n"
              "here: SELECT id FROM s.t\n");
    EXPECT_EQ(done(cluster, "DROP SCHEMA s").substr(0, 8), "!2BP01 c");
    cluster.log();
    EXPECT_EQ(done(cluster, "DROP SCHEMA IF EXISTS nosuch"), "here: DROP SCHEMA IF EXISTS nosuch\n");
  });
}

TEST_F(DefinitionChangeTest, DropsSchemasWithWhatIsInThem) {
  run([](RecordingCluster& cluster) {
    cluster.session().run("CREATE SCHEMA s; ALTER TABLE b SET SCHEMA s");
    EXPECT_EQ(done(cluster, "DROP SCHEMA s CASCADE"),
              "here: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102010, 102011)\n"
              "here: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 's.b'::regclass\n"
              "here: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 's.b'::regclass\n"
              "here: DROP SCHEMA s CASCADE\n"
              "2: DROP TABLE IF EXISTS s.b_102010 CASCADE\n"
              "3: DROP TABLE IF EXISTS s.b_102011 CASCADE\n"
              "1: SET LOCAL search_path TO public\n"
              "1: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102010, 102011)\n"
              "1: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 's.b'::regclass\n"
              "1: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 's.b'::regclass\n"
              "1: DROP TABLE IF EXISTS s.b CASCADE\n"
              "1: SET LOCAL search_path TO DEFAULT\n"
              "1: SET LOCAL search_path TO public\n"
              "1: DROP SCHEMA IF EXISTS s CASCADE\n"
              "2: DROP SCHEMA IF EXISTS s CASCADE\n"
              "3: DROP SCHEMA IF EXISTS s CASCADE\n"
              "1: SET LOCAL search_path TO DEFAULT\n");
  });
}

}  // namespace
}  // namespace polarsim::engine::cluster
