#include "sim/sync.h"

#include "sim/assert.h"

namespace polarsim::sim {

// --- mutex ---

void Mutex::lock() {
  // The mutex is handed over by unlock(): a waiter that was woken finds itself the owner.
  try_lock_until(never);
}

bool Mutex::try_lock() {
  POLARSIM_ASSERT(scheduler().in_task(), "a mutex belongs to a task");
  if (owner_ != 0) return false;
  owner_ = scheduler().current_id();
  return true;
}

bool Mutex::try_lock_until(Time deadline) {
  if (try_lock()) return true;
  const std::uint64_t self = scheduler().current_id();
  POLARSIM_ASSERT(owner_ != self, "a task locks a mutex that it holds");
  if (wait("mutex", deadline) != WakeReason::woken) return false;
  POLARSIM_ASSERT(owner_ == self, "a mutex was handed to two tasks");
  return true;
}

void Mutex::unlock() {
  if (owner_ != scheduler().current_id()) {
    POLARSIM_ASSERT(scheduler().unwinding(), "a task unlocks a mutex that it does not hold");
    return;
  }
  owner_ = notify_first(Notice::granted);
}

void Mutex::abandoned(std::uint64_t task_id) {
  if (owner_ == task_id) owner_ = notify_first(Notice::granted);
}

void Mutex::describe(WaitDescription& description) const {
  WaitQueue::describe(description);
  if (owner_ == 0) return;
  description.what += " held by";
  description.tasks.push_back(owner_);
}

// --- semaphore ---

bool Semaphore::try_acquire() {
  if (permits_ == 0) return false;
  --permits_;
  return true;
}

bool Semaphore::acquire(const char* reason, Time deadline) {
  // Permits are at hand only while nobody waits for one: release() hands them over.
  if (try_acquire()) return true;
  if (closed_ && in_flight_ == 0) return false;
  if (wait_for_notice(reason, deadline).notice != Notice::granted) return false;
  --in_flight_;
  end_vain_waits();
  return true;
}

void Semaphore::release(std::uint64_t count) {
  for (; count > 0 && notify_first(Notice::granted) != 0; --count) ++in_flight_;
  permits_ += count;
}

void Semaphore::close() {
  closed_ = true;
  end_vain_waits();
}

void Semaphore::end_vain_waits() {
  // A permit in flight may yet come to one of those who wait, if its receiver is cancelled.
  if (!closed_ || in_flight_ > 0) return;
  while (notify_first(Notice::told) != 0) {
  }
}

void Semaphore::abandoned([[maybe_unused]] std::uint64_t task_id) {
  --in_flight_;
  release();
  end_vain_waits();
}

}  // namespace polarsim::sim
