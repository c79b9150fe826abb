#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/run_summary.h"
#include "reports/strict_json.h"

namespace polarsim::reports {

namespace {

// Keys keep the order in which they are written, so that the file reads from the verdict down to the details.
using OrderedJson = nlohmann::ordered_json;

OrderedJson findings_to_json(const std::vector<Finding>& findings) {
  OrderedJson list = OrderedJson::array();
  for (const Finding& finding : findings) {
    list.push_back({{"name", finding.name}, {"explanation", finding.explanation}, {"operations", finding.operations}});
  }
  return list;
}

OrderedJson counts_to_json(const Counts& counts) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

OrderedJson check_to_json(const CheckSummary& check) {
  OrderedJson object;
  object["name"] = check.name;
  object["level"] = check.level;
  object["verdict"] = to_string(check.verdict);
  object["reason"] = check.reason;
  object["operations_checked"] = check.operations_checked;
  object["anomalies"] = findings_to_json(check.anomalies);
  object["exposures"] = findings_to_json(check.exposures);
  object["not"] = check.not_models;
  object["also_not"] = check.also_not;
  object["counts"] = counts_to_json(check.counts);
  return object;
}

OrderedJson counters_to_json(const RunSummary& summary) {
  OrderedJson object;
  object["virtual_time_ns"] = summary.virtual_time_ns;
  object["transactions_ok"] = summary.transactions_ok;
  object["transactions_failed"] = summary.transactions_failed;
  object["transactions_unknown"] = summary.transactions_unknown;
  object["faults_scheduled"] = summary.faults_scheduled;
  object["faults_struck"] = summary.faults_struck;
  object["scheduler_events"] = summary.scheduler_events;
  object["history_events"] = summary.history_events;
  object["digest_records"] = summary.digest_records;
  return object;
}

Outcome read_outcome(const StrictJson& value) {
  const std::string name = value.text();
  for (const Outcome outcome : {Outcome::valid, Outcome::invalid, Outcome::unknown}) {
    if (name == to_string(outcome)) return outcome;
  }
  value.fail("one of valid, invalid, unknown");
}

std::string read_digest(const StrictJson& value) {
  std::string digest = value.text();
  const bool hexadecimal = digest.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digest.size() != 32 || !hexadecimal) value.fail("32 lower-case hexadecimal digits");
  return digest;
}

std::vector<Finding> read_findings(const StrictJson& list) {
  std::vector<Finding> findings;
  for (const StrictJson& element : list.elements()) {
    element.require_keys({"name", "explanation", "operations"});
    Finding finding{element.at("name").text(), element.at("explanation").text(), {}};
    for (const StrictJson& operation : element.at("operations").elements())
      finding.operations.push_back(operation.integer());
    findings.push_back(std::move(finding));
  }
  return findings;
}

Counts read_counts(const StrictJson& object) {
  Counts counts;
  for (const auto& [name, count] : object.members()) counts.emplace_back(name, count.natural());
  std::sort(counts.begin(), counts.end());
  return counts;
}

CheckSummary read_check(const StrictJson& object) {
  object.require_keys({"name", "level", "verdict", "reason", "operations_checked", "anomalies", "exposures", "not",
                       "also_not", "counts"});
  CheckSummary check;
  check.name = object.at("name").text();
  check.level = object.at("level").text();
  check.verdict = read_outcome(object.at("verdict"));
  check.reason = object.at("reason").text();
  check.operations_checked = object.at("operations_checked").natural();
  check.anomalies = read_findings(object.at("anomalies"));
  check.exposures = read_findings(object.at("exposures"));
  check.not_models = object.at("not").texts();
  check.also_not = object.at("also_not").texts();
  check.counts = read_counts(object.at("counts"));
  return check;
}

void read_counters(const StrictJson& object, RunSummary& summary) {
  object.require_keys({"virtual_time_ns", "transactions_ok", "transactions_failed", "transactions_unknown",
                       "faults_scheduled", "faults_struck", "scheduler_events", "history_events", "digest_records"});
  summary.virtual_time_ns = object.at("virtual_time_ns").integer();
  summary.transactions_ok = object.at("transactions_ok").natural();
  summary.transactions_failed = object.at("transactions_failed").natural();
  summary.transactions_unknown = object.at("transactions_unknown").natural();
  summary.faults_scheduled = object.at("faults_scheduled").natural();
  summary.faults_struck = object.at("faults_struck").natural();
  summary.scheduler_events = object.at("scheduler_events").natural();
  summary.history_events = object.at("history_events").natural();
  summary.digest_records = object.at("digest_records").natural();
}

void read_scenario(const StrictJson& object, RunSummary& summary) {
  object.require_keys({"name", "source", "text", "overrides"});
  summary.scenario = object.at("name").text();
  summary.scenario_source = object.at("source").text();
  summary.scenario_text = object.at("text").text();
  summary.overrides = object.at("overrides").texts();
}

RunSummary read_summary(const StrictJson& top) {
  // The version is read first: a file of another version fails for that reason and not for its first unknown key.
  const StrictJson format = top.at("format");
  if (format.integer() != run_format) format.fail(fmt::format("format {}", run_format));
  top.require_keys(
      {"format",   "verdict",          "signature",       "scenario", "seed",          "planted",         "build",
       "seen",     "expected_missing", "checks",          "nodes",    "fault_profile", "schedule_digest", "not_struck",
       "counters", "digest",           "ladder_interval", "ladder",   "probes",        "fault_points"});
  RunSummary summary;
  summary.verdict = read_outcome(top.at("verdict"));
  summary.signature = top.at("signature").text();
  read_scenario(top.at("scenario"), summary);
  summary.seed = top.at("seed").natural();
  summary.planted = top.at("planted").texts();
  const StrictJson build = top.at("build");
  build.require_keys({"version", "compiler", "build_type"});
  summary.build = BuildInfo{build.at("version").text(), build.at("compiler").text(), build.at("build_type").text()};
  summary.seen = top.at("seen").texts();
  summary.expected_missing = top.at("expected_missing").texts();
  for (const StrictJson& check : top.at("checks").elements()) summary.checks.push_back(read_check(check));
  summary.nodes = top.at("nodes").texts();
  summary.fault_profile = top.at("fault_profile").text();
  summary.schedule_digest = top.at("schedule_digest").text();
  summary.not_struck = top.at("not_struck").texts();
  read_counters(top.at("counters"), summary);
  summary.digest = read_digest(top.at("digest"));
  summary.ladder_interval = top.at("ladder_interval").natural();
  for (const StrictJson& rung : top.at("ladder").elements()) summary.ladder.push_back(read_digest(rung));
  summary.probes = read_counts(top.at("probes"));
  summary.fault_points = read_counts(top.at("fault_points"));
  return summary;
}

}  // namespace

