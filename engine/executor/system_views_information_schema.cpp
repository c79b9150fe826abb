// The standard's catalog: information_schema.tables, columns, schemata, views, sequences, view_table_usage
// (PostgreSQL's src/backend/catalog/information_schema.sql). The domains of its columns are shown as the types below
// them.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/node/session_services.h"

namespace polarsim::engine::executor {

namespace {

Value database() { return Value::text(database_name); }
Value nothing() { return Value::null(); }

bool is_base_table(const ShownRelation& relation) { return relation.kind == 'r'; }

std::vector<Row> schema_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  const auto add = [&](const std::string& name) {
    rows.push_back({database(), Value::text(name), Value::text(role_name), nothing(), nothing(), nothing(), nothing()});
  };
  for (const catalog::Relation& relation : inputs.database.catalog().relations(&inputs.transaction)) {
    if (relation.description->kind == catalog::RelationKind::schema) add(relation.description->name);
  }
  add(information_schema);
  return rows;
}

// Views cannot be written through.
std::vector<Row> table_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : shown_relations(inputs)) {
    if (!is_base_table(relation) && relation.kind != 'v') continue;
    rows.push_back({database(), Value::text(relation.schema), Value::text(relation.name),
                    Value::text(is_base_table(relation) ? "BASE TABLE" : "VIEW"), nothing(), nothing(), nothing(),
                    nothing(), nothing(), yes_or_no(is_base_table(relation)), yes_or_no(false), nothing()});
  }
  return rows;
}

// Lengths, precision and scale of a type, as _pg_char_max_length() and the like compute them.
struct Measures {
  Value character_length;
  Value octet_length;
  Value precision;
  Value radix;
  Value scale;
  Value datetime_precision;
};

Measures measures_of(const Type& type) {
  using enum TypeId;
  constexpr std::int32_t header = 4;
  constexpr std::int64_t bytes_in_character = 4;
  constexpr std::int64_t text_bytes_max = 1 << 30;
  Measures made;
  if (type.id == varchar || type.id == bpchar) {
    if (type.modifier >= header) {
      made.character_length = Value::integer(type.modifier - header);
      made.octet_length = Value::integer((type.modifier - header) * bytes_in_character);
    } else {
      made.octet_length = Value::integer(text_bytes_max);
    }
  }
  if (type.id == text) made.octet_length = Value::integer(text_bytes_max);
  if (type.id == int2 || type.id == int4 || type.id == int8) {
    made.precision = Value::integer(type_info(type.id).length * 8);
    made.radix = Value::integer(2);
    made.scale = Value::integer(0);
  }
  if (type.id == float4 || type.id == float8) {
    made.precision = Value::integer(type.id == float4 ? 24 : 53);
    made.radix = Value::integer(2);
  }
  if (type.id == numeric) {
    made.radix = Value::integer(10);
    if (type.modifier >= header) {
      made.precision = Value::integer(((type.modifier - header) >> 16) & 0xFFFF);
      // Eleven bits with a sign.
      made.scale = Value::integer((((type.modifier - header) & 0x7FF) ^ 1024) - 1024);
    }
  }
  const bool has_fraction = type.id == time || type.id == timestamp || type.id == timestamptz || type.id == interval;
  if (type.id == date) made.datetime_precision = Value::integer(0);
  if (has_fraction) made.datetime_precision = Value::integer(type.modifier < 0 ? 6 : type.modifier & 0xFFFF);
  return made;
}

// identity_start to identity_minimum, and whether it cycles.
Row identity_values(const std::vector<ShownRelation>& relations, const ShownRelation& table, std::size_t position) {
  for (const ShownRelation& relation : relations) {
    if (relation.kind != 'S') continue;
    const catalog::SequenceProperties& sequence = relation.definition().sequence;
    if (sequence.owner != table.id || sequence.owner_column != static_cast<int>(position) + 1) continue;
    const catalog::SequenceParameters& parameters = sequence.parameters;
    const auto shown = [](std::int64_t value) { return Value::text(fmt::to_string(value)); };
    return {shown(parameters.start), shown(parameters.increment), shown(parameters.maximum), shown(parameters.minimum),
            yes_or_no(parameters.cycle)};
  }
  return {nothing(), nothing(), nothing(), nothing(), yes_or_no(false)};
}

