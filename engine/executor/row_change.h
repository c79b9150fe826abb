// UPDATE and DELETE of one row, and how a row that somebody else changed meanwhile is followed (PostgreSQL's ExecUpdate
// and ExecDelete, src/backend/executor/nodeModifyTable.c).
#pragma once

#include <optional>
#include <vector>

#include "engine/executor/recheck.h"
#include "engine/executor/table_writer.h"

namespace polarsim::engine::executor {

class RowChange {
 public:
  // `child`: the plan that found the rows.
  RowChange(ExecutorState& state, const plan::ModifyTable& node, const Plan& child, TableWriter& writer);

  struct Result {
    Row row;            // the new version; of a DELETE the deleted one
    Tid tid;            // its place
    Row found;          // the child's row it was made from
    VisibleRow before;  // of an UPDATE: the version it was made from
  };
  // `found`: a row of the child. Nothing if the row has gone or no longer qualifies. Throws 40001 under repeatable
  // read.
  std::optional<Result> run(RowView found);

 private:
  struct Base {
    VisibleRow version;
    Row found;
  };
  Row changed(const Base& base) const;
  void check_own_snapshot(Tid tid);
  // What to do after a change came to nothing: what to work on now, or nothing.
  std::optional<Base> follow(const Base& base, txn::RowOutcome outcome, syntax::LockStrength strength);

  ExecutorState& state_;
  const plan::ModifyTable& node_;
  TableWriter& writer_;
  TableRows rows_;
  std::vector<plan::LockRows::Mark> marks_;
  Recheck recheck_;
};

// The newest version of a row that nobody else changes meanwhile, because it is locked, gets these values: what ON
// CONFLICT DO UPDATE does. Nothing if this very command has changed it already.
std::optional<Tid> update_locked(ExecutorState& state, TableWriter& writer, const VisibleRow& base, const Row& changed);

}  // namespace polarsim::engine::executor
