#include "sim/portable_math.h"

#include <cmath>

#include "sim/assert.h"

namespace polarsim::sim {
namespace {

constexpr double ln2 = 0.693147180559945309417232121458;
constexpr double pi = 3.14159265358979323846264338328;

// Taylor series around 0 for |x| <= pi/4: the first omitted term is below 1e-17.
double cos_near_zero(double x) {
  const double square = x * x;
  double term = 1;
  double sum = 1;
  for (int n = 1; n <= 9; ++n) {
    term = -term * square / static_cast<double>((2 * n - 1) * (2 * n));
    sum += term;
  }
  return sum;
}

double sin_near_zero(double x) {
  const double square = x * x;
  double term = x;
  double sum = x;
  for (int n = 1; n <= 9; ++n) {
    term = -term * square / static_cast<double>((2 * n) * (2 * n + 1));
    sum += term;
  }
  return sum;
}

}  // namespace

double portable_log(double x) {
  POLARSIM_ASSERT(x > 0, "logarithm of a number that is not positive");
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact: in [0.5, 1)
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2;
    --exponent;
  }
  // log(m) = 2 artanh(z) with z = (m - 1) / (m + 1), |z| < 0.172: the series converges by a factor of 34 a term.
  const double z = (mantissa - 1) / (mantissa + 1);
  const double square = z * z;
  double power = z;
  double sum = 0;
  for (int n = 0; n <= 11; ++n) {
    sum += power / static_cast<double>(2 * n + 1);
    power *= square;
  }
  return static_cast<double>(exponent) * ln2 + 2 * sum;
}

double portable_exp(double x) {
  if (x < -700) return 0;
  if (x > 700) x = 700;
  const double scaled = std::floor(x / ln2 + 0.5);  // exact rounding operation
  const double rest = x - scaled * ln2;             // |rest| <= ln2 / 2
  double term = 1;
  double sum = 1;
  for (int n = 1; n <= 16; ++n) {
    term = term * rest / static_cast<double>(n);
    sum += term;
  }
  return std::ldexp(sum, static_cast<int>(scaled));
}

double portable_cos_turns(double turns) {
  POLARSIM_ASSERT(turns >= 0 && turns < 1, "an angle outside one turn");
  // Reduces exactly to an eighth of a turn around the nearest quarter, where the series converge fast.
  const int quarter = static_cast<int>(turns * 4 + 0.5);
  const double rest = (turns - static_cast<double>(quarter) * 0.25) * (2 * pi);
  switch (quarter & 3) {
    case 0:
      return cos_near_zero(rest);
    case 1:
      return -sin_near_zero(rest);
    case 2:
      return -cos_near_zero(rest);
    default:
      return sin_near_zero(rest);
  }
}

}  // namespace polarsim::sim
