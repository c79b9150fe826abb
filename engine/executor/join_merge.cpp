// Merge Join: both sides sorted by the keys; right rows with equal keys are kept together, so that each left row with
// the keys meets them all (PostgreSQL's nodeMergejoin.c marks and restores instead). A key with a NULL matches nothing.
#include <algorithm>

#include "engine/executor/node_state.h"
#include "engine/executor/row_order.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

namespace {

using plan::PlanJoin;

class MergeJoinState final : public NodeState {
 public:
  MergeJoinState(ExecutorState& state, const Plan& plan, const plan::MergeJoin& join, NodeStatePtr&& left,
                 NodeStatePtr&& right)
      : NodeState(state, plan, left->width() + right->width()),
        type_(join.type),
        left_(std::move(left)),
        right_(std::move(right)),
        left_keys_(compile(join.left_keys)),
        right_keys_(compile(join.right_keys)),
        condition_(compile(join.condition)),
        order_(RowOrder::of_keys(join.order)),
        no_left_(left_->width()),
        no_right_(right_->width()),
        group_(state.database().host(), right_->width(), state.inputs.work_memory_bytes) {
    depends_on(left_->dependencies());
    depends_on(right_->dependencies());
  }

 protected:
  bool produce(RowView& row) override {
    if (!started_) {
      started_ = true;
      next_left();
      if (!has_left_ && !wants_unmatched_right()) return false;
      read_right();
    }
    for (;;) {
      state_.check_interrupts();
      switch (step_) {
        case Step::compare:
          if (!compare_sides()) return false;
          break;
        case Step::pair:
          if (pair(row)) return true;
          break;
        case Step::left_is_done: {
          const bool give = !left_matched_ && wants_unmatched_left();
          step_ = Step::compare;
          if (give && emit(left_row_, no_right_, row)) {
            left_is_stale_ = true;
            return true;
          }
          next_left();
          break;
        }
        case Step::group_is_done:
          if (give_unmatched_group(row)) return true;
          break;
        case Step::right_alone: {
          step_ = Step::compare;
          // The row is read again before it is given up, so it is copied.
          right_alone_.assign(right_row_.begin(), right_row_.end());
          read_right();
          if (wants_unmatched_right() && emit(no_left_, right_alone_, row)) return true;
          break;
        }
      }
    }
  }

  void restart() override {
    left_->rescan();
    right_->rescan();
    started_ = false;
    step_ = Step::compare;
    has_group_ = left_is_stale_ = false;
  }

 private:
  enum class Step : std::uint8_t {
    compare,        // the left row with the group, or the next right row
    pair,           // the left row with the rows of the group, from next_ on
    left_is_done,   // it is given with NULLs if it has not matched
    group_is_done,  // its rows that have not matched are given with NULLs
    right_alone,    // the right row has a NULL among its keys, or nobody to match
  };

  bool wants_unmatched_left() const {
    return type_ == PlanJoin::left || type_ == PlanJoin::full || type_ == PlanJoin::anti;
  }
  bool wants_unmatched_right() const { return type_ == PlanJoin::right || type_ == PlanJoin::full; }

  static bool has_null(RowView keys) {
    return std::any_of(keys.begin(), keys.end(), [](const Value& value) { return value.is_null(); });
  }
  void compute(std::vector<Evaluator>& evaluators, RowView row, Row& keys) {
    keys.resize(evaluators.size());
    for (std::size_t i = 0; i < evaluators.size(); ++i) keys[i] = evaluators[i].value(state_, row);
  }

  void next_left() {
    left_is_stale_ = false;
    left_matched_ = false;
    has_left_ = left_->next(left_row_);
    if (has_left_) compute(left_keys_, left_row_, left_key_);
  }
  void read_right() {
    has_right_ = right_->next(right_row_);
    if (has_right_) compute(right_keys_, right_row_, right_key_);
  }

  // False at the end of everything.
  bool compare_sides() {
    if (left_is_stale_) next_left();
    if (has_left_ && has_null(left_key_)) {
      step_ = Step::left_is_done;
      return true;
    }
    if (has_group_) {
      if (has_left_ && order_.compare(left_key_, group_key_) == 0) {
        next_ = 0;
        step_ = Step::pair;
      } else {
        next_ = 0;
        step_ = Step::group_is_done;
      }
      return true;
    }
    if (!has_right_) {
      step_ = Step::left_is_done;
      return has_left_ && wants_unmatched_left();
    }
    if (!has_left_) {
      step_ = Step::right_alone;
      return wants_unmatched_right();
    }
    if (has_null(right_key_)) {
      step_ = Step::right_alone;
      return true;
    }
    const int order = order_.compare(left_key_, right_key_);
    if (order < 0) step_ = Step::left_is_done;
    if (order > 0) step_ = Step::right_alone;
    if (order == 0) collect_group();
    return true;
  }

  void collect_group() {
    group_.clear();
    cursor_ = {};
    group_key_ = right_key_;
    do {
      group_.append(right_row_);
      read_right();
    } while (has_right_ && !has_null(right_key_) && order_.equal(right_key_, group_key_));
    matched_.assign(static_cast<std::size_t>(group_.size()), false);
    has_group_ = true;
  }

  bool pair(RowView& row) {
    while (next_ < group_.size()) {
      const std::uint64_t at = next_++;
      const RowView right = group_.at(at, cursor_);
      if (!all_hold(condition_, state_, left_row_, right)) {
        count_removed_by_join();
        continue;
      }
      left_matched_ = true;
      matched_[static_cast<std::size_t>(at)] = true;
      if (type_ == PlanJoin::anti || type_ == PlanJoin::semi) next_ = group_.size();
      if (type_ != PlanJoin::anti && emit(left_row_, right, row)) return true;
    }
    step_ = Step::left_is_done;
    return false;
  }

  bool give_unmatched_group(RowView& row) {
    while (wants_unmatched_right() && next_ < group_.size()) {
      const std::uint64_t at = next_++;
      if (!matched_[static_cast<std::size_t>(at)] && emit(no_left_, group_.at(at, cursor_), row)) return true;
    }
    has_group_ = false;
    step_ = Step::compare;
    return false;
  }

  const PlanJoin type_;
  NodeStatePtr left_;
  NodeStatePtr right_;
  std::vector<Evaluator> left_keys_;
  std::vector<Evaluator> right_keys_;
  std::vector<Evaluator> condition_;
  RowOrder order_;
  const Row no_left_;
  const Row no_right_;
  Step step_ = Step::compare;
  bool started_ = false;
  RowView left_row_;
  Row left_key_;
  bool has_left_ = false;
  bool left_matched_ = false;
  bool left_is_stale_ = false;  // it has been given; the next one is read when it is wanted
  RowView right_row_;
  Row right_key_;
  Row right_alone_;
  bool has_right_ = false;
  RowStore group_;
  RowStore::Cursor cursor_;
  Row group_key_;
  std::vector<bool> matched_;
  bool has_group_ = false;
  std::uint64_t next_ = 0;
};

}  // namespace

NodeStatePtr make_merge_join(ExecutorState& state, const Plan& plan) {
  return std::make_unique<MergeJoinState>(state, plan, *plan.as<plan::MergeJoin>(),
                                          make_state(state, *plan.children.at(0)),
                                          make_state(state, *plan.children.at(1)));
}

}  // namespace polarsim::engine::executor
