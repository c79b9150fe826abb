// For tests: the files that come with polarsim.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace polarsim::scenarios::isolation {

// Run from the project's root. Sorted.
inline std::vector<std::string> isolation_files() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios/isolation")) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace polarsim::scenarios::isolation
