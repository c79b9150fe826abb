// What belongs to relations: pg_constraint, pg_index, pg_sequence, pg_depend, pg_description, pg_rewrite.
//
// Operators of constraints (conpfeqop, ...) are NULL, operator classes of indexes 0: they have no numbers here. Of
// dependencies those are shown that tie a sequence to the column that owns it, a default to its column and what it
// names, and a view to what it uses: what pg_dump needs for the order of its statements.
#include <algorithm>

#include "engine/catalog/describe.h"
#include "engine/executor/definition_texts.h"
#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"

namespace polarsim::engine::executor {

namespace {

struct Constraint {
  std::uint64_t id = 0;
  std::string name;
  char kind = 'c';
  bool deferrable = false;
  bool deferred = false;
  bool validated = true;
  bool no_inherit = true;
  std::uint64_t index = 0;
  const catalog::ForeignKey* foreign_key = nullptr;
  Value columns;
  Value condition;
};

Row constraint_row(const ShownRelation& table, Constraint constraint) {
  const catalog::ForeignKey* const key = constraint.foreign_key;
  return {number(constraint.id),
          Value::text(constraint.name),
          Value::integer(table.schema_id),
          character(constraint.kind),
          flag(constraint.deferrable),
          flag(constraint.deferred),
          flag(constraint.validated),
          number(table.id),
          number(0),  // contypid
          number(constraint.index),
          number(0),  // conparentid
          number(key != nullptr ? key->referenced : 0),
          character(key != nullptr ? static_cast<char>(key->on_update) : ' '),
          character(key != nullptr ? static_cast<char>(key->on_delete) : ' '),
          character(key == nullptr    ? ' '
                    : key->match_full ? 'f'
                                      : 's'),
          flag(true),  // conislocal
          number(0),   // coninhcount
          flag(constraint.no_inherit),
          std::move(constraint.columns),
          key != nullptr ? int2_array(key->referenced_columns) : Value::null(),
          Value::null(),  // conpfeqop
          Value::null(),  // conppeqop
          Value::null(),  // conffeqop
          key == nullptr || key->on_delete_columns.empty() ? Value::null() : int2_array(key->on_delete_columns),
          Value::null(),  // conexclop
          std::move(constraint.condition)};
}

std::vector<int> key_columns(const catalog::IndexProperties& index) {
  std::vector<int> columns;
  for (const catalog::IndexProperties::Key& key : index.keys) columns.push_back(key.column);
  return columns;
}

// The unique index that a foreign key leans on; 0 if it is gone.
std::uint64_t referenced_index(const std::vector<ShownRelation>& relations, const catalog::ForeignKey& key) {
  for (const ShownRelation& relation : relations) {
    const catalog::IndexProperties& index = relation.definition().index;
    if (relation.kind != 'i' || index.table != key.referenced || !index.unique) continue;
    std::vector<int> wanted = key.referenced_columns;
    std::vector<int> columns = key_columns(index);
    std::sort(wanted.begin(), wanted.end());
    std::sort(columns.begin(), columns.end());
    if (columns == wanted) return relation.id;
  }
  return 0;
}

void add_constraints(std::vector<Row>& rows, const SystemViewInputs& inputs,
                     const std::vector<ShownRelation>& relations, const ShownRelation& table) {
  for (const catalog::Check& check : table.definition().checks) {
    Constraint made;
    made.id = check.id;
    made.name = check.name;
    made.validated = check.validated;
    made.no_inherit = check.no_inherit;
    const std::vector<int> columns =
        expression_columns(inputs.database, inputs.call, check.condition, table.definition());
    if (!columns.empty()) made.columns = int2_array(columns);
    made.condition = Value::text(check.condition);
    rows.push_back(constraint_row(table, std::move(made)));
  }
  for (const catalog::ForeignKey& key : table.definition().foreign_keys) {
    Constraint made;
    made.id = key.id;
    made.name = key.name;
    made.kind = 'f';
    made.deferrable = key.deferrable;
    made.deferred = key.initially_deferred;
    made.validated = key.validated;
    made.index = referenced_index(relations, key);
    made.foreign_key = &key;
    made.columns = int2_array(key.columns);
    rows.push_back(constraint_row(table, std::move(made)));
  }
  for (const ShownRelation& relation : relations) {
    const catalog::IndexProperties& index = relation.definition().index;
    if (relation.kind != 'i' || index.table != table.id || !index.constraint) continue;
    Constraint made;
    made.id = catalog::constraint_id(relation.id);
    made.name = relation.name;
    made.kind = index.primary ? 'p' : 'u';
    made.index = relation.id;
    made.columns = int2_array(key_columns(index));
    rows.push_back(constraint_row(table, std::move(made)));
  }
}

std::vector<Row> constraint_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  for (const ShownRelation& table : relations) {
    if (table.kind == 'r') add_constraints(rows, inputs, relations, table);
  }
  return rows;
}

// pg_collation.oid of what an index key was given; what its type has otherwise.
std::int64_t collation_of(const catalog::IndexProperties::Key& key, const TypeInfo* type) {
  if (key.collation == "C") return 950;
  if (key.collation == "POSIX") return 951;
  return type != nullptr ? layout_of(*type).collation : 0;
}

Row index_row(const SystemViewInputs& inputs, const ShownRelation& relation) {
  const catalog::IndexProperties& index = relation.definition().index;
  const catalog::DefinitionPtr table = definition_of(inputs, index.table);
  std::vector<Value> columns;
  std::vector<Value> collations;
  std::vector<Value> classes;
  std::vector<Value> options;
  std::string expressions;
  for (const catalog::IndexProperties::Key& key : index.keys) {
    columns.push_back(Value::integer(key.column));
    const Type type = key.column != 0 ? table->columns.at(static_cast<std::size_t>(key.column - 1)).type : key.type;
    const TypeInfo* const info = find_type(type.id);
    collations.push_back(Value::integer(collation_of(key, info)));
    classes.push_back(Value::integer(0));
    // INDOPTION_DESC and INDOPTION_NULLS_FIRST.
    options.push_back(Value::integer((key.descending ? 1 : 0) | (key.nulls_first ? 2 : 0)));
    if (key.column == 0) expressions += (expressions.empty() ? "" : ", ") + key.expression;
  }
  for (const int column : index.included) columns.push_back(Value::integer(column));
  return {number(relation.id),
          number(index.table),
          number(index.keys.size() + index.included.size()),
          number(index.keys.size()),
          flag(index.unique),
          flag(index.nulls_not_distinct),
          flag(index.primary),
          flag(false),  // indisexclusion
          flag(true),   // indimmediate
          flag(false),  // indisclustered
          flag(true),   // indisvalid
          flag(false),  // indcheckxmin
          flag(true),   // indisready
          flag(true),   // indislive
          flag(false),  // indisreplident
          vector_of(TypeId::int2, std::move(columns)),
          vector_of(TypeId::oid, std::move(collations)),
          vector_of(TypeId::oid, std::move(classes)),
          vector_of(TypeId::int2, std::move(options)),
          text_or_null(expressions),
          text_or_null(index.predicate)};
}

std::vector<Row> index_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind == 'i') rows.push_back(index_row(inputs, relation));
  }
  return rows;
}

