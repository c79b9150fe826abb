#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/cluster_log.h"
#include "checkers/compact_history.h"
#include "checkers/elle/second_opinion.h"
#include "checkers/explanation_pictures.h"
#include "checkers/history.h"
#include "checkers/named_checkers.h"
#include "checkers/workload_checkers.h"
#include "scenarios/artifacts.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/elle_installation.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/input_file.h"

namespace polarsim::scenarios::cli {

namespace {

std::string name_of_input(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

checkers::BankOptions bank_options(const CheckOptions& options) {
  if (options.accounts.empty()) throw UsageError("--accounts: the bank model needs the number of accounts");
  if (options.initial_balance.empty())
    throw UsageError("--initial-balance: the bank model needs what each account held at first");
  checkers::BankOptions bank;
  bank.accounts = static_cast<std::int64_t>(
      parse_natural("--accounts", options.accounts, 1, std::numeric_limits<std::int32_t>::max()));
  bank.initial_balance = parse_integer("--initial-balance", options.initial_balance);
  bank.negative_allowed = options.negative_allowed;
  return bank;
}

checkers::RegisterOptions register_options(const CheckOptions& options) {
  checkers::RegisterOptions sources;
  if (options.infer.empty()) return sources;
  sources.wfr_keys = false;
  for (const std::string& source : options.infer) {
    if (source == "wfr-keys") {
      sources.wfr_keys = true;
    } else if (source == "sequential-keys") {
      sources.sequential_keys = true;
    } else if (source == "linearizable-keys") {
      sources.linearizable_keys = true;
    } else if (source != "nothing" || options.infer.size() > 1) {
      throw UsageError(fmt::format(
          "--infer: expected wfr-keys, sequential-keys, linearizable-keys, or nothing alone, found \"{}\"", source));
    }
  }
  return sources;
}

checkers::ClusterOptions cluster_options(const CheckOptions& options) {
  checkers::ClusterOptions cluster;
  if (options.read_your_writes == "always") {
    cluster.read_your_writes = checkers::ReadYourWrites::always;
  } else if (!options.read_your_writes.empty() && options.read_your_writes != "unless-pending") {
    throw UsageError(fmt::format("--read-your-writes: expected one of unless-pending, always, found \"{}\"",
                                 options.read_your_writes));
  }
  return cluster;
}

// What the history tells of nodes is part of the input: if it is malformed, nothing is judged.
checkers::Verdict cluster_verdict_on(const checkers::History& history, const CheckOptions& options) {
  auto log = checkers::read_cluster_log(history);
  if (!log) throw UsageError(fmt::format("{}: {}", name_of_input(options.history), log.error()));
  std::vector<checkers::SnapshotAt> snapshots;
  for (const checkers::Event& event : history.events) {
    const auto read = checkers::read_snapshots(event, *log, snapshots);
    if (!read) throw UsageError(fmt::format("{}: {}", name_of_input(options.history), read.error()));
  }
  return checkers::check_read_committed_cluster(history, cluster_options(options));
}

bool has_level(const CheckOptions& options) { return options.model == "list-append" || options.model == "rw-register"; }

std::string level_of(const CheckOptions& options) { return options.level.empty() ? "read-committed" : options.level; }

// Everything about the arguments is checked before the file is read, so that a slip does not cost the reading of a
// large history.
void check_arguments(const CheckOptions& options) {
  const std::vector<std::string> models = check_models();
  if (std::find(models.begin(), models.end(), options.model) == models.end()) {
    throw UsageError(fmt::format("--model: expected one of {}, found \"{}\"", joined(models), options.model));
  }
  if (!options.infer.empty() && options.model != "rw-register") {
    throw UsageError(fmt::format("--infer: only rw-register infers an order of versions, not {}", options.model));
  }
  register_options(options);
  if (!options.read_your_writes.empty() && options.model != "read-committed-cluster") {
    throw UsageError(fmt::format("--read-your-writes: only read-committed-cluster asks for it, not {}", options.model));
  }
  cluster_options(options);
  if (options.elle && !checkers::elle_judges(options.model)) {
    throw UsageError(fmt::format("--elle: Elle judges list-append and rw-register, not {}", options.model));
  }
  if (options.linearizable && options.model != "set-full") {
    throw UsageError(fmt::format("--linearizable: only set-full asks for it, not {}", options.model));
  }
  if (options.model == "bank") bank_options(options);
  if (!has_level(options) && !options.level.empty()) {
    throw UsageError(fmt::format("--level: only list-append and rw-register have levels, not {}", options.model));
  }
  if (has_level(options) && !checkers::is_known_level(level_of(options))) {
    throw UsageError(
        fmt::format("--level: expected one of {}, found \"{}\"", joined(checkers::known_levels()), options.level));
  }
}

// What a checker of transactions needs of a history, which may be larger than the memory.
checkers::Operations read_operations(const std::string& path) {
  auto parts = InputParts::open(path);
  if (!parts) throw UsageError(parts.error().message);
  ProgressLine line;
  const auto progress = [&](std::size_t read) {
    line.update([&] {
      const double megabytes = static_cast<double>(read) / 1e6;
      if (parts->size() == 0) return fmt::format("reading {}  {:.0f} MB", path, megabytes);
      const double size = static_cast<double>(parts->size()) / 1e6;
      return fmt::format("reading {}  {} {:.0f} of {:.0f} MB", path, progress_bar(std::min(1.0, megabytes / size)),
                         megabytes, size);
    });
  };
  auto operations = checkers::read_operations([&](char* into, std::size_t size) { return parts->read(into, size); },
                                              name_of_input(path), progress);
  if (parts->error()) throw UsageError(parts->error()->message);
  if (!operations) throw UsageError(operations.error().message);
  return std::move(*operations);
}

checkers::History read_history(const std::string& path) {
  auto parts = InputParts::open(path);
  if (!parts) throw UsageError(parts.error().message);
  std::string text;
  std::string part(std::size_t{1} << 20U, '\0');
  while (const std::size_t count = parts->read(part.data(), part.size())) text.append(part, 0, count);
  if (parts->error()) throw UsageError(parts->error()->message);
  auto history = checkers::read_history(text, name_of_input(path));
  if (!history) throw UsageError(history.error().message);
  return std::move(*history);
}

checkers::Verdict verdict_at(const checkers::History& history, const CheckOptions& options,
                             const checkers::Level& level) {
  return options.model == "list-append" ? checkers::check_list_append(history, level)
                                        : checkers::check_rw_register(history, level, register_options(options));
}

// With the history itself only where Elle is to have it: it takes more memory than judging.
checkers::Verdict verdict_on(const CheckOptions& options, std::optional<checkers::History>& history) {
  if (options.model == "bank") return checkers::check_bank(read_history(options.history), bank_options(options));
  if (options.model == "read-committed-cluster") return cluster_verdict_on(read_history(options.history), options);
  if (options.model == "set-full") {
    return checkers::check_set_full(read_history(options.history), {.linearizable = options.linearizable});
  }
  if (const checkers::NamedChecker* checker = checkers::find_named_checker(options.model)) {
    return checker->check(read_history(options.history));
  }
  const checkers::Level level{.model = level_of(options), .every_level = true};
  if (options.elle) {
    history = read_history(options.history);
    return verdict_at(*history, options, level);
  }
  const checkers::Operations operations = read_operations(options.history);
  return options.model == "list-append" ? checkers::check_list_append(operations, level)
                                        : checkers::check_rw_register(operations, level, register_options(options));
}

// Where the level is no name of Elle's, both are compared at the model of Elle's that is nearest.
checkers::SecondOpinion second_opinion(ElleProcess& elle, const checkers::History& history,
                                       const checkers::Verdict& verdict, const CheckOptions& options) {
  const std::string model = checkers::elle_model_of(level_of(options));
  const checkers::OwnOpinion own =
      checkers::own_opinion(model == level_of(options) ? verdict : verdict_at(history, options, {.model = model}),
                            model, register_options(options));
  const HistoryForElle file(history);
  return second_opinions(elle, {own}, file.path()).front();
}

std::vector<std::string> names_of_anomalies(const std::vector<checkers::Anomaly>& anomalies) {
  std::vector<std::string> names;
  for (const checkers::Anomaly& anomaly : anomalies) {
    if (std::find(names.begin(), names.end(), anomaly.name) == names.end()) names.push_back(anomaly.name);
  }
  return names;
}

// The reason for "unknown", unless an anomaly says the same.
std::string reason_of(const checkers::Verdict& verdict) {
  for (const checkers::Anomaly& anomaly : verdict.anomalies) {
    if (anomaly.explanation.starts_with(verdict.reason)) return "";
  }
  return verdict.reason;
}

std::string explanation_of(const checkers::Verdict& verdict) {
  std::string text = reason_of(verdict);
  for (const checkers::Anomaly& anomaly : verdict.anomalies) text += (text.empty() ? "" : "\n") + anomaly.explanation;
  return text;
}

nlohmann::ordered_json validity_json(checkers::Validity validity) {
  if (validity == checkers::Validity::unknown) return "unknown";
  return validity == checkers::Validity::valid;
}

// A place among the operations; null stands for the initial state.
nlohmann::ordered_json end_json(std::size_t place) {
  if (place == checkers::Explanation::Edge::initial_state) return nullptr;
  return place;
}

nlohmann::ordered_json finding_json(const checkers::Anomaly& anomaly, bool permitted) {
  using Json = nlohmann::ordered_json;
  Json finding;
  finding["name"] = anomaly.name;
  finding["permitted"] = permitted;
  finding["explanation"] = anomaly.explanation;
  finding["rules_out"] = anomaly.details.rules_out;
  finding["shortest"] = anomaly.details.shortest;
  finding["omitted"] = anomaly.details.omitted;
  finding["operations"] = Json::array();
  for (const checkers::Explanation::Participant& one : anomaly.details.operations) {
    Json operation;
    operation["index"] = one.index;
    operation["invoke_index"] = one.invoke_index;
    operation["process"] = one.process;
    operation["node"] = one.node;
    operation["outcome"] = checkers::to_string(one.outcome);
    operation["invoked_ns"] = one.invoked_ns;
    operation["completed_ns"] = one.completed ? Json(one.completed_ns) : Json(nullptr);
    operation["transaction"] = one.transaction;
    finding["operations"].push_back(std::move(operation));
  }
  finding["edges"] = Json::array();
  for (const checkers::Explanation::Edge& one : anomaly.details.edges) {
    Json edge;
    edge["from"] = end_json(one.from);
    edge["to"] = end_json(one.to);
    edge["relations"] = one.relations;
    edge["key"] = one.key;
    edge["before"] = one.before;
    edge["after"] = one.after;
    edge["witnesses"] = one.witnesses;
    edge["in_cycle"] = one.in_cycle;
    edge["why"] = one.why;
    finding["edges"].push_back(std::move(edge));
  }
  return finding;
}

nlohmann::ordered_json json_of(const checkers::SecondOpinion& second, const ElleProcess& elle) {
  nlohmann::ordered_json object;
  object["agreement"] = checkers::to_string(second.agreement);
  object["version"] = elle.version();
  object["model"] = second.model;
  object["valid"] = validity_json(second.elle.validity);
  object["anomalies"] = second.elle.anomalies;
  object["not"] = second.elle.not_models;
  object["also_not"] = second.elle.also_not;
  object["explanation"] = second.explanation;
  return object;
}

nlohmann::ordered_json json_of(const checkers::Verdict& verdict) {
  nlohmann::ordered_json object;
  object["valid"] = validity_json(verdict.validity);
  object["anomalies"] = names_of_anomalies(verdict.anomalies);
  object["not"] = verdict.not_models;
  object["also_not"] = verdict.also_not;
  for (const checkers::LevelDecision& decision : verdict.levels) {
    object["levels"][decision.level] = validity_json(decision.validity);
  }
  object["explanation"] = explanation_of(verdict);
  object["findings"] = nlohmann::ordered_json::array();
  for (const checkers::Anomaly& one : verdict.anomalies) object["findings"].push_back(finding_json(one, false));
  for (const checkers::Anomaly& one : verdict.exposures) object["findings"].push_back(finding_json(one, true));
  return object;
}

std::string levels_text(const checkers::Verdict& verdict, checkers::Validity validity, std::string_view heading) {
  std::vector<std::string> names;
  for (const checkers::LevelDecision& decision : verdict.levels) {
    if (decision.validity == validity) names.push_back(decision.level);
  }
  return names.empty() ? "" : fmt::format("  {}{}\n", heading, joined(names));
}

// What went wrong, and the operations that it is about.
std::string anomaly_text(const checkers::Anomaly& anomaly) {
  constexpr std::size_t operations_shown = 12;
  std::string text = fmt::format("\n  {}\n", anomaly.name);
  std::istringstream sentences(anomaly.explanation);
  for (std::string line; std::getline(sentences, line);) text += fmt::format("    {}\n", line);
  const std::vector<std::string> operations = checkers::operation_lines(anomaly.details);
  for (std::size_t i = 0; i < std::min(operations.size(), operations_shown); ++i) {
    text += fmt::format("      {}\n", operations[i]);
  }
  const std::size_t others = operations.size() + anomaly.details.omitted;
  if (others > operations_shown) text += fmt::format("      and {} more\n", others - operations_shown);
  return text;
}

// Everything that was found, what the level permits last, into the files that were asked for.
void draw(const checkers::Verdict& verdict, const CheckOptions& options) {
  std::vector<checkers::Anomaly> found = verdict.anomalies;
  found.insert(found.end(), verdict.exposures.begin(), verdict.exposures.end());
  const auto write = [](const std::string& path, const std::string& text) {
    if (const auto written = write_file(path, text); !written) throw UsageError(written.error().message);
  };
  if (!options.dot.empty()) write(options.dot, checkers::to_dot(found));
  if (!options.svg.empty()) write(options.svg, checkers::to_svg(found));
}

std::string text_of(const checkers::Verdict& verdict, const CheckOptions& options) {
  const bool levels = has_level(options);
  std::string text =
      fmt::format("{}  {}: {}{}, {} checked\n", checkers::to_string(verdict.validity), name_of_input(options.history),
                  options.model, levels ? " at " + level_of(options) : "",
                  reports::counted(verdict.operations_checked, "operation"));
  if (const std::string reason = reason_of(verdict); !reason.empty()) text += fmt::format("\n  {}\n", reason);
  for (const checkers::Anomaly& anomaly : verdict.anomalies) text += anomaly_text(anomaly);
  if (!verdict.exposures.empty()) {
    text += fmt::format("\n  permitted{}, and seen: {}\n", levels ? " at this level" : "",
                        joined(names_of_anomalies(verdict.exposures)));
  }
  if (!verdict.not_models.empty()) text += fmt::format("\n  the history is not {}\n", joined(verdict.not_models));
  if (!verdict.also_not.empty()) text += fmt::format("  and therefore not {}\n", joined(verdict.also_not));
  if (!verdict.levels.empty()) {
    text += "\n" + levels_text(verdict, checkers::Validity::valid, "levels that hold:  ") +
            levels_text(verdict, checkers::Validity::invalid, "that do not hold:  ") +
            levels_text(verdict, checkers::Validity::unknown, "not decided (no order of versions):  ");
  }
  return text;
}

}  // namespace

std::vector<std::string> check_models() {
  std::vector<std::string> models{"list-append", "rw-register", "bank", "read-committed-cluster"};
  for (const checkers::NamedChecker& checker : checkers::named_checkers()) models.push_back(checker.info.name);
  return models;
}

int check_command(const CheckOptions& options) {
  check_arguments(options);
  const std::unique_ptr<ElleProcess> elle = options.elle ? start_elle() : nullptr;
  std::optional<checkers::History> history;
  const checkers::Verdict verdict = verdict_on(options, history);
  draw(verdict, options);
  std::optional<checkers::SecondOpinion> second;
  if (elle) second = second_opinion(*elle, *history, verdict, options);
  if (options.json) {
    nlohmann::ordered_json object = json_of(verdict);
    if (second) object["elle"] = json_of(*second, *elle);
    print(dump(object));
  } else {
    print(text_of(verdict, options));
    if (second) print(fmt::format("\n  {} {}\n", elle_name(*elle), second->explanation));
  }
  if (second && second->agreement == checkers::Agreement::disagreed) return exit_status::elle_disagreement;
  return verdict.validity == checkers::Validity::valid ? exit_status::passed : exit_status::not_passed;
}

}  // namespace polarsim::scenarios::cli
