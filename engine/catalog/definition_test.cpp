// Definitions as documents, and definitions that change.
#include "engine/catalog/definition.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/catalog/catalog.h"
#include "engine/node/database.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::catalog {
namespace {

rc::Gen<std::string> any_name() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', '"', ' ')));
}
rc::Gen<std::string> any_expression() {
  return rc::gen::element<std::string>("", "1", "('x'::text || \"y\")", "NULL::integer");
}
rc::Gen<Type> any_type() {
  return rc::gen::element(Type(TypeId::int4), Type(TypeId::varchar, 9), Type(TypeId::numeric, 655366),
                          Type(TypeId::text_array), Type(TypeId::timestamptz, 0));
}
rc::Gen<std::vector<int>> any_numbers() { return rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 1600)); }
rc::Gen<RelationId> any_id() { return rc::gen::arbitrary<RelationId>(); }

Column any_column() {
  Column column;
  column.name = *any_name();
  column.type = *any_type();
  column.not_null = *rc::gen::arbitrary<bool>();
  column.default_text = *any_expression();
  column.generated_text = *any_expression();
  column.identity = *rc::gen::element(Column::Identity::none, Column::Identity::always, Column::Identity::by_default);
  column.dropped = *rc::gen::arbitrary<bool>();
  // Empty is not the same as not there.
  if (*rc::gen::arbitrary<bool>()) column.missing = *rc::gen::element<std::string>("", "7");
  column.comment = *any_expression();
  return column;
}

ForeignKey any_foreign_key() {
  using Action = ForeignKey::Action;
  const auto action =
      rc::gen::element(Action::no_action, Action::restrict, Action::cascade, Action::set_null, Action::set_default);
  ForeignKey key;
  key.name = *any_name();
  key.columns = *any_numbers();
  key.id = *any_id();
  key.referenced = *any_id();
  key.referenced_columns = *any_numbers();
  key.on_delete = *action;
  key.on_update = *action;
  key.on_delete_columns = *any_numbers();
  key.match_full = *rc::gen::arbitrary<bool>();
  key.deferrable = *rc::gen::arbitrary<bool>();
  key.initially_deferred = *rc::gen::arbitrary<bool>();
  key.validated = *rc::gen::arbitrary<bool>();
  return key;
}

TableStatistics any_statistics() {
  const auto number = rc::gen::element(0.0F, 0.1F, -0.25F, 1e20F, 1.0F / 3, -1.0F);
  const auto count = rc::gen::element(0.0, 7.0, 123456789.0, 1e15);
  TableStatistics statistics{*count, *count, {}};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    const auto texts = rc::gen::container<std::vector<std::string>>(any_expression());
    statistics.columns.push_back({*rc::gen::inRange(0, 9), *number, *number, *rc::gen::inRange(0, 9), *texts,
                                  *rc::gen::container<std::vector<float>>(number), *texts, *number});
  }
  return statistics;
}

IndexProperties any_index() {
  IndexProperties index;
  index.table = *any_id();
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    IndexProperties::Key key;
    key.column = *rc::gen::inRange(0, 3);
    key.expression = *any_expression();
    key.type = *any_type();
    key.descending = *rc::gen::arbitrary<bool>();
    key.nulls_first = *rc::gen::arbitrary<bool>();
    index.keys.push_back(std::move(key));
  }
  index.included = *any_numbers();
  index.unique = *rc::gen::arbitrary<bool>();
  index.primary = *rc::gen::arbitrary<bool>();
  index.constraint = *rc::gen::arbitrary<bool>();
  index.nulls_not_distinct = *rc::gen::arbitrary<bool>();
  index.predicate = *any_expression();
  return index;
}

SequenceProperties any_sequence() {
  const auto number = rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::just<std::int64_t>(0));
  SequenceProperties sequence;
  sequence.type = *rc::gen::element(TypeId::int2, TypeId::int8);
  sequence.parameters = {*number, *number, *number, *number, *rc::gen::arbitrary<bool>()};
  sequence.owner = *any_id();
  sequence.owner_column = *rc::gen::inRange(0, 5);
  return sequence;
}

