#include "scenarios/tidy/tidy.h"

#include <gtest/gtest.h>

#include <set>

namespace polarsim::scenarios::tidy {
namespace {

std::set<std::string> rules_of(const std::vector<Violation>& violations) {
  std::set<std::string> rules;
  for (const Violation& violation : violations) rules.insert(violation.rule);
  return rules;
}

std::string fixture(const std::string& name) { return "scenarios/tidy/fixtures/" + name; }

TEST(Tidy, the_project_keeps_its_rules) {
  std::size_t files = 0;
  const std::vector<Violation> violations = check_tree(".", &files);
  for (const Violation& violation : violations) ADD_FAILURE() << violation.message();
  EXPECT_GT(files, 50U) << "the sources were not found: run from the project's root";
}

TEST(Tidy, finds_the_planted_upward_includes) {
  const std::vector<Violation> violations = check_tree(fixture("layering"));
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].message(), "checkers/judge.h:4: layering: checkers includes sim, which is not below it");
  EXPECT_EQ(violations[1].message(), "sim/machine.h:5: layering: sim includes engine, which is not below it");
}

TEST(Tidy, finds_every_planted_nondeterminism) {
  const std::vector<Violation> violations = check_tree(fixture("determinism"));
  EXPECT_EQ(rules_of(violations), (std::set<std::string>{"wall-clock", "random-source", "environment", "thread",
                                                         "unordered", "pointer-order", "address", "pragma-once"}));
}

TEST(Tidy, reads_past_comments_literals_and_reasons) {
  std::size_t files = 0;
  const std::vector<Violation> violations = check_tree(fixture("clean"), &files);
  for (const Violation& violation : violations) ADD_FAILURE() << violation.message();
  EXPECT_EQ(files, 2U);
}

TEST(Tidy, an_allowance_needs_a_reason) {
  EXPECT_EQ(
      check_source("sim/a.cpp", "auto x = std::hash<int>{};  // tidy: allow unordered: never leaves this function\n")
          .size(),
      0U);
  EXPECT_EQ(check_source("sim/a.cpp", "auto x = std::hash<int>{};  // tidy: allow unordered: ").size(), 1U);
  EXPECT_EQ(check_source("sim/a.cpp", "auto x = std::hash<int>{};  // tidy: allow wall-clock: wrong rule\n").size(),
            1U);
}

TEST(Tidy, tests_and_the_command_may_read_the_outside) {
  const char* text = "auto now = std::chrono::steady_clock::now();\n";
  EXPECT_EQ(check_source("scenarios/cli/run.cpp", text).size(), 0U);
  EXPECT_EQ(check_source("sim/clock_test.cpp", text).size(), 0U);
  EXPECT_EQ(check_source("scenarios/runner.cpp", text).size(), 1U);
}

TEST(Tidy, tests_are_held_to_the_layers) {
  EXPECT_EQ(check_source("sim/a_test.cpp", "#include \"engine/config.h\"\n").size(), 1U);
}

TEST(Tidy, libraries_of_the_engine_know_nothing_above_them) {
  const auto messages = [](const char* path, const char* text) {
    std::string all;
    for (const Violation& violation : check_source(path, text)) all += violation.message() + "\n";
    return all;
  };
  EXPECT_EQ(messages("engine/query/a.cpp", "#include \"engine/syntax/ast.h\"\n#include \"engine/types/error.h\"\n"),
            "");
  EXPECT_EQ(messages("engine/query/a.cpp", "#include \"engine/plan/plan.h\"\n"),
            "engine/query/a.cpp:1: layering: engine/query includes engine/plan/plan.h, which is not below it\n");
  EXPECT_EQ(messages("engine/types/a_test.cpp", "#include \"sim/host.h\"\n"),
            "engine/types/a_test.cpp:1: layering: engine/types includes sim/host.h, which is not below it\n");
  EXPECT_EQ(
      messages("engine/distribution/a.cpp", "#include \"engine/plan/plan.h\"\n#include \"engine/cluster/gid.h\"\n"),
      "engine/distribution/a.cpp:2: layering: engine/distribution includes engine/cluster/gid.h, which is not below "
      "it\n");
  EXPECT_EQ(messages("engine/executor/a.cpp", "#include \"engine/plan/plan.h\"\n#include \"sim/host.h\"\n"), "");
}

}  // namespace
}  // namespace polarsim::scenarios::tidy
