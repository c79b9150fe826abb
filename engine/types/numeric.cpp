#include "engine/types/numeric.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

constexpr int base = 10000;
constexpr int base_digits = 4;
constexpr std::int32_t weight_max = 32767;
constexpr std::int32_t scale_max = 16383;
constexpr int whole_digits_max = 131072;  // and one more for round(): beyond them nothing is left
constexpr std::array<int, 5> powers_of_ten = {1, 10, 100, 1000, 10000};

[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::numeric_value_out_of_range, "value overflows numeric format");
}
[[noreturn]] void throw_division_by_zero() { throw SqlError(sqlstate::division_by_zero, "division by zero"); }

// Positions after the point that hold `scale` decimal digits.
int positions_of(int scale) { return (scale + base_digits - 1) / base_digits; }

}  // namespace

Numeric::Numeric(std::int64_t value) : negative_(value < 0) {
  std::uint64_t rest = negative_ ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::array<std::int16_t, 5> digits{};
  std::size_t count = 0;
  for (; rest != 0; rest /= base) digits[count++] = static_cast<std::int16_t>(rest % base);
  weight_ = count == 0 ? 0 : static_cast<std::int32_t>(count) - 1;
  std::size_t lowest = 0;
  while (lowest < count && digits[lowest] == 0) ++lowest;
  digits_.reserve(count - lowest);
  for (std::size_t i = count; i > lowest; --i) digits_.push_back(digits[i - 1]);
}

Numeric Numeric::from_words(std::int64_t high, std::uint64_t low) {
  const bool negative = high < 0;
  auto top = static_cast<std::uint64_t>(high);
  if (negative) {
    low = ~low + 1;
    top = ~top + (low == 0 ? 1 : 0);
  }
  std::array<std::uint64_t, 4> limbs = {top >> 32, top & 0xffffffff, low >> 32, low & 0xffffffff};
  Numeric result;
  result.negative_ = negative;
  while (std::ranges::any_of(limbs, [](std::uint64_t limb) { return limb != 0; })) {
    std::uint64_t rest = 0;
    for (std::uint64_t& limb : limbs) {
      const std::uint64_t dividend = (rest << 32) | limb;
      limb = dividend / base;
      rest = dividend % base;
    }
    result.digits_.push_back(static_cast<std::int16_t>(rest));
  }
  std::ranges::reverse(result.digits_);
  result.weight_ = static_cast<std::int32_t>(result.digits_.size()) - 1;
  result.normalize();
  return result;
}

Numeric Numeric::not_a_number() {
  Numeric result;
  result.form_ = Form::nan;
  return result;
}

Numeric Numeric::infinity(bool negative) {
  Numeric result;
  result.form_ = negative ? Form::negative_infinity : Form::positive_infinity;
  return result;
}

void Numeric::normalize() {
  std::size_t zeros = 0;
  while (zeros < digits_.size() && digits_[zeros] == 0) ++zeros;
  if (zeros != 0) {
    digits_.erase(digits_.begin(), digits_.begin() + static_cast<std::ptrdiff_t>(zeros));
    weight_ -= static_cast<std::int32_t>(zeros);
  }
  while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  if (digits_.empty()) {
    weight_ = 0;
    negative_ = false;
  }
}

const Numeric& Numeric::checked() const {
  if (weight_ > weight_max || scale_ > scale_max) throw_overflow();
  return *this;
}

// Keeps `kept` decimal digits of the number, counted from the first of its first position; see round_var().
void Numeric::set_scale_rounded(int scale) {
  if (!is_finite()) return;
  scale_ = std::max(scale, 0);
  const int kept = (weight_ + 1) * base_digits + scale;
  if (digits_.empty()) return;
  if (kept < 0) {
    digits_.clear();
    normalize();
    return;
  }
  auto positions = static_cast<std::size_t>(positions_of(kept));
  const int partial = kept % base_digits;
  if (positions > digits_.size() || (positions == digits_.size() && partial == 0)) return;
  bool carry = false;
  if (partial == 0) {
    carry = digits_[positions] >= base / 2;
    digits_.resize(positions);
  } else {
    digits_.resize(positions);
    const int unit = powers_of_ten[static_cast<std::size_t>(base_digits - partial)];
    std::int16_t& last = digits_.back();
    const int rest = last % unit;
    int rounded = last - rest + (rest >= unit / 2 ? unit : 0);
    carry = rounded >= base;
    if (carry) rounded -= base;
    last = static_cast<std::int16_t>(rounded);
    --positions;
  }
  while (carry && positions > 0) {
    std::int16_t& digit = digits_[--positions];
    carry = ++digit == base;
    if (carry) digit = 0;
  }
  if (carry) {
    digits_.insert(digits_.begin(), std::int16_t{1});
    ++weight_;
  }
  normalize();
}

