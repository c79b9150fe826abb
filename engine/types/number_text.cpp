#include "engine/types/number_text.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

__extension__ using Wide = unsigned __int128;

[[noreturn]] void throw_syntax(const char* type, std::string_view text) {
  throw SqlError(sqlstate::invalid_text_representation,
                 fmt::format("invalid input syntax for type {}: \"{}\"", type, text));
}
[[noreturn]] void throw_range(const char* type, std::string_view text) {
  throw SqlError(sqlstate::numeric_value_out_of_range,
                 fmt::format("value \"{}\" is out of range for type {}", text, type));
}

template <typename Float>
const char* name_of() {
  return std::is_same_v<Float, double> ? "double precision" : "real";
}

template <typename Float>
Float parse_floating(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  const char* const start = rest.data();
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) throw_syntax(name_of<Float>(), text);
  auto format = std::chars_format::general;
  if (rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X')) {
    const char next = rest[2] == '.' && rest.size() > 3 ? rest[3] : rest[2];
    if (std::isxdigit(static_cast<unsigned char>(next)) != 0) {
      format = std::chars_format::hex;
      rest.remove_prefix(2);
    }
  }
  Float value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, format);
  if (error == std::errc::invalid_argument) throw_syntax(name_of<Float>(), text);
  const std::string_view number(rest.data(), static_cast<std::size_t>(end - rest.data()));
  const bool has_digits = number.find_first_of("123456789abcdfABCDF") < number.find_first_of("eEpP");
  const bool is_word =
      !number.empty() && (number[0] == 'i' || number[0] == 'I' || number[0] == 'n' || number[0] == 'N');
  if (error == std::errc::result_out_of_range || (std::isinf(value) && !is_word) ||
      (value == 0 && has_digits && !is_word)) {
    const std::string_view shown =
        std::is_same_v<Float, double> ? std::string_view(start, static_cast<std::size_t>(end - start)) : text;
    throw SqlError(sqlstate::numeric_value_out_of_range,
                   fmt::format("\"{}\" is out of range for type {}", shown, name_of<Float>()));
  }
  rest.remove_prefix(number.size());
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  if (!rest.empty()) throw_syntax(name_of<Float>(), text);
  return negative ? -value : value;
}

// A positive number as decimal digits and the power of ten of the first.
struct Decimal {
  std::array<char, 32> digits{};
  int count = 0;
  int exponent = 0;
};

template <typename... Precision, typename Float>
Decimal decimal_of(Float value, Precision... precision) {
  std::array<char, 64> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific, precision...);
  Decimal result;
  const char* at = buffer.data();
  for (; *at != 'e'; ++at) {
    if (*at != '.') result.digits[static_cast<std::size_t>(result.count++)] = *at;
  }
  while (result.count > 1 && result.digits[static_cast<std::size_t>(result.count - 1)] == '0') --result.count;
  ++at;
  if (*at == '+') ++at;
  std::from_chars(at, end, result.exponent);
  return result;
}

// Whether the decimal lies exactly between two neighbouring numbers of the type, one of which is `value`. Only integers
// and halves with few decimal digits can: the midpoint is an odd number times a power of two.
template <typename Float>
bool is_midpoint(const Decimal& decimal, Float value) {
  Wide digits = 0;
  for (int i = 0; i < decimal.count; ++i)
    digits = digits * 10 + static_cast<unsigned>(decimal.digits[static_cast<std::size_t>(i)] - '0');
  int tens = decimal.exponent - decimal.count + 1;
  if (tens > 23 || tens < -23) return false;
  int binary_exponent = 0;
  const Float fraction = std::frexp(value, &binary_exponent);
  constexpr int bits = std::numeric_limits<Float>::digits;
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, bits));
  for (const std::uint64_t midpoint : {2 * mantissa - 1, 2 * mantissa + 1}) {
    // digits * 10^tens = midpoint * 2^power
    Wide left = digits;
    Wide right = midpoint;
    int power = binary_exponent - bits - 1 - tens;
    for (int i = 0; i < tens; ++i) left *= 5;
    for (int i = 0; i < -tens; ++i) right *= 5;
    while (left != 0 && (left & 1) == 0) {
      left >>= 1;
      --power;
    }
    if (power == 0 && left == right) return true;
  }
  return false;
}

