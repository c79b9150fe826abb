// Scenarios whose nodes are watched: the promise of the cluster, and the meter.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "checkers/cluster_log.h"
#include "checkers/exposure.h"
#include "scenarios/judge.h"
#include "scenarios/runner.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::Validity;

Scenario library(const std::string& name, std::vector<std::string> overrides = {}) {
  auto scenario = load_scenario("scenarios/library/" + name + ".toml", overrides);
  EXPECT_TRUE(scenario) << scenario.error().message;
  return *scenario;
}

RunRecord run(const Scenario& scenario, std::uint64_t seed, std::vector<engine::PlantedBug> planted = {}) {
  RunRequest request;
  request.seed = seed;
  request.planted = std::move(planted);
  return run_scenario(scenario, request);
}

const checkers::Verdict& verdict_of(const RunRecord& record, const std::string& checker) {
  const auto found = std::find_if(record.verdicts.begin(), record.verdicts.end(),
                                  [&](const checkers::Verdict& verdict) { return verdict.checker == checker; });
  EXPECT_NE(found, record.verdicts.end()) << checker;
  return *found;
}

std::string explain(const RunRecord& record) {
  std::string text = record.signature;
  for (const checkers::Verdict& verdict : record.verdicts) {
    text += "\n" + verdict.checker + " " + verdict.reason;
    for (const checkers::Anomaly& anomaly : verdict.anomalies) text += "\n" + anomaly.name + ": " + anomaly.explanation;
  }
  return text;
}

checkers::History saved_and_read(const checkers::History& history) {
  std::ostringstream text;
  checkers::write_edn(history, text);
  auto read = checkers::read_history(text.str(), "history.edn");
  EXPECT_TRUE(read);
  return std::move(*read);
}

// What was seen of the nodes is complete, so nothing is left undecided; and the history alone is enough to judge again.
TEST(promise, the_cluster_keeps_it_and_its_history_tells) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const RunRecord record = run(library("promise"), seed);
    ASSERT_EQ(record.validity, Validity::valid) << explain(record);
    EXPECT_TRUE(record.watched);
    const checkers::History again = saved_and_read(record.history);
    EXPECT_EQ(again, record.history);
    const checkers::Verdict verdict = checkers::check_read_committed_cluster(again);
    EXPECT_EQ(verdict.validity, Validity::valid) << verdict.reason;
    EXPECT_EQ(verdict.counts, verdict_of(record, "read-committed-cluster").counts);
    const auto log = checkers::read_cluster_log(again);
    ASSERT_TRUE(log) << log.error();
    EXPECT_TRUE(log->placed && log->observed && log->healed_ns && log->at_rest);
    EXPECT_EQ(log->nodes.size(), 4U);
    EXPECT_GT(log->branches.size(), 1000U);
    const checkers::Exposure exposure = checkers::measure_exposure(again);
    ASSERT_EQ(exposure.groups.size(), 1U);
    EXPECT_GT(exposure.groups[0].reads, 200U);
    EXPECT_GT(exposure.groups[0].commits, 200U);
    EXPECT_TRUE(exposure.atomic_after_healing_ns.has_value());
    EXPECT_LE(exposure.p50_ns, exposure.p90_ns);
    EXPECT_LE(exposure.p99_ns, exposure.max_ns);
  }
}

TEST(promise, the_same_seed_gives_the_same_run) {
  const Scenario scenario = library("promise", {"run.duration_s=8"});
  const RunRecord first = run(scenario, 3);
  const RunRecord second = run(scenario, 3);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.history, second.history);
}

TEST(promise, a_scenario_that_does_not_ask_is_not_watched) {
  const Scenario scenario = library("append", {"run.duration_s=2"});
  EXPECT_FALSE(is_watched(scenario));
  const RunRecord record = run(scenario, 1);
  EXPECT_FALSE(record.watched);
  for (const checkers::Event& event : record.history.events) {
    EXPECT_GE(event.process, 0);
    EXPECT_TRUE(event.field("snapshots").empty());
  }
}

