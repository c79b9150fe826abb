#include "engine/cluster/ddl_rewrite.h"

#include <gtest/gtest.h>

#include "engine/cluster/recording_cluster_test_support.h"
#include "engine/cluster/shard_definition.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {
namespace {

struct Case {
  const char* statement;
  const char* expected;
};

std::string for_shard_text(const syntax::Statement& statement) {
  ShardTarget target;
  target.schema = "s";
  target.shard_id = 102008;
  catalog::Definition table;
  table.name = "t";
  table.columns.resize(1);
  table.columns[0].name = "v";
  target.table = std::make_shared<const catalog::Definition>(std::move(table));
  target.referenced = [](const syntax::TableName& written) {
    syntax::TableName name = written;
    name.schema = "s";
    name.name += "_102030";
    return name;
  };
  std::string texts;
  for (const syntax::Statement& each : for_shard(statement, target))
    texts += (texts.empty() ? "" : "; ") + syntax::deparse(each);
  return texts;
}

TEST(DdlRewrite, GivesStatementsTheNamesOfAShard) {
  const Case cases[] = {
      {"CREATE UNIQUE INDEX CONCURRENTLY i ON t (v, (lower(t.s))) INCLUDE (w) WHERE public.t.v > 3",
       "CREATE UNIQUE INDEX i_102008 ON s.t_102008 (v, (lower(s))) INCLUDE (w) WHERE v > 3"},
      {"ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 5 CONSTRAINT k CHECK (c > 0)",
       "ALTER TABLE s.t_102008 ADD COLUMN c integer NOT NULL DEFAULT 5 CONSTRAINT k_102008 CHECK (c > 0); ALTER TABLE "
       "s.t_102008 ALTER COLUMN c DROP DEFAULT"},
      {"ALTER TABLE t ADD COLUMN c int CONSTRAINT f REFERENCES r (id) ON DELETE CASCADE",
       "ALTER TABLE s.t_102008 ADD COLUMN c integer CONSTRAINT f_102008 REFERENCES s.r_102030 (id) ON DELETE CASCADE"},
      {"ALTER TABLE IF EXISTS ONLY t DROP COLUMN IF EXISTS c CASCADE, ALTER COLUMN v TYPE bigint USING t.v * 2",
       "ALTER TABLE IF EXISTS ONLY s.t_102008 DROP COLUMN IF EXISTS c CASCADE, ALTER COLUMN v TYPE bigint USING v * 2"},
      {"ALTER TABLE t ALTER COLUMN v SET NOT NULL, ALTER w DROP NOT NULL, ALTER v SET DEFAULT 4, OWNER TO polar",
       "ALTER TABLE s.t_102008 ALTER COLUMN v SET NOT NULL, ALTER COLUMN w DROP NOT NULL"},
      {"ALTER TABLE t ALTER COLUMN v SET DEFAULT 4", ""},
      {"ALTER TABLE t SET (fillfactor = 70)", "ALTER TABLE s.t_102008 SET (fillfactor = 70)"},
      {"ALTER TABLE t ADD CONSTRAINT k UNIQUE (id, v)",
       "ALTER TABLE s.t_102008 ADD CONSTRAINT k_102008 UNIQUE (id, v)"},
      {"ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES public.r NOT VALID",
       "ALTER TABLE s.t_102008 ADD CONSTRAINT f_102008 FOREIGN KEY (w) REFERENCES s.r_102030 NOT VALID"},
      {"ALTER TABLE t ADD CONSTRAINT k CHECK (t IS NOT NULL AND t.* IS NOT NULL AND t.v > 0)",
       "ALTER TABLE s.t_102008 ADD CONSTRAINT k_102008 CHECK ((t_102008 IS NOT NULL) AND (t_102008.* IS NOT NULL) AND "
       "(v > "
       "0))"},
      {"ALTER TABLE t VALIDATE CONSTRAINT f", "ALTER TABLE s.t_102008 VALIDATE CONSTRAINT f_102008"},
      {"ALTER TABLE t DROP CONSTRAINT IF EXISTS k CASCADE",
       "ALTER TABLE s.t_102008 DROP CONSTRAINT IF EXISTS k_102008 CASCADE"},
      {"ALTER TABLE t RENAME TO \"T\"", "ALTER TABLE s.t_102008 RENAME TO \"T_102008\""},
      {"ALTER TABLE t RENAME COLUMN a TO b", "ALTER TABLE s.t_102008 RENAME COLUMN a TO b"},
      {"ALTER TABLE t RENAME CONSTRAINT k TO l", "ALTER TABLE s.t_102008 RENAME CONSTRAINT k_102008 TO l_102008"},
      {"ALTER INDEX i RENAME TO j", "ALTER INDEX s.i_102008 RENAME TO j_102008"},
      {"ALTER TABLE t SET SCHEMA z", "ALTER TABLE s.t_102008 SET SCHEMA z"},
      {"DROP INDEX CONCURRENTLY i", "DROP INDEX IF EXISTS s.i_102008 CASCADE"},
      {"DROP TABLE t", "DROP TABLE IF EXISTS s.t_102008 CASCADE"},
      {"TRUNCATE t RESTART IDENTITY", "TRUNCATE TABLE s.t_102008 CASCADE"},
      {"COMMENT ON TABLE t IS 'x'", ""},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(for_shard_text(*syntax::parse(each.statement).at(0)), each.expected) << each.statement;
  }
}

TEST(DdlRewrite, TellsWhatAStatementWorksOn) {
  const auto names = [](const char* text) {
    const auto statement = syntax::parse(text).at(0);
    std::string list;
    for (const syntax::TableName& name : changed_relations(*statement)) list += name.name + " ";
    list += "->";
    for (const syntax::TableName& name : referenced_relations(*statement)) list += " " + name.name;
    return list;
  };
  EXPECT_EQ(names("DROP TABLE a, s.b CASCADE"), "a b ->");
  EXPECT_EQ(names("ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b, ADD COLUMN y int REFERENCES c"), "a -> b c");
  EXPECT_EQ(names("CREATE TABLE a (x int REFERENCES b, FOREIGN KEY (x) REFERENCES c)"), "-> c b");
  EXPECT_EQ(names("TRUNCATE a, b"), "a b ->");
  EXPECT_EQ(names("ALTER SCHEMA a RENAME TO b"), "->");
  EXPECT_EQ(names("DROP SCHEMA a"), "->");
}

TEST(DdlRewrite, RenamesWhatAStatementWorksOn) {
  const auto statement = syntax::parse("ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b").at(0);
  EXPECT_EQ(syntax::deparse(with_names(*statement,
                                       [](const syntax::TableName& written) {
                                         syntax::TableName name = written;
                                         name.schema = "s";
                                         return name;
                                       })),
            "ALTER TABLE s.a ADD FOREIGN KEY (x) REFERENCES s.b");
}

// --- what is refused ---

TEST(DdlRewrite, RefusesWhatADistributedTableCannotHave) {
  testing::with_node(
      [](testing::TestNode& node) {
        const auto& catalog = node.instance().database().catalog();
        const auto parts = [&](const char* name) {
          return table_parts(catalog, nullptr, catalog.find_in_schema(nullptr, "public", name)->id);
        };
        const TableParts t = parts("t");
        distribution::TableDistribution hashed;
        hashed.column = 1;
        hashed.type = TypeId::int4;
        hashed.colocation_id = 1;
        distribution::TableDistribution reference;
        reference.method = distribution::Method::reference;
        const auto outcome = [&](const char* text, const distribution::TableDistribution& distribution) {
          return refusal([&] {
            const auto statement = syntax::parse(text).at(0);
            if (const auto* alter = std::get_if<syntax::AlterTable>(&statement->body))
              check_alter_table(*alter, *t.table, distribution);
            if (const auto* create = std::get_if<syntax::CreateIndex>(&statement->body))
              check_create_index(*create, *t.table, distribution);
          });
        };
        const std::string column = "XX000 cannot execute ALTER TABLE command involving partition column";
        const Case cases[] = {
            {"ALTER TABLE t DROP COLUMN id", column.c_str()},
            {"ALTER TABLE t ALTER COLUMN id TYPE bigint", column.c_str()},
            {"ALTER TABLE t ALTER COLUMN id DROP NOT NULL", column.c_str()},
            {"ALTER TABLE t ALTER COLUMN id SET DEFAULT 1", column.c_str()},
            {"ALTER TABLE t ALTER COLUMN v TYPE bigint", ""},
            {"ALTER TABLE t ALTER COLUMN n TYPE bigint",
             "XX000 cannot execute ALTER COLUMN TYPE .. command because the column involves a default coming from a "
             "sequence"},
            {"ALTER TABLE t ADD COLUMN c serial",
             "0A000 cannot execute ADD COLUMN commands involving serial pseudotypes when metadata is synchronized to "
             "workers"},
            {"ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS IDENTITY",
             "0A000 cannot execute ADD COLUMN commands involving identity columns when metadata is synchronized to "
             "workers"},
            {"ALTER TABLE t ADD CHECK (v > 0), ADD COLUMN c int",
             "0A000 cannot execute ADD CONSTRAINT command with other subcommands / You can issue each subcommand "
             "separately"},
            {"ALTER TABLE t ALTER COLUMN v DROP IDENTITY",
             "0A000 alter table command is currently unsupported / Only ADD|DROP COLUMN, SET|DROP NOT NULL, SET|DROP "
             "DEFAULT, ADD|DROP|VALIDATE CONSTRAINT, SET (), RESET (), ENABLE|DISABLE|NO FORCE|FORCE ROW LEVEL "
             "SECURITY, ATTACH|DETACH PARTITION and TYPE subcommands are supported."},
            {"CREATE UNIQUE INDEX i ON t (v)",
             "0A000 creating unique indexes on non-partition columns is currently unsupported"},
            {"CREATE UNIQUE INDEX i ON t (v, id)", ""},
            {"CREATE INDEX i ON t (v)", ""},
        };
        for (const Case& each : cases) EXPECT_EQ(outcome(each.statement, hashed), each.expected) << each.statement;
        EXPECT_EQ(outcome("ALTER TABLE t DROP COLUMN id", reference), "");
        EXPECT_EQ(outcome("CREATE UNIQUE INDEX i ON t (v)", reference), "");
        EXPECT_EQ(outcome("ALTER TABLE t ADD COLUMN c double precision DEFAULT random()", hashed), "");
        EXPECT_EQ(outcome("ALTER TABLE t ADD COLUMN c double precision DEFAULT random()", reference).substr(0, 5),
                  "0A000");
        EXPECT_EQ(refusal([&] { check_unique_index(*t.indexes.at(0), *t.table, 2); }),
                  "0A000 cannot create constraint on \"t\" / Distributed relations cannot have UNIQUE, EXCLUDE, or "
                  "PRIMARY KEY constraints that do not include the partition column (with an equality operator if "
                  "EXCLUDE).");
      },
      "CREATE TABLE t (id int PRIMARY KEY, v int, n serial, s text)");
}

TEST(DdlRewrite, RefusesForeignKeysBetweenRowsOfDifferentNodes) {
  testing::with_node(
      [](testing::TestNode& node) {
        const auto& catalog = node.instance().database().catalog();
        const auto a = catalog.find_in_schema(nullptr, "public", "a");
        const auto b = catalog.find_in_schema(nullptr, "public", "b");
        distribution::TableDistribution hashed;
        hashed.column = 1;
        hashed.type = TypeId::int4;
        hashed.colocation_id = 1;
        distribution::TableDistribution elsewhere = hashed;
        elsewhere.colocation_id = 2;
        distribution::TableDistribution reference;
        reference.method = distribution::Method::reference;
        const auto outcome = [&](std::size_t key, const distribution::TableDistribution& from,
                                 const distribution::TableDistribution* to) {
          return refusal([&] {
            check_foreign_key({b->id, b->description.get(), &from}, b->description->foreign_keys.at(key),
                              {a->id, a->description.get(), to});
          });
        };
        EXPECT_EQ(outcome(0, hashed, &hashed), "");
        EXPECT_EQ(outcome(1, hashed, &reference), "");
        EXPECT_EQ(outcome(1, reference, &reference), "");
        EXPECT_EQ(outcome(0, hashed, nullptr).substr(0, 87),
                  "42P16 referenced table \"a\" must be a distributed table or a reference table / To enforc");
        EXPECT_EQ(outcome(0, hashed, &elsewhere).substr(0, 84),
                  "0A000 cannot create foreign key constraint since relations are not colocated or not ");
        EXPECT_EQ(outcome(1, hashed, &hashed).substr(0, 80),
                  "0A000 cannot create foreign key constraint / Foreign keys are supported in two c");
        EXPECT_EQ(outcome(2, hashed, &hashed).substr(0, 80),
                  "0A000 cannot create foreign key constraint / SET NULL or SET DEFAULT is not supp");
        EXPECT_EQ(outcome(3, hashed, &hashed).substr(0, 80),
                  "0A000 cannot create foreign key constraint / SET NULL, SET DEFAULT or CASCADE is");
        EXPECT_EQ(outcome(0, reference, &hashed).substr(0, 80),
                  "0A000 cannot create foreign key constraint since foreign keys from reference tab");
      },
      R"(CREATE TABLE a (id int PRIMARY KEY);
         CREATE TABLE b (id int, w int, FOREIGN KEY (id) REFERENCES a, FOREIGN KEY (w) REFERENCES a,
                         FOREIGN KEY (id) REFERENCES a ON DELETE SET NULL,
                         FOREIGN KEY (id) REFERENCES a ON UPDATE CASCADE))");
}

}  // namespace
}  // namespace polarsim::engine::cluster