void Numeric::set_scale_truncated(int scale) {
  if (!is_finite()) return;
  scale_ = std::max(scale, 0);
  if (digits_.empty()) return;
  const int kept = (weight_ + 1) * base_digits + scale;
  if (kept <= 0) {
    digits_.clear();
    normalize();
    return;
  }
  const auto positions = static_cast<std::size_t>(positions_of(kept));
  const int partial = kept % base_digits;
  if (positions > digits_.size() || (positions == digits_.size() && partial == 0)) return;
  digits_.resize(positions);
  if (partial != 0) {
    const int unit = powers_of_ten[static_cast<std::size_t>(base_digits - partial)];
    digits_.back() = static_cast<std::int16_t>(digits_.back() - digits_.back() % unit);
  }
  normalize();
}

int Numeric::minimal_scale() const {
  if (digits_.empty()) return 0;
  int scale = (static_cast<int>(digits_.size()) - 1 - weight_) * base_digits;
  if (scale <= 0) return 0;
  for (int digit = digits_.back(); digit % 10 == 0; digit /= 10) --scale;
  return std::max(scale, 0);
}

bool Numeric::is_integral() const {
  return !is_nan() && (!is_finite() || static_cast<std::int32_t>(digits_.size()) <= weight_ + 1);
}

int Numeric::compare_magnitudes(const Numeric& a, const Numeric& b) {
  if (a.digits_.empty() || b.digits_.empty())
    return static_cast<int>(!a.digits_.empty()) - static_cast<int>(!b.digits_.empty());
  if (a.weight_ != b.weight_) return a.weight_ < b.weight_ ? -1 : 1;
  const std::size_t common = std::min(a.digits_.size(), b.digits_.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.digits_[i] != b.digits_[i]) return a.digits_[i] < b.digits_[i] ? -1 : 1;
  }
  if (a.digits_.size() == b.digits_.size()) return 0;
  return a.digits_.size() < b.digits_.size() ? -1 : 1;
}

int Numeric::compare(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) {
    const auto rank = [](const Numeric& number) {
      if (number.is_nan()) return 2;
      if (number.is_infinite()) return number.is_negative() ? -1 : 1;
      return 0;
    };
    return rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0;
  }
  if (a.negative_ != b.negative_) return a.negative_ ? -1 : 1;
  const int order = compare_magnitudes(a, b);
  return a.negative_ ? -order : order;
}

