// Constraints that ALTER TABLE adds, drops and validates.
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/dependencies.h"
#include "engine/commands/table_change.h"
#include "engine/commands/table_rewrite.h"

namespace polarsim::engine::commands {

// Whether the rows that are there keep to what is new, once all actions are done.
void TableChange::check_existing_rows() {
  const catalog::TablePtr current = table();
  for (const int column : new_not_null_) check_no_nulls(context_, *current, column);
  for (const catalog::Check& check : current->description->checks) {
    if (check.validated && std::ranges::find(new_checks_, check.name) != new_checks_.end())
      check_rows(context_, *current, check);
  }
  for (const catalog::ForeignKey& key : current->description->foreign_keys) {
    if (key.validated && std::ranges::find(new_foreign_keys_, key.name) != new_foreign_keys_.end())
      check_references(context_, *current, key);
  }
}

void TableChange::add_constraint_action(const syntax::Constraint& constraint) {
  TableInMaking making = in_making();
  const std::size_t checks = making.definition.checks.size();
  const std::size_t keys = making.definition.foreign_keys.size();
  if (constraint.kind == syntax::Constraint::Kind::check) {
    without_position([&] { add_constraint(context_, making, constraint, constraint.columns, names_); });
  } else {
    add_constraint(context_, making, constraint, constraint.columns, names_);
  }
  finish(std::move(making), checks, keys);
}

void TableChange::drop_constraint(const Action& action) {
  Definition changed = definition();
  const std::string& name = action.column;
  const auto named = [&](const auto& constraint) { return constraint.name == name; };
  std::vector<catalog::ForeignKey> keys = changed.foreign_keys;
  std::erase_if(keys, [&](const catalog::ForeignKey& key) { return key.name != name; });
  lock_referenced(context_, id_, keys);
  if (std::erase_if(changed.checks, named) + std::erase_if(changed.foreign_keys, named) != 0) {
    change(std::move(changed));
    return;
  }
  const catalog::TablePtr current = table();
  for (const catalog::Index& index : current->indexes) {
    if (!index.description->index.constraint || index.description->name != name) continue;
    Removal removal(context_);
    removal.add_dependents_of_key(*context_.catalog().find(&context_.transaction, id_), index.id);
    removal.run(action.cascade, fmt::format("constraint {} on table {}", name, shown_name(context_, changed)));
    context_.catalog().drop(context_.transaction, index.id);
    return;
  }
  const std::string missing = fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, changed.name);
  if (!action.if_exists) throw SqlError(sqlstate::undefined_object, missing);
  context_.notice(missing + ", skipping");
}

void TableChange::validate_constraint(const std::string& name) {
  Definition changed = definition();
  for (catalog::Check& check : changed.checks) {
    if (check.name != name) continue;
    check_rows(context_, *table(), check);
    check.validated = true;
    return change(std::move(changed));
  }
  for (catalog::ForeignKey& key : changed.foreign_keys) {
    if (key.name != name) continue;
    check_references(context_, *table(), key);
    key.validated = true;
    return change(std::move(changed));
  }
  const catalog::TablePtr current = table();
  for (const catalog::Index& index : current->indexes) {
    if (index.description->name != name || !index.description->index.constraint) continue;
    throw SqlError(sqlstate::wrong_object_type,
                   fmt::format("constraint \"{}\" of relation \"{}\" is not a foreign key or check constraint", name,
                               changed.name));
  }
  throw SqlError(sqlstate::undefined_object,
                 fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, changed.name));
}

}  // namespace polarsim::engine::commands
