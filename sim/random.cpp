#include "sim/random.h"

#include <bit>
#include <cmath>
#include <limits>

#include "sim/assert.h"
#include "sim/portable_math.h"

namespace polarsim::sim {
namespace {

__extension__ using Uint128 = unsigned __int128;

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

Xoshiro256::Xoshiro256(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = splitmix64(seed);
}

std::uint64_t Xoshiro256::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

RandomStream::RandomStream(std::string name, std::uint64_t seed, RunningDigest* digest)
    : name_(std::move(name)), id_(stable_hash(name_)), generator_(seed), digest_(digest) {}

std::uint64_t RandomStream::next() {
  std::uint64_t value = generator_.next();
  if (script_ != nullptr) [[unlikely]]
    value = script_->decide(*this, value);
  if (digest_ != nullptr) digest_->absorb(DigestKind::draw, id_, value);
  return value;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  POLARSIM_ASSERT(bound > 0, "a draw from an empty range");
  Uint128 product = static_cast<Uint128>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Uint128>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

std::int64_t RandomStream::between(std::int64_t low, std::int64_t high) {
  POLARSIM_ASSERT(low <= high, "a draw from an empty range");
  const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  // The full range has 2^64 values, one more than below() can be told.
  const std::uint64_t offset = width == std::numeric_limits<std::uint64_t>::max() ? next() : below(width + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

double RandomStream::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

bool RandomStream::chance(double p) { return unit() < p; }

double RandomStream::exponential(double mean) {
  const double u = unit();
  return -mean * portable_log(1 - u);
}

double RandomStream::normal(double mean, double deviation) {
  const double u = unit();
  const double turns = unit();
  return mean + deviation * (std::sqrt(-2 * portable_log(1 - u)) * portable_cos_turns(turns));
}

}  // namespace polarsim::sim
