#include "engine/commands/constraints.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/commands/indexes.h"
#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_columns.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* invalid_foreign_key = "42830";

using Kind = syntax::Constraint::Kind;

// Whether the name is that of a relation already, or of one that the statement makes.
bool names_relation(const CommandContext& context, const TableInMaking& table, const std::string& name) {
  const auto is_named = [&name](const Definition& index) { return index.name == name; };
  return table.definition.name == name || std::any_of(table.indexes.begin(), table.indexes.end(), is_named) ||
         context.catalog().find_in_schema(&context.transaction, table.definition.schema, name).has_value();
}

std::string settle_name(const CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
                        const std::vector<std::string>& columns, std::string_view label, NameChooser& names) {
  std::string name = constraint.name;
  const auto taken = [&] {
    return std::find(table.constraint_names.begin(), table.constraint_names.end(), name) !=
           table.constraint_names.end();
  };
  const bool is_key = constraint.kind == Kind::primary_key || constraint.kind == Kind::unique;
  if (name.empty()) {
    do name = names.choose(table.definition.name, columns, label);
    while (taken());
  } else if (is_key && names_relation(context, table, name)) {
    throw_exists(name);
  } else if (taken() && constraint.kind == Kind::check && table.id == 0) {
    throw SqlError(sqlstate::duplicate_object, fmt::format("check constraint \"{}\" already exists", name));
  } else if (taken()) {
    throw SqlError(sqlstate::duplicate_object,
                   fmt::format("constraint \"{}\" for relation \"{}\" already exists", name, table.definition.name));
  }
  table.constraint_names.push_back(name);
  return name;
}

void refuse_deferrable(const syntax::Constraint& constraint) {
  if (constraint.deferrable || constraint.initially_deferred)
    throw SqlError(sqlstate::feature_not_supported, "deferrable constraints are not supported");
}

// Throws unless the columns of a key are there, each once. System columns are, too, and are refused later.
void check_key_columns(const Definition& definition, const WrittenKey& key, int position) {
  const auto require = [&](const std::string& name) {
    if (definition.find_column(name) != 0 || is_system_column(name)) return;
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" named in key does not exist", name))
        .at(position);
  };
  for (auto name = key.columns.begin(); name != key.columns.end(); ++name) {
    require(*name);
    if (std::find(key.columns.begin(), name, *name) == name) continue;
    throw SqlError(sqlstate::duplicate_column,
                   fmt::format("column \"{}\" appears twice in {} constraint", *name,
                               key.constraint.kind == Kind::primary_key ? "primary key" : "unique"))
        .at(position);
  }
  for (const std::string& name : key.constraint.including) require(name);
}

std::vector<int> key_columns(const Definition& definition, const std::vector<std::string>& names) {
  std::vector<int> columns;
  for (const std::string& name : names) {
    columns.push_back(definition.find_column(name));
    if (columns.back() == 0)
      throw SqlError(sqlstate::feature_not_supported, "index creation on system columns is not supported");
  }
  return columns;
}

catalog::Column& column_of(Definition& definition, int number) {
  return definition.columns[static_cast<std::size_t>(number - 1)];
}

const catalog::Column& column_of(const Definition& definition, int number) {
  return definition.columns[static_cast<std::size_t>(number - 1)];
}

bool has_primary_key(const CommandContext& context, const TableInMaking& table) {
  const auto is_primary = [](const Definition& index) { return index.index.primary; };
  if (std::any_of(table.indexes.begin(), table.indexes.end(), is_primary)) return true;
  if (table.id == 0) return false;
  const catalog::TablePtr existing = context.catalog().find_table(&context.transaction, table.id);
  return std::any_of(existing->indexes.begin(), existing->indexes.end(),
                     [](const catalog::Index& index) { return index.description->index.primary; });
}

