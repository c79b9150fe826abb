// Defaults, identity, generation and NOT NULL of columns that are there.
#include <fmt/format.h>

#include "engine/commands/sequences.h"
#include "engine/commands/table_change.h"

namespace polarsim::engine::commands {

void TableChange::set_default(const Action& action) {
  Definition changed = definition();
  const int number = require_column(changed, action.column);
  catalog::Column& column = column_of(changed, number);
  const bool drops = action.kind == Action::Kind::drop_default;
  if (column.identity != catalog::Column::Identity::none) {
    throw SqlError(sqlstate::syntax_error,
                   fmt::format("column \"{}\" of relation \"{}\" is an identity column", action.column, changed.name),
                   "", drops ? "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead." : "");
  }
  if (!column.generated_text.empty()) {
    throw SqlError(sqlstate::syntax_error,
                   fmt::format("column \"{}\" of relation \"{}\" is a generated column", action.column, changed.name),
                   "", drops ? "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead." : "");
  }
  if (action.kind == Action::Kind::drop_default) {
    column.default_text.clear();
  } else {
    without_position([&] { column.default_text = stored_default(context_, changed, column, action.expression); });
  }
  change(std::move(changed));
}

void TableChange::add_identity(const Action& action) {
  constexpr const char* not_in_state = sqlstate::object_not_in_prerequisite_state;
  TableInMaking making = in_making();
  const int number = require_column(making.definition, action.column);
  const catalog::Column& column = column_of(making.definition, number);
  const auto refuse = [&](const char* what) {
    throw SqlError(not_in_state,
                   fmt::format("column \"{}\" of relation \"{}\" {}", column.name, making.definition.name, what));
  };
  require_identity_type(column.type);
  if (!column.not_null) refuse("must be declared NOT NULL before identity can be added");
  if (column.identity != catalog::Column::Identity::none) refuse("is already an identity column");
  if (!column.default_text.empty()) refuse("already has a default value");
  const PendingColumn pending = make_identity(context_, making, number, *action.constraint, names_);
  change(std::move(making.definition));
  finish_column(context_, id_, pending);
}

// The sequence goes with the property.
void TableChange::drop_identity(const Action& action) {
  Definition changed = definition();
  const int number = require_column(changed, action.column);
  catalog::Column& column = column_of(changed, number);
  if (column.identity == catalog::Column::Identity::none) {
    return not_so(
        action, fmt::format("column \"{}\" of relation \"{}\" is not an identity column", action.column, changed.name));
  }
  column.identity = catalog::Column::Identity::none;
  column.default_text.clear();
  change(std::move(changed));
  for (const Relation& sequence : sequences_of(number)) context_.catalog().drop(context_.transaction, sequence.id);
}

std::vector<Relation> TableChange::sequences_of(int column) const {
  std::vector<Relation> owned = context_.catalog().relations(&context_.transaction);
  std::erase_if(owned, [&](const Relation& other) {
    const catalog::SequenceProperties& sequence = other.description->sequence;
    return sequence.owner != id_ || sequence.owner_column != column;
  });
  return owned;
}

// An identity column's sequence has the type of the column.
void TableChange::set_type_of_identity(int column, const syntax::TypeName& type) {
  syntax::SequenceOptions options;
  options.type = type;
  for (const Relation& sequence : sequences_of(column)) {
    context_.database.locks().acquire(context_.backend(), context_.transaction.level().locks,
                                      txn::LockTag::of_relation(sequence.id), LockMode::share_row_exclusive);
    change_sequence(context_, sequence, options);
  }
}

void TableChange::drop_expression(const Action& action) {
  Definition changed = definition();
  catalog::Column& column = column_of(changed, require_column(changed, action.column));
  if (column.generated_text.empty()) {
    return not_so(action, fmt::format("column \"{}\" of relation \"{}\" is not a stored generated column",
                                      action.column, changed.name));
  }
  column.generated_text.clear();
  change(std::move(changed));
}

void TableChange::set_not_null(const std::string& name) {
  Definition changed = definition();
  const int number = require_column(changed, name);
  if (!column_of(changed, number).not_null) new_not_null_.push_back(number);
  column_of(changed, number).not_null = true;
  change(std::move(changed));
}

void TableChange::drop_not_null(const std::string& name) {
  Definition changed = definition();
  const int number = require_column(changed, name);
  if (column_of(changed, number).identity != catalog::Column::Identity::none) {
    throw SqlError(sqlstate::syntax_error,
                   fmt::format("column \"{}\" of relation \"{}\" is an identity column", name, changed.name));
  }
  const catalog::TablePtr current = table();
  for (const catalog::Index& index : current->indexes) {
    if (index.description->index.primary && names_column(*index.description, number)) {
      throw SqlError(sqlstate::invalid_table_definition, fmt::format("column \"{}\" is in a primary key", name));
    }
  }
  column_of(changed, number).not_null = false;
  change(std::move(changed));
}

}  // namespace polarsim::engine::commands
