// Statements that define things, on a node: what they answer, and what the catalog then says. Texts of errors and
// made-up names are what PostgreSQL 15 gave.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/describe.h"
#include "engine/commands/command.h"
#include "engine/executor/relations.h"
#include "engine/node/node_test_support.h"
#include "engine/node/session_services.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::testing {
namespace {

using catalog::Definition;
using catalog::RelationKind;

// Runs each statement in a transaction of its own, as a session would.
class Commands {
 public:
  explicit Commands(TestNode& node) : node_(node), database_(node.instance().database()), cache_(database_) {}

  // The tag, then notices in brackets; or "SQLSTATE message", with " / detail" and " / hint".
  std::string run(std::string_view text) {
    std::vector<syntax::StatementPtr> statements;
    std::string outcome;
    try {
      node_.host().scheduler().on_scheduler_stack([&] { statements = syntax::parse(text); });
      for (const syntax::StatementPtr& statement : statements) outcome = run(*statement);
    } catch (const SqlError& error) {
      const ErrorFields& fields = error.fields();
      outcome = fields.sqlstate + " " + fields.message;
      if (!fields.detail.empty()) outcome += " / " + fields.detail;
      if (!fields.hint.empty()) outcome += " / " + fields.hint;
    }
    return outcome;
  }

  const Definition& definition(std::string_view name) {
    found_ = database_.catalog().find(nullptr, path_, name);
    EXPECT_TRUE(found_) << name;
    static const Definition nothing;
    return found_ ? *found_->description : nothing;
  }
  bool exists(std::string_view name) { return database_.catalog().find(nullptr, path_, name).has_value(); }

  // "a integer NOT NULL DEFAULT 1, b text"; dropped columns are left out.
  std::string columns(std::string_view name) {
    std::string text;
    for (const catalog::Column& column : definition(name).columns) {
      if (column.dropped) continue;
      if (!text.empty()) text += ", ";
      text += column.name + " " + format_type(column.type);
      if (column.not_null) text += " NOT NULL";
      if (!column.generated_text.empty()) text += " GENERATED " + column.generated_text;
      if (!column.default_text.empty()) text += " DEFAULT " + with_names(column.default_text);
    }
    return text;
  }
  // The expression as people see it.
  std::string with_names(std::string text) {
    for (const catalog::RelationId named : catalog::named_relations(text)) {
      const std::string number = std::to_string(named);
      text.replace(text.find("'" + number + "'") + 1, number.size(),
                   database_.catalog().find(nullptr, named)->description->name);
    }
    return text;
  }
  // Indexes, checks and foreign keys, one a line.
  std::string constraints(std::string_view name) {
    const catalog::TablePtr table = database_.catalog().find_table(nullptr, "public", name);
    if (table == nullptr) return "there is no such table";
    std::string text;
    for (const catalog::Index& index : table->indexes) {
      text += index.description->index.constraint
                  ? index.description->name + " " + key_constraint_text(*index.description, *table->description)
                  : index_text(*index.description, *table->description);
      text += "\n";
    }
    for (const catalog::Check& check : table->description->checks) text += check.name + " " + check_text(check) + "\n";
    for (const catalog::ForeignKey& key : table->description->foreign_keys) {
      const auto referenced = database_.catalog().find(nullptr, key.referenced);
      text += key.name + " " +
              foreign_key_text(key, *table->description, *referenced->description, referenced->description->name) +
              "\n";
    }
    return text;
  }

 private:
  std::string run(const syntax::Statement& statement) {
    txn::Backend& backend = database_.connect();
    txn::Transaction* const transaction = &database_.transactions().begin(backend);
    catalog::SequenceMemory sequences;
    LocalServices services(database_, backend, sequences, services_of(*transaction));
    CallContext call;
    call.session = &services;
    executor::CatalogRelations relations(database_, cache_, *transaction, path_);
    std::vector<ErrorFields> notices;
    commands::CommandContext context{database_, *transaction, call, relations, path_, notices};
    std::string outcome;
    try {
      outcome = commands::execute(context, statement);
    } catch (...) {
      database_.transactions().abort(*transaction);
      database_.disconnect(backend);
      throw;
    }
    database_.transactions().commit(*transaction);
    database_.disconnect(backend);
    for (const ErrorFields& notice : notices) {
      outcome += " [" + notice.message + (notice.detail.empty() ? "" : " / " + notice.detail) + "]";
    }
    return outcome;
  }

