// Programs that only use the scheduler: exclusion, order of values, ends of nurseries, times of wakings.
#include <memory>
#include <mutex>
#include <stdexcept>

#include "sim/exercise/world.h"
#include "sim/sync.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

void rest(Host& host, RandomStream& random, Duration longest) {
  if (random.chance(0.3)) return host.scheduler().yield();
  host.sleep_for(random.between(Duration(0), longest));
}

}  // namespace

void exclude_each_other(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Mutex mutex(host.scheduler());
  std::int64_t inside = 0;
  const auto enter = [&] {
    for (int i = 0; i < 4; ++i) {
      rest(host, random, 30ms);
      const std::lock_guard lock(mutex);
      const Presence presence(inside);
      world.require(inside == 1, "mutual-exclusion", [&] { return std::to_string(inside) + " tasks are inside"; });
      rest(host, random, 10ms);
    }
  };
  while (!world.faults_over()) {
    Nursery contenders(host.scheduler(), label);
    std::vector<TaskRef> tasks;
    const std::int64_t count = random.between(1, 5);
    for (std::int64_t i = 0; i < count; ++i) tasks.push_back(contenders.spawn("contender", enter));
    rest(host, random, 60ms);
    if (random.chance(0.4)) host.scheduler().cancel(random.pick(tasks));
    contenders.wait();
    world.require(!mutex.held() && inside == 0, "mutual-exclusion", [] { return "nobody is left, yet it is held"; });
    world.count("mutex released");
    host.sleep_for(random.between(Duration(0), 100ms));
  }
}

void pass_values(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    Channel<std::pair<std::size_t, std::uint64_t>> channel(host.scheduler());
    const auto producers = static_cast<std::size_t>(random.between(1, 3));
    std::uint64_t pushed = 0;
    std::uint64_t popped = 0;
    std::vector<std::uint64_t> next(producers, 0);
    const auto consume = [&] {
      while (!channel.closed() || channel.size() > 0) {
        const Duration patience = random.between(Duration(0), 50ms);
        const auto value = channel.pop("a value", deadline_after(world.now(), patience));
        if (!value) continue;
        ++popped;
        // One consumer at a time takes, so each producer's values come in their order.
        world.require(next[value->first]++ == value->second, "channel-order",
                      [&] { return "producer " + std::to_string(value->first); });
        if (random.chance(0.3)) rest(host, random, 5ms);
      }
    };
    Nursery consumers(host.scheduler(), label + "/consumers");
    consumers.spawn("consumer", consume);
    consumers.spawn("consumer", consume);
    Nursery sources(host.scheduler(), label + "/producers");
    for (std::size_t producer = 0; producer < producers; ++producer) {
      sources.spawn("producer", [&, producer] {
        for (std::uint64_t i = 0; i < 6; ++i) {
          rest(host, random, 15ms);
          channel.push({producer, i});
          ++pushed;
        }
      });
    }
    sources.wait();
    channel.close();
    consumers.wait();
    world.require(pushed == popped, "channel-loss",
                  [&] { return std::to_string(popped) + " of " + std::to_string(pushed) + " values came out"; });
    world.count("channel drained");
    host.sleep_for(random.between(Duration(0), 200ms));
  }
}

namespace {

struct Family {
  Host& host;
  RandomStream& random;
  std::int64_t alive = 0;
};

void live(Family& family, int depth) {
  const Presence presence(family.alive);
  rest(family.host, family.random, 20ms);
  if (depth == 0) {
    if (family.random.chance(0.1)) throw std::runtime_error("a child's failure");
    return;
  }
  Nursery children(family.host.scheduler(), "children");
  const std::int64_t count = family.random.between(0, 3);
  for (std::int64_t i = 0; i < count; ++i) children.spawn("child", [&family, depth] { live(family, depth - 1); });
  rest(family.host, family.random, 20ms);
  if (family.random.chance(0.5)) children.wait();  // else they are cancelled
}

}  // namespace

void raise_children(World& world, Host& host, const std::string& label) {
  Family family{host, host.random(label)};
  while (!world.faults_over()) {
    bool failed = false;
    try {
      live(family, 3);
    } catch (const std::runtime_error&) {
      failed = true;
    }
    world.require(family.alive == 0, "nursery", [&] { return std::to_string(family.alive) + " children outlived it"; });
    world.count(failed ? "nursery failed" : "nursery ended");
    host.sleep_for(family.random.between(Duration(0), 200ms));
  }
}

namespace {

void check_timer(World& world, RandomStream& random) {
  const Time due = deadline_after(world.now(), random.between(Duration(0), 50ms));
  auto fired = std::make_shared<bool>(false);
  const TimerId timer = world.scheduler().call_at(due, [&world, due, fired] {
    world.require(world.now() == due && !*fired, "timer", [] { return "fired at another time, or twice"; });
    *fired = true;
  });
  const Duration wait = random.between(Duration(0), 60ms);
  world.scheduler().sleep_for(wait);
  const bool was_fired = *fired;
  const bool cancelled = world.scheduler().cancel_timer(timer);
  world.require(cancelled != was_fired, "timer", [] { return "cancelled after it fired, or never fired"; });
  world.require(was_fired || world.now() <= due, "timer", [] { return "it is late"; });
}

void check_sleep(World& world, Host& host, RandomStream& random) {
  const std::uint64_t changes = world.clock_changes(host.name());
  const Duration wait = random.between(Duration(0), 50ms);
  const Duration before = host.clock().monotonic(world.now());
  host.sleep_for(wait);
  const Duration passed = host.clock().monotonic(world.now()) - before;
  if (world.clock_changes(host.name()) != changes) return;
  // The clock counts whole nanoseconds; a fast clock may show a few more than were asked for.
  world.require(passed >= wait && passed <= wait + 10ns, "sleep", [&] {
    return host.name() + " slept " + std::to_string(passed.count()) + " ns of " + std::to_string(wait.count());
  });
}

void check_event(World& world, Host& host, RandomStream& random) {
  Event event(host.scheduler());
  Nursery setters(host.scheduler(), "setters");
  const Duration delay = random.between(Duration(0), 50ms);
  const Duration patience = random.between(Duration(0), 50ms);
  setters.spawn("setter", [&] {
    host.scheduler().sleep_for(delay);
    event.set();
  });
  const Time start = world.now();
  const bool seen = event.wait("the setter", deadline_after(start, patience));
  const Duration waited = world.now() - start;
  world.require(waited == std::min(delay, patience), "event", [&] { return std::to_string(waited.count()) + " ns"; });
  world.require(delay == patience || seen == (delay < patience), "event",
                [] { return "seen and not set, or not seen"; });
}

}  // namespace

void keep_time(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    const std::uint64_t kind = random.below(3);
    if (kind == 0) check_timer(world, random);
    if (kind == 1) check_sleep(world, host, random);
    if (kind == 2) check_event(world, host, random);
    world.count("time kept");
    host.scheduler().yield();
  }
}

}  // namespace polarsim::sim::exercise
