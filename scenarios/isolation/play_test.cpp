// Our node does what PostgreSQL 15 does (cli/postgres confirms that the files tell the truth about that).
#include "scenarios/isolation/play.h"

#include <gtest/gtest.h>

#include "scenarios/isolation/isolation_files.h"
#include "scenarios/isolation/node_stage.h"

namespace polarsim::scenarios::isolation {
namespace {

void play_all_files(const NodeStageOptions& options) {
  const auto stage = make_node_stage(options);
  for (const std::string& path : isolation_files()) {
    const auto file = load_isolation_file(path);
    ASSERT_TRUE(file) << file.error().message;
    for (const Case& played : file->cases) {
      const CaseResult result = play(played, path, *stage);
      std::string transcript;
      for (const std::string& line : result.transcript) transcript += line + "\n";
      EXPECT_TRUE(result.passed()) << played.name << "\n" << transcript << result.difference;
    }
  }
}

TEST(IsolationOfOurNode, EveryFileHolds) { play_all_files({}); }

// What happens at the same instant in another order changes nothing that a file says.
TEST(IsolationOfOurNode, EveryFileHoldsUnderRandomScheduling) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    NodeStageOptions options;
    options.seed = seed;
    options.policy = sim::SchedulingPolicy::random;
    play_all_files(options);
  }
}

TEST(IsolationOfOurNode, AWrongFileIsFoundOut) {
  const auto stage = make_node_stage({});
  const auto file = load_isolation_file("scenarios/isolation/fixtures/wrong.toml");
  ASSERT_TRUE(file) << file.error().message;
  for (const Case& played : file->cases) EXPECT_FALSE(play(played, "wrong.toml", *stage).passed()) << played.name;
}

TEST(IsolationOfOurNode, TheFirstDifferenceIsShownWithWhatCameBefore) {
  const auto stage = make_node_stage({});
  const auto file = load_isolation_file("scenarios/isolation/fixtures/wrong.toml");
  ASSERT_TRUE(file) << file.error().message;
  const CaseResult result = play(file->cases.at(6), "wrong.toml", *stage);
  EXPECT_EQ(result.difference, "wrong.toml:35: step 3 (b: UPDATE t SET v = 12 WHERE id = 1): must not wait, and waits");
  const std::vector<std::string> expected{"  1  a: BEGIN",
                                          "       a: BEGIN",
                                          "  2  a: UPDATE t SET v = 11 WHERE id = 1",
                                          "       a: UPDATE 1",
                                          "  3  b: UPDATE t SET v = 12 WHERE id = 1",
                                          "       b waits"};
  EXPECT_EQ(result.transcript, expected);
}

}  // namespace
}  // namespace polarsim::scenarios::isolation
