#include "scenarios/cli/run_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "scenarios/campaign.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

TimedRun run_timed(const Scenario& scenario, RunRequest request, const std::string& label) {
  ProgressLine line;
  const double planned = sim::seconds(request.until == sim::never ? scenario.duration : request.until - sim::time_zero);
  request.progress = [&](sim::Time now) {
    if (interrupted()) throw Interrupted{};
    line.update([&] {
      const double reached = sim::seconds(now - sim::time_zero);
      if (reached > planned) return fmt::format("{}  {} settling: {:.1f} s virtual", label, progress_bar(1), reached);
      return fmt::format("{}  {} {:.1f} of {:.1f} s virtual", label, progress_bar(reached / std::max(planned, 1e-9)),
                         reached, planned);
    });
  };
  TimedRun result;
  const double start = wall_seconds();
  result.record = run_scenario(scenario, request);
  result.wall_seconds = wall_seconds() - start;
  return result;
}

std::vector<std::string> names_of(const std::vector<reports::Finding>& findings) {
  std::vector<std::string> names;
  for (const reports::Finding& finding : findings) {
    if (std::find(names.begin(), names.end(), finding.name) == names.end()) names.push_back(finding.name);
  }
  return names;
}

nlohmann::ordered_json check_to_json(const reports::CheckSummary& check) {
  nlohmann::ordered_json object;
  object["name"] = check.name;
  object["verdict"] = reports::to_string(check.verdict);
  object["level"] = check.level;
  object["anomalies"] = names_of(check.anomalies);
  object["exposures"] = names_of(check.exposures);
  object["counts"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : check.counts) object["counts"][name] = count;
  object["explanation"] = reports::explanation_of(check);
  return object;
}

nlohmann::ordered_json run_to_json(const reports::RunSummary& summary, double wall_seconds, const std::string& folder) {
  nlohmann::ordered_json object;
  object["scenario"] = summary.scenario;
  object["seed"] = summary.seed;
  object["verdict"] = reports::to_string(summary.verdict);
  object["digest"] = summary.digest;
  object["virtual_seconds"] = static_cast<double>(summary.virtual_time_ns) * 1e-9;
  object["wall_seconds"] = wall_seconds;
  object["transactions"] = summary.transactions();
  object["faults"] = summary.faults_struck;
  object["checks"] = nlohmann::ordered_json::array();
  for (const reports::CheckSummary& check : summary.checks) object["checks"].push_back(check_to_json(check));
  object["capsule"] = folder.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(folder);
  return object;
}

std::string run_command_text(const std::string& scenario, std::uint64_t seed, const std::vector<std::string>& overrides,
                             const std::vector<std::string>& planted) {
  std::string command = fmt::format("{} run {} --seed {}", shell_word(program_name()), shell_word(scenario), seed);
  for (const std::string& entry : overrides) command += " --set " + shell_word(entry);
  for (const std::string& bug : planted) command += " --plant " + shell_word(bug);
  return command;
}

FolderForRun::FolderForRun(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  was_there_ = std::filesystem::exists(folder_, error) || error;
}

FolderForRun::~FolderForRun() {
  if (!folder_.empty() && !was_there_) ::rmdir(folder_.c_str());
}

std::string dump(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int exit_status_of(reports::Outcome verdict) {
  return verdict == reports::Outcome::valid ? exit_status::passed : exit_status::not_passed;
}

}  // namespace polarsim::scenarios::cli
