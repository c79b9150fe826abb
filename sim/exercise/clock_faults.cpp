// Faults of clocks, each with the reading that it must lead to.
#include <cmath>

#include "sim/exercise/faults.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

void ClockFaults::strike(Host& host) {
  world_.disturb(host.name());
  world_.record(host.name()).clock_struck_at = world_.now();
  switch (random_.below(6)) {
    case 0:
      world_.count("clock drifts");
      return host.clock().set_drift_ppm(world_.now(), static_cast<double>(random_.between(-300'000, 300'000)));
    case 1:
      return step(host);
    case 2:
      return slew(host);
    case 3:
      return leap(host);
    case 4:
      return freeze(host);
    default: {
      const Duration offset = random_.between(-100s, 100s);
      world_.record(host.name()).boot_offset = offset;
      return host.clock().set_boot_offset(offset);
    }
  }
}

void ClockFaults::step(Host& host) {
  const Duration by = random_.between(-10s, 10s);
  const Duration before = host.clock().realtime_error(world_.now());
  const Duration monotonic = host.clock().monotonic(world_.now());
  host.clock().step(world_.now(), by);
  const Duration gained = host.clock().realtime_error(world_.now()) - before;
  world_.require(gained == by && host.clock().monotonic(world_.now()) == monotonic, "clock-step", [&] {
    return host.name() + " gained " + std::to_string(gained.count()) + " ns of " + std::to_string(by.count());
  });
  world_.count("clock stepped");
}

void ClockFaults::expect_gain(Host& host, const char* what, Duration length, Duration expected) {
  if (host.clock().frozen()) return;
  const Time start = world_.now();
  const Duration before = host.clock().realtime_error(start);
  const double drift = std::abs(host.clock().drift_ppm());
  const std::uint64_t disturbances = world_.disturbances(host.name());
  const std::uint64_t life = host.incarnation();
  world_.scheduler().call_at(deadline_after(start, length), [=, this, &host] {
    if (world_.disturbances(host.name()) != disturbances || host.incarnation() != life || !host.up()) return;
    const Duration gained = host.clock().realtime_error(world_.now()) - before;
    const double slack = static_cast<double>(length.count()) * drift / 1e6 + 1000;
    world_.require(std::abs(static_cast<double>((gained - expected).count())) <= slack, what, [&] {
      return host.name() + " gained " + std::to_string(gained.count()) + " ns, not " + std::to_string(expected.count());
    });
    world_.count(what);
  });
}

void ClockFaults::slew(Host& host) {
  const Duration over = random_.between(1ms, 400ms);
  const Duration by = random_.between(-over / 20, over / 20);
  host.clock().slew(world_.now(), by, over);
  if (host.clock().leap_second_pending(world_.now())) return;
  expect_gain(host, "clock-slew", over, by);
}

void ClockFaults::leap(Host& host) {
  const bool smear = random_.chance(0.3);
  const bool insert = random_.chance(0.5);
  // To just before the end of the day.
  constexpr std::int64_t day_us = 86'400'000'000;
  const std::int64_t into_day = host.clock().realtime_us(world_.now()) % day_us;
  const Duration short_of = random_.between(1100ms, 1500ms);
  host.clock().step(world_.now(), std::chrono::microseconds(day_us - into_day) - short_of);
  host.clock().schedule_leap_second(world_.now(), insert ? LeapSecond::insert : LeapSecond::remove,
                                    smear ? LeapHandling::smear : LeapHandling::step);
  if (smear || host.clock().slewing(world_.now())) return;
  // A drift of -30% needs 2.2 seconds for 1.5; the leap itself is over at once.
  if (std::abs(host.clock().drift_ppm()) > 1000) return;
  expect_gain(host, "leap-second", 1700ms, insert ? -1s : 1s);
}

void ClockFaults::freeze(Host& host) {
  const bool all = random_.chance(0.5);
  const Duration monotonic = host.clock().monotonic(world_.now());
  const std::int64_t realtime = host.clock().realtime_us(world_.now());
  if (all) {
    host.clock().freeze(world_.now());
  } else {
    host.clock().freeze_realtime(world_.now());
  }
  world_.count("clock frozen");
  const std::uint64_t disturbances = world_.disturbances(host.name());
  const std::uint64_t life = host.incarnation();
  const Time end = draw_end(world_, random_);
  world_.scheduler().call_at(end, [=, this, &host] {
    const bool alone = world_.disturbances(host.name()) == disturbances && host.incarnation() == life;
    const bool stood = host.clock().realtime_us(world_.now()) == realtime &&
                       (!all || host.clock().monotonic(world_.now()) == monotonic);
    world_.require(!alone || stood, "clock-freeze", [&] { return host.name() + " has a frozen clock that moves"; });
    world_.disturb(host.name());
    host.clock().thaw(world_.now());
  });
}

void ClockFaults::mend(Host& host) {
  world_.disturb(host.name());
  world_.record(host.name()).boot_offset = std::nullopt;
  host.clock().set_boot_offset(std::nullopt);
  host.clock().synchronise(world_.now());
  world_.require(host.clock().realtime_error(world_.now()) == Duration(0) && !host.clock().frozen() &&
                     !host.clock().leap_second_pending(world_.now()),
                 "clock-synchronise", [&] { return host.name() + " is not synchronised"; });
}

}  // namespace polarsim::sim::exercise