  LocalServices::Session services_of(txn::Transaction& transaction) {
    LocalServices::Session session;
    session.transaction = [&transaction] { return &transaction; };
    session.search_path = [this] { return path_; };
    session.refuse_if_read_only = [](const char*) {};
    return session;
  }

  TestNode& node_;
  Database& database_;
  executor::RelationCache cache_;
  std::vector<std::string> path_{"public"};
  std::optional<catalog::Relation> found_;
};

void with_commands(const std::function<void(Commands&, TestSession&)>& body) {
  with_node([&](TestNode& node) {
    Commands commands(node);
    TestSession session = node.connect();
    body(commands, session);
  });
}

TEST(CreateTable, KeepsColumnsAsTheyAreWritten) {
  with_commands([](Commands& commands, TestSession&) {
    EXPECT_EQ(commands.run("CREATE TABLE t (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', price "
                           "numeric(10,2) DEFAULT 1 + 2, tags text[], at timestamptz(3) DEFAULT now(), twice int "
                           "GENERATED ALWAYS AS (id * 2) STORED, n bigint GENERATED BY DEFAULT AS IDENTITY)"),
              "CREATE TABLE");
    EXPECT_EQ(commands.columns("t"),
              "id integer NOT NULL DEFAULT nextval('t_id_seq'::regclass), "
              "name character varying(20) NOT NULL DEFAULT 'x'::character varying, "
              "price numeric(10,2) DEFAULT (1 + 2), tags text[], at timestamp(3) with time zone DEFAULT now(), "
              "twice integer GENERATED (id * 2), n bigint NOT NULL DEFAULT nextval('t_n_seq'::regclass)");
    EXPECT_EQ(commands.definition("t_id_seq").sequence.owner_column, 1);
    EXPECT_EQ(commands.definition("t_n_seq").sequence.type, TypeId::int8);
  });
}

TEST(CreateTable, NamesConstraintsAsPostgresqlDoes) {
  with_commands([](Commands& commands, TestSession&) {
    commands.run("CREATE TABLE r (id int PRIMARY KEY, code text UNIQUE)");
    EXPECT_EQ(commands.run("CREATE TABLE t (a int CHECK (a > 0) CHECK (a < 9), b int REFERENCES r ON DELETE CASCADE, c "
                           "text REFERENCES r(code), CHECK (a < b), CONSTRAINT named CHECK (b <> 5), UNIQUE (a, b), "
                           "PRIMARY KEY (b))"),
              "CREATE TABLE");
    EXPECT_EQ(commands.constraints("t"),
              "t_pkey PRIMARY KEY (b)\n"
              "t_a_b_key UNIQUE (a, b)\n"
              "t_a_check CHECK ((a > 0))\n"
              "t_a_check1 CHECK ((a < 9))\n"
              "t_check CHECK ((a < b))\n"
              "named CHECK ((b <> 5))\n"
              "t_b_fkey FOREIGN KEY (b) REFERENCES r(id) ON DELETE CASCADE\n"
              "t_c_fkey FOREIGN KEY (c) REFERENCES r(code)\n");
  });
}

TEST(CreateTable, IsRefusedAsPostgresqlRefuses) {
  with_commands([](Commands& commands, TestSession&) {
    commands.run("CREATE TABLE r (id int PRIMARY KEY, code text)");
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"CREATE TABLE r (a int)", "42P07 relation \"r\" already exists"},
        {"CREATE TABLE s.t (a int)", "3F000 schema \"s\" does not exist"},
        {"CREATE TABLE t (a int, a text)", "42701 column \"a\" specified more than once"},
        {"CREATE TABLE t (ctid int)", "42701 column name \"ctid\" conflicts with a system column name"},
        {"CREATE TABLE t (a nothing)", "42704 type \"nothing\" does not exist"},
        {"CREATE TABLE t (a int NULL NOT NULL)",
         "42601 conflicting NULL/NOT NULL declarations for column \"a\" of table \"t\""},
        {"CREATE TABLE t (a int DEFAULT 1 DEFAULT 2)",
         "42601 multiple default values specified for column \"a\" of table \"t\""},
        {"CREATE TABLE t (a int PRIMARY KEY, b int PRIMARY KEY)",
         "42P16 multiple primary keys for table \"t\" are not allowed"},
        {"CREATE TABLE t (a int DEFAULT 'x')", "22P02 invalid input syntax for type integer: \"x\""},
        {"CREATE TABLE t (a int, PRIMARY KEY (b))", "42703 column \"b\" named in key does not exist"},
        {"CREATE TABLE t (a int, UNIQUE (a, a))", "42701 column \"a\" appears twice in unique constraint"},
        {"CREATE TABLE t (a int REFERENCES nothing)", "42P01 relation \"nothing\" does not exist"},
        {"CREATE TABLE t (a int REFERENCES r(code))",
         "42830 there is no unique constraint matching given keys for referenced table \"r\""},
        {"CREATE TABLE t (a text REFERENCES r)",
         "42804 foreign key constraint \"t_a_fkey\" cannot be implemented / Key columns \"a\" and \"id\" are of "
         "incompatible types: text and integer."},
        {"CREATE TABLE t (a json UNIQUE)",
         "42704 data type json has no default operator class for access method \"btree\" / You must specify an "
         "operator class for the index or define a default operator class for the data type."},
        {"CREATE TABLE t (a text GENERATED ALWAYS AS IDENTITY)",
         "22023 identity column type must be smallint, integer, or bigint"},
        {"CREATE TEMPORARY TABLE t (a int)", "0A000 temporary tables are not supported"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(commands.run(text), expected) << text;
    EXPECT_FALSE(commands.exists("t"));
    EXPECT_EQ(commands.run("CREATE TABLE IF NOT EXISTS r (a int)"),
              "CREATE TABLE [relation \"r\" already exists, skipping]");
  });
}

TEST(CreateTable, LikeTakesWhatItIsToldTo) {
  with_commands([](Commands& commands, TestSession&) {
    commands.run("CREATE TABLE a (id int PRIMARY KEY, v text DEFAULT 'x' CHECK (v <> ''))");
    EXPECT_EQ(commands.run("CREATE TABLE b (first int, LIKE a, last int)"), "CREATE TABLE");
    EXPECT_EQ(commands.columns("b"), "first integer, id integer NOT NULL, v text, last integer");
    EXPECT_EQ(commands.run("CREATE TABLE c (LIKE a INCLUDING ALL)"), "CREATE TABLE");
    EXPECT_EQ(commands.columns("c"), "id integer NOT NULL, v text DEFAULT 'x'::text");
    EXPECT_EQ(commands.constraints("c"), "c_pkey PRIMARY KEY (id)\na_v_check CHECK ((v <> ''::text))\n");
  });
}

TEST(CreateIndex, IsFilledAndDescribed) {
  with_commands([](Commands& commands, TestSession& session) {
    commands.run("CREATE TABLE t (a int, b text)");
    session.run("INSERT INTO t VALUES (1, 'x'), (2, 'x')");
    EXPECT_EQ(commands.run("CREATE INDEX ON t (a DESC, b NULLS FIRST)"), "CREATE INDEX");
    EXPECT_EQ(commands.run("CREATE INDEX ON t (lower(b), (a + 1)) INCLUDE (b) WHERE a > 1"), "CREATE INDEX");
    EXPECT_EQ(commands.run("CREATE UNIQUE INDEX u ON t (b)"),
              "23505 could not create unique index \"u\" / Key (b)=(x) is duplicated.");
    EXPECT_EQ(commands.run("CREATE UNIQUE INDEX u ON t (b) WHERE a > 1"), "CREATE INDEX");
    EXPECT_EQ(
        commands.constraints("t"),
        "CREATE INDEX t_a_b_idx ON public.t USING btree (a DESC, b NULLS FIRST)\n"
        "CREATE INDEX t_lower_expr_b_idx ON public.t USING btree (lower(b), ((a + 1))) INCLUDE (b) WHERE (a > 1)\n"
        "CREATE UNIQUE INDEX u ON public.t USING btree (b) WHERE (a > 1)\n");
    EXPECT_EQ(commands.run("CREATE INDEX ON t (c)"), "42703 column \"c\" does not exist");
    EXPECT_EQ(commands.run("CREATE INDEX ON t (random())"),
              "42P17 functions in index expression must be marked IMMUTABLE");
    EXPECT_EQ(commands.run("CREATE INDEX ON t USING gin (a)"), "0A000 access method \"gin\" is not supported");
  });
}

TEST(Drop, KnowsWhatDependsOnWhat) {
  with_commands([](Commands& commands, TestSession&) {
    commands.run("CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (a_id int REFERENCES a)");
    commands.run("CREATE VIEW v AS SELECT id FROM a; CREATE VIEW w AS SELECT id FROM v");
    EXPECT_EQ(commands.run("DROP TABLE a"),
              "2BP01 cannot drop table a because other objects depend on it / "
              "constraint b_a_id_fkey on table b depends on table a\nview v depends on table a\n"
              "view w depends on view v / Use DROP ... CASCADE to drop the dependent objects too.");
    EXPECT_EQ(commands.run("DROP INDEX a_pkey"),
              "2BP01 cannot drop index a_pkey because constraint a_pkey on table a requires it / You can drop "
              "constraint a_pkey on table a instead.");
    EXPECT_EQ(commands.run("DROP SEQUENCE a_id_seq"),
              "2BP01 cannot drop sequence a_id_seq because other objects depend on it / default value for column id "
              "of table a depends on sequence a_id_seq / Use DROP ... CASCADE to drop the dependent objects too.");
    EXPECT_EQ(commands.run("DROP VIEW a"), "42809 \"a\" is not a view / Use DROP TABLE to remove a table.");
    EXPECT_EQ(commands.run("DROP TABLE nothing"), "42P01 table \"nothing\" does not exist");
    EXPECT_EQ(commands.run("DROP TABLE IF EXISTS nothing"), "DROP TABLE [table \"nothing\" does not exist, skipping]");
    EXPECT_EQ(commands.run("DROP TABLE a CASCADE"),
              "DROP TABLE [drop cascades to 3 other objects / drop cascades to constraint b_a_id_fkey on table b\n"
              "drop cascades to view v\ndrop cascades to view w]");
    EXPECT_FALSE(commands.exists("a"));
    EXPECT_FALSE(commands.exists("a_id_seq"));
    EXPECT_FALSE(commands.exists("w"));
    EXPECT_EQ(commands.constraints("b"), "");
  });
}

TEST(Schemas, HoldTheirOwnNames) {
  with_commands([](Commands& commands, TestSession&) {
    EXPECT_EQ(commands.run("CREATE SCHEMA s"), "CREATE SCHEMA");
    EXPECT_EQ(commands.run("CREATE SCHEMA s"), "42P06 schema \"s\" already exists");
    EXPECT_EQ(commands.run("CREATE SCHEMA pg_mine"),
              "42939 unacceptable schema name \"pg_mine\" / The prefix \"pg_\" is reserved for system schemas.");
    EXPECT_EQ(commands.run("CREATE TABLE s.t (id serial)"), "CREATE TABLE");
    EXPECT_FALSE(commands.exists("t"));
    EXPECT_EQ(commands.run("CREATE TABLE t (id int)"), "CREATE TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE s.t SET SCHEMA public"),
              "42P07 relation \"t\" already exists in schema \"public\"");
    EXPECT_EQ(
        commands.run("DROP SCHEMA s"),
        "2BP01 cannot drop schema s because other objects depend on it / table s.t depends on schema s / Use DROP "
        "... CASCADE to drop the dependent objects too.");
    EXPECT_EQ(commands.run("ALTER TABLE s.t RENAME TO u"), "ALTER TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE s.u SET SCHEMA public"), "ALTER TABLE");
    EXPECT_EQ(commands.columns("u"), "id integer NOT NULL DEFAULT nextval('t_id_seq'::regclass)");
    EXPECT_EQ(commands.run("DROP SCHEMA s"), "DROP SCHEMA");
    EXPECT_EQ(commands.run("DROP SCHEMA s"), "3F000 schema \"s\" does not exist");
  });
}

