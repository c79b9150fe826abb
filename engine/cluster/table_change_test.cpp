#include "engine/cluster/table_change.h"

#include <gtest/gtest.h>

#include "engine/cluster/recording_cluster_test_support.h"

namespace polarsim::engine::cluster {
namespace {

DistributionRequest by(const char* column) {
  DistributionRequest request;
  request.column = column;
  return request;
}

void distribute(RecordingCluster& cluster, const char* table, const DistributionRequest& request) {
  TableChange(cluster).create_distributed_table(cluster.id(table), request);
}

// "t h id 1: 102008(-2147483648..-1)@2 ...", a line for each table.
std::string metadata(RecordingCluster& cluster) {
  std::string text;
  for (const RelationId id : cluster.distributed_tables()) {
    const auto table = cluster.find_distribution(id);
    text += cluster.catalog().find(nullptr, id)->description->name;
    text += std::string(" ") + static_cast<char>(table->method) + " " + std::to_string(table->column) + " " +
            std::to_string(table->colocation_id) + ":";
    for (const auto& shard : table->shards) {
      text +=
          " " + std::to_string(shard.id) + "(" + std::to_string(shard.low) + ".." + std::to_string(shard.high) + ")";
      for (const int group : shard.groups) text += "@" + std::to_string(group);
    }
    text += "\n";
  }
  return text;
}

TEST(TableChange, CreatesADistributedTable) {
  with_cluster(
      [](RecordingCluster& cluster) {
        distribute(cluster, "t", by("id"));
        EXPECT_EQ(
            cluster.log(),
            "here: LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE\n"
            "here: SELECT pg_catalog.nextval('pg_catalog.pg_dist_colocationid_seq'::regclass)\n"
            "here: SELECT pg_catalog.nextval('pg_catalog.pg_dist_shardid_seq'::regclass) FROM "
            "pg_catalog.generate_series(1, 2)\n"
            "here: INSERT INTO pg_catalog.pg_dist_colocation VALUES (1, 2, 1, 23, 0)\n"
            "1: INSERT INTO pg_catalog.pg_dist_colocation VALUES (1, 2, 1, 23, 0)\n"
            "2: CREATE TABLE public.t_102008 (id integer NOT NULL, v text, CONSTRAINT t_pkey_102008 PRIMARY KEY (id))\n"
            "2: CREATE INDEX i_102008 ON public.t_102008 USING btree (v)\n"
            "3: CREATE TABLE public.t_102009 (id integer NOT NULL, v text, CONSTRAINT t_pkey_102009 PRIMARY KEY (id))\n"
            "3: CREATE INDEX i_102009 ON public.t_102009 USING btree (v)\n"
            "1: CREATE SEQUENCE public.t_id_seq AS integer START WITH 268435457 INCREMENT BY 1 MINVALUE 268435457 "
            "MAXVALUE 536870912\n"
            "1: CREATE TABLE public.t (id integer NOT NULL DEFAULT nextval('public.t_id_seq'::regclass), v text "
            "DEFAULT 'x'::text, CONSTRAINT t_pkey PRIMARY KEY (id))\n"
            "1: ALTER SEQUENCE public.t_id_seq OWNED BY public.t.id\n"
            "1: CREATE INDEX i ON public.t USING btree (v)\n"
            "here: INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.t'::regclass, 'h', 'id', 1, 's')\n"
            "here: INSERT INTO pg_catalog.pg_dist_shard VALUES ('public.t'::regclass, 102008, 't', '-2147483648', "
            "'-1'), ('public.t'::regclass, 102009, 't', '0', '2147483647')\n"
            "here: INSERT INTO pg_catalog.pg_dist_placement VALUES (3, 102008, 1, 0, 2), (10004, 102009, 1, 0, 3)\n"
            "1: INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.t'::regclass, 'h', 'id', 1, 's')\n"
            "1: INSERT INTO pg_catalog.pg_dist_shard VALUES ('public.t'::regclass, 102008, 't', '-2147483648', '-1'), "
            "('public.t'::regclass, 102009, 't', '0', '2147483647')\n"
            "1: INSERT INTO pg_catalog.pg_dist_placement VALUES (3, 102008, 1, 0, 2), (10004, 102009, 1, 0, 3)\n"
            "here: SELECT id, v FROM public.t\n");
        EXPECT_EQ(metadata(cluster), "t h 1 1: 102008(-2147483648..-1)@2 102009(0..2147483647)@3\n");
        EXPECT_EQ(cluster.told(), "");
      },
      "CREATE TABLE t (id serial PRIMARY KEY, v text DEFAULT 'x'); CREATE INDEX i ON t (v)");
}

TEST(TableChange, MovesTheRowsThatAreThere) {
  with_cluster(
      [](RecordingCluster& cluster) {
        cluster.run_groups({2, 3});
        distribute(cluster, "t", by("id"));
        EXPECT_EQ(cluster.told(), "NOTICE Copying data from local table...\nNOTICE copying the data has completed\n");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM t"), "0");
        EXPECT_EQ(cluster.session().run("SELECT * FROM t_102008 ORDER BY id"),
                  "1|it's 1|2;3|null|6;4|it's 4|8;5|it's 5|10");
        EXPECT_EQ(cluster.session().run("SELECT * FROM t_102009 ORDER BY id"), "2|it's 2|4;6|it's 6|12");
      },
      "CREATE TABLE t (id int, v text, twice int GENERATED ALWAYS AS (id * 2) STORED);"
      "INSERT INTO t SELECT g, CASE WHEN g <> 3 THEN 'it''s ' || g END FROM generate_series(1, 6) g");
}

TEST(TableChange, RefusesNullInTheDistributionColumn) {
  with_cluster(
      [](RecordingCluster& cluster) {
        EXPECT_EQ(refusal([&] { distribute(cluster, "t", by("id")); }),
                  "22004 the partition column of table public.t cannot be NULL");
      },
      "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (NULL)");
}

TEST(TableChange, ColocatesTablesOfOneType) {
  with_cluster(
      [](RecordingCluster& cluster) {
        distribute(cluster, "a", by("id"));
        distribute(cluster, "b", by("id"));
        DistributionRequest alone = by("id");
        alone.colocate_with = "none";
        distribute(cluster, "c", alone);
        DistributionRequest with_c = by("id");
        with_c.colocate_with = "\"c\"";
        distribute(cluster, "d", with_c);
        distribute(cluster, "e", by("id"));
        DistributionRequest three = by("id");
        three.shard_count = 3;
        distribute(cluster, "f", three);
        EXPECT_EQ(metadata(cluster),
                  "a h 1 1: 102008(-2147483648..-1)@2 102009(0..2147483647)@3\n"
                  "b h 1 1: 102010(-2147483648..-1)@2 102011(0..2147483647)@3\n"
                  "c h 1 2: 102012(-2147483648..-1)@2 102013(0..2147483647)@3\n"
                  "d h 1 2: 102014(-2147483648..-1)@2 102015(0..2147483647)@3\n"
                  "e h 1 3: 102016(-2147483648..-1)@2 102017(0..2147483647)@3\n"
                  "f h 1 4: 102018(-2147483648..-715827884)@2 102019(-715827883..715827881)@3 "
                  "102020(715827882..2147483647)@2\n");
        EXPECT_EQ(cluster.session().run("SELECT colocationid, shardcount, replicationfactor, distributioncolumntype, "
                                        "distributioncolumncollation FROM pg_dist_colocation ORDER BY 1"),
                  "1|2|1|23|0;2|2|1|23|0;3|2|1|25|100;4|3|1|23|0");
      },
      "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int); CREATE TABLE d (id int);"
      "CREATE TABLE e (id text); CREATE TABLE f (id int)");
}

TEST(TableChange, CreatesReferenceAndSingleShardTables) {
  with_cluster(
      [](RecordingCluster& cluster) {
        TableChange(cluster).create_reference_table(cluster.id("r"));
        EXPECT_EQ(
            cluster.log(),
            "here: LOCK TABLE public.r IN ACCESS EXCLUSIVE MODE\n"
            "here: SELECT pg_catalog.nextval('pg_catalog.pg_dist_shardid_seq'::regclass) FROM "
            "pg_catalog.generate_series(1, 1)\n"
            "here: SELECT pg_catalog.nextval('pg_catalog.pg_dist_colocationid_seq'::regclass)\n"
            "here: INSERT INTO pg_catalog.pg_dist_colocation VALUES (1, 1, -1, 0, 0)\n"
            "1: INSERT INTO pg_catalog.pg_dist_colocation VALUES (1, 1, -1, 0, 0)\n"
            "here: CREATE TABLE public.r_102008 (id integer NOT NULL, CONSTRAINT r_pkey_102008 PRIMARY KEY (id))\n"
            "1: CREATE TABLE public.r_102008 (id integer NOT NULL, CONSTRAINT r_pkey_102008 PRIMARY KEY (id))\n"
            "2: CREATE TABLE public.r_102008 (id integer NOT NULL, CONSTRAINT r_pkey_102008 PRIMARY KEY (id))\n"
            "3: CREATE TABLE public.r_102008 (id integer NOT NULL, CONSTRAINT r_pkey_102008 PRIMARY KEY (id))\n"
            "1: CREATE TABLE public.r (id integer NOT NULL, CONSTRAINT r_pkey PRIMARY KEY (id))\n"
            "here: INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.r'::regclass, 'n', NULL, 1, 't')\n"
            "here: INSERT INTO pg_catalog.pg_dist_shard VALUES ('public.r'::regclass, 102008, 't', NULL, NULL)\n"
            "here: INSERT INTO pg_catalog.pg_dist_placement VALUES (1, 102008, 1, 0, 0), (2, 102008, 1, 0, 1), (3, "
            "102008, 1, 0, 2), (4, 102008, 1, 0, 3)\n"
            "1: INSERT INTO pg_catalog.pg_dist_partition VALUES ('public.r'::regclass, 'n', NULL, 1, 't')\n"
            "1: INSERT INTO pg_catalog.pg_dist_shard VALUES ('public.r'::regclass, 102008, 't', NULL, NULL)\n"
            "1: INSERT INTO pg_catalog.pg_dist_placement VALUES (1, 102008, 1, 0, 0), (2, 102008, 1, 0, 1), (3, "
            "102008, 1, 0, 2), (4, 102008, 1, 0, 3)\n"
            "here: SELECT id FROM public.r\n"
            "here: INSERT INTO public.r_102008 (id) VALUES ('1')\n"
            "1: INSERT INTO public.r_102008 (id) VALUES ('1')\n"
            "2: INSERT INTO public.r_102008 (id) VALUES ('1')\n"
            "3: INSERT INTO public.r_102008 (id) VALUES ('1')\n"
            "here: SELECT 1 FROM public.r LIMIT 1\n"
            "here: DELETE FROM public.r\n"
            "here: SELECT 1 FROM public.r LIMIT 1\n");
        distribute(cluster, "one", {});
        DistributionRequest alone;
        alone.colocate_with = "none";
        distribute(cluster, "two", alone);
        EXPECT_EQ(metadata(cluster),
                  "r r 0 1: 102008(-2147483648..2147483647)@0@1@2@3\n"
                  "one s 0 2: 102009(-2147483648..2147483647)@2\n"
                  "two s 0 3: 102010(-2147483648..2147483647)@3\n");
      },
      "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE one (x int); CREATE TABLE two (x int);"
      "INSERT INTO r VALUES (1)");
}

TEST(TableChange, LinksShardsByForeignKeys) {
  with_cluster(
      [](RecordingCluster& cluster) {
        TableChange(cluster).create_reference_table(cluster.id("r"));
        distribute(cluster, "a", by("id"));
        cluster.log();
        distribute(cluster, "b", by("a_id"));
        std::string links;
        const std::string log = cluster.log();
        for (std::size_t at = 0; (at = log.find("FOREIGN KEY", at)) != std::string::npos; ++at) {
          const std::size_t begin = log.rfind('\n', at) + 1;
          links += log.substr(begin, log.find('\n', at) + 1 - begin);
        }
        EXPECT_EQ(links,
                  "2: ALTER TABLE public.b_102011 ADD CONSTRAINT b_a_id_fkey_102011 FOREIGN KEY (a_id) REFERENCES "
                  "public.a_102009(id) ON DELETE CASCADE\n"
                  "3: ALTER TABLE public.b_102012 ADD CONSTRAINT b_a_id_fkey_102012 FOREIGN KEY (a_id) REFERENCES "
                  "public.a_102010(id) ON DELETE CASCADE\n"
                  "2: ALTER TABLE public.b_102011 ADD CONSTRAINT b_r_id_fkey_102011 FOREIGN KEY (r_id) REFERENCES "
                  "public.r_102008(id)\n"
                  "3: ALTER TABLE public.b_102012 ADD CONSTRAINT b_r_id_fkey_102012 FOREIGN KEY (r_id) REFERENCES "
                  "public.r_102008(id)\n"
                  "1: ALTER TABLE public.b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES public.a(id) ON "
                  "DELETE CASCADE\n"
                  "1: ALTER TABLE public.b ADD CONSTRAINT b_r_id_fkey FOREIGN KEY (r_id) REFERENCES public.r(id)\n");
      },
      "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, up int);"
      "CREATE TABLE b (a_id int REFERENCES a ON DELETE CASCADE, r_id int REFERENCES r)");
}

TEST(TableChange, RefusesWhatTheRelativeRefuses) {
  with_cluster(
      [](RecordingCluster& cluster) {
        const auto outcome = [&](const char* table, const DistributionRequest& request) {
          return refusal([&] { distribute(cluster, table, request); });
        };
        DistributionRequest request = by("nope");
        EXPECT_EQ(outcome("t", request), "42703 column \"nope\" of relation \"t\" does not exist");
        EXPECT_EQ(
            outcome("t", by("j")),
            "42704 data type json has no default operator class for specified partition method / Partition column "
            "types must have a default operator class defined.");
        EXPECT_EQ(outcome("v", by("id")), "42809 v is not a regular, foreign or partitioned table");
        request = by("id");
        request.shard_count = 0;
        EXPECT_EQ(outcome("t", request),
                  "XX000 0 is outside the valid range for parameter \"shard_count\" (1 .. 64000)");
        request.shard_count = 4;
        request.colocate_with = "t";
        EXPECT_EQ(outcome("t", request),
                  "XX000 Cannot use colocate_with with a table and shard_count at the same time");
        request = by("id");
        request.distribution_type = "bogus";
        EXPECT_EQ(outcome("t", request),
                  "22P02 invalid input value for enum polar_cluster.distribution_type: \"bogus\"");
        EXPECT_EQ(outcome("k", by("x")).substr(0, 37), "0A000 cannot create constraint on \"k\"");
        EXPECT_EQ(outcome("fk", by("id")).substr(0, 83),
                  "42P16 referenced table \"k\" must be a distributed table or a reference table / To en");
        request = {};
        request.shard_count = 4;
        EXPECT_EQ(outcome("t", request).substr(0, 60), "XX000 shard_count can't be specified when the distribution c");
        distribute(cluster, "t", by("id"));
        EXPECT_EQ(outcome("t", by("id")), "42P16 table \"t\" is already distributed");
        request = by("id");
        request.colocate_with = "t";
        EXPECT_EQ(outcome("texts", request),
                  "XX000 cannot colocate tables t and texts / Distribution column types don't match for t and texts.");
        request.colocate_with = "fk";
        EXPECT_EQ(outcome("texts", request), "XX000 relation fk is not distributed");
        request.colocate_with = "nosuch";
        EXPECT_EQ(outcome("texts", request), "42P01 relation \"nosuch\" does not exist");
        cluster.session().run("CREATE TABLE r (id int)");
        TableChange(cluster).create_reference_table(cluster.id("r"));
        const auto shard = cluster.find_distribution(cluster.id("r"))->shards.front().id;
        const std::string name = "r_" + std::to_string(shard);
        EXPECT_EQ(outcome(name.c_str(), by("id")), "42809 relation \"" + name + "\" is a shard relation");
      },
      "CREATE TABLE t (id int, j json); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE k (id int PRIMARY KEY, x int);"
      "CREATE TABLE fk (id int REFERENCES k); CREATE TABLE texts (id text)");
}

TEST(TableChange, DropsShardsAndMetadataAroundTheTable) {
  with_cluster(
      [](RecordingCluster& cluster) {
        distribute(cluster, "t", by("id"));
        cluster.log();
        TableChange change(cluster);
        change.before_drop({cluster.id("t")}, true);
        cluster.session().run("DROP TABLE t");
        change.after_drop({{"public"}, {}});
        EXPECT_EQ(cluster.log(),
                  "here: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102008, 102009)\n"
                  "here: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 'public.t'::regclass\n"
                  "here: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'public.t'::regclass\n"
                  "here: SELECT 1 FROM pg_catalog.pg_dist_schema WHERE colocationid = 1 LIMIT 1\n"
                  "here: DELETE FROM pg_catalog.pg_dist_colocation WHERE colocationid = 1\n"
                  "1: DELETE FROM pg_catalog.pg_dist_colocation WHERE colocationid = 1\n"
                  "2: DROP TABLE IF EXISTS public.t_102008 CASCADE\n"
                  "3: DROP TABLE IF EXISTS public.t_102009 CASCADE\n"
                  "1: SET LOCAL search_path TO public\n"
                  "1: DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (102008, 102009)\n"
                  "1: DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 'public.t'::regclass\n"
                  "1: DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'public.t'::regclass\n"
                  "1: DROP TABLE IF EXISTS public.t CASCADE\n"
                  "1: SET LOCAL search_path TO DEFAULT\n");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM pg_dist_partition"), "0");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM pg_dist_shard"), "0");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM pg_dist_placement"), "0");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM pg_dist_colocation"), "0");
      },
      "CREATE TABLE t (id int)");
}

