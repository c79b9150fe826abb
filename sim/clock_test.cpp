#include "sim/clock.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

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
  EXPECT_EQ(clock.to_true(time_zero, seconds(3)), seconds(3));
}

TEST(HostClock, FastClockWakesEarly) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, 100'000);  // ten per cent
  EXPECT_EQ(clock.monotonic(Time(seconds(10))), seconds(11));
  EXPECT_EQ(clock.to_true(time_zero, seconds(11)), seconds(10));
  EXPECT_EQ(clock.realtime_us(Time(seconds(10))), HostClock::epoch_us + 11'000'000);
}

TEST(HostClock, StepMovesOnlyRealtime) {
  HostClock clock;
  clock.step(time_zero, milliseconds(-1500));
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
  EXPECT_EQ(clock.to_true(time_zero, Duration::max()), Duration::max());
  EXPECT_EQ(clock.to_true(time_zero, Duration(0)), Duration(0));
  EXPECT_EQ(clock.to_true(time_zero, Duration(-5)), Duration(0));
}

std::int64_t realtime_after(const HostClock& clock, Duration true_now) {
  return clock.realtime_us(Time(true_now)) - HostClock::epoch_us;
}

TEST(HostClock, BootOffsetMakesRealtimeWrongAtEveryBoot) {
  HostClock clock;
  clock.set_boot_offset(-hours(3));
  EXPECT_EQ(clock.realtime_error(Time(seconds(1))), Duration(0)) << "not before the boot";
  clock.boot(Time(seconds(10)));
  EXPECT_EQ(clock.realtime_error(Time(seconds(12))), -hours(3));
  EXPECT_EQ(clock.monotonic(Time(seconds(12))), seconds(2));
  clock.step(Time(seconds(13)), hours(3));
  EXPECT_EQ(clock.realtime_error(Time(seconds(13))), Duration(0));
  clock.boot(Time(seconds(20)));
  EXPECT_EQ(clock.realtime_error(Time(seconds(20))), -hours(3));
}