void add_key(CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
             const std::vector<std::string>& columns, NameChooser& names) {
  const bool primary = constraint.kind == Kind::primary_key;
  refuse_deferrable(constraint);
  if (!constraint.using_index.empty())
    throw SqlError(sqlstate::feature_not_supported, "constraints USING INDEX are not supported");
  Definition index;
  index.kind = RelationKind::index;
  index.schema = table.definition.schema;
  index.index.unique = true;
  index.index.primary = primary;
  index.index.constraint = true;
  index.index.nulls_not_distinct = constraint.nulls_not_distinct;
  if (table.id != 0) check_key_columns(table.definition, {constraint, columns}, constraint.position);
  if (primary) {
    const auto system = std::find_if(columns.begin(), columns.end(), is_system_column);
    if (system != columns.end())
      throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot alter system column \"{}\"", *system));
  }
  check_key_count(columns.size() + constraint.including.size());
  index.options = storage_parameters(RelationKind::index, constraint.parameters);
  for (const int column : key_columns(table.definition, columns)) {
    require_index_order(column_of(table.definition, column).type);
    if (primary) column_of(table.definition, column).not_null = true;
    catalog::IndexProperties::Key key;
    key.column = column;
    key.type = column_of(table.definition, column).type;
    index.index.keys.push_back(std::move(key));
  }
  index.index.included = key_columns(table.definition, constraint.including);
  if (primary && has_primary_key(context, table)) {
    throw SqlError(sqlstate::invalid_table_definition,
                   fmt::format("multiple primary keys for table \"{}\" are not allowed", table.definition.name));
  }
  const std::vector<std::string> no_columns;
  index.name = settle_name(context, table, constraint, primary ? no_columns : columns, primary ? "pkey" : "key", names);
  table.indexes.push_back(std::move(index));
}

void add_check(const CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
               NameChooser& names) {
  const query::Relation shape = executor::shape_of(table.definition, table.id);
  const query::ExpressionPtr condition = query::analyse_over_relation(constraint.expression, shape, TypeId::boolean,
                                                                      "check constraints", context.analysis());
  // As PostgreSQL does: a check of a single column is named after it, wherever it was written.
  const std::set<int> used = columns_used(condition);
  std::vector<std::string> columns;
  if (used.size() == 1 && *used.begin() > 0) columns.push_back(column_of(table.definition, *used.begin()).name);
  catalog::Check check;
  check.name = settle_name(context, table, constraint, columns, "check", names);
  check.condition = query::deparse(*condition, &shape);
  check.validated = !constraint.not_valid;
  check.no_inherit = constraint.no_inherit;
  check.id = context.database.transactions().new_relation_id();
  table.definition.checks.push_back(std::move(check));
}

// --- foreign keys ---

// The columns of the referenced table that the key leads to: those written, or its primary key.
std::vector<int> referenced_columns(const catalog::Table& referenced, const syntax::Constraint& constraint) {
  if (constraint.referenced_columns.empty()) {
    for (const catalog::Index& index : referenced.indexes) {
      if (!index.description->index.primary) continue;
      std::vector<int> columns;
      for (const auto& key : index.description->index.keys) columns.push_back(key.column);
      return columns;
    }
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("there is no primary key for referenced table \"{}\"", referenced.description->name));
  }
  std::vector<int> columns;
  for (const std::string& name : constraint.referenced_columns) {
    const int column = referenced.description->find_column(name);
    if (column == 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" referenced in foreign key constraint does not exist", name));
    }
    columns.push_back(column);
  }
  const auto is_key = [&](const catalog::Index& index) {
    const catalog::IndexProperties& properties = index.description->index;
    if (!properties.unique || !properties.predicate.empty() || properties.keys.size() != columns.size()) return false;
    return std::all_of(properties.keys.begin(), properties.keys.end(), [&](const auto& key) {
      return std::find(columns.begin(), columns.end(), key.column) != columns.end();
    });
  };
  if (std::none_of(referenced.indexes.begin(), referenced.indexes.end(), is_key)) {
    throw SqlError(invalid_foreign_key,
                   fmt::format("there is no unique constraint matching given keys for referenced table \"{}\"",
                               referenced.description->name));
  }
  return columns;
}