TEST(AlterTable, ChangesColumnsAndRows) {
  with_commands([](Commands& commands, TestSession& session) {
    commands.run("CREATE TABLE t (a int PRIMARY KEY, b text)");
    session.run("INSERT INTO t VALUES (1, '10'), (2, '20')");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 7"), "ALTER TABLE");
    EXPECT_EQ(commands.definition("t").columns.back().missing, "7");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD COLUMN d int NOT NULL"),
              "23502 column \"d\" of relation \"t\" contains null values");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD COLUMN c int"), "42701 column \"c\" of relation \"t\" already exists");
    EXPECT_EQ(commands.run("ALTER TABLE t ALTER b TYPE int"),
              "42804 column \"b\" cannot be cast automatically to type integer / You might need to specify \"USING "
              "b::integer\".");
    EXPECT_EQ(commands.run("ALTER TABLE t ALTER b TYPE int USING b::int + c"), "ALTER TABLE");
    EXPECT_EQ(commands.columns("t"), "a integer NOT NULL, b integer, c integer NOT NULL DEFAULT 7");
    EXPECT_EQ(session.run("SELECT a, b, c FROM t ORDER BY a"), "1|17|7;2|27|7");
    EXPECT_EQ(session.run("SELECT b FROM t WHERE a = 2"), "27") << "by the index, which was made anew";
    EXPECT_EQ(commands.run("ALTER TABLE t ALTER b SET NOT NULL, ALTER c DROP NOT NULL, ALTER c DROP DEFAULT"),
              "ALTER TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE t ALTER a DROP NOT NULL"), "42P16 column \"a\" is in a primary key");
    EXPECT_EQ(commands.run("ALTER TABLE t RENAME b TO renamed"), "ALTER TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE t DROP COLUMN a"), "ALTER TABLE");
    EXPECT_EQ(commands.columns("t"), "renamed integer NOT NULL, c integer");
    EXPECT_EQ(commands.constraints("t"), "") << "the key went with its column";
    EXPECT_EQ(commands.run("ALTER TABLE t DROP COLUMN a"), "42703 column \"a\" of relation \"t\" does not exist");
    EXPECT_EQ(commands.run("ALTER TABLE t DROP COLUMN IF EXISTS a"),
              "ALTER TABLE [column \"a\" of relation \"t\" does not exist, skipping]");
  });
}

