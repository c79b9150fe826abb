// Looking again at rows that changed after a statement had found them (PostgreSQL's EvalPlanQual,
// src/backend/executor/execMain.c and README): the plan is run again over one row of each table, the changed ones in
// their newest versions, the others as they were found.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/executor/node_state.h"
#include "engine/executor/table_rows.h"

namespace polarsim::engine::executor {

class Recheck {
 public:
  // `plan`: what gave the rows. `marks`: how to find the rows of its scans again.
  Recheck(ExecutorState& state, const Plan& plan, const std::vector<plan::LockRows::Mark>& marks)
      : state_(state), plan_(plan), marks_(marks) {}

  // Whoever has been told a newest version: of the scan `entry`, a row of its table.
  void set_newest(int entry, const query::RelationPtr& relation, const VisibleRow& newest);
  void forget_newest() { newest_.clear(); }
  void ignore_conditions(int entry) { ignores_conditions_ = entry; }
  // The plan's first row over the newest versions and, of the other marks, what `found` had, a row that the plan gave
  // before. Nothing if the rows no longer qualify. The newest versions are then forgotten.
  std::optional<Row> run(RowView found);

 private:
  RecheckRow row_of(const plan::LockRows::Mark& mark, RowView found);
  // Of the scan with that number.
  const Plan& scan_of(int entry) const;

  ExecutorState& state_;
  const Plan& plan_;
  const std::vector<plan::LockRows::Mark>& marks_;
  RecheckRows newest_;
  int ignores_conditions_ = -1;
};

// 40001 "could not serialize access due to concurrent update" if the transaction keeps to one snapshot.
void refuse_concurrent_change(const ExecutorState& state, const char* what);

}  // namespace polarsim::engine::executor