TEST(TableChange, UndistributesATable) {
  with_cluster(
      [](RecordingCluster& cluster) {
        cluster.run_groups({2, 3});
        distribute(cluster, "t", by("id"));
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM t"), "0");
        cluster.told();
        TableChange(cluster).undistribute_table(cluster.id("t"), false);
        EXPECT_EQ(cluster.told(),
                  "NOTICE creating a new table for public.t\nNOTICE moving the data of public.t\n"
                  "NOTICE dropping the old public.t\nNOTICE renaming the new table to public.t\n");
        EXPECT_EQ(cluster.session().run("SELECT * FROM t ORDER BY id"), "1|1;2|2;3|3");
        EXPECT_EQ(metadata(cluster), "");
        EXPECT_EQ(cluster.id("t_102008"), 0U);
        EXPECT_EQ(refusal([&] { TableChange(cluster).undistribute_table(cluster.id("t"), false); }),
                  "XX000 cannot undistribute table because the table is not distributed");
      },
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, v int); INSERT INTO t (v) VALUES (1), (2), (3)");
}

TEST(TableChange, UndistributesWhatForeignKeysConnect) {
  with_cluster(
      [](RecordingCluster& cluster) {
        cluster.run_groups({2, 3});
        distribute(cluster, "a", by("id"));
        distribute(cluster, "b", by("id"));
        EXPECT_EQ(
            refusal([&] { TableChange(cluster).undistribute_table(cluster.id("b"), false); }),
            "XX000 cannot complete operation because table b has a foreign key / Use cascade option to undistribute "
            "all the relations involved in a foreign key relationship with public.b by executing SELECT "
            "undistribute_table($$public.b$$, cascade_via_foreign_keys=>true)");
        EXPECT_EQ(refusal([&] { TableChange(cluster).undistribute_table(cluster.id("a"), false); }).substr(0, 81),
                  "XX000 cannot complete operation because table a is referenced by a foreign key / ");
        TableChange(cluster).undistribute_table(cluster.id("b"), true);
        EXPECT_EQ(metadata(cluster), "");
        EXPECT_EQ(cluster.session().run("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)"), "2|1");
        EXPECT_EQ(cluster.session().outcome("ALTER TABLE b DROP CONSTRAINT b_id_fkey"), "ALTER TABLE");
      },
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int);"
      "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (2); ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a");
}

