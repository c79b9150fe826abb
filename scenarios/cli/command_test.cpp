// What the commands promise to people and programs: help, texts, JSON, files and exit statuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/sanitizer_test_support.h"
#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

using Json = nlohmann::json;

constexpr const char* small_scenario =
    "description = \"small\"\n[run]\nduration_s = 2\n[workload]\nname = \"append\"\nclients = 3\n"
    "[faults]\nprofile = \"gentle\"\n[check]\ncheckers = [{name = \"list-append\"}, {name = \"prepared-residue\"}]\n";

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() { write_text(place_ / "small.toml", small_scenario); }
  static std::set<std::string> keys_of(const Json& object) {
    std::set<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.insert(key);
    return keys;
  }
  Workplace place_;
};

TEST_F(CommandTest, HelpGoesToStdoutAndHasAnExample) {
  EXPECT_NE(place_.run({"--help"}).out.find("polarsim run append"), std::string::npos);
  EXPECT_EQ(place_.run({"--version"}).out.substr(0, 9), "polarsim ");
  for (const char* command : {"run", "replay", "trace", "check", "list", "campaign", "bench", "isolation", "elle"}) {
    const Outcome outcome = place_.run({command, "--help"});
    EXPECT_EQ(outcome.status, 0) << command;
    EXPECT_EQ(outcome.error, "") << command;
    EXPECT_NE(outcome.out.find("Example"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find(std::string("polarsim ") + command), std::string::npos) << outcome.out;
  }
}

TEST_F(CommandTest, RunPrintsTheDocumentedObjectAndWritesItsFolder) {
  const Outcome outcome = place_.run({"run", "small.toml", "--seed", "3", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.error << outcome.out;
  EXPECT_EQ(outcome.error, "");
  const Json run = Json::parse(outcome.out);
  EXPECT_EQ(keys_of(run), (std::set<std::string>{"scenario", "seed", "verdict", "digest", "virtual_seconds",
                                                 "wall_seconds", "transactions", "faults", "checks", "capsule"}));
  EXPECT_EQ(run.at("scenario"), "small");
  EXPECT_EQ(run.at("seed"), 3);
  EXPECT_EQ(run.at("verdict"), "valid");
  EXPECT_EQ(run.at("digest").get<std::string>().size(), 32U);
  EXPECT_GE(run.at("virtual_seconds").get<double>(), 2.0);
  EXPECT_GT(run.at("transactions").get<int>(), 0);
  EXPECT_EQ(run.at("capsule"), "runs/small-3");
  ASSERT_GE(run.at("checks").size(), 2U);
  for (const Json& check : run.at("checks")) {
    EXPECT_EQ(keys_of(check),
              (std::set<std::string>{"name", "verdict", "level", "anomalies", "exposures", "counts", "explanation"}));
    EXPECT_TRUE(check.at("anomalies").is_array());
    EXPECT_TRUE(check.at("explanation").is_string());
  }
  for (const char* name : {"run.json", "schedule.json", "history.edn", "report.html"}) {
    EXPECT_FALSE(content_of(place_ / "runs/small-3/" + name).empty()) << name;
  }
}

TEST_F(CommandTest, RunTellsAPersonTheVerdictAndHowToRepeatIt) {
  const Outcome outcome = place_.run({"run", "small.toml", "--out", "my run", "--twice", "--trace"});
  ASSERT_EQ(outcome.status, 0) << outcome.error << outcome.out;
  for (const char* part : {"PASSED  small, seed 1", "nodes: cn1", "list-append", "polarsim replay 'my run'",
                           "the second run was the same"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  }
  EXPECT_FALSE(content_of(place_ / "my run/trace.bin").empty());
}

TEST_F(CommandTest, DecisionsAreKeptAndFollowed) {
  ASSERT_EQ(place_.run({"run", "small.toml", "--seed", "5", "--decisions"}).status, 0);
  const std::string log = content_of(place_ / "runs/small-5/decisions.bin");
  EXPECT_GT(log.size(), 10'000U);
  const Outcome strict = place_.run({"replay", "runs/small-5", "--decisions", "strict"});
  EXPECT_EQ(strict.status, 0) << strict.error;
  EXPECT_NE(strict.out.find("taken from decisions.bin, 0 drawn that it does not have"), std::string::npos)
      << strict.out;
  EXPECT_NE(strict.out.find("the same as recorded"), std::string::npos) << strict.out;

  const std::vector<std::string> other_future{"replay", "runs/small-5", "--decisions", "strict", "--first",
                                              "500",    "--then-seed",  "99",          "--json"};
  const Json future = Json::parse(place_.run(other_future).out);
  EXPECT_FALSE(future.at("matches"));
  EXPECT_EQ(Json::parse(place_.run(other_future).out).at("digest"), future.at("digest"));

  write_text(place_ / "runs/small-5/decisions.bin", log.substr(0, log.size() / 2));
  const Outcome cut = place_.run({"replay", "runs/small-5", "--decisions", "strict"});
  EXPECT_EQ(cut.status, 2);
  EXPECT_EQ(cut.error_lines(), 1U);
  EXPECT_NE(cut.error.find("decisions.bin: decision log: byte"), std::string::npos) << cut.error;
  // A later run without them leaves none behind that are not its own.
  ASSERT_EQ(place_.run({"run", "small.toml", "--seed", "5"}).status, 0);
  const Outcome none = place_.run({"replay", "runs/small-5", "--decisions", "tolerant"});
  EXPECT_EQ(none.status, 2);
  EXPECT_NE(none.error.find("decisions.bin"), std::string::npos) << none.error;
}

TEST_F(CommandTest, ATraceIsShownAsTextAndForPerfetto) {
  ASSERT_EQ(place_.run({"run", "small.toml", "--seed", "5", "--trace"}).status, 0);
  const Outcome text = place_.run({"trace", "runs/small-5", "--host", "cn1", "--from", "1", "--until", "1100ms"});
  ASSERT_EQ(text.status, 0) << text.error;
  EXPECT_NE(text.out.find("1.0"), std::string::npos);
  EXPECT_NE(text.out.find(" cn1 "), std::string::npos);
  EXPECT_EQ(text.out.find(" dn1 "), std::string::npos);
  ASSERT_EQ(place_.run({"trace", "runs/small-5/trace.bin", "--perfetto", "-o", "trace.json"}).status, 0);
  const Json perfetto = Json::parse(content_of(place_ / "trace.json"));
  EXPECT_GT(perfetto.at("traceEvents").size(), 1000U);

  // The same run writes the same trace.
  const std::string bytes = content_of(place_ / "runs/small-5/trace.bin");
  ASSERT_EQ(place_.run({"replay", "runs/small-5", "--trace", "again.bin"}).status, 0);
  EXPECT_EQ(content_of(place_ / "again.bin"), bytes);

  // Into the folder that the same replay makes anew; but not over what a capsule is made of.
  for (int round = 0; round < 2; ++round) {
    std::filesystem::create_directory(place_ / "kept");
    ASSERT_EQ(place_.run({"replay", "runs/small-5", "--out", "kept", "--trace", "kept/trace.bin"}).status, 0);
    EXPECT_EQ(content_of(place_ / "kept/trace.bin"), bytes);
  }
  const std::string capsule = content_of(place_ / "runs/small-5/run.json");
  const Outcome over = place_.run({"replay", "runs/small-5", "--trace", "runs/./small-5/run.json"});
  EXPECT_EQ(over.status, 2);
  EXPECT_EQ(over.error_lines(), 1U);
  EXPECT_NE(over.error.find("is part of a capsule"), std::string::npos) << over.error;
  EXPECT_EQ(content_of(place_ / "runs/small-5/run.json"), capsule);

  write_text(place_ / "cut.bin", bytes.substr(0, bytes.size() * 2 / 3));
  const Outcome cut = place_.run({"trace", "cut.bin"});
  EXPECT_EQ(cut.status, 2);
  EXPECT_EQ(cut.error_lines(), 1U);
  EXPECT_NE(cut.error.find("cut.bin: at byte"), std::string::npos) << cut.error;
  EXPECT_EQ(cut.out, "");
  const Outcome salvaged = place_.run({"trace", "cut.bin", "--salvage"});
  EXPECT_EQ(salvaged.status, 0);
  EXPECT_GT(salvaged.out.size(), 1000U);
  EXPECT_EQ(salvaged.error_lines(), 1U);
  EXPECT_EQ(place_.run({"trace", "missing.bin"}).status, 2);

  const auto refused = [this](std::vector<std::string> arguments, const char* reason) {
    arguments.insert(arguments.begin(), {"trace", "runs/small-5"});
    const Outcome outcome = place_.run(arguments);
    EXPECT_EQ(outcome.status, 2) << reason;
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_NE(outcome.error.find(reason), std::string::npos) << outcome.error;
  };
  refused({"--host", "dn1", "--host", "dn77"}, "nothing of \"dn77\"; it knows client1, ");
  refused({"--from", "3", "--until", "2"}, "--until: comes before --from");
  refused({"-o", "runs/small-5/trace.bin"}, "is the trace itself");
  EXPECT_EQ(content_of(place_ / "runs/small-5/trace.bin"), bytes);
}

TEST_F(CommandTest, NothingButAFileIsReplaced) {
  ASSERT_EQ(place_.run({"run", "small.toml", "--seed", "5", "--trace"}).status, 0);
  ASSERT_EQ(::mkfifo((place_ / "pipe").c_str(), 0600), 0);
  const Outcome shown = place_.run({"trace", "runs/small-5", "-o", "pipe"});
  EXPECT_EQ(shown.status, 2);
  EXPECT_NE(shown.error.find("pipe: cannot write: not a regular file"), std::string::npos) << shown.error;
  const Outcome replayed = place_.run({"replay", "runs/small-5", "--trace", "pipe"});
  EXPECT_EQ(replayed.status, 2);
  EXPECT_TRUE(std::filesystem::is_fifo(place_ / "pipe"));
  EXPECT_FALSE(std::filesystem::exists(place_ / "pipe.tmp"));
  write_text(place_ / "empty.bin", "");
  EXPECT_EQ(place_.run({"trace", "empty.bin", "--salvage"}).status, 2);
}

TEST_F(CommandTest, TwiceFindsWhereASabotagedRunPartsFromItself) {
  for (const char* how : {"wall-clock", "address-order", "uninitialised-read"}) {
    const Outcome outcome = place_.run({"run", "small.toml", "--twice", "--no-artifacts", "--sabotage", how});
    // A sanitizer's heap is not the one that is disturbed.
    if (engine::testing::under_sanitizer && std::string(how) != "wall-clock") continue;
    EXPECT_EQ(outcome.status, 3) << how << outcome.out;
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_EQ(outcome.out.find("NOT DETERMINISTIC  small seed 1"), 0U) << outcome.out;
    EXPECT_EQ(outcome.out.find("PASSED"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("the runs part at record"), std::string::npos) << outcome.out;
    for (const char* run : {"first run: task", "second run: task"}) {
      const std::size_t side = outcome.out.find(run);
      ASSERT_NE(side, std::string::npos) << how << outcome.out;
      EXPECT_NE(outcome.out.find("in task \"saboteur\"", side), std::string::npos) << outcome.out;
      EXPECT_NE(outcome.out.find("sabotage.cpp:", side), std::string::npos) << outcome.out;
    }
  }
  const Json run = Json::parse(place_.run({"run", "small.toml", "--twice", "--no-artifacts", "--json"}).out);
  EXPECT_TRUE(run.at("divergence").is_null());
  const Outcome kept = place_.run({"run", "small.toml", "--sabotage", "wall-clock"});
  EXPECT_EQ(kept.status, 2);
  EXPECT_NE(kept.error.find("--no-artifacts"), std::string::npos) << kept.error;
  EXPECT_FALSE(std::filesystem::exists(place_ / "runs"));
  const Outcome unknown = place_.run({"run", "small.toml", "--sabotage", "luck"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.error.find("wall-clock, address-order, uninitialised-read"), std::string::npos) << unknown.error;
}

TEST_F(CommandTest, WithoutArtifactsNoFileAppears) {
  const Outcome outcome = place_.run({"run", "small.toml", "--no-artifacts", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_TRUE(Json::parse(outcome.out).at("capsule").is_null());
  EXPECT_FALSE(std::filesystem::exists(place_ / "runs"));
  const Outcome text = place_.run({"run", "small.toml", "--no-artifacts", "--set", "workload.clients=2"});
  EXPECT_NE(text.out.find("polarsim run small.toml --seed 1 --set workload.clients=2"), std::string::npos) << text.out;
}

TEST_F(CommandTest, ReplayRepeatsARunExactly) {
  const Json run =
      Json::parse(place_.run({"run", "small.toml", "--seed", "5", "--set", "workload.clients=2", "--json"}).out);
  const Outcome strict = place_.run({"replay", "runs/small-5", "--json"});
  ASSERT_EQ(strict.status, 0) << strict.error;
  const Json replayed = Json::parse(strict.out);
  EXPECT_EQ(replayed.at("digest"), run.at("digest"));
  EXPECT_EQ(replayed.at("transactions"), run.at("transactions"));
  EXPECT_EQ(replayed.at("matches"), true);
  const Outcome text = place_.run({"replay", "runs/small-5/run.json", "--strict"});
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.out.find("the same as recorded"), std::string::npos) << text.out;
  const Outcome stopped = place_.run({"replay", "runs/small-5", "--until", "1500ms", "--trace", "trace.bin"});
  EXPECT_EQ(stopped.status, 0) << stopped.error;
  EXPECT_NE(stopped.out.find("STOPPED  small, seed 5, at 1.500000000 s"), std::string::npos) << stopped.out;
  EXPECT_FALSE(content_of(place_ / "trace.bin").empty());
}

TEST_F(CommandTest, AReplayThatDiffersIsStatusThreeUnlessTolerated) {
  ASSERT_EQ(place_.run({"run", "small.toml", "--out", "capsule"}).status, 0);
  Json run = Json::parse(content_of(place_ / "capsule/run.json"));
  run["digest"] = "ffffffffffffffffffffffffffffffff";
  ASSERT_FALSE(run["ladder"].empty());
  run["ladder"].back() = "ffffffffffffffffffffffffffffffff";
  write_text(place_ / "capsule/run.json", run.dump());
  const Outcome strict = place_.run({"replay", "capsule"});
  EXPECT_EQ(strict.status, 3);
  EXPECT_EQ(strict.error_lines(), 1U) << strict.error;
  const std::string line =
      "rung " + std::to_string(run["ladder"].size() - 1) + " of the digest ladder is the first that differs";
  EXPECT_NE(strict.error.find(line), std::string::npos) << strict.error;
  const Outcome tolerant = place_.run({"replay", "capsule", "--tolerant", "--json"});
  EXPECT_EQ(tolerant.status, 0) << tolerant.error;
  EXPECT_EQ(Json::parse(tolerant.out).at("matches"), false);
}

TEST_F(CommandTest, AnEditedScheduleNeedsTolerantAndCanBeKept) {
  ASSERT_EQ(place_.run({"run", "small.toml", "--out", "capsule"}).status, 0);
  write_text(place_ / "capsule/schedule.json", "{\"profile\": \"explicit\", \"faults\": []}");
  const Outcome strict = place_.run({"replay", "capsule"});
  EXPECT_EQ(strict.status, 2);
  EXPECT_EQ(strict.error, "polarsim: capsule/schedule.json was edited since the run; use --tolerant\n");
  const Outcome kept = place_.run({"replay", "capsule", "--tolerant", "--out", "edited", "--json"});
  ASSERT_EQ(kept.status, 0) << kept.error;
  EXPECT_EQ(Json::parse(kept.out).at("capsule"), "edited");
  const Outcome again = place_.run({"replay", "edited", "--strict"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_EQ(place_.run({"replay", "edited", "--out", "edited"}).status, 2);
}

TEST_F(CommandTest, OutputThatIsLostIsStatusThree) {
  const std::string command = std::string(POLARSIM_BINARY) + " list bugs >/dev/full 2>" + (place_ / "error");
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(content_of(place_ / "error"), "polarsim: stdout: cannot write: No space left on device\n");
}

TEST_F(CommandTest, CheckPrintsTheDocumentedObject) {
  const std::set<std::string> keys{"valid", "anomalies", "not", "also_not", "levels", "explanation", "findings"};
  write_text(place_ / "good.edn",
             "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append 1 1]]}\n"
             "{:index 1, :time 2, :process 0, :type :ok, :f :txn, :value [[:append 1 1]]}\n"
             "{:index 2, :time 3, :process 1, :type :invoke, :f :txn, :value [[:r 1 nil]]}\n"
             "{:index 3, :time 4, :process 1, :type :ok, :f :txn, :value [[:r 1 [1]]]}\n");
  Outcome outcome = place_.run({"check", "good.edn", "--model", "list-append", "--level", "serializable", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.error;
  Json verdict = Json::parse(outcome.out);
  EXPECT_EQ(keys_of(verdict), keys);
  EXPECT_EQ(verdict.at("valid"), true);
  EXPECT_TRUE(verdict.at("anomalies").empty());
  EXPECT_EQ(verdict.at("levels").at("BE-RC"), true);
  EXPECT_EQ(verdict.at("levels").at("strong-SER"), true);

  // Two transactions that each saw what the other appended.
  write_text(place_ / "cycle.edn",
             "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append 1 1] [:r 2 nil]]}\n"
             "{:index 1, :time 2, :process 1, :type :invoke, :f :txn, :value [[:append 2 2] [:r 1 nil]]}\n"
             "{:index 2, :time 3, :process 0, :type :ok, :f :txn, :value [[:append 1 1] [:r 2 [2]]]}\n"
             "{:index 3, :time 4, :process 1, :type :ok, :f :txn, :value [[:append 2 2] [:r 1 [1]]]}\n");
  outcome = place_.run({"check", "cycle.edn", "--model", "list-append", "--level", "read-committed", "--json"});
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  verdict = Json::parse(outcome.out);
  EXPECT_EQ(keys_of(verdict), keys);
  EXPECT_EQ(verdict.at("valid"), false);
  EXPECT_EQ(verdict.at("anomalies"), Json::array({"G1c"}));
  EXPECT_FALSE(verdict.at("not").empty());
  EXPECT_FALSE(verdict.at("explanation").get<std::string>().empty());
  ASSERT_EQ(verdict.at("findings").size(), 1U);
  const Json& finding = verdict.at("findings")[0];
  EXPECT_EQ(keys_of(finding), (std::set<std::string>{"name", "permitted", "explanation", "rules_out", "shortest",
                                                     "omitted", "operations", "edges"}));
  EXPECT_EQ(finding.at("name"), "G1c");
  EXPECT_EQ(finding.at("permitted"), false);
  EXPECT_EQ(finding.at("shortest"), true);
  EXPECT_EQ(finding.at("rules_out"), Json::array({"PL-2"}));
  EXPECT_EQ(finding.at("operations")[0], (Json{{"index", 2},
                                               {"invoke_index", 0},
                                               {"process", 0},
                                               {"node", ""},
                                               {"outcome", "ok"},
                                               {"invoked_ns", 1},
                                               {"completed_ns", 3},
                                               {"transaction", "[[:append 1 1] [:r 2 [2]]]"}}));
  EXPECT_EQ(
      finding.at("edges")[0],
      (Json{{"from", 0},
            {"to", 1},
            {"relations", {"wr"}},
            {"key", "1"},
            {"before", "1"},
            {"after", "[1]"},
            {"witnesses", Json::array()},
            {"in_cycle", true},
            {"why", "op 3 read key 1 as [1], whose last element op 2 appended, so op 2 comes before op 3 (wr)."}}));
  const Outcome text = place_.run({"check", "cycle.edn", "--model", "list-append"});
  EXPECT_EQ(text.status, 1);
  EXPECT_NE(text.out.find("invalid  cycle.edn: list-append at read-committed"), std::string::npos) << text.out;
}

// Whatever `list checkers` names can be asked for, but for what is about runs, and the help names it, too.
TEST_F(CommandTest, CheckKnowsEveryCheckerOfHistories) {
  write_text(place_ / "empty.edn", "");
  const std::string help = place_.run({"check", "--help"}).out;
  for (const Json& entry : Json::parse(place_.run({"list", "checkers", "--json"}).out)) {
    const std::string name = entry.at("name");
    if (name == "prepared-residue" || name == "anomaly-meter") continue;
    EXPECT_NE(help.find(name), std::string::npos) << name;
    std::vector<std::string> arguments{"check", "empty.edn", "--model", name};
    if (name == "bank") arguments.insert(arguments.end(), {"--accounts", "2", "--initial-balance", "1"});
    const Outcome outcome = place_.run(arguments);
    EXPECT_LE(outcome.status, 1) << name << outcome.error;
    EXPECT_NE(outcome.out.find("empty.edn: " + name), std::string::npos) << outcome.out;
  }
}

TEST_F(CommandTest, CheckJudgesSingleOperations) {
  write_text(place_ / "stale.edn",
             "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}\n"
             "{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value nil}\n");
  const Outcome text = place_.run({"check", "stale.edn", "--model", "linearizable-cas-register"});
  EXPECT_EQ(text.status, 1) << text.error;
  EXPECT_NE(text.out.find("invalid  stale.edn: linearizable-cas-register, 2 operations checked"), std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("op 3 (process 1, read nil) cannot be next"), std::string::npos) << text.out;
  const Outcome shape = place_.run({"check", "stale.edn", "--model", "counter"});
  EXPECT_EQ(shape.status, 1) << shape.error;
  EXPECT_NE(shape.out.find("op 1: expected :add or :read after :f, found :write"), std::string::npos) << shape.out;

  write_text(place_ / "set.edn",
             "{:process 0, :type :invoke, :f :add, :value 1}\n{:process 0, :type :ok, :f :add, :value 1}\n"
             "{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value #{}}\n"
             "{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value #{1}}\n");
  EXPECT_EQ(place_.run({"check", "set.edn", "--model", "set-full"}).status, 0);
  EXPECT_EQ(place_.run({"check", "set.edn", "--model", "set-full", "--linearizable"}).status, 1);
  EXPECT_EQ(place_.run({"check", "set.edn", "--model", "set"}).status, 0);
}

// A key that neither XML nor DOT would take as it is.
TEST_F(CommandTest, CheckDrawsWhatItFinds) {
  write_text(place_ / "skew.edn",
             "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append \"<\\\"&\" 1] [:append 2 1]]}\n"
             "{:index 1, :time 2, :process 1, :type :invoke, :f :txn, :value nil}\n"
             "{:index 2, :time 3, :process 0, :type :ok, :f :txn, :value [[:append \"<\\\"&\" 1] [:append 2 1]]}\n"
             "{:index 3, :time 4, :process 1, :type :ok, :f :txn, :value [[:r \"<\\\"&\" [1]] [:r 2 nil]]}\n");
  const Outcome outcome = place_.run({"check", "skew.edn", "--model", "list-append", "--level", "snapshot-isolation",
                                      "--dot", "skew.dot", "--svg", "skew.svg"});
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  EXPECT_NE(outcome.out.find("      op 3: process 1, 1 ns to 3 ns, ok, [[:r \"<\\\"&\" [1]] [:r 2 nil]]\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(content_of(place_ / "skew.dot").find("label=\"wr key \\\"<\\\\\\\"&\\\": 1 -> [1]\""), std::string::npos)
      << content_of(place_ / "skew.dot");
  EXPECT_NE(content_of(place_ / "skew.svg").find("wr key &quot;&lt;\\&quot;&amp;&quot;: 1 -&gt; [1]"),
            std::string::npos);
  // What a level permits is drawn, too, and a history without anything makes files that say so.
  EXPECT_EQ(place_.run({"check", "skew.edn", "--model", "list-append", "--svg", "permitted.svg"}).status, 0);
  EXPECT_NE(content_of(place_ / "permitted.svg").find("G-single-item"), std::string::npos);
  const Outcome lost = place_.run({"check", "skew.edn", "--model", "list-append", "--svg", "no/such/folder.svg"});
  EXPECT_EQ(lost.status, 2);
  EXPECT_EQ(lost.error_lines(), 1U) << lost.error;
}

TEST_F(CommandTest, GraphvizReadsWhatCheckDraws) {
  if (std::system("command -v dot >/dev/null 2>&1") != 0) GTEST_SKIP() << "Graphviz's dot is not installed";
  const std::string fixtures = POLARSIM_SOURCE_DIR "/checkers/fixtures/";
  for (const char* history : {"acknowledged-then-missed.edn", "committed-reads-lists-skew.edn", "split-brain.edn"}) {
    place_.run({"check", fixtures + history, "--model", "list-append", "--level", "strong-SER", "--dot", "found.dot"});
    const std::string command =
        "dot -Tsvg " + (place_ / "found.dot") + " -o " + (place_ / "found.svg") + " 2>" + (place_ / "error");
    EXPECT_EQ(std::system(command.c_str()), 0) << history << content_of(place_ / "error");
    EXPECT_NE(content_of(place_ / "found.svg").find("<svg"), std::string::npos);
  }
}

TEST_F(CommandTest, CheckJudgesThePromiseOfTheClusterByTheHistoryAlone) {
  // The commit is pending on dn2 when it is read there.
  const std::string before =
      "{:index 0, :time 1, :process :nemesis, :type :info, :f :placement, :value {1 \"dn1\" 2 \"dn2\"}}\n"
      "{:index 1, :time 2, :process 0, :type :invoke, :f :txn, :value [[:append 1 1] [:append 2 1]]}\n"
      "{:index 2, :time 3, :process :nemesis, :type :info, :f :prepare, :value {:op 1 :node \"dn2\" :position 1}}\n"
      "{:index 3, :time 4, :process :nemesis, :type :info, :f :commit, :value {:op 1 :node \"dn1\" :position 1}}\n"
      "{:index 4, :time 5, :process 1, :type :invoke, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}\n"
      "{:index 5, :time 6, :process 1, :type :ok, :f :txn, :value [[:r 1 [1]] [:r 2 []]], :snapshots [[\"dn1\" 2 5] "
      "[\"dn2\" 2 5]]}\n";
  const std::string read_again =
      "{:index 7, :time 8, :process 1, :type :invoke, :f :txn, :value [[:r 2 nil]]}\n"
      "{:index 8, :time 9, :process 1, :type :ok, :f :txn, :value [[:r 2 [1]]]}\n";
  const auto committed_at = [&](const char* position) {
    return before + "{:index 6, :time 7, :process :nemesis, :type :info, :f :commit, :value {:op 1 :node \"dn2\" " +
           ":position " + position + "}}\n" + read_again;
  };
  write_text(place_ / "pending.edn", committed_at("3"));
  Outcome outcome = place_.run({"check", "pending.edn", "--model", "read-committed-cluster"});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.error;
  EXPECT_NE(outcome.out.find("permitted, and seen: fractured-read"), std::string::npos) << outcome.out;
  // It had committed there before.
  std::string over = committed_at("3");
  over.replace(over.find("[\"dn2\" 2 5]"), 11, "[\"dn2\" 9 5]");
  write_text(place_ / "over.edn", over);
  outcome = place_.run({"check", "over.edn", "--model", "read-committed-cluster", "--json"});
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  EXPECT_EQ(Json::parse(outcome.out).at("anomalies"), Json::array({"node-read-committed", "unexcused-fractured-read"}));
}

TEST_F(CommandTest, ListKnowsEveryKind) {
  for (const char* kind : {"scenarios", "workloads", "faults", "checkers", "bugs"}) {
    const Outcome outcome = place_.run({"list", kind, "--json"});
    ASSERT_EQ(outcome.status, 0) << kind << outcome.error;
    const Json list = Json::parse(outcome.out);
    ASSERT_FALSE(list.empty()) << kind;
    for (const Json& entry : list) {
      std::set<std::string> keys{"name", "summary"};
      if (std::string(kind) == "bugs") keys.insert("found_by");
      EXPECT_EQ(keys_of(entry), keys);
      EXPECT_FALSE(entry.at("summary").get<std::string>().empty()) << entry;
    }
  }
  EXPECT_NE(place_.run({"list", "bugs"}).out.find("recheck-skipped"), std::string::npos);
  EXPECT_NE(place_.run({"list", "scenarios"}).out.find("append"), std::string::npos);
}

TEST_F(CommandTest, BenchReportsValuesWithUnits) {
  const Outcome outcome = place_.run({"bench", "sim/fiber", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  const Json list = Json::parse(outcome.out);
  ASSERT_EQ(list.size(), 3U);
  for (const Json& entry : list) {
    EXPECT_EQ(keys_of(entry), (std::set<std::string>{"name", "value", "unit", "target", "summary"}));
    EXPECT_GT(entry.at("value").get<double>(), 0.0);
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
