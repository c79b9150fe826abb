#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "reports/junit.h"
#include "scenarios/artifacts.h"
#include "scenarios/campaign.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/elle_installation.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::size_t seeds_shown = 12;

std::vector<CampaignScenario> load_all(const CampaignCommandOptions& options) {
  std::vector<CampaignScenario> scenarios;
  std::set<std::string> names;
  for (const std::string& argument : options.scenarios) {
    scenarios.push_back({load_scenario_argument(argument, options.overrides), options.overrides});
    const std::string& name = scenarios.back().scenario.name;
    if (!names.insert(name).second)
      throw UsageError(fmt::format("{}: another scenario of this campaign is called {} too", argument, name));
  }
  return scenarios;
}

unsigned processors() {
  const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

CampaignOptions plan(const CampaignCommandOptions& options) {
  CampaignOptions campaign;
  const auto [first, last] = parse_seeds(options.seeds);
  campaign.first_seed = first;
  campaign.last_seed = last;
  campaign.jobs =
      options.jobs.empty() ? processors() : static_cast<unsigned>(parse_natural("--jobs", options.jobs, 1, 1000));
  campaign.planted = parse_planted(options.planted);
  campaign.seed_timeout_seconds = sim::seconds(parse_duration("--timeout", options.timeout));
  if (campaign.seed_timeout_seconds <= 0) throw UsageError("--timeout: expected more than zero seconds");
  campaign.until_failure = options.until_failure;
  campaign.database = options.database;
  campaign.resume = options.resume;
  if (options.resume && options.database.empty())
    throw UsageError("--resume: needs --db FILE, which holds the results so far");
  campaign.out = options.out;
  campaign.build = build_info();
  campaign.wall_seconds = wall_seconds;
  campaign.interrupted = interrupted;
  campaign.scenarios = load_all(options);
  return campaign;
}

std::string label_of(const CampaignOptions& campaign) {
  std::string names;
  for (const CampaignScenario& scenario : campaign.scenarios)
    names += (names.empty() ? "" : ", ") + scenario.scenario.name;
  return names;
}

std::vector<std::string> planted_names(const CampaignOptions& campaign) {
  std::vector<std::string> names;
  for (const engine::PlantedBugInfo& info : engine::planted_bugs()) {
    if (std::find(campaign.planted.begin(), campaign.planted.end(), info.bug) != campaign.planted.end())
      names.emplace_back(info.name);
  }
  return names;
}

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto minutes = static_cast<std::uint64_t>(seconds / 60);
  if (minutes < 60) return fmt::format("{} min {:.0f} s", minutes, seconds - 60.0 * static_cast<double>(minutes));
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string progress_text(const CampaignProgress& progress, std::uint64_t done_before, double elapsed) {
  const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  const double rate = static_cast<double>(progress.done - done_before) / elapsed;
  std::string text = fmt::format("{} {} of {}", progress_bar(share), reports::grouped(progress.done),
                                 reports::counted(progress.total, "seed"));
  if (progress.failed > 0) text += fmt::format("  {} failed", reports::grouped(progress.failed));
  if (progress.unknown > 0) text += fmt::format("  {} unknown", reports::grouped(progress.unknown));
  if (rate > 0) {
    text += fmt::format("  {:.1f}/s, {} to go", rate,
                        duration_text(static_cast<double>(progress.total - progress.done) / rate));
  }
  return text;
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  std::string text;
  for (std::size_t i = 0; i < std::min(seeds.size(), seeds_shown); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(seeds[i]);
  if (seeds.size() > seeds_shown) text += ", ...";
  return text;
}

std::string first_line(const std::string& text, std::size_t width) {
  const std::string line = text.substr(0, text.find('\n'));
  return line.size() <= width ? line : line.substr(0, width - 4) + " ...";
}

// The command that runs a group's first seed again; empty for what no seed showed.
std::string repeat_command(const FailureGroup& group, const CampaignOptions& campaign) {
  if (!group.capsule.empty()) return replay_command_for(group.capsule, program_name());
  if (group.seeds.empty()) return "";
  for (const CampaignScenario& scenario : campaign.scenarios) {
    if (scenario.scenario.name != group.scenario) continue;
    return run_command_text(scenario.scenario.source_name, group.seeds.front(), scenario.overrides,
                            planted_names(campaign));
  }
  return "";
}

std::string group_text(const FailureGroup& group, const CampaignOptions& campaign) {
  const bool name_scenario = campaign.scenarios.size() > 1;
  std::string text = fmt::format("    {}{}", name_scenario ? group.scenario + "  " : "", group.signature);
  if (!group.seeds.empty())
    text += fmt::format("  {}: {}", reports::counted(group.seeds.size(), "seed"), seeds_text(group.seeds));
  text += "\n";
  if (!group.explanation.empty())
    text += fmt::format("      {}\n", first_line(group.explanation, terminal_width() - 6));
  if (const std::string command = repeat_command(group, campaign); !command.empty())
    text += fmt::format("      {}\n", command);
  return text;
}

std::string groups_text(const char* title, const std::vector<FailureGroup>& groups, const CampaignOptions& campaign) {
  if (groups.empty()) return "";
  std::string text = fmt::format("\n  {}\n", title);
  for (const FailureGroup& group : groups) text += group_text(group, campaign);
  return text;
}

std::string elle_text(const ElleTally& elle) {
  if (elle.asked() == 0) return "";
  std::string text = fmt::format(
      "\n  the real Elle on {}: {} agreed, {} differ as documented, {} contradicted, {} without a verdict\n",
      elle.asked() == 1 ? "1 history" : reports::grouped(elle.asked()) + " histories", reports::grouped(elle.agreed),
      reports::grouped(elle.differ_as_known), reports::grouped(elle.disagreed), reports::grouped(elle.without_verdict));
  for (const auto& [remark, histories] : elle.remarks)
    text += fmt::format("    {} times: {}\n", reports::grouped(histories), first_line(remark, terminal_width() - 16));
  return text;
}

std::string text_of(const CampaignResult& result, const CampaignOptions& campaign, double elapsed) {
  const bool color = color_wanted();
  const char* words = result.all_passed()       ? "PASSED"
                      : result.failures.empty() ? (result.unknown > 0 ? "UNKNOWN" : "STOPPED")
                                                : "FAILED";
  const char* style = result.all_passed() ? "\033[32m" : result.failures.empty() ? "\033[33m" : "\033[31m";
  std::string text = fmt::format("{}{}{}  {}, seeds {} to {}", color ? style : "", words, color ? "\033[0m" : "",
                                 label_of(campaign), campaign.first_seed, campaign.last_seed);
  for (const std::string& name : planted_names(campaign))
    text += (text.find("  with planted bug ") == std::string::npos ? "  with planted bug " : ", ") + name;
  text += "\n\n";
  text += fmt::format("  {} passed, {} failed, {} unknown", reports::grouped(result.passed),
                      reports::grouped(result.failed), reports::grouped(result.unknown));
  if (result.crashed > 0) text += fmt::format(" ({} of the failed crashed)", reports::grouped(result.crashed));
  text += fmt::format("; {} in {}\n", reports::counted(result.transactions, "transaction"), duration_text(elapsed));
  if (result.seeds < result.planned) {
    text += fmt::format("  {} {} of {} seeds\n", result.interrupted ? "interrupted after" : "stopped after",
                        reports::grouped(result.seeds), reports::grouped(result.planned));
  }
  text += groups_text("failures, grouped by what they look like", result.failures, campaign);
  text += groups_text("without a verdict", result.unknowns, campaign);
  text += elle_text(result.elle);
  if (!result.seen.empty()) {
    text += "\n  anomalies and exposures seen\n";
    for (const auto& [name, seeds] : result.seen)
      text += fmt::format("    {:<24} in {}\n", name, reports::counted(seeds, "seed"));
  }
  return text;
}

nlohmann::ordered_json elle_json_of(const ElleTally& elle) {
  nlohmann::ordered_json object;
  object["agreed"] = elle.agreed;
  object["differ_as_known"] = elle.differ_as_known;
  object["disagreed"] = elle.disagreed;
  object["no_verdict"] = elle.without_verdict;
  object["remarks"] = nlohmann::ordered_json::object();
  for (const auto& [remark, histories] : elle.remarks) object["remarks"][remark] = histories;
  return object;
}

std::string json_of(const CampaignResult& result) {
  nlohmann::ordered_json object;
  object["seeds"] = result.seeds;
  object["passed"] = result.passed;
  object["failed"] = result.failed;
  object["unknown"] = result.unknown;
  object["failures"] = nlohmann::ordered_json::array();
  for (const FailureGroup& group : result.failures) {
    nlohmann::ordered_json entry;
    entry["signature"] = group.signature;
    entry["checker"] = group.checker;
    entry["seeds"] = group.seeds;
    entry["capsule"] = group.capsule.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(group.capsule);
    object["failures"].push_back(std::move(entry));
  }
  object["seen"] = nlohmann::ordered_json::object();
  for (const auto& [name, seeds] : result.seen) object["seen"][name] = seeds;
  if (result.elle.asked() > 0) object["elle"] = elle_json_of(result.elle);
  return dump(object);
}

reports::JunitCase::Result junit_result(SeedVerdict verdict) {
  switch (verdict) {
    case SeedVerdict::passed:
      return reports::JunitCase::Result::passed;
    case SeedVerdict::failed:
      return reports::JunitCase::Result::failed;
    case SeedVerdict::unknown:
    case SeedVerdict::crashed:
      return reports::JunitCase::Result::error;
  }
  return reports::JunitCase::Result::error;
}

std::string junit_of(const CampaignResult& result) {
  std::vector<reports::JunitCase> cases;
  for (const SeedResult& row : result.results) {
    cases.push_back({junit_result(row.verdict), row.scenario, fmt::format("seed {}", row.seed),
                     static_cast<double>(row.wall_ms) * 1e-3, row.signature, row.explanation});
  }
  for (const FailureGroup& group : result.failures) {
    if (!group.seeds.empty()) continue;
    cases.push_back(
        {reports::JunitCase::Result::failed, group.scenario, group.signature, 0, group.signature, group.explanation});
  }
  return reports::render_junit(cases);
}

int status_of(const CampaignResult& result) {
  if (result.disagreements > 0) return exit_status::elle_disagreement;
  if (result.all_passed()) return exit_status::passed;
  const bool only_crashes = result.crashed > 0 && result.crashed == result.failed && result.unknown == 0;
  return only_crashes ? exit_status::broken : exit_status::not_passed;
}

}  // namespace

int campaign_command(const CampaignCommandOptions& options) {
  CampaignOptions campaign = plan(options);
  if (!options.junit.empty()) {
    if (const auto writable = write_file(options.junit, ""); !writable)
      throw UsageError("--junit: " + writable.error().message);
  }
  std::unique_ptr<ElleProcess> elle;
  for (const CampaignScenario& scenario : campaign.scenarios) {
    if (scenario.scenario.elle && elle == nullptr) elle = start_elle();
  }
  campaign.elle = elle.get();
  ProgressLine line;
  const double start = wall_seconds();
  const std::string label = label_of(campaign);
  std::uint64_t done_before = std::numeric_limits<std::uint64_t>::max();
  campaign.progress = [&](const CampaignProgress& progress) {
    // The first report tells apart what a resumed campaign had already.
    if (done_before == std::numeric_limits<std::uint64_t>::max()) done_before = progress.done;
    line.update([&] { return label + "  " + progress_text(progress, done_before, wall_seconds() - start); });
  };
  const auto result = run_campaign(campaign);
  line.clear();
  if (!result) throw UsageError(result.error().message);
  print(options.json ? json_of(*result) : text_of(*result, campaign, wall_seconds() - start));
  if (!options.junit.empty()) {
    if (const auto written = write_file(options.junit, junit_of(*result)); !written)
      throw UsageError("--junit: " + written.error().message);
  }
  return status_of(*result);
}

}  // namespace polarsim::scenarios::cli
