// Roots, exponentials, logarithms and powers of Numeric. Scales of results are chosen as in PostgreSQL's numeric.c;
// what is computed carries guard digits beyond them, as there.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/types/error.h"
#include "engine/types/numeric.h"

namespace polarsim::engine {

namespace {

constexpr int base_digits = 4;
constexpr int base = 10000;
constexpr int significant_digits_min = 16;
constexpr int chosen_scale_max = 1000;
constexpr int result_scale_max = 2000;
constexpr int weight_max = 32767;
constexpr int guard_digits = 8;
constexpr double log10_of_e = 0.434294481903252;

int chosen_scale(int wanted, int scale_a, int scale_b = 0) {
  return std::min(std::max({wanted, scale_a, scale_b, 0}), chosen_scale_max);
}
[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value overflows numeric format");
}

}  // namespace

class NumericFunctions {
 public:
  static Numeric zero(int scale) {
    Numeric result;
    result.scale_ = scale;
    return result;
  }

  // ln(x) is about 10^this.
  static int weight_of_logarithm(const Numeric& x) {
    if (x.negative_ || x.digits_.empty()) return 0;
    const Numeric one(1);
    const Numeric distance = Numeric::sum(x, one, true);
    const double value = x.approximate();
    if (value >= 0.9 && value <= 1.1 && x.weight_ >= -1 && x.weight_ <= 0) {
      if (distance.digits_.empty()) return 0;
      return distance.weight_ * base_digits +
             static_cast<int>(std::log10(double{static_cast<double>(distance.digits_[0])}));
    }
    int digits = x.digits_[0];
    int weight = x.weight_ * base_digits;
    if (x.digits_.size() > 1) {
      digits = digits * base + x.digits_[1];
      weight -= base_digits;
    }
    const double logarithm = std::log(static_cast<double>(digits)) + weight * 2.302585092994046;
    return static_cast<int>(std::log10(std::abs(logarithm)));
  }

  // Approximately, of what is not zero.
  static double decimal_logarithm(const Numeric& x) {
    double leading = x.digits_[0];
    int tens = x.weight_ * base_digits;
    for (std::size_t i = 1; i < x.digits_.size() && i * base_digits < 16; ++i) {
      leading = leading * base + x.digits_[i];
      tens -= base_digits;
    }
    return std::log10(leading) + tens;
  }

  // sqrt(x) is between two numbers of the scale; the one it is nearer to. `root` is at most one unit off.
  static Numeric nearest_root(const Numeric& x, Numeric root, int scale) {
    Numeric half_unit(5);
    half_unit.scale_ = scale + 1;
    half_unit = Numeric::divide(half_unit, integer_power_of_ten(scale + 1), scale + 1);
    const Numeric above = Numeric::sum(root, half_unit, false);
    if (Numeric::compare_magnitudes(Numeric::exact_product(above, above), x) <= 0)
      root = Numeric::sum(above, half_unit, false);
    if (root.is_zero()) return zero(scale);
    const Numeric below = Numeric::sum(root, half_unit, true);
    if (Numeric::compare_magnitudes(Numeric::exact_product(below, below), x) > 0)
      root = Numeric::sum(below, half_unit, true);
    root.set_scale_rounded(scale);
    return root;
  }
  static Numeric integer_power_of_ten(int exponent) {
    constexpr int powers[] = {1, 10, 100, 1000};
    Numeric result(powers[exponent % base_digits]);
    result.weight_ += exponent / base_digits;
    return result;
  }

  // Newton's method from the square root of the first digits; its last step is done with more digits than are kept.
  static Numeric square_root(const Numeric& x, int scale) {
    if (x.digits_.empty()) return zero(scale);
    const int working_scale = std::max(scale, 0) + guard_digits;
    Numeric leading = x;
    const int shift = x.weight_ >= 0 ? x.weight_ / 2 : -((1 - x.weight_) / 2);
    leading.weight_ -= 2 * shift;  // 1 to 10^8
    leading.scale_ = 0;
    Numeric root = Numeric::from_double(std::sqrt(leading.approximate()));
    // Significant digits of the root, which has up to four of them before its point here.
    const int needed = std::max((shift + 1) * base_digits + working_scale, 0);
    int correct = 14;
    Numeric half = Numeric(5);
    half.digits_[0] = 5000;
    half.weight_ = -1;
    half.scale_ = 1;
    while (true) {
      correct = 2 * correct - 2;
      const int step_scale = std::min(correct, needed) + guard_digits;
      root = Numeric::multiply(Numeric::sum(root, Numeric::divide(leading, root, step_scale), false), half, step_scale);
      if (correct >= needed) break;
    }
    root.weight_ += shift;
    root.set_scale_rounded(std::max(scale, 0));
    return nearest_root(x, std::move(root), std::max(scale, 0));
  }

