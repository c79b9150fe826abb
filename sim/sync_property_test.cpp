// Mutex, semaphore and channel as state machines: random steps with random deadlines and cancellations, against models
// that a reader can check by eye. What is handed to a task that is cancelled before it ran must reach the next one; so
// steps come in groups that happen at one instant, before any task runs.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;

// How a task's only operation stands.
enum class Status { waiting, holding, done, timed_out, cancelled, closed };

void showValue(Status status, std::ostream& out) { out << static_cast<int>(status); }

struct World {
  RunningDigest digest;
  ChoiceOracle choices{7, &digest};
  Scheduler scheduler{SchedulerOptions{SchedulingPolicy::fifo, 64 * 1024}, digest, choices};
  std::vector<TaskRef> tasks;
  std::vector<Status> status;

  ~World() { scheduler.shut_down(); }

  // `operation(i)` must leave the task's status.
  template <typename Operation>
  std::size_t spawn(Operation operation) {
    const std::size_t index = tasks.size();
    status.push_back(Status::waiting);
    tasks.push_back(scheduler.spawn("t", [this, index, operation] {
      try {
        operation(index);
      } catch (const TaskCancelled&) {
        status[index] = Status::cancelled;
        throw;
      }
    }));
    return index;
  }
  Time deadline_in(int wait) const { return wait == 0 ? never : deadline_after(scheduler.now(), milliseconds(wait)); }
  // Everything that can happen now.
  void settle() { scheduler.run(scheduler.now()); }
};

// A queue of waiters with deadlines, as every model has one.
struct ModelQueue {
  struct Waiter {
    std::size_t task;
    Time deadline;
  };
  std::deque<Waiter> waiters;

  bool remove(std::size_t task) {
    const auto found = std::find_if(waiters.begin(), waiters.end(), [task](const Waiter& w) { return w.task == task; });
    if (found == waiters.end()) return false;
    waiters.erase(found);
    return true;
  }
  void expire(Time now, std::vector<Status>& status) {
    std::erase_if(waiters, [&](const Waiter& waiter) {
      if (waiter.deadline > now) return false;
      status[waiter.task] = Status::timed_out;
      return true;
    });
  }
  std::optional<std::size_t> take_first() {
    if (waiters.empty()) return std::nullopt;
    const std::size_t task = waiters.front().task;
    waiters.pop_front();
    return task;
  }
};

// --- permits: a semaphore, and with one permit a mutex ---

struct PermitModel {
  std::uint64_t permits;
  ModelQueue queue;
  std::vector<Status> status;

  void acquire(std::size_t task, Time deadline) {
    status.push_back(Status::waiting);
    queue.waiters.push_back({task, deadline});
    if (permits > 0) {
      --permits;
      release();
    }
  }
  void release() {
    if (const auto next = queue.take_first()) {
      status[*next] = Status::holding;
    } else {
      ++permits;
    }
  }
  void finish(std::size_t task, Status as) {
    const bool held = status[task] == Status::holding;
    const bool waited = queue.remove(task);
    if (held || waited) status[task] = as;
    if (held) release();
  }
  std::vector<std::size_t> in(Status wanted) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < status.size(); ++i) {
      if (status[i] == wanted) found.push_back(i);
    }
    return found;
  }
};