// The table as it will be, if it refers to itself.
catalog::TablePtr itself(const CommandContext& context, const TableInMaking& table) {
  auto made = std::make_shared<catalog::Table>();
  if (table.id != 0) *made = *context.catalog().find_table(&context.transaction, table.id);
  made->id = table.id;
  made->description = std::make_shared<const Definition>(table.definition);
  for (const Definition& index : table.indexes)
    made->indexes.push_back({0, 0, std::make_shared<const Definition>(index)});
  return made;
}

bool names_itself(const CommandContext& context, const TableInMaking& table, const syntax::TableName& name) {
  if (name.name != table.definition.name) return false;
  if (!name.schema.empty()) return name.schema == table.definition.schema;
  const auto found = find(context, name);
  return !found || found->id == table.id || table.id == 0;
}

catalog::ForeignKey::Action action_of(syntax::Constraint::Action action) {
  using From = syntax::Constraint::Action;
  using To = catalog::ForeignKey::Action;
  switch (action) {
    case From::no_action:
      return To::no_action;
    case From::restrict:
      return To::restrict;
    case From::cascade:
      return To::cascade;
    case From::set_null:
      return To::set_null;
    case From::set_default:
      return To::set_default;
  }
  return To::no_action;
}

std::vector<int> referencing_columns(const Definition& definition, const std::vector<std::string>& names) {
  std::vector<int> columns;
  for (const std::string& name : names) {
    columns.push_back(definition.find_column(name));
    if (columns.back() != 0) continue;
    throw SqlError(sqlstate::undefined_column,
                   fmt::format("column \"{}\" referenced in foreign key constraint does not exist", name));
  }
  return columns;
}

void refuse_change_of_generated(const Definition& definition, const catalog::ForeignKey& key) {
  using Action = catalog::ForeignKey::Action;
  if (std::none_of(key.columns.begin(), key.columns.end(),
                   [&](int column) { return !column_of(definition, column).generated_text.empty(); }))
    return;
  const auto sets = [](Action action) { return action == Action::set_null || action == Action::set_default; };
  const char* clause = nullptr;
  if (sets(key.on_delete)) clause = "DELETE";
  if (sets(key.on_update) || key.on_update == Action::cascade) clause = "UPDATE";
  if (clause == nullptr) return;
  throw SqlError(sqlstate::syntax_error,
                 fmt::format("invalid ON {} action for foreign key constraint containing generated column", clause));
}

void add_foreign_key(CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
                     const std::vector<std::string>& columns, NameChooser& names) {
  std::string name = settle_name(context, table, constraint, columns, "fkey", names);
  catalog::TablePtr referenced;
  const bool self = names_itself(context, table, constraint.referenced);
  if (self) {
    referenced = itself(context, table);
  } else {
    referenced = open_table(context, constraint.referenced, LockMode::share_row_exclusive);
  }
  catalog::ForeignKey key;
  key.name = std::move(name);
  key.columns = referencing_columns(table.definition, columns);
  key.on_delete_columns = referencing_columns(table.definition, constraint.on_delete_columns);
  for (const int column : key.on_delete_columns) {
    if (std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end()) continue;
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
                               column_of(table.definition, column).name));
  }
  key.referenced = referenced->id;  // 0: itself, which has no number yet
  key.referenced_columns = referenced_columns(*referenced, constraint);
  key.on_delete = action_of(constraint.on_delete);
  key.on_update = action_of(constraint.on_update);
  refuse_change_of_generated(table.definition, key);
  if (key.columns.size() != key.referenced_columns.size()) {
    throw SqlError(invalid_foreign_key, "number of referencing and referenced columns for foreign key disagree");
  }
  key.match_full = constraint.match_full;
  key.deferrable = constraint.deferrable || constraint.initially_deferred;
  key.initially_deferred = constraint.initially_deferred;
  key.validated = !constraint.not_valid;
  key.id = context.database.transactions().new_relation_id();
  check_comparable(table.definition, *referenced->description, key);
  table.definition.foreign_keys.push_back(std::move(key));
}

}  // namespace

