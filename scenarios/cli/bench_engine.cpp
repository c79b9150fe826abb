// Statements and whole transactions.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/node/statement_cache.h"
#include "engine/syntax/parser.h"
#include "scenarios/cli/arguments.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/runner.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr const char* statement =
    "UPDATE public.accounts_102008 SET balance = balance + $1 WHERE id = $2 RETURNING balance";

double parse_seconds() {
  return seconds_each([](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) engine::syntax::parse(statement);
  });
}

double cached_parse_seconds() {
  sim::Simulation simulation(sim::SimulationOptions{});
  engine::syntax::StatementCache cache = engine::make_statement_cache(simulation.scheduler(), 100);
  return seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) cache.parse(statement);
  });
}

}  // namespace

std::vector<Measurement> bench_sql() {
  return {{"engine/sql-parse", 1 / parse_seconds(), "statements/s", "an UPDATE from its text"},
          {"engine/sql-cached", 1 / cached_parse_seconds(), "statements/s",
           "the same UPDATE when the node has parsed it before"}};
}

std::vector<Measurement> bench_append() {
  // Without faults and pauses, so that the time goes into transactions.
  const Scenario scenario =
      load_scenario_argument("append", {"cluster.coordinators=2", "cluster.data_nodes=4", "faults.profile=\"none\"",
                                        "workload.pause_ms=0", "run.duration_s=10"});
  RunRequest request;
  request.progress = [](sim::Time) {
    if (interrupted()) throw Interrupted{};
  };
  const double start = processor_seconds();
  const RunRecord record = run_scenario(scenario, request);
  const double used = processor_seconds() - start;
  const auto transactions = static_cast<double>(record.transactions_ok);
  return {{"engine/append", transactions / used, "transactions/core-s",
           "committed by clients of the append workload, 2 CN and 4 DN, judging included"},
          {"engine/append-events", static_cast<double>(record.scheduler_events) / used, "events/core-s",
           "scheduler events in the same run"},
          {"engine/append-speedup", sim::seconds(record.virtual_time) / used, "times",
           "virtual time over processor time in the same run"},
          {"engine/append-digest", 100 * static_cast<double>(record.digest_records) * digest_record_seconds() / used,
           "%", "of the processor time of the same run is the digest", "<= 5"}};
}

}  // namespace polarsim::scenarios::cli
