// `polarsim isolation`: what it prints and how it ends. What it says about a real server: postgres/.
#include <gtest/gtest.h>

#include <string>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr const char* head =
    "description = 'd'\nsource = 's'\nsetup = 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'\n"
    "sessions = ['a', 'b']\n";

TEST(IsolationCommand, PassesWhatComesAlong) {
  const Workplace place;
  const Outcome outcome = place.run({"isolation", "hermitage-read-committed", "recheck"});
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(outcome.out.find("  passed  G0: write cycles are prevented\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(" passed, 0 failed\n"), std::string::npos) << outcome.out;
}

TEST(IsolationCommand, ShowsTheFirstDifferenceStepByStep) {
  const Workplace place;
  write_text(place / "x.toml", std::string(head) +
                                   "[[case]]\nname = 'c'\nsteps = [\n  {session = 'a', sql = 'BEGIN'},\n  {session = "
                                   "'a', sql = 'SELECT * FROM t', rows = ['2']},\n]\n");
  const Outcome outcome = place.run({"isolation", "x.toml"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out,
            "x.toml\n  FAILED  c\n        1  a: BEGIN\n             a: BEGIN\n        2  a: SELECT * FROM t\n"
            "             a: rows [1]\n    x.toml:9: step 2 (a: SELECT * FROM t): expected rows [2], found rows [1]\n"
            "0 passed, 1 failed\n");
}

TEST(IsolationCommand, FindsAPlantedBug) {
  const Workplace place;
  const Outcome outcome = place.run({"isolation", "recheck", "--plant", "recheck-skipped"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("  FAILED  "), std::string::npos);
}

TEST(IsolationCommand, RefusesWhatItCannotUse) {
  const Workplace place;
  const auto refuses = [&](const std::vector<std::string>& arguments, const std::string& problem) {
    const Outcome outcome = place.run(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_NE(outcome.error.find(problem), std::string::npos) << outcome.error;
  };
  write_text(place / "x.toml", std::string(head) + "[[case]]\nname = 'c'\nsteeps = []\n");
  refuses({"isolation", "x.toml"}, "x.toml:7:1: case[0].steeps: unknown key; expected one of name");
  refuses({"isolation", "nothing.toml"}, "nothing.toml: cannot read");
  refuses({"isolation", "no-such-name"},
          "no isolation file is called \"no-such-name\": the library has advisory-locks");
  refuses({"isolation", "recheck", "--plant", "no-such-bug"}, "--plant: no bug is called");
  refuses({"isolation", "recheck", "--against", "host=/nowhere dbname=x"}, "--against: ");
  refuses({"isolation"}, "FILE is required");
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
