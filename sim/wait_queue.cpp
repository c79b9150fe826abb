#include "sim/wait_queue.h"

#include "sim/assert.h"
#include "sim/task.h"

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

void WaitQueue::Waiter::describe(WaitDescription& description) const {
  if (queue != nullptr) queue->describe(description);
}

// One task's stay in the queue.
class WaitQueue::Membership {
 public:
  explicit Membership(WaitQueue& queue) : waiter_(&queue, queue.scheduler_.current_task()) {
    queue.waiting_.append(waiter_);
  }
  ~Membership() {
    WaitQueue* const queue = waiter_.queue;
    if (queue == nullptr) return;
    (waiter_.notice != Notice::none ? queue->notified_ : queue->waiting_).remove(waiter_);
    if (waiter_.notice == Notice::granted && !used_) queue->abandoned(waiter_.task->id);
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  const Waiter& waiter() const { return waiter_; }
  // The notice has arrived.
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

WaitQueue::WaitResult WaitQueue::wait_for_notice(const char* reason, Time deadline) {
  POLARSIM_ASSERT(scheduler_.in_task(), "a blocking call outside any task");
  Membership membership(*this);
  for (;;) {
    const WakeReason woken_by = scheduler_.park(reason, deadline, &membership.waiter());
    if (woken_by != WakeReason::woken) return {woken_by, Notice::none};
    const Notice notice = membership.waiter().notice;
    if (notice == Notice::none) continue;  // someone else's wake()
    membership.use();
    return {woken_by, notice};
  }
}

std::uint64_t WaitQueue::notify_first(Notice notice) {
  // A waiter whose deadline or cancellation came first, but which has not run since, has no use for a notice: wake()
  // says no.
  for (Waiter* waiter = waiting_.first; waiter != nullptr; waiter = waiter->next) {
    if (!scheduler_.wake(waiter->task)) continue;
    waiting_.remove(*waiter);
    waiter->notice = notice;
    notified_.append(*waiter);
    return waiter->task->id;
  }
  return 0;
}

void WaitQueue::notify_all() {
  while (notify_first(Notice::granted) != 0) {
  }
}

void WaitQueue::describe(WaitDescription& description) const {
  description.what = kind_;
  if (*label_ != '\0') description.what += std::string(" \"") + label_ + "\"";
}

}  // namespace polarsim::sim
