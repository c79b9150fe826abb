#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include "scenarios/artifacts.h"
#include "scenarios/campaign.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

std::string build_text(const reports::BuildInfo& build) {
  return fmt::format("{} ({}, {})", build.version, build.compiler, build.build_type);
}

// What was compared, for a person.
std::string agreement_text(const reports::RunSummary& replayed, bool stopped) {
  const std::string rungs = reports::counted(replayed.ladder.size(), "rung");
  if (stopped) return fmt::format("agrees with the record up to here: {} of the digest ladder\n", rungs);
  return fmt::format("the same as recorded: digest, {} of its ladder, and verdict\n", rungs);
}

std::string stopped_text(const reports::RunSummary& replayed) {
  return fmt::format("STOPPED  {}, seed {}, at {:.9f} s virtual, without a verdict\n\n  {:<13} {}\n", replayed.scenario,
                     replayed.seed, static_cast<double>(replayed.virtual_time_ns) * 1e-9, "digest", replayed.digest);
}

std::string text_of(const reports::RunSummary& replayed, const TimedRun& run, bool stopped, const std::string& out) {
  if (stopped) return stopped_text(replayed);
  reports::VerdictTextOptions text;
  text.color = color_wanted();
  text.width = terminal_width();
  text.wall_seconds = run.wall_seconds;
  text.folder = out;
  if (!out.empty()) text.replay_command = replay_command_for(out, program_name());
  return reports::render_verdict(replayed, text);
}

std::string json_of(const reports::RunSummary& replayed, const TimedRun& run, const std::string& folder,
                    const std::vector<std::string>& lines) {
  nlohmann::ordered_json object = run_to_json(replayed, run.wall_seconds, folder);
  object["matches"] = lines.empty();
  object["differences"] = lines;
  return dump(object);
}

// The trace must not take the place of a file that a capsule is made of.
void check_trace_file(const ReplayOptions& options, const Capsule& capsule) {
  const std::filesystem::path file(options.trace_file);
  const std::string name = file.filename().string();
  const auto parts = {"run.json", "schedule.json", "history.edn", "report.html", "decisions.bin", "elle.json"};
  if (std::find(parts.begin(), parts.end(), name) == parts.end()) return;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  for (const std::string& taken : {capsule.folder, options.out}) {
    std::error_code ignored;
    if (!taken.empty() && std::filesystem::equivalent(folder, taken, ignored))
      throw UsageError(fmt::format("--trace: {} is part of a capsule; give another file", options.trace_file));
  }
}

void check_options(const ReplayOptions& options, const Capsule& capsule) {
  check_trace_file(options, capsule);
  if (capsule.schedule_edited && !options.tolerant)
    throw UsageError(fmt::format("{}/schedule.json was edited since the run; use --tolerant", capsule.folder));
  if (options.out.empty()) return;
  if (!options.until.empty()) throw UsageError("--out: a run that --until stops has no verdict to keep");
  std::error_code ignored;
  if (std::filesystem::equivalent(options.out, capsule.folder, ignored))
    throw UsageError(fmt::format("--out: {} is the capsule itself; give another folder", options.out));
}

// Three hundred million decisions: hours of a run.
constexpr std::uint64_t largest_decision_log_bytes = std::uint64_t{4} << 30;

sim::DecisionLog read_decisions(const Capsule& capsule) {
  const std::string file = (std::filesystem::path(capsule.folder) / "decisions.bin").string();
  const auto bytes = read_file(file, largest_decision_log_bytes);
  if (!bytes) throw UsageError(bytes.error().message + "; `run --decisions` keeps it");
  auto log = sim::DecisionLog::from_bytes(*bytes);
  if (!log) throw UsageError(fmt::format("{}: {}", file, log.error()));
  return *std::move(log);
}

sim::DecisionReplayOptions decision_options(const ReplayOptions& options) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  sim::DecisionReplayOptions result;
  if (options.decisions == "tolerant") result.mode = sim::DecisionReplay::tolerant;
  if (!options.first.empty()) result.decisions = parse_natural("--first", options.first, 0, most);
  if (!options.then_seed.empty()) result.continue_with_seed = parse_natural("--then-seed", options.then_seed, 0, most);
  return result;
}

std::string decisions_text(const sim::DecisionReplayStatus& status) {
  return fmt::format("  {:<13} {} taken from decisions.bin, {} drawn that it does not have\n", "decisions",
                     reports::grouped(status.taken), reports::grouped(status.invented));
}

}  // namespace

int replay_command(const ReplayOptions& options) {
  auto capsule = read_capsule(options.capsule);
  if (!capsule) throw UsageError(capsule.error().message);
  RunRequest request;
  request.seed = capsule->summary.seed;
  request.planted = capsule->planted;
  request.schedule = capsule->schedule;
  sim::DecisionLog decisions;
  if (!options.decisions.empty()) {
    decisions = read_decisions(*capsule);
    request.decisions = &decisions;
    request.decision_options = decision_options(options);
  }
  // Another future, or what a changed program makes of old decisions, cannot be the recorded run.
  const bool tolerant = options.tolerant || !options.then_seed.empty() || options.decisions == "tolerant";
  const bool stopped = !options.until.empty();
  check_options(options, *capsule);
  if (stopped) request.until = sim::time_zero + parse_duration("--until", options.until);
  std::optional<TraceOutput> trace;
  if (!options.trace_file.empty()) {
    trace.emplace(options.trace_file);
    if (const auto ready = trace->ready(); !ready) throw UsageError("--trace: " + ready.error().message);
    request.trace = &trace->sink();
  }

  const FolderForRun folder_for_run(options.out);
  if (!options.out.empty()) {
    if (const auto ready = prepare_folder(options.out); !ready) throw UsageError("--out: " + ready.error().message);
  }

  const TimedRun run = run_timed(capsule->scenario, request, fmt::format("replay of {}", capsule->folder));
  const reports::RunSummary replayed =
      summarise(capsule->scenario, capsule->summary.overrides, run.record, build_info());
  if (!options.out.empty()) {
    const auto written =
        write_run_folder(options.out, replayed, run.record, replay_command_for(options.out, program_name()));
    if (!written) throw UsageError("--out: " + written.error().message);
  }
  // After the folder, which begins by removing an older trace from it.
  if (trace) {
    if (const auto written = trace->keep(); !written) throw UsageError("--trace: " + written.error().message);
  }

  const std::vector<std::string> lines = differences(capsule->summary, replayed, stopped);
  print(options.json ? json_of(replayed, run, options.out.empty() ? capsule->folder : options.out, lines)
                     : text_of(replayed, run, stopped, options.out));
  if (request.decisions != nullptr && !options.json) print(decisions_text(run.record.decisions_followed));
  if (lines.empty()) {
    if (!options.json) print(fmt::format("  {:<13} {}", "replay", agreement_text(replayed, stopped)));
    return stopped ? exit_status::passed : exit_status_of(replayed.verdict);
  }
  std::string message = fmt::format("{}: the replay is not the recorded run: {}", capsule->folder, lines.front());
  if (!(capsule->summary.build == replayed.build)) {
    message += fmt::format("; it was recorded by {}, this is {}", build_text(capsule->summary.build),
                           build_text(replayed.build));
  }
  if (!options.then_seed.empty())
    message = fmt::format("another future of {}, by seed {}", capsule->folder, options.then_seed);
  if (tolerant) {
    if (!options.json) print(fmt::format("  {:<13} {}\n", "replay", message));
    return stopped ? exit_status::passed : exit_status_of(replayed.verdict);
  }
  print_error(message);
  return exit_status::broken;
}

}  // namespace polarsim::scenarios::cli
