#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "scenarios/artifacts.h"
#include "scenarios/campaign.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/elle_installation.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/sabotage.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/elle_opinions.h"
#include "sim/divergence.h"

namespace polarsim::scenarios::cli {

namespace {

// Empty if the second run was the same in everything that a run leaves behind.
std::string difference_of(const reports::RunSummary& first, const reports::RunSummary& second, const RunRecord& a,
                          const RunRecord& b) {
  const std::vector<std::string> lines = differences(first, second);
  if (!lines.empty()) return lines.front();
  if (!(a.history == b.history)) return "the histories differ although the digests agree";
  if (!(first == second)) return "the counters differ although the digests agree";
  return "";
}

// Two more runs, side by side, which stop where they part.
std::string divergence_text(const Scenario& scenario, RunRequest request, const TimedRun& first,
                            const TimedRun& second) {
  const auto& ladder = first.record.ladder;
  const auto& other = second.record.ladder;
  std::size_t equal = 0;
  while (equal < std::min(ladder.size(), other.size()) && ladder[equal] == other[equal]) ++equal;
  sim::DivergenceOptions options;
  options.known_equal = equal * first.record.ladder_interval;
  const auto tamper = request.on_world;
  const auto divergence = sim::find_divergence(
      [&](const auto& witness) {
        request.on_world = [&](sim::Simulation& simulation) {
          witness(simulation);
          if (tamper) tamper(simulation);
        };
        request.trace = nullptr;
        run_scenario(scenario, request);
      },
      options);
  if (divergence) return divergence->text();
  return "two further runs were the same: the difference does not show every time\n";
}

struct SecondRun {
  std::string difference;  // one line; empty if the second run was the same
  std::string divergence;  // where they part: many lines
};

SecondRun run_again(const RunOptions& options, const Scenario& scenario, RunRequest request, const TimedRun& first,
                    const reports::RunSummary& summary, const std::string& label) {
  // What was the same only by the heap's good luck shall not be the same again.
  sim::disturb_memory();
  request.trace = nullptr;
  const TimedRun again = run_timed(scenario, request, label + ", again");
  const reports::RunSummary repeated = summarise(scenario, options.overrides, again.record, build_info());
  SecondRun second;
  second.difference = difference_of(summary, repeated, first.record, again.record);
  if (!(first.record.digest == again.record.digest)) {
    second.divergence = divergence_text(scenario, request, first, again);
  }
  return second;
}

std::string text_of(const reports::RunSummary& summary, double wall, const std::string& folder,
                    const std::string& command) {
  reports::VerdictTextOptions text;
  text.color = color_wanted();
  text.width = terminal_width();
  text.wall_seconds = wall;
  text.folder = folder;
  text.replay_command = command;
  return reports::render_verdict(summary, text);
}

// What Elle says of the run's history. A run folder keeps what contradicts us.
std::vector<checkers::SecondOpinion> ask_elle(ElleProcess& elle, const Scenario& scenario, const RunRecord& record,
                                              const std::string& folder) {
  const std::vector<checkers::OwnOpinion> own = own_opinions(scenario, record);
  if (own.empty()) return {};
  std::optional<HistoryForElle> file;
  if (folder.empty()) file.emplace(record.history);
  std::vector<checkers::SecondOpinion> opinions =
      second_opinions(elle, own, file ? file->path() : folder + "/history.edn");
  if (folder.empty() || disagreement_signature(opinions).empty()) return opinions;
  const auto written = write_file(folder + "/elle.json", elle_json(opinions, elle.version()));
  if (!written) throw UsageError(written.error().message);
  return opinions;
}

std::string elle_text(const std::vector<checkers::SecondOpinion>& opinions, const std::string& folder) {
  std::string text;
  for (const checkers::SecondOpinion& opinion : opinions) {
    text += fmt::format("  {:<13} on {}: {}\n", "elle", opinion.checker, opinion.explanation);
    if (opinion.agreement != checkers::Agreement::disagreed || folder.empty()) continue;
    text +=
        fmt::format("  {:<13} {} check {} --model {} --level {} --elle\n", "ask it again", shell_word(program_name()),
                    shell_word(folder + "/history.edn"), opinion.checker, opinion.model);
  }
  return text;
}

nlohmann::ordered_json elle_to_json(const std::vector<checkers::SecondOpinion>& opinions) {
  auto list = nlohmann::ordered_json::array();
  for (const checkers::SecondOpinion& opinion : opinions) {
    nlohmann::ordered_json object;
    object["checker"] = opinion.checker;
    object["model"] = opinion.model;
    object["agreement"] = checkers::to_string(opinion.agreement);
    object["explanation"] = opinion.explanation;
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace

int run_command(const RunOptions& options) {
  RunRequest request;
  request.seed = parse_natural("--seed", options.seed, 0, std::numeric_limits<std::uint64_t>::max());
  request.planted = parse_planted(options.planted);
  request.record_decisions = options.decisions;
  if (!options.sabotage.empty()) request.on_world = sabotage(options.sabotage);
  const Scenario scenario = load_scenario_argument(options.scenario, options.overrides);
  if (options.trace && options.no_artifacts)
    throw UsageError("--trace: writes trace.bin, which --no-artifacts forbids");
  if (options.decisions && options.no_artifacts)
    throw UsageError("--decisions: writes decisions.bin, which --no-artifacts forbids");
  // Nobody could replay it: the capsule would not say what was done to the run.
  if (!options.sabotage.empty() && !options.no_artifacts)
    throw UsageError("--sabotage: such a run cannot be replayed; add --no-artifacts");
  const std::unique_ptr<ElleProcess> elle = scenario.elle ? start_elle() : nullptr;
  std::string folder;
  if (!options.no_artifacts) {
    folder = options.out.empty() ? run_folder("runs", scenario.name, request.seed) : options.out;
  }
  const FolderForRun folder_for_run(folder);
  if (!folder.empty()) {
    if (const auto ready = prepare_folder(folder); !ready) throw UsageError("--out: " + ready.error().message);
  }

  std::optional<TraceOutput> trace;
  if (options.trace) {
    trace.emplace(folder + "/trace.bin");
    if (const auto ready = trace->ready(); !ready) throw UsageError("--trace: " + ready.error().message);
    request.trace = &trace->sink();
  }

  const std::string label = fmt::format("{} seed {}", scenario.name, request.seed);
  const TimedRun run = run_timed(scenario, request, label);
  const reports::RunSummary summary = summarise(scenario, options.overrides, run.record, build_info());
  const std::string command = folder.empty()
                                  ? run_command_text(options.scenario, request.seed, options.overrides, options.planted)
                                  : replay_command_for(folder, program_name());
  if (!folder.empty()) {
    if (const auto written = write_run_folder(folder, summary, run.record, command, trace ? &*trace : nullptr);
        !written)
      throw UsageError(written.error().message);
  }

  const SecondRun second = options.twice ? run_again(options, scenario, request, run, summary, label) : SecondRun{};
  nlohmann::ordered_json object = run_to_json(summary, run.wall_seconds, folder);
  if (options.twice) object["divergence"] = nullptr;
  if (!second.difference.empty()) {
    // What one of two different runs showed is nobody's verdict.
    object["verdict"] = reports::to_string(reports::Outcome::unknown);
    object["divergence"] = second.difference + "\n" + second.divergence;
    print(options.json ? dump(object) : fmt::format("NOT DETERMINISTIC  {}\n\n{}", label, second.divergence));
    print_error(fmt::format("{}: the second run was not the same: {}", label, second.difference));
    return exit_status::broken;
  }
  std::vector<checkers::SecondOpinion> opinions;
  if (elle) {
    opinions = ask_elle(*elle, scenario, run.record, folder);
    object["elle"] = elle_to_json(opinions);
  }
  print(options.json ? dump(object) : text_of(summary, run.wall_seconds, folder, command));
  if (options.twice && !options.json) {
    print(fmt::format("  {:<13} the second run was the same: digest, {}, verdict and history\n", "twice",
                      reports::counted(summary.ladder.size(), "rung")));
  }
  if (!options.json) print(elle_text(opinions, folder));
  return disagreement_signature(opinions).empty() ? exit_status_of(summary.verdict) : exit_status::elle_disagreement;
}

}  // namespace polarsim::scenarios::cli
