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
  std::vector<TaskRef> tasks;
  const auto enter = [&] {
    for (int i = 0; i < 4; ++i) {
      rest(host, random, 30ms);
      {
        const std::lock_guard lock(mutex);
        const Presence presence(inside);
        world.require(inside == 1, "mutual-exclusion", [&] { return std::to_string(inside) + " tasks are inside"; });
        rest(host, random, 10ms);
        world.check_running(host);
      }
      // It may be the one to which the mutex has just been handed, and which has not run since.
      if (random.chance(0.1)) host.scheduler().cancel(random.pick(tasks));
    }
  };
  while (!world.faults_over()) {
    tasks.clear();
    Nursery contenders(host.scheduler(), label);
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

namespace {

// A channel between several producers and consumers, some of which are cancelled.
class Market {
 public:
  using Item = std::pair<std::size_t, std::uint64_t>;  // producer, count

  Market(World& world, Host& host, RandomStream& random)
      : world_(world), host_(host), random_(random), channel_(host.scheduler(), draw_capacity(random)) {}

  void run(const std::string& label) {
    const auto producers = static_cast<std::size_t>(random_.between(1, 3));
    next_.assign(producers, 0);
    Nursery buyers(host_.scheduler(), label + "/consumers");
    // One is never cancelled, or a bounded channel would stay full.
    buyers.spawn("consumer", [this] { consume(); });
    for (int i = 0; i < 2; ++i) consumers_.push_back(buyers.spawn("consumer", [this] { consume(); }));
    Nursery sellers(host_.scheduler(), label + "/producers");
    for (std::size_t i = 0; i < producers; ++i) sellers.spawn("producer", [this, i] { produce(i); });
    sellers.wait();
    channel_.close();
    buyers.wait();
    while (const auto item = channel_.pop("what the cancelled left")) take(*item);
    world_.require(pushed_ == popped_, "channel-loss",
                   [&] { return std::to_string(popped_) + " of " + std::to_string(pushed_) + " values came out"; });
    world_.count("channel drained");
  }

 private:
  static std::size_t draw_capacity(RandomStream& random) {
    const bool bounded = random.chance(0.6);
    const auto capacity = static_cast<std::size_t>(random.between(1, 3));
    return bounded ? capacity : Channel<Item>::unbounded;
  }
  // Until it is in: a deadline that passes before leaves nothing behind.
  void push(const Item& item) {
    for (;;) {
      const bool patient = random_.chance(0.5);
      const Duration wait = random_.between(Duration(0), 20ms);
      const Time deadline = patient ? never : deadline_after(world_.now(), wait);
      if (channel_.push(item, "room for a value", deadline)) break;
      world_.require(world_.now() >= deadline, "channel-push", [] { return "given up before the deadline"; });
      world_.count("push timed out");
    }
    world_.require(channel_.size() <= channel_.capacity(), "channel-bound",
                   [&] { return std::to_string(channel_.size()) + " values are in it"; });
  }
  void produce(std::size_t producer) {
    for (std::uint64_t i = 0; i < 6; ++i) {
      rest(host_, random_, 15ms);
      push({producer, i});
      ++pushed_;
      last_push_ = world_.now();
      const std::uint64_t disturbances = world_.disturbances(host_.name());
      // It may be the one that has just been woken: another must get the value.
      if (random_.chance(0.1)) host_.scheduler().cancel(random_.pick(consumers_));
      host_.scheduler().sleep_for(1ns);
      // What another producer pushed at this very instant may not have woken anybody yet.
      const bool settled = last_push_ != world_.now() && disturbances == world_.disturbances(host_.name());
      world_.require(!settled || channel_.size() == 0 || idle_ == 0, "channel-sleeps",
                     [] { return "a consumer waits though there is a value"; });
    }
  }
  void consume() {
    while (!channel_.closed() || channel_.size() > 0) {
      const bool patient = random_.chance(0.5);
      const Duration wait = random_.between(Duration(0), 50ms);
      std::optional<Item> item;
      {
        const Presence presence(idle_);
        item = channel_.pop("a value", patient ? never : deadline_after(world_.now(), wait));
      }
      if (!item) continue;
      take(*item);
      if (random_.chance(0.3)) rest(host_, random_, 5ms);
    }
  }
  void take(const Item& item) {
    ++popped_;
    world_.require(next_[item.first]++ == item.second, "channel-order",
                   [&] { return "producer " + std::to_string(item.first); });
  }

  World& world_;
  Host& host_;
  RandomStream& random_;
  Channel<Item> channel_;
  std::vector<TaskRef> consumers_;
  std::vector<std::uint64_t> next_;  // of each producer: the count that must come next
  Time last_push_ = time_zero;
  std::uint64_t pushed_ = 0;
  std::uint64_t popped_ = 0;
  std::int64_t idle_ = 0;
};

}  // namespace

void pass_values(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    Market(world, host, random).run(label);
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

// Children of different lengths in a nursery with a deadline: all end by then, and it says whether some had to.
void raise_until_deadline(World& world, Host& host, RandomStream& random) {
  const Duration patience = random.between(Duration(1), 60ms);
  const bool cancels = random.chance(0.5);
  const std::uint64_t disturbances = world.disturbances(host.name());
  const Time start = world.now();
  const Time deadline = deadline_after(start, patience);
  Duration longest{0};
  std::uint64_t ended = 0;
  bool failed = false;
  const std::int64_t count = random.between(1, 4);
  const bool one_fails = random.chance(0.3);
  const Duration failing = random.between(Duration(0), 60ms);
  Nursery children(host.scheduler(), "in time", NurseryOptions{deadline, cancels});
  for (std::int64_t i = 0; i < count; ++i) {
    const Duration length = random.between(Duration(0), 60ms);
    longest = std::max(longest, length);
    children.spawn("child", [&, length] {
      host.scheduler().sleep_for(length);
      ++ended;
    });
  }
  if (one_fails) {
    children.spawn("failing child", [&] {
      host.scheduler().sleep_for(failing);
      throw std::runtime_error("a child's failure");
    });
  }
  try {
    children.wait();
  } catch (const std::runtime_error&) {
    failed = true;
  }
  world.require(children.size() == 0, "nursery", [] { return "children outlive the wait"; });
  if (world.disturbances(host.name()) != disturbances) return;
  world.require(world.now() <= deadline, "nursery-deadline", [&] {
    return "ended " + std::to_string((world.now() - deadline).count()) + " ns after its deadline";
  });
  // What is due at the deadline itself may go either way.
  if (failing == patience || longest == patience || failing == longest) return;
  const bool fails = one_fails && failing < patience;
  const bool cut_short = cancels && fails && failing < longest;
  const Duration natural = cut_short ? failing : one_fails ? std::max(longest, failing) : longest;
  world.require(failed == fails && children.expired() == (natural > patience), "nursery-deadline", [&] {
    return std::string(children.expired() ? "expired" : "not expired") + " after " + std::to_string(natural.count()) +
           " ns of " + std::to_string(patience.count());
  });
  const bool all = !cut_short && longest < patience;
  world.require(!all || ended == static_cast<std::uint64_t>(count), "nursery-deadline",
                [&] { return std::to_string(ended) + " children ended of " + std::to_string(count); });
  world.count(children.expired() ? "nursery expired" : "nursery in time");
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
    raise_until_deadline(world, host, family.random);
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
  const std::uint64_t disturbances = world.disturbances(host.name());
  const Duration wait = random.between(Duration(0), 50ms);
  const Duration before = host.clock().monotonic(world.now());
  host.sleep_for(wait);
  const Duration passed = host.clock().monotonic(world.now()) - before;
  // Never too short, whatever happens to the clock in between.
  world.require(passed >= wait, "sleep", [&] {
    return host.name() + " slept " + std::to_string(passed.count()) + " ns of " + std::to_string(wait.count());
  });
  if (world.disturbances(host.name()) != disturbances) return;
  // The clock counts whole nanoseconds; a fast clock may show a few more than were asked for.
  world.require(passed <= wait + 10ns, "sleep", [&] {
    return host.name() + " slept " + std::to_string(passed.count()) + " ns for " + std::to_string(wait.count());
  });
}

// A callback on the host's own clock: once, not before its time, and not after it was taken back.
void check_call(World& world, Host& host, RandomStream& random) {
  const Duration wait = random.between(Duration(0), 50ms);
  const Duration patience = random.between(Duration(0), 60ms);
  const Duration due = host.clock().monotonic(world.now()) + wait;
  auto calls = std::make_shared<int>(0);
  const HostTimerId timer = host.call_in(wait, [&world, &host, due, calls] {
    world.require(++*calls == 1 && host.clock().monotonic(world.now()) >= due && !host.paused(), "call",
                  [&] { return host.name() + " was called early, twice or in a pause"; });
  });
  host.sleep_for(patience);
  const bool called = *calls > 0;
  world.require(host.cancel_call(timer) != called, "call", [] { return "taken back after it ran, or lost"; });
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
  const std::uint64_t disturbances = world.disturbances(host.name());
  const bool seen = event.wait("the setter", deadline_after(start, patience));
  const Duration waited = world.now() - start;
  if (world.disturbances(host.name()) != disturbances) return;  // a pause may have held it up
  world.require(waited == std::min(delay, patience), "event", [&] { return std::to_string(waited.count()) + " ns"; });
  world.require(delay == patience || seen == (delay < patience), "event",
                [] { return "seen and not set, or not seen"; });
}

}  // namespace

void keep_time(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    const std::uint64_t kind = random.below(4);
    world.check_running(host);
    if (kind == 0) check_timer(world, random);
    if (kind == 1) check_sleep(world, host, random);
    if (kind == 2) check_event(world, host, random);
    if (kind == 3) check_call(world, host, random);
    world.count("time kept");
    host.scheduler().yield();
  }
}

}  // namespace polarsim::sim::exercise
