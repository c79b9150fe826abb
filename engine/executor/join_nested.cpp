// Nested Loop: the right side is run again for each left row, with parameters from it (PostgreSQL's nodeNestloop.c).
#include <algorithm>

#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

namespace {

using plan::PlanJoin;

class NestedLoopState final : public NodeState {
 public:
  NestedLoopState(ExecutorState& state, const Plan& plan, const plan::NestedLoop& loop, NodeStatePtr&& left,
                  NodeStatePtr&& right)
      : NodeState(state, plan, left->width() + right->width()),
        type_(loop.type),
        left_(std::move(left)),
        right_(std::move(right)),
        condition_(compile(loop.condition)),
        no_right_(right_->width()) {
    Dependencies outer = right_->dependencies();
    for (const query::Subplan::Argument& parameter : loop.parameters) {
      parameters_.push_back({parameter.parameter, Evaluator(parameter.value)});
      outer.erase(std::remove(outer.begin(), outer.end(), parameter.parameter), outer.end());
    }
    depends_on(left_->dependencies());
    depends_on(outer);
  }

 protected:
  bool produce(RowView& row) override {
    for (;;) {
      state_.check_interrupts();
      if (!has_left_ && !next_left()) return false;
      for (RowView right; !done_with_left_ && right_->next(right);) {
        if (!all_hold(condition_, state_, left_row_, right)) {
          count_removed_by_join();
          continue;
        }
        matched_ = true;
        if (type_ == PlanJoin::anti) break;
        done_with_left_ = type_ == PlanJoin::semi;
        if (emit(left_row_, right, row)) return true;
      }
      has_left_ = false;
      const bool wants_unmatched = type_ == PlanJoin::left || type_ == PlanJoin::anti;
      if (wants_unmatched && !matched_ && emit(left_row_, no_right_, row)) return true;
    }
  }
  // The right side is run again for the first left row.
  void restart() override {
    has_left_ = false;
    left_->rescan();
  }

 private:
  struct Parameter {
    int number;
    Evaluator value;
  };

  bool next_left() {
    if (!left_->next(left_row_)) return false;
    has_left_ = true;
    matched_ = done_with_left_ = false;
    for (Parameter& parameter : parameters_)
      state_.set_parameter(parameter.number, parameter.value.value(state_, left_row_));
    if (right_used_) right_->rescan();
    right_used_ = true;
    return true;
  }

  const PlanJoin type_;
  NodeStatePtr left_;
  NodeStatePtr right_;
  std::vector<Parameter> parameters_;
  std::vector<Evaluator> condition_;
  const Row no_right_;
  RowView left_row_;
  bool has_left_ = false;
  bool matched_ = false;
  bool done_with_left_ = false;
  bool right_used_ = false;
};

}  // namespace

NodeStatePtr make_nested_loop(ExecutorState& state, const Plan& plan) {
  return std::make_unique<NestedLoopState>(state, plan, *plan.as<plan::NestedLoop>(),
                                           make_state(state, *plan.children.at(0)),
                                           make_state(state, *plan.children.at(1)));
}

}  // namespace polarsim::engine::executor
