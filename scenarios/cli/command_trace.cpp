#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "scenarios/artifacts.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "sim/trace_file.h"
#include "sim/trace_perfetto.h"

namespace polarsim::scenarios::cli {

namespace {

std::vector<sim::TraceEvent> read_events(const TraceOptions& options) {
  std::error_code ignored;
  std::string file = options.file;
  if (std::filesystem::is_directory(file, ignored)) file = (std::filesystem::path(file) / "trace.bin").string();
  if (!options.out.empty() && std::filesystem::equivalent(options.out, file, ignored))
    throw UsageError(fmt::format("--out: {} is the trace itself; give another file", options.out));
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UsageError(fmt::format("{}: cannot read this trace; `run --trace` writes one", file));
  sim::SalvagedTrace read = sim::salvage_trace(in, file);
  if (read.damage) {
    // Without a single whole block there is nothing to salvage.
    if (read.trace.events.empty()) throw UsageError(read.damage->message());
    if (!options.salvage) throw UsageError(read.damage->message() + "; --salvage shows what comes before");
    print_error(read.damage->message());
  }
  if (read.trace.dropped > 0) {
    print_error(fmt::format("{}: {} earlier events were dropped when it was written", file, read.trace.dropped));
  }
  return std::move(read.trace.events);
}

// A misspelt host would look like one to which nothing happened.
void check_hosts(const TraceOptions& options, const std::vector<sim::TraceEvent>& events) {
  if (options.hosts.empty()) return;
  std::set<std::string> known;
  for (const sim::TraceEvent& event : events) known.insert(event.host);
  known.erase("");
  for (const std::string& host : options.hosts) {
    if (!known.contains(host)) {
      throw UsageError(
          fmt::format("--host: this trace has nothing of \"{}\"; it knows {}", host, fmt::join(known, ", ")));
    }
  }
}

void keep_wanted(const TraceOptions& options, std::vector<sim::TraceEvent>& events) {
  const sim::Time from =
      options.from.empty() ? sim::time_zero : sim::time_zero + parse_duration("--from", options.from);
  const sim::Time until =
      options.until.empty() ? sim::never : sim::time_zero + parse_duration("--until", options.until);
  if (until < from) throw UsageError("--until: comes before --from");
  std::erase_if(events, [&](const sim::TraceEvent& event) {
    if (event.time < from || event.time > until) return true;
    return !options.hosts.empty() &&
           std::find(options.hosts.begin(), options.hosts.end(), event.host) == options.hosts.end();
  });
}

}  // namespace

int trace_command(const TraceOptions& options) {
  std::vector<sim::TraceEvent> events = read_events(options);
  check_hosts(options, events);
  keep_wanted(options, events);
  std::ostringstream text;
  if (options.perfetto) {
    sim::write_perfetto(text, events);
  } else {
    sim::write_text(text, events);
  }
  if (options.out.empty()) {
    print(text.str());
  } else if (const auto written = write_file(options.out, text.str()); !written) {
    throw UsageError("--out: " + written.error().message);
  }
  return exit_status::passed;
}

}  // namespace polarsim::scenarios::cli
