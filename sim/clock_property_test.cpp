// The clock against a reference that only counts: one nanosecond of true time after another.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "sim/clock.h"

namespace polarsim::sim {
namespace {

__extension__ using Int128 = __int128;
constexpr std::int64_t trillion = 1'000'000'000'000;
constexpr std::int64_t day_ns = 86'400LL * 1'000'000'000;
constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t floor_of(Int128 fine) {
  return static_cast<std::int64_t>(fine >= 0 ? fine / trillion : -((-fine + trillion - 1) / trillion));
}

// The documented behaviour, tick by tick. Fine time counts 10^-12 ns.
struct ReferenceClock {
  Int128 elapsed = 0;
  std::int64_t boot = 0;
  std::int64_t ahead = 0;  // realtime minus elapsed
  std::int64_t stuck = 0;  // realtime while it is frozen
  std::int64_t drift = 0, slew = 0, slew_ticks = 0;
  bool frozen = false, realtime_frozen = false;
  int leap = 0;
  bool smear = false;
  std::int64_t leap_at = 0;

  std::int64_t elapsed_ns() const { return floor_of(elapsed); }
  std::int64_t monotonic() const { return elapsed_ns() - boot; }
  std::int64_t realtime() const { return realtime_frozen ? stuck : elapsed_ns() + ahead; }

  void leap_if_due() {
    if (leap == 0 || frozen || realtime_frozen || realtime() < leap_at) return;
    const int gained = leap;
    leap = 0;
    if (smear) {
      start_slew(gained * second_ns, day_ns - gained * second_ns);
    } else {
      ahead += gained * second_ns;
    }
  }
  void tick() {
    leap_if_due();
    if (!frozen) {
      elapsed += std::max<std::int64_t>(trillion + drift + slew, 1'000'000);
      if (slew != 0 && --slew_ticks == 0) slew = 0;
    }
    leap_if_due();
  }
  void start_slew(std::int64_t by, std::int64_t over) {
    slew = 0;
    if (by == 0) return;
    const Int128 rate = Int128(by) * trillion / std::max<std::int64_t>(over, 1);
    slew = static_cast<std::int64_t>(std::clamp<Int128>(rate, -100'000'000'000, 100'000'000'000));
    if (slew == 0) slew = by < 0 ? -1 : 1;
    slew_ticks = static_cast<std::int64_t>(Int128(by) * trillion / slew);
  }
  void set_leap(int gained, bool smeared) {
    const std::int64_t now = realtime();
    const std::int64_t passed = now >= 0 ? now / day_ns : -((-now + day_ns - 1) / day_ns);
    const std::int64_t midnight = (passed + 1) * day_ns;
    leap = gained;
    smear = smeared;
    leap_at = smeared ? midnight - day_ns / 2 : gained < 0 ? midnight : midnight - second_ns;
  }
};

class Comparison {
 public:
  void run(int operations) {
    for (int i = 0; i < operations; ++i) {
      pass(*rc::gen::inRange(0, 300));
      const std::int64_t before = reference_.monotonic();
      const bool boots = change();
      RC_ASSERT(boots || clock_.monotonic(now_).count() == before);
      compare();
    }
  }

 private:
  // To the clock time passes at once; the reference counts, and every reading on the way is compared.
  void pass(int ticks) {
    std::int64_t last = clock_.monotonic(now_).count();
    for (int i = 0; i < ticks; ++i) {
      reference_.tick();
      now_ += Duration(1);
      compare();
      RC_ASSERT(clock_.monotonic(now_).count() >= last);
      last = clock_.monotonic(now_).count();
    }
  }

  void compare() {
    RC_ASSERT(clock_.elapsed(now_).count() == reference_.elapsed_ns());
    RC_ASSERT(clock_.monotonic(now_).count() == reference_.monotonic());
    RC_ASSERT((clock_.realtime_error(now_) + now_.time_since_epoch()).count() == reference_.realtime());
    RC_ASSERT(clock_.slewing(now_) == (reference_.slew != 0));
  }

  void check_wait() {
    const std::int64_t local = *rc::gen::inRange(0, 400);
    const Duration wait = clock_.to_true(now_, Duration(local));
    ReferenceClock future = reference_;
    const std::int64_t target = future.elapsed_ns() + local;
    std::int64_t ticks = 0;
    while (future.elapsed_ns() < target && ticks < 6'000) {
      future.tick();
      ++ticks;
    }
    if (future.elapsed_ns() >= target) {
      RC_ASSERT(wait.count() == ticks);
    } else {
      RC_ASSERT(wait.count() > ticks);
    }
    if (reference_.frozen && local > 0) RC_ASSERT(wait == Duration::max());
  }

