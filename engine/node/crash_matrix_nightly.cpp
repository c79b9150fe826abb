// The crash matrix in its full form: every crash within the recovery from every crash of every shape.
#include <gtest/gtest.h>

#include "engine/node/crash_matrix_test_support.h"

namespace polarsim::engine::testing {
namespace {

class CrashMatrixNightly : public ::testing::TestWithParam<std::string> {};

TEST_P(CrashMatrixNightly, RecoversFromEverySecondCrash) {
  const CrashMatrixResult result = run_crash_matrix(crash_shape(GetParam()), {.every_second_crash = true});
  for (const std::string& violation : result.violations) ADD_FAILURE() << violation;
  EXPECT_GT(result.second_crashes, result.operations);
  RecordProperty("operations", std::to_string(result.operations));
  RecordProperty("first_crashes", std::to_string(result.first_crashes));
  RecordProperty("second_crashes", std::to_string(result.second_crashes));
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrashMatrixNightly, ::testing::ValuesIn(crash_shape_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace polarsim::engine::testing
