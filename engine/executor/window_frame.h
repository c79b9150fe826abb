// Which rows of a partition a row's frame has (SQL:2003 7.11; PostgreSQL's nodeWindowAgg.c).
#pragma once

#include <optional>
#include <vector>

#include "engine/executor/node_state.h"
#include "engine/executor/row_order.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

// The rows of a partition, with the peers of each: rows that are equal in the window's order.
class Partition {
 public:
  Partition(sim::Host& host, std::size_t width, std::size_t memory_bytes) : rows_(host, width, memory_bytes) {}

  void clear() {
    rows_.clear();
    cursor_ = {};
    group_of_.clear();
    group_starts_.clear();
  }
  // `new_group`: it is no peer of the row before.
  void append(RowView row, bool new_group) {
    if (new_group) group_starts_.push_back(rows_.size());
    group_of_.push_back(group_starts_.size() - 1);
    rows_.append(row);
  }
  std::uint64_t size() const { return rows_.size(); }
  // Valid until the next call.
  RowView at(std::uint64_t row) const { return rows_.at(row, cursor_); }
  std::size_t group_of(std::uint64_t row) const { return group_of_[static_cast<std::size_t>(row)]; }
  std::size_t groups() const { return group_starts_.size(); }
  std::uint64_t group_start(std::size_t group) const { return group_starts_[group]; }
  std::uint64_t group_end(std::size_t group) const {
    return group + 1 < group_starts_.size() ? group_starts_[group + 1] : size();
  }

 private:
  RowStore rows_;
  mutable RowStore::Cursor cursor_;
  std::vector<std::size_t> group_of_;
  std::vector<std::uint64_t> group_starts_;
};

// Rows [start, end) without [hole_start, hole_end), but with `kept` (the current row, where EXCLUDE TIES keeps it).
struct Frame {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t hole_start = 0;
  std::uint64_t hole_end = 0;
  std::optional<std::uint64_t> kept;

  bool has(std::uint64_t row) const {
    if (row < start || row >= end) return false;
    return row < hole_start || row >= hole_end || row == kept;
  }
};

class FrameFinder {
 public:
  // Throws 0A000 for RANGE with an offset over a type that has no in_range().
  FrameFinder(const plan::WindowAgg& node);

  // Computes the offsets: throws 22004 "frame starting offset must not be null", 22013 "... must not be negative".
  void start(ExecutorState& state);
  Frame find(ExecutorState& state, const Partition& partition, std::uint64_t row);
  // Whether the frame's start is the partition's and nothing is excluded, so that aggregates need only go on.
  bool only_grows() const {
    return window_.start == query::Window::Bound::unbounded_preceding &&
           window_.exclusion == query::Window::Exclusion::nothing;
  }

 private:
  using Bound = query::Window::Bound;
  std::uint64_t start_of(ExecutorState& state, const Partition& partition, std::uint64_t row);
  std::uint64_t end_of(ExecutorState& state, const Partition& partition, std::uint64_t row);
  // Of RANGE: whether `row` is at or beyond the bound that is `offset` from the current row.
  bool in_range(ExecutorState& state, const Value& value, const Value& base, const Value& offset, bool preceding,
                bool less) const;
  std::uint64_t range_start(ExecutorState& state, const Partition& partition, std::uint64_t row);
  std::uint64_t range_end(ExecutorState& state, const Partition& partition, std::uint64_t row);

  const query::Window& window_;
  const std::vector<plan::SortKey>& order_by_;
  std::optional<Evaluator> start_offset_;
  std::optional<Evaluator> end_offset_;
  Value start_value_;
  Value end_value_;
  const FunctionEntry* start_in_range_ = nullptr;
  const FunctionEntry* end_in_range_ = nullptr;
};

}  // namespace polarsim::engine::executor
