// Scheduler::stall_report: who waits for whom.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/scheduler_state.h"

namespace polarsim::sim {
namespace {

constexpr std::size_t cycle_limit = 16;
// A group can have thousands of members.
constexpr std::size_t named_tasks_limit = 8;

std::string time_text(Time time) {
  const std::int64_t count = nanoseconds(time);
  return fmt::format("{}.{:09} s", count / 1'000'000'000, count % 1'000'000'000);
}

std::string task_text(const Task& task) { return fmt::format("task {} \"{}\"", task.id, task.name); }

struct Wait {
  const Task* task;
  WaitDescription description;
};

class StallReport {
 public:
  StallReport(const Task* first_live, const TimerQueue& timers) : timers_(timers) {
    for (const Task* task = first_live; task != nullptr; task = task->live_next) {
      Wait wait{task, {}};
      if (task->state == TaskState::parked && task->wait_subject != nullptr) {
        task->wait_subject->describe(wait.description);
      }
      waits_.emplace(task->id, std::move(wait));
    }
  }

  std::string text(Time now, std::size_t task_limit) const;

 private:
  using Path = std::vector<std::uint64_t>;
  std::string line(const Wait& wait) const;
  std::string wait_text(const Wait& wait) const;
  std::string named(std::uint64_t id) const;
  std::vector<Path> cycles() const;
  // The tasks without which `id` can never go on. A wait with a deadline ends by itself.
  std::vector<std::uint64_t> needed_by(std::uint64_t id) const;
  std::string cycle_text(const Path& cycle) const;

  const TimerQueue& timers_;
  std::map<std::uint64_t, Wait> waits_;  // of every live task, by id
};

std::string StallReport::named(std::uint64_t id) const {
  const auto found = waits_.find(id);
  return found == waits_.end() ? fmt::format("task {}, which has ended", id) : task_text(*found->second.task);
}

std::string StallReport::wait_text(const Wait& wait) const {
  const auto& [what, tasks] = wait.description;
  std::string text = what;
  for (std::size_t i = 0; i < tasks.size() && i < named_tasks_limit; ++i) {
    text += (i == 0 ? " " : ", ") + named(tasks[i]);
  }
  if (tasks.size() > named_tasks_limit) text += fmt::format(" and {} more", tasks.size() - named_tasks_limit);
  return text;
}

std::string StallReport::line(const Wait& wait) const {
  const Task& task = *wait.task;
  std::string text = task_text(task);
  if (task.group != nullptr) text += fmt::format(" of group \"{}\"", task.group->name());
  switch (task.state) {
    case TaskState::ready:
      if (task.aside) return text + ": runnable, but its machine is paused";
      return text + (task.cancelled ? ": runnable, cancelled" : ": runnable");
    case TaskState::running:
      return text + ": running";
    case TaskState::calling:
      return text + ": in a call to the scheduler's stack";
    case TaskState::parked:
    case TaskState::finished:
      break;
  }
  text += fmt::format(": parked in \"{}\" since {}", task.park_reason, time_text(task.parked_since));
  if (task.timer != 0) text += ", until " + time_text(timers_.time_of(task.timer));
  if (!wait.description.what.empty()) text += "; waits for " + wait_text(wait);
  return text;
}

std::vector<std::uint64_t> StallReport::needed_by(std::uint64_t id) const {
  const auto found = waits_.find(id);
  if (found == waits_.end() || found->second.task->timer != 0) return {};
  return found->second.description.tasks;
}

// A depth-first search in order of ids: every edge back onto the path closes a cycle. Each task is entered once.
std::vector<StallReport::Path> StallReport::cycles() const {
  struct Step {
    std::uint64_t id;
    std::vector<std::uint64_t> needs;
    std::size_t next = 0;
  };
  std::vector<Path> found;
  std::map<std::uint64_t, bool> entered;  // to whether it is on the path
  for (const auto& [root, unused] : waits_) {
    if (entered.contains(root)) continue;
    std::vector<Step> path;
    const auto enter = [&](std::uint64_t id) {
      entered[id] = true;
      path.push_back({id, needed_by(id)});
    };
    enter(root);
    while (!path.empty()) {
      Step& top = path.back();
      if (top.next == top.needs.size()) {
        entered[top.id] = false;
        path.pop_back();
        continue;
      }
      const std::uint64_t need = top.needs[top.next++];
      const auto seen = entered.find(need);
      if (seen == entered.end()) {
        enter(need);
      } else if (seen->second) {
        const auto start = std::find_if(path.begin(), path.end(), [need](const Step& step) { return step.id == need; });
        Path cycle;
        std::transform(start, path.end(), std::back_inserter(cycle), [](const Step& step) { return step.id; });
        // Told from its oldest task on, wherever the search came upon it.
        std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
        found.push_back(std::move(cycle));
      }
    }
  }
  return found;
}

std::string StallReport::cycle_text(const Path& cycle) const {
  std::string text = "cycle:";
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const Wait& wait = waits_.at(cycle[i]);
    const std::uint64_t next = cycle[(i + 1) % cycle.size()];
    text +=
        fmt::format("{} {} waits for {} {}", i == 0 ? "" : ";", named(cycle[i]), wait.description.what, named(next));
  }
  return text;
}

std::string StallReport::text(Time now, std::size_t task_limit) const {
  std::string text =
      fmt::format("at {}: {} live tasks, {} pending timers\n", time_text(now), waits_.size(), timers_.size());
  std::size_t listed = 0;
  for (const auto& [id, wait] : waits_) {
    if (listed == task_limit) break;
    ++listed;
    text += "  " + line(wait) + "\n";
  }
  if (listed < waits_.size()) text += fmt::format("  and {} more\n", waits_.size() - listed);
  const std::vector<Path> found = cycles();
  for (std::size_t i = 0; i < found.size() && i < cycle_limit; ++i) text += "  " + cycle_text(found[i]) + "\n";
  if (found.size() > cycle_limit) text += fmt::format("  and {} more cycles\n", found.size() - cycle_limit);
  return text;
}

}  // namespace

std::string Scheduler::stall_report(std::size_t task_limit) const {
  return StallReport(impl_->first_live, impl_->timers).text(now_, task_limit);
}

}  // namespace polarsim::sim
