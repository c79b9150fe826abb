// Permits, promises, and stalls: more programs that only use the scheduler.
#include "sim/sync.h"

#include <array>
#include <memory>
#include <stdexcept>

#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

void enter_with_permit(World& world, Host& host, RandomStream& random, Semaphore& permits, std::int64_t& inside,
                       std::int64_t most) {
  for (int i = 0; i < 3; ++i) {
    const bool patient = random.chance(0.5);
    const Duration wait = random.between(Duration(0), 30ms);
    host.sleep_for(random.between(Duration(0), 20ms));
    const Time deadline = patient ? never : deadline_after(world.now(), wait);
    const SemaphoreGuard guard(permits, "a permit", deadline);
    if (!guard.held()) {
      world.require(world.now() >= deadline, "semaphore", [] { return "given up before the deadline"; });
      world.count("permit timed out");
      continue;
    }
    const Presence presence(inside);
    world.require(inside <= most, "semaphore", [&] { return std::to_string(inside) + " are inside"; });
    world.check_running(host);
    host.sleep_for(random.between(Duration(0), 20ms));
  }
}

}  // namespace

void share_permits(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    const std::int64_t most = random.between(1, 3);
    Semaphore permits(host.scheduler(), static_cast<std::uint64_t>(most));
    std::int64_t inside = 0;
    std::vector<TaskRef> tasks;
    Nursery holders(host.scheduler(), label);
    const std::int64_t count = random.between(1, 6);
    for (std::int64_t i = 0; i < count; ++i) {
      tasks.push_back(
          holders.spawn("holder", [&] { enter_with_permit(world, host, random, permits, inside, most); }));
    }
    for (int i = 0; i < 3; ++i) {
      host.sleep_for(random.between(Duration(0), 30ms));
      // It may be the one to which a permit has just been handed.
      if (random.chance(0.3)) host.scheduler().cancel(random.pick(tasks));
    }
    holders.wait();
    world.require(permits.available() == static_cast<std::uint64_t>(most) && inside == 0, "semaphore", [&] {
      return std::to_string(permits.available()) + " of " + std::to_string(most) + " permits are left";
    });
    world.count("permits returned");
  }
}

namespace {

enum class Ending : std::uint8_t { value, exception, broken };

// What a waiter got, and when. It may only be what the promise came to, not before, and not later than at once.
void await(World& world, Host& host, RandomStream& random, const Future<std::uint64_t>& future, Ending ending,
           Time due, std::uint64_t disturbances) {
  const bool patient = random.chance(0.5);
  const Duration wait = random.between(Duration(0), 40ms);
  const Time deadline = patient ? never : deadline_after(world.now(), wait);
  Ending got = Ending::value;
  try {
    const std::uint64_t* const value = future.get("the promise", deadline);
    if (value == nullptr) {
      const bool late = world.now() >= deadline;
      const bool disturbed = world.disturbances(host.name()) != disturbances;
      world.require(late && (disturbed || deadline <= due), "future", [] { return "given up though it was kept"; });
      world.count("promise not awaited");
      return;
    }
    world.require(*value == 42, "future", [&] { return "the value is " + std::to_string(*value); });
  } catch (const BrokenPromise&) {
    got = Ending::broken;
  } catch (const std::runtime_error&) {
    got = Ending::exception;
  }
  world.require(got == ending && world.now() >= due, "future", [] { return "another ending than the promise had"; });
  world.require(world.now() == due || world.disturbances(host.name()) != disturbances, "future",
                [] { return "the waiter was woken late"; });
  world.count(got == Ending::value ? "promise kept" : got == Ending::broken ? "promise broken" : "promise failed");
}

}  // namespace

void keep_promises(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    Promise<std::uint64_t> promise(host.scheduler());
    const Future<std::uint64_t> future = promise.future();
    const auto ending = static_cast<Ending>(random.below(3));
    const Duration delay = random.between(Duration(1), 40ms);
    const Time due = deadline_after(world.now(), delay);
    const std::uint64_t disturbances = world.disturbances(host.name());
    Nursery waiters(host.scheduler(), label);
    const std::int64_t count = random.between(1, 4);
    for (std::int64_t i = 0; i < count; ++i) {
      waiters.spawn("waiter", [&] { await(world, host, random, future, ending, due, disturbances); });
    }
    host.scheduler().sleep_for(delay);
    if (ending == Ending::value) promise.set_value(42);
    if (ending == Ending::exception) promise.set_exception(std::make_exception_ptr(std::runtime_error("a failure")));
    if (ending == Ending::broken) promise = Promise<std::uint64_t>(host.scheduler());
    waiters.wait();
    host.sleep_for(random.between(Duration(0), 60ms));
  }
}

void check_deadlock(World& world) {
  RandomStream& random = world.simulation().random("exercise/deadlock");
  Scheduler& scheduler = world.scheduler();
  const auto size = static_cast<std::size_t>(random.between(2, 5));
  const bool ring = random.chance(0.5);
  std::array<std::unique_ptr<Mutex>, 5> mutexes;
  for (auto& mutex : mutexes) mutex = std::make_unique<Mutex>(scheduler, "fork");
  std::vector<TaskRef> tasks;
  for (std::size_t i = 0; i < size; ++i) {
    tasks.push_back(scheduler.spawn("philosopher", [&, i] {
      std::size_t first = i;
      std::size_t second = (i + 1) % size;
      // The last takes them the other way round, unless a ring is wanted.
      if (!ring && i + 1 == size) std::swap(first, second);
      const std::lock_guard one(*mutexes[first]);
      scheduler.sleep_for(1ms);
      const std::lock_guard other(*mutexes[second]);
    }));
  }
  const GoalOutcome outcome = scheduler.run_until(tasks);
  world.require(outcome == (ring ? GoalOutcome::deadlock : GoalOutcome::finished), "deadlock", [&] {
    return std::to_string(size) + " tasks that lock in " + (ring ? "a ring: " : "an order: ") +
           scheduler.stall_report(10);
  });
  world.count(ring ? "deadlock found" : "no deadlock");
  for (const TaskRef& task : tasks) scheduler.cancel(task);
  scheduler.run();
}

}  // namespace polarsim::sim::exercise
