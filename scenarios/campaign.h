// Many seeds of one or more scenarios, a process for each, and what they found together.
//
// Isolation: each seed runs in a process forked from this one (which has one thread), so that an assertion, a crash or
// an endless loop of one seed is a result (`crashed`) and not the end of the campaign. Results are kept in SQLite, one
// row a seed (campaign_store.h).
//
// Not promised: the order in which seeds finish. What is reported at the end does not depend on it, except for which
// seeds ran at all after an interruption or with `until_failure`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/planted_bugs.h"
#include "reports/run_summary.h"
#include "scenarios/elle_process.h"
#include "scenarios/runner.h"
#include "scenarios/scenario.h"

namespace polarsim::scenarios {

struct CampaignScenario {
  Scenario scenario;
  std::vector<std::string> overrides;
};

enum class SeedVerdict : std::uint8_t { passed, failed, unknown, crashed };
const char* to_string(SeedVerdict verdict);

// One row of the results.
struct SeedResult {
  std::string scenario;
  std::uint64_t seed = 0;
  SeedVerdict verdict = SeedVerdict::unknown;
  std::string signature;    // for grouping; empty when passed. A crash: "crashed: SIGSEGV", "crashed: timeout", ...
  std::string checker;      // the first that did not say valid; "process" for a crash; empty when passed
  std::string explanation;  // of that checker; for a crash the last words of the process
  std::string digest;       // empty for a crash
  std::int64_t virtual_time_ns = 0;
  std::int64_t wall_ms = 0;
  std::uint64_t transactions = 0;
  std::uint64_t faults = 0;
  std::vector<std::string> seen;    // anomalies and exposures by name
  std::vector<std::string> probes;  // states reached
  std::string capsule;              // folder; empty if none was kept for this seed
  friend bool operator==(const SeedResult&, const SeedResult&) = default;
};

// Failing seeds of one scenario that look alike.
struct FailureGroup {
  std::string scenario;
  std::string signature;
  std::string checker;
  std::vector<std::uint64_t> seeds;  // ascending; empty for what no seed showed
  std::string explanation;           // of the first seed
  std::string capsule;               // of the first signature's capsule; may be empty
};

struct CampaignProgress {
  std::uint64_t done = 0, total = 0;
  std::uint64_t failed = 0, unknown = 0, crashed = 0;
  std::uint64_t running = 0;
};

struct CampaignOptions {
  std::vector<CampaignScenario> scenarios;  // at least one; names differ
  std::uint64_t first_seed = 1, last_seed = 1;
  unsigned jobs = 1;
  std::vector<engine::PlantedBug> planted;
  bool until_failure = false;
  std::string database;  // file; empty: in memory only
  bool resume = false;   // skip the seeds that the database has; otherwise finding any of them there is an error
  std::string out;       // folder for capsules, one folder in it for each
  bool keep_capsules = true;
  double seed_timeout_seconds = 300;  // of wall time; then the seed has crashed
  reports::BuildInfo build;
  // Wall time and the wish to stop come from outside, because nothing here may read a clock or handle signals.
  std::function<double()> wall_seconds;  // monotonic; required
  std::function<bool()> interrupted = [] { return false; };
  std::function<void(const CampaignProgress&)> progress;  // after each result and several times a second
  // Asked for a second opinion on the seeds of scenarios that want one, which must not be there without it. One process
  // for all of them: it answers while further seeds run.
  ElleProcess* elle = nullptr;
  // What a seed's process does; run_scenario unless a test says otherwise.
  std::function<RunRecord(const Scenario&, const RunRequest&)> run = run_scenario;
};

// What the real Elle said of the histories of a campaign, resumed ones left out.
struct ElleTally {
  std::uint64_t agreed = 0, differ_as_known = 0, disagreed = 0, without_verdict = 0;  // histories, by checker
  std::map<std::string, std::uint64_t> remarks;  // whatever is not plain agreement, in Elle's or our words -> histories
  std::uint64_t asked() const { return agreed + differ_as_known + disagreed + without_verdict; }
};

struct CampaignResult {
  std::uint64_t planned = 0;  // scenarios times seeds
  std::uint64_t seeds = 0;    // of them with a result, earlier ones of a resumed campaign included
  std::uint64_t passed = 0, failed = 0, unknown = 0;  // failed includes crashed
  std::uint64_t crashed = 0;
  std::uint64_t disagreements = 0;  // seeds on which Elle contradicts a checker; they have failed
  ElleTally elle;
  std::uint64_t transactions = 0;
  std::vector<FailureGroup> failures;  // by scenario, then by first seed; expected anomalies never seen come last
  std::vector<FailureGroup> unknowns;  // seeds without a verdict, grouped alike
  std::vector<std::pair<std::string, std::uint64_t>> seen;  // anomaly or exposure -> seeds that saw it
  bool expect_judged = false;                               // false if the campaign ended before all seeds had run
  bool interrupted = false;
  std::vector<SeedResult> results;  // by scenario, then seed
  bool all_passed() const { return seeds == planned && passed == seeds && failures.empty(); }
};

// Errors are those of the database and of the output folder, found before any seed runs where possible.
tl::expected<CampaignResult, InputError> run_campaign(const CampaignOptions& options);

// The folder that a run is kept in: "<out>/<scenario>-<seed>".
std::string run_folder(const std::string& out, const std::string& scenario, std::uint64_t seed);
// The command that repeats a run from its folder.
std::string replay_command_for(const std::string& folder, const std::string& program = "polarsim");
// `text` as one word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace polarsim::scenarios
