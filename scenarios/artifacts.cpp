#include "scenarios/artifacts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "checkers/explanation_pictures.h"
#include "checkers/exposure.h"
#include "checkers/history.h"

namespace polarsim::scenarios {

namespace {

reports::Outcome outcome_of(checkers::Validity validity) {
  switch (validity) {
    case checkers::Validity::valid:
      return reports::Outcome::valid;
    case checkers::Validity::invalid:
      return reports::Outcome::invalid;
    case checkers::Validity::unknown:
      return reports::Outcome::unknown;
  }
  return reports::Outcome::unknown;
}

std::vector<reports::Finding> findings_of(const std::vector<checkers::Anomaly>& anomalies) {
  std::vector<reports::Finding> findings;
  for (const checkers::Anomaly& anomaly : anomalies)
    findings.push_back({anomaly.name, anomaly.explanation, anomaly.operations});
  return findings;
}

reports::CheckSummary check_of(const checkers::Verdict& verdict, const Scenario& scenario) {
  reports::CheckSummary check;
  check.name = verdict.checker;
  for (const CheckerRequest& request : scenario.checkers) {
    if (request.name == verdict.checker) check.level = request.level;
  }
  check.verdict = outcome_of(verdict.validity);
  check.reason = verdict.reason;
  check.operations_checked = verdict.operations_checked;
  check.anomalies = findings_of(verdict.anomalies);
  check.exposures = findings_of(verdict.exposures);
  check.not_models = verdict.not_models;
  check.also_not = verdict.also_not;
  check.counts = verdict.counts;
  std::sort(check.counts.begin(), check.counts.end());
  return check;
}

std::string system_error(const std::string& path, const char* what, int error) {
  return fmt::format("{}: cannot {}: {}", path, what, std::strerror(error));
}

// Writes all bytes and forces them to the device; 0, or errno.
int write_durably(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return errno;
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      error = errno;
  }
  if (error == 0 && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

tl::expected<std::vector<engine::PlantedBug>, InputError> planted_from(const std::vector<std::string>& names,
                                                                       const std::string& file) {
  std::vector<engine::PlantedBug> planted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto bug = engine::find_planted_bug(names[i]);
    if (!bug)
      return tl::unexpected(
          InputError{fmt::format("{}: planted[{}]: this build has no bug \"{}\"", file, i, names[i])});
    planted.push_back(*bug);
  }
  return planted;
}

std::string digest_of(const faults::Schedule& schedule) {
  return fmt::format("{:016x}", sim::stable_hash(faults::to_json(schedule)));
}

// Of the kinds of faults only this one can miss without anybody having meant it: by a misspelt point.
std::vector<std::string> crashes_not_struck(const RunRecord& record) {
  std::vector<std::string> lines;
  for (const faults::Fault& fault : record.schedule.faults) {
    if (fault.kind != faults::FaultKind::crash_at_point || fault.targets.empty()) continue;
    const auto visited = record.fault_points.find(fault.point);
    const std::uint64_t visits = visited == record.fault_points.end() ? 0 : visited->second;
    if (visits >= fault.occurrence) continue;  // visits count over all hosts, so this is no proof that it struck
    const std::string reason = visits == 0 ? "this run never visited that point"
                                           : fmt::format("this run made {}, the fault waits for number {}",
                                                         reports::counted(visits, "visit"), fault.occurrence);
    lines.push_back(
        fmt::format("{} {} {} ({})", faults::to_string(fault.kind), fault.targets.front(), fault.point, reason));
  }
  return lines;
}

std::string history_text(const checkers::History& history) {
  std::ostringstream out;
  checkers::write_edn(history, out);
  return out.str();
}

// Fault times count from the start of the workload, whose first trace is the first operation.
std::int64_t workload_start_ns(const checkers::History& history) {
  return history.events.empty() ? 0 : history.events.front().time_ns;
}

reports::OperationEnd end_of(checkers::EventType type) {
  switch (type) {
    case checkers::EventType::ok:
      return reports::OperationEnd::ok;
    case checkers::EventType::fail:
      return reports::OperationEnd::fail;
    case checkers::EventType::info:
    case checkers::EventType::invoke:
      return reports::OperationEnd::unknown;
  }
  return reports::OperationEnd::unknown;
}

std::string shortened(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  text.resize(limit);
  return text + " ...";
}

std::vector<reports::OperationSpan> operations_of(const RunRecord& record) {
  std::vector<reports::OperationSpan> spans;
  for (const checkers::History::Pair& pair : record.history.pairs()) {
    const checkers::Event& invocation = record.history.events[static_cast<std::size_t>(pair.invoke)];
    const bool completed = pair.completion >= 0;
    const checkers::Event& last =
        completed ? record.history.events[static_cast<std::size_t>(pair.completion)] : invocation;
    reports::OperationSpan span;
    span.index = last.index;
    span.invoke_index = invocation.index;
    span.process = invocation.process;
    span.start_ns = invocation.time_ns;
    span.end_ns = completed ? last.time_ns : std::max<std::int64_t>(record.virtual_time.count(), invocation.time_ns);
    span.end = end_of(last.type);
    span.text = shortened(checkers::event_to_edn(last, record.history), 400);
    spans.push_back(std::move(span));
  }
  return spans;
}

reports::ExposureReport exposure_of(const checkers::Exposure& exposure) {
  reports::ExposureReport report;
  for (const checkers::ExposureGroup& group : exposure.groups)
    report.groups.push_back({group.name, group.reads, group.fractured, group.commits});
  for (const checkers::WindowBin& window : exposure.windows)
    report.windows.push_back({window.up_to_ns, window.commits, window.fractured});
  report.p50_ns = exposure.p50_ns;
  report.p90_ns = exposure.p90_ns;
  report.p99_ns = exposure.p99_ns;
  report.max_ns = exposure.max_ns;
  report.atomic_after_healing_ns = exposure.atomic_after_healing_ns;
  return report;
}

}  // namespace

reports::RunSummary summarise(const Scenario& scenario, const std::vector<std::string>& overrides,
                              const RunRecord& record, const reports::BuildInfo& build) {
  reports::RunSummary summary;
  summary.scenario = scenario.name;
  summary.scenario_source = scenario.source_name;
  summary.scenario_text = scenario.source_text;
  summary.overrides = overrides;
  summary.seed = record.seed;
  summary.planted = record.planted;
  summary.build = build;
  summary.verdict = outcome_of(record.validity);
  summary.signature = record.signature;
  summary.seen = record.seen;
  summary.expected_missing = record.expected_missing;
  for (const checkers::Verdict& verdict : record.verdicts) summary.checks.push_back(check_of(verdict, scenario));
  summary.nodes = record.nodes;
  summary.fault_profile = record.schedule.profile;
  summary.schedule_digest = digest_of(record.schedule);
  summary.not_struck = crashes_not_struck(record);
  summary.virtual_time_ns = record.virtual_time.count();
  summary.transactions_ok = record.transactions_ok;
  summary.transactions_failed = record.transactions_failed;
  summary.transactions_unknown = record.transactions_info;
  summary.faults_scheduled = record.faults_scheduled;
  summary.faults_struck = record.faults_struck;
  summary.scheduler_events = record.scheduler_events;
  summary.history_events = record.history.events.size();
  summary.digest_records = record.digest_records;
  summary.digest = record.digest.hex();
  summary.ladder_interval = record.ladder_interval;
  for (const sim::Digest128& rung : record.ladder) summary.ladder.push_back(rung.hex());
  summary.probes.assign(record.probes.begin(), record.probes.end());
  summary.fault_points.assign(record.fault_points.begin(), record.fault_points.end());
  return summary;
}

reports::RunReport make_report(const reports::RunSummary& summary, const RunRecord& record,
                               const std::string& replay_command) {
  reports::RunReport report;
  report.summary = summary;
  report.replay_command = replay_command;
  report.operations = operations_of(record);
  for (const checkers::Verdict& verdict : record.verdicts) {
    std::vector<std::string>& pictures = report.pictures.emplace_back();
    for (const checkers::Anomaly& anomaly : verdict.anomalies) pictures.push_back(checkers::to_inline_svg(anomaly));
  }
  const std::int64_t start_ns = workload_start_ns(record.history);
  for (const faults::Fault& fault : record.schedule.faults) {
    const std::int64_t at_ns = start_ns + fault.at.count();
    report.faults.push_back(
        {at_ns, at_ns + std::max<std::int64_t>(fault.duration.count(), 0), faults::describe(fault)});
  }
  if (record.watched) report.exposure = exposure_of(checkers::measure_exposure(record.history));
  return report;
}

tl::expected<void, InputError> write_file(const std::string& path, std::string_view bytes) {
  if (const auto replaceable = check_replaceable(path); !replaceable) return replaceable;
  const std::string temporary = path + ".tmp";
  int error = write_durably(temporary, bytes);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(temporary.c_str());
  return tl::unexpected(InputError{system_error(path, "write", error)});
}

tl::expected<void, InputError> prepare_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return tl::unexpected(InputError{fmt::format("{}: cannot make this folder: {}", folder, error.message())});
  const std::string test_file = folder + "/.writable";
  const int write_error = write_durably(test_file, "");
  if (write_error != 0) return tl::unexpected(InputError{system_error(folder, "write into this folder", write_error)});
  ::unlink(test_file.c_str());
  return {};
}

