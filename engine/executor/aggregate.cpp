// Aggregate: plain, and over sorted groups (PostgreSQL's nodeAgg.c). Those in hash tables: aggregate_hash.cpp.
#include "engine/executor/aggregate_node.h"

namespace polarsim::engine::executor {

namespace {

using Strategy = plan::Aggregate::Strategy;

// One group of all rows.
class PlainAggregateState final : public AggregateNodeState {
 public:
  using AggregateNodeState::AggregateNodeState;

 protected:
  bool produce(RowView& row) override {
    if (std::exchange(given_, true)) return false;
    AggregateGroup group = begin_group();
    for (RowView found; child_->next(found);) add(found, group);
    return emit(finish({}, {}, group), {}, row);
  }
  void restart() override {
    given_ = false;
    child_->rescan();
  }

 private:
  bool given_ = false;
};

// Groups come one after the other.
class SortedAggregateState final : public AggregateNodeState {
 public:
  SortedAggregateState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Aggregate& node)
      : AggregateNodeState(state, plan, std::move(child), node), order_(node.groups), columns_(all_columns()) {}

 protected:
  bool produce(RowView& row) override {
    RowView found;
    if (!has_first_ && !at_end_) read(found);
    while (has_first_) {
      AggregateGroup group = begin_group();
      keys_.clear();
      for (const plan::SortKey& key : node_.groups) keys_.push_back(first_[static_cast<std::size_t>(key.column) - 1]);
      add(first_, group);
      while (read_same(found)) add(found, group);
      if (emit(finish(columns_, keys_, group), {}, row)) return true;
    }
    return false;
  }
  void restart() override {
    has_first_ = at_end_ = false;
    child_->rescan();
  }

 private:
  void read(RowView& found) {
    has_first_ = child_->next(found);
    at_end_ = !has_first_;
    if (has_first_) first_.assign(found.begin(), found.end());
  }
  // False if the row is of the next group, or there is none.
  bool read_same(RowView& found) {
    if (!child_->next(found)) {
      has_first_ = false;
      at_end_ = true;
      return false;
    }
    if (order_.equal(first_, found)) return true;
    first_.assign(found.begin(), found.end());
    return false;
  }

  RowOrder order_;
  const std::vector<std::size_t> columns_;
  Row first_;  // of the group that comes next
  Row keys_;
  bool has_first_ = false;
  bool at_end_ = false;
};

}  // namespace

NodeStatePtr make_aggregate(ExecutorState& state, const Plan& plan) {
  const auto& node = *plan.as<plan::Aggregate>();
  NodeStatePtr child = make_state(state, *plan.children.at(0));
  if (node.groups.empty() && node.sets.size() <= 1)
    return std::make_unique<PlainAggregateState>(state, plan, std::move(child), node);
  if (node.sets.empty() && node.strategy == Strategy::sorted)
    return std::make_unique<SortedAggregateState>(state, plan, std::move(child), node);
  return make_hashed_aggregate(state, plan, std::move(child), node);
}

}  // namespace polarsim::engine::executor
