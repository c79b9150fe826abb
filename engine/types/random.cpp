#include "engine/types/random.h"

#include <bit>
#include <cmath>

namespace polarsim::engine {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t value = (state += 0x9E3779B97F4A7C15U);
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
  value = (value ^ value >> 27) * 0x94D049BB133111EBU;
  return value ^ value >> 31;
}

constexpr int fraction_bits = 52;

}  // namespace

RandomSequence::RandomSequence(std::uint64_t seed) : first_(split_mix(seed)), second_(split_mix(seed)) {
  // Of zeros only zeros would follow.
  if (first_ == 0 && second_ == 0) {
    first_ = 0x5851F42D4C957F2DU;
    second_ = 0x14057B7EF767814FU;
  }
}

RandomSequence RandomSequence::from_fraction(double seed) {
  const double scaled = static_cast<double>((std::uint64_t{1} << fraction_bits) - 1) * seed;
  return RandomSequence(static_cast<std::uint64_t>(static_cast<std::int64_t>(scaled)));
}

std::uint64_t RandomSequence::next() {
  const std::uint64_t first = first_;
  const std::uint64_t mixed = second_ ^ first_;
  const std::uint64_t result = std::rotl(first * 5, 7) * 9;
  first_ = std::rotl(first, 24) ^ mixed ^ mixed << 16;
  second_ = std::rotl(mixed, 37);
  return result;
}

double RandomSequence::next_fraction() {
  return std::ldexp(static_cast<double>(next() >> (64 - fraction_bits)), -fraction_bits);
}

}  // namespace polarsim::engine
