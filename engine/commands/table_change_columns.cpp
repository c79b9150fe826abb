// Columns that ALTER TABLE adds and drops.
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/dependencies.h"
#include "engine/commands/table_change.h"
#include "engine/commands/table_rewrite.h"
#include "engine/executor/index_keys.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/expression_walk.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::commands {

void TableChange::add_column_action(const Action& action) {
  TableInMaking making = in_making();
  const syntax::ColumnDefinition& written = *action.definition;
  if (making.definition.find_column(written.name) != 0) {
    const std::string exists =
        fmt::format("column \"{}\" of relation \"{}\" already exists", written.name, making.definition.name);
    if (!action.if_not_exists) throw SqlError(sqlstate::duplicate_column, exists);
    context_.notice_existing(sqlstate::duplicate_column, exists);
    return;
  }
  const std::size_t checks = making.definition.checks.size();
  const std::size_t keys = making.definition.foreign_keys.size();
  require_new_column(making.definition, written.name);
  std::vector<ErrorFields> warnings;
  PendingColumn pending = add_column(making, written, warnings);
  tell_of_types(context_, std::move(warnings));
  make_sequence_of(context_, making, pending, names_);
  check_column_count(making.definition.columns.size());
  refuse_pseudo_type(column_of(making.definition, pending.number));
  without_position([&] { settle_value(context_, making, written, pending); });
  add_constraints_of(making, written);
  fill_new_column(making.definition, pending.number);
  finish(std::move(making), checks, keys);
  finish_column(context_, id_, pending);
}

// Keys before checks, foreign keys last.
void TableChange::add_constraints_of(TableInMaking& making, const syntax::ColumnDefinition& written) {
  using Kind = syntax::Constraint::Kind;
  const std::vector<std::string> column{written.name};
  std::vector<WrittenKey> keys;
  for (const syntax::Constraint& constraint : written.constraints) {
    if (constraint.kind == Kind::primary_key || constraint.kind == Kind::unique) keys.push_back({constraint, column});
  }
  for (const WrittenKey& key : settle_keys(making.definition, std::move(keys)))
    add_constraint(context_, making, key.constraint, column, names_);
  for (const Kind kind : {Kind::check, Kind::foreign_key}) {
    for (const syntax::Constraint& constraint : written.constraints) {
      if (constraint.kind != kind) continue;
      without_position([&] { add_constraint(context_, making, constraint, column, names_); });
    }
  }
}

// Rows that are there get the default: told once for all of them if it is the same for all, else written into each.
void TableChange::fill_new_column(Definition& changed, int number) {
  catalog::Column& column = column_of(changed, number);
  const bool generated = !column.generated_text.empty();
  const std::string& text = generated ? column.generated_text : column.default_text;
  if (text.empty()) {
    if (column.not_null) require_no_rows(changed, number);
    return;
  }
  query::Program program =
      executor::compile_stored(text, changed, column.type, context_.analysis(), context_.database.host().scheduler());
  if (!generated && !is_volatile(text, changed, column.type)) {
    const Value value = program.run({}, context_.call);
    if (!value.is_null()) column.missing = output_value(value, column.type.id, CallContext{});
    if (value.is_null() && column.not_null) require_no_rows(changed, number);
    return;
  }
  change(changed);
  std::vector<NewColumn> columns;
  columns.push_back({number, std::move(program)});
  rewrite(context_, *table(), *table(), std::move(columns));
}

bool TableChange::is_volatile(const std::string& text, const Definition& changed, Type type) const {
  const syntax::ExpressionPtr expression = parsed(text);
  const query::Relation shape = executor::shape_of(changed);
  return query::contains_volatility(
      query::analyse_over_relation(expression, shape, type, "DEFAULT expressions", context_.analysis()),
      Volatility::volatile_function);
}

void TableChange::require_no_rows(const Definition& changed, int number) {
  for_each_row(context_, *table(), [&](std::span<const Value>) {
    throw SqlError(sqlstate::not_null_violation,
                   fmt::format("column \"{}\" of relation \"{}\" contains null values",
                               changed.columns[static_cast<std::size_t>(number - 1)].name, changed.name))
        .about({.schema = changed.schema,
                .table = changed.name,
                .column = changed.columns[static_cast<std::size_t>(number - 1)].name});
  });
}

void TableChange::drop_column(const Action& action) {
  Definition changed = definition();
  const int number = changed.find_column(action.column);
  if (number == 0 && is_system_column(action.column))
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot drop system column \"{}\"", action.column));
  if (number == 0) {
    if (!action.if_exists) require_column(changed, action.column);
    context_.notice(
        fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", action.column, changed.name));
    return;
  }
  const Relation relation = *context_.catalog().find(&context_.transaction, id_);
  const std::string what = column_called(changed, number);
  std::vector<int> doomed = columns_made_of(changed, number);
  Removal removal(context_);
  removal.add_dependents_of_column(relation, number, doomed);
  doomed.insert(doomed.begin(), number);
  removal.run(action.cascade, what);
  for (const int each : doomed) erase_column(each);
}

void TableChange::erase_column(int number) {
  const catalog::TablePtr current = table();
  for (const catalog::Index& index : current->indexes) {
    if (names_column(*index.description, number)) context_.catalog().drop(context_.transaction, index.id);
  }
  Definition changed = definition();
  std::erase_if(changed.checks,
                [&](const catalog::Check& check) { return columns_of(changed, check).contains(number); });
  std::erase_if(changed.foreign_keys, [&](const catalog::ForeignKey& key) {
    const bool from = std::find(key.columns.begin(), key.columns.end(), number) != key.columns.end();
    const auto& to = key.referenced_columns;
    return from || (key.referenced == id_ && std::find(to.begin(), to.end(), number) != to.end());
  });
  catalog::Column& column = column_of(changed, number);
  forget_statistics(changed, number);
  column = catalog::Column{};
  column.name = fmt::format("........pg.dropped.{}........", number);
  column.type = TypeId::int4;
  column.dropped = true;
  change(std::move(changed));
}

}  // namespace polarsim::engine::commands
