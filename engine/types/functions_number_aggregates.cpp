// sum, avg, variances and bit aggregates of integers and numeric (PostgreSQL's numeric.c: int128 and NumericAggState).
// Those of binary floating point are in functions_number_aggregates_floats.cpp. The states allocate nothing per row of
// integers.
#include <algorithm>

#include "engine/types/number_functions.h"

namespace polarsim::engine::families {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

Numeric numeric_of(Wide value) {
  return Numeric::from_words(static_cast<std::int64_t>(value >> 64), static_cast<std::uint64_t>(value));
}

template <typename State>
std::unique_ptr<AggregateState> make_state(std::span<const Type>, Type) {
  return std::make_unique<State>();
}
FunctionEntry aggregate(const char* name, TypeId argument, TypeId result, AggregateFunction function) {
  return {
      .name = name, .arguments = {argument}, .result = result, .kind = FunctionKind::aggregate, .aggregate = function};
}

// sum(int2), sum(int4)
class BigintSum final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    any_ = true;
    if (__builtin_add_overflow(sum_, call[0].as_integer(), &sum_)) throw_out_of_range("bigint");
  }
  Value result(const CallContext&) const override { return any_ ? Value::integer(sum_) : Value::null(); }

 private:
  std::int64_t sum_ = 0;
  bool any_ = false;
};

// What a statistic makes of the number of values, their sum, and the sum of their squares.
enum class Statistic { sum, average, population_variance, sample_variance, population_deviation, sample_deviation };

Value statistic_of(Statistic statistic, std::int64_t count, const Numeric& sum, const Numeric& squares) {
  switch (statistic) {
    case Statistic::sum:
      return Value::numeric(sum);
    case Statistic::average:
      return Value::numeric(sum / Numeric(count));
    default:
      break;
  }
  const bool sample = statistic == Statistic::sample_variance || statistic == Statistic::sample_deviation;
  const Numeric n(count);
  const int product_scale = 2 * sum.scale();
  const Numeric numerator = Numeric::multiply(n, squares, product_scale) - Numeric::multiply(sum, sum, product_scale);
  if (Numeric::compare(numerator, Numeric()) <= 0) return Value::numeric(Numeric());
  const Numeric denominator = n * Numeric(sample ? count - 1 : count);
  const int scale = Numeric::division_scale(numerator, denominator);
  Numeric result = Numeric::divide(numerator, denominator, scale);
  if (statistic == Statistic::population_deviation || statistic == Statistic::sample_deviation)
    result = Numeric::square_root(result, scale);
  return Value::numeric(std::move(result));
}
bool is_enough(Statistic statistic, std::int64_t count) {
  const bool sample = statistic == Statistic::sample_variance || statistic == Statistic::sample_deviation;
  return count > (sample ? 1 : 0);
}

// Of integers: the sum in 128 bits, squares in 192.
template <Statistic statistic>
class IntegerStatistic final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    const std::int64_t value = call[0].as_integer();
    ++count_;
    sum_ += value;
    if constexpr (statistic != Statistic::sum && statistic != Statistic::average) {
      const auto square = static_cast<UnsignedWide>(Wide{value} * value);
      squares_ += square;
      if (squares_ < square) ++squares_high_;
    }
  }
  Value result(const CallContext&) const override {
    if (!is_enough(statistic, count_)) return Value::null();
    Numeric squares;
    if constexpr (statistic != Statistic::sum && statistic != Statistic::average) {
      const Numeric two_to_64 = Numeric::from_words(1, 0);
      squares =
          (Numeric(squares_high_) * two_to_64 + Numeric::from_words(0, static_cast<std::uint64_t>(squares_ >> 64))) *
              two_to_64 +
          Numeric::from_words(0, static_cast<std::uint64_t>(squares_));
    }
    return statistic_of(statistic, count_, numeric_of(sum_), squares);
  }

 private:
  std::int64_t count_ = 0;
  Wide sum_ = 0;
  UnsignedWide squares_ = 0;
  std::int64_t squares_high_ = 0;
};

