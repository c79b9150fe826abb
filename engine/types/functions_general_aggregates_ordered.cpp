// Ordered-set and hypothetical-set aggregates (PostgreSQL's orderedsetaggs.c). Rows come sorted.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_general_aggregates.h"
#include "engine/types/operator.h"
#include "engine/types/order.h"

namespace polarsim::engine::families {
namespace {

// Collects the values that are not NULL.
class OrderedSet : public AggregateState {
 public:
  void begin_ordered_set(std::span<const Value> direct, std::span<const AggregateOrder>) override {
    if (!direct.empty()) direct_ = direct[0];
  }
  void add(const FunctionCall& call) override {
    if (!call[0].is_null()) values_.push_back(call[0]);
  }

 protected:
  const std::vector<Value>& values() const { return values_; }
  const Value& direct() const { return direct_; }

 private:
  std::vector<Value> values_;
  Value direct_;
};

double fraction_of(const Value& value) {
  const double fraction = value.as_floating();
  if (fraction >= 0 && fraction <= 1) return fraction;
  const std::string shown = std::isnan(fraction)   ? "NaN"
                            : std::isinf(fraction) ? fraction < 0 ? "-Infinity" : "Infinity"
                                                   : fmt::format("{:g}", fraction);
  throw SqlError(sqlstate::numeric_value_out_of_range,
                 fmt::format("percentile value {} is not between 0 and 1", shown));
}

// A percentile, or an array of them for an array of fractions.
class Percentile : public OrderedSet {
 public:
  Percentile(std::span<const Type> types, Type result)
      : result_element_(type_info(result.id).element), is_array_(is_array(types[0].id)) {}

  Value result(const CallContext& context) const override {
    if (!is_array_) {
      if (direct().is_null()) return Value::null();
      const double fraction = fraction_of(direct());
      return values().empty() ? Value::null() : at(fraction, context);
    }
    if (values().empty() || direct().is_null()) return Value::null();
    const Array& fractions = direct().as_array();
    std::vector<std::optional<double>> wanted;
    for (const Value& each : fractions.elements())
      wanted.push_back(each.is_null() ? std::nullopt : std::optional(fraction_of(each)));
    std::vector<Value> results;
    for (const std::optional<double>& each : wanted) results.push_back(each ? at(*each, context) : Value::null());
    return Value::array(Array(result_element_, fractions.dimensions(), std::move(results)));
  }

 private:
  virtual Value at(double fraction, const CallContext& context) const = 0;

  TypeId result_element_;
  bool is_array_;
};

// The first value that covers the fraction.
class DiscretePercentile final : public Percentile {
 public:
  using Percentile::Percentile;

 private:
  Value at(double fraction, const CallContext&) const override {
    const double row = std::ceil(fraction * static_cast<double>(values().size()));
    return values()[row < 1 ? 0 : static_cast<std::size_t>(row) - 1];
  }
};

Value between(double low, double high, double share) { return Value::floating(low + share * (high - low)); }

Value between_intervals(const Value& low, const Value& high, double share, const CallContext& context) {
  const auto apply = [&](const char* symbol, const Value& left, const Value& right, TypeId right_type) {
    const std::array arguments{left, right};
    const OperatorEntry* entry = find_operator(symbol, TypeId::interval, right_type);
    return entry->function({arguments, {}, TypeId::interval, context});
  };
  const Value difference = apply("-", high, low, TypeId::interval);
  return apply("+", low, apply("*", difference, Value::floating(share), TypeId::float8), TypeId::interval);
}

// Between the two values next to the fraction, in proportion.
class ContinuousPercentile final : public Percentile {
 public:
  using Percentile::Percentile;

 private:
  Value at(double fraction, const CallContext& context) const override {
    const double place = fraction * static_cast<double>(values().size() - 1);
    const Value& low = values()[static_cast<std::size_t>(std::floor(place))];
    const Value& high = values()[static_cast<std::size_t>(std::ceil(place))];
    if (&low == &high) return low;
    const double share = place - std::floor(place);
    return low.is_interval() ? between_intervals(low, high, share, context)
                             : between(low.as_floating(), high.as_floating(), share);
  }
};

// The most frequent value, of several the first one.
class Mode final : public OrderedSet {
 public:
  Mode(std::span<const Type> types, Type) : compare_(comparison_of(types[0].id)) {}
  Value result(const CallContext&) const override {
    Value most_frequent;
    std::size_t highest = 0;
    for (std::size_t i = 0; i < values().size();) {
      std::size_t end = i + 1;
      while (end < values().size() && compare_(values()[i], values()[end]) == 0) ++end;
      if (end - i > highest) {
        highest = end - i;
        most_frequent = values()[i];
      }
      i = end;
    }
    return most_frequent;
  }

