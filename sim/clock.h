// A host's view of time.
//
// There is one true time (Scheduler::now); each host reads it through its own clock, which may run fast or slow and
// whose realtime may be set wrong. Two readings exist, as on a real machine (clock_gettime(2)):
//
//   monotonic  never steps, starts at zero at boot. Timers of a host follow it (Host::sleep_for, Host::call_in).
//   realtime   has an epoch, survives reboots and may be stepped, forwards and backwards.
//
// What changes which reading:
//
//                          monotonic        realtime
//   drift                  rate             rate             the oscillator is off
//   slew, leap smear       rate             rate             as CLOCK_MONOTONIC is subject to adjtime(3)
//   step, boot offset      -                jumps            as clock_settime(2)
//   leap second            -                repeats or skips a second, as Linux does (TIME_INS, TIME_DEL)
//   freeze_realtime        -                stands still     a stuck time-of-day source
//   freeze                 stands still     stands still     a paused virtual machine
//
// Model. The host's elapsed time is a piecewise linear function of true time with rates in parts per 10^12; it is kept
// exactly, as an integer count of 10^-12 ns, and rounded down only when it is read. So readings do not depend on how
// often or when a clock is read or changed, and monotonic never goes back. Everything holds for a century of true time.
//
// Every call that takes `true_now` must not go back before the last change.
//
// Not modelled: jitter of single readings, different clocks of the processors of one machine, CLOCK_BOOTTIME (which
// counts a suspension) and CLOCK_TAI, the time daemon that decides on slews and steps: that is for a fault schedule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sim/time.h"

namespace polarsim::sim {

enum class LeapSecond : std::uint8_t {
  insert,  // 23:59:60 exists: realtime repeats 23:59:59, stepping back when it would show 00:00:00
  remove,  // 23:59:59 does not exist: realtime goes from 23:59:58 to 00:00:00
};

enum class LeapHandling : std::uint8_t {
  step,   // at the end of the day, as the Linux kernel does when told by NTP
  smear,  // linearly from noon before to noon after, as Google's and Amazon's public time services document
};

class HostClock {
 public:
  // Microseconds since the Unix epoch that true time zero shows on an undisturbed clock: 2026-01-01T00:00:00Z.
  static constexpr std::int64_t epoch_us = 1'767'225'600'000'000;
  // The fastest slew. chrony's maxslewrate cannot be set beyond it either.
  static constexpr double slew_ppm_max = 100'000;

  // --- readings ---
  // Realtime in microseconds since the Unix epoch, as PostgreSQL's timestamps count.
  std::int64_t realtime_us(Time true_now) const;
  // Nanoseconds of the host's own monotonic clock since its last boot.
  Duration monotonic(Time true_now) const;
  // As monotonic(), but since the start of the simulation: boots do not reset it.
  Duration elapsed(Time true_now) const;
  // The shortest true duration after which the monotonic clock has advanced by at least `local`, changes that are
  // already due (the end of a slew, a smear) included. Zero for a `local` that is not positive; Duration::max() if
  // that time does not come, as on a frozen clock.
  Duration to_true(Time true_now, Duration local) const;
  // How far realtime is ahead of an undisturbed clock; negative if behind.
  Duration realtime_error(Time true_now) const;
  double drift_ppm() const { return drift_ppm_; }
  bool frozen() const { return state_.stopped || state_.realtime_stopped; }
  bool slewing(Time true_now) const { return at(true_now).slew_ppt != 0; }

  // --- changes, from `true_now` on ---
  // Parts per million; positive runs fast. |ppm| < 1'000'000. Resolved to a millionth of a ppm.
  void set_drift_ppm(Time true_now, double ppm);
  // Steps realtime by `by` (backwards if negative).
  void step(Time true_now, Duration by);
  // Spreads a step over `over` of true time, so that neither clock jumps. Exact to a nanosecond in the end. A slew
  // faster than slew_ppm_max takes as long as it needs at that rate. What is left of an earlier slew is given up, as
  // adjtime(3) does. Drift and slew together never slow a clock below a millionth of true speed.
  void slew(Time true_now, Duration by, Duration over);
  // Has the clock take a leap second at the end of the realtime day that starts at midnight + `days_ahead` days, seen
  // from the current reading (0: the coming midnight). One at a time: a later call replaces what is pending. A step
  // past the instant at which it takes effect forgets it. A smear is a slew, and ends an earlier one when it begins; it
  // begins at once, and so ends late, if the noon before has passed.
  void schedule_leap_second(Time true_now, LeapSecond leap, LeapHandling handling, std::uint32_t days_ahead = 0);
  bool leap_second_pending(Time true_now) const { return at(true_now).leap_by != 0; }
  // Realtime stands still until thaw(). Steps still move it.
  void freeze_realtime(Time true_now);
  // Both clocks stand still until thaw(). The host's tasks go on running: see Host::pause for the rest of a paused VM.
  void freeze(Time true_now);
  // Both clocks go on from where they stood, and so behind by the time that was lost.
  void thaw(Time true_now);
  // Realtime shows true time again and nothing disturbs it any more: no drift, slew, freeze or pending leap second.
  void synchronise(Time true_now);
  // At every boot from now on, realtime is set to true time plus `offset` (a machine whose battery-backed clock is
  // wrong). Without a value, which is the default, realtime survives reboots.
  void set_boot_offset(std::optional<Duration> offset) { boot_offset_ = offset; }
  // Restarts the monotonic clock at zero and ends a slew, which lived in the kernel. Drift, a freeze and a pending leap
  // second stay, the latter unless the boot offset sets realtime past it.
  void boot(Time true_now);

  // Called after every change that may move the true time at which a wait of the host ends. For Host.
  void on_rate_change(std::function<void()> observer) { observer_ = std::move(observer); }

 private:
  __extension__ using Int128 = __int128;

  // The clock at one instant, with everything that decides how it goes on from there.
  struct State {
    Time at = time_zero;
    Int128 elapsed = 0;  // 10^-12 ns since true time zero
    std::int64_t drift_ppt = 0;
    std::int64_t slew_ppt = 0;
    Duration slew_left{0};       // true time
    Duration realtime_ahead{0};  // of elapsed; since the epoch if realtime is stopped
    bool stopped = false;
    bool realtime_stopped = false;
    // A pending leap second: 0 is none. Takes effect when realtime since the epoch reaches `leap_at`.
    std::int64_t leap_by = 0;  // seconds that realtime gains
    LeapHandling leap_handling = LeapHandling::step;
    Duration leap_at{0};

    Duration elapsed_ns() const;
    Duration realtime() const;
    std::int64_t rate_ppt() const;
    // When the clock next changes on its own.
    Time next_change() const;
    // To a time not after the next change, and what that change does.
    void move(Time to);
    void change();
    void advance(Time to);
    void start_slew(Duration by, Duration over);
  };

  State at(Time true_now) const;
  void update(Time true_now) { state_ = at(true_now); }
  void forget_passed_leap_second();
  void changed();

  State state_;
  Time next_change_ = never;  // of state_
  Duration booted_at_{0};     // elapsed
  double drift_ppm_ = 0;
  std::optional<Duration> boot_offset_;
  std::function<void()> observer_;
};

}  // namespace polarsim::sim