  // atanh's series, after enough square roots that it converges fast.
  static Numeric logarithm(Numeric x, int scale) {
    if (x.digits_.empty() || x.negative_) {
      throw SqlError(sqlstate::invalid_argument_for_logarithm, x.digits_.empty()
                                                                   ? "cannot take logarithm of zero"
                                                                   : "cannot take logarithm of a negative number");
    }
    const Numeric one(1);
    int halvings = 0;
    double estimate = std::abs(std::log(x.approximate()));
    if (!std::isfinite(estimate)) estimate = (std::abs(x.weight_) + 1) * 9.3;
    for (; estimate > 0.1; estimate /= 2) ++halvings;
    const int working = std::max(scale, 0) + guard_digits + 2 + halvings;
    for (int i = 0; i < halvings; ++i) {
      // Numbers far below one need as many digits of their own.
      const int extra = x.weight_ < 0 ? -x.weight_ * base_digits / 2 : 0;
      x = square_root(x, working + extra);
    }
    const Numeric z = Numeric::divide(Numeric::sum(x, one, true), Numeric::sum(x, one, false), working);
    const Numeric square = Numeric::multiply(z, z, working);
    Numeric power = z;
    Numeric total = z;
    for (std::int64_t n = 3;; n += 2) {
      power = Numeric::multiply(power, square, working);
      const Numeric term = Numeric::divide(power, Numeric(n), working);
      if (term.digits_.empty()) break;
      total = Numeric::sum(total, term, false);
    }
    Numeric factor(2);
    for (int i = 0; i < halvings; ++i) factor = Numeric::sum(factor, factor, false);
    return Numeric::multiply(total, factor, scale);
  }

  static Numeric exponential(const Numeric& x, int scale) {
    const double value = x.approximate();
    if (std::abs(value) >= result_scale_max * 3) {
      if (value > 0) throw_overflow();
      return zero(scale);
    }
    const int weight = static_cast<int>(value * log10_of_e);
    int halvings = 0;
    double reduced_value = std::abs(value);
    for (; reduced_value > 0.01; reduced_value /= 2) ++halvings;
    const int significant =
        std::max(1 + weight + scale + static_cast<int>(halvings * 0.301029995663981), 0) + guard_digits + 2;
    Numeric half(5);
    half.digits_[0] = 5000;
    half.weight_ = -1;
    half.scale_ = 1;
    Numeric reduced = x;
    for (int i = 0; i < halvings; ++i) reduced = Numeric::multiply(reduced, half, significant + halvings);
    const Numeric one(1);
    Numeric total = Numeric::sum(one, reduced, false);
    Numeric power = reduced;
    for (std::int64_t n = 2;; ++n) {
      power = Numeric::divide(Numeric::multiply(power, reduced, significant), Numeric(n), significant);
      if (power.digits_.empty()) break;
      total = Numeric::sum(total, power, false);
    }
    for (int i = 0; i < halvings; ++i)
      total = Numeric::multiply(total, total, std::max(significant - 2 * total.weight_ * base_digits, 0));
    total.set_scale_rounded(scale);
    return total;
  }