TEST(TableChange, AltersADistributedTable) {
  with_cluster(
      [](RecordingCluster& cluster) {
        cluster.run_groups({2, 3});
        distribute(cluster, "t", by("id"));
        distribute(cluster, "u", by("id"));
        const auto alter = [&](const char* table, const AlterRequest& request) {
          return refusal([&] { TableChange(cluster).alter_distributed_table(cluster.id(table), request); });
        };
        EXPECT_EQ(alter("t", {}),
                  "XX000 you have to specify at least one of the distribution_column, shard_count or colocate_with "
                  "parameters");
        AlterRequest request;
        request.shard_count = 2;
        EXPECT_EQ(alter("t", request).substr(0, 61), "XX000 this call doesn't change any properties of the table / ");
        request.shard_count = 3;
        EXPECT_EQ(alter("t", request).substr(0, 51), "XX000 cascade_to_colocated parameter is necessary /");
        request.cascade_to_colocated = true;
        cluster.log();
        EXPECT_EQ(alter("t", request), "");
        EXPECT_EQ(metadata(cluster),
                  "t h 1 2: 102012(-2147483648..-715827884)@2 102013(-715827883..715827881)@3 "
                  "102014(715827882..2147483647)@2\n"
                  "u h 1 2: 102015(-2147483648..-715827884)@2 102016(-715827883..715827881)@3 "
                  "102017(715827882..2147483647)@2\n");
        EXPECT_EQ(cluster.session().run("SELECT (SELECT count(*) FROM t_102012) + (SELECT count(*) FROM t_102013) + "
                                        "(SELECT count(*) FROM t_102014)"),
                  "4");
        EXPECT_EQ(cluster.id("t_102008"), 0U);
        AlterRequest other_column;
        other_column.column = "v";
        EXPECT_EQ(alter("t", other_column), "");
        EXPECT_EQ(cluster.session().run("SELECT partkey, colocationid FROM pg_dist_partition ORDER BY 1"), "id|2;v|2");
      },
      "CREATE TABLE t (id int, v int); CREATE TABLE u (id int); INSERT INTO t SELECT g, g FROM generate_series(1, 4) "
      "g");
}

