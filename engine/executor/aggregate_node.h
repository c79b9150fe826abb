// What all kinds of Aggregate share: groups, and the rows they become (PostgreSQL's src/backend/executor/nodeAgg.c).
#pragma once

#include <algorithm>
#include <vector>

#include "engine/executor/aggregate_call.h"
#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

// What the calls have accumulated for one group.
struct AggregateGroup {
  std::vector<Accumulation> calls;
  Row carried;  // columns of its first row
  bool has_carried = false;
};

class AggregateNodeState : public ParentState {
 public:
  AggregateNodeState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Aggregate& node)
      : ParentState(state, plan, std::move(child), seen_width(node)), node_(node) {
    calls_.reserve(node.aggregates.size());
    for (const plan::AggregateCall& call : node.aggregates) calls_.emplace_back(call);
  }

 protected:
  AggregateGroup begin_group() {
    AggregateGroup group;
    group.calls.reserve(calls_.size());
    for (const AggregateCallState& call : calls_) group.calls.push_back(call.begin(state_));
    return group;
  }
  // Tells how much memory the calls have begun to need for values that they keep, about.
  std::size_t add(RowView row, AggregateGroup& to) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < calls_.size(); ++i) kept += calls_[i].add(state_, row, to.calls[i]);
    if (to.has_carried || node_.carried.empty()) return kept;
    for (const int column : node_.carried) to.carried.push_back(row[static_cast<std::size_t>(column) - 1]);
    to.has_carried = true;
    return kept;
  }
  // The row that targets and conditions see. `columns`: the groups that are in the grouping set, `keys` their values.
  RowView finish(const std::vector<std::size_t>& columns, RowView keys, AggregateGroup& group) {
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
  static std::size_t seen_width(const plan::Aggregate& node) {
    return node.groups.size() + node.aggregates.size() + node.grouping.size() + node.carried.size();
  }

  std::vector<AggregateCallState> calls_;
  Row seen_;
};

NodeStatePtr make_hashed_aggregate(ExecutorState& state, const Plan& plan, NodeStatePtr&& child,
                                   const plan::Aggregate& node);

}  // namespace polarsim::engine::executor
