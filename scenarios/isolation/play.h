// Plays a case on a stage and compares what happens with what the file says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/isolation/isolation_file.h"
#include "scenarios/isolation/stage.h"

namespace polarsim::scenarios::isolation {

struct CaseResult {
  // The first difference, "file.toml:12: step 3 (a: SELECT 1): expected ..., found ..."; empty if there is none.
  std::string difference;
  // What happened up to there, a line for each thing.
  std::vector<std::string> transcript;
  bool passed() const { return difference.empty(); }
};

// Throws StageError.
CaseResult play(const Case& played, const std::string& path, Stage& stage);

}  // namespace polarsim::scenarios::isolation
