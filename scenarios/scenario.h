// A scenario: what to run, on what, under which faults, judged how. Read from a TOML file; unknown keys are errors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/config.h"
#include "faults/schedule.h"
#include "sim/scheduler.h"
#include "sim/time.h"

namespace polarsim::scenarios {

// Where a file is wrong, for one line on stderr: "append.toml:12:3: workload.keyz: unknown key; expected one of ...".
struct InputError {
  std::string message;
};

// The [workload] table: `name` and the parameters its implementation declares, already typed and checked, with defaults filled in.
struct WorkloadParameters {
  std::string name;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, double> reals;
  std::map<std::string, bool> switches;
  std::map<std::string, std::string> texts;
};

struct CheckerRequest {
  std::string name;   // "list-append", "bank", "prepared-residue", ...
  std::string level;  // empty: the checker has none
};

struct Scenario {
  std::string name;            // file name without extension
  std::string source_name;     // as given, for messages
  std::string source_text;     // the TOML as read: goes into the capsule
  std::string summary;         // description = "..."
  engine::ClusterConfig cluster;
  int client_hosts = 2;
  sim::Duration duration{30'000'000'000};          // of the workload, virtual
  sim::Duration liveness_timeout{120'000'000'000}; // after healing, until everything must have converged
  sim::SchedulingPolicy policy = sim::SchedulingPolicy::random;
  WorkloadParameters workload;
  std::string fault_profile = "none";
  std::optional<faults::Schedule> explicit_schedule;  // [[fault]] tables
  std::vector<CheckerRequest> checkers;
  std::vector<std::string> expect;  // anomalies (exposures included) that a campaign should see; a single run only reports them
  std::vector<std::string> never;   // anomalies or exposures that make the run fail
};

// `overrides` are "key=value" in TOML's syntax with dotted keys, e.g. "cluster.data_nodes=4"; applied before checking.
tl::expected<Scenario, InputError> parse_scenario(std::string_view text, std::string_view name, const std::vector<std::string>& overrides = {});
tl::expected<Scenario, InputError> load_scenario(const std::string& path, const std::vector<std::string>& overrides = {});

}  // namespace polarsim::scenarios
