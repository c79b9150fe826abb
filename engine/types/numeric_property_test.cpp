// Numeric against Boost.Multiprecision's integers: what is exact must be exact, and quotients and roots be rounded
// right.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <string>

#include "engine/types/numeric.h"

namespace polarsim::engine {
namespace {

using Integer = boost::multiprecision::cpp_int;

// Many zeros and nines, where carries go far.
std::string random_digits() {
  const auto digit = rc::gen::element('0', '9', '0', '9', '1', '5', '7', '4');
  std::string text = "1" + *rc::gen::container<std::string>(digit);
  return *rc::gen::arbitrary<bool>() ? "-" + text : text;
}
std::string text_of(const Integer& value) { return value.str(); }
Integer divided_rounding(const Integer& a, const Integer& b) {
  const Integer quotient = (2 * abs(a) + abs(b)) / (2 * abs(b));
  return (a < 0) != (b < 0) ? Integer(-quotient) : quotient;
}

RC_GTEST_PROP(NumericProperty, ArithmeticIsThatOfIntegers, ()) {
  const std::string a_text = random_digits();
  const std::string b_text = random_digits();
  const Integer a(a_text);
  const Integer b(b_text);
  const Numeric x = Numeric::parse(a_text);
  const Numeric y = Numeric::parse(b_text);
  RC_ASSERT((x + y).to_string() == text_of(a + b));
  RC_ASSERT((x - y).to_string() == text_of(a - b));
  RC_ASSERT((x * y).to_string() == text_of(a * b));
  RC_ASSERT(Numeric::divide_truncating(x, y).to_string() == text_of(a / b));
  RC_ASSERT((x % y).to_string() == text_of(a % b));
  RC_ASSERT(Numeric::divide(x, y, 0).to_string() == text_of(divided_rounding(a, b)));
  RC_ASSERT(Numeric::compare(x, y) == (a < b ? -1 : a > b ? 1 : 0));
  RC_ASSERT(Numeric::greatest_common_divisor(x, y).to_string() == text_of(gcd(a, b)));
}

RC_GTEST_PROP(NumericProperty, QuotientsAndRootsAreRoundedToTheirScale, ()) {
  const std::string a_text = random_digits();
  const Integer a = abs(Integer(a_text));
  const Numeric x = Numeric::parse(a_text).absolute();
  const auto scale = *rc::gen::inRange(0, 40);
  const auto shifted = [&](const Numeric& value) { return value * Numeric::parse("1e" + std::to_string(scale)); };
  const Integer unit = pow(Integer(10), static_cast<unsigned>(scale));
  const Integer seven_fold = 7 * a + 1;
  const Numeric quotient = Numeric::divide(x, Numeric::parse(text_of(seven_fold)), scale);
  RC_ASSERT(shifted(quotient).round(0).to_string() == text_of(divided_rounding(a * unit, seven_fold)));
  const Numeric root = Numeric::square_root(x, scale);
  const Integer doubled = sqrt(Integer(4 * a * unit * unit));  // twice the root, cut
  RC_ASSERT(shifted(root).round(0).to_string() == text_of((doubled + 1) / 2));
}

}  // namespace
}  // namespace polarsim::engine
