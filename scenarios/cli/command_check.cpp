#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "checkers/checkers.h"
#include "checkers/cluster_log.h"
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
  if (!log) throw UsageError(fmt::format("{}: {}", options.history, log.error()));
  std::vector<checkers::SnapshotAt> snapshots;
  for (const checkers::Event& event : history.events) {
    const auto read = checkers::read_snapshots(event, *log, snapshots);
    if (!read) throw UsageError(fmt::format("{}: {}", options.history, read.error()));
  }
  return checkers::check_read_committed_cluster(history, cluster_options(options));
}

// Everything about the arguments is checked before the file is read, so that a slip does not cost the reading of a
// large history.
void check_arguments(const CheckOptions& options) {
  const std::vector<std::string> models{"list-append", "rw-register", "bank", "read-committed-cluster"};
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
  if (options.model == "bank") {
    bank_options(options);
  } else if (options.model == "read-committed-cluster") {
    if (options.level != CheckOptions{}.level) throw UsageError("--level: read-committed-cluster has no levels");
  } else if (!checkers::is_known_level(options.level)) {
    throw UsageError(
        fmt::format("--level: expected one of {}, found \"{}\"", joined(checkers::known_levels()), options.level));
  }
}

checkers::Verdict verdict_on(const checkers::History& history, const CheckOptions& options) {
  if (options.model == "bank") return checkers::check_bank(history, bank_options(options));
  if (options.model == "read-committed-cluster") return cluster_verdict_on(history, options);
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
  return dump(object);
}

std::string levels_text(const checkers::Verdict& verdict, checkers::Validity validity, std::string_view heading) {
  std::vector<std::string> names;
  for (const checkers::LevelDecision& decision : verdict.levels) {
    if (decision.validity == validity) names.push_back(decision.level);
  }
  return names.empty() ? "" : fmt::format("  {}{}\n", heading, joined(names));
}

std::string text_of(const checkers::Verdict& verdict, const CheckOptions& options) {
  const bool has_level = options.model != "bank" && options.model != "read-committed-cluster";
  std::string text =
      fmt::format("{}  {}: {}{}, {} checked\n", checkers::to_string(verdict.validity), options.history, options.model,
                  has_level ? " at " + options.level : "", reports::counted(verdict.operations_checked, "operation"));
  if (const std::string reason = reason_of(verdict); !reason.empty()) text += fmt::format("\n  {}\n", reason);
  for (const checkers::Anomaly& anomaly : verdict.anomalies)
    text += fmt::format("\n  {}\n    {}\n", anomaly.name, anomaly.explanation);
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
  print(options.json ? json_of(verdict) : text_of(verdict, options));
  return verdict.validity == checkers::Validity::valid ? exit_status::passed : exit_status::not_passed;
}

}  // namespace polarsim::scenarios::cli
