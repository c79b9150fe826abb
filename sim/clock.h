// A host's view of time.
//
// There is one true time (Scheduler::now); each host reads it through its own clock, which may run fast or slow and
// whose realtime may be set wrong. Two readings exist, as on a real machine: `monotonic` never steps and starts at zero
// at boot; `realtime` has an epoch, survives reboots and may step. Both drift. Timers of a host follow its monotonic
// clock: a host whose clock runs fast wakes early. All arithmetic is in integers, so readings are exact and monotonic
// over centuries.
#pragma once

#include <cstdint>

#include "sim/time.h"

namespace polarsim::sim {

class HostClock {
 public:
  // Microseconds since the Unix epoch that true time zero shows on an undisturbed clock: 2026-01-01T00:00:00Z.
  static constexpr std::int64_t epoch_us = 1'767'225'600'000'000;

  // Realtime in microseconds since the Unix epoch, as PostgreSQL's timestamps count.
  std::int64_t realtime_us(Time true_now) const;
  // Nanoseconds of the host's own monotonic clock since its last boot.
  Duration monotonic(Time true_now) const;
  // The true duration after which the monotonic clock has advanced by at least `local`; at least 1 ns for a positive
  // `local`. Saturates at Duration::max().
  Duration to_true(Duration local) const;

  // Parts per million; positive runs fast. Takes effect from `true_now` on, without a step. |ppm| < 1'000'000. Resolved
  // to a millionth of a ppm. `true_now` must not go back. Waits that are under way keep the true deadline they have.
  void set_drift_ppm(Time true_now, double ppm);
  // Steps the realtime clock by `by` (backwards if negative); the monotonic clock does not see it.
  void step(Duration by) { realtime_offset_ += by; }
  // Restarts the monotonic clock at zero.
  void boot(Time true_now);
  double drift_ppm() const { return drift_ppm_; }

 private:
  // Local nanoseconds since true time zero; continuous over drift changes and boots.
  Duration local(Time true_now) const;

  Time anchor_true_ = time_zero;
  Duration anchor_local_{0};
  Duration boot_local_{0};
  double drift_ppm_ = 0;
  std::int64_t drift_ppt_ = 0;  // parts per 10^12
  Duration realtime_offset_{0};
};

}  // namespace polarsim::sim
