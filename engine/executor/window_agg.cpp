// WindowAgg: a partition at a time (PostgreSQL's nodeWindowAgg.c and windowfuncs.c).
//
// RANGE with an offset looks at all groups of peers of the partition for each row; aggregates over frames whose start
// moves are computed from the beginning for each row.
#include <algorithm>
#include <string_view>

#include "engine/executor/node_state.h"
#include "engine/executor/window_frame.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

enum class WindowFunction : std::uint8_t {
  aggregate,
  row_number,
  rank,
  dense_rank,
  percent_rank,
  cume_dist,
  ntile,
  lag,
  lead,
  first_value,
  last_value,
  nth_value
};

WindowFunction function_of(const FunctionEntry& entry) {
  if (entry.kind == FunctionKind::aggregate) return WindowFunction::aggregate;
  constexpr std::pair<std::string_view, WindowFunction> names[] = {
      {"row_number", WindowFunction::row_number},
      {"rank", WindowFunction::rank},
      {"dense_rank", WindowFunction::dense_rank},
      {"percent_rank", WindowFunction::percent_rank},
      {"cume_dist", WindowFunction::cume_dist},
      {"ntile", WindowFunction::ntile},
      {"lag", WindowFunction::lag},
      {"lead", WindowFunction::lead},
      {"first_value", WindowFunction::first_value},
      {"last_value", WindowFunction::last_value},
      {"nth_value", WindowFunction::nth_value},
  };
  for (const auto& [name, function] : names) {
    if (name == entry.name) return function;
  }
  throw SqlError(sqlstate::feature_not_supported, std::string("window function ") + entry.name + " is not supported");
}

// Where the computation stands: the partition, the row in it, its frame.
struct Place {
  const Partition& partition;
  std::uint64_t row;
  const Frame& frame;
};

class WindowCallState {
 public:
  WindowCallState(const plan::WindowCall& call, bool only_grows)
      : call_(call),
        function_(function_of(*call.function)),
        only_grows_(only_grows),
        arguments_(compile(call.arguments)) {
    if (call.filter != nullptr) filter_.emplace(call.filter);
    for (const ExpressionPtr& argument : call.arguments) types_.push_back(argument->type);
  }

  void begin_partition() {
    aggregate_.reset();
    fed_ = 0;
  }

  Value compute(ExecutorState& state, const Place& place) {
    const auto size = static_cast<double>(place.partition.size());
    const std::size_t group = place.partition.group_of(place.row);
    switch (function_) {
      case WindowFunction::aggregate:
        return aggregate(state, place);
      case WindowFunction::row_number:
        return Value::integer(static_cast<std::int64_t>(place.row) + 1);
      case WindowFunction::rank:
        return Value::integer(static_cast<std::int64_t>(place.partition.group_start(group)) + 1);
      case WindowFunction::dense_rank:
        return Value::integer(static_cast<std::int64_t>(group) + 1);
      case WindowFunction::percent_rank:
        return Value::floating(size > 1 ? static_cast<double>(place.partition.group_start(group)) / (size - 1) : 0);
      case WindowFunction::cume_dist:
        return Value::floating(static_cast<double>(place.partition.group_end(group)) / size);
      case WindowFunction::ntile:
        return ntile(state, place);
      case WindowFunction::lag:
      case WindowFunction::lead:
        return neighbour(state, place);
      case WindowFunction::first_value:
        return of_frame(state, place, 1);
      case WindowFunction::last_value:
        return last_value(state, place);
      case WindowFunction::nth_value:
        return nth_value(state, place);
    }
    return Value::null();
  }

 private:
  Value argument(ExecutorState& state, const Partition& partition, std::uint64_t row, std::size_t number) {
    return arguments_[number].value(state, partition.at(row));
  }

  Value ntile(ExecutorState& state, const Place& place) {
    const Value wanted = argument(state, place.partition, place.row, 0);
    if (wanted.is_null()) return Value::null();
    const std::int64_t buckets = wanted.as_integer();
    if (buckets <= 0) throw SqlError("22014", "argument of ntile must be greater than zero");
    const auto rows = static_cast<std::int64_t>(place.partition.size());
    const auto row = static_cast<std::int64_t>(place.row);
    // The first so many buckets have one row more.
    const std::int64_t larger = rows % buckets;
    const std::int64_t in_larger = larger * (rows / buckets + 1);
    if (row < in_larger) return Value::integer(row / (rows / buckets + 1) + 1);
    return Value::integer(larger + (row - in_larger) / (rows / buckets) + 1);
  }

  Value neighbour(ExecutorState& state, const Place& place) {
    std::int64_t offset = 1;
    if (arguments_.size() > 1) {
      const Value wanted = argument(state, place.partition, place.row, 1);
      if (wanted.is_null()) return Value::null();
      offset = wanted.as_integer();
    }
    if (function_ == WindowFunction::lag) offset = -offset;
    const std::int64_t row = static_cast<std::int64_t>(place.row) + offset;
    if (row >= 0 && row < static_cast<std::int64_t>(place.partition.size()))
      return argument(state, place.partition, static_cast<std::uint64_t>(row), 0);
    return arguments_.size() > 2 ? argument(state, place.partition, place.row, 2) : Value::null();
  }

