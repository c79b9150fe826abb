#include "engine/sql/aggregate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/sql/binder.h"
#include "engine/sql/error.h"
#include "engine/sql/functions.h"

namespace polarsim::engine::sql {

void AggregateState::accumulate(const EvaluationContext& context) {
  if (!call_->argument) return add(Value());
  const Value value = evaluate(call_->argument, context);
  if (!call_->separator) return add(value);
  const Value separator = evaluate(call_->separator, context);
  add(value, separator);
}

void AggregateState::add(const Value& value, const Value& separator) {
  if (call_->function == AggregateFunction::count_rows) {
    ++count_;
    return;
  }
  if (value.is_null() || (call_->distinct && !seen_.insert(value).second)) return;
  switch (call_->function) {
    case AggregateFunction::count_rows:
    case AggregateFunction::count:
      ++count_;
      break;
    case AggregateFunction::sum: {
      const auto low = static_cast<std::uint64_t>(value.as_integer());
      sum_low_ += low;
      sum_high_ += (sum_low_ < low ? 1 : 0) - (value.as_integer() < 0 ? 1 : 0);
      break;
    }
    case AggregateFunction::min:
      if (!any_ || compare(value, value_) < 0) value_ = value;
      break;
    case AggregateFunction::max:
      if (!any_ || compare(value, value_) > 0) value_ = value;
      break;
    case AggregateFunction::bool_and:
      value_ = Value::boolean((!any_ || value_.as_boolean()) && value.as_boolean());
      break;
    case AggregateFunction::bool_or:
      value_ = Value::boolean((any_ && value_.as_boolean()) || value.as_boolean());
      break;
    case AggregateFunction::string_agg: {
      // The separator of the first row goes unused: separators stand before their values.
      std::string text(any_ ? value_.as_text() : std::string_view());
      if (any_ && !separator.is_null()) text += separator.as_text();
      text += value.as_text();
      value_ = Value::text(text);
      break;
    }
  }
  any_ = true;
}

Value AggregateState::result() const {
  switch (call_->function) {
    case AggregateFunction::count_rows:
    case AggregateFunction::count:
      return Value::integer(count_);
    case AggregateFunction::sum: {
      if (!any_) return Value();
      const auto total = static_cast<std::int64_t>(sum_low_);
      if (sum_high_ != (total < 0 ? -1 : 0)) throw_out_of_range(TypeId::int8);
      return Value::integer(total);
    }
    default:
      return value_;
  }
}

int AggregateCalls::add(AggregateCall call, const Expression& source) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (same_in_query(sources_[i], source)) return static_cast<int>(i);
  }
  calls_.push_back(std::move(call));
  sources_.push_back(source);
  return static_cast<int>(calls_.size()) - 1;
}

std::vector<AggregateState> AggregateCalls::new_states() const {
  std::vector<AggregateState> states;
  states.reserve(calls_.size());
  for (const AggregateCall& call : calls_) states.emplace_back(call);
  return states;
}

bool contains_aggregate(const ExpressionPtr& expression) {
  if (!expression) return false;
  if (expression->kind == Expression::Kind::function && is_aggregate_function(expression->name)) return true;
  return std::any_of(expression->arguments.begin(), expression->arguments.end(), contains_aggregate);
}

}  // namespace polarsim::engine::sql