// Tasks that acquire, hold until they are told to release, and then may cancel another one in the same breath.
template <typename Acquire, typename Release>
void check_permits(World& world, PermitModel& model, Acquire acquire, Release release) {
  std::vector<char> told;
  std::vector<std::optional<std::size_t>> victims;
  const auto hold = [&](std::size_t index, int wait) {
    if (!acquire(world.deadline_in(wait))) {
      world.status[index] = Status::timed_out;
      return;
    }
    // Of its own, because a task that is unwound at the end outlives this call.
    struct Holding {
      Release give_back;
      ~Holding() { give_back(); }
    };
    {
      const Holding holding{release};
      world.status[index] = Status::holding;
      while (told[index] == 0) world.scheduler.park("told");
    }
    world.status[index] = Status::done;
    if (victims[index]) world.scheduler.cancel(world.tasks[*victims[index]]);
  };
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const int choice = *rc::gen::inRange(0, 8);
    if (choice <= 2) {
      const int wait = *rc::gen::element(0, 0, 3, 8);
      told.push_back(0);
      victims.emplace_back();
      const std::size_t index = world.spawn([&hold, wait](std::size_t self) { hold(self, wait); });
      model.acquire(index, world.deadline_in(wait));
    } else if (choice <= 5) {
      const auto holders = model.in(Status::holding);
      if (holders.empty()) continue;
      const std::size_t holder = *rc::gen::elementOf(holders);
      // The waiter in front is about to be handed the permit.
      if (choice == 5 && !model.queue.waiters.empty()) victims[holder] = model.queue.waiters.front().task;
      told[holder] = 1;
      world.scheduler.wake(world.tasks[holder]);
      model.finish(holder, Status::done);
      if (victims[holder]) model.finish(*victims[holder], Status::cancelled);
    } else if (choice == 6 && !world.tasks.empty()) {
      const auto victim = *rc::gen::inRange<std::size_t>(0, world.tasks.size());
      world.scheduler.cancel(world.tasks[victim]);
      model.finish(victim, Status::cancelled);
    } else if (choice == 7) {
      const Time until = deadline_after(world.scheduler.now(), milliseconds(*rc::gen::inRange(1, 6)));
      world.scheduler.run(until);
      model.queue.expire(until, model.status);
    }
    world.settle();
    RC_ASSERT(world.status == model.status);
  }
}

RC_GTEST_PROP(SyncProperty, MutexActsLikeAQueueOfOwners, ()) {
  World world;
  Mutex mutex(world.scheduler);
  PermitModel model{1, {}, {}};
  check_permits(
      world, model, [&](Time deadline) { return mutex.try_lock_until(deadline); }, [&] { mutex.unlock(); });
  RC_ASSERT(mutex.held() == (model.permits == 0));
  world.scheduler.shut_down();
  RC_ASSERT(!mutex.held());
}

RC_GTEST_PROP(SyncProperty, SemaphoreActsLikeAQueueAndACounter, ()) {
  World world;
  const auto permits = *rc::gen::inRange<std::uint64_t>(0, 4);
  Semaphore semaphore(world.scheduler, permits);
  PermitModel model{permits, {}, {}};
  check_permits(
      world, model, [&](Time deadline) { return semaphore.acquire("test", deadline); }, [&] { semaphore.release(); });
  RC_ASSERT(semaphore.available() == model.permits);
  world.scheduler.shut_down();
  RC_ASSERT(semaphore.available() == permits);
}

// --- channel ---

struct ChannelModel {
  std::size_t capacity;
  std::deque<int> items;
  ModelQueue readers;
  ModelQueue writers;
  std::deque<std::size_t> promised;   // readers that have been woken for an item, in order
  std::deque<std::size_t> admitted;   // writers that have been woken for a place, in order
  std::map<std::size_t, int> values;  // of the writers
  std::vector<Status> status;
  std::map<std::size_t, int> received;
  bool closed = false;

  std::size_t in_flight = 0;  // places of admitted writers that were cancelled, until these have run

  std::size_t free_places() const { return capacity - items.size() - admitted.size() - in_flight; }
  void add(int value) {
    items.push_back(value);
    promise_next();
  }
  void promise_next() {
    if (promised.size() == items.size()) return;
    if (const auto reader = readers.take_first()) promised.push_back(*reader);
  }
  void admit_next() {
    if (closed || free_places() == 0) return;
    if (const auto writer = writers.take_first()) admitted.push_back(*writer);
  }
  bool try_push(int value) {
    if (closed || free_places() == 0) return false;
    add(value);
    return true;
  }
  std::optional<int> try_pop() {
    if (items.size() == promised.size()) return std::nullopt;
    const int value = items.front();
    items.pop_front();
    admit_next();
    return value;
  }
  void pop(std::size_t task, Time deadline) {
    status.push_back(Status::waiting);
    if (closed && items.size() == promised.size()) {
      status[task] = Status::closed;
      return;
    }
    readers.waiters.push_back({task, deadline});
    promise_next();
  }
  void push(std::size_t task, int value, Time deadline) {
    status.push_back(Status::waiting);
    values[task] = value;
    if (closed) {
      status[task] = Status::closed;
      return;
    }
    writers.waiters.push_back({task, deadline});
    admit_next();
  }
  void cancel(std::size_t task) {
    if (status[task] != Status::waiting) return;
    status[task] = Status::cancelled;
    readers.remove(task);
    writers.remove(task);
    if (std::erase(promised, task) > 0) promise_next();
    if (std::erase(admitted, task) > 0) {
      const std::size_t before = admitted.size();
      admit_next();
      if (admitted.size() == before) ++in_flight;
    }
  }
  // Who waits in vain learns it once everything in flight has arrived.
  void close() { closed = true; }
  // The woken tasks run; what they do may wake others.
  void settle() {
    in_flight = 0;
    while (!promised.empty() || !admitted.empty()) {
      if (!promised.empty()) {
        const std::size_t reader = promised.front();
        promised.pop_front();
        received[reader] = items.front();
        items.pop_front();
        status[reader] = Status::done;
        admit_next();
        continue;
      }
      const std::size_t writer = admitted.front();
      admitted.pop_front();
      status[writer] = closed ? Status::closed : Status::done;
      if (!closed) add(values[writer]);
    }
    if (!closed) return;
    for (ModelQueue* queue : {&readers, &writers}) {
      while (const auto task = queue->take_first()) status[*task] = Status::closed;
    }
  }
};

