// Columns that CREATE TABLE and ALTER TABLE ... ADD COLUMN make (PostgreSQL's transformColumnDefinition(),
// src/backend/parser/parse_utilcmd.c).
#pragma once

#include <optional>
#include <string>

#include "engine/commands/constraints.h"

namespace polarsim::engine::commands {

// What of a column has to wait until the table is there.
struct PendingColumn {
  int number = 0;
  RelationId sequence = 0;  // of a serial or identity column: to be owned by it
};

// 42701 if there is a column of the name already, or the name is a system column's.
void require_new_column(const Definition& definition, std::string_view name);
// 54011 if a table or view would have more columns than PostgreSQL's MaxHeapAttributeNumber; an index than
// INDEX_MAX_KEYS.
void check_column_count(std::size_t columns);
void check_key_count(std::size_t columns);
// Name, type, NOT NULL, and the sequence of serial and identity columns. Throws 42704 for types that do not exist,
// 42601 for clauses that contradict each other, 42P16 "column "a" has pseudo-type record".
PendingColumn add_column(CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& column,
                         NameChooser& names);
// 22023 unless it is an integer.
void require_identity_type(Type type);
// Makes a column one that counts by itself: 22023 unless it is an integer.
PendingColumn make_identity(CommandContext& context, TableInMaking& table, int number,
                            const syntax::Constraint& identity, NameChooser& names);
// Default, generation expression and constraints.
void settle_column(CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& column,
                   const PendingColumn& pending, NameChooser& names);
// Gives the sequence its owner.
void finish_column(CommandContext& context, RelationId table, const PendingColumn& pending);

}  // namespace polarsim::engine::commands
