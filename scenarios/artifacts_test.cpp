#include "scenarios/artifacts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "checkers/history.h"
#include "scenarios/run_samples.h"

namespace polarsim::scenarios {
namespace {

using test::sample_record;
using test::sample_scenario;
using test::TemporaryFolder;

const reports::BuildInfo build{"0.1.0", "test", "Debug"};

reports::RunSummary write_sample(const std::string& folder, const RunRecord& record) {
  const reports::RunSummary summary = summarise(sample_scenario(), {}, record, build);
  const auto written = write_run_folder(folder, summary, record, "polarsim replay " + folder);
  if (!written) ADD_FAILURE() << written.error().message;
  return summary;
}

std::string content_of(const std::string& path) {
  const auto text = read_file(path);
  return text ? *text : "unreadable: " + text.error().message;
}

std::string capsule_error(const std::string& path) {
  const auto capsule = read_capsule(path);
  return capsule ? "" : capsule.error().message;
}

TEST(Artifacts, ACapsuleHoldsWhatAReplayNeeds) {
  const TemporaryFolder folder;
  const RunRecord record = sample_record(sample_scenario(), 7, false);
  const reports::RunSummary summary = write_sample(folder / "runs/sample-7", record);
  for (const std::string& path :
       {folder / "runs/sample-7", folder / "runs/sample-7/run.json", folder / "runs/sample-7/"}) {
    const auto capsule = read_capsule(path);
    ASSERT_TRUE(capsule) << capsule.error().message;
    EXPECT_EQ(capsule->summary, summary);
    EXPECT_EQ(capsule->schedule, record.schedule);
    EXPECT_EQ(capsule->scenario.name, "sample");
    EXPECT_EQ(capsule->scenario.source_text, sample_scenario().source_text);
  }
  const auto history = checkers::read_history(content_of(folder / "runs/sample-7/history.edn"), "history.edn");
  ASSERT_TRUE(history) << history.error().message;
  EXPECT_EQ(history->events.size(), 4U);
}

TEST(Artifacts, OverridesAreAppliedAgain) {
  const TemporaryFolder folder;
  const std::vector<std::string> overrides{"cluster.data_nodes=5", "run.duration_s=3"};
  const auto scenario = parse_scenario(sample_scenario().source_text, "sample.toml", overrides);
  ASSERT_TRUE(scenario);
  const RunRecord record = sample_record(*scenario, 7, false);
  ASSERT_TRUE(write_run_folder(folder / "x", summarise(*scenario, overrides, record, build), record, "again"));
  const auto capsule = read_capsule(folder / "x");
  ASSERT_TRUE(capsule) << capsule.error().message;
  EXPECT_EQ(capsule->scenario.cluster.data_nodes, 5);
  EXPECT_EQ(capsule->scenario.duration, sim::Duration(3'000'000'000));
}

TEST(Artifacts, TwoEqualRunsWriteTheSameBytes) {
  const TemporaryFolder folder;
  const RunRecord record = sample_record(sample_scenario(), 7, false);
  const reports::RunSummary summary = summarise(sample_scenario(), {}, record, build);
  ASSERT_TRUE(write_run_folder(folder / "a", summary, record, "again"));
  ASSERT_TRUE(write_run_folder(folder / "b", summary, record, "again"));
  for (const char* name : {"/run.json", "/schedule.json", "/history.edn", "/report.html"}) {
    EXPECT_EQ(content_of(folder / "a" + name), content_of(folder / "b" + name)) << name;
  }
}

TEST(Artifacts, AnEarlierRunsTraceDoesNotStay) {
  const TemporaryFolder folder;
  const RunRecord record = sample_record(sample_scenario(), 7, false);
  const reports::RunSummary summary = summarise(sample_scenario(), {}, record, build);
  ASSERT_TRUE(prepare_folder(folder / "x"));
  {
    TraceOutput trace(folder / "x/trace.bin");
    ASSERT_TRUE(trace.ready());
    ASSERT_TRUE(write_run_folder(folder / "x", summary, record, "again", &trace));
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "x/trace.bin"));
  ASSERT_TRUE(write_run_folder(folder / "x", summary, record, "again"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x/trace.bin"));
}

TEST(Artifacts, NothingTemporaryIsLeftBehindAndRemovingTakesOnlyOurFiles) {
  const TemporaryFolder folder;
  write_sample(folder / "x", sample_record(sample_scenario(), 7, false));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "x")) {
    ++files;
    EXPECT_FALSE(entry.path().string().ends_with(".tmp")) << entry.path();
  }
  EXPECT_EQ(files, 4U);
  ASSERT_TRUE(write_file(folder / "x/notes.txt", "mine"));
  remove_run_folder(folder / "x");
  EXPECT_EQ(content_of(folder / "x/notes.txt"), "mine");
  EXPECT_FALSE(std::filesystem::exists(folder / "x/run.json"));
}

TEST(Artifacts, AnUnusableFolderIsOneLine) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "file", ""));
  for (const std::string& path : {folder / "file/below", std::string("/proc/polarsim"), folder / "file"}) {
    const auto ready = prepare_folder(path);
    ASSERT_FALSE(ready) << path;
    EXPECT_TRUE(ready.error().message.starts_with(path + ": cannot ")) << ready.error().message;
    EXPECT_EQ(ready.error().message.find('\n'), std::string::npos);
  }
}

