// One aggregate call of a node: which rows count, in which order, and what they become (PostgreSQL's
// src/backend/executor/nodeAgg.c).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/executor/node_state.h"
#include "engine/executor/row_order.h"

namespace polarsim::engine::executor {

// What one group has of one call.
struct Accumulation {
  std::unique_ptr<AggregateState> state;
  // DISTINCT and ORDER BY: the arguments, then what they are sorted by, until the group is complete.
  std::vector<Value> kept;
  std::size_t kept_rows = 0;
  Row direct;  // of an ordered-set aggregate, from the group's first row
  bool has_direct = false;
};

class AggregateCallState {
 public:
  explicit AggregateCallState(const plan::AggregateCall& call);

  Accumulation begin(ExecutorState& state) const;
  // Tells how much memory is needed from now on for what is kept of the row: 0 for what is but counted or added up.
  std::size_t add(ExecutorState& state, RowView row, Accumulation& to);
  Value result(ExecutorState& state, Accumulation& of);

 private:
  void feed(ExecutorState& state, RowView arguments, AggregateState& to) const;
  void feed_kept(ExecutorState& state, Accumulation& of) const;
  RowView compute_arguments(ExecutorState& state, RowView row);
  bool is_ordered_set() const { return call_.function->aggregate_kind != AggregateKind::normal; }

  const plan::AggregateCall& call_;
  std::vector<Type> types_;             // of all arguments, as the function's entry has them
  std::vector<Evaluator> arguments_;    // aggregated ones
  std::vector<Evaluator> direct_;       // of an ordered-set aggregate
  std::vector<Evaluator> sort_values_;  // of ORDER BY, where they are none of these
  std::optional<Evaluator> filter_;
  bool keeps_rows_ = false;
  bool collects_ = false;         // its result grows with the rows
  RowOrder order_{{}};            // of kept rows
  RowOrder arguments_order_{{}};  // for DISTINCT
  std::size_t kept_width_ = 0;
  Row values_;
};

}  // namespace polarsim::engine::executor