std::string data_type(const TypeInfo& type) { return is_array(type.id) ? "ARRAY" : type.display_name; }

Row column_row(const SystemViewInputs& inputs, const std::vector<ShownRelation>& relations, const ShownRelation& table,
               const ShownColumn& shown, std::size_t position) {
  static const catalog::Column plain;
  const catalog::Column& column = shown.column != nullptr ? *shown.column : plain;
  const TypeInfo& type = type_info(shown.type.id);
  const Measures measures = measures_of(shown.type);
  const bool is_identity = column.identity != catalog::Column::Identity::none;
  const bool is_name = type.id == TypeId::name;
  const bool generated = !column.generated_text.empty();
  const auto expression = [&](const std::string& text) {
    if (text.empty()) return nothing();
    return ask_session(inputs, "pg_get_expr", {Value::text(text), number(table.id)}, {TypeId::text, TypeId::oid});
  };
  Row row{database(),
          Value::text(table.schema),
          Value::text(table.name),
          Value::text(shown.name),
          number(position + 1),
          is_identity ? nothing() : expression(column.default_text),
          yes_or_no(!column.not_null),
          Value::text(data_type(type)),
          measures.character_length,
          measures.octet_length,
          measures.precision,
          measures.radix,
          measures.scale,
          measures.datetime_precision,
          nothing(),  // interval_type
          nothing(),  // interval_precision
          nothing(),  // character_set_catalog
          nothing(),  // character_set_schema
          nothing(),  // character_set_name
          is_name ? database() : nothing(),
          is_name ? Value::text(catalog::system_schema) : nothing(),
          is_name ? Value::text("C") : nothing(),
          nothing(),  // domain_catalog
          nothing(),  // domain_schema
          nothing(),  // domain_name
          database(),
          Value::text(catalog::system_schema),
          Value::text(type.name),
          nothing(),  // scope_catalog
          nothing(),  // scope_schema
          nothing(),  // scope_name
          nothing(),  // maximum_cardinality
          Value::text(fmt::to_string(position + 1)),
          yes_or_no(false),  // is_self_referencing
          yes_or_no(is_identity),
          !is_identity ? nothing()
                       : Value::text(column.identity == catalog::Column::Identity::always ? "ALWAYS" : "BY DEFAULT")};
  Row identity = is_identity ? identity_values(relations, table, position)
                             : Row{nothing(), nothing(), nothing(), nothing(), yes_or_no(false)};
  row.insert(row.end(), identity.begin(), identity.end());
  row.push_back(Value::text(generated ? "ALWAYS" : "NEVER"));
  row.push_back(expression(column.generated_text));
  row.push_back(yes_or_no(is_base_table(table)));
  return row;
}

std::vector<Row> column_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = shown_relations(inputs);
  std::vector<Row> rows;
  for (const ShownRelation& relation : relations) {
    if (!is_base_table(relation) && relation.kind != 'v') continue;
    const std::vector<ShownColumn> columns = columns_of(inputs, relation);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool dropped = columns[i].column != nullptr && columns[i].column->dropped;
      if (!dropped) rows.push_back(column_row(inputs, relations, relation, columns[i], i));
    }
  }
  return rows;
}

std::vector<Row> view_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : shown_relations(inputs)) {
    if (relation.kind != 'v') continue;
    rows.push_back({database(), Value::text(relation.schema), Value::text(relation.name),
                    ask_session(inputs, "pg_get_viewdef", {number(relation.id)}, {TypeId::oid}), Value::text("NONE"),
                    yes_or_no(false), yes_or_no(false), yes_or_no(false), yes_or_no(false), yes_or_no(false)});
  }
  return rows;
}

std::vector<Row> view_usage_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = shown_relations(inputs);
  std::vector<Row> rows;
  for (const ShownRelation& view : relations) {
    if (view.kind != 'v' || view.system != nullptr) continue;
    for (const ShownRelation& used : relations) {
      const auto& uses = view.definition().view.uses;
      if (std::ranges::find(uses, used.id) == uses.end()) continue;
      rows.push_back({database(), Value::text(view.schema), Value::text(view.name), database(),
                      Value::text(used.schema), Value::text(used.name)});
    }
  }
  return rows;
}