std::string to_json(const RunSummary& summary) {
  OrderedJson document;
  document["format"] = run_format;
  document["verdict"] = to_string(summary.verdict);
  document["signature"] = summary.signature;
  document["scenario"] = {{"name", summary.scenario},
                          {"source", summary.scenario_source},
                          {"text", summary.scenario_text},
                          {"overrides", summary.overrides}};
  document["seed"] = summary.seed;
  document["planted"] = summary.planted;
  document["build"] = {{"version", summary.build.version},
                       {"compiler", summary.build.compiler},
                       {"build_type", summary.build.build_type}};
  document["seen"] = summary.seen;
  document["expected_missing"] = summary.expected_missing;
  document["checks"] = OrderedJson::array();
  for (const CheckSummary& check : summary.checks) document["checks"].push_back(check_to_json(check));
  document["nodes"] = summary.nodes;
  document["fault_profile"] = summary.fault_profile;
  document["schedule_digest"] = summary.schedule_digest;
  document["not_struck"] = summary.not_struck;
  document["counters"] = counters_to_json(summary);
  document["digest"] = summary.digest;
  document["ladder_interval"] = summary.ladder_interval;
  document["ladder"] = summary.ladder;
  document["probes"] = counts_to_json(summary.probes);
  document["fault_points"] = counts_to_json(summary.fault_points);
  return document.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

tl::expected<RunSummary, std::string> parse_run_summary(std::string_view text, std::string_view file_name) {
  try {
    const nlohmann::json document = parse_strict_json(text, file_name);
    return read_summary(StrictJson(document, file_name, ""));
  } catch (const StrictJsonError& error) {
    return tl::unexpected(std::string(error.what()));
  }
}

}  // namespace polarsim::reports
