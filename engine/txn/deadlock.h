// Whether a waiter waits for itself, and whether another order of the queues would end that: PostgreSQL's deadlock.c
// (src/backend/storage/lmgr/deadlock.c and the section "The Deadlock Detection Algorithm" of the README there).
//
// A waiter waits for everybody who holds the lock in a conflicting mode (a hard edge) and for everybody before it in
// the queue who asks for a conflicting mode (a soft edge). A cycle with a soft edge in it can be broken by letting that
// waiter go before its blocker. The search tries the soft edges of the cycles it finds, one more reversal at a time,
// and orders each queue so that all reversals hold and otherwise as little as possible changes. A set of reversals
// counts only if it leaves no cycle through the waiter nor through anybody who was moved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/txn/lock_table.h"

namespace polarsim::engine::txn {

class DeadlockDetector {
 public:
  enum class Verdict : std::uint8_t { none, rearranged, deadlock };
  // `searches` counts the walks through the graph of all searches of a lock manager. Never blocks.
  explicit DeadlockDetector(std::uint64_t& searches) : searches_(searches) {}
  // `start` waits. If the verdict is `rearranged`, the queues of rearranged() have been changed, and whoever can go on
  // there is to be served.
  Verdict check(Backend& start);
  const std::vector<Lock*>& rearranged() const { return rearranged_; }
  // After `deadlock`: "Process 12 waits for ShareLock on transaction 748; blocked by process 13.", a line for each
  // member of the cycle, beginning with `start`.
  std::string report() const;

 private:
  // That `waiter` is to go before `blocker`, in the same queue.
  struct Reversal {
    LockWaiter* waiter;
    LockWaiter* blocker;
  };
  struct Member {
    LockTag tag;
    LockMode mode;
    std::uint32_t process_id;
  };
  struct Order {
    Lock* lock;
    std::vector<LockWaiter*> waiters;
  };
  enum class State : std::uint8_t { sound, soft_cycle, hard_cycle };

  bool solve(Backend& start);
  State test(Backend& start, std::vector<Reversal>& soft_edges);
  bool expand_orders();
  bool sort(Order& order, std::size_t reversals) const;
  const std::vector<LockWaiter*>& order_of(const Lock& lock) const;
  bool find_cycle(Backend& start, std::vector<Reversal>& soft_edges);
  bool visit(Backend& backend, const Backend& start, std::size_t depth, std::vector<Reversal>& soft_edges);

  std::uint64_t& searches_;
  std::vector<Reversal> reversals_;  // that are being tried
  std::vector<Order> orders_;        // of the queues that they change
  std::vector<Member> cycle_;
  std::vector<Lock*> rearranged_;
};

}  // namespace polarsim::engine::txn
