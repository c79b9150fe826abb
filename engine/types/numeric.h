// Decimal numbers of arbitrary precision with PostgreSQL's rules of scale and rounding
// (src/backend/utils/adt/numeric.c).
//
// A number is sign * digits * 10^-scale, where the scale is part of the number as it is shown: 1.0 and 1.00 are equal
// and print differently. Besides there are NaN, Infinity and -Infinity. Digits are kept in base 10000.
//
// Limits: 131072 digits before the decimal point, 16383 after it; beyond, 22003 "value overflows numeric format".
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine {

class Numeric {
 public:
  Numeric() = default;  // 0
  explicit Numeric(std::int64_t value);
  static Numeric not_a_number();
  static Numeric infinity(bool negative);
  // PostgreSQL's numeric_in. Throws SqlError 22P02 "invalid input syntax for type numeric: \"x\"", 22003.
  static Numeric parse(std::string_view text);
  // high * 2^64 + low, in two's complement.
  static Numeric from_words(std::int64_t high, std::uint64_t low);
  // 15 significant digits, as float8_numeric; 6 for a float.
  static Numeric from_double(double value);
  static Numeric from_float(float value);

  bool is_nan() const { return form_ == Form::nan; }
  bool is_infinite() const { return form_ == Form::positive_infinity || form_ == Form::negative_infinity; }
  bool is_finite() const { return form_ == Form::finite; }
  bool is_zero() const { return is_finite() && digits_.empty(); }
  bool is_negative() const { return is_finite() ? negative_ : form_ == Form::negative_infinity; }
  int scale() const { return scale_; }
  // Without trailing zeros: numeric's min_scale().
  int minimal_scale() const;

  std::string to_string() const;
  // Rounded half away from zero. Throws SqlError 22003 "bigint out of range" with the name of the type, 0A000 for NaN
  // ("cannot convert NaN to bigint") and infinity.
  std::int64_t to_int8() const;
  std::int32_t to_int4() const;
  std::int16_t to_int2() const;
  double to_double() const;  // throws 22003 if it does not fit
  float to_float() const;    // the same
  bool is_integral() const;  // NaN is not, infinities are

  // -1, 0, 1; NaN is equal to itself and above everything else.
  static int compare(const Numeric& a, const Numeric& b);
  // Equal numbers have equal hashes, whatever their scale.
  std::uint64_t hash() const;

  Numeric operator-() const;
  Numeric absolute() const;
  // Scales of the results as PostgreSQL chooses them. Division throws 22012; all throw 22003 on overflow.
  friend Numeric operator+(const Numeric& a, const Numeric& b);
  friend Numeric operator-(const Numeric& a, const Numeric& b);
  friend Numeric operator*(const Numeric& a, const Numeric& b);
  friend Numeric operator/(const Numeric& a, const Numeric& b);
  friend Numeric operator%(const Numeric& a, const Numeric& b);
  // Of the quotient cut towards zero: div().
  static Numeric divide_truncating(const Numeric& a, const Numeric& b);
  // Of finite numbers, not checked against the limits: rounded to `scale` digits after the point. Building blocks of
  // the functions below and of aggregates.
  static Numeric multiply(const Numeric& a, const Numeric& b, int scale);
  static Numeric divide(const Numeric& a, const Numeric& b, int scale);  // 22012
  static Numeric square_root(const Numeric& a, int scale);               // `a` is not negative
  // The scale that a / b gets.
  static int division_scale(const Numeric& a, const Numeric& b);
  static Numeric greatest_common_divisor(const Numeric& a, const Numeric& b);
  static Numeric least_common_multiple(const Numeric& a, const Numeric& b);
  static Numeric factorial(std::int64_t n);  // 22003 if it is negative or too large

  // To so many digits after the point, or (negative) before it.
  Numeric round(int scale) const;  // half away from zero
  Numeric truncate(int scale) const;
  Numeric trim_scale() const;  // to minimal_scale()
  Numeric ceiling() const;
  Numeric floor() const;
  Numeric sign() const;
  static Numeric square_root(const Numeric& a);        // 2201F
  static Numeric exponential(const Numeric& a);        //
  static Numeric natural_logarithm(const Numeric& a);  // 2201E
  static Numeric logarithm(const Numeric& base, const Numeric& a);
  static Numeric power(const Numeric& a, const Numeric& exponent);  // 2201F
  // Rounds to numeric(precision, scale); throws 22003 "numeric field overflow" with PostgreSQL's detail.
  Numeric fit(int precision, int scale) const;

  // The same representation: form, digits and scale. For SQL's `=`: compare().
  friend bool operator==(const Numeric&, const Numeric&) = default;

 private:
  enum class Form : std::uint8_t { finite, nan, positive_infinity, negative_infinity };

  // numeric_functions.cpp: roots, logarithms and powers.
  friend class NumericFunctions;

  void normalize();
  void set_scale_rounded(int scale);    // like round(), without limits
  void set_scale_truncated(int scale);  // like truncate(), without limits
  const Numeric& checked() const;       // throws 22003 if it is beyond the limits
  double approximate() const;           // infinite where double precision ends
  static int compare_magnitudes(const Numeric& a, const Numeric& b);
  static Numeric add_magnitudes(const Numeric& a, const Numeric& b);
  static Numeric subtract_magnitudes(const Numeric& a, const Numeric& b);  // |a| >= |b|
  static Numeric sum(const Numeric& a, const Numeric& b, bool subtract);   // of finite numbers
  static Numeric exact_product(const Numeric& a, const Numeric& b);
  // |a| / |b| cut to `positions` digits of base 10000 after the point.
  static Numeric quotient(const Numeric& a, const Numeric& b, int positions);
  std::int64_t to_integer(std::int64_t lowest, std::int64_t highest, const char* type) const;

  // Base 10000, most significant first, without zeros at either end; the first is multiplied by 10000^weight.
  boost::container::small_vector<std::int16_t, 8> digits_;
  std::int32_t weight_ = 0;
  std::int32_t scale_ = 0;
  bool negative_ = false;
  Form form_ = Form::finite;
};

}  // namespace polarsim::engine
