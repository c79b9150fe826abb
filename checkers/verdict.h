// What a checker says, and the common shape of checkers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/explanation.h"
#include "checkers/history.h"

namespace polarsim::checkers {

enum class Validity : std::uint8_t { valid, invalid, unknown };
const char* to_string(Validity validity);

// The worse of two: invalid before unknown before valid.
Validity combine(Validity a, Validity b);

// One proof that something went wrong (or, for exposures, that something permitted was seen).
struct Anomaly {
  std::string name;         // "G1c", "lost-update", "bank-total", ...: the field's name
  std::string explanation;  // whole sentences naming the operations (by :index) and the edges
  // Histories positions (Event::index of the completions) that take part, in the order of the explanation.
  std::vector<std::int64_t> operations;
  // The same as data. Without operations where a checker says no more than the text.
  Explanation details = {};
};

// Whether a history is at one of the exact levels (levels.h).
struct LevelDecision {
  std::string level;
  Validity validity = Validity::valid;
};

struct Verdict {
  std::string checker;  // "list-append", "bank", "prepared-residue", ...
  Validity validity = Validity::valid;
  std::vector<Anomaly> anomalies;       // what makes it invalid: at most a few per name, worst first
  std::vector<Anomaly> exposures;       // permitted at this level, and seen; e.g. "fractured-read"
  std::vector<std::string> not_models;  // consistency models ruled out directly, Elle's names ("not")
  std::vector<std::string> also_not;    // and those that fall with them
  std::vector<LevelDecision> levels;    // if every level was asked for: each, weakest first
  std::string reason;                   // for unknown: why; for invalid: what else was not decided, if anything
  std::uint64_t operations_checked = 0;
  // Counts by anomaly name over the whole history, exposures included; sorted by name.
  std::vector<std::pair<std::string, std::uint64_t>> counts;
};

}  // namespace polarsim::checkers
