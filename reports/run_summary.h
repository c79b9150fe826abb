// What run.json says, as plain data, and the verdict text made from it.
//
// This folder knows runs only by their artifacts, so it declares their shape itself. The summary holds nothing that
// differs between two runs of the same binary, scenario and seed: wall-clock time is passed to the renderer beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace polarsim::reports {

// Version of run.json. A reader accepts exactly this one.
inline constexpr std::int64_t run_format = 1;

enum class Outcome : std::uint8_t { valid, invalid, unknown };
const char* to_string(Outcome outcome);

// One proof that something went wrong, or (as an exposure) that something permitted was seen.
struct Finding {
  std::string name;
  std::string explanation;
  std::vector<std::int64_t> operations;  // :index of the operations that take part
  friend bool operator==(const Finding&, const Finding&) = default;
};

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;  // sorted by name

struct CheckSummary {
  std::string name;
  std::string level;  // empty: the checker has none
  Outcome verdict = Outcome::valid;
  std::string reason;  // for unknown: why
  std::uint64_t operations_checked = 0;
  std::vector<Finding> anomalies;
  std::vector<Finding> exposures;
  std::vector<std::string> not_models;
  std::vector<std::string> also_not;
  Counts counts;  // by anomaly name over the whole history, exposures included
  friend bool operator==(const CheckSummary&, const CheckSummary&) = default;
};

struct BuildInfo {
  std::string version;
  std::string compiler;
  std::string build_type;
  friend bool operator==(const BuildInfo&, const BuildInfo&) = default;
};

struct RunSummary {
  std::string scenario;         // its name
  std::string scenario_source;  // the file as it was given
  std::string scenario_text;    // the TOML as read
  std::vector<std::string> overrides;
  std::uint64_t seed = 0;
  std::vector<std::string> planted;
  BuildInfo build;
  Outcome verdict = Outcome::unknown;
  std::string signature;  // empty when valid
  std::vector<std::string> seen;
  std::vector<std::string> expected_missing;
  std::vector<CheckSummary> checks;
  std::vector<std::string> nodes;
  std::string fault_profile;
  std::string schedule_digest;          // of the faults that were scheduled: tells an edited schedule.json apart
  std::vector<std::string> not_struck;  // faults that cannot have struck, each with the reason
  std::int64_t virtual_time_ns = 0;
  std::uint64_t transactions_ok = 0, transactions_failed = 0, transactions_unknown = 0;
  std::uint64_t faults_scheduled = 0, faults_struck = 0;
  std::uint64_t scheduler_events = 0;
  std::uint64_t history_events = 0;
  std::uint64_t digest_records = 0;
  std::string digest;  // 32 lower-case hexadecimal digits
  std::uint64_t ladder_interval = 0;
  std::vector<std::string> ladder;
  Counts probes;
  Counts fault_points;
  friend bool operator==(const RunSummary&, const RunSummary&) = default;

  std::uint64_t transactions() const { return transactions_ok + transactions_failed + transactions_unknown; }
};

// The text of run.json, ending in a newline. Invalid UTF-8 is replaced, never an error.
std::string to_json(const RunSummary& summary);
// Strict: every key must be there once, none may be added, every type must fit. The error is one line, e.g.
// "runs/x/run.json: checks[0].verdict: expected one of valid, invalid, unknown, found \"vald\"".
tl::expected<RunSummary, std::string> parse_run_summary(std::string_view text, std::string_view file_name);

struct VerdictTextOptions {
  bool color = false;
  std::size_t width = 100;                 // columns; longer explanations are wrapped
  std::size_t explanations_per_check = 3;  // the others are counted
  std::optional<double> wall_seconds;
  std::string folder;          // where the artifacts are; empty: none were written
  std::string replay_command;  // the exact command that repeats this run
};
// The verdict for a person: what ran, what each checker said and why, what to do next. Ends in a newline.
std::string render_verdict(const RunSummary& summary, const VerdictTextOptions& options);

// What went wrong in one check, or why it is unknown; empty for a valid one.
std::string explanation_of(const CheckSummary& check);
// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);
// `count` and the noun in the number that agrees with it: "1 node", "3 nodes".
std::string counted(std::uint64_t count, std::string_view singular);

}  // namespace polarsim::reports
