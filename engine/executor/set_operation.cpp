// INTERSECT and EXCEPT, by counting how often the sides have each row; and RecursiveUnion (PostgreSQL's nodeSetOp.c and
// nodeRecursiveunion.c).
#include <algorithm>

#include "engine/executor/key_table.h"
#include "engine/executor/node_state.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

namespace {

std::vector<TypeId> types_of(const std::vector<plan::SortKey>& columns) {
  std::vector<TypeId> types;
  for (const plan::SortKey& column : columns) types.push_back(column.type);
  return types;
}

class SetOperationState final : public NodeState {
 public:
  SetOperationState(ExecutorState& state, const Plan& plan, const plan::SetOperation& node, NodeStatePtr&& left,
                    NodeStatePtr&& right)
      : NodeState(state, plan, left->width()),
        node_(node),
        left_(std::move(left)),
        right_(std::move(right)),
        table_(types_of(node.columns)) {
    depends_on(left_->dependencies());
    depends_on(right_->dependencies());
  }

 protected:
  bool produce(RowView& row) override {
    if (!filled_) fill();
    for (; at_ < table_.size(); ++at_) {
      while (counts_[at_].left > 0) {
        --counts_[at_].left;
        if (emit(table_.keys(at_), {}, row)) return true;
      }
    }
    return false;
  }
  void restart() override {
    filled_ = false;
    left_->rescan();
    right_->rescan();
  }

 private:
  struct Count {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
  };

  void fill() {
    table_.clear();
    counts_.clear();
    const std::size_t width = node_.columns.size();
    for (RowView row; left_->next(row);) {
      const auto [number, is_new] = table_.insert(row.first(width));
      if (is_new) counts_.emplace_back();
      ++counts_[number].left;
    }
    for (RowView row; right_->next(row);) {
      if (const auto number = table_.find(row.first(width))) ++counts_[*number].right;
    }
    // `left` becomes how often the row is given.
    const bool intersect = node_.kind == query::SetOperator::intersect;
    for (Count& count : counts_) {
      if (intersect) {
        count.left = node_.all ? std::min(count.left, count.right) : (count.right > 0 ? 1 : 0);
      } else {
        count.left = node_.all ? count.left - std::min(count.left, count.right) : (count.right > 0 ? 0 : 1);
      }
    }
    filled_ = true;
    at_ = 0;
  }

  const plan::SetOperation& node_;
  NodeStatePtr left_;
  NodeStatePtr right_;
  KeyTable table_;
  std::vector<Count> counts_;
  bool filled_ = false;
  std::uint32_t at_ = 0;
};

class RecursiveUnionState final : public NodeState {
 public:
  RecursiveUnionState(ExecutorState& state, const Plan& plan, const plan::RecursiveUnion& node, NodeStatePtr&& first)
      : NodeState(state, plan, first->width()),
        node_(node),
        first_(std::move(first)),
        known_(node.all ? std::vector<TypeId>{} : types_of(node.columns)),
        working_(state.database().host(), first_->width(), state.inputs.work_memory_bytes),
        found_(state.database().host(), first_->width(), state.inputs.work_memory_bytes) {
    depends_on(first_->dependencies());
    state.set_work_table(node.work_table, &working_);
    // It asks how wide the work table is.
    next_ = make_state(state, *plan.children.at(1));
    Dependencies outer = next_->dependencies();
    outer.erase(std::remove(outer.begin(), outer.end(), state.work_table_dependency(node.work_table)), outer.end());
    depends_on(outer);
  }

 protected:
  bool produce(RowView& row) override {
    for (;;) {
      state_.check_interrupts();
      RowView found;
      NodeState& source = in_first_ ? *first_ : *next_;
      if (source.next(found)) {
        if (!node_.all && !known_.insert(found.first(node_.columns.size())).second) continue;
        found_.append(found);
        if (emit(found, {}, row)) return true;
        continue;
      }
      in_first_ = false;
      if (found_.empty()) return false;
      std::swap(working_, found_);
      found_.clear();
      state_.set_work_table(node_.work_table, &working_);
      next_->rescan();
    }
  }
  void restart() override {
    in_first_ = true;
    known_.clear();
    found_.clear();
    working_.clear();
    state_.set_work_table(node_.work_table, &working_);
    first_->rescan();
  }

 private:
  const plan::RecursiveUnion& node_;
  NodeStatePtr first_;
  NodeStatePtr next_;
  KeyTable known_;
  RowStore working_;
  RowStore found_;
  bool in_first_ = true;
};

}  // namespace

NodeStatePtr make_set_operation(ExecutorState& state, const Plan& plan) {
  return std::make_unique<SetOperationState>(state, plan, *plan.as<plan::SetOperation>(),
                                             make_state(state, *plan.children.at(0)),
                                             make_state(state, *plan.children.at(1)));
}

NodeStatePtr make_recursive_union(ExecutorState& state, const Plan& plan) {
  return std::make_unique<RecursiveUnionState>(state, plan, *plan.as<plan::RecursiveUnion>(),
                                               make_state(state, *plan.children.at(0)));
}

}  // namespace polarsim::engine::executor
