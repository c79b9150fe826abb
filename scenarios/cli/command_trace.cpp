#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
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
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UsageError(fmt::format("{}: cannot read this trace; `run --trace` writes one", file));
  sim::SalvagedTrace read = sim::salvage_trace(in, file);
  if (read.damage) {
    if (!options.salvage) throw UsageError(read.damage->message() + "; --salvage shows what comes before");
    print_error(read.damage->message());
  }
  if (read.trace.dropped > 0) {
    print_error(fmt::format("{}: {} earlier events were dropped when it was written", file, read.trace.dropped));
  }
  return std::move(read.trace.events);
}

void keep_wanted(const TraceOptions& options, std::vector<sim::TraceEvent>& events) {
  const sim::Time from =
      options.from.empty() ? sim::time_zero : sim::time_zero + parse_duration("--from", options.from);
  const sim::Time until =
      options.until.empty() ? sim::never : sim::time_zero + parse_duration("--until", options.until);
  std::erase_if(events, [&](const sim::TraceEvent& event) {
    if (event.time < from || event.time > until) return true;
    return !options.hosts.empty() &&
           std::find(options.hosts.begin(), options.hosts.end(), event.host) == options.hosts.end();
  });
}

}  // namespace

int trace_command(const TraceOptions& options) {
  std::vector<sim::TraceEvent> events = read_events(options);
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
