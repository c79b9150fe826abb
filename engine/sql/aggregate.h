// Aggregate functions: the calls found in a query's expressions, and their running states.
//
//   AggregateCalls calls;
//   options.aggregates_allowed = true;
//   options.aggregates = &calls;
//   BoundExpression item = analyze(expression, options);   // repeat for all items, HAVING and ORDER BY
//   std::vector<AggregateState> states = calls.new_states();  // one set per group
//   for (AggregateState& state : states) state.accumulate(row_context);
//   results[i] = states[i].result();  // EvaluationContext.aggregates
//
// select_analysis.h does all of this for a SELECT. sum(bigint) is bigint here, and 22003 if the total does not fit; in
// PostgreSQL it is numeric.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/analyze.h"

namespace polarsim::engine::sql {

enum class AggregateFunction : std::uint8_t { count_rows, count, sum, min, max, bool_and, bool_or, string_agg };

struct AggregateCall {
  AggregateFunction function = AggregateFunction::count_rows;
  bool distinct = false;
  BoundExpression argument;   // none for count_rows
  BoundExpression separator;  // string_agg only
  TypeId type = TypeId::int8;
};

// What one group has accumulated for one call.
class AggregateState {
 public:
  explicit AggregateState(const AggregateCall& call) : call_(&call) {}
  // One row of the group. The call's argument must not be needed beyond the life of the AggregateCalls it came from.
  void accumulate(const EvaluationContext& context);
  // One argument already evaluated (ignored by count_rows); `separator` is for string_agg.
  void add(const Value& value, const Value& separator = Value());
  // The aggregate of what came so far: 0 for counts of nothing, NULL for the others.
  Value result() const;

 private:
  struct Less {
    bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
  };

  const AggregateCall* call_;
  bool any_ = false;
  std::int64_t count_ = 0;
  // The sum modulo 2^64 and its high word, so that only the total has to fit.
  std::uint64_t sum_low_ = 0;
  std::int64_t sum_high_ = 0;
  Value value_;
  std::set<Value, Less> seen_;
};

class AggregateCalls {
 public:
  // The slot of the call; calls that are written alike share one.
  int add(AggregateCall call, const Expression& source);
  const std::vector<AggregateCall>& calls() const { return calls_; }
  bool empty() const { return calls_.empty(); }
  std::size_t size() const { return calls_.size(); }
  // States that refer to this object's calls: it must outlive them and not grow meanwhile.
  std::vector<AggregateState> new_states() const;

 private:
  std::vector<AggregateCall> calls_;
  std::vector<Expression> sources_;
};

bool is_aggregate_function(std::string_view name);
// True if the tree contains a call of an aggregate function.
bool contains_aggregate(const ExpressionPtr& expression);

}  // namespace polarsim::engine::sql
