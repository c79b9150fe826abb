#include "sim/task.h"

#include "sim/assert.h"

namespace polarsim::sim {

bool TaskRef::finished() const {
  POLARSIM_ASSERT(task_ != nullptr, "a null task");
  return task_->state == TaskState::finished;
}

std::uint64_t TaskRef::id() const {
  POLARSIM_ASSERT(task_ != nullptr, "a null task");
  return task_->id;
}

const std::string& TaskRef::name() const {
  POLARSIM_ASSERT(task_ != nullptr, "a null task");
  return task_->name;
}

TaskGroup::~TaskGroup() { POLARSIM_ASSERT(size_ == 0 && first_waiter_ == nullptr, "a group ends before its tasks"); }

void JoinWaiter::describe(WaitDescription& description) const {
  if (target != nullptr) {
    description.what = "the end of";
    description.tasks.push_back(target->id);
    return;
  }
  description.what = "the end of group \"" + group->name() + "\" with";
  for (const Task* member = group->first_; member != nullptr; member = member->group_next) {
    description.tasks.push_back(member->id);
  }
}

}  // namespace polarsim::sim
