#include "scenarios/campaign.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>

#include "checkers/consistency_models.h"
#include "scenarios/artifacts.h"
#include "scenarios/campaign_store.h"
#include "scenarios/run_samples.h"

namespace polarsim::scenarios {
namespace {

using test::sample_record;
using test::sample_scenario;
using test::TemporaryFolder;

// Seeds divisible by three fail in one way, seven in another; the rest pass.
RunRecord run_sample(const Scenario& scenario, const RunRequest& request) {
  const bool valid = request.seed % 3 != 0;
  RunRecord record = sample_record(scenario, request.seed, valid);
  if (request.seed % 7 == 0) {
    record.validity = checkers::Validity::unknown;
    record.verdicts[0].validity = checkers::Validity::unknown;
    record.verdicts[0].reason = "the history is empty";
    record.signature = "list-append:unknown";
  }
  if (request.seed == 4) record.seen = {"fractured-read"};
  return record;
}

class CampaignTest : public ::testing::Test {
 protected:
  CampaignOptions options_for(std::uint64_t first, std::uint64_t last) {
    CampaignOptions options;
    options.scenarios = {{sample_scenario(), {}}};
    options.first_seed = first;
    options.last_seed = last;
    options.jobs = 2;
    options.out = folder_ / "out";
    // A clock of the test's own: it only has to go up.
    options.wall_seconds = [this] { return clock_s_ += 0.01; };
    options.run = run_sample;
    return options;
  }
  static CampaignResult run(const CampaignOptions& options) {
    auto result = run_campaign(options);
    if (!result) throw std::runtime_error(result.error().message);
    return *result;
  }
  TemporaryFolder folder_;
  double clock_s_ = 0;
};

TEST_F(CampaignTest, GroupsFailuresAndKeepsTheFirstCapsuleOfEach) {
  const CampaignResult result = run(options_for(1, 20));
  EXPECT_EQ(result.planned, 20U);
  EXPECT_EQ(result.seeds, 20U);
  EXPECT_EQ(result.failed, 6U);
  EXPECT_EQ(result.unknown, 2U);
  EXPECT_EQ(result.passed, 12U);
  EXPECT_FALSE(result.all_passed());
  ASSERT_EQ(result.failures.size(), 1U);
  const FailureGroup& group = result.failures[0];
  EXPECT_EQ(group.signature, "list-append:G1c");
  EXPECT_EQ(group.checker, "list-append");
  EXPECT_EQ(group.seeds, (std::vector<std::uint64_t>{3, 6, 9, 12, 15, 18}));
  EXPECT_EQ(group.capsule, folder_ / "out/sample-3");
  ASSERT_TRUE(read_capsule(group.capsule));
  ASSERT_EQ(result.unknowns.size(), 1U);
  EXPECT_EQ(result.unknowns[0].capsule, folder_ / "out/sample-7");
  EXPECT_EQ(result.unknowns[0].explanation, "the history is empty");
  std::size_t capsules = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_ / "out")) ++capsules;
  EXPECT_EQ(capsules, 2U);
}

TEST_F(CampaignTest, ResultsDoNotDependOnTheNumberOfJobs) {
  CampaignOptions options = options_for(1, 30);
  options.jobs = 1;
  CampaignResult one = run(options);
  options.jobs = 8;
  CampaignResult eight = run(options);
  for (CampaignResult* result : {&one, &eight}) {
    for (SeedResult& row : result->results) row.wall_ms = 0;
  }
  EXPECT_EQ(one.results, eight.results);
}

TEST_F(CampaignTest, ACrashOfOneSeedIsAResult) {
  CampaignOptions options = options_for(1, 5);
  options.run = [](const Scenario& scenario, const RunRequest& request) {
    if (request.seed == 1) ::raise(SIGKILL);
    if (request.seed == 2) throw std::runtime_error("out of luck");
    if (request.seed == 3) {
      std::fprintf(stderr, "noise\n/home/x/scheduler.cpp:12: assertion failed: no task (task != nullptr)\n");
      std::fflush(stderr);
      std::abort();
    }
    if (request.seed == 4) ::_exit(0);  // without a word
    return sample_record(scenario, request.seed, true);
  };
  const CampaignResult result = run(options);
  EXPECT_EQ(result.failed, 4U);
  EXPECT_EQ(result.crashed, 4U);
  EXPECT_EQ(result.passed, 1U);
  ASSERT_EQ(result.failures.size(), 4U);
  EXPECT_EQ(result.failures[0].signature, "crashed: SIGKILL");
  EXPECT_EQ(result.failures[0].checker, "process");
  EXPECT_EQ(result.failures[1].signature, "crashed: exit status 3");
  EXPECT_EQ(result.failures[1].explanation, "out of luck");
  EXPECT_EQ(result.failures[2].signature, "crashed: assertion failed: no task (task != nullptr)");
  EXPECT_EQ(result.failures[3].signature, "crashed: exit status 0");
}

