// Numeric from and to texts and other numbers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "engine/types/error.h"
#include "engine/types/number_text.h"
#include "engine/types/numeric.h"

namespace polarsim::engine {
namespace {

constexpr int base_digits = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "e" and a signed number at the start of what is left; C's strtol() also takes blanks before the number.
bool take_exponent(std::string_view& rest, std::int64_t& exponent) {
  rest.remove_prefix(1);
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty() || !is_digit(rest.front())) return false;
  constexpr std::int64_t enough = 10'000'000'000;
  for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1))
    exponent = std::min(exponent * 10 + (rest.front() - '0'), enough);
  if (negative) exponent = -exponent;
  return true;
}

}  // namespace

Numeric Numeric::parse(std::string_view text) {
  const auto fail = [&]() -> Numeric {
    throw SqlError(sqlstate::invalid_text_representation,
                   fmt::format("invalid input syntax for type numeric: \"{}\"", text));
  };
  std::string_view rest = without_blanks_around(text);
  Numeric result;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    result.negative_ = rest.front() == '-';
    rest.remove_prefix(1);
    if (equals_ignoring_case(rest, "infinity") || equals_ignoring_case(rest, "inf")) return infinity(result.negative_);
  } else if (equals_ignoring_case(rest, "nan")) {
    return not_a_number();
  } else if (equals_ignoring_case(rest, "infinity") || equals_ignoring_case(rest, "inf")) {
    return infinity(false);
  }
  std::string decimals;
  std::int64_t before_point = 0;
  std::int64_t scale = 0;
  bool point = false;
  for (; !rest.empty() && (is_digit(rest.front()) || (rest.front() == '.' && !point)); rest.remove_prefix(1)) {
    if (rest.front() == '.') {
      point = true;
      continue;
    }
    decimals += rest.front();
    ++(point ? scale : before_point);
  }
  if (decimals.empty()) return fail();
  std::int64_t exponent = 0;
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E') && !take_exponent(rest, exponent)) return fail();
  constexpr std::int64_t exponent_limit = std::numeric_limits<std::int32_t>::max() / 2;
  const auto overflow = [] { return SqlError(sqlstate::numeric_value_out_of_range, "value overflows numeric format"); };
  // An exponent that is too large is noticed before what may follow it.
  if (exponent >= exponent_limit || exponent <= -exponent_limit) throw overflow();
  if (!rest.empty()) return fail();
  scale = std::max<std::int64_t>(scale - exponent, 0);
  // The first decimal's place is 10^(places - 1); positions of base 10000 start at a multiple of four places.
  std::int64_t places = before_point + exponent;
  const std::int64_t positions = places >= 0 ? (places + base_digits - 1) / base_digits : -(-places / base_digits);
  const auto padding = static_cast<std::size_t>(positions * base_digits - places);
  decimals.insert(0, padding, '0');
  decimals.append((base_digits - decimals.size() % base_digits) % base_digits, '0');
  result.digits_.reserve(decimals.size() / base_digits);
  for (std::size_t i = 0; i < decimals.size(); i += base_digits) {
    int digit = 0;
    for (std::size_t j = i; j < i + base_digits; ++j) digit = digit * 10 + (decimals[j] - '0');
    result.digits_.push_back(static_cast<std::int16_t>(digit));
  }
  result.weight_ = static_cast<std::int32_t>(positions - 1);
  if (scale > std::numeric_limits<std::int16_t>::max()) throw overflow();
  result.scale_ = static_cast<std::int32_t>(scale);
  result.normalize();
  result.checked();
  return result;
}