tl::expected<void, InputError> write_run_folder(const std::string& folder, const reports::RunSummary& summary,
                                                const RunRecord& record, const std::string& replay_command,
                                                TraceOutput* trace) {
  const auto prepared = prepare_folder(folder);
  if (!prepared) return prepared;
  // Without its run.json a folder is no capsule, so a half replaced one cannot be taken for one.
  ::unlink((folder + "/run.json").c_str());
  for (const char* name : {"/trace.bin", "/decisions.bin", "/exposure.json", "/exposure.svg", "/elle.json"})
    ::unlink((folder + name).c_str());
  if (trace != nullptr) {
    const auto kept = trace->keep();
    if (!kept) return kept;
  }
  std::vector<std::pair<std::string, std::string>> files;
  files.emplace_back("schedule.json", faults::to_json(record.schedule));
  files.emplace_back("history.edn", history_text(record.history));
  if (record.decisions.size() > 0) files.emplace_back("decisions.bin", record.decisions.to_bytes());
  const reports::RunReport report = make_report(summary, record, replay_command);
  files.emplace_back("report.html", reports::render_html(report));
  if (report.exposure) {
    files.emplace_back("exposure.json", reports::to_json(*report.exposure));
    files.emplace_back("exposure.svg", reports::draw_exposure(*report.exposure));
  }
  files.emplace_back("run.json", reports::to_json(summary));
  for (const auto& [name, bytes] : files) {
    const auto written = write_file(folder + "/" + name, bytes);
    if (!written) return written;
  }
  return {};
}

