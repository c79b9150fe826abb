#include "engine/txn/deadlock.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace {

// More reversals than this at once are not tried; the waiter then gives up although some order might have done.
constexpr std::size_t reversals_max = 128;

}  // namespace

DeadlockDetector::Verdict DeadlockDetector::check(Backend& start) {
  reversals_.clear();
  if (!solve(start)) {
    // Once more in the queues as they are, for the report.
    orders_.clear();
    std::vector<Reversal> soft_edges;
    const bool found = find_cycle(start, soft_edges);
    POLARSIM_ASSERT(found, "a deadlock that is there only if queues are rearranged");
    return Verdict::deadlock;
  }
  if (orders_.empty()) return Verdict::none;
  for (Order& order : orders_) {
    order.lock->waiters = std::move(order.waiters);
    rearranged_.push_back(order.lock);
  }
  return Verdict::rearranged;
}

// False if no order of the queues helps. On success orders_ is one that does.
bool DeadlockDetector::solve(Backend& start) {
  std::vector<Reversal> soft_edges;
  switch (test(start, soft_edges)) {
    case State::hard_cycle:
      return false;
    case State::sound:
      return true;
    case State::soft_cycle:
      break;
  }
  if (reversals_.size() >= reversals_max) return false;
  for (const Reversal& edge : soft_edges) {
    reversals_.push_back(edge);
    if (solve(start)) return true;
    reversals_.pop_back();
  }
  return false;
}

DeadlockDetector::State DeadlockDetector::test(Backend& start, std::vector<Reversal>& soft_edges) {
  if (!expand_orders()) return State::hard_cycle;
  State state = State::sound;
  // False if there is a cycle that nothing breaks.
  const auto look = [&](Backend& backend) {
    std::vector<Reversal> edges;
    if (!find_cycle(backend, edges)) return true;
    if (edges.empty()) return false;
    soft_edges = std::move(edges);
    state = State::soft_cycle;
    return true;
  };
  for (const Reversal& reversal : reversals_) {
    if (!look(*reversal.waiter->backend) || !look(*reversal.blocker->backend)) return State::hard_cycle;
  }
  if (!look(start)) return State::hard_cycle;
  return state;
}

bool DeadlockDetector::expand_orders() {
  orders_.clear();
  // The last reversals first, so that each queue is sorted once, with all that concern it.
  for (std::size_t i = reversals_.size(); i-- > 0;) {
    Lock* const lock = reversals_[i].waiter->lock;
    if (std::any_of(orders_.begin(), orders_.end(), [&](const Order& order) { return order.lock == lock; })) continue;
    Order& order = orders_.emplace_back(Order{lock, lock->waiters});
    if (!sort(order, i + 1)) return false;
  }
  return true;
}

// A topological sort that takes, from the back, the last waiter that nobody left has to follow. False if the first
// `reversals` contradict each other.
bool DeadlockDetector::sort(Order& order, std::size_t reversals) const {
  const std::size_t count = order.waiters.size();
  const std::vector<LockWaiter*>& queue = order.lock->waiters;
  const auto place = [&](const LockWaiter* waiter) {
    return static_cast<std::size_t>(std::find(queue.begin(), queue.end(), waiter) - queue.begin());
  };
  std::vector<std::size_t> followers(count, 0);  // that have not been placed yet
  std::vector<std::vector<std::size_t>> predecessors(count);
  for (std::size_t i = 0; i < reversals; ++i) {
    if (reversals_[i].waiter->lock != order.lock) continue;
    const std::size_t first = place(reversals_[i].waiter);
    const std::size_t second = place(reversals_[i].blocker);
    ++followers[first];
    predecessors[second].push_back(first);
  }
  std::vector<bool> placed(count, false);
  for (std::size_t to = count; to-- > 0;) {
    std::size_t from = count;
    while (from > 0 && (placed[from - 1] || followers[from - 1] != 0)) --from;
    if (from == 0) return false;
    --from;
    placed[from] = true;
    order.waiters[to] = queue[from];
    for (const std::size_t predecessor : predecessors[from]) --followers[predecessor];
  }
  return true;
}

const std::vector<LockWaiter*>& DeadlockDetector::order_of(const Lock& lock) const {
  const auto found =
      std::find_if(orders_.begin(), orders_.end(), [&](const Order& order) { return order.lock == &lock; });
  return found == orders_.end() ? lock.waiters : found->waiters;
}

// Whether `start` waits for itself. Cycles that it only leads to are found by their own members.
bool DeadlockDetector::find_cycle(Backend& start, std::vector<Reversal>& soft_edges) {
  ++searches_;
  cycle_.clear();
  return visit(start, start, 0, soft_edges);
}

bool DeadlockDetector::visit(Backend& backend, const Backend& start, std::size_t depth,
                             std::vector<Reversal>& soft_edges) {
  if (backend.visit_mark_ == searches_) {
    if (&backend != &start) return false;
    cycle_.resize(depth);
    return true;
  }
  backend.visit_mark_ = searches_;
  LockWaiter* const waiter = backend.wait_;
  if (waiter == nullptr || waiter->granted) return false;
  const Lock& lock = *waiter->lock;
  const ModeMask against = conflict_mask(waiter->mode);
  const Member member{lock.tag, waiter->mode, backend.process_id()};
  for (const LockHolder& holder : lock.holders) {
    if (holder.backend == &backend || (holder.modes & against) == 0) continue;
    if (visit(*holder.backend, start, depth + 1, soft_edges)) {
      cycle_[depth] = member;
      return true;
    }
  }
  for (LockWaiter* const other : order_of(lock)) {
    if (other == waiter) break;
    if ((mode_bit(other->mode) & against) == 0) continue;
    if (visit(*other->backend, start, depth + 1, soft_edges)) {
      cycle_[depth] = member;
      soft_edges.push_back({waiter, other});
      return true;
    }
  }
  return false;
}

std::string DeadlockDetector::report() const {
  std::string lines;
  for (std::size_t i = 0; i < cycle_.size(); ++i) {
    const Member& member = cycle_[i];
    const Member& blocker = cycle_[(i + 1) % cycle_.size()];
    if (i != 0) lines += '\n';
    lines += fmt::format("Process {} waits for {} on {}; blocked by process {}.", member.process_id,
                         to_string(member.mode), describe_in_report(member.tag), blocker.process_id);
  }
  return lines;
}

}  // namespace polarsim::engine::txn
