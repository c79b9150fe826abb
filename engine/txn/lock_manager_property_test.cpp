// Properties of the lock manager under random programs of several tasks.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/txn/lock_test_support.h"

namespace polarsim::engine::txn {
namespace {

constexpr int tags = 3;

struct Step {
  enum class Kind { acquire, acquire_if_free, acquire_for_session, release, savepoint, merge, roll_back, rest, end };
  Kind kind = Kind::acquire;
  int tag = 0;
  LockMode mode = LockMode::share;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.kind) << "(" << step.tag << "," << to_string(step.mode) << ")";
}

rc::Gen<Step> any_step() {
  // Mostly requests that wait.
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::map(rc::gen::inRange(0, 14),
                                             [](int kind) { return static_cast<Step::Kind>(kind > 8 ? 0 : kind); })),
      rc::gen::set(&Step::tag, rc::gen::inRange(0, tags)),
      rc::gen::set(&Step::mode,
                   rc::gen::map(rc::gen::inRange(1, 9), [](int mode) { return static_cast<LockMode>(mode); })));
}

using Program = std::vector<Step>;
// What a task believes to hold: times by tag and mode, for its session, its transaction, and each savepoint.
using Holdings = std::vector<std::map<std::pair<int, LockMode>, int>>;

struct World {
  explicit World(sim::Host& its_host) : host(its_host), locks(its_host) {}
  sim::Host& host;
  LockManager locks;
  std::vector<std::unique_ptr<Backend>> backends;
  std::vector<Holdings> holdings;

  bool holds(std::size_t task, int tag, LockMode mode) const {
    for (const auto& level : holdings[task]) {
      const auto found = level.find({tag, mode});
      if (found != level.end() && found->second > 0) return true;
    }
    return false;
  }
  void check() const {
    for (std::size_t a = 0; a < holdings.size(); ++a) {
      for (int tag = 0; tag < tags; ++tag) {
        for (int m = 1; m <= 8; ++m) {
          const auto mode = static_cast<LockMode>(m);
          const LockTag locked = LockTag::of_relation(static_cast<RelationId>(tag));
          if (!holds(a, tag, mode)) continue;
          RC_ASSERT(locks.holds(*backends[a], locked, mode));
          for (std::size_t b = 0; b < a; ++b) {
            for (int n = 1; n <= 8; ++n) {
              RC_ASSERT(!conflicts(mode, static_cast<LockMode>(n)) || !holds(b, tag, static_cast<LockMode>(n)));
            }
          }
        }
      }
    }
    for (const LockManager::Entry& entry : locks.entries()) {
      if (!entry.granted) RC_ASSERT(!locks.blockers(*backends[entry.process_id - 1]).empty());
    }
  }
  // Whoever the report names, but for the victim, waits for whom it says.
  void check_report(const std::string& outcome, std::size_t victim) const {
    std::istringstream lines(outcome.substr(outcome.find(" / ") + 3));
    std::string line;
    std::size_t count = 0;
    while (std::getline(lines, line)) {
      unsigned waiter = 0, blocker = 0;
      RC_ASSERT(std::sscanf(line.c_str(), "Process %u waits", &waiter) == 1);
      RC_ASSERT(std::sscanf(line.substr(line.find("blocked by")).c_str(), "blocked by process %u.", &blocker) == 1);
      if (count++ == 0) RC_ASSERT(waiter == victim + 1);
      if (waiter == victim + 1 || blocker == victim + 1) continue;
      const std::vector<std::uint32_t> blockers = locks.blockers(*backends[waiter - 1]);
      RC_ASSERT(std::find(blockers.begin(), blockers.end(), blocker) != blockers.end());
    }
    RC_ASSERT(count >= 2U);
  }
};

class Runner {
 public:
  Runner(World& world, std::size_t task) : world_(world), task_(task) { begin(); }
  ~Runner() { end(true); }

  void run(const Program& program) {
    for (const Step& step : program) {
      this->step(step);
      world_.check();
      world_.host.scheduler().yield();
    }
    end(true);
  }

 private:
  Backend& backend() { return *world_.backends[task_]; }
  Holdings& holdings() { return world_.holdings[task_]; }
  void begin() {
    owners_.assign(1, {});
    holdings().resize(2);
  }
  void end(bool of_session) {
    // First from the books: a release may let another go on at once.
    for (std::size_t i = 1; i < holdings().size(); ++i) holdings()[i].clear();
    if (of_session) holdings()[0].clear();
    for (LockOwner& owner : owners_) world_.locks.release_all(backend(), owner);
    if (of_session) world_.locks.release_all(backend(), backend().session_locks);
    begin();
  }

  void acquire(const Step& step, LockOwner& owner, std::size_t level, bool wait) {
    const LockTag tag = LockTag::of_relation(static_cast<RelationId>(step.tag));
    const bool had = world_.holds(task_, step.tag, step.mode);
    const std::string outcome =
        testing::outcome_of([&] { return world_.locks.acquire(backend(), owner, tag, step.mode, wait); });
    if (outcome == "granted" || outcome == "waited" || outcome == "held") {
      RC_ASSERT((outcome == "held") == had);
      ++holdings()[level][{step.tag, step.mode}];
    } else if (outcome == "busy") {
      RC_ASSERT(!wait);
    } else {
      RC_ASSERT(outcome.substr(0, 5) == "40P01" || outcome.substr(0, 5) == "55P03");
      if (outcome.substr(0, 5) == "40P01") world_.check_report(outcome, task_);
      end(true);
    }
  }

