// What the real Elle is asked about a run, and what is kept of its answers.
#pragma once

#include <string>
#include <vector>

#include "checkers/elle/second_opinion.h"
#include "scenarios/runner.h"
#include "scenarios/scenario.h"

namespace polarsim::scenarios {

// What a checker's disagreement with Elle is called in signatures: "elle-disagreement:list-append".
inline constexpr const char* elle_disagreement = "elle-disagreement";

// Our verdicts of those checkers that Elle knows, each at the model that Elle is to be asked for. A verdict at a level
// that is Elle's, too, is taken from the record; for others the history is judged once more. Empty unless the scenario
// asks for Elle.
std::vector<checkers::OwnOpinion> own_opinions(const Scenario& scenario, const RunRecord& record);

// The request that goes with an opinion.
checkers::ElleRequest request_for(const checkers::OwnOpinion& own, const std::string& history_file);

// "elle-disagreement:" and the checkers that Elle contradicts, joined by commas; empty if there is none.
std::string disagreement_signature(const std::vector<checkers::SecondOpinion>& opinions);

// The text of elle.json, in the folder of a run that Elle contradicts: both verdicts of each checker.
std::string elle_json(const std::vector<checkers::SecondOpinion>& opinions, const std::string& elle_version);

}  // namespace polarsim::scenarios
