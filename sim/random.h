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
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/decision_log.h"
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

class RandomStream;

// Stands between the generators and the run while a decision log is written or followed.
class DecisionScript {
 public:
  virtual ~DecisionScript() = default;
  // What the draw shall be; `drawn` is what the stream's own generator says.
  virtual std::uint64_t decide(const RandomStream& stream, std::uint64_t drawn) = 0;
};

class RandomStream {
 public:
  RandomStream(std::string name, std::uint64_t seed, RunningDigest* digest);

  const std::string& name() const { return name_; }
  // What the run's digest calls it.
  std::uint64_t id() const { return id_; }

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
  friend class ChoiceOracle;
  std::string name_;
  std::uint64_t id_;
  Xoshiro256 generator_;
  RunningDigest* digest_;             // null: draws are not part of a run (tests, schedule generation)
  DecisionScript* script_ = nullptr;  // null: the generator decides
};

// Hands out the streams of one run. Streams live as long as the oracle, so a caller may keep the reference.
class ChoiceOracle {
 public:
  ChoiceOracle(std::uint64_t root_seed, RunningDigest* digest);

  ~ChoiceOracle();
  ChoiceOracle(const ChoiceOracle&) = delete;
  ChoiceOracle& operator=(const ChoiceOracle&) = delete;

  // Of the run, or what reseed() made of it.
  std::uint64_t root_seed() const { return root_seed_; }
  RandomStream& stream(std::string_view name);
  // The name of the stream that draws in the digest call `id`; null if no such stream has been asked for.
  const std::string* stream_name(std::uint64_t id) const;

  // From now on every stream draws as it would from its first draw on with this root seed; a log that is being followed
  // is left. The digest absorbs the seed: two futures of one past differ from here on.
  void reseed(std::uint64_t root_seed);

  // Every draw from now on is also written to `log`, which must outlive the oracle or the next call; null ends it.
  void record(DecisionLog* log);
  // Every draw from now on is answered by `log`. `on_mismatch` is called once, when a strict replay finds a draw that
  // the log does not have in its place; what it throws leaves through the draw, which may be in a destructor.
  void replay(DecisionLog log, const DecisionReplayOptions& options,
              std::function<void(const std::string& mismatch)> on_mismatch = {});
  DecisionReplayStatus replay_status() const;

 private:
  class Script;
  Script& script();
  std::uint64_t root_seed_;
  RunningDigest* digest_;
  std::map<std::string, std::unique_ptr<RandomStream>, std::less<>> streams_;
  std::unique_ptr<Script> script_;
};

}  // namespace polarsim::sim
