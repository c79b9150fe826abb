#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "scenarios/cli/arguments.h"
#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/prompt/gateway.h"
#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/libpq_connection.h"
#include "scenarios/cli/prompt/prompt.h"
#include "scenarios/cli/prompt/simulated_server.h"

namespace polarsim::scenarios::cli {

namespace {

// A cluster without anybody who works on it. The workload is named because a scenario has one; it is not run.
constexpr const char* bare_cluster = "description = \"A cluster to type at\"\n[workload]\nname = \"append\"\n";

using Setting = std::pair<std::string, std::optional<std::string>>;

// "name=value", or a name alone.
Setting setting_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {text, std::nullopt};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<Setting> display_of(const SqlOptions& options) {
  std::vector<Setting> display;
  if (options.unaligned) display.emplace_back("format", "unaligned");
  if (options.csv) display.emplace_back("format", "csv");
  if (options.tuples_only) display.emplace_back("tuples_only", "on");
  if (options.expanded) display.emplace_back("expanded", "on");
  if (!options.field_separator.empty()) display.emplace_back("fieldsep", options.field_separator);
  for (const std::string& text : options.display) display.push_back(setting_of(text));
  return display;
}

std::vector<Setting> variables_of(const SqlOptions& options) {
  std::vector<Setting> variables;
  if (options.echo_all) variables.emplace_back("ECHO", "all");
  if (options.echo_queries) variables.emplace_back("ECHO", "queries");
  for (const std::string& text : options.variables) variables.push_back(setting_of(text));
  return variables;
}

Scenario scenario_of(const SqlOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  if (!options.coordinators.empty()) {
    overrides.push_back(
        fmt::format("cluster.coordinators={}", parse_natural("--coordinators", options.coordinators, 1, 32)));
  }
  if (!options.data_nodes.empty()) {
    overrides.push_back(fmt::format("cluster.data_nodes={}", parse_natural("--data-nodes", options.data_nodes, 1, 64)));
  }
  if (!options.scenario.empty()) return load_scenario_argument(options.scenario, overrides);
  auto scenario = parse_scenario(bare_cluster, "sql", overrides);
  if (!scenario) throw UsageError(scenario.error().message);
  return std::move(*scenario);
}

std::string greeting(const std::string& what, const std::string& node) {
  return fmt::format("polarsim sql ({}): {}; you are at {}\nType \"help\" for help.\n\n", version_text(), what, node);
}

int let_clients_in(prompt::SimulatedServer& server, const std::string& node, const SqlOptions& options) {
  if (!options.actions.empty()) throw UsageError("--listen takes neither -c nor -f");
  prompt::Gateway gateway(server, node,
                          static_cast<std::uint16_t>(parse_natural("--listen", options.listen, 0, 65535)));
  prompt::interrupts::catch_them();
  fmt::print("{} of {}: listening at port {} of 127.0.0.1\n", node, server.description(), gateway.port());
  std::fflush(stdout);
  gateway.serve();
  return 0;
}

int run_on_cluster(const SqlOptions& options, prompt::PromptOptions asked) {
  Scenario scenario = scenario_of(options);
  for (const engine::PlantedBug bug : parse_planted(options.planted)) scenario.cluster.node.planted.turn_on(bug);
  const std::uint64_t seed = parse_natural("--seed", options.seed, 0, std::numeric_limits<std::uint64_t>::max());
  prompt::SimulatedServer server(scenario, seed, !options.scenario.empty());
  server.set_standing_before(prompt::on_terminal());
  const std::vector<std::string> nodes = server.nodes();
  const std::string node = options.node.empty() ? nodes.front() : options.node;
  if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) {
    throw UsageError(fmt::format("--node: this cluster has no node \"{}\"; it has {}", node, fmt::join(nodes, ", ")));
  }
  if (!options.listen.empty()) return let_clients_in(server, node, options);
  asked.connect_to = {"polar", "postgres", node, std::to_string(engine::default_port)};
  asked.greeting = greeting(server.description(), node);
  return prompt::run_prompt(server, asked);
}

}  // namespace

int sql_command(const SqlOptions& options) {
  prompt::PromptOptions asked;
  for (const SqlOptions::Action& action : options.actions) asked.actions.push_back({action.is_file, action.text});
  asked.display = display_of(options);
  asked.variables = variables_of(options);
  asked.quiet = options.quiet;
  asked.version = version_text();
  if (options.against.empty()) return run_on_cluster(options, std::move(asked));
  const auto server = prompt::make_libpq_server(options.against);
  asked.greeting = greeting(server->description(), options.against);
  return prompt::run_prompt(*server, asked);
}

}  // namespace polarsim::scenarios::cli
