#include "scenarios/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "sim/trace_file.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::Validity;

Scenario library(const std::string& name, std::vector<std::string> overrides = {}) {
  auto scenario = load_scenario("scenarios/library/" + name + ".toml", overrides);
  EXPECT_TRUE(scenario) << scenario.error().message;
  return *scenario;
}

RunRequest with_seed(std::uint64_t seed) {
  RunRequest request;
  request.seed = seed;
  return request;
}

std::string history_text(const RunRecord& record) {
  std::ostringstream text;
  checkers::write_edn(record.history, text);
  return text.str();
}

std::string explain(const RunRecord& record) {
  std::string text = record.signature;
  for (const checkers::Verdict& verdict : record.verdicts) {
    for (const checkers::Anomaly& anomaly : verdict.anomalies) text += "\n" + anomaly.name + ": " + anomaly.explanation;
  }
  return text;
}

class RunnerOnLibrary : public ::testing::TestWithParam<const char*> {};

TEST_P(RunnerOnLibrary, the_same_seed_gives_the_same_run) {
  const Scenario scenario = library(GetParam());
  const RunRecord first = run_scenario(scenario, with_seed(3));
  const RunRecord second = run_scenario(scenario, with_seed(3));
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.ladder, second.ladder);
  EXPECT_EQ(history_text(first), history_text(second));
  EXPECT_EQ(first.signature, second.signature);
  const RunRecord other = run_scenario(scenario, with_seed(4));
  EXPECT_NE(first.digest, other.digest);
}

TEST_P(RunnerOnLibrary, a_few_seeds_hold_their_promise) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const RunRecord record = run_scenario(library(GetParam()), with_seed(seed));
    EXPECT_EQ(record.validity, Validity::valid) << "seed " << seed << ": " << explain(record);
    EXPECT_GT(record.transactions_ok, 50U) << seed;
    EXPECT_EQ(record.seed, seed);
    EXPECT_EQ(record.verdicts.at(0).checker, "liveness");
    EXPECT_EQ(record.verdicts.at(1).checker, "invariant");
  }
}

