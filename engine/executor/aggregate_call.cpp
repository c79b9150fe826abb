#include "engine/executor/aggregate_call.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "engine/executor/row_store.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::executor {

AggregateCallState::AggregateCallState(const plan::AggregateCall& call) : call_(call) {
  if (call.filter != nullptr) filter_.emplace(call.filter);
  // The function's entry has the direct arguments first.
  const auto first_direct = call.arguments.end() - static_cast<std::ptrdiff_t>(call.direct_arguments);
  const std::vector<ExpressionPtr> aggregated(call.arguments.begin(), first_direct);
  const std::vector<ExpressionPtr> direct(first_direct, call.arguments.end());
  for (const ExpressionPtr& argument : direct) types_.push_back(argument->type);
  for (const ExpressionPtr& argument : aggregated) types_.push_back(argument->type);
  direct_ = compile(direct);
  arguments_ = compile(aggregated);
  kept_width_ = arguments_.size();
  keeps_rows_ = call.distinct || !call.order_by.empty();
  // array_agg(), string_agg(), jsonb_object_agg(), ...
  collects_ = std::string_view(call.function->name).ends_with("_agg");
  if (!keeps_rows_) return;

  std::vector<plan::SortKey> keys;
  std::vector<bool> is_key(aggregated.size(), false);
  for (const query::OrderKey& key : call.order_by) {
    plan::SortKey made{0, key.expression->type.id, key.descending, key.nulls_first};
    for (std::size_t i = 0; i < aggregated.size() && made.column == 0; ++i) {
      if (!query::equal(aggregated[i], key.expression)) continue;
      made.column = static_cast<int>(i) + 1;
      is_key[i] = true;
    }
    if (made.column == 0) {
      sort_values_.emplace_back(key.expression);
      made.column = static_cast<int>(++kept_width_);
    }
    keys.push_back(made);
  }
  if (call.distinct) {
    std::vector<plan::SortKey> all;
    for (std::size_t i = 0; i < aggregated.size(); ++i) {
      const plan::SortKey key{static_cast<int>(i) + 1, aggregated[i]->type.id, false, false};
      all.push_back(key);
      if (!is_key[i]) keys.push_back(key);
    }
    arguments_order_ = RowOrder(all);
  }
  order_ = RowOrder(keys);
}

Accumulation AggregateCallState::begin(ExecutorState& /*state*/) const {
  Accumulation accumulation;
  accumulation.state = call_.function->aggregate(types_, call_.type);
  return accumulation;
}

RowView AggregateCallState::compute_arguments(ExecutorState& state, RowView row) {
  // One column is looked at where it is.
  if (!keeps_rows_ && arguments_.size() == 1 && arguments_[0].first_column() >= 0)
    return row.subspan(static_cast<std::size_t>(arguments_[0].first_column()), 1);
  values_.resize(kept_width_);
  std::size_t at = 0;
  for (std::vector<Evaluator>* part : {&arguments_, &sort_values_}) {
    for (Evaluator& evaluator : *part) values_[at++] = evaluator.get(state, row);
  }
  return values_;
}

std::size_t AggregateCallState::add(ExecutorState& state, RowView row, Accumulation& to) {
  if (!direct_.empty() && !to.has_direct) {
    for (Evaluator& argument : direct_) to.direct.push_back(argument.value(state, row));
    to.has_direct = true;
  }
  if (filter_ && !filter_->holds(state, row)) return 0;
  const RowView arguments = compute_arguments(state, row);
  if (!keeps_rows_) {
    feed(state, arguments, *to.state);
    return collects_ ? memory_of(arguments) : 0;
  }
  to.kept.insert(to.kept.end(), arguments.begin(), arguments.end());
  ++to.kept_rows;
  return memory_of(arguments);
}

void AggregateCallState::feed(ExecutorState& state, RowView arguments, AggregateState& to) const {
  const bool skips_nulls = call_.function->strict && !is_ordered_set();
  if (skips_nulls &&
      std::any_of(arguments.begin(), arguments.end(), [](const Value& value) { return value.is_null(); }))
    return;
  to.add({arguments, types_, call_.type, state.call(), call_.function});
}

void AggregateCallState::feed_kept(ExecutorState& state, Accumulation& of) const {
  const auto at = [&](std::size_t row) { return RowView(of.kept.data() + row * kept_width_, kept_width_); };
  std::vector<std::size_t> positions(of.kept_rows);
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  std::sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) {
    const int order = order_.compare(at(a), at(b));
    return order != 0 ? order < 0 : a < b;
  });
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (call_.distinct && i > 0 && arguments_order_.equal(at(positions[i - 1]), at(positions[i]))) continue;
    feed(state, at(positions[i]).first(arguments_.size()), *of.state);
  }
  of.kept.clear();
  of.kept_rows = 0;
}

Value AggregateCallState::result(ExecutorState& state, Accumulation& of) {
  if (is_ordered_set()) {
    // Without a row the direct arguments see none: they can be nothing but constants and parameters then.
    if (!of.has_direct) {
      const Row nothing(16);
      for (Evaluator& argument : direct_) of.direct.push_back(argument.value(state, nothing));
    }
    std::vector<AggregateOrder> order;
    for (const query::OrderKey& key : call_.order_by) order.push_back({key.descending, key.nulls_first});
    of.state->begin_ordered_set(of.direct, order);
  }
  if (keeps_rows_) feed_kept(state, of);
  return of.state->result(state.call());
}

}  // namespace polarsim::engine::executor