std::string Numeric::to_string() const {
  if (is_nan()) return "NaN";
  if (is_infinite()) return is_negative() ? "-Infinity" : "Infinity";
  std::string text;
  if (negative_) text += '-';
  const auto append_position = [&](std::int32_t position) {
    const std::int32_t index = weight_ - position;
    int digit = 0;
    if (index >= 0 && index < static_cast<std::int32_t>(digits_.size()))
      digit = digits_[static_cast<std::size_t>(index)];
    const char digits[] = {static_cast<char>('0' + digit / 1000), static_cast<char>('0' + digit / 100 % 10),
                           static_cast<char>('0' + digit / 10 % 10), static_cast<char>('0' + digit % 10)};
    text.append(digits, base_digits);
  };
  if (weight_ < 0 || digits_.empty()) {
    text += '0';
  } else {
    const std::size_t start = text.size();
    for (std::int32_t position = weight_; position >= 0; --position) append_position(position);
    text.erase(start, text.find_first_not_of('0', start) - start);
  }
  if (scale_ > 0) {
    text += '.';
    const std::size_t end = text.size() + static_cast<std::size_t>(scale_);
    for (std::int32_t position = -1; text.size() < end; --position) append_position(position);
    text.resize(end);
  }
  return text;
}

Numeric Numeric::from_double(double value) {
  if (std::isnan(value)) return not_a_number();
  if (std::isinf(value)) return infinity(value < 0);
  return parse(fmt::format("{:.15g}", value));
}

Numeric Numeric::from_float(float value) {
  if (std::isnan(value)) return not_a_number();
  if (std::isinf(value)) return infinity(value < 0);
  return parse(fmt::format("{:.6g}", static_cast<double>(value)));
}

// Whole numbers of up to five positions fit in 64 bits or a little more.
std::int64_t Numeric::to_integer(std::int64_t lowest, std::int64_t highest, const char* type) const {
  if (!is_finite()) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cannot convert {} to {}", is_nan() ? "NaN" : "infinity", type));
  }
  const auto out_of_range = [&] {
    return SqlError(sqlstate::numeric_value_out_of_range, fmt::format("{} out of range", type));
  };
  if (!is_integral() || weight_ > 4) {
    if (weight_ > 4) throw out_of_range();
    Numeric whole = *this;
    whole.set_scale_rounded(0);
    return whole.to_integer(lowest, highest, type);
  }
  // Negative, because the lowest number has no positive counterpart.
  std::int64_t value = 0;
  for (std::int32_t i = 0; i <= weight_ && !digits_.empty(); ++i) {
    const std::int64_t digit = i < static_cast<std::int32_t>(digits_.size()) ? digits_[static_cast<std::size_t>(i)] : 0;
    if (__builtin_mul_overflow(value, std::int64_t{10000}, &value) || __builtin_sub_overflow(value, digit, &value))
      throw out_of_range();
  }
  if (!negative_) {
    if (value == std::numeric_limits<std::int64_t>::min()) throw out_of_range();
    value = -value;
  }
  if (value < lowest || value > highest) throw out_of_range();
  return value;
}

std::int64_t Numeric::to_int8() const {
  return to_integer(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), "bigint");
}
std::int32_t Numeric::to_int4() const {
  return static_cast<std::int32_t>(
      to_integer(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), "integer"));
}
std::int16_t Numeric::to_int2() const {
  return static_cast<std::int16_t>(
      to_integer(std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max(), "smallint"));
}

double Numeric::to_double() const {
  if (is_nan()) return std::numeric_limits<double>::quiet_NaN();
  if (is_infinite())
    return is_negative() ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return parse_double(to_string());
}

float Numeric::to_float() const {
  if (is_finite()) return parse_float(to_string());
  return static_cast<float>(to_double());
}

double Numeric::approximate() const {
  double value = 0;
  const std::size_t used = std::min<std::size_t>(digits_.size(), 6);
  for (std::size_t i = 0; i < used; ++i) value = value * 10000 + digits_[i];
  value *= std::pow(10.0, 4.0 * (weight_ - static_cast<std::int32_t>(used) + 1));
  return negative_ ? -value : value;
}

}  // namespace polarsim::engine