TEST(AlterTable, NewConstraintsLookAtTheRows) {
  with_commands([](Commands& commands, TestSession& session) {
    commands.run("CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE t (a int, b text)");
    session.run("INSERT INTO r VALUES (1); INSERT INTO t VALUES (1, 'x'), (2, 'x')");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD CHECK (a < 2)"),
              "23514 check constraint \"t_a_check\" of relation \"t\" is violated by some row");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES r"),
              "23503 insert or update on table \"t\" violates foreign key constraint \"t_a_fkey\" / Key (a)=(2) is not "
              "present in table \"r\".");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD UNIQUE (b)"),
              "23505 could not create unique index \"t_b_key\" / Key (b)=(x) is duplicated.");
    EXPECT_EQ(commands.constraints("t"), "") << "what failed left nothing";
    EXPECT_EQ(commands.run("ALTER TABLE t ADD CONSTRAINT c CHECK (a < 2) NOT VALID"), "ALTER TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE t VALIDATE CONSTRAINT c"),
              "23514 check constraint \"c\" of relation \"t\" is violated by some row");
    EXPECT_EQ(commands.run("ALTER TABLE t ADD PRIMARY KEY (a)"), "ALTER TABLE");
    EXPECT_EQ(commands.constraints("t"), "t_pkey PRIMARY KEY (a)\nc CHECK ((a < 2)) NOT VALID\n");
    EXPECT_EQ(commands.run("ALTER TABLE t DROP CONSTRAINT c, DROP CONSTRAINT t_pkey"), "ALTER TABLE");
    EXPECT_EQ(commands.run("ALTER TABLE t DROP CONSTRAINT c"),
              "42704 constraint \"c\" of relation \"t\" does not exist");
  });
}

