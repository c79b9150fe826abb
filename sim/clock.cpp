#include "sim/clock.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {
namespace {

__extension__ using Int128 = __int128;

constexpr std::int64_t trillion = 1'000'000'000'000;
constexpr std::int64_t rate_ppt_min = trillion / 1'000'000;
constexpr std::int64_t slew_ppt_max = static_cast<std::int64_t>(HostClock::slew_ppm_max) * 1'000'000;
constexpr Duration second{1'000'000'000};
constexpr Duration day = 86'400 * second;

// Rounds down, also below zero. `divisor` is positive.
Int128 floor_divide(Int128 dividend, Int128 divisor) {
  const Int128 quotient = dividend / divisor;
  return dividend % divisor < 0 ? quotient - 1 : quotient;
}

Int128 ceil_divide(Int128 dividend, Int128 divisor) { return -floor_divide(-dividend, divisor); }

Duration saturated(Int128 count) {
  constexpr Int128 largest = std::numeric_limits<std::int64_t>::max();
  return Duration(static_cast<std::int64_t>(std::min(count, largest)));
}

}  // namespace

// --- the clock at one instant ---

Duration HostClock::State::elapsed_ns() const {
  return Duration(static_cast<std::int64_t>(floor_divide(elapsed, trillion)));
}

Duration HostClock::State::realtime() const {
  return realtime_stopped ? realtime_ahead : elapsed_ns() + realtime_ahead;
}

std::int64_t HostClock::State::rate_ppt() const {
  return stopped ? 0 : std::max(trillion + drift_ppt + slew_ppt, rate_ppt_min);
}

Time HostClock::State::next_change() const {
  if (stopped) return never;
  Time next = never;
  if (slew_ppt != 0) next = deadline_after(at, slew_left);
  if (leap_by != 0 && !realtime_stopped) {
    const Int128 missing = Int128((leap_at - realtime_ahead).count()) * trillion - elapsed;
    const Duration wait = missing <= 0 ? Duration(0) : saturated(ceil_divide(missing, rate_ppt()));
    next = std::min(next, deadline_after(at, wait));
  }
  return next;
}

void HostClock::State::move(Time to) {
  const Duration passed = to - at;
  POLARSIM_ASSERT(passed.count() >= 0, "a clock was asked about the time before its last change");
  elapsed += Int128(passed.count()) * rate_ppt();
  if (slew_ppt != 0 && !stopped) slew_left -= passed;
  at = to;
}

void HostClock::State::change() {
  if (slew_ppt != 0 && slew_left == Duration(0)) slew_ppt = 0;
  if (leap_by == 0 || realtime_stopped || realtime() < leap_at) return;
  const Duration gained = std::exchange(leap_by, 0) * second;
  if (leap_handling == LeapHandling::step) {
    realtime_ahead += gained;
  } else {
    // While realtime shows 24 hours, a second more or less passes.
    start_slew(gained, day - gained);
  }
}

void HostClock::State::advance(Time to) {
  for (Time next = next_change(); next <= to && next != never; next = next_change()) {
    move(next);
    change();
  }
  move(to);
}

void HostClock::State::start_slew(Duration by, Duration over) {
  slew_ppt = 0;
  if (by == Duration(0)) return;
  const Int128 gain = Int128(by.count()) * trillion;
  const Int128 wanted = gain / std::max<std::int64_t>(over.count(), 1);
  slew_ppt = static_cast<std::int64_t>(std::clamp<Int128>(wanted, -slew_ppt_max, slew_ppt_max));
  if (slew_ppt == 0) slew_ppt = by < Duration(0) ? -1 : 1;
  // The rate is resolved to 10^-12, so the time it needs is computed back from it.
  slew_left = saturated(gain / slew_ppt);
  if (slew_left == Duration(0)) slew_ppt = 0;
}

// --- readings ---

HostClock::State HostClock::at(Time true_now) const {
  State now = state_;
  if (true_now < next_change_) {
    now.move(true_now);
  } else {
    now.advance(true_now);
  }
  return now;
}

std::int64_t HostClock::realtime_us(Time true_now) const {
  const std::int64_t since_epoch_ns = at(true_now).realtime().count();
  // Rounds down also before the epoch, so that the reading never goes forward twice within a microsecond.
  return epoch_us + static_cast<std::int64_t>(floor_divide(since_epoch_ns, 1000));
}

Duration HostClock::elapsed(Time true_now) const { return at(true_now).elapsed_ns(); }

Duration HostClock::monotonic(Time true_now) const { return elapsed(true_now) - booted_at_; }

Duration HostClock::realtime_error(Time true_now) const {
  return at(true_now).realtime() - true_now.time_since_epoch();
}

Duration HostClock::to_true(Time true_now, Duration local) const {
  if (local.count() <= 0) return Duration(0);
  State future = at(true_now);
  const Int128 target = (Int128(future.elapsed_ns().count()) + local.count()) * trillion;
  for (;;) {
    const std::int64_t rate = future.rate_ppt();
    const Duration wait = rate == 0 ? Duration::max() : saturated(ceil_divide(target - future.elapsed, rate));
    const Time reached = deadline_after(future.at, wait);
    const Time next = future.next_change();
    if (reached == never && next == never) return Duration::max();
    if (reached <= next) return reached - true_now;
    future.move(next);
    future.change();
  }
}

// --- changes ---

void HostClock::changed() {
  next_change_ = state_.next_change();
  if (observer_) observer_();
}

void HostClock::set_drift_ppm(Time true_now, double ppm) {
  POLARSIM_ASSERT(std::fabs(ppm) < 1e6, "a clock cannot run backwards or more than twice as fast");
  update(true_now);
  drift_ppm_ = ppm;
  state_.drift_ppt = static_cast<std::int64_t>(ppm * 1e6);
  changed();
}

void HostClock::step(Time true_now, Duration by) {
  update(true_now);
  state_.realtime_ahead += by;
  forget_passed_leap_second();
  changed();
}

// After a jump of realtime: what it has jumped over must not take effect late.
void HostClock::forget_passed_leap_second() {
  if (state_.leap_by != 0 && state_.realtime() >= state_.leap_at) state_.leap_by = 0;
}

void HostClock::slew(Time true_now, Duration by, Duration over) {
  POLARSIM_ASSERT(over.count() >= 0, "a slew takes time");
  update(true_now);
  state_.start_slew(by, over);
  changed();
}

void HostClock::schedule_leap_second(Time true_now, LeapSecond leap, LeapHandling handling, std::uint32_t days_ahead) {
  update(true_now);
  // The epoch is a midnight, so whole days since then end at midnight.
  const auto days_passed = static_cast<std::int64_t>(floor_divide(state_.realtime().count(), day.count()));
  const Duration midnight = (days_passed + 1 + days_ahead) * day;
  state_.leap_by = leap == LeapSecond::insert ? -1 : 1;
  state_.leap_handling = handling;
  state_.leap_at = midnight;
  if (handling == LeapHandling::smear) {
    state_.leap_at = midnight - day / 2;
  } else if (leap == LeapSecond::remove) {
    state_.leap_at = midnight - second;
  }
  changed();
}

void HostClock::freeze_realtime(Time true_now) {
  update(true_now);
  if (state_.realtime_stopped) return;
  state_.realtime_ahead = state_.realtime();
  state_.realtime_stopped = true;
  changed();
}

void HostClock::freeze(Time true_now) {
  update(true_now);
  state_.stopped = true;
  changed();
}

void HostClock::thaw(Time true_now) {
  update(true_now);
  state_.stopped = false;
  if (std::exchange(state_.realtime_stopped, false)) state_.realtime_ahead -= state_.elapsed_ns();
  changed();
}

void HostClock::synchronise(Time true_now) {
  update(true_now);
  const State before = std::exchange(state_, State{});
  state_.at = true_now;
  state_.elapsed = before.elapsed;
  state_.realtime_ahead = true_now.time_since_epoch() - state_.elapsed_ns();
  drift_ppm_ = 0;
  changed();
}

void HostClock::boot(Time true_now) {
  update(true_now);
  booted_at_ = state_.elapsed_ns();
  state_.slew_ppt = 0;
  if (boot_offset_) {
    const Duration wanted = true_now.time_since_epoch() + *boot_offset_;
    state_.realtime_ahead = state_.realtime_stopped ? wanted : wanted - state_.elapsed_ns();
    forget_passed_leap_second();
  }
  changed();
}

}  // namespace polarsim::sim