  // True if the host boots.
  bool change() {
    switch (*rc::gen::inRange(0, 10)) {
      case 0: {
        const int ppm = *rc::gen::inRange(-999'999, 1'000'000);
        clock_.set_drift_ppm(now_, ppm);
        reference_.drift = std::int64_t{ppm} * 1'000'000;
        return false;
      }
      case 1:
        step(*rc::gen::inRange<std::int64_t>(-1000, 1000));
        return false;
      case 2:
        // To shortly before the next noon or midnight, where a leap second is waiting.
        step((day_ns / 2) - (reference_.realtime() % (day_ns / 2)) - *rc::gen::inRange<std::int64_t>(1, 400));
        return false;
      case 3: {
        const auto by = *rc::gen::inRange<std::int64_t>(-50, 50);
        const auto over = *rc::gen::inRange<std::int64_t>(0, 1500);
        clock_.slew(now_, Duration(by), Duration(over));
        reference_.start_slew(by, over);
        return false;
      }
      case 4: {
        const bool insert = *rc::gen::arbitrary<bool>();
        const bool smear = *rc::gen::arbitrary<bool>();
        clock_.schedule_leap_second(now_, insert ? LeapSecond::insert : LeapSecond::remove,
                                    smear ? LeapHandling::smear : LeapHandling::step);
        reference_.set_leap(insert ? -1 : 1, smear);
        reference_.leap_if_due();
        return false;
      }
      case 5:
        clock_.freeze(now_);
        reference_.frozen = true;
        return false;
      case 6:
        clock_.freeze_realtime(now_);
        reference_.stuck = reference_.realtime();
        reference_.realtime_frozen = true;
        return false;
      case 7:
        clock_.thaw(now_);
        if (reference_.realtime_frozen) reference_.ahead = reference_.stuck - reference_.elapsed_ns();
        reference_.frozen = reference_.realtime_frozen = false;
        reference_.leap_if_due();
        return false;
      case 8:
        clock_.boot(now_);
        reference_.boot = reference_.elapsed_ns();
        reference_.slew = 0;
        return true;
      default:
        check_wait();
        return false;
    }
  }

  void step(std::int64_t by) {
    clock_.step(now_, Duration(by));
    (reference_.realtime_frozen ? reference_.stuck : reference_.ahead) += by;
    if (reference_.leap != 0 && reference_.realtime() >= reference_.leap_at) reference_.leap = 0;
  }

  HostClock clock_;
  ReferenceClock reference_;
  Time now_ = time_zero;
};

RC_GTEST_PROP(HostClockProperty, EveryReadingIsThatOfTheReference, ()) {
  Comparison comparison;
  comparison.run(*rc::gen::inRange(1, 30));
}

// Ten years in nanoseconds, with a bias towards small values by RapidCheck's size.
rc::Gen<std::int64_t> any_elapsed() { return rc::gen::inRange<std::int64_t>(0, 315'360'000'000'000'000); }
rc::Gen<double> any_drift() {
  return rc::gen::map(rc::gen::inRange<int>(-900'000, 900'001), [](int ppm) { return static_cast<double>(ppm) / 3; });
}

RC_GTEST_PROP(HostClockProperty, ReadingsDoNotDependOnHowOftenTheClockIsTouched, ()) {
  const double drift = *any_drift();
  const auto slew = *rc::gen::inRange<std::int64_t>(-10'000'000'000, 10'000'000'000);
  const auto over = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
  HostClock undisturbed, touched;
  for (HostClock* clock : {&undisturbed, &touched}) {
    clock->set_drift_ppm(time_zero, drift);
    clock->slew(time_zero, Duration(slew), Duration(over));
  }
  Time now = time_zero;
  for (int i = 0; i < 10; ++i) {
    now += Duration(*any_elapsed() / 10);
    touched.step(now, Duration(0));
    RC_ASSERT(touched.monotonic(now) == undisturbed.monotonic(now));
    RC_ASSERT(touched.realtime_error(now) == undisturbed.realtime_error(now));
  }
}

RC_GTEST_PROP(HostClockProperty, ToTrueIsTheShortestSufficientWait, ()) {
  HostClock clock;
  clock.set_drift_ppm(time_zero, *any_drift());
  clock.slew(time_zero, Duration(*rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000)),
             Duration(*any_elapsed()));
  const Time now = Time(Duration(*any_elapsed() / 10));
  const Duration local(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000));
  const Duration wait = clock.to_true(now, local);
  RC_ASSERT(wait >= Duration(1));
  RC_ASSERT(clock.monotonic(now + wait) - clock.monotonic(now) >= local);
  RC_ASSERT(clock.monotonic(now + wait - Duration(1)) - clock.monotonic(now) < local);
}

}  // namespace
}  // namespace polarsim::sim
