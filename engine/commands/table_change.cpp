// What the actions of ALTER TABLE have in common.
#include "engine/commands/table_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/indexes.h"
#include "engine/commands/table_rewrite.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/analysis.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::commands {

void TableChange::run(const Action& action) {
  switch (action.kind) {
    case Action::Kind::add_column:
      return add_column_action(action);
    case Action::Kind::drop_column:
      return drop_column(action);
    case Action::Kind::set_default:
    case Action::Kind::drop_default:
      return set_default(action);
    case Action::Kind::set_not_null:
      return set_not_null(action.column);
    case Action::Kind::drop_not_null:
      return drop_not_null(action.column);
    case Action::Kind::set_type:
      return set_type(action);
    case Action::Kind::add_constraint:
      return add_constraint_action(*action.constraint);
    case Action::Kind::drop_constraint:
      return drop_constraint(action);
    case Action::Kind::validate_constraint:
      return validate_constraint(action.column);
    case Action::Kind::add_identity:
      return add_identity(action);
    case Action::Kind::drop_identity:
      return drop_identity(action);
    case Action::Kind::drop_expression:
      return drop_expression(action);
    case Action::Kind::set_parameters:
    case Action::Kind::reset_parameters:
    case Action::Kind::owner:
      return;  // change_property()
  }
}

int TableChange::require_column(const Definition& definition, const std::string& name) const {
  const int number = definition.find_column(name);
  if (number == 0 && is_system_column(name))
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot alter system column \"{}\"", name));
  if (number == 0) {
    throw SqlError(sqlstate::undefined_column,
                   fmt::format("column \"{}\" of relation \"{}\" does not exist", name, definition.name));
  }
  return number;
}

catalog::Column& TableChange::column_of(Definition& definition, int number) {
  return definition.columns[static_cast<std::size_t>(number - 1)];
}

TableInMaking TableChange::in_making() const {
  TableInMaking making;
  making.definition = definition();
  making.id = id_;
  for (const catalog::Check& check : making.definition.checks) making.constraint_names.push_back(check.name);
  for (const catalog::ForeignKey& key : making.definition.foreign_keys) making.constraint_names.push_back(key.name);
  const catalog::TablePtr current = table();
  for (const catalog::Index& index : current->indexes) {
    if (index.description->index.constraint) making.constraint_names.push_back(index.description->name);
  }
  return making;
}

// Stores what was made and fills indexes.
void TableChange::finish(TableInMaking making, std::size_t checks_before, std::size_t keys_before) {
  for (catalog::ForeignKey& key : making.definition.foreign_keys) {
    if (key.referenced == 0) key.referenced = id_;
  }
  change(making.definition);
  for (Definition& index : making.indexes) {
    index.index.table = id_;
    if (index.index.primary) {
      for (const auto& key : index.index.keys) new_not_null_.push_back(key.column);
    }
    make_index(context_, std::move(index));
  }
  for (std::size_t i = checks_before; i < making.definition.checks.size(); ++i)
    new_checks_.push_back(making.definition.checks[i].name);
  for (std::size_t i = keys_before; i < making.definition.foreign_keys.size(); ++i)
    new_foreign_keys_.push_back(making.definition.foreign_keys[i].name);
}

std::string TableChange::column_called(const Definition& described, int number) const {
  return fmt::format("column {} of table {}", described.columns[static_cast<std::size_t>(number - 1)].name,
                     shown_name(context_, described));
}

syntax::ExpressionPtr TableChange::parsed(const std::string& text) const {
  syntax::ExpressionPtr expression;
  context_.database.host().scheduler().on_scheduler_stack([&] {
    const auto statements = syntax::parse(fmt::format("SELECT {}", text));
    expression = std::get<syntax::Select>(statements.at(0)->body).items.at(0).expression;
  });
  return expression;
}

// The generated columns that use it. They are never made of each other.
std::vector<int> TableChange::columns_made_of(const Definition& described, int number) const {
  std::vector<int> made;
  for (std::size_t i = 0; i < described.columns.size(); ++i) {
    const catalog::Column& column = described.columns[i];
    if (column.dropped || column.generated_text.empty()) continue;
    if (columns_in(column.generated_text, column.type).contains(number)) made.push_back(static_cast<int>(i) + 1);
  }
  return made;
}

void TableChange::forget_statistics(Definition& changed, int number) {
  if (!changed.statistics) return;
  std::erase_if(changed.statistics->columns, [number](const auto& known) { return known.column == number; });
}

bool TableChange::names_column(const Definition& index, int number) const {
  const auto& keys = index.index.keys;
  const auto& included = index.index.included;
  if (std::find(included.begin(), included.end(), number) != included.end()) return true;
  for (const auto& key : keys) {
    if (key.column == number) return true;
    if (key.column == 0 && columns_in(key.expression, key.type).contains(number)) return true;
  }
  return !index.index.predicate.empty() && columns_in(index.index.predicate, TypeId::boolean).contains(number);
}

std::set<int> TableChange::columns_in(const std::string& text, Type type) const {
  const syntax::ExpressionPtr expression = parsed(text);
  return columns_used(query::analyse_over_relation(expression, executor::shape_of(definition()), type,
                                                   "stored expressions", context_.analysis()));
}

std::set<int> TableChange::columns_of(const Definition&, const catalog::Check& check) const {
  return columns_in(check.condition, TypeId::boolean);
}

void TableChange::not_so(const Action& action, const std::string& message) const {
  if (!action.if_exists) throw SqlError(sqlstate::object_not_in_prerequisite_state, message);
  context_.notice(message + ", skipping");
}

}  // namespace polarsim::engine::commands