template <Statistic statistic>
class NumericStatistic final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    const Numeric& value = call[0].as_numeric();
    ++count_;
    if (!value.is_finite()) {
      ++(value.is_nan() ? nans_ : value.is_negative() ? negative_infinities_ : positive_infinities_);
      return;
    }
    sum_ = sum_ + value;
    if constexpr (statistic != Statistic::sum && statistic != Statistic::average)
      squares_ = squares_ + Numeric::multiply(value, value, 2 * value.scale());
  }
  Value result(const CallContext&) const override {
    if (!is_enough(statistic, count_)) return Value::null();
    const bool infinite = positive_infinities_ + negative_infinities_ > 0;
    if constexpr (statistic == Statistic::sum || statistic == Statistic::average) {
      if (nans_ > 0 || (positive_infinities_ > 0 && negative_infinities_ > 0))
        return Value::numeric(Numeric::not_a_number());
      if (infinite) return Value::numeric(Numeric::infinity(negative_infinities_ > 0));
    } else if (nans_ > 0 || infinite) {
      return Value::numeric(Numeric::not_a_number());
    }
    return statistic_of(statistic, count_, sum_, squares_);
  }

 private:
  std::int64_t count_ = 0;
  std::int64_t nans_ = 0;
  std::int64_t positive_infinities_ = 0;
  std::int64_t negative_infinities_ = 0;
  Numeric sum_;
  Numeric squares_;
};

template <typename Operation>
class BitAggregate final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    bits_ = any_ ? Operation{}(bits_, call[0].as_integer()) : call[0].as_integer();
    any_ = true;
  }
  Value result(const CallContext&) const override { return any_ ? Value::integer(bits_) : Value::null(); }

 private:
  std::int64_t bits_ = 0;
  bool any_ = false;
};

}  // namespace

void add_number_aggregates(Entries& to) {
  using enum TypeId;
  using enum Statistic;
  to.functions.push_back(aggregate("sum", int2, int8, make_state<BigintSum>));
  to.functions.push_back(aggregate("sum", int4, int8, make_state<BigintSum>));
  to.functions.push_back(aggregate("sum", int8, numeric, make_state<IntegerStatistic<sum>>));
  to.functions.push_back(aggregate("sum", numeric, numeric, make_state<NumericStatistic<sum>>));
  struct Named {
    const char* name;
    AggregateFunction of_integers;
    AggregateFunction of_numerics;
  };
  const Named statistics[] = {
      {"avg", make_state<IntegerStatistic<average>>, make_state<NumericStatistic<average>>},
      {"var_pop", make_state<IntegerStatistic<population_variance>>, make_state<NumericStatistic<population_variance>>},
      {"var_samp", make_state<IntegerStatistic<sample_variance>>, make_state<NumericStatistic<sample_variance>>},
      {"variance", make_state<IntegerStatistic<sample_variance>>, make_state<NumericStatistic<sample_variance>>},
      {"stddev_pop", make_state<IntegerStatistic<population_deviation>>,
       make_state<NumericStatistic<population_deviation>>},
      {"stddev_samp", make_state<IntegerStatistic<sample_deviation>>, make_state<NumericStatistic<sample_deviation>>},
      {"stddev", make_state<IntegerStatistic<sample_deviation>>, make_state<NumericStatistic<sample_deviation>>},
  };
  for (const Named& one : statistics) {
    for (const TypeId integer : {int2, int4, int8})
      to.functions.push_back(aggregate(one.name, integer, numeric, one.of_integers));
    to.functions.push_back(aggregate(one.name, numeric, numeric, one.of_numerics));
  }
  for (const TypeId integer : {int2, int4, int8}) {
    to.functions.push_back(aggregate("bit_and", integer, integer, make_state<BitAggregate<std::bit_and<>>>));
    to.functions.push_back(aggregate("bit_or", integer, integer, make_state<BitAggregate<std::bit_or<>>>));
    to.functions.push_back(aggregate("bit_xor", integer, integer, make_state<BitAggregate<std::bit_xor<>>>));
  }
  add_float_aggregates(to);
}

}  // namespace polarsim::engine::families