Definition any_definition() {
  Definition definition;
  definition.kind = *rc::gen::element(RelationKind::table, RelationKind::index, RelationKind::sequence,
                                      RelationKind::view, RelationKind::schema);
  definition.schema = *any_name();
  definition.name = *any_name();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) definition.columns.push_back(any_column());
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    definition.checks.push_back({*any_name(), *any_expression(), *rc::gen::arbitrary<bool>(), *any_id()});
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) definition.foreign_keys.push_back(any_foreign_key());
  if (*rc::gen::arbitrary<bool>()) definition.statistics = any_statistics();
  definition.comment = *any_expression();
  if (definition.kind == RelationKind::index) definition.index = any_index();
  if (definition.kind == RelationKind::sequence) definition.sequence = any_sequence();
  if (definition.kind == RelationKind::view)
    definition.view = {*any_expression(), *rc::gen::container<std::vector<RelationId>>(any_id()),
                       *rc::gen::container<std::vector<RelationId>>(any_id())};
  return definition;
}

RC_GTEST_PROP(Definition, IsReadAsItWasWritten, ()) {
  const Definition written = any_definition();
  RC_ASSERT(from_json(written.kind, written.schema, written.name, to_json(written)) == written);
}

TEST(Definition, WhatCannotHaveBeenWrittenIsRefused) {
  const auto reading = [](Json document) { return from_json(RelationKind::table, "public", "t", document); };
  EXPECT_THROW(reading(Json(std::string("text"))), SqlError);
  EXPECT_THROW(reading(Json(Json::Members{{"columns", Json(true)}})), SqlError);
  EXPECT_THROW(reading(Json(Json::Members{{"comment", Json(true)}})), SqlError);
  EXPECT_NO_THROW(reading(Json(Json::Members{})));
}

}  // namespace
}  // namespace polarsim::engine::catalog

namespace polarsim::engine::testing {
namespace {

using catalog::Catalog;
using catalog::Definition;
using catalog::RelationKind;

const std::vector<std::string> search_path{"public"};

// Changes the catalog in a transaction as a session would: what it opens stays locked until its end.
class Changing {
 public:
  explicit Changing(TestNode& node)
      : database_(node.instance().database()),
        backend_(database_.connect()),
        transaction_(&database_.transactions().begin(backend_)) {}
  ~Changing() {
    if (transaction_ != nullptr) database_.transactions().abort(*transaction_);
    database_.disconnect(backend_);
  }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

  Catalog& catalog() { return database_.catalog(); }
  txn::Transaction& transaction() { return *transaction_; }
  std::optional<catalog::Relation> find(std::string_view name) {
    return catalog().find(transaction_, search_path, name);
  }
  void savepoint() { database_.transactions().savepoint(*transaction_, "s"); }
  void rollback_to() { database_.transactions().rollback_to(*transaction_, "s"); }
  void commit() { database_.transactions().commit(*std::exchange(transaction_, nullptr)); }

