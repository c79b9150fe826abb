#include <fmt/format.h>

#include <memory>
#include <string>

#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/postgres/postgres_stage.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/isolation/isolation_file.h"
#include "scenarios/isolation/node_stage.h"
#include "scenarios/isolation/play.h"

namespace polarsim::scenarios::cli {

namespace {

// On a real server a case with pauses may fail because the machine was slow at the wrong moment.
constexpr int attempts_in_real_time = 3;

struct Counts {
  int passed = 0;
  int failed = 0;
};

std::unique_ptr<isolation::Stage> make_stage(const IsolationOptions& options) {
  if (options.against.empty()) {
    isolation::NodeStageOptions node;
    for (const engine::PlantedBug bug : parse_planted(options.planted)) node.node.planted.turn_on(bug);
    return isolation::make_node_stage(node);
  }
  if (!options.planted.empty()) throw UsageError("--plant: a real server has no planted bugs");
  try {
    return make_postgres_stage({options.against, false});
  } catch (const isolation::StageError& error) {
    throw UsageError(fmt::format("--against: {}", error.what()));
  }
}

isolation::CaseResult play_case(const isolation::Case& played, const std::string& path, isolation::Stage& stage,
                                int attempts) {
  isolation::CaseResult result = isolation::play(played, path, stage);
  for (int attempt = 1; attempt < attempts && !result.passed(); ++attempt) {
    result = isolation::play(played, path, stage);
  }
  return result;
}

void play_file(const isolation::IsolationFile& file, isolation::Stage& stage, bool real, Counts& counts) {
  print(fmt::format("{}\n", file.path));
  for (const isolation::Case& played : file.cases) {
    if (interrupted()) throw Interrupted{};
    const int attempts = real && played.timed() ? attempts_in_real_time : 1;
    const isolation::CaseResult result = play_case(played, file.path, stage, attempts);
    print(fmt::format("  {}  {}\n", result.passed() ? "passed" : "FAILED", played.name));
    if (result.passed()) {
      ++counts.passed;
      continue;
    }
    ++counts.failed;
    for (const std::string& line : result.transcript) print(fmt::format("      {}\n", line));
    print(fmt::format("    {}\n", result.difference));
  }
}

}  // namespace

int isolation_command(const IsolationOptions& options) {
  // All files are read first, so that a slip in the last does not cost the playing of the others.
  std::vector<isolation::IsolationFile> files;
  for (const std::string& argument : options.files) {
    auto file = isolation::load_isolation_file(find_isolation_file(argument));
    if (!file) throw UsageError(file.error().message);
    files.push_back(std::move(*file));
  }
  const std::unique_ptr<isolation::Stage> stage = make_stage(options);
  Counts counts;
  for (const isolation::IsolationFile& file : files) play_file(file, *stage, !options.against.empty(), counts);
  print(fmt::format("{} passed, {} failed\n", counts.passed, counts.failed));
  return counts.failed == 0 ? exit_status::passed : exit_status::not_passed;
}

}  // namespace polarsim::scenarios::cli
