// For tests of locks: a simulated host, and processes whose requests may be left waiting.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "engine/storage/storage_test_support.h"
#include "engine/txn/lock_manager.h"
#include "engine/txn/pending_test_support.h"

namespace polarsim::engine::txn::testing {

// "granted", "waited", "held", "busy"; or "SQLSTATE message", with " / detail" if there is one.
inline std::string outcome_of(const std::function<LockResult()>& request) {
  LockResult result = LockResult::granted;
  const std::string error = storage::testing::outcome([&] { result = request(); });
  if (!error.empty()) return error;
  switch (result) {
    case LockResult::granted:
      return "granted";
    case LockResult::granted_after_wait:
      return "waited";
    case LockResult::already_held:
      return "held";
    case LockResult::not_available:
      return "busy";
  }
  return "?";
}

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
    return {host_, [request = std::move(request)] { return outcome_of(request); }, sim::Duration(1'000'000)};
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
  storage::testing::StorageHost node(seed, policy);
  node.run(body);
  EXPECT_TRUE(node.finished()) << node.error() << node.simulation().scheduler().stall_report();
}

// A lock manager, and five processes that use it.
class LockTest : public ::testing::Test {
 protected:
  // Runs `body` as the program of the host; it has to come to its end.
  void play(const std::function<void()>& body) {
    node_.run([&](sim::Host&) { body(); });
    EXPECT_TRUE(node_.finished()) << node_.error() << node_.simulation().scheduler().stall_report();
  }
  void sleep_ms(std::int64_t milliseconds) { host.scheduler().sleep_for(sim::Duration(milliseconds * 1'000'000)); }
  std::int64_t now_ms() const { return sim::nanoseconds(host.scheduler().now()) / 1'000'000; }

 private:
  storage::testing::StorageHost node_;

 protected:
  sim::Host& host = node_.host();
  LockManager locks{host};
  Actor a{host, locks, 1}, b{host, locks, 2}, c{host, locks, 3}, d{host, locks, 4}, e{host, locks, 5};
};

inline LockTag advisory(std::uint64_t key) { return {LockTag::Kind::advisory, key, 1}; }

}  // namespace polarsim::engine::txn::testing