 private:
  Database& database_;
  txn::Backend& backend_;
  txn::Transaction* transaction_;
};

std::optional<catalog::Relation> committed(TestNode& node, std::string_view name) {
  return node.instance().database().catalog().find(nullptr, search_path, name);
}

Definition with_column(Definition definition, const std::string& name) {
  catalog::Column column;
  column.name = name;
  column.type = TypeId::text;
  definition.columns.push_back(std::move(column));
  return definition;
}

TEST(CatalogAlter, OthersSeeItWhenItHasCommitted) {
  with_node(
      [](TestNode& node) {
        const catalog::Relation before = *committed(node, "t");
        Changing changing(node);
        EXPECT_TRUE(
            changing.catalog().alter(changing.transaction(), before.id, with_column(*before.description, "added")));
        EXPECT_EQ(changing.find("t")->description->columns.size(), 2);
        EXPECT_NE(changing.find("t")->toast, 0) << "the new column may hold long values";
        EXPECT_EQ(committed(node, "t")->description->columns.size(), 1);
        EXPECT_EQ(before.description->columns.size(), 1) << "what was looked up stays what it was";
        changing.commit();
        EXPECT_EQ(committed(node, "t")->description->columns.size(), 2);
        EXPECT_EQ(committed(node, "t")->file, before.file);
      },
      "CREATE TABLE t (id int PRIMARY KEY)");
}

TEST(CatalogAlter, SavepointTakesItBack) {
  with_node(
      [](TestNode& node) {
        Changing changing(node);
        const catalog::Relation before = *changing.find("t");
        changing.savepoint();
        Definition renamed = with_column(*before.description, "added");
        renamed.name = "u";
        EXPECT_TRUE(changing.catalog().alter(changing.transaction(), before.id, renamed));
        EXPECT_FALSE(changing.find("t"));
        EXPECT_EQ(changing.find("u")->id, before.id);
        changing.rollback_to();
        EXPECT_FALSE(changing.find("u"));
        EXPECT_EQ(*changing.find("t")->description, *before.description);
        changing.commit();
        EXPECT_TRUE(committed(node, "t"));
      },
      "CREATE TABLE t (id int PRIMARY KEY)");
}

TEST(CatalogAlter, RenamingGivesTheOldNameFree) {
  with_node(
      [](TestNode& node) {
        const catalog::Relation before = *committed(node, "t");
        {
          Changing changing(node);
          Definition renamed = *before.description;
          renamed.name = "other";
          EXPECT_FALSE(changing.catalog().alter(changing.transaction(), before.id, renamed)) << "the name is taken";
          renamed.name = "u";
          EXPECT_TRUE(changing.catalog().alter(changing.transaction(), before.id, renamed));
          EXPECT_TRUE(committed(node, "t")) << "for others it still has its old name";
          EXPECT_FALSE(committed(node, "u"));
          changing.commit();
        }
        EXPECT_FALSE(committed(node, "t"));
        TestSession session = node.connect();
        session.run("CREATE TABLE t (v text)");
        EXPECT_NE(committed(node, "t")->id, before.id);
        EXPECT_EQ(session.run("SELECT id FROM u"), "7");
      },
      "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int); INSERT INTO t VALUES (7)");
}

TEST(CatalogAlter, SurvivesACrashAsFarAsItCommitted) {
  TestNode node;
  node.run([](TestNode& running) {
    running.connect().run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE v (id int)");
    {
      Changing changing(running);
      Definition schema;
      schema.kind = RelationKind::schema;
      schema.name = "s";
      EXPECT_NE(changing.catalog().create(changing.transaction(), schema), 0U);
      Definition moved = with_column(*changing.find("t")->description, "added");
      moved.schema = "s";
      EXPECT_TRUE(changing.catalog().alter(changing.transaction(), changing.find("t")->id, moved));
      changing.commit();
    }
    Changing lost(running);
    Definition renamed = *lost.find("v")->description;
    renamed.name = "w";
    EXPECT_TRUE(lost.catalog().alter(lost.transaction(), lost.find("v")->id, renamed));
    running.sleep_ms(1000);
    running.host().crash();
  });
  node.run([](TestNode& running) {
    const Catalog& catalog = running.instance().database().catalog();
    EXPECT_NE(catalog.schema_id(nullptr, "s"), 0U);
    const std::vector<std::string> path{"s"};
    ASSERT_TRUE(catalog.find(nullptr, path, "t"));
    EXPECT_EQ(catalog.find(nullptr, path, "t")->description->columns.size(), 2);
    EXPECT_FALSE(committed(running, "t"));
    EXPECT_TRUE(committed(running, "v"));
    EXPECT_FALSE(committed(running, "w"));
  });
  EXPECT_TRUE(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::testing
