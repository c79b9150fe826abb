// Whatever cannot be used ends with status 2 and one line on stderr that says where the mistake is.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr const char* good_scenario =
    "description = \"small\"\n[run]\nduration_s = 1\n[workload]\nname = \"append\"\nclients = 2\n"
    "[check]\ncheckers = [{name = \"list-append\"}]\n";

constexpr const char* good_history =
    "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 1, :time 2, :process 0, :type :ok, :f :txn, :value [[:append 1 1]]}\n";

struct BadInput {
  std::vector<std::string> arguments;
  std::string says;  // a part of the line
};

class BadInputTest : public ::testing::Test {
 protected:
  void expect_refused(const BadInput& input) {
    const Outcome outcome = place_.run(input.arguments);
    std::string command;
    for (const std::string& argument : input.arguments) command += " " + argument;
    EXPECT_EQ(outcome.status, 2) << command << "\n" << outcome.error;
    EXPECT_EQ(outcome.error_lines(), 1U) << command << "\n" << outcome.error;
    EXPECT_TRUE(outcome.error.starts_with("polarsim: ")) << outcome.error;
    EXPECT_LE(outcome.error.size(), 1000U) << command;
    EXPECT_NE(outcome.error.find(input.says), std::string::npos)
        << command << "\nshould say " << input.says << "\nsays " << outcome.error;
    EXPECT_EQ(outcome.out, "") << command;
  }
  Workplace place_;
};

