#include "engine/types/format_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/types/error.h"
#include "engine/types/format_number_pattern.h"

namespace polarsim::engine {
namespace {

// What is written for a number: its digits without sign, and how many blanks the pattern has before them.
struct Digits {
  std::string text;
  char sign = '+';
  int blanks = 0;
};

// Writes digits into a pattern. A place is a 9, a 0 or a point of it.
class NumberWriter {
 public:
  NumberWriter(NumberPattern form, Digits digits) : form_(std::move(form)), digits_(std::move(digits)) {}

  std::string write() {
    if (form_.first_zero > 0) --form_.first_zero;
    if (form_.exponent) return digits_.text;
    if (form_.roman) keep_only_roman();
    prepare_sign();
    places_ = form_.before_point + form_.after_point - 1;
    if (form_.fill_mode && form_.has_point) find_last_relevant();
    if (!sign_written_ && digits_.blanks == 0) ++places_;
    for (const NumberNode& node : form_.nodes) {
      if (node.kind == NumberNode::Kind::word) {
        write_word(node);
      } else {
        to_ += node.character;
      }
    }
    // A place after the last digit ends PostgreSQL's text, as its digit is the end of a string in C.
    to_.resize(std::min(to_.find('\0'), to_.size()));
    return std::move(to_);
  }

 private:
  using LocaleSign = NumberPattern::LocaleSign;
  static constexpr std::size_t none = std::string::npos;

  void keep_only_roman() {
    NumberPattern roman;
    roman.nodes = std::move(form_.nodes);
    roman.first_zero = form_.first_zero;
    roman.last_zero = form_.last_zero;
    roman.fill_mode = form_.fill_mode;
    roman.roman = true;
    form_ = std::move(roman);
    digits_.blanks = 0;
    digits_.sign = '\0';
  }

  // With MI, PL and SG, the sign is written there; otherwise beside the digits, if there is one to write.
  void prepare_sign() {
    if (form_.plus || form_.minus) {
      sign_written_ = !(form_.plus && !form_.minus);
      return;
    }
    if (digits_.sign != '-' && form_.fill_mode) form_.brackets = false;
    sign_written_ = digits_.sign == '+' && form_.fill_mode && !form_.has_locale_sign;
    if (form_.locale_sign == LocaleSign::before && form_.before_point == form_.digits_before_sign)
      form_.locale_sign = LocaleSign::after;
  }

  // With FM, zeros at the end of the fraction are not shown, unless a 0 of the pattern is their place.
  void find_last_relevant() {
    const std::string& text = digits_.text;
    const std::size_t point = text.find('.');
    if (point == none) return;
    last_relevant_ = point;
    for (std::size_t i = point + 1; i < text.size(); ++i) {
      if (text[i] != '0') last_relevant_ = i;
    }
    if (form_.last_zero <= digits_.blanks) return;
    const std::size_t last_place =
        std::min(text.size() - 1, static_cast<std::size_t>(form_.last_zero - digits_.blanks));
    last_relevant_ = std::max(last_relevant_, last_place);
  }

  char digit_at(std::size_t at) const { return at < digits_.text.size() ? digits_.text[at] : '\0'; }
  bool last_relevant_is_point() const { return last_relevant_ != none && digit_at(last_relevant_) == '.'; }
  // The 0 of "0.1" is a blank if the pattern does not ask for it.
  bool is_zero_before_point() const {
    return !form_.has_zero && at_ == 0 && digit_at(0) == '0' && form_.after_point != 0;
  }
  const char* locale_sign() const { return digits_.sign == '-' ? "-" : "+"; }

  void write_sign_before() {
    const bool is_at_first_digit = place_ >= digits_.blanks || (form_.has_zero && form_.first_zero == place_);
    if (sign_written_ || !is_at_first_digit || (is_zero_before_point() && !last_relevant_is_point())) return;
    if (form_.has_locale_sign) {
      if (form_.locale_sign != LocaleSign::before) return;
      to_ += locale_sign();
    } else if (form_.brackets) {
      to_ += digits_.sign == '+' ? ' ' : '<';
    } else if (digits_.sign == '+') {
      if (!form_.fill_mode) to_ += ' ';
    } else if (digits_.sign == '-') {
      to_ += '-';
    } else {
      return;
    }
    sign_written_ = true;
  }

  void write_digit(bool is_zero_place) {
    const char digit = digit_at(at_);
    if (digit == '.') {
      if (!last_relevant_is_point() || form_.fill_mode) to_ += '.';
    } else if (last_relevant_ != none && at_ > last_relevant_ && !is_zero_place) {
      // a zero that is not shown
    } else if (is_zero_before_point()) {
      if (!form_.fill_mode) {
        to_ += ' ';
      } else if (last_relevant_is_point()) {
        to_ += '0';
      }
    } else {
      to_ += digit;
      in_number_ = true;
    }
    if (digit != '\0') ++at_;
  }

