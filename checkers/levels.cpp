#include "checkers/levels.h"

#include <algorithm>
#include <array>

#include "checkers/checkers.h"
#include "checkers/cycle_search.h"

namespace polarsim::checkers {

namespace {

struct ExactLevel {
  const char* name;
  const char* model;
  std::optional<WeakLevel> weak;  // the strongest axiom that it includes
  bool needs_order;
  std::vector<const char*> weaker;  // those it directly implies
};

const std::vector<ExactLevel>& exact_levels() {
  static const std::vector<ExactLevel> levels = {
      {"PL-1", "read-uncommitted", {}, false, {}},
      {"PL-2", "read-committed", {}, false, {"PL-1"}},
      {"MAV", "read-committed", WeakLevel::mav, false, {"PL-2"}},
      {"BE-RC", "read-committed", WeakLevel::be_rc, false, {"MAV"}},
      {"RA", "read-committed", WeakLevel::read_atomic, false, {"BE-RC"}},
      {"CC", "read-committed", WeakLevel::causal, false, {"RA"}},
      {"RR", "repeatable-read", WeakLevel::mav, true, {"MAV"}},
      {"SI", "snapshot-isolation", WeakLevel::mav, true, {"MAV"}},
      {"SER", "serializable", WeakLevel::mav, true, {"RR", "SI"}},
      {"strong-session-PL-1", "strong-session-read-uncommitted", {}, false, {"PL-1"}},
      {"strong-session-PL-2", "strong-session-read-committed", {}, false, {"PL-2", "strong-session-PL-1"}},
      {"strong-session-SI",
       "strong-session-snapshot-isolation",
       WeakLevel::causal,
       true,
       {"SI", "CC", "strong-session-PL-2"}},
      {"strong-session-SER", "strong-session-serializable", WeakLevel::causal, true, {"SER", "strong-session-SI"}},
      {"strong-PL-1", "strong-read-uncommitted", {}, false, {"strong-session-PL-1"}},
      {"strong-PL-2", "strong-read-committed", {}, false, {"strong-session-PL-2", "strong-PL-1"}},
      {"strong-SI", "strong-snapshot-isolation", WeakLevel::causal, true, {"strong-session-SI", "strong-PL-2"}},
      {"strong-SER", "strong-serializable", WeakLevel::causal, true, {"strong-session-SER", "strong-SI"}},
  };
  return levels;
}

const ExactLevel* find_level(std::string_view name) {
  const auto& levels = exact_levels();
  const auto found =
      std::find_if(levels.begin(), levels.end(), [&](const ExactLevel& level) { return level.name == name; });
  return found == levels.end() ? nullptr : &*found;
}

// Decides from the strongest axiom down, because most histories are at it, and the weaker ones then follow.
class Axioms {
 public:
  explicit Axioms(const Execution& execution) : execution_(execution) {}

  bool hold(WeakLevel level) {
    while (!known_ && undecided_ > 0 && order[undecided_ - 1] >= level) {
      strongest_ = order[--undecided_];
      known_ = decide(execution_, strongest_).holds;
    }
    return known_ && strongest_ >= level;
  }

 private:
  static constexpr std::array order{WeakLevel::mav, WeakLevel::be_rc, WeakLevel::read_atomic, WeakLevel::causal};
  const Execution& execution_;
  bool known_ = false;  // whether any holds; then the strongest that does:
  WeakLevel strongest_ = WeakLevel::mav;
  std::size_t undecided_ = order.size();  // so many of the weakest
};

}  // namespace

std::vector<std::string> exact_level_names() {
  std::vector<std::string> names;
  for (const ExactLevel& level : exact_levels()) names.emplace_back(level.name);
  return names;
}

LevelRules rules_of_level(std::string_view name) {
  const ExactLevel* level = find_level(name);
  // "PL-1" and its like are Elle's names, too, and mean the same.
  if (level == nullptr || (is_model_name(name) && !level->needs_order)) return {std::string(name), {}, false};
  return {level->model, level->weak, level->needs_order};
}

std::vector<std::string> levels_ruled_out_by(std::string_view anomaly) {
  NameSet impossible = models_ruled_out_by({std::string(anomaly)});
  if (anomaly == "internal-own-write") impossible.merge(models_at_least("read-committed"));
  NameSet ruled_out;
  std::vector<std::string> weakest;
  for (const ExactLevel& level : exact_levels()) {
    const bool weaker_fails = std::any_of(level.weaker.begin(), level.weaker.end(),
                                          [&](const char* weaker) { return ruled_out.contains(weaker); });
    const bool itself = impossible.contains(level.model) || anomaly == std::string(level.name) + "-cycle";
    if (!weaker_fails && !itself) continue;
    ruled_out.insert(level.name);
    if (!weaker_fails) weakest.emplace_back(level.name);
  }
  return weakest;
}

std::vector<LevelDecision> decide_levels(const LevelEvidence& evidence) {
  if (evidence.nothing_found()) {
    std::vector<LevelDecision> decisions;
    for (const ExactLevel& level : exact_levels()) decisions.push_back({level.name, Validity::valid});
    return decisions;
  }
  NameSet impossible = models_ruled_out_by(evidence.anomalies);
  if (!evidence.acyclic) {
    for (const std::string& model : models_with_cycles(*evidence.graph)) impossible.merge(models_at_least(model));
  }
  // No name of Elle's, but no database that hides a transaction's own writes from it is at PL-2 either.
  if (evidence.anomalies.contains("internal-own-write")) impossible.merge(models_at_least("read-committed"));

  Axioms axioms(*evidence.execution);
  std::vector<LevelDecision> decisions;
  const auto decided = [&](std::string_view name) {
    return std::find_if(decisions.begin(), decisions.end(), [&](const LevelDecision& d) { return d.level == name; })
        ->validity;
  };
  for (const ExactLevel& level : exact_levels()) {
    Validity validity = Validity::valid;
    const bool weaker_fails = std::any_of(level.weaker.begin(), level.weaker.end(),
                                          [&](const char* weaker) { return decided(weaker) == Validity::invalid; });
    if (weaker_fails || impossible.contains(level.model)) {
      validity = Validity::invalid;
    } else if (level.weak && !level.needs_order && !axioms.hold(*level.weak)) {
      validity = Validity::invalid;
    } else if (level.needs_order && !evidence.order_known) {
      validity = Validity::unknown;
    }
    decisions.push_back({level.name, validity});
  }
  return decisions;
}

}  // namespace polarsim::checkers