INSTANTIATE_TEST_SUITE_P(library, RunnerOnLibrary,
                         ::testing::Values("append", "register", "bank", "commit-crash", "fractured-read",
                                           "fractured-read-locked"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(runner, trace_and_progress_change_nothing) {
  const Scenario scenario = library("bank", {"run.duration_s=4"});
  const RunRecord plain = run_scenario(scenario, with_seed(5));
  RunRequest request = with_seed(5);
  std::ostringstream file;
  sim::TraceFileWriter writer(file);
  request.trace = &writer;
  sim::Time reached = sim::time_zero;
  request.progress = [&](sim::Time time) {
    EXPECT_GE(time, reached);
    reached = time;
  };
  const RunRecord traced = run_scenario(scenario, request);
  EXPECT_EQ(plain.digest, traced.digest);
  ASSERT_TRUE(writer.finish());
  std::istringstream written(file.str());
  const auto trace = sim::read_trace(written, "trace");
  ASSERT_TRUE(trace.has_value()) << trace.error().message();
  ASSERT_GT(trace->events.size(), 1000u);
  // From the very start to the very end.
  EXPECT_EQ(trace->events.front().id, 1u);
  EXPECT_EQ(trace->dropped, 0u);
  EXPECT_GE(trace->events.back().time - sim::time_zero, traced.virtual_time - sim::Duration(1'000'000'000));
  EXPECT_EQ(reached - sim::time_zero, traced.virtual_time);
}

TEST(runner, the_recorded_schedule_replays_the_run) {
  const Scenario scenario = library("append", {"run.duration_s=8"});
  const RunRecord original = run_scenario(scenario, with_seed(6));
  RunRequest request = with_seed(6);
  request.schedule = original.schedule;
  EXPECT_EQ(run_scenario(scenario, request).digest, original.digest);
  request.schedule->faults.clear();
  const RunRecord without = run_scenario(scenario, request);
  EXPECT_EQ(without.faults_scheduled, 0U);
  EXPECT_EQ(without.faults_struck, 0U);
  EXPECT_NE(without.digest, original.digest);
}

TEST(runner, until_stops_without_judging) {
  const Scenario scenario = library("bank", {"run.duration_s=5"});
  RunRequest request = with_seed(2);
  request.until = sim::time_zero + 3s;
  const RunRecord record = run_scenario(scenario, request);
  EXPECT_EQ(record.virtual_time, 3s);
  EXPECT_EQ(record.validity, Validity::unknown);
  EXPECT_EQ(record.verdicts.size(), 2U);
  const RunRecord whole = run_scenario(scenario, with_seed(2));
  ASSERT_GE(whole.ladder.size(), record.ladder.size());
  EXPECT_TRUE(std::equal(record.ladder.begin(), record.ladder.end(), whole.ladder.begin()));
}

TEST(runner, never_turns_an_exposure_into_a_failure) {
  Scenario scenario = library("fractured-read");
  const RunRecord permitted = run_scenario(scenario, with_seed(1));
  ASSERT_TRUE(std::find(permitted.seen.begin(), permitted.seen.end(), "fractured-read") != permitted.seen.end());
  EXPECT_EQ(permitted.validity, Validity::valid) << explain(permitted);
  EXPECT_TRUE(permitted.expected_missing.empty());
  scenario.never = {"fractured-read"};
  scenario.expect = {"bank-total"};
  const RunRecord forbidden = run_scenario(scenario, with_seed(1));
  EXPECT_EQ(forbidden.digest, permitted.digest);
  EXPECT_EQ(forbidden.validity, Validity::invalid);
  EXPECT_EQ(forbidden.signature, "never:fractured-read");
  EXPECT_EQ(forbidden.expected_missing, std::vector<std::string>{"bank-total"});
}

TEST(runner, planted_bugs_of_the_commit_are_found) {
  const Scenario scenario = library("commit-crash");
  for (const engine::PlantedBug bug :
       {engine::PlantedBug::two_pc_skip_commit_record_flush,
        engine::PlantedBug::two_pc_commit_prepared_before_local_commit, engine::PlantedBug::prepared_lost_on_restart,
        engine::PlantedBug::locks_released_at_prepare, engine::PlantedBug::recheck_skipped}) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 5 && found == 0; ++seed) {
      RunRequest request = with_seed(seed);
      request.planted = {bug};
      const RunRecord record = run_scenario(scenario, request);
      ASSERT_EQ(record.planted.size(), 1U);
      if (record.validity == Validity::invalid) ++found;
    }
    EXPECT_GT(found, 0) << static_cast<int>(bug);
  }
}

TEST(runner, a_cluster_that_cannot_converge_is_reported) {
  // Recovery comes once an hour: what a data node's crash leaves prepared stays so.
  const Scenario scenario =
      library("bank", {"cluster.recover_2pc_interval_s=3600", "run.liveness_timeout_s=20", "run.duration_s=6"});
  RunRequest request = with_seed(1);
  request.schedule = faults::Schedule{"explicit", {{500ms, faults::FaultKind::slow_disk, {"dn1"}, 5s, 150, "", 1}}};
  for (const sim::Duration at : {1s, 2s, 3s, 4s}) {
    request.schedule->faults.push_back({at, faults::FaultKind::crash, {"dn1"}, 300ms, 0, "", 1});
  }
  const RunRecord record = run_scenario(scenario, request);
  EXPECT_EQ(record.faults_struck, 5U);
  EXPECT_EQ(record.validity, Validity::invalid);
  ASSERT_EQ(record.verdicts.at(0).anomalies.size(), 1U) << explain(record);
  EXPECT_EQ(record.verdicts.at(0).anomalies[0].name, "stuck-prepared") << explain(record);
}

}  // namespace
}  // namespace polarsim::scenarios
