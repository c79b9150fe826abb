#include "engine/executor/window_frame.h"

#include <algorithm>
#include <limits>

#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

using Window = query::Window;

bool has_offset(Window::Bound bound) { return bound == Window::Bound::preceding || bound == Window::Bound::following; }

const FunctionEntry* find_in_range(TypeId column, TypeId offset) {
  const TypeId types[] = {column, column, offset, TypeId::boolean, TypeId::boolean};
  if (const FunctionEntry* found = find_function("in_range", types)) return found;
  throw SqlError(sqlstate::feature_not_supported,
                 std::string("RANGE with offset PRECEDING/FOLLOWING is not supported for column type ") +
                     type_name(column) + " and offset type " + type_name(offset));
}

std::uint64_t minus(std::uint64_t from, std::int64_t offset) {
  const auto distance = static_cast<std::uint64_t>(offset);
  return from > distance ? from - distance : 0;
}
std::uint64_t plus(std::uint64_t to, std::int64_t offset) {
  const std::uint64_t sum = to + static_cast<std::uint64_t>(offset);
  return sum < to ? std::numeric_limits<std::uint64_t>::max() : sum;
}

}  // namespace

FrameFinder::FrameFinder(const plan::WindowAgg& node) : window_(node.window), order_by_(node.order_by) {
  if (window_.start_offset != nullptr) start_offset_.emplace(window_.start_offset);
  if (window_.end_offset != nullptr) end_offset_.emplace(window_.end_offset);
  if (window_.mode != Window::Mode::range) return;
  if (start_offset_ && has_offset(window_.start))
    start_in_range_ = find_in_range(order_by_.at(0).type, window_.start_offset->type.id);
  if (end_offset_ && has_offset(window_.end))
    end_in_range_ = find_in_range(order_by_.at(0).type, window_.end_offset->type.id);
}

void FrameFinder::start(ExecutorState& state) {
  const auto compute = [&](std::optional<Evaluator>& offset, const char* which) {
    if (!offset) return Value();
    Value value = offset->value(state);
    if (value.is_null())
      throw SqlError(sqlstate::null_value_not_allowed, std::string("frame ") + which + " offset must not be null");
    const bool counts = window_.mode != Window::Mode::range;
    if (counts && value.as_integer() < 0) {
      throw SqlError(sqlstate::invalid_preceding_or_following_size,
                     std::string("frame ") + which + " offset must not be negative");
    }
    return value;
  };
  start_value_ = compute(start_offset_, "starting");
  end_value_ = compute(end_offset_, "ending");
}

Frame FrameFinder::find(ExecutorState& state, const Partition& partition, std::uint64_t row) {
  Frame frame;
  frame.start = start_of(state, partition, row);
  frame.end = std::max(frame.start, std::min(end_of(state, partition, row), partition.size()));
  const std::size_t group = partition.group_of(row);
  switch (window_.exclusion) {
    case Window::Exclusion::nothing:
      break;
    case Window::Exclusion::current_row:
      frame.hole_start = row;
      frame.hole_end = row + 1;
      break;
    case Window::Exclusion::ties:
      frame.kept = row;
      [[fallthrough]];
    case Window::Exclusion::group:
      frame.hole_start = partition.group_start(group);
      frame.hole_end = partition.group_end(group);
      break;
  }
  return frame;
}

std::uint64_t FrameFinder::start_of(ExecutorState& state, const Partition& partition, std::uint64_t row) {
  const std::size_t group = partition.group_of(row);
  switch (window_.start) {
    case Bound::unbounded_preceding:
      return 0;
    case Bound::unbounded_following:
      return partition.size();
    case Bound::current_row:
      return window_.mode == Window::Mode::rows ? row : partition.group_start(group);
    default:
      break;
  }
  const bool preceding = window_.start == Bound::preceding;
  if (window_.mode == Window::Mode::range) return range_start(state, partition, row);
  const std::int64_t offset = start_value_.as_integer();
  if (window_.mode == Window::Mode::rows)
    return std::min(preceding ? minus(row, offset) : plus(row, offset), partition.size());
  const std::uint64_t wanted = preceding ? minus(group, offset) : plus(group, offset);
  return wanted < partition.groups() ? partition.group_start(static_cast<std::size_t>(wanted)) : partition.size();
}

std::uint64_t FrameFinder::end_of(ExecutorState& state, const Partition& partition, std::uint64_t row) {
  const std::size_t group = partition.group_of(row);
  switch (window_.end) {
    case Bound::unbounded_preceding:
      return 0;
    case Bound::unbounded_following:
      return partition.size();
    case Bound::current_row:
      return window_.mode == Window::Mode::rows ? row + 1 : partition.group_end(group);
    default:
      break;
  }
  const bool preceding = window_.end == Bound::preceding;
  if (window_.mode == Window::Mode::range) return range_end(state, partition, row);
  const std::int64_t offset = end_value_.as_integer();
  if (window_.mode == Window::Mode::rows) return preceding ? minus(row + 1, offset) : plus(row + 1, offset);
  const std::uint64_t ends = preceding ? minus(group + 1, offset) : plus(group + 1, offset);
  if (ends == 0) return 0;
  return ends <= partition.groups() ? partition.group_end(static_cast<std::size_t>(ends - 1)) : partition.size();
}

bool FrameFinder::in_range(ExecutorState& state, const Value& value, const Value& base, const Value& offset,
                           bool preceding, bool less) const {
  const FunctionEntry* function = less ? end_in_range_ : start_in_range_;
  // In a descending order, what precedes is greater.
  const bool descending = order_by_[0].descending;
  const Value arguments[] = {value, base, offset, Value::boolean(preceding != descending),
                             Value::boolean(less != descending)};
  return function->scalar({arguments, {}, TypeId::boolean, state.call(), function}).as_boolean();
}

// A NULL is within the range of NULLs alone. Rows of one group are alike, so groups are gone through.
std::uint64_t FrameFinder::range_start(ExecutorState& state, const Partition& partition, std::uint64_t row) {
  const auto column = static_cast<std::size_t>(order_by_[0].column) - 1;
  const Value base = partition.at(row)[column];
  for (std::size_t group = 0; group < partition.groups(); ++group) {
    const Value value = partition.at(partition.group_start(group))[column];
    if (value.is_null() || base.is_null()) {
      const bool reached = base.is_null() ? value.is_null() : !order_by_[0].nulls_first;
      if (reached) return partition.group_start(group);
      continue;
    }
    if (in_range(state, value, base, start_value_, window_.start == Bound::preceding, false))
      return partition.group_start(group);
  }
  return partition.size();
}

std::uint64_t FrameFinder::range_end(ExecutorState& state, const Partition& partition, std::uint64_t row) {
  const auto column = static_cast<std::size_t>(order_by_[0].column) - 1;
  const Value base = partition.at(row)[column];
  std::uint64_t end = 0;
  for (std::size_t group = 0; group < partition.groups(); ++group) {
    const Value value = partition.at(partition.group_start(group))[column];
    bool before_end = false;
    if (value.is_null() || base.is_null()) {
      before_end = (value.is_null() && base.is_null()) ||
                   (value.is_null() ? order_by_[0].nulls_first : !order_by_[0].nulls_first);
    } else {
      before_end = in_range(state, value, base, end_value_, window_.end == Bound::preceding, true);
    }
    if (before_end) end = partition.group_end(group);
  }
  return end;
}

}  // namespace polarsim::engine::executor
