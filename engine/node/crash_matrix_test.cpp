// The crash matrix in its quick form: every first crash of every shape, and for each of them one crash in the recovery.
#include <gtest/gtest.h>

#include "engine/node/crash_matrix_test_support.h"

namespace polarsim::engine::testing {
namespace {

// For a failing case alone: run_crash_case() with the numbers that the message names.
class CrashMatrix : public ::testing::TestWithParam<std::string> {};

TEST_P(CrashMatrix, RecoversToWhatWasAcknowledged) {
  const CrashMatrixResult result = run_crash_matrix(crash_shape(GetParam()));
  for (const std::string& violation : result.violations) ADD_FAILURE() << violation;
  EXPECT_GT(result.operations, 1U);
  RecordProperty("operations", std::to_string(result.operations));
  RecordProperty("first_crashes", std::to_string(result.first_crashes));
  RecordProperty("second_crashes", std::to_string(result.second_crashes));
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrashMatrix, ::testing::ValuesIn(crash_shape_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace polarsim::engine::testing
