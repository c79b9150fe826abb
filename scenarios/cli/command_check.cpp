#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/explanation_pictures.h"
#include "checkers/history.h"
#include "scenarios/artifacts.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

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

// Everything about the arguments is checked before the file is read, so that a slip does not cost the reading of a
// large history.
void check_arguments(const CheckOptions& options) {
  const std::vector<std::string> models{"list-append", "rw-register", "bank"};
  if (std::find(models.begin(), models.end(), options.model) == models.end()) {
    throw UsageError(fmt::format("--model: expected one of {}, found \"{}\"", joined(models), options.model));
  }
  if (!options.infer.empty() && options.model != "rw-register") {
    throw UsageError(fmt::format("--infer: only rw-register infers an order of versions, not {}", options.model));
  }
  register_options(options);
  if (options.model == "bank") {
    bank_options(options);
  } else if (!checkers::is_known_level(options.level)) {
    throw UsageError(
        fmt::format("--level: expected one of {}, found \"{}\"", joined(checkers::known_levels()), options.level));
  }
}

checkers::Verdict verdict_on(const checkers::History& history, const CheckOptions& options) {
  if (options.model == "bank") return checkers::check_bank(history, bank_options(options));
  const checkers::Level level{.model = options.level, .every_level = true};
  return options.model == "list-append" ? checkers::check_list_append(history, level)
                                        : checkers::check_rw_register(history, level, register_options(options));
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

std::string json_of(const checkers::Verdict& verdict) {
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
  return dump(object);
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
  const bool has_level = options.model != "bank";
  std::string text =
      fmt::format("{}  {}: {}{}, {} checked\n", checkers::to_string(verdict.validity), options.history, options.model,
                  has_level ? " at " + options.level : "", reports::counted(verdict.operations_checked, "operation"));
  if (const std::string reason = reason_of(verdict); !reason.empty()) text += fmt::format("\n  {}\n", reason);
  for (const checkers::Anomaly& anomaly : verdict.anomalies) text += anomaly_text(anomaly);
  if (!verdict.exposures.empty()) {
    text += fmt::format("\n  permitted{}, and seen: {}\n", has_level ? " at this level" : "",
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

int check_command(const CheckOptions& options) {
  check_arguments(options);
  const auto text = read_file(options.history);
  if (!text) throw UsageError(text.error().message);
  const auto history = checkers::read_history(*text, options.history);
  if (!history) throw UsageError(history.error().message);
  const checkers::Verdict verdict = verdict_on(*history, options);
  draw(verdict, options);
  print(options.json ? json_of(verdict) : text_of(verdict, options));
  return verdict.validity == checkers::Validity::valid ? exit_status::passed : exit_status::not_passed;
}

}  // namespace polarsim::scenarios::cli
