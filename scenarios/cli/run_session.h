// What run and replay share: one run with a progress line and an eye on SIGINT, and how its result is printed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/artifacts.h"
#include "scenarios/runner.h"

namespace polarsim::scenarios::cli {

struct TimedRun {
  RunRecord record;
  double wall_seconds = 0;
};

// `label` begins the progress line. Throws Interrupted.
TimedRun run_timed(const Scenario& scenario, RunRequest request, const std::string& label);

// The object of `run --json`; `folder` is empty if no artifacts were written.
nlohmann::ordered_json run_to_json(const reports::RunSummary& summary, double wall_seconds, const std::string& folder);
// One checker's entry in it.
nlohmann::ordered_json check_to_json(const reports::CheckSummary& check);
// The command that makes this run from its arguments, for when there is no capsule.
std::string run_command_text(const std::string& scenario, std::uint64_t seed, const std::vector<std::string>& overrides,
                             const std::vector<std::string>& planted);
std::string dump(const nlohmann::ordered_json& value);
// Anomaly names, each once, in order of first appearance.
std::vector<std::string> names_of(const std::vector<reports::Finding>& findings);

// Removes a folder again that was made for a run which then did not come to its end. A folder that was there before, or
// that holds anything, stays.
class FolderForRun {
 public:
  explicit FolderForRun(std::string folder);
  ~FolderForRun();
  FolderForRun(const FolderForRun&) = delete;
  FolderForRun& operator=(const FolderForRun&) = delete;

 private:
  std::string folder_;
  bool was_there_;
};

int exit_status_of(reports::Outcome verdict);

}  // namespace polarsim::scenarios::cli
