// Schemas, relations and their columns: pg_namespace, pg_class, pg_attribute, pg_attrdef.
//
// TOAST tables, row types of tables (reltype) and the system columns (attnum below 0) are not shown.
#include <fmt/format.h>

#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"

namespace polarsim::engine::executor {

namespace {

std::vector<Row> schema_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  const auto add = [&](std::uint64_t id, const std::string& name) {
    if (name != catalog::public_schema) {
      rows.push_back({number(id), Value::text(name), Value::integer(role_oid), Value::null()});
      return;
    }
    // As initdb leaves it: pg_dump writes down what differs.
    std::vector<Value> rights;
    for (const char* const right : {"pg_database_owner=UC/pg_database_owner", "=U/pg_database_owner"})
      rights.push_back(Value::text(right));
    rows.push_back({number(id), Value::text(name), Value::integer(database_owner_oid),
                    Value::array(Array(TypeId::text, std::move(rights)))});
  };
  for (const catalog::Relation& relation : inputs.database.catalog().relations(&inputs.transaction)) {
    if (relation.description->kind == catalog::RelationKind::schema) add(relation.id, relation.description->name);
  }
  add(information_schema_oid, information_schema);
  return rows;
}

std::int64_t method_of(char kind) {
  if (kind == 'i') return btree_method_oid;
  return kind == 'r' ? heap_method_oid : 0;
}

Value options_of(const ShownRelation& relation) {
  if (relation.system != nullptr || relation.definition().options.empty()) return Value::null();
  std::vector<Value> options;
  for (const std::string& option : relation.definition().options) options.push_back(Value::text(option));
  return Value::array(Array(TypeId::text, std::move(options)));
}

Row class_row(const SystemViewInputs& inputs, const ShownRelation& relation, bool has_index, bool has_triggers) {
  const char kind = relation.kind;
  const bool is_table = kind == 'r';
  const storage::RelationId file = relation.relation.file;
  std::uint64_t pages = file == 0 ? 0 : inputs.database.files().block_count(file);
  const std::size_t checks = relation.system != nullptr ? 0 : relation.definition().checks.size();
  // Rows are counted by ANALYZE alone; a sequence always has one.
  double rows = kind == 'S' ? 1 : kind == 'i' ? 0 : -1;
  if (relation.system == nullptr && relation.definition().statistics) {
    pages = static_cast<std::uint64_t>(relation.definition().statistics->pages);
    rows = relation.definition().statistics->rows;
  }
  return {number(relation.id),
          Value::text(relation.name),
          Value::integer(relation.schema_id),
          number(0),  // reltype
          number(0),  // reloftype
          Value::integer(role_oid),
          Value::integer(method_of(kind)),
          number(file),
          number(0),  // reltablespace
          number(pages),
          Value::floating(rows),
          number(0),  // relallvisible
          number(0),  // reltoastrelid
          flag(has_index),
          flag(false),     // relisshared
          character('p'),  // relpersistence
          character(kind),
          number(column_count(relation)),
          number(checks),
          flag(kind == 'v'),  // relhasrules
          flag(has_triggers),
          flag(false),  // relhassubclass
          flag(false),  // relrowsecurity
          flag(false),  // relforcerowsecurity
          flag(true),   // relispopulated
          character(is_table && relation.system == nullptr ? 'd' : 'n'),
          flag(false),               // relispartition
          number(0),                 // relrewrite
          number(is_table ? 3 : 0),  // relfrozenxid
          number(is_table ? 1 : 0),  // relminmxid
          Value::null(),             // relacl
          options_of(relation),      // reloptions
          Value::null()};            // relpartbound
}

std::vector<Row> class_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = shown_relations(inputs);
  const std::vector<std::uint32_t> indexed = tables_with_index(relations);
  const std::vector<std::uint32_t> with_foreign_keys = tables_with_foreign_keys(relations);
  std::vector<Row> rows;
  for (const ShownRelation& relation : relations) {
    rows.push_back(
        class_row(inputs, relation, contains(indexed, relation.id), contains(with_foreign_keys, relation.id)));
  }
  return rows;
}

// A default or what a generated column is computed by. What an identity column asks its sequence is no default.
std::string default_of(const catalog::Column& column) {
  if (column.identity != catalog::Column::Identity::none) return {};
  return column.generated_text.empty() ? column.default_text : column.generated_text;
}

