// Finding, locking and checking rows of one table: what all statements share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/legacy/exec/execution.h"

namespace polarsim::engine::legacy::exec {

// A table as a statement sees it.
struct OpenTable {
  legacy::TableEntry* entry = nullptr;
  sql::TableShape shape;  // qualified by the alias, if any
  const TableDefinition& definition() const { return entry->definition; }
};

// Locks the table for use. Throws 42P01 (with the position of the name), and 42809 for tables that can only be read.
OpenTable open_table(ExecutionContext& context, const sql::TableName& name);
sql::TableShape shape_of(const TableDefinition& definition, std::string_view reference);
// "schema.table" as the statement wrote it.
std::string written_name(const sql::TableName& name);

// A row that a snapshot shows.
struct Candidate {
  legacy::RowId id = 0;
  legacy::RowPointer row;
};

// The rows that the snapshot shows and that satisfy the condition, in order of insertion or, if the primary key tells
// where they are, in order of keys. `condition` is `where`, analysed; both may be null.
std::vector<Candidate> find_rows(ExecutionContext& context, const OpenTable& table, const legacy::Snapshot& snapshot,
                                 const sql::ExpressionPtr& where, const sql::BoundExpression& condition);

// A row after its lock has been asked for.
struct LockedRow {
  enum class State : std::uint8_t { unchanged, changed, gone, not_locked } state = State::gone;
  legacy::RowPointer row;  // the newest version, if unchanged or changed
  bool made_by_this_command = false;
};

// Locks the row and tells what has become of it since `seen` (null: then it counts as changed). Blocks as `wait` says:
// throws 55P03 for nowait, answers not_locked for skip_locked.
LockedRow lock_row(ExecutionContext& context, const OpenTable& table, legacy::RowId id, const legacy::RowPointer& seen,
                   sql::LockStrength strength, sql::LockWait wait = sql::LockWait::block);

// Throws 23502 with the row in the detail.
void check_not_null(const TableDefinition& definition, const Row& row);
// Waits until nobody can come to own `row`'s key any more; throws 23505 if somebody does. `except`: the row that may
// have it.
void claim_key(ExecutionContext& context, const OpenTable& table, const Row& row, legacy::RowId except);
[[noreturn]] void throw_unique_violation(const OpenTable& table, const Row& row);

// SET clauses, analysed.
class RowChange {
 public:
  // Throws 42703, 42601 and what analysis throws. `excluded_allowed`: for ON CONFLICT DO UPDATE.
  RowChange(ExecutionContext& context, const OpenTable& table, const std::vector<sql::Assignment>& assignments,
            bool excluded_allowed);
  Row apply(const Row& old, const sql::EvaluationContext& evaluation) const;

 private:
  struct Target {
    std::size_t column;
    sql::BoundExpression value;
  };
  std::vector<Target> targets_;
};

// RETURNING, analysed; without it, nothing is collected.
class Returning {
 public:
  Returning(ExecutionContext& context, const OpenTable& table, const std::vector<sql::SelectItem>& items);
  void add(const Row& row);
  // The columns and rows collected.
  void finish(QueryResult& result);

 private:
  ExecutionContext& context_;
  std::vector<sql::OutputColumn> columns_;
  std::vector<Row> rows_;
};

}  // namespace polarsim::engine::legacy::exec
