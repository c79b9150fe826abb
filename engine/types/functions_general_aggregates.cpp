// count, min, max, and aggregates of booleans (PostgreSQL's pg_aggregate.dat). The states allocate nothing per row.
#include "engine/types/functions_general_aggregates.h"

#include "engine/types/order.h"

namespace polarsim::engine::families {
namespace {

// count(*) and count(x): strictness tells them apart.
class Count final : public AggregateState {
 public:
  void add(const FunctionCall&) override { ++count_; }
  Value result(const CallContext&) const override { return Value::integer(count_); }

 private:
  std::int64_t count_ = 0;
};

// Of values that are equal and yet differ (1.0 and 1.00) the last one is kept, of char(n) the first, as PostgreSQL's
// functions such as numeric_larger() and bpchar_larger() have it.
template <bool wants_largest>
class Extreme final : public AggregateState {
 public:
  Extreme(std::span<const Type> types, Type)
      : compare_(comparison_of(types[0].id)), keeps_first_(types[0].id == TypeId::bpchar) {}
  void add(const FunctionCall& call) override {
    if (!extreme_.is_null()) {
      const int order = wants_largest ? compare_(extreme_, call[0]) : compare_(call[0], extreme_);
      if (order > 0 || (order == 0 && keeps_first_)) return;
    }
    extreme_ = call[0];
  }
  Value result(const CallContext&) const override { return extreme_; }

 private:
  Comparison compare_;
  bool keeps_first_;
  Value extreme_;
};

template <bool conjunction>
class BooleanAggregate final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    any_ = true;
    decided_ = decided_ || call[0].as_boolean() != conjunction;
  }
  Value result(const CallContext&) const override {
    return any_ ? Value::boolean(decided_ != conjunction) : Value::null();
  }

 private:
  bool any_ = false;
  bool decided_ = false;
};

}  // namespace

void add_general_aggregates(Entries& to) {
  using enum TypeId;
  to.functions.push_back(aggregate_function("count", {any}, int8, true, make_aggregate_state<Count>));
  to.functions.push_back(aggregate_function("count", {}, int8, false, make_aggregate_state<Count>));
  for (const TypeId type : {int8, int4, int2, oid, float4, float8, date, time, timestamp, timestamptz, interval, text,
                            numeric, any_array, bpchar, xid8}) {
    to.functions.push_back(aggregate_function("max", {type}, type, true, make_aggregate_state<Extreme<true>>));
    to.functions.push_back(aggregate_function("min", {type}, type, true, make_aggregate_state<Extreme<false>>));
  }
  to.functions.push_back(
      aggregate_function("bool_and", {boolean}, boolean, true, make_aggregate_state<BooleanAggregate<true>>));
  to.functions.push_back(
      aggregate_function("bool_or", {boolean}, boolean, true, make_aggregate_state<BooleanAggregate<false>>));
  to.functions.push_back(
      aggregate_function("every", {boolean}, boolean, true, make_aggregate_state<BooleanAggregate<true>>));
  add_collecting_aggregates(to);
  add_ordered_set_aggregates(to);
  add_hypothetical_aggregates(to);
}

}  // namespace polarsim::engine::families
