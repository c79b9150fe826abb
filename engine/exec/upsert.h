// INSERT ... ON CONFLICT: one proposed row against what has its key (PostgreSQL's ExecInsert and ExecOnConflictUpdate,
// src/backend/executor/nodeModifyTable.c, execIndexing.c).
//
// A look at the arbiter indexes tells whether somebody has the key, or may come to have it: then it waits. If nobody
// does, the row is inserted speculatively, and taken back if somebody was faster at the index. Who meets it meanwhile
// waits for its confirmation only, not for the end of the transaction, so that two upserts cannot wait for each other.
#pragma once

#include <optional>
#include <vector>

#include "engine/exec/row_change.h"

namespace polarsim::engine::exec {

class Upsert {
 public:
  // Throws 42P10 if no unique index has exactly the columns named, 42704 if none has the constraint's name, 42703.
  Upsert(ExecutionContext& context, const OpenTable& table, const sql::OnConflict& on_conflict,
         const txn::Snapshot& snapshot);

  struct Result {
    std::optional<Row> row;  // inserted or updated; empty if everything stayed as it was
    bool updated = false;
  };
  Result run(const Row& proposed);

 private:
  // The owner of one of the keys, who is live; waits while it is undecided.
  std::optional<txn::Heap::KeyOwner> find_conflict(const Row& proposed);
  // Nothing if somebody else was faster.
  bool insert(const Row& proposed);
  // Empty: the existing row is no longer what conflicts; look again.
  std::optional<Result> update(const txn::Heap::KeyOwner& existing, const Row& proposed);
  VisibleRow version_to_update(const VisibleRow& newest);
  void check_visible(const txn::Heap::KeyOwner& owner);
  bool is_arbiter(const catalog::Index& index) const;

  ExecutionContext& context_;
  const OpenTable& table_;
  const txn::Snapshot& snapshot_;
  std::vector<const catalog::Index*> arbiters_;
  std::optional<RowChange> change_;  // DO UPDATE
  sql::BoundExpression condition_;
  sql::BoundExpression no_condition_;
  sql::LockStrength strength_ = sql::LockStrength::no_key_update;
};

}  // namespace polarsim::engine::exec
