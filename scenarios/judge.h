// Which checkers a scenario may ask for, and asking them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkers/checkers.h"
#include "scenarios/scenario.h"

namespace polarsim::scenarios {

struct JudgeInfo {
  std::string name;
  std::string workload;  // the one whose histories it understands; empty: any
  bool has_level = false;
  bool by_default = true;  // judges the workload where a scenario names no checkers
  bool watches = false;    // asks for what happens in the nodes (transaction_watch.h)
};
const std::vector<JudgeInfo>& list_judges();
const JudgeInfo* find_judge(std::string_view name);

// The level of a checker that has levels when the scenario names none: what the database promises.
inline constexpr const char* default_level = "read-committed";

// Whether one of the scenario's checkers asks for what happens in the nodes.
bool is_watched(const Scenario& scenario);

// What judges a scenario that does not say: the judges of its workload, each at the default level.
std::vector<CheckerRequest> default_checkers(std::string_view workload);

// True for every name that a checker or the runner gives to an anomaly or an exposure.
bool is_known_anomaly(std::string_view name);
std::vector<std::string> known_anomalies();

// `request` must name a judge of the scenario's workload, as parse_scenario makes sure.
checkers::Verdict judge(const CheckerRequest& request, const Scenario& scenario, const checkers::History& history,
                        const std::vector<checkers::PreparedResidue>& residue);

}  // namespace polarsim::scenarios
