// Virtual time: the only time there is below `scenarios/cli`.
//
// Time counts int64 nanoseconds from the start of the simulation. It moves only when no task is runnable, so a
// computation takes no virtual time unless it says so by sleeping.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace polarsim::sim {

using Duration = std::chrono::nanoseconds;

// A tag for std::chrono only: it has no now(), because the present belongs to a Simulation, not to a type.
struct VirtualClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<VirtualClock>;
  static constexpr bool is_steady = true;
};

using Time = VirtualClock::time_point;

inline constexpr Time time_zero{};
// A deadline that never comes.
inline constexpr Time never = Time(Duration(std::numeric_limits<std::int64_t>::max()));

constexpr std::int64_t nanoseconds(Time time) { return time.time_since_epoch().count(); }
constexpr double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Saturating addition, so that `deadline_after(now, Duration::max())` is `never` and not a wrapped past.
constexpr Time deadline_after(Time now, Duration wait) {
  if (wait > never - now) return never;
  return now + wait;
}

}  // namespace polarsim::sim
