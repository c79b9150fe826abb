#include "engine/executor/node_state.h"

#include <algorithm>
#include <iterator>

#include "engine/executor/dependencies.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"
#include "sim/simulation.h"

namespace polarsim::engine::executor {

// --- expressions ---

Evaluator::Evaluator(const ExpressionPtr& expression) {
  if (const auto* constant = expression->as<query::Constant>()) {
    constant_ = constant->value;
    return;
  }
  const auto* column = expression->as<query::Column>();
  if (column != nullptr && column->column > 0 && column->levels_up == 0 && column->entry >= 0 && column->entry < 2) {
    kind_ = column->entry == 0 ? Kind::first_column : Kind::second_column;
    column_ = static_cast<std::size_t>(column->column) - 1;
    return;
  }
  kind_ = Kind::program;
  program_ = query::Program::compile(expression);
}

bool Evaluator::holds(ExecutorState& state, RowView first, RowView second) {
  if (kind_ == Kind::program) return program_.holds(state.program_inputs(first, second), state.call());
  const Value& value = get(state, first, second);
  return !value.is_null() && value.as_boolean();
}

std::vector<Evaluator> compile(const std::vector<ExpressionPtr>& expressions) {
  std::vector<Evaluator> compiled;
  compiled.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) compiled.emplace_back(expression);
  return compiled;
}

bool all_hold(std::vector<Evaluator>& conditions, ExecutorState& state, RowView first, RowView second) {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](Evaluator& condition) { return condition.holds(state, first, second); });
}

// --- nodes ---

NodeState::NodeState(ExecutorState& state, const Plan& plan, std::size_t seen_width)
    : state_(state),
      plan_(plan),
      conditions_(compile(plan.conditions)),
      one_time_conditions_(compile(plan.one_time_conditions)),
      width_(plan.targets.empty() ? seen_width : plan.targets.size()),
      measurement_(state.measurement(plan)) {
  depends_on(dependencies_of(plan, state.statement));
  // Sets of rows are no values: the node computes its targets itself.
  if (plan.as<plan::ProjectSet>() != nullptr) return;
  targets_.reserve(plan.targets.size());
  passes_row_ = true;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    targets_.emplace_back(plan.targets[i].expression);
    if (targets_.back().first_column() != static_cast<int>(i)) passes_row_ = false;
  }
}

void NodeState::depends_on(const Dependencies& dependencies) {
  Dependencies together;
  std::set_union(dependencies_.begin(), dependencies_.end(), dependencies.begin(), dependencies.end(),
                 std::back_inserter(together));
  dependencies_ = std::move(together);
}

bool NodeState::next(RowView& row) { return measurement_ == nullptr ? advance(row) : measured_next(row); }

bool NodeState::advance(RowView& row) {
  if (ended_) return false;
  if (!started_) {
    check_stack_depth();
    started_ = true;
    ended_ = !all_hold(one_time_conditions_, state_);
  }
  if (!ended_ && produce(row)) return true;
  ended_ = true;
  return false;
}

bool NodeState::measured_next(RowView& row) {
  const sim::Time before = state_.database().host().simulation().now();
  if (!started_) {
    ++measurement_->loops;
    has_row_in_loop_ = false;
  }
  const bool found = advance(row);
  const auto spent = state_.database().host().simulation().now() - before;
  const double spent_ms = std::chrono::duration<double, std::milli>(spent).count();
  measurement_->total_ms += spent_ms;
  if (!has_row_in_loop_) measurement_->startup_ms += spent_ms;
  if (found) {
    has_row_in_loop_ = true;
    ++measurement_->rows;
  }
  measurement_->rows_removed_by_join_filter += removed_by_join_;
  removed_by_join_ = 0;
  return found;
}

void NodeState::rescan() {
  started_ = false;
  ended_ = false;
  restart();
}

bool NodeState::emit(RowView first, RowView second, RowView& row) {
  if (!conditions_.empty() && !all_hold(conditions_, state_, first, second)) {
    if (measurement_ != nullptr) ++measurement_->rows_removed_by_filter;
    return false;
  }
  project(first, second, row);
  return true;
}