 private:
  Comparison compare_;
};

// The place that a row of the direct arguments would have among the rows.
class Hypothetical : public AggregateState {
 public:
  Hypothetical(std::span<const Type> types, Type) {
    for (const Type& type : types.subspan(types.size() / 2)) comparisons_.push_back(comparison_of(type.id));
  }
  void begin_ordered_set(std::span<const Value> direct, std::span<const AggregateOrder> order) override {
    direct_.assign(direct.begin(), direct.end());
    order_.assign(order.begin(), order.end());
  }
  void add(const FunctionCall& call) override { rows_.emplace_back(call.arguments.begin(), call.arguments.end()); }

 protected:
  std::size_t count() const { return rows_.size(); }
  // The rows sorted before the hypothetical one; with its equals.
  std::size_t rows_before() const { return rows_until(0); }
  std::size_t rows_before_or_equal() const { return rows_until(1); }
  std::size_t different_rows_before() const {
    const std::size_t before = rows_before();
    std::size_t different = 0;
    for (std::size_t i = 0; i < before; ++i) {
      if (i == 0 || order_of(rows_[i - 1], rows_[i]) != 0) ++different;
    }
    return different;
  }

 private:
  std::size_t rows_until(int limit) const {
    std::size_t low = 0;
    std::size_t high = rows_.size();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (order_of(rows_[middle], direct_) < limit) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  int order_of(const Row& a, const Row& b) const {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const AggregateOrder& order = order_[i];
      if (a[i].is_null() || b[i].is_null()) {
        const int nulls = int{a[i].is_null()} - int{b[i].is_null()};
        if (nulls != 0) return order.nulls_first ? -nulls : nulls;
        continue;
      }
      const int compared = comparisons_[i](a[i], b[i]);
      if (compared != 0) return order.descending ? -compared : compared;
    }
    return 0;
  }

  std::vector<Comparison> comparisons_;
  std::vector<AggregateOrder> order_;
  Row direct_;
  std::vector<Row> rows_;
};

class Rank final : public Hypothetical {
 public:
  using Hypothetical::Hypothetical;
  Value result(const CallContext&) const override {
    return Value::integer(static_cast<std::int64_t>(rows_before()) + 1);
  }
};
class DenseRank final : public Hypothetical {
 public:
  using Hypothetical::Hypothetical;
  Value result(const CallContext&) const override {
    return Value::integer(static_cast<std::int64_t>(different_rows_before()) + 1);
  }
};
class PercentRank final : public Hypothetical {
 public:
  using Hypothetical::Hypothetical;
  Value result(const CallContext&) const override {
    if (count() == 0) return Value::floating(0);
    return Value::floating(static_cast<double>(rows_before()) / static_cast<double>(count()));
  }
};
class CumulativeDistribution final : public Hypothetical {
 public:
  using Hypothetical::Hypothetical;
  Value result(const CallContext&) const override {
    return Value::floating(static_cast<double>(rows_before_or_equal() + 1) / static_cast<double>(count() + 1));
  }
};

}  // namespace

void add_ordered_set_aggregates(Entries& to) {
  using enum TypeId;
  const auto add = [&](const char* name, std::vector<TypeId> arguments, TypeId result, AggregateFunction function) {
    const std::size_t direct = arguments.size() - 1;
    FunctionEntry entry = aggregate_function(name, std::move(arguments), result, false, function);
    entry.aggregate_kind = AggregateKind::ordered_set;
    entry.direct_arguments = direct;
    to.functions.push_back(std::move(entry));
  };
  const AggregateFunction discrete = make_aggregate_state<DiscretePercentile>;
  const AggregateFunction continuous = make_aggregate_state<ContinuousPercentile>;
  add("percentile_disc", {float8, any_element}, any_element, discrete);
  add("percentile_cont", {float8, float8}, float8, continuous);
  add("percentile_cont", {float8, interval}, interval, continuous);
  add("percentile_disc", {float8_array, any_element}, any_array, discrete);
  add("percentile_cont", {float8_array, float8}, float8_array, continuous);
  add("percentile_cont", {float8_array, interval}, interval_array, continuous);
  add("mode", {any_element}, any_element, make_aggregate_state<Mode>);
}

void add_hypothetical_aggregates(Entries& to) {
  using enum TypeId;
  const auto add = [&](const char* name, TypeId result, AggregateFunction function) {
    FunctionEntry entry = aggregate_function(name, {any}, result, false, function);
    entry.variadic = true;
    entry.aggregate_kind = AggregateKind::hypothetical;
    entry.direct_arguments = 1;
    to.functions.push_back(std::move(entry));
  };
  add("rank", int8, make_aggregate_state<Rank>);
  add("percent_rank", float8, make_aggregate_state<PercentRank>);
  add("cume_dist", float8, make_aggregate_state<CumulativeDistribution>);
  add("dense_rank", int8, make_aggregate_state<DenseRank>);
}

}  // namespace polarsim::engine::families
