#include <gtest/gtest.h>

#include <vector>

#include "engine/query/expression_analysis_test_support.h"

// The types and errors (messages, positions, details, hints) are what a real PostgreSQL 15 answered; the shapes are
// this engine's own.
namespace polarsim::engine::query {
namespace {

struct Example {
  const char* expression;
  const char* expected;
};

void expect_all(const std::vector<Example>& cases) {
  for (const Example& each : cases) EXPECT_EQ(analysed(each.expression), each.expected) << each.expression;
}

TEST(ExpressionAnalysis, RefusesWhatPostgresRefuses) {
  const std::vector<Example> cases = { % s};
  expect_all(cases);
}

}  // namespace
}  // namespace polarsim::engine::query
