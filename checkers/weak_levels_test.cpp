#include "checkers/weak_levels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "checkers/level_oracle_test_support.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;

constexpr WeakLevel levels[] = {WeakLevel::mav, WeakLevel::be_rc, WeakLevel::read_atomic, WeakLevel::causal};

void check_against_oracle(const Execution& execution) {
  bool stronger_holds = true;
  for (std::size_t i = std::size(levels); i-- > 0;) {
    const WeakLevel level = levels[i];
    const WeakVerdict verdict = decide(execution, level);
    if (verdict.holds != test::some_order_holds(execution, level)) {
      RC_FAIL(std::string(to_string(level)) + (verdict.holds ? " was said to hold\n" : " was said not to hold\n") +
              test::text_of(execution));
    }
    RC_ASSERT(verdict.holds == verdict.contradictions.empty());
    // Each level of the list implies those before it.
    if (i + 1 < std::size(levels) && stronger_holds) RC_ASSERT(verdict.holds);
    stronger_holds = verdict.holds;
    for (const WeakVerdict::Contradiction& contradiction : verdict.contradictions) {
      const auto& cycle = contradiction.cycle;
      RC_ASSERT(cycle.size() >= 2);
      for (std::size_t edge = 0; edge < cycle.size(); ++edge) {
        RC_ASSERT(cycle[edge].after == cycle[(edge + 1) % cycle.size()].before);
        if (!test::is_imposed(execution, level, cycle[edge])) {
          RC_FAIL(std::string(to_string(level)) + " does not impose t" + std::to_string(cycle[edge].before) + " < t" +
                  std::to_string(cycle[edge].after) + "\n" + test::text_of(execution));
        }
      }
    }
  }
}

RC_GTEST_PROP(WeakLevels, AgreeWithTryingAllOrders, ()) {
  Choices choices(*rc::gen::container<std::vector<std::uint32_t>>(60, rc::gen::arbitrary<std::uint32_t>()));
  check_against_oracle(test::make_execution(choices, choices.once_in(2)).execution);
}

// RapidCheck's small numbers make few different executions; these are many.
RC_GTEST_PROP(WeakLevels, AgreeWithTryingAllOrdersOfManyExecutions, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 30; ++i) {
    Choices choices({seed, i, seed ^ i, i * 2654435761U});
    check_against_oracle(test::make_execution(choices, choices.once_in(2)).execution);
  }
}

// t0 writes both keys, t1 writes both after it, a reader sees t1's x and then t0's y.
TEST(WeakLevelsTest, AFracturedReadIsNamedWithItsReader) {
  Execution::Builder builder;
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(1);
  builder.read(0, 1);
  builder.read(1, 0);
  const Execution execution = std::move(builder).build();
  // Without the order of the session nothing says that t1 is the later one.
  EXPECT_TRUE(decide(execution, WeakLevel::mav).holds);
  const WeakVerdict verdict = decide(execution, WeakLevel::be_rc);
  ASSERT_FALSE(verdict.holds);
  ASSERT_EQ(verdict.contradictions.size(), 1U);
  const auto& cycle = verdict.contradictions[0].cycle;
  ASSERT_EQ(cycle.size(), 2U);
  EXPECT_TRUE(verdict.contradictions[0].shortest);
  EXPECT_EQ(cycle[0].reason, CommitConstraint::Reason::session);
  EXPECT_EQ(cycle[1].reason, CommitConstraint::Reason::observed);
  EXPECT_EQ(cycle[1].before, 1U);
  EXPECT_EQ(cycle[1].after, 0U);
  EXPECT_EQ(cycle[1].observer, 2U);
  EXPECT_EQ(cycle[1].key, 1U);
}

// The other order of the two reads is what RA forbids and BE-RC allows.
TEST(WeakLevelsTest, BeforeTheObservationOldVersionsArePermittedByReadCommitted) {
  Execution::Builder builder;
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(1);
  builder.read(1, 0);
  builder.read(0, 1);
  const Execution execution = std::move(builder).build();
  EXPECT_TRUE(decide(execution, WeakLevel::be_rc).holds);
  EXPECT_FALSE(decide(execution, WeakLevel::read_atomic).holds);
}

// A published tool remembers the same writer twice here, forgets t0 and misses the violation: a reader that has seen t1
// reads x from t1, from t1 again and from t0, which its session ran before.
TEST(WeakLevelsTest, TheTwoRememberedWritersAreDistinct) {
  Execution::Builder builder;
  builder.begin(0);
  builder.write(0);
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(1);
  builder.read(1, 1);
  builder.read(0, 1);
  builder.read(0, 1);
  builder.read(0, 0);
  EXPECT_FALSE(decide(std::move(builder).build(), WeakLevel::be_rc).holds);
}

TEST(WeakLevelsTest, ReadingTheInitialVersionAfterAnObservedWriteIsAContradiction) {
  Execution::Builder builder;
  builder.begin(0);
  builder.write(0);
  builder.write(1);
  builder.begin(1);
  builder.read(0, 0);
  builder.read(1, Execution::initial);
  const Execution execution = std::move(builder).build();
  const WeakVerdict verdict = decide(execution, WeakLevel::mav);
  ASSERT_EQ(verdict.contradictions.size(), 1U);
  bool initial = false;
  for (const CommitConstraint& constraint : verdict.contradictions[0].cycle) {
    initial = initial || constraint.reason == CommitConstraint::Reason::initial;
  }
  EXPECT_TRUE(initial);
}

// t1 read t0's x and wrote y; whoever reads t1's y must not see x before t0: only causality says so.
TEST(WeakLevelsTest, CausalityReachesThroughAReader) {
  Execution::Builder builder;
  builder.begin(0);
  builder.write(0);
  builder.begin(1);
  builder.read(0, 0);
  builder.write(1);
  builder.begin(2);
  builder.read(1, 1);
  builder.read(0, Execution::initial);
  const Execution execution = std::move(builder).build();
  EXPECT_TRUE(decide(execution, WeakLevel::read_atomic).holds);
  const WeakVerdict verdict = decide(execution, WeakLevel::causal);
  ASSERT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.contradictions[0].cycle.size(), 2U);
}

}  // namespace
}  // namespace polarsim::checkers
