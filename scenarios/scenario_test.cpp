#include "scenarios/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "scenarios/judge.h"
#include "scenarios/workload.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;

constexpr const char* minimal = "[workload]\nname = \"append\"\n";

std::string error_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const auto scenario = parse_scenario(text, "s.toml", overrides);
  return scenario ? "accepted" : scenario.error().message;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(scenario, defaults) {
  const auto scenario = parse_scenario(minimal, "some/where/tiny.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->name, "tiny");
  EXPECT_EQ(scenario->source_name, "some/where/tiny.toml");
  EXPECT_EQ(scenario->source_text, minimal);
  EXPECT_EQ(scenario->cluster.coordinators, 1);
  EXPECT_EQ(scenario->duration, 30s);
  EXPECT_EQ(scenario->fault_profile, "none");
  EXPECT_FALSE(scenario->explicit_schedule);
  EXPECT_EQ(scenario->workload.integers.at("clients"), 8);
  EXPECT_EQ(scenario->workload.reals.at("read_fraction"), 0.5);
}

TEST(scenario, every_table_is_read) {
  const auto scenario = parse_scenario(R"(
description = "all of it"
[cluster]
coordinators = 2
data_nodes = 3
shard_count = 8
recover_2pc_interval_s = 1.5
lock_timeout_s = 2
shared_buffers = 16
full_page_writes = false
checkpoint_timeout_s = 2.5
max_wal_size_kb = 128
wal_segment_kb = 32
autovacuum = false
autovacuum_naptime_s = 3
[clients]
hosts = 3
[run]
duration_s = 0.5
liveness_timeout_s = 7
policy = "fifo"
[network]
latency_us = [100, 200]
loss = 0.01
[disk]
sync_latency_us = [5, 6]
[workload]
name = "bank"
accounts = 5
read_mode = "locked"
negative_allowed = true
unordered_fraction = 1
[[fault]]
at_s = 0.4
kind = "crash"
targets = ["dn3"]
duration_s = 0.25
[[fault]]
at_s = 0.1
kind = "crash_at_point"
targets = ["cn2"]
point = "2pc/after-prepare"
occurrence = 3
duration_s = 1
[check]
checkers = [{name = "bank"}, {name = "prepared-residue"}]
expect = ["fractured-read"]
never = ["G1c-process"]
)",
                                       "all.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->summary, "all of it");
  EXPECT_EQ(scenario->cluster.data_nodes, 3);
  EXPECT_EQ(scenario->cluster.recover_2pc_interval, 1500ms);
  EXPECT_EQ(scenario->cluster.node.lock_timeout, 2s);
  EXPECT_EQ(scenario->cluster.node.shared_buffers, 16U);
  EXPECT_FALSE(scenario->cluster.node.full_page_writes);
  EXPECT_EQ(scenario->cluster.node.checkpoint_timeout, 2500ms);
  EXPECT_EQ(scenario->cluster.node.max_wal_size_bytes, 128U << 10);
  EXPECT_EQ(scenario->cluster.node.wal_segment_bytes, 32U << 10);
  EXPECT_FALSE(scenario->cluster.node.autovacuum);
  EXPECT_EQ(scenario->cluster.node.autovacuum_naptime, 3s);
  EXPECT_EQ(scenario->client_hosts, 3);
  EXPECT_EQ(scenario->duration, 500ms);
  EXPECT_EQ(scenario->policy, sim::SchedulingPolicy::fifo);
  EXPECT_EQ(scenario->network.latency.high, 200us);
  EXPECT_EQ(scenario->network.loss, 0.01);
  EXPECT_EQ(scenario->disk.sync_latency.low, 5us);
  EXPECT_EQ(scenario->workload.texts.at("read_mode"), "locked");
  EXPECT_TRUE(scenario->workload.switches.at("negative_allowed"));
  EXPECT_EQ(scenario->workload.reals.at("unordered_fraction"), 1);
  ASSERT_TRUE(scenario->explicit_schedule);
  ASSERT_EQ(scenario->explicit_schedule->faults.size(), 2U);
  EXPECT_EQ(scenario->explicit_schedule->faults[0].point, "2pc/after-prepare");
  EXPECT_EQ(scenario->explicit_schedule->faults[0].occurrence, 3U);
  EXPECT_EQ(scenario->explicit_schedule->faults[1].duration, 250ms);
  ASSERT_EQ(scenario->checkers.size(), 2U);
  EXPECT_EQ(scenario->checkers[0].name, "bank");
  EXPECT_EQ(scenario->never, std::vector<std::string>{"G1c-process"});
}

TEST(scenario, unknown_keys_are_refused_where_they_stand) {
  EXPECT_EQ(error_of("[workload]\nname = \"append\"\nkeyz = 3\n")
                .rfind("s.toml:3:1: workload.keyz: unknown key; expected one of name, clients, pause_ms,", 0),
            0U)
      << error_of("[workload]\nname = \"append\"\nkeyz = 3\n");
  EXPECT_EQ(error_of(std::string(minimal) + "[cluser]\n")
                .rfind("s.toml:3:2: cluser: unknown key; expected one of description,", 0),
            0U)
      << error_of(std::string(minimal) + "[cluser]\n");
  EXPECT_EQ(error_of(std::string(minimal) + "[clients]\nhost = 2\n"),
            "s.toml:4:1: clients.host: unknown key; expected one of hosts");
  // A parameter of another workload is as unknown as any.
  EXPECT_EQ(error_of(std::string(minimal) + "accounts = 3\n").rfind("s.toml:3:1: workload.accounts: unknown key", 0),
            0U);
}

TEST(scenario, types_and_ranges) {
  EXPECT_EQ(error_of(std::string(minimal) + "clients = 0\n"),
            "s.toml:3:11: workload.clients: must be from 1 to 1000, found 0");
  EXPECT_EQ(error_of(std::string(minimal) + "clients = \"4\"\n"),
            "s.toml:3:11: workload.clients: expected an integer, found '4'");
  EXPECT_EQ(error_of(std::string(minimal) + "clients = 4.0\n"),
            "s.toml:3:11: workload.clients: expected an integer, found 4");
  EXPECT_EQ(error_of(std::string(minimal) + "read_fraction = nan\n"),
            "s.toml:3:17: workload.read_fraction: must be from 0 to 1, found nan");
  EXPECT_EQ(error_of(std::string(minimal) + "[run]\nduration_s = -1\n"),
            "s.toml:4:14: run.duration_s: must be from 0.01 to 86400, found -1");
  EXPECT_EQ(error_of(std::string(minimal) + "[run]\npolicy = \"lifo\"\n"),
            "s.toml:4:10: run.policy: expected one of fifo, random, pct, found 'lifo'");
  EXPECT_EQ(error_of(std::string(minimal) + "[network]\nlatency_us = [3, 2]\n"),
            "s.toml:4:14: network.latency_us: must hold 0 <= low <= high <= 60000000, found [3, 2]");
  EXPECT_EQ(error_of("workload = 3\n"), "s.toml:1:12: workload: expected a table");
  EXPECT_EQ(error_of("[workload]\nname = \"apend\"\n"),
            "s.toml:2:8: workload.name: expected one of append, bank, meter, register, found 'apend'");
  EXPECT_EQ(error_of(""), "s.toml:1:1: workload.name: missing; expected one of append, bank, meter, register");
}

TEST(scenario, checkers_and_anomalies_are_checked) {
  EXPECT_EQ(error_of(std::string(minimal) + "[check]\ncheckers = [{name = \"bank\"}]\n"),
            "s.toml:4:21: check.checkers[0].name: 'bank' judges the workload bank, this scenario runs append");
  EXPECT_EQ(
      error_of(std::string(minimal) + "[check]\ncheckers = [{name = \"list-append\", level = \"read-comitted\"}]\n")
          .rfind("s.toml:4:44: check.checkers[0].level: expected one of ", 0),
      0U);
  EXPECT_EQ(error_of(std::string(minimal) + "[check]\ncheckers = [{name = \"prepared-residue\", level = \"x\"}]\n"),
            "s.toml:4:49: check.checkers[0].level: 'prepared-residue' has no levels");
  const auto promise = [](const std::string& keys) {
    return error_of(std::string(minimal) + "[check]\ncheckers = [{name = \"read-committed-cluster\"" + keys + "}]\n");
  };
  EXPECT_EQ(promise(""), "accepted");
  EXPECT_EQ(promise(", read_your_writes = \"always\""), "accepted");
  EXPECT_EQ(promise(", read_your_writes = \"often\"")
                .rfind("s.toml:4:66: check.checkers[0].read_your_writes: expected one of unless-pending, always", 0),
            0U)
      << promise(", read_your_writes = \"often\"");
  EXPECT_EQ(promise(", level = \"PL-2\""),
            "s.toml:4:55: check.checkers[0].level: 'read-committed-cluster' has no levels");
  EXPECT_EQ(error_of(std::string(minimal) +
                     "[check]\ncheckers = [{name = \"list-append\", read_your_writes = \"always\"}]\n"),
            "s.toml:4:55: check.checkers[0].read_your_writes: 'list-append' does not ask for it");
  EXPECT_EQ(error_of(std::string(minimal) + "[check]\nnever = [\"G0\", \"fracture-read\"]\n")
                .rfind("s.toml:4:16: check.never[1]: unknown anomaly 'fracture-read'; expected one of G0", 0),
            0U);
}

TEST(scenario, faults_are_checked_against_the_topology) {
  const std::string fault = std::string(minimal) + "[[fault]]\nat_s = 1\nkind = \"crash\"\n";
  EXPECT_EQ(error_of(fault), "s.toml:3:1: fault[0].targets: missing");
  EXPECT_EQ(error_of(fault + "targets = [\"dn3\"]\nduration_s = 1\n"),
            "s.toml:3:1: fault[0]: targets: unknown node 'dn3'; expected some of cn1, dn1, dn2");
  EXPECT_EQ(error_of(fault + "targets = [\"dn2\"]\n"), "s.toml:3:1: fault[0]: duration: crash needs one");
  EXPECT_EQ(error_of(fault + "targets = [\"dn2\"]\nduration_s = 1\n"), "accepted");
  EXPECT_EQ(error_of(fault + "targets = [\"dn2\"]\nduration_s = 1\n[faults]\nprofile = \"harsh\"\n"),
            "s.toml:9:11: faults.profile: a scenario has a profile or [[fault]] tables, not both");
  EXPECT_EQ(error_of(std::string(minimal) + "[faults]\nprofile = \"nasty\"\n"),
            "s.toml:4:11: faults.profile: expected one of none, gentle, standard, harsh, found 'nasty'");
}

TEST(scenario, an_explicit_schedule_excludes_every_profile) {
  EXPECT_EQ(error_of(std::string(minimal) + "[[fault]]\nat_s = 1\nkind = \"crash\"\ntargets = [\"dn2\"]\n"
                                            "duration_s = 1\n[faults]\nprofile = \"none\"\n"),
            "s.toml:9:11: faults.profile: a scenario has a profile or [[fault]] tables, not both");
}

TEST(scenario, fewest_operations_are_not_above_most) {
  EXPECT_EQ(error_of(std::string(minimal) + "operations_maximum = 3\noperations_minimum = 5\n"),
            "s.toml:4:22: workload.operations_minimum: must not be above operations_maximum, which is 3, found 5");
  EXPECT_EQ(error_of(std::string(minimal) + "operations_minimum = 4\n"), "accepted");
}

TEST(scenario, without_a_list_of_checkers_the_workloads_own_judge) {
  const auto names_for = [](const std::string& text) {
    const auto scenario = parse_scenario(text, "s.toml");
    std::string names;
    for (const CheckerRequest& request : scenario.value().checkers) names += request.name + "@" + request.level + " ";
    return names;
  };
  EXPECT_EQ(names_for(minimal), "list-append@read-committed prepared-residue@ ");
  EXPECT_EQ(names_for("[workload]\nname = \"register\"\n"), "rw-register@read-committed prepared-residue@ ");
  EXPECT_EQ(names_for("[workload]\nname = \"bank\"\n[check]\nexpect = []\n"), "bank@ prepared-residue@ ");
  EXPECT_EQ(names_for(std::string(minimal) + "[check]\ncheckers = []\n"), "");
}

TEST(scenario, overrides) {
  const auto scenario = parse_scenario(minimal, "s.toml",
                                       {"cluster.data_nodes=7", "run.policy=fifo", "workload.keys = 3",
                                        "faults.profile=\"gentle\"", "check.never=[\"G0\"]"});
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->cluster.data_nodes, 7);
  EXPECT_EQ(scenario->policy, sim::SchedulingPolicy::fifo);
  EXPECT_EQ(scenario->workload.integers.at("keys"), 3);
  EXPECT_EQ(scenario->fault_profile, "gentle");
  EXPECT_EQ(scenario->source_text, minimal);
  // Another workload may come with parameters of its own.
  EXPECT_TRUE(parse_scenario(minimal, "s.toml", {"workload.name=bank", "workload.accounts=3"}));

  EXPECT_EQ(error_of(minimal, {"cluster.data_nodes=0"}),
            "--set cluster.data_nodes=0: cluster.data_nodes: must be from 1 to 64, found 0");
  EXPECT_EQ(
      error_of(minimal, {"cluster.data_node=2"}).rfind("--set cluster.data_node=2: cluster.data_node: unknown key", 0),
      0U);
  EXPECT_EQ(error_of(minimal, {"cluster.data_nodes"}), "--set cluster.data_nodes: expected key=value");
  EXPECT_EQ(error_of(minimal, {"cluster.data_nodes=[1"}).rfind("--set cluster.data_nodes=[1: ", 0), 0U);
  EXPECT_EQ(error_of(minimal, {"=3"}).rfind("--set =3: ", 0), 0U);
}

