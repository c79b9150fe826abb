// A node with one of these bugs must not pass the isolation files.
#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/isolation/isolation_files.h"
#include "scenarios/isolation/node_stage.h"
#include "scenarios/isolation/play.h"

namespace polarsim::scenarios::isolation {
namespace {

using engine::PlantedBug;

// The files in which a case fails, by their names.
std::vector<std::string> files_that_fail(PlantedBug bug) {
  NodeStageOptions options;
  options.node.planted.turn_on(bug);
  const auto stage = make_node_stage(options);
  std::vector<std::string> failing;
  for (const std::string& path : isolation_files()) {
    const auto file = load_isolation_file(path);
    const bool fails = std::any_of(file->cases.begin(), file->cases.end(),
                                   [&](const Case& played) { return !play(played, path, *stage).passed(); });
    if (fails) failing.push_back(std::filesystem::path(path).stem().string());
  }
  return failing;
}

struct Planted {
  PlantedBug bug;
  const char* name;
  const char* file;  // that is about what the bug breaks
};

class IsolationFindsPlantedBug : public ::testing::TestWithParam<Planted> {};

TEST_P(IsolationFindsPlantedBug, ByTheFileThatIsAboutIt) {
  const std::vector<std::string> failing = files_that_fail(GetParam().bug);
  std::string names;
  for (const std::string& name : failing) names += name + " ";
  EXPECT_EQ(std::count(failing.begin(), failing.end(), GetParam().file), 1) << "failing: " << names;
}

INSTANTIATE_TEST_SUITE_P(
    OfOneNode, IsolationFindsPlantedBug,
    ::testing::Values(Planted{PlantedBug::recheck_skipped, "recheck_skipped", "recheck"},
                      Planted{PlantedBug::recheck_set_but_not_where, "recheck_set_but_not_where", "recheck"},
                      Planted{PlantedBug::unique_check_without_wait, "unique_check_without_wait", "unique-inserts"},
                      Planted{PlantedBug::savepoint_rollback_releases_locks_early,
                              "savepoint_rollback_releases_locks_early", "savepoints"},
                      Planted{PlantedBug::snapshot_before_lock_wait, "snapshot_before_lock_wait", "table-locks"},
                      Planted{PlantedBug::vacuum_removes_visible_row, "vacuum_removes_visible_row", "vacuum"},
                      Planted{PlantedBug::locks_released_at_prepare, "locks_released_at_prepare", "prepared"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace polarsim::scenarios::isolation