std::vector<WrittenKey> settle_keys(const Definition& table, std::vector<WrittenKey> keys) {
  std::optional<WrittenKey> primary;
  std::vector<WrittenKey> others;
  for (WrittenKey& key : keys) {
    const int position = key.constraint.position;
    const bool is_primary = key.constraint.kind == Kind::primary_key;
    if (is_primary && primary) {
      throw SqlError(sqlstate::invalid_table_definition,
                     fmt::format("multiple primary keys for table \"{}\" are not allowed", table.name))
          .at(position);
    }
    check_key_columns(table, key, position);
    if (is_primary) {
      primary = std::move(key);
    } else {
      others.push_back(std::move(key));
    }
  }
  std::vector<WrittenKey> settled;
  if (primary) settled.push_back(std::move(*primary));
  for (WrittenKey& key : others) {
    const auto same = std::find_if(settled.begin(), settled.end(), [&key](const WrittenKey& before) {
      return before.columns == key.columns && before.constraint.including == key.constraint.including &&
             before.constraint.nulls_not_distinct == key.constraint.nulls_not_distinct &&
             before.constraint.deferrable == key.constraint.deferrable &&
             before.constraint.initially_deferred == key.constraint.initially_deferred;
    });
    if (same == settled.end()) {
      settled.push_back(std::move(key));
    } else if (same->constraint.name.empty()) {
      same->constraint.name = key.constraint.name;
    }
  }
  return settled;
}

void add_constraint(CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
                    const std::vector<std::string>& columns, NameChooser& names) {
  switch (constraint.kind) {
    case Kind::primary_key:
    case Kind::unique:
      return add_key(context, table, constraint, columns, names);
    case Kind::check:
      return add_check(context, table, constraint, names);
    case Kind::foreign_key:
      return add_foreign_key(context, table, constraint, columns, names);
    default:
      throw SqlError(sqlstate::internal_error, "this constraint belongs to a column");
  }
}

void check_comparable(const Definition& referencing, const Definition& referenced, const catalog::ForeignKey& key) {
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const catalog::Column& from = column_of(referencing, key.columns[i]);
    const catalog::Column& to = column_of(referenced, key.referenced_columns[i]);
    const bool same = find_operator("=", to.type.id, from.type.id) != nullptr ||
                      find_conversion(from.type.id, to.type.id, CastContext::implicit).possible();
    if (same) continue;
    throw SqlError(sqlstate::datatype_mismatch,
                   fmt::format("foreign key constraint \"{}\" cannot be implemented", key.name),
                   fmt::format("Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.", from.name,
                               to.name, type_name(from.type.id), type_name(to.type.id)));
  }
}

std::set<int> columns_used(const query::ExpressionPtr& expression) {
  std::set<int> used;
  query::walk(expression, [&](const query::Expression& node, int levels) {
    const auto* const column = node.as<query::Column>();
    if (column != nullptr && column->levels_up == levels) used.insert(column->column);
    return true;
  });
  return used;
}

std::string stored_expression(const CommandContext& context, const Definition& definition,
                              const syntax::ExpressionPtr& expression, Type wanted, std::string_view clause,
                              std::string_view column) {
  const query::Relation shape = executor::shape_of(definition);
  return query::deparse(*query::analyse_over_relation(expression, shape, wanted, clause, context.analysis(), column),
                        &shape);
}

std::string stored_default(const CommandContext& context, const Definition& definition, const catalog::Column& column,
                           const syntax::ExpressionPtr& expression) {
  const query::Relation shape = executor::shape_of(definition);
  const int number = definition.find_column(column.name);
  const query::ExpressionPtr value =
      query::analyse_default(expression, shape.columns.at(static_cast<std::size_t>(number - 1)), context.analysis());
  // NULL is what a column without a default gets.
  const auto* constant = value->as<query::Constant>();
  if (constant != nullptr && constant->value.is_null()) return "";
  return query::deparse(*value, nullptr);
}

}  // namespace polarsim::engine::commands
