#include "sim/sync.h"

#include "sim/assert.h"

namespace polarsim::sim {

// One task's stay in the queue.
class WaitQueue::Membership {
 public:
  explicit Membership(WaitQueue& queue)
      : waiter_{&queue, queue.scheduler_.current_task(), queue.scheduler_.current_id(), queue.last_} {
    (queue.last_ != nullptr ? queue.last_->next : queue.first_) = &waiter_;
    queue.last_ = &waiter_;
  }
  ~Membership() {
    if (waiter_.queue != nullptr) waiter_.queue->unlink(waiter_);
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

 private:
  Waiter waiter_;
};

WaitQueue::~WaitQueue() {
  while (first_ != nullptr) unlink(*first_);
}

void WaitQueue::unlink(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
  waiter.queue = nullptr;
}

WakeReason WaitQueue::wait(const char* reason, Time deadline) {
  POLARSIM_ASSERT(scheduler_.in_task(), "a blocking call outside any task");
  const Membership membership(*this);
  return scheduler_.park(reason, deadline);
}

std::uint64_t WaitQueue::notify_first() {
  while (first_ != nullptr) {
    Waiter& waiter = *first_;
    Task* const task = waiter.task;
    const std::uint64_t task_id = waiter.task_id;
    unlink(waiter);
    // A waiter whose deadline or cancellation came first, but which has not run since, has no use for the notification.
    if (scheduler_.wake(task)) return task_id;
  }
  return 0;
}

void WaitQueue::notify_all() {
  while (notify_one()) {
  }
}

}  // namespace polarsim::sim
