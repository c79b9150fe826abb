// What UPDATE, DELETE and INSERT ... ON CONFLICT DO UPDATE share: the new values of a row, and how a row that somebody
// else changed meanwhile is followed (PostgreSQL's ExecUpdate and ExecDelete, src/backend/executor/nodeModifyTable.c).
#pragma once

#include <optional>
#include <vector>

#include "engine/exec/table_access.h"

namespace polarsim::engine::exec {

// SET clauses, analysed.
class RowChange {
 public:
  // Throws 42703, 42601 and what analysis throws. `excluded_allowed`: for ON CONFLICT DO UPDATE.
  RowChange(ExecutionContext& context, const OpenTable& table, const std::vector<sql::Assignment>& assignments,
            bool excluded_allowed);
  Row apply(const Row& old, const sql::EvaluationContext& evaluation) const;
  // Whether it names a column of some unique index.
  bool names_key(const OpenTable& table) const;

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

// One UPDATE or DELETE under way on the rows that a statement found.
class Modification {
 public:
  // `change`: null for a DELETE. `condition`: asked again of a newer version; may be empty.
  Modification(ExecutionContext& context, const OpenTable& table, const sql::BoundExpression& condition,
               const RowChange* change)
      : context_(context), table_(table), condition_(condition), change_(change) {}

  // The new version (for a DELETE the deleted one); nothing if the row has gone or no longer qualifies. `proposed`:
  // what EXCLUDED is. Throws 40001 under repeatable read.
  std::optional<Row> run(const VisibleRow& candidate, const Row* proposed = nullptr);

 private:
  // What to do after a change came to nothing: the version to work on now, or nothing.
  std::optional<VisibleRow> follow(const VisibleRow& candidate, Tid tid, txn::RowOutcome outcome,
                                   sql::LockStrength strength);
  std::optional<VisibleRow> recheck(const VisibleRow& candidate, VisibleRow newest);

  ExecutionContext& context_;
  const OpenTable& table_;
  const sql::BoundExpression& condition_;
  const RowChange* change_;
};

// 40001 "could not serialize access due to concurrent update" if the transaction keeps to one snapshot.
void refuse_concurrent_change(const ExecutionContext& context, const char* what);

}  // namespace polarsim::engine::exec
