#include "scenarios/runner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "scenarios/judge.h"
#include "scenarios/run_phases.h"

namespace polarsim::scenarios {
namespace {

using checkers::EventType;
using checkers::Validity;
using checkers::Verdict;

Verdict invariant_verdict(const sim::Simulation& simulation) {
  Verdict verdict;
  verdict.checker = "invariant";
  const auto& violation = simulation.violation();
  if (!violation) return verdict;
  verdict.validity = Validity::invalid;
  verdict.counts = {{violation->name, 1}};
  verdict.anomalies.push_back(checkers::Anomaly{violation->name, violation->detail, {}});
  return verdict;
}

std::vector<std::string> names_seen(const std::vector<Verdict>& verdicts) {
  std::set<std::string> names;
  for (const Verdict& verdict : verdicts) {
    for (const auto& [name, count] : verdict.counts) {
      if (count > 0) names.insert(name);
    }
    for (const checkers::Anomaly& anomaly : verdict.anomalies) names.insert(anomaly.name);
    for (const checkers::Anomaly& exposure : verdict.exposures) names.insert(exposure.name);
  }
  return {names.begin(), names.end()};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What the scenario forbids beyond its checkers: an exposure that they permit, above all.
Verdict never_verdict(const Scenario& scenario, const std::vector<Verdict>& verdicts) {
  Verdict never;
  never.checker = "never";
  for (const Verdict& verdict : verdicts) {
    for (const auto* const list : {&verdict.anomalies, &verdict.exposures}) {
      for (const checkers::Anomaly& anomaly : *list) {
        if (contains(scenario.never, anomaly.name)) never.anomalies.push_back(anomaly);
      }
    }
    for (const auto& count : verdict.counts) {
      if (count.second > 0 && contains(scenario.never, count.first)) never.counts.push_back(count);
    }
    never.operations_checked = std::max(never.operations_checked, verdict.operations_checked);
  }
  std::sort(never.counts.begin(), never.counts.end());
  if (!never.anomalies.empty() || !never.counts.empty()) never.validity = Validity::invalid;
  return never;
}

std::string signature_of(const std::vector<Verdict>& verdicts) {
  std::string signature;
  for (const Verdict& verdict : verdicts) {
    if (verdict.validity == Validity::valid) continue;
    std::set<std::string> names;
    for (const checkers::Anomaly& anomaly : verdict.anomalies) names.insert(anomaly.name);
    if (names.empty()) names.insert(to_string(verdict.validity));
    if (!signature.empty()) signature += ";";
    signature += verdict.checker + ":";
    for (auto name = names.begin(); name != names.end(); ++name)
      signature += (name == names.begin() ? "" : ",") + *name;
  }
  return signature;
}

void count_transactions(RunRecord& record) {
  const std::vector<checkers::Event>& events = record.history.events;
  for (const checkers::History::Pair& pair : record.history.pairs()) {
    if (!events[static_cast<std::size_t>(pair.invoke)].field("final?").empty()) continue;
    const EventType end =
        pair.completion < 0 ? EventType::info : events[static_cast<std::size_t>(pair.completion)].type;
    if (end == EventType::ok) ++record.transactions_ok;
    if (end == EventType::fail) ++record.transactions_failed;
    if (end == EventType::info) ++record.transactions_info;
  }
}

void collect(RunPhases& phases, const RunRequest& request, RunRecord& record) {
  sim::Simulation& simulation = phases.simulation();
  record.digest = simulation.digest().value();
  record.ladder = simulation.digest().ladder();
  record.ladder_interval = simulation.digest().ladder_interval();
  record.digest_records = simulation.digest().count();
  record.virtual_time = simulation.now() - sim::time_zero;
  record.scheduler_events = simulation.scheduler().events();
  record.faults_scheduled = phases.schedule().faults.size();
  record.faults_struck = phases.faults_struck();
  for (const auto& [name, count] : simulation.probes().counts()) record.probes[name] = count;
  for (const auto& [name, count] : simulation.fault_points().visits()) record.fault_points[name] = count;
  record.schedule = phases.schedule();
  record.nodes = phases.cluster().node_names();
  record.history = phases.recorder().take();
  if (request.trace != nullptr) simulation.trace().flush();
  record.decisions = std::move(phases.decisions());
  record.decisions_followed = simulation.choices().replay_status();
  count_transactions(record);
}

void judge_all(RunPhases& phases, const Scenario& scenario, RunRecord& record) {
  record.verdicts.push_back(phases.liveness());
  record.verdicts.push_back(invariant_verdict(phases.simulation()));
  if (!phases.cut_short()) {
    for (const CheckerRequest& request : scenario.checkers) {
      // This one asks the database itself; all others judge the history.
      record.verdicts.push_back(request.name == "prepared-residue"
                                    ? judge_residue(phases.residue())
                                    : judge(request, scenario, record.history, phases.residue().found));
    }
    if (!scenario.never.empty()) record.verdicts.push_back(never_verdict(scenario, record.verdicts));
  }
  record.validity = Validity::valid;
  for (const Verdict& verdict : record.verdicts) record.validity = combine(record.validity, verdict.validity);
  record.seen = names_seen(record.verdicts);
  record.signature = signature_of(record.verdicts);
  for (const std::string& name : scenario.expect) {
    if (!contains(record.seen, name)) record.expected_missing.push_back(name);
  }
}

}  // namespace

faults::Schedule schedule_for(const Scenario& scenario, std::uint64_t seed) {
  if (scenario.explicit_schedule) return *scenario.explicit_schedule;
  return faults::generate(scenario.fault_profile, seed, topology_of(scenario), scenario.duration);
}

RunRecord run_scenario(const Scenario& scenario, const RunRequest& request) {
  RunRecord record;
  record.scenario = scenario.name;
  record.seed = request.seed;
  for (const engine::PlantedBugInfo& info : engine::planted_bugs()) {
    const auto& planted = request.planted;
    if (std::find(planted.begin(), planted.end(), info.bug) != planted.end()) record.planted.emplace_back(info.name);
  }
  record.watched = is_watched(scenario);
  RunPhases phases(scenario, request);
  phases.run();
  if (request.on_stop) request.on_stop(phases.cluster());
  collect(phases, request, record);
  judge_all(phases, scenario, record);
  return record;
}

}  // namespace polarsim::scenarios
