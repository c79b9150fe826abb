#include "sim/nursery.h"

#include <utility>

namespace polarsim::sim {

Nursery::Nursery(Scheduler& scheduler, std::string name, NurseryOptions options)
    : scheduler_(scheduler), options_(options), group_(std::move(name), scheduler.current_machine()) {
  if (options_.deadline == never) return;
  deadline_timer_ = scheduler_.call_at(options_.deadline, [this] {
    expired_ = !group_.empty();
    cancel();
  });
}

Nursery::~Nursery() {
  scheduler_.drain_group(group_);
  scheduler_.cancel_timer(deadline_timer_);
}

TaskRef Nursery::spawn(std::string name, std::function<void()> body) {
  auto guarded = [this, body = std::move(body)] {
    try {
      body();
    } catch (const TaskCancelled&) {
      throw;
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      if (options_.cancel_on_failure) cancel();
    }
  };
  TaskRef task = scheduler_.spawn(std::move(name), std::move(guarded), &group_);
  if (cancelled_) scheduler_.cancel(task);
  return task;
}

bool Nursery::wait(Time deadline) {
  if (!scheduler_.join_group(group_, deadline)) return false;
  if (failure_ && !scheduler_.unwinding()) std::rethrow_exception(std::exchange(failure_, nullptr));
  return true;
}

void Nursery::cancel() {
  cancelled_ = true;
  scheduler_.cancel_each(group_);
}

}  // namespace polarsim::sim