TEST(Artifacts, MistakesInACapsuleNameFileAndKey) {
  const TemporaryFolder folder;
  write_sample(folder / "x", sample_record(sample_scenario(), 7, false));
  const std::string run_file = folder / "x/run.json";
  const std::string good = content_of(run_file);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_TRUE(write_file(run_file, text));
    return capsule_error(folder / "x");
  };
  EXPECT_EQ(replaced("\"planted\": []", "\"planted\": [\"no-such-bug\"]"),
            run_file + ": planted[0]: this build has no bug \"no-such-bug\"");
  EXPECT_TRUE(
      replaced("name = \\\"append\\\"", "name = \\\"no-such\\\"").starts_with(run_file + ": scenario: sample.toml:"))
      << capsule_error(folder / "x");
  EXPECT_EQ(replaced("\"seed\": 7", "\"sead\": 7"), run_file + ": seed: missing key");
  ASSERT_TRUE(write_file(run_file, good));
  ASSERT_TRUE(write_file(folder / "x/schedule.json", "{"));
  EXPECT_TRUE(capsule_error(folder / "x").starts_with(folder / "x/schedule.json: ")) << capsule_error(folder / "x");
  std::filesystem::remove(folder / "x/schedule.json");
  EXPECT_EQ(capsule_error(folder / "x"), folder / "x/schedule.json: cannot read: No such file or directory");
  EXPECT_EQ(capsule_error(folder / "nowhere"), folder / "nowhere: cannot read: No such file or directory");
}

TEST(Artifacts, AnEditedScheduleIsKnownAndAnotherLayoutIsNoEdit) {
  const TemporaryFolder folder;
  write_sample(folder / "x", sample_record(sample_scenario(), 7, false));
  const std::string file = folder / "x/schedule.json";
  std::string text = content_of(file);
  ASSERT_TRUE(write_file(file, text + "\n\n"));
  EXPECT_FALSE(read_capsule(folder / "x").value().schedule_edited);
  const std::size_t host = text.find("dn1");
  ASSERT_NE(host, std::string::npos);
  ASSERT_TRUE(write_file(file, text.replace(host, 3, "dn2")));
  EXPECT_TRUE(read_capsule(folder / "x").value().schedule_edited);
}

TEST(Artifacts, ACrashAtAPointThatWasNotVisitedOftenEnoughIsNamed) {
  RunRecord record = sample_record(sample_scenario(), 7, true);
  faults::Fault fault = record.schedule.faults[0];
  fault.kind = faults::FaultKind::crash_at_point;
  fault.targets = {"cn1"};
  fault.point = "2pc/after-comit-record";
  record.schedule.faults = {fault, fault};
  record.schedule.faults[1].point = "2pc/after-prepare";
  record.schedule.faults[1].occurrence = 3;
  record.fault_points = {{"2pc/after-prepare", 2}};
  const std::vector<std::string> lines = summarise(sample_scenario(), {}, record, build).not_struck;
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "crash_at_point cn1 2pc/after-comit-record (this run never visited that point)");
  EXPECT_EQ(lines[1], "crash_at_point cn1 2pc/after-prepare (this run made 2 visits, the fault waits for number 3)");
  record.fault_points["2pc/after-prepare"] = 3;
  EXPECT_EQ(summarise(sample_scenario(), {}, record, build).not_struck.size(), 1U);
}

TEST(Artifacts, AScheduleForOtherHostsIsRefused) {
  const TemporaryFolder folder;
  RunRecord record = sample_record(sample_scenario(), 7, false);
  record.schedule.faults[0].targets = {"dn99"};
  write_sample(folder / "x", record);
  EXPECT_TRUE(capsule_error(folder / "x").starts_with(folder / "x/schedule.json: faults[0].targets"))
      << capsule_error(folder / "x");
}

TEST(Artifacts, TheReportShowsEveryOperationAndFault) {
  const RunRecord record = sample_record(sample_scenario(), 7, false);
  const reports::RunReport report = make_report(summarise(sample_scenario(), {}, record, build), record, "again");
  ASSERT_EQ(report.operations.size(), 2U);
  EXPECT_EQ(report.operations[0].end, reports::OperationEnd::ok);
  EXPECT_EQ(report.operations[1].end, reports::OperationEnd::unknown);
  EXPECT_EQ(report.operations[1].invoke_index, 2);
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.faults[0].start_ns, 600'000'000);  // the workload's first operation was at 0.1 s
  EXPECT_EQ(report.faults[0].end_ns, 1'600'000'000);
}

TEST(Differences, NameTheFirstRungThatDiffers) {
  const Scenario scenario = sample_scenario();
  const reports::RunSummary recorded = summarise(scenario, {}, sample_record(scenario, 7, false), build);
  EXPECT_TRUE(differences(recorded, recorded).empty());

  reports::RunSummary other = recorded;
  other.ladder[1][0] = 'f';
  other.digest[0] = 'f';
  const std::vector<std::string> lines = differences(recorded, other);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(
      lines[0].starts_with("rung 1 of the digest ladder is the first that differs (records 4096 to 8192 of 12293)"))
      << lines[0];

  other = recorded;
  other.ladder.pop_back();
  EXPECT_EQ(differences(recorded, other).size(), 1U);
  EXPECT_TRUE(differences(recorded, other, true).empty());
  other.ladder[0][0] = 'f';
  EXPECT_EQ(differences(recorded, other, true).size(), 1U);

  other = recorded;
  other.verdict = reports::Outcome::valid;
  other.signature = "";
  ASSERT_EQ(differences(recorded, other).size(), 1U);
  EXPECT_EQ(differences(recorded, other)[0], "the verdict is valid, recorded was invalid (list-append:G1c)");

  other = recorded;
  other.checks[0].anomalies[0].explanation += " Indeed.";
  EXPECT_EQ(differences(recorded, other).size(), 1U);
}

}  // namespace
}  // namespace polarsim::scenarios