  // By repeated squaring, with as many significant digits as the result needs.
  static Numeric integer_power(const Numeric& x, std::int32_t exponent) {
    const int scale = chosen_scale(significant_digits_min, x.scale_);
    Numeric result = x;
    switch (exponent) {
      case 0:
        result = Numeric(1);
        result.scale_ = scale;
        return result;
      case 1:
        result.set_scale_rounded(scale);
        return result;
      case -1:
        return Numeric::divide(Numeric(1), x, scale);
      case 2:
        return Numeric::multiply(x, x, scale);
      default:
        break;
    }
    if (x.digits_.empty()) {
      if (exponent < 0) throw SqlError(sqlstate::division_by_zero, "division by zero");
      return zero(scale);
    }
    const double weight = exponent * decimal_logarithm(x);  // about log10 of the result
    if (weight > 3.0 * weight_max * base_digits) throw_overflow();
    if (weight + 1 < -scale || weight + 1 < -chosen_scale_max) return zero(scale);
    const int significant = 1 + scale + static_cast<int>(weight) +
                            static_cast<int>(std::log(std::abs(static_cast<double>(exponent)))) + guard_digits;
    const bool invert = exponent < 0;
    std::uint32_t rest = invert ? 0 - static_cast<std::uint32_t>(exponent) : static_cast<std::uint32_t>(exponent);
    Numeric square = x;
    if ((rest & 1) == 0) result = Numeric(1);
    const auto scale_of = [&](const Numeric& a, const Numeric& b) {
      return std::max(std::min(significant - base_digits * (a.weight_ + b.weight_), a.scale_ + b.scale_), 0);
    };
    while ((rest >>= 1) > 0) {
      square = Numeric::multiply(square, square, scale_of(square, square));
      if ((rest & 1) != 0) result = Numeric::multiply(square, result, scale_of(square, result));
      if (square.weight_ > weight_max || result.weight_ > weight_max) {
        if (!invert) throw_overflow();
        return zero(scale);
      }
    }
    if (invert) return Numeric::divide(Numeric(1), result, scale);
    result.set_scale_rounded(scale);
    return result;
  }

  // e^(exponent * ln x).
  static Numeric finite_power(const Numeric& x, const Numeric& exponent) {
    if (exponent.is_integral() && exponent.weight_ < 3) {
      std::int64_t whole = 0;
      for (std::int32_t i = 0; i <= exponent.weight_ && !exponent.digits_.empty(); ++i) {
        whole *= base;
        if (i < static_cast<std::int32_t>(exponent.digits_.size()))
          whole += exponent.digits_[static_cast<std::size_t>(i)];
      }
      if (exponent.negative_) whole = -whole;
      if (whole >= std::numeric_limits<std::int32_t>::min() && whole <= std::numeric_limits<std::int32_t>::max())
        return integer_power(x, static_cast<std::int32_t>(whole));
    }
    if (x.digits_.empty()) return zero(significant_digits_min);
    const bool negate = x.negative_ && is_odd(exponent);
    const Numeric magnitude = x.absolute();
    const int logarithm_weight = weight_of_logarithm(magnitude);
    const int rough_scale = std::max(guard_digits - logarithm_weight, 0);
    const double rough = Numeric::multiply(logarithm(magnitude, rough_scale), exponent, rough_scale).approximate();
    if (std::abs(rough) > result_scale_max * 3.01) {
      if (rough > 0) throw_overflow();
      return zero(chosen_scale_max);
    }
    const int weight = static_cast<int>(rough * log10_of_e);
    const int scale = chosen_scale(significant_digits_min - weight, x.scale_, exponent.scale_);
    const int significant = std::max(scale + weight, 0);
    const int logarithm_scale = std::max(significant - logarithm_weight + guard_digits, 0);
    Numeric result =
        exponential(Numeric::multiply(logarithm(magnitude, logarithm_scale), exponent, logarithm_scale), scale);
    result.negative_ = negate && !result.digits_.empty();
    return result;
  }

  static bool is_odd(const Numeric& x) {
    return !x.digits_.empty() && static_cast<std::int32_t>(x.digits_.size()) == x.weight_ + 1 &&
           x.digits_.back() % 2 == 1;
  }

  // One of the two is infinite, none NaN: C's rules for pow().
  static Numeric infinite_power(const Numeric& x, const Numeric& exponent) {
    const Numeric one(1);
    if (Numeric::compare(x, one) == 0 || exponent.is_zero()) return one;
    if (x.is_zero()) return {};
    const bool rising = !exponent.is_negative();
    if (exponent.is_infinite()) {
      if (x.is_finite() && Numeric::compare(x, Numeric(-1)) == 0) return one;
      const bool large = x.is_infinite() || Numeric::compare(x.absolute(), one) > 0;
      return large == rising ? Numeric::infinity(false) : Numeric();
    }
    if (!rising) return {};
    return Numeric::infinity(x.is_negative() && is_odd(exponent));
  }

  static Numeric square_root_of(const Numeric& x) {
    const int weight = (x.weight_ + 1) * base_digits / 2 - 1;
    return square_root(x, chosen_scale(significant_digits_min - weight, x.scale_));
  }

