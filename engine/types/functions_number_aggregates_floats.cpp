// Aggregates of binary floating point (PostgreSQL's float.c): sums, and the moments of Youngs and Cramer ("Some results
// relevant to choice of sum and sum-of-product algorithms", Technometrics 1971).
#include <cmath>

#include "engine/types/number_functions.h"

namespace polarsim::engine::families {
namespace {

[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
}
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <typename Float>
class FloatSum final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    const auto value = argument<Float>(call[0]);
    if (!any_) {
      any_ = true;
      sum_ = value;
      return;
    }
    const Float next = sum_ + value;
    if (std::isinf(next) && !std::isinf(sum_) && !std::isinf(value)) throw_overflow();
    sum_ = next;
  }
  Value result(const CallContext&) const override { return any_ ? value_of(sum_) : Value::null(); }

 private:
  Float sum_ = 0;
  bool any_ = false;
};

struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;  // of the distances from the mean

  void add(double value) {
    const double before = count;
    const double sum_before = sum;
    count += 1;
    sum += value;
    if (before > 0) {
      const double distance = value * count - sum;
      squares += distance * distance / (count * before);
      if (std::isinf(sum) || std::isinf(squares)) {
        if (!std::isinf(sum_before) && !std::isinf(value)) throw_overflow();
        squares = not_a_number;
      }
    } else if (!std::isfinite(value)) {
      squares = not_a_number;
    }
  }
};

using OfMoments = Value (*)(const Moments& moments);
Value average(const Moments& m) { return m.count == 0 ? Value::null() : Value::floating(m.sum / m.count); }
Value population_variance(const Moments& m) {
  return m.count == 0 ? Value::null() : Value::floating(m.squares / m.count);
}
Value sample_variance(const Moments& m) {
  return m.count <= 1 ? Value::null() : Value::floating(m.squares / (m.count - 1));
}
Value population_deviation(const Moments& m) {
  return m.count == 0 ? Value::null() : Value::floating(std::sqrt(m.squares / m.count));
}
Value sample_deviation(const Moments& m) {
  return m.count <= 1 ? Value::null() : Value::floating(std::sqrt(m.squares / (m.count - 1)));
}

template <OfMoments of>
class MomentStatistic final : public AggregateState {
 public:
  void add(const FunctionCall& call) override { moments_.add(call[0].as_floating()); }
  Value result(const CallContext&) const override { return of(moments_); }

 private:
  Moments moments_;
};

// Of pairs (y, x), as SQL has them.
struct PairMoments {
  double count = 0;
  double sum_x = 0;
  double sum_y = 0;
  double squares_x = 0;
  double squares_y = 0;
  double products = 0;

  void add(double y, double x) {
    const PairMoments before = *this;
    count += 1;
    sum_x += x;
    sum_y += y;
    if (before.count > 0) {
      const double distance_x = x * count - sum_x;
      const double distance_y = y * count - sum_y;
      const double scale = 1 / (count * before.count);
      squares_x += distance_x * distance_x * scale;
      squares_y += distance_y * distance_y * scale;
      products += distance_x * distance_y * scale;
      guard(before, y, x);
    } else {
      if (!std::isfinite(x)) squares_x = products = not_a_number;
      if (!std::isfinite(y)) squares_y = products = not_a_number;
    }
  }

 private:
  // Infinity out of finite numbers is an overflow; out of infinity it is NaN.
  void guard(const PairMoments& before, double y, double x) {
    const bool finite_x = !std::isinf(before.sum_x) && !std::isinf(x);
    const bool finite_y = !std::isinf(before.sum_y) && !std::isinf(y);
    if ((finite_x && (std::isinf(sum_x) || std::isinf(squares_x))) ||
        (finite_y && (std::isinf(sum_y) || std::isinf(squares_y))) || (finite_x && finite_y && std::isinf(products)))
      throw_overflow();
    if (std::isinf(squares_x)) squares_x = not_a_number;
    if (std::isinf(squares_y)) squares_y = not_a_number;
    if (std::isinf(products)) products = not_a_number;
  }
};

