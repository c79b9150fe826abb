// For tests of locks: a simulated host, and backends whose requests may be left waiting.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/sql/error.h"
#include "engine/txn/lock_manager.h"
#include "sim/simulation.h"

namespace polarsim::engine::txn::testing {

// "granted", "waited", "held", "busy"; or "SQLSTATE message", with " / detail" if there is one.
inline std::string outcome_of(const std::function<LockResult()>& request) {
  try {
    switch (request()) {
      case LockResult::granted:
        return "granted";
      case LockResult::granted_after_wait:
        return "waited";
      case LockResult::already_held:
        return "held";
      case LockResult::not_available:
        return "busy";
    }
  } catch (const SqlError& error) {
    const std::string& detail = error.fields().detail;
    return error.sqlstate() + " " + error.fields().message + (detail.empty() ? "" : " / " + detail);
  }
  return "?";
}

// A request that runs beside the caller.
class Pending {
 public:
  bool done() const { return task_.finished(); }
  // Waits for the end.
  std::string outcome() {
    host_->scheduler().join(task_);
    return *outcome_;
  }
  const sim::TaskRef& task() const { return task_; }

 private:
  friend class Actor;
  sim::Host* host_ = nullptr;
  sim::TaskRef task_;
  std::shared_ptr<std::string> outcome_ = std::make_shared<std::string>("cancelled");
};

class Actor {
 public:
  Actor(sim::Host& host, LockManager& locks, std::uint32_t process_id)
      : host_(host), locks_(locks), backend(host, process_id) {}
  ~Actor() {
    locks_.release_all(backend, backend.session_locks);
    locks_.release_all(backend, owner);
  }

  std::string lock(const LockTag& tag, LockMode mode, bool wait = true) {
    return outcome_of([&] { return locks_.acquire(backend, owner, tag, mode, wait); });
  }
  std::string lock_for_session(const LockTag& tag, LockMode mode) {
    return outcome_of([&] { return locks_.acquire(backend, backend.session_locks, tag, mode); });
  }
  // Starts the request and gives it a millisecond.
  Pending start(const LockTag& tag, LockMode mode) {
    return start([this, tag, mode] { return locks_.acquire(backend, owner, tag, mode); });
  }
  Pending start(std::function<LockResult()> request) {
    Pending pending;
    pending.host_ = &host_;
    pending.task_ = host_.spawn(
        "actor", [outcome = pending.outcome_, request = std::move(request)] { *outcome = outcome_of(request); });
    host_.scheduler().sleep_for(sim::Duration(1'000'000));
    return pending;
  }
  void unlock(const LockTag& tag, LockMode mode) { locks_.release(backend, owner, tag, mode); }
  void unlock_all() { locks_.release_all(backend, owner); }

 private:
  sim::Host& host_;
  LockManager& locks_;

 public:
  Backend backend;
  LockOwner owner;
};

// Runs `body` as the program of a host; it has to come to its end.
inline void run_on_host(const std::function<void(sim::Host&)>& body, std::uint64_t seed = 1,
                        sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo) {
  sim::SimulationOptions options;
  options.seed = seed;
  options.scheduler.policy = policy;
  sim::Simulation simulation(options);
  sim::Host& host = simulation.add_host("n");
  bool finished = false;
  host.set_program([&](sim::Host& self) {
    body(self);
    finished = true;
  });
  host.boot();
  simulation.run();
  EXPECT_TRUE(finished) << simulation.scheduler().stall_report();
}

inline LockTag advisory(std::uint64_t key) { return {LockTag::Kind::advisory, key, 1}; }

}  // namespace polarsim::engine::txn::testing