  void step(const Step& step) {
    switch (step.kind) {
      case Step::Kind::acquire:
      case Step::Kind::acquire_if_free:
        acquire(step, owners_.back(), owners_.size(), step.kind == Step::Kind::acquire);
        break;
      case Step::Kind::acquire_for_session:
        acquire(step, backend().session_locks, 0, true);
        break;
      case Step::Kind::release: {
        int& times = holdings().back()[{step.tag, step.mode}];
        const bool held = times > 0;
        if (held) --times;
        RC_ASSERT(world_.locks.release(backend(), owners_.back(),
                                       LockTag::of_relation(static_cast<RelationId>(step.tag)), step.mode) == held);
        break;
      }
      case Step::Kind::savepoint:
        owners_.emplace_back();
        holdings().emplace_back();
        break;
      case Step::Kind::merge:
        if (owners_.size() == 1) break;
        for (const auto& [what, times] : holdings().back()) holdings()[holdings().size() - 2][what] += times;
        holdings().pop_back();
        LockManager::merge(owners_.back(), owners_[owners_.size() - 2]);
        owners_.pop_back();
        break;
      case Step::Kind::roll_back:
        if (owners_.size() == 1) break;
        holdings().pop_back();
        world_.locks.release_all(backend(), owners_.back());
        owners_.pop_back();
        break;
      case Step::Kind::rest:
        world_.host.scheduler().sleep_for(sim::Duration(1'000'000LL * (step.tag + 1)));
        break;
      case Step::Kind::end:
        end(false);
        break;
    }
  }

  World& world_;
  std::size_t task_;
  std::vector<LockOwner> owners_;
};

// Nobody holds what conflicts, who waits has a reason, reports tell the truth, and everybody comes to an end.
RC_GTEST_PROP(LockManagerProperty, RandomProgramsKeepTheRulesAndEnd, ()) {
  const auto programs = *rc::gen::container<std::vector<Program>>(static_cast<std::size_t>(*rc::gen::inRange(2, 7)),
                                                                  rc::gen::container<Program>(any_step()));
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  const bool some_give_up = *rc::gen::arbitrary<bool>();
  std::size_t finished = 0, left = 0;
  std::unique_ptr<World> kept;  // also for tasks that wait in vain
  testing::run_on_host(
      [&](sim::Host& host) {
        kept = std::make_unique<World>(host);
        World& world = *kept;
        for (std::size_t i = 0; i < programs.size(); ++i) {
          world.backends.push_back(std::make_unique<Backend>(host, static_cast<std::uint32_t>(i + 1)));
          world.backends.back()->limits.deadlock_timeout = sim::Duration(5'000'000);
          if (some_give_up && i % 2 == 0) world.backends.back()->limits.lock_timeout = sim::Duration(3'000'000);
        }
        world.holdings.resize(programs.size());
        for (std::size_t i = 0; i < programs.size(); ++i) {
          host.spawn("task", [&, i] {
            Runner(world, i).run(programs[i]);
            ++finished;
          });
        }
        host.sleep_for(sim::Duration(3'600'000'000'000));
        left = world.locks.locked_things();
      },
      seed, sim::SchedulingPolicy::random);
  RC_ASSERT(finished == programs.size());
  RC_ASSERT(left == 0U);
}

struct Request {
  LockMode mode = LockMode::share;
  int start = 0, length = 0;  // milliseconds
};
std::ostream& operator<<(std::ostream& out, const Request& request) {
  return out << to_string(request.mode) << "@" << request.start << "+" << request.length;
}

// Of two requests that conflict, the one that came first is served first, if nobody asks for a second lock.
RC_GTEST_PROP(LockManagerProperty, ServesInOrderOfArrival, ()) {
  const auto requests = *rc::gen::container<std::vector<Request>>(rc::gen::build<Request>(
      rc::gen::set(&Request::mode,
                   rc::gen::map(rc::gen::inRange(1, 9), [](int mode) { return static_cast<LockMode>(mode); })),
      rc::gen::set(&Request::start, rc::gen::inRange(0, 30)), rc::gen::set(&Request::length, rc::gen::inRange(0, 20))));
  std::vector<std::size_t> arrival, service;
  testing::run_on_host([&](sim::Host& host) {
    LockManager locks(host);
    std::vector<sim::TaskRef> tasks;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      tasks.push_back(host.spawn("task", [&, i] {
        Backend backend(host, static_cast<std::uint32_t>(i + 1));
        LockOwner owner;
        host.scheduler().sleep_for(sim::Duration(1'000'000LL * requests[i].start));
        arrival.push_back(i);
        locks.acquire(backend, owner, LockTag::of_relation(1), requests[i].mode);
        service.push_back(i);
        host.scheduler().sleep_for(sim::Duration(1'000'000LL * requests[i].length));
        locks.release_all(backend, owner);
      }));
    }
    for (const sim::TaskRef& task : tasks) host.scheduler().join(task);
  });
  RC_ASSERT(service.size() == requests.size());
  const auto place = [&](std::size_t request) {
    return std::find(service.begin(), service.end(), request) - service.begin();
  };
  for (std::size_t b = 0; b < arrival.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      if (conflicts(requests[arrival[a]].mode, requests[arrival[b]].mode)) {
        RC_ASSERT(place(arrival[a]) < place(arrival[b]));
      }
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
