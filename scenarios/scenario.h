// A scenario: what to run, on what, under which faults, judged how. Read from a TOML file; unknown keys are errors.
// Every table and key is described in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/config.h"
#include "faults/schedule.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/scheduler.h"
#include "sim/time.h"

namespace polarsim::scenarios {

// Where a file is wrong, for one line on stderr: "append.toml:12:3: workload.keyz: unknown key; expected one of ...".
// A mistake in an override is placed by its text: "--set cluster.data_nodes=0: cluster.data_nodes: ...".
struct InputError {
  std::string message;
};

// The [workload] table: `name` and the parameters its implementation declares, already typed and checked, with defaults
// filled in.
struct WorkloadParameters {
  std::string name;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, double> reals;
  std::map<std::string, bool> switches;
  std::map<std::string, std::string> texts;
};

struct CheckerRequest {
  std::string name;              // "list-append", "bank", "prepared-residue", ...
  std::string level;             // empty: the checker has none
  std::string read_your_writes;  // of read-committed-cluster: "unless-pending", "always"; empty: the first
};

struct Scenario {
  std::string name;         // file name without extension
  std::string source_name;  // as given, for messages
  std::string source_text;  // the TOML as read, without overrides: goes into the capsule
  std::string summary;      // description = "..."
  engine::ClusterConfig cluster;
  int client_hosts = 2;
  sim::LinkParameters network;                      // of every link
  sim::DiskParameters disk;                         // of every node
  sim::Duration duration{30'000'000'000};           // of the workload, virtual
  sim::Duration liveness_timeout{120'000'000'000};  // after healing, until everything must have converged
  sim::SchedulingPolicy policy = sim::SchedulingPolicy::random;
  WorkloadParameters workload;
  std::string fault_profile = "none";
  std::optional<faults::Schedule> explicit_schedule;  // [[fault]] tables
  std::vector<CheckerRequest> checkers;
  bool elle = false;  // ask the real Elle for a second opinion on what it can judge
  std::vector<std::string>
      expect;  // anomalies (exposures included) that a campaign should see; a single run only reports them
  std::vector<std::string> never;  // anomalies or exposures that make the run fail
};

// The hosts that a scenario's cluster and clients run on: cn1, cn2, ..., dn1, ..., client1, ...
faults::Topology topology_of(const Scenario& scenario);

// `overrides` are "key=value" in TOML's syntax with dotted keys, e.g. "cluster.data_nodes=4"; applied before checking.
// A bare word is taken as a string: "run.policy=fifo". Setting an array replaces the whole array.
tl::expected<Scenario, InputError> parse_scenario(std::string_view text, std::string_view name,
                                                  const std::vector<std::string>& overrides = {});
tl::expected<Scenario, InputError> load_scenario(const std::string& path,
                                                 const std::vector<std::string>& overrides = {});

// Every table of a scenario file with its keys, in the order of the README; [workload] holds `name` alone, since the
// rest depends on it.
std::vector<std::pair<std::string, std::vector<std::string>>> scenario_keys();

}  // namespace polarsim::scenarios
