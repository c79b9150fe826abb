#include "reports/run_summary.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

namespace polarsim::reports {
namespace {

RunSummary failing_run() {
  RunSummary run;
  run.scenario = "bank";
  run.scenario_source = "scenarios/library/bank.toml";
  run.scenario_text = "description = \"caf\u00e9\"\n";
  run.overrides = {"cluster.data_nodes=4"};
  run.seed = 18446744073709551615ULL;
  run.planted = {"recheck-skipped"};
  run.build = {"0.1.0", "gcc 12.2.0", "Debug"};
  run.verdict = Outcome::invalid;
  run.signature = "bank:bank-total";
  run.seen = {"bank-total", "fractured-read"};
  run.expected_missing = {"G1c"};
  CheckSummary bank;
  bank.name = "bank";
  bank.verdict = Outcome::invalid;
  bank.operations_checked = 1234;
  bank.anomalies = {{"bank-total", "Operation 17 read a total of 799, but the accounts hold 800.", {17}}};
  bank.exposures = {{"fractured-read", "Operation 9 saw half of a transfer.", {9, 3}}};
  bank.counts = {{"bank-total", 2}, {"fractured-read", 5}};
  CheckSummary append;
  append.name = "list-append";
  append.level = "read-committed";
  append.verdict = Outcome::unknown;
  append.reason = "no reads";
  append.not_models = {"serializable"};
  append.also_not = {"strict-serializable"};
  run.checks = {bank, append};
  run.nodes = {"cn1", "dn1"};
  run.fault_profile = "standard";
  run.schedule_digest = "0123456789abcdef";
  run.not_struck = {"crash_at_point cn1 2pc/x (this run never visited that point)"};
  run.virtual_time_ns = 30'500'000'000;
  run.transactions_ok = 12345;
  run.transactions_failed = 17;
  run.transactions_unknown = 3;
  run.faults_scheduled = 11;
  run.faults_struck = 9;
  run.scheduler_events = 5;
  run.history_events = 6;
  run.digest_records = 9000;
  run.digest = "0123456789abcdef0123456789abcdef";
  run.ladder_interval = 4096;
  run.ladder = {"00000000000000000000000000000001", "00000000000000000000000000000002"};
  run.probes = {{"2pc/prepared", 3}};
  run.fault_points = {{"wal/flush", 4}};
  return run;
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_run_summary(text, "runs/x/run.json");
  return parsed ? "" : parsed.error();
}

// The error after one edit of a good document.
std::string error_after(const std::function<void(nlohmann::json&)>& edit) {
  nlohmann::json document = nlohmann::json::parse(to_json(failing_run()));
  edit(document);
  return error_of(document.dump());
}

TEST(RunSummary, SurvivesWritingAndReading) {
  const auto read = parse_run_summary(to_json(failing_run()), "run.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, failing_run());
}

TEST(RunSummary, InvalidUtf8IsReplacedInsteadOfFailing) {
  RunSummary run = failing_run();
  run.signature = "\xff\xfe";
  EXPECT_TRUE(parse_run_summary(to_json(run), "run.json"));
}

TEST(RunSummary, EveryCutIsOneLineThatNamesTheFileAndTheByte) {
  const std::string text = to_json(failing_run());
  // Without its last newline the document is whole.
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    const std::string error = error_of(text.substr(0, length));
    ASSERT_TRUE(error.starts_with("runs/x/run.json: byte ")) << "cut at " << length << ": " << error;
    ASSERT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST(RunSummary, ErrorsNameTheKey) {
  EXPECT_EQ(error_after([](auto& d) { d["ladder"] = 3; }), "runs/x/run.json: ladder: expected a list, found 3");
  EXPECT_EQ(error_after([](auto& d) { d["ladder"][1] = "12"; }),
            "runs/x/run.json: ladder[1]: expected 32 lower-case hexadecimal digits, found \"12\"");
  EXPECT_EQ(error_after([](auto& d) { d["checks"][0]["verdict"] = "vald"; }),
            "runs/x/run.json: checks[0].verdict: expected one of valid, invalid, unknown, found \"vald\"");
  EXPECT_EQ(error_after([](auto& d) { d["seed"] = -1; }),
            "runs/x/run.json: seed: expected a whole number that is not negative, found -1");
  EXPECT_EQ(error_after([](auto& d) { d["seed"] = 1.5; }),
            "runs/x/run.json: seed: expected a whole number that is not negative, found 1.5");
  EXPECT_EQ(error_after([](auto& d) { d["counters"].erase("faults_struck"); }),
            "runs/x/run.json: counters.faults_struck: missing key");
  EXPECT_EQ(error_after([](auto& d) { d["build"]["host"] = "x"; }), "runs/x/run.json: build.host: unknown key");
  EXPECT_EQ(error_after([](auto& d) { d["extra"] = nullptr; }), "runs/x/run.json: extra: unknown key");
  EXPECT_EQ(error_after([](auto& d) { d["format"] = 2; }), "runs/x/run.json: format: expected format 1, found 2");
  EXPECT_EQ(error_of("[]"), "runs/x/run.json: top level: expected an object, found a list");
  EXPECT_EQ(error_of("{\"a\":1,\"a\":2}"), "runs/x/run.json: a: the key appears twice");
}

TEST(RunSummary, ControlCharactersOfTheInputStayOutOfErrors) {
  const std::string error = error_after([](auto& d) { d["extra\nline"] = 1; });
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
}

TEST(VerdictText, SaysWhatRanWhatFailedAndHowToRepeatIt) {
  VerdictTextOptions options;
  options.wall_seconds = 2;
  options.folder = "runs/bank-7";
  options.replay_command = "polarsim replay runs/bank-7";
  const std::string text = render_verdict(failing_run(), options);
  for (const char* part :
       {"FAILED  bank, seed 18446744073709551615  with planted bug recheck-skipped", "2 nodes: cn1, dn1",
        "30.500 s virtual in 2.00 s", "12,345 ok, 17 failed, 3 unknown", "9 of 11 scheduled struck (profile standard)",
        "not struck    crash_at_point cn1 2pc/x (this run never visited that point)", "invalid  bank",
        "bank-total (2 times)", "Operation 17 read a total of 799",
        "permitted at this level, and seen: fractured-read (5 times)", "unknown  list-append  at read-committed",
        "no reads", "the history is not serializable", "G1c (expected of a campaign",
        "0123456789abcdef0123456789abcdef", "runs/bank-7/", "polarsim replay runs/bank-7"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
  }
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(VerdictText, SaysThatNoCheckerReadTheHistory) {
  RunSummary run = failing_run();
  EXPECT_EQ(render_verdict(run, {}).find("no checker judged this history"), std::string::npos);
  run.checks[0].name = "liveness";
  run.checks[1].name = "invariant";
  EXPECT_NE(render_verdict(run, {}).find("no checker judged this history"), std::string::npos);
}

TEST(VerdictText, ColourOnlyOnRequest) {
  VerdictTextOptions options;
  options.color = true;
  EXPECT_NE(render_verdict(failing_run(), options).find("\033[31m"), std::string::npos);
}

TEST(VerdictText, LongExplanationsAreWrappedAndManyAreCounted) {
  RunSummary run = failing_run();
  std::string words;
  for (int i = 0; i < 60; ++i) words += "word ";
  run.checks[0].anomalies.assign(5, Finding{"G1c", words, {}});
  VerdictTextOptions options;
  options.width = 80;
  const std::string text = render_verdict(run, options);
  EXPECT_NE(text.find("and 2 more, in run.json"), std::string::npos);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    EXPECT_LE(end - start, 110U) << text.substr(start, end - start);
    if (text.compare(start, 12, "        word") == 0) {
      EXPECT_LE(end - start, 80U);
    }
    start = end + 1;
  }
}

TEST(Texts, NumbersAndNouns) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "seed"), "1 seed");
  EXPECT_EQ(counted(0, "seed"), "0 seeds");
}

TEST(Texts, ExplanationOfACheck) {
  const RunSummary run = failing_run();
  EXPECT_EQ(explanation_of(run.checks[0]), "Operation 17 read a total of 799, but the accounts hold 800.");
  EXPECT_EQ(explanation_of(run.checks[1]), "no reads");
}

}  // namespace
}  // namespace polarsim::reports
