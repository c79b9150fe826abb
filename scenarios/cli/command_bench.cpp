#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "reports/run_summary.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/build_info.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/run_session.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

std::string value_text(double value) {
  if (value < 1000) return fmt::format("{:.2f}", value);
  return reports::grouped(static_cast<std::uint64_t>(std::llround(value)));
}

nlohmann::ordered_json entry_of(const Measurement& measurement) {
  return {{"name", measurement.name},
          {"value", measurement.value},
          {"unit", measurement.unit},
          {"target", measurement.target},
          {"summary", measurement.summary}};
}

}  // namespace

const std::vector<Benchmark>& benchmarks() {
  static const std::vector<Benchmark> list{{"sim/fiber", bench_fiber},
                                           {"sim/timer", bench_timer},
                                           {"sim/scheduler", bench_scheduler},
                                           {"sim/memory", bench_memory},
                                           {"sim/network", bench_network},
                                           {"sim/digest", bench_digest},
                                           {"sim/simgrid", bench_simgrid},
                                           {"engine/append", bench_append},
                                           {"sql/parse", bench_sql_parse},
                                           {"sql/statement", bench_sql_statements},
                                           {"sql/router", bench_sql_router},
                                           {"sql/scan", bench_sql_scan},
                                           {"sql/join", bench_sql_join},
                                           {"sql/copy", bench_sql_copy},
                                           {"storage/btree", bench_btree},
                                           {"storage/redo", bench_redo},
                                           {"storage/checkpoint", bench_checkpoint},
                                           {"storage/rows", bench_rows},
                                           {"checkers/lists", bench_checkers_lists},
                                           {"checkers/registers", bench_checkers_registers}};
  return list;
}

double seconds_each(const std::function<void(std::uint64_t)>& body) {
  constexpr double round_seconds = 0.1;
  constexpr int rounds = 5;
  std::uint64_t count = 64;
  double elapsed = 0;
  for (;; count *= 4) {
    if (interrupted()) throw Interrupted{};
    const double start = processor_seconds();
    body(count);
    elapsed = processor_seconds() - start;
    if (elapsed >= round_seconds) break;
  }
  double fastest = elapsed;
  for (int round = 1; round < rounds; ++round) {
    if (interrupted()) throw Interrupted{};
    const double start = processor_seconds();
    body(count);
    fastest = std::min(fastest, processor_seconds() - start);
  }
  return fastest / static_cast<double>(count);
}

int bench_command(const BenchOptions& options) {
  std::vector<Benchmark> wanted;
  for (const Benchmark& benchmark : benchmarks()) {
    if (benchmark.name.starts_with(options.name)) wanted.push_back(benchmark);
  }
  if (wanted.empty())
    throw UsageError(
        fmt::format("bench: no benchmark's name begins with \"{}\"; `polarsim bench` runs all", options.name));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  if (!options.json) print(version_text() + "\n");
  for (const Benchmark& benchmark : wanted) {
    for (const Measurement& measurement : benchmark.run()) {
      if (options.json)
        list.push_back(entry_of(measurement));
      else
        print(fmt::format("{:<22} {:>14} {:<20} {:<8} {}\n", measurement.name, value_text(measurement.value),
                          measurement.unit, measurement.target, measurement.summary));
    }
  }
  if (options.json) print(dump(list));
  return exit_status::passed;
}

}  // namespace polarsim::scenarios::cli