TEST(HostClock, SlewSpreadsAStepOverBothClocksWithoutAJump) {
  HostClock clock;
  clock.slew(time_zero, seconds(-1), seconds(100));
  EXPECT_EQ(clock.realtime_error(Time(seconds(50))), milliseconds(-500));
  EXPECT_EQ(clock.monotonic(Time(seconds(50))), milliseconds(49'500));
  EXPECT_TRUE(clock.slewing(Time(seconds(99))));
  EXPECT_EQ(clock.realtime_error(Time(seconds(100))), seconds(-1));
  EXPECT_FALSE(clock.slewing(Time(seconds(100))));
  EXPECT_EQ(clock.realtime_error(Time(hours(1))), seconds(-1));
  // A wait may begin before the end of the slew and end after it.
  EXPECT_EQ(clock.to_true(Time(seconds(50)), milliseconds(49'500)), seconds(50));
  EXPECT_EQ(clock.to_true(Time(seconds(50)), milliseconds(50'500)), seconds(51));
}

TEST(HostClock, ASlewIsNoFasterThanTheFastestAndReplacesAnEarlierOne) {
  HostClock clock;
  clock.slew(time_zero, seconds(1), seconds(0));
  EXPECT_EQ(clock.realtime_error(Time(seconds(5))), milliseconds(500));
  clock.slew(Time(seconds(5)), seconds(-1), seconds(20));
  EXPECT_EQ(clock.realtime_error(Time(seconds(60))), milliseconds(-500));
  clock.slew(Time(seconds(60)), seconds(1), seconds(20));
  clock.boot(Time(seconds(70)));
  EXPECT_EQ(clock.realtime_error(Time(seconds(100))), Duration(0)) << "half of it was done when the kernel ended";
  // A rate below the resolution still gains what was asked for.
  clock.slew(Time(seconds(100)), Duration(3), hours(24 * 365 * 10));
  EXPECT_EQ(clock.realtime_error(Time(hours(2))), Duration(3));
}

TEST(HostClock, AnInsertedLeapSecondRepeatsTheLastSecondOfTheDay) {
  HostClock clock;
  clock.schedule_leap_second(Time(hours(30)), LeapSecond::insert, LeapHandling::step);
  const Duration midnight = hours(48);
  EXPECT_EQ(realtime_after(clock, midnight - Duration(1)), 172'799'999'999);
  EXPECT_TRUE(clock.leap_second_pending(Time(midnight - Duration(1))));
  EXPECT_EQ(realtime_after(clock, midnight), 172'799'000'000);
  EXPECT_FALSE(clock.leap_second_pending(Time(midnight)));
  EXPECT_EQ(realtime_after(clock, midnight + seconds(1)), 172'800'000'000) << "it does not happen again";
  EXPECT_EQ(clock.monotonic(Time(midnight + seconds(1))), midnight + seconds(1));
  EXPECT_EQ(clock.realtime_error(Time(midnight * 2)), seconds(-1));
}

TEST(HostClock, ARemovedLeapSecondSkipsTheLastSecondOfTheDay) {
  HostClock clock;
  clock.schedule_leap_second(time_zero, LeapSecond::remove, LeapHandling::step, 1);
  EXPECT_EQ(clock.realtime_error(Time(hours(25))), Duration(0)) << "the first midnight is not the one";
  const Duration skipped = hours(48) - seconds(1);
  EXPECT_EQ(realtime_after(clock, skipped - Duration(1000)), 172'798'999'999);
  EXPECT_EQ(realtime_after(clock, skipped), 172'800'000'000);
}

TEST(HostClock, ASmearedLeapSecondRunsFromNoonToNoon) {
  HostClock clock;
  clock.schedule_leap_second(time_zero, LeapSecond::insert, LeapHandling::smear);
  EXPECT_EQ(clock.realtime_error(Time(hours(12))), Duration(0));
  // In the middle of the smear, at the leap second itself, the clock is half a second behind.
  const Duration middle = hours(24) + milliseconds(500);
  EXPECT_LE(std::abs((clock.realtime_error(Time(middle)) + milliseconds(500)).count()), 2'000);
  const Duration end = hours(36) + seconds(1);
  EXPECT_LE(std::abs((clock.realtime_error(Time(end)) + seconds(1)).count()), 2'000);
  EXPECT_EQ(clock.realtime_error(Time(end + seconds(1))), seconds(-1));
  EXPECT_FALSE(clock.slewing(Time(end + seconds(1))));
  // Nothing jumps on the way.
  Duration last = clock.realtime_error(time_zero);
  for (Duration now = hours(11); now < hours(38); now += seconds(7)) {
    const Duration error = clock.realtime_error(Time(now));
    EXPECT_LE(std::abs((error - last).count()), 90'000);
    last = error;
  }
}

TEST(HostClock, AStepPastTheLeapSecondForgetsIt) {
  HostClock clock;
  clock.schedule_leap_second(time_zero, LeapSecond::insert, LeapHandling::step);
  clock.step(Time(hours(1)), hours(22));
  EXPECT_TRUE(clock.leap_second_pending(Time(hours(1))));
  clock.step(Time(hours(1)), hours(2));
  EXPECT_FALSE(clock.leap_second_pending(Time(hours(1))));
  EXPECT_EQ(clock.realtime_error(Time(hours(60))), hours(24));
}

TEST(HostClock, ABootOffsetPastTheLeapSecondForgetsIt) {
  HostClock clock;
  clock.schedule_leap_second(time_zero, LeapSecond::insert, LeapHandling::step);
  clock.set_boot_offset(hours(30));
  clock.boot(Time(seconds(1)));
  EXPECT_FALSE(clock.leap_second_pending(Time(seconds(1))));
  EXPECT_EQ(clock.realtime_error(Time(seconds(1))), hours(30));
}

TEST(HostClock, FrozenRealtimeStandsStillAndGoesOnBehind) {
  HostClock clock;
  clock.schedule_leap_second(time_zero, LeapSecond::insert, LeapHandling::step);
  clock.freeze_realtime(Time(seconds(10)));
  EXPECT_TRUE(clock.frozen());
  EXPECT_EQ(realtime_after(clock, hours(30)), 10'000'000);
  EXPECT_EQ(clock.monotonic(Time(hours(30))), hours(30));
  EXPECT_TRUE(clock.leap_second_pending(Time(hours(30))));
  clock.step(Time(hours(30)), seconds(5));
  EXPECT_EQ(realtime_after(clock, hours(30)), 15'000'000);
  clock.thaw(Time(hours(30)));
  EXPECT_EQ(realtime_after(clock, hours(30) + seconds(1)), 16'000'000);
  EXPECT_EQ(clock.to_true(Time(hours(30)), seconds(1)), seconds(1));
}

TEST(HostClock, FrozenClocksStandStillAndNoWaitEnds) {
  HostClock clock;
  clock.slew(time_zero, seconds(1), seconds(100));
  clock.freeze(Time(seconds(50)));
  EXPECT_EQ(clock.monotonic(Time(seconds(80))), milliseconds(50'500));
  EXPECT_EQ(realtime_after(clock, seconds(80)), 50'500'000);
  EXPECT_EQ(clock.to_true(Time(seconds(80)), Duration(1)), Duration::max());
  clock.thaw(Time(seconds(80)));
  EXPECT_EQ(clock.monotonic(Time(seconds(130))), seconds(101)) << "the slew goes on as well";
  EXPECT_FALSE(clock.slewing(Time(seconds(130))));
}

TEST(HostClock, SynchroniseEndsEveryDisturbance) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, 1000);
  clock.slew(time_zero, seconds(1), seconds(100));
  clock.schedule_leap_second(time_zero, LeapSecond::insert, LeapHandling::step);
  clock.step(Time(seconds(1)), hours(5));
  clock.freeze(Time(seconds(2)));
  const Duration monotonic = clock.monotonic(Time(seconds(9)));
  clock.synchronise(Time(seconds(9)));
  EXPECT_EQ(clock.realtime_error(Time(hours(100))), Duration(0));
  EXPECT_EQ(clock.monotonic(Time(seconds(10))), monotonic + seconds(1));
  EXPECT_EQ(clock.drift_ppm(), 0);
}

TEST(HostClock, HoldsForACentury) {
  HostClock clock;
  const Time century = Time(hours(24 * 36'525));
  clock.set_drift_ppm(time_zero, 999'999);
  EXPECT_EQ(clock.monotonic(century), Duration(hours(24 * 36'525)) / 1'000'000 * 1'999'999);
  clock.set_drift_ppm(century, -999'999);
  EXPECT_EQ(clock.to_true(century, hours(1)), hours(1'000'000));
}

}  // namespace
}  // namespace polarsim::sim
