// The sequence of random() as setseed() starts it: PostgreSQL's, number by number (src/common/pg_prng.c; xoroshiro128**
// of Blackman and Vigna, seeded by splitmix64).
#pragma once

#include <cstdint>

namespace polarsim::engine {

class RandomSequence {
 public:
  explicit RandomSequence(std::uint64_t seed);
  // As setseed() does; `seed` is in [-1, 1].
  static RandomSequence from_fraction(double seed);

  std::uint64_t next();
  // In [0, 1), a multiple of 2^-52.
  double next_fraction();

 private:
  std::uint64_t first_ = 0;
  std::uint64_t second_ = 0;
};

}  // namespace polarsim::engine
