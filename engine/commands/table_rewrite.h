// Going through all rows of a table: to check them, and to write them anew (PostgreSQL's ATRewriteTable(),
// src/backend/commands/tablecmds.c). The caller holds the table's lock in access exclusive.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/commands/objects.h"
#include "engine/query/program.h"

namespace polarsim::engine::commands {

// Every row that lives, as this transaction sees it, complete.
void for_each_row(CommandContext& context, const catalog::Table& table,
                  const std::function<void(std::span<const Value> row)>& visit);

// A column's new values: `value` sees the old row.
struct NewColumn {
  int number = 0;
  query::Program value;
};
// Gives the table new files, and writes its rows into them with these columns changed; indexes are made anew. Row
// versions that only older snapshots see are gone, as in PostgreSQL. They are read as `before` describes them.
void rewrite(CommandContext& context, const catalog::Table& before, const catalog::Table& table,
             std::vector<NewColumn> columns);

// Throws 23502 "column "a" of relation "t" contains null values".
void check_no_nulls(CommandContext& context, const catalog::Table& table, int column);
// Throws 23514 "check constraint "c" of relation "t" is violated by some row".
void check_rows(CommandContext& context, const catalog::Table& table, const catalog::Check& check);
// Throws 23503 with the key in the detail.
void check_references(CommandContext& context, const catalog::Table& table, const catalog::ForeignKey& key);

}  // namespace polarsim::engine::commands
