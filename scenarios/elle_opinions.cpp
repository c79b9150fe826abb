#include "scenarios/elle_opinions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "scenarios/judge.h"

namespace polarsim::scenarios {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const checkers::SecondOpinion& opinion) {
  Json object;
  object["checker"] = opinion.checker;
  object["model"] = opinion.model;
  object["agreement"] = checkers::to_string(opinion.agreement);
  object["explanation"] = opinion.explanation;
  object["polarsim"]["verdict"] = checkers::to_string(opinion.own.validity);
  object["polarsim"]["found"] = opinion.own.found;
  object["elle"]["verdict"] = checkers::to_string(opinion.elle.validity);
  object["elle"]["anomalies"] = opinion.elle.anomalies;
  object["elle"]["not"] = opinion.elle.not_models;
  object["elle"]["also_not"] = opinion.elle.also_not;
  object["elle"]["reason"] = opinion.elle.reason;
  return object;
}

}  // namespace

std::vector<checkers::OwnOpinion> own_opinions(const Scenario& scenario, const RunRecord& record) {
  std::vector<checkers::OwnOpinion> opinions;
  if (!scenario.elle) return opinions;
  auto verdict = record.verdicts.begin();
  for (const CheckerRequest& request : scenario.checkers) {
    const auto own = std::find_if(verdict, record.verdicts.end(), [&](const checkers::Verdict& candidate) {
      return candidate.checker == request.name;
    });
    // A run that an invariant stopped has no verdict on its history.
    if (own == record.verdicts.end()) continue;
    verdict = own + 1;
    if (!checkers::elle_judges(request.name)) continue;
    const std::string level = request.level.empty() ? default_level : request.level;
    const std::string model = checkers::elle_model_of(level);
    if (model == level) {
      opinions.push_back(checkers::own_opinion(*own, model));
      continue;
    }
    CheckerRequest at_its_model = request;
    at_its_model.level = model;
    opinions.push_back(checkers::own_opinion(judge(at_its_model, scenario, record.history, {}), model));
  }
  return opinions;
}

checkers::ElleRequest request_for(const checkers::OwnOpinion& own, const std::string& history_file) {
  return {0, own.checker, own.model, own.options, history_file};
}

std::string disagreement_signature(const std::vector<checkers::SecondOpinion>& opinions) {
  std::string signature;
  for (const checkers::SecondOpinion& opinion : opinions) {
    if (opinion.agreement != checkers::Agreement::disagreed) continue;
    signature += (signature.empty() ? std::string(elle_disagreement) + ":" : ",") + opinion.checker;
  }
  return signature;
}

std::string elle_json(const std::vector<checkers::SecondOpinion>& opinions, const std::string& elle_version) {
  Json object;
  object["elle_version"] = elle_version;
  object["opinions"] = Json::array();
  for (const checkers::SecondOpinion& opinion : opinions) object["opinions"].push_back(to_json(opinion));
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace polarsim::scenarios
