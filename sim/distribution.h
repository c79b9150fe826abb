// Distributions of durations, as data, for latencies of links and disks.
#pragma once

#include <cstdint>

#include "sim/random.h"
#include "sim/time.h"

namespace polarsim::sim {

struct DurationDistribution {
  enum class Shape : std::uint8_t {
    constant,     // always `low`
    uniform,      // in [low, high]
    exponential,  // low + Exp(mean = high - low), so that the mean is `high`
    long_tail,    // uniform in [low, high], but one draw in `tail_one_in` is uniform in [high, tail]
    log_normal,   // low + LogNormal with median high - low and 99th percentile tail - low
  };
  Shape shape = Shape::constant;
  Duration low{0};
  Duration high{0};
  Duration tail{0};
  std::uint32_t tail_one_in = 1000;

  static DurationDistribution constant(Duration value) { return {Shape::constant, value, value, value, 1000}; }
  static DurationDistribution uniform(Duration low, Duration high) { return {Shape::uniform, low, high, high, 1000}; }
  // `mean` is that of the whole, `low` included; mean >= low.
  static DurationDistribution exponential(Duration low, Duration mean) {
    return {Shape::exponential, low, mean, mean, 1000};
  }
  static DurationDistribution long_tail(Duration low, Duration high, Duration tail, std::uint32_t one_in) {
    return {Shape::long_tail, low, high, tail, one_in};
  }
  // low < median < percentile_99.
  static DurationDistribution log_normal(Duration low, Duration median, Duration percentile_99) {
    return {Shape::log_normal, low, median, percentile_99, 1000};
  }
  // Never negative. The number of draws depends on the shape alone (none, one, one, two, two), but for the rare
  // rejections of RandomStream::below.
  Duration sample(RandomStream& stream) const;
};

}  // namespace polarsim::sim