// Sequences of identity columns are theirs alone.
std::vector<Row> sequence_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind != 'S') continue;
    const catalog::SequenceProperties& sequence = relation.definition().sequence;
    const catalog::DefinitionPtr owner = sequence.owner == 0 ? nullptr : definition_of(inputs, sequence.owner);
    const bool of_identity =
        owner != nullptr && owner->columns.at(static_cast<std::size_t>(sequence.owner_column - 1)).identity !=
                                catalog::Column::Identity::none;
    if (of_identity) continue;
    const catalog::SequenceParameters& parameters = sequence.parameters;
    const auto shown = [](std::int64_t value) { return Value::text(fmt::to_string(value)); };
    const TypeInfo& type = type_info(sequence.type);
    rows.push_back({database(), Value::text(relation.schema), Value::text(relation.name),
                    Value::text(type.display_name), Value::integer(type.length * 8), Value::integer(2),
                    Value::integer(0), shown(parameters.start), shown(parameters.minimum), shown(parameters.maximum),
                    shown(parameters.increment), yes_or_no(parameters.cycle)});
  }
  return rows;
}

std::vector<Row> catalog_name_rows(const SystemViewInputs&) { return {{database()}}; }

}  // namespace

void add_information_schema_views(std::vector<SystemView>& to) {
  const std::string schema = information_schema;
  to.push_back(make_view(13382, schema, "schemata",
                         "catalog_name name, schema_name name, schema_owner name, default_character_set_catalog name, "
                         "default_character_set_schema name, default_character_set_name name, sql_path varchar",
                         schema_rows));
  to.push_back(make_view(
      13425, schema, "tables",
      "table_catalog name, table_schema name, table_name name, table_type varchar, "
      "self_referencing_column_name name, reference_generation varchar, user_defined_type_catalog name, "
      "user_defined_type_schema name, user_defined_type_name name, is_insertable_into varchar, is_typed varchar, "
      "commit_action varchar",
      table_rows));
  to.push_back(make_view(
      13295, schema, "columns",
      "table_catalog name, table_schema name, table_name name, column_name name, ordinal_position int4, "
      "column_default varchar, is_nullable varchar, data_type varchar, character_maximum_length int4, "
      "character_octet_length int4, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, "
      "datetime_precision int4, interval_type varchar, interval_precision int4, character_set_catalog name, "
      "character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, "
      "collation_name name, domain_catalog name, domain_schema name, domain_name name, udt_catalog name, "
      "udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, "
      "maximum_cardinality int4, dtd_identifier name, is_self_referencing varchar, is_identity varchar, "
      "identity_generation varchar, identity_start varchar, identity_increment varchar, identity_maximum varchar, "
      "identity_minimum varchar, identity_cycle varchar, is_generated varchar, generation_expression varchar, "
      "is_updatable varchar",
      column_rows));
  to.push_back(make_view(
      13483, schema, "views",
      "table_catalog name, table_schema name, table_name name, view_definition varchar, check_option varchar, "
      "is_updatable varchar, is_insertable_into varchar, is_trigger_updatable varchar, "
      "is_trigger_deletable varchar, is_trigger_insertable_into varchar",
      view_rows));
  to.push_back(make_view(
      13478, schema, "view_table_usage",
      "view_catalog name, view_schema name, view_name name, table_catalog name, table_schema name, table_name name",
      view_usage_rows));
  to.push_back(make_view(13386, schema, "sequences",
                         "sequence_catalog name, sequence_schema name, sequence_name name, data_type varchar, "
                         "numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, "
                         "start_value varchar, minimum_value varchar, maximum_value varchar, increment varchar, "
                         "cycle_option varchar",
                         sequence_rows));
  to.push_back(make_view(13227, schema, "information_schema_catalog_name", "catalog_name name", catalog_name_rows));
}

}  // namespace polarsim::engine::executor
