// The files of scenarios/sql/relative, played on clusters: what the closest relative, and where it speaks the vendor,
// say of placement, changes, plans, transactions and definitions. docs/differences.md has what is answered otherwise.
//
// POLARSIM_SQL_RECORD_CLUSTER=1 in the environment writes the answers into the files instead, to be read before they
// are kept; POLARSIM_SQL_FILES is a part of the names of the files to play.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "scenarios/sql/cluster_connection.h"
#include "scenarios/sql/play.h"

namespace polarsim::scenarios::cli::test {
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

TEST(Relative, AClusterAnswersLikeIt) {
  const std::vector<std::string> paths = relative_files();
  for (const std::string& path : paths) {
    const sql::StatementFile file = sql::load_statement_file(path);
    ASSERT_EQ(file.required, "cluster") << path;
    const auto connection = sql::make_cluster_connection();
    if (std::getenv("POLARSIM_SQL_RECORD_CLUSTER") != nullptr) {
      const std::string text = sql::record(file, *connection);
      std::ofstream(path) << text;
      std::cout << path << " is recorded\n";
      continue;
    }
    const sql::Played played = sql::play(file, *connection);
    EXPECT_GT(played.records, 0U) << path;
    std::string text;
    for (std::size_t i = 0; i < std::min(played.failures.size(), failures_shown); ++i)
      text += sql::to_string(played.failures[i]) + "\n";
    EXPECT_TRUE(played.failures.empty()) << played.failures.size() << " of " << played.records << " records:\n" << text;
  }
  EXPECT_TRUE(!paths.empty() || std::getenv("POLARSIM_SQL_FILES") != nullptr);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