TEST(Truncate, MindsForeignKeys) {
  with_commands([](Commands& commands, TestSession& session) {
    commands.run("CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES r)");
    session.run("INSERT INTO r VALUES (1); INSERT INTO t VALUES (1)");
    EXPECT_EQ(commands.run("TRUNCATE r"),
              "0A000 cannot truncate a table referenced in a foreign key constraint / Table \"t\" references \"r\". / "
              "Truncate table \"t\" at the same time, or use TRUNCATE ... CASCADE.");
    EXPECT_EQ(commands.run("TRUNCATE r, t"), "TRUNCATE TABLE");
    EXPECT_EQ(session.run("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(commands.run("TRUNCATE r CASCADE"), "TRUNCATE TABLE [truncate cascades to table \"t\"]");
  });
}

TEST(Views, AreReplacedOnlyByWhatFits) {
  with_commands([](Commands& commands, TestSession&) {
    commands.run("CREATE TABLE t (a int, b text)");
    EXPECT_EQ(commands.run("CREATE VIEW v (x) AS SELECT a, b FROM t WHERE a > 1"), "CREATE VIEW");
    EXPECT_EQ(commands.columns("v"), "x integer, b text");
    EXPECT_EQ(commands.run("CREATE OR REPLACE VIEW v AS SELECT a FROM t"), "42P16 cannot drop columns from view");
    EXPECT_EQ(commands.run("CREATE OR REPLACE VIEW v AS SELECT a, b FROM t"),
              "42P16 cannot change name of view column \"x\" to \"a\" / Use ALTER VIEW ... RENAME COLUMN ... to change "
              "name of view column instead.");
    EXPECT_EQ(commands.run("CREATE OR REPLACE VIEW v AS SELECT a AS x, b, 1 AS c FROM t"), "CREATE VIEW");
    EXPECT_EQ(commands.columns("v"), "x integer, b text, c integer");
    EXPECT_EQ(
        commands.run("ALTER TABLE t DROP COLUMN b"),
        "2BP01 cannot drop column b of table t because other objects depend on it / view v depends on column b of "
        "table t / Use DROP ... CASCADE to drop the dependent objects too.");
    EXPECT_EQ(commands.run("CREATE VIEW w AS SELECT nothing FROM t"), "42703 column \"nothing\" does not exist");
  });
}

TEST(Sequences, AreMadeAndChanged) {
  with_commands([](Commands& commands, TestSession& session) {
    EXPECT_EQ(commands.run("CREATE SEQUENCE s INCREMENT 5 START 10"), "CREATE SEQUENCE");
    EXPECT_EQ(session.run("SELECT nextval('s')"), "10");
    EXPECT_EQ(commands.run("ALTER SEQUENCE s RESTART 100"), "ALTER SEQUENCE");
    EXPECT_EQ(session.run("SELECT nextval('s')"), "100");
    EXPECT_EQ(commands.run("CREATE SEQUENCE t MINVALUE 10 MAXVALUE 5"),
              "22023 MINVALUE (10) must be less than MAXVALUE (5)");
    EXPECT_EQ(commands.run("CREATE SEQUENCE t AS text"), "22023 sequence type must be smallint, integer, or bigint");
    EXPECT_EQ(commands.run("COMMENT ON SEQUENCE s IS 'numbers'"), "COMMENT");
    EXPECT_EQ(commands.definition("s").comment, "numbers");
    EXPECT_EQ(commands.run("ALTER SEQUENCE s RENAME TO u"), "ALTER SEQUENCE");
    EXPECT_TRUE(commands.exists("u"));
  });
}

}  // namespace
}  // namespace polarsim::engine::testing