void remove_run_folder(const std::string& folder) {
  for (const char* name : {"run.json", "schedule.json", "history.edn", "trace.bin", "decisions.bin", "report.html",
                           "exposure.json", "exposure.svg", "elle.json"}) {
    ::unlink((std::filesystem::path(folder) / name).c_str());
  }
  ::rmdir(folder.c_str());
}

tl::expected<Capsule, InputError> read_capsule(const std::string& path) {
  Capsule capsule;
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const std::string run_file = is_folder ? (std::filesystem::path(path) / "run.json").string() : path;
  capsule.folder = is_folder ? path : std::filesystem::path(path).parent_path().string();
  if (capsule.folder.empty()) capsule.folder = ".";

  const auto text = read_file(run_file, largest_input_bytes);
  if (!text) return tl::unexpected(text.error());
  auto summary = reports::parse_run_summary(*text, run_file);
  if (!summary) return tl::unexpected(InputError{summary.error()});
  capsule.summary = std::move(*summary);

  auto scenario =
      parse_scenario(capsule.summary.scenario_text, capsule.summary.scenario_source, capsule.summary.overrides);
  if (!scenario) return tl::unexpected(InputError{fmt::format("{}: scenario: {}", run_file, scenario.error().message)});
  capsule.scenario = std::move(*scenario);
  capsule.scenario.name = capsule.summary.scenario;

  auto planted = planted_from(capsule.summary.planted, run_file);
  if (!planted) return tl::unexpected(planted.error());
  capsule.planted = std::move(*planted);

  const std::string schedule_file = (std::filesystem::path(capsule.folder) / "schedule.json").string();
  const auto schedule_text = read_file(schedule_file, largest_input_bytes);
  if (!schedule_text) return tl::unexpected(schedule_text.error());
  auto schedule = faults::schedule_from_json(*schedule_text, schedule_file);
  if (!schedule) return tl::unexpected(InputError{schedule.error()});
  capsule.schedule = std::move(*schedule);
  capsule.schedule_edited = digest_of(capsule.schedule) != capsule.summary.schedule_digest;
  // A schedule edited by hand may name hosts that this cluster does not have.
  const std::string mistake = faults::validate(capsule.schedule, topology_of(capsule.scenario));
  if (!mistake.empty()) return tl::unexpected(InputError{fmt::format("{}: {}", schedule_file, mistake)});
  return capsule;
}

