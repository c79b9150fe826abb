#include "sim/clock.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>

namespace polarsim::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(HostClock, UndisturbedShowsTheEpochAndTrueTime) {
  const HostClock clock;
  EXPECT_EQ(clock.realtime_us(time_zero), HostClock::epoch_us);
  EXPECT_EQ(clock.realtime_us(Time(seconds(3))), HostClock::epoch_us + 3'000'000);
  EXPECT_EQ(clock.monotonic(Time(seconds(3))), seconds(3));
  EXPECT_EQ(clock.to_true(seconds(3)), seconds(3));
}

TEST(HostClock, FastClockWakesEarly) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, 100'000);  // ten per cent
  EXPECT_EQ(clock.monotonic(Time(seconds(10))), seconds(11));
  EXPECT_EQ(clock.to_true(seconds(11)), seconds(10));
  EXPECT_EQ(clock.realtime_us(Time(seconds(10))), HostClock::epoch_us + 11'000'000);
}

TEST(HostClock, StepMovesOnlyRealtime) {
  HostClock clock;
  clock.step(milliseconds(-1500));
  EXPECT_EQ(clock.realtime_us(Time(seconds(1))), HostClock::epoch_us - 500'000);
  EXPECT_EQ(clock.monotonic(Time(seconds(1))), seconds(1));
}

TEST(HostClock, BootRestartsOnlyTheMonotonicClock) {
  HostClock clock;
  clock.boot(Time(seconds(5)));
  EXPECT_EQ(clock.monotonic(Time(seconds(7))), seconds(2));
  EXPECT_EQ(clock.realtime_us(Time(seconds(7))), HostClock::epoch_us + 7'000'000);
}

TEST(HostClock, WaitsSaturate) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, -999'999);
  EXPECT_EQ(clock.to_true(Duration::max()), Duration::max());
  EXPECT_EQ(clock.to_true(Duration(0)), Duration(0));
  EXPECT_EQ(clock.to_true(Duration(-5)), Duration(0));
}

// Ten years in nanoseconds, with a bias towards small values by RapidCheck's size.
rc::Gen<std::int64_t> any_elapsed() { return rc::gen::inRange<std::int64_t>(0, 315'360'000'000'000'000); }
rc::Gen<double> any_drift() {
  return rc::gen::map(rc::gen::inRange<int>(-900'000, 900'001), [](int ppm) { return static_cast<double>(ppm) / 3; });
}

RC_GTEST_PROP(HostClockProperty, MonotonicNeverGoesBackNorJumpsAtAChangeOfDrift, ()) {
  HostClock clock;
  Time now = time_zero;
  Duration last = clock.monotonic(now);
  const int changes = *rc::gen::inRange(1, 10);
  for (int i = 0; i < changes; ++i) {
    now += Duration(*any_elapsed() / 10);
    const Duration before = clock.monotonic(now);
    RC_ASSERT(before >= last);
    clock.set_drift_ppm(now, *any_drift());
    if (*rc::gen::arbitrary<bool>())
      clock.step(Duration(*rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000)));
    RC_ASSERT(clock.monotonic(now) == before);
    last = before;
  }
}

RC_GTEST_PROP(HostClockProperty, ToTrueIsTheShortestSufficientWait, ()) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, *any_drift());
  const Time now = Time(Duration(*any_elapsed() / 10));
  const Duration local(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000));
  const Duration wait = clock.to_true(local);
  RC_ASSERT(wait >= Duration(1));
  RC_ASSERT(clock.monotonic(now + wait) - clock.monotonic(now) >= local);
  // Two nanoseconds less may fall short by rounding only; a whole local tick less must not suffice.
  const Duration slack = clock.to_true(Duration(1)) + Duration(1);
  if (wait > slack) RC_ASSERT(clock.monotonic(now + wait - slack) - clock.monotonic(now) <= local);
}

}  // namespace
}  // namespace polarsim::sim
