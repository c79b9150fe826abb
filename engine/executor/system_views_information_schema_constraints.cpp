// Constraints in the standard's catalog: information_schema.table_constraints, key_column_usage,
// referential_constraints, check_constraints, constraint_column_usage, constraint_table_usage (PostgreSQL's
// src/backend/catalog/information_schema.sql).
#include <fmt/format.h>

#include <algorithm>

#include "engine/catalog/describe.h"
#include "engine/executor/definition_texts.h"
#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/node/session_services.h"

namespace polarsim::engine::executor {

namespace {

// One of these is set: what the constraint is made by.
struct Constraint {
  const ShownRelation* table = nullptr;
  std::string name;
  const catalog::Check* check = nullptr;
  const catalog::ForeignKey* foreign_key = nullptr;
  const catalog::IndexProperties* index = nullptr;
  int not_null = 0;  // the column's number: NOT NULL counts as a check here
};

std::vector<Constraint> constraints_among(const std::vector<ShownRelation>& relations) {
  std::vector<Constraint> constraints;
  for (const ShownRelation& table : relations) {
    if (table.kind != 'r') continue;
    const catalog::Definition& definition = table.definition();
    for (const catalog::Check& check : definition.checks)
      constraints.push_back({.table = &table, .name = check.name, .check = &check});
    for (const catalog::ForeignKey& key : definition.foreign_keys)
      constraints.push_back({.table = &table, .name = key.name, .foreign_key = &key});
    for (const ShownRelation& relation : relations) {
      const catalog::IndexProperties& index = relation.definition().index;
      if (relation.kind == 'i' && index.table == table.id && index.constraint)
        constraints.push_back({.table = &table, .name = relation.name, .index = &index});
    }
    for (std::size_t i = 0; i < definition.columns.size(); ++i) {
      if (!definition.columns[i].not_null || definition.columns[i].dropped) continue;
      constraints.push_back({.table = &table,
                             .name = fmt::format("{}_{}_{}_not_null", table.schema_id, table.id, i + 1),
                             .not_null = static_cast<int>(i) + 1});
    }
  }
  return constraints;
}

std::vector<int> key_columns(const catalog::IndexProperties& index) {
  std::vector<int> columns;
  for (const catalog::IndexProperties::Key& key : index.keys) columns.push_back(key.column);
  return columns;
}

const std::string& column_name(const catalog::Definition& table, int number) {
  return table.columns.at(static_cast<std::size_t>(number - 1)).name;
}

// Catalog, schema and name, as the standard qualifies what it names.
void add_name(Row& row, const std::string& schema, const std::string& name) {
  row.push_back(Value::text(database_name));
  row.push_back(Value::text(schema));
  row.push_back(Value::text(name));
}

const char* type_of(const Constraint& constraint) {
  if (constraint.foreign_key != nullptr) return "FOREIGN KEY";
  if (constraint.index != nullptr) return constraint.index->primary ? "PRIMARY KEY" : "UNIQUE";
  return "CHECK";
}

std::vector<Row> table_constraint_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    const ShownRelation& table = *constraint.table;
    const bool unique = constraint.index != nullptr && !constraint.index->primary;
    const catalog::ForeignKey* const key = constraint.foreign_key;
    Row row;
    add_name(row, table.schema, constraint.name);
    add_name(row, table.schema, table.name);
    row.push_back(Value::text(type_of(constraint)));
    row.push_back(yes_or_no(key != nullptr && key->deferrable));
    row.push_back(yes_or_no(key != nullptr && key->initially_deferred));
    row.push_back(yes_or_no(true));  // enforced
    row.push_back(unique ? yes_or_no(!constraint.index->nulls_not_distinct) : Value::null());
    rows.push_back(std::move(row));
  }
  return rows;
}

// The key that a foreign key leans on; null if it is none but a unique index.
const ShownRelation* referenced_key(const std::vector<ShownRelation>& relations, const catalog::ForeignKey& key) {
  std::vector<int> wanted = key.referenced_columns;
  std::sort(wanted.begin(), wanted.end());
  for (const ShownRelation& relation : relations) {
    const catalog::IndexProperties& index = relation.definition().index;
    if (relation.kind != 'i' || index.table != key.referenced || !index.constraint) continue;
    std::vector<int> columns = key_columns(index);
    std::sort(columns.begin(), columns.end());
    if (columns == wanted) return &relation;
  }
  return nullptr;
}

Row key_column_row(const Constraint& constraint, int column, std::size_t position, Value in_unique_constraint) {
  const ShownRelation& table = *constraint.table;
  Row row;
  add_name(row, table.schema, constraint.name);
  add_name(row, table.schema, table.name);
  row.push_back(Value::text(column_name(table.definition(), column)));
  row.push_back(number(position + 1));
  row.push_back(std::move(in_unique_constraint));
  return row;
}

std::vector<Row> key_column_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    if (constraint.index != nullptr) {
      const std::vector<int> columns = key_columns(*constraint.index);
      for (std::size_t i = 0; i < columns.size(); ++i)
        rows.push_back(key_column_row(constraint, columns[i], i, Value::null()));
    }
    if (constraint.foreign_key == nullptr) continue;
    const catalog::ForeignKey& key = *constraint.foreign_key;
    const ShownRelation* const referenced = referenced_key(relations, key);
    const std::vector<int> of_key =
        referenced != nullptr ? key_columns(referenced->definition().index) : std::vector<int>();
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto place = std::ranges::find(of_key, key.referenced_columns.at(i));
      Value position = place == of_key.end() ? Value::null() : Value::integer(place - of_key.begin() + 1);
      rows.push_back(key_column_row(constraint, key.columns[i], i, std::move(position)));
    }
  }
  return rows;
}