  static Numeric logarithm_to_base(const Numeric& logarithm_base, const Numeric& x) {
    const int base_weight = weight_of_logarithm(logarithm_base);
    const int x_weight = weight_of_logarithm(x);
    const int weight = x_weight - base_weight;
    const int scale = chosen_scale(significant_digits_min - weight, logarithm_base.scale_, x.scale_);
    const Numeric of_base = logarithm(logarithm_base, std::max(scale + weight - base_weight + guard_digits, 0));
    return Numeric::divide(logarithm(x, std::max(scale + weight - x_weight + guard_digits, 0)), of_base, scale);
  }
};

Numeric Numeric::square_root(const Numeric& a, int scale) { return NumericFunctions::square_root(a, scale); }

Numeric Numeric::square_root(const Numeric& a) {
  if (a.is_negative()) {
    throw SqlError(sqlstate::invalid_argument_for_power_function, "cannot take square root of a negative number");
  }
  return a.is_finite() ? NumericFunctions::square_root_of(a).checked() : a;
}

Numeric Numeric::exponential(const Numeric& a) {
  if (!a.is_finite()) return a.is_infinite() && a.is_negative() ? Numeric() : a;
  const double weight = std::clamp(a.approximate() * log10_of_e, double{-result_scale_max}, double{result_scale_max});
  return NumericFunctions::exponential(a, chosen_scale(significant_digits_min - static_cast<int>(weight), a.scale_))
      .checked();
}

Numeric Numeric::natural_logarithm(const Numeric& a) {
  if (!a.is_finite()) {
    if (!a.is_negative()) return a;
    throw SqlError(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number");
  }
  const int wanted = significant_digits_min - NumericFunctions::weight_of_logarithm(a);
  return NumericFunctions::logarithm(a, chosen_scale(wanted, a.scale_)).checked();
}

Numeric Numeric::logarithm(const Numeric& logarithm_base, const Numeric& a) {
  if (logarithm_base.is_finite() && a.is_finite()) {
    return NumericFunctions::logarithm_to_base(logarithm_base, a).checked();
  }
  if (logarithm_base.is_nan() || a.is_nan()) return not_a_number();
  if (logarithm_base.is_negative() || a.is_negative())
    throw SqlError(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number");
  if (logarithm_base.is_zero() || a.is_zero())
    throw SqlError(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of zero");
  if (logarithm_base.is_infinite()) return a.is_infinite() ? not_a_number() : Numeric();
  return infinity(false);
}

Numeric Numeric::power(const Numeric& a, const Numeric& exponent) {
  if (a.is_nan() || exponent.is_nan()) {
    const bool one = exponent.is_zero() || (a.is_finite() && compare(a, Numeric(1)) == 0);
    return one ? Numeric(1) : not_a_number();
  }
  if (a.is_zero() && exponent.is_negative()) {
    throw SqlError(sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined");
  }
  if (a.is_negative() && !exponent.is_integral()) {
    throw SqlError(sqlstate::invalid_argument_for_power_function,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  if (!a.is_finite() || !exponent.is_finite()) return NumericFunctions::infinite_power(a, exponent);
  return NumericFunctions::finite_power(a, exponent).checked();
}

Numeric Numeric::greatest_common_divisor(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return not_a_number();
  Numeric divisor = a.absolute();
  Numeric rest = b.absolute();
  while (!rest.is_zero()) {
    Numeric next = divisor % rest;
    divisor = std::move(rest);
    rest = std::move(next);
  }
  divisor.scale_ = std::max(a.scale_, b.scale_);
  return divisor;
}

Numeric Numeric::least_common_multiple(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return not_a_number();
  Numeric result;
  if (!a.is_zero() && !b.is_zero()) {
    const Numeric times = quotient(a, greatest_common_divisor(a, b), 0);
    result = exact_product(times, b.absolute());
  }
  result.scale_ = std::max(a.scale_, b.scale_);
  return result.checked();
}

Numeric Numeric::factorial(std::int64_t n) {
  constexpr std::int64_t largest = 32177;
  if (n < 0) throw SqlError(sqlstate::numeric_value_out_of_range, "factorial of a negative number is undefined");
  if (n > largest) throw_overflow();
  Numeric result(1);
  // Several factors at once, as many as a word holds.
  std::int64_t product = 1;
  for (std::int64_t factor = 2; factor <= n; ++factor) {
    product *= factor;
    if (product < 10'000'000'000'000 && factor < n) continue;
    result = exact_product(result, Numeric(product));
    product = 1;
  }
  return result;
}

}  // namespace polarsim::engine
