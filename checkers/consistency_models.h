// What an anomaly rules out: the hierarchy of anomalies and of consistency models, with Elle's names, so that verdicts
// can be compared with Elle's. Facts from Adya ("Weak Consistency"), Bailis et al., Cerone et al., Daudjee and Salem,
// and from the relations Elle 0.2.8 publishes.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::checkers {

using NameSet = std::set<std::string, std::less<>>;

// Every accepted name of a model, sorted; synonyms included.
std::vector<std::string> all_model_names();
bool is_model_name(std::string_view model);

// The name used in verdicts for `model`, e.g. "PL-2" and "read-committed" both give "read-committed".
std::string friendly_model_name(std::string_view model);

// The anomalies that must not occur if `model` is to hold. Precondition: is_model_name(model).
NameSet anomalies_prohibited_by(std::string_view model);

// The anomalies that `anomaly` is a special case of, itself included.
NameSet anomalies_implied_by(std::string_view anomaly);

// The models (friendly names) that cannot hold if all of `anomalies` occurred, models stronger than those included.
NameSet models_ruled_out_by(const NameSet& anomalies);

// `model` and every stronger one, by friendly names.
NameSet models_at_least(std::string_view model);

// The same set split: the weakest models ruled out, and the others, which fall with them. Each sorted.
struct Boundary {
  std::vector<std::string> not_models;
  std::vector<std::string> also_not;
};
Boundary boundary_of(const NameSet& anomalies);

}  // namespace polarsim::checkers
