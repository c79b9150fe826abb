// Randomness: one root seed, many named streams.
//
// Every nondeterministic decision is one draw from a stream named by purpose and place ("net/cn1>dn2/latency"). A
// stream's seed is derived from the root seed and its name, so that a new draw in one place never shifts another.
// Every draw is absorbed by the run's digest.
//
// The generator is xoshiro256++ 1.0 (Blackman and Vigna, 2019), frozen: recorded seeds depend on it.
// Two draws in one full expression have no defined order in C++: take each draw in a statement of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/digest.h"
#include "sim/time.h"

namespace polarsim::sim {

class Xoshiro256 {
 public:
  // The four state words come from splitmix64 over the seed, as the authors advise.
  explicit Xoshiro256(std::uint64_t seed);
  std::uint64_t next();

 private:
  std::uint64_t state_[4];
};

class RandomStream {
 public:
  RandomStream(std::string name, std::uint64_t seed, RunningDigest* digest);

  const std::string& name() const { return name_; }

  // All 64 bits.
  std::uint64_t next();
  // Uniform in [0, bound); bound > 0. Unbiased (Lemire's multiply-and-reject).
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both ends included; low <= high.
  std::int64_t between(std::int64_t low, std::int64_t high);
  // Uniform in [0, 1) with 53 bits.
  double unit();
  // True with probability p, clamped to [0, 1]. Draws even when p is 0 or 1, so that changing p shifts nothing after
  // it.
  bool chance(double p);
  // Exponential with the given mean.
  double exponential(double mean);
  // Normal by Box and Muller; two draws.
  double normal(double mean, double deviation);
  Duration between(Duration low, Duration high) { return Duration(between(low.count(), high.count())); }

  template <typename Container>
  const auto& pick(const Container& items) {
    return items[static_cast<std::size_t>(below(items.size()))];
  }
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(below(i));
      using std::swap;
      swap(items[i - 1], items[j]);
    }
  }

 private:
  std::string name_;
  std::uint64_t id_;
  Xoshiro256 generator_;
  RunningDigest* digest_;  // null: draws are not part of a run (tests, schedule generation)
};

// Hands out the streams of one run. Streams live as long as the oracle, so a caller may keep the reference.
class ChoiceOracle {
 public:
  ChoiceOracle(std::uint64_t root_seed, RunningDigest* digest);

  std::uint64_t root_seed() const { return root_seed_; }
  RandomStream& stream(std::string_view name);

 private:
  std::uint64_t root_seed_;
  RunningDigest* digest_;
  std::map<std::string, std::unique_ptr<RandomStream>, std::less<>> streams_;
};

}  // namespace polarsim::sim