TEST(TableChange, DistributesSchemas) {
  with_cluster(
      [](RecordingCluster& cluster) {
        cluster.run_groups({2, 3});
        TableChange change(cluster);
        EXPECT_EQ(refusal([&] { change.distribute_schema("public"); }), "XX000 public schema cannot be distributed");
        change.distribute_schema("s");
        EXPECT_EQ(
            cluster.told(),
            "NOTICE distributing the schema s\nNOTICE Copying data from local table...\nNOTICE copying the data has "
            "completed\nNOTICE Copying data from local table...\nNOTICE copying the data has completed\n");
        EXPECT_EQ(metadata(cluster),
                  "a s 0 1: 102008(-2147483648..2147483647)@3\n"
                  "b s 0 1: 102009(-2147483648..2147483647)@3\n");
        EXPECT_EQ(cluster.session().run("SELECT table_name::text, polar_cluster_table_type, distribution_column, "
                                        "colocation_id, shard_count FROM polar_cluster_tables ORDER BY table_name"),
                  "s.a|schema|<none>|1|1;s.b|schema|<none>|1|1");
        EXPECT_EQ(cluster.session().run("SELECT schemaid::text, colocationid FROM pg_dist_schema"), "s|1");
        change.distribute_schema("s");
        EXPECT_EQ(cluster.told(), "NOTICE schema s is already distributed\n");
        EXPECT_EQ(
            refusal([&] { change.undistribute_table(cluster.catalog().find_in_schema(nullptr, "s", "a")->id, false); }),
            "XX000 s.a is not allowed for undistribute_table because it belongs to a distributed schema");
        change.undistribute_schema("s");
        EXPECT_EQ(cluster.session().run("SELECT (SELECT count(*) FROM s.a), (SELECT count(*) FROM s.b)"), "2|1");
        EXPECT_EQ(cluster.session().run("SELECT count(*) FROM pg_dist_colocation"), "0");
        EXPECT_EQ(refusal([&] { change.undistribute_schema("s"); }), "XX000 schema s is not distributed");
      },
      "CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE s.b (id int REFERENCES s.a);"
      "INSERT INTO s.a VALUES (1), (2); INSERT INTO s.b VALUES (2)");
}

TEST(TableChange, MakesViewsWhereTheirTablesAre) {
  with_cluster(
      [](RecordingCluster& cluster) {
        distribute(cluster, "t", by("id"));
        const std::string log = cluster.log();
        EXPECT_NE(log.find("1: CREATE OR REPLACE VIEW public.v (id) AS  SELECT"), std::string::npos) << log;
        EXPECT_EQ(log.find("mixed"), std::string::npos) << log;
      },
      "CREATE TABLE t (id int); CREATE TABLE l (id int); CREATE VIEW v AS SELECT id FROM t;"
      "CREATE VIEW mixed AS SELECT t.id FROM t, l");
}

}  // namespace
}  // namespace polarsim::engine::cluster