Row attribute_row(const ShownRelation& relation, const ShownColumn& shown, std::size_t position) {
  static const catalog::Column plain;
  const catalog::Column& column = shown.column != nullptr ? *shown.column : plain;
  const TypeInfo* const type = column.dropped ? nullptr : find_type(shown.type.id);
  const TypeLayout layout = layout_of(type_info(shown.type.id));
  const bool has_default = !default_of(column).empty();
  const bool is_array_type = type != nullptr && is_array(type->id) && type->category == TypeCategory::array;
  const bool is_vector = shown.type.id == TypeId::int2vector || shown.type.id == TypeId::oidvector;
  const bool of_sequence = relation.kind == 'S';
  Value missing = Value::null();
  if (column.missing) missing = Value::array(Array(TypeId::text, {Value::text(*column.missing)}));
  return {number(relation.id),
          Value::text(column.dropped ? fmt::format("........pg.dropped.{}........", position + 1) : shown.name),
          number(type == nullptr ? 0 : type_oid(type->id)),
          Value::integer(column.dropped ? 0 : -1),  // attstattarget
          Value::integer(type_info(shown.type.id).length),
          number(position + 1),
          number(is_array_type && !is_vector ? 1 : 0),  // attndims
          Value::integer(-1),                           // attcacheoff
          Value::integer(shown.type.modifier),
          flag(layout.by_value),
          character(layout.alignment),
          character(layout.storage),
          character('\0'),  // attcompression
          flag((column.not_null || of_sequence) && !column.dropped),
          flag(has_default && !column.dropped),
          flag(column.missing.has_value()),
          character(column.identity == catalog::Column::Identity::none ? '\0' : static_cast<char>(column.identity)),
          character(column.generated_text.empty() ? '\0' : 's'),
          flag(column.dropped),
          flag(true),  // attislocal
          number(0),   // attinhcount
          Value::integer(layout.collation),
          Value::null(),  // attacl
          Value::null(),  // attoptions
          Value::null(),  // attfdwoptions
          std::move(missing)};
}

std::vector<Row> attribute_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : shown_relations(inputs)) {
    const std::vector<ShownColumn> columns = columns_of(inputs, relation);
    for (std::size_t i = 0; i < columns.size(); ++i) rows.push_back(attribute_row(relation, columns[i], i));
  }
  return rows;
}

std::vector<Row> default_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    const std::vector<catalog::Column>& columns = relation.definition().columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const catalog::Column& column = columns[i];
      const std::string text = default_of(column);
      if (text.empty() || column.dropped) continue;
      rows.push_back({number(default_oid(relation.id, i)), number(relation.id), number(i + 1), Value::text(text)});
    }
  }
  return rows;
}

}  // namespace

void add_relation_views(std::vector<SystemView>& to) {
  const std::string schema = catalog::system_schema;
  to.push_back(
      make_view(2615, schema, "pg_namespace", "oid oid, nspname name, nspowner oid, nspacl _text", schema_rows));
  to.push_back(make_view(
      1259, schema, "pg_class",
      "oid oid, relname name, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, "
      "relfilenode oid, reltablespace oid, relpages int4, reltuples float4, relallvisible int4, reltoastrelid oid, "
      "relhasindex bool, relisshared bool, relpersistence char, relkind char, relnatts int2, relchecks int2, "
      "relhasrules bool, relhastriggers bool, relhassubclass bool, relrowsecurity bool, relforcerowsecurity bool, "
      "relispopulated bool, relreplident char, relispartition bool, relrewrite oid, relfrozenxid xid, "
      "relminmxid xid, relacl _text, reloptions _text, relpartbound text",
      class_rows));
  to.push_back(make_view(
      1249, schema, "pg_attribute",
      "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, attndims int4, "
      "attcacheoff int4, atttypmod int4, attbyval bool, attalign char, attstorage char, attcompression char, "
      "attnotnull bool, atthasdef bool, atthasmissing bool, attidentity char, attgenerated char, attisdropped bool, "
      "attislocal bool, attinhcount int4, attcollation oid, attacl _text, attoptions _text, attfdwoptions _text, "
      "attmissingval _text",
      attribute_rows));
  to.push_back(make_view(2604, schema, "pg_attrdef", "oid oid, adrelid oid, adnum int2, adbin text", default_rows));
}

}  // namespace polarsim::engine::executor
