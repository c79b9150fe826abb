#include "reports/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/timeline.h"

namespace polarsim::reports {

namespace {

constexpr const char* style_sheet = R"(
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1160px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
.verdict { display: inline-block; padding: 0 .6em; border-radius: .3em; color: #fff; }
.verdict.valid { background: #2a7f3f; } .verdict.invalid { background: #b3261e; } .verdict.unknown { background: #8a6100; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .15em 1.2em .15em 0; vertical-align: top; }
th { font-weight: 600; } code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; white-space: pre-wrap; border-left: 3px solid #8888; padding-left: .8em; }
svg { width: 100%; height: auto; } svg text { font: 10px system-ui, sans-serif; fill: currentColor; }
svg .ok { fill: #4c8fd6; } svg .fail { fill: #d98c2b; } svg .unknown { fill: #9a7bc8; } svg .fault { fill: #c0504d; }
svg .named { stroke: #d40000; stroke-width: 2; } svg .tick { stroke: currentColor; }
.key span { margin-right: 1.4em; } .key b { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
)";

std::string verdict_badge(Outcome outcome) {
  return fmt::format("<span class='verdict {0}'>{0}</span>", to_string(outcome));
}

std::string table_row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, escaped(value));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string overview(const RunReport& report) {
  const RunSummary& run = report.summary;
  std::string html = "<table>\n";
  html += table_row("Cluster", joined(run.nodes));
  html += table_row("Virtual time", fmt::format("{:.3f} s", static_cast<double>(run.virtual_time_ns) * 1e-9));
  html += table_row("Transactions", fmt::format("{} ok, {} failed, {} unknown", grouped(run.transactions_ok),
                                                grouped(run.transactions_failed), grouped(run.transactions_unknown)));
  html += table_row("Faults", fmt::format("{} of {} scheduled struck (profile {})", run.faults_struck,
                                          run.faults_scheduled, run.fault_profile));
  if (!run.planted.empty()) html += table_row("Planted bugs", joined(run.planted));
  if (!run.overrides.empty()) html += table_row("Set on the command line", joined(run.overrides));
  html += table_row("Build", fmt::format("{}, {}, {}", run.build.version, run.build.compiler, run.build.build_type));
  html += fmt::format("<tr><th>Digest</th><td><code>{}</code></td></tr>\n", escaped(run.digest));
  html += fmt::format("<tr><th>Repeat it</th><td><code>{}</code></td></tr>\n", escaped(report.replay_command));
  return html + "</table>\n";
}

std::string findings(std::string_view title, const std::vector<Finding>& list,
                     const std::vector<std::string>& pictures) {
  std::string html;
  for (std::size_t i = 0; i < list.size(); ++i) {
    html += fmt::format("<h3>{}: {}</h3>\n<pre>{}</pre>\n", title, escaped(list[i].name), escaped(list[i].explanation));
    if (i < pictures.size()) html += pictures[i];
  }
  return html;
}

std::string check_section(const CheckSummary& check, const std::vector<std::string>& pictures) {
  const std::string level = check.level.empty() ? "" : " at " + check.level;
  std::string html =
      fmt::format("<h2>{}{} {}</h2>\n", escaped(check.name), escaped(level), verdict_badge(check.verdict));
  html += fmt::format("<p>{} checked.", counted(check.operations_checked, "operation"));
  if (!check.reason.empty()) html += " " + escaped(check.reason);
  if (!check.not_models.empty()) html += fmt::format(" The history is not {}.", escaped(joined(check.not_models)));
  if (!check.also_not.empty()) html += fmt::format(" Therefore it is not {} either.", escaped(joined(check.also_not)));
  html += "</p>\n" + findings("Anomaly", check.anomalies, pictures);
  return html + findings("Permitted at this level", check.exposures, {});
}

std::string key_of_colours() {
  const auto entry = [](const char* colour, const char* text) {
    return fmt::format("<span><b style='background:{}'></b>{}</span>", colour, text);
  };
  return "<p class='key'>" + entry("#4c8fd6", "ok") + entry("#d98c2b", "failed") + entry("#9a7bc8", "unknown outcome") +
         entry("#c0504d", "fault") + entry("#d40000", "outlined: named by an anomaly below") + "</p>\n";
}

std::string timeline_section(const RunReport& report) {
  const Timeline timeline = draw_timeline(report);
  std::string html = "<h2>Timeline</h2>\n" + key_of_colours() + timeline.svg;
  html += fmt::format(
      "<p>{} of {} are drawn one by one; rest the pointer on one to read it. "
      "The times written beside faults count from the start of the workload.",
      grouped(timeline.operations_shown), counted(report.operations.size(), "operation"));
  if (timeline.faults_shown < report.faults.size()) {
    html += fmt::format(" The first {} of {} faults are drawn; schedule.json lists all.", timeline.faults_shown,
                        report.faults.size());
  }
  return html + "</p>\n";
}

std::string exposure_section(const ExposureReport& exposure) {
  std::string html = "<h2>Exposure</h2>\n<table>\n";
  for (const ExposureReport::Group& group : exposure.groups) {
    const double share =
        group.reads == 0 ? 0 : static_cast<double>(group.fractured) * 1e6 / static_cast<double>(group.reads);
    html +=
        table_row(group.name, fmt::format("{} of {} fractured, {} in a million", grouped(group.fractured),
                                          counted(group.reads, "read"), grouped(static_cast<std::uint64_t>(share))));
  }
  if (exposure.atomic_after_healing_ns) {
    html += table_row("Every commit everywhere",
                      fmt::format("{:.3f} s after the faults had ended",
                                  static_cast<double>(*exposure.atomic_after_healing_ns) * 1e-9));
  }
  return html + "</table>\n" + draw_exposure(exposure);
}

std::string counts_section(std::string_view title, const Counts& counts) {
  if (counts.empty()) return "";
  std::string html = fmt::format("<details><summary>{} ({})</summary>\n<table>\n", title, counts.size());
  for (const auto& [name, count] : counts) {
    html += fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>\n", escaped(name), grouped(count));
  }
  return html + "</table>\n</details>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else if (code < 0x20 && c != '\n' && c != '\t')
      result += "\xEF\xBF\xBD";  // XML cannot carry control characters, not even as references
    else
      result += c;
  }
  return result;
}

std::string render_html(const RunReport& report) {
  const RunSummary& run = report.summary;
  const std::string title = fmt::format("{}, seed {}", run.scenario, run.seed);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n<title>{}: {}</title>\n<style>{}</style>\n",
      escaped(title), to_string(run.verdict), style_sheet);
  html += fmt::format("<h1>{} {}</h1>\n", escaped(title), verdict_badge(run.verdict));
  html += overview(report);
  html += timeline_section(report);
  for (std::size_t i = 0; i < run.checks.size(); ++i) {
    html += check_section(run.checks[i], i < report.pictures.size() ? report.pictures[i] : std::vector<std::string>());
  }
  if (report.exposure) html += exposure_section(*report.exposure);
  html += "<h2>Where the run has been</h2>\n";
  html += counts_section("Probes reached", run.probes) + counts_section("Fault points visited", run.fault_points);
  html += fmt::format("<details><summary>Scenario</summary>\n<pre>{}</pre>\n</details>\n</html>\n",
                      escaped(run.scenario_text));
  return html;
}

}  // namespace polarsim::reports
