#include "reports/run_summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace polarsim::reports {

namespace {

constexpr const char* bold = "\033[1m";
constexpr const char* dim = "\033[2m";
constexpr const char* red = "\033[31m";
constexpr const char* green = "\033[32m";
constexpr const char* yellow = "\033[33m";

std::string styled(std::string_view text, const char* style, bool color) {
  if (!color) return std::string(text);
  return fmt::format("{}{}\033[0m", style, text);
}

const char* style_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::valid:
      return green;
    case Outcome::invalid:
      return red;
    case Outcome::unknown:
      return yellow;
  }
  return yellow;
}

// Breaks at blanks; keeps line breaks of its own. A word longer than the width stands alone and is not cut.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  const std::size_t room = std::max<std::size_t>(width > indent ? width - indent : 0, 20);
  std::string result;
  while (!text.empty()) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, line_end);
    text.remove_prefix(std::min(line_end + 1, text.size()));
    do {
      std::size_t cut = line.size();
      if (line.size() > room) {
        const std::size_t blank = line.rfind(' ', room);
        const std::size_t next_blank = line.find(' ', room);
        if (blank != std::string_view::npos && blank > 0)
          cut = blank;
        else if (next_blank != std::string_view::npos)
          cut = next_blank;
      }
      result += margin + std::string(line.substr(0, cut)) + "\n";
      line.remove_prefix(cut);
      while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    } while (!line.empty());
  }
  return result;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string result;
  for (const std::string& part : parts) result += (result.empty() ? "" : ", ") + part;
  return result;
}

// Names once each, in order of first appearance, with how often each was counted.
std::string names_with_counts(const std::vector<Finding>& findings, const Counts& counts) {
  std::vector<std::string> names;
  std::vector<std::string> parts;
  for (const Finding& finding : findings) {
    if (std::find(names.begin(), names.end(), finding.name) != names.end()) continue;
    names.push_back(finding.name);
    const auto count =
        std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == finding.name; });
    const bool several = count != counts.end() && count->second > 1;
    parts.push_back(several ? fmt::format("{} ({} times)", finding.name, grouped(count->second)) : finding.name);
  }
  return joined(parts);
}

std::string row(std::string_view label, std::string_view value, bool color) {
  return fmt::format("  {} {}\n", styled(fmt::format("{:<13}", label), dim, color), value);
}

std::string headline(const RunSummary& summary, bool color) {
  const std::string words = summary.verdict == Outcome::valid     ? "PASSED"
                            : summary.verdict == Outcome::invalid ? "FAILED"
                                                                  : "UNKNOWN";
  std::string line = fmt::format("{}  {}", styled(words, style_of(summary.verdict), color),
                                 styled(fmt::format("{}, seed {}", summary.scenario, summary.seed), bold, color));
  if (!summary.planted.empty()) line += fmt::format("  with planted bug {}", joined(summary.planted));
  return line + "\n\n";
}

std::string time_text(const RunSummary& summary, const std::optional<double>& wall_seconds) {
  const double virtual_seconds = static_cast<double>(summary.virtual_time_ns) * 1e-9;
  std::string text = fmt::format("{:.3f} s virtual", virtual_seconds);
  if (!wall_seconds) return text;
  text += fmt::format(" in {:.2f} s on this machine", *wall_seconds);
  if (*wall_seconds > 0) text += fmt::format(" ({:.1f} times real time)", virtual_seconds / *wall_seconds);
  return text;
}

std::string faults_text(const RunSummary& summary) {
  if (summary.faults_scheduled == 0) return fmt::format("none (profile {})", summary.fault_profile);
  return fmt::format("{} of {} scheduled struck (profile {})", grouped(summary.faults_struck),
                     grouped(summary.faults_scheduled), summary.fault_profile);
}