TEST_F(CampaignTest, ASeedThatNeverEndsIsStopped) {
  CampaignOptions options = options_for(1, 2);
  options.seed_timeout_seconds = 1;
  options.wall_seconds = [this] { return clock_s_ += 0.3; };
  options.run = [](const Scenario& scenario, const RunRequest& request) {
    while (request.seed == 1) ::pause();
    return sample_record(scenario, request.seed, true);
  };
  const CampaignResult result = run(options);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].signature, "crashed: timeout");
  EXPECT_EQ(result.failures[0].seeds, std::vector<std::uint64_t>{1});
}

TEST_F(CampaignTest, UntilFailureStartsNoMoreSeeds) {
  CampaignOptions options = options_for(1, 1000);
  options.jobs = 1;
  options.until_failure = true;
  const CampaignResult result = run(options);
  EXPECT_EQ(result.seeds, 3U);
  EXPECT_EQ(result.planned, 1000U);
  EXPECT_EQ(result.failed, 1U);
  EXPECT_FALSE(result.expect_judged);
}

TEST_F(CampaignTest, AnExpectedAnomalyThatNoSeedShowedFailsTheCampaign) {
  CampaignOptions options = options_for(1, 2);
  options.scenarios[0].scenario.expect = {"fractured-read"};
  CampaignResult result = run(options);
  EXPECT_TRUE(result.expect_judged);
  EXPECT_EQ(result.passed, 2U);
  EXPECT_FALSE(result.all_passed());
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].signature, "expected:fractured-read");
  EXPECT_EQ(result.failures[0].checker, "expect");
  EXPECT_TRUE(result.failures[0].seeds.empty());

  options.first_seed = options.last_seed = 4;
  result = run(options);
  EXPECT_TRUE(result.all_passed());
}

TEST_F(CampaignTest, ResumeRunsOnlyWhatIsMissing) {
  CampaignOptions options = options_for(1, 6);
  options.database = folder_ / "campaign.db";
  const CampaignResult first = run(options);
  EXPECT_EQ(first.seeds, 6U);

  options.last_seed = 9;
  const auto refused = run_campaign(options);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("add --resume"), std::string::npos) << refused.error().message;

  options.resume = true;
  options.run = [](const Scenario& scenario, const RunRequest& request) {
    if (request.seed <= 6) throw std::runtime_error("ran again");
    return run_sample(scenario, request);
  };
  const CampaignResult second = run(options);
  EXPECT_EQ(second.seeds, 9U);
  EXPECT_EQ(second.crashed, 0U);
  ASSERT_EQ(second.failures.size(), 1U);
  EXPECT_EQ(second.failures[0].seeds, (std::vector<std::uint64_t>{3, 6, 9}));
  EXPECT_EQ(second.failures[0].capsule, folder_ / "out/sample-3");
  // Another configuration of the scenario is another campaign, even in one file.
  options.planted = {engine::PlantedBug::recheck_skipped};
  EXPECT_EQ(run(options).crashed, 6U);
}

TEST_F(CampaignTest, AnInterruptedCampaignKeepsWhatItHasAndGoesOnLater) {
  CampaignOptions options = options_for(1, 50);
  options.jobs = 1;
  options.database = folder_ / "campaign.db";
  std::uint64_t done = 0;
  options.progress = [&done](const CampaignProgress& progress) { done = progress.done; };
  options.interrupted = [&done] { return done >= 5; };
  const CampaignResult stopped = run(options);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.seeds, 5U);
  EXPECT_FALSE(stopped.all_passed());
  options.interrupted = [] { return false; };
  options.resume = true;
  const CampaignResult finished = run(options);
  EXPECT_EQ(finished.seeds, 50U);
  EXPECT_FALSE(finished.interrupted);
}

TEST_F(CampaignTest, ALowerSeedsCapsuleReplacesAHigherOnes) {
  CampaignOptions options = options_for(3, 6);
  options.jobs = 4;
  // Seed 6 ends first and writes its capsule; seed 3 was started before and knows nothing of it.
  const std::string flag = folder_ / "six-has-ended";
  options.run = [flag](const Scenario& scenario, const RunRequest& request) {
    while (request.seed == 3 && !std::filesystem::exists(flag)) ::usleep(1000);
    return run_sample(scenario, request);
  };
  options.progress = [flag](const CampaignProgress& progress) {
    if (progress.done == 3) (void)write_file(flag, "");
  };
  options.database = folder_ / "campaign.db";
  const CampaignResult result = run(options);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].capsule, folder_ / "out/sample-3");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/sample-6"));
  auto store = CampaignStore::open(options.database);
  ASSERT_TRUE(store);
  const auto rows = store->load("sample", configuration_of(options.scenarios[0], {}), 0, 100);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 4U);
  EXPECT_EQ((*rows)[3].capsule, "");
}

