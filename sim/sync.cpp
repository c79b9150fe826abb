#include "sim/sync.h"

#include "sim/assert.h"

namespace polarsim::sim {

void WaitQueue::WaiterList::append(Waiter& waiter) {
  waiter.previous = last;
  waiter.next = nullptr;
  (last != nullptr ? last->next : first) = &waiter;
  last = &waiter;
}

void WaitQueue::WaiterList::remove(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : first) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : last) = waiter.previous;
}

// One task's stay in the queue.
class WaitQueue::Membership {
 public:
  explicit Membership(WaitQueue& queue)
      : waiter_{&queue, queue.scheduler_.current_task(), queue.scheduler_.current_id()} {
    queue.waiting_.append(waiter_);
  }
  ~Membership() {
    WaitQueue* const queue = waiter_.queue;
    if (queue == nullptr) return;
    (waiter_.notified ? queue->notified_ : queue->waiting_).remove(waiter_);
    if (waiter_.notified && !used_) queue->abandoned(waiter_.task_id);
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  // The notification, if any, has arrived.
  void use() { used_ = true; }

 private:
  Waiter waiter_;
  bool used_ = false;
};

WaitQueue::~WaitQueue() {
  for (WaiterList* list : {&waiting_, &notified_}) {
    for (Waiter* waiter = list->first; waiter != nullptr; waiter = waiter->next) waiter->queue = nullptr;
  }
}

WakeReason WaitQueue::wait(const char* reason, Time deadline) {
  POLARSIM_ASSERT(scheduler_.in_task(), "a blocking call outside any task");
  Membership membership(*this);
  const WakeReason woken_by = scheduler_.park(reason, deadline);
  if (woken_by == WakeReason::woken) membership.use();
  return woken_by;
}

std::uint64_t WaitQueue::notify_first() {
  // A waiter whose deadline or cancellation came first, but which has not run since, has no use for a notification:
  // wake() says no.
  for (Waiter* waiter = waiting_.first; waiter != nullptr; waiter = waiter->next) {
    if (!scheduler_.wake(waiter->task)) continue;
    waiting_.remove(*waiter);
    waiter->notified = true;
    notified_.append(*waiter);
    return waiter->task_id;
  }
  return 0;
}

void WaitQueue::notify_all() {
  while (notify_first() != 0) {
  }
}

void Mutex::lock() {
  POLARSIM_ASSERT(scheduler().in_task(), "a blocking call outside any task");
  const std::uint64_t self = scheduler().current_id();
  POLARSIM_ASSERT(owner_ != self, "a task locks a mutex that it holds");
  if (try_lock()) return;
  // The mutex is handed over by unlock(): a waiter that was woken finds itself the owner.
  while (owner_ != self) {
    if (wait("mutex") == WakeReason::cancelled) return;
  }
}

bool Mutex::try_lock() {
  POLARSIM_ASSERT(scheduler().in_task(), "a mutex belongs to a task");
  if (owner_ != 0) return false;
  owner_ = scheduler().current_id();
  return true;
}

void Mutex::unlock() {
  if (owner_ != scheduler().current_id()) {
    POLARSIM_ASSERT(scheduler().unwinding(), "a task unlocks a mutex that it does not hold");
    return;
  }
  owner_ = notify_first();
}

void Mutex::abandoned(std::uint64_t task_id) {
  if (owner_ == task_id) owner_ = notify_first();
}

TaskRef Nursery::spawn(std::string name, std::function<void()> body) {
  auto guarded = [this, body = std::move(body)] {
    try {
      body();
    } catch (const TaskCancelled&) {
      throw;
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  };
  return scheduler_.spawn(std::move(name), std::move(guarded), &group_);
}

void Nursery::wait() {
  scheduler_.join_group(group_);
  if (failure_ && !scheduler_.unwinding()) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace polarsim::sim
