// INSERT ... ON CONFLICT: one proposed row against what has its key (PostgreSQL's ExecInsert and ExecOnConflictUpdate,
// src/backend/executor/nodeModifyTable.c, execIndexing.c).
//
// A look at the arbiter indexes tells whether somebody has the key, or may come to have it: then it waits. If nobody
// does, the row is inserted speculatively, and taken back if somebody was faster at the index. Who meets it meanwhile
// waits for its confirmation only, not for the end of the transaction, so that two upserts cannot wait for each other.
#pragma once

#include <optional>
#include <vector>

#include "engine/executor/row_change.h"

namespace polarsim::engine::executor {

class Upsert {
 public:
  Upsert(ExecutorState& state, const plan::ModifyTable& node, TableWriter& writer);

  struct Result {
    Row row;  // inserted or updated
    Tid tid;
    std::optional<VisibleRow> updated;  // what it was made from; nothing: it was inserted
  };
  // Nothing if everything stayed as it was. The proposed row has been completed.
  std::optional<Result> run(const Row& proposed);

 private:
  struct Attempt {
    bool decided = false;  // else the existing row is no longer what conflicts: look again
    std::optional<Result> result;
  };
  // The owner of one of the keys, who is live; waits while it is undecided.
  std::optional<KeyOwner> find_conflict(const Row& proposed);
  // Nothing if somebody else was faster.
  std::optional<Tid> insert(const Row& proposed);
  Attempt update(const KeyOwner& existing, const Row& proposed);
  VisibleRow version_to_update(const VisibleRow& newest);
  void check_visible(const KeyOwner& owner);
  bool is_arbiter(std::size_t index) const;

  ExecutorState& state_;
  const plan::ModifyTable::Conflict& conflict_;
  TableWriter& writer_;
  std::vector<std::size_t> arbiters_;  // positions among the writer's indexes
  std::vector<Evaluator> values_;
  std::vector<Evaluator> conditions_;
  syntax::LockStrength strength_ = syntax::LockStrength::no_key_update;
};

}  // namespace polarsim::engine::executor
