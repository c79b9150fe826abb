#include "scenarios/workload.h"

namespace polarsim::scenarios {

void HistoryRecorder::add(std::int64_t process, checkers::EventType type, std::string f, checkers::Value value,
                          std::vector<std::pair<std::string, std::string>> extra) {
  checkers::Event event;
  event.index = static_cast<std::int64_t>(history_.events.size());
  event.time_ns = sim::nanoseconds(simulation_.now());
  event.type = type;
  event.process = process;
  event.f = std::move(f);
  event.value = std::move(value);
  event.extra = std::move(extra);
  const std::string text = checkers::event_to_edn(event);
  simulation_.digest().absorb_bytes(sim::DigestKind::user, static_cast<std::uint64_t>(event.index), text);
  history_.events.push_back(std::move(event));
}

const std::vector<WorkloadInfo>& list_workloads() {
  static const std::vector<WorkloadInfo> workloads{append_workload(), bank_workload(), meter_workload(),
                                                   register_workload()};
  return workloads;
}

const WorkloadInfo* find_workload(std::string_view name) {
  for (const WorkloadInfo& info : list_workloads()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace polarsim::scenarios
