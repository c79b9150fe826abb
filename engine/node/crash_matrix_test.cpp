// The crash matrix in its quick form: every first crash of every shape, and for each of them one crash in the recovery.
// Under a sanitizer every fourth.
#include <gtest/gtest.h>

#include "engine/node/crash_matrix_test_support.h"
#include "engine/sanitizer_test_support.h"

namespace polarsim::engine::testing {
namespace {

// For a failing case alone: run_crash_case() with the numbers that the message names.
class CrashMatrix : public ::testing::TestWithParam<std::string> {};

TEST_P(CrashMatrix, RecoversToWhatWasAcknowledged) {
  const CrashMatrixOptions part{.stride = 4, .draws = 1};
  const CrashMatrixResult result =
      run_crash_matrix(crash_shape(GetParam()), under_sanitizer ? part : CrashMatrixOptions{});
  for (const std::string& violation : result.violations) ADD_FAILURE() << violation;
  EXPECT_GT(result.operations, 1U);
  RecordProperty("operations", std::to_string(result.operations));
  RecordProperty("first_crashes", std::to_string(result.first_crashes));
  RecordProperty("second_crashes", std::to_string(result.second_crashes));
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrashMatrix, ::testing::ValuesIn(crash_shape_names()),
                         [](const auto& each) { return each.param; });

// --- a bug that is planted is found, or the matrix looks at nothing ---

void expect_found(PlantedBug bug, const std::string& shape) {
  CrashMatrixOptions options;
  options.violations_max = 1;
  options.planted.turn_on(bug);
  const CrashMatrixResult result = run_crash_matrix(crash_shape(shape), options);
  ASSERT_FALSE(result.violations.empty());
  // Not because the node fails without any crash.
  EXPECT_NE(result.violations.front().find(", crash before operation "), std::string::npos)
      << result.violations.front();
}

TEST(PlantedBugs, wal_flush_skipped_at_commit_IsFoundByTheCrashMatrix) {
  expect_found(PlantedBug::wal_flush_skipped_at_commit, "SingleInsert");
}

TEST(PlantedBugs, redo_not_idempotent_IsFoundByTheCrashMatrix) {
  expect_found(PlantedBug::redo_not_idempotent, "MultiRowInsert");
}

TEST(PlantedBugs, torn_page_not_detected_IsFoundByTheCrashMatrix) {
  expect_found(PlantedBug::torn_page_not_detected, "UpdateThatMovesToAnotherPage");
}

TEST(PlantedBugs, checkpoint_drops_prepared_IsFoundByTheCrashMatrix) {
  expect_found(PlantedBug::checkpoint_drops_prepared, "PrepareAndTwoCheckpoints");
}

}  // namespace
}  // namespace polarsim::engine::testing