  void write_place(bool is_zero_place) {
    if (form_.roman) return;
    in_number_ = false;
    write_sign_before();
    const bool is_before_digits = place_ < digits_.blanks;
    if (is_before_digits && (form_.first_zero > place_ || !form_.has_zero)) {
      if (!form_.fill_mode) to_ += ' ';
    } else if (is_before_digits && form_.has_zero) {
      to_ += '0';
      in_number_ = true;
    } else {
      write_digit(is_zero_place);
    }
    int end = places_ + (digits_.blanks != 0 ? 1 : 0) + (form_.has_point ? 1 : 0);
    if (last_relevant_ != none && last_relevant_ == at_) end = place_;
    if (place_ + 1 == end) {
      if (sign_written_ && form_.brackets) {
        to_ += digits_.sign == '+' ? ' ' : '>';
      } else if (form_.has_locale_sign && form_.locale_sign == LocaleSign::after) {
        to_ += locale_sign();
      }
    }
    ++place_;
  }

  void write_or_blank(bool is_there, char c) {
    if (is_there) {
      to_ += c;
    } else if (!form_.fill_mode) {
      to_ += ' ';
    }
  }

  void write_roman(const NumberNode& node) {
    std::string numeral = digits_.text.substr(at_);
    if (node.word->letter_case() == LetterCase::lower) {
      for (char& c : numeral)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    to_ += form_.fill_mode ? numeral : fmt::format("{:>15}", numeral);
  }

  void write_word(const NumberNode& node) {
    switch (node.word->key) {
      case NumberKey::digit:
      case NumberKey::zero:
      case NumberKey::point:
      case NumberKey::locale_point:
        write_place(node.word->key == NumberKey::zero);
        return;
      case NumberKey::comma:
      case NumberKey::group:
        write_or_blank(in_number_, ',');
        return;
      case NumberKey::currency:
        to_ += ' ';
        return;
      case NumberKey::roman:
        write_roman(node);
        return;
      case NumberKey::ordinal:
        if (form_.roman || digit_at(0) == '#' || digits_.sign == '-' || form_.has_point) return;
        to_ += ordinal_suffix(digits_.text, node.word->letter_case() == LetterCase::upper);
        return;
      case NumberKey::minus:
        write_or_blank(digits_.sign == '-', '-');
        return;
      case NumberKey::plus:
        write_or_blank(digits_.sign == '+', '+');
        return;
      case NumberKey::sign:
        to_ += digits_.sign;
        return;
      default:
        return;
    }
  }

  NumberPattern form_;
  Digits digits_;
  std::string to_;
  std::size_t at_ = 0;  // the next digit to write
  int place_ = 0;
  int places_ = 0;
  std::size_t last_relevant_ = none;
  bool sign_written_ = false;
  bool in_number_ = false;
};

std::string c_format(const char* format, int precision, double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text(512, '\0');
  const int length = std::snprintf(text.data(), text.size(), format, precision, value);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string roman_numeral(std::int64_t number) {
  if (number > 3999 || number < 1) return std::string(15, '#');
  static constexpr const char* ones[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"};
  static constexpr const char* tens[] = {"", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"};
  static constexpr const char* hundreds[] = {"", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"};
  return std::string(static_cast<std::size_t>(number / 1000), 'M') + hundreds[number / 100 % 10] +
         tens[number / 10 % 10] + ones[number % 10];
}

// Instead of what does not fit, or is not finite and has no exponent.
std::string hashes(const NumberPattern& form) {
  std::string text(static_cast<std::size_t>(form.before_point + form.after_point + 1), '#');
  text[static_cast<std::size_t>(form.before_point)] = '.';
  return text;
}
std::string hashes_with_exponent(const NumberPattern& form) {
  std::string text(static_cast<std::size_t>(form.before_point + form.after_point + 6), '#');
  text[0] = ' ';
  text[static_cast<std::size_t>(form.before_point) + 1] = '.';
  return text;
}

std::string signed_for_exponent(std::string text) {
  if (text[0] == '+') text[0] = ' ';
  return text[0] == '-' || text[0] == ' ' ? text : " " + text;
}

// A number in decimal digits, with a minus if it is negative.
Digits fit(const NumberPattern& form, std::string text) {
  Digits digits;
  if (text[0] == '-') {
    digits.sign = '-';
    text.erase(0, 1);
  }
  const auto before_point = static_cast<int>(std::min(text.find('.'), text.size()));
  if (before_point < form.before_point) {
    digits.blanks = form.before_point - before_point;
  } else if (before_point > form.before_point) {
    text = hashes(form);
  }
  digits.text = std::move(text);
  return digits;
}

Digits plain(std::string text) { return {std::move(text), '\0', 0}; }

// d.ddde+dd; the rounding does not carry into the exponent.
std::string scientific(const Numeric& value, int scale) {
  const std::string digits = value.absolute().to_string();
  int exponent = 0;
  if (!value.is_zero()) {
    const std::size_t point = std::min(digits.find('.'), digits.size());
    const std::size_t first = digits.find_first_of("123456789");
    exponent = first < point ? static_cast<int>(point - first) - 1 : -static_cast<int>(first - point);
  }
  const std::string power = exponent >= 0 ? "1" + std::string(static_cast<std::size_t>(exponent), '0')
                                          : "0." + std::string(static_cast<std::size_t>(-exponent) - 1, '0') + "1";
  const Numeric significand = Numeric::divide(value, Numeric::parse(power), scale);
  return fmt::format("{}e{}{:02}", significand.to_string(), exponent < 0 ? '-' : '+', std::abs(exponent));
}

std::string numeric_with_exponent(const NumberPattern& form, const Numeric& value) {
  if (!value.is_finite()) return hashes_with_exponent(form);
  return signed_for_exponent(scientific(value, form.after_point));
}

std::string digits_of_integer(const NumberPattern& form, std::int64_t value) {
  std::string text = std::to_string(value);
  if (form.after_point != 0) text += "." + std::string(static_cast<std::size_t>(form.after_point), '0');
  return text;
}

std::int64_t power_of_ten(int exponent) {
  return static_cast<std::int64_t>(std::pow(10.0, static_cast<double>(exponent)));
}

Digits float_digits(NumberPattern& form, double value, int significant) {
  const auto before_point = static_cast<int>(c_format("%.*f", 0, std::fabs(value)).size());
  if (before_point >= significant) {
    form.after_point = 0;
  } else if (before_point + form.after_point > significant) {
    form.after_point = significant - before_point;
  }
  return fit(form, c_format("%.*f", form.after_point, value));
}

std::string format_float(std::string_view pattern, double value, bool is_single) {
  NumberPattern form = parse_number_form(pattern);
  Digits digits;
  if (form.roman) {
    const double rounded = std::rint(value);
    digits = plain(roman_numeral(rounded >= 1 && rounded <= 3999 ? static_cast<std::int64_t>(rounded) : 0));
  } else if (form.exponent) {
    digits = plain(std::isfinite(value) ? signed_for_exponent(c_format("%+.*e", form.after_point, value))
                                        : hashes_with_exponent(form));
  } else {
    if (form.has_shift) {
      const double factor = std::pow(10.0, form.shift);
      value = is_single ? static_cast<float>(value) * static_cast<float>(factor) : value * factor;
      form.before_point += form.shift;
    }
    digits = float_digits(form, value, is_single ? 6 : 15);
  }
  return NumberWriter(std::move(form), std::move(digits)).write();
}

}  // namespace

std::string format_int4(std::string_view pattern, std::int32_t value) {
  NumberPattern form = parse_number_form(pattern);
  Digits digits;
  if (form.roman) {
    digits = plain(roman_numeral(value));
  } else if (form.exponent) {
    digits = plain(signed_for_exponent(c_format("%+.*e", form.after_point, value)));
  } else {
    std::int32_t shifted = value;
    if (form.has_shift) {
      if (__builtin_mul_overflow(value, static_cast<std::int32_t>(power_of_ten(form.shift)), &shifted))
        throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
      form.before_point += form.shift;
    }
    digits = fit(form, digits_of_integer(form, shifted));
  }
  return NumberWriter(std::move(form), std::move(digits)).write();
}

std::string format_int8(std::string_view pattern, std::int64_t value) {
  NumberPattern form = parse_number_form(pattern);
  Digits digits;
  if (form.roman) {
    if (value != static_cast<std::int32_t>(value))
      throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
    digits = plain(roman_numeral(value));
  } else if (form.exponent) {
    digits = plain(numeric_with_exponent(form, Numeric(value)));
  } else {
    if (form.has_shift) {
      if (__builtin_mul_overflow(value, power_of_ten(form.shift), &value))
        throw SqlError(sqlstate::numeric_value_out_of_range, "bigint out of range");
      form.before_point += form.shift;
    }
    digits = fit(form, digits_of_integer(form, value));
  }
  return NumberWriter(std::move(form), std::move(digits)).write();
}

std::string format_numeric(std::string_view pattern, const Numeric& value) {
  NumberPattern form = parse_number_form(pattern);
  Digits digits;
  if (form.roman) {
    digits = plain(roman_numeral(value.round(0).to_int4()));
  } else if (form.exponent) {
    digits = plain(numeric_with_exponent(form, value));
  } else {
    Numeric shifted = value;
    if (form.has_shift) {
      shifted = value * Numeric::power(Numeric(10), Numeric(form.shift));
      form.before_point += form.shift;
    }
    digits = fit(form, shifted.round(form.after_point).to_string());
  }
  return NumberWriter(std::move(form), std::move(digits)).write();
}

std::string format_float4(std::string_view pattern, float value) { return format_float(pattern, value, true); }
std::string format_float8(std::string_view pattern, double value) { return format_float(pattern, value, false); }

}  // namespace polarsim::engine
