// What the closest relative answered when it was asked (scenarios/sql/relative/README.md), asked of a cluster: the same
// answers, or others for reasons that docs/differences.md gives, line by line.
//
// POLARSIM_SQL_RECORD_CLUSTER=1 in the environment writes the cluster's own answers into the records that are marked
// `differs`, to be read before they are kept; POLARSIM_SQL_FILES is a part of the names of the files to play.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "scenarios/sql/cluster_connection.h"
#include "scenarios/sql/play.h"

namespace polarsim::scenarios::sql {
namespace {

constexpr std::size_t failures_shown = 20;

std::vector<std::string> relative_files() {
  const char* const only = std::getenv("POLARSIM_SQL_FILES");
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios/sql/relative")) {
    const std::string path = entry.path().string();
    if (path.ends_with(".slt") && (only == nullptr || path.find(only) != std::string::npos)) paths.push_back(path);
  }
  std::ranges::sort(paths);
  return paths;
}

// What the relative has said stays as it is.
std::string with_own_answers(StatementFile file, Connection& connection) {
  for (Record& record : file.records) record.is_recorded = record.is_recorded && !record.difference.empty();
  return record(file, connection);
}

TEST(Relative, AClusterAnswersAsItDidOrForAReason) {
  const std::vector<std::string> paths = relative_files();
  for (const std::string& path : paths) {
    const StatementFile file = load_statement_file(path);
    ASSERT_EQ(file.required, "cluster") << path;
    const auto connection = make_cluster_connection(file.coordinators);
    if (std::getenv("POLARSIM_SQL_RECORD_CLUSTER") != nullptr) {
      const std::string text = with_own_answers(file, *connection);
      std::ofstream(path) << text;
      std::cout << path << " is recorded\n";
      continue;
    }
    const Played played = play(file, *connection);
    EXPECT_GT(played.records, 0U) << path;
    std::string text;
    for (std::size_t i = 0; i < std::min(played.failures.size(), failures_shown); ++i)
      text += to_string(played.failures[i]) + "\n";
    EXPECT_TRUE(played.failures.empty()) << played.failures.size() << " of " << played.records << " records:\n" << text;
  }
  EXPECT_TRUE(!paths.empty() || std::getenv("POLARSIM_SQL_FILES") != nullptr);
}

// The names of the page's lines: "| `name` | ...".
std::set<std::string> explained_differences() {
  std::set<std::string> names;
  std::ifstream page("docs/differences.md");
  for (std::string line; std::getline(page, line);) {
    const std::size_t end = line.find("` |");
    if (line.starts_with("| `") && end != std::string::npos) names.insert(line.substr(3, end - 3));
  }
  return names;
}

TEST(Relative, ThePageOfDifferencesIsAboutWhatDiffers) {
  std::set<std::string> marked;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios/sql/relative")) {
    if (entry.path().extension() != ".slt") continue;
    for (const Record& record : load_statement_file(entry.path().string()).records) {
      if (!record.difference.empty()) marked.insert(record.difference);
    }
  }
  std::ifstream locks("scenarios/sql/relative/locks.txt");
  for (std::string line; std::getline(locks, line);) {
    if (line.starts_with("differs ")) marked.insert(line.substr(8, line.find(' ', 8) - 8));
  }
  EXPECT_FALSE(marked.empty());
  EXPECT_EQ(explained_differences(), marked);
}

}  // namespace
}  // namespace polarsim::scenarios::sql