// While one node is slow and crashes, commits that were acknowledged are pending on it.
TEST(promise, what_an_acknowledgement_means_is_for_the_scenario_to_say) {
  const Scenario scenario = library("promise", {"run.duration_s=10"});
  faults::Schedule schedule{"explicit", {}};
  for (int second = 1; second < 9; second += 2) {
    schedule.faults.push_back(
        {sim::Duration(second * 1'000'000'000LL), faults::FaultKind::crash, {"dn1"}, 400ms, 0, "", 1});
  }
  bool pending = false;
  for (std::uint64_t seed = 1; seed <= 10 && !pending; ++seed) {
    RunRequest request;
    request.seed = seed;
    request.schedule = schedule;
    const RunRecord record = run_scenario(scenario, request);
    EXPECT_EQ(record.validity, Validity::valid) << explain(record);
    const auto seen = [&](const char* name) {
      return std::find(record.seen.begin(), record.seen.end(), name) != record.seen.end();
    };
    pending = seen("pending-write") || seen("pending-own-write");
    const checkers::Verdict strict =
        checkers::check_read_committed_cluster(record.history, {.read_your_writes = checkers::ReadYourWrites::always});
    EXPECT_EQ(strict.validity == Validity::invalid, pending);
  }
  EXPECT_TRUE(pending);
}

TEST(promise, planted_bugs_of_the_commit_break_it) {
  // Each with a seed at which it is found soon.
  const std::vector<std::pair<engine::PlantedBug, std::uint64_t>> bugs = {
      {engine::PlantedBug::prepared_lost_on_restart, 11},
      {engine::PlantedBug::two_pc_commit_prepared_before_local_commit, 15},
      {engine::PlantedBug::two_pc_skip_commit_record_flush, 32},
  };
  for (const auto& [bug, first] : bugs) {
    bool found = false;
    for (std::uint64_t seed = first; seed < first + 30 && !found; ++seed) {
      const RunRecord record = run(library("promise"), seed, {bug});
      if (record.validity != Validity::invalid) continue;
      const checkers::Verdict& verdict = verdict_of(record, "read-committed-cluster");
      found = std::any_of(verdict.anomalies.begin(), verdict.anomalies.end(), [](const checkers::Anomaly& anomaly) {
        return anomaly.name == "half-commit" || anomaly.name == "lost-commit";
      });
    }
    EXPECT_TRUE(found) << static_cast<int>(bug);
  }
}

// The recorded experiment: 11 to 17 per cent on two nodes, 7 to 22 in two shards of one node, nothing where one
// snapshot shows both rows.
TEST(promise, the_meter_shows_what_was_measured_on_a_real_cluster) {
  const RunRecord record = run(library("anomaly-meter", {"run.duration_s=12", "workload.case_s=3"}), 1);
  EXPECT_EQ(record.validity, Validity::valid) << explain(record);
  std::map<std::string, checkers::ExposureGroup> groups;
  for (const checkers::ExposureGroup& group : checkers::measure_exposure(record.history).groups)
    groups[group.name] = group;
  for (const char* name : {"two-nodes", "one-node", "one-node-repeatable-read", "one-shard"}) {
    EXPECT_GT(groups[name].reads, 500U) << name;
    EXPECT_GT(groups[name].commits, 100U) << name;
  }
  EXPECT_GT(groups["two-nodes"].per_million(), 30'000);
  EXPECT_LT(groups["two-nodes"].per_million(), 400'000);
  EXPECT_GT(groups["one-node"].per_million(), 15'000);
  EXPECT_LT(groups["one-node"].per_million(), 300'000);
  EXPECT_EQ(groups["one-node-repeatable-read"].fractured, 0U);
  EXPECT_EQ(groups["one-shard"].fractured, 0U);
}

// The slower one node commits, the more is seen of it.
TEST(promise, exposure_grows_with_the_skew_of_commits) {
  const RunRecord record = run(library("commit-skew"), 1);
  EXPECT_EQ(record.validity, Validity::valid) << explain(record);
  const checkers::Exposure exposure = checkers::measure_exposure(record.history);
  std::uint64_t narrow = 0, narrow_fractured = 0, wide = 0, wide_fractured = 0;
  for (const checkers::WindowBin& window : exposure.windows) {
    const bool is_wide = window.up_to_ns > 5'000'000;
    (is_wide ? wide : narrow) += window.commits;
    (is_wide ? wide_fractured : narrow_fractured) += window.fractured;
  }
  ASSERT_GT(narrow, 50U);
  ASSERT_GT(wide, 50U);
  EXPECT_GT(static_cast<double>(wide_fractured) / static_cast<double>(wide),
            2 * static_cast<double>(narrow_fractured) / static_cast<double>(narrow));
}

}  // namespace
}  // namespace polarsim::scenarios
