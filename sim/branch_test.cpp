// Simulation::branch(): the futures of one moment.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/test_drawn_world.h"

namespace polarsim::sim {
namespace {

TEST(Branch, ExploresOneMomentWithManySeedsAndStaysThere) {
  DrawnWorld world(5);
  const std::string past = world.run(Time(Duration(8)));
  const Digest128 before = world.digest();
  BranchOptions options;
  options.first_seed = 100;
  options.jobs = 3;
  const auto go_on = [&world](Simulation& simulation) {
    world.run();
    return simulation.digest().value().hex() + " " + world.transcript;
  };
  const std::vector<BranchResult> results = world.simulation->branch(8, go_on, options);
  EXPECT_EQ(world.digest(), before);
  EXPECT_EQ(world.transcript, past);
  ASSERT_EQ(results.size(), 8u);
  std::set<std::string> futures;
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_TRUE(results[i].completed) << results[i].verdict;
    EXPECT_EQ(results[i].seed, 100 + i);
    EXPECT_EQ(results[i].verdict.substr(33, past.size()), past);
    futures.insert(results[i].verdict.substr(33));
  }
  EXPECT_GT(futures.size(), 6u);
  // The same seeds give the same futures, one process at a time too; and the parent's own future is not disturbed.
  options.jobs = 1;
  EXPECT_EQ(world.simulation->branch(8, go_on, options), results);
  DrawnWorld alone(5);
  EXPECT_EQ(world.run(), alone.run());
}

TEST(Branch, SaysHowAContinuationFailed) {
  DrawnWorld world(5);
  const auto results = world.simulation->branch(4, [](Simulation& simulation) -> std::string {
    if (simulation.seed() == 0) return "";
    switch (simulation.choices().root_seed()) {
      case 1:
        throw std::runtime_error("broken");
      case 2:
        std::raise(SIGTERM);
        return "";
      case 3:
        ::_exit(7);
      default:
        return std::string(100'000, 'x');
    }
  });
  EXPECT_EQ(results[0], (BranchResult{1, false, "broken"}));
  EXPECT_FALSE(results[1].completed);
  EXPECT_NE(results[1].verdict.find("the process crashed"), std::string::npos) << results[1].verdict;
  EXPECT_EQ(results[2], (BranchResult{3, false, "the process exited with status 7 without a verdict"}));
  EXPECT_EQ(results[3], (BranchResult{4, true, std::string(100'000, 'x')}));
}

TEST(Branch, EndsAChildThatUsesUpItsProcessorTime) {
  DrawnWorld world(5);
  BranchOptions options;
  options.processor_seconds = 1;
  const auto results = world.simulation->branch(
      1,
      [](Simulation&) -> std::string {
        volatile std::uint64_t turns = 0;
        for (;;) turns = turns + 1;
      },
      options);
  EXPECT_FALSE(results[0].completed);
  EXPECT_NE(results[0].verdict.find("processor time"), std::string::npos) << results[0].verdict;
}

}  // namespace
}  // namespace polarsim::sim
