// The timer heap against a sorted map.
#include "sim/timer_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace polarsim::sim {
namespace {

RC_GTEST_PROP(TimerQueueProperty, PopsInOrderOfTimeThenSetting, ()) {
  TimerQueue queue;
  std::map<std::pair<std::int64_t, int>, TimerId> model;
  std::vector<TimerId> all;
  int fired = -1;
  int next = 0;
  const int steps = *rc::gen::inRange(0, 300);
  for (int step = 0; step < steps; ++step) {
    const int choice = *rc::gen::inRange(0, 4);
    if (choice <= 1) {
      const auto time = *rc::gen::inRange<std::int64_t>(0, 20);
      const int name = next++;
      const TimerId id = queue.add(Time(Duration(time)), [&fired, name] { fired = name; });
      model.emplace(std::pair(time, name), id);
      all.push_back(id);
    } else if (choice == 2 && !all.empty()) {
      const TimerId id = all[*rc::gen::inRange<std::size_t>(0, all.size())];
      const auto found =
          std::find_if(model.begin(), model.end(), [&](const auto& entry) { return entry.second == id; });
      RC_ASSERT(queue.cancel(id) == (found != model.end()));
      if (found != model.end()) model.erase(found);
    } else if (choice == 3 && !model.empty()) {
      RC_ASSERT(queue.next_time() == Time(Duration(model.begin()->first.first)));
      const TimerQueue::Due due = queue.pop();
      due.callback();
      RC_ASSERT(fired == model.begin()->first.second);
      model.erase(model.begin());
    }
    RC_ASSERT(queue.size() == model.size());
  }
}

}  // namespace
}  // namespace polarsim::sim