  // The argument of the n-th row of the frame.
  Value of_frame(ExecutorState& state, const Place& place, std::int64_t n) {
    for (std::uint64_t row = place.frame.start; row < place.frame.end; ++row) {
      if (place.frame.has(row) && --n == 0) return argument(state, place.partition, row, 0);
    }
    return Value::null();
  }
  Value last_value(ExecutorState& state, const Place& place) {
    for (std::uint64_t row = place.frame.end; row > place.frame.start; --row) {
      if (place.frame.has(row - 1)) return argument(state, place.partition, row - 1, 0);
    }
    return Value::null();
  }
  Value nth_value(ExecutorState& state, const Place& place) {
    const Value wanted = argument(state, place.partition, place.row, 1);
    if (wanted.is_null()) return Value::null();
    if (wanted.as_integer() <= 0) throw SqlError("22016", "argument of nth_value must be greater than zero");
    return of_frame(state, place, wanted.as_integer());
  }

  Value aggregate(ExecutorState& state, const Place& place) {
    if (aggregate_ == nullptr || !only_grows_ || place.frame.end < fed_) {
      aggregate_ = call_.function->aggregate(types_, call_.type);
      fed_ = place.frame.start;
    }
    for (; fed_ < place.frame.end; ++fed_) {
      if (!place.frame.has(fed_)) continue;
      const RowView row = place.partition.at(fed_);
      if (filter_ && !filter_->holds(state, row)) continue;
      values_.clear();
      bool has_null = false;
      for (Evaluator& evaluator : arguments_) {
        values_.push_back(evaluator.value(state, row));
        has_null = has_null || values_.back().is_null();
      }
      if (has_null && call_.function->strict) continue;
      aggregate_->add({values_, types_, call_.type, state.call(), call_.function});
    }
    return aggregate_->result(state.call());
  }

  const plan::WindowCall& call_;
  const WindowFunction function_;
  const bool only_grows_;
  std::vector<Evaluator> arguments_;
  std::vector<Type> types_;
  std::optional<Evaluator> filter_;
  std::unique_ptr<AggregateState> aggregate_;
  std::uint64_t fed_ = 0;  // rows before this one have been added
  Row values_;
};

class WindowAggState final : public ParentState {
 public:
  WindowAggState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::WindowAgg& node)
      : ParentState(state, plan, std::move(child), child->width() + node.calls.size()),
        frames_(node),
        partition_by_(node.partition_by),
        order_by_(node.order_by),
        partition_(state.database().host(), child_->width(), state.inputs.work_memory_bytes) {
    calls_.reserve(node.calls.size());
    for (const plan::WindowCall& call : node.calls) calls_.emplace_back(call, frames_.only_grows());
  }

 protected:
  bool produce(RowView& row) override {
    if (!started_) {
      started_ = true;
      frames_.start(state_);
      RowView found;
      has_next_ = child_->next(found);
      if (has_next_) next_.assign(found.begin(), found.end());
    }
    for (;;) {
      state_.check_interrupts();
      if (at_ >= partition_.size() && !read_partition()) return false;
      const Frame frame = frames_.find(state_, partition_, at_);
      const Place place{partition_, at_, frame};
      results_.clear();
      for (WindowCallState& call : calls_) results_.push_back(call.compute(state_, place));
      const RowView current = partition_.at(at_++);
      seen_.assign(current.begin(), current.end());
      seen_.insert(seen_.end(), results_.begin(), results_.end());
      if (emit(seen_, {}, row)) return true;
    }
  }
  void restart() override {
    started_ = has_next_ = false;
    partition_.clear();
    at_ = 0;
    child_->rescan();
  }

 private:
  bool read_partition() {
    if (!has_next_) return false;
    partition_.clear();
    at_ = 0;
    for (WindowCallState& call : calls_) call.begin_partition();
    last_ = next_;
    partition_.append(next_, true);
    RowView found;
    while ((has_next_ = child_->next(found))) {
      if (!partition_by_.equal(last_, found)) {
        next_.assign(found.begin(), found.end());
        break;
      }
      partition_.append(found, !order_by_.equal(last_, found));
      last_.assign(found.begin(), found.end());
    }
    return true;
  }

  FrameFinder frames_;
  RowOrder partition_by_;
  RowOrder order_by_;
  Partition partition_;
  std::vector<WindowCallState> calls_;
  bool started_ = false;
  bool has_next_ = false;
  Row next_;  // the first row of the next partition
  Row last_;
  std::uint64_t at_ = 0;
  Row results_;
  Row seen_;
};

}  // namespace

NodeStatePtr make_window_agg(ExecutorState& state, const Plan& plan) {
  return std::make_unique<WindowAggState>(state, plan, make_state(state, *plan.children.at(0)),
                                          *plan.as<plan::WindowAgg>());
}

}  // namespace polarsim::engine::executor