std::string what_ran(const RunSummary& summary, const VerdictTextOptions& options) {
  const bool color = options.color;
  std::string text =
      row("cluster", fmt::format("{}: {}", counted(summary.nodes.size(), "node"), joined(summary.nodes)), color);
  text += row("time", time_text(summary, options.wall_seconds), color);
  text += row("transactions",
              fmt::format("{} ok, {} failed, {} unknown", grouped(summary.transactions_ok),
                          grouped(summary.transactions_failed), grouped(summary.transactions_unknown)),
              color);
  text += row("faults", faults_text(summary), color);
  for (const std::string& fault : summary.not_struck) text += row("not struck", fault, color);
  return text + "\n";
}

std::string explanations(const CheckSummary& check, const VerdictTextOptions& options) {
  std::string text;
  std::size_t shown = 0;
  for (const Finding& finding : check.anomalies) {
    if (shown == options.explanations_per_check) {
      text += fmt::format("      and {} more, in run.json\n", check.anomalies.size() - shown);
      break;
    }
    ++shown;
    text += fmt::format("      {}\n", styled(finding.name, bold, options.color));
    text += wrapped(finding.explanation, 8, options.width);
  }
  return text;
}

// Every run is judged for its end and for the program's own promises; only the other checks read the history.
bool history_was_judged(const RunSummary& summary) {
  return std::any_of(summary.checks.begin(), summary.checks.end(), [](const CheckSummary& check) {
    return check.name != "liveness" && check.name != "invariant" && check.name != "never";
  });
}

std::string check_text(const CheckSummary& check, std::size_t name_width, const VerdictTextOptions& options) {
  const std::string verdict = fmt::format("{:<7}", to_string(check.verdict));
  std::string details;
  if (!check.level.empty()) details += fmt::format("  at {}", check.level);
  if (check.operations_checked > 0) details += fmt::format("  {}", counted(check.operations_checked, "operation"));
  if (!check.anomalies.empty()) details += fmt::format("  {}", names_with_counts(check.anomalies, check.counts));
  const std::string name = details.empty() ? check.name : fmt::format("{:<{}}", check.name, name_width);
  std::string line =
      fmt::format("    {}  {}{}\n", styled(verdict, style_of(check.verdict), options.color), name, details);
  if (!check.reason.empty()) line += wrapped(check.reason, 6, options.width);
  line += explanations(check, options);
  if (!check.exposures.empty()) {
    const std::string what = "permitted at this level, and seen: " + names_with_counts(check.exposures, check.counts);
    line += wrapped(what, 6, options.width);
  }
  if (!check.not_models.empty()) {
    line += wrapped("the history is not " + joined(check.not_models), 6, options.width);
  }
  return line;
}

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::valid:
      return "valid";
    case Outcome::invalid:
      return "invalid";
    case Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string explanation_of(const CheckSummary& check) {
  std::string text = check.verdict == Outcome::unknown ? check.reason : "";
  for (const Finding& finding : check.anomalies) {
    if (!text.empty()) text += "\n";
    text += finding.explanation;
  }
  return text;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t position = digits.size(); position > 3;) {
    position -= 3;
    digits.insert(position, ",");
  }
  return digits;
}

std::string counted(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", grouped(count), singular, count == 1 ? "" : "s");
}

std::string render_verdict(const RunSummary& summary, const VerdictTextOptions& options) {
  std::string text = headline(summary, options.color) + what_ran(summary, options);
  std::size_t name_width = 0;
  for (const CheckSummary& check : summary.checks) name_width = std::max(name_width, check.name.size());
  text += summary.checks.empty() ? "  nothing was checked\n" : "  checks\n";
  for (const CheckSummary& check : summary.checks) text += check_text(check, name_width, options);
  if (!history_was_judged(summary)) text += "    no checker judged this history\n";
  text += "\n";
  if (!summary.expected_missing.empty()) {
    text +=
        row("not seen", fmt::format("{} (expected of a campaign, not of every seed)", joined(summary.expected_missing)),
            options.color);
  }
  text += row("digest", summary.digest, options.color);
  if (!options.folder.empty()) {
    text += row("artifacts", fmt::format("{}/ (open report.html there in a browser)", options.folder), options.color);
  }
  if (!options.replay_command.empty()) text += row("repeat it", options.replay_command, options.color);
  return text;
}

}  // namespace polarsim::reports