using OfPairs = Value (*)(const PairMoments& moments);
Value optional(bool present, double value) { return present ? Value::floating(value) : Value::null(); }
Value correlation(const PairMoments& m) {
  if (m.count < 1 || m.squares_x == 0 || m.squares_y == 0) return Value::null();
  return Value::floating(m.products / std::sqrt(m.squares_x * m.squares_y));
}
Value population_covariance(const PairMoments& m) { return optional(m.count >= 1, m.products / m.count); }
Value sample_covariance(const PairMoments& m) { return optional(m.count >= 2, m.products / (m.count - 1)); }
Value average_x(const PairMoments& m) { return optional(m.count >= 1, m.sum_x / m.count); }
Value average_y(const PairMoments& m) { return optional(m.count >= 1, m.sum_y / m.count); }
Value squares_x(const PairMoments& m) { return optional(m.count >= 1, m.squares_x); }
Value squares_y(const PairMoments& m) { return optional(m.count >= 1, m.squares_y); }
Value products(const PairMoments& m) { return optional(m.count >= 1, m.products); }
Value slope(const PairMoments& m) { return optional(m.count >= 1 && m.squares_x != 0, m.products / m.squares_x); }
Value intercept(const PairMoments& m) {
  return optional(m.count >= 1 && m.squares_x != 0, (m.sum_y - m.sum_x * m.products / m.squares_x) / m.count);
}
Value determination(const PairMoments& m) {
  if (m.count < 1 || m.squares_x == 0) return Value::null();
  if (m.squares_y == 0) return Value::floating(1);
  return Value::floating((m.products * m.products) / (m.squares_x * m.squares_y));
}

template <OfPairs of>
class PairStatistic final : public AggregateState {
 public:
  void add(const FunctionCall& call) override { moments_.add(call[0].as_floating(), call[1].as_floating()); }
  Value result(const CallContext&) const override { return of(moments_); }

 private:
  PairMoments moments_;
};
// regr_count() only counts, so that it never overflows.
class PairCount final : public AggregateState {
 public:
  void add(const FunctionCall&) override { ++count_; }
  Value result(const CallContext&) const override { return Value::integer(count_); }

 private:
  std::int64_t count_ = 0;
};

template <typename State>
std::unique_ptr<AggregateState> make_state(std::span<const Type>, Type) {
  return std::make_unique<State>();
}
FunctionEntry aggregate(const char* name, std::vector<TypeId> arguments, TypeId result, AggregateFunction function) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = result,
          .kind = FunctionKind::aggregate,
          .aggregate = function};
}

}  // namespace

void add_float_aggregates(Entries& to) {
  using enum TypeId;
  to.functions.push_back(aggregate("sum", {float4}, float4, make_state<FloatSum<float>>));
  to.functions.push_back(aggregate("sum", {float8}, float8, make_state<FloatSum<double>>));
  struct Named {
    const char* name;
    AggregateFunction function;
  };
  const Named of_one[] = {
      {"avg", make_state<MomentStatistic<average>>},
      {"var_pop", make_state<MomentStatistic<population_variance>>},
      {"var_samp", make_state<MomentStatistic<sample_variance>>},
      {"variance", make_state<MomentStatistic<sample_variance>>},
      {"stddev_pop", make_state<MomentStatistic<population_deviation>>},
      {"stddev_samp", make_state<MomentStatistic<sample_deviation>>},
      {"stddev", make_state<MomentStatistic<sample_deviation>>},
  };
  for (const Named& one : of_one) {
    for (const TypeId floating : {float4, float8})
      to.functions.push_back(aggregate(one.name, {floating}, float8, one.function));
  }
  const Named of_pairs[] = {
      {"corr", make_state<PairStatistic<correlation>>},
      {"covar_pop", make_state<PairStatistic<population_covariance>>},
      {"covar_samp", make_state<PairStatistic<sample_covariance>>},
      {"regr_avgx", make_state<PairStatistic<average_x>>},
      {"regr_avgy", make_state<PairStatistic<average_y>>},
      {"regr_intercept", make_state<PairStatistic<intercept>>},
      {"regr_r2", make_state<PairStatistic<determination>>},
      {"regr_slope", make_state<PairStatistic<slope>>},
      {"regr_sxx", make_state<PairStatistic<squares_x>>},
      {"regr_sxy", make_state<PairStatistic<products>>},
      {"regr_syy", make_state<PairStatistic<squares_y>>},
  };
  for (const Named& one : of_pairs) to.functions.push_back(aggregate(one.name, {float8, float8}, float8, one.function));
  to.functions.push_back(aggregate("regr_count", {float8, float8}, int8, make_state<PairCount>));
}

}  // namespace polarsim::engine::families
