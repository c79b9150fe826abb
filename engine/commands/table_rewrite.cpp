#include "engine/commands/table_rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>

#include "engine/commands/indexes.h"
#include "engine/executor/index_keys.h"
#include "engine/executor/referenced_key.h"
#include "engine/storage/key_encoding.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* check_violation = "23514";
constexpr const char* foreign_key_violation = "23503";

// Values as one text that equal ones share; nothing if one of them is NULL.
std::optional<std::string> key_of(std::span<const Value> row, const std::vector<int>& columns,
                                  const std::vector<executor::KeyConversion>& conversions,
                                  const std::vector<TypeId>& types, const CallContext& call) {
  std::string key;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Value& value = row[static_cast<std::size_t>(columns[i] - 1)];
    if (value.is_null()) return std::nullopt;
    storage::append_key(key, conversions[i].apply(value, call), types[i]);
  }
  return key;
}

std::string key_text(const CommandContext& context, const Definition& table, const std::vector<int>& columns,
                     std::span<const Value> row) {
  std::string names;
  std::string texts;
  for (const int number : columns) {
    const catalog::Column& column = table.columns[static_cast<std::size_t>(number - 1)];
    if (!names.empty()) {
      names += ", ";
      texts += ", ";
    }
    names += column.name;
    texts += output_value(row[static_cast<std::size_t>(number - 1)], column.type.id, context.call);
  }
  return fmt::format("({})=({})", names, texts);
}

bool all_null(std::span<const Value> row, const std::vector<int>& columns) {
  return std::all_of(columns.begin(), columns.end(),
                     [&](int column) { return row[static_cast<std::size_t>(column - 1)].is_null(); });
}

}  // namespace

void for_each_row(CommandContext& context, const catalog::Table& table,
                  const std::function<void(std::span<const Value> row)>& visit) {
  const txn::ActiveSnapshot snapshot(context.database.transactions(), context.transaction);
  txn::Heap::Scan scan(context.database.heap(), table.heap, context.transaction, *snapshot);
  for (std::vector<txn::VisibleRow> rows; scan.next(rows);) {
    for (txn::VisibleRow& row : rows) {
      context.backend().check_interrupts();
      catalog::complete_row(table, row.row);
      visit(row.row);
    }
  }
}

void rewrite(CommandContext& context, const catalog::Table& before, const catalog::Table& table,
             std::vector<NewColumn> columns) {
  std::vector<Row> rows;
  for_each_row(context, before, [&](std::span<const Value> row) {
    Row changed(row.begin(), row.end());
    changed.resize(table.description->columns.size());
    query::ProgramInputs inputs;
    inputs.first = row;
    for (NewColumn& column : columns) {
      Value value = column.value.run(inputs, context.call);
      const auto position = static_cast<std::size_t>(column.number - 1);
      if (value.is_null() && table.description->columns[position].not_null) {
        throw SqlError(sqlstate::not_null_violation,
                       fmt::format("column \"{}\" of relation \"{}\" contains null values",
                                   table.description->columns[position].name, table.description->name))
            .about({.schema = table.description->schema,
                    .table = table.description->name,
                    .column = table.description->columns[position].name});
      }
      changed[position] = std::move(value);
    }
    rows.push_back(std::move(changed));
  });
  const catalog::TablePtr emptied = context.catalog().truncate(context.transaction, table);
  for (const Row& row : rows) context.database.heap().insert(context.transaction, emptied->heap, row);
  for (const catalog::Index& index : emptied->indexes) refill_index(context, *emptied, index);
  // Whoever looks whether the rows keep to constraints has to see them.
  context.database.transactions().next_command(context.transaction);
}

void check_no_nulls(CommandContext& context, const catalog::Table& table, int column) {
  const auto position = static_cast<std::size_t>(column - 1);
  for_each_row(context, table, [&](std::span<const Value> row) {
    if (!row[position].is_null()) return;
    throw SqlError(sqlstate::not_null_violation,
                   fmt::format("column \"{}\" of relation \"{}\" contains null values",
                               table.description->columns[position].name, table.description->name))
        .about({.schema = table.description->schema,
                .table = table.description->name,
                .column = table.description->columns[position].name});
  });
}

void check_rows(CommandContext& context, const catalog::Table& table, const catalog::Check& check) {
  query::Program condition = executor::compile_stored(check.condition, *table.description, TypeId::boolean,
                                                      context.analysis(), context.database.host().scheduler());
  for_each_row(context, table, [&](std::span<const Value> row) {
    query::ProgramInputs inputs;
    inputs.first = row;
    const Value value = condition.run(inputs, context.call);
    if (value.is_null() || value.as_boolean()) return;
    throw SqlError(check_violation, fmt::format("check constraint \"{}\" of relation \"{}\" is violated by some row",
                                                check.name, table.description->name))
        .about({.schema = table.description->schema, .table = table.description->name, .constraint = check.name});
  });
}

void check_references(CommandContext& context, const catalog::Table& table, const catalog::ForeignKey& key) {
  const bool elsewhere = key.rows_in == catalog::ForeignKey::rows_elsewhere;
  const catalog::TablePtr referenced =
      context.catalog().find_table(&context.transaction, elsewhere ? key.referenced : key.checked_table());
  // Both sides become one type: that of the referenced column, unless only the other way is one.
  std::vector<TypeId> types;
  std::vector<executor::KeyConversion> from;
  std::vector<executor::KeyConversion> to;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const Type own = table.description->columns[static_cast<std::size_t>(key.columns[i] - 1)].type;
    const Type other = referenced->description->columns[static_cast<std::size_t>(key.referenced_columns[i] - 1)].type;
    const Type common = executor::KeyConversion(own, other).possible() ? other : own;
    types.push_back(common.id);
    from.emplace_back(own, common);
    to.emplace_back(other, common);
  }
  const auto refuse = [&](const std::string& detail) {
    throw SqlError(foreign_key_violation,
                   fmt::format("insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                               table.description->name, key.name),
                   detail)
        .about({.schema = table.description->schema, .table = table.description->name, .constraint = key.name});
  };
  boost::unordered_flat_set<std::string> there;
  if (!elsewhere)
    for_each_row(context, *referenced, [&](std::span<const Value> row) {
      if (auto found = key_of(row, key.referenced_columns, to, types, context.call)) there.insert(std::move(*found));
    });
  for_each_row(context, table, [&](std::span<const Value> row) {
    const auto wanted = key_of(row, key.columns, from, types, context.call);
    if (!wanted && key.match_full && !all_null(row, key.columns))
      refuse("MATCH FULL does not allow mixing of null and nonnull key values.");
    if (!wanted || there.contains(*wanted)) return;
    if (elsewhere) {
      throw SqlError(
          sqlstate::feature_not_supported,
          fmt::format("cannot check foreign key constraint \"{}\" of table \"{}\"", key.name, table.description->name),
          fmt::format("The rows of table \"{}\" are on other nodes.", referenced->description->name));
    }
    refuse(fmt::format("Key {} is not present in table \"{}\".",
                       key_text(context, *table.description, key.columns, row), referenced->description->name));
  });
}

}  // namespace polarsim::engine::commands