void NodeState::project(RowView first, RowView second, RowView& row) {
  if (targets_.empty() && !second.empty()) {
    output_.assign(first.begin(), first.end());
    output_.insert(output_.end(), second.begin(), second.end());
    row = output_;
    return;
  }
  if (passes_row_) {
    row = targets_.empty() ? first : first.first(targets_.size());
    return;
  }
  output_.resize(targets_.size());
  for (std::size_t i = 0; i < targets_.size(); ++i) output_[i] = targets_[i].get(state_, first, second);
  row = output_;
}

namespace {

// What a table's scan gives in a second run has been found already, or is given by an index as in the first.
bool is_given(const ExecutorState& state, const Plan& plan) {
  return state.recheck != nullptr && plan.entry >= 0 && state.recheck->contains(plan.entry);
}

struct StateMaker {
  ExecutorState& state;
  const Plan& plan;
  NodeStatePtr operator()(const plan::SeqScan&) const { return make_seq_scan(state, plan); }
  NodeStatePtr operator()(const plan::IndexScan&) const { return make_index_scan(state, plan); }
  NodeStatePtr operator()(const plan::SubqueryScan&) const { return make_subquery_scan(state, plan); }
  NodeStatePtr operator()(const plan::FunctionScan&) const { return make_function_scan(state, plan); }
  NodeStatePtr operator()(const plan::ValuesScan&) const { return make_values_scan(state, plan); }
  NodeStatePtr operator()(const plan::SystemViewScan&) const { return make_system_view_scan(state, plan); }
  NodeStatePtr operator()(const plan::CommonTableScan&) const { return make_common_table_scan(state, plan); }
  NodeStatePtr operator()(const plan::WorkTableScan&) const { return make_work_table_scan(state, plan); }
  NodeStatePtr operator()(const plan::NestedLoop&) const { return make_nested_loop(state, plan); }
  NodeStatePtr operator()(const plan::HashJoin&) const { return make_hash_join(state, plan); }
  NodeStatePtr operator()(const plan::MergeJoin&) const { return make_merge_join(state, plan); }
  NodeStatePtr operator()(const plan::Result&) const { return make_result(state, plan); }
  NodeStatePtr operator()(const plan::ProjectSet&) const { return make_project_set(state, plan); }
  NodeStatePtr operator()(const plan::Materialize&) const { return make_materialize(state, plan); }
  NodeStatePtr operator()(const plan::Sort&) const { return make_sort(state, plan); }
  NodeStatePtr operator()(const plan::Aggregate&) const { return make_aggregate(state, plan); }
  NodeStatePtr operator()(const plan::WindowAgg&) const { return make_window_agg(state, plan); }
  NodeStatePtr operator()(const plan::Unique&) const { return make_unique_node(state, plan); }
  NodeStatePtr operator()(const plan::LockRows&) const { return make_lock_rows(state, plan); }
  NodeStatePtr operator()(const plan::Limit&) const { return make_limit(state, plan); }
  NodeStatePtr operator()(const plan::Append&) const { return make_append(state, plan); }
  NodeStatePtr operator()(const plan::SetOperation&) const { return make_set_operation(state, plan); }
  NodeStatePtr operator()(const plan::RecursiveUnion&) const { return make_recursive_union(state, plan); }
  NodeStatePtr operator()(const plan::ModifyTable&) const { return make_modify_table(state, plan); }
  NodeStatePtr operator()(const plan::Custom&) const { return make_custom_scan(state, plan); }
};

}  // namespace

NodeStatePtr make_state(ExecutorState& state, const Plan& plan) {
  check_stack_depth();
  const StateMaker maker{state, plan};
  if (!is_given(state, plan)) return std::visit(maker, plan.node);
  const RecheckRow& given = state.recheck->at(plan.entry);
  // Without a row, nobody but the scan itself knows how wide its rows are.
  const std::size_t width = given.present ? given.row.size() : std::visit(maker, plan.node)->width();
  return make_recheck_scan(state, plan, width);
}

}  // namespace polarsim::engine::executor
