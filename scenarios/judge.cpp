#include "scenarios/judge.h"

#include <algorithm>

#include "scenarios/workload.h"
#include "sim/assert.h"

namespace polarsim::scenarios {

const std::vector<JudgeInfo>& list_judges() {
  static const std::vector<JudgeInfo> judges{
      {"list-append", "append", true},
      {"rw-register", "register", true},
      {"bank", "bank", false},
      {"read-committed-cluster", "append", false, false, true},
      {"anomaly-meter", "meter", false, true, true},
      {"prepared-residue", "", false},
  };
  return judges;
}

const JudgeInfo* find_judge(std::string_view name) {
  for (const JudgeInfo& info : list_judges()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

bool is_watched(const Scenario& scenario) {
  return std::any_of(scenario.checkers.begin(), scenario.checkers.end(), [](const CheckerRequest& request) {
    const JudgeInfo* const info = find_judge(request.name);
    return info != nullptr && info->watches;
  });
}

std::vector<CheckerRequest> default_checkers(std::string_view workload) {
  std::vector<CheckerRequest> requests;
  for (const JudgeInfo& info : list_judges()) {
    if (!info.by_default || (!info.workload.empty() && info.workload != workload)) continue;
    requests.push_back({info.name, info.has_level ? default_level : "", {}});
  }
  return requests;
}

std::vector<std::string> known_anomalies() {
  return {// Adya's phenomena and their relatives
          "G0", "G1a", "G1b", "G1c", "G-single", "G-single-item", "G-nonadjacent", "G-nonadjacent-item", "G2",
          "G2-item", "lost-update", "dirty-update", "future-read", "thin-air-read", "cyclic-versions", "internal",
          "internal-own-write", "duplicate-elements", "incompatible-order",
          // what contradicts the axiom of a level
          "MAV-cycle", "BE-RC-cycle", "RA-cycle", "CC-cycle",
          // bank
          "fractured-read", "bank-total", "bank-lost-transfer", "bank-negative", "bank-missing-account",
          "bank-duplicate-account", "bank-phantom-balance", "bank-unknown-account",
          // writes that succeeded and that the final reads do not show
          "lost-append", "lost-write", "partial-commit",
          // the promise of a cluster
          "node-read-committed", "unexcused-fractured-read", "read-your-writes", "stale-read", "pending-own-write",
          "pending-write", "half-commit", "lost-commit", "resurrected-abort",
          // the end of a run
          "prepared-residue", "not-ready", "setup-failed", "stuck-client", "not-converged", "stuck-prepared",
          "final-read-failed", "stalled"};
}

bool is_known_anomaly(std::string_view name) {
  for (const std::string_view suffix : {"-process", "-realtime"}) {
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  }
  const std::vector<std::string> names = known_anomalies();
  return std::find(names.begin(), names.end(), name) != names.end();
}

checkers::Verdict judge(const CheckerRequest& request, const Scenario& scenario, const checkers::History& history,
                        const std::vector<checkers::PreparedResidue>& residue) {
  const checkers::Level level{request.level.empty() ? default_level : request.level};
  if (request.name == "list-append") return checkers::check_list_append(history, level);
  if (request.name == "rw-register") return checkers::check_rw_register(history, level);
  if (request.name == "read-committed-cluster") {
    return checkers::check_read_committed_cluster(
        history, {.read_your_writes = request.read_your_writes == "always" ? checkers::ReadYourWrites::always
                                                                           : checkers::ReadYourWrites::unless_pending});
  }
  if (request.name == "anomaly-meter") {
    const std::vector<std::string> whole = whole_meter_cases();
    return checkers::check_anomaly_meter(
        history, {.total = scenario.workload.integers.at("accounts") * scenario.workload.integers.at("initial_balance"),
                  .whole_cases = {whole.begin(), whole.end()}});
  }
  if (request.name == "prepared-residue") return checkers::check_prepared_residue(residue);
  POLARSIM_ASSERT(request.name == "bank", "a checker that no scenario may ask for");
  checkers::BankOptions options;
  options.accounts = scenario.workload.integers.at("accounts");
  options.initial_balance = scenario.workload.integers.at("initial_balance");
  options.negative_allowed = scenario.workload.switches.at("negative_allowed");
  return checkers::check_bank(history, options);
}

}  // namespace polarsim::scenarios