TEST(scenario, every_truncation_is_read_or_refused_in_one_line) {
  const std::string text = file_text("scenarios/library/append.toml");
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto scenario = parse_scenario(text.substr(0, length), "s.toml");
    if (scenario) continue;
    EXPECT_EQ(scenario.error().message.rfind("s.toml:", 0), 0U) << length << ": " << scenario.error().message;
    EXPECT_EQ(scenario.error().message.find('\n'), std::string::npos) << length;
  }
}

TEST(scenario, not_toml) {
  EXPECT_EQ(error_of("[workload\n").rfind("s.toml:1:", 0), 0U) << error_of("[workload\n");
  EXPECT_EQ(error_of(std::string(100'000, '[')).rfind("s.toml:1:", 0), 0U);
  EXPECT_EQ(error_of("a = \xff\n").rfind("s.toml:1:", 0), 0U);
  EXPECT_EQ(load_scenario("no/such/file.toml").error().message,
            "no/such/file.toml: cannot read: No such file or directory");
  EXPECT_EQ(load_scenario("scenarios").error().message, "scenarios: cannot read: not a regular file");
  EXPECT_EQ(load_scenario("/dev/zero").error().message, "/dev/zero: cannot read: not a regular file");
}

std::vector<std::string> library_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios/library"))
    files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(scenario, elle_is_asked_only_where_it_understands_something) {
  const auto parsed = [](const std::string& check) {
    return parse_scenario("[workload]\nname = \"bank\"\n[check]\n" + check, "x.toml");
  };
  const std::string problem =
      "check.elle: Elle judges what list-append and rw-register do, and this scenario asks for neither";
  ASSERT_FALSE(parsed("elle = true\n"));
  EXPECT_EQ(parsed("elle = true\n").error().message, "x.toml:4:8: " + problem);
  EXPECT_TRUE(parsed("elle = false\n"));
  EXPECT_FALSE(parsed("elle = 1\n"));
  for (const char* workload : {"append", "register"}) {
    const std::string text = std::string("[workload]\nname = \"") + workload + "\"\n[check]\nelle = true\n";
    const auto scenario = parse_scenario(text, "x.toml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_TRUE(scenario->elle);
    EXPECT_FALSE(parse_scenario(text, "x.toml", {"check.elle=false"})->elle);
    EXPECT_FALSE(parse_scenario(text + "checkers = [{name = \"prepared-residue\"}]\n", "x.toml"));
  }
}

TEST(scenario, library_files_are_valid_and_judged) {
  const std::vector<std::string> files = library_files();
  EXPECT_GE(files.size(), 5U);
  for (const std::string& file : files) {
    const auto scenario = load_scenario(file);
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_FALSE(scenario->summary.empty()) << file;
    EXPECT_GE(scenario->checkers.size(), 2U) << file;
  }
}

// The README is the reference for writers of scenarios: it must know every key, and the reader every key it shows.
TEST(scenario, readme_describes_every_key) {
  const std::string readme = file_text("scenarios/README.md");
  for (const auto& [table, keys] : scenario_keys()) {
    for (const std::string& key : keys) {
      const bool shown = readme.find("| `" + key + "` |") != std::string::npos ||
                         readme.find("`" + table + "." + key + "`") != std::string::npos ||
                         readme.find("`" + key + "`") != std::string::npos;
      EXPECT_TRUE(shown) << table << "." << key;
    }
  }
  for (const WorkloadInfo& workload : list_workloads()) {
    EXPECT_NE(readme.find("`" + workload.name + "`"), std::string::npos) << workload.name;
    for (const ParameterInfo& parameter : workload.parameters) {
      EXPECT_NE(readme.find("| `" + parameter.name + "` |"), std::string::npos) << parameter.name;
    }
  }
  for (const JudgeInfo& judge : list_judges()) EXPECT_NE(readme.find("`" + judge.name + "`"), std::string::npos);
}

}  // namespace
}  // namespace polarsim::scenarios