class ChannelMachine {
 public:
  explicit ChannelMachine(std::size_t capacity) : channel_(world_.scheduler, capacity) { model_.capacity = capacity; }

  void step() {
    const int choice = *rc::gen::inRange(0, 20);
    if (choice < 6) {
      pop(*rc::gen::element(0, 0, 3, 8));
    } else if (choice < 12) {
      push(*rc::gen::element(0, 0, 3, 8));
    } else if (choice < 17) {
      // Before any task runs; a pop() by the way would see what is in flight, which the model does not know of.
      const int count = *rc::gen::inRange(1, 4);
      if (*rc::gen::element(true, false)) RC_ASSERT(channel_.try_pop() == model_.try_pop());
      for (int i = 0; i < count; ++i) at_once();
    } else {
      const Time until = deadline_after(world_.scheduler.now(), milliseconds(*rc::gen::inRange(1, 6)));
      world_.scheduler.run(until);
      model_.readers.expire(until, model_.status);
      model_.writers.expire(until, model_.status);
    }
    world_.settle();
    model_.settle();
    RC_ASSERT(world_.status == model_.status);
    RC_ASSERT(received_ == model_.received);
    RC_ASSERT(channel_.size() == model_.items.size());
  }

 private:
  void at_once() {
    if (*rc::gen::inRange(0, 15) == 14) {
      channel_.close();
      model_.close();
    } else if (*rc::gen::element(true, false)) {
      const int value = next_value_++;
      RC_ASSERT(channel_.try_push(value) == model_.try_push(value));
    } else if (!world_.tasks.empty()) {
      // Most often one of the latest, which are the ones that wait.
      const std::size_t newest = world_.tasks.size() - 1;
      const auto back = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(newest + 1, 6));
      world_.scheduler.cancel(world_.tasks[newest - back]);
      model_.cancel(newest - back);
    }
  }
  void pop(int wait) {
    const Time deadline = world_.deadline_in(wait);
    const std::size_t task = world_.spawn([this, deadline](std::size_t self) {
      const auto value = channel_.pop("value", deadline);
      world_.status[self] = value ? Status::done : channel_.closed() ? Status::closed : Status::timed_out;
      if (value) received_[self] = *value;
    });
    model_.pop(task, deadline);
  }
  void push(int wait) {
    const Time deadline = world_.deadline_in(wait);
    const int value = next_value_++;
    const std::size_t task = world_.spawn([this, deadline, value](std::size_t self) {
      const bool pushed = channel_.push(value, "room", deadline);
      world_.status[self] = pushed ? Status::done : channel_.closed() ? Status::closed : Status::timed_out;
    });
    model_.push(task, value, deadline);
  }

  World world_;
  Channel<int> channel_;
  ChannelModel model_;
  std::map<std::size_t, int> received_;
  int next_value_ = 0;
};

RC_GTEST_PROP(SyncProperty, ChannelActsLikeAQueueWithTwoLines, ()) {
  ChannelMachine machine(*rc::gen::inRange<std::size_t>(1, 4));
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) machine.step();
}

}  // namespace
}  // namespace polarsim::sim
