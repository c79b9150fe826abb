#include "sim/swizzle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::seconds;

using Kind = SwizzleStep::Kind;

TEST(Swizzle, EveryLinkClogsOnceAndOpensOnceInAnOrderOfItsOwn) {
  const std::vector<std::string> hosts{"a", "b", "c", "d"};
  SwizzleOptions options;
  options.start = time_zero + seconds(10);
  bool orders_differ = false;
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream stream("test", seed, nullptr);
    const std::vector<SwizzleStep> steps = draw_swizzle(stream, hosts, options);
    std::map<DirectedLink, std::vector<Kind>> of_link;
    std::vector<DirectedLink> clogged, opened;
    Time previous = options.start;
    for (const SwizzleStep& step : steps) {
      EXPECT_GE(step.at, previous);
      previous = step.at;
      of_link[step.link].push_back(step.kind);
      (step.kind == Kind::clog ? clogged : opened).push_back(step.link);
      const Duration since = step.at - options.start;
      if (step.kind == Kind::clog) {
        EXPECT_LE(since, seconds(3));
      } else {
        EXPECT_GE(since, seconds(4));
      }
      EXPECT_LE(since, seconds(7));
    }
    for (const auto& [link, kinds] : of_link) EXPECT_EQ(kinds, (std::vector<Kind>{Kind::clog, Kind::unclog}));
    orders_differ = orders_differ || clogged != opened;
    sizes.insert(of_link.size());
  }
  EXPECT_TRUE(orders_differ);
  // One, two, three or four of four hosts: 6, 10, 12 or 12 links.
  EXPECT_EQ(sizes, (std::set<std::size_t>{6, 10, 12}));
}

class SwizzleTest : public ::testing::Test {
 protected:
  Network& network() { return world.network(); }
  Scheduler& scheduler() { return world.simulation.scheduler(); }
  void run_until(Duration since_start) { world.simulation.run(time_zero + since_start); }
  TestWorld world{"a", "b"};
  std::vector<SwizzleStep> steps{{Kind::unclog, time_zero + seconds(3), {"a", "b"}},
                                 {Kind::clog, time_zero + seconds(1), {"a", "b"}},
                                 {Kind::clog, time_zero + seconds(2), {"b", "a"}}};
};

TEST_F(SwizzleTest, StepsAreTakenAtTheirTimes) {
  Swizzle swizzle(network(), scheduler(), steps);
  EXPECT_FALSE(network().is_clogged("a", "b"));
  run_until(seconds(1));
  EXPECT_TRUE(network().is_clogged("a", "b"));
  EXPECT_FALSE(network().is_clogged("b", "a"));
  EXPECT_FALSE(swizzle.finished());
  run_until(seconds(3));
  EXPECT_FALSE(network().is_clogged("a", "b"));
  EXPECT_TRUE(network().is_clogged("b", "a")) << "a clog without an end lasts";
  EXPECT_TRUE(swizzle.finished());
  swizzle.stop();
  EXPECT_FALSE(network().is_clogged("b", "a"));
}

TEST_F(SwizzleTest, StoppingOpensItsOwnClogsAndTakesNoFurtherStep) {
  {
    Swizzle swizzle(network(), scheduler(), steps);
    run_until(Duration(1'500'000'000));
    EXPECT_TRUE(network().is_clogged("a", "b"));
  }
  EXPECT_FALSE(network().is_clogged("a", "b"));
  run_until(seconds(10));
  EXPECT_FALSE(network().is_clogged("b", "a"));
}

TEST_F(SwizzleTest, ALongerClogOfAnotherFaultStays) {
  network().clog("a", "b", time_zero + seconds(8));
  Swizzle swizzle(network(), scheduler(), steps);
  run_until(seconds(2));
  swizzle.stop();
  EXPECT_TRUE(network().is_clogged("a", "b"));
  EXPECT_FALSE(network().is_clogged("b", "a"));
}

TEST_F(SwizzleTest, TextIsOneLineAStep) {
  EXPECT_EQ(text(steps), "3.000000000 unclog a>b\n1.000000000 clog a>b\n2.000000000 clog b>a\n");
}

}  // namespace
}  // namespace polarsim::sim
