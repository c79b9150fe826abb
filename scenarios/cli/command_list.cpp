#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "engine/planted_bugs.h"
#include "faults/schedule.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/workload.h"

namespace polarsim::scenarios::cli {

namespace {

struct Entry {
  std::string name;
  std::string summary;
  std::string found_by{};  // of planted bugs
};

std::vector<Entry> scenarios() {
  std::vector<Entry> entries;
  for (const std::string& path : library_scenarios()) {
    const auto scenario = load_scenario(path);
    if (!scenario) throw UsageError(scenario.error().message);
    entries.push_back({scenario->name, scenario->summary});
  }
  return entries;
}

std::vector<Entry> workloads() {
  std::vector<Entry> entries;
  for (const WorkloadInfo& info : list_workloads()) entries.push_back({info.name, info.summary});
  return entries;
}

std::vector<Entry> fault_kinds_and_profiles() {
  std::vector<Entry> entries;
  for (const faults::ProfileInfo& kind : faults::list_fault_kinds()) entries.push_back({kind.name, kind.summary});
  for (const faults::ProfileInfo& profile : faults::list_profiles())
    entries.push_back({profile.name, "profile: " + profile.summary});
  return entries;
}

std::vector<Entry> all_checkers() {
  std::vector<Entry> entries;
  for (const checkers::CheckerInfo& info : checkers::list_checkers()) entries.push_back({info.name, info.summary});
  return entries;
}

std::vector<Entry> bugs() {
  std::vector<Entry> entries;
  for (const engine::PlantedBugInfo& info : engine::planted_bugs()) {
    const std::string found_by = engine::to_string(info.found_by);
    entries.push_back({std::string(info.name),
                       fmt::format("{} (after {}; found by {})", info.summary, info.source, found_by), found_by});
  }
  return entries;
}

// Probes and fault points are declared by use, so the way to know them is to run: each library scenario, shortened,
// with one seed.
std::vector<Entry> probes() {
  constexpr std::uint64_t seed = 1;
  std::map<std::string, std::uint64_t> states, points;
  for (const std::string& path : library_scenarios()) {
    auto scenario = load_scenario(path);
    if (!scenario) throw UsageError(scenario.error().message);
    scenario->duration = std::min(scenario->duration, sim::Duration(5'000'000'000));
    RunRequest request;
    request.seed = seed;
    const TimedRun run = run_timed(*scenario, request, "looking for probes: " + scenario->name);
    for (const auto& [name, count] : run.record.probes) states[name] += count;
    for (const auto& [name, count] : run.record.fault_points) points[name] += count;
  }
  std::vector<Entry> entries;
  for (const auto& [name, count] : states) {
    entries.push_back({name, fmt::format("probe, reached {} in short runs of the library with seed {}",
                                         reports::counted(count, "time"), seed)});
  }
  for (const auto& [name, count] : points) {
    entries.push_back({name, fmt::format("fault point, visited {} in short runs of the library with seed {}",
                                         reports::counted(count, "time"), seed)});
  }
  return entries;
}

std::string text_of(const std::vector<Entry>& entries) {
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.name.size());
  std::string text;
  for (const Entry& entry : entries) text += fmt::format("{:<{}}  {}\n", entry.name, width, entry.summary);
  return text;
}

std::string json_of(const std::vector<Entry>& entries) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Entry& entry : entries) {
    list.push_back({{"name", entry.name}, {"summary", entry.summary}});
    if (!entry.found_by.empty()) list.back()["found_by"] = entry.found_by;
  }
  return dump(list);
}

}  // namespace

int list_command(const ListOptions& options) {
  const std::vector<std::pair<std::string, std::vector<Entry> (*)()>> kinds{
      {"scenarios", scenarios},   {"workloads", workloads}, {"faults", fault_kinds_and_profiles},
      {"checkers", all_checkers}, {"bugs", bugs},           {"probes", probes}};
  for (const auto& [kind, entries_of] : kinds) {
    if (kind != options.kind) continue;
    const std::vector<Entry> entries = entries_of();
    if (entries.empty() && !options.json) print_error(fmt::format("no {} found", kind));
    print(options.json ? json_of(entries) : text_of(entries));
    return exit_status::passed;
  }
  throw UsageError(fmt::format(
      "list: expected one of scenarios, workloads, faults, checkers, bugs, probes, found \"{}\"", options.kind));
}

}  // namespace polarsim::scenarios::cli