// A campaign with an Elle that is played by a shell program: `answer` ends in one line for the request in $line, whose
// number is $id.
class CampaignWithElleTest : public CampaignTest {
 protected:
  CampaignOptions with_elle(const std::string& answer, std::uint64_t first, std::uint64_t last) {
    ElleProcessOptions elle;
    elle.command = {"/bin/sh"};
    elle.script = "echo '{:ready true, :version \"9.9\"}'\nwhile read -r line; do\nid=${line#'{:id '}\nid=${id%%,*}\n" +
                  answer + "\ndone\n";
    elle.wall_seconds = [this] { return clock_s_ += 0.001; };
    elle_ = std::make_unique<ElleProcess>(std::move(elle));
    CampaignOptions options = options_for(first, last);
    options.scenarios[0].scenario.elle = true;
    options.elle = elle_.get();
    return options;
  }
  std::set<std::string> folders() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out"))
      names.insert(entry.path().filename());
    return names;
  }
  // Seeds divisible by three are invalid by G1c, the others valid.
  static constexpr const char* right =
      "case $line in *-3/*|*-6/*|*-9/*) echo \"{:id $id, :valid? false, :anomaly-types [:G1c], :not [:read-committed], "
      ":also-not [$stronger]}\";; *) echo \"{:id $id, :valid? true, :anomaly-types [], :not [], :also-not []}\";; esac";
  // $stronger: what falls with read-committed.
  static std::string stronger() {
    std::string names;
    for (const std::string& model : checkers::boundary_of({"G1c"}).also_not) names += ":" + model + " ";
    return "stronger='" + names + "'\n";
  }
  std::unique_ptr<ElleProcess> elle_;
};

TEST_F(CampaignWithElleTest, LeavesAsTheyAreTheResultsThatElleConfirms) {
  CampaignOptions options = with_elle(stronger() + right, 1, 6);
  const CampaignResult result = run(options);
  EXPECT_EQ(result.elle.agreed, 6U);
  EXPECT_EQ(result.elle.asked(), 6U);
  EXPECT_TRUE(result.elle.remarks.empty()) << result.elle.remarks.begin()->first;
  EXPECT_EQ(result.disagreements, 0U);
  EXPECT_EQ(folders(), std::set<std::string>{"sample-3"});
  options.scenarios[0].scenario.elle = false;
  const CampaignResult without = run(options);
  EXPECT_EQ(without.elle.asked(), 0U);
  ASSERT_EQ(result.results.size(), without.results.size());
  for (std::size_t i = 0; i < result.results.size(); ++i) {
    EXPECT_EQ(result.results[i].signature, without.results[i].signature);
    EXPECT_EQ(result.results[i].digest, without.results[i].digest);
    EXPECT_EQ(result.results[i].capsule, without.results[i].capsule);
  }
}

TEST_F(CampaignWithElleTest, AContradictionFailsTheSeedAndKeepsBothVerdicts) {
  CampaignOptions options =
      with_elle("echo \"{:id $id, :valid? true, :anomaly-types [], :not [], :also-not []}\"", 1, 6);
  options.jobs = 4;
  options.database = folder_ / "campaign.db";
  const CampaignResult result = run(options);
  EXPECT_EQ(result.failed, 2U);
  EXPECT_EQ(result.passed, 4U);
  EXPECT_EQ(result.disagreements, 2U);
  EXPECT_EQ(result.elle.disagreed, 2U);
  EXPECT_EQ(result.elle.agreed, 4U);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].signature, "list-append:G1c;elle-disagreement:list-append");
  EXPECT_EQ(result.failures[0].checker, "elle");
  EXPECT_EQ(result.failures[0].explanation,
            "elle-disagreement: polarsim says invalid (G1c), Elle says valid at read-committed");
  EXPECT_EQ(folders(), std::set<std::string>{"sample-3"});
  const auto kept = read_file(folder_ / "out/sample-3/elle.json");
  ASSERT_TRUE(kept);
  EXPECT_NE(kept->find("\"elle_version\": \"9.9\""), std::string::npos) << *kept;
  ASSERT_TRUE(read_capsule(folder_ / "out/sample-3"));
  // The database remembers what was found, and a resumed campaign fails like this one.
  options.resume = true;
  const CampaignResult resumed = run(options);
  EXPECT_EQ(resumed.disagreements, 2U);
  EXPECT_EQ(resumed.elle.asked(), 0U);
}

