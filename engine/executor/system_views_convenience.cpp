// The catalog for people: pg_tables, pg_views, pg_indexes, pg_sequences, pg_stats (PostgreSQL's
// src/backend/catalog/system_views.sql).
#include "engine/catalog/sequence.h"
#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/node/session_services.h"
#include "engine/types/array.h"
#include "engine/types/order.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

std::vector<Row> table_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = shown_relations(inputs);
  const std::vector<std::uint32_t> indexed = tables_with_index(relations);
  const std::vector<std::uint32_t> with_foreign_keys = tables_with_foreign_keys(relations);
  std::vector<Row> rows;
  for (const ShownRelation& relation : relations) {
    if (relation.kind != 'r') continue;
    rows.push_back({Value::text(relation.schema), Value::text(relation.name), Value::text(role_name), Value::null(),
                    flag(contains(indexed, relation.id)), flag(false), flag(contains(with_foreign_keys, relation.id)),
                    flag(false)});
  }
  return rows;
}

// Views of the catalog have no text.
std::vector<Row> view_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : shown_relations(inputs)) {
    if (relation.kind != 'v') continue;
    rows.push_back({Value::text(relation.schema), Value::text(relation.name), Value::text(role_name),
                    ask_session(inputs, "pg_get_viewdef", {number(relation.id)}, {TypeId::oid})});
  }
  return rows;
}

std::vector<Row> index_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind != 'i') continue;
    const catalog::DefinitionPtr table = definition_of(inputs, relation.definition().index.table);
    if (table == nullptr) continue;
    rows.push_back({Value::text(relation.schema), Value::text(table->name), Value::text(relation.name), Value::null(),
                    ask_session(inputs, "pg_get_indexdef", {number(relation.id)}, {TypeId::oid})});
  }
  return rows;
}

std::vector<Row> sequence_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    if (relation.kind != 'S') continue;
    const catalog::SequenceProperties& sequence = relation.definition().sequence;
    const catalog::SequenceParameters& parameters = sequence.parameters;
    const auto last = catalog::last_value(inputs.database, relation.relation.file);
    rows.push_back({Value::text(relation.schema), Value::text(relation.name), Value::text(role_name),
                    oid_of(sequence.type), Value::integer(parameters.start), Value::integer(parameters.minimum),
                    Value::integer(parameters.maximum), Value::integer(parameters.increment), flag(parameters.cycle),
                    Value::integer(1), last ? Value::integer(*last) : Value::null()});
  }
  return rows;
}

Value array_of(const std::vector<std::string>& texts, TypeId type) {
  if (texts.empty()) return Value::null();
  std::vector<Value> values;
  for (const std::string& text : texts) values.push_back(input_value(text, type, CallContext{}));
  return Value::array(Array(type, std::move(values)));
}

std::vector<Row> statistics_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const ShownRelation& relation : defined_relations(inputs)) {
    const catalog::Definition& definition = relation.definition();
    if (!definition.statistics) continue;
    for (const catalog::ColumnStatistics& known : definition.statistics->columns) {
      const catalog::Column& column = definition.columns.at(static_cast<std::size_t>(known.column) - 1);
      std::vector<Value> frequencies;
      for (const float frequency : known.most_common_frequencies) frequencies.push_back(Value::floating(frequency));
      const bool has_order = is_ordered(column.type.id) && !(known.histogram.empty() && known.most_common.empty());
      rows.push_back({Value::text(relation.schema), Value::text(relation.name), Value::text(column.name), flag(false),
                      Value::floating(known.null_fraction), Value::integer(known.average_width),
                      Value::floating(known.distinct), array_of(known.most_common, column.type.id),
                      frequencies.empty() ? Value::null() : Value::array(Array(TypeId::float4, std::move(frequencies))),
                      array_of(known.histogram, column.type.id),
                      has_order ? Value::floating(known.correlation) : Value::null(), Value::null(), Value::null(),
                      Value::null()});
    }
  }
  return rows;
}

}  // namespace

void add_convenience_views(std::vector<SystemView>& to) {
  const std::string schema = catalog::system_schema;
  to.push_back(
      make_view(12033, schema, "pg_tables",
                "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules bool, "
                "hastriggers bool, rowsecurity bool",
                table_rows));
  to.push_back(make_view(12028, schema, "pg_views", "schemaname name, viewname name, viewowner name, definition text",
                         view_rows));
  to.push_back(make_view(12043, schema, "pg_indexes",
                         "schemaname name, tablename name, indexname name, tablespace name, indexdef text",
                         index_rows));
  to.push_back(make_view(
      12053, schema, "pg_stats",
      "schemaname name, tablename name, attname name, inherited bool, null_frac float4, avg_width int4, "
      "n_distinct float4, most_common_vals anyarray, most_common_freqs _float4, histogram_bounds anyarray, "
      "correlation float4, most_common_elems anyarray, most_common_elem_freqs _float4, elem_count_histogram _float4",
      statistics_rows));
  to.push_back(make_view(
      12048, schema, "pg_sequences",
      "schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value int8, min_value int8, "
      "max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8",
      sequence_rows));
}

}  // namespace polarsim::engine::executor