std::uint64_t Numeric::hash() const {
  std::uint64_t hash = 0xcbf29ce484222325 ^ static_cast<std::uint64_t>(form_);
  const auto mix = [&](std::uint64_t part) { hash = (hash ^ part) * 0x100000001b3; };
  mix(static_cast<std::uint64_t>(negative_));
  mix(static_cast<std::uint32_t>(weight_));
  for (const std::int16_t digit : digits_) mix(static_cast<std::uint64_t>(digit));
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

Numeric Numeric::operator-() const {
  Numeric result = *this;
  if (form_ == Form::positive_infinity) result.form_ = Form::negative_infinity;
  if (form_ == Form::negative_infinity) result.form_ = Form::positive_infinity;
  if (!digits_.empty()) result.negative_ = !negative_;
  return result;
}

Numeric Numeric::absolute() const { return is_negative() ? -*this : *this; }

Numeric Numeric::add_magnitudes(const Numeric& a, const Numeric& b) {
  if (a.digits_.empty()) return b;
  if (b.digits_.empty()) return a;
  const auto lowest = [](const Numeric& x) { return x.weight_ - static_cast<std::int32_t>(x.digits_.size()) + 1; };
  const std::int32_t low = std::min(lowest(a), lowest(b));
  Numeric result;
  result.weight_ = std::max(a.weight_, b.weight_) + 1;
  result.digits_.resize(static_cast<std::size_t>(result.weight_ - low + 1));
  const auto digit_at = [](const Numeric& x, std::int32_t position) -> int {
    const std::int32_t index = x.weight_ - position;
    return index >= 0 && index < static_cast<std::int32_t>(x.digits_.size())
               ? x.digits_[static_cast<std::size_t>(index)]
               : 0;
  };
  int carry = 0;
  for (std::int32_t position = low; position <= result.weight_; ++position) {
    int total = digit_at(a, position) + digit_at(b, position) + carry;
    carry = total >= base ? 1 : 0;
    if (carry != 0) total -= base;
    result.digits_[static_cast<std::size_t>(result.weight_ - position)] = static_cast<std::int16_t>(total);
  }
  result.normalize();
  return result;
}

Numeric Numeric::subtract_magnitudes(const Numeric& a, const Numeric& b) {
  if (b.digits_.empty()) return a;
  const std::int32_t low = std::min(a.weight_ - static_cast<std::int32_t>(a.digits_.size()),
                                    b.weight_ - static_cast<std::int32_t>(b.digits_.size())) +
                           1;
  Numeric result;
  result.weight_ = a.weight_;
  result.digits_.resize(static_cast<std::size_t>(a.weight_ - low + 1));
  std::ranges::copy(a.digits_, result.digits_.begin());
  int borrow = 0;
  for (std::int32_t position = low; position <= result.weight_; ++position) {
    const std::int32_t index = b.weight_ - position;
    if (index < 0 && borrow == 0) break;
    const bool present = index >= 0 && index < static_cast<std::int32_t>(b.digits_.size());
    std::int16_t& digit = result.digits_[static_cast<std::size_t>(result.weight_ - position)];
    int rest = digit - borrow - (present ? b.digits_[static_cast<std::size_t>(index)] : 0);
    borrow = rest < 0 ? 1 : 0;
    if (borrow != 0) rest += base;
    digit = static_cast<std::int16_t>(rest);
  }
  result.normalize();
  return result;
}

Numeric Numeric::sum(const Numeric& a, const Numeric& b, bool subtract) {
  const bool b_negative = b.negative_ != subtract;
  Numeric result;
  bool negative = a.negative_;
  if (a.negative_ == b_negative) {
    result = add_magnitudes(a, b);
  } else if (compare_magnitudes(a, b) >= 0) {
    result = subtract_magnitudes(a, b);
  } else {
    result = subtract_magnitudes(b, a);
    negative = b_negative;
  }
  if (a.digits_.empty()) negative = b_negative;
  result.negative_ = negative && !result.digits_.empty();
  result.scale_ = std::max(a.scale_, b.scale_);
  return result;
}

Numeric operator+(const Numeric& a, const Numeric& b) {
  if (a.is_finite() && b.is_finite()) return Numeric::sum(a, b, false).checked();
  if (a.is_nan() || b.is_nan()) return Numeric::not_a_number();
  if (a.is_infinite() && b.is_infinite() && a.is_negative() != b.is_negative()) return Numeric::not_a_number();
  return a.is_infinite() ? a : b;
}

Numeric operator-(const Numeric& a, const Numeric& b) {
  if (a.is_finite() && b.is_finite()) return Numeric::sum(a, b, true).checked();
  return a + -b;
}

Numeric Numeric::exact_product(const Numeric& a, const Numeric& b) {
  Numeric result;
  result.scale_ = a.scale_ + b.scale_;
  if (a.digits_.empty() || b.digits_.empty()) return result;
  const std::size_t size = a.digits_.size() + b.digits_.size();
  boost::container::small_vector<std::uint64_t, 32> columns(size, 0);
  for (std::size_t i = 0; i < a.digits_.size(); ++i) {
    const auto factor = static_cast<std::uint64_t>(a.digits_[i]);
    if (factor == 0) continue;
    for (std::size_t j = 0; j < b.digits_.size(); ++j)
      columns[i + j + 1] += factor * static_cast<std::uint64_t>(b.digits_[j]);
  }
  result.digits_.resize(size);
  std::uint64_t carry = 0;
  for (std::size_t i = size; i-- > 0;) {
    const std::uint64_t column = columns[i] + carry;
    carry = column / base;
    result.digits_[i] = static_cast<std::int16_t>(column % base);
  }
  result.weight_ = a.weight_ + b.weight_ + 1;
  result.negative_ = a.negative_ != b.negative_;
  result.normalize();
  return result;
}

Numeric Numeric::multiply(const Numeric& a, const Numeric& b, int scale) {
  Numeric result = exact_product(a, b);
  result.set_scale_rounded(scale);
  return result;
}

Numeric operator*(const Numeric& a, const Numeric& b) {
  if (a.is_finite() && b.is_finite())
    return Numeric::multiply(a, b, std::min(a.scale_ + b.scale_, scale_max)).checked();
  if (a.is_nan() || b.is_nan() || a.is_zero() || b.is_zero()) return Numeric::not_a_number();
  return Numeric::infinity(a.is_negative() != b.is_negative());
}

// Long division (Knuth, The Art of Computer Programming, volume 2, algorithm D).
Numeric Numeric::quotient(const Numeric& a, const Numeric& b, int positions) {
  Numeric result;
  const std::int32_t weight = a.weight_ - b.weight_;
  const std::int64_t length = std::int64_t{weight} + positions + 1;  // digits of the quotient; the first may be 0
  if (a.digits_.empty() || length <= 0) return result;
  const auto count = static_cast<std::size_t>(length);
  const std::size_t divisor_size = b.digits_.size();
  result.weight_ = weight;
  result.digits_.resize(count);
  // dividend[0] is there for carries.
  std::vector<std::int64_t> dividend(count + divisor_size + 1, 0);
  for (std::size_t i = 0; i < a.digits_.size() && i + 1 < dividend.size(); ++i) dividend[i + 1] = a.digits_[i];
  std::vector<std::int64_t> divisor(b.digits_.begin(), b.digits_.end());
  const std::int64_t factor = base / (divisor[0] + 1);
  if (factor > 1) {
    const auto scale_up = [factor](std::vector<std::int64_t>& digits) {
      std::int64_t carry = 0;
      for (std::size_t i = digits.size(); i-- > 0;) {
        const std::int64_t product = digits[i] * factor + carry;
        digits[i] = product % base;
        carry = product / base;
      }
    };
    scale_up(dividend);
    scale_up(divisor);
  }
  const std::int64_t second = divisor_size > 1 ? divisor[1] : 0;
  for (std::size_t j = 0; j < count; ++j) {
    std::int64_t* part = &dividend[j];
    const std::int64_t top = part[0] * base + part[1];
    if (top == 0) continue;
    std::int64_t digit = std::min<std::int64_t>(top / divisor[0], base - 1);
    const std::int64_t third = divisor_size > 1 ? part[2] : 0;
    while (digit * second > (top - digit * divisor[0]) * base + third) --digit;
    std::int64_t borrow = 0;
    for (std::size_t i = divisor_size; i-- > 0;) {
      std::int64_t rest = part[i + 1] - digit * divisor[i] - borrow;
      borrow = 0;
      if (rest < 0) {
        borrow = (-rest + base - 1) / base;
        rest += borrow * base;
      }
      part[i + 1] = rest;
    }
    part[0] -= borrow;
    if (part[0] < 0) {
      --digit;
      std::int64_t carry = 0;
      for (std::size_t i = divisor_size; i-- > 0;) {
        const std::int64_t total = part[i + 1] + divisor[i] + carry;
        carry = total >= base ? 1 : 0;
        part[i + 1] = total - carry * base;
      }
      part[0] += carry;
    }
    result.digits_[j] = static_cast<std::int16_t>(digit);
  }
  result.normalize();
  return result;
}

Numeric Numeric::divide(const Numeric& a, const Numeric& b, int scale) {
  if (b.digits_.empty()) throw_division_by_zero();
  // One position more than is kept decides how to round.
  Numeric result = quotient(a, b, positions_of(std::max(scale, 0)) + 1);
  result.negative_ = a.negative_ != b.negative_ && !result.digits_.empty();
  result.set_scale_rounded(scale);
  return result;
}

int Numeric::division_scale(const Numeric& a, const Numeric& b) {
  constexpr int significant_digits_min = 16;
  constexpr int chosen_scale_max = 1000;
  const int first_a = a.digits_.empty() ? 0 : a.digits_[0];
  const int first_b = b.digits_.empty() ? 0 : b.digits_[0];
  const int weight = a.weight_ - b.weight_ - (first_a <= first_b ? 1 : 0);
  const int scale = std::max({significant_digits_min - weight * base_digits, a.scale_, b.scale_, 0});
  return std::min(scale, chosen_scale_max);
}

Numeric operator/(const Numeric& a, const Numeric& b) {
  if (a.is_finite() && b.is_finite()) return Numeric::divide(a, b, Numeric::division_scale(a, b)).checked();
  if (a.is_nan() || b.is_nan() || (a.is_infinite() && b.is_infinite())) return Numeric::not_a_number();
  if (b.is_infinite()) return {};
  if (b.is_zero()) throw_division_by_zero();
  return Numeric::infinity(a.is_negative() != b.is_negative());
}

Numeric Numeric::divide_truncating(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return a / b;
  if (b.is_zero()) throw_division_by_zero();
  Numeric result = quotient(a, b, 0);
  result.negative_ = a.negative_ != b.negative_ && !result.digits_.empty();
  return result.checked();
}

Numeric operator%(const Numeric& a, const Numeric& b) {
  if (a.is_nan() || b.is_nan()) return Numeric::not_a_number();
  if (b.is_zero()) throw_division_by_zero();
  if (a.is_infinite()) return Numeric::not_a_number();
  if (b.is_infinite()) return a;
  Numeric whole = Numeric::quotient(a, b, 0);
  whole.negative_ = a.negative_ != b.negative_ && !whole.digits_.empty();
  return Numeric::sum(a, Numeric::exact_product(b, whole), true).checked();
}

Numeric Numeric::round(int scale) const {
  Numeric result = *this;
  result.set_scale_rounded(std::clamp(scale, -whole_digits_max - 1, scale_max));
  return result.checked();
}

Numeric Numeric::truncate(int scale) const {
  Numeric result = *this;
  result.set_scale_truncated(std::clamp(scale, -whole_digits_max - 1, scale_max));
  return result;
}

Numeric Numeric::trim_scale() const {
  Numeric result = *this;
  result.scale_ = minimal_scale();
  return result;
}

Numeric Numeric::ceiling() const {
  const Numeric whole = truncate(0);
  return !is_finite() || negative_ || compare(whole, *this) == 0 ? whole : whole + Numeric(1);
}

Numeric Numeric::floor() const {
  const Numeric whole = truncate(0);
  return !is_finite() || !negative_ || compare(whole, *this) == 0 ? whole : whole - Numeric(1);
}

Numeric Numeric::sign() const {
  if (is_nan() || is_zero()) return is_nan() ? *this : Numeric();
  return Numeric(is_negative() ? -1 : 1);
}

Numeric Numeric::fit(int precision, int scale) const {
  if (is_nan()) return *this;
  const auto overflow = [&](const std::string& why) {
    throw SqlError(sqlstate::numeric_value_out_of_range, "numeric field overflow",
                   fmt::format("A field with precision {}, scale {} {}.", precision, scale, why));
  };
  if (is_infinite()) overflow("cannot hold an infinite value");
  Numeric result = *this;
  result.set_scale_rounded(scale);
  if (result.digits_.empty()) return result;
  int digits = (result.weight_ + 1) * base_digits;
  const int first = result.digits_[0];
  for (int unit = base / 10; first < unit; unit /= 10) --digits;
  const int digits_max = precision - scale;
  if (digits > digits_max) {
    overflow(fmt::format("must round to an absolute value less than {}{}", digits_max != 0 ? "10^" : "",
                         digits_max != 0 ? digits_max : 1));
  }
  return result;
}

}  // namespace polarsim::engine