TEST_F(BadInputTest, Arguments) {
  write_text(place_ / "good.toml", good_scenario);
  write_text(place_ / "good.edn", good_history);
  const std::vector<BadInput> inputs{
      {{}, "try `polarsim --help`"},
      {{"frobnicate"}, "frobnicate"},
      {{"run"}, "SCENARIO is required"},
      {{"run", "good.toml", "--seeed", "1"}, "--seeed"},
      {{"run", "good.toml", "extra"}, "extra"},
      {{"run", "good.toml", "--seed", "-1"}, "--seed: expected a whole number"},
      {{"run", "good.toml", "--seed", "1x"}, "found \"1x\""},
      {{"run", "good.toml", "--seed", "18446744073709551616"}, "--seed"},
      {{"run", "good.toml", "--plant", "no-such-bug"}, "--plant: no bug is called \"no-such-bug\""},
      {{"run", "good.toml", "--set", "workload.keyz=3"}, "workload.keyz"},
      {{"run", "good.toml", "--set", "nonsense"}, "nonsense"},
      {{"run", "good.toml", "--no-artifacts", "--trace"}, "--trace"},
      {{"elle"}, "ACTION is required"},
      {{"elle", "remove"}, "ACTION: remove not in {install,status}"},
      {{"check", "good.edn", "--model", "bank", "--accounts", "1", "--initial-balance", "1", "--elle"},
       "--elle: Elle judges list-append and rw-register, not bank"},
      {{"run", "good.toml", "--set", "check.elle=perhaps"}, "check.elle"},
      {{"run", "bank", "--set", "check.elle=true"}, "check.elle: Elle judges what list-append and rw-register do"},
      {{"run", "no-such-scenario"}, "no scenario is called \"no-such-scenario\""},
      {{"run", "./missing.toml"}, "missing.toml"},
      {{"run", "good.toml", "--out", ""}, "--out: must not be empty"},
      {{"replay", "nowhere", "--trace", ""}, "--trace: must not be empty"},
      {{"campaign", "good.toml", "--seeds", "1", "--db", ""}, "--db: must not be empty"},
      {{"run", "/dev/zero"}, "/dev/zero: cannot read: not a regular file"},
      {{"replay", "/dev/zero"}, "/dev/zero: cannot read: not a regular file"},
      {{"check", "/dev/zero", "--model", "list-append"}, "/dev/zero: cannot read: not a regular file"},
      {{"run", "good.toml", "--seed", std::string(100'000, 'x')}, "xxx..."},
      {{"replay"}, "CAPSULE is required"},
      {{"replay", "nowhere"}, "nowhere"},
      {{"replay", "nowhere", "--strict", "--tolerant"}, "--tolerant"},
      {{"check", "good.edn"}, "--model is required"},
      {{"check", "good.edn", "--model", "graph"}, "--model: expected one of"},
      {{"check", "good.edn", "--model", "list-append", "--level", "perfect"}, "--level: expected one of"},
      {{"check", "good.edn", "--model", "bank"}, "--accounts"},
      {{"check", "good.edn", "--model", "list-append", "--read-your-writes", "always"}, "--read-your-writes: only"},
      {{"check", "good.edn", "--model", "read-committed-cluster", "--read-your-writes", "never"},
       "--read-your-writes: expected one of"},
      {{"check", "good.edn", "--model", "read-committed-cluster", "--level", "PL-2"},
       "--level: only list-append and rw-register have levels, not read-committed-cluster"},
      {{"check", "good.edn", "--model", "bank", "--accounts", "0", "--initial-balance", "1"}, "--accounts"},
      {{"check", "good.edn", "--model", "bank", "--accounts", "2", "--initial-balance", "much"}, "--initial-balance"},
      {{"check", "good.edn", "--model", "bank", "--accounts", "2", "--initial-balance", "1", "--level", "SER"},
       "--level: only"},
      {{"check", "good.edn", "--model", "linearizable-set", "--level", "SER"}, "--level: only"},
      {{"check", "good.edn", "--model", "set", "--infer", "wfr-keys"}, "--infer: only"},
      {{"check", "good.edn", "--model", "set", "--linearizable"}, "--linearizable: only"},
      {{"check", "good.edn", "--model", "prepared-residue"}, "--model: expected one of"},
      {{"check", "missing.edn", "--model", "list-append"}, "missing.edn: cannot read"},
      {{"list"}, "KIND is required"},
      {{"list", "everything"}, "expected one of scenarios"},
      {{"campaign", "good.toml"}, "--seeds is required"},
      {{"campaign", "--seeds", "1..2"}, "SCENARIO is required"},
      {{"campaign", "good.toml", "--seeds", "5..1"}, "--seeds: the range 5..1 is empty"},
      {{"campaign", "good.toml", "--seeds", "1.."}, "--seeds: expected A..B"},
      {{"campaign", "good.toml", "--seeds", "a..b"}, "--seeds: expected A..B"},
      {{"campaign", "good.toml", "--seeds", "0..99999999999"}, "--seeds"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--jobs", "0"}, "--jobs"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--timeout", "0"}, "--timeout"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--timeout", "1 fortnight"}, "--timeout"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--resume"}, "--resume: needs --db"},
      {{"campaign", "good.toml", "good.toml", "--seeds", "1..2"}, "called good too"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--db", "/proc/x/y.db"}, "/proc/x/y.db"},
      {{"campaign", "good.toml", "--seeds", "1..2", "--junit", "/proc/x/y.xml"}, "--junit: /proc/x/y.xml"},
      {{"bench", "warp"}, "warp"},
  };
  for (const BadInput& input : inputs) expect_refused(input);
}

TEST_F(BadInputTest, Scenarios) {
  const std::string good = good_scenario;
  const std::vector<std::pair<std::string, std::string>> files{{"misspelt.toml", "clientz = 2"},
                                                               {"workload.toml", "name = \"no-such-workload\""},
                                                               {"type.toml", "clients = \"two\""}};
  write_text(place_ / "misspelt.toml", std::string(good).replace(good.find("clients = 2"), 11, "clientz = 2"));
  expect_refused({{"run", "misspelt.toml"}, "misspelt.toml:6:1: workload.clientz"});
  write_text(place_ / "workload.toml", std::string(good).replace(good.find("\"append\""), 8, "\"no-such\""));
  expect_refused({{"run", "workload.toml"}, "workload.toml:5:"});
  write_text(place_ / "type.toml", std::string(good).replace(good.find("clients = 2"), 11, "clients = \"two\""));
  expect_refused({{"run", "type.toml"}, "type.toml:6:"});
  write_text(place_ / "binary.toml", std::string("\x00\xff\xfe\n\n", 5));
  expect_refused({{"run", "binary.toml"}, "binary.toml:"});
  // Cut inside a table's header, a key, a string and a list.
  for (const std::size_t length :
       {good.find("[run]") + 2, good.find("duration_s") + 4, good.find("\"append\"") + 3, good.rfind("{name") + 5}) {
    write_text(place_ / "cut.toml", good.substr(0, length));
    expect_refused({{"run", "cut.toml"}, "cut.toml:"});
  }
  expect_refused({{"run", "."}, "scenario"});
  write_text(place_ / "large.toml", std::string(17 * 1024 * 1024, '\n'));
  expect_refused({{"run", "large.toml"}, "large.toml: cannot read: larger than"});
}

TEST_F(BadInputTest, OutputFoldersAreTriedBeforeTheRun) {
  write_text(place_ / "good.toml", good_scenario);
  write_text(place_ / "file", "");
  for (const char* command : {"run", "campaign"}) {
    for (const char* folder : {"file/below", "file", "/proc/polarsim"}) {
      std::vector<std::string> arguments{command, "good.toml", "--out", folder};
      if (std::string(command) == "campaign") arguments.insert(arguments.end(), {"--seeds", "1..2"});
      // An hour of virtual time: were the run made first, this test would take long.
      arguments.insert(arguments.end(), {"--set", "run.duration_s=3600"});
      expect_refused({arguments, std::string(folder) + ": cannot"});
    }
  }
}

TEST_F(BadInputTest, Histories) {
  const std::string good = good_history;
  write_text(place_ / "broken.edn",
             good + "{:index 2, :time 3, :process 0, :type :invoke, :f :txn, :value [[:append 1 }\n");
  expect_refused({{"check", "broken.edn", "--model", "list-append"}, "broken.edn:3:"});
  write_text(place_ / "type.edn", good + "{:index 2, :time 3, :process 0, :type :maybe, :f :txn, :value nil}\n");
  expect_refused({{"check", "type.edn", "--model", "list-append"}, "type.edn:3:"});
  write_text(place_ / "orphan.edn", "{:index 0, :time 1, :process 0, :type :ok, :f :txn, :value [[:append 1 1]]}\n");
  expect_refused({{"check", "orphan.edn", "--model", "list-append"}, "orphan.edn:1:"});
  write_text(place_ / "placement.edn",
             good + "{:index 2, :time 3, :process :nemesis, :type :info, :f :placement, :value {1 dn1}}\n");
  expect_refused({{"check", "placement.edn", "--model", "read-committed-cluster"}, "placement.edn: op 2: placement:"});
  write_text(place_ / "snapshots.edn",
             good + "{:index 2, :time 3, :process 7, :type :invoke, :f :txn, :value [], :snapshots [1]}\n");
  expect_refused({{"check", "snapshots.edn", "--model", "read-committed-cluster"}, "snapshots.edn: op 2: snapshots:"});
  for (std::size_t length = 1; length + 1 < good.size(); length += 7) {
    if (good[length - 1] == '\n' || good[length] == '\n') continue;  // a cut between lines leaves a history
    write_text(place_ / "cut.edn", good.substr(0, length));
    expect_refused({{"check", "cut.edn", "--model", "list-append"}, "cut.edn:"});
  }
}

TEST_F(BadInputTest, CapsulesCutAtAnyByte) {
  write_text(place_ / "good.toml", good_scenario);
  ASSERT_LE(place_.run({"run", "good.toml", "--out", "capsule"}).status, 1);
  for (const char* name : {"capsule/run.json", "capsule/schedule.json"}) {
    const std::string whole = content_of(place_ / name);
    ASSERT_FALSE(whole.empty());
    const std::size_t step = std::max<std::size_t>(1, whole.size() / 60);
    for (std::size_t length = 0; length + 2 < whole.size(); length += step) {
      write_text(place_ / name, whole.substr(0, length));
      expect_refused({{"replay", "capsule"}, std::string(name) + ": "});
    }
    write_text(place_ / name, whole);
  }
  EXPECT_LE(place_.run({"replay", "capsule"}).status, 1);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
