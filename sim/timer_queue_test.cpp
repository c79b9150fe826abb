// The timer heap against a sorted map.
#include "sim/timer_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/task.h"

namespace polarsim::sim {
namespace {

class TimerMachine {
 public:
  void step() {
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
      case 1:
        add();
        break;
      case 2:
        if (!all_.empty()) cancel(*rc::gen::elementOf(all_));
        break;
      case 3:
        if (!model_.empty()) cancel(*rc::gen::elementOf(model_values()));
        break;
      default:
        if (!model_.empty()) pop();
    }
    RC_ASSERT(queue_.size() == model_.size());
    RC_ASSERT(queue_.empty() == model_.empty());
  }
  void drain() {
    while (!model_.empty()) pop();
    RC_ASSERT(queue_.empty());
  }

 private:
  void add() {
    const auto time = *rc::gen::inRange<std::int64_t>(0, 20);
    const int name = next_++;
    TimerId id = 0;
    if (*rc::gen::element(true, false)) {
      id = queue_.add(Time(Duration(time)), &task_);
    } else {
      id = queue_.add(Time(Duration(time)), [this, name] { fired_ = name; });
    }
    RC_ASSERT(id != 0u);
    RC_ASSERT(queue_.time_of(id) == Time(Duration(time)));
    model_.emplace(std::pair(time, name), id);
    all_.push_back(id);
  }
  std::vector<TimerId> model_values() const {
    std::vector<TimerId> values;
    for (const auto& [key, id] : model_) values.push_back(id);
    return values;
  }
  void cancel(TimerId id) {
    const auto found =
        std::find_if(model_.begin(), model_.end(), [&](const auto& entry) { return entry.second == id; });
    RC_ASSERT((queue_.time_of(id) == never) == (found == model_.end()));
    RC_ASSERT(queue_.cancel(id) == (found != model_.end()));
    RC_ASSERT(queue_.time_of(id) == never);
    if (found != model_.end()) model_.erase(found);
  }
  void pop() {
    const auto [key, id] = *model_.begin();
    RC_ASSERT(queue_.next_time() == Time(Duration(key.first)));
    const TimerQueue::Due due = queue_.pop();
    RC_ASSERT((due.task == nullptr) == static_cast<bool>(due.callback));
    if (due.callback) {
      due.callback();
      RC_ASSERT(fired_ == key.second);
    } else {
      RC_ASSERT(due.task == &task_);
    }
    RC_ASSERT(due.sequence == static_cast<std::uint64_t>(key.second) + 1);
    model_.erase(model_.begin());
  }

  TimerQueue queue_;
  std::map<std::pair<std::int64_t, int>, TimerId> model_;  // by time and order of setting
  std::vector<TimerId> all_;
  Task task_;
  int fired_ = -1;
  int next_ = 0;
};

RC_GTEST_PROP(TimerQueueProperty, PopsInOrderOfTimeThenSetting, ()) {
  TimerMachine machine;
  const int steps = *rc::gen::inRange(0, 400);
  for (int step = 0; step < steps; ++step) machine.step();
  machine.drain();
}

TEST(TimerQueue, TenThousandTimersInReverseComeOutInOrder) {
  TimerQueue queue;
  Task task;
  std::vector<TimerId> timers;
  for (int i = 10'000; i > 0; --i) timers.push_back(queue.add(Time(Duration(i)), &task));
  for (std::size_t i = 0; i < timers.size(); i += 2) EXPECT_TRUE(queue.cancel(timers[i]));
  for (int i = 1; i < 10'000; i += 2) EXPECT_EQ(queue.pop().time, Time(Duration(i)));
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace polarsim::sim