std::vector<std::string> differences(const reports::RunSummary& recorded, const reports::RunSummary& replayed,
                                     bool prefix) {
  std::vector<std::string> lines;
  const std::size_t common = std::min(recorded.ladder.size(), replayed.ladder.size());
  const auto first = std::mismatch(
      recorded.ladder.begin(), recorded.ladder.begin() + static_cast<std::ptrdiff_t>(common), replayed.ladder.begin());
  const auto rung = static_cast<std::uint64_t>(first.first - recorded.ladder.begin());
  const std::uint64_t interval = recorded.ladder_interval;
  if (recorded.ladder_interval != replayed.ladder_interval) {
    lines.push_back(fmt::format("the ladder has a rung every {} records, recorded was every {}",
                                replayed.ladder_interval, interval));
  } else if (rung < common) {
    lines.push_back(fmt::format(
        "rung {} of the digest ladder is the first that differs (records {} to {} of {}): {}, recorded was {}", rung,
        rung * interval, (rung + 1) * interval, recorded.digest_records, *first.second, *first.first));
  } else if (!prefix && recorded.ladder.size() != replayed.ladder.size()) {
    lines.push_back(fmt::format("the digest ladder has {} rungs, recorded were {}; the first {} agree",
                                replayed.ladder.size(), recorded.ladder.size(), common));
  }
  if (prefix) return lines;
  if (recorded.digest != replayed.digest) {
    lines.push_back(fmt::format("the digest is {}, recorded was {}", replayed.digest, recorded.digest));
  }
  if (recorded.verdict != replayed.verdict || recorded.signature != replayed.signature) {
    const auto named = [](const reports::RunSummary& run) {
      return std::string(reports::to_string(run.verdict)) + (run.signature.empty() ? "" : " (" + run.signature + ")");
    };
    lines.push_back(fmt::format("the verdict is {}, recorded was {}", named(replayed), named(recorded)));
  } else if (recorded.checks != replayed.checks) {
    lines.push_back("the checks' findings are not those recorded");
  }
  return lines;
}

}  // namespace polarsim::scenarios
