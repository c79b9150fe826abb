// A subplan in a run (PostgreSQL's src/backend/executor/nodeSubplan.c).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/executor/key_table.h"
#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

class SubplanState {
 public:
  SubplanState(ExecutorState& state, int subplan);

  // An initial plan: gives the parameters their values, if they do not have them, or they depend on others that have
  // changed.
  void set_outputs(std::vector<Value>& parameters);
  // The parameters that are its arguments have been set.
  Value value(const query::Subplan& subplan, query::LeftSide& left);

 private:
  NodeState& tree();  // at its beginning
  Value exists();
  Value array();
  // One row, or NULLs; throws 21000 if there are more.
  void scalar(Row& row);
  Value compare_all(const query::Subplan& subplan, query::LeftSide& left);
  Value compare_hashed(const query::Subplan& subplan, query::LeftSide& left);
  void fill_table(const query::Subplan& subplan);

  ExecutorState& state_;
  const plan::SubplanDefinition& definition_;
  NodeStatePtr tree_;
  bool used_ = false;                     // the tree has given rows
  std::optional<std::uint64_t> version_;  // of what the outputs or the table were computed from
  // Hashed: the rows without NULLs, and those with some.
  std::optional<KeyTable> table_;
  std::vector<Row> rows_with_nulls_;
};

// The type of a column of a plan's rows.
Type output_type(const Plan& plan, std::size_t column);

}  // namespace polarsim::engine::executor
