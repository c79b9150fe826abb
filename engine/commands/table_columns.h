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
  bool serial = false;
  const syntax::Constraint* identity = nullptr;  // as it is written
  RelationId sequence = 0;                       // of a serial or identity column: to be owned by it
};

bool is_system_column(std::string_view name);
// 42701 if there is a column of the name already, or the name is a system column's.
void require_new_column(const Definition& definition, std::string_view name);
// The columns of a table that is made: none twice and not too many; then that their names and types may be had (42701,
// 42P16).
void check_repeated_columns(const Definition& table);
void check_columns(const Definition& table);
// 54011 if a table or view would have more columns than PostgreSQL's MaxHeapAttributeNumber; an index than
// INDEX_MAX_KEYS.
void check_column_count(std::size_t columns);
void check_key_count(std::size_t columns);
// 42P16 for types of which there are no values that could be kept.
void refuse_pseudo_type(const catalog::Column& column);
// Name, type and NOT NULL; PostgreSQL's transformColumnDefinition(), which looks at nothing else of the table. Throws
// 42704 for types that do not exist, 42601 for clauses that contradict each other.
// `warnings` are those of its type, for tell_of_types().
PendingColumn add_column(TableInMaking& table, const syntax::ColumnDefinition& column,
                         std::vector<ErrorFields>& warnings);
// PostgreSQL finds the types of new columns twice, and the second time it has forgotten the statement's text.
void tell_of_types(const CommandContext& context, std::vector<ErrorFields> warnings);
// The sequence of a serial or identity column.
void make_sequence_of(CommandContext& context, TableInMaking& table, PendingColumn& pending, NameChooser& names);
// 22023 unless it is an integer.
void require_identity_type(Type type);
// Makes a column one that counts by itself: 22023 unless it is an integer.
PendingColumn make_identity(CommandContext& context, TableInMaking& table, int number,
                            const syntax::Constraint& identity, NameChooser& names);
// Default or generation expression.
void settle_value(const CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& column,
                  const PendingColumn& pending);
// Gives the sequence its owner.
void finish_column(CommandContext& context, RelationId table, const PendingColumn& pending);

}  // namespace polarsim::engine::commands
