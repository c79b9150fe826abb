// Calls in FROM and calls of set-returning functions in select lists: their rows.
#pragma once

#include <memory>
#include <vector>

#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

class SetCall {
 public:
  // `columns`: of a row; a function that is not set-returning gives one row, and its record's fields if there are
  // several. `requested`: of a function that makes the records it is asked for, whose fields are then the columns; what
  // their names point into outlives it.
  SetCall(const ExpressionPtr& call, std::size_t columns, std::vector<RequestedColumn> requested = {});
  std::size_t columns() const { return columns_; }

  // Computes the arguments.
  void start(ExecutorState& state, RowView row = {});
  // False at the end.
  bool next(Row& row);

 private:
  std::size_t columns_;
  std::vector<RequestedColumn> requested_;
  const FunctionEntry* entry_ = nullptr;
  bool variadic_array_ = false;
  Type result_;
  std::vector<Evaluator> arguments_;
  std::vector<Type> types_;
  Evaluator scalar_;  // not set-returning
  std::vector<Value> values_;
  std::unique_ptr<FunctionRows> rows_;
  bool single_ = false;  // the one row of a scalar has not been given
};

}  // namespace polarsim::engine::executor
