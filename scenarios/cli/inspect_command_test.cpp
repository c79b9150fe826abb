// `polarsim inspect`: one node of a run at a virtual time.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr const char* busy_bank =
    "description = \"few accounts, many clients\"\n[cluster]\ncoordinators = 1\ndata_nodes = 2\n[run]\nduration_s = 6\n"
    "[workload]\nname = \"bank\"\nclients = 24\naccounts = 4\n"
    "[[fault]]\nat_s = 4\nkind = \"crash\"\ntargets = [\"dn1\"]\nduration_s = 3\n";

class InspectCommandTest : public ::testing::Test {
 protected:
  InspectCommandTest() { write_text(place_ / "busy.toml", busy_bank); }
  Outcome inspect(std::vector<std::string> more) {
    std::vector<std::string> arguments{"inspect", "busy.toml", "--seed", "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.run(arguments);
  }
  // The number of the first relation listed whose name begins so.
  std::string file_of(const std::string& node, const std::string& at, const std::string& name) {
    const std::string text = inspect({"--node", node, "--at", at}).out;
    const std::size_t line = text.find("\n" + name);
    if (line == std::string::npos) return "";
    const std::string row = text.substr(line + 1, text.find('\n', line + 1) - line - 1);
    const std::size_t end = row.find_last_not_of(' ', row.rfind(' '));
    return row.substr(row.rfind(' ', end) + 1, end - row.rfind(' ', end));
  }
  Workplace place_;
};

TEST_F(InspectCommandTest, RelationsAreListedWithTheirFiles) {
  const Outcome outcome = inspect({"--node", "dn2", "--at", "2"});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_NE(outcome.out.find("dn2 of busy, seed 3, at 2.000000000 s virtual"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("pg_catalog.polar_relation"), std::string::npos);
  EXPECT_NE(outcome.out.find("accounts_1"), std::string::npos);
}

TEST_F(InspectCommandTest, APageByNameAndByNumberIsTheSame) {
  const Outcome by_name = inspect({"--node", "dn2", "--at", "2", "--page", "polar_relation:0"});
  ASSERT_EQ(by_name.status, 0) << by_name.error;
  EXPECT_NE(by_name.out.find("block 0: heap"), std::string::npos) << by_name.out;
  EXPECT_NE(by_name.out.find("'pg_dist_node'"), std::string::npos) << by_name.out;
  EXPECT_EQ(inspect({"--node", "dn2", "--at", "2", "--page", "9000:0"}).out, by_name.out);
}

TEST_F(InspectCommandTest, TheLogInARange) {
  const Outcome whole = inspect({"--node", "dn2", "--at", "2", "--wal", ".."});
  ASSERT_EQ(whole.status, 0) << whole.error;
  EXPECT_NE(whole.out.find("kind checkpoint end"), std::string::npos);
  EXPECT_NE(whole.out.find("kind prepare"), std::string::npos);
  const Outcome part = inspect({"--node", "dn2", "--at", "2", "--wal", "9000..10000"});
  ASSERT_EQ(part.status, 0) << part.error;
  EXPECT_LT(part.out.size(), whole.out.size());
  EXPECT_NE(part.out.find("lsn 9"), std::string::npos) << part.out;
}

TEST_F(InspectCommandTest, WhoWaitsForWhom) {
  bool waits = false;
  for (const char* const at : {"2.5", "2.7", "3.0", "3.1", "3.2", "3.3", "3.5", "3.7"}) {
    for (const char* const node : {"dn1", "dn2"}) {
      const Outcome outcome = inspect({"--node", node, "--at", at, "--locks"});
      ASSERT_EQ(outcome.status, 0) << outcome.error;
      if (outcome.out.find("WAITS FOR ShareLock on transaction") == std::string::npos) continue;
      waits = true;
      EXPECT_NE(outcome.out.find("holds row ("), std::string::npos) << outcome.out;
      EXPECT_NE(outcome.out.find("FOR NO KEY UPDATE"), std::string::npos) << outcome.out;
    }
  }
  EXPECT_TRUE(waits) << "24 clients on 4 accounts never waited";
}

TEST_F(InspectCommandTest, ANodeThatIsDownShowsItsDisk) {
  const std::string file = file_of("dn1", "3.9", "pg_catalog.polar_relation");
  ASSERT_EQ(file, "9000");
  const Outcome files = inspect({"--node", "dn1", "--at", "5"});
  EXPECT_NE(files.out.find("the node is down"), std::string::npos) << files.out;
  const Outcome page = inspect({"--node", "dn1", "--at", "5", "--page", file + ":0"});
  EXPECT_EQ(page.status, 0) << page.error;
  EXPECT_NE(page.out.find("block 0: heap"), std::string::npos) << page.out;
  EXPECT_NE(inspect({"--node", "dn1", "--at", "5", "--wal", ".."}).out.find("end of the log"), std::string::npos);
  const Outcome locks = inspect({"--node", "dn1", "--at", "5", "--locks"});
  EXPECT_EQ(locks.status, 2);
  EXPECT_NE(locks.error.find("down"), std::string::npos) << locks.error;
}

TEST_F(InspectCommandTest, ACapsuleIsLookedAtLikeItsScenario) {
  ASSERT_NE(place_.run({"run", "busy.toml", "--seed", "3", "--out", "kept"}).status, 2);
  const Outcome outcome = place_.run({"inspect", "kept", "--node", "dn2", "--at", "2", "--wal", ".."});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_EQ(outcome.out, inspect({"--node", "dn2", "--at", "2", "--wal", ".."}).out);
  EXPECT_EQ(place_.run({"inspect", "kept", "--node", "dn2", "--seed", "4"}).status, 2);
}

TEST_F(InspectCommandTest, BadInputIsOneLine) {
  const std::vector<std::vector<std::string>> inputs{
      {"--node", "dn9", "--at", "1"},
      {"--node", "dn1", "--at", "soon"},
      {"--node", "dn1", "--at", "1", "--page", "polar_relation"},
      {"--node", "dn1", "--at", "1", "--page", "polar_relation:x"},
      {"--node", "dn1", "--at", "1", "--page", "polar_relation:4000"},
      {"--node", "dn1", "--at", "1", "--page", "nothing:0"},
      {"--node", "dn1", "--at", "1", "--page", "polar_relation:0", "--locks"},
      {"--node", "dn1", "--at", "1", "--wal", "12"},
      {"--node", "dn1", "--at", "1", "--wal", "12..3"},
      {"--node", "dn1", "--at", "1", "--free-space-map"},
      {"--at", "1"},
  };
  for (const std::vector<std::string>& input : inputs) {
    const Outcome outcome = inspect(input);
    EXPECT_EQ(outcome.status, 2) << input.back() << ": " << outcome.out;
    EXPECT_EQ(outcome.error_lines(), 1U) << input.back() << ": " << outcome.error;
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
