#include "sim/distribution.h"

#include <algorithm>

#include "sim/assert.h"
#include "sim/portable_math.h"

namespace polarsim::sim {
namespace {

// Rounds towards zero and saturates far below the int64 limit, so that adding it to a time cannot wrap.
Duration to_duration(double nanoseconds_value) {
  constexpr double limit = 0x1.0p61;
  return Duration(static_cast<std::int64_t>(std::clamp(nanoseconds_value, 0.0, limit)));
}

// The 99th percentile of the standard normal distribution.
constexpr double normal_percentile_99 = 2.3263478740408408;

}  // namespace

Duration DurationDistribution::sample(RandomStream& stream) const {
  Duration value{0};
  switch (shape) {
    case Shape::constant:
      value = low;
      break;
    case Shape::uniform:
      value = stream.between(low, high);
      break;
    case Shape::exponential: {
      POLARSIM_ASSERT(low <= high, "the mean of an exponential distribution is below its start");
      value = low + to_duration(stream.exponential(static_cast<double>((high - low).count())));
      break;
    }
    case Shape::long_tail: {
      POLARSIM_ASSERT(tail_one_in > 0, "a tail needs a positive frequency");
      const bool in_tail = stream.below(tail_one_in) == 0;
      value = in_tail ? stream.between(high, tail) : stream.between(low, high);
      break;
    }
    case Shape::log_normal: {
      POLARSIM_ASSERT(low < high && high < tail, "a log-normal distribution needs low < median < 99th percentile");
      const double median = static_cast<double>((high - low).count());
      const double percentile_99 = static_cast<double>((tail - low).count());
      const double sigma = portable_log(percentile_99 / median) / normal_percentile_99;
      const double normal = stream.normal(0, sigma);
      value = low + to_duration(median * portable_exp(normal));
      break;
    }
  }
  return std::max(value, Duration(0));
}

}  // namespace polarsim::sim
