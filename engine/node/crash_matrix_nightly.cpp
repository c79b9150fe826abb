// The crash matrix in its full form: every crash within the recovery from every crash of every shape, and more seeds.
#include <gtest/gtest.h>

#include "engine/node/crash_matrix_test_support.h"

namespace polarsim::engine::testing {
namespace {

class CrashMatrixNightly : public ::testing::TestWithParam<std::string> {};

TEST_P(CrashMatrixNightly, RecoversFromEverySecondCrash) {
  const CrashMatrixResult result = run_crash_matrix(crash_shape(GetParam()), {.draws = 1, .every_second_crash = true});
  for (const std::string& violation : result.violations) ADD_FAILURE() << violation;
  EXPECT_GT(result.second_crashes, result.operations);
  RecordProperty("operations", std::to_string(result.operations));
  RecordProperty("first_crashes", std::to_string(result.first_crashes));
  RecordProperty("second_crashes", std::to_string(result.second_crashes));
}

// Other outcomes of the same power losses, and other timings of what runs side by side.
TEST_P(CrashMatrixNightly, RecoversWithOtherSeeds) {
  for (std::uint64_t seed = 2; seed <= 5; ++seed) {
    const CrashMatrixResult result = run_crash_matrix(crash_shape(GetParam()), {.seed = seed});
    for (const std::string& violation : result.violations) ADD_FAILURE() << violation;
    EXPECT_GT(result.first_crashes, result.operations);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrashMatrixNightly, ::testing::ValuesIn(crash_shape_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace polarsim::engine::testing