TEST_F(CampaignWithElleTest, AContradictionOfAPassingSeedKeepsACapsule) {
  const CampaignResult result =
      run(with_elle("echo \"{:id $id, :valid? false, :anomaly-types [:G0], :not [], :also-not []}\"", 4, 5));
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].signature, "elle-disagreement:list-append");
  EXPECT_EQ(result.failures[0].seeds, (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(result.failures[0].capsule, folder_ / "out/sample-4");
  EXPECT_EQ(folders(), std::set<std::string>{"sample-4"});
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/sample-4/elle.json"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/sample-4/history.edn"));
  ASSERT_TRUE(read_capsule(folder_ / "out/sample-4"));
}

TEST_F(CampaignWithElleTest, WhatBecomesOfElleCostsNoSeed) {
  const CampaignResult result =
      run(with_elle("case $line in *-2/*) exit 7;; *) " + stronger() + right + ";; esac", 1, 5));
  EXPECT_EQ(result.seeds, 5U);
  EXPECT_EQ(result.passed, 4U);
  EXPECT_EQ(result.elle.agreed, 4U);
  EXPECT_EQ(result.elle.without_verdict, 1U);
  EXPECT_EQ(result.elle.remarks,
            (std::map<std::string, std::uint64_t>{{"gave no verdict: its process ended with status 7", 1}}));
  const CampaignResult never = run(with_elle("exit 7", 1, 9));
  EXPECT_EQ(never.seeds, 9U);
  EXPECT_EQ(never.elle.without_verdict, 9U);
  EXPECT_EQ(folders(), (std::set<std::string>{"sample-3", "sample-7"}));
}

TEST_F(CampaignWithElleTest, ResultsDoNotDependOnTheNumberOfJobs) {
  const std::string wrong =
      "case $line in *-5/*|*-8/*) echo \"{:id $id, :valid? false, :anomaly-types [:G0], :not [], "
      ":also-not []}\";; *) " +
      stronger() + right + ";; esac";
  CampaignOptions options = with_elle(wrong, 1, 9);
  options.jobs = 1;
  CampaignResult one = run(options);
  options = with_elle(wrong, 1, 9);
  options.jobs = 8;
  CampaignResult eight = run(options);
  for (CampaignResult* result : {&one, &eight}) {
    for (SeedResult& row : result->results) row.wall_ms = 0;
  }
  EXPECT_EQ(one.results, eight.results);
  EXPECT_EQ(one.disagreements, 2U);
  EXPECT_EQ(folders(), (std::set<std::string>{"sample-3", "sample-5", "sample-7"}));
}

TEST_F(CampaignWithElleTest, InterruptedItLeavesNothingHalfDone) {
  CampaignOptions options = with_elle("sleep 60", 1, 20);
  std::uint64_t polls = 0;
  options.interrupted = [&polls] { return ++polls > 10; };
  const CampaignResult result = run(options);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.seeds, 0U);
  for (const std::string& name : folders()) EXPECT_FALSE(name.starts_with(".elle-")) << name;
}

TEST_F(CampaignTest, AFileOfAnotherKindIsRefused) {
  CampaignOptions options = options_for(1, 1);
  options.database = folder_ / "notes.txt";
  ASSERT_TRUE(write_file(options.database, "this is not a database, and long enough not to look like an empty one\n"));
  auto result = run_campaign(options);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message.starts_with(options.database + ": ")) << result.error().message;

  options.database = folder_ / "other.db";
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(options.database.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE pets (name TEXT)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  result = run_campaign(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, options.database + ": this database does not hold campaign results");

  options.database = "/proc/polarsim/campaign.db";
  EXPECT_FALSE(run_campaign(options));
}

TEST(CampaignStore, RowsComeBackAsTheyWere) {
  auto store = CampaignStore::open("");
  ASSERT_TRUE(store);
  SeedResult row;
  row.scenario = "bank";
  row.seed = 9223372036854775807ULL;
  row.verdict = SeedVerdict::crashed;
  row.signature = "crashed: SIGSEGV";
  row.checker = "process";
  row.explanation = "line\nanother 'line'";
  row.digest = "d";
  row.virtual_time_ns = 5;
  row.wall_ms = 6;
  row.transactions = 7;
  row.faults = 8;
  row.seen = {"a", "b"};
  row.probes = {"2pc/prepared"};
  row.capsule = "runs/bank-1";
  SeedResult other = row;
  other.seed = 1;
  ASSERT_TRUE(store->add("c", "build", {row, other}));
  const auto rows = store->load("bank", "c", 0, 9223372036854775807ULL);
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, (std::vector<SeedResult>{other, row}));
  EXPECT_TRUE(store->load("bank", "d", 0, 10)->empty());
}

TEST(Campaign, ShellWords) {
  EXPECT_EQ(shell_word("runs/append-7"), "runs/append-7");
  EXPECT_EQ(shell_word("my runs/it's"), "'my runs/it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(replay_command_for("runs/a b"), "polarsim replay 'runs/a b'");
}

}  // namespace
}  // namespace polarsim::scenarios
