// The state of one node of a plan in a run (PostgreSQL's PlanState).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/executor/executor_state.h"

namespace polarsim::engine::executor {

using plan::Plan;
using query::ExpressionPtr;

// An expression compiled once for a node. A column or a constant is looked up without running anything.
class Evaluator {
 public:
  Evaluator() = default;
  explicit Evaluator(const ExpressionPtr& expression);

  // The value where it is: in the row, or in here until the next call.
  const Value& get(ExecutorState& state, RowView first = {}, RowView second = {}) {
    if (kind_ == Kind::first_column) return first[column_];
    if (kind_ == Kind::second_column) return second[column_];
    if (kind_ == Kind::constant) return constant_;
    return program_.evaluate(state.program_inputs(first, second), state.call());
  }
  Value value(ExecutorState& state, RowView first = {}, RowView second = {}) { return get(state, first, second); }
  // NULL counts as false.
  bool holds(ExecutorState& state, RowView first = {}, RowView second = {});
  // The position in the first row, if it is nothing but a column of that; else -1.
  int first_column() const { return kind_ == Kind::first_column ? static_cast<int>(column_) : -1; }

 private:
  enum class Kind : std::uint8_t { first_column, second_column, constant, program } kind_ = Kind::constant;
  std::size_t column_ = 0;
  Value constant_;
  query::Program program_;
};

std::vector<Evaluator> compile(const std::vector<ExpressionPtr>& expressions);
bool all_hold(std::vector<Evaluator>& conditions, ExecutorState& state, RowView first = {}, RowView second = {});

// A node is made before its first row, and given up after its last, or before. Rows come by next(); rescan() starts
// again, after parameters may have changed. A row stays valid until the next call of either.
class NodeState {
 public:
  // `seen_width` is how many values the row has that the node's expressions see; for joins of both rows together.
  NodeState(ExecutorState& state, const Plan& plan, std::size_t seen_width);
  virtual ~NodeState() = default;
  NodeState(const NodeState&) = delete;
  NodeState& operator=(const NodeState&) = delete;

  // False at the end, and from then on until the next rescan().
  bool next(RowView& row);
  void rescan();
  // No more than so many rows will be asked for: a sort then need not keep more.
  virtual void set_row_bound(std::uint64_t /*rows*/) {}

  // Of the rows it gives.
  std::size_t width() const { return width_; }
  const Plan& plan() const { return plan_; }
  // What its rows are computed from besides tables.
  const Dependencies& dependencies() const { return dependencies_; }

 protected:
  // The next row, by emit().
  virtual bool produce(RowView& row) = 0;
  virtual void restart() = 0;

  // False if a condition fails; else `row` is what the node gives for the row it sees.
  bool emit(RowView first, RowView second, RowView& row);
  // The same without looking at the conditions.
  void project(RowView first, RowView second, RowView& row);
  void depends_on(const Dependencies& dependencies);
  void count_removed_by_join() {
    if (measurement_ != nullptr) ++removed_by_join_;
  }
  plan::NodeMeasurement* measurement() { return measurement_; }

  ExecutorState& state_;
  const Plan& plan_;

 private:
  bool measured_next(RowView& row);
  bool advance(RowView& row);

  std::vector<Evaluator> conditions_;
  std::vector<Evaluator> one_time_conditions_;
  std::vector<Evaluator> targets_;
  bool passes_row_ = false;  // the targets are the beginning of the row it sees
  std::size_t width_ = 0;
  Row output_;
  Dependencies dependencies_;
  bool started_ = false;
  bool ended_ = false;

  plan::NodeMeasurement* measurement_ = nullptr;
  bool has_row_in_loop_ = false;
  double removed_by_join_ = 0;
};
using NodeStatePtr = std::unique_ptr<NodeState>;

NodeStatePtr make_state(ExecutorState& state, const Plan& plan);

// A node with one child.
class ParentState : public NodeState {
 public:
  ParentState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, std::size_t seen_width)
      : NodeState(state, plan, seen_width), child_(std::move(child)) {
    depends_on(child_->dependencies());
  }
  // It sees the child's row.
  ParentState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child)
      : ParentState(state, plan, std::move(child), child->width()) {}

 protected:
  NodeStatePtr child_;
};

// --- the kinds of nodes; each is made by its own file ---
NodeStatePtr make_seq_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_index_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_subquery_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_function_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_values_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_system_view_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_custom_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_common_table_scan(ExecutorState& state, const Plan& plan);
NodeStatePtr make_work_table_scan(ExecutorState& state, const Plan& plan);
// A scan in a second run, whose row is given.
NodeStatePtr make_recheck_scan(ExecutorState& state, const Plan& plan, std::size_t seen_width);
NodeStatePtr make_nested_loop(ExecutorState& state, const Plan& plan);
NodeStatePtr make_hash_join(ExecutorState& state, const Plan& plan);
NodeStatePtr make_merge_join(ExecutorState& state, const Plan& plan);
NodeStatePtr make_result(ExecutorState& state, const Plan& plan);
NodeStatePtr make_project_set(ExecutorState& state, const Plan& plan);
NodeStatePtr make_materialize(ExecutorState& state, const Plan& plan);
NodeStatePtr make_sort(ExecutorState& state, const Plan& plan);
NodeStatePtr make_aggregate(ExecutorState& state, const Plan& plan);
NodeStatePtr make_window_agg(ExecutorState& state, const Plan& plan);
NodeStatePtr make_unique_node(ExecutorState& state, const Plan& plan);
NodeStatePtr make_lock_rows(ExecutorState& state, const Plan& plan);
NodeStatePtr make_limit(ExecutorState& state, const Plan& plan);
NodeStatePtr make_append(ExecutorState& state, const Plan& plan);
NodeStatePtr make_set_operation(ExecutorState& state, const Plan& plan);
NodeStatePtr make_recursive_union(ExecutorState& state, const Plan& plan);
NodeStatePtr make_modify_table(ExecutorState& state, const Plan& plan);
// Rows that a ModifyTable has changed so far.
std::uint64_t rows_changed(const NodeState& modify_table);

}  // namespace polarsim::engine::executor