const char* rule_name(catalog::ForeignKey::Action action) {
  switch (action) {
    case catalog::ForeignKey::Action::no_action:
      return "NO ACTION";
    case catalog::ForeignKey::Action::restrict:
      return "RESTRICT";
    case catalog::ForeignKey::Action::cascade:
      return "CASCADE";
    case catalog::ForeignKey::Action::set_null:
      return "SET NULL";
    case catalog::ForeignKey::Action::set_default:
      return "SET DEFAULT";
  }
  return "";
}

std::vector<Row> referential_constraint_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    const catalog::ForeignKey* const key = constraint.foreign_key;
    if (key == nullptr) continue;
    Row row;
    add_name(row, constraint.table->schema, constraint.name);
    if (const ShownRelation* const referenced = referenced_key(relations, *key)) {
      add_name(row, referenced->schema, referenced->name);
    } else {
      row.insert(row.end(), 3, Value::null());
    }
    row.push_back(Value::text(key->match_full ? "FULL" : "NONE"));
    row.push_back(Value::text(rule_name(key->on_update)));
    row.push_back(Value::text(rule_name(key->on_delete)));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> check_constraint_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    std::string clause;
    if (constraint.check != nullptr)
      clause = catalog::check_text(*constraint.check).substr(std::string("CHECK ").size());
    if (constraint.not_null != 0)
      clause = column_name(constraint.table->definition(), constraint.not_null) + " IS NOT NULL";
    if (clause.empty()) continue;
    Row row;
    add_name(row, constraint.table->schema, constraint.name);
    row.push_back(Value::text(clause));
    rows.push_back(std::move(row));
  }
  return rows;
}

const ShownRelation* find(const std::vector<ShownRelation>& relations, std::uint32_t id) {
  const auto found = std::ranges::find_if(relations, [&](const ShownRelation& each) { return each.id == id; });
  return found == relations.end() ? nullptr : &*found;
}

// The table whose columns a constraint depends on; null if there is none to tell.
const ShownRelation* used_table(const std::vector<ShownRelation>& relations, const Constraint& constraint) {
  return constraint.foreign_key != nullptr ? find(relations, constraint.foreign_key->referenced) : constraint.table;
}

std::vector<Row> column_usage_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    const ShownRelation* const table = used_table(relations, constraint);
    if (table == nullptr || constraint.not_null != 0) continue;
    std::vector<int> columns;
    if (constraint.foreign_key != nullptr) columns = constraint.foreign_key->referenced_columns;
    if (constraint.index != nullptr) columns = key_columns(*constraint.index);
    if (constraint.check != nullptr)
      columns = expression_columns(inputs.database, inputs.call, constraint.check->condition, table->definition());
    for (const int column : columns) {
      Row row;
      add_name(row, table->schema, table->name);
      row.push_back(Value::text(column_name(table->definition(), column)));
      add_name(row, constraint.table->schema, constraint.name);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Row> table_usage_rows(const SystemViewInputs& inputs) {
  const std::vector<ShownRelation> relations = defined_relations(inputs);
  std::vector<Row> rows;
  for (const Constraint& constraint : constraints_among(relations)) {
    const ShownRelation* const table = used_table(relations, constraint);
    const bool is_key = constraint.foreign_key != nullptr || constraint.index != nullptr;
    if (table == nullptr || !is_key) continue;
    Row row;
    add_name(row, table->schema, table->name);
    add_name(row, constraint.table->schema, constraint.name);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void add_information_schema_constraints(std::vector<SystemView>& to) {
  const std::string schema = information_schema;
  const std::string constraint = "constraint_catalog name, constraint_schema name, constraint_name name";
  const std::string table = "table_catalog name, table_schema name, table_name name";
  to.push_back(make_view(13411, schema, "table_constraints",
                         constraint + ", " + table +
                             ", constraint_type varchar, is_deferrable varchar, initially_deferred varchar, "
                             "enforced varchar, nulls_distinct varchar",
                         table_constraint_rows));
  to.push_back(make_view(
      13329, schema, "key_column_usage",
      constraint + ", " + table + ", column_name name, ordinal_position int4, position_in_unique_constraint int4",
      key_column_rows));
  to.push_back(make_view(13339, schema, "referential_constraints",
                         constraint + ", unique_constraint_catalog name, unique_constraint_schema name, "
                                      "unique_constraint_name name, match_option varchar, update_rule varchar, "
                                      "delete_rule varchar",
                         referential_constraint_rows));
  to.push_back(
      make_view(13260, schema, "check_constraints", constraint + ", check_clause varchar", check_constraint_rows));
  to.push_back(make_view(13300, schema, "constraint_column_usage", table + ", column_name name, " + constraint,
                         column_usage_rows));
  to.push_back(make_view(13305, schema, "constraint_table_usage", table + ", " + constraint, table_usage_rows));
}

}  // namespace polarsim::engine::executor