std::vector<Row> sequence_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind != 'S') continue;
    const catalog::SequenceProperties& sequence = relation.definition().sequence;
    const catalog::SequenceParameters& parameters = sequence.parameters;
    rows.push_back({number(relation.id), oid_of(sequence.type), Value::integer(parameters.start),
                    Value::integer(parameters.increment), Value::integer(parameters.maximum),
                    Value::integer(parameters.minimum), Value::integer(1), flag(parameters.cycle)});
  }
  return rows;
}

// Whether the column is GENERATED AS IDENTITY, whose sequence belongs to it more closely than that of a serial.
bool is_identity(const catalog::Definition& table, int column) {
  return table.columns.at(static_cast<std::size_t>(column - 1)).identity != catalog::Column::Identity::none;
}

// A view is a table with a rule in PostgreSQL; here the rule has a number derived from the view's.
std::uint32_t rule_oid(std::uint32_t view) { return view | 0x40000000U; }

constexpr char normal_dependency = 'n';
constexpr char automatic_dependency = 'a';
constexpr char internal_dependency = 'i';

Row dependency(std::int64_t catalog, std::uint64_t object, std::int64_t on_catalog, std::uint64_t on, int column,
               char kind) {
  return {Value::integer(catalog), number(object), number(0), Value::integer(on_catalog), number(on),
          Value::integer(column),  character(kind)};
}

void add_dependencies_of_defaults(const ShownRelation& table, std::vector<Row>& rows) {
  const std::vector<catalog::Column>& columns = table.definition().columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const catalog::Column& column = columns[i];
    const bool has_default = column.identity == catalog::Column::Identity::none && !column.default_text.empty();
    if (column.dropped || !has_default) continue;
    const std::uint64_t object = default_oid(table.id, i);
    rows.push_back(
        dependency(default_catalog, object, relation_catalog, table.id, static_cast<int>(i) + 1, automatic_dependency));
    for (const std::uint32_t named : catalog::named_relations(column.default_text))
      rows.push_back(dependency(default_catalog, object, relation_catalog, named, 0, normal_dependency));
  }
}

