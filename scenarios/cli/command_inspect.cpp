#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include "engine/node/inspect.h"
#include "engine/types/error.h"
#include "scenarios/artifacts.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

using engine::InspectRequest;

constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max();

void parse_page(const std::string& text, InspectRequest& request) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    throw UsageError(fmt::format("--page: expected RELATION:BLOCK, found \"{}\"", text));
  request.what = InspectRequest::What::page;
  request.relation = text.substr(0, colon);
  request.block = static_cast<std::uint32_t>(
      parse_natural("--page", text.substr(colon + 1), 0, std::numeric_limits<std::uint32_t>::max() - 1));
}

void parse_wal(const std::string& text, InspectRequest& request) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) throw UsageError(fmt::format("--wal: expected FROM..UNTIL, found \"{}\"", text));
  request.what = InspectRequest::What::wal;
  const std::string from = text.substr(0, dots);
  const std::string until = text.substr(dots + 2);
  if (!from.empty()) request.from = parse_natural("--wal", from, 0, any_number);
  if (!until.empty()) request.until = parse_natural("--wal", until, 0, any_number);
  if (request.until < request.from) throw UsageError(fmt::format("--wal: the range {} ends before it begins", text));
}

InspectRequest request_of(const InspectOptions& options) {
  const int asked = (options.relations ? 1 : 0) + (options.locks ? 1 : 0) + (options.page.empty() ? 0 : 1) +
                    (options.wal.empty() ? 0 : 1);
  if (asked > 1) throw UsageError("inspect: give one of --relations, --locks, --page and --wal");
  InspectRequest request;
  if (options.locks) request.what = InspectRequest::What::locks;
  if (!options.page.empty()) parse_page(options.page, request);
  if (!options.wal.empty()) parse_wal(options.wal, request);
  if (options.free_space_map && options.page.empty()) throw UsageError("--free-space-map: needs --page");
  request.free_space_map = options.free_space_map;
  return request;
}

// What is to be run up to the moment of interest.
struct Subject {
  Scenario scenario;
  RunRequest run;
};

Subject subject_of_capsule(const InspectOptions& options) {
  auto capsule = read_capsule(options.run);
  if (!capsule) throw UsageError(capsule.error().message);
  if (!options.seed.empty() || !options.overrides.empty() || !options.planted.empty())
    throw UsageError(
        fmt::format("inspect: {} is a recorded run; --seed, --set and --plant are for scenarios", options.run));
  Subject subject{std::move(capsule->scenario), {}};
  subject.run.seed = capsule->summary.seed;
  subject.run.planted = std::move(capsule->planted);
  subject.run.schedule = std::move(capsule->schedule);
  return subject;
}

Subject subject_of(const InspectOptions& options) {
  const std::filesystem::path path(options.run);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || path.extension() == ".json") return subject_of_capsule(options);
  Subject subject{load_scenario_argument(options.run, options.overrides), {}};
  if (!options.seed.empty()) subject.run.seed = parse_natural("--seed", options.seed, 0, any_number);
  subject.run.planted = parse_planted(options.planted);
  return subject;
}

std::string seen_at(const InspectOptions& options, const RunRecord& record) {
  return fmt::format("{} of {}, seed {}, at {:.9f} s virtual\n\n", options.node, record.scenario, record.seed,
                     sim::seconds(record.virtual_time));
}

}  // namespace

int inspect_command(const InspectOptions& options) {
  const InspectRequest request = request_of(options);
  Subject subject = subject_of(options);
  if (!options.at.empty()) subject.run.until = sim::time_zero + parse_duration("--at", options.at);
  std::optional<std::string> text;
  std::optional<std::string> refusal;
  subject.run.on_stop = [&](const engine::Cluster& cluster) {
    const std::vector<std::string> nodes = cluster.node_names();
    if (std::find(nodes.begin(), nodes.end(), options.node) == nodes.end()) {
      refusal = fmt::format("--node: this run has no node \"{}\"; it has {}", options.node, fmt::join(nodes, ", "));
      return;
    }
    try {
      text = cluster.inspect(options.node, request);
    } catch (const engine::SqlError& error) {
      refusal = fmt::format("{}: {}", options.node, error.fields().message);
    }
  };
  const TimedRun run = run_timed(subject.scenario, subject.run, fmt::format("inspecting {}", options.run));
  if (refusal) throw UsageError(*refusal);
  if (!text) throw UsageError(fmt::format("{}: the run ended before it could be looked at", options.run));
  print(seen_at(options, run.record) + *text);
  return exit_status::passed;
}

}  // namespace polarsim::scenarios::cli
