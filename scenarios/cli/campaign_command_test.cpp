// Campaigns as processes: results, resuming, a seed that is killed, SIGINT.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

class CampaignCommandTest : public ::testing::Test {
 protected:
  CampaignCommandTest() {
    write_text(place_ / "small.toml",
               "description = \"small\"\n[run]\nduration_s = 1\n[workload]\nname = \"append\"\nclients = 2\n"
               "[check]\ncheckers = [{name = \"list-append\"}]\n");
  }
  // Processes that this one has started.
  static std::set<pid_t> children_of(pid_t process) {
    std::istringstream text(
        content_of("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) + "/children"));
    std::set<pid_t> children;
    for (pid_t child = 0; text >> child;) children.insert(child);
    return children;
  }
  // Waits until the campaign has a child, then returns it; 0 if it ended first.
  static pid_t first_child_of(pid_t process) {
    for (int i = 0; i < 5000; ++i) {
      const std::set<pid_t> children = children_of(process);
      if (!children.empty()) return *children.begin();
      if (::kill(process, 0) != 0) return 0;
      std::this_thread::sleep_for(1ms);
    }
    return 0;
  }
  // A scenario that runs for far longer than the test.
  std::vector<std::string> endless(const std::string& seeds) const {
    return {"campaign", "small.toml", "--seeds", seeds,  "--set",      "run.duration_s=86400",
            "--jobs",   "1",          "--json",  "--db", "campaign.db"};
  }
  Workplace place_;
};

TEST_F(CampaignCommandTest, PrintsTheDocumentedObjectAndJunit) {
  const Outcome outcome = place_.run({"campaign", "small.toml", "--seeds", "1..4", "--jobs", "2", "--json", "--junit",
                                      "results.xml", "--db", "campaign.db"});
  ASSERT_EQ(outcome.status, 0) << outcome.error << outcome.out;
  EXPECT_EQ(outcome.error, "");
  Json campaign = Json::parse(outcome.out);
  EXPECT_TRUE(campaign.at("seen").is_object());
  campaign["seen"] = Json::object();  // what is permitted may be seen
  EXPECT_EQ(campaign,
            Json::parse(R"({"seeds": 4, "passed": 4, "failed": 0, "unknown": 0, "failures": [], "seen": {}})"));
  EXPECT_NE(content_of(place_ / "results.xml").find("<testsuite name=\"small\" tests=\"4\" failures=\"0\""),
            std::string::npos);
}

TEST_F(CampaignCommandTest, AnExpectedAnomalyThatIsNotSeenIsAFailure) {
  const Outcome outcome =
      place_.run({"campaign", "small.toml", "--seeds", "1..2", "--set", "check.expect=[\"G0\"]", "--json"});
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  const Json campaign = Json::parse(outcome.out);
  EXPECT_EQ(campaign.at("passed"), 2);
  ASSERT_EQ(campaign.at("failures").size(), 1U);
  EXPECT_EQ(campaign.at("failures")[0],
            Json::parse(R"({"signature": "expected:G0", "checker": "expect", "seeds": [], "capsule": null})"));
}

TEST_F(CampaignCommandTest, ResumeNeedsToBeSaidAndRunsTheRest) {
  ASSERT_EQ(place_.run({"campaign", "small.toml", "--seeds", "1..2", "--db", "campaign.db"}).status, 0);
  const Outcome refused = place_.run({"campaign", "small.toml", "--seeds", "1..4", "--db", "campaign.db"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.error_lines(), 1U) << refused.error;
  const Outcome resumed =
      place_.run({"campaign", "small.toml", "--seeds", "1..4", "--db", "campaign.db", "--resume", "--json"});
  EXPECT_EQ(resumed.status, 0) << resumed.error;
  EXPECT_EQ(Json::parse(resumed.out).at("seeds"), 4);
}

TEST_F(CampaignCommandTest, AKilledSeedIsACrashAndNotTheEnd) {
  const pid_t campaign = place_.start(endless("1..1"));
  const pid_t seed = first_child_of(campaign);
  ASSERT_GT(seed, 0);
  std::this_thread::sleep_for(50ms);
  ASSERT_EQ(::kill(seed, SIGKILL), 0);
  const Outcome outcome = place_.wait_for(campaign);
  EXPECT_EQ(outcome.status, 3) << outcome.error;
  const Json result = Json::parse(outcome.out);
  EXPECT_EQ(result.at("failed"), 1);
  ASSERT_EQ(result.at("failures").size(), 1U);
  EXPECT_EQ(result.at("failures")[0].at("signature"), "crashed: SIGKILL");
  EXPECT_EQ(result.at("failures")[0].at("checker"), "process");
}

TEST_F(CampaignCommandTest, InterruptedItPrintsWhatItHasAndLeavesNoProcess) {
  const pid_t campaign = place_.start(endless("1..3"));
  const pid_t seed = first_child_of(campaign);
  ASSERT_GT(seed, 0);
  ASSERT_EQ(::kill(campaign, SIGINT), 0);
  const Outcome outcome = place_.wait_for(campaign);
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  EXPECT_EQ(Json::parse(outcome.out),
            Json::parse(R"({"seeds": 0, "passed": 0, "failed": 0, "unknown": 0, "failures": [], "seen": {}})"));
  EXPECT_NE(::kill(seed, 0), 0) << "the seed's process is still there";
}

TEST_F(CampaignCommandTest, AnInterruptedRunEndsCleanly) {
  const pid_t run = place_.start({"run", "small.toml", "--set", "run.duration_s=86400"});
  std::this_thread::sleep_for(500ms);
  ASSERT_EQ(::kill(run, SIGINT), 0);
  const Outcome outcome = place_.wait_for(run);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.error, "polarsim: interrupted before a verdict was reached\n");
  EXPECT_FALSE(std::filesystem::exists(place_ / "runs/small-1"));
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