void add_dependencies_of_view(const SystemViewInputs& inputs, const ShownRelation& view, std::vector<Row>& rows) {
  const std::uint32_t rule = rule_oid(view.id);
  const catalog::ViewProperties& properties = view.definition().view;
  rows.push_back(dependency(rewrite_catalog, rule, relation_catalog, view.id, 0, internal_dependency));
  std::vector<std::uint32_t> by_columns;
  for (std::size_t i = 0; i + 1 < properties.columns.size(); i += 2) {
    rows.push_back(dependency(rewrite_catalog, rule, relation_catalog, properties.columns[i],
                              static_cast<int>(properties.columns[i + 1]), normal_dependency));
    by_columns.push_back(properties.columns[i]);
  }
  for (const std::uint32_t used : properties.uses) {
    if (std::ranges::find(by_columns, used) != by_columns.end()) continue;
    const catalog::DefinitionPtr definition = definition_of(inputs, used);
    const bool is_key = definition != nullptr && definition->kind == catalog::RelationKind::index;
    rows.push_back(dependency(rewrite_catalog, rule, is_key ? constraint_catalog : relation_catalog,
                              is_key ? catalog::constraint_id(used) : used, 0, normal_dependency));
  }
}

std::vector<Row> dependency_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind == 'r') add_dependencies_of_defaults(relation, rows);
    if (relation.kind == 'v') add_dependencies_of_view(inputs, relation, rows);
    const catalog::SequenceProperties& sequence = relation.definition().sequence;
    if (relation.kind != 'S' || sequence.owner == 0) continue;
    const catalog::DefinitionPtr table = definition_of(inputs, sequence.owner);
    if (table == nullptr) continue;
    rows.push_back(dependency(relation_catalog, relation.id, relation_catalog, sequence.owner, sequence.owner_column,
                              is_identity(*table, sequence.owner_column) ? internal_dependency : automatic_dependency));
  }
  return rows;
}

std::vector<Row> description_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const catalog::Relation& relation : inputs.database.catalog().relations(&inputs.transaction)) {
    const catalog::Definition& definition = *relation.description;
    const bool is_schema = definition.kind == catalog::RelationKind::schema;
    const Value catalog_oid = Value::integer(is_schema ? schema_catalog : relation_catalog);
    const std::string comment = comment_of(definition);
    if (!comment.empty()) rows.push_back({number(relation.id), catalog_oid, number(0), Value::text(comment)});
    for (std::size_t i = 0; i < definition.columns.size(); ++i) {
      const catalog::Column& column = definition.columns[i];
      if (column.comment.empty() || column.dropped) continue;
      rows.push_back({number(relation.id), catalog_oid, number(i + 1), Value::text(column.comment)});
    }
  }
  return rows;
}

std::vector<Row> rule_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind != 'v') continue;
    rows.push_back({number(rule_oid(relation.id)), Value::text("_RETURN"), number(relation.id), character('1'),
                    character('O'), flag(true), Value::text("<>"), Value::text(relation.definition().view.query)});
  }
  return rows;
}

}  // namespace

void add_constraint_views(std::vector<SystemView>& to) {
  const std::string schema = catalog::system_schema;
  to.push_back(
      make_view(2606, schema, "pg_constraint",
                "oid oid, conname name, connamespace oid, contype char, condeferrable bool, condeferred bool, "
                "convalidated bool, conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid, "
                "confupdtype char, confdeltype char, confmatchtype char, conislocal bool, coninhcount int4, "
                "connoinherit bool, conkey _int2, confkey _int2, conpfeqop _oid, conppeqop _oid, conffeqop _oid, "
                "confdelsetcols _int2, conexclop _oid, conbin text",
                constraint_rows));
  to.push_back(make_view(
      2610, schema, "pg_index",
      "indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, indnullsnotdistinct bool, "
      "indisprimary bool, indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool, "
      "indcheckxmin bool, indisready bool, indislive bool, indisreplident bool, indkey int2vector, "
      "indcollation oidvector, indclass oidvector, indoption int2vector, indexprs text, indpred text",
      index_rows));
  to.push_back(make_view(
      2224, schema, "pg_sequence",
      "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache int8, "
      "seqcycle bool",
      sequence_rows));
  to.push_back(
      make_view(2608, schema, "pg_depend",
                "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype char",
                dependency_rows));
  to.push_back(make_view(2609, schema, "pg_description", "objoid oid, classoid oid, objsubid int4, description text",
                         description_rows));
  to.push_back(
      make_view(2618, schema, "pg_rewrite",
                "oid oid, rulename name, ev_class oid, ev_type char, ev_enabled char, is_instead bool, ev_qual text, "
                "ev_action text",
                rule_rows));
}

}  // namespace polarsim::engine::executor
