#include "sim/clock.h"

#include <cmath>
#include <limits>

#include "sim/assert.h"

namespace polarsim::sim {
namespace {

__extension__ using Int128 = __int128;

constexpr std::int64_t trillion = 1'000'000'000'000;

}  // namespace

Duration HostClock::local(Time true_now) const {
  POLARSIM_ASSERT(true_now >= anchor_true_, "a clock was asked about the time before its last change");
  const Int128 elapsed = (true_now - anchor_true_).count();
  const Int128 advanced = elapsed * (trillion + drift_ppt_) / trillion;
  return anchor_local_ + Duration(static_cast<std::int64_t>(advanced));
}

std::int64_t HostClock::realtime_us(Time true_now) const {
  const std::int64_t since_epoch_ns = (local(true_now) + realtime_offset_).count();
  // Rounds down also before the epoch, so that the reading never goes forward twice within a microsecond.
  std::int64_t microseconds = since_epoch_ns / 1000;
  if (since_epoch_ns % 1000 < 0) --microseconds;
  return epoch_us + microseconds;
}

Duration HostClock::monotonic(Time true_now) const { return local(true_now) - boot_local_; }

Duration HostClock::to_true(Duration local_wait) const {
  if (local_wait.count() <= 0) return Duration(0);
  const Int128 rate = trillion + drift_ppt_;
  const Int128 wait = (static_cast<Int128>(local_wait.count()) * trillion + rate - 1) / rate;
  if (wait > std::numeric_limits<std::int64_t>::max()) return Duration::max();
  return Duration(static_cast<std::int64_t>(wait));
}

void HostClock::set_drift_ppm(Time true_now, double ppm) {
  POLARSIM_ASSERT(std::fabs(ppm) < 1e6, "a clock cannot run backwards or more than twice as fast");
  anchor_local_ = local(true_now);
  anchor_true_ = true_now;
  drift_ppm_ = ppm;
  drift_ppt_ = static_cast<std::int64_t>(ppm * 1e6);
}

void HostClock::boot(Time true_now) { boot_local_ = local(true_now); }

}  // namespace polarsim::sim