template <typename Float>
void append_floating(std::string& to, Float value, int plain_digits) {
  if (std::isnan(value)) {
    to += "NaN";
    return;
  }
  if (std::signbit(value)) to += '-';
  if (std::isinf(value)) {
    to += "Infinity";
    return;
  }
  value = std::abs(value);
  if (value == 0) {
    to += '0';
    return;
  }
  Decimal decimal = decimal_of(value);
  for (int precision = decimal.count; is_midpoint(decimal, value);) {
    do {
      decimal = decimal_of(value, precision++);
      std::array<char, 64> text{};
      const auto end = fmt::format_to(text.data(), "{}e{}",
                                      std::string_view(decimal.digits.data(), static_cast<std::size_t>(decimal.count)),
                                      decimal.exponent - decimal.count + 1);
      Float read = 0;
      std::from_chars(text.data(), end, read);
      if (read == value) break;
    } while (true);
  }
  const std::string_view digits(decimal.digits.data(), static_cast<std::size_t>(decimal.count));
  if (decimal.exponent < -4 || decimal.exponent >= plain_digits) {
    to += digits[0];
    if (digits.size() > 1) {
      to += '.';
      to += digits.substr(1);
    }
    fmt::format_to(std::back_inserter(to), "e{}{:02}", decimal.exponent < 0 ? '-' : '+', std::abs(decimal.exponent));
  } else if (decimal.exponent < 0) {
    to += "0.";
    to.append(static_cast<std::size_t>(-decimal.exponent - 1), '0');
    to += digits;
  } else {
    const auto whole = static_cast<std::size_t>(decimal.exponent + 1);
    to += digits.substr(0, whole);
    if (digits.size() > whole) {
      to += '.';
      to += digits.substr(whole);
    } else {
      to.append(whole - digits.size(), '0');
    }
  }
}

// The digits of a number at the start of the text in the base; false if it is too large.
bool take_digits(std::string_view& rest, unsigned number_base, std::uint64_t& value) {
  bool fits = true;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    unsigned digit = 36;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= number_base) break;
    fits = fits && !__builtin_mul_overflow(value, std::uint64_t{number_base}, &value) &&
           !__builtin_add_overflow(value, std::uint64_t{digit}, &value);
  }
  return fits;
}

}  // namespace

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks_around(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower_case[i]) return false;
  }
  return true;
}

std::int64_t parse_integer(std::string_view text, std::int64_t lowest, std::int64_t highest, const char* type) {
  std::string_view rest = without_blanks_around(text);
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty()) throw_syntax(type, text);
  // PostgreSQL complains of whichever it meets first, reading from the left.
  std::int64_t value = 0;
  for (const char c : rest) {
    if (c < '0' || c > '9') throw_syntax(type, text);
    if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
        __builtin_sub_overflow(value, std::int64_t{c - '0'}, &value) || value < lowest)
      throw_range(type, text);
  }
  if (negative) return value;
  if (value == std::numeric_limits<std::int64_t>::min() || -value > highest) throw_range(type, text);
  return -value;
}

std::uint32_t parse_oid(std::string_view text) {
  std::string_view rest = without_blanks_around(text);
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty() || rest.front() < '0' || rest.front() > '9') throw_syntax("oid", text);
  std::uint64_t value = 0;
  if (!take_digits(rest, 10, value)) throw_range("oid", text);
  if (!rest.empty()) throw_syntax("oid", text);
  // Negative numbers that fit in 32 bits wrap around.
  const std::uint64_t signed_value = negative ? 0 - value : value;
  const auto result = static_cast<std::uint32_t>(signed_value);
  if (result != signed_value &&
      static_cast<std::int64_t>(signed_value) != static_cast<std::int64_t>(static_cast<std::int32_t>(result)))
    throw_range("oid", text);
  return result;
}

double parse_double(std::string_view text) { return parse_floating<double>(text); }
float parse_float(std::string_view text) { return parse_floating<float>(text); }

void append_integer(std::string& to, std::int64_t value) {
  const fmt::format_int digits(value);
  to.append(digits.data(), digits.size());
}

void append_double(std::string& to, double value) { append_floating(to, value, 15); }
void append_float(std::string& to, float value) { append_floating(to, value, 6); }

}  // namespace polarsim::engine
