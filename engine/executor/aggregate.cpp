// Aggregate: plain, over sorted groups, over groups in a hash table, and grouping sets (PostgreSQL's nodeAgg.c).
//
// Groups in hash tables come in the order of their first rows, grouping sets one after the other. They stay in memory:
// work_mem does not bound them.
#include <algorithm>

#include "engine/executor/aggregate_call.h"
#include "engine/executor/key_table.h"
#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

namespace {

using Strategy = plan::Aggregate::Strategy;

// What the calls have accumulated for one group.
struct Group {
  std::vector<Accumulation> calls;
  Row carried;  // columns of its first row
  bool has_carried = false;
};

// Groups of one grouping set.
struct GroupingSet {
  std::vector<std::size_t> columns;  // positions among the node's groups
  KeyTable table;
  std::vector<Group> groups;
};

std::vector<TypeId> types_of(const std::vector<plan::SortKey>& keys, const std::vector<std::size_t>& columns) {
  std::vector<TypeId> types;
  for (const std::size_t column : columns) types.push_back(keys[column].type);
  return types;
}

std::size_t seen_width(const plan::Aggregate& node) {
  return node.groups.size() + node.aggregates.size() + node.grouping.size() + node.carried.size();
}

class AggregateNodeState : public ParentState {
 public:
  AggregateNodeState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Aggregate& node)
      : ParentState(state, plan, std::move(child), seen_width(node)), node_(node) {
    calls_.reserve(node.aggregates.size());
    for (const plan::AggregateCall& call : node.aggregates) calls_.emplace_back(call);
  }

 protected:
  Group begin_group() {
    Group group;
    group.calls.reserve(calls_.size());
    for (const AggregateCallState& call : calls_) group.calls.push_back(call.begin(state_));
    return group;
  }
  void add(RowView row, Group& to) {
    for (std::size_t i = 0; i < calls_.size(); ++i) calls_[i].add(state_, row, to.calls[i]);
    if (to.has_carried || node_.carried.empty()) return;
    for (const int column : node_.carried) to.carried.push_back(row[static_cast<std::size_t>(column) - 1]);
    to.has_carried = true;
  }
  // The row that targets and conditions see. `columns`: the groups that are in the grouping set, `keys` their values.
  RowView finish(const std::vector<std::size_t>& columns, RowView keys, Group& group) {
    seen_.assign(node_.groups.size(), Value::null());
    for (std::size_t i = 0; i < columns.size(); ++i) seen_[columns[i]] = keys[i];
    for (std::size_t i = 0; i < calls_.size(); ++i) seen_.push_back(calls_[i].result(state_, group.calls[i]));
    for (const std::vector<int>& grouping : node_.grouping) {
      std::int64_t bits = 0;
      for (const int group_column : grouping) {
        const bool in_set =
            std::find(columns.begin(), columns.end(), static_cast<std::size_t>(group_column)) != columns.end();
        bits = bits * 2 + (in_set ? 0 : 1);
      }
      seen_.push_back(Value::integer(bits));
    }
    group.carried.resize(node_.carried.size());
    seen_.insert(seen_.end(), group.carried.begin(), group.carried.end());
    return seen_;
  }
  std::vector<std::size_t> all_columns() const {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < node_.groups.size(); ++i) columns.push_back(i);
    return columns;
  }

  const plan::Aggregate& node_;

 private:
  std::vector<AggregateCallState> calls_;
  Row seen_;
};

// One group of all rows.
class PlainAggregateState final : public AggregateNodeState {
 public:
  using AggregateNodeState::AggregateNodeState;

 protected:
  bool produce(RowView& row) override {
    if (std::exchange(given_, true)) return false;
    Group group = begin_group();
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
      Group group = begin_group();
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

class HashedAggregateState final : public AggregateNodeState {
 public:
  HashedAggregateState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Aggregate& node)
      : AggregateNodeState(state, plan, std::move(child), node) {
    if (node.sets.empty()) add_set(all_columns());
    for (const std::vector<int>& set : node.sets) add_set({set.begin(), set.end()});
  }

 protected:
  bool produce(RowView& row) override {
    if (!filled_) fill();
    for (; set_ < sets_.size(); ++set_, group_ = 0) {
      GroupingSet& set = sets_[set_];
      while (group_ < set.groups.size()) {
        const std::size_t number = group_++;
        const RowView keys = set.table.keys(static_cast<std::uint32_t>(number));
        // Results can be asked for once: ordered-set aggregates are told their order then.
        const RowView seen = finish(set.columns, keys, set.groups[number]);
        if (emit(seen, {}, row)) return true;
      }
    }
    return false;
  }
  void restart() override {
    filled_ = false;
    child_->rescan();
  }

 private:
  void add_set(std::vector<std::size_t> columns) {
    // A column may be named twice in a set.
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    KeyTable table(types_of(node_.groups, columns));
    sets_.push_back({std::move(columns), std::move(table), {}});
  }

  void fill() {
    for (GroupingSet& set : sets_) {
      set.table.clear();
      set.groups.clear();
      // The set without columns is one group, of no rows even.
      if (set.columns.empty()) group_of(set, {});
    }
    for (RowView row; child_->next(row);) {
      for (GroupingSet& set : sets_) {
        keys_.clear();
        for (const std::size_t column : set.columns)
          keys_.push_back(row[static_cast<std::size_t>(node_.groups[column].column) - 1]);
        add(row, group_of(set, keys_));
      }
    }
    filled_ = true;
    set_ = group_ = 0;
  }

  Group& group_of(GroupingSet& set, RowView keys) {
    const auto [number, is_new] = set.table.insert(keys);
    if (is_new) set.groups.push_back(begin_group());
    return set.groups[number];
  }

  std::vector<GroupingSet> sets_;
  Row keys_;
  bool filled_ = false;
  std::size_t set_ = 0;
  std::size_t group_ = 0;
};

}  // namespace

NodeStatePtr make_aggregate(ExecutorState& state, const Plan& plan) {
  const auto& node = *plan.as<plan::Aggregate>();
  NodeStatePtr child = make_state(state, *plan.children.at(0));
  if (node.sets.empty() && node.groups.empty())
    return std::make_unique<PlainAggregateState>(state, plan, std::move(child), node);
  if (node.sets.empty() && node.strategy == Strategy::sorted)
    return std::make_unique<SortedAggregateState>(state, plan, std::move(child), node);
  return std::make_unique<HashedAggregateState>(state, plan, std::move(child), node);
}

}  // namespace polarsim::engine::executor
